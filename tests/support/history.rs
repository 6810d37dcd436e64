//! Histories of concurrent calls, and a check whether the same calls one after another can have the
//! same results. A history without such an order shows a queue that is not linearizable.
//!
//! A [`Recorder`] records the calls of each thread, their results, and which calls of the other
//! threads had certainly returned before. *Certainly* means happens-before: each thread publishes
//! how many of its calls have returned with a release store and reads the others' with acquire
//! loads. So recording adds no fence to what it watches (a clock or a shared counter would hide
//! store buffering), and the same recorder serves real threads, Miri and loom.
//!
//! [`History::check`] searches, after Wing and Gong 1993 with Lowe's memory of visited states
//! (2017), for an order of all calls that keeps what was before what and in which a queue that
//! makes one call after another returns the same results.

use queues::{Error, Result};
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::Arc;

#[cfg(loom)]
use loom::sync::atomic::{AtomicUsize, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicUsize, Ordering};

/// The items of a batch, which come before a 0.
pub type Few = [u64; 3];

/// A call and its result. Items of a history are all different, and none is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Put(u64, Result),
    Get(Result<u64>),
    Peek(Result<u64>),
    /// Takes what was put last.
    Pop(Result<u64>),
    /// Takes a batch of the items that are there, due or not.
    Batch(Result<Few>),
    /// Takes a batch that is due.
    Due(Result<Few>),
    Flush,
    Close,
    IsClosed(bool),
    /// The end of a `clear`, whose single takes are events of their own: none of the items that
    /// were certainly there when it began is there any more.
    Cleared,
}

/// A call of a history, with how many events of each thread had returned when it began.
#[derive(Debug, Clone)]
pub struct Event {
    pub done: Done,
    pub seen: Vec<usize>,
}

/// How far the calls of each thread have come.
pub struct Recorder {
    returned: Vec<AtomicUsize>,
    watching: bool,
}

impl Recorder {
    /// If it is not `watching`, it knows of the order within each thread only, which leaves a model
    /// less to explore.
    pub fn new(threads: usize, watching: bool) -> Arc<Self> {
        let returned = (0..threads).map(|_| AtomicUsize::new(0)).collect();
        Arc::new(Self { returned, watching })
    }

    /// The record of the calls of `thread`.
    pub fn lane(self: &Arc<Self>, thread: usize) -> Lane {
        Lane { recorder: self.clone(), thread, events: Vec::new() }
    }
}

/// The events of one thread.
pub struct Lane {
    recorder: Arc<Recorder>,
    thread: usize,
    events: Vec<Event>,
}

impl Lane {
    /// Records one call.
    pub fn call(&mut self, call: impl FnOnce() -> Done) -> Done {
        let seen = self.look();
        let done = call();
        self.note(done, seen);
        self.publish();
        done
    }

    /// Records a call that does several things, in order.
    pub fn several(&mut self, call: impl FnOnce() -> Vec<Done>) {
        let seen = self.look();
        for done in call() {
            self.note(done, seen.clone());
        }
        self.publish();
    }

    /// Records a `clear` by the items that it took, in order.
    pub fn clear(&mut self, clear: impl FnOnce() -> Vec<u64>) {
        self.several(|| {
            let taken = clear().into_iter().map(|item| Done::Get(Ok(item)));
            taken.chain([Done::Cleared]).collect()
        });
    }

    pub fn finish(self) -> Vec<Event> {
        self.events
    }

    fn look(&self) -> Vec<usize> {
        let others = self.recorder.returned.iter().enumerate();
        let see = |(thread, returned): (usize, &AtomicUsize)| match thread == self.thread {
            true => self.events.len(),
            false if self.recorder.watching => returned.load(Ordering::Acquire),
            false => 0,
        };
        others.map(see).collect()
    }

    fn note(&mut self, done: Done, seen: Vec<usize>) {
        self.events.push(Event { done, seen });
    }

    fn publish(&self) {
        if self.recorder.watching {
            self.recorder.returned[self.thread].store(self.events.len(), Ordering::Release);
        }
    }
}

/// What closing promises about puts that are in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Close is one moment: no put after it, no *empty* after it.
    Atomic,
    /// A put that began before the close returned may be accepted later, but never after a get
    /// returned *closed*; while a put is in flight a get may return *empty*.
    Draining,
}

/// What a kind of queue promises.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    pub closing: Closing,
    /// The lowest goes first, and among equals the one that was put first.
    pub rank: fn(u64) -> u64,
    /// It is never full.
    pub grows: bool,
    /// The most items of a batch.
    pub size: usize,
    /// The most that a batch weighs, and what its items do.
    pub weight: (u64, fn(u64) -> u64),
}

impl Promise {
    /// First in, first out; batches without a limit.
    pub const FIFO: Self = Self {
        closing: Closing::Atomic,
        rank: |_| 0,
        grows: false,
        size: usize::MAX,
        weight: (u64::MAX, |_| 0),
    };
}

/// All that happened to a queue.
pub struct History {
    pub capacity: usize,
    pub promise: Promise,
    /// What was put before the threads began.
    pub initial: Vec<u64>,
    /// The events of each thread.
    pub lanes: Vec<Vec<Event>>,
    /// What was got, one item after another, when all threads had ended.
    pub rest: Vec<u64>,
}

/// An event with what the search needs to know of it.
struct Step {
    done: Done,
    /// The steps that were over before it began.
    before: u64,
    /// No close was over before it began.
    may_outlive_close: bool,
    /// A put was neither over before it began nor began after it was over.
    beside_put: bool,
    /// Another thread's taking of an item was neither over before it began nor began after it.
    beside_take: bool,
    /// Items that were certainly put before it began.
    must_be_gone: Vec<u64>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    items: Vec<u64>,
    closed: bool,
    /// A get returned *closed*: no put may be accepted any more.
    drained: bool,
    /// How many of the items were there when they were last flushed.
    flushed: usize,
}

impl State {
    /// The state after the step, if its result is possible.
    fn after(&self, step: &Step, history: &History) -> Option<Self> {
        let Promise { closing, rank, grows, .. } = history.promise;
        let draining = closing == Closing::Draining;
        let mut next = self.clone();
        let front = self.items.first();
        let possible = match step.done {
            Done::Put(item, Ok(())) => {
                let behind = self.items.partition_point(|&other| rank(other) <= rank(item));
                next.items.insert(behind, item);
                (self.items.len() < history.capacity || grows)
                    && !self.drained
                    && (!self.closed || draining && step.may_outlive_close)
            }
            Done::Put(_, Err(Error::Full)) => {
                self.items.len() == history.capacity
                    && !grows
                    && (!self.closed || draining && step.may_outlive_close)
            }
            Done::Put(_, Err(Error::Closed)) => self.closed,
            Done::Get(Ok(item)) => next.take(&[item]),
            Done::Batch(Ok(items)) | Done::Due(Ok(items)) => {
                let items = items.split(|&item| item == 0).next().unwrap_or_default();
                let whole = self.batch(history.promise);
                let missing = &self.items[items.len().min(whole)..whole];
                // Items that came while the call was in flight may be missing.
                items.len().clamp(1, whole.max(1)) == items.len()
                    && !missing.iter().any(|item| step.must_be_gone.contains(item))
                    && (matches!(step.done, Done::Batch(_)) || self.is_due(history.promise))
                    && next.take(items)
            }
            Done::Batch(Err(Error::Empty)) => front.is_none() && !self.closed,
            Done::Due(Err(Error::Empty)) => !self.is_due(history.promise) && !self.closed,
            Done::Batch(Err(Error::Closed)) | Done::Due(Err(Error::Closed)) => {
                front.is_none() && self.closed
            }
            Done::Flush => {
                next.flushed = self.items.len();
                true
            }
            Done::Peek(Ok(item)) => front == Some(&item),
            Done::Pop(Ok(item)) => next.items.pop() == Some(item),
            Done::Pop(Err(Error::Empty)) => front.is_none(),
            Done::Get(Err(Error::Retry)) => step.beside_take,
            Done::Get(Err(Error::Empty)) | Done::Peek(Err(Error::Empty)) => {
                front.is_none() && (!self.closed || draining && step.beside_put)
            }
            Done::Get(Err(Error::Closed)) | Done::Peek(Err(Error::Closed)) => {
                next.drained = true;
                front.is_none() && self.closed
            }
            Done::Close => {
                next.closed = true;
                true
            }
            Done::IsClosed(closed) => closed == self.closed,
            Done::Cleared => !(self.items.iter()).any(|item| step.must_be_gone.contains(item)),
            Done::Put(..) | Done::Get(_) | Done::Peek(_) | Done::Pop(_) => false,
            Done::Batch(_) | Done::Due(_) => false,
        };
        possible.then_some(next)
    }

    /// Takes these, if they are in front.
    fn take(&mut self, items: &[u64]) -> bool {
        let are_in_front = self.items.starts_with(items);
        if are_in_front {
            self.items.drain(..items.len());
            self.flushed = self.flushed.saturating_sub(items.len());
        }
        are_in_front
    }

    /// How many items the next batch has.
    fn batch(&self, Promise { size, weight: (limit, weight), .. }: Promise) -> usize {
        let mut sum = 0;
        let fits = |&item: &u64| {
            sum += weight(item);
            sum <= limit
        };
        let light = self.items.iter().copied().take_while(fits).count();
        light.clamp(1, size).min(self.items.len())
    }

    fn is_due(&self, Promise { size, weight: (limit, weight), .. }: Promise) -> bool {
        !self.items.is_empty()
            && (self.items.len() >= size
                || self.items.iter().map(|&item| weight(item)).sum::<u64>() >= limit
                || self.flushed > 0
                || self.closed)
    }
}

impl History {
    /// `Err` with the whole history if no order of its calls explains their results.
    pub fn check(&self) -> std::result::Result<(), String> {
        let steps = self.steps();
        assert!(steps.len() < 64, "a history is at most 63 events");
        let mut items = self.initial.clone();
        items.sort_by_key(|&item| (self.promise.rank)(item));
        let state = State { items, closed: false, drained: false, flushed: 0 };
        if self.search(&steps, 0, state, &mut HashSet::new()) {
            Ok(())
        } else {
            Err(self.to_string())
        }
    }

    fn search(
        &self,
        steps: &[Step],
        over: u64,
        state: State,
        visited: &mut HashSet<(u64, State)>,
    ) -> bool {
        if over.count_ones() as usize == steps.len() {
            return state.items == self.rest;
        }
        for (i, step) in steps.iter().enumerate() {
            if over >> i & 1 != 0 || step.before & !over != 0 {
                continue;
            }
            let Some(next) = state.after(step, self) else {
                continue;
            };
            let over = over | 1 << i;
            if visited.insert((over, next.clone())) && self.search(steps, over, next, visited) {
                return true;
            }
        }
        false
    }

    fn steps(&self) -> Vec<Step> {
        let starts: Vec<usize> = self
            .lanes
            .iter()
            .scan(0, |end, lane| Some(std::mem::replace(end, *end + lane.len())))
            .collect();
        let mut steps: Vec<Step> = Vec::new();
        for (thread, lane) in self.lanes.iter().enumerate() {
            for (i, event) in lane.iter().enumerate() {
                let before = event.seen.iter().zip(&starts).enumerate();
                let before = before.fold(0, |mask, (other, (&seen, &start))| {
                    let seen = if other == thread { i } else { seen };
                    mask | ((1u64 << seen) - 1) << start
                });
                steps.push(Step {
                    done: event.done,
                    before,
                    may_outlive_close: true,
                    beside_put: false,
                    beside_take: false,
                    must_be_gone: Vec::new(),
                });
            }
        }
        for i in 0..steps.len() {
            let before = |j: usize, k: usize| steps[k].before >> j & 1 != 0;
            let all = || steps.iter().enumerate().map(|(j, step)| (j, step.done));
            let may_outlive_close = !all().any(|(j, done)| done == Done::Close && before(j, i));
            let beside = |j| j != i && !before(j, i) && !before(i, j);
            let beside_put = all().any(|(j, done)| matches!(done, Done::Put(..)) && beside(j));
            let beside_take = all()
                .any(|(j, done)| matches!(done, Done::Get(Ok(_)) | Done::Pop(Ok(_))) && beside(j));
            let put = all().filter_map(|(j, done)| match done {
                Done::Put(item, Ok(())) if before(j, i) => Some(item),
                _ => None,
            });
            let must_be_gone = self.initial.iter().copied().chain(put).collect();
            steps[i].may_outlive_close = may_outlive_close;
            steps[i].beside_put = beside_put;
            steps[i].beside_take = beside_take;
            steps[i].must_be_gone = must_be_gone;
        }
        steps
    }
}

impl std::fmt::Display for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = format!(
            "no order explains this history of a queue of {} that began with {:?}\n",
            self.capacity, self.initial
        );
        for (thread, lane) in self.lanes.iter().enumerate() {
            for event in lane {
                writeln!(text, "  thread {thread}: {:?} after {:?}", event.done, event.seen)?;
            }
        }
        writeln!(text, "  left over: {:?}", self.rest)?;
        f.write_str(&text)
    }
}
