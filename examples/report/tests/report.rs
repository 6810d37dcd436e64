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
    json!({"mean_ns": 1_000_000, "p50_ns": 1500, "p99_ns": 2_500_000, "max_ns": 3_100_000,
           "histogram": [[1000, 2], [1681, 6], [2594000, 1], [3668000, 1]]})
}

fn stage(name: &str, kind: &str, queues: u64, capacity: u64) -> Value {
    let mut stage = json!({"name": name, "kind": kind, "in": 10, "out": 10, "wait": times()});
    if queues > 0 {
        stage["queue"] = json!({"queues": queues, "capacity": capacity, "peak": 4,
            "failed_enqueue": 0, "failed_dequeue": 71, "stolen": 3, "room_ns": 500_000_000, "items_ns": 1_234_567});
    }
    stage
}

/// A run of ten requests.
fn run() -> Value {
    json!({
        "format": 2, "program": "Serving demo, in C", "queues": "libqueues", "library": "1.2.3",
        "machine": {"processor": "Some CPU", "processors": 6, "kernel": "Linux 7.8.9"},
        "date": "2026-11-26 17:36 UTC", "trace": "some/where/trace.csv",
        "parameters": {"speed": 4, "frontends": 2, "workers": 2, "capacity": 256, "batch_size": 8,
                       "batch_tokens": 8192, "linger_ms": 20},
        "requests": 10, "served": 10, "seconds": 2.5,
        "cost": {"cpu_ns": 5_000_000, "switches": 30},
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
    // The frontends, 2 threads, waited 0.5 s in all; the deques have no other thread that waits.
    let sentence = "<p class=\"lead\">2.50 s, of which each of the 2 frontends spent 250 ms on average \
        (10 %) waiting for room in <em>intake</em>; the 2 workers were busy less than 1 % of the time. A \
        request took 1.00 ms on average, of which";
    let mut alone = run();
    alone["stages"][2]["queue"]["room_ns"] = json!(0);
    let text = drawn(&alone, "alone");
    assert!(text.contains(sentence), "{text}");
    for fact in [
        "<dt>machine</dt><dd>Some CPU, 6 processors, Linux 7.8.9</dd>",
        "<dt>library</dt><dd>libqueues 1.2.3</dd>",
        "<dt>date</dt><dd>2026-11-26 17:36 UTC</dd>",
        "<dt>trace</dt><dd>trace.csv, 10 requests</dd>",
        "<dt>speed</dt><dd>4 times as recorded</dd>",
        "<b>frontends</b><span>2 threads</span>",
        "<b>deques</b><span>2 × deque</span>",
        "<span>peak 4 of 8 each</span><span>wait 1.00 ms</span>",
        "<span class=\"full\">full for 250 ms</span><span>3 stolen</span>",
    ] {
        assert!(page.contains(fact), "{fact}:\n{page}");
    }
    let row = "<tr><th scope=\"row\">deques<small>deque</small></th><td>2 × 8</td><td>4</td>\
        <td>0<small>waited 500 ms</small></td><td>71<small>waited 1.23 ms</small></td></tr>";
    assert!(page.contains(row), "{page}");
    let row = "<tr><th scope=\"row\">deques</th><td>1.00 ms</td><td>1.50 µs</td><td>2.50 ms</td>\
        <td>3.10 ms</td></tr>";
    assert!(page.contains(row), "{page}");
    for title in [
        "intake: items inside",
        "intake: time inside",
        "deques: items inside",
        "deques: time inside",
        "requests in a batch",
        "tokens in a batch",
        "frontends: time taken",
        "work: time taken",
        "from due to collected",
        "requests of each worker",
    ] {
        assert!(page.contains(&format!("aria-label=\"{title}\"")), "{title}:\n{page}");
    }
    let count = |what| page.matches(what).count();
    assert_eq!((count("<svg"), count("</svg>")), (10, 10));
    for name in ["items", "time, s", "share of requests", "batches", "tokens in a batch", "worker"]
    {
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

/// A part of a plot shows its value while the pointer is on it.
#[test]
fn shows_values_on_hover() {
    let page = drawn(&run(), "values");
    for value in [
        "at 0.001 s: at most 4 items",
        "1.00 µs to 2.00 µs: 60.0 %; up to 2.00 µs: 80.0 %",
        "1 request: 2 batches",
        "8 requests: 1 batch",
        "1218 to 1448 tokens: 1 batch",
        "worker 0: 7 requests, 3 of them stolen",
    ] {
        let shown = page
            .split("<g class=\"value\" tabindex=\"-1\"><rect ")
            .any(|part| part.split("</g>").next().unwrap().contains(&format!(">{value}</text>")));
        assert!(shown, "{value}:\n{page}");
    }
    assert!(page.contains(" title=\"intake: 1.00 ms\""), "{page}");
}

/// Draws runs of several kinds and returns the page and what the tool prints.
fn compared(runs: &[&Value], name: &str) -> (String, String) {
    let mut paths = Vec::new();
    for (i, run) in runs.iter().enumerate() {
        paths.push(scratch(&format!("{name}-{i}.json")));
        fs::write(&paths[i], run.to_string()).unwrap();
    }
    paths.push(scratch(&format!("{name}.html")));
    let output = report(&paths.iter().map(|path| &**path).collect::<Vec<_>>());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(paths.last().unwrap()).unwrap();
    (page, String::from_utf8(output.stdout).unwrap())
}

/// A run that takes this many seconds, over mutex queues or ours.
fn run_of(queues: &str, seconds: f64) -> Value {
    let mut run = run();
    run["queues"] = json!(queues);
    run["seconds"] = json!(seconds);
    run
}

#[test]
fn shows_the_run_in_the_middle() {
    let runs = [3.0, 1.0, 2.0].map(|seconds| {
        let mut run = run_of("libqueues", seconds);
        run["total"]["mean_ns"] = json!((seconds * 1e6) as u64);
        run
    });
    let (page, printed) = compared(&runs.each_ref(), "middle");
    assert!(page.contains("<p class=\"lead\">2.00 s, of which"), "{page}");
    assert!(page.contains("Of 3 runs, picture and plots show the one with the median"), "{page}");
    assert!(!page.contains(" beside "), "{page}");
    assert!(printed.starts_with("2.00 s, of which") && printed.lines().count() == 1, "{printed}");
}

#[test]
fn compares_two_kinds_of_queues() {
    let [a, b] = [1.0, 2.0].map(|seconds| run_of("libqueues", seconds));
    let [c, d] = [3.0, 6.0].map(|seconds| run_of("mutex", seconds));
    let (page, printed) = compared(&[&a, &c, &b, &d, &a, &b, &c, &d], "compared");
    let heading = "<h2>libqueues 1.2.3 beside mutex + condition variables</h2>";
    assert!(page.contains(heading), "{page}");
    let row = "<tr><th scope=\"row\">the whole run</th><td>1.50 s<small>1.00 s – 2.00 s</small></td>\
        <td>4.50 s<small>3.00 s – 6.00 s</small></td><td><b>3.00</b></td></tr>";
    assert!(page.contains(row), "{page}");
    let row = "<tr><th scope=\"row\">context switches a request</th><td>3.00<small>3.00 – 3.00</small>\
        </td><td>3.00<small>3.00 – 3.00</small></td><td>1.00</td></tr>";
    assert!(page.contains(row), "{page}");
    let verdict = "With mutex the run took 3.00 times as long as with libqueues: every run was longer \
        than each of those. No other ratio is outside the spread of the runs.";
    assert_eq!(printed.lines().nth(1), Some(verdict), "{page}");
    for shown in ["mutex: 1.00 ms on average", "mutex, up to this time", "Of 4 runs of each kind"] {
        assert!(page.contains(shown), "{shown}:\n{page}");
    }
    assert_eq!(page.matches("<span class=\"other\">mutex: 1.00 ms</span>").count(), 2, "{page}");
}

#[test]
fn admits_that_there_is_no_difference() {
    let [a, b] = [1.0, 2.0].map(|seconds| run_of("libqueues", seconds));
    let [c, d] = [1.5, 2.5].map(|seconds| run_of("mutex", seconds));
    let printed = compared(&[&a, &b, &c, &d, &a, &b, &c, &d], "equal").1;
    assert!(
        printed.contains(
            "1.33 times as long as with libqueues: no clear difference. The work on a request, "
        ),
        "{printed}"
    );
    let (mut c, mut d) = (c.clone(), d.clone());
    for run in [&mut c, &mut d] {
        run["cost"]["switches"] = json!(15);
    }
    let printed = compared(&[&a, &b, &c, &d, &a, &b, &c, &d], "switches").1;
    let clear = "Ratios outside the spread of the runs: context switches a request 0.50.";
    assert!(printed.contains(clear), "{printed}");
    let (page, printed) = compared(&[&a, &c, &a, &c, &a, &c], "few");
    let few =
        "as long as with libqueues. 4 runs of each would show whether that is more than chance.";
    assert!(printed.contains(few), "{printed}");
    assert!(!page.contains("<td><b>"), "{page}");
}

/// Two programs with the same queues are compared by their language.
#[test]
fn compares_two_programs() {
    let (a, mut b) = (run(), run());
    b["program"] = json!("Serving demo, in Go");
    let (page, printed) = compared(&[&a, &b], "programs");
    assert!(printed.contains("With Go the run took 1.00 times as long as with C"), "{printed}");
    assert!(page.contains("Go: 1.00 ms on average"), "{page}");
}

#[test]
fn refuses_runs_that_are_not_comparable() {
    let first = scratch("comparable.json");
    fs::write(&first, run().to_string()).unwrap();
    let refuses = |pointer: &str, value: Value, message: &str| {
        let (second, to) = (scratch("different.json"), scratch("different.html"));
        let mut other = run();
        *other.pointer_mut(pointer).unwrap() = value;
        fs::write(&second, other.to_string()).unwrap();
        let output = report(&[&first, &second, &to]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains("different.json is not comparable with "), "{stderr}");
        assert!(
            stderr.contains(&format!("comparable.json, which has {message}: compare")),
            "{stderr}"
        );
        assert!(!to.exists() && !scratch("different.html.new").exists());
    };
    refuses("/trace", json!("x.csv"), "another trace");
    refuses("/requests", json!(11), "another trace");
    refuses("/parameters/speed", json!(5), "another speed");
    refuses("/parameters/workers", json!(5), "other options");
    refuses("/stages/3/name", json!("x"), "other stages");
    refuses("/machine/processors", json!(7), "another machine");

    let kinds = ["libqueues", "mutex", "third"].map(|queues| {
        let path = scratch(&format!("{queues}.json"));
        fs::write(&path, run_of(queues, 1.0).to_string()).unwrap();
        path
    });
    let output = report(&[&kinds[0], &kinds[1], &kinds[2], &scratch("kinds.html")]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.ends_with(
            "third.json is of a third kind, Serving demo, in C over third: a page compares two\n"
        ),
        "{stderr}"
    );
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
        page.contains("&lt;u&gt;&amp;&quot;.csv") && page.contains("&lt;i&gt;: items inside"),
        "{page}"
    );
    assert!(!page.contains("<u>") && !page.contains("<i>"), "{page}");

    run["queues"] = json!("<u>");
    run["machine"]["processor"] = json!("<u>");
    run["machine"]["kernel"] = json!("<u>");
    run["library"] = json!("<u>");
    run["date"] = json!("<u>");
    run["program"] = json!("<u>");
    run["stages"][1]["kind"] = json!("<u>");
    let page = drawn(&run, "names");
    assert!(!page.contains("<u>"), "{page}");
}

#[test]
fn shows_what_was_lost() {
    let mut run = run();
    run["served"] = json!(9);
    run["stages"][1]["out"] = json!(9);
    let page = drawn(&run, "lost");
    assert!(page.contains("Of 10 requests 9 came out"), "{page}");
    assert!(page.contains(" intake: 10 in, 9 out.") && !page.contains("deques: 10 in"), "{page}");
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
    for stage in largest["stages"].as_array_mut().unwrap() {
        stage["wait"]["mean_ns"] = json!(most);
        if stage.get("queue").is_some() {
            for field in ["peak", "failed_enqueue", "failed_dequeue", "room_ns", "items_ns"] {
                stage["queue"][field] = json!(most);
            }
        }
    }
    largest["cost"] = json!({"cpu_ns": most, "switches": most});
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
    for field in run().as_object().unwrap().keys().filter(|field| *field != "format") {
        let mut less = run();
        less.as_object_mut().unwrap().remove(field);
        refuses(&less.to_string(), &format!("missing field `{field}`"));
    }
    let refuses_with = |pointer: &str, value: Value, message: &str| {
        let mut other = run();
        *other.pointer_mut(pointer).unwrap() = value;
        refuses(&other.to_string(), message);
    };
    let format = |found| {
        format!("format 2 of the record expected, found {found}: run the demo again, with --json")
    };
    refuses_with("/format", json!(1), &format("1"));
    refuses_with("/format", json!(3), &format("3"));
    refuses_with("/format", json!(null), &format("none"));
    refuses("{\"program\":\"Serving demo, in C\",\"seconds\":1}", &format("none"));
    refuses_with("/parameters/frontends", json!(0), "parameters.frontends: there are none");
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
    refuses(&[], "expected a run and a page, found 0; try --help");
    refuses(&[&run_path], "expected a run and a page, found 1; try --help");
    refuses(&[&run_path, &page, &page], "none.html: No such file");
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
fn reports_that_its_output_is_lost() {
    let (from, to) = (scratch("unprinted.json"), scratch("unprinted.html"));
    fs::write(&from, run().to_string()).unwrap();
    for arguments in [&[&*from, &*to][..], &[Path::new("--help")]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_report"));
        let output = command.args(arguments).stdout(full).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr, "report: standard output cannot be written\n");
        assert_eq!(output.status.code(), Some(2));
    }
    assert!(fs::read_to_string(to).unwrap().ends_with("</html>\n"));
    let output = report(&[&from, Path::new("/dev/full")]);
    assert_eq!(output.stderr, b"report: /dev/full: No space left on device\n");
    assert_eq!(output.status.code(), Some(2));
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

/// A run of four requests whose workers are killed.
fn killed() -> Value {
    json!({
        "format": 2, "kind": "processes", "library": "1.2.3",
        "machine": {"processor": "Some CPU", "processors": 6, "kernel": "Linux 7.8.9"},
        "date": "2026-11-26 17:36 UTC", "trace": "some/where/<trace>.csv",
        "parameters": {"speed": 4, "workers": 2, "capacity": 256, "kill_every_ms": 50, "seed": 1},
        "requests": 4, "served": 4, "answered_twice": 5, "redelivered": 1, "killed": 2, "recovered": 6,
        "seconds": 2.0, "total": times(),
        "workers": [{"place": 0, "start_ns": 0, "end_ns": 900_000_000, "killed": true},
                    {"place": 1, "start_ns": 0, "end_ns": 2_000_000_000, "killed": false},
                    {"place": 0, "start_ns": 950_000_000, "end_ns": 1_100_000_000, "killed": true}],
        "answers": [[100_000_000, 50_000_000, 1], [910_000_000, 80_000_000, 1],
                    [1_300_000_000, 700_000_000, 2], [1_900_000_000, 1_000_000, 1]],
    })
}

#[test]
fn draws_workers_that_are_killed() {
    let page = drawn(&killed(), "killed");
    for part in [
        "<h1>Workers that are killed: &lt;trace&gt;.csv at 4 times its speed</h1>",
        "In 2.0 s, 2 worker processes were killed by SIGKILL. Others got 1 request that they had held; \
         all 4 requests were served, and none twice.",
        "<dt>machine</dt><dd>Some CPU, 6 processors, Linux 7.8.9</dd>",
        "<dt>a kill every</dt><dd>50 ms on average, seed 1</dd>",
        "answered once more, which the frontend ignored</th><td>5</td>",
        "cells of the queues that were recovered from dead workers</th><td>6</td>",
        "at 0.90 s: 1 worker killed; 1 answer, of which 0 redelivered; the longest took 80.0 ms",
        "at 1.30 s: 0 workers killed; 1 answer, of which 1 redelivered; the longest took 700 ms",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // A mark for each worker that was killed, and one for the request that was redelivered.
    assert_eq!(page.matches("<circle").count(), 1);
    let alarm = "stroke=\"#BE2638\"";
    assert_eq!(page.matches(alarm).count(), 2 + page.matches(&format!("svg [{alarm}]")).count());
}

#[test]
fn a_request_without_an_answer_stands_first() {
    let mut run = killed();
    run["served"] = json!(3);
    let page = drawn(&run, "unserved");
    assert!(page.contains("<p class=\"lead lost\">"), "{page}");
    assert!(page.contains("1 request had no answer."), "{page}");
}

#[test]
fn refuses_broken_runs_of_processes() {
    for (field, value, message) in [
        ("format", json!(1), "format 2 of the record expected, found 1"),
        ("seconds", json!(0), "seconds: not a duration"),
        (
            "workers",
            json!([{"place": 10_000, "start_ns": 0, "end_ns": 1, "killed": true}]),
            "workers: a place",
        ),
        ("answers", json!([[1, 2]]), "invalid length 2"),
        (
            "total",
            json!({"mean_ns": 1, "p50_ns": 1, "p99_ns": 1, "max_ns": 1, "histogram": [[0, 1]]}),
            "total: bounds",
        ),
    ] {
        let mut run = killed();
        run[field] = value;
        let (from, to) = (scratch(&format!("broken-{field}.json")), scratch("broken.html"));
        fs::write(&from, run.to_string()).unwrap();
        let output = report(&[&from, &to]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{field}: {stderr}");
        assert!(stderr.contains(message) && stderr.lines().count() == 1, "{field}: {stderr}");
        assert!(!to.exists(), "{field}");
    }
}
