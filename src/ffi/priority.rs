//! Bounded priority queue for any number of threads.

use super::arguments::{self, PayloadChoice, Sized_, blob, read_sized, receive};
use super::handle::{AnyHandle, HandleType, Role};
use super::stats::{queues_stats_t, write_stats};
use super::status::{Item, non_null, queues_status_t, status_of, value_or, write_out};
use super::{queues_drop_bytes_t, queues_drop_t};
use crate::error::Result;
use crate::payload::{Bytes, Pointer, Received};
use crate::queue::Peek;
use crate::queue::priority::Priority;
use crate::wait::{Blocking, Wait};
use core::ffi::c_void;

/// A bounded priority queue for any number of threads: the lowest priority first, first in first out
/// among equals; linearizable.
///
/// A priority is any double but NaN, infinities too; -0.0 equals 0.0.
///
/// | calls                                              | who may call at once | progress           |
/// |----------------------------------------------------|----------------------|--------------------|
/// | try_put, try_get, peek and their _bytes; clear     | any threads          | a short lock       |
/// | put, get and their _bytes                          | any threads          | may sleep; with timeout_ns 0 a short lock |
/// | close, is_closed, size, stats                      | any threads          | a short lock       |
/// | capacity, retain, release                          | any threads          | wait-free; the last release frees |
///
/// Not lock-free: a thread that is suspended while it holds the lock holds up the others. It is held
/// for O(log n) steps (`clear`: O(n log n)), and never across a callback, a wake or the copy of a blob
/// of more than 64 bytes. QUEUES_FULL and QUEUES_EMPTY are true at some moment of the call; FULL is exact until 64
/// calls with such blobs are suspended at once.
/// Each call is O(log n) but for `clear` (O(n log n)).
///
/// A heap with four children a node: Johnson 1975, Wegener 1993.
pub struct queues_priority_t {
    _opaque: [u8; 0],
}

/// Options of queues_priority_create. Set struct_size to the size of this structure, and to 0 or NULL what
/// is not needed: that is the default.
/// A struct_size from the size that the library knows up to 4096 is accepted, if all bytes beyond those
/// that it knows are 0: so a program may be built with a newer header than the library. Any other is
/// QUEUES_INVALID.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_priority_options_t {
    /// sizeof(queues_priority_options_t).
    pub struct_size: usize,
    /// The most items that fit, exactly; 0: 10000.
    pub capacity: usize,
    /// 0: items are void pointers; else the most bytes of a blob.
    pub item_size: usize,
    /// 0; no flags are known.
    pub flags: u64,
    /// Called for each item that nobody gets, see queues_drop_t; may be NULL.
    pub drop: queues_drop_t,
    /// The first argument of drop or drop_bytes.
    pub drop_ctx: *mut c_void,
    /// As drop, and is passed the length of the blob; may be NULL. Setting both is QUEUES_INVALID,
    /// because each item ends in one callback; so is setting this without an item_size.
    pub drop_bytes: queues_drop_bytes_t,
}

// SAFETY: repr(C), size first; a null callback is None.
unsafe impl Sized_ for queues_priority_options_t {}

const DEFAULT_CAPACITY: usize = 10000;
const KNOWN_FLAGS: u64 = 0;
const FAMILY: u8 = 3;
type Pointers = Blocking<Priority<Pointer>>;
type Blobs = Blocking<Priority<Bytes>>;
const POINTERS: HandleType<Pointers> = HandleType::new(FAMILY, 0);
const BYTES: HandleType<Blobs> = HandleType::new(FAMILY, 1);

/// # Safety
/// `queue` is null or a live handle of the library.
unsafe fn any(queue: *const queues_priority_t) -> Result<AnyHandle> {
    // SAFETY: by contract.
    unsafe { AnyHandle::of(POINTERS.any(queue).or_else(|| BYTES.any(queue))) }
}

/// Creates a queue with one reference, which the caller owns.
/// Takes all the memory that the queue will ever use. Does not wait. Any thread.
/// Returns OK, INVALID (options or queue NULL, wrong struct_size, unknown flags, options that exclude
/// each other, sizes whose product overflows), NOMEM. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_create(
    options: *const queues_priority_options_t,
    queue: *mut *mut queues_priority_t,
) -> queues_status_t {
    status_of(|| {
        let place = non_null(queue)?;
        // SAFETY: the caller's structure, with its size.
        let options = unsafe { read_sized(options)? };
        let common = arguments::CommonOptions {
            capacity: options.capacity,
            default_capacity: DEFAULT_CAPACITY,
            item_size: options.item_size,
            flags: options.flags,
            known_flags: KNOWN_FLAGS,
            drop: options.drop,
            drop_bytes: options.drop_bytes,
            drop_ctx: options.drop_ctx,
        };
        // SAFETY: the caller's callback, made to be called.
        let handle = match unsafe { common.check()? } {
            (capacity, PayloadChoice::Pointer(pointer)) => {
                let queue = Priority::try_new(capacity, pointer)?;
                POINTERS.create(Blocking::new(queue), false)?
            }
            (capacity, PayloadChoice::Bytes(bytes)) => {
                let queue = Priority::try_new(capacity, bytes)?;
                BYTES.create(Blocking::new(queue), false)?
            }
        };
        // SAFETY: checked above.
        unsafe { write_out(place, handle.cast()) };
        Ok(())
    })
}

/// Adds a reference, for another owner of the queue.
/// Does not wait. Any thread that holds a reference.
/// Returns queue; NULL if it is no such queue.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_retain(
    queue: *mut queues_priority_t,
) -> *mut queues_priority_t {
    value_or(core::ptr::null_mut(), || {
        // SAFETY: the caller holds a reference.
        unsafe { any(queue)? }.retain();
        Ok(queue)
    })
}

/// Gives a reference up. The last one frees the queue, after handing what is left in it to the drop
/// callback. NULL and foreign handles are ignored. Does not wait. Any thread that holds a
/// reference, which must not use the queue afterwards unless it holds another.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_release(queue: *mut queues_priority_t) {
    value_or((), || {
        // SAFETY: the caller gives its reference up.
        unsafe { any(queue)?.release() };
        Ok(())
    })
}

/// Puts a pointer with its priority, if there is room.
/// Does not wait; a short lock. Any thread. On OK the item is the queue's, else it stays the
/// caller's. Returns OK, FULL, CLOSED, INVALID (also priority NaN).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_try_put(
    queue: *mut queues_priority_t,
    item: *mut c_void,
    priority: f64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { put(queue, item, priority, Wait::No) })
}

/// Puts a pointer with its priority, waiting up to timeout_ns for room.
/// May wait. Any thread. On OK the item is the queue's, else it stays the caller's.
/// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID (also priority NaN).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_put(
    queue: *mut queues_priority_t,
    item: *mut c_void,
    priority: f64,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { put(queue, item, priority, Wait::from_nanos(timeout_ns)) })
}

/// Gets the pointer in front and its priority, if there is one.
/// Does not wait; a short lock. Any thread. On OK the item is the caller's.
/// Returns OK, EMPTY, CLOSED (and drained), INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_try_get(
    queue: *mut queues_priority_t,
    item: *mut *mut c_void,
    priority: *mut f64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { take(queue, item, priority, |queue, item| queue.try_get(item)) })
}

/// Gets the pointer in front and its priority, waiting up to timeout_ns for one.
/// May wait. Any thread. On OK the item is the caller's.
/// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_get(
    queue: *mut queues_priority_t,
    item: *mut *mut c_void,
    priority: *mut f64,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        take(queue, item, priority, |queue, item| queue.get(item, Wait::from_nanos(timeout_ns)))
    })
}

/// Tells which pointer is in front and its priority, and leaves it there.
/// Another consumer may take the item at once, and free what it points to: follow the pointer only
/// if you know better. Does not wait; a short lock. Any thread. The item stays the queue's.
/// Returns OK, EMPTY, CLOSED (and drained), INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_peek(
    queue: *mut queues_priority_t,
    item: *mut *mut c_void,
    priority: *mut f64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { take(queue, item, priority, |queue, item| queue.queue().peek(item)) })
}

/// Puts a copy of len bytes with a priority, if there is room; (NULL, 0) is an empty blob.
/// Does not wait; a short lock. Any thread. The bytes stay the caller's.
/// Returns OK, FULL, CLOSED, INVALID (also len above item_size, priority NaN).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_try_put_bytes(
    queue: *mut queues_priority_t,
    data: *const c_void,
    len: usize,
    priority: f64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { put_bytes(queue, data, len, priority, Wait::No) })
}

/// Puts a copy of len bytes with a priority, waiting up to timeout_ns for room; (NULL, 0) is an
/// empty blob. May wait. Any thread. The bytes stay the caller's.
/// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID (also len above item_size, priority
/// NaN). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_put_bytes(
    queue: *mut queues_priority_t,
    data: *const c_void,
    len: usize,
    priority: f64,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { put_bytes(queue, data, len, priority, Wait::from_nanos(timeout_ns)) })
}

/// Gets the blob in front into a buffer, and its priority, if there is one.
/// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
/// Does not wait; a short lock. Any thread.
/// Returns OK, EMPTY, CLOSED (and drained), TOO_SMALL, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_try_get_bytes(
    queue: *mut queues_priority_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    priority: *mut f64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        take_bytes(queue, buffer, capacity, len, priority, |queue, out| queue.try_get(out))
    })
}

/// Gets the blob in front into a buffer, and its priority, waiting up to timeout_ns for one.
/// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
/// May wait. Any thread.
/// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), TOO_SMALL, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
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
        take_bytes(queue, buffer, capacity, len, priority, |queue, out| {
            queue.get(out, Wait::from_nanos(timeout_ns))
        })
    })
}

/// Copies the blob in front into a buffer, and its priority, and leaves it there.
/// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
/// Whatever is returned, the buffer may hold parts of blobs that others took meanwhile.
/// Does not wait; a short lock. Any thread.
/// Returns OK, EMPTY, CLOSED (and drained), TOO_SMALL, INVALID.
/// Since 0.1.
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
        take_bytes(queue, buffer, capacity, len, priority, |queue, out| queue.queue().peek(out))
    })
}

/// # Safety
/// The contract of the callers.
unsafe fn put(
    queue: *mut queues_priority_t,
    item: *mut c_void,
    priority: f64,
    wait: Wait,
) -> Result {
    // SAFETY: the header's contract.
    unsafe { POINTERS.on(queue, Role::PUT, |queue| queue.put(&item, priority, wait)) }
}

/// # Safety
/// The contract of the callers.
unsafe fn put_bytes(
    queue: *mut queues_priority_t,
    data: *const c_void,
    len: usize,
    priority: f64,
    wait: Wait,
) -> Result {
    // SAFETY: the header's contract.
    unsafe {
        BYTES.on(queue, Role::PUT, |queue| {
            let blob = blob(data, len, queue.queue().payload().limit())?;
            queue.put(blob, priority, wait)
        })
    }
}

/// # Safety
/// The contract of the callers.
unsafe fn take(
    queue: *mut queues_priority_t,
    item: *mut *mut c_void,
    priority: *mut f64,
    take: impl FnOnce(&Pointers, &mut Item) -> Result<f64>,
) -> Result {
    let (place, rank) = (non_null(item)?, non_null(priority)?);
    let mut item: Item = core::ptr::null_mut();
    // SAFETY: the header's contract; the outputs were checked.
    unsafe {
        let priority = POINTERS.on(queue, Role::GET, |queue| take(queue, &mut item))?;
        write_out(place, item);
        write_out(rank, priority);
    }
    Ok(())
}

/// # Safety
/// The contract of the callers.
unsafe fn take_bytes(
    queue: *mut queues_priority_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    priority: *mut f64,
    take: impl FnOnce(&Blobs, &mut Received) -> Result<f64>,
) -> Result {
    let place = non_null(priority)?;
    // SAFETY: the header's contract; the outputs are checked.
    unsafe {
        let priority = receive(buffer, capacity, len, |out| {
            BYTES.on(queue, Role::GET, |queue| take(queue, out))
        })?;
        write_out(place, priority);
    }
    Ok(())
}

/// Takes everything that was there when the call began and hands it to the drop callback.
/// *count becomes how many items that were. The place of an item is free when its callback returns;
/// until then it counts in size and the statistics, but cannot be got.
/// Does not wait; a short lock for each item. Any thread.
/// Returns OK, INVALID, PANIC (a callback panicked; *count is not written).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_clear(
    queue: *mut queues_priority_t,
    count: *mut usize,
) -> queues_status_t {
    status_of(|| {
        let place = non_null(count)?;
        // SAFETY: the header's contract; the output was checked.
        unsafe { write_out(place, any(queue)?.clear()?) };
        Ok(())
    })
}

/// Closes the queue: later puts return CLOSED, gets drain it and then return CLOSED. Wakes all
/// waiters. Closing again does nothing. Does not wait; a short lock. Any thread.
/// Returns OK, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_close(queue: *mut queues_priority_t) -> queues_status_t {
    status_of(|| {
        // SAFETY: the header's contract.
        unsafe { any(queue)? }.close();
        Ok(())
    })
}

/// Whether the queue was closed; true if it is no such queue, since nothing can be put there.
/// Does not wait; a short lock. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_is_closed(queue: *const queues_priority_t) -> bool {
    // SAFETY: the header's contract.
    value_or(true, || Ok(unsafe { any(queue)? }.is_closed()))
}

/// How many items are in the queue: a snapshot, never above the capacity; 0 if it is no such queue.
/// Does not wait; a short lock. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_size(queue: *const queues_priority_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || Ok(unsafe { any(queue)? }.queue().len()))
}

/// The most items that fit; 0 if it is no such queue.
/// Does not wait; wait-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_capacity(queue: *const queues_priority_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || Ok(unsafe { any(queue)? }.queue().capacity()))
}

/// Writes a snapshot of the statistics; stats->struct_size must be set. Fields that this library
/// does not know become 0.
/// Does not wait; a short lock. Any thread.
/// Returns OK, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_priority_stats(
    queue: *const queues_priority_t,
    stats: *mut queues_stats_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { write_stats(stats, any(queue)?.queue().stats()) })
}
