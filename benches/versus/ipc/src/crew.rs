//! Processes that share channels: they start together, warm up with a tenth of the items, and are
//! measured. The same as `measure` in `../../cpp/harness.c` and the workloads in
//! `../../cpp/processes.h`.

use crate::{Channel, Trial};
use processors::{allowed, pin};
use protocol::{Case, TrialResult, fail};
use serde_json::json;
use std::hint::spin_loop;
use std::mem::MaybeUninit;
use std::ptr::null_mut;

const MAX_WORKERS: usize = 16;

/// What the processes of a trial share.
#[repr(C)]
struct Board {
    ready: libc::pthread_barrier_t,
    lines: [Line; MAX_WORKERS],
}

/// What a process writes, on cache lines of its own.
#[repr(C, align(128))]
#[derive(Clone, Copy)]
struct Line {
    start: u64,
    end: u64,
    sum: u64,
}

/// The board in memory that child processes share.
fn new_board(workers: usize) -> *mut Board {
    let (access, flags) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: new memory, zeroed, in which the barrier is initialized with attributes that are.
    unsafe {
        let memory = libc::mmap(null_mut(), size_of::<Board>(), access, flags, -1, 0);
        if memory == libc::MAP_FAILED {
            fail(1, "no more memory");
        }
        let board: *mut Board = memory.cast();
        let mut attributes = MaybeUninit::uninit();
        libc::pthread_barrierattr_init(attributes.as_mut_ptr());
        libc::pthread_barrierattr_setpshared(attributes.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED);
        let ready = &raw mut (*board).ready;
        libc::pthread_barrier_init(ready, attributes.as_ptr(), workers as u32);
        board
    }
}

fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid output.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Waits as `snooze` in `../../cpp/harness.h` does: 1, 2, 4, ... 64 pauses, then yields.
#[derive(Default)]
pub struct Backoff(u32);
impl Backoff {
    pub fn snooze(&mut self) {
        if self.0 > 6 {
            std::thread::yield_now();
            return;
        }
        for _ in 0..1 << self.0 {
            spin_loop();
        }
        self.0 += 1;
    }
}

/// The ends that one process has: even workers send, odd ones receive; in a ping-pong both do both.
struct Ends<C: Channel<N>, const N: usize> {
    senders: Vec<C::Sender>,
    receiver: Option<C::Receiver>,
}

impl<C: Channel<N>, const N: usize> Ends<C, N> {
    fn new(trial: &Trial, worker: usize, bounces: bool) -> Self {
        let (out, into): (Vec<_>, _) = match (bounces, worker % 2) {
            (true, side) => (vec![side], Some(1 - side)),
            (false, 0) if C::SHARES => (vec![0], None),
            // Each producer begins with another consumer, so that all get as many items.
            (false, 0) => {
                ((0..trial.pairs).map(|i| (i + worker / 2) % trial.pairs).collect(), None)
            }
            (false, _) => (vec![], Some(if C::SHARES { 0 } else { worker / 2 })),
        };
        Self {
            senders: out.into_iter().map(|channel| C::sender(trial, channel)).collect(),
            receiver: into.map(|channel| C::receiver(trial, channel)),
        }
    }

    /// Moves the numbers from 1 to `items` and returns the sum of those received.
    fn stream(&mut self, items: usize) -> u64 {
        let Some(receiver) = &mut self.receiver else {
            let mut next = 0;
            for number in 1..=items as u64 {
                C::put(&mut self.senders[next], number);
                next = if next + 1 == self.senders.len() { 0 } else { next + 1 };
            }
            return 0;
        };
        (0..items).map(|_| C::get(receiver, false)).fold(0, u64::wrapping_add)
    }

    /// Passes a token to the other worker and back, `items` times.
    fn bounce(&mut self, worker: usize, items: usize, spins: bool) {
        let (sender, receiver) = (&mut self.senders[0], self.receiver.as_mut().unwrap());
        for number in 1..=items as u64 {
            if worker == 0 {
                C::put(sender, number);
            }
            if C::get(receiver, spins) != number {
                fail(3, "a round trip returned another token");
            }
            if worker == 1 {
                C::put(sender, number);
            }
        }
    }
}

/// The sum of 1 to n.
fn sum_up_to(n: usize) -> u64 {
    n as u64 * (n as u64 + 1) / 2
}

/// The work of one process, which writes its line of the board.
fn work<C: Channel<N>, const N: usize>(
    trial: &Trial,
    worker: usize,
    bounces: bool,
    passes: [usize; 2],
    board: *mut Board,
) {
    let processors = allowed();
    if 2 * trial.pairs <= processors.len() {
        pin(processors[worker]);
    }
    let mut ends = Ends::<C, N>::new(trial, worker, bounces);
    let mut sum = 0u64;
    // SAFETY: the board is initialized, and no other process writes this line.
    unsafe {
        libc::pthread_barrier_wait(&raw mut (*board).ready);
        ends.senders.iter().for_each(C::connect_sender);
        libc::pthread_barrier_wait(&raw mut (*board).ready);
        ends.receiver.iter().for_each(C::connect_receiver);
        for items in passes {
            libc::pthread_barrier_wait(&raw mut (*board).ready);
            (*board).lines[worker].start = now();
            if bounces {
                ends.bounce(worker, items, processors.len() > 1);
            } else {
                sum = sum.wrapping_add(ends.stream(items));
            }
            (*board).lines[worker].end = now();
        }
        (*board).lines[worker].sum = sum;
        // A channel may not lose its last end while another worker uses it.
        libc::pthread_barrier_wait(&raw mut (*board).ready);
    }
}

/// Forks a process for each worker, and waits until all have ended. A worker that fails ends the
/// trial.
fn in_processes(workers: usize, work: impl Fn(usize)) {
    // SAFETY: this process has one thread, so a child may do anything.
    unsafe {
        let parent = libc::getpid();
        let mut processes = Vec::new();
        for worker in 0..workers {
            match libc::fork() {
                ..0 => fail(1, "no more processes"),
                0 => {
                    libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                    if libc::getppid() == parent {
                        work(worker);
                    }
                    libc::_exit(0);
                }
                process => processes.push(process),
            }
        }
        for _ in 0..workers {
            let mut status = 0;
            libc::waitpid(-1, &mut status, 0);
            if status == 0 {
                continue;
            }
            // The others would wait for it.
            for &process in &processes {
                libc::kill(process, libc::SIGKILL);
            }
            if libc::WIFEXITED(status) {
                libc::_exit(libc::WEXITSTATUS(status)); // it printed the reason
            }
            fail(1, "a process was killed by a signal");
        }
    }
}

/// The items of the warm-up: a tenth, but enough for all memory of the queue.
fn warm_up(items: usize, capacity: usize) -> usize {
    items.min((items / 10).max(capacity + capacity / 4))
}

pub fn measure<C: Channel<N>, const N: usize>(case: &Case, items: usize) -> TrialResult {
    let bounces = case.family == "process-ping-pong";
    let pairs = Case::number(&case.shape);
    // SAFETY: no arguments.
    let number = unsafe { libc::getpid() } as u32;
    let trial = Trial { number, capacity: case.capacity, pairs };
    let workers = 2 * pairs;
    if workers > MAX_WORKERS {
        fail(2, "too many processes");
    }
    let passes = [warm_up(items, case.capacity) / pairs, items / pairs];
    let board = new_board(workers);
    in_processes(workers, |worker| work::<C, N>(&trial, worker, bounces, passes, board));

    // SAFETY: all writers have ended.
    let lines = unsafe { &(&(*board).lines)[..workers] };
    let put = if bounces { 0 } else { passes.map(sum_up_to).iter().sum::<u64>() * pairs as u64 };
    if lines.iter().fold(0, |sum, line| line.sum.wrapping_add(sum)) != put {
        return Err("items were lost, duplicated or torn".into());
    }
    let start = lines.iter().map(|line| line.start).min().unwrap();
    let end = lines.iter().map(|line| line.end).max().unwrap();
    Ok(json!({ "items": passes[1] * pairs, "seconds": (end - start) as f64 / 1e9 }))
}
