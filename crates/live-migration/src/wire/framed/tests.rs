//! Frames that come back, frames that are refused, waits that end.

use super::*;
use crate::wire::frame::VERSION;

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
