//! The tool as users run it: it draws every figure of a run, refuses bad input with one line, and
//! never leaves a partial page.

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn report(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_report")).args(arguments).output().unwrap()
}

fn times() -> Value {
    json!({"p50_ns": 1500, "p99_ns": 2_500_000, "max_ns": 3_100_000,
           "histogram": [[1000, 2], [1681, 6], [2594000, 1], [3668000, 1]]})
}

fn stage(name: &str, kind: &str, queues: u64, capacity: u64) -> Value {
    let mut stage = json!({"name": name, "kind": kind, "in": 10, "out": 10, "wait": times()});
    if queues > 0 {
        stage["queue"] = json!({"queues": queues, "capacity": capacity, "peak": 4,
            "failed_enqueue": 0, "failed_dequeue": 71, "stolen": 3, "put_ns": 1234567});
    }
    stage
}

/// A run of ten requests.
fn run() -> Value {
    json!({
        "program": "Serving demo, in C", "trace": "some/where/trace.csv",
        "parameters": {"speed": 4, "frontends": 2, "workers": 2, "capacity": 256, "batch_size": 8,
                       "batch_tokens": 8192, "linger_ms": 20},
        "requests": 10, "served": 10, "seconds": 2.5,
        "stages": [stage("frontends", "threads", 0, 0), stage("intake", "mpmc", 1, 256),
                   stage("deques", "deque", 2, 8), stage("work", "threads", 0, 0)],
        "total": times(),
        "depth": {"t_ms": [0.0, 1.0, 2.5, 4.0],
                  "stages": [{"name": "intake", "items": [0, 4, 1, 0]},
                             {"name": "deques", "items": [0, 2, 7, 0]}]},
        "batches": {"sizes": [[1, 2], [8, 1]], "tokens": [[1448, 1], [5793, 2]]},
        "workers": [{"served": 7, "stolen": 3}, {"served": 3, "stolen": 0}],
    })
}

/// Draws a run, which must succeed, and returns the page.
fn drawn(run: &Value, name: &str) -> String {
    let (from, to) = (scratch(&format!("{name}.json")), scratch(&format!("{name}.html")));
    fs::write(&from, run.to_string()).unwrap();
    let output = report(&[&from, &to]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(to).unwrap()
}

#[test]
fn draws_everything() {
    let page = drawn(&run(), "everything");
    assert!(page.contains("<h1>Serving demo, in C: trace.csv at 4 times its speed</h1>"), "{page}");
    assert!(
        page.contains("All 10 requests came out, each once, in 2.50 s: 4.0 a second"),
        "{page}"
    );
    let row = "<tr><td>deques</td><td>deque</td><td>10</td><td>10</td><td>2 × 8</td><td>4</td>\
        <td>0</td><td>71</td><td>3</td><td>1.235</td><td>0.002</td><td>2.500</td><td>3.100</td></tr>";
    assert!(page.contains(row), "{page}");
    for title in [
        "intake: depth",
        "intake: waiting time",
        "deques: depth",
        "deques: waiting time",
        "requests in a batch",
        "tokens in a batch",
        "frontends: time",
        "work: time",
        "from due to collected",
        "requests of each worker",
    ] {
        assert!(page.contains(&format!("aria-label=\"{title}\"")), "{title}:\n{page}");
    }
    let count = |what| page.matches(what).count();
    assert_eq!((count("<svg"), count("</svg>")), (10, 10));
    for name in ["items", "time, s", "requests", "batches", "tokens in a batch", "worker"] {
        assert!(page.contains(&format!("\n{name}\n</text>")), "no axis is called {name}:\n{page}");
    }
}

/// A browser needs no other file for the page.
#[test]
fn is_one_page() {
    let page = drawn(&run(), "one");
    for other in ["<script", "<link", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(other), "{other}:\n{page}");
    }
    assert!(!page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "").contains("://"), "{page}");
}

/// Every color in a plot has a rule that replaces it on a dark page.
#[test]
fn every_color_has_a_dark_one() {
    let page = drawn(&run(), "dark");
    let (head, body) = page.split_once("</style>").unwrap();
    let mut colors = 0;
    for attribute in ["fill=\"", "stroke=\""] {
        for part in body.split(attribute).skip(1) {
            let value = part.split('"').next().unwrap();
            if value != "none" {
                let rule = format!("svg [{attribute}{value}\"] {{");
                assert!(head.contains(&rule), "{rule}");
                colors += 1;
            }
        }
    }
    assert!(colors > 100, "{colors}");
}

#[test]
fn reads_standard_input() {
    let (from, to) = (scratch("input.json"), scratch("input.html"));
    fs::write(&from, run().to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_report"));
    command.args(["--", "-"]).arg(&to).stdin(Stdio::from(fs::File::open(from).unwrap()));
    assert!(command.status().unwrap().success());
    assert_eq!(fs::read_to_string(to).unwrap(), drawn(&run(), "input_again"));
}

#[test]
fn names_are_text() {
    let mut run = run();
    run["trace"] = json!("<u>&\".csv");
    run["stages"][1]["name"] = json!("<i>");
    run["depth"]["stages"][0]["name"] = json!("<i>");
    let page = drawn(&run, "names");
    assert!(
        page.contains("&lt;u&gt;&amp;&quot;.csv") && page.contains("&lt;i&gt;: depth"),
        "{page}"
    );
    assert!(!page.contains("<u>") && !page.contains("<i>"), "{page}");
}

#[test]
fn shows_what_was_lost() {
    let mut run = run();
    run["served"] = json!(9);
    assert!(drawn(&run, "lost").contains("Of 10 requests 9 came out"));
}

#[test]
fn cites_the_trace() {
    let mut run = run();
    run["trace"] = json!("x/AzureLLMInferenceTrace_conv.csv");
    assert!(drawn(&run, "cites").contains("CC-BY"));
}

/// A run without requests, and one with the largest numbers.
#[test]
fn draws_extremes() {
    let mut nothing = run();
    nothing["total"]["histogram"] = json!([]);
    nothing["batches"] = json!({"sizes": [], "tokens": []});
    nothing["depth"]["t_ms"] = json!([0.0, 0.0, 0.0, 0.0]);
    nothing["workers"] = json!([{"served": 0, "stolen": 0}]);
    for stage in nothing["stages"].as_array_mut().unwrap() {
        stage["wait"]["histogram"] = json!([]);
    }
    assert!(!drawn(&nothing, "nothing").contains("NaN"));

    let mut largest = run();
    let most = u64::MAX;
    largest["total"]["histogram"] = json!([[1, most], [most, most]]);
    largest["batches"] = json!({"sizes": [[most, most]], "tokens": [[1, 1], [most, most]]});
    largest["depth"]["stages"][0]["items"] = json!([most, 0, most, 0]);
    largest["stages"][1]["queue"]["capacity"] = json!(most);
    largest["stages"][2]["queue"]["capacity"] = json!(most);
    largest["workers"] = json!([{"served": most, "stolen": most}, {"served": 0, "stolen": most}]);
    let page = drawn(&largest, "largest");
    assert!(!page.contains("NaN") && !page.contains("inf"));
}

/// The tool ends with exit code 2, prints `message` and writes no page.
fn refuses(text: &str, message: &str) {
    let (from, to) = (scratch("refused.json"), scratch("refused.html"));
    fs::write(&from, text).unwrap();
    let output = report(&[&from, &to]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}: {stderr}");
    assert!(stderr.contains("refused.json: ") && stderr.contains(message), "{message}: {stderr}");
    assert!(!to.exists());
}

#[test]
fn refuses_json_that_is_no_run() {
    refuses("", "EOF");
    refuses("a,b,c\n", "expected value");
    refuses("[]", "invalid");
    for field in run().as_object().unwrap().keys() {
        let mut less = run();
        less.as_object_mut().unwrap().remove(field);
        refuses(&less.to_string(), &format!("missing field `{field}`"));
    }
    let refuses_with = |pointer: &str, value: Value, message: &str| {
        let mut other = run();
        *other.pointer_mut(pointer).unwrap() = value;
        refuses(&other.to_string(), message);
    };
    refuses_with("/requests", json!(-1), "invalid value");
    refuses_with("/seconds", json!(0), "seconds: not a duration");
    refuses_with("/parameters/speed", json!(0.0), "parameters.speed: not above 0");
    refuses_with("/stages", json!([]), "stages: there are none");
    refuses_with("/workers", json!([]), "workers: there are none");
    refuses_with("/depth/t_ms", json!([]), "depth: there are no samples");
    refuses_with("/depth/t_ms", json!([0.0, 2.0, 1.0, 3.0]), "depth.t_ms: not times in order");
    refuses_with("/depth/t_ms", json!([0.0, 2.0, 3.0, 1e300]), "depth.t_ms: not times in order");
    refuses_with("/depth/stages/1/items", json!([1]), "deques has 1 samples, there are 4 times");
    refuses_with("/depth/stages/0/name", json!("x"), "depth.stages: intake is missing");
    refuses_with("/stages/1/wait/histogram", json!([[2, 1], [2, 1]]), "stages: intake: bounds");
    refuses_with("/total/histogram", json!([[0, 1]]), "total: bounds");
    refuses_with("/batches/sizes", json!([[3, 1], [1, 1]]), "batches.sizes: bounds");
    refuses_with("/batches/tokens", json!([[3, 1], [1, 1]]), "batches.tokens: bounds");
}

#[test]
fn refuses_files_and_arguments() {
    let run_path = scratch("fine.json");
    fs::write(&run_path, run().to_string()).unwrap();
    let refuses = |arguments: &[&Path], message: &str| {
        let output = report(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    };
    let page = scratch("none.html");
    refuses(&[], "expected two files, found 0");
    refuses(&[&run_path], "expected two files, found 1");
    refuses(&[&run_path, &page, &page], "expected two files, found 3");
    refuses(&[Path::new("--fast"), &run_path, &page], "--fast");
    refuses(&[Path::new("no such file"), &page], "no such file: No such file");
    refuses(&[Path::new("."), &page], ".: Is a directory");
    refuses(&[&run_path, Path::new("no/such/folder.html")], "no/such/folder.html: No such file");
    let help = report(&[Path::new("--help")]);
    assert!(help.status.success() && help.stdout.starts_with(b"usage: report"));
}

/// An old page stays until the new one is complete.
#[test]
fn keeps_the_old_page() {
    let (from, to) = (scratch("garbage.json"), scratch("kept.html"));
    fs::write(&to, "as it was").unwrap();
    // An escape sequence, which must not reach a terminal.
    fs::write(&from, "{\"trace\":5,\"\\u001b[31m\":\x1b}").unwrap();
    for (arguments, status) in [
        (&[&*from, &*to][..], 2),
        (&[Path::new("--check"), &*to], 0),
        (&[Path::new("--check"), Path::new("--"), &*to], 0),
    ] {
        let output = report(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {stderr}");
        assert!(!stderr.contains('\x1b'), "{stderr:?}");
        assert_eq!(fs::read_to_string(&to).unwrap(), "as it was", "{arguments:?}");
        assert!(!scratch("kept.html.new").exists(), "{arguments:?}");
    }
}

#[test]
fn checks_and_leaves_nothing() {
    let to = scratch("checked.html");
    assert!(report(&[Path::new("--check"), &to]).status.success());
    assert!(!to.exists() && !scratch("checked.html.new").exists());
    let refuses = |arguments: &[&str], message: &str| {
        let paths: Vec<_> = arguments.iter().map(Path::new).collect();
        let output = report(&paths);
        assert_eq!(String::from_utf8(output.stderr).unwrap(), format!("report: {message}\n"));
        assert_eq!(output.status.code(), Some(2));
    };
    refuses(&["--check", "no/such/page.html"], "no/such/page.html: No such file or directory");
    refuses(&["--check", "/"], "/: Is a directory");
    refuses(&["--check"], "expected one file, found 0; try --help");
    refuses(&["--check", "a", "b"], "expected one file, found 2; try --help");
}

/// A long text with escape sequences where a number is expected.
#[test]
fn long_and_foreign_texts_are_shortened() {
    let mut run = run();
    run["requests"] = json!(format!("\u{1b}[31m{}", "x".repeat(100_000)));
    let (from, to) = (scratch("foreign.json"), scratch("foreign.html"));
    fs::write(&from, run.to_string()).unwrap();
    let output = report(&[&from, &to]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr.len() < 600 && !stderr.contains('\x1b') && stderr.lines().count() == 1,
        "{stderr:?}"
    );
}
