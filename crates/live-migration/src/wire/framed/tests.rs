//! Frames that come back, frames that are refused, waits that end.

use super::*;

struct Recorder(alloc::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Channel for Recorder {
    fn send(&mut self, parts: &[&[u8]]) -> Result<(), LinkError> {
        parts.iter().for_each(|part| self.0.lock().unwrap().extend_from_slice(part));
        Ok(())
    }
    fn receive(&mut self, _out: &mut [u8]) -> Result<(), LinkError> {
        Err(LinkError::Closed)
    }
}

fn two_frames() -> Vec<u8> {
    let bytes = alloc::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut framed = Framed::new(alloc::boxed::Box::new(Recorder(bytes.clone())));
    framed.send(Kind::Hello, &[b"one", b"", b"two"]).unwrap();
    framed.send(Kind::Commit, &[]).unwrap();
    let bytes = bytes.lock().unwrap().clone();
    assert_eq!(framed.bytes_sent(), bytes.len() as u64);
    bytes
}

fn read_all(bytes: Vec<u8>) -> Result<(), FrameError> {
    let mut framed = Framed::new(alloc::boxed::Box::new(Loopback::holding(bytes)));
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
    let mut framed = Framed::new(alloc::boxed::Box::new(Loopback::holding(twice)));
    framed.receive().unwrap();
    framed.receive().unwrap();
    assert_eq!(framed.receive(), Err(FrameError::OutOfOrder { expected: 2, found: 0 }));
}

#[test]
fn every_kind_has_its_number() {
    for number in 0..=u16::MAX {
        if let Some(kind) = Kind::from_u16(number) {
            assert_eq!(kind as u16, number);
        }
    }
}
