//! The plots, each a small SVG of the same size. Legends and captions are the page's: in text they
//! never overlap, and wrap on a small screen.

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use std::ops::Range;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

/// A colour on a light page, and what the page's style makes of it on a dark one.
pub struct Ink {
    pub light: RGBColor,
    pub dark: RGBColor,
}

pub const TEXT: Ink = Ink { light: RGBColor(60, 64, 70), dark: RGBColor(196, 200, 206) };
pub const GRID: Ink = Ink { light: RGBColor(214, 217, 222), dark: RGBColor(62, 66, 73) };
pub const FIRST: Ink = Ink { light: RGBColor(0, 98, 163), dark: RGBColor(94, 178, 242) };
pub const SECOND: Ink = Ink { light: RGBColor(217, 119, 6), dark: RGBColor(245, 166, 66) };
pub const LIMIT: Ink = Ink { light: RGBColor(190, 38, 56), dark: RGBColor(255, 122, 130) };

pub const INKS: [&Ink; 5] = [&TEXT, &GRID, &FIRST, &SECOND, &LIMIT];

pub fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

const SIZE: (u32, u32) = (520, 250);
/// About one a pixel.
const COLUMNS: usize = 440;
/// Each bucket of a histogram spans a fourth of an octave.
const BUCKET: f64 = 0.25 * std::f64::consts::LOG10_2;

/// What an axis shows. plotters' own axes choose ticks where a log scale or whole numbers want none.
#[derive(Clone)]
struct Axis {
    range: Range<f64>,
    ticks: Vec<f64>,
    name: &'static str,
    label: fn(f64) -> String,
}

impl Axis {
    /// From 0 to a number a bit above `max`.
    fn linear(max: f64, name: &'static str) -> Self {
        let end = if max > 0.0 { max * 1.05 } else { 1.0 };
        Self { range: 0.0..end, ticks: ticks(end), name, label: number }
    }

    /// Whole things with a place of their own each, named in the middle of it.
    fn places(last: f64, name: &'static str) -> Self {
        let mut ticks = ticks(last);
        ticks.retain(|tick| tick.fract() == 0.0);
        Self { range: -0.5..last + 0.5, ticks, name, label: number }
    }

    /// Of logarithms: whole decades around the histogram.
    fn decades(histogram: &[(u64, u64)], name: &'static str, label: fn(f64) -> String) -> Self {
        let log = |pair: Option<&(u64, u64)>| pair.map_or(1.0, |pair| (pair.0 as f64).log10());
        let first = (log(histogram.first()) - BUCKET).floor();
        let last = log(histogram.last()).ceil().max(first + 1.0);
        let ticks = (first as i32..=last as i32).map(f64::from).collect();
        Self { range: first..last, ticks, name, label }
    }

    fn spans(mut self, other: &Self) -> Self {
        self.range = self.range.start.min(other.range.start)..self.range.end.max(other.range.end);
        self.ticks = (self.range.start as i32..=self.range.end as i32).map(f64::from).collect();
        self
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let part = (value - self.range.start) / (self.range.end - self.range.start);
        from + (part * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        number(*value)
    }
}

/// About five round numbers from 0 to `end`.
fn ticks(end: f64) -> Vec<f64> {
    let rough = end / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * power);
    let step = step.into_iter().find(|step| *step >= rough).unwrap_or(rough);
    (0..).map(|i| f64::from(i) * step).take_while(|tick| *tick <= end).collect()
}

fn number(value: f64) -> String {
    match value {
        v if v >= 1e9 => format!("{} G", v / 1e9),
        v if v >= 1e6 => format!("{} M", v / 1e6),
        v if v >= 1e4 => format!("{} k", v / 1e3),
        v => format!("{}", (v * 1e6).round() / 1e6),
    }
}

fn power(log: f64) -> String {
    number(10f64.powf(log).round())
}

/// Of a logarithm of nanoseconds.
fn duration(log: f64) -> String {
    let (unit, name) = match log {
        l if l < 3.0 => (0.0, "ns"),
        l if l < 6.0 => (3.0, "µs"),
        l if l < 9.0 => (6.0, "ms"),
        _ => (9.0, "s"),
    };
    format!("{} {name}", number(10f64.powf(log - unit).round()))
}

fn percent(value: f64) -> String {
    format!("{value:.0} %")
}

fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&TEXT.light)
}

/// A drawing with axes and grid; `content` draws into it.
fn draw<F>(x: &Axis, y: &Axis, content: F) -> String
where
    F: for<'a> FnOnce(&mut Chart<'a>) -> Result<(), Failure<'a>>,
{
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    // Into a string, where nothing can fail.
    axes(&area, x, y).and_then(|mut chart| content(&mut chart)).expect("drawn into memory");
    drop(area);
    svg
}

type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>;

fn axes<'a>(area: &Area<'a>, x: &Axis, y: &Axis) -> Result<Chart<'a>, Failure<'a>> {
    let mut chart = ChartBuilder::on(area)
        .margin_top(10)
        .margin_right(18)
        .x_label_area_size(46)
        .y_label_area_size(62)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID.light)
        .axis_style(TEXT.light)
        .label_style(text(16))
        .axis_desc_style(text(16))
        .x_desc(x.name)
        .y_desc(y.name)
        .x_label_formatter(&|value| (x.label)(*value))
        .y_label_formatter(&|value| (y.label)(*value))
        .draw()?;
    Ok(chart)
}

fn bar(from: (f64, f64), to: (f64, f64), ink: &Ink) -> Rectangle<(f64, f64)> {
    Rectangle::new([from, to], ink.light.filled())
}

fn line(points: [(f64, f64); 2], ink: &Ink) -> PathElement<(f64, f64)> {
    PathElement::new(points, ink.light.stroke_width(2))
}

/// How many items were in a stage over time, and how many fit if that comes near.
pub fn depth(t_ms: &[f64], items: &[u64], capacity: u64) -> String {
    let most = items.iter().copied().max().unwrap_or(0);
    let near = most >= capacity / 4;
    let end = t_ms[t_ms.len() - 1] / 1e3;
    let x = Axis { range: 0.0..end.max(1e-6), ..Axis::linear(end.max(1e-6) / 1.05, "time, s") };
    let y = Axis::linear((if near { capacity } else { most }).max(1) as f64, "items");

    // The most in each column, so that no peak is lost.
    let mut columns = vec![None; COLUMNS];
    for (t, &items) in t_ms.iter().zip(items) {
        let column = (t / 1e3 / x.range.end * COLUMNS as f64) as usize;
        let most = &mut columns[column.min(COLUMNS - 1)];
        *most = (*most).max(Some(items));
    }
    let points = columns.into_iter().enumerate().filter_map(|(i, items)| {
        let middle = (i as f64 + 0.5) / COLUMNS as f64 * x.range.end;
        Some((middle, items? as f64))
    });
    draw(&x, &y, |chart| {
        let area = AreaSeries::new(points, 0.0, FIRST.light.mix(0.25));
        chart.draw_series(area.border_style(FIRST.light.stroke_width(1)))?;
        if near {
            let capacity = capacity as f64;
            chart.draw_series([line([(0.0, capacity), (x.range.end, capacity)], &LIMIT)])?;
        }
        Ok(())
    })
}

/// What part of the requests took how long: of each bucket, and up to there.
pub fn times(histogram: &[(u64, u64)], all: &[(u64, u64)]) -> String {
    let total = histogram.iter().map(|pair| pair.1).sum::<u64>().max(1) as f64;
    let x = Axis::decades(histogram, "time", duration).spans(&Axis::decades(all, "", duration));
    let y = Axis { label: percent, ..Axis::linear(100.0, "requests") };
    draw(&x, &y, |chart| {
        chart.draw_series(histogram.iter().map(|&(upper, count)| {
            let upper = (upper as f64).log10();
            bar((upper - BUCKET, 0.0), (upper, count as f64 / total * 100.0), &FIRST)
        }))?;
        let mut path = vec![(x.range.start, 0.0)];
        let mut sum = 0.0;
        for &(upper, count) in histogram {
            let upper = (upper as f64).log10();
            path.push((upper - BUCKET, sum));
            sum += count as f64 / total * 100.0;
            path.push((upper, sum));
        }
        path.push((x.range.end, sum));
        chart.draw_series(LineSeries::new(path, SECOND.light.stroke_width(2)))?;
        Ok(())
    })
}

/// How many batches there were of each size.
pub fn sizes(sizes: &[(u64, u64)], limit: u64) -> String {
    let last = sizes.last().map_or(limit, |pair| pair.0.max(limit)) as f64;
    let mut x = Axis::places(last, "requests in a batch");
    x.range.start = 0.5;
    x.ticks.retain(|tick| *tick > 0.0);
    let most = sizes.iter().map(|pair| pair.1).max().unwrap_or(0);
    draw(&x, &Axis::linear(most as f64, "batches"), |chart| {
        chart.draw_series(sizes.iter().map(|&(size, count)| {
            let size = size as f64;
            bar((size - 0.4, 0.0), (size + 0.4, count as f64), &FIRST)
        }))?;
        Ok(())
    })
}

/// How many batches there were with so many tokens, and how many make a batch due.
pub fn tokens(histogram: &[(u64, u64)], limit: u64) -> String {
    let x = Axis::decades(histogram, "tokens in a batch", power);
    let most = histogram.iter().map(|pair| pair.1).max().unwrap_or(0);
    let y = Axis::linear(most as f64, "batches");
    let limit = (limit as f64).log10();
    draw(&x, &y, |chart| {
        chart.draw_series(histogram.iter().map(|&(upper, count)| {
            let upper = (upper as f64).log10();
            bar((upper - BUCKET, 0.0), (upper, count as f64), &FIRST)
        }))?;
        if x.range.contains(&limit) {
            chart.draw_series([line([(limit, 0.0), (limit, y.range.end)], &LIMIT)])?;
        }
        Ok(())
    })
}

/// What each worker served: of its own batches, and on top of that what it stole.
pub fn workers(workers: &[crate::run::Worker]) -> String {
    let most = workers.iter().map(|worker| worker.served).max().unwrap_or(0);
    let x = Axis::places(workers.len() as f64 - 1.0, "worker");
    draw(&x, &Axis::linear(most as f64, "requests"), |chart| {
        for (i, worker) in workers.iter().enumerate() {
            let (left, right) = (i as f64 - 0.4, i as f64 + 0.4);
            let own = worker.served.saturating_sub(worker.stolen) as f64;
            chart.draw_series([
                bar((left, 0.0), (right, own), &FIRST),
                bar((left, own), (right, worker.served as f64), &SECOND),
            ])?;
        }
        Ok(())
    })
}
