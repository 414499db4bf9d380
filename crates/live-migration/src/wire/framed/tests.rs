//! Frames that come back, frames that are refused, waits that end.

use core::sync::atomic::Ordering;

use super::*;
use crate::wire::channel::SLICE_NS;
use crate::wire::frame::VERSION;
use crate::wire::testing::{Comes, Script, frames, vigil};
use crate::wire::vigil::Clock;

struct Recorder(Arc<std::sync::Mutex<Vec<u8>>>);

impl Channel for Recorder {
    fn send(&mut self, parts: &[&[u8]], from: usize) -> Result<usize, LinkError> {
        // A byte at a time: frames must not need whole ones.
        let next = crate::wire::channel::from_byte(parts, from).next().unwrap();
        self.0.lock().unwrap().push(next[0]);
        Ok(1)
    }
    fn receive(&mut self, _out: &mut [u8]) -> Result<usize, LinkError> {
        Err(LinkError::Closed)
    }
}

fn patient() -> Arc<Vigil> {
    Vigil::timeless()
}

fn holding(bytes: Vec<u8>) -> Framed {
    Framed::new(Box::new(Loopback::holding(bytes)), patient())
}

fn two_frames() -> Vec<u8> {
    let bytes = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut framed = Framed::new(Box::new(Recorder(bytes.clone())), patient());
    framed.send(Kind::Hello, &[b"one", b"", b"two"]).unwrap();
    framed.send(Kind::Commit, &[]).unwrap();
    let bytes = bytes.lock().unwrap().clone();
    assert_eq!(framed.bytes_sent(), bytes.len() as u64);
    bytes
}

fn read_all(bytes: Vec<u8>) -> Result<(), FrameError> {
    let mut framed = holding(bytes);
    assert_eq!(framed.receive()?, (Kind::Hello, b"onetwo".to_vec()));
    assert_eq!(framed.receive()?, (Kind::Commit, Vec::new()));
    Ok(())
}

#[test]
fn frames_come_back_as_they_were_sent() {
    read_all(two_frames()).unwrap();
}

#[test]
fn every_flipped_bit_and_every_cut_is_refused() {
    let good = two_frames();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(read_all(bad).is_err(), "bit {bit}");
    }
    for end in 0..good.len() {
        assert!(read_all(good[..end].to_vec()).is_err(), "cut at {end}");
    }
}

#[test]
fn a_repeated_frame_is_refused() {
    let good = two_frames();
    let twice: Vec<u8> = good.iter().chain(&good).copied().collect();
    let mut framed = holding(twice);
    framed.receive().unwrap();
    framed.receive().unwrap();
    assert_eq!(framed.receive(), Err(FrameError::OutOfOrder { expected: 2, found: 0 }));
}

#[test]
fn a_word_that_the_other_side_is_at_work_is_passed_over() {
    let bytes = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut framed = Framed::new(Box::new(Recorder(bytes.clone())), patient());
    framed.send(Kind::Alive, &[]).unwrap();
    framed.send(Kind::Commit, &[]).unwrap();
    framed.beat().unwrap();
    let mut framed = holding(bytes.lock().unwrap().clone());
    assert_eq!(framed.receive(), Ok((Kind::Commit, Vec::new())));
    let end = framed.receive();
    assert_eq!(end, Err(FrameError::CutShort { sequence: 2 }), "a beat within the second is not sent");
}

#[test]
fn a_later_frame_of_another_version_is_named_and_not_called_damaged() {
    let mut bytes = two_frames();
    let second = HEADER_BYTES + 6;
    bytes[second + 6..second + 8].copy_from_slice(&(VERSION + 1).to_le_bytes());
    let sum = xxhash_rust::xxh3::xxh3_64(&bytes[second..second + 16]);
    bytes[second + 16..second + 24].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(read_all(bytes), Err(FrameError::Version { sequence: 1, found: VERSION + 1 }));
}

#[test]
fn every_kind_has_its_number() {
    for number in 0..=u16::MAX {
        if let Some(kind) = Kind::from_u16(number) {
            assert_eq!(kind as u16, number);
        }
    }
}

fn words(why: &str) -> Vec<u8> {
    postcard::to_allocvec(why).unwrap()
}

#[test]
fn a_beat_is_sent_once_nothing_else_has_been_for_a_second() {
    let (clock, _, vigil) = vigil();
    let script = Script::new(clock.clone(), []);
    let said = script.said();
    let mut framed = Framed::new(Box::new(script), vigil);
    let mut at = |ns: u64| {
        clock.sleep(ns - clock.now());
        framed.beat().unwrap();
        said.lock().unwrap().bytes.len() / HEADER_BYTES
    };
    assert_eq!(at(BEAT_NS - 1), 0);
    assert_eq!(at(BEAT_NS), 1);
    assert_eq!(at(2 * BEAT_NS - 1), 1);
    assert_eq!(at(2 * BEAT_NS), 2);
    framed.send(Kind::Ready, &[]).unwrap();
    clock.sleep(BEAT_NS / 2);
    framed.beat().unwrap();
    let expected = frames(&[(Kind::Alive, b""), (Kind::Alive, b""), (Kind::Ready, b"")]);
    assert_eq!(said.lock().unwrap().bytes, expected, "what was sent is a sign of life itself");
}

#[test]
fn beats_keep_whoever_waits_patient_and_silence_ends_the_wait() {
    let (clock, _, vigil) = vigil();
    let beat = frames(&[(Kind::Alive, b"")]);
    let script = Script::new(clock.clone(), [Comes::Nothing(59 * SECOND), Comes::Bytes(beat)]);
    let mut framed = Framed::new(Box::new(script), vigil);
    assert_eq!(framed.receive(), Err(LinkError::Silent(60).into()));
    assert!((119 * SECOND..119 * SECOND + 2 * SLICE_NS).contains(&clock.now()), "{} ns", clock.now());
}

#[test]
fn whoever_looks_sees_what_came_and_takes_nothing_of_it() {
    let (clock, cancel, vigil) = vigil();
    let frame = frames(&[(Kind::Running, b"")]);
    let (begin, rest) = frame.split_at(5);
    let comes = [
        Comes::Nothing(SLICE_NS),
        Comes::Bytes(begin.to_vec()),
        Comes::Bytes(rest.to_vec()),
        Comes::Error(LinkError::Closed),
    ];
    let mut framed = Framed::new(Box::new(Script::new(clock, comes)), vigil);
    assert_eq!(framed.look(), Ok(false));
    // However often: the end behind what came is not seen before that has been taken.
    assert!((0..5).all(|_| framed.look() == Ok(true)));
    cancel.store(true, Ordering::Relaxed);
    assert_eq!(framed.look(), Err(LinkError::Cancelled));
    cancel.store(false, Ordering::Relaxed);
    assert_eq!(framed.receive(), Ok((Kind::Running, Vec::new())));
    assert_eq!(framed.look(), Err(LinkError::Closed));
}

#[test]
fn whoever_gives_up_says_why_even_when_cancelled_and_hears_the_other_side_close() {
    let (clock, cancel, vigil) = vigil();
    cancel.store(true, Ordering::Relaxed);
    // What the other side had sent before it read the words is in the way.
    let unread = Comes::Bytes(vec![0; 3 * STEP]);
    let script = Script::new(clock, [unread, Comes::Error(LinkError::Closed)]);
    let said = script.said();
    Framed::new(Box::new(script), vigil).give_up("why");
    let said = said.lock().unwrap();
    assert_eq!(said.bytes, frames(&[(Kind::Abort, &words("why"))]));
    assert!(said.closed);
}

#[test]
fn whoever_gives_up_waits_only_a_moment_for_the_other_side() {
    let (clock, _, vigil) = vigil();
    Framed::new(Box::new(Script::new(clock.clone(), [])), vigil).give_up("why");
    assert!((LAST_WORDS_NS..LAST_WORDS_NS + 2 * SLICE_NS).contains(&clock.now()));
}

#[test]
fn a_connection_that_fails_is_not_waited_for() {
    let failed = || LinkError::Failed("the cable".into());
    let (clock, _, vigil) = vigil();
    Framed::new(Box::new(Script::new(clock.clone(), []).cut()), vigil.clone()).give_up("why");
    Framed::new(Box::new(Script::new(clock.clone(), [Comes::Error(failed())])), vigil).give_up("why");
    assert!(clock.now() < LAST_WORDS_NS);
}

#[test]
fn last_words_are_heard_behind_other_frames_even_when_cancelled() {
    let (clock, cancel, vigil) = vigil();
    cancel.store(true, Ordering::Relaxed);
    let said = frames(&[(Kind::IterationApplied, b""), (Kind::Alive, b""), (Kind::Abort, &words("no room"))]);
    let framed = Framed::new(Box::new(Script::new(clock, [Comes::Bytes(said)])), vigil);
    assert_eq!(framed.last_words(SECOND).as_deref(), Some("no room"));
}

#[test]
fn last_words_that_do_not_come_are_waited_for_only_so_long() {
    let (clock, _, vigil) = vigil();
    let closed = Script::new(clock.clone(), [Comes::Error(LinkError::Closed)]);
    assert_eq!(Framed::new(Box::new(closed), vigil.clone()).last_words(SECOND), None);
    assert_eq!(clock.now(), 0);
    // Words of another kind, and then nothing.
    let other = Script::new(clock.clone(), [Comes::Bytes(frames(&[(Kind::Ready, b"")]))]);
    assert_eq!(Framed::new(Box::new(other), vigil.clone()).last_words(SECOND), None);
    assert!((SECOND..SECOND + 2 * SLICE_NS).contains(&clock.now()));
    // Words that cannot be read are none.
    let torn = Script::new(clock, [Comes::Bytes(frames(&[(Kind::Abort, &[9, b'x'])]))]);
    assert_eq!(Framed::new(Box::new(torn), vigil).last_words(SECOND), None);
}

#[test]
fn a_frame_whose_rest_was_not_waited_for_is_heard_by_whoever_listens_next() {
    let said = frames(&[(Kind::Abort, &words("no room"))]);
    for cut in 1..said.len() {
        let (clock, _, vigil) = vigil();
        let [begin, rest] = [&said[..cut], &said[cut..]].map(|part| Comes::Bytes(part.to_vec()));
        let mut framed =
            Framed::new(Box::new(Script::new(clock, [begin, Comes::Nothing(1), rest])), vigil.clone());
        vigil.within(1);
        assert_eq!(framed.receive(), Err(LinkError::Overdue.into()), "cut at {cut}");
        assert_eq!(framed.last_words(SECOND).as_deref(), Some("no room"), "cut at {cut}");
    }
}
