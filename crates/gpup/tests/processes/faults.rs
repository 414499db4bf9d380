//! Faults of a disk, at any system call of the tool on files of a folder: see `faults.c`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use crate::harness::Process;

/// A system call, as a run without faults makes it.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) number: usize,
    pub(crate) call: String,
    pub(crate) path: String,
}

/// What goes wrong at a point, and how often from there on.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) point: Point,
    pub(crate) what: &'static str,
    pub(crate) times: usize,
}

/// As often as there are calls.
pub(crate) const FOR_GOOD: usize = 1_000_000;

impl Fault {
    /// It ends the process.
    pub(crate) fn kills(&self) -> bool {
        self.what.starts_with("kill")
    }

    /// Nobody is to notice: the call is made again, or it does not matter how it ends.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self.what, "EINTR" | "short")
            || (self.times == 1 && self.point.call == "close" && !self.kills())
    }

    /// What is to be removed may stay.
    pub(crate) fn may_leave_drafts(&self) -> bool {
        self.kills() || self.times > 1 || self.point.call == "unlink"
    }
}

/// Every way a call may go wrong.
fn ways(call: &str) -> &'static [&'static str] {
    match call {
        "open" => &["EIO", "ENOSPC", "EMFILE", "EACCES", "EINTR", "lost"],
        "write" => &["ENOSPC", "EIO", "short", "EINTR", "EFBIG", "lost"],
        "read" => &["EIO", "short", "EINTR"],
        "fsync" => &["EIO", "ENOSPC", "EDQUOT", "EINTR", "lost"],
        "link" => &["EIO", "ENOSPC", "EPERM", "EINTR", "lost"],
        "rename" => &["EIO", "ENOSPC", "EINTR", "lost"],
        _ => &["EIO", "EINTR", "lost"],
    }
}

/// The faults of each point that are to be tried. Reads and writes are many and alike: each gets a few of its faults,
/// unless `GPUP_SWEEP=all` asks for every one.
pub(crate) fn faults(points: &[Point]) -> Vec<Fault> {
    let wide = std::env::var_os("GPUP_SWEEP").is_some_and(|sweep| sweep == "all");
    let mut faults = Vec::new();
    for point in points {
        let once = |what| Fault { point: point.clone(), what, times: 1 };
        let on = |what| Fault { point: point.clone(), what, times: FOR_GOOD };
        let (ways, kills) = (ways(&point.call), ["kill-before", "kill-after"]);
        if wide || !matches!(&*point.call, "read" | "write" | "close") {
            faults.extend(ways.iter().copied().chain(kills).map(once));
            faults.extend(["EIO", "ENOSPC"].map(on));
        } else {
            faults.push(once(ways[point.number % ways.len()]));
            faults.push(match point.number % 3 {
                0 => on("ENOSPC"),
                other => once(kills[other - 1]),
            });
        }
    }
    faults
}

/// Tries `run` with every fault, two at a time, and says how many there were.
pub(crate) fn sweep(name: &str, points: &[Point], run: impl Fn(usize, &Fault) + Sync) {
    let faults = faults(points);
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(fault) = faults.get(number) else { break };
                    let tried = std::panic::AssertUnwindSafe(|| run(number, fault));
                    if let Err(panic) = std::panic::catch_unwind(tried) {
                        let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                        failed.lock().unwrap().push(format!("{fault:?}: {why}"));
                    }
                }
            });
        }
    });
    println!("{name}: {} faults at {} points", faults.len(), points.len());
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{name}: {} of {}:\n{}", failed.len(), faults.len(), failed.join("\n"));
}

/// The library, built once; none where there is nothing to build it with.
pub(crate) fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        if !cfg!(all(target_os = "linux", target_env = "gnu")) {
            eprintln!("SKIPPED: faults are preloaded on Linux with glibc alone");
            return None;
        }
        let library =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("faults-{}.so", std::process::id()));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/processes/faults.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&library).arg(source);
        match cc.status() {
            Err(error) => eprintln!("SKIPPED: no C compiler builds the faults: {error}"),
            Ok(status) => assert!(status.success(), "faults.c does not build"),
        }
        library.exists().then_some(library)
    };
    LIBRARY.get_or_init(build).as_deref()
}

/// Has the calls of `command` on files of `folder` written to `log`, and one go wrong.
pub(crate) fn preload(command: &mut Command, folder: &Path, log: &Path, fault: Option<&Fault>) {
    let library = library().expect("the library");
    command.env("LD_PRELOAD", library).env("GPUP_FAULT_UNDER", folder).env("GPUP_FAULT_LOG", log);
    if let Some(Fault { point, what, times }) = fault {
        command.env("GPUP_FAULT", what);
        command.env("GPUP_FAULT_AT", point.number.to_string()).env("GPUP_FAULT_TIMES", times.to_string());
    }
}

/// The calls in a log.
pub(crate) fn points(log: &Path) -> Vec<Point> {
    let text = std::fs::read_to_string(log).unwrap();
    let point = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap().to_string();
        Point { number: word().parse().unwrap(), call: word(), path: word() }
    };
    text.lines().map(point).collect()
}

/// Runs the tool to its end with a fault, or with none.
pub(crate) fn run(args: &[&str], folder: &Path, log: &Path, fault: Option<&Fault>) -> crate::harness::Ran {
    let mut command = crate::harness::command(args);
    preload(&mut command, folder, log, fault);
    Process::spawn(command, args).ends()
}
