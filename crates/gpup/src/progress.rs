//! Progress on the terminal: a bar for each phase of a migration.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::Duration;

use dxgksim::agent::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::units::{Bytes, seconds};

/// Shows what the source's agent tells.
pub struct Progress {
    bar: ProgressBar,
    page_bytes: u64,
    phase: String,
    estimate: String,
    show: bool,
}

impl Progress {
    /// Bars on a terminal, one line a phase elsewhere, nothing when quiet.
    pub fn new(page_bytes: u64, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if quiet || !terminal { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style());
        Self { bar, page_bytes, phase: String::new(), estimate: String::new(), show: !quiet && !terminal }
    }

    fn line(&self, text: &str) {
        if self.show {
            eprintln!("{text}");
        } else {
            self.bar.println(text);
        }
    }

    fn redraw(&self) {
        self.bar.set_message(format!("{} {}", self.phase, self.estimate));
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Observer for Progress {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Enter(phase) => {
                self.phase = phase.to_string();
                self.estimate.clear();
                self.bar.enable_steady_tick(Duration::from_millis(100));
                self.line(&format!("  {phase}"));
            }
            Event::Iterate { number, pages } => {
                let bytes = Bytes(pages * self.page_bytes);
                self.phase = format!("iteration {number}: {pages} pages, {bytes}");
            }
            Event::Iterated(it) => {
                let rate = (it.pages * self.page_bytes) as f64 / it.seconds.max(1e-9);
                self.line(&format!(
                    "    {} pages ({} zero), {} on the wire in {}, {}/s",
                    it.pages,
                    it.zero_pages,
                    Bytes(it.bytes),
                    seconds(it.seconds),
                    Bytes(rate as u64)
                ));
            }
            Event::Estimate { remaining, pause } => {
                self.estimate = format!("({remaining} pages dirty, pause now: {})", seconds(pause));
                self.line(&format!("    {}", self.estimate));
            }
            Event::Throttle(speed) if speed < dxgksim::agent::converge::FULL_SPEED => {
                self.line(&format!("    the guest's engine work is slowed to {:.0} %", f64::from(speed) / 10.0));
            }
            Event::Throttle(_) => {}
            Event::InDoubt => self.line("  in doubt: the connection was cut while ownership passed; asking the target"),
        }
        self.redraw();
        ControlFlow::Continue(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
