//! Processes of the tool, with a limit on every wait.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Far longer than anything here takes on any machine: only a hang is a failure.
const PATIENCE: Duration = Duration::from_secs(600);
/// A host that moves a VF in a blink.
pub(crate) const SMALL: [&str; 8] =
    ["--vfs", "2", "--vf-size", "4MiB", "--warm-up", "100ms", "--cool-down", "100ms"];
/// A pause limit that no machine is too slow for: what these tests ask does not depend on speed.
const PATIENT: [&str; 2] = ["--pause-limit", "60s"];
/// The same for a target.
pub(crate) const SMALL_TARGET: [&str; 4] = ["--vfs", "2", "--vf-size", "4MiB"];

/// The tool, to be started.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpup"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A shell that runs `script`, in which TOOL is the tool with its arguments: `ulimit -f 8; exec TOOL 2>&-`.
pub(crate) fn shell(script: &str, args: &[&str]) -> Command {
    let mut shell = Command::new("sh");
    let script = script.replace("TOOL", r#""$0" "$@""#);
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_gpup")]).args(args);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

/// Runs the tool to its end as a shell does that `script` tells so: see [`shell`].
pub(crate) fn run_by(script: &str, args: &[&str]) -> Ran {
    Ran::of(args, shell(script, args).output().expect("the shell starts"))
}

/// Runs the tool to its end, in `directory`.
pub(crate) fn run_in(directory: &Path, args: &[&str]) -> Ran {
    Ran::of(args, command(args).current_dir(directory).output().expect("the tool starts"))
}

/// Runs the tool to its end.
pub(crate) fn run(args: &[&str]) -> Ran {
    Ran::of(args, command(args).output().expect("the tool starts"))
}

/// What a process left.
pub(crate) struct Ran {
    args: String,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(args: &[&str], output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        let ran = Self {
            args: args.join(" "),
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        assert!(!ran.err.contains("panicked") && !ran.err.contains("backtrace"), "{}: {}", ran.args, ran.err);
        ran
    }

    /// Demands an exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "gpup {}\n{}\n{}", self.args, self.out, self.err);
        self
    }

    /// Demands words on standard error, and that the tool's own complaint is one line.
    #[track_caller]
    pub(crate) fn complains(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "gpup {}: no '{word}' in\n{}", self.args, self.err);
        }
        let lines = self.err.lines().filter(|line| line.starts_with("gpup: ")).count();
        assert!(lines <= 1, "gpup {}\n{}", self.args, self.err);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{}: {error}\n{}", self.args, self.out))
    }
}

/// Lines of a pipe as they come.
#[derive(Default)]
struct Lines {
    text: Mutex<(String, bool)>,
    changed: Condvar,
}

impl Lines {
    fn none() -> Arc<Self> {
        Arc::new(Self { text: Mutex::new((String::new(), true)), ..Self::default() })
    }

    fn follow(pipe: impl Read + Send + 'static) -> Arc<Self> {
        let lines = Arc::new(Self::default());
        let theirs = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let mut text = theirs.text.lock().unwrap();
                text.0 += &line;
                text.0.push('\n');
                theirs.changed.notify_all();
            }
            theirs.text.lock().unwrap().1 = true;
            theirs.changed.notify_all();
        });
        lines
    }

    #[track_caller]
    fn wait(&self, found: impl Fn(&str, bool) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut text = self.text.lock().unwrap();
        while !found(&text.0, text.1) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!text.1 && !left.is_zero(), "it never came:\n{}", text.0);
            text = self.changed.wait_timeout(text, left).unwrap().0;
        }
        text.0.clone()
    }
}

/// A process in the background; it goes with its handle.
pub(crate) struct Process {
    args: String,
    child: Mutex<Child>,
    out: Arc<Lines>,
    err: Arc<Lines>,
}

impl Process {
    /// Starts the tool.
    pub(crate) fn start(args: &[&str]) -> Arc<Self> {
        Self::spawn(command(args), args)
    }

    /// Starts the tool as a shell does that `script` tells so: see [`shell`].
    pub(crate) fn start_by(script: &str, args: &[&str]) -> Arc<Self> {
        Self::spawn(shell(script, args), args)
    }

    /// Starts what `command` says, the tool with `args`.
    pub(crate) fn spawn(mut command: Command, args: &[&str]) -> Arc<Self> {
        let mut child = command.spawn().expect("the tool starts");
        let out = Lines::follow(child.stdout.take().unwrap());
        // None where somebody else has the pipe.
        let err = child.stderr.take().map_or_else(Lines::none, Lines::follow);
        Arc::new(Self { args: args.join(" "), child: Mutex::new(child), out, err })
    }

    /// The address that a target says it listens on.
    pub(crate) fn address(&self) -> String {
        let text = self.out.wait(|text, _| text.contains('\n'));
        text.trim().strip_prefix("listening on ").expect("the address").into()
    }

    /// Waits until standard error has `words`.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        self.err.wait(|text, _| text.contains(words));
    }

    /// Waits until standard error has `words` so many times.
    #[track_caller]
    pub(crate) fn says_times(&self, words: &str, times: usize) {
        self.err.wait(|text, _| text.matches(words).count() >= times);
    }

    /// Standard error up to now.
    pub(crate) fn err_so_far(&self) -> String {
        self.err.text.lock().unwrap().0.clone()
    }

    /// SIGKILL.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Its number.
    pub(crate) fn process_id(&self) -> String {
        self.child.lock().unwrap().id().to_string()
    }

    /// SIGINT, which is what Ctrl-C sends.
    pub(crate) fn interrupt(&self) {
        assert!(Command::new("kill").args(["-INT", &self.process_id()]).status().unwrap().success());
    }

    /// Whether it has not ended.
    pub(crate) fn is_alive(&self) -> bool {
        self.child.lock().unwrap().try_wait().unwrap().is_none()
    }

    /// Waits until somebody has killed it: it does not end by itself first.
    #[track_caller]
    pub(crate) fn is_killed(&self, when: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.child.lock().unwrap().try_wait().unwrap() {
                Some(status) => {
                    return assert_eq!(status.code(), None, "gpup {} ended by itself: {when}", self.args);
                }
                None => assert!(Instant::now() < deadline, "gpup {} is not killed: {when}", self.args),
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn ends(&self) -> Ran {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.lock().unwrap().try_wait().unwrap() {
                break status;
            }
            let err = &self.err.text.lock().unwrap().0;
            assert!(Instant::now() < deadline, "gpup {} does not end:\n{err}", self.args);
            std::thread::sleep(Duration::from_millis(5));
        };
        let whole = |lines: &Lines| lines.wait(|_, over| over).into_bytes();
        let (stdout, stderr) = (whole(&self.out), whole(&self.err));
        Ran::of(&[&self.args], Output { status, stdout, stderr })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A target that serves so many visits, and its address.
pub(crate) fn serve(visits: &str, more: &[&str]) -> (Arc<Process>, SocketAddr) {
    let mut args =
        [&["serve", "--listen", "127.0.0.1:0", "--visits", visits], &SMALL_TARGET[..], more].concat();
    if !more.contains(&"--cool-down") {
        args.extend(["--cool-down", "100ms"]);
    }
    let process = Process::start(&args);
    let address = process.address().parse().expect("an address");
    (process, address)
}

/// Arguments of a migration within the process.
pub(crate) fn migrate<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["migrate"], &SMALL[..], &PATIENT, more].concat()
}

/// Arguments of a migration to `target` with its report on standard output.
pub(crate) fn migrate_to<'a>(target: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    migrate(&[&["--to", target, "--json", "-"], more].concat())
}

/// A directory that goes with its handle.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("gpup-processes-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A name in it.
    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().into()
    }

    /// Names of what is in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
