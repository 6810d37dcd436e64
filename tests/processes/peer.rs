//! A peer writes any words into the file while calls run. The calls may return anything. They
//! access no memory but the file and their buffers, do not crash, and end.

use crate::support::children::{clock, fork, now};
use crate::support::random::{Random, first_seed, setting, with_seed};
use crate::support::shared_queue::{MemoryFile, Options, Shared, word};
use crate::support::watchdog::watched;
use queues::ffi::mpmc::QUEUES_REDELIVER;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Nanoseconds of processor time that a call without a timeout may take.
const LONGEST: u64 = 2_000_000_000;
const GUARD: u8 = 0xa5;

/// The guards around a buffer.
struct Guarded {
    bytes: [u8; 192],
}

impl Guarded {
    fn new() -> Self {
        Self { bytes: [GUARD; 192] }
    }
    fn room(&mut self, len: usize) -> &mut [u8] {
        self.bytes.fill(GUARD);
        &mut self.bytes[64..64 + len]
    }
    fn check(&self, len: usize) {
        let outside = self.bytes[..64].iter().chain(&self.bytes[64 + len..]);
        assert!(outside.copied().all(|byte| byte == GUARD), "a write outside of the buffer");
    }
}

/// Runs a call and checks its time; returns what it returned.
fn timed<R>(name: &str, longest: &mut u64, call: impl FnOnce() -> R) -> R {
    let start = clock(libc::CLOCK_THREAD_CPUTIME_ID);
    let result = call();
    let time = clock(libc::CLOCK_THREAD_CPUTIME_ID) - start;
    *longest = (*longest).max(time);
    assert!(time < LONGEST, "{name} took {time} ns");
    result
}

/// Where cells may lie.
struct Cells {
    size: usize,
}

impl Cells {
    /// Uses a cell as its holder does.
    fn touch(&self, data: *mut u8, len: usize) {
        assert!(len <= self.size, "a lease of {len} bytes");
        // SAFETY: a reservation or a lease of `size` bytes.
        unsafe {
            data.write_bytes(7, self.size);
            core::hint::black_box(data.add(self.size - 1).read());
        }
    }
}

/// Runs every call, some of them with small buffers.
fn run_all_calls(queue: &Shared, options: &Options, random: &mut Random, longest: &mut u64) {
    let cells = Cells { size: options.item_size };
    let mut buffer = Guarded::new();
    let mut held = Vec::new();
    for _ in 0..3 {
        let len = random.below(options.item_size as u64 + 1) as usize;
        let room = random.below(2) as usize * len;
        let _ = timed("put", longest, || queue.put(&[1; 64][..len], 0));
        if let Ok(got) = timed("get", longest, || queue.get(buffer.room(room), 0)) {
            assert!(got <= room, "{got} bytes in {room}");
        }
        buffer.check(room);
        if let Ok(got) = timed("peek", longest, || queue.peek(buffer.room(len))) {
            assert!(got <= len, "{got} bytes in {len}");
        }
        buffer.check(len);
        if let Ok((data, len)) = timed("lease", longest, || queue.lease(0)) {
            cells.touch(data, len);
            held.push(data);
        }
        if let Ok(data) = timed("reserve", longest, || queue.reserve(0)) {
            cells.touch(data, 0);
            let _ = timed("commit", longest, || queue.commit(data, len));
            held.push(data);
        }
    }
    // Some of these are not what they were.
    for data in held {
        let _ = match random.below(4) {
            0 => timed("settle", longest, || queue.settle(data)),
            1 => timed("return", longest, || queue.put_back(data)),
            2 => timed("cancel", longest, || queue.cancel(data)),
            _ => timed("commit", longest, || queue.commit(data, 1)),
        };
    }
    assert!(timed("size", longest, || queue.size()) <= options.capacity);
    assert_eq!(timed("capacity", longest, || queue.capacity()), options.capacity);
    assert!(timed("stats", longest, || queue.stats()).current_size <= options.capacity as u64);
    timed("is_closed", longest, || queue.is_closed());
    if random.one_in(4) {
        let _ = timed("clear", longest, || queue.clear());
    }
    if random.one_in(16) {
        let start = now();
        let _ = timed("a get that waits", longest, || queue.get(buffer.room(64), 1_000_000));
        let _ = timed("a put that waits", longest, || queue.put(&[1; 64], 1_000_000));
        assert!(now() - start < 20_000_000_000, "waits of a millisecond");
    }
    if random.one_in(16) {
        let _ = timed("close", longest, || queue.close());
    }
}

/// Words that find more than random ones do.
fn telling(random: &mut Random, old: u64) -> u64 {
    match random.below(10) {
        0 => 0,
        1 => u64::MAX,
        2 => 1 << random.below(64),
        3 => old ^ 1 << random.below(64),
        4 => old.wrapping_add(random.below(9)).wrapping_sub(4),
        5 => random.below(16),
        6 => random.next() >> random.below(64),
        7 => 1 << 63 | random.below(64),
        8 => 3 << 62 | random.below(64),
        _ => random.next(),
    }
}

fn options(flags: u64) -> Options {
    Options { capacity: 4, item_size: 64, spare: 3, attachments: 3, flags }
}

/// A queue in which some cells are in each state: filled, leased, reserved, and held by a process
/// that died.
fn busy_queue(flags: u64) -> (MemoryFile, Shared) {
    let (file, options) = (MemoryFile::new(), options(flags));
    let queue = Shared::open(file.0, &options).unwrap();
    for i in 0..4_u64 {
        queue.put(&[i.to_ne_bytes(); 8].concat(), 0).unwrap();
    }
    queue.lease(0).unwrap();
    queue.reserve(0).unwrap();
    (file, queue)
}

#[test]
fn any_word_of_the_file_may_be_any_number() {
    let seed = first_seed();
    watched("a wrong word", || {
        with_seed("a wrong word", seed, || fork(|| try_each_word(seed)).join());
    });
}

fn try_each_word(seed: u64) {
    let mut random = Random::new(seed);
    let mut longest = 0;
    let words = busy_queue(0).0.len() / 8;
    // Those of seats are all alike.
    for word_at in 0..words {
        for _ in 0..setting("QUEUES_WORDS", 1) {
            let flags = if random.one_in(2) { QUEUES_REDELIVER } else { 0 };
            let (file, queue) = busy_queue(flags);
            let words = file.map();
            let old = words[word_at].load(Relaxed);
            let new = telling(&mut random, old);
            words[word_at].store(new, Relaxed);
            with_seed(format!("word {word_at}: {old:#x} became {new:#x}"), seed, || {
                run_all_calls(&queue, &options(flags), &mut random, &mut longest);
                // Attaching, and a sweep.
                let start = clock(libc::CLOCK_THREAD_CPUTIME_ID);
                let another = Shared::open(file.0, &Options::any());
                if let Ok(another) = another {
                    run_all_calls(&another, &options(flags), &mut random, &mut longest);
                    drop(another);
                }
                drop(queue);
                let time = clock(libc::CLOCK_THREAD_CPUTIME_ID) - start;
                assert!(time < 10 * LONGEST, "open and release took {time} ns");
            });
            MemoryFile::unmap(words);
        }
    }
    eprintln!("a wrong word: the longest call took {} us", longest / 1000);
}

#[test]
fn a_peer_that_scribbles_harms_nobody() {
    let seed = first_seed();
    let mut random = Random::new(seed);
    for round in 0..setting("QUEUES_ROUNDS", 30) {
        watched("a scribbler", || {
            with_seed("a scribbler", seed, || {
                let flags = if round % 2 == 0 { QUEUES_REDELIVER } else { 0 };
                let (file, queue) = busy_queue(flags);
                // Beyond the header, which only an open reads; from a random part on, often one
                // only.
                let words = file.map();
                let first = random.below(words.len() as u64);
                let count = match random.below(3) {
                    0 => words.len() as u64,
                    _ => 1 + random.below(64),
                };
                let (scribbles, calls) = (random.next(), random.next());
                let scribbler = fork(|| scribble(words, first, count, scribbles));
                fork(|| {
                    let own = Shared::open(file.0, &Options::any());
                    let mut random = Random::new(calls);
                    let mut longest = 0;
                    let end = now() + 100_000_000;
                    while now() < end {
                        if let Ok(own) = &own {
                            run_all_calls(own, &options(flags), &mut random, &mut longest);
                        }
                        drop(Shared::open(file.0, &Options::any()));
                    }
                })
                .join();
                scribbler.kill();
                drop(queue);
                MemoryFile::unmap(words);
            });
        });
    }
}

fn scribble(words: &[AtomicU64], first: u64, count: u64, seed: u64) {
    let mut random = Random::new(seed);
    loop {
        let at = (first + random.below(count)) as usize % words.len();
        let old = words[at].load(Relaxed);
        words[at].store(telling(&mut random, old), Relaxed);
        for _ in 0..random.below(200) {
            core::hint::spin_loop();
        }
    }
}

#[test]
fn lengths_are_bounded_by_the_buffer_and_the_file() {
    let (file, queue) = busy_queue(0);
    let words = file.map();
    // The length words of cells, which lie before what was put.
    let lengths: Vec<_> = (1..words.len())
        .filter(|&at| words[at].load(Relaxed) == 64 && words[at - 1].load(Relaxed) >> 63 == 1)
        .collect();
    assert_eq!(lengths.len(), 3, "cells that are filled");
    for at in lengths {
        words[at].store(1 << 40, Relaxed);
    }
    let mut buffer = Guarded::new();
    assert_eq!(queue.get(buffer.room(64), 0), Err(queues::ffi::status::QUEUES_CORRUPT));
    assert_eq!(queue.peek(buffer.room(64)), Err(queues::ffi::status::QUEUES_CORRUPT));
    assert_eq!(queue.lease(0), Err(queues::ffi::status::QUEUES_CORRUPT));
    buffer.check(0);
    let _ = word(&buffer.bytes);
}
