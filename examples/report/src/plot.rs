//! The plots, each an SVG of the same size. Legends and captions are text of the page, which never
//! overlaps and wraps on a small screen.

pub mod timeline;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;
use std::ops::Range;

use crate::text;
use crate::text::{count, escape};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure<'a> = DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>;

/// A color on a light page and the color that replaces it on a dark page.
pub struct Ink {
    pub light: RGBColor,
    pub dark: RGBColor,
}

pub const TEXT: Ink = Ink { light: RGBColor(60, 64, 70), dark: RGBColor(196, 200, 206) };
pub const GRID: Ink = Ink { light: RGBColor(214, 217, 222), dark: RGBColor(62, 66, 73) };
pub const FIRST: Ink = Ink { light: RGBColor(0, 98, 163), dark: RGBColor(94, 178, 242) };
pub const SECOND: Ink = Ink { light: RGBColor(217, 119, 6), dark: RGBColor(245, 166, 66) };
pub const LIMIT: Ink = Ink { light: RGBColor(190, 38, 56), dark: RGBColor(255, 122, 130) };

pub const OTHER: Ink = Ink { light: RGBColor(21, 128, 61), dark: RGBColor(98, 200, 130) };

pub const INKS: [&Ink; 6] = [&TEXT, &GRID, &FIRST, &SECOND, &LIMIT, &OTHER];

pub fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

const SIZE: (u32, u32) = (440, 236);
/// Columns of a plot over time, about one for each pixel.
const COLUMNS: usize = 350;
/// The width of a bucket of a histogram, a fourth of an octave, as a decimal logarithm.
const BUCKET: f64 = 0.25 * std::f64::consts::LOG10_2;

/// An axis with ticks of its own: those of plotters do not suit logarithms and whole numbers.
#[derive(Clone)]
struct Axis {
    range: Range<f64>,
    ticks: Vec<f64>,
    name: &'static str,
    label: fn(f64) -> String,
}

impl Axis {
    /// From 0 to `end`.
    fn linear(end: f64, name: &'static str) -> Self {
        Self { range: 0.0..end, ticks: ticks(end, 7.0), name, label: number }
    }

    /// A vertical axis of counts, with some space above `most`.
    fn count(most: u64, name: &'static str) -> Self {
        let end = most.max(1) as f64 * 1.05;
        let ticks = ticks(end, 5.0).into_iter().filter(|tick| tick.fract() == 0.0);
        Self { range: 0.0..end, ticks: ticks.collect(), name, label: number }
    }

    /// Whole numbers from 0 to `last`, each with a column of its own and its label in the middle.
    fn places(last: f64, name: &'static str) -> Self {
        let mut ticks = ticks(last, 10.0);
        ticks.retain(|tick| tick.fract() == 0.0);
        Self { range: -0.5..last + 0.5, ticks, name, label: number }
    }

    /// A decimal logarithm, in whole decades around the histogram and `others`, which share its
    /// scale.
    fn decades(
        histogram: &[(u64, u64)],
        others: &[(u64, u64)],
        name: &'static str,
        label: fn(f64) -> String,
    ) -> Self {
        let logs = || histogram.iter().chain(others).map(|pair| (pair.0 as f64).log10());
        let first = logs().reduce(f64::min).map_or(0.0, |log| (log - BUCKET).floor());
        let last = logs().reduce(f64::max).map_or(1.0, |log| log.ceil().max(first + 1.0));
        let step = if last - first > 6.0 { 2 } else { 1 }; // else the labels do not fit
        let ticks = (first as i32..=last as i32).filter(|tick| tick % step == 0).map(f64::from);
        Self { range: first..last, ticks: ticks.collect(), name, label }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let part = (value - self.range.start) / (self.range.end - self.range.start);
        from + (part * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
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

/// Round numbers from 0 to `end`, about `about` of them.
fn ticks(end: f64, about: f64) -> Vec<f64> {
    if end <= 0.0 {
        return vec![0.0];
    }
    let rough = end / about;
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

/// The label for a decimal logarithm of nanoseconds.
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

/// A part of the horizontal axis and the text that appears above the plot while the pointer, or a
/// finger, is on it.
type Values = Vec<(Range<f64>, String)>;

/// A drawing with axes and grid; `content` draws into it.
fn draw<F>(x: &Axis, y: &Axis, values: Values, content: F) -> String
where
    F: for<'a> FnOnce(&mut Chart<'a>) -> Result<(), Failure<'a>>,
{
    draw_in(SIZE, x, y, values, content)
}

fn draw_in<F>(size: (u32, u32), x: &Axis, y: &Axis, values: Values, content: F) -> String
where
    F: for<'a> FnOnce(&mut Chart<'a>) -> Result<(), Failure<'a>>,
{
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    let mut above = String::new();
    let drawn = axes(&area, x, y).and_then(|mut chart| {
        content(&mut chart)?;
        let (columns, rows) = chart.plotting_area().get_pixel_range();
        let place = |value: f64| x.map(&value, (columns.start, columns.end));
        for (part, text) in values {
            let left = place(part.start).clamp(columns.start, columns.end);
            let width = place(part.end).clamp(columns.start, columns.end) - left;
            above += &format!(
                "<g class=\"value\" tabindex=\"-1\"><rect x=\"{left}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\
                 <text x=\"{}\" y=\"14\">{}</text></g>\n",
                rows.start,
                width.max(1),
                rows.end - rows.start,
                size.0 - 8,
                escape(&text)
            );
        }
        Ok(())
    });
    drawn.expect("drawn into memory"); // writing to a string cannot fail
    drop(area);
    let end = svg.rfind("</svg>").expect("plotters closes what it draws");
    svg.insert_str(end, &above);
    svg
}

type Chart<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<Axis, Axis>>;

fn axes<'a>(area: &Area<'a>, x: &Axis, y: &Axis) -> Result<Chart<'a>, Failure<'a>> {
    let mut chart = ChartBuilder::on(area)
        .margin_top(26)
        .margin_right(30)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(GRID.light)
        .axis_style(TEXT.light)
        .label_style(text(15))
        .axis_desc_style(text(15))
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

/// Whether the plot shows the capacity as a line: if some sample is at least a fourth of it.
pub fn shows_capacity(items: &[u64], capacity: u64) -> bool {
    items.iter().any(|&items| items >= capacity / 4)
}

/// The number of items in a stage over time, with a line for the capacity if it is close.
pub fn depth(t_ms: &[f64], items: &[u64], capacity: u64) -> String {
    let with_capacity = shows_capacity(items, capacity);
    let most = items.iter().copied().max().unwrap_or(0);
    let x = Axis::linear((t_ms[t_ms.len() - 1] / 1e3).max(1e-6), "time, s");
    let y = Axis::count(if with_capacity { capacity.max(most) } else { most }, "items");
    let points = columns(t_ms, items, x.range.end);
    let values = parts(&points, x.range.end);
    draw(&x, &y, values, |chart| {
        let area = AreaSeries::new(points, 0.0, FIRST.light.mix(0.25));
        chart.draw_series(area.border_style(FIRST.light.stroke_width(1)))?;
        if with_capacity {
            let capacity = capacity as f64;
            chart.draw_series([line([(0.0, capacity), (x.range.end, capacity)], &LIMIT)])?;
        }
        Ok(())
    })
}

/// The largest number of items in each of at most 70 parts of the time.
fn parts(points: &[(f64, f64)], end: f64) -> Values {
    let parts: Vec<_> = points.chunks(points.len().div_ceil(70).max(1)).collect();
    let begin = |part: &&[(f64, f64)]| (part[0].0 - 0.5 / COLUMNS as f64 * end).max(0.0);
    let mut values = Values::new();
    for (i, part) in parts.iter().enumerate() {
        let most = part.iter().map(|point| point.1).fold(0.0, f64::max);
        let text =
            format!("at {:.3} s: at most {}", begin(part), count(most as u64, "item", "items"));
        values.push((begin(part)..parts.get(i + 1).map_or(end, begin), text));
    }
    values
}

/// The upper end of the octave of a bucket, as a decimal logarithm of nanoseconds. The first octave
/// ends at 1 µs.
fn octave_of(upper: u64) -> f64 {
    3.0 + ((upper as f64 / 1e3).log2() - 0.01).ceil() * 4.0 * BUCKET
}

/// The largest sample in each column of the plot, so that every peak is visible.
fn columns(t_ms: &[f64], items: &[u64], end: f64) -> Vec<(f64, f64)> {
    let mut most = vec![None; COLUMNS];
    for (t, &items) in t_ms.iter().zip(items) {
        let column = (t / 1e3 / end * COLUMNS as f64) as usize;
        let most = &mut most[column.min(COLUMNS - 1)];
        *most = (*most).max(Some(items));
    }
    let place = |i: usize| (i as f64 + 0.5) / COLUMNS as f64 * end;
    most.into_iter().enumerate().filter_map(|(i, items)| Some((place(i), items? as f64))).collect()
}

/// The share of requests in each octave of time as bars, and their sum up to each bucket as a line;
/// of the other kind of run, if there is one, only that line.
pub fn times(histogram: &[(u64, u64)], other: Option<&[(u64, u64)]>, all: &[(u64, u64)]) -> String {
    let total = total_of(histogram);
    let x = Axis::decades(histogram, all, "time taken (logarithmic)", duration);
    let y = Axis { label: percent, ..Axis::linear(100.0, "share of requests") };
    let (mut bars, mut values, mut sum) = (Vec::new(), Values::new(), 0.0);
    for octave in histogram.chunk_by(|a, b| octave_of(a.0) == octave_of(b.0)) {
        let share = octave.iter().map(|pair| pair.1 as f64).sum::<f64>() / total * 100.0;
        let upper = octave_of(octave[0].0);
        let lower = upper - 4.0 * BUCKET;
        sum += share;
        bars.push(((lower, 0.0), (upper, share)));
        let [from, to] = [lower, upper].map(|log| text::duration(10f64.powf(log).round() as u64));
        values
            .push((lower..upper, format!("{from} to {to}: {share:.1} %; up to {to}: {sum:.1} %")));
    }
    draw(&x, &y, values, |chart| {
        chart.draw_series(bars.into_iter().map(|(from, to)| bar(from, to, &FIRST)))?;
        for (histogram, ink) in
            other.map(|other| (other, &OTHER)).into_iter().chain([(histogram, &SECOND)])
        {
            let path = cumulative(histogram, &x.range);
            chart.draw_series(LineSeries::new(path, ink.light.stroke_width(2)))?;
        }
        Ok(())
    })
}

fn total_of(histogram: &[(u64, u64)]) -> f64 {
    histogram.iter().map(|pair| pair.1 as f64).sum::<f64>().max(1.0)
}

fn cumulative(histogram: &[(u64, u64)], range: &Range<f64>) -> Vec<(f64, f64)> {
    let total = total_of(histogram);
    let mut path = vec![(range.start, 0.0)];
    let mut sum = 0.0;
    for &(upper, count) in histogram {
        let upper = (upper as f64).log10();
        path.push((upper - BUCKET, sum));
        sum += count as f64 / total * 100.0;
        path.push((upper, sum));
    }
    path.push((range.end, sum));
    path
}

/// The number of batches of each size.
pub fn sizes(sizes: &[(u64, u64)], limit: u64) -> String {
    let last = sizes.last().map_or(limit, |pair| pair.0.max(limit)) as f64;
    let mut x = Axis::places(last, "requests in a batch");
    x.range.start = 0.5;
    x.ticks.retain(|tick| *tick > 0.0);
    let most = sizes.iter().map(|pair| pair.1).max().unwrap_or(0);
    let value = |&(size, batches): &(u64, u64)| {
        let [size_is, batches_are] =
            [count(size, "request", "requests"), count(batches, "batch", "batches")];
        (size as f64 - 0.5..size as f64 + 0.5, format!("{size_is}: {batches_are}"))
    };
    draw(&x, &Axis::count(most, "batches"), sizes.iter().map(value).collect(), |chart| {
        chart.draw_series(sizes.iter().map(|&(size, count)| {
            let size = size as f64;
            bar((size - 0.4, 0.0), (size + 0.4, count as f64), &FIRST)
        }))?;
        Ok(())
    })
}

/// The number of batches in each bucket of tokens, with a line at the number that makes a batch
/// due.
pub fn tokens(histogram: &[(u64, u64)], limit: u64) -> String {
    let x = Axis::decades(histogram, &[], "tokens in a batch", power);
    let most = histogram.iter().map(|pair| pair.1).max().unwrap_or(0);
    let y = Axis::count(most, "batches");
    let limit = (limit as f64).log10();
    let value = |&(upper, batches): &(u64, u64)| {
        let (log, batches) = ((upper as f64).log10(), count(batches, "batch", "batches"));
        let lower = 10f64.powf(log - BUCKET).round() as u64;
        (log - BUCKET..log, format!("{lower} to {upper} tokens: {batches}"))
    };
    draw(&x, &y, histogram.iter().map(value).collect(), |chart| {
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

/// The requests that each worker served: from its own batches, and stacked on them those that it
/// stole.
pub fn workers(workers: &[crate::run::Worker]) -> String {
    let most = workers.iter().map(|worker| worker.served).max().unwrap_or(0);
    let x = Axis::places(workers.len() as f64 - 1.0, "worker");
    let value = |(i, worker): (usize, &crate::run::Worker)| {
        let text = format!(
            "worker {i}: {}, {} of them stolen",
            count(worker.served, "request", "requests"),
            worker.stolen
        );
        (i as f64 - 0.5..i as f64 + 0.5, text)
    };
    let values = workers.iter().enumerate().map(value).collect();
    draw(&x, &Axis::count(most, "requests"), values, |chart| {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(10.0, 5.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(0.0, 5.0), [0.0]);
        for end in [1e-6, 0.3, 1.0, 7.7, 256.0, 99_999.0, u64::MAX as f64] {
            let ticks = ticks(end, 5.0);
            assert!((3..=6).contains(&ticks.len()) && ticks.is_sorted(), "{end}: {ticks:?}");
        }
    }

    #[test]
    fn counts_are_whole() {
        for most in [0, 1, 2, 3, 10, 1_000_000] {
            let axis = Axis::count(most, "");
            assert!(axis.range.end > most as f64, "{most}");
            assert!(axis.ticks.iter().all(|tick| tick.fract() == 0.0), "{:?}", axis.ticks);
            assert!(axis.ticks.len() > 1, "{most}");
        }
    }

    #[test]
    fn labels_have_units() {
        let labels = [2.0, 3.0, 5.0, 6.0, 8.0, 9.0, 11.0].map(duration);
        assert_eq!(labels, ["100 ns", "1 µs", "100 µs", "1 ms", "100 ms", "1 s", "100 s"]);
        assert_eq!([0.1 + 0.2, 2000.0, 12_000.0, 2e6].map(number), ["0.3", "2000", "12 k", "2 M"]);
    }

    /// A bucket belongs to the octave that contains its upper bound.
    #[test]
    fn octaves_begin_at_a_microsecond() {
        assert_eq!(octave_of(1000), 3.0);
        for upper in [1189, 1414, 1681, 2000] {
            assert!((octave_of(upper) - 2000f64.log10()).abs() < 1e-9, "{upper}");
        }
        assert!(octave_of(2378) > octave_of(2000));
    }

    /// With more samples than columns a single high sample is still shown.
    #[test]
    fn no_peak_is_lost() {
        let times: Vec<f64> = (0..100_000).map(f64::from).collect();
        let mut items = vec![1; times.len()];
        items[77_777] = 50;
        let points = columns(&times, &items, 100.0);
        let peaks: Vec<_> = points.iter().filter(|point| point.1 == 50.0).collect();
        assert!(points.len() == COLUMNS && peaks.len() == 1, "{points:?}");
        assert!((peaks[0].0 - 77.777).abs() < 0.5, "{peaks:?}");
    }
}
