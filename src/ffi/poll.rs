//! `queues_poll`: waits for queues and events of any family at once.

use super::arguments::{check_many, non_null, wait};
use super::status::{queues_status_t, status_of};
use super::{batch, deque, event, mpmc, priority, spsc};
use crate::error::{Error, Result};
use crate::wait::{MAX_ENTRIES, PollSet, READABLE, Source, WRITABLE, check_events, poll_set};
use core::ffi::c_void;

/// Event of queues_poll_t: a get would not return QUEUES_EMPTY, a batch is due, there may be an
/// item to steal, or the event is set.
pub const QUEUES_READABLE: u32 = 1;

/// Event of queues_poll_t: a put would not return QUEUES_FULL.
pub const QUEUES_WRITABLE: u32 = 2;

const _: () = assert!(QUEUES_READABLE == READABLE && QUEUES_WRITABLE == WRITABLE);

/// A queue or an event that queues_poll() waits for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_poll_t {
    /// The handle, of any family.
    pub queue: *mut c_void,
    /// What to wait for: QUEUES_READABLE, QUEUES_WRITABLE or both. Deques and events have
    /// QUEUES_READABLE only. With 0 the entry never becomes ready.
    pub events: u32,
    /// Written by the call: the events that are ready.
    pub ready: u32,
}

/// The source of a handle of any family.
///
/// # Safety
/// `handle` is null or was returned by a create, and the caller holds a reference during `'a`.
unsafe fn source_of<'a>(handle: *const c_void) -> Result<&'a dyn Source> {
    // SAFETY: by contract.
    unsafe {
        let queue = mpmc::MPMC
            .any(handle)
            .or_else(|_| spsc::SPSC.any(handle))
            .or_else(|_| priority::PRIORITY.any(handle))
            .or_else(|_| batch::BATCH.any(handle));
        if let Ok(queue) = queue {
            return Ok(queue.into_queue().source());
        }
        if let Ok(deque) = deque::DEQUE.any(handle) {
            return Ok(deque.into_queue().source());
        }
        Ok(event::EVENT.only(handle)?.into_queue())
    }
}

/// The array of a call. Its handles and events are valid.
struct Polls<'a>(&'a mut [queues_poll_t]);

impl Polls<'_> {
    /// [`Error::Invalid`] if a handle is invalid, or its family lacks one of the events.
    ///
    /// # Safety
    /// As for [`source_of`].
    unsafe fn check(&self) -> Result {
        for poll in &*self.0 {
            // SAFETY: by contract.
            check_events(unsafe { source_of(poll.queue)? }, poll.events)?;
        }
        Ok(())
    }
}

impl<'a> PollSet<'a> for Polls<'a> {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn entry(&self, i: usize) -> (&'a dyn Source, u32) {
        let poll = self.0[i];
        // SAFETY: checked before; the caller holds a reference during the call.
        (unsafe { source_of(poll.queue) }.expect("checked"), poll.events)
    }
    fn set_ready(&mut self, i: usize, ready: u32) {
        self.0[i].ready = ready;
    }
}

/// Waits up to timeout_ns until at least one of n queues and events is ready: as poll(2), for
/// handles of any family. n is 1,048,576 at most.
///
/// ready becomes the number of entries that are ready. In each entry the field ready becomes the
/// events that are ready. The call checks all entries, and each call of the process begins at
/// another entry. A closed queue is ready. On QUEUES_TIMEOUT and QUEUES_EMPTY all of these outputs
/// are 0.
///
/// A poll takes nothing: another thread may take the item first. So the call that follows should
/// not wait. A poll orders no memory; the call that follows does. A put wakes all threads that poll
/// its queue, and one thread that waits in a get. A handle may be in several entries. With n 0 the
/// call sleeps for timeout_ns, which must not be below 0 then.
///
/// May sleep. With timeout_ns 0 the call takes a short lock for priority and batch, and is
/// lock-free for the other families. Any thread. O(n). Does not allocate.
///
/// The call waits for up to 128 events by futex_waitv (Linux 5.16). With more events, and
/// elsewhere, a thread that polls also wakes for puts into queues that only other threads poll, and
/// goes back to sleep.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_INVALID (also for an
/// event that the family does not have)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_poll(
    polls: *mut queues_poll_t,
    n: usize,
    timeout_ns: i64,
    ready: *mut usize,
) -> queues_status_t {
    status_of(|| {
        let ready = non_null(ready)?;
        check_many(polls, n)?;
        if n > MAX_ENTRIES || (n == 0 && timeout_ns < 0) {
            return Err(Error::Invalid);
        }
        let polls = match n {
            0 => &mut [],
            // SAFETY: checked above; the caller's array.
            _ => unsafe { core::slice::from_raw_parts_mut(polls, n) },
        };
        let mut polls = Polls(polls);
        // SAFETY: the header's contract.
        unsafe { polls.check()? };
        let count = poll_set(&mut polls, wait(timeout_ns));
        // SAFETY: checked above.
        unsafe { ready.write(*count.as_ref().unwrap_or(&0)) };
        count.map(|_| ())
    })
}
