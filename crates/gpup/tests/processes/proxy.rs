//! A wire between source and target that understands frames and can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use live_migration::wire::frame::{HEADER_BYTES, Kind};

/// Which way a frame travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    ToTarget,
    ToSource,
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It passes.
    Pass,
    /// Its connection is cut instead.
    Cut,
    /// Its connection is cut instead, and no other is let through any more.
    CutForGood,
    /// It passes with a bit of it wrong.
    Flip,
    /// Neither it nor anything behind it passes, and its connection stays.
    Stall,
}

type Rule = Arc<Mutex<dyn FnMut(Way, Kind) -> Fate + Send>>;

/// Listens, and connects whoever comes with `target`, under `rule`.
pub(crate) fn between(target: SocketAddr, rule: impl FnMut(Way, Kind) -> Fate + Send + 'static) -> String {
    between_any(Arc::new(Mutex::new(target)), rule)
}

/// The same with whoever is the target when somebody comes.
pub(crate) fn between_any(
    target: Arc<Mutex<SocketAddr>>,
    rule: impl FnMut(Way, Kind) -> Fate + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let rule: Rule = Arc::new(Mutex::new(rule));
    let closed = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for source in listener.incoming().map_while(Result::ok) {
            if closed.load(Ordering::Relaxed) {
                continue;
            }
            let target = *target.lock().unwrap();
            let Ok(target) = TcpStream::connect(target) else { continue };
            let wires = [
                (source.try_clone().unwrap(), target.try_clone().unwrap(), Way::ToTarget),
                (target, source, Way::ToSource),
            ];
            for (from, to, way) in wires {
                let (rule, closed) = (rule.clone(), closed.clone());
                std::thread::spawn(move || {
                    // What the other way still carries arrives, unless the wire is cut.
                    let (read, write) = match carry(&from, &to, way, &rule, &closed) {
                        End::Cut => (Shutdown::Both, Shutdown::Both),
                        End::Gone => (Shutdown::Read, Shutdown::Write),
                    };
                    let _ = from.shutdown(read);
                    let _ = to.shutdown(write);
                });
            }
        }
    });
    address
}

/// Why one way of a wire carries no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The rule wants it so.
    Cut,
    /// Somebody has closed it, or died.
    Gone,
}

fn carry(mut from: &TcpStream, mut to: &TcpStream, way: Way, rule: &Rule, closed: &AtomicBool) -> End {
    let _ = to.set_nodelay(true);
    let mut header = [0; HEADER_BYTES];
    while from.read_exact(&mut header).is_ok() {
        let kind = u16::from_le_bytes([header[4], header[5]]);
        let bytes = u32::from_le_bytes([header[12], header[13], header[14], header[15]]);
        let mut payload = vec![0; bytes as usize];
        if from.read_exact(&mut payload).is_err() {
            return End::Gone;
        }
        let fate = (rule.lock().unwrap())(way, Kind::from_u16(kind).expect("a known kind"));
        if fate == Fate::CutForGood {
            closed.store(true, Ordering::Relaxed);
        }
        match fate {
            Fate::Flip => *payload.first_mut().unwrap_or(&mut header[16]) ^= 1,
            Fate::Stall => {
                // What comes is taken in, so that only this proxy stands still.
                let _ = std::io::copy(&mut from, &mut std::io::sink());
                return End::Gone;
            }
            Fate::Cut | Fate::CutForGood => return End::Cut,
            Fate::Pass => {}
        }
        if to.write_all(&header).and_then(|()| to.write_all(&payload)).is_err() {
            return End::Gone;
        }
    }
    End::Gone
}

/// Cuts the connection of the first frame of `kind` that goes `way`.
pub(crate) fn cut_once(way: Way, kind: Kind) -> impl FnMut(Way, Kind) -> Fate + Send {
    let mut done = false;
    move |its_way, its_kind| {
        let cut = !done && (its_way, its_kind) == (way, kind);
        done |= cut;
        if cut { Fate::Cut } else { Fate::Pass }
    }
}
