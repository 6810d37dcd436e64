//! The page: what the time went into, a picture of the pipeline, a comparison, tables, and plots. One
//! HTML file that needs no network and no scripts.

use crate::compare::{self, Difference, ENOUGH, Kind, Kinds, Spread, queues_of};
use crate::pipeline;
use crate::plot::{self, FIRST, INKS, Ink, LIMIT, OTHER, SECOND};
use crate::run::{Machine, Run, Times};
use crate::text::{count, digits, duration, escape};
use std::fmt::Write;

/// The run that the page shows, and the one that it is compared with.
struct Shown<'a> {
    run: &'a Run,
    other: Option<(&'a str, &'a Run)>,
}

pub fn page(kinds: &Kinds) -> String {
    let run = kinds.first.middle();
    let [_, other_name] = kinds.names();
    let other = kinds.second.as_ref().map(|kind| (&*other_name, kind.middle()));
    let shown = Shown { run, other };
    let title = format!("{}: {} at {} times its speed", run.program, trace(run), speed(run));
    let title = escape(&title);
    let body = format!(
        "<p class=\"lead\">{}</p>\n{}{}{}{}{}{}{}{}{}",
        pipeline::sentences(run),
        pipeline::picture(kinds),
        facts(kinds),
        comparison(kinds),
        breakdown(kinds),
        tables(run),
        queues(&shown),
        batches(run),
        requests(&shown),
        footer(&run.trace),
    );
    document(&title, &body)
}

/// A page of HTML. The title is escaped.
pub fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         {body}</body>\n</html>\n",
        include_str!("page.css"),
        inks(),
    )
}

/// What the page states first, as text for a terminal: a line, or two of a comparison.
pub fn summary(kinds: &Kinds) -> String {
    let mut html = pipeline::sentences(kinds.first.middle());
    if let Some(second) = &kinds.second {
        html = format!("{html}\n{}", verdict(kinds, second));
    }
    let (mut text, mut in_tag) = (String::new(), false);
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            c if !in_tag => text.push(c),
            _ => {}
        }
    }
    text.retain(|c| c == '\n' || !c.is_control());
    text
}

fn trace(run: &Run) -> &str {
    file_name(&run.trace)
}

pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn speed(run: &Run) -> f64 {
    run.parameters.speed
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

pub fn legend(ink: &Ink, text: &str) -> String {
    let i = INKS.iter().position(|other| other.light == ink.light).expect("every ink is in INKS");
    format!("<span><i class=\"ink{i}\"></i>{text}</span>")
}

pub fn figure(title: &str, legends: &[String], svg: &str) -> String {
    let svg = svg.replacen("<svg", &format!("<svg role=\"img\" aria-label=\"{title}\""), 1);
    format!(
        "<figure><figcaption><b>{title}</b> {}</figcaption>\n{svg}</figure>\n",
        legends.join(" ")
    )
}

/// What ran where and when, and whether every request came out.
fn facts(kinds: &Kinds) -> String {
    let run = kinds.first.middle();
    let (p, machine) = (&run.parameters, &run.machine);
    let mut verdict = if run.served == run.requests {
        format!("<p>All {} requests came out, each once, ", run.requests)
    } else {
        format!("<p class=\"lost\">Of {} requests {} came out, ", run.requests, run.served)
    };
    _ = write!(
        verdict,
        "in {:.2} s: {:.1} a second.",
        run.seconds,
        run.served as f64 / run.seconds
    );
    for stage in &run.stages {
        if (stage.incoming, stage.out) != (run.requests, run.requests) {
            let name = escape(&stage.name);
            _ = write!(verdict, " {name}: {} in, {} out.", stage.incoming, stage.out);
        }
    }
    let mut facts = Facts::of(machine, &run.library, &run.date);
    facts.add("trace", &format!("{}, {}", trace(run), count(run.requests, "request", "requests")));
    facts.add("speed", &format!("{} times as recorded", p.speed));
    facts.add(
        "a batch is due at",
        &format!("{} requests, {} tokens or {} ms", p.batch_size, p.batch_tokens, p.linger_ms),
    );
    format!("{verdict}</p>\n{}", facts.list())
}

/// Names and values, as HTML.
pub struct Facts(String);

impl Facts {
    pub fn of(machine: &Machine, library: &str, date: &str) -> Self {
        let mut facts = Self(String::new());
        let processors = count(machine.processors, "processor", "processors");
        let machine = format!("{}, {processors}, {}", machine.processor, machine.kernel);
        facts.add("machine", &machine);
        facts.add("library", &format!("libqueues {library}"));
        facts.add("date", date);
        facts
    }

    pub fn add(&mut self, name: &str, value: &str) {
        _ = writeln!(self.0, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(value));
    }

    pub fn list(&self) -> String {
        format!("<dl>\n{}</dl>\n", self.0)
    }
}

pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let head: String = head.iter().map(|name| format!("<th scope=\"col\">{name}</th>")).collect();
    let rows: String = rows
        .iter()
        .map(|cells| {
            let (name, values) = cells.split_first().expect("a row has a name");
            let values: String = values.iter().map(|value| format!("<td>{value}</td>")).collect();
            format!("<tr><th scope=\"row\">{name}</th>{values}</tr>\n")
        })
        .collect();
    format!("<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n")
}

// --- two kinds of runs

fn comparison(kinds: &Kinds) -> String {
    let Some(second) = &kinds.second else { return String::new() };
    let first = &kinds.first;
    let names = kinds.names().map(|name| escape(&name));
    let all = compare::differences(first, second);
    let row = |each: &Difference| {
        let value = |spread: Spread| {
            let (least, most) = ((each.show)(spread.least), (each.show)(spread.most));
            let range = if first.len() + second.len() > 2 {
                format!("{least} – {most}")
            } else {
                String::new()
            };
            format!("{}<small>{range}</small>", (each.show)(spread.median))
        };
        let ratio = each.ratio().map_or("–".into(), digits);
        let ratio = if each.is_clear() { format!("<b>{ratio}</b>") } else { ratio };
        vec![escape(&each.name), value(each.first), value(each.second), ratio]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    format!(
        "<h2>{} beside {}</h2>\n<p class=\"lead\">{}</p>\n{}\
         <p class=\"quiet\">{} A ratio is the second column by the first: above 1 the first is \
         lower, which is better.{}{}</p>\n",
        escape(&queues_of(first.middle())),
        escape(&queues_of(second.middle())),
        verdict(kinds, second),
        table(&["lower is better", &names[0], &names[1], "ratio"], &rows),
        match (first.len(), second.len()) {
            (1, 1) => "One run of each.".into(),
            (a, b) => format!("Medians and ranges of {a} and {b} runs."),
        },
        match first.len().min(second.len()) {
            ENOUGH.. => {
                " It is bold where every run of one is below every run of the other, which is rarely \
                 chance."
            }
            _ => "",
        },
        match &*second.middle().queues {
            "mutex" => {
                " The program with mutex queues has the same source; each of its queues is an array, \
                 a mutex and two condition variables (<code>examples/c/mutex_queues.h</code>)."
            }
            _ => "",
        },
    )
}

/// What the comparison shows, in one sentence or two.
fn verdict(kinds: &Kinds, second: &Kind) -> String {
    let (first, names) = (&kinds.first, kinds.names().map(|name| escape(&name)));
    let all = compare::differences(first, second);
    let (whole, parts) = all.split_first().expect("the whole run comes first");
    let ratio = whole.ratio().unwrap_or(1.0);
    let took = format!(
        "With <em>{}</em> the run took {} times as long as with <em>{}</em>",
        names[1],
        digits(ratio),
        names[0]
    );
    let work = first.middle().stages.iter().find(|stage| stage.name == "work");
    let work = work.map_or(0, |stage| stage.wait.mean_ns);
    if first.len().min(second.len()) < ENOUGH {
        return format!(
            "{took}. {ENOUGH} runs of each would show whether that is more than chance."
        );
    }
    let is_clear = whole.is_clear() && (ratio - 1.0).abs() >= 0.02;
    let whole = match is_clear {
        true if ratio > 1.0 => format!("{took}: every run was longer than each of those."),
        true => format!("{took}: every run was shorter than each of those."),
        false => format!("{took}: no clear difference."),
    };
    let clear = parts.iter().filter(|part| part.is_clear());
    let clear: Vec<_> = clear
        .filter_map(|part| Some(format!("{} {}", escape(&part.name), digits(part.ratio()?))))
        .collect();
    match (clear.is_empty(), is_clear) {
        (false, _) => {
            format!("{whole} Ratios outside the spread of the runs: {}.", clear.join("; "))
        }
        (true, true) => format!("{whole} No other ratio is outside the spread of the runs."),
        (true, false) => format!(
            "{whole} The work on a request, {} on average, hides what its queues cost; \
             <code>make bench</code> measures the queues alone.",
            duration(work)
        ),
    }
}

// --- where the time of a request went

fn breakdown(kinds: &Kinds) -> String {
    let names = kinds.names();
    let mut runs = vec![(&names[0], kinds.first.middle())];
    runs.extend(kinds.second.iter().map(|kind| (&names[1], kind.middle())));
    let longest = runs.iter().map(|(_, run)| run.total.mean_ns).max().unwrap_or(0).max(1);
    let both = match runs.len() {
        1 => String::new(),
        _ => format!("<span>({} | {})</span>", escape(&names[0]), escape(&names[1])),
    };
    let mut bars = String::new();
    for (name, run) in &runs {
        let mut parts = String::new();
        for (i, stage) in run.stages.iter().enumerate() {
            let (stage_name, mean) = (escape(&stage.name), stage.wait.mean_ns);
            let width = mean as f64 / longest as f64 * 100.0;
            let time = duration(mean);
            _ = write!(
                parts,
                "<i class=\"part{}\" style=\"width:{width:.3}%\" title=\"{stage_name}: {time}\"></i>",
                i % 7
            );
        }
        let total = duration(run.total.mean_ns);
        let label = match runs.len() {
            1 => format!("{total} on average"),
            _ => format!("{}: {total} on average", escape(name)),
        };
        _ = writeln!(bars, "<p>{label}</p>\n<div class=\"bar\">{parts}</div>");
    }
    let legends: String = kinds
        .first
        .middle()
        .stages
        .iter()
        .enumerate()
        .map(|(i, stage)| {
            let times: Vec<_> =
                runs.iter().map(|(_, run)| duration(run.stages[i].wait.mean_ns)).collect();
            format!(
                "<span><i class=\"part{}\"></i>{} {}</span>",
                i % 7,
                escape(&stage.name),
                times.join(" | ")
            )
        })
        .collect();
    format!(
        "<h2>Where a request spent its time</h2>\n{bars}<p class=\"legend\">{both}{legends}</p>\n\
         <p class=\"quiet\">From when it was due until it was collected. In a stage, the time runs \
         from the put, so that a put that waits for room counts for the queue that is full.</p>\n"
    )
}

// --- one run

fn tables(run: &Run) -> String {
    let mut queues = Vec::new();
    for stage in &run.stages {
        let Some(q) = &stage.queue else { continue };
        let waits = |calls: u64, time: u64| match (calls, time) {
            (0, 0) => "none".into(),
            (n, 0) => n.to_string(),
            (n, time) => format!("{n}<small>waited {}</small>", duration(time)),
        };
        queues.push(vec![
            format!("{}<small>{}</small>", escape(&stage.name), escape(&stage.kind)),
            match q.queues {
                1 => q.capacity.to_string(),
                n => format!("{n} × {}", q.capacity),
            },
            q.peak.to_string(),
            waits(q.failed_enqueue, q.room_ns),
            waits(q.failed_dequeue, q.items_ns),
        ]);
    }
    let times = |name: String, times: &Times| {
        let mut cells = vec![name];
        cells.extend([times.mean_ns, times.p50_ns, times.p99_ns, times.max_ns].map(duration));
        cells
    };
    let mut stages: Vec<_> =
        run.stages.iter().map(|stage| times(escape(&stage.name), &stage.wait)).collect();
    stages.push(times("in all".into(), &run.total));
    format!(
        "<div class=\"tables\">\n<div><h2>Queues</h2>\n{}</div>\n<div><h2>Time in each stage</h2>\n{}</div>\n</div>\n",
        table(
            &["queue", "capacity", "peak", "puts that found no room", "gets that found nothing"],
            &queues
        ),
        table(&["stage", "mean", "half within", "99 % within", "longest"], &stages),
    )
}

fn queues(shown: &Shown) -> String {
    let run = shown.run;
    let mut figures = String::new();
    for (i, stage) in run.stages.iter().enumerate() {
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
        figures += &figure(&format!("{name}: items inside"), &legends, &svg);
        let other = shown.other.map(|(name, run)| (name, &run.stages[i].wait));
        figures += &time_figure(shown, &format!("{name}: time inside"), &stage.wait, other);
    }
    format!("<h2>The queues over time</h2>\n<div class=\"plots\">\n{figures}</div>\n")
}

fn time_figure(shown: &Shown, title: &str, times: &Times, other: Option<(&str, &Times)>) -> String {
    let mut legends = vec![legend(&FIRST, "about this time"), legend(&SECOND, "up to this time")];
    if let Some((name, _)) = other {
        legends.push(legend(&OTHER, &format!("{}, up to this time", escape(name))));
    }
    legends.push(format!(
        "<span>half within {}, 99 % within {}</span>",
        duration(times.p50_ns),
        duration(times.p99_ns)
    ));
    let other = other.map(|(_, times)| &*times.histogram);
    figure(title, &legends, &plot::times(&times.histogram, other, &extremes(shown)))
}

/// The least and the largest bound of all histograms of times, so that all have one scale.
fn extremes(shown: &Shown) -> Vec<(u64, u64)> {
    let runs = || [shown.run].into_iter().chain(shown.other.map(|(_, run)| run));
    let all =
        || runs().flat_map(|run| run.stages.iter().map(|stage| &stage.wait).chain([&run.total]));
    let bounds = || all().flat_map(|times| times.histogram.iter().copied());
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

fn requests(shown: &Shown) -> String {
    let run = shown.run;
    let mut figures = String::new();
    for (i, stage) in run.stages.iter().enumerate() {
        if stage.queue.is_none() {
            let other = shown.other.map(|(name, run)| (name, &run.stages[i].wait));
            let title = format!("{}: time taken", escape(&stage.name));
            figures += &time_figure(shown, &title, &stage.wait, other);
        }
    }
    let other = shown.other.map(|(name, run)| (name, &run.total));
    figures += &time_figure(shown, "from due to collected", &run.total, other);
    let legends = [legend(&FIRST, "of its own batches"), legend(&SECOND, "stolen")];
    figures += &figure("requests of each worker", &legends, &plot::workers(&run.workers));
    format!("<h2>Requests and workers</h2>\n<div class=\"plots\">\n{figures}</div>\n")
}

pub fn footer(trace: &str) -> String {
    if !trace.contains("AzureLLMInferenceTrace") {
        return String::new();
    }
    "<footer>The trace is the Azure LLM inference trace of 2023 (Azure Public Dataset, CC-BY; Patel et al., \
     “Splitwise: Efficient generative LLM inference using phase splitting”, ISCA 2024).</footer>\n"
        .to_owned()
}
