//! `queues_batch_*`: the bounded queue whose items are taken in batches. Both payloads are in
//! [`Batch`]; a put has a weight beside its item, and a get takes the next batch that is due.

use super::arguments::{SizedStruct, blob, check_buffer, check_many, non_null, wait};
use super::handle::{Family, Role};
use super::options::{Options, PayloadChoice, create};
use super::stats::queues_stats_t;
use super::status::{queues_status_t, status_of, value_or};
use super::{common, queues_drop_bytes_t, queues_drop_t};
use crate::error::{Error, Result};
use crate::payload::{Bytes, Pointer};
use crate::queue::batch::{Batch, Blob, Limits, ToBuffer, ToPointers};
use crate::wait::{Blocking, READABLE, Wanted, time_until_ready};
use core::ffi::{c_int, c_void};
use core::mem::offset_of;
use core::time::Duration;

/// A bounded queue for any number of producers and consumers, whose items are taken in batches:
/// when there are enough of them, or when the oldest has waited long enough. First in, first out.
/// Each item is in one batch; batches of several consumers do not interleave.
///
/// A batch is due when
/// - batch_size items are pending, or items that weigh batch_weight together;
/// - the oldest pending item has been in the queue for batch_timeout_ns;
/// - queues_batch_flush() was called after the oldest pending item was put;
/// - the queue is closed.
///
/// A batch that is due has the oldest items: at most batch_size, and at most batch_weight; a single
/// heavier item is a batch of its own. Whether the rest is due depends on the age of the oldest
/// item that is left. A full queue always has a batch that is due.
///
/// | functions                                                | threads    | progress     |
/// |----------------------------------------------------------|------------|--------------|
/// | create                                                   | any thread | allocates    |
/// | try_put, try_put_bytes                                   | any thread | lock-free    |
/// | put, put_weighted                                        | any thread | may sleep; lock-free if timeout_ns is 0 |
/// | put_bytes, put_weighted_bytes                            | any thread | may sleep; lock-free if timeout_ns is 0 |
/// | get_batch, get_batch_bytes                               | any thread | may sleep; a short lock if timeout_ns is 0 |
/// | get_due, get_due_bytes, flush                            | any thread | a short lock |
/// | clear                                                    | any thread | a short lock for each item |
/// | close, is_closed, pending_count, stats                   | any thread | lock-free    |
/// | readable_fd, writable_fd                                 | any thread | the first call allocates |
/// | next_due_ns                                              | any thread | a short lock |
/// | capacity, item_size, batch_size                          | any thread | wait-free    |
/// | retain                                                   | any thread that holds a reference | wait-free |
/// | release                                                  | any thread that holds a reference | wait-free except for the last release |
///
/// A put that wakes a waiter makes a system call. The lock is among consumers: it is held for
/// O(batch_size) steps, never during a callback or the copy of a blob, and no put takes it. Of
/// several consumers that sleep, one is responsible for the oldest item. If that thread is delayed
/// (stopped or starved), the next put that comes 1 ms after the item became due wakes another. If
/// it is delayed while it holds the lock, all calls that get, flush or clear wait for it.
///
/// QUEUES_FULL is exact until 64 puts and the gets of two batches are suspended at the same time. A
/// suspended get of blobs keeps its batch.
///
/// Each call is O(1), except gets and clear, which are O(items removed), and a put while other calls
/// are suspended, which passes the cells that they hold.
#[cfg_attr(unix, repr(C))] // by a condition, which cbindgen skips: to C the type is incomplete
pub struct queues_batch_t {
    _opaque: [u8; 0],
}

/// The batch_size of queues_batch_options_t that 0 stands for.
pub const QUEUES_BATCH_DEFAULT_SIZE: usize = 32;

const _: () = assert!(QUEUES_BATCH_DEFAULT_SIZE == Limits::DEFAULT.size);

/// Options of queues_batch_create(). Set struct_size; leave unused fields 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_batch_options_t {
    /// sizeof(queues_batch_options_t).
    pub struct_size: usize,
    /// Largest number of items, exact, at least batch_size or its default; 0: 10000.
    pub max_pending: usize,
    /// Largest length of a blob in bytes; 0: items are pointers.
    pub item_size: usize,
    /// 0: there are no flags.
    pub flags: u64,
    /// Called for each item that no call gets; NULL: nothing is called.
    pub drop: queues_drop_t,
    /// First argument of drop and drop_bytes.
    pub drop_ctx: *mut c_void,
    /// Number of items that makes a batch due, and the largest number of items of a batch; 0:
    /// QUEUES_BATCH_DEFAULT_SIZE.
    pub batch_size: usize,
    /// Nanoseconds that an item waits for others before a batch is due; 0: 10 ms; below 0: no
    /// limit.
    pub batch_timeout_ns: i64,
    /// Weight that makes a batch due, and the largest weight of a batch of several items, in any
    /// unit; 0: weights do not count.
    pub batch_weight: u64,
    /// As drop, with the length of the blob; needs an item_size. Setting drop, too, is
    /// QUEUES_INVALID.
    pub drop_bytes: queues_drop_bytes_t,
}

// SAFETY: repr(C), size first; a null callback is None.
unsafe impl SizedStruct for queues_batch_options_t {}
// SAFETY: begins with the common fields; the capacity is max_pending.
unsafe impl Options for queues_batch_options_t {
    const DEFAULT_CAPACITY: usize = 10_000;
    fn drop_bytes(&self) -> queues_drop_bytes_t {
        self.drop_bytes
    }
}

impl queues_batch_options_t {
    fn limits(&self) -> Limits {
        let default = Limits::DEFAULT;
        Limits {
            size: if self.batch_size == 0 { default.size } else { self.batch_size },
            age: match self.batch_timeout_ns {
                ..0 => None,
                0 => default.age,
                nanos => Some(Duration::from_nanos(nanos as u64)),
            },
            weight: Some(self.batch_weight).filter(|&weight| weight > 0),
        }
    }
}

/// The place of a blob of a batch in the caller's buffer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_batch_blob_t {
    /// Bytes from the start of the buffer to the blob.
    pub offset: usize,
    /// Length of the blob in bytes.
    pub length: usize,
}

// One is written as the other.
const _: () = assert!(
    size_of::<queues_batch_blob_t>() == size_of::<Blob>()
        && offset_of!(queues_batch_blob_t, offset) == offset_of!(Blob, offset)
        && offset_of!(queues_batch_blob_t, length) == offset_of!(Blob, length)
);

pub(super) const BATCH: Family<Blocking<Batch<Pointer>>, Blocking<Batch<Bytes>>> = Family::new(5);

/// Creates a queue with one reference, which the caller owns. Takes all memory that the queue will
/// ever use.
///
/// Allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM, QUEUES_INVALID (also for an unknown struct_size, unknown flags,
/// options that exclude each other, max_pending below batch_size, sizes whose product overflows,
/// and a batch_weight for which (batch_weight + 1) * (max_pending + 64 + 2 * batch_size) is 2^62 or
/// more)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_batch_create(
    options: *const queues_batch_options_t,
    queue: *mut *mut queues_batch_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe {
        create(options, queue, |options, max_pending, payload| match payload {
            PayloadChoice::Pointer(pointer) => {
                let queue = Batch::try_new(max_pending, options.limits(), pointer)?;
                BATCH.pointers.create(Blocking::new(queue), false)
            }
            PayloadChoice::Bytes(bytes) => {
                let queue = Batch::try_new(max_pending, options.limits(), bytes)?;
                BATCH.bytes.create(Blocking::new(queue), false)
            }
        })
    }
}

/// Adds a reference, for another owner of the queue.
///
/// Wait-free. Any thread that holds a reference.
/// @return queue, or NULL if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_retain(queue: *mut queues_batch_t) -> *mut queues_batch_t {
    // SAFETY: the caller holds a reference.
    unsafe { common::retain(queue, BATCH.any(queue)) }
}

/// Drops a reference. The last release passes the items that are left to the drop callback and
/// frees the queue. NULL and handles of other families are ignored.
///
/// Wait-free except for the last release. Any thread that holds a reference; it must not use the
/// queue afterwards, unless it holds another reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_release(queue: *mut queues_batch_t) {
    // SAFETY: the caller gives up its reference.
    unsafe { common::release(BATCH.any(queue)) }
}

/// Puts item, with weight 1, if there is room.
///
/// Lock-free. Any thread. On QUEUES_OK the queue owns item, otherwise the caller keeps it.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_batch_try_put(
    queue: *mut queues_batch_t,
    item: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { BATCH.pointers.on(queue, Role::PUT, |queue| queue.try_put(&item, 1)) })
}

/// Puts item, with weight 1; waits up to timeout_ns for room.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. On QUEUES_OK the queue owns item, otherwise
/// the caller keeps it.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_batch_put(
    queue: *mut queues_batch_t,
    item: *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        BATCH.pointers.on(queue, Role::PUT, |queue| queue.put(&item, 1, wait(timeout_ns)))
    })
}

/// Puts item with its weight; waits up to timeout_ns for room.
///
/// A weight of 0 is allowed. Weights count only in a queue with a batch_weight.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. On QUEUES_OK the queue owns item, otherwise
/// the caller keeps it.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_batch_put_weighted(
    queue: *mut queues_batch_t,
    item: *mut c_void,
    weight: u64,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        BATCH.pointers.on(queue, Role::PUT, |queue| queue.put(&item, weight, wait(timeout_ns)))
    })
}

/// Gets the next batch that is due; waits up to timeout_ns for one, then takes what is pending.
///
/// Writes at most max pointers to items, in the order in which they were put; n becomes their
/// number, at least 1 unless max is 0. max should be at least batch_size.
///
/// May sleep; a short lock if timeout_ns is 0. Any thread. On QUEUES_OK the caller owns the items.
/// @return QUEUES_OK, QUEUES_TIMEOUT (nothing was pending), QUEUES_EMPTY (the same, timeout_ns is
/// 0), QUEUES_CLOSED (and empty), QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_batch_get_batch(
    queue: *mut queues_batch_t,
    items: *mut *mut c_void,
    max: usize,
    n: *mut usize,
    timeout_ns: i64,
) -> queues_status_t {
    let wanted = Wanted::Within(wait(timeout_ns));
    // SAFETY: the header's contract.
    status_of(|| unsafe { get_batch(queue, items, max, n, wanted) })
}

/// Gets a batch if one is due, as queues_batch_get_batch() does. For an event loop, which must
/// neither wait nor take items that are not due.
///
/// A short lock. Any thread. On QUEUES_OK the caller owns the items.
/// @return QUEUES_OK, QUEUES_EMPTY (no batch is due), QUEUES_CLOSED (and empty), QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_batch_get_due(
    queue: *mut queues_batch_t,
    items: *mut *mut c_void,
    max: usize,
    n: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { get_batch(queue, items, max, n, Wanted::Due) })
}

/// Puts a copy of len bytes, with weight 1, if there is room. (NULL, 0) is an empty blob.
///
/// Lock-free. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID (also for len above item_size)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_batch_try_put_bytes(
    queue: *mut queues_batch_t,
    data: *const c_void,
    len: usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        BATCH.bytes.on(queue, Role::PUT, |queue| {
            queue.try_put(blob(data, len, queue.queue().payload().limit())?, 1)
        })
    })
}

/// Puts a copy of len bytes, with weight 1; waits up to timeout_ns for room. (NULL, 0) is an empty
/// blob.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
/// (also for len above item_size)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_batch_put_bytes(
    queue: *mut queues_batch_t,
    data: *const c_void,
    len: usize,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        BATCH.bytes.on(queue, Role::PUT, |queue| {
            queue.put(blob(data, len, queue.queue().payload().limit())?, 1, wait(timeout_ns))
        })
    })
}

/// Puts a copy of len bytes with its weight; waits up to timeout_ns for room. (NULL, 0) is an empty
/// blob.
///
/// A weight of 0 is allowed. Weights count only in a queue with a batch_weight.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
/// (also for len above item_size)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_batch_put_weighted_bytes(
    queue: *mut queues_batch_t,
    data: *const c_void,
    len: usize,
    weight: u64,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        BATCH.bytes.on(queue, Role::PUT, |queue| {
            queue.put(blob(data, len, queue.queue().payload().limit())?, weight, wait(timeout_ns))
        })
    })
}

/// Gets the next batch of blobs that is due; waits up to timeout_ns for one, then takes what is
/// pending.
///
/// Writes at most max blobs into buffer, one directly behind the other, in the order in which they
/// were put, and their places to blobs. n becomes their number, at least 1 unless max is 0; len
/// becomes the bytes of all of them. On QUEUES_TOO_SMALL len becomes the needed capacity, and the
/// batch stays in the queue; batch_size times item_size is always enough.
///
/// May sleep; a short lock if timeout_ns is 0. Any thread.
/// @return QUEUES_OK, QUEUES_TIMEOUT (nothing was pending), QUEUES_EMPTY (the same, timeout_ns is
/// 0), QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_batch_get_batch_bytes(
    queue: *mut queues_batch_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    blobs: *mut queues_batch_blob_t,
    max: usize,
    n: *mut usize,
    timeout_ns: i64,
) -> queues_status_t {
    let wanted = Wanted::Within(wait(timeout_ns));
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        get_batch_of_blobs(queue, (buffer, capacity, len), (blobs, max, n), wanted)
    })
}

/// Gets a batch of blobs if one is due, as queues_batch_get_batch_bytes() does.
///
/// A short lock. Any thread.
/// @return QUEUES_OK, QUEUES_EMPTY (no batch is due), QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL,
/// QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_batch_get_due_bytes(
    queue: *mut queues_batch_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    blobs: *mut queues_batch_blob_t,
    max: usize,
    n: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        get_batch_of_blobs(queue, (buffer, capacity, len), (blobs, max, n), Wanted::Due)
    })
}

/// Makes all pending items due, in batches of the usual size. Items that are put later are not.
///
/// A short lock. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_flush(queue: *mut queues_batch_t) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let pointers = BATCH.pointers.on(queue, Role::GET, |queue| {
            queue.flush();
            Ok(())
        });
        pointers.or_else(|_| {
            BATCH.bytes.on(queue, Role::GET, |queue| {
                queue.flush();
                Ok(())
            })
        })
    })
}

/// Removes the items that are pending when the call begins and passes each to the drop callback.
/// count becomes their number.
///
/// An item is out of the queue and its place is free before its callback runs.
///
/// A short lock for each item. Any thread.
/// @return QUEUES_OK, QUEUES_PANIC (count is not written), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_clear(
    queue: *mut queues_batch_t,
    count: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::clear(BATCH.any(queue), count) }
}

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while a
/// batch is due, by its size, weight, age or a flush, or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a get or get_due returns QUEUES_EMPTY. That
/// call makes the descriptor unreadable until a batch is due. If other calls take batches or clear
/// the queue meanwhile, the descriptor may become readable once without a batch. All calls return
/// the same descriptor. The queue owns it: do not read, write or close it; the last release closes
/// it.
///
/// From the first call on the library makes system calls in a call that returns QUEUES_EMPTY, in
/// the first put of a batch, in the call that makes a batch due and in a call that takes a batch
/// and leaves items. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID (also for
/// any queue on a system other than Linux)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_readable_fd(
    queue: *mut queues_batch_t,
    fd: *mut c_int,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::descriptor(BATCH.any(queue), fd, |queue| queue.readable_fd()) }
}

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be room for an item or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a call returns QUEUES_FULL. That call makes
/// the descriptor unreadable until there is room. The queue owns the descriptor. Otherwise as
/// queues_batch_readable_fd().
///
/// From the first call on the library makes system calls in a call that returns QUEUES_FULL and in
/// the call that ends that state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_writable_fd(
    queue: *mut queues_batch_t,
    fd: *mut c_int,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::descriptor(BATCH.any(queue), fd, |queue| queue.writable_fd()) }
}

/// Returns the time until a batch is due by its age, for the timeout of an event loop.
///
/// A put may make a batch due earlier, by its size or weight, and so may a flush.
///
/// A short lock. Any thread.
/// @return nanoseconds; 0 if a batch is due, the queue is closed or the handle is invalid; -1 if
/// nothing is pending or batches have no age
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_next_due_ns(queue: *const queues_batch_t) -> i64 {
    value_or(0, || {
        // SAFETY: the header's contract.
        let any = unsafe { BATCH.any(queue)? };
        let time = time_until_ready(any.queue().source(), READABLE);
        Ok(time.map_or(-1, |nanos| i64::try_from(nanos).unwrap_or(i64::MAX)))
    })
}

/// Closes the queue: later puts return QUEUES_CLOSED; gets drain what is left, then return it, too.
///
/// All pending items become due. Wakes all waiters. Closing again has no effect.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_close(queue: *mut queues_batch_t) -> queues_status_t {
    // SAFETY: the header's contract.
    common::close(unsafe { BATCH.any(queue) })
}

/// Returns whether the queue is closed. It may still have items.
///
/// Lock-free. Any thread.
/// @return whether it is closed; true if the handle is invalid, because nothing can be put there
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_is_closed(queue: *const queues_batch_t) -> bool {
    // SAFETY: the header's contract.
    common::is_closed(unsafe { BATCH.any(queue) })
}

/// Returns the number of pending items: a snapshot, never above max_pending.
///
/// Lock-free. Any thread.
/// @return the number of pending items; 0 if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_pending_count(queue: *const queues_batch_t) -> usize {
    // SAFETY: the header's contract.
    common::size(unsafe { BATCH.any(queue) })
}

/// Returns the largest number of items: max_pending.
///
/// Wait-free. Any thread.
/// @return the capacity; 0 if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_capacity(queue: *const queues_batch_t) -> usize {
    // SAFETY: the header's contract.
    common::capacity(unsafe { BATCH.any(queue) })
}

/// Returns the largest length of a blob in bytes, as in the options.
///
/// Wait-free. Any thread.
/// @return the item size; 0 if items are pointers or the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_item_size(queue: *const queues_batch_t) -> usize {
    // SAFETY: the header's contract.
    common::item_size(unsafe { BATCH.bytes.only(queue) }, |queue| queue.queue().payload().limit())
}

/// Returns the number of items that makes a batch due and the most items of a batch, as in the
/// options.
///
/// Wait-free. Any thread.
/// @return the batch size; 0 if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_batch_size(queue: *const queues_batch_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || unsafe {
        let pointers = BATCH.pointers.only(queue).map(|any| any.queue().queue().batch_size());
        pointers.or_else(|_| BATCH.bytes.only(queue).map(|any| any.queue().queue().batch_size()))
    })
}

/// Writes a snapshot of the statistics to stats, whose struct_size must be set.
///
/// They count items, not batches; failures count calls. A get_due that finds items of which none is
/// due is not a failure.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_stats(
    queue: *const queues_batch_t,
    stats: *mut queues_stats_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::stats(BATCH.any(queue), stats) }
}

/// # Safety
/// The contract of the callers.
unsafe fn get_batch(
    queue: *mut queues_batch_t,
    items: *mut *mut c_void,
    max: usize,
    n: *mut usize,
    wanted: Wanted,
) -> Result {
    let n = non_null(n)?;
    check_many(items, max)?;
    // SAFETY: the header's contract.
    unsafe {
        n.write(
            BATCH.pointers.on(queue, Role::GET, |queue| {
                queue.get_batch(ToPointers::new(items, max), wanted)
            })?,
        );
    }
    Ok(())
}

/// # Safety
/// The contract of the callers.
unsafe fn get_batch_of_blobs(
    queue: *mut queues_batch_t,
    (buffer, capacity, len): (*mut c_void, usize, *mut usize),
    (blobs, max, n): (*mut queues_batch_blob_t, usize, *mut usize),
    wanted: Wanted,
) -> Result {
    let (len, n) = (non_null(len)?, non_null(n)?);
    check_buffer(buffer, capacity)?;
    check_many(blobs, max)?;
    // SAFETY: the header's contract.
    unsafe {
        let taken = BATCH.bytes.on(queue, Role::GET, |queue| {
            queue.get_batch(ToBuffer::new(buffer.cast(), capacity, blobs.cast(), max), wanted)
        });
        match taken {
            Ok((count, bytes)) => {
                len.write(bytes);
                n.write(count);
            }
            Err(Error::TooSmall { needed }) => len.write(needed),
            Err(_) => {}
        }
        taken.map(drop)
    }
}
