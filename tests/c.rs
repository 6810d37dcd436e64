//! The programs of tests/c and examples/c, compiled and run against the libqueues.so of this build.
//!
//! CC and CFLAGS choose the compiler and more flags, such as a sanitizer; RUNNER is a command that
//! runs the programs, such as valgrind with its options.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, thread};

#[path = "support/servers.rs"]
mod servers;

/// A program that runs longer hangs. Every program takes far less, also under valgrind.
const WATCHDOG: Duration = Duration::from_secs(900);

const SONAME: &str = match env!("CARGO_PKG_VERSION_MAJOR").as_bytes() {
    b"0" => concat!("libqueues.so.0.", env!("CARGO_PKG_VERSION_MINOR")),
    _ => concat!("libqueues.so.", env!("CARGO_PKG_VERSION_MAJOR")),
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn out() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// The folder where the linker finds `libqueues.so` and the loader finds it by its SONAME.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        // Cargo puts the library next to the tests that depend on it.
        let built = env::current_exe().unwrap().with_file_name("libqueues.so");
        assert!(built.exists(), "{} is missing", built.display());
        let place = out().join("lib");
        fs::create_dir_all(&place).unwrap();
        for name in ["libqueues.so", SONAME] {
            let link = place.join(name);
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(&built, &link).unwrap();
        }
        place
    })
}

/// Compiles a program; warnings are errors.
fn build(source: &str) -> PathBuf {
    build_with(source, &[])
}

/// Compiles a program that also uses other libraries, with their flags.
fn build_with(source: &str, flags: &[String]) -> PathBuf {
    build_as(&source.trim_end_matches(".c").replace('/', "-"), source, flags)
}

/// Compiles a program under a name of its own.
fn build_as(name: &str, source: &str, flags: &[String]) -> PathBuf {
    let program = out().join(name);
    let host = format!("{}-unknown-{}-gnu", env::consts::ARCH, env::consts::OS);
    let mut compile = cc::Build::new()
        .cargo_metadata(false)
        .target(&host)
        .host(&host)
        .opt_level(1)
        .debug(true)
        .out_dir(out())
        .include(root().join("include"))
        .std("c11")
        .extra_warnings(true)
        .warnings_into_errors(true)
        .flag("-Wpedantic")
        .get_compiler()
        .to_command();
    compile.arg(root().join(source)).arg("-o").arg(&program).arg("-pthread");
    compile.arg("-L").arg(library()).arg("-lqueues").args(flags);
    compile.arg(format!("-Wl,-rpath,{}", library().display()));
    let arguments: Vec<_> = compile.get_args().collect();
    let command = format!("{:?} {arguments:?}", compile.get_program());
    assert!(compile.status().unwrap().success(), "{source} does not compile: {command}");
    program
}

/// Runs a program to its end. If it hangs, panics with its output so far.
fn run(program: &Path, arguments: &[&str], log: &str) -> Output {
    run_by(&variable("RUNNER"), program, arguments, log)
}

fn run_by(runner: &str, program: &Path, arguments: &[&str], log: &str) -> Output {
    Running::start(runner, program, arguments, log).wait()
}

/// A program that runs, with its output in files. Killed if it still runs when it is dropped.
struct Running {
    command: Command,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
    begin: Instant,
}

impl Running {
    fn start(runner: &str, program: &Path, arguments: &[&str], log: &str) -> Self {
        let mut words =
            runner.split_whitespace().map(Into::into).chain([program.as_os_str().to_owned()]);
        let mut command = Command::new(words.next().unwrap());
        // Into files, because a program blocks when it has filled a pipe that is not read.
        let (stdout, stderr) = (out().join(format!("{log}.out")), out().join(format!("{log}.err")));
        command.args(words).args(arguments).current_dir(root()).stdin(Stdio::null());
        // Before cargo's own path, where a library of another build may be.
        let path = format!("{}:{}", library().display(), variable("LD_LIBRARY_PATH"));
        command.env("LD_LIBRARY_PATH", path);
        command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        let child = command.spawn().unwrap();
        Self { command, child, stdout, stderr, begin: Instant::now() }
    }

    /// Waits for the end of the program. If it hangs, panics with its output so far.
    fn wait(mut self) -> Output {
        let read = || (fs::read(&self.stdout).unwrap(), fs::read(&self.stderr).unwrap());
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let (stdout, stderr) = read();
                return Output { status, stdout, stderr };
            }
            if self.begin.elapsed() > WATCHDOG {
                let stderr = read().1;
                let output = String::from_utf8_lossy(&stderr);
                panic!("{:?} hangs; its output so far:\n{output}", self.command);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Neither does anything to a program that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder that is removed when it is dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Builds and runs a program that must succeed, and returns what it printed.
fn succeeds(source: &str, arguments: &[&str]) -> String {
    let program = build(source);
    let output = run(&program, arguments, &program.file_name().unwrap().to_string_lossy());
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{source}: {}\n{stdout}{stderr}", output.status);
    stdout.to_owned()
}

/// A test for each program of tests/c that has no arguments and runs under every tool.
macro_rules! programs {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            succeeds(concat!("tests/c/", stringify!($name), ".c"), &[]);
        })*
    };
}

programs! { abi batch cancel clearing deque mpmc priority rules spsc threads }

/// The programs whose calls can be inlined, with inlined calls.
#[test]
fn spsc_inlined() {
    passes_inlined("spsc");
}

#[test]
fn deque_inlined() {
    passes_inlined("deque");
}

fn passes_inlined(name: &str) {
    let (program, source) = (format!("tests-c-{name}-inlined"), format!("tests/c/{name}.c"));
    let built = build_as(&program, &source, &["-DQUEUES_INLINE".to_owned()]);
    let output = run(&built, &[], &program);
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{program}: {}: {stderr}", output.status);
}

/// Inlined calls reach the library now and then, and always if the header has the layout of another
/// version of the library.
#[test]
fn inlined() {
    let count = |name: &str| format!("-Wl,--wrap=queues_{name}");
    let counted = [
        "spsc_try_put spsc_try_get spsc_try_put_bytes spsc_try_get_bytes spsc_reserve",
        "spsc_commit spsc_front spsc_consume deque_push deque_pop",
    ];
    let flags: Vec<_> = counted.iter().flat_map(|names| names.split(' ')).map(count).collect();

    let other = out().join("other-layout");
    fs::create_dir_all(&other).unwrap();
    let header = fs::read_to_string(root().join("include/queues_inline.h")).unwrap();
    let tags = "0x5155455501";
    assert_eq!(header.matches(tags).count(), 3);
    fs::write(other.join("queues_inline.h"), header.replace(tags, "0x5155455502")).unwrap();
    // It comes first, and its include guard keeps the real one out.
    let path = other.join("queues_inline.h");
    let with_other = [&flags[..], &["-include".to_owned(), path.display().to_string()]].concat();

    let is_watched =
        variable("CFLAGS").contains("-fsanitize=thread") || variable("RUNNER").contains("valgrind");
    let may_inline = match env::consts::ARCH {
        "x86_64" | "aarch64" if is_watched => "called",
        // Without membarrier puts fence in full, which the library does.
        "x86_64" | "aarch64" if variable("RUNNER").contains("qemu") => "any",
        "x86_64" | "aarch64" => "inlined",
        _ => "called",
    };
    for (name, flags, expected) in
        [("inlined", &flags, may_inline), ("inlined-other", &with_other, "called")]
    {
        let program = build_as(name, "tests/c/inlined.c", flags);
        let output = run(&program, &[expected], name);
        let stderr = text(&output.stderr);
        assert!(output.status.success(), "{name} {expected}: {}: {stderr}", output.status);
    }
}

/// Race detectors report no race in a correct program, and every race in a program that has one.
#[test]
fn races() {
    const VALGRIND: &str = "--error-exitcode=66 --suppressions=debug/queues.supp";
    let detectors = if variable("CFLAGS").contains("-fsanitize=thread") {
        vec![(String::new(), "write-too-late")]
    } else if variable("RUNNER").contains("valgrind") {
        let tool = |name| (format!("valgrind --tool={name} {VALGRIND}"), "read-too-late");
        vec![tool("helgrind"), tool("drd")]
    } else {
        succeeds("tests/c/handover.c", &[]);
        return;
    };
    let (handover, racy) = (build("tests/c/handover.c"), build("tests/c/racy.c"));
    for (detector, in_place) in detectors {
        let code = |program, arguments: &[&str]| {
            let output = run_by(&detector, program, arguments, "races");
            (output.status.code(), text(&output.stderr).to_owned())
        };
        let (status, report) = code(&handover, &[]);
        assert_eq!(status, Some(0), "{detector}\n{report}");
        for race in ["put-too-early", "put-beside", in_place] {
            let (status, report) = code(&racy, &[race]);
            assert_eq!(status, Some(66), "{detector} {race}\n{report}");
            assert!(report.contains("racy.c"), "{detector} {race}\n{report}");
        }
    }
}

/// Whether the programs run under a sanitizer or valgrind. These tools replace the heap and make
/// system calls of their own.
fn under_a_tool() -> bool {
    variable("CFLAGS").contains("-fsanitize") || variable("RUNNER").contains("valgrind")
}

/// Reports that a test does nothing. Not by eprintln, whose output cargo hides if a test succeeds.
fn skipped(what: &str) {
    let mut terminal = std::io::stderr();
    writeln!(terminal, "skipped: {what}").unwrap();
}

/// The kernel refuses membarrier after queues were created. The program prints nothing on stderr,
/// so no thread has panicked.
#[test]
fn withdrawn() {
    if ["valgrind", "qemu"].iter().any(|tool| variable("RUNNER").contains(tool)) {
        return skipped("withdrawn: valgrind and qemu-user do not support seccomp");
    }
    let program = build("tests/c/withdrawn.c");
    for error in ["EPERM", "ENOSYS"] {
        let output = run(&program, &[error], &format!("withdrawn-{error}"));
        let stderr = text(&output.stderr);
        assert!(
            output.status.success() && stderr.is_empty(),
            "{error}: {}: {stderr}",
            output.status
        );
    }
}

#[test]
fn nomem() {
    // The program has a heap of its own and looks for leaks itself.
    if under_a_tool() {
        return skipped("nomem: this tool replaces the heap, as the program does");
    }
    succeeds("tests/c/nomem.c", &[]);
}

#[test]
fn sandbox() {
    if variable("RUNNER").contains("qemu") {
        return skipped("sandbox: qemu-user does not support seccomp");
    }
    if under_a_tool() {
        return skipped("sandbox: this tool makes system calls that the sandbox forbids");
    }
    succeeds("tests/c/sandbox.c", &["tests/symbols.txt"]);
}

#[test]
fn waiting() {
    let tool = under_a_tool() || variable("RUNNER").contains("qemu");
    succeeds("tests/c/waiting.c", if tool { &["under-a-tool"] } else { &[] });
}

#[test]
fn fork() {
    if variable("RUNNER").contains("qemu") {
        return skipped("fork: a child of qemu-user hangs if other threads ran at the fork");
    }
    // Under this sanitizer a child may not start threads if its parent had several.
    if variable("CFLAGS").contains("-fsanitize=thread") {
        return skipped("fork: ThreadSanitizer allows no threads after a fork");
    }
    // The heap of AddressSanitizer does not survive a fork while another thread allocates, and
    // the memory of that thread is a leak in the child: no forks during a creation.
    succeeds("tests/c/fork.c", &if under_a_tool() { ["0", "5"] } else { ["40", "40"] });
}

#[test]
fn quickstart() {
    let printed = succeeds("examples/c/quickstart.c", &[]);
    assert_eq!(printed, "hello\n");
}

#[test]
fn spsc_example() {
    let printed = succeeds("examples/c/spsc.c", &[]);
    let words: Vec<_> = printed.lines().map(|line| line.split_once(' ').unwrap().0).collect();
    assert_eq!(words, ["4", "3", "0", "3"]);
}

#[test]
fn priority_example() {
    let printed = succeeds("examples/c/priority.c", &[]);
    let tokens = printed.lines().map(|line| line.strip_suffix(" tokens").unwrap().parse().unwrap());
    let tokens: Vec<u32> = tokens.collect();
    assert!(tokens.len() == 9 && tokens.is_sorted(), "{printed}");
}

#[test]
fn deque_example() {
    assert_eq!(succeeds("examples/c/deque.c", &[]), "92 solutions\n");
}

#[test]
fn batch_example() {
    let expected = "batch of 2: 528 tokens\nbatch of 1: 2048 tokens\nbatch of 2: 80 tokens\n\
                    batch of 1: 1024 tokens\nbatch of 3: 224 tokens\n";
    assert_eq!(succeeds("examples/c/batch.c", &[]), expected);
}

/// Runs a server of examples/c with clients, and returns what it printed; `None` if the kernel does
/// not have what its loop needs.
fn serves(source: &str, flags: &[String]) -> Option<String> {
    serves_beside(source, flags, |_, _| ())
}

/// The same, while another thread runs `beside` with the number of the server's process until the
/// clients are served.
fn serves_beside(
    source: &str,
    flags: &[String],
    beside: impl FnOnce(u32, &AtomicBool) + Send,
) -> Option<String> {
    let program = build_with(source, flags);
    let log = program.file_name().unwrap().to_str().unwrap();
    // In a folder with a short path, because the path of a socket has at most 107 bytes.
    let folder = Folder(env::temp_dir().join(format!("queues-{}-{log}", std::process::id())));
    fs::create_dir_all(&folder.0).unwrap();
    let socket = folder.0.join("socket");
    let runner = variable("RUNNER");
    let mut server = Running::start(&runner, &program, &[socket.to_str().unwrap()], log);
    let (process, served) = (server.child.id(), AtomicBool::new(false));
    let listened = thread::scope(|scope| {
        scope.spawn(|| beside(process, &served));
        // Also if the clients panic: the scope waits for the other thread.
        let _at_the_end = SetOnDrop(&served);
        servers::use_server(&mut server.child, &socket, WATCHDOG / 2)
    });
    let output = server.wait();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    if !listened && stderr.contains("io_uring_queue_init") {
        return None;
    }
    assert!(listened && output.status.success(), "{source}: {}\n{stdout}{stderr}", output.status);
    Some(stdout.to_owned())
}

/// A server has answered all requests, and has stopped reading when the pool had no room.
fn has_served(printed: &str) {
    let numbers: Vec<u64> =
        printed.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [requests, no_room] = numbers[..] else { panic!("{printed}") };
    assert!(requests >= u64::from(servers::CLIENTS * servers::REQUESTS) + 4, "{printed}");
    assert!(no_room > 0, "{printed}");
}

#[test]
fn epoll_server() {
    has_served(&serves("examples/c/epoll_server.c", &[]).unwrap());
}

/// The numbers of the children of a process.
fn children(parent: u32) -> Vec<u32> {
    let is_child = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // Number, name in parentheses, state, number of the parent.
        let mut words = stat.rsplit(')').next().unwrap().split_whitespace();
        words.nth(1).and_then(|word| word.parse().ok()) == Some(parent)
    };
    let entries = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    entries.filter_map(|name| name.parse().ok()).filter(is_child).collect()
}

/// Kills the workers of a server, at first often: under a tool a worker needs long for a request.
fn kill_workers(server: u32, served: &AtomicBool) {
    let mut pause = Duration::from_millis(2);
    for kill in 0.. {
        thread::sleep(pause);
        let workers: Vec<_> = children(server).into_iter().flat_map(children).collect();
        if served.load(Relaxed) {
            return assert!(kill > 0);
        }
        if !workers.is_empty() {
            // SAFETY: no pointers. The number of a process that ended is not used again so soon.
            unsafe { libc::kill(workers[kill % workers.len()] as i32, libc::SIGKILL) };
            pause = pause.mul_f32(1.03);
        }
    }
}

/// Clients get every answer once while the worker processes of their server are killed.
#[test]
fn prefork_server() {
    let came_back = || {
        let printed = serves_beside("examples/c/prefork_server.c", &[], kill_workers).unwrap();
        let (served, deaths) = printed.split_once('\n').unwrap();
        has_served(served);
        deaths.split(' ').next().unwrap().parse::<u32>().unwrap()
    };
    // Of these workers about one in ten had a job.
    assert!((0..10).any(|_| came_back() > 0));
}

/// A server with the loop of a library, if the library is installed.
fn loop_of(library: &str, package: &str, source: &str) {
    let test = Path::new(source).file_stem().unwrap().to_str().unwrap();
    if under_a_tool() || variable("RUNNER").contains("qemu") {
        return skipped(&format!("{test}: this tool does not know the code of {library}"));
    }
    let flags = Command::new("pkg-config").args(["--cflags", "--libs", library]).output();
    let Some(flags) = flags.ok().filter(|flags| flags.status.success()) else {
        return skipped(&format!("{test}: {package} is not installed"));
    };
    // As headers of the system, which may have warnings.
    let flags = text(&flags.stdout).split_whitespace().map(|flag| flag.replace("-I", "-isystem"));
    match serves(source, &flags.collect::<Vec<_>>()) {
        Some(printed) => has_served(&printed),
        None => skipped(&format!("{test}: the kernel does not have what {library} needs")),
    }
}

#[test]
fn loop_libuv() {
    loop_of("libuv", "libuv1-dev", "examples/c/libuv_server.c");
}

#[test]
fn loop_glib() {
    loop_of("glib-2.0", "libglib2.0-dev", "examples/c/glib_server.c");
}

#[test]
fn loop_io_uring() {
    loop_of("liburing", "liburing-dev", "examples/c/io_uring_server.c");
}

const TRACE: &str = "examples/data/trace.csv";

const HEADER: &str = "TIMESTAMP,ContextTokens,GeneratedTokens";

/// The program of the demo, built once for all tests.
fn demo() -> &'static Path {
    static DEMO: OnceLock<PathBuf> = OnceLock::new();
    DEMO.get_or_init(|| build("examples/c/serving.c"))
}

/// Runs the demo, which must succeed, and returns its table: the words of each line after the head.
fn serve(arguments: &[&str], log: &str) -> Vec<Vec<String>> {
    let output = run(demo(), arguments, log);
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {}\n{stdout}{stderr}", output.status);
    let words = |line: &str| line.split_whitespace().map(Into::into).collect();
    stdout.lines().skip(1).map(words).collect()
}

fn row<'a>(table: &'a [Vec<String>], name: &str) -> &'a [String] {
    table.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("{name}: {table:?}"))
}

fn number(word: &str) -> f64 {
    word.trim_end_matches([',', ';']).parse().unwrap_or_else(|_| panic!("{word} is not a number"))
}

/// All requests have passed each stage.
fn all_served(table: &[Vec<String>], requests: usize) {
    for stage in ["intake", "priority", "batch", "deques", "results"] {
        let row = row(table, stage);
        assert_eq!(
            (number(&row[4]), number(&row[5])),
            (requests as f64, requests as f64),
            "{row:?}"
        );
        assert!(number(&row[6]) <= number(&row[3]), "peak above the capacity: {row:?}");
    }
    let summary = row(table, "requests").join(" ");
    assert!(summary.contains(&format!("{requests} in, {requests} out")), "{summary}");
}

#[test]
fn serving() {
    let requests = fs::read_to_string(root().join(TRACE)).unwrap().lines().count() - 1;
    for (speed, frontends, workers, batch) in
        [("500", "3", "5", "8"), ("1000000000", "1", "1", "1000")]
    {
        let options = ["--speed", speed, "--frontends", frontends, "--workers", workers];
        let table = serve(&[&options[..], &["--batch-size", batch, TRACE]].concat(), "serving");
        all_served(&table, requests);
    }
    assert!(text(&run(demo(), &["--help"], "serving_help").stdout).contains("--linger-ms"));
}

/// All requests are due at once, and each queue has room for one: the frontends wait for room, and
/// no request is lost.
#[test]
fn serving_overload() {
    let requests = fs::read_to_string(root().join(TRACE)).unwrap().lines().count() - 1;
    let options = ["--speed", "1000000000", "--frontends", "4", "--workers", "3"];
    let tight = ["--capacity", "1", "--batch-size", "1", "--batch-tokens", "1", TRACE];
    let table = serve(&[&options[..], &tight].concat(), "serving_overload");
    all_served(&table, requests);
    for stage in ["intake", "priority", "batch", "deques", "results"] {
        assert_eq!(number(&row(&table, stage)[6]), 1.0, "{table:?}"); // the peak
    }
    assert!(number(&row(&table, "intake")[7]) > 0.0, "{table:?}"); // seconds that puts waited
}

/// One worker takes the batch and needs longer for it than the other worker sleeps.
#[test]
fn serving_steals() {
    let trace = out().join("steals.csv");
    let burst = "2024-01-01 00:00:00.0,0,400\n".repeat(8);
    // The last request keeps the batching queue open while the workers steal.
    fs::write(&trace, format!("{HEADER}\n{burst}2024-01-01 00:00:01.0,0,1\n")).unwrap();
    let options = ["--speed", "1", "--workers", "2", "--linger-ms", "10", trace.to_str().unwrap()];
    let table = serve(&options, "serving_steals");
    all_served(&table, 9);
    assert!(number(&row(&table, "steals")[1]) >= 1.0, "{table:?}");
}

/// The demo refuses bad arguments and traces with a message. The tests of examples/report try more
/// of them, also with the demos in C++ and Go.
#[test]
fn serving_refuses() {
    let refuses = |arguments: &[&str], message: &str| {
        let output = run(demo(), arguments, "serving_refuses");
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    };
    refuses(&[], "expected one trace file");
    refuses(&["--speed", "0", TRACE], "--speed: expected a number above 0, found: 0");
    refuses(&["--workers"], "--workers: expected a number from 1 to 1000, found nothing");
    refuses(&["--json", "no/such/folder.json", TRACE], "no/such/folder.json: ");
    refuses(&["--unknown", TRACE], "--unknown");
    refuses(&["no such file"], "no such file: ");
    refuses(&["examples"], "examples:1: Is a directory");

    const ROW: &str = "2024-02-29 23:59:59.1234567,1,2";
    let trace = out().join("trace.csv");
    let path = trace.to_str().unwrap();
    let refuses_text = |text: &str, message: &str| {
        fs::write(&trace, text).unwrap();
        refuses(&[path], &format!("{path}:{message}"));
    };
    refuses_text("", "1: ");
    refuses_text("a,b,c\n", "1: ");
    refuses_text(HEADER, "2: ");
    for bad in ["", "2024-03-01 00:00:00.1,1,2\0", "2024-02-29 23:59:59.1234566,1,2"] {
        refuses_text(&format!("{HEADER}\n{ROW}\n{bad}\n{ROW}\n"), "3: ");
    }
}
