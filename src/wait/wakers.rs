//! The futures that wait on an event count: a list of their `Waker`s, first in, first out. No put
//! waits for that list. A *waker* is a thread that ends a sleep, as in `event_count.rs`; a `Waker`
//! is Rust's callback.
//!
//! # Idea
//! Every event count has a list. A future that found nothing adds its `Waker`, sets `WAKERS` in the
//! word of the waiters, executes a full fence and tries again: the handshake of a sleeper, with
//! wakers that fence in full. A notification takes the first `Waker`s off the list, one for each
//! item, and calls them. A future that was woken tries again, and goes to the end of the list if
//! another call was faster.
//!
//! # No put waits for the list
//! A short lock guards the list. A waker first adds to `pending`, and then only tries to take the
//! lock. If that fails, the holder serves `pending`: each holder loads it after the release. On
//! both sides a full fence stands between the two steps, so that the waker gets the lock or the
//! holder sees the addition. A thread that stops while it holds the lock delays futures of the same
//! end of the queue, and no call of another kind (decision `docs/decisions/020-futures.md`).
//!
//! # Wake-ups are passed on
//! A future that is dropped after a notification chose it, or that takes an item before it sees the
//! notification, hands the notification to the next future in the list.
//!
//! # User code
//! The clone, the call and the drop of a `Waker` are code of the program. None of them runs under
//! the lock. A panic of the call goes no further, because the waker may be in the middle of a
//! `clear`, or has other waiters to wake.
//!
//! # Memory
//! The list allocates when a future waits, grows to the largest number of futures that have waited
//! at once, and is freed with the queue. An entry is found by its index, so that a future leaves in
//! O(1).

use super::event_count::{EventCount, WAKERS};
use crate::sync::{Acquire, AtomicU64, Deadline, Lock, Relaxed, Release, fence, site};
use core::future::poll_fn;
use core::ops::ControlFlow::{self, Break, Continue};
use core::task::{Context, Poll, Waker};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// `Waker`s. The most that are called between two looks at the list; they lie on the stack. Not
/// tuned.
const AT_ONCE: usize = 16;

/// No entry.
const NONE: usize = usize::MAX;

/// The futures that wait on an event count. `waiters` is the word of that event count in all calls.
#[derive(Debug)]
pub(super) struct Wakers {
    list: Lock<List>,
    /// Notifications that are not served yet.
    pending: AtomicU64,
}

/// The entries that wait, first in, first out, and those that are free, in a list each.
#[derive(Debug)]
struct List {
    entries: Vec<Entry>,
    first: usize,
    last: usize,
    free: usize,
}

#[derive(Debug)]
struct Entry {
    /// `None`: a notification chose the entry, or the entry is free.
    waker: Option<Waker>,
    before: usize,
    after: usize,
}

impl List {
    /// Adds an entry at the end.
    fn push(&mut self, waker: Waker) -> usize {
        let entry = Entry { waker: Some(waker), before: self.last, after: NONE };
        let at = self.free;
        let at = if at == NONE {
            self.entries.push(entry);
            self.entries.len() - 1
        } else {
            self.free = self.entries[at].after;
            self.entries[at] = entry;
            at
        };
        match self.last {
            NONE => self.first = at,
            last => self.entries[last].after = at,
        }
        self.last = at;
        at
    }

    /// Takes a waiting entry out. It is free only after [`List::free`].
    fn unlink(&mut self, at: usize) -> Option<Waker> {
        let Entry { before, after, .. } = self.entries[at];
        match before {
            NONE => self.first = after,
            before => self.entries[before].after = after,
        }
        match after {
            NONE => self.last = before,
            after => self.entries[after].before = before,
        }
        self.entries[at].waker.take()
    }

    /// Chooses the first entry.
    fn pop(&mut self) -> Option<Waker> {
        if self.is_empty() { None } else { self.unlink(self.first) }
    }

    fn free(&mut self, at: usize) {
        self.entries[at].after = self.free;
        self.free = at;
    }

    fn is_empty(&self) -> bool {
        self.first == NONE
    }
}

impl Wakers {
    pub(super) fn new() -> Self {
        let list = List { entries: Vec::new(), first: NONE, last: NONE, free: NONE };
        Self { list: Lock::new(list), pending: AtomicU64::new(0) }
    }

    /// Wakes up to `count` futures. Never waits.
    #[cold]
    pub(super) fn notify(&self, waiters: &AtomicU64, count: usize) {
        let count = count.min(u32::MAX as usize) as u64;
        // Ordering: Release, pairs with the Acquire in `serve`: the future sees what this thread
        // published.
        self.pending.fetch_add(count, site("wakers.notify", Release));
        // Pairs with the fence in `was_left`: this thread gets the lock, or its holder sees
        // `pending`.
        fence("wakers.notify.fence");
        self.serve(waiters);
    }

    /// Serves what is pending. If another thread holds the lock, that thread does.
    fn serve(&self, waiters: &AtomicU64) {
        loop {
            let mut chosen = [const { None }; AT_ONCE];
            {
                let Some(mut list) = self.list.try_lock() else { break };
                // Ordering: Acquire, pairs with the Release in `notify`.
                let count = self.pending.swap(0, site("wakers.serve", Acquire));
                for (place, _) in chosen.iter_mut().zip(0..count) {
                    *place = list.pop();
                }
                if !list.is_empty() {
                    // Ordering: Relaxed; the next thread that serves takes the lock after this one.
                    let rest = count.saturating_sub(AT_ONCE as u64);
                    self.pending.fetch_add(rest, site("wakers.serve.rest", Relaxed));
                }
                Self::note_empty(&list, waiters);
            }
            let was_left = self.was_left();
            for waker in chosen.into_iter().flatten() {
                wake(waker);
            }
            if !was_left {
                break;
            }
        }
    }

    /// Resets `WAKERS` if no future waits. The caller holds the lock.
    fn note_empty(list: &List, waiters: &AtomicU64) {
        // Ordering: Relaxed, both; the lock orders them. A waker that reads an old value calls
        // `notify` in vain, or no future waited when it published.
        if list.is_empty() && waiters.load(site("wakers.empty.look", Relaxed)) & WAKERS != 0 {
            waiters.fetch_and(!WAKERS, site("wakers.empty", Relaxed));
        }
    }

    /// After the release of the lock: whether notifications came that found it taken.
    fn was_left(&self) -> bool {
        // Pairs with the fence in `notify`, and with those in `may_have_waiters` and `waiters`.
        fence("wakers.left.fence");
        // Ordering: Relaxed; the fences order it.
        self.pending.load(site("wakers.left", Relaxed)) != 0
    }

    /// Runs `work` on the list, then serves notifications that came meanwhile.
    fn with<R>(&self, waiters: &AtomicU64, work: impl FnOnce(&mut List) -> R) -> R {
        let done = work(&mut self.list.lock());
        if self.was_left() {
            self.serve(waiters);
        }
        done
    }

    /// Adds a `Waker`. [`EventCount::cover_wakers`] must follow, and then a check.
    fn add(&self, waiters: &AtomicU64, waker: &Waker) -> usize {
        let waker = waker.clone();
        self.with(waiters, |list| {
            let at = list.push(waker);
            // Ordering: Relaxed; the fence in `was_left`, which follows, orders it before the
            // check.
            waiters.fetch_or(WAKERS, site("wakers.announce", Relaxed));
            at
        })
    }

    /// Whether a notification chose the entry, which is free then. Otherwise notes the `Waker`.
    fn was_chosen(&self, waiters: &AtomicU64, at: usize, waker: &Waker) -> bool {
        // The clone is made, and the old `Waker` dropped, without the lock.
        let mut new = None;
        loop {
            let was_chosen =
                self.with(waiters, |list| match (&mut list.entries[at].waker, &mut new) {
                    (None, _) => {
                        list.free(at);
                        Some(true)
                    }
                    (Some(old), _) if old.will_wake(waker) => Some(false),
                    (Some(old), Some(new)) => {
                        core::mem::swap(old, new);
                        Some(false)
                    }
                    (Some(_), None) => None,
                });
            if let Some(was_chosen) = was_chosen {
                return was_chosen;
            }
            new = Some(waker.clone());
        }
    }

    /// Removes an entry. If a notification chose it, passes the notification on.
    fn remove(&self, waiters: &AtomicU64, at: usize) {
        let waker = self.with(waiters, |list| {
            let waker = if list.entries[at].waker.is_some() { list.unlink(at) } else { None };
            if waker.is_none() && !list.is_empty() {
                // Ordering: Relaxed; the thread that serves takes the lock after this one.
                self.pending.fetch_add(1, site("wakers.pass", Relaxed));
            }
            list.free(at);
            Self::note_empty(list, waiters);
            waker
        });
        drop(waker); // not under the lock
    }
}

/// Calls a `Waker`, which must not panic. If it does, the panic hook has reported that.
fn wake(waker: Waker) {
    if cfg!(loom) {
        return waker.wake(); // a panic is a result of the model
    }
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        core::mem::forget(panic); // its drop may panic, too
    }
}

/// What a future does instead of sleeping: it has a place in the list of an event count while it
/// waits.
///
/// Dropping it removes it from the list.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    event_count: &'a EventCount,
    /// Its index in the list.
    at: Option<usize>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(event_count: &'a EventCount) -> Self {
        Self { event_count, at: None }
    }

    /// Waits until `attempt`, which does not depend on the time, returns `Break`.
    pub(super) async fn poll_until<R>(
        &mut self,
        mut attempt: impl FnMut() -> ControlFlow<R, Deadline>,
    ) -> R {
        let poll = |context: &mut Context<'_>| match self.check(context, &mut attempt) {
            Break(result) => Poll::Ready(result),
            Continue(_) => Poll::Pending,
        };
        poll_fn(poll).await
    }

    /// Calls `attempt` until it returns `Break`, at most twice. After `Continue` the `Waker` of the
    /// context is called when another attempt may succeed.
    pub(super) fn check<R>(
        &mut self,
        context: &Context<'_>,
        mut attempt: impl FnMut() -> ControlFlow<R, Deadline>,
    ) -> ControlFlow<R, Deadline> {
        let (waiters, wakers) = self.event_count.wakers();
        // The attempt that follows uses up the notification of an entry that was chosen.
        self.at = self.at.filter(|&at| !wakers.was_chosen(waiters, at, context.waker()));
        let mut outcome = attempt();
        // No spin: other tasks of the executor may run meanwhile.
        if self.at.is_none() && outcome.is_continue() {
            self.at = Some(wakers.add(waiters, context.waker()));
            self.event_count.cover_wakers();
            outcome = attempt();
        }
        if outcome.is_break() {
            self.leave();
        }
        outcome
    }

    /// Leaves the list.
    pub(super) fn leave(&mut self) {
        if let Some(at) = self.at.take() {
            let (waiters, wakers) = self.event_count.wakers();
            wakers.remove(waiters, at);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}
