//! The listener: lets visitors in, and keeps its head when the machine has no room for them.

use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use live_migration::wire::framed::Framed;
use live_migration::wire::vigil::Vigil;

use crate::tcp::Tcp;

/// Waits between two tries, the first and the longest.
const BACK_OFF: [Duration; 2] = [Duration::from_millis(10), Duration::from_secs(1)];
const TOO_FEW: &str = "the target has too few file descriptors for another connection: raise its limit (ulimit -n), or try again later";

/// A listener, and one descriptor in reserve: with it whoever comes when none is left can be told so.
pub(super) struct Door {
    listener: TcpListener,
    reserve: Option<File>,
    wait: Duration,
    /// What is wrong has been said.
    said: bool,
}

impl Door {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self { listener, reserve: reserve(), wait: BACK_OFF[0], said: false }
    }

    /// The next visitor. None: none could be let in, and a while has gone by. `say` is told once what is wrong.
    pub(super) fn answer(&mut self, say: impl FnOnce(&str)) -> Option<TcpStream> {
        match self.listener.accept() {
            Ok((stream, _)) => {
                (self.wait, self.said) = (BACK_OFF[0], false);
                Some(stream)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.said, true) {
                    say(&format!("no visitor can be let in: {error}"));
                }
                if is_out_of_descriptors(&error) {
                    self.turn_one_away();
                }
                sleep(self.wait);
                self.wait = (self.wait * 2).min(BACK_OFF[1]);
                None
            }
        }
    }

    /// Gives the reserve to one visitor, who is told why no more can be had.
    fn turn_one_away(&mut self) {
        if self.reserve.take().is_some()
            && let Ok((stream, _)) = self.listener.accept()
            && let Ok(tcp) = Tcp::over(stream)
        {
            Framed::new(Box::new(tcp), Vigil::patient()).give_up(TOO_FEW);
        }
        self.reserve = reserve();
    }
}

fn reserve() -> Option<File> {
    File::open("/dev/null").ok()
}

/// EMFILE or ENFILE, which std has no names for.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}
