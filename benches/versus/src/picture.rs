//! A picture of a run: for each case a bar for ours and one for the best peer, as a plain SVG for a
//! README. Bars of a case are relative to the better one, so that cases of any unit fit together.

use crate::html::escape;
use crate::summary::{Comparison, Row, Summary, number};
use std::fmt::Write as _;

/// Units of the picture, which scales to the width of its place.
const WIDTH: usize = 830;
const CASE_HEIGHT: usize = 62;
const HEAD: usize = 40;
const FOOT: usize = 34;
/// Where bars begin, and the length of the longest.
const START: usize = 16;
const LONGEST: usize = 390;

/// Draws the cases of `summary` in which both ours and a peer have a measurement.
pub fn draw(summary: &Summary) -> String {
    let cases: Vec<_> = summary
        .comparisons
        .iter()
        .filter_map(|comparison| {
            Some((comparison, comparison.best(true)?, comparison.best(false)?))
        })
        .collect();
    let height = HEAD + CASE_HEIGHT * cases.len() + FOOT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"15\">\n\
         <title>Speed of the queues and of the best other library in each case</title>\n\
         <style>\n\
         text {{ fill: #222 }} .unit, .foot {{ fill: #666 }} .ours {{ fill: #1971c2 }} .peer {{ fill: #adb5bd }}\n\
         @media (prefers-color-scheme: dark) {{ text {{ fill: #ddd }} .unit, .foot {{ fill: #999 }} .ours {{ fill: \
         #4dabf7 }} .peer {{ fill: #5c636a }} }}\n\
         </style>\n\
         <rect class=\"ours\" x=\"{START}\" y=\"12\" width=\"14\" height=\"14\"/><text x=\"36\" y=\"24\">queues, from its fastest language</text>\n\
         <rect class=\"peer\" x=\"310\" y=\"12\" width=\"14\" height=\"14\"/><text x=\"330\" y=\"24\">the best other \
         library</text>\n"
    );
    for (i, (comparison, ours, peer)) in cases.iter().enumerate() {
        case(&mut svg, HEAD + i * CASE_HEIGHT, comparison, ours, peer);
    }
    let machine = &summary.run.machine;
    let foot = format!(
        "{}, {}",
        machine.processor,
        machine.date.split_whitespace().next().unwrap_or_default()
    );
    _ = writeln!(
        svg,
        "<text class=\"foot\" x=\"{START}\" y=\"{}\" font-size=\"13\">{}</text>\n</svg>",
        height - 12,
        escape(&foot)
    );
    svg
}

fn case(svg: &mut String, top: usize, comparison: &Comparison, ours: &Row, peer: &Row) {
    let speed = |row| {
        let median = comparison.median(row).unwrap_or_default();
        if comparison.metric.more_is_better() { median } else { 1.0 / median }
    };
    let best = speed(ours).max(speed(peer));
    _ = writeln!(
        svg,
        "<text x=\"{START}\" y=\"{}\">{} <tspan class=\"unit\" font-size=\"13\">{}</tspan></text>",
        top + 14,
        escape(&comparison.case.title()),
        comparison.metric.unit()
    );
    for (n, (class, row)) in [("ours", ours), ("peer", peer)].into_iter().enumerate() {
        let length = (LONGEST as f64 * speed(row) / best).round().max(1.0) as usize;
        let y = top + 20 + 17 * n;
        let name = if n == 0 { String::new() } else { format!(" {}", row.contestant.name) };
        _ = writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{START}\" y=\"{y}\" width=\"{length}\" height=\"14\"/><text x=\"{}\" y=\"{}\" \
             font-size=\"13\">{}{}</text>",
            START + length + 6,
            y + 12,
            number(comparison.median(row).unwrap_or_default()),
            escape(&name)
        );
    }
}
