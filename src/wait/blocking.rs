//! A queue whose calls wait: each call tries, and waits on an event count when the queue is full or
//! empty. Written once, for every queue.

#[cfg(queues_shared)]
use super::lookout::Lookout;
use super::poll::{self, Polled, READABLE, Source, WRITABLE};
use super::{EventCount, Wait};
use crate::error::{Error, Result};
use crate::plan::{Described, Description};
use crate::queue::{Fast, Get, GetMany, Peek, Progress, Put, PutMany, Queue, WakeGetter};
use crate::stats::Stats;
use crate::sync::{AtomicU64, Clock, Deadline, Relaxed, site};
use core::ffi::c_int;
use core::ops::ControlFlow::{self, Break, Continue};
use crossbeam_utils::CachePadded;

/// A queue whose calls can wait, and which counts the calls that fail.
///
/// Errors are those of the queue; a wait that ends without success is [`Error::Timeout`]. The
/// unsafe calls have the contracts of those of [`Queue`], [`Put`] and [`Get`].
#[derive(Debug)]
#[repr(C)] // part of the layout of inlined calls
pub struct Blocking<Q> {
    queue: Q,
    // Written only by threads that sleep, read by every call.
    pub(super) waiting: CachePadded<Waiting>,
    failed_put: CachePadded<AtomicU64>,
    failed_get: CachePadded<AtomicU64>,
    /// Of the ends of a shared queue: gets, puts.
    #[cfg(queues_shared)]
    lookouts: [Lookout; 2],
}

#[derive(Debug)]
#[repr(C)] // part of the layout of inlined calls
pub(super) struct Waiting {
    pub(super) not_empty: EventCount,
    pub(super) not_full: EventCount,
}

/// Nanoseconds after which a poller looks again if it has no lookout.
const LOOK_AGAIN: u64 = 10_000_000;

/// The end of a shared queue at which an event, READABLE or WRITABLE, is announced.
#[cfg(queues_shared)]
fn end_of(event: u32) -> usize {
    if event == READABLE { crate::shared::GET } else { crate::shared::PUT }
}

#[cfg(queues_shared)]
impl<Q> Drop for Blocking<Q> {
    /// The lookouts use the queue, which is dropped next.
    fn drop(&mut self) {
        self.lookouts.iter_mut().for_each(Lookout::end);
    }
}

impl<Q: Described> Described for Blocking<Q> {
    fn describe(&self) -> Description {
        let Waiting { not_empty, not_full } = &*self.waiting;
        let waiters = [not_empty, not_full].map(EventCount::address_of_sleepers);
        Description { waiters: Some(waiters), ..self.queue.describe() }
    }
}

#[cfg(all(test, not(loom)))]
impl<Q> Blocking<Q> {
    /// The offsets that `include/queues_inline.h` states, by their names there; `of_queue` are those
    /// from the beginning of the queue.
    pub(crate) fn published(
        of_queue: Vec<(&'static str, usize)>,
    ) -> impl Iterator<Item = (&'static str, usize)> {
        use core::mem::offset_of;
        let waiting = offset_of!(Self, waiting);
        let of_queue = of_queue.into_iter().map(|(name, at)| (name, offset_of!(Self, queue) + at));
        of_queue.chain([
            ("ITEM_WAITERS", waiting + offset_of!(Waiting, not_empty) + EventCount::WAITERS),
            ("ROOM_WAITERS", waiting + offset_of!(Waiting, not_full) + EventCount::WAITERS),
        ])
    }
}

impl<Q: Queue> Blocking<Q> {
    /// Adds waiting to a queue.
    pub fn new(queue: Q) -> Self {
        Self {
            queue,
            waiting: CachePadded::new(Waiting {
                not_empty: EventCount::new(),
                not_full: EventCount::new(),
            }),
            failed_put: CachePadded::new(AtomicU64::new(0)),
            failed_get: CachePadded::new(AtomicU64::new(0)),
            #[cfg(queues_shared)]
            lookouts: [Lookout::new(), Lookout::new()],
        }
    }

    /// The queue itself, for calls that do not wait.
    #[inline(always)]
    pub fn queue(&self) -> &Q {
        &self.queue
    }

    /// Fails with [`Error::Invalid`] in a child that inherited the handle of a shared queue.
    pub(crate) fn check_process(&self) -> Result {
        #[cfg(queues_shared)]
        if self.queue.attachment().is_some_and(|attachment| attachment.is_inherited()) {
            return Err(Error::Invalid);
        }
        Ok(())
    }

    /// Runs `put`, an operation that adds an item, until it does not fail with `Full` or the wait is
    /// over. After a success, wakes a waiting get.
    #[inline(always)]
    pub(crate) fn put_by(&self, wait: Wait, put: impl FnMut() -> Result) -> Result {
        let done = self.find_room(wait, put);
        self.after_put(done)
    }

    /// Runs `find`, which looks for room but does not fill it, until it does not fail with `Full` or
    /// the wait is over.
    #[inline(always)]
    pub(crate) fn find_room(&self, wait: Wait, mut find: impl FnMut() -> Result) -> Result {
        match find() {
            Err(Error::Full) => self.wait_for_room(wait.deadline(), find),
            done => done,
        }
    }

    /// The event count of an event, READABLE or WRITABLE.
    #[inline(always)]
    pub(super) fn event_count_of(&self, event: u32) -> &EventCount {
        if event == READABLE { &self.waiting.not_empty } else { &self.waiting.not_full }
    }

    /// False if no waiter can miss what this thread published.
    #[inline(always)]
    fn may_have_waiters(&self, event: u32) -> bool {
        #[cfg(queues_shared)]
        if let Some(attachment) = self.queue.attachment() {
            if attachment.may_have_waiters(end_of(event)) {
                return true;
            }
        }
        self.event_count_of(event).may_have_waiters()
    }

    /// Wakes up to `count` threads and futures that wait for an event, and all pollers and descriptors.
    #[inline(always)]
    pub(super) fn notify(&self, event: u32, count: usize) {
        if self.may_have_waiters(event) {
            self.notify_slow(event, count);
        }
    }

    #[cold]
    fn notify_slow(&self, event: u32, count: usize) {
        self.notify_processes(event, count);
        self.event_count_of(event).notify(count);
    }

    /// Wakes the waiters of all processes that wait in the shared memory.
    #[inline(always)]
    fn notify_processes(&self, _event: u32, _count: usize) {
        #[cfg(queues_shared)]
        if let Some(attachment) = self.queue.attachment() {
            attachment.notify(end_of(_event), _count);
        }
    }

    /// Makes calls in other processes wake the pollers and the descriptor that wait for an event in
    /// this process. Such a waiter calls this after it has announced itself. Returns the
    /// time at which the waiter must look again by itself.
    pub(super) fn call_lookout(&self, event: u32) -> Deadline {
        match self.try_call_lookout(event) {
            Ok(()) => Deadline::NEVER,
            Err(_) => Deadline::at(Clock::now() + LOOK_AGAIN),
        }
    }

    /// [`Blocking::call_lookout`] that fails with [`Error::NoMemory`] if no thread can be started, and
    /// as [`Blocking::check_process`].
    fn try_call_lookout(&self, _event: u32) -> Result {
        self.check_process()?;
        #[cfg(queues_shared)]
        if let Some(attachment) = self.queue.attachment() {
            let lookout = &self.lookouts[usize::from(_event != READABLE)];
            return lookout.call(self, attachment, _event, end_of(_event));
        }
        Ok(())
    }

    /// Calls `attempt` until it returns `Break`; returns `None` at `end`. Not inlined, so that a call
    /// that does not wait saves no registers for it.
    #[inline(never)]
    fn wait<R>(
        &self,
        event: u32,
        end: Deadline,
        mut attempt: impl FnMut() -> ControlFlow<R, Deadline>,
    ) -> Option<R> {
        let event_count = self.event_count_of(event);
        #[cfg(queues_shared)]
        if let Some(attachment) = self.queue.attachment() {
            return event_count
                .spin(&mut attempt)
                .or_else(|| attachment.wait(end_of(event), end, attempt, || self.queue.recover()));
        }
        event_count.wait(end, &mut attempt)
    }

    #[inline(always)]
    pub(super) fn after_put(&self, done: Result) -> Result {
        if done.is_ok() && self.may_have_waiters(READABLE) {
            return self.wake_getter();
        }
        done
    }

    #[cold]
    #[inline(never)]
    fn wake_getter(&self) -> Result {
        self.notify_processes(READABLE, 1);
        if !self.waiting.not_empty.may_have_waiters() {
            return Ok(());
        }
        if let Some(waiters) = self.waiting.not_empty.waiters() {
            match self.queue.wake_getter() {
                WakeGetter::No => self.waiting.not_empty.join_signal(waiters),
                WakeGetter::Now => self.waiting.not_empty.wake(waiters, 1),
                WakeGetter::At(time) => self.waiting.not_empty.wake_at(waiters, 1, time),
            }
        }
        Ok(())
    }

    /// Continues a put that found the queue full.
    #[cold]
    pub(super) fn wait_for_room(&self, end: Deadline, mut put: impl FnMut() -> Result) -> Result {
        if end == Deadline::PASSED {
            return match self.arm(WRITABLE, Error::Full, put) {
                Err(Error::Full) => self.count_failed_put(Error::Full),
                done => done,
            };
        }
        let done = self.wait(WRITABLE, end, || {
            // A put that finds no free cell looks for dead processes, by a system call for each
            // attachment. A wait looks once in a slice.
            #[cfg(queues_shared)]
            if self.queue.attachment().is_some() && !self.queue.has_room() {
                return Continue(Deadline::NEVER);
            }
            match put() {
                Err(Error::Full) => Continue(Deadline::NEVER),
                done => Break(done),
            }
        });
        done.unwrap_or_else(|| self.count_failed_put(Error::Timeout))
    }

    fn count_failed_put(&self, error: Error) -> Result {
        #[cfg(queues_shared)]
        if let Some(attachment) = self.queue.attachment() {
            attachment.count_failure(end_of(WRITABLE));
            return Err(error);
        }
        self.failed_put.fetch_add(1, site("stats.failed.put", Relaxed));
        Err(error)
    }

    /// Runs `get`, an operation that removes an item, until it does not fail with `Empty` or the wait
    /// is over. After a success, wakes a waiting put.
    #[inline(always)]
    pub(crate) fn get_by<R>(&self, wait: Wait, get: impl FnMut() -> Result<R>) -> Result<R> {
        let done = self.find_item(wait, get);
        if done.is_ok() {
            self.notify(WRITABLE, 1);
        }
        done
    }

    /// Runs `find`, which looks for an item but does not remove it, until it does not fail with
    /// `Empty` or the wait is over.
    #[inline(always)]
    pub(crate) fn find_item<R>(
        &self,
        wait: Wait,
        mut find: impl FnMut() -> Result<R>,
    ) -> Result<R> {
        match find() {
            Err(Error::Empty) => self.wait_for_item(wait, find),
            done => done,
        }
    }

    /// Continues a get that found the queue empty.
    #[cold]
    pub(super) fn wait_for_item<R>(
        &self,
        wait: Wait,
        mut get: impl FnMut() -> Result<R>,
    ) -> Result<R> {
        if wait == Wait::No {
            return match self.arm(READABLE, Error::Empty, get) {
                Err(Error::Empty) => self.count_failed_get(Error::Empty),
                done => done,
            };
        }
        let done = self.wait(READABLE, wait.deadline(), || match get() {
            Err(Error::Empty) => Continue(Deadline::NEVER),
            done => Break(done),
        });
        if let Some(Err(Error::TooSmall { .. })) = done {
            // This call may have used up a wake-up. Another get may have the buffer for the item.
            self.notify(READABLE, 1);
        }
        done.unwrap_or_else(|| self.count_failed_get(Error::Timeout))
    }

    /// Ends an attempt at an end that failed because the end is `blocked`: if there is a descriptor,
    /// arms it and makes another attempt.
    #[inline(always)]
    fn arm<R>(
        &self,
        event: u32,
        blocked: Error,
        mut attempt: impl FnMut() -> Result<R>,
    ) -> Result<R> {
        let done = self.event_count_of(event).arm(|| match attempt() {
            Err(why) if why == blocked && !self.queue.is_closed() => {
                Continue(self.call_lookout(event))
            }
            done => Break(done),
        });
        done.unwrap_or(Err(blocked))
    }

    /// A descriptor that is readable while a get would not fail with `Empty`: see
    /// `poll::descriptor`.
    pub fn readable_fd(&self) -> Result<c_int> {
        poll::descriptor(self, poll::READABLE)
    }

    /// A descriptor that is readable while a put would not fail with `Full`: see
    /// `poll::descriptor`.
    pub fn writable_fd(&self) -> Result<c_int> {
        poll::descriptor(self, poll::WRITABLE)
    }

    /// The descriptors of both ends, in a model, if they were requested.
    #[cfg(loom)]
    pub fn descriptors(&self) -> [Option<&crate::sync::descriptor::Descriptor>; 2] {
        [self.waiting.not_empty.descriptor(), self.waiting.not_full.descriptor()]
    }

    /// The queue as an entry of a [`poll()`](poll::poll). [`Error::Invalid`] for unknown events.
    pub fn polled(&self, events: u32) -> Result<Polled<'_>> {
        Polled::new(self, events)
    }

    /// Wakes up to `count` sleepers and futures, and all other waiters, for what [`Source::look`]
    /// returned.
    #[cold]
    pub(super) fn wake_for(&self, count: usize, found: ControlFlow<(), Deadline>) {
        let not_empty = &self.waiting.not_empty;
        if let Some(waiters) = not_empty.may_have_waiters().then(|| not_empty.waiters()).flatten() {
            match found {
                Break(()) => not_empty.wake(waiters, count),
                Continue(at) => not_empty.wake_at(waiters, count, at),
            }
        }
    }

    pub(super) fn count_failed_get<R>(&self, error: Error) -> Result<R> {
        #[cfg(queues_shared)]
        if let Some(attachment) = self.queue.attachment() {
            attachment.count_failure(end_of(READABLE));
            return Err(error);
        }
        self.failed_get.fetch_add(1, site("stats.failed.get", Relaxed));
        Err(error)
    }

    /// Removes and disposes of every item that was in the queue when the call began; returns their
    /// number.
    ///
    /// # Safety
    /// As [`Queue::clear_to`].
    pub unsafe fn clear(&self) -> usize {
        // SAFETY: the same contract.
        unsafe { self.clear_to(self.queue.end()) }
    }

    /// [`Blocking::clear`] for the items before `end`.
    ///
    /// # Safety
    /// As [`Queue::clear_to`].
    pub(crate) unsafe fn clear_to(&self, end: u64) -> usize {
        // SAFETY: the same contract.
        unsafe { self.queue.clear_to(end, |count| self.notify(WRITABLE, count)) }
    }

    /// Makes later puts fail and wakes all waiters. Items in the queue can still be got.
    pub fn close(&self) {
        self.queue.close();
        self.notify(READABLE, usize::MAX);
        self.notify(WRITABLE, usize::MAX);
    }

    /// A snapshot of the statistics.
    pub fn stats(&self) -> Stats {
        let counts = self.queue.counts();
        let capacity = self.queue.capacity() as u64;
        let local = Stats {
            failed_enqueue: self.failed_put.load(site("stats.read.put", Relaxed)),
            failed_dequeue: self.failed_get.load(site("stats.read.get", Relaxed)),
            ..Stats::default()
        };
        #[cfg(queues_shared)]
        let local = self.queue.attachment().map_or(local, |attachment| Stats {
            failed_enqueue: attachment.failures(end_of(WRITABLE)),
            failed_dequeue: attachment.failures(end_of(READABLE)),
            attached: attachment.count_live(),
            recovered: attachment.recovered(),
            ..local
        });
        Stats {
            enqueued: counts.enqueued,
            dequeued: counts.dequeued,
            peak_size: counts.peak,
            current_size: counts.enqueued.saturating_sub(counts.dequeued).min(capacity),
            capacity,
            ..local
        }
    }
}

impl<Q: Queue> Source for Blocking<Q> {
    fn event_count(&self, event: u32) -> Option<&EventCount> {
        Some(self.event_count_of(event))
    }

    fn is_timed(&self, event: u32) -> bool {
        event == READABLE && Q::IS_TIMED
    }

    fn prepare_descriptor(&self, event: u32) -> Result {
        self.try_call_lookout(event)
    }

    fn look(&self, event: u32) -> ControlFlow<(), Deadline> {
        // The next call fails.
        #[cfg(queues_shared)]
        if self.check_process().is_err() {
            return Break(());
        }
        match event {
            READABLE => self.queue.look_for_item(),
            _ if self.queue.has_room() => Break(()),
            _ => Continue(Deadline::NEVER),
        }
    }

    fn watch(&self, event: u32) -> ControlFlow<(), Deadline> {
        #[cfg(queues_shared)]
        if self.queue.attachment().is_some() {
            let outcome = self.look(event);
            return if outcome.is_break() { outcome } else { Continue(self.call_lookout(event)) };
        }
        if event != READABLE {
            return self.look(event);
        }
        let (outcome, must_wake) = self.queue.watch_for_item();
        if must_wake {
            self.wake_for(usize::MAX, outcome);
        }
        outcome
    }
}

impl<Q: Peek> Blocking<Q> {
    /// Copies the front item and leaves it there. Counts no failure.
    ///
    /// # Safety
    /// As [`Peek::peek`].
    pub unsafe fn peek(&self, out: &mut Q::Out) -> Result<Q::With> {
        // SAFETY: the same contract.
        let mut peek = || unsafe { self.queue.peek(out) };
        match peek() {
            Err(Error::Empty) => self.arm(READABLE, Error::Empty, peek),
            done => done,
        }
    }
}

impl<Q: Put> Blocking<Q> {
    /// Puts without waiting.
    ///
    /// # Safety
    /// As [`Put::try_put`].
    #[inline(always)]
    pub unsafe fn try_put(&self, item: &Q::Item, with: Q::With) -> Result {
        // SAFETY: the same contract.
        unsafe { self.put(item, with, Wait::No) }
    }

    /// Puts, waiting for room.
    ///
    /// # Safety
    /// As [`Put::try_put`].
    #[inline(always)]
    pub unsafe fn put(&self, item: &Q::Item, with: Q::With, wait: Wait) -> Result {
        if !Q::HAS_FAST_PUT {
            // SAFETY: the same contract.
            return self.put_by(wait, || unsafe { self.queue.try_put(item, with) });
        }
        // SAFETY: the same contract.
        match unsafe { self.queue.put_fast(item, with) } {
            Fast::Done if self.may_have_waiters(READABLE) => self.wake_getter(),
            Fast::Done => Ok(()),
            // SAFETY: the same contract.
            Fast::Slow => unsafe { self.put_slow(item, with, wait) },
            Fast::Published => self.finish_put(),
        }
    }

    /// Ends a put that has published its item and then found waiters, or the queue closed.
    #[cold]
    #[inline(never)]
    pub(crate) fn finish_put(&self) -> Result {
        self.after_put(self.queue.finish_put())
    }

    /// # Safety
    /// As [`Put::try_put`].
    #[cold]
    #[inline(never)]
    unsafe fn put_slow(&self, item: &Q::Item, with: Q::With, wait: Wait) -> Result {
        // SAFETY: the same contract.
        self.put_by(wait, || unsafe { self.queue.try_put(item, with) })
    }
}

impl<Q: Get> Blocking<Q> {
    /// Gets without waiting.
    ///
    /// # Safety
    /// As [`Get::try_get`].
    #[inline(always)]
    pub unsafe fn try_get(&self, out: &mut Q::Out) -> Result<Q::With> {
        // SAFETY: the same contract.
        unsafe { self.get(out, Wait::No) }
    }

    /// Gets, waiting for an item.
    ///
    /// # Safety
    /// As [`Get::try_get`].
    #[inline(always)]
    pub unsafe fn get(&self, out: &mut Q::Out, wait: Wait) -> Result<Q::With> {
        if !Q::HAS_FAST_GET {
            // SAFETY: the same contract.
            return self.get_by(wait, || unsafe { self.queue.try_get(out) });
        }
        // SAFETY: the same contract.
        match unsafe { self.queue.get_fast(out) } {
            Some(with) if self.may_have_waiters(WRITABLE) => self.finish_get(with),
            Some(with) => Ok(with),
            // SAFETY: the same contract.
            None => unsafe { self.get_slow(out, wait) },
        }
    }

    /// Ends a get that has removed its item and then found waiters.
    #[cold]
    #[inline(never)]
    pub(crate) fn finish_get(&self, with: Q::With) -> Result<Q::With> {
        self.notify(WRITABLE, 1);
        Ok(with)
    }

    /// # Safety
    /// As [`Get::try_get`].
    #[cold]
    #[inline(never)]
    unsafe fn get_slow(&self, out: &mut Q::Out, wait: Wait) -> Result<Q::With> {
        // SAFETY: the same contract.
        self.get_by(wait, || unsafe { self.queue.try_get(out) })
    }
}

impl<Q: PutMany> Blocking<Q> {
    /// Puts `count` items in order, waiting for room until the deadline; returns the number put.
    ///
    /// # Safety
    /// As [`PutMany::try_put_many`].
    #[inline(always)]
    pub unsafe fn put_many(&self, items: *const Q::Item, count: usize, wait: Wait) -> Progress {
        let mut total = 0;
        let mut end = None;
        while total < count {
            // SAFETY: the same contract.
            let (done, mut result) =
                unsafe { self.queue.try_put_many(items.add(total), count - total) };
            if done > 0 {
                self.notify(READABLE, done);
                total += done;
            }
            if let Err(Error::Full) = result {
                let end = *end.get_or_insert_with(|| wait.deadline());
                // SAFETY: the same contract.
                result = self
                    .wait_for_room(end, || unsafe { self.queue.try_put(&*items.add(total), ()) });
                total += usize::from(self.after_put(result).is_ok());
            }
            if result.is_err() {
                return (total, result);
            }
        }
        (total, Ok(()))
    }
}

impl<Q: GetMany> Blocking<Q> {
    /// Waits for a first item, then takes what is there, up to `count` items in all.
    ///
    /// # Safety
    /// As [`GetMany::try_get_many`].
    #[inline(always)]
    pub unsafe fn get_many(&self, places: *mut Q::Out, count: usize, wait: Wait) -> Progress {
        if count == 0 {
            return (0, Ok(()));
        }
        // SAFETY: the same contract.
        let got = match unsafe { self.queue.try_get_many(places, count) } {
            // A second closure, since one for both calls would not be inlined.
            Err(Error::Empty) => {
                // SAFETY: the same contract.
                self.wait_for_item(wait, || unsafe { self.queue.try_get_many(places, count) })
            }
            got => got,
        };
        match got {
            Ok(done) => {
                self.notify(WRITABLE, done);
                (done, Ok(()))
            }
            Err(why) => (0, Err(why)),
        }
    }
}
