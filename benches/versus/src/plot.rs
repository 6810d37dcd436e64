//! Plots as SVG. The colors in them are placeholders for roles, such as `#A00005` for ours; the
//! style sheet of the page replaces each by a color for the light or the dark scheme.

use crate::html::escape;
use crate::summary::{Comparison, number};
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

// The roles that page.css knows: `role(n)` is `#A0000n` there.
const INK: RGBColor = role(1);
const GRID: RGBColor = role(2);
const FAINT: RGBColor = role(3);
const PEER: RGBColor = role(4);
const OURS: RGBColor = role(5);
/// The most series in a plot with lines: page.css has this many colors for them.
pub const MAX_SERIES: usize = 8;

const fn role(n: u8) -> RGBColor {
    RGBColor(0xA0, 0, n)
}

/// The role of series `n`.
const fn line(n: usize) -> RGBColor {
    role(0x10 + n as u8)
}

/// Pixels: two plots fit side by side on a screen of 1200, and one fits a phone when scaled down a
/// little.
const WIDTH: u32 = 560;
/// In units of plotters; 20 of them are about 16 pixels.
const FONT: u32 = 20;

fn text(size: u32, color: RGBColor, h: HPos, v: VPos) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&color).pos(Pos::new(h, v))
}

/// Replaces the fixed size of `svg` by a view box, so that it scales to the width of its column;
/// adds the title for screen readers.
fn scalable(svg: String, title: &str) -> String {
    let start = svg.find("<svg").unwrap_or(0);
    let height =
        svg.split("height=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("300");
    let body = svg[start..].split_once('>').map_or("", |(_, body)| body);
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">{body}",
        escape(title)
    )
}

/// A label for an axis: `number` without trailing zeros.
fn short(value: f64) -> String {
    let text = number(value);
    let digits = text.trim_end_matches(['k', 'M']);
    let unit = &text[digits.len()..];
    match digits.contains('.') {
        true => format!("{}{unit}", digits.trim_end_matches('0').trim_end_matches('.')),
        false => text,
    }
}

/// Ticks between `low` and `high` at 1, 2, 5, 10, …; only powers of ten if the range spans more
/// than a factor of 300.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let steps: &[f64] = if high / low > 300.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let all = powers.flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
    all.filter(|tick| (low..high).contains(tick)).collect()
}

/// A bar for each contestant: its median, with whiskers from minimum to maximum.
pub fn bars(comparison: &Comparison) -> String {
    let values = || comparison.rows.iter().filter_map(|row| row.main.as_ref());
    let most = values().map(|spread| spread.max).fold(0.0, f64::max);
    let least = values().map(|spread| spread.min).fold(f64::INFINITY, f64::min);
    if !(most > 0.0 && least.is_finite()) {
        return String::new();
    }
    // Latencies of contestants differ by up to a factor of thousands: logarithmic from a factor of
    // 20.
    if !comparison.metric.more_is_better() && least > 0.0 && most / least > 20.0 {
        let start = least / 3.0;
        bars_on((start..most * 1.5).log_scale(), start, comparison)
    } else {
        bars_on(0.0..most * 1.08, 0.0, comparison)
    }
}

fn bars_on<X>(axis: X, start: f64, comparison: &Comparison) -> String
where
    X: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
{
    let rows: Vec<_> =
        comparison.rows.iter().filter_map(|row| Some((row, row.main.as_ref()?))).collect();
    let height = 50 * rows.len() as u32 + 44;
    let mut svg = String::new();
    let draw = || -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_left(6)
            .margin_right(28)
            .margin_top(2)
            .x_label_area_size(38)
            .build_cartesian_2d(axis, rows.len() as f64..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_labels(6)
            .x_label_formatter(&|value| short(*value))
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(GRID)
            .label_style(text(FONT - 1, FAINT, HPos::Left, VPos::Top))
            .draw()?;
        for (i, (row, spread)) in rows.iter().enumerate() {
            let top = i as f64;
            let color = if row.contestant.ours { OURS } else { PEER };
            let (upper, middle, lower) = (top + 0.46, top + 0.65, top + 0.84);
            let bar = Rectangle::new([(start, upper), (spread.median, lower)], color.filled());
            let thin = INK.stroke_width(1);
            let ends = [spread.min.max(start), spread.max];
            chart.draw_series([bar])?;
            chart.draw_series([PathElement::new(ends.map(|end| (end, middle)), thin)])?;
            chart.draw_series(
                ends.map(|end| PathElement::new([(end, middle - 0.1), (end, middle + 0.1)], thin)),
            )?;
            let label = |color| text(FONT, color, HPos::Left, VPos::Center);
            let name = format!("{} ({})", row.contestant.name, row.contestant.language);
            let at = chart.backend_coord(&(start, top + 0.24));
            root.draw(&Text::new(name, (at.0 + 2, at.1), label(INK)))?;
            let right = text(FONT, INK, HPos::Right, VPos::Center);
            let edge = WIDTH as i32 - 10;
            root.draw(&Text::new(number(spread.median), (edge, at.1), right))?;
        }
        root.present()?;
        Ok(())
    };
    let drawn = draw();
    match drawn {
        Ok(()) => {
            scalable(svg, &format!("{}, {}", comparison.case.title(), comparison.metric.unit()))
        }
        Err(e) => format!("<p>{}</p>", escape(&e.to_string())),
    }
}

/// A line in a plot: a value for each step of the axis, where there is one.
pub struct Series {
    pub name: String,
    pub points: Vec<Option<f64>>,
}

/// A line for each series over labeled steps, on a logarithmic scale.
pub fn lines(title: &str, steps: &[String], series: &[Series]) -> String {
    let values =
        || series.iter().flat_map(|one| &one.points).flatten().filter(|value| **value > 0.0);
    let most = values().copied().fold(0.0, f64::max);
    let least = values().copied().fold(f64::INFINITY, f64::min);
    if !(most > 0.0 && least.is_finite()) {
        return String::new();
    }
    let mut svg = String::new();
    let mut draw = || -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, 320)).into_drawing_area();
        let x: std::ops::Range<f64> = -0.15..steps.len() as f64 - 0.85;
        let mut chart = ChartBuilder::on(&root)
            .margin_top(8)
            .margin_right(16)
            .y_label_area_size(58)
            .x_label_area_size(34)
            .build_cartesian_2d(x, (least / 1.3..most * 1.3).log_scale())?;
        chart
            .configure_mesh()
            .disable_mesh()
            .x_labels(0)
            .y_label_formatter(&|_| String::new())
            .axis_style(GRID)
            .draw()?;
        let ends = [-0.15, steps.len() as f64 - 0.85];
        for tick in ticks(least / 1.3, most * 1.3) {
            chart.draw_series([PathElement::new(ends.map(|x| (x, tick)), GRID)])?;
            let at = chart.backend_coord(&(ends[0], tick));
            let style = text(FONT - 1, FAINT, HPos::Right, VPos::Center);
            root.draw(&Text::new(short(tick), (at.0 - 8, at.1), style))?;
        }
        for (i, step) in steps.iter().enumerate() {
            let at = chart.backend_coord(&(i as f64, least / 1.3));
            let style = text(FONT - 1, FAINT, HPos::Center, VPos::Top);
            root.draw(&Text::new(step.clone(), (at.0, at.1 + 8), style))?;
        }
        // In reverse, so that ours is drawn last, on top.
        for (n, one) in series.iter().enumerate().rev() {
            let points = one.points.iter().enumerate();
            let points: Vec<_> =
                points.filter_map(|(i, value)| Some((i as f64, (*value)?))).collect();
            let style = line(n).stroke_width(if n == 0 { 4 } else { 2 });
            chart.draw_series([PathElement::new(points.clone(), style)])?;
            chart.draw_series(points.iter().map(|at| Circle::new(*at, 4, line(n).filled())))?;
        }
        root.present()?;
        Ok(())
    };
    let drawn = draw();
    match drawn {
        Ok(()) => scalable(svg, title),
        Err(e) => format!("<p>{}</p>", escape(&e.to_string())),
    }
}
