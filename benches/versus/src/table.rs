//! The comparisons as a table for the terminal. Its columns, and the note on how to read them,
//! serve the page too.

use crate::beside::{self, Beside};
use crate::output::one_line;
use crate::summary::{Comparison, Placement, Row, Spread, Summary, number};
use std::fmt::Write;

/// The headings of [`cells`].
pub const HEADINGS: [&str; 4] = ["median", "min-max", "trials", "vs best"];

/// The headings of a run beside a stored one: the two ratios, the change from the stored one to this,
/// and whose ratio it is.
pub const BESIDE: [&str; 4] = ["here", "stored", "change", "ours / best peer"];

/// What both the table and the page show of a contestant: median, range, trials and ratio to the
/// best peer.
pub fn cells(row: &Row) -> [String; 4] {
    let dash = || String::from("-");
    let range = |spread: &Spread| format!("{}-{}", number(spread.min), number(spread.max));
    [
        median(&row.main),
        row.main.as_ref().map_or_else(dash, range),
        trials(&row.main),
        row.ratio.map_or_else(dash, |ratio| format!("{ratio:.2}")),
    ]
}

pub fn median(spread: &Option<Spread>) -> String {
    optional(spread.as_ref().map(|spread| spread.median))
}

pub fn trials(spread: &Option<Spread>) -> String {
    spread.as_ref().map_or(0, |spread| spread.trials).to_string()
}

/// A dash where there is no figure.
pub fn optional(value: Option<f64>) -> String {
    value.map_or("-".into(), number)
}

/// The words of a heading for trials on far cores, and the name of the column of the other placement.
pub fn placements(comparison: &Comparison) -> (&'static str, &'static str) {
    match comparison.placement {
        Placement::Far => (", on far cores", "near"),
        _ => ("", "far"),
    }
}

pub fn render(summary: &Summary, beside: &[Beside], colors: bool) -> String {
    let mut text = String::new();
    let (bold, plain) = if colors { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    for comparison in &summary.comparisons {
        let (placement, other) = placements(comparison);
        let title = one_line(&comparison.case.title());
        let _ = writeln!(text, "\n{bold}{}{plain}", one_line(comparison.case.path()));
        let _ = writeln!(text, "{title}; {}{placement}", comparison.metric.unit());
        // Results may come from anywhere, and a terminal acts on control characters.
        let name = |row: &Row| one_line(&row.contestant.name);
        let width =
            comparison.rows.iter().map(|row| name(row).chars().count()).max().unwrap_or(0).max(10);
        let line = |start: &str, name: &str, language: &str, cells: [&str; 4], other: &str| {
            let [median, range, trials, ratio] = cells;
            let mut line = format!(
                "{start} {name:<width$}  {language:<6} {median:>8} {range:>15} {trials:>6} {ratio:>8}"
            );
            if summary.has_both_placements() {
                let _ = write!(line, " {other:>8}");
            }
            line
        };
        text += &line(" ", "contestant", "", HEADINGS, other);
        for extra in comparison.extras {
            let _ = write!(text, " {extra:>16}");
        }
        text.push('\n');
        for row in &comparison.rows {
            let (start, end) =
                if row.contestant.ours { (format!("{bold}*"), plain) } else { (" ".into(), "") };
            let language = one_line(&row.contestant.language);
            let cells = cells(row);
            let cells = cells.each_ref().map(String::as_str);
            text += &line(&start, &name(row), &language, cells, &median(&row.other));
            for extra in &row.extras {
                let _ = write!(text, " {:>16}", optional(*extra));
            }
            if let Some(failure) = &row.failure {
                let _ = write!(text, "  {}", one_line(failure));
            }
            let _ = writeln!(text, "{end}");
        }
    }
    text.push('\n');
    if !summary.missing.is_empty() {
        let _ = writeln!(text, "missing:");
        for missing in &summary.missing {
            let _ = writeln!(text, "  {}: {}", one_line(&missing.name), one_line(&missing.reason));
        }
    }
    let _ = writeln!(text, "{}", note(summary));
    if !beside.is_empty() {
        let _ = writeln!(text, "\n{bold}Beside other processors{plain}");
        for other in beside {
            text += &stored(other, bold, plain);
        }
        let _ = writeln!(text, "{}", beside::note());
    }
    text
}

/// This run beside a stored one.
fn stored(other: &Beside, bold: &str, plain: &str) -> String {
    let mut text = format!("{bold}{}{plain}\n", one_line(&other.title()));
    let paths = other.cases.iter().map(|pair| one_line(pair.case.path()).chars().count());
    let width = paths.max().unwrap_or(0);
    let [here, there, change, contestants] = BESIDE;
    let _ = writeln!(
        text,
        "  {:<width$} {here:>8} {there:>8} {change:>8}        {contestants}",
        "case"
    );
    for pair in &other.cases {
        let (start, mark, end) = if pair.fell() { (bold, "fell", plain) } else { ("", "", "") };
        let _ = writeln!(
            text,
            "  {start}{:<width$} {:>8.2} {:>8.2} {:>8.2}  {mark:<4}  {}{end}",
            one_line(pair.case.path()),
            pair.here.ratio,
            pair.stored.ratio,
            pair.change(),
            one_line(&pair.contestants()),
        );
    }
    text
}

/// How to read the table.
pub fn note(summary: &Summary) -> String {
    let mut text = String::from(
        "* ours. \"vs best\" is the ratio to the best peer of the case; above 1 is better. Medians are of \
         trials on near cores.",
    );
    for (placement, count, round_trip) in [
        ("on near cores", summary.near, summary.round_trips[0]),
        ("on far cores", summary.far, summary.round_trips[1]),
    ] {
        let _ = write!(text, " {count} trials {placement}");
        if let Some(round_trip) = round_trip {
            let _ = write!(text, " (round trip of a cache line: {round_trip:.0} ns)");
        }
        text.push(',');
    }
    let _ =
        write!(text, " {} not counted because the round trip changed during them.", summary.moved);
    text
}
