//! An spsc queue between two processes. They stream, are killed or suspended at any moment, and one
//! of them damages the file. A test that a kill makes fail prints its seed.
//!
//! A child is this program again, whose test `child` then does what the environment asks for. A
//! child that is stepped is forked instead.
//!
//! `QUEUES_KILLS=n` sets the number of kills of the storm. With `QUEUES_STRIDE=n` each n-th
//! instruction is tried.

#![cfg(all(target_os = "linux", not(any(loom, miri, queues_portable))))]

mod support;

use libc::{c_int, c_void};
use queues::ffi::spsc::*;
use queues::ffi::status::queues_status_t::{self, *};
use queues::ffi::{mpmc::*, stats::queues_stats_t};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};
use support::c_abi::no_stats;
use support::random::{Random, first_seed, setting, with_seed};
use support::watchdog::watched;

/// Bytes of a blob, at most.
const LIMIT: usize = 100;
const FOREVER: i64 = -1;

type Result<T = ()> = std::result::Result<T, queues_status_t>;

fn done(status: queues_status_t) -> Result {
    if status == QUEUES_OK { Ok(()) } else { Err(status) }
}

/// A file in memory, which children inherit.
struct File(c_int);

impl File {
    fn new() -> Self {
        // SAFETY: a name that ends with 0.
        let fd = unsafe { libc::memfd_create(c"queue".as_ptr(), libc::MFD_ALLOW_SEALING) };
        assert!(fd >= 0);
        Self(fd)
    }

    fn len(&self) -> usize {
        // SAFETY: `stat` is an output.
        unsafe {
            let mut stat: libc::stat = std::mem::zeroed();
            assert_eq!(libc::fstat(self.0, &mut stat), 0);
            stat.st_size as usize
        }
    }

    /// The whole file as words; stays mapped.
    fn words(&self) -> &'static [AtomicU64] {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of the whole file, never unmapped.
        unsafe {
            let at = libc::mmap(null_mut(), self.len(), access, libc::MAP_SHARED, self.0, 0);
            assert_ne!(at, libc::MAP_FAILED);
            std::slice::from_raw_parts(at.cast(), self.len() / 8)
        }
    }

    /// A file of zeros, for notes that children leave.
    fn of_words(count: usize) -> (Self, &'static [AtomicU64]) {
        let file = Self::new();
        // SAFETY: no memory is passed.
        assert_eq!(unsafe { libc::ftruncate(file.0, 8 * count as i64) }, 0);
        let words = file.words();
        (file, words)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: opened in `new`.
        unsafe { libc::close(self.0) };
    }
}

/// A handle of a shared queue.
struct Queue(*mut queues_spsc_t);

// SAFETY: tests keep the rules of the sides.
unsafe impl Send for Queue {}
// SAFETY: the same.
unsafe impl Sync for Queue {}

fn options(capacity: usize, item_size: usize) -> queues_spsc_options_t {
    queues_spsc_options_t {
        struct_size: size_of::<queues_spsc_options_t>(),
        capacity,
        item_size,
        flags: 0,
        drop: None,
        drop_ctx: null_mut(),
        drop_bytes: None,
        attachments: 0,
    }
}

// SAFETY, of all blocks: a live handle, and memory of the lengths that are passed.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Queue {
    fn open_with(fd: c_int, options: &queues_spsc_options_t) -> Result<Self> {
        let mut queue = null_mut();
        done(unsafe { queues_spsc_open_shared(options, fd, &mut queue) })?;
        Ok(Self(queue))
    }
    fn open(file: &File, capacity: usize) -> Self {
        Self::open_with(file.0, &options(capacity, LIMIT)).unwrap()
    }
    fn put(&self, item: &[u8], timeout: i64) -> Result {
        done(unsafe { queues_spsc_put_bytes(self.0, item.as_ptr().cast(), item.len(), timeout) })
    }
    fn get(&self, timeout: i64) -> Result<Vec<u8>> {
        let mut buffer = [0_u8; LIMIT];
        let len = self.get_into(&mut buffer, timeout)?;
        Ok(buffer[..len].to_vec())
    }
    fn get_into(&self, buffer: &mut [u8], timeout: i64) -> Result<usize> {
        let (at, room, mut len) = (buffer.as_mut_ptr().cast(), buffer.len(), 0);
        done(unsafe { queues_spsc_get_bytes(self.0, at, room, &mut len, timeout) })?;
        Ok(len)
    }
    fn peek(&self) -> Result<Vec<u8>> {
        let (mut buffer, mut len) = ([0_u8; LIMIT], 0);
        done(unsafe {
            queues_spsc_peek_bytes(self.0, buffer.as_mut_ptr().cast(), LIMIT, &mut len)
        })?;
        Ok(buffer[..len].to_vec())
    }
    fn reserve(&self, timeout: i64) -> Result<*mut u8> {
        let mut data = null_mut();
        done(unsafe { queues_spsc_reserve(self.0, &mut data, timeout) })?;
        Ok(data.cast())
    }
    fn commit(&self, len: usize) -> Result {
        done(unsafe { queues_spsc_commit(self.0, len) })
    }
    fn front(&self, timeout: i64) -> Result<Vec<u8>> {
        let (mut data, mut len) = (null(), 0);
        done(unsafe { queues_spsc_front(self.0, &mut data, &mut len, timeout) })?;
        assert!(len <= LIMIT, "a blob that is longer than any");
        Ok(unsafe { std::slice::from_raw_parts(data.cast::<u8>(), len) }.to_vec())
    }
    fn consume(&self) -> Result {
        done(unsafe { queues_spsc_consume(self.0) })
    }
    fn clear(&self) -> Result<usize> {
        let mut count = 0;
        done(unsafe { queues_spsc_clear(self.0, &mut count) })?;
        Ok(count)
    }
    fn close(&self) {
        done(unsafe { queues_spsc_close(self.0) }).unwrap();
    }
    fn size(&self) -> usize {
        unsafe { queues_spsc_size(self.0) }
    }
    fn is_full(&self) -> bool {
        unsafe { queues_spsc_is_full(self.0) }
    }
    fn is_empty(&self) -> bool {
        unsafe { queues_spsc_is_empty(self.0) }
    }
    fn is_closed(&self) -> bool {
        unsafe { queues_spsc_is_closed(self.0) }
    }
    fn capacity(&self) -> usize {
        unsafe { queues_spsc_capacity(self.0) }
    }
    fn stats(&self) -> queues_stats_t {
        let mut stats = no_stats();
        done(unsafe { queues_spsc_stats(self.0, &mut stats) }).unwrap();
        stats
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the only reference.
        unsafe { queues_spsc_release(self.0) };
    }
}

/// The item of a number: its length and its bytes follow from it.
/// The first two are as long as can be, so that the third is the first that has a length in the file.
fn item(number: u64) -> Vec<u8> {
    let len = if number < 2 { LIMIT } else { 8 + (number.wrapping_mul(7) % 93) as usize };
    let bytes = (8..len).map(|i| number.wrapping_mul(31).wrapping_add(i as u64) as u8);
    number.to_ne_bytes().into_iter().chain(bytes).collect()
}

/// The number of an item, which must be whole.
fn number(bytes: &[u8]) -> u64 {
    let number = u64::from_ne_bytes(bytes[..8].try_into().unwrap());
    assert_eq!(bytes, item(number), "a torn item");
    number
}

// --- children

/// Words that children leave for their parent.
const PUT: usize = 0;
const GOT: usize = 1;
const READY: usize = 2;
const NOTES: usize = 8;

/// Starts this program again, as `role`.
fn start(role: &str, queue: &File, notes: &File, seed: u64) -> Child {
    start_with(role, queue, notes, &seed.to_string())
}

fn start_with(role: &str, queue: &File, notes: &File, arguments: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]);
    command.stdout(std::process::Stdio::null());
    command.env("QUEUES_CHILD", format!("{role} {} {} {arguments}", queue.0, notes.0));
    command.spawn().unwrap()
}

/// Kills a child, which must be alive until then.
fn kill(mut child: Child) {
    // SAFETY: no memory is passed.
    unsafe { libc::kill(child.id() as c_int, libc::SIGKILL) };
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(libc::SIGKILL), "the child ended before: {status}");
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        std::thread::sleep(Duration::from_micros(200));
        if begin.elapsed() > Duration::from_secs(250) {
            panic!("{what} does not come");
        }
    }
}

/// The work of a child. In the first program it does nothing.
#[test]
fn child() {
    let Ok(text) = std::env::var("QUEUES_CHILD") else { return };
    // SAFETY: no memory is passed.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    let words: Vec<_> = text.split(' ').collect();
    let fd = |i: usize| words[i].parse::<c_int>().unwrap();
    let (file, notes) = (File(fd(1)), File(fd(2)).words());
    let random = Random::new(words[3].parse().unwrap());
    let queue = Queue::open_with(file.0, &options(0, 0)).unwrap();
    match words[0] {
        "producer" => produce(&queue, notes, random, u64::MAX),
        "consumer" => consume(&queue, notes, random, u64::MAX),
        "short-producer" => {
            produce(&queue, notes, random, STREAM);
            queue.close();
        }
        "short-consumer" => consume(&queue, notes, random, STREAM),
        "both" => {
            let reserved = queue.reserve(0).unwrap();
            // SAFETY: room for `LIMIT` bytes.
            unsafe { reserved.write_bytes(7, LIMIT) };
            assert_eq!(number(&queue.front(0).unwrap()), 0);
            notes[READY].store(1, SeqCst);
            loop {
                std::thread::sleep(Duration::from_secs(1));
            }
        }
        "visitor-granted" => visit(queue, Membarrier::Granted),
        "visitor-never" => {
            drop(queue);
            refuse_membarrier();
            visit(Queue::open_with(file.0, &options(0, 0)).unwrap(), Membarrier::Never);
        }
        "visitor-later" => visit(queue, Membarrier::RefusedLater),
        "closer-granted" => close_rounds(words[4], notes, Membarrier::Granted),
        "closer-never" => close_rounds(words[4], notes, Membarrier::Never),
        "closer-later" => close_rounds(words[4], notes, Membarrier::RefusedLater),
        other => panic!("{other}?"),
    }
}

/// Puts items up to `end`, from the first on that is not in the queue yet.
fn produce(queue: &Queue, notes: &[AtomicU64], mut random: Random, end: u64) {
    // The role first: until then the last producer may be putting.
    let _ = queue.reserve(FOREVER).unwrap();
    let mut next = queue.stats().enqueued;
    let answered = notes[PUT].load(SeqCst);
    assert!((answered..=answered + 1).contains(&next), "{answered} were put, {next} are there");
    while next < end {
        let bytes = item(next);
        if random.one_in(3) {
            let at = queue.reserve(FOREVER).unwrap();
            // SAFETY: a reservation is as long as the longest item.
            unsafe { at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            queue.commit(bytes.len()).unwrap();
        } else {
            queue.put(&bytes, FOREVER).unwrap();
        }
        next += 1;
        notes[PUT].store(next, SeqCst);
        if random.one_in(1000) {
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}

/// Gets items up to `end`, from the first on that is still in the queue.
fn consume(queue: &Queue, notes: &[AtomicU64], mut random: Random, end: u64) {
    let _ = queue.front(FOREVER).unwrap();
    let mut next = queue.stats().dequeued;
    let answered = notes[GOT].load(SeqCst);
    assert!((answered..=answered + 1).contains(&next), "{answered} were got, {next} are gone");
    while next < end {
        let got = match random.below(3) {
            0 => {
                let bytes = queue.front(FOREVER).unwrap();
                queue.consume().unwrap();
                bytes
            }
            1 => {
                let peeked = queue.peek();
                let got = queue.get(FOREVER).unwrap();
                assert!(peeked == Err(QUEUES_EMPTY) || peeked.as_ref() == Ok(&got));
                got
            }
            _ => queue.get(FOREVER).unwrap(),
        };
        assert_eq!(number(&got), next, "order, and nothing twice");
        next += 1;
        notes[GOT].store(next, SeqCst);
        if random.one_in(1000) {
            std::thread::sleep(Duration::from_micros(100));
        }
    }
}

// --- tests

/// Items of a stream.
const STREAM: u64 = 50_000;

#[test]
fn one_process_streams_to_another_in_order() {
    watched("streams", || {
        for capacity in [1, 3, 64, 1024] {
            let (notes_file, notes) = File::of_words(NOTES);
            let file = File::new();
            let queue = Queue::open(&file, capacity);
            let mut child = start("short-producer", &file, &notes_file, 1);
            consume(&queue, notes, Random::new(2), STREAM);
            assert_eq!(queue.get(FOREVER), Err(QUEUES_CLOSED));
            assert!(child.wait().unwrap().success());
            let stats = queue.stats();
            assert_eq!((stats.enqueued, stats.dequeued), (STREAM, STREAM));
            assert!((1..=capacity as u64).contains(&stats.peak_size));
            assert_eq!(
                (stats.current_size, stats.capacity, stats.attached),
                (0, capacity as u64, 1)
            );

            let (notes_file, notes) = File::of_words(NOTES);
            let file = File::new();
            let queue = Queue::open(&file, capacity);
            let mut child = start("short-consumer", &file, &notes_file, 3);
            produce(&queue, notes, Random::new(4), STREAM);
            assert!(child.wait().unwrap().success());
            assert_eq!(queue.stats().dequeued, STREAM);
            assert!(queue.is_empty() && !queue.is_full());
        }
    });
}

#[test]
fn killed_sides_are_taken_over_and_nothing_is_lost_or_doubled() {
    let seed = first_seed();
    watched("the storm", || with_seed("the storm", seed, || storm(seed)));
}

fn storm(seed: u64) {
    let mut random = Random::new(seed);
    let kills = setting("QUEUES_KILLS", 300);
    let capacity = [1, 2, 7, 100][random.below(4) as usize];
    let (notes_file, notes) = File::of_words(NOTES);
    let file = File::new();
    let queue = Queue::open(&file, capacity);
    const NAMES: [&str; 2] = ["producer", "consumer"];
    let begin =
        |side: usize, random: &mut Random| start(NAMES[side], &file, &notes_file, random.next());
    let mut children = [0, 1].map(|side| Some(begin(side, &mut random)));
    for _ in 0..kills {
        let side = random.below(2) as usize;
        if random.one_in(2) {
            // Now both children are at work.
            let before = notes[GOT].load(SeqCst);
            wait_until("progress", || notes[GOT].load(SeqCst) > before + 1);
        }
        std::thread::sleep(Duration::from_micros(random.below(3000)));
        let children = &mut children;
        kill(children[side].take().unwrap());
        if random.one_in(10) {
            kill(children[1 - side].take().unwrap());
            children[1 - side] = Some(begin(1 - side, &mut random));
        }
        children[side] = Some(begin(side, &mut random));
    }
    let before = notes[GOT].load(SeqCst);
    wait_until("the end", || notes[GOT].load(SeqCst) > before + 1);
    children.into_iter().for_each(|child| kill(child.unwrap()));

    let (put, got) = (notes[PUT].load(SeqCst), notes[GOT].load(SeqCst));
    let stats = queue.stats();
    assert!((put..=put + 1).contains(&stats.enqueued) && (got..=got + 1).contains(&stats.dequeued));
    let left = stats.enqueued - stats.dequeued;
    assert_eq!((queue.size() as u64, stats.current_size), (left, left));
    let mut end = stats.enqueued;
    for _ in left..capacity as u64 {
        queue.put(&item(end), 0).unwrap();
        end += 1;
    }
    assert_eq!(queue.put(b"more", 0), Err(QUEUES_FULL));
    assert!(queue.is_full());
    queue.close();
    for next in stats.dequeued..end {
        assert_eq!(number(&queue.get(0).unwrap()), next);
    }
    assert_eq!(queue.get(FOREVER), Err(QUEUES_CLOSED));
    assert_eq!(queue.stats().attached, 1, "those of the dead are free again");
}

#[test]
fn a_side_belongs_to_one_process_that_lives_even_suspended() {
    watched("roles", || {
        let (notes_file, notes) = File::of_words(NOTES);
        let file = File::new();
        let queue = Queue::open(&file, 4);
        queue.put(&item(0), 0).unwrap();
        drop(queue);
        let queue = Queue::open(&file, 4);
        assert_eq!(queue.size(), 1, "items stay in the file");
        let child = start("both", &file, &notes_file, 0);
        wait_until("the child", || notes[READY].load(SeqCst) == 1);
        let is_refused = || {
            assert_eq!(queue.put(&item(1), 0), Err(QUEUES_MISUSE));
            assert_eq!(queue.put(&item(1), FOREVER), Err(QUEUES_MISUSE));
            assert_eq!(queue.reserve(0), Err(QUEUES_MISUSE));
            assert_eq!(queue.commit(1), Err(QUEUES_MISUSE));
            assert_eq!(queue.get(0), Err(QUEUES_MISUSE));
            assert_eq!(queue.get(FOREVER), Err(QUEUES_MISUSE));
            assert_eq!(queue.peek(), Err(QUEUES_MISUSE));
            assert_eq!(queue.front(0), Err(QUEUES_MISUSE));
            assert_eq!(queue.consume(), Err(QUEUES_MISUSE));
            assert_eq!(queue.clear(), Err(QUEUES_MISUSE));
            // Calls that only look need no role.
            assert_eq!((queue.size(), queue.is_full(), queue.is_empty()), (1, false, false));
            assert_eq!(queue.stats().attached, 2);
        };
        is_refused();
        // SAFETY: no memory is passed.
        unsafe {
            libc::kill(child.id() as c_int, libc::SIGSTOP);
            libc::waitpid(child.id() as c_int, null_mut(), libc::WUNTRACED);
        }
        is_refused();
        // A third process opens the queue, and sweeps, while the second is suspended.
        drop(Queue::open(&file, 4));
        is_refused();
        // SAFETY: no memory is passed.
        unsafe { libc::kill(child.id() as c_int, libc::SIGCONT) };
        is_refused();
        kill(child);
        // Its reservation has ended; the item that it had in front is still there.
        assert_eq!(queue.commit(8), Err(QUEUES_MISUSE));
        queue.put(&item(1), 0).unwrap();
        assert_eq!(number(&queue.get(0).unwrap()), 0);
        assert_eq!(number(&queue.get(0).unwrap()), 1);
        assert_eq!(queue.get(0), Err(QUEUES_EMPTY));
    });
}

#[test]
fn the_last_release_gives_both_sides_up() {
    let file = File::new();
    let (first, second) = (Queue::open(&file, 2), Queue::open(&file, 2));
    first.put(&item(0), 0).unwrap();
    first.put(&item(1), 0).unwrap();
    assert_eq!(second.put(&item(2), 0), Err(QUEUES_MISUSE));
    assert_eq!(number(&second.get(0).unwrap()), 0, "the other side is free");
    assert_eq!(first.get(0), Err(QUEUES_MISUSE));
    drop(first);
    second.put(&item(2), 0).unwrap();
    assert_eq!(second.put(&item(3), 0), Err(QUEUES_FULL));
    assert_eq!(second.clear(), Ok(2));
    assert_eq!((second.stats().enqueued, second.stats().dequeued), (3, 3));
    drop(second);
    let third = Queue::open(&file, 0);
    assert_eq!((third.capacity(), third.size()), (2, 0));
    // SAFETY: a live handle.
    assert_eq!(unsafe { queues_spsc_item_size(third.0) }, LIMIT);
    third.put(&item(3), 0).unwrap();
    assert_eq!(number(&third.get(0).unwrap()), 3);
}

/// An id names a generation by 18 bits.
#[test]
fn a_side_belongs_to_one_handle_in_every_generation() {
    let file = File::new();
    let queue = Queue::open(&file, 4);
    // The record of the first handle: live, in the first generation; and its process.
    let words = file.words();
    let is_record = |at: &usize| {
        words[*at].load(SeqCst) == 1 << 2 | 1
            && words[at + 1].load(SeqCst) == u64::from(std::process::id())
    };
    let record = (0..words.len()).step_by(16).find(is_record).unwrap();
    drop(queue);
    for generation in (1 << 18) - 2..(1 << 18) + 2 {
        words[record].store(generation << 2, SeqCst);
        let one = Queue::open(&file, 4);
        assert_eq!(words[record].load(SeqCst) & 3, 1, "the first record is used again");
        let other = Queue::open(&file, 4);
        one.put(b"one", 0).unwrap();
        assert_eq!(other.put(b"other", 0), Err(QUEUES_MISUSE), "after generation {generation}");
        assert_eq!(other.get(0), Ok(b"one".to_vec()));
        assert_eq!(one.get(0), Err(QUEUES_MISUSE), "after generation {generation}");
    }
}

#[test]
fn waiting_calls_and_close_reach_the_other_handle() {
    watched("waits", || {
        let file = File::new();
        let (put, get) = (Queue::open(&file, 1), Queue::open(&file, 1));
        std::thread::scope(|scope| {
            let consumer = scope.spawn(|| {
                for next in 0..2000 {
                    assert_eq!(number(&get.get(FOREVER).unwrap()), next);
                }
                get.get(FOREVER)
            });
            for next in 0..2000 {
                put.put(&item(next), FOREVER).unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
            put.close();
            assert_eq!(consumer.join().unwrap(), Err(QUEUES_CLOSED));
        });
        assert!(get.is_closed());
        assert_eq!(put.put(&item(0), FOREVER), Err(QUEUES_CLOSED));
        let file = File::new();
        let (put, get) = (Queue::open(&file, 1), Queue::open(&file, 1));
        assert_eq!(get.get(1_000_000), Err(QUEUES_TIMEOUT));
        put.put(&item(0), 0).unwrap();
        assert_eq!(put.put(&item(1), 1_000_000), Err(QUEUES_TIMEOUT));
        let stats = get.stats();
        assert_eq!((stats.failed_enqueue, stats.failed_dequeue, stats.peak_size), (1, 1, 1));
    });
}

/// Whether the kernel lets a child call the membarrier that reaches other processes.
enum Membarrier {
    Granted,
    /// Not from the beginning.
    Never,
    /// Not after the queues were opened.
    RefusedLater,
}

/// Makes the kernel refuse the commands of membarrier that reach other processes, from now on.
fn refuse_membarrier() {
    let load = |offset| libc::sock_filter {
        code: (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16,
        jt: 0,
        jf: 0,
        k: offset,
    };
    let if_equal = |k, jt, jf| libc::sock_filter {
        code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
        jt,
        jf,
        k,
    };
    let result =
        |k| libc::sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k };
    let commands =
        [libc::MEMBARRIER_CMD_GLOBAL_EXPEDITED, libc::MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED];
    let first_argument = if cfg!(target_endian = "little") { 16 } else { 20 };
    let code = [
        load(0),
        if_equal(libc::SYS_membarrier as u32, 0, 4),
        load(first_argument),
        if_equal(commands[0] as u32, 1, 0),
        if_equal(commands[1] as u32, 0, 1),
        result(libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
        result(libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: code.len() as u16, filter: code.as_ptr().cast_mut() };
    // SAFETY: the kernel copies the filter.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let (operation, flags) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_TSYNC);
        assert_eq!(libc::syscall(libc::SYS_seccomp, operation, flags, &program), 0);
        for command in commands {
            assert_eq!(libc::syscall(libc::SYS_membarrier, command, 0, 0), -1);
        }
    }
}

/// Queues of the close races, for each role that the child has.
const CLOSES: usize = 200;
/// Bytes of a blob in the close races. The copy takes so long that a close often falls between the
/// two checks of a put.
const LONG: usize = 1 << 15;
/// Notes of the close races: the queues that are open in both processes, and what was put and got.
const BEGUN: [usize; 2] = [3, 4];
const COUNTED: usize = 5;

/// Puts until the queue is closed; returns how many puts succeeded.
fn put_until_closed(queue: &Queue, timeout: i64) -> u64 {
    let (mut count, mut bytes) = (0_u64, vec![7; LONG]);
    loop {
        bytes[..8].copy_from_slice(&count.to_ne_bytes());
        match queue.put(&bytes, timeout) {
            Ok(()) => count += 1,
            Err(QUEUES_FULL) => {}
            Err(error) => break assert_eq!(error, QUEUES_CLOSED),
        }
    }
    count
}

/// Gets some items, closes the queue, and gets until it reports that; returns how many it got.
fn get_and_close(queue: &Queue, before: u64, timeout: i64) -> u64 {
    let (mut count, mut bytes) = (0_u64, vec![0; LONG]);
    loop {
        match queue.get_into(&mut bytes, if count < before { timeout } else { 0 }) {
            Ok(len) => {
                assert_eq!((len, &bytes[..8]), (LONG, count.to_ne_bytes().as_slice()));
                count += 1;
            }
            Err(QUEUES_EMPTY) => {}
            Err(error) => break assert_eq!(error, QUEUES_CLOSED),
        }
        if count >= before && !queue.is_closed() {
            queue.close();
        }
    }
    count
}

/// In half of the rounds both sides wait.
fn wait_of(round: usize) -> i64 {
    if round % 2 == 0 { 0 } else { FOREVER }
}

/// Waits until both processes have begun a round.
fn meet(notes: &[AtomicU64], side: usize, round: usize) {
    notes[BEGUN[side]].store(round as u64 + 1, SeqCst);
    while notes[BEGUN[1 - side]].load(SeqCst) < round as u64 + 1 {
        std::hint::spin_loop();
    }
}

/// The child of the close races: consumer of the first queues, producer of the others.
fn close_rounds(files: &str, notes: &[AtomicU64], membarrier: Membarrier) {
    if matches!(membarrier, Membarrier::Never) {
        refuse_membarrier();
    }
    let open = |fd: &str| Queue::open_with(fd.parse().unwrap(), &options(0, 0)).unwrap();
    let queues: Vec<_> = files.split(',').map(open).collect();
    if matches!(membarrier, Membarrier::RefusedLater) {
        refuse_membarrier();
    }
    for (round, queue) in queues.iter().enumerate() {
        meet(notes, 1, round);
        let count = if round < CLOSES {
            get_and_close(queue, round as u64 % 7, wait_of(round))
        } else {
            put_until_closed(queue, wait_of(round))
        };
        notes[COUNTED].store(count + 1, SeqCst);
    }
}

/// A child that waits for an item, in vain.
fn visit(queue: Queue, membarrier: Membarrier) {
    if matches!(membarrier, Membarrier::RefusedLater) {
        refuse_membarrier();
    }
    assert_eq!(queue.get(1_000_000), Err(QUEUES_TIMEOUT));
}

#[test]
fn a_process_that_may_not_call_membarrier_makes_the_others_fence() {
    watched("visits", || {
        let words_after = |role| {
            let (notes, _) = File::of_words(NOTES);
            let file = File::new();
            let queue = Queue::open(&file, 4);
            assert!(start(role, &file, &notes, 0).wait().unwrap().success());
            drop(queue);
            file.words().iter().map(|word| word.load(SeqCst)).collect::<Vec<_>>()
        };
        let granted = words_after("visitor-granted");
        // The bits of an end, and the stages of an open queue, with light fences and with full ones.
        let (end, open, open_fenced) = (3 << 62, 0, 1);
        for (role, ends, stages) in [("visitor-never", 2, 1), ("visitor-later", 1, 0)] {
            let refused = words_after(role);
            let changes = || granted.iter().zip(&refused).filter(|(before, after)| before != after);
            let of_ends =
                changes().filter(|&(before, after)| (before ^ after) & end == end).count();
            let of_stage = changes().filter(|&(a, b)| (*a, *b) == (open, open_fenced)).count();
            assert_eq!(
                (of_ends, of_stage),
                (ends, stages),
                "{role}: {:x?}",
                changes().collect::<Vec<_>>()
            );
        }
    });
}

#[test]
fn a_close_loses_no_item_whatever_a_process_may_call() {
    watched("close races", || {
        for role in ["closer-granted", "closer-never", "closer-later"] {
            let (notes_file, notes) = File::of_words(NOTES);
            let files: Vec<_> = (0..2 * CLOSES).map(|_| File::new()).collect();
            let fds: Vec<_> = files.iter().map(|file| file.0.to_string()).collect();
            let open = |file: &File| Queue::open_with(file.0, &options(3, LONG)).unwrap();
            let queues: Vec<_> = files.iter().map(open).collect();
            let mut child =
                start_with(role, &files[0], &notes_file, &format!("0 {}", fds.join(",")));
            for (round, queue) in queues.iter().enumerate() {
                notes[COUNTED].store(0, SeqCst);
                meet(notes, 0, round);
                let own = if round < CLOSES {
                    put_until_closed(queue, wait_of(round))
                } else {
                    get_and_close(queue, round as u64 % 7, wait_of(round))
                };
                wait_until("the end of a round", || notes[COUNTED].load(SeqCst) > 0);
                let other = notes[COUNTED].load(SeqCst) - 1;
                assert_eq!(own, other, "{role}, round {round}: what was put, what was got");
            }
            assert!(child.wait().unwrap().success());
        }
    });
}

#[test]
fn descriptors_follow_the_other_handle() {
    watched("descriptors", || {
        let file = File::new();
        let (put, get) = (Queue::open(&file, 1), Queue::open(&file, 1));
        let is_ready = |fd: c_int, timeout: c_int| {
            let mut entry = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
            // SAFETY: one entry, which is written during the call.
            unsafe { libc::poll(&mut entry, 1, timeout) == 1 }
        };
        let (mut readable, mut writable) = (-1, -1);
        // SAFETY: live handles and outputs.
        unsafe {
            done(queues_spsc_readable_fd(get.0, &mut readable)).unwrap();
            done(queues_spsc_writable_fd(put.0, &mut writable)).unwrap();
        }
        for next in 0..100 {
            assert_eq!(get.get(0), Err(QUEUES_EMPTY));
            assert!(!is_ready(readable, 0));
            put.put(&item(next), 0).unwrap();
            assert!(is_ready(readable, -1));
            assert_eq!(put.put(&item(next), 0), Err(QUEUES_FULL));
            assert!(!is_ready(writable, 0));
            assert_eq!(number(&get.get(0).unwrap()), next);
            assert!(is_ready(writable, -1));
        }
        assert_eq!(get.get(0), Err(QUEUES_EMPTY));
        put.close();
        assert!(is_ready(readable, -1));
    });
}

#[test]
fn checked_mode_applies_to_a_handle() {
    let file = File::new();
    let checked = queues_spsc_options_t { flags: QUEUES_SPSC_CHECKED, ..options(2, LIMIT) };
    let queue = Queue::open_with(file.0, &checked).unwrap();
    queue.put(&item(0), 0).unwrap();
    let plain = Queue::open(&file, 2);
    assert_eq!(number(&plain.get(0).unwrap()), 0);
}

#[test]
fn a_child_that_was_forked_may_not_use_the_handle() {
    let file = File::new();
    let queue = Queue::open(&file, 2);
    queue.put(&item(0), 0).unwrap();
    // SAFETY: the child only calls the queue and ends.
    let status = unsafe {
        let child = libc::fork();
        if child == 0 {
            let is_refused = queue.put(b"", 0) == Err(QUEUES_INVALID)
                && queue.consume() == Err(QUEUES_INVALID)
                && queues_spsc_size(queue.0) == 0;
            queues_spsc_release(queue.0);
            libc::_exit(i32::from(!is_refused));
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        status
    };
    assert_eq!(status, 0);
    assert_eq!(queue.put(&item(1), 0), Ok(()), "the role is still the parent's");
    assert_eq!(Queue::open(&file, 0).put(b"", 0), Err(QUEUES_MISUSE));
}

#[test]
fn bad_input_is_refused_and_changes_nothing() {
    unsafe extern "C-unwind" fn drop_nothing(_context: *mut c_void, _item: *mut c_void) {}
    unsafe extern "C-unwind" fn drop_bytes(_context: *mut c_void, _item: *mut c_void, _len: usize) {
    }
    let refused = |fd, options: &queues_spsc_options_t| {
        assert_eq!(Queue::open_with(fd, options).err(), Some(QUEUES_INVALID));
    };
    let file = File::new();
    let good = options(4, LIMIT);
    refused(file.0, &options(4, 0));
    refused(file.0, &queues_spsc_options_t { flags: 2, ..good });
    refused(file.0, &queues_spsc_options_t { struct_size: 7, ..good });
    refused(file.0, &queues_spsc_options_t { drop: Some(drop_nothing), ..good });
    refused(file.0, &queues_spsc_options_t { drop_bytes: Some(drop_bytes), ..good });
    refused(file.0, &queues_spsc_options_t { attachments: 4097, ..good });
    refused(file.0, &options(usize::MAX, LIMIT));
    refused(file.0, &options(4, usize::MAX));
    refused(-1, &good);
    refused(i32::MAX, &good);
    assert_eq!(file.len(), 0, "an empty file stays empty");
    // SAFETY: null pointers are allowed, and refused.
    unsafe {
        let mut queue = null_mut();
        assert_eq!(queues_spsc_open_shared(null(), file.0, &mut queue), QUEUES_INVALID);
        assert_eq!(queues_spsc_open_shared(&good, file.0, null_mut()), QUEUES_INVALID);
        let local = queues_spsc_options_t { attachments: 1, ..good };
        assert_eq!(queues_spsc_create(&local, &mut queue), QUEUES_INVALID);
    }
    let queue = Queue::open(&file, 4);
    // SAFETY: a live handle.
    unsafe {
        let mut item = null_mut();
        let mut count = 0;
        assert_eq!(queues_spsc_try_put(queue.0, null_mut()), QUEUES_INVALID);
        assert_eq!(queues_spsc_try_get(queue.0, &mut item), QUEUES_INVALID);
        let many = queues_spsc_put_many(queue.0, &item, 1, 0, &mut count);
        assert_eq!(many, QUEUES_INVALID);
    }
    assert_eq!(queue.put(&[0; LIMIT + 1], 0), Err(QUEUES_INVALID));
    let _ = queue.reserve(0).unwrap();
    assert_eq!(queue.commit(LIMIT + 1), Err(QUEUES_INVALID));
    refused(file.0, &options(5, LIMIT));
    refused(file.0, &options(4, LIMIT + 1));
    refused(file.0, &queues_spsc_options_t { attachments: 63, ..good });
    // A queue of another family lies there.
    let other = File::new();
    let mut mpmc = null_mut();
    // SAFETY: options as they have to be; a live handle.
    unsafe {
        let mut options: queues_mpmc_options_t = std::mem::zeroed();
        options.struct_size = size_of::<queues_mpmc_options_t>();
        options.item_size = LIMIT;
        assert_eq!(queues_mpmc_open_shared(&options, other.0, &mut mpmc), QUEUES_OK);
        refused(other.0, &options_of_nothing());
        queues_mpmc_release(mpmc);
    }
    // As many handles as there are attachments.
    let full = File::new();
    let single = queues_spsc_options_t { attachments: 1, ..good };
    let only = Queue::open_with(full.0, &single).unwrap();
    assert_eq!(Queue::open_with(full.0, &single).err(), Some(QUEUES_NOMEM));
    drop(only);
    Queue::open_with(full.0, &single).unwrap();
}

fn options_of_nothing() -> queues_spsc_options_t {
    options(0, 0)
}

/// Uses a queue in all ways that do not wait. Returns whether a call noticed that it is damaged.
fn use_all(queue: &Queue) -> bool {
    let mut is_corrupt = false;
    let mut see = |outcome: Result| {
        let known = [
            QUEUES_EMPTY,
            QUEUES_FULL,
            QUEUES_CLOSED,
            QUEUES_MISUSE,
            QUEUES_CORRUPT,
            QUEUES_TIMEOUT,
        ];
        assert!(outcome.is_ok() || known.contains(&outcome.unwrap_err()), "{outcome:?}");
        is_corrupt |= outcome == Err(QUEUES_CORRUPT);
    };
    for _ in 0..2 {
        see(queue.put(b"some bytes", 0));
        see(queue.peek().map(|_| ()));
        see(queue.front(0).map(|_| ()));
        see(queue.consume());
        let reserved = queue.reserve(0);
        if let Ok(at) = reserved {
            // SAFETY: whatever lies in the file, this much room is there.
            unsafe { at.write_bytes(1, LIMIT) };
        }
        see(reserved.map(|_| ()));
        see(queue.commit(LIMIT));
        see(queue.get(0).map(|_| ()));
        see(queue.put(b"", 1));
        see(queue.get(1).map(|_| ()));
        see(queue.get(1).map(|_| ()));
    }
    assert!(queue.size() <= queue.capacity());
    let _ = (queue.is_full(), queue.is_empty(), queue.is_closed(), queue.stats());
    see(queue.clear().map(|count| assert!(count <= queue.capacity())));
    is_corrupt
}

/// Words of the header.
const HEADER: usize = 512;

#[test]
fn no_word_of_the_file_makes_a_call_crash_or_hang() {
    watched("damage", || {
        let mut noticed = 0;
        let file = File::new();
        let few = queues_spsc_options_t { attachments: 2, ..options(5, LIMIT) };
        let queue = Queue::open_with(file.0, &few).unwrap();
        let words = file.words();
        let pristine: Vec<_> = words.iter().map(|word| word.load(SeqCst)).collect();
        let values = [0, 1, 2, 3, 4, 5, 6, 77, 1 << 32, 1 << 63, u64::MAX, u64::MAX - 2];
        // Behind the header, of which only an open reads the beginning.
        for i in (0..16).chain(HEADER..words.len()) {
            for value in values {
                for has_items in [false, true] {
                    if has_items {
                        let _ = (queue.put(b"x", 0), queue.put(b"y", 0));
                    }
                    words[i].store(value, SeqCst);
                    noticed += usize::from(use_all(&queue));
                    let other = Queue::open_with(file.0, &options(0, 0));
                    if let Ok(other) = &other {
                        use_all(other);
                    }
                    drop(other);
                    for (word, &before) in words.iter().zip(&pristine) {
                        word.store(before, SeqCst);
                    }
                }
            }
        }
        assert!(noticed > 10, "{noticed} damages were noticed");
    });
}

#[test]
fn a_peer_that_scribbles_cannot_make_a_call_crash_or_hang() {
    let seed = first_seed();
    watched("scribble", || with_seed("scribble", seed, || scribble(seed)));
}

fn scribble(seed: u64) {
    let file = File::new();
    let queue = Queue::open(&file, 5);
    let words = &file.words()[HEADER..];
    let over = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = Random::new(seed);
            // The state, the roles and the cells lie at the end.
            let first = words.len() - 250;
            while over.load(SeqCst) == 0 {
                let i = if random.one_in(4) { 0 } else { first };
                let i = i + random.below((words.len() - i) as u64) as usize;
                let value = match random.below(3) {
                    0 => random.next(),
                    1 => random.below(8),
                    _ => words[i].load(SeqCst).wrapping_add(random.below(9)).wrapping_sub(4),
                };
                words[i].store(value, SeqCst);
            }
        });
        let end = Instant::now() + Duration::from_secs(2);
        while Instant::now() < end {
            use_all(&queue);
        }
        over.store(1, SeqCst);
    });
}

// --- every instruction

/// What a child that is stepped does.
fn call(queue: &Queue, which: usize) {
    match which {
        0 => queue.put(&item(2), 0).unwrap(),
        1 => {
            let at = queue.reserve(0).unwrap();
            let bytes = item(2);
            // SAFETY: a reservation is as long as the longest item.
            unsafe { at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            queue.commit(bytes.len()).unwrap();
        }
        2 => {
            let (mut buffer, mut len) = ([0_u8; LIMIT], 0);
            let at = buffer.as_mut_ptr().cast();
            // SAFETY: a live handle; a buffer of this length.
            done(unsafe { queues_spsc_try_get_bytes(queue.0, at, LIMIT, &mut len) }).unwrap();
        }
        3 => {
            let (mut data, mut len) = (null(), 0);
            // SAFETY: a live handle and outputs.
            done(unsafe { queues_spsc_front(queue.0, &mut data, &mut len, 0) }).unwrap();
            queue.consume().unwrap();
        }
        _ => {
            let mut count = 0;
            // SAFETY: a live handle and an output.
            done(unsafe { queues_spsc_clear(queue.0, &mut count) }).unwrap();
        }
    }
}

/// Runs a call in a child that dies after `steps` instructions of it; false if the call ends
/// before.
fn kill_after(file: &File, which: usize, steps: u64) -> bool {
    // SAFETY: the child calls the queue, allocates as a child of fork may with this libc, and ends.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::ptrace(libc::PTRACE_TRACEME, 0, null_mut::<c_void>(), null_mut::<c_void>());
            let queue = Queue::open(file, 0);
            libc::raise(libc::SIGSTOP);
            call(&queue, which);
            libc::raise(libc::SIGSTOP);
            libc::_exit(0);
        }
        let stop = || {
            let mut status = 0;
            assert_eq!(libc::waitpid(child, &mut status, 0), child);
            assert!(libc::WIFSTOPPED(status), "the child ended: {status:x}");
            libc::WSTOPSIG(status)
        };
        assert_eq!(stop(), libc::SIGSTOP);
        let mut is_over = false;
        for _ in 0..steps {
            libc::ptrace(
                libc::PTRACE_SINGLESTEP,
                child,
                null_mut::<c_void>(),
                null_mut::<c_void>(),
            );
            if stop() == libc::SIGSTOP {
                is_over = true;
                break;
            }
        }
        libc::kill(child, libc::SIGKILL);
        assert_eq!(libc::waitpid(child, null_mut(), 0), child);
        !is_over
    }
}

#[test]
fn a_side_that_dies_at_any_instruction_is_taken_over() {
    let stride = setting("QUEUES_STRIDE", 23);
    watched("steps", || {
        for which in 0..5 {
            let (mut befores, mut afters) = (0, 0);
            for steps in (1..).step_by(stride as usize) {
                let file = File::new();
                let queue = Queue::open(&file, 3);
                queue.put(&item(0), 0).unwrap();
                queue.put(&item(1), 0).unwrap();
                drop(queue);
                let is_dead = kill_after(&file, which, steps);
                let queue = Queue::open(&file, 0);
                let stats = queue.stats();
                let (first, end) = (stats.dequeued, stats.enqueued);
                let is_legal = match which {
                    0 | 1 => first == 0 && (2..=3).contains(&end),
                    2 | 3 => first <= 1 && end == 2,
                    _ => first <= 2 && end == 2,
                };
                assert!(is_legal, "call {which}, {steps} steps: {first}..{end}");
                if (first, end) == (0, 2) {
                    befores += 1
                } else {
                    afters += 1
                }
                assert_eq!(queue.size() as u64, end - first);
                for next in end..first + 3 {
                    queue.put(&item(next), 0).unwrap();
                }
                assert_eq!(queue.put(b"", 0), Err(QUEUES_FULL), "capacity is exact");
                for next in first..first + 3 {
                    assert_eq!(number(&queue.get(0).unwrap()), next);
                }
                assert_eq!(queue.get(0), Err(QUEUES_EMPTY));
                assert_eq!(queue.stats().attached, 1);
                if !is_dead {
                    break;
                }
            }
            assert!(befores > 0 && afters > 0, "call {which}: {befores} before, {afters} after");
        }
    });
}

/// As if a producer had died after it noted that lengths begin at the tail, before it published the
/// short blob. The next producer puts a blob there that is as long as can be.
#[test]
fn lengths_that_begin_without_a_blob_are_taken_over() {
    let file = File::new();
    let queue = Queue::open(&file, 3);
    queue.put(&item(0), 0).unwrap();
    drop(queue);
    let noted = file.words().iter().find(|word| word.load(SeqCst) == i64::MAX as u64);
    noted.expect("no lengths yet").store(1, SeqCst);
    let queue = Queue::open(&file, 0);
    queue.put(&item(1), 0).unwrap();
    assert_eq!(number(&queue.get(0).unwrap()), 0);
    assert_eq!(number(&queue.get(0).unwrap()), 1);
}
