//! `queues-inspect`: its output for a shared queue, also for one whose processes have died, and for
//! files that are no queue.

#![cfg(all(target_os = "linux", not(any(loom, miri, queues_portable))))]

use queues::{BytesConsumer, BytesProducer, Error, MpmcBytes, SharedOptions, Wait};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// An empty file of the test.
fn file(name: &str) -> (PathBuf, File) {
    let path = std::env::temp_dir().join(format!("queues-inspect-{}-{name}", std::process::id()));
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(true).open(&path).unwrap();
    (path, file)
}

fn inspect(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_queues-inspect")).args(arguments).output().unwrap()
}

/// The output of a run that must succeed.
fn printed(arguments: &[&str]) -> String {
    let output = inspect(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The message of a run that must fail with this exit status.
fn message(arguments: &[&str], status: i32) -> String {
    let output = inspect(arguments);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

const OPTIONS: SharedOptions =
    SharedOptions { capacity: 10, item_size: 16, spare: 6, attachments: 8, redelivers: true };

#[test]
fn items_cells_and_handles_of_an_mpmc_queue() {
    let (path, file) = file("mpmc");
    let name = path.to_str().unwrap();
    let queue = MpmcBytes::open_shared(&file, &OPTIONS).unwrap();
    for blob in [b"one", b"two", b"six"] {
        queue.try_put(blob).unwrap();
    }
    let lease = queue.lease(Wait::No).unwrap();
    let reservations = [queue.reserve(Wait::No).unwrap(), queue.reserve(Wait::No).unwrap()];
    let json = printed(&["--json", name]);
    let pid = std::process::id();
    for part in [
        "{\"kind\":\"mpmc\",\"closed\":false,\"capacity\":10,\"item_size\":16,\"spare\":6,\"attachments\":8",
        "\"current_size\":2,\"enqueued\":3,\"dequeued\":1,\"failed_enqueue\":0,\"failed_dequeue\":0,\
         \"peak_size\":3,\"recovered\":0",
        "\"cells\":{\"filled\":2,\"free\":11,\"reserved\":2,\"leased\":1,\"held_by_dead\":0,\"moving\":0}",
        &format!("\"attached\":[{{\"index\":0,\"generation\":1,\"pid\":{pid},\"alive\":true,"),
    ] {
        assert!(json.contains(part), "{part}\n{json}");
    }
    assert!(json.ends_with("}]}\n"), "{json}");
    drop(reservations);
    lease.settle();
    queue.close();
    let text = printed(&[name]);
    for line in ["mpmc queue, closed", "attached: 1 alive, 0 dead"] {
        assert!(text.lines().any(|found| found == line), "{text}");
    }
    // It attaches nothing, and changes nothing.
    assert_eq!((queue.stats().attached, queue.len()), (1, 2));
    fs::remove_file(path).unwrap();
}

/// This test again, as a process that leases a blob and is killed.
#[test]
fn what_a_dead_process_holds() {
    const FILE: &str = "QUEUES_INSPECT_FILE";
    if let Ok(path) = std::env::var(FILE) {
        let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
        let queue = MpmcBytes::open_shared(&file, &SharedOptions::default()).unwrap();
        std::mem::forget(queue.lease(Wait::No).unwrap());
        // SAFETY: kills this process.
        unsafe { libc::raise(libc::SIGKILL) };
    }
    let (path, file) = file("dead");
    let queue = MpmcBytes::open_shared(&file, &OPTIONS).unwrap();
    queue.try_put(b"again").unwrap();
    let again = ["--exact", "what_a_dead_process_holds", "--nocapture"];
    let mut child = Command::new(std::env::current_exe().unwrap());
    let status = child.args(again).env(FILE, &path).stdout(Stdio::null()).status().unwrap();
    assert_eq!(status.signal(), Some(libc::SIGKILL));
    let json = printed(&["--json", path.to_str().unwrap()]);
    assert!(json.contains("\"leased\":0,\"held_by_dead\":1"), "{json}");
    assert!(json.contains("\"alive\":false"), "{json}");
    let text = printed(&[path.to_str().unwrap()]);
    assert!(text.contains("attached: 1 alive, 1 dead"), "{text}");
    // It only looked: the blob is redelivered when a process notices the death.
    let other = MpmcBytes::open_shared(&file, &SharedOptions::default()).unwrap();
    assert_eq!(other.try_get(&mut [0; 16]), Ok(5));
    fs::remove_file(path).unwrap();
}

#[test]
fn roles_of_an_spsc_queue() {
    let (path, file) = file("spsc");
    let options = SharedOptions { spare: 0, redelivers: false, ..OPTIONS };
    let mut producer = BytesProducer::open_shared(&file, &options).unwrap();
    let consumer = BytesConsumer::open_shared(&file, &options).unwrap();
    producer.try_put(b"blob").unwrap();
    let json = printed(&["--json", path.to_str().unwrap()]);
    for part in [
        "{\"kind\":\"spsc\",\"closed\":false,\"capacity\":10",
        "\"current_size\":1,\"enqueued\":1,\"dequeued\":0",
        "\"roles\":{\"producer_alive\":1,\"producer_dead\":0,\"consumer_alive\":0,\"consumer_dead\":0}",
    ] {
        assert!(json.contains(part), "{part}\n{json}");
    }
    consumer.close();
    assert!(printed(&[path.to_str().unwrap()]).starts_with("spsc queue, closed\n"));
    fs::remove_file(path).unwrap();
}

/// A close found the queue empty while a producer was inside a put. The producer has published its
/// item, and died before it took the item back.
#[test]
fn an_item_that_a_close_refused_is_not_counted() {
    let (path, file) = file("refused");
    let name = path.to_str().unwrap();
    let options = SharedOptions { spare: 0, redelivers: false, ..OPTIONS };
    let mut producer = BytesProducer::open_shared(&file, &options).unwrap();
    let mut consumer = BytesConsumer::open_shared(&file, &options).unwrap();
    let words = || -> Vec<u64> {
        let bytes = fs::read(&path).unwrap();
        bytes.chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap())).collect()
    };
    producer.try_put(b"first").unwrap();
    consumer.try_get(&mut [0; 16]).unwrap();
    let before = words();
    producer.try_put(b"second").unwrap();
    // The second put does not raise the peak. So the first word that changes is the tail.
    let tail = before.iter().zip(words()).position(|(&before, after)| before != after).unwrap();
    assert_eq!((before[tail], words()[tail]), (1, 2));
    consumer.try_get(&mut [0; 16]).unwrap();
    consumer.close();
    assert_eq!(consumer.try_get(&mut [0; 16]), Err(Error::Closed));
    file.write_all_at(&3_u64.to_ne_bytes(), tail as u64 * 8).unwrap();
    let json = printed(&["--json", name]);
    assert!(json.contains("\"current_size\":0,\"enqueued\":2,\"dequeued\":2"), "{json}");
    fs::remove_file(path).unwrap();
}

#[test]
fn it_watches_a_file_before_and_while_a_queue_is_created_there() {
    let (path, file) = file("passing");
    let mut program = Command::new(env!("CARGO_BIN_EXE_queues-inspect"));
    program.args(["--json", "--watch", "0.01"]).arg(&path);
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut messages = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut next = || messages.next().unwrap().unwrap();
    assert!(next().contains("the file is empty"));
    let magic = u64::from_be_bytes(*b"QUEUFILE").to_ne_bytes();
    let unfinished = u64::from_be_bytes(*b"QUEUINIT").to_ne_bytes();
    fs::write(&path, magic).unwrap();
    // It may read the empty file between the two steps of a write.
    while !next().contains("8 bytes long, but such a queue has 4096") {}
    fs::write(&path, unfinished).unwrap();
    while !next().contains("the queue is incomplete") {}
    let queue = MpmcBytes::open_shared(&file, &OPTIONS).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("\"current_size\":0"));
    drop(queue);
    // Without a truncation, which would be a SIGBUS for a reader.
    file.write_all_at(b"no queue", 0).unwrap();
    while !next().contains("not a shared queue") {}
    assert_eq!(child.wait().unwrap().code(), Some(1), "this does not pass");
    fs::remove_file(path).unwrap();
}

#[test]
fn it_watches_until_it_is_stopped() {
    let (path, file) = file("watch");
    let queue = MpmcBytes::open_shared(&file, &OPTIONS).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_queues-inspect"));
    program.args(["--json", "--watch", "0.01"]).arg(&path).stdout(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("\"current_size\":0"));
    queue.try_put(b"blob").unwrap();
    assert!(lines.any(|line| line.unwrap().contains("\"current_size\":1")));
    child.kill().unwrap();
    child.wait().unwrap();
    fs::remove_file(path).unwrap();
}

#[test]
fn a_file_that_is_no_queue_gets_a_clear_message() {
    let (path, file) = file("garbage");
    let name = path.to_str().unwrap();
    assert!(message(&[name], 1).contains("the file is empty"));
    let unfinished = u64::from_be_bytes(*b"QUEUINIT").to_ne_bytes();
    fs::write(&path, unfinished).unwrap();
    assert!(message(&[name], 1).contains("the queue is incomplete"));
    fs::write(&path, vec![b'x'; 5000]).unwrap();
    assert!(message(&[name], 1).contains("not a shared queue"));
    let magic = u64::from_be_bytes(*b"QUEUFILE");
    fs::write(&path, magic.swap_bytes().to_ne_bytes()).unwrap();
    assert!(message(&[name], 1).contains("another byte order"));
    fs::write(&path, magic.to_ne_bytes()).unwrap();
    assert!(message(&[name], 1).contains("8 bytes long, but such a queue has 4096"));
    let mut header = vec![0; 5000];
    header[..8].copy_from_slice(&magic.to_ne_bytes());
    header[8..12].copy_from_slice(&77_u32.to_ne_bytes());
    fs::write(&path, &header).unwrap();
    assert!(message(&[name], 1).contains("layout version 77; this library knows version 2"));
    fs::remove_file(&path).unwrap();
    drop(file);
    assert!(message(&[name], 1).contains("No such file"));
    assert!(message(&["/"], 1).contains("not a regular file"));
}

#[test]
fn wrong_arguments_get_a_message() {
    assert!(message(&[], 2).contains("expected a file"));
    assert!(message(&["--json"], 2).contains("expected a file"));
    assert!(message(&["a", "b"], 2).contains("expected one file"));
    assert!(message(&["--jason", "a"], 2).contains("unknown option --jason"));
    assert!(message(&["--watch", "0", "a"], 2).contains("a number of seconds above 0"));
    assert!(message(&["--watch", "-1", "a"], 2).contains("a number of seconds above 0"));
    assert!(printed(&["--help"]).contains("usage: queues-inspect"));
    assert!(printed(&["--version"]).starts_with("queues-inspect "));
}
