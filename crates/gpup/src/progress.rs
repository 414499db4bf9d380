//! Progress on the terminal: a bar for each phase of a migration.

mod screen;

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use live_migration::converge::{FULL_SPEED, Iteration};
use live_migration::{Event, Observer};

use crate::tell::tell;
use crate::units::{Bytes, count, seconds};
use screen::Screen;

const PAGES: &str = "  {prefix:<14} {binary_bytes:>10} of {binary_total_bytes:<10} {binary_bytes_per_sec:>12} [{wide_bar}] {msg}";
const WAITING: &str = "  {prefix:<14} {spinner} {elapsed}  {msg}";
const TICK: Duration = Duration::from_millis(100);
/// Pictures a second at most.
const HERTZ: u8 = 20;

/// Shows what an agent tells: bars on a terminal, one line a step elsewhere, nothing when quiet.
pub(crate) struct Progress {
    bar: ProgressBar,
    page_bytes: u64,
    lines: bool,
}

impl Progress {
    /// Of a VF whose pages have so many bytes.
    pub(crate) fn new(page_bytes: u64, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = match terminal && !quiet {
            true => ProgressDrawTarget::term_like_with_hz(Box::new(Screen::default()), HERTZ),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style(WAITING));
        Self { bar, page_bytes, lines: !quiet && !terminal }
    }

    /// A line that stays.
    fn line(&self, text: &str) {
        if self.lines {
            tell!("{text}");
        } else {
            self.bar.println(text);
        }
    }

    fn begin(&self, name: String, pages: Option<u64>) {
        self.bar.disable_steady_tick();
        self.bar.set_prefix(name);
        self.bar.reset();
        match pages {
            Some(pages) => self.bar.set_length(pages * self.page_bytes),
            None => self.bar.unset_length(),
        }
        self.bar.set_style(style(if pages.is_some() { PAGES } else { WAITING }));
        self.bar.enable_steady_tick(TICK);
    }

    fn iterated(&self, it: &Iteration) {
        let rate = (it.pages * self.page_bytes) as f64 / it.seconds.max(1e-9);
        self.line(&format!(
            "    {} ({} zero), {} on the wire in {}, {}/s",
            count(it.pages, "page"),
            it.zero_pages,
            Bytes(it.bytes),
            seconds(it.seconds),
            Bytes(rate as u64)
        ));
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ")
}

impl Observer for Progress {
    fn event(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Enter(phase) => {
                self.bar.set_message("");
                self.begin(phase.to_string(), None);
                if self.lines {
                    self.line(&format!("  {phase}"));
                }
            }
            Event::Iterate { number, pages } => self.begin(format!("iteration {number}"), Some(pages)),
            Event::Moved { pages } => {
                let bytes = pages * self.page_bytes;
                self.bar.set_position(bytes);
                if self.bar.length().is_none() {
                    self.bar.set_message(format!("{} of VRAM", Bytes(bytes)));
                }
            }
            Event::Iterated(it) => self.iterated(&it),
            Event::Estimate { remaining, pause } if pause.is_finite() => {
                let text = format!("pause now: {}", seconds(pause));
                self.bar.set_message(format!("pause {}", seconds(pause)));
                self.line(&format!("    {} dirty, {text}", count(remaining, "page")));
            }
            Event::Estimate { .. } => {}
            Event::Throttle(speed) if speed < FULL_SPEED => {
                let percent = f64::from(speed) / 10.0;
                self.line(&format!("    the guest's engine work is slowed to {percent:.0} %"));
            }
            Event::Throttle(_) | Event::Measured { .. } => {}
            Event::Resumed => {
                self.line("  the pause would have become too long: the guest runs on here");
            }
            Event::InDoubt => {
                self.line("  in doubt: the connection was cut while ownership passed; asking the target");
                self.bar.set_message("in doubt: asking the target");
            }
        }
        ControlFlow::Continue(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
