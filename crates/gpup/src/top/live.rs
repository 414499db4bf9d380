//! The live view on a terminal.

use std::io::stdout;
use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, enable_raw_mode};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Row as TableRow, Table};
use ratatui::{DefaultTerminal, Frame};

use super::lines::{COLUMNS, cells};
use super::sample::Row;
use super::scene::Scene;
use crate::args::Top;
use crate::exit::Failure;
use crate::interrupt;

/// How often keys are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How long the first sample may take.
const FIRST: Duration = Duration::from_millis(200);

/// What a key asks.
enum Key {
    Quit,
    Hold,
    Move,
}

/// Shows the hosts until somebody quits.
pub(super) fn show(args: &Top, scene: &mut Scene<'_>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Failed(format!("the terminal fails ({error}): try --once"));
    let shown = Screen::open().and_then(|mut screen| follow(args, scene, screen.terminal()));
    shown.map_err(failed)?
}

/// The terminal, given back when it goes. What of ratatui does the same prints where that fails, which ends the process
/// if the terminal has gone.
struct Screen(ManuallyDrop<DefaultTerminal>);

impl Screen {
    fn open() -> std::io::Result<Self> {
        enable_raw_mode()?;
        let opened = execute!(stdout(), EnterAlternateScreen)
            .and_then(|()| DefaultTerminal::new(CrosstermBackend::new(stdout())));
        if opened.is_err() {
            let _ = ratatui::try_restore();
        }
        Ok(Self(ManuallyDrop::new(opened?)))
    }

    fn terminal(&mut self) -> &mut DefaultTerminal {
        &mut self.0
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.0.show_cursor();
        let _ = ratatui::try_restore();
    }
}

fn follow(
    args: &Top,
    scene: &mut Scene<'_>,
    terminal: &mut DefaultTerminal,
) -> std::io::Result<Result<(), Failure>> {
    let began = Instant::now();
    // The first picture soon, but not of an instant.
    let mut next = began + args.interval.0.min(FIRST);
    let mut held = false;
    let mut rows = Vec::new();
    while !interrupt::pressed() {
        if Instant::now() >= next {
            next = Instant::now() + args.interval.0;
            let (_, fresh) = scene.sample();
            if !held {
                rows = fresh;
            }
        }
        terminal.draw(|frame| draw(frame, scene, &rows, held))?;
        let due = args.move_after.is_some_and(|after| began.elapsed() >= after.0) && !scene.was_moved();
        match (key()?, due) {
            (Some(Key::Quit), _) => break,
            (Some(Key::Hold), _) => held = !held,
            (Some(Key::Move), _) | (None, true) => {
                if let Err(failure) = scene.start_move() {
                    return Ok(Err(failure));
                }
            }
            (None, false) => {}
        }
    }
    Ok(Ok(()))
}

/// The key that was pressed within a short while.
fn key() -> std::io::Result<Option<Key>> {
    if !event::poll(LOOK)? {
        return Ok(None);
    }
    let Event::Key(key) = event::read()? else { return Ok(None) };
    // In raw mode Ctrl-C is a key like others.
    let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    Ok(match key.code {
        _ if key.kind == KeyEventKind::Release => None,
        _ if control_c => Some(Key::Quit),
        KeyCode::Char('q') | KeyCode::Esc => Some(Key::Quit),
        KeyCode::Char('p') => Some(Key::Hold),
        KeyCode::Char('m') => Some(Key::Move),
        _ => None,
    })
}

fn draw(frame: &mut Frame<'_>, scene: &Scene<'_>, rows: &[Row], held: bool) {
    let [top, middle, bottom] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(3), Constraint::Length(1)])
            .areas(frame.area());
    let title = if held { " gpup top: held " } else { " gpup top " };
    frame.render_widget(Line::raw(scene.said()), top);
    frame.render_widget(table(scene, rows).block(Block::bordered().title(title)), middle);
    frame.render_widget(Line::raw("q quit   p hold   m move the VF").style(Modifier::DIM), bottom);
}

fn table(scene: &Scene<'_>, rows: &[Row]) -> Table<'static> {
    let style = |row: &Row| match row.phase {
        "brownout" => Style::new().fg(Color::Yellow),
        "blackout" | "arriving" => Style::new().fg(Color::Red),
        _ if !row.executes => Style::new().add_modifier(Modifier::DIM),
        _ => Style::new(),
    };
    let lines = rows.iter().map(|row| TableRow::new(cells(row, &scene.workload(row))).style(style(row)));
    let widths = COLUMNS.iter().map(|(_, width)| Constraint::Length(*width));
    let header = TableRow::new(COLUMNS.map(|(name, _)| name)).style(Modifier::BOLD);
    Table::new(lines, widths).header(header).column_spacing(2)
}
