//! Shares over time: as text, and as SVG.

use std::fmt::Write as _;

use plotters::prelude::*;
use textplots::{Chart, LabelBuilder, LabelFormat, Plot, Shape};

use super::record::{COLUMNS, Record};
use super::scenario::Scenario;
use crate::units::count;

/// A line of a plot: parts of the engine, by column.
pub(super) struct Line {
    name: String,
    parts: Vec<f64>,
    in_text: bool,
    in_picture: bool,
}

/// Neighbours that have a line each in the picture; more are drawn together.
const LINES: usize = 8;

/// The lines of a run: the neighbours, the migrating VFs' guests, paging.
pub(super) fn lines(scenario: &Scenario, record: &Record) -> Vec<Line> {
    let migrates = |vf: usize| scenario.migrations.iter().any(|migration| migration.vf as usize == vf);
    let vfs = record.guests[0].len();
    let neighbours: Vec<usize> = (0..vfs).filter(|vf| !migrates(*vf)).collect();
    let sum = |of: &[usize]| -> Vec<u64> {
        record.guests.iter().map(|guests| of.iter().map(|vf| guests[*vf]).sum()).collect()
    };
    let column = scenario.length.0 as f64 / COLUMNS as f64;
    let line = |name: String, ticks: Vec<u64>, in_text, in_picture| Line {
        name,
        parts: ticks.into_iter().map(|ticks| ticks as f64 / column).collect(),
        in_text,
        in_picture,
    };
    let each = neighbours.len() <= LINES;
    let mut lines = Vec::new();
    if !neighbours.is_empty() {
        let thing = if scenario.migrations.is_empty() { "VF" } else { "neighbour" };
        let name = format!("{} together", count(neighbours.len() as u64, thing));
        lines.push(line(name, sum(&neighbours), true, !each));
    }
    if each {
        lines.extend(neighbours.iter().map(|vf| line(format!("VF {vf}"), sum(&[*vf]), false, true)));
    }
    let moving = (0..vfs).filter(|vf| migrates(*vf));
    lines.extend(moving.map(|vf| line(format!("VF {vf}, which migrates"), sum(&[vf]), true, true)));
    if !scenario.migrations.is_empty() {
        lines.push(line("paging".into(), record.paging.clone(), true, true));
    }
    lines
}

/// The lines that say the most, one under the other.
pub(super) fn text(scenario: &Scenario, lines: &[Line]) -> String {
    let seconds = scenario.length.0 as f32 / 1e9;
    let mut text = String::new();
    for line in lines.iter().filter(|line| line.in_text) {
        let points: Vec<(f32, f32)> = (0..)
            .zip(&line.parts)
            .map(|(column, part)| ((column as f32 + 0.5) / COLUMNS as f32 * seconds, *part as f32 * 100.0))
            .collect();
        let top = points.iter().map(|point| point.1).fold(1.0, f32::max) * 1.1;
        let shape = Shape::Lines(&points);
        let mut chart = Chart::new_with_y_range(COLUMNS as u32, 20, 0.0, seconds, 0.0, top);
        let chart = chart
            .x_label_format(LabelFormat::Custom(Box::new(|x| format!("{x:.0} s"))))
            .y_label_format(LabelFormat::Custom(Box::new(|y| format!("{y:.1} %"))))
            .lineplot(&shape);
        chart.axis();
        chart.figures();
        let _ = writeln!(text, "{}, part of the engine\n{chart}", line.name);
    }
    text
}

/// All lines in one picture.
pub(super) fn svg(scenario: &Scenario, record: &Record, lines: &[Line]) -> anyhow::Result<String> {
    let mut picture = String::new();
    let drawn = draw(scenario, record, lines, &mut picture);
    drawn.map_err(|error| anyhow::anyhow!("the picture cannot be drawn: {error}"))?;
    Ok(picture)
}

fn draw(
    scenario: &Scenario,
    record: &Record,
    lines: &[Line],
    picture: &mut String,
) -> Result<(), Box<dyn std::error::Error>> {
    let seconds = scenario.length.0 as f64 / 1e9;
    let lines: Vec<&Line> = lines.iter().filter(|line| line.in_picture).collect();
    let top = lines.iter().flat_map(|line| &line.parts).copied().fold(0.01, f64::max) * 110.0;
    let root = SVGBackend::with_string(picture, (960, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(&scenario.about, ("sans-serif", 16))
        .margin(10)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..seconds, 0.0..top)?;
    chart
        .configure_mesh()
        .x_desc("virtual time, seconds")
        .y_desc("part of the engine, %")
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.1))
        .draw()?;
    for window in &record.windows {
        let at = window.window.from as f64 / 1e9;
        chart.draw_series([PathElement::new([(at, 0.0), (at, top)], BLACK.mix(0.3))])?;
        let name =
            Text::new(window.window.name.clone(), (at + seconds * 0.005, top * 0.985), ("sans-serif", 12));
        chart.draw_series([name])?;
    }
    for (index, line) in lines.iter().enumerate() {
        let style = Palette99::pick(index).stroke_width(2);
        let points = line
            .parts
            .iter()
            .enumerate()
            .map(|(column, part)| ((column as f64 + 0.5) / COLUMNS as f64 * seconds, part * 100.0));
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(&line.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::MiddleLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.2))
        .label_font(("sans-serif", 12))
        .draw()?;
    root.present()?;
    Ok(())
}
