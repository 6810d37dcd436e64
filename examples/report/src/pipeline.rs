//! The picture of the pipeline, and the sentences about where the time went. Threads are boxes and
//! queues are arrows; on a narrow screen the row becomes a column.

use crate::compare::{Kinds, queues_of};
use crate::run::{Queue, Run, Stage};
use crate::text::{count, duration, escape, percent};
use std::fmt::Write;

/// Of a wait: below this share of the run it is not worth a mention.
const SHORT: f64 = 0.01;

/// The threads at both ends of a queue.
struct Ends {
    puts: &'static str,
    gets: &'static str,
}

fn ends(stage: &str) -> Ends {
    let (puts, gets) = match stage {
        "intake" => ("frontend", "scheduler"),
        "priority" => ("scheduler", "dispatcher"),
        "batch" => ("dispatcher", "worker"),
        "deques" => ("worker", "worker"),
        "results" => ("worker", "collector"),
        _ => ("thread", "thread"),
    };
    Ends { puts, gets }
}

fn threads(run: &Run, role: &str) -> u64 {
    match role {
        "frontend" => run.parameters.frontends,
        "worker" => run.workers.len() as u64,
        _ => 1,
    }
}

/// How long each thread that puts into this stage waited for room, on average.
fn room_ns(run: &Run, stage: &Stage, queue: &Queue) -> u64 {
    queue.room_ns / threads(run, ends(&stage.name).puts)
}

fn share(run: &Run, nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9 / run.seconds
}

/// Where the time of the run went, and where that of a request.
pub fn sentences(run: &Run) -> String {
    let whole = duration((run.seconds * 1e9) as u64);
    let busy = match run.workers.len() {
        1 => format!("the worker was busy {} of the time", percent(run.busy())),
        n => format!("the {n} workers were busy {} of the time", percent(run.busy())),
    };
    let waits = run.stages.iter().filter_map(|stage| {
        let queue = stage.queue.as_ref()?;
        Some((room_ns(run, stage, queue), stage))
    });
    let longest = waits.max_by_key(|(wait, _)| *wait);
    let longest = longest.filter(|(wait, _)| share(run, *wait) >= SHORT);
    let first = match longest {
        Some((wait, stage)) => {
            let role = ends(&stage.name).puts;
            let who = match threads(run, role) {
                1 => format!("the {role} spent {}", duration(wait)),
                n => format!("each of the {n} {role}s spent {} on average", duration(wait)),
            };
            format!(
                "{whole}, of which {who} ({}) waiting for room in <em>{}</em>; {busy}.",
                percent(share(run, wait)),
                escape(&stage.name)
            )
        }
        None => format!("{whole}, and no thread waited long for room in a queue; {busy}."),
    };
    let mut stages: Vec<_> = run.stages.iter().collect();
    stages.sort_by_key(|stage| std::cmp::Reverse(stage.wait.mean_ns));
    let parts = stages.iter().take(2).filter(|stage| stage.wait.mean_ns > 0);
    let parts: Vec<_> = parts
        .map(|stage| {
            let place = match &*stage.name {
                "frontends" => "before it was put into <em>intake</em>".into(),
                "work" => "at work".into(),
                name => format!("in <em>{}</em>", escape(name)),
            };
            format!("{} {place}", duration(stage.wait.mean_ns))
        })
        .collect();
    let second = match parts.is_empty() {
        true => String::new(),
        false => format!(
            " A request took {} on average, of which {}.",
            duration(run.total.mean_ns),
            parts.join(" and ")
        ),
    };
    first + &second
}

fn threads_box(run: &Run, role: &str, does: &str) -> String {
    let busy = match does {
        "serve" => format!("busy {}", percent(run.busy())),
        _ => does.to_owned(),
    };
    let number = threads(run, role);
    format!(
        "<li class=\"threads\"><b>{role}{}</b><span>{}</span><span>{busy}</span></li>\n",
        if number == 1 { "" } else { "s" },
        count(number, "thread", "threads"),
    )
}

fn queue_arrow(run: &Run, stage: &Stage, queue: &Queue, other: Option<(&str, &Stage)>) -> String {
    let full = queue.peak as f64 / queue.capacity.max(1) as f64 * 100.0;
    let each = if queue.queues > 1 { " each" } else { "" };
    let several = if queue.queues > 1 { format!("{} × ", queue.queues) } else { String::new() };
    let mut lines = format!(
        "<span>peak {} of {}{each}</span><span>wait {}</span>",
        queue.peak,
        queue.capacity,
        duration(stage.wait.mean_ns)
    );
    if let Some((name, other)) = other {
        _ = write!(
            lines,
            "<span class=\"other\">{}: {}</span>",
            escape(name),
            duration(other.wait.mean_ns)
        );
    }
    let room = room_ns(run, stage, queue);
    if share(run, room) >= SHORT {
        _ = write!(lines, "<span class=\"full\">full for {}</span>", duration(room));
    }
    if queue.stolen > 0 {
        _ = write!(lines, "<span>{} stolen</span>", queue.stolen);
    }
    let (name, kind) = (escape(&stage.name), escape(&stage.kind));
    let title = format!(
        "{name}: {}. {}. {}.",
        match queue.room_ns {
            0 => "No put waited for room".into(),
            _ => format!("Puts waited for room for {} in all", duration(queue.room_ns)),
        },
        match queue.items_ns {
            0 => "No get waited for items".into(),
            _ => format!("Gets waited for items for {} in all", duration(queue.items_ns)),
        },
        format_args!("99 % of the requests left within {}", duration(stage.wait.p99_ns)),
    );
    format!(
        "<li class=\"queue\" title=\"{title}\"><b>{name}</b><span>{several}{kind}</span>\
         <i style=\"--full:{full:.0}%\"></i>{lines}</li>\n"
    )
}

/// What the threads that get from a queue do, for their box.
fn task(role: &str) -> &'static str {
    match role {
        "scheduler" => "shortest first",
        "dispatcher" => "makes batches",
        "collector" => "polls",
        _ => "",
    }
}

fn middle_of(kinds: &Kinds) -> String {
    let n = kinds.first.len();
    let each = if kinds.second.is_some() { " of each kind" } else { "" };
    match n {
        1 => String::new(),
        _ => {
            format!(
                " Of {n} runs{each}, picture and plots show the one with the median time of a request."
            )
        }
    }
}

pub fn picture(kinds: &Kinds) -> String {
    let run = kinds.first.middle();
    let [_, second_name] = kinds.names();
    let second = kinds.second.as_ref().map(|kind| kind.middle());
    let queues: Vec<_> = run
        .stages
        .iter()
        .enumerate()
        .filter_map(|(i, stage)| Some((i, stage, stage.queue.as_ref()?)))
        .collect();
    let mut items = String::new();
    for (nth, (i, stage, queue)) in queues.iter().enumerate() {
        let Ends { puts, gets } = ends(&stage.name);
        if nth == 0 {
            items += &threads_box(run, puts, "when due");
        }
        let other = second.map(|run| (&*second_name, &run.stages[*i]));
        items += &queue_arrow(run, stage, queue, other);
        let does = match &*stage.name {
            "batch" => "take batches",
            "deques" => "serve",
            _ => task(gets),
        };
        items += &threads_box(run, gets, does);
    }
    format!(
        "<ol class=\"pipeline\" aria-label=\"The pipeline\">\n{items}</ol>\n\
         <p class=\"quiet\">The demo replays a trace of LLM requests; a worker spends a fixed time on \
         each token and computes nothing. Boxes are threads, arrows are queues of {}. An arrow is filled as far as \
         its queue was at its peak; <em>wait</em> is the mean time of a request in it, and \
         <em>full</em> the time that a thread waited for room.{}</p>\n",
        escape(&queues_of(run)),
        middle_of(kinds)
    )
}
