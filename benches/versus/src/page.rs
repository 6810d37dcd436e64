//! The comparisons as one HTML page without scripts or other files: an overview, then for each case
//! a plot with the table under it, then plots of how the cost grows with capacity, threads or size.

use crate::beside::{self, Beside};
use crate::case::{Case, Metric, catalogue};
use crate::html::escape;
use crate::plot::{self, Series};
use crate::summary::{Comparison, MAX_CHANGE, NEAR_BELOW, Row, Summary, number};
use crate::table;
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

pub fn render(summary: &Summary, beside: &[Beside]) -> String {
    let mut html = String::new();
    let machine = &summary.run.machine;
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>queues, compared</title>\n<style>\n{STYLE}</style></head><body>\n\
         <h1>queues, compared</h1>\n<p>{}<br>{}, commit {}</p>\n<p>{}</p>\n",
        escape(&machine.describe()),
        escape(&machine.date),
        escape(&machine.commit),
        escape(&table::note(summary)).replacen(
            "* ours",
            "<b class=\"ours\">Ours</b> are colored",
            1
        ),
    );
    if machine.is_loaded() {
        let _ = writeln!(
            html,
            "<p class=\"warning\">Other programs kept {:.1} processors busy before the run: these figures are noisy.</p>",
            machine.load
        );
    }

    let families = families(summary);
    html.push_str("<nav>");
    for family in &families {
        let _ = write!(html, "<a href=\"#{family}\">{family}</a> ");
    }
    html.push_str("<a href=\"#growth\">growth</a> ");
    if !beside.is_empty() {
        html.push_str("<a href=\"#beside\">other processors</a> ");
    }
    html.push_str("<a href=\"#method\">method</a></nav>\n");

    html.push_str("<h2>Ours and the best peer</h2>\n");
    overview(&mut html, summary);
    for family in &families {
        let _ = writeln!(html, "<h2 id=\"{family}\">{family}</h2>\n<div class=\"plots\">");
        for comparison in summary.comparisons.iter().filter(|o| o.case.family() == *family) {
            figure(&mut html, comparison, summary);
        }
        html.push_str("</div>\n");
    }
    html.push_str("<h2 id=\"growth\">How the cost grows</h2>\n");
    growth(&mut html, summary);
    stored(&mut html, beside);
    method(&mut html, summary);
    html.push_str("</body></html>\n");
    html
}

fn families(summary: &Summary) -> Vec<&str> {
    let mut families: Vec<_> = summary.comparisons.iter().map(|o| o.case.family()).collect();
    families.dedup();
    families
}

fn anchor(case: &Case) -> String {
    case.path().replace('/', "-")
}

/// A line for each case: the best of ours, the best peer, and their ratio.
fn overview(html: &mut String, summary: &Summary) {
    html.push_str(
        "<table class=\"overview\"><tr><th>case<th>ours<th>median<th>best peer<th>median<th>vs best</tr>\n",
    );
    for comparison in &summary.comparisons {
        let cell = |row: Option<&Row>| match row.and_then(|row| Some((row, row.main.as_ref()?))) {
            Some((row, spread)) => {
                let name = escape(&row.contestant.name);
                format!("<td>{name}<td class=\"n\">{}", number(spread.median))
            }
            None => "<td>-<td class=\"n\">-".into(),
        };
        let ours = comparison.best(true);
        let (placement, _) = table::placements(comparison);
        let ratio = match ours.and_then(|row| row.ratio) {
            Some(ratio) => {
                let class = if ratio >= 1.0 { "n better" } else { "n" };
                format!("<td class=\"{class}\">{ratio:.2}")
            }
            None => "<td class=\"n\">-".into(),
        };
        let _ = writeln!(
            html,
            "<tr><td><a href=\"#{}\">{}</a> <small>{}{placement}</small>{}{}{ratio}</tr>",
            anchor(&comparison.case),
            escape(&comparison.case.title()),
            comparison.metric.unit(),
            cell(ours),
            cell(comparison.best(false)),
        );
    }
    html.push_str("</table>\n");
}

fn figure(html: &mut String, comparison: &Comparison, summary: &Summary) {
    let (placement, other) = table::placements(comparison);
    let better = if comparison.metric.more_is_better() { "higher" } else { "lower" };
    let _ = write!(
        html,
        "<figure id=\"{}\"><figcaption>{} <small>{}{placement}; {better} is better</small></figcaption>\n{}\n",
        anchor(&comparison.case),
        escape(&comparison.case.title()),
        comparison.metric.unit(),
        plot::bars(comparison),
    );
    for row in &comparison.rows {
        if let Some(failure) = &row.failure {
            let _ = writeln!(
                html,
                "<p class=\"warning\">{} ({}): {}</p>",
                escape(&row.contestant.name),
                escape(&row.contestant.language),
                escape(failure)
            );
        }
    }
    let both = summary.has_both_placements();
    let _ = write!(
        html,
        "<details><summary>table: {}</summary><div class=\"wide\"><table>\
         <tr><th>contestant<th>language<th>{}",
        comparison.case,
        table::HEADINGS.join("<th>")
    );
    if both {
        let _ = write!(html, "<th>{other}<th>trials");
    }
    for extra in comparison.extras {
        let _ = write!(html, "<th>{extra}");
    }
    html.push_str("</tr>\n");
    for row in &comparison.rows {
        let (name, version) = (escape(&row.contestant.name), escape(&row.contestant.version));
        let class = if row.contestant.ours { " class=\"ours\"" } else { "" };
        let _ = write!(
            html,
            "<tr{class}><td>{name} <small>{version}</small><td>{}<td class=\"n\">{}",
            escape(&row.contestant.language),
            table::cells(row).join("<td class=\"n\">"),
        );
        if both {
            let _ = write!(
                html,
                "<td class=\"n\">{}<td class=\"n\">{}",
                table::median(&row.other),
                table::trials(&row.other),
            );
        }
        for extra in &row.extras {
            let _ = write!(html, "<td class=\"n\">{}", table::optional(*extra));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table></div></details></figure>\n");
}

/// Plots of cases that differ in one segment: the title, and for each case its label on the axis.
fn sweeps() -> Vec<(&'static str, Vec<(String, Case)>)> {
    let sweep = |title, template: &str, steps: &[(&str, &str)]| {
        let case = |value: &str| Case::unchecked(&template.replace('?', value));
        let steps = steps.iter().map(|(label, value)| (label.to_string(), case(value)));
        (title, steps.collect::<Vec<_>>())
    };
    let capacities = [("64", "64"), ("1 k", "1024"), ("64 k", "65536"), ("1 M", "1048576")];
    let threads = [("1", "x1"), ("2", "x2"), ("4", "x4"), ("8", "x8")];
    let pairs = [("2", "1P1C"), ("4", "2P2C"), ("8", "4P4C"), ("16", "8P8C")];
    let sizes = [("8", "b8"), ("16", "b16"), ("64", "b64"), ("256", "b256"), ("1024", "b1024")];
    let bulks = [("1", "single"), ("8", "bulk8"), ("32", "bulk32"), ("256", "bulk256")];
    vec![
        sweep("spsc: ns per item, by capacity", "spsc/1P1C/single/?/ptr", &capacities),
        sweep("spsc: ns per item, by bytes per item", "spsc/1P1C/single/1024/?", &sizes),
        sweep("spsc: ns per item, by items per call", "spsc/1P1C/?/1024/ptr", &bulks),
        sweep("mpmc: ns per item, by capacity", "mpmc/1P1C/single/?/ptr", &capacities),
        sweep("mpmc, non-blocking: ns per item, by threads", "mpmc/?/single/1024/ptr", &pairs),
        sweep("mpmc, blocking: ns per item, by threads", "mpmc/?/blocking/1024/ptr", &pairs),
        sweep(
            "priority, 1000 items: ns per put or get, by threads",
            "priority/?/single/1000/ptr",
            &threads,
        ),
        sweep(
            "priority, 100000 items: ns per put or get, by threads",
            "priority/?/single/100000/ptr",
            &threads,
        ),
        sweep(
            "memory: bytes per slot, by capacity",
            "memory/-/-/?/ptr",
            &[("1 k", "1024"), ("64 k", "65536")],
        ),
    ]
}

/// The most series of ours in a plot, so that peers have room: the languages all call the same
/// library.
const MAX_OURS: usize = 2;

fn growth(html: &mut String, summary: &Summary) {
    debug_assert!(sweeps().iter().flat_map(|(_, s)| s).all(|(_, case)| catalogue().contains(case)));
    html.push_str("<div class=\"plots\">\n");
    for (title, steps) in sweeps() {
        let comparisons: Vec<_> = steps
            .into_iter()
            .filter_map(|(label, case)| {
                Some((
                    label,
                    summary.comparisons.iter().find(|comparison| comparison.case == case)?,
                ))
            })
            .collect();
        if comparisons.len() < 2 {
            continue;
        }
        let labels: Vec<_> = comparisons.iter().map(|(label, _)| label.clone()).collect();
        let (series, left_out) = series(&comparisons);
        let _ = write!(
            html,
            "<figure><figcaption>{title} <small>lower is better; logarithmic scale</small></figcaption>\n{}\n<ul class=\"legend\">",
            plot::lines(title, &labels, &series)
        );
        for (n, one) in series.iter().enumerate() {
            let _ = write!(html, "<li><i class=\"l{n}\"></i>{}</li>", escape(&one.name));
        }
        if left_out > 0 {
            let _ = write!(html, "<li>{left_out} more in the tables</li>");
        }
        html.push_str("</ul></figure>\n");
    }
    html.push_str("</div>\n");
}

/// The series of a plot: the best of ours, then the best peers; and how many did not fit.
fn series(comparisons: &[(String, &Comparison)]) -> (Vec<Series>, usize) {
    let rows = comparisons.iter().flat_map(|(_, comparison)| &comparison.rows);
    let mut contestants: Vec<_> = rows.map(|row| &row.contestant).collect();
    contestants.sort_by_key(|contestant| (&contestant.program, &contestant.name));
    contestants.dedup_by_key(|contestant| (&contestant.program, &contestant.name));

    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for contestant in contestants {
        let point = |comparison: &Comparison| {
            let mut rows = comparison.rows.iter();
            let row = rows.find(|row| {
                row.contestant.program == contestant.program
                    && row.contestant.name == contestant.name
            })?;
            let median = comparison.median(row)?;
            Some(if comparison.metric == Metric::Rate { 1e3 / median } else { median })
        };
        let points: Vec<_> = comparisons.iter().map(|(_, comparison)| point(comparison)).collect();
        let known: Vec<_> = points.iter().flatten().map(|value: &f64| value.ln()).collect();
        // A single point makes no line.
        if known.len() >= 2 {
            let name = format!("{} ({})", contestant.name, contestant.language);
            let mean = known.iter().sum::<f64>() / known.len() as f64;
            let group = if contestant.ours { &mut ours } else { &mut others };
            group.push((mean, Series { name, points }));
        }
    }
    let count = ours.len() + others.len();
    for group in [&mut ours, &mut others] {
        group.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    let series = ours.into_iter().take(MAX_OURS).chain(others).take(plot::MAX_SERIES);
    let series: Vec<_> = series.map(|(_, one)| one).collect();
    let left_out = count - series.len();
    (series, left_out)
}

/// The run beside each stored one.
fn stored(html: &mut String, beside: &[Beside]) {
    if beside.is_empty() {
        return;
    }
    let _ = writeln!(
        html,
        "<h2 id=\"beside\">Beside other processors</h2>\n<p>{}</p>",
        escape(&beside::note())
    );
    for other in beside {
        let _ = writeln!(
            html,
            "<h3>{}</h3>\n<table class=\"overview\"><tr><th>case<th>{}</tr>",
            escape(&other.title()),
            table::BESIDE.join("<th>")
        );
        for pair in &other.cases {
            let class = if pair.fell() { "n warning" } else { "n" };
            let _ = writeln!(
                html,
                "<tr><td><a href=\"#{}\">{}</a><td class=\"n\">{:.2}<td class=\"n\">{:.2}<td class=\"{class}\">{:.2}\
                 <td>{}</tr>",
                anchor(pair.case),
                escape(&pair.case.title()),
                pair.here.ratio,
                pair.stored.ratio,
                pair.change(),
                escape(&pair.contestants()),
            );
        }
        html.push_str("</table>\n");
    }
}

fn method(html: &mut String, summary: &Summary) {
    let _ = write!(
        html,
        "<h2 id=\"method\">Method</h2>\n<p>Each trial is a process of its own, which warms up, runs, and checks that no item was \
         lost, duplicated or torn. Rounds are interleaved: in a round the contestants of a case have one trial each, one \
         directly after the other. Threads are pinned if there are at least as many processors as threads. Before and after \
         each trial the round trip of a cache line between the first two processors is measured. Below {NEAR_BELOW} ns they \
         are near, as processors with one L3 cache are, above it far; a trial whose two round trips differ by more than a factor of \
         {MAX_CHANGE} does not count. Bars show medians, whiskers the minimum and the maximum. Where the whiskers of two \
         contestants overlap, their difference may be noise.</p>\n",
    );
    if !summary.missing.is_empty() {
        html.push_str("<h3>Missing</h3>\n<ul>\n");
        for missing in &summary.missing {
            let _ =
                writeln!(html, "<li>{}: {}</li>", escape(&missing.name), escape(&missing.reason));
        }
        html.push_str("</ul>\n");
    }
    html.push_str("<h3>Built with</h3>\n<ul>\n");
    for compiler in &summary.run.machine.compilers {
        let _ = writeln!(html, "<li>{}</li>", escape(compiler));
    }
    html.push_str("</ul>\n");
}
