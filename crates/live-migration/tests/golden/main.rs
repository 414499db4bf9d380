//! Golden bytes: what this version puts on the wire and into files, and that it reads them back.
//!
//! Whoever changes a byte here changes the protocol: then `frame::VERSION` goes up, and the files beside this are
//! replaced by what the test has written (it says where). docs/wire.md says what the bytes mean.

mod file;
mod frames;
mod hex;
mod messages;
mod payload;
mod tape;
mod version;

/// Compares a golden file with what is encoded now.
#[track_caller]
fn assert_golden(name: &str, golden: &str, now: &str) {
    if golden == now {
        return;
    }
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, now).unwrap();
    let differs = golden.lines().zip(now.lines()).find(|(golden, now)| golden != now);
    panic!(
        "{name} is no longer what is encoded, which {} has; the first line that differs: {differs:?}",
        path.display()
    );
}
