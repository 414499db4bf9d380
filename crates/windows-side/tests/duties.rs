//! What the scripts owe whoever runs them, as far as their text shows it: no server that has to be reached.

use windows_side::read;

#[test]
fn signing_reaches_no_server_that_was_not_named() {
    let makefile = read("Makefile.toml");
    let code: String =
        makefile.lines().filter(|line| !line.starts_with('#')).flat_map(|it| [it, "\n"]).collect();
    assert!(!code.contains("http"), "a server is built in");
    let task =
        code.split_once("[tasks.signtool-sign]\n").expect("the task").1.split_once("\n[").expect("its end").0;
    let arguments: Vec<&str> = task.lines().map(|line| line.trim().trim_end_matches(',')).collect();
    for unwanted in ["\"/t\"", "\"/tr\""] {
        assert!(!arguments.contains(&unwanted), "every signature asks for a time stamp");
    }
    assert!(arguments.contains(&"\"@@split(GPUP_TIME_STAMP, ,remove-empty)\""), "{task}");
    let set = code.lines().find(|line| line.starts_with("GPUP_TIME_STAMP = ")).expect("the options");
    assert!(set.contains("env_set = [\"GPUP_TIME_STAMP_SERVER\"]"), "{set}");
    assert!(set.contains("/tr ${GPUP_TIME_STAMP_SERVER} /td SHA256"), "{set}");
    assert!(read("docs/windows.md").contains("GPUP_TIME_STAMP_SERVER"));
}
