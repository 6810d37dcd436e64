//! A storm of kills: producers and consumers are processes, which are killed or suspended at random
//! moments, and replaced.
//!
//! The workers write a log in shared memory. A producer notes each item before the put and after
//! it. A consumer counts each item that it has got, or is about to settle. So the parent knows at
//! the end which items may be missing, which may have been got twice, and that no process waited.

use crate::support::children::{Child, Seen, add, die_with_parent, now};
use crate::support::random::{Random, first_seed, setting, with_seed};
use crate::support::shared_queue::{MemoryFile, Options, Shared, check_whole, word};
use crate::support::watchdog::watched;
use queues::ffi::mpmc::QUEUES_REDELIVER;
use queues::ffi::status::*;
use std::collections::HashMap;
use std::process::Command;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

/// The variable that makes this program a worker.
pub const WORKER: &str = "QUEUES_WORKER";

/// Workers of a round, in all its time.
const LIVES: usize = 1000;
/// Items that a producer puts in its life.
const ITEMS: usize = 8192;
/// The longest call of a worker in ns; a longer one counts as a wait for a dead process. A call
/// takes a moment, or a slice of 200 ms. The rest is for a busy machine.
const LONGEST: u64 = 10_000_000_000;
/// The timeout of waits in ns, longer than `LONGEST`.
const WAIT: i64 = 60_000_000_000;

const BLOB: usize = 64;
/// What ends a wait of a consumer at the end of a round.
const NOTHING: u64 = u64::MAX;

const PRODUCERS: usize = 3;
const CONSUMERS: usize = 3;

/// Words of the log: common ones, and those of each life; then a byte for each item.
const STOP: usize = 0;
const DONE: usize = 1;
const COMMON: usize = 16;
/// Items that the producer began to put, and those that it has put.
const BEGUN: usize = 0;
const PUT: usize = 1;
/// When a consumer's or producer's call began; 0 between calls.
const SINCE: usize = 2;
/// Whether the consumer is inside of a get.
const GETS: usize = 3;
/// Leases that it may hold.
const LEASES: usize = 4;
/// Items that it cleared, and whether it is inside of a clear.
const CLEARED: usize = 5;
const CLEARS: usize = 6;
const OF_LIFE: usize = 8;

struct Log {
    words: &'static [AtomicU64],
}

impl Log {
    const WORDS: usize = COMMON + LIVES * OF_LIFE;
    const LEN: usize = (Self::WORDS * 8 + LIVES * ITEMS).next_multiple_of(8);

    fn common(&self, word: usize) -> &AtomicU64 {
        &self.words[word]
    }
    fn of(&self, life: usize, word: usize) -> &AtomicU64 {
        assert!(life < LIVES);
        &self.words[COMMON + life * OF_LIFE + word]
    }
    fn get(&self, life: usize, word: usize) -> u64 {
        self.of(life, word).load(SeqCst)
    }
    /// Where the item is counted: the word, and the bits in it.
    fn counter(&self, life: usize, item: usize) -> (&AtomicU64, u32) {
        let byte = life * ITEMS + item;
        (&self.words[Self::WORDS + byte / 8], 8 * (byte % 8) as u32)
    }
    fn count(&self, id: u64) {
        let (life, item) = ((id >> 32) as usize, id as u32 as usize);
        assert!(life < LIVES && item < ITEMS, "an item that nobody put: {id:#x}");
        let (word, shift) = self.counter(life, item);
        add(word, 1 << shift);
    }
    fn times(&self, life: usize, item: usize) -> u64 {
        let (word, shift) = self.counter(life, item);
        word.load(SeqCst) >> shift & 0xff
    }
}

/// How a round goes.
#[derive(Debug, Clone, Copy)]
struct Mode {
    options: Options,
    /// Consumers return items and clear the queue, so that there is no order.
    mixes: bool,
}

/// The blob of an item: its number, and bytes that depend on it.
fn blob(id: u64, bytes: &mut [u8; BLOB]) -> usize {
    let mut random = Random::new(id);
    let len = 8 + random.below(BLOB as u64 - 7) as usize;
    bytes[..8].copy_from_slice(&id.to_ne_bytes());
    bytes[8..len].fill_with(|| random.next() as u8);
    len
}

/// Checks that a blob is whole; returns its number.
fn check_blob(bytes: &[u8]) -> u64 {
    let id = word(bytes);
    let mut expected = [0; BLOB];
    let len = blob(id, &mut expected);
    assert!(bytes == &expected[..len], "a torn blob: {bytes:?}");
    id
}

// --- workers

struct Worker {
    queue: Shared,
    log: Log,
    life: usize,
    random: Random,
    mixes: bool,
    redelivers: bool,
    last: HashMap<usize, u64>,
}

/// The program of a worker: `settings` are numbers.
pub fn work(settings: &str) -> ! {
    die_with_parent();
    let done = std::panic::catch_unwind(|| {
        let numbers: Vec<u64> = settings.split(' ').map(|number| number.parse().unwrap()).collect();
        let [file, log, life, is_producer, mixes, redelivers, seed] = numbers[..] else { panic!() };
        let log = core::mem::ManuallyDrop::new(MemoryFile(log as i32));
        let mut worker = Worker {
            queue: Shared::open(file as i32, &Options::any()).unwrap(),
            log: Log { words: log.map() },
            life: life as usize,
            random: Random::new(seed),
            mixes: mixes != 0,
            redelivers: redelivers != 0,
            last: HashMap::new(),
        };
        if is_producer != 0 { worker.produce() } else { worker.consume() }
    });
    // SAFETY: ends the process.
    unsafe { libc::_exit(if done.is_ok() { 0 } else { 101 }) }
}

impl Worker {
    fn word(&self, word: usize) -> &AtomicU64 {
        self.log.of(self.life, word)
    }
    fn set(&self, word: usize, value: u64) {
        self.word(word).store(value, SeqCst);
    }
    fn goes_on(&self) -> bool {
        self.log.common(STOP).load(SeqCst) == 0
    }
    /// Runs a call, which the parent watches.
    fn watched<R>(&self, call: impl FnOnce(&Shared) -> R) -> R {
        self.set(SINCE, now());
        let result = call(&self.queue);
        self.set(SINCE, 0);
        add(self.log.common(DONE), 1);
        result
    }
    /// Sometimes, so that queues run full and empty.
    fn pause(&mut self) {
        if self.random.one_in(64) {
            let time = libc::timespec { tv_sec: 0, tv_nsec: self.random.below(100_000) as _ };
            // SAFETY: a valid time.
            unsafe { libc::nanosleep(&time, core::ptr::null_mut()) };
        }
    }

    fn produce(&mut self) {
        let mut item = 0;
        while item < ITEMS && self.goes_on() {
            let id = (self.life as u64) << 32 | item as u64;
            let mut bytes = [0; BLOB];
            let len = blob(id, &mut bytes);
            self.set(BEGUN, item as u64 + 1);
            let timeout = if self.random.one_in(2) { WAIT } else { 0 };
            let put = match self.random.below(4) {
                0 => self.put_in_place(&bytes[..len], timeout),
                _ => self.watched(|queue| queue.put(&bytes[..len], timeout)),
            };
            match put {
                Ok(()) => {
                    item += 1;
                    self.set(PUT, item as u64);
                }
                Err(QUEUES_FULL) => {}
                Err(status) => panic!("a put: {status:?}"),
            }
            self.pause();
        }
    }

    fn put_in_place(&mut self, blob: &[u8], timeout: i64) -> Result<(), queues_status_t> {
        let data = self.watched(|queue| queue.reserve(timeout))?;
        // SAFETY: a reservation of `BLOB` bytes.
        unsafe { data.copy_from_nonoverlapping(blob.as_ptr(), blob.len()) };
        let done = if self.random.one_in(4) {
            Err(QUEUES_FULL)
        } else {
            self.watched(|queue| queue.commit(data, blob.len()))
        };
        if done.is_err() {
            self.watched(|queue| queue.cancel(data)).unwrap();
        }
        done
    }

    fn consume(&mut self) {
        let mut held = Vec::new();
        let mut buffer = [0; BLOB];
        while self.goes_on() {
            // A worker that holds cells does not wait for other workers.
            let waits = held.is_empty() && self.random.one_in(2);
            let timeout = if waits { WAIT } else { 0 };
            match self.random.below(8) {
                0..3 => {
                    self.set(GETS, 1);
                    if let Ok(len) = self.watched(|queue| queue.get(&mut buffer, timeout)) {
                        self.receive(&buffer[..len]);
                    }
                    self.set(GETS, 0);
                }
                3..6 if held.len() < 2 => {
                    self.set(LEASES, held.len() as u64 + 1);
                    match self.watched(|queue| queue.lease(timeout)) {
                        Ok((data, len)) => {
                            // SAFETY: a lease of `len` bytes.
                            self.look_at(unsafe { core::slice::from_raw_parts(data, len) });
                            held.push(data);
                        }
                        Err(_) => self.set(LEASES, held.len() as u64),
                    }
                }
                6 if self.mixes => self.mix(),
                _ => {
                    if let Some(data) = held.pop() {
                        self.end_lease(data);
                        self.set(LEASES, held.len() as u64);
                    }
                }
            }
            self.pause();
        }
        held.into_iter().for_each(|data| self.end_lease(data));
        self.set(LEASES, 0);
    }

    fn end_lease(&mut self, data: *mut u8) {
        if self.mixes
            && self.random.one_in(4)
            && self.watched(|queue| queue.put_back(data)) != Err(QUEUES_FULL)
        {
            return;
        }
        // SAFETY: a lease of at least eight bytes.
        let id = unsafe { data.cast::<u64>().read() };
        if id != NOTHING {
            self.log.count(id);
        }
        self.watched(|queue| queue.settle(data)).unwrap();
    }

    fn mix(&mut self) {
        let mut buffer = [0; BLOB];
        match self.random.below(16) {
            0 => {
                self.set(CLEARS, 1);
                let cleared = self.watched(|queue| queue.clear()).unwrap();
                add(self.word(CLEARED), cleared as u64);
                self.set(CLEARS, 0);
            }
            1..8 => {
                if let Ok(len) = self.watched(|queue| queue.peek(&mut buffer)) {
                    check_blob(&buffer[..len]);
                }
            }
            _ => assert!(self.watched(|queue| queue.stats()).current_size <= 64),
        }
    }

    /// Checks the item and its order; returns its number.
    fn look_at(&mut self, bytes: &[u8]) -> u64 {
        let id = check_blob(bytes);
        let (producer, item) = ((id >> 32) as usize, id & 0xffff_ffff);
        if id != NOTHING && !self.mixes && !self.redelivers {
            let last = self.last.insert(producer, item);
            assert!(last.is_none_or(|last| last < item), "{item} of {producer} after {last:?}");
        }
        id
    }

    fn receive(&mut self, bytes: &[u8]) {
        let id = self.look_at(bytes);
        if id != NOTHING {
            self.log.count(id);
        }
    }
}

// --- the parent

struct Running {
    child: Child,
    life: usize,
    is_producer: bool,
}

struct Round {
    mode: Mode,
    file: MemoryFile,
    log_file: MemoryFile,
    log: Log,
    lives: usize,
    kills: u64,
    random: Random,
}

impl Round {
    fn new(mode: Mode, random: Random) -> (Self, Shared) {
        let (file, log_file) = (MemoryFile::new(), MemoryFile::new());
        let queue = Shared::open(file.0, &mode.options).unwrap();
        log_file.set_len(Log::LEN);
        let log = Log { words: log_file.map() };
        (Self { mode, file, log_file, log, lives: 0, kills: 0, random }, queue)
    }

    fn start(&mut self, is_producer: bool) -> Running {
        let life = self.lives;
        self.lives += 1;
        let numbers = [
            self.file.0 as u64,
            self.log_file.0 as u64,
            life as u64,
            u64::from(is_producer),
            u64::from(self.mode.mixes),
            u64::from(self.mode.options.redelivers()),
            self.random.next(),
        ];
        let numbers = numbers.map(|number| number.to_string()).join(" ");
        let program = std::env::current_exe().unwrap();
        // `Child` waits for it.
        #[allow(clippy::zombie_processes)]
        let child = Command::new(program).env(WORKER, numbers).spawn().unwrap();
        Running { child: Child::of(child.id() as libc::pid_t), life, is_producer }
    }

    /// Fails if a worker has been in a call for too long, or has ended by itself.
    fn check(&mut self, workers: &mut [Running]) {
        for worker in workers {
            let Running { child, life, is_producer } = worker;
            let since = self.log.get(*life, SINCE);
            let time = if since == 0 { 0 } else { now().saturating_sub(since) };
            assert!(time < LONGEST, "{} waits for {time} ns", self.name(*life, *is_producer));
            match child.ended() {
                None => {}
                // It has put all its items.
                Some(Seen::Exited(0)) if *is_producer => *worker = self.start(true),
                Some(seen) => panic!("{}: {seen:?}", self.name(*life, *is_producer)),
            }
        }
    }

    fn name(&self, life: usize, is_producer: bool) -> String {
        let role = if is_producer { "producer" } else { "consumer" };
        format!("{role} {life} of {:?} after {} kills", self.mode, self.kills)
    }

    fn sleep(&mut self, most: u64) {
        std::thread::sleep(std::time::Duration::from_nanos(self.random.below(most)));
    }

    /// Kills `kills` workers, as far as the log has room for their successors.
    fn kill(&mut self, workers: &mut [Running], kills: u64) {
        while self.kills < kills && self.lives + 3 * workers.len() < LIVES {
            let suspended = self.random.below(workers.len() as u64) as usize;
            let suspends = self.random.one_in(4);
            if suspends {
                workers[suspended].child.suspend();
            }
            let most = if self.random.one_in(16) { 20_000_000 } else { 1_000_000 };
            self.sleep(most);
            let victims = if self.random.one_in(16) { workers.len() } else { 1 };
            let first = self.random.below(workers.len() as u64) as usize;
            for i in 0..victims {
                let at = (first + i) % workers.len();
                let is_producer = workers[at].is_producer;
                let successor = self.start(is_producer);
                core::mem::replace(&mut workers[at], successor).child.kill();
                self.kills += 1;
            }
            if suspends {
                workers[suspended].child.go_on();
            }
            self.check(workers);
        }
    }

    /// Ends the workers that are left: gives room to producers that wait, and something to
    /// consumers.
    fn finish(&mut self, queue: &Shared, workers: Vec<Running>) {
        self.log.common(STOP).store(1, SeqCst);
        let mut buffer = [0; BLOB];
        let end = now() + LONGEST;
        let (producers, consumers): (Vec<_>, Vec<_>) =
            workers.into_iter().partition(|worker| worker.is_producer);
        let mut nothing = [0; BLOB];
        let len = blob(NOTHING, &mut nothing);
        for is_producer in [true, false] {
            let workers = if is_producer { &producers } else { &consumers };
            let mut left: Vec<_> = workers.iter().collect();
            while !left.is_empty() {
                assert!(now() < end, "workers do not end: {:?}", self.mode);
                // Both: a consumer may wait for an item while a producer waits for room.
                if is_producer {
                    self.drain(queue, &mut buffer, 1_000_000);
                } else {
                    let _ = queue.put(&nothing[..len], 0);
                }
                // A wait for it follows below.
                left.retain(|worker| !worker.child.is_ending());
            }
        }
        for worker in producers.into_iter().chain(consumers) {
            worker.child.join();
        }
        // What dead consumers held is redelivered within a slice of a wait.
        while self.drain(queue, &mut buffer, 500_000_000) > 0 {}
    }

    fn drain(&self, queue: &Shared, buffer: &mut [u8; BLOB], timeout: i64) -> usize {
        let mut count = 0;
        while let Ok(len) = queue.get(buffer, if count == 0 { timeout } else { 0 }) {
            let id = check_blob(&buffer[..len]);
            if id != NOTHING {
                self.log.count(id);
            }
            count += 1;
        }
        count
    }

    /// Compares what was put with what was got.
    fn check_items(&self) {
        let sum = |word| (0..self.lives).map(|life| self.log.get(life, word)).sum::<u64>();
        let (mut put, mut missing, mut again) = (0, 0, 0);
        for life in 0..self.lives {
            let (begun, is_put) = (self.log.get(life, BEGUN), self.log.get(life, PUT));
            for item in 0..ITEMS as u64 {
                let times = self.log.times(life, item as usize);
                assert!(times == 0 || item < begun, "an item that nobody put");
                put += u64::from(item < is_put);
                missing += u64::from(item < is_put && times == 0);
                again += times.saturating_sub(1);
            }
        }
        let (gets, leases) = (sum(GETS), sum(LEASES));
        let cleared = sum(CLEARED) + sum(CLEARS) * self.mode.options.capacity as u64;
        let redelivers = self.mode.options.redelivers();
        let may_miss = gets + cleared + if redelivers { 0 } else { leases };
        let may_come_again = if redelivers { leases } else { 0 };
        let found = format!(
            "{put} items, {missing} missing of {may_miss}, {again} again of {may_come_again}; {} kills; {:?}",
            self.kills, self.mode
        );
        assert!(missing <= may_miss && again <= may_come_again, "{found}");
        eprintln!("{found}");
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        MemoryFile::unmap(self.log.words);
    }
}

fn modes() -> Vec<Mode> {
    let small = Options { capacity: 8, item_size: BLOB, spare: 4, attachments: 16, flags: 0 };
    let large = Options { capacity: 64, spare: 64, ..small };
    let mut modes = Vec::new();
    for options in [small, large] {
        for flags in [0, QUEUES_REDELIVER] {
            for mixes in [false, true] {
                modes.push(Mode { options: Options { flags, ..options }, mixes });
            }
        }
    }
    modes
}

#[test]
fn a_storm_of_kills_loses_and_doubles_nothing_and_holds_up_nobody() {
    let seed = first_seed();
    let mut random = Random::new(seed);
    let mut left = setting("QUEUES_KILLS", 2000);
    let modes = modes();
    let each = left.div_ceil(modes.len() as u64);
    for mode in modes.iter().cycle() {
        if left == 0 {
            break;
        }
        let kills = watched("a storm of kills", || {
            with_seed("a storm of kills", seed, || storm(*mode, random.split(), each.min(left)))
        });
        left = left.saturating_sub(kills);
    }
}

/// Returns the number of kills.
fn storm(mode: Mode, random: Random, kills: u64) -> u64 {
    let (mut round, queue) = Round::new(mode, random);
    let mut workers = Vec::new();
    for _ in 0..PRODUCERS {
        workers.push(round.start(true));
    }
    for _ in 0..CONSUMERS {
        workers.push(round.start(false));
    }
    round.kill(&mut workers, kills);
    round.finish(&queue, workers);
    round.check_items();
    // Two handles that come and go free the records of all dead processes.
    for _ in 0..2 {
        drop(Shared::open(round.file.0, &mode.options).unwrap());
    }
    assert_eq!(queue.drain(), [], "{mode:?}");
    check_whole(&queue, &mode.options, 1);
    round.kills
}
