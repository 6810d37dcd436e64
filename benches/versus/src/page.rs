//! What came out, as a page that needs nothing else: plots, and the table under each.

use crate::case::{Case, Metric, catalogue};
use crate::html::escape;
use crate::plot::{self, Line};
use crate::summary::{Comparison, Row, Summary, number};
use crate::table;
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

pub fn render(summary: &Summary) -> String {
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
        escape(&table::foot(summary)).replacen(
            "* ours",
            "<b class=\"ours\">Ours</b> are marked",
            1
        ),
    );
    if machine.load > 0.5 {
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
    html.push_str("<a href=\"#growth\">growth</a> <a href=\"#method\">method</a></nav>\n");

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

/// One line for each case.
fn overview(html: &mut String, summary: &Summary) {
    html.push_str(
        "<table class=\"overview\"><tr><th>case<th>ours<th>median<th>best peer<th>median<th>ratio</tr>\n",
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
        let (place, _) = table::places(comparison);
        let ratio = match ours.and_then(|row| row.ratio) {
            Some(ratio) => {
                let class = if ratio >= 1.0 { "n better" } else { "n" };
                format!("<td class=\"{class}\">{ratio:.2}")
            }
            None => "<td class=\"n\">-".into(),
        };
        let _ = writeln!(
            html,
            "<tr><td><a href=\"#{}\">{}</a> <small>{}{place}</small>{}{}{ratio}</tr>",
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
    let (place, other) = table::places(comparison);
    let better = if comparison.metric.more_is_better() { "more" } else { "less" };
    let _ = write!(
        html,
        "<figure id=\"{}\"><figcaption>{} <small>{}{place}; {better} is better</small></figcaption>\n{}\n",
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
    let both = summary.same_l3 > 0 && summary.cross_l3 > 0;
    let _ = write!(
        html,
        "<details><summary>table: {}</summary><div class=\"wide\"><table>\
         <tr><th>contestant<th>language<th>median<th>min-max<th>trials<th>of best",
        comparison.case
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
        let dash = || String::from("-");
        let _ = write!(
            html,
            "<tr{class}><td>{name} <small>{version}</small><td>{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"n\">{}",
            escape(&row.contestant.language),
            row.main.as_ref().map_or_else(dash, |spread| number(spread.median)),
            row.main.as_ref().map_or_else(dash, table::range),
            row.main.as_ref().map_or(0, |spread| spread.trials),
            row.ratio.map_or_else(dash, |ratio| format!("{ratio:.2}")),
        );
        if both {
            let _ = write!(
                html,
                "<td class=\"n\">{}<td class=\"n\">{}",
                row.other.as_ref().map_or_else(dash, |spread| number(spread.median)),
                row.other.as_ref().map_or(0, |spread| spread.trials),
            );
        }
        for extra in &row.extras {
            let _ = write!(html, "<td class=\"n\">{}", extra.map_or_else(dash, number));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</table></div></details></figure>\n");
}

/// Cases that differ in one thing, with that thing as the label of each.
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
        sweep("spsc: ns an item, by capacity", "spsc/1P1C/single/?/ptr", &capacities),
        sweep("spsc: ns an item, by bytes of an item", "spsc/1P1C/single/1024/?", &sizes),
        sweep("spsc: ns an item, by items a call", "spsc/1P1C/?/1024/ptr", &bulks),
        sweep("mpmc: ns an item, by capacity", "mpmc/1P1C/single/?/ptr", &capacities),
        sweep("mpmc, trying: ns an item, by threads", "mpmc/?/single/1024/ptr", &pairs),
        sweep("mpmc, waiting: ns an item, by threads", "mpmc/?/blocking/1024/ptr", &pairs),
        sweep(
            "priority, 1000 items: ns a put or get, by threads",
            "priority/?/single/1000/ptr",
            &threads,
        ),
        sweep(
            "priority, 100000 items: ns a put or get, by threads",
            "priority/?/single/100000/ptr",
            &threads,
        ),
        sweep(
            "memory: bytes a slot, by capacity",
            "memory/-/-/?/ptr",
            &[("1 k", "1024"), ("64 k", "65536")],
        ),
    ]
}

/// Lines of ours in a plot: one is the library, the others are other ways to it.
const OURS: usize = 2;

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
        let (lines, left_out) = lines(&comparisons);
        let _ = write!(
            html,
            "<figure><figcaption>{title} <small>less is better; logarithmic</small></figcaption>\n{}\n<ul class=\"legend\">",
            plot::lines(title, &labels, &lines)
        );
        for (n, line) in lines.iter().enumerate() {
            let _ = write!(html, "<li><i class=\"l{n}\"></i>{}</li>", escape(&line.name));
        }
        if left_out > 0 {
            let _ = write!(html, "<li>{left_out} more in the tables</li>");
        }
        html.push_str("</ul></figure>\n");
    }
    html.push_str("</div>\n");
}

/// The best of ours first, then those of the others; how many did not fit.
fn lines(comparisons: &[(String, &Comparison)]) -> (Vec<Line>, usize) {
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
        // One point is no line.
        if known.len() >= 2 {
            let name = format!("{} ({})", contestant.name, contestant.language);
            let mean = known.iter().sum::<f64>() / known.len() as f64;
            let side = if contestant.ours { &mut ours } else { &mut others };
            side.push((mean, Line { name, points }));
        }
    }
    let count = ours.len() + others.len();
    for side in [&mut ours, &mut others] {
        side.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    let lines = ours.into_iter().take(OURS).chain(others).take(plot::LINES);
    let lines: Vec<_> = lines.map(|(_, line)| line).collect();
    let left_out = count - lines.len();
    (lines, left_out)
}

fn method(html: &mut String, summary: &Summary) {
    html.push_str(
        "<h2 id=\"method\">Method</h2>\n<p>Each trial is a process of its own: it warms up, runs, and checks what came \
         through. Rounds are interleaved: in each, every contestant of a case has one trial, right after one another. \
         Threads are pinned where there are as many processors. Before and after each trial a cache line's round trip between \
         the first two processors is measured: below 150 ns a trial is near, above it far, and if the two differ by \
         more than 1.4 it does not count. Bars are medians, whiskers go from the least to the most. Differences \
         that the whiskers hide are none.</p>\n",
    );
    if !summary.missing.is_empty() {
        html.push_str("<h3>Left out</h3>\n<ul>\n");
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
