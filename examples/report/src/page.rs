//! The page: a summary, a table, and plots with captions. One HTML file that needs no network and
//! no scripts.

use crate::plot::{self, FIRST, INKS, Ink, LIMIT, SECOND};
use crate::run::{Run, Stage, Times};
use std::fmt::Write;

pub fn page(run: &Run) -> String {
    let trace = run.trace.rsplit('/').next().unwrap_or_default();
    let title = format!("{}: {trace} at {} times its speed", run.program, run.parameters.speed);
    let title = escape(&title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         {}{}{}{}{}{}</body>\n</html>\n",
        include_str!("page.css"),
        inks(),
        summary(run),
        table(run),
        queues(run),
        batches(run),
        requests(run),
        footer(run),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The plots have the colors of a light page. On a dark page these rules replace each color.
fn inks() -> String {
    let (mut legend, mut dark) = (String::new(), String::new());
    for (i, ink) in INKS.iter().enumerate() {
        let (light, other) = (plot::hex(ink.light), plot::hex(ink.dark));
        _ = writeln!(legend, ".ink{i} {{ background: {light}; }}");
        _ = writeln!(
            dark,
            "  svg [fill=\"{light}\"] {{ fill: {other}; }} svg [stroke=\"{light}\"] {{ stroke: {other}; }} \
             .ink{i} {{ background: {other}; }}"
        );
    }
    format!("{legend}@media (prefers-color-scheme: dark) {{\n{dark}}}\n")
}

fn legend(ink: &Ink, text: &str) -> String {
    let i = INKS.iter().position(|other| other.light == ink.light).expect("every ink is in INKS");
    format!("<span><i class=\"ink{i}\"></i>{text}</span>")
}

fn figure(title: &str, legends: &[String], svg: &str) -> String {
    let svg = svg.replacen("<svg", &format!("<svg role=\"img\" aria-label=\"{title}\""), 1);
    format!(
        "<figure><figcaption><b>{title}</b> {}</figcaption>\n{svg}</figure>\n",
        legends.join(" ")
    )
}

fn milliseconds(nanoseconds: u64) -> String {
    format!("{:.3}", nanoseconds as f64 / 1e6)
}

/// Three digits and a unit, as in 3.14 ms.
fn duration(nanoseconds: u64) -> String {
    let n = nanoseconds as f64;
    let (value, unit) = match nanoseconds {
        0..1_000 => (n, "ns"),
        1_000..1_000_000 => (n / 1e3, "µs"),
        1_000_000..1_000_000_000 => (n / 1e6, "ms"),
        _ => (n / 1e9, "s"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$} {unit}")
}

fn summary(run: &Run) -> String {
    let p = &run.parameters;
    let verdict = if run.served == run.requests {
        format!("<p>All {} requests came out, each once, ", run.requests)
    } else {
        format!("<p class=\"lost\">Of {} requests {} came out, ", run.requests, run.served)
    };
    let rate = run.served as f64 / run.seconds;
    let facts = [
        ("frontends", p.frontends.to_string()),
        ("workers", p.workers.to_string()),
        ("capacity of intake, priority, and each result queue", p.capacity.to_string()),
        (
            "a batch is due at",
            format!("{} requests, {} tokens or {} ms", p.batch_size, p.batch_tokens, p.linger_ms),
        ),
    ];
    let facts = facts.map(|(name, value)| format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n"));
    format!(
        "{verdict}in {:.2} s: {rate:.1} a second.</p>\n<dl>\n{}</dl>\n",
        run.seconds,
        facts.concat()
    )
}

fn table(run: &Run) -> String {
    let mut rows = String::new();
    for stage in &run.stages {
        let mut cells = vec![escape(&stage.name), escape(&stage.kind)];
        cells.extend([stage.incoming, stage.out].map(|n| n.to_string()));
        match &stage.queue {
            Some(q) => {
                cells.push(match q.queues {
                    1 => q.capacity.to_string(),
                    n => format!("{n} × {}", q.capacity),
                });
                cells.extend(
                    [q.peak, q.failed_enqueue, q.failed_dequeue, q.stolen].map(|n| n.to_string()),
                );
                cells.push(milliseconds(q.put_ns));
            }
            None => cells.extend(std::iter::repeat_n(String::new(), 6)),
        }
        cells.extend(times(&stage.wait));
        row(&mut rows, &cells);
    }
    let mut total = vec!["total".to_owned()];
    total.extend(std::iter::repeat_n(String::new(), 9));
    total.extend(times(&run.total));
    row(&mut rows, &total);
    let head = [
        "stage",
        "kind",
        "in",
        "out",
        "capacity",
        "peak",
        "failed puts",
        "failed gets",
        "stolen",
        "in puts, ms",
        "p50, ms",
        "p99, ms",
        "max, ms",
    ];
    let head = head.map(|name| format!("<th scope=\"col\">{name}</th>")).concat();
    format!(
        "<div class=\"scroll\"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n\
         <p class=\"quiet\">Times run from when a request is offered to a stage until it leaves: a put that \
         blocks counts as waiting for the stage that is full.</p>\n"
    )
}

fn times(times: &Times) -> [String; 3] {
    [times.p50_ns, times.p99_ns, times.max_ns].map(milliseconds)
}

fn row(rows: &mut String, cells: &[String]) {
    let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    _ = writeln!(rows, "<tr>{cells}</tr>");
}

fn queues(run: &Run) -> String {
    let mut figures = String::new();
    for stage in &run.stages {
        let Some(queue) = &stage.queue else { continue };
        let capacity = queue.capacity.saturating_mul(queue.queues);
        let name = escape(&stage.name);
        let items = run.depth_of(stage);
        let capacity_is = format!("capacity {capacity}");
        let legends = [
            legend(&FIRST, "items"),
            match plot::shows_capacity(items, capacity) {
                true => legend(&LIMIT, &capacity_is),
                false => format!("<span>{capacity_is}</span>"),
            },
        ];
        let svg = plot::depth(&run.depth.t_ms, items, capacity);
        figures += &figure(&format!("{name}: depth"), &legends, &svg);
        figures += &time_figure(run, &format!("{name}: waiting time"), &stage.wait);
    }
    format!(
        "<h2>Depth and waiting time of the queues</h2>\n<div class=\"plots\">\n{figures}</div>\n"
    )
}

fn time_figure(run: &Run, title: &str, times: &Times) -> String {
    let legends = [
        legend(&FIRST, "requests"),
        legend(&SECOND, "cumulative"),
        format!("<span>p50 {}, p99 {}</span>", duration(times.p50_ns), duration(times.p99_ns)),
    ];
    figure(title, &legends, &plot::times(&times.histogram, &extremes(run)))
}

/// The least and the largest bound of all histograms of times, so that all have one scale.
fn extremes(run: &Run) -> Vec<(u64, u64)> {
    let all = run.stages.iter().map(|stage| &stage.wait).chain([&run.total]);
    let bounds = || all.clone().flat_map(|times| times.histogram.iter().copied());
    bounds().min().into_iter().chain(bounds().max()).collect()
}

fn batches(run: &Run) -> String {
    let p = &run.parameters;
    let sizes = figure(
        "requests in a batch",
        &[legend(&FIRST, "batches")],
        &plot::sizes(&run.batches.sizes, p.batch_size),
    );
    let tokens = figure(
        "tokens in a batch",
        &[legend(&FIRST, "batches"), legend(&LIMIT, &format!("due at {}", p.batch_tokens))],
        &plot::tokens(&run.batches.tokens, p.batch_tokens),
    );
    format!("<h2>Batches</h2>\n<div class=\"plots\">\n{sizes}{tokens}</div>\n")
}

fn requests(run: &Run) -> String {
    let mut figures = String::new();
    let threads = run.stages.iter().filter(|stage: &&Stage| stage.queue.is_none());
    for stage in threads {
        figures += &time_figure(run, &format!("{}: time", escape(&stage.name)), &stage.wait);
    }
    figures += &time_figure(run, "from due to collected", &run.total);
    let legends = [legend(&FIRST, "of its own batches"), legend(&SECOND, "stolen")];
    figures += &figure("requests of each worker", &legends, &plot::workers(&run.workers));
    format!("<h2>Requests and workers</h2>\n<div class=\"plots\">\n{figures}</div>\n")
}

fn footer(run: &Run) -> String {
    if !run.trace.contains("AzureLLMInferenceTrace") {
        return String::new();
    }
    "<footer>The trace is the Azure LLM inference trace of 2023 (Azure Public Dataset, CC-BY; Patel et al., \
     “Splitwise: Efficient generative LLM inference using phase splitting”, ISCA 2024).</footer>\n"
        .to_owned()
}
