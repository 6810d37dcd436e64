//! The serving demo: what its JSON says adds up, and it draws its page with this tool.
//!
//! QUEUES_SERVING names the programs, with spaces between them; `make test-report` builds them.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const TRACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/trace.csv");

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn programs() -> Vec<String> {
    let names = std::env::var("QUEUES_SERVING").unwrap_or_default();
    if names.is_empty() {
        eprintln!("left out: QUEUES_SERVING names no program");
    }
    names.split_whitespace().map(Into::into).collect()
}

fn serve(program: &str, tool: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.env("QUEUES_REPORT", tool).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

/// Of pairs of something and how many there were of it.
fn counts(pairs: &Value) -> u64 {
    list(pairs).iter().map(|pair| number(&pair[1])).sum()
}

fn check_times(times: &Value, requests: u64) {
    assert_eq!(counts(&times["histogram"]), requests, "{times}");
    let [p50, p99, max] = ["p50_ns", "p99_ns", "max_ns"].map(|name| number(&times[name]));
    assert!(p50 <= p99 && p99 <= max, "{times}");
    let last = list(&times["histogram"]).last().unwrap();
    assert!(number(&last[0]) >= max, "{times}");
}

/// Everything that is said twice is said alike.
fn check(run: &Value) {
    let requests = number(&run["requests"]);
    assert_eq!(number(&run["served"]), requests);
    let mut stolen = 0;
    for stage in list(&run["stages"]) {
        assert_eq!([&stage["in"], &stage["out"]].map(number), [requests; 2], "{stage}");
        check_times(&stage["wait"], requests);
        let Some(queue) = stage.get("queue") else { continue };
        let [queues, capacity, peak] =
            ["queues", "capacity", "peak"].map(|name| number(&queue[name]));
        assert!((1..=capacity).contains(&peak), "{stage}");
        stolen += number(&queue["stolen"]);
        let depth = list(&run["depth"]["stages"]);
        let depth = depth.iter().find(|line| line["name"] == stage["name"]).unwrap();
        for items in list(&depth["items"]) {
            assert!(number(items) <= queues * capacity, "{stage}: {items} items at once");
        }
    }
    check_times(&run["total"], requests);
    assert!(list(&run["depth"]["t_ms"]).len() <= 2048);

    let (sizes, parameters) = (list(&run["batches"]["sizes"]), &run["parameters"]);
    let batched = sizes.iter().map(|pair| number(&pair[0]) * number(&pair[1]));
    assert_eq!(batched.sum::<u64>(), requests);
    assert_eq!(counts(&run["batches"]["sizes"]), counts(&run["batches"]["tokens"]));
    assert!(sizes.iter().all(|pair| number(&pair[0]) <= number(&parameters["batch_size"])));

    let workers = list(&run["workers"]);
    let sum = |name: &str| workers.iter().map(|worker| number(&worker[name])).sum::<u64>();
    assert_eq!(workers.len() as u64, number(&parameters["workers"]));
    assert_eq!((sum("served"), sum("stolen")), (requests, stolen));
}

/// What a run says and draws, which must go well.
fn run(program: &str, name: &str, arguments: &[&str], trace: &str) -> (Value, String) {
    let (json, page) = (scratch(&format!("{name}.json")), scratch(&format!("{name}.html")));
    let mut all = vec!["--json", json.to_str().unwrap(), "--report", page.to_str().unwrap()];
    all.extend_from_slice(arguments);
    all.push(trace);
    let output = serve(program, env!("CARGO_BIN_EXE_report"), &all);
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    let run = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    (run, fs::read_to_string(page).unwrap())
}

#[test]
fn figures_agree() {
    let lines = fs::read_to_string(TRACE).unwrap().lines().count() as u64;
    for program in programs() {
        // Longer than there is room for samples, so that they are thinned out.
        let (figures, page) = run(&program, "agree", &["--speed", "20", "--workers", "3"], TRACE);
        check(&figures);
        assert_eq!(number(&figures["requests"]), lines - 1);
        let times = list(&figures["depth"]["t_ms"]);
        assert!(times.len() > 200, "{} samples", times.len());
        assert!(page.contains(figures["program"].as_str().unwrap()), "{page}");
        assert!(page.contains("All 450 requests came out, each once"), "{page}");
    }
}

/// More comes than one worker can do, and there is room for almost nothing: the frontends wait,
/// for as long as the work takes, and nothing is lost.
#[test]
fn overload_is_back_pressure() {
    const REQUESTS: u64 = 60;
    const WORK_MS: u64 = 5;
    let trace = scratch("overload.csv");
    let row = format!("2024-01-01 09:00:00.0,0,{}\n", 2 * WORK_MS);
    let rows = row.repeat(REQUESTS as usize);
    fs::write(&trace, format!("TIMESTAMP,ContextTokens,GeneratedTokens\n{rows}")).unwrap();
    let tight = ["--speed", "1", "--capacity", "1", "--batch-size", "1", "--workers", "1"];
    for program in programs() {
        let (figures, _) = run(&program, "overload", &tight, trace.to_str().unwrap());
        check(&figures);
        // At most ten are somewhere on their way, and the rest had to wait for room.
        let waited = (REQUESTS - 10) * WORK_MS * 1_000_000;
        let stages = list(&figures["stages"]);
        assert_eq!(
            (&stages[0]["name"], &stages[1]["name"]),
            (&"frontends".into(), &"intake".into())
        );
        assert!(number(&stages[0]["wait"]["max_ns"]) >= waited, "{figures:#}");
        assert!(number(&stages[1]["queue"]["put_ns"]) >= waited, "{figures:#}");
    }
}

#[test]
fn no_page_without_the_tool() {
    for program in programs() {
        let refuses = |tool: &str, page: &str, message: &str| {
            let output = serve(&program, tool, &["--speed", "1000000", "--report", page, TRACE]);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{program}: {stderr}");
            assert!(stderr.contains(message), "{program}: {stderr}");
        };
        refuses("no/such/tool", "page.html", "make report");
        let tool = env!("CARGO_BIN_EXE_report");
        refuses(tool, "no/such/folder.html", "no/such/folder.html: No such file");
    }
}
