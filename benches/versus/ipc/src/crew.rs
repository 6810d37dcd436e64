//! Processes that share channels: they start together, warm up with a tenth of the items, and are
//! measured. The same as `measure` in `../../cpp/harness.c` and the workloads in
//! `../../cpp/processes.h`.

use crate::{Channel, TORN, Trial};
use processors::{allowed, pin};
use protocol::{Case, TrialResult, fail};
use serde_json::json;
use std::hint::spin_loop;
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

const MAX_WORKERS: usize = 16;

/// What the processes of a trial share.
#[repr(C)]
struct Board {
    ready: libc::pthread_barrier_t,
    lines: [Line; MAX_WORKERS],
}

/// What a process writes, on cache lines of its own.
#[repr(C, align(128))]
struct Line {
    start: u64,
    end: u64,
    sum: u64,
    moved: AtomicU64,
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
                put::<C, N>(&mut self.senders[next], number);
                next = if next + 1 == self.senders.len() { 0 } else { next + 1 };
            }
            return 0;
        };
        (0..items).map(|_| C::get(receiver, false)).fold(0, u64::wrapping_add)
    }

    /// Moves items until the process is killed, and counts them in `moved`. Items for a process that
    /// was killed may be lost.
    fn work_on(&mut self, moved: &AtomicU64) {
        let mut next = 0;
        for number in 1.. {
            if let Some(receiver) = &mut self.receiver {
                if C::get(receiver, false) == TORN {
                    fail(3, "an item is torn");
                }
            } else {
                C::put(&mut self.senders[next], number);
                next = (next + 1) % self.senders.len();
            }
            moved.fetch_add(1, Relaxed);
        }
    }

    /// Passes a token to the other worker and back, `items` times.
    fn bounce(&mut self, worker: usize, items: usize, spins: bool) {
        let (sender, receiver) = (&mut self.senders[0], self.receiver.as_mut().unwrap());
        for number in 1..=items as u64 {
            if worker == 0 {
                put::<C, N>(sender, number);
            }
            if C::get(receiver, spins) != number {
                fail(3, "a round trip returned another token");
            }
            if worker == 1 {
                put::<C, N>(sender, number);
            }
        }
    }
}

fn put<C: Channel<N>, const N: usize>(sender: &mut C::Sender, number: u64) {
    if !C::put(sender, number) {
        fail(3, "an item had no receiver");
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

/// The processes of a trial, by their workers.
struct Crew(Vec<libc::pid_t>);

impl Crew {
    /// Forks a process that calls `work` and ends.
    fn start(work: impl Fn()) -> libc::pid_t {
        // SAFETY: this process has one thread, so a child may do anything.
        unsafe {
            let parent = libc::getpid();
            match libc::fork() {
                ..0 => fail(1, "no more processes"),
                0 => {
                    libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                    if libc::getppid() == parent {
                        work();
                    }
                    libc::_exit(0)
                }
                process => process,
            }
        }
    }

    fn new(workers: usize, work: impl Fn(usize)) -> Self {
        Self((0..workers).map(|worker| Self::start(|| work(worker))).collect())
    }

    fn kill(&self) {
        for &process in self.0.iter().filter(|process| **process > 0) {
            // SAFETY: no pointers, and the process was not reaped.
            unsafe { libc::kill(process, libc::SIGKILL) };
        }
    }

    /// Waits for the end of a process, and forgets its number, which another process may get. A worker
    /// that fails ends the trial, since the others would wait for it.
    fn reap(&mut self, options: libc::c_int) {
        let mut status = 0;
        // SAFETY: a valid output.
        let ended = unsafe { libc::waitpid(-1, &mut status, options) };
        self.0.iter_mut().filter(|process| **process == ended).for_each(|process| *process = 0);
        if status == 0 {
            return;
        }
        self.kill();
        if libc::WIFEXITED(status) {
            // It printed the reason. SAFETY: it does not return.
            unsafe { libc::_exit(libc::WEXITSTATUS(status)) }
        }
        fail(1, "a process was killed by a signal")
    }
}

/// The longest time without progress of the other workers: far longer than the scheduler leaves a
/// process waiting.
const LONGEST_STALL: Duration = Duration::from_secs(3);

/// Waits until all workers but `except` have moved more items than `before`.
fn await_progress(
    crew: &mut Crew,
    lines: &[Line],
    except: Option<usize>,
    before: &[u64],
    kills: usize,
) {
    let start = Instant::now();
    loop {
        let moves = |i: &usize| Some(*i) == except || lines[*i].moved.load(Relaxed) != before[*i];
        let still = (0..lines.len()).filter(|i| !moves(i)).count();
        if still == 0 {
            return;
        }
        crew.reap(libc::WNOHANG);
        if start.elapsed() > LONGEST_STALL {
            crew.kill();
            fail(1, format!("after {kills} kills {still} processes stand still"));
        }
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// Kills a random worker and starts a new one, `kills` times. The latency is the time from a kill
/// until each of the others has moved an item.
fn measure_kills<C: Channel<N>, const N: usize>(trial: &Trial, kills: usize) -> TrialResult {
    let board = new_board(2 * trial.pairs);
    // SAFETY: the board is initialized, and only the atomic fields are used.
    let lines = unsafe { &(&(*board).lines)[..2 * trial.pairs] };
    let work =
        |worker: usize| Ends::<C, N>::new(trial, worker, false).work_on(&lines[worker].moved);
    let mut crew = Crew::new(lines.len(), work);
    await_progress(&mut crew, lines, None, &vec![0; lines.len()], 0);

    let start = Instant::now();
    let mut random = now();
    let mut next = |bound| {
        // Xorshift (Marsaglia 2003).
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % bound
    };
    let mut stalls = Vec::new();
    for kill in 1..=kills {
        std::thread::sleep(Duration::from_nanos(next(2_000_000)));
        let victim = next(lines.len() as u64) as usize;
        // SAFETY: the process was not reaped.
        unsafe {
            libc::kill(crew.0[victim], libc::SIGKILL);
            libc::waitpid(crew.0[victim], null_mut(), 0);
        }
        let before: Vec<_> = lines.iter().map(|line| line.moved.load(Relaxed)).collect();
        let killed = Instant::now();
        crew.0[victim] = Crew::start(|| work(victim));
        await_progress(&mut crew, lines, Some(victim), &before, kill);
        stalls.push(killed.elapsed().as_nanos() as u64);
        // Then the new one, too.
        await_progress(&mut crew, lines, None, &before, kill);
    }
    crew.kill();
    stalls.sort_unstable();
    let quantile = |q: f64| stalls[(q * (kills - 1) as f64).ceil() as usize];
    Ok(json!({
        "items": kills,
        "seconds": start.elapsed().as_secs_f64(),
        "latency_ns": {
            "p50": quantile(0.5),
            "p99": quantile(0.99),
            "p99.9": quantile(0.999),
            "max": quantile(1.0),
        },
    }))
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
    if case.family == "process-kill" {
        return measure_kills::<C, N>(&trial, items);
    }
    let passes = [warm_up(items, case.capacity) / pairs, items / pairs];
    let board = new_board(workers);
    let mut crew =
        Crew::new(workers, |worker| work::<C, N>(&trial, worker, bounces, passes, board));
    for _ in 0..workers {
        crew.reap(0);
    }

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
