//! `queues_priority_*`: the bounded priority queue for any number of threads. Both payloads are in
//! [`Priority`], a heap behind a short lock; the priority travels beside the item.

use super::arguments::{SizedStruct, blob, non_null, place, receive_blob, receive_if_ok, wait};
use super::handle::{Family, Role};
use super::options::{Options, PayloadChoice, create};
use super::stats::queues_stats_t;
use super::status::{queues_status_t, status_of};
use super::{common, queues_drop_bytes_t, queues_drop_t};
use crate::payload::{Bytes, Pointer};
use crate::queue::priority::Priority;
use crate::wait::Blocking;
use core::ffi::{c_int, c_void};

/// A bounded priority queue for any number of threads: the lowest priority first; first in, first
/// out among equal priorities; linearizable.
///
/// A priority is any double except NaN; infinities, too. -0.0 equals 0.0.
///
/// | functions                                                | threads    | progress     |
/// |----------------------------------------------------------|------------|--------------|
/// | create                                                   | any thread | allocates    |
/// | try_put, try_get, peek                                   | any thread | a short lock |
/// | try_put_bytes, try_get_bytes, peek_bytes                 | any thread | a short lock |
/// | put, put_bytes, get, get_bytes                           | any thread | may sleep; a short lock if timeout_ns is 0 |
/// | close, is_closed, size, stats                            | any thread | a short lock |
/// | clear                                                    | any thread | a short lock for each item |
/// | readable_fd, writable_fd                                 | any thread | the first call allocates |
/// | capacity, item_size                                      | any thread | wait-free    |
/// | retain                                                   | any thread that holds a reference | wait-free |
/// | release                                                  | any thread that holds a reference | wait-free except for the last release |
///
/// Not lock-free: a thread that is suspended while it holds the lock delays the others. The lock is
/// held for O(log n) steps (clear: O(n log n)), and never during a callback, a wake-up or the copy
/// of a blob of more than 64 bytes. A call returns QUEUES_FULL or QUEUES_EMPTY only if that was
/// true at some moment of the call. QUEUES_FULL is exact until 64 calls with blobs of more than 64
/// bytes are suspended at the same time.
///
/// Each call is O(log n), except clear, which is O(n log n).
///
/// A heap with four children per node: Johnson 1975, Wegener 1993.
#[cfg_attr(unix, repr(C))] // by a condition, which cbindgen skips: to C the type is incomplete
pub struct queues_priority_t {
    _opaque: [u8; 0],
}

/// Options of queues_priority_create(). Set struct_size; leave unused fields 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_priority_options_t {
    /// sizeof(queues_priority_options_t).
    pub struct_size: usize,
    /// Largest number of items, exact; 0: 10000.
    pub capacity: usize,
    /// Largest length of a blob in bytes; 0: items are pointers.
    pub item_size: usize,
    /// 0: there are no flags.
    pub flags: u64,
    /// Called for each item that no call gets; NULL: nothing is called.
    pub drop: queues_drop_t,
    /// First argument of drop and drop_bytes.
    pub drop_ctx: *mut c_void,
    /// As drop, with the length of the blob; needs an item_size. Setting drop, too, is
    /// QUEUES_INVALID.
    pub drop_bytes: queues_drop_bytes_t,
}

// SAFETY: repr(C), size first; a null callback is None.
unsafe impl SizedStruct for queues_priority_options_t {}
// SAFETY: begins with the common fields.
unsafe impl Options for queues_priority_options_t {
    const DEFAULT_CAPACITY: usize = 10_000;
    fn drop_bytes(&self) -> queues_drop_bytes_t {
        self.drop_bytes
    }
}

type Pointers = Blocking<Priority<Pointer>>;
type Blobs = Blocking<Priority<Bytes>>;
pub(super) const PRIORITY: Family<Pointers, Blobs> = Family::new(3);

/// Creates a queue with one reference, which the caller owns. Takes all memory that the queue will
/// ever use.
///
/// Allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM, QUEUES_INVALID (also for an unknown struct_size, unknown flags,
/// options that exclude each other, and sizes whose product overflows)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_priority_create(
    options: *const queues_priority_options_t,
    queue: *mut *mut queues_priority_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe {
        create(options, queue, |_, capacity, payload| match payload {
            PayloadChoice::Pointer(pointer) => {
                let queue = Priority::try_new(capacity, pointer)?;
                PRIORITY.pointers.create(Blocking::new(queue), false)
            }
            PayloadChoice::Bytes(bytes) => {
                let queue = Priority::try_new(capacity, bytes)?;
                PRIORITY.bytes.create(Blocking::new(queue), false)
            }
        })
    }
}

/// Adds a reference, for another owner of the queue.
///
/// Wait-free. Any thread that holds a reference.
/// @return queue, or NULL if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_retain(
    queue: *mut queues_priority_t,
) -> *mut queues_priority_t {
    // SAFETY: the caller holds a reference.
    unsafe { common::retain(queue, PRIORITY.any(queue)) }
}

/// Drops a reference. The last release passes the items that are left to the drop callback and
/// frees the queue. NULL and handles of other families are ignored.
///
/// Wait-free except for the last release. Any thread that holds a reference; it must not use the
/// queue afterwards, unless it holds another reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_release(queue: *mut queues_priority_t) {
    // SAFETY: the caller gives up its reference.
    unsafe { common::release(PRIORITY.any(queue)) }
}

/// Puts item with its priority if there is room.
///
/// A short lock. Any thread. On QUEUES_OK the queue owns item, otherwise the caller keeps it.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID (also for priority NaN)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_priority_try_put(
    queue: *mut queues_priority_t,
    item: *mut c_void,
    priority: f64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        PRIORITY.pointers.on(queue, Role::PUT, |queue| queue.try_put(&item, priority))
    })
}

/// Puts item with its priority; waits up to timeout_ns for room.
///
/// May sleep; a short lock if timeout_ns is 0. Any thread. On QUEUES_OK the queue owns item,
/// otherwise the caller keeps it.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
/// (also for priority NaN)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_priority_put(
    queue: *mut queues_priority_t,
    item: *mut c_void,
    priority: f64,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        PRIORITY.pointers.on(queue, Role::PUT, |queue| queue.put(&item, priority, wait(timeout_ns)))
    })
}

/// Gets the item in front and its priority if there is one.
///
/// A short lock. Any thread. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_priority_try_get(
    queue: *mut queues_priority_t,
    item: *mut *mut c_void,
    priority: *mut f64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let priority = non_null(priority)?;
        let item = place(item)?;
        priority.write(PRIORITY.pointers.on(queue, Role::GET, |queue| queue.try_get(item))?);
        Ok(())
    })
}

/// Gets the item in front and its priority; waits up to timeout_ns for one.
///
/// May sleep; a short lock if timeout_ns is 0. Any thread. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_priority_get(
    queue: *mut queues_priority_t,
    item: *mut *mut c_void,
    priority: *mut f64,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let priority = non_null(priority)?;
        let item = place(item)?;
        priority.write(
            PRIORITY.pointers.on(queue, Role::GET, |queue| queue.get(item, wait(timeout_ns)))?,
        );
        Ok(())
    })
}

/// Copies the pointer in front to item and its priority to priority; leaves it in the queue.
///
/// Another consumer may get the item at any moment and free what it points to. Follow the pointer
/// only if the program rules that out.
///
/// A short lock. Any thread. The queue keeps the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_peek(
    queue: *mut queues_priority_t,
    item: *mut *mut c_void,
    priority: *mut f64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let priority = non_null(priority)?;
        priority.write(receive_if_ok(item, |item| {
            PRIORITY.pointers.on(queue, Role::GET, |queue| queue.peek(item))
        })?);
        Ok(())
    })
}

/// Puts a copy of len bytes with a priority if there is room. (NULL, 0) is an empty blob.
///
/// A short lock. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID (also for len above item_size and
/// for priority NaN)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_priority_try_put_bytes(
    queue: *mut queues_priority_t,
    data: *const c_void,
    len: usize,
    priority: f64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        PRIORITY.bytes.on(queue, Role::PUT, |queue| {
            queue.try_put(blob(data, len, queue.queue().payload().limit())?, priority)
        })
    })
}

/// Puts a copy of len bytes with a priority; waits up to timeout_ns for room. (NULL, 0) is an empty
/// blob.
///
/// May sleep; a short lock if timeout_ns is 0. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
/// (also for len above item_size and for priority NaN)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_priority_put_bytes(
    queue: *mut queues_priority_t,
    data: *const c_void,
    len: usize,
    priority: f64,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        PRIORITY.bytes.on(queue, Role::PUT, |queue| {
            queue.put(blob(data, len, queue.queue().payload().limit())?, priority, wait(timeout_ns))
        })
    })
}

/// Gets the blob in front into buffer if there is one; len becomes its length, priority its
/// priority.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in front.
///
/// A short lock. Any thread.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_priority_try_get_bytes(
    queue: *mut queues_priority_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    priority: *mut f64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let priority = non_null(priority)?;
        priority.write(receive_blob(buffer, capacity, len, |blob| {
            PRIORITY.bytes.on(queue, Role::GET, |queue| queue.try_get(blob))
        })?);
        Ok(())
    })
}

/// Gets the blob in front into buffer; waits up to timeout_ns for one; len becomes its length,
/// priority its priority.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in front.
///
/// May sleep; a short lock if timeout_ns is 0. Any thread.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_TOO_SMALL, QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_priority_get_bytes(
    queue: *mut queues_priority_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    priority: *mut f64,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let priority = non_null(priority)?;
        priority.write(receive_blob(buffer, capacity, len, |blob| {
            PRIORITY.bytes.on(queue, Role::GET, |queue| queue.get(blob, wait(timeout_ns)))
        })?);
        Ok(())
    })
}

/// Copies the blob in front into buffer and leaves it in the queue; len becomes its length,
/// priority its priority.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity. Whatever the status, buffer may hold parts
/// of blobs that other threads took during the call.
///
/// A short lock. Any thread.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_peek_bytes(
    queue: *mut queues_priority_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    priority: *mut f64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let priority = non_null(priority)?;
        priority.write(receive_blob(buffer, capacity, len, |blob| {
            PRIORITY.bytes.on(queue, Role::GET, |queue| queue.peek(blob))
        })?);
        Ok(())
    })
}

/// Removes the items that are in the queue when the call begins and passes each to the drop
/// callback. count becomes their number.
///
/// The place of an item becomes free when its callback returns. Until then the item counts in size
/// and the statistics, but cannot be got.
///
/// A short lock for each item. Any thread.
/// @return QUEUES_OK, QUEUES_PANIC (count is not written), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_clear(
    queue: *mut queues_priority_t,
    count: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::clear(PRIORITY.any(queue), count) }
}

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be an item or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a call returns QUEUES_EMPTY. That call
/// makes the descriptor unreadable until there is an item. While the consumer gets items, neither
/// side makes a system call for the descriptor, except a put beside another put that is suspended
/// while it makes the descriptor readable. All calls return the same descriptor. The queue owns it:
/// do not read, write or close it; the last release closes it.
///
/// From the first call on the library makes system calls in a call that returns QUEUES_EMPTY and in
/// the call that ends that state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_readable_fd(
    queue: *mut queues_priority_t,
    fd: *mut c_int,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::descriptor(PRIORITY.any(queue), fd, |queue| queue.readable_fd()) }
}

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be room for an item or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a call returns QUEUES_FULL. That call makes
/// the descriptor unreadable until there is room. The queue owns the descriptor. Otherwise as
/// queues_priority_readable_fd().
///
/// From the first call on the library makes system calls in a call that returns QUEUES_FULL and in
/// the call that ends that state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_writable_fd(
    queue: *mut queues_priority_t,
    fd: *mut c_int,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::descriptor(PRIORITY.any(queue), fd, |queue| queue.writable_fd()) }
}

/// Closes the queue: later puts return QUEUES_CLOSED; gets drain what is left, then return it, too.
///
/// Wakes all waiters. Closing again has no effect.
///
/// A short lock. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_close(queue: *mut queues_priority_t) -> queues_status_t {
    // SAFETY: the header's contract.
    common::close(unsafe { PRIORITY.any(queue) })
}

/// Returns whether the queue is closed. It may still have items.
///
/// A short lock. Any thread.
/// @return whether it is closed; true if the handle is invalid, because nothing can be put there
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_is_closed(queue: *const queues_priority_t) -> bool {
    // SAFETY: the header's contract.
    common::is_closed(unsafe { PRIORITY.any(queue) })
}

/// Returns the number of items: a snapshot, never above the capacity.
///
/// A short lock. Any thread.
/// @return the number of items; 0 if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_size(queue: *const queues_priority_t) -> usize {
    // SAFETY: the header's contract.
    common::size(unsafe { PRIORITY.any(queue) })
}

/// Returns the largest number of items.
///
/// Wait-free. Any thread.
/// @return the capacity; 0 if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_capacity(queue: *const queues_priority_t) -> usize {
    // SAFETY: the header's contract.
    common::capacity(unsafe { PRIORITY.any(queue) })
}

/// Returns the largest length of a blob in bytes, as in the options.
///
/// Wait-free. Any thread.
/// @return the item size; 0 if items are pointers or the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_item_size(queue: *const queues_priority_t) -> usize {
    // SAFETY: the header's contract.
    common::item_size(unsafe { PRIORITY.bytes.only(queue) }, |queue| {
        queue.queue().payload().limit()
    })
}

/// Writes a snapshot of the statistics to stats, whose struct_size must be set.
///
/// A short lock. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_stats(
    queue: *const queues_priority_t,
    stats: *mut queues_stats_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::stats(PRIORITY.any(queue), stats) }
}
