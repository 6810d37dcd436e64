//! Waiting for several queues and events at once: as poll(2), for any family.
//!
//! # Idea
//! A poller announces itself at every event count that it waits for, executes one heavy fence for
//! all of them, looks at every queue once more and sleeps. It takes nothing, so a waker wakes all
//! pollers, and one sleeper beside them: a poller never uses up a wake-up that another thread
//! needs.
//!
//! # Where a poller sleeps
//! A poller sleeps on the words of all event counts by futex_waitv, if there are 128 at most and
//! the kernel has that call (Linux 5.16). Otherwise it sleeps on one word of the process, which
//! every waker of a queue with a poller advances. That is correct for any number of queues on any
//! system, but pollers of other queues wake, too, and look.
//!
//! # Costs
//! O(n) steps and no allocation. A poll that finds something ready announces nothing.

use super::event_count::Cover;
use super::{EventCount, Wait};
use crate::error::{Error, Result};
use crate::sync::{Acquire, Clock, Deadline, Relaxed, Release, Words, process_parking, site};
use core::ops::ControlFlow::{self, Break, Continue};

/// An item can be got, or a get fails for another reason than an empty queue.
pub const READABLE: u32 = 1;
/// There is room for an item, or a put fails for another reason than a full queue.
pub const WRITABLE: u32 = 2;

/// A queue, deque or event that can be polled. Each of its events is ready, or its event count will
/// announce it.
pub(crate) trait Source: Sync {
    /// The event count at which an event, READABLE or WRITABLE, is announced; `None` if there is no
    /// such event.
    fn event_count(&self, event: u32) -> Option<&EventCount>;

    /// Whether the event becomes ready by time, too.
    fn is_timed(&self, _event: u32) -> bool {
        false
    }

    /// Called before the descriptor of an event is made. Fails with [`Error::NoMemory`].
    fn prepare_descriptor(&self, _event: u32) -> Result {
        Ok(())
    }

    /// `Break` if the event is ready. `Continue(t)`: not yet; the caller looks again at time `t`
    /// even without an announcement.
    fn look(&self, event: u32) -> ControlFlow<(), Deadline>;

    /// [`Source::look`] of a caller that has announced itself.
    fn watch(&self, event: u32) -> ControlFlow<(), Deadline> {
        self.look(event)
    }
}

/// An entry of a [`poll()`]: a queue, deque or event, the events to wait for, and the events that
/// are ready.
pub struct Polled<'a> {
    source: &'a dyn Source,
    events: u32,
    ready: u32,
}

/// [`Error::Invalid`] for events that the source does not have.
pub(crate) fn check_events(source: &dyn Source, events: u32) -> Result {
    let has = |event| events & event == 0 || source.event_count(event).is_some();
    if events & !(READABLE | WRITABLE) != 0 || !has(READABLE) || !has(WRITABLE) {
        return Err(Error::Invalid);
    }
    Ok(())
}

impl<'a> Polled<'a> {
    /// Fails as [`check_events`] does.
    pub(crate) fn new(source: &'a dyn Source, events: u32) -> Result<Self> {
        check_events(source, events)?;
        Ok(Self { source, events, ready: 0 })
    }

    /// The events that were ready in the last [`poll()`].
    pub fn ready(&self) -> u32 {
        self.ready
    }

    /// Whether the last [`poll()`] found the entry readable.
    pub fn is_readable(&self) -> bool {
        self.ready & READABLE != 0
    }

    /// Whether the last [`poll()`] found the entry writable.
    pub fn is_writable(&self) -> bool {
        self.ready & WRITABLE != 0
    }
}

impl core::fmt::Debug for Polled<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { events, ready, .. } = self;
        f.debug_struct("Polled")
            .field("events", events)
            .field("ready", ready)
            .finish_non_exhaustive()
    }
}

/// Returns the descriptor of an event, which the first call makes. It is readable while the event
/// is ready.
pub(crate) fn descriptor(source: &dyn Source, event: u32) -> Result<core::ffi::c_int> {
    let event_count = source.event_count(event).ok_or(Error::Invalid)?;
    source.prepare_descriptor(event)?;
    let (descriptor, is_new) = event_count.make_descriptor(source.is_timed(event))?;
    if is_new {
        event_count.arm_descriptor(descriptor, || source.watch(event));
    }
    Ok(descriptor.fd())
}

/// The time until an event is ready by itself, in nanoseconds; 0 if it is ready; `None` if only
/// another thread makes it ready.
pub(crate) fn time_until_ready(source: &dyn Source, event: u32) -> Option<u64> {
    match source.look(event) {
        Break(()) => Some(0),
        Continue(Deadline::NEVER) => None,
        Continue(at) => Some(at.nanos().saturating_sub(Clock::now())),
    }
}

/// Entries. A poll of more sleeps without spinning, because each spin looks at every entry. Not
/// tuned.
const MAX_SPINNING: usize = 8;

/// Wakes the pollers that sleep on the word of the process. The caller saw a poller at an event
/// count.
pub(super) fn wake_other_pollers() {
    // Ordering: Relaxed; the announcement at the event count, which the caller saw, comes after it.
    let others = process_parking();
    if others.sleepers.load(site("poll.others.load", Relaxed)) > 0 {
        others.parking.advance(site("poll.others.advance", Release));
        others.parking.wake(usize::MAX);
    }
}

/// The entry that the next poll looks at first: another each time, so that none is always last.
static FIRST: crate::sync::unmodeled::AtomicUsize = crate::sync::unmodeled::AtomicUsize::new(0);

/// What a poll waits for: an array of Rust, or one of C.
pub(crate) trait PollSet<'s> {
    /// The number of sources.
    fn len(&self) -> usize;
    /// The source and the events of an entry, which the source has.
    fn entry(&self, i: usize) -> (&'s dyn Source, u32);
    /// Notes the events of an entry that are ready.
    fn set_ready(&mut self, i: usize, ready: u32);
}

impl<'s> PollSet<'s> for [Polled<'s>] {
    fn len(&self) -> usize {
        self.len()
    }
    fn entry(&self, i: usize) -> (&'s dyn Source, u32) {
        (self[i].source, self[i].events)
    }
    fn set_ready(&mut self, i: usize, ready: u32) {
        self[i].ready = ready;
    }
}

/// Waits until an event of an entry is ready. Notes all events that are ready, and returns the
/// number of entries with one. May sleep, except with [`Wait::No`]; any thread may call. Fails with
/// [`Error::Empty`] after [`Wait::No`], else with [`Error::Timeout`]; with [`Error::Invalid`] for
/// more than 2^20 entries.
///
/// A closed queue is ready. A poll takes nothing: another thread may be faster than the call that
/// follows. A poll orders no memory; the call that follows does. A poll takes O(n) steps for n
/// entries and does not allocate. Several threads may poll the same queue, also beside calls that
/// wait.
///
/// ```
/// use queues::{Error, Event, Mpmc, Wait, poll};
/// use std::time::Duration;
///
/// let (jobs, stop) = (Mpmc::with_capacity(8)?, Event::new());
/// std::thread::scope(|scope| -> Result<(), Error> {
///     scope.spawn(|| {
///         jobs.try_put("a job").unwrap();
///         stop.set();
///     });
///     let mut done = Vec::new();
///     loop {
///         let mut polls = [jobs.readable(), stop.readable()];
///         poll(&mut polls, Wait::Forever)?;
///         if polls[0].is_readable() {
///             done.extend(jobs.try_get()); // another thread may have been faster
///         } else {
///             break;
///         }
///     }
///     assert_eq!(done, ["a job"]);
///     stop.reset();
///     let waited =
///         poll(&mut [jobs.readable(), stop.readable()], Wait::from(Duration::from_millis(1)));
///     assert_eq!(waited, Err(Error::Timeout));
///     Ok(())
/// })
/// # ?; Ok::<(), Error>(())
/// ```
pub fn poll(polled: &mut [Polled<'_>], wait: Wait) -> Result<usize> {
    poll_set(polled, wait)
}

/// The largest number of entries: the word of an event count has room for 63 such polls of one
/// queue.
pub(crate) const MAX_ENTRIES: usize = 1 << 20;

/// [`poll()`] for any [`PollSet`]. Fails with [`Error::Invalid`] for more than 2^20 entries.
pub(crate) fn poll_set<'s>(set: &mut (impl PollSet<'s> + ?Sized), wait: Wait) -> Result<usize> {
    let len = set.len();
    if len > MAX_ENTRIES {
        return Err(Error::Invalid);
    }
    let first = if len > 1 && !cfg!(loom) { FIRST.fetch_add(1, Relaxed) % len } else { 0 };
    let mut poll = Poll { set, first, sources: core::marker::PhantomData };
    if let Break(count) = poll.look() {
        return Ok(count);
    }
    if wait == Wait::No {
        return Err(Error::Empty);
    }
    poll.wait(wait.deadline())
}

/// A call: its set, and the entry at which it looks first.
struct Poll<'p, 's, S: ?Sized> {
    set: &'p mut S,
    first: usize,
    sources: core::marker::PhantomData<&'s dyn Source>,
}

impl<'s, S: PollSet<'s> + ?Sized> Poll<'_, 's, S> {
    /// Looks at all entries; returns `Break` with the number of entries that are ready.
    fn look(&mut self) -> ControlFlow<usize, Deadline> {
        self.look_by(|source, event| source.look(event))
    }

    fn look_by(
        &mut self,
        look: impl Fn(&dyn Source, u32) -> ControlFlow<(), Deadline>,
    ) -> ControlFlow<usize, Deadline> {
        let (mut count, mut again) = (0, Deadline::NEVER);
        for i in (self.first..self.set.len()).chain(0..self.first) {
            let (source, events) = self.set.entry(i);
            let mut ready = 0;
            for event in [READABLE, WRITABLE] {
                if events & event != 0 {
                    match look(source, event) {
                        Break(()) => ready |= event,
                        Continue(at) => again = again.earlier(at),
                    }
                }
            }
            self.set.set_ready(i, ready);
            count += usize::from(ready != 0);
        }
        if count > 0 { Break(count) } else { Continue(again) }
    }

    /// The event counts of all events.
    fn event_counts(&self) -> impl Iterator<Item = &'s EventCount> {
        (0..self.set.len()).flat_map(|i| {
            let (source, events) = self.set.entry(i);
            let wanted = [READABLE, WRITABLE].into_iter().filter(move |event| events & event != 0);
            wanted.filter_map(move |event| source.event_count(event))
        })
    }

    fn wait(&mut self, end: Deadline) -> Result<usize> {
        if self.set.len() <= MAX_SPINNING {
            // The budget of one event count decides for all.
            let first = self.event_counts().next();
            if let Some(event_count) = first {
                if let Some(count) = event_count.spin(&mut || self.look()) {
                    return Ok(count);
                }
            }
        }
        let mut cover = Cover::new();
        let mut can_sleep_on_all = (1..=Words::MAX).contains(&self.event_counts().count());
        loop {
            let outcome = if can_sleep_on_all {
                let (outcome, slept) = self.sleep_on_all(end, &mut cover);
                can_sleep_on_all = slept;
                outcome
            } else {
                self.sleep_on_one(end, &mut cover)
            };
            if let Break(count) = outcome {
                return Ok(count);
            }
            if end.has_passed() {
                return self.look().break_value().ok_or(Error::Timeout);
            }
        }
    }

    /// The check between the announcement and the sleep: `Continue` with the end of the sleep.
    fn check(&mut self, end: Deadline, cover: &mut Cover) -> ControlFlow<usize, Deadline> {
        self.event_counts().for_each(|event_count| event_count.cover_poll(cover));
        let nap = cover.nap();
        match self.look_by(|source, event| source.watch(event)) {
            Continue(again) => Continue(again.earlier(end).earlier(nap)),
            ready => ready,
        }
    }

    /// The rest of a sleep after the announcements: checks, sleeps if nothing is ready, and looks.
    fn sleep_once(
        &mut self,
        end: Deadline,
        cover: &mut Cover,
        sleep: impl FnOnce(Deadline),
    ) -> ControlFlow<usize, Deadline> {
        let mut outcome = self.check(end, cover);
        if let Continue(until) = outcome {
            sleep(until);
            outcome = self.look();
        }
        self.event_counts().for_each(EventCount::end_poll);
        outcome
    }

    /// Sleeps once on the words of all event counts, then looks. The second result: whether
    /// the kernel can.
    fn sleep_on_all(
        &mut self,
        end: Deadline,
        cover: &mut Cover,
    ) -> (ControlFlow<usize, Deadline>, bool) {
        let mut words = Words::new();
        for event_count in self.event_counts() {
            let (parking, epoch) = event_count.begin_poll();
            words.push(parking, epoch);
        }
        let mut can_sleep = true;
        let outcome = self.sleep_once(end, cover, |until| can_sleep = words.sleep(until));
        (outcome, can_sleep)
    }

    /// Sleeps once on the word of the process, then looks.
    fn sleep_on_one(&mut self, end: Deadline, cover: &mut Cover) -> ControlFlow<usize, Deadline> {
        // Ordering: Relaxed; the announcements at the event counts order it.
        let others = process_parking();
        others.sleepers.fetch_add(1, site("poll.others.announce", Relaxed));
        let epoch = others.parking.epoch(site("poll.others.epoch", Acquire));
        for event_count in self.event_counts() {
            event_count.begin_poll();
        }
        let outcome = self.sleep_once(end, cover, |until| others.parking.sleep(epoch, until));
        others.sleepers.fetch_sub(1, site("poll.others.leave", Relaxed));
        outcome
    }
}
