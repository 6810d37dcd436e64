//! How pollers and descriptors of this process learn of calls in other processes.
//!
//! These waiters wait at event counts in the memory of their own process, where no other process
//! can wake them. So each end of a shared queue at which they wait has a *lookout*: a thread of the
//! library that sleeps in the shared memory for them (`shared/event.rs`) and wakes them. The thread
//! starts with the first waiter. Without waiters it sleeps in this process, and costs other
//! processes nothing.
//!
//! # Idea
//! A waiter announces itself at the event count, and then *calls* the lookout: it increments a
//! word, and wakes the thread if that is idle. The lookout reads the word and looks at the queue.
//! If the end is ready, the lookout wakes all waiters, and is idle until the word changes.
//! Otherwise it sleeps in the shared memory, and looks again. So no call after the notification is
//! lost, and a waiter that is slow to leave does not make the lookout spin.

use super::poll::Source;
use super::{Blocking, EventCount};
use crate::error::{Error, Result};
use crate::memory::try_box;
use crate::queue::Queue;
use crate::shared::Attachment;
use crate::sync::{
    AcqRel, Acquire, AtomicPtr, AtomicU32, Deadline, Parking, Relaxed, Release, SeqCst,
    disable_cancellation, site,
};

/// The lookout of one end. Its owner ends it before the queue is dropped.
#[derive(Debug)]
pub(super) struct Lookout(AtomicPtr<Running>);

/// A lookout that was started.
#[derive(Debug)]
struct Running {
    shared: Shared,
    /// Written while the thread uses `shared`, so no reference to the whole `Running` may exist.
    thread: Option<std::thread::JoinHandle<()>>,
}

/// The state that the thread shares with the threads that call it.
#[derive(Debug)]
struct Shared {
    /// Its epoch counts the calls.
    calls: Parking,
    /// Whether the thread sleeps until the next call.
    is_idle: AtomicU32,
    /// Whether the thread must end.
    is_over: AtomicU32,
    attachment: *const Attachment,
    end: usize,
}

impl Lookout {
    pub(super) fn new() -> Self {
        Self(AtomicPtr::new(core::ptr::null_mut()))
    }

    /// Calls the lookout of an end, which the first call starts. The caller has announced itself.
    /// Fails with [`Error::NoMemory`] if no thread can be started.
    pub(super) fn call<Q: Queue>(
        &self,
        blocking: &Blocking<Q>,
        attachment: &Attachment,
        event: u32,
        end: usize,
    ) -> Result {
        // Ordering: Acquire, pairs with the AcqRel in `start`.
        let mut running = self.0.load(site("lookout.load", Acquire));
        if running.is_null() {
            running = self.start(blocking, attachment, event, end)?;
        }
        // SAFETY: freed by the drop only.
        let shared = unsafe { &(*running).shared };
        // Ordering: SeqCst, both: the thread sees the call, or this thread sees that it is idle.
        shared.calls.advance(site("lookout.call", SeqCst));
        if shared.is_idle.load(site("lookout.is_idle", SeqCst)) != 0 {
            shared.calls.wake(1);
        }
        Ok(())
    }

    #[cold]
    fn start<Q: Queue>(
        &self,
        blocking: &Blocking<Q>,
        attachment: &Attachment,
        event: u32,
        end: usize,
    ) -> Result<*mut Running> {
        let shared = Shared {
            calls: Parking::new(),
            is_idle: AtomicU32::new(0),
            is_over: AtomicU32::new(0),
            attachment,
            end,
        };
        let running = Box::into_raw(try_box(Running { shared, thread: None })?);
        let addresses =
            (running.expose_provenance(), core::ptr::from_ref(blocking).expose_provenance());
        let run = move || {
            let running = core::ptr::with_exposed_provenance::<Running>(addresses.0);
            let blocking = core::ptr::with_exposed_provenance::<Blocking<Q>>(addresses.1);
            // SAFETY: both live until the drop has joined this thread.
            unsafe { (*running).shared.watch(&*blocking, event) };
        };
        // SAFETY: no other thread has seen it.
        let free = || drop(unsafe { Box::from_raw(running) });
        let thread = without_signals(|| {
            std::thread::Builder::new()
                .name("queues-lookout".into())
                .stack_size(64 << 10)
                .spawn(run)
        });
        let Ok(thread) = thread else {
            free();
            return Err(Error::NoMemory);
        };
        // SAFETY: the thread uses the other field only.
        unsafe { (&raw mut (*running).thread).write(Some(thread)) };
        if self.0.replace(core::ptr::null_mut(), running, site("lookout.start", AcqRel)) {
            return Ok(running);
        }
        // Another thread was faster.
        // SAFETY: nobody else has seen it.
        unsafe { end_running(running) };
        Ok(self.0.load(site("lookout.other", Acquire)))
    }
}

impl Lookout {
    /// Ends the thread, if there is one.
    pub(super) fn end(&mut self) {
        let running = self.0.load(site("lookout.drop", Relaxed));
        self.0.store(core::ptr::null_mut(), site("lookout.ended", Relaxed));
        if !running.is_null() {
            // SAFETY: no thread uses the queue any more.
            unsafe { end_running(running) };
        }
    }
}

impl Shared {
    /// The loop of the thread.
    fn watch<Q: Queue>(&self, blocking: &Blocking<Q>, event: u32) {
        let Some(attachment) = blocking.queue().attachment() else { return };
        let event_count: &EventCount = blocking.event_count_of(event);
        let is_over = || self.is_over.load(site("lookout.is_over", Acquire)) != 0;
        let is_ready = || blocking.look(event).is_break();
        loop {
            let calls = self.calls.epoch(site("lookout.calls", SeqCst));
            if is_over() {
                return;
            }
            if is_ready() {
                event_count.notify(usize::MAX);
            } else if event_count.has_waiters() {
                let look = || is_over() || is_ready();
                attachment.look_out(self.end, look, || blocking.queue().recover());
                continue;
            }
            self.is_idle.store(1, site("lookout.idle", SeqCst));
            self.calls.sleep(calls, Deadline::NEVER);
            self.is_idle.store(0, site("lookout.awake", SeqCst));
        }
    }
}

/// Ends the thread and frees `running`.
///
/// # Safety
/// No other thread uses it.
unsafe fn end_running(running: *mut Running) {
    let _disabled = disable_cancellation();
    // SAFETY: by contract, no thread but its own uses it, and that one until it is joined. The
    // attachment outlives the lookout.
    let thread = unsafe {
        let shared = &(*running).shared;
        shared.is_over.store(1, site("lookout.end", Release));
        shared.calls.advance(site("lookout.end.call", SeqCst));
        shared.calls.wake(1);
        (*shared.attachment).wake_lookouts(shared.end);
        (*running).thread.take()
    };
    if let Some(thread) = thread {
        // It cannot panic; and a drop must not.
        let _ = thread.join();
    }
    // SAFETY: made by `Box::into_raw`; the thread has ended.
    drop(unsafe { Box::from_raw(running) });
}

/// Runs `start`, which starts a thread, with all signals blocked: signals are for the threads of
/// the program.
fn without_signals<R>(start: impl FnOnce() -> R) -> R {
    // SAFETY: both sets are written before they are read.
    unsafe {
        let (mut all, mut before) = core::mem::zeroed::<(libc::sigset_t, libc::sigset_t)>();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        let started = start();
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, core::ptr::null_mut());
        started
    }
}
