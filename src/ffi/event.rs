//! `queues_event_*`: a latch that threads, event loops and [`super::poll::queues_poll`] wait for.

use super::arguments::{non_null, wait};
use super::common;
use super::handle::{HandleType, Role};
use super::status::{queues_status_t, status_of, value_or};
use crate::error::Error;
use crate::wait::Event;
use core::ffi::c_int;

/// An event: set until it is reset, however many threads find it set. For shutdown, cancellation
/// and timers, alone or beside queues in queues_poll().
///
/// | functions                                                | threads    | progress  |
/// |----------------------------------------------------------|------------|-----------|
/// | create                                                   | any thread | allocates |
/// | set, reset                                               | any thread | wait-free |
/// | is_set                                                   | any thread | wait-free |
/// | wait                                                     | any thread | may sleep; wait-free if timeout_ns is 0 |
/// | readable_fd                                              | any thread | the first call allocates |
/// | retain                                                   | any thread that holds a reference | wait-free |
/// | release                                                  | any thread that holds a reference | wait-free except for the last release |
///
/// What a thread did before set happens before what follows a wait or an is_set that finds the
/// event set. Each call is O(1), except set, which is O(threads that wait).
#[cfg_attr(unix, repr(C))] // by a condition, which cbindgen skips: to C the type is incomplete
pub struct queues_event_t {
    _opaque: [u8; 0],
}

pub(super) const EVENT: HandleType<Event> = HandleType::new(6, 0);

/// Creates an event that is not set, with one reference, which the caller owns.
///
/// Allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM, QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_event_create(event: *mut *mut queues_event_t) -> queues_status_t {
    status_of(|| {
        let event = non_null(event)?;
        // SAFETY: the header's contract.
        unsafe { event.write(EVENT.create(Event::new(), false)?.cast()) };
        Ok(())
    })
}

/// Adds a reference, for another owner of the event.
///
/// Wait-free. Any thread that holds a reference.
/// @return event, or NULL if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_event_retain(event: *mut queues_event_t) -> *mut queues_event_t {
    // SAFETY: the caller holds a reference.
    unsafe { common::retain(event, EVENT.only(event)) }
}

/// Drops a reference. The last release frees the event. NULL and handles of other families are
/// ignored.
///
/// Wait-free except for the last release. Any thread that holds a reference; it must not use the
/// event afterwards, unless it holds another reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_event_release(event: *mut queues_event_t) {
    // SAFETY: the caller gives up its reference.
    unsafe { common::release(EVENT.only(event)) }
}

/// Sets the event and wakes all waiters. Setting it again changes nothing.
///
/// A waiter may return while this call is still under way. If that waiter may drop the last
/// reference, this thread needs a reference of its own.
///
/// Wait-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_event_set(event: *mut queues_event_t) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        EVENT.on(event, Role::SET, |event| {
            event.set();
            Ok(())
        })
    })
}

/// Resets the event: later waits wait for the next set.
///
/// Wait-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_event_reset(event: *mut queues_event_t) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        EVENT.on(event, Role::SET, |event| {
            event.reset();
            Ok(())
        })
    })
}

/// Returns whether the event is set: a snapshot.
///
/// Wait-free. Any thread.
/// @return whether it is set; false if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_event_is_set(event: *const queues_event_t) -> bool {
    value_or(false, || {
        let look = |event: &Event| if event.is_set() { Ok(()) } else { Err(Error::Empty) };
        // SAFETY: the header's contract.
        unsafe { EVENT.on(event, Role::FIND_SET, look) }.map(|()| true)
    })
}

/// Waits up to timeout_ns until the event is set. Leaves it set.
///
/// May sleep; wait-free if timeout_ns is 0. Any thread.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_event_wait(
    event: *mut queues_event_t,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { EVENT.on(event, Role::FIND_SET, |event| event.wait(wait(timeout_ns))) })
}

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while the
/// event is set.
///
/// If set and reset race, the descriptor may stay readable although the event is reset, until a
/// reset or a wait that returns QUEUES_EMPTY. So an event loop calls queues_event_wait() with
/// timeout_ns 0. All calls return the same descriptor. The event owns it: do not read, write or
/// close it; the last release closes it.
///
/// From the first call on the library makes system calls in set, in reset and in a wait that
/// returns QUEUES_EMPTY. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_event_readable_fd(
    event: *mut queues_event_t,
    fd: *mut c_int,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::descriptor(EVENT.only(event), fd, Event::readable_fd) }
}
