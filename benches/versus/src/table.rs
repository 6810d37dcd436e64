//! What came out, on a terminal.

use crate::output::one_line;
use crate::summary::{Comparison, Placement, Row, Spread, Summary, number};
use std::fmt::Write;

/// Of the median, the least and the most, where they are as wide as each other.
fn median(spread: &Option<Spread>) -> String {
    spread.as_ref().map_or("-".into(), |spread| number(spread.median))
}

pub fn range(spread: &Spread) -> String {
    format!("{}-{}", number(spread.min), number(spread.max))
}

/// The place that counts in a case, if it is not the near one, and the other place.
pub fn places(comparison: &Comparison) -> (&'static str, &'static str) {
    match comparison.place {
        Placement::CrossL3 => (", on far cores", "near"),
        _ => ("", "far"),
    }
}

pub fn render(summary: &Summary, colors: bool) -> String {
    let mut text = String::new();
    let (bold, plain) = if colors { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let both = summary.same_l3 > 0 && summary.cross_l3 > 0;
    for comparison in &summary.comparisons {
        let _ = writeln!(text, "\n{bold}{}{plain}", one_line(comparison.case.path()));
        let (place, other) = places(comparison);
        let _ = writeln!(
            text,
            "{}; {}{place}",
            one_line(&comparison.case.title()),
            comparison.metric.unit()
        );
        // Results may come from anywhere, and a terminal obeys what it is shown.
        let name = |row: &Row| one_line(&row.contestant.name);
        let width =
            comparison.rows.iter().map(|row| name(row).chars().count()).max().unwrap_or(0).max(10);
        let _ = write!(
            text,
            "  {:<width$}  {:<6} {:>8} {:>15} {:>6} {:>8}",
            "contestant", "", "median", "min-max", "trials", "of best"
        );
        if both {
            let _ = write!(text, " {other:>8}");
        }
        for extra in comparison.extras {
            let _ = write!(text, " {extra:>16}");
        }
        text.push('\n');
        for row in &comparison.rows {
            let ours = row.contestant.ours;
            let (on, off) = if ours { (bold, plain) } else { ("", "") };
            let _ = write!(
                text,
                "{on}{} {:<width$}  {:<6} {:>8} {:>15} {:>6} {:>8}",
                if ours { '*' } else { ' ' },
                name(row),
                one_line(&row.contestant.language),
                median(&row.main),
                row.main.as_ref().map_or("-".into(), range),
                row.main.as_ref().map_or(0, |spread| spread.trials),
                row.ratio.map_or("-".into(), |ratio| format!("{ratio:.2}")),
            );
            if both {
                let _ = write!(text, " {:>8}", median(&row.other));
            }
            for extra in &row.extras {
                let _ = write!(text, " {:>16}", extra.map_or("-".into(), number));
            }
            if let Some(failure) = &row.failure {
                let _ = write!(text, "  {}", one_line(failure));
            }
            let _ = writeln!(text, "{off}");
        }
    }
    text.push('\n');
    if !summary.missing.is_empty() {
        let _ = writeln!(text, "left out:");
        for missing in &summary.missing {
            let _ = writeln!(text, "  {}: {}", one_line(&missing.name), one_line(&missing.reason));
        }
    }
    let _ = writeln!(text, "{}", foot(summary));
    text
}

/// How to read it.
pub fn foot(summary: &Summary) -> String {
    let mut text = String::from(
        "* ours. of best: compared with the best peer of the case, above 1 is better. Medians of trials on near cores.",
    );
    for (place, count, round_trip) in [
        ("near", summary.same_l3, summary.round_trips[0]),
        ("far", summary.cross_l3, summary.round_trips[1]),
    ] {
        let _ = write!(text, " {count} trials {place}");
        if let Some(round_trip) = round_trip {
            let _ = write!(text, " (a cache line there and back: {round_trip:.0} ns)");
        }
        text.push(',');
    }
    let _ = write!(text, " {} not counted because the cores moved meanwhile.", summary.moved);
    text
}
