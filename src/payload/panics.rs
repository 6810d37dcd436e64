//! Panics in the drops of items: a panic is kept until all other items are dropped, then resumed.

use crate::sync::disable_cancellation;
use crate::sync::unmodeled::{Mutex, MutexGuard, PoisonError};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::{self, ThreadId};

/// The payload of a panic.
type Panic = Box<dyn Any + Send>;

/// The first panic of each thread that is dropping items of a queue; nearly always empty.
///
/// Several threads may clear a queue at once, and each must resume its own panic only. A panic that is
/// left when this is dropped is resumed then: a queue drops its items before its payload.
#[derive(Default)]
pub(super) struct Panics(Mutex<Vec<(ThreadId, Panic)>>);

impl Panics {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn kept(&self) -> MutexGuard<'_, Vec<(ThreadId, Panic)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the drop of an item and keeps its panic. Cancellation is disabled, since the item may close a
    /// file, which is a cancellation point.
    pub(super) fn catch(&self, drop: impl FnOnce()) {
        let _disabled = disable_cancellation();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(drop)) {
            self.keep(panic);
        }
    }

    /// Keeps a panic of this thread, unless one is kept already.
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

    /// Runs `work`, which drops items, then resumes the first panic of their drops.
    pub(super) fn resume_after<R>(&self, work: impl FnOnce() -> R) -> R {
        // The drop of an item may call this: then the panic of an earlier item belongs to the outer call.
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

/// Resumes a panic; drops it if the thread is unwinding already, since a second one would abort the
/// process.
fn resume(panic: Panic) {
    if thread::panicking() {
        ignore(panic);
    } else {
        resume_unwind(panic);
    }
}

/// Drops the payload of a panic, which may panic itself.
pub(super) fn ignore(panic: Panic) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        core::mem::forget(again);
    }
}
