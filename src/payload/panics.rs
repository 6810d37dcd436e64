//! Panics in the drops of items. One is kept until the items after it are dropped too, and then
//! resumed.

use crate::sync::hold_off_cancellation;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// What a panic carries.
type Panic = Box<dyn Any + Send>;

/// The first panic of each thread that is dropping a queue's items; hardly ever one.
///
/// Threads may clear a queue together, and each is to hear of its own panic only. What is left when
/// this is dropped is resumed then: a queue drops its items first, and its payload after them.
#[derive(Default)]
pub(super) struct Panics(Mutex<Vec<(ThreadId, Panic)>>);

impl Panics {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn kept(&self) -> MutexGuard<'_, Vec<(ThreadId, Panic)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the drop of an item, and keeps its panic. The item may close a file: its thread is not
    /// cancelled there.
    pub(super) fn catch(&self, drop: impl FnOnce()) {
        let _held_off = hold_off_cancellation();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(drop)) {
            self.keep(panic);
        }
    }

    /// Keeps a panic of this thread, unless it has one already.
    #[cold]
    fn keep(&self, panic: Panic) {
        let me = thread::current().id();
        let mut kept = self.kept();
        if kept.iter().any(|(thread, _)| *thread == me) {
            drop(kept);
            ignore(panic);
        } else {
            kept.push((me, panic));
        }
    }

    /// Takes the panic of this thread.
    pub(super) fn take(&self) -> Option<Panic> {
        let mut kept = self.kept();
        if kept.is_empty() {
            return None;
        }
        let me = thread::current().id();
        let mine = kept.iter().position(|(thread, _)| *thread == me)?;
        Some(kept.swap_remove(mine).1)
    }

    /// Runs `work`, which drops items, and then resumes the first panic among their drops.
    pub(super) fn resume_after<R>(&self, work: impl FnOnce() -> R) -> R {
        // An item's drop may call this: the panic of an earlier item is not ours.
        let outer = self.take();
        let done = work();
        let mine = self.take();
        if let Some(outer) = outer {
            self.keep(outer);
        }
        if let Some(mine) = mine {
            resume(mine);
        }
        done
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        let kept = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut kept = core::mem::take(kept).into_iter().map(|(_, panic)| panic);
        let first = kept.next();
        kept.for_each(ignore);
        if let Some(first) = first {
            resume(first);
        }
    }
}

/// Goes on unwinding; a thread that is unwinding already would abort the process, and goes on with
/// its own panic instead.
fn resume(panic: Panic) {
    if thread::panicking() {
        ignore(panic);
    } else {
        resume_unwind(panic);
    }
}

/// Drops a panic, whose payload may panic in turn.
pub(super) fn ignore(panic: Panic) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        core::mem::forget(again);
    }
}
