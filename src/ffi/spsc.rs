//! Bounded queue from one producer thread to one consumer thread.

use super::arguments::{self, PayloadChoice, Sized_, blob, check_many, place, read_sized, receive};
use super::handle::{AnyHandle, HandleType, Role};
use super::race_detector::InPlace;
use super::stats::{queues_stats_t, write_stats};
use super::status::{
    Item, non_null, queues_status_t, status_of, value_or, write_out, write_progress,
};
use super::{queues_drop_bytes_t, queues_drop_t};
use crate::error::Result;
use crate::payload::{Bytes, Pointer};
use crate::queue::{Peek, spsc};
use crate::wait::{Blocking, Wait};
use core::ffi::c_void;

/// Flag of queues_spsc_options_t: a put that overlaps another put, or a get another get, returns
/// QUEUES_MISUSE and does nothing. A callback of clear is within a get: it may put, but what it gets
/// overlaps. Costs an atomic swap on every call.
pub const QUEUES_SPSC_CHECKED: u64 = 1;

/// A bounded queue from one thread to another: first in, first out, linearizable.
///
/// At every moment at most one thread is the producer and at most one the consumer (they may
/// change, if one hands over to the next in an orderly way, as by a mutex or a join).
///
/// | calls                                                        | who may call at once | progress  |
/// |--------------------------------------------------------------|----------------------|-----------|
/// | try_put, try_put_bytes, commit                               | the producer         | wait-free |
/// | put, put_bytes, put_many, reserve                            | the producer         | may sleep; with timeout_ns 0 wait-free |
/// | try_get, try_get_bytes, peek, peek_bytes, consume, clear     | the consumer         | wait-free |
/// | get, get_bytes, get_many, front                              | the consumer         | may sleep; with timeout_ns 0 wait-free |
/// | close, is_closed, size, is_empty, is_full, capacity, stats   | any threads          | wait-free |
/// | retain, release                                              | any threads          | wait-free; the last release frees |
///
/// QUEUES_FULL and QUEUES_EMPTY are reported only when true at some moment of the call.
/// Each call is O(1) but for `many` (O(n)) and `clear`.
///
/// A ring with a position for each side (Lamport 1983), each side keeping what it last saw of the
/// other's (MCRingBuffer: Lee, Bu and Chandranmenon, IPDPS 2010).
pub struct queues_spsc_t {
    _opaque: [u8; 0],
}

/// Options of queues_spsc_create. Set struct_size to the size of this structure, and to 0 or NULL what
/// is not needed: that is the default.
/// A struct_size from the size that the library knows up to 4096 is accepted, if all bytes beyond those
/// that it knows are 0: so a program may be built with a newer header than the library. Any other is
/// QUEUES_INVALID.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_spsc_options_t {
    /// sizeof(queues_spsc_options_t).
    pub struct_size: usize,
    /// The most items that fit, exactly; 0: 1024.
    pub capacity: usize,
    /// 0: items are void pointers; else the most bytes of a blob.
    pub item_size: usize,
    /// QUEUES_SPSC_CHECKED or 0.
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
unsafe impl Sized_ for queues_spsc_options_t {}

const DEFAULT_CAPACITY: usize = 1024;
const KNOWN_FLAGS: u64 = QUEUES_SPSC_CHECKED;
const FAMILY: u8 = 2;
const POINTERS: HandleType<Blocking<spsc::Spsc<Pointer>>> = HandleType::new(FAMILY, 0);
const BYTES: HandleType<Blocking<spsc::Spsc<Bytes>>> = HandleType::new(FAMILY, 1);

/// # Safety
/// `queue` is null or a live handle of the library.
unsafe fn any(queue: *const queues_spsc_t) -> Result<AnyHandle> {
    // SAFETY: by contract.
    unsafe { AnyHandle::of(POINTERS.any(queue).or_else(|| BYTES.any(queue))) }
}

/// Creates a queue with one reference, which the caller owns.
/// Takes all the memory that the queue will ever use. Does not wait. Any thread.
/// Returns OK, INVALID (options or queue NULL, wrong struct_size, unknown flags, options that exclude
/// each other, sizes whose product overflows), NOMEM. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_create(
    options: *const queues_spsc_options_t,
    queue: *mut *mut queues_spsc_t,
) -> queues_status_t {
    status_of(|| {
        let place = non_null(queue)?;
        // SAFETY: the caller's structure, with its size.
        let options = unsafe { read_sized(options)? };
        let checked = options.flags & QUEUES_SPSC_CHECKED != 0;
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
                let queue = spsc::Spsc::try_new(capacity, pointer)?;
                POINTERS.create(Blocking::new(queue), checked)?
            }
            (capacity, PayloadChoice::Bytes(bytes)) => {
                let queue = spsc::Spsc::try_new(capacity, bytes)?;
                BYTES.create(Blocking::new(queue), checked)?
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
pub unsafe extern "C" fn queues_spsc_retain(queue: *mut queues_spsc_t) -> *mut queues_spsc_t {
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
pub unsafe extern "C" fn queues_spsc_release(queue: *mut queues_spsc_t) {
    value_or((), || {
        // SAFETY: the caller gives its reference up.
        unsafe { any(queue)?.release() };
        Ok(())
    })
}

/// Puts a pointer, if there is room.
/// Does not wait; wait-free. The producer thread. On OK the item is the queue's, else it stays the
/// caller's. Returns OK, FULL, CLOSED, INVALID, MISUSE (checked queues).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_try_put(
    queue: *mut queues_spsc_t,
    item: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { POINTERS.on(queue, Role::PUT, |queue| queue.try_put(&item, ())) })
}

/// Puts a pointer, waiting up to timeout_ns for room.
/// May wait. The producer thread. On OK the item is the queue's, else it stays the caller's.
/// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID, MISUSE (checked queues).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_put(
    queue: *mut queues_spsc_t,
    item: *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        POINTERS.on(queue, Role::PUT, |queue| queue.put(&item, (), Wait::from_nanos(timeout_ns)))
    })
}

/// Gets the pointer in front, if there is one.
/// Does not wait; wait-free. The consumer thread. On OK the item is the caller's.
/// Returns OK, EMPTY, CLOSED (and drained), INVALID, MISUSE (checked queues).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_try_get(
    queue: *mut queues_spsc_t,
    item: *mut *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let item = place(item)?;
        POINTERS.on(queue, Role::GET, |queue| queue.try_get(item))
    })
}

/// Gets the pointer in front, waiting up to timeout_ns for one.
/// May wait. The consumer thread. On OK the item is the caller's.
/// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), INVALID, MISUSE (checked
/// queues). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_get(
    queue: *mut queues_spsc_t,
    item: *mut *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let item = place(item)?;
        POINTERS.on(queue, Role::GET, |queue| queue.get(item, Wait::from_nanos(timeout_ns)))
    })
}

/// Tells which pointer is in front, and leaves it there.
/// The item stays until this thread gets it, so it may be followed.
/// Does not wait; wait-free. The consumer thread. The item stays the queue's.
/// Returns OK, EMPTY, CLOSED (and drained), INVALID, MISUSE (checked queues).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_peek(
    queue: *mut queues_spsc_t,
    item: *mut *mut c_void,
) -> queues_status_t {
    status_of(|| {
        let place = non_null(item)?;
        let mut item: Item = core::ptr::null_mut();
        // SAFETY: the header's contract; the output was checked.
        unsafe {
            POINTERS.on(queue, Role::GET, |queue| queue.queue().peek(&mut item))?;
            write_out(place, item);
        }
        Ok(())
    })
}

/// Puts a copy of len bytes, if there is room; (NULL, 0) is an empty blob.
/// Does not wait; wait-free. The producer thread. The bytes stay the caller's.
/// Returns OK, FULL, CLOSED, INVALID (also len above item_size), MISUSE (checked queues).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_try_put_bytes(
    queue: *mut queues_spsc_t,
    data: *const c_void,
    len: usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        BYTES.on(queue, Role::PUT, |queue| {
            let blob = blob(data, len, queue.queue().payload().limit())?;
            queue.try_put(blob, ())
        })
    })
}

/// Puts a copy of len bytes, waiting up to timeout_ns for room; (NULL, 0) is an empty blob.
/// May wait. The producer thread. The bytes stay the caller's.
/// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID (also len above item_size), MISUSE
/// (checked queues). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_put_bytes(
    queue: *mut queues_spsc_t,
    data: *const c_void,
    len: usize,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        BYTES.on(queue, Role::PUT, |queue| {
            let blob = blob(data, len, queue.queue().payload().limit())?;
            queue.put(blob, (), Wait::from_nanos(timeout_ns))
        })
    })
}

/// Gets the blob in front into a buffer, if there is one.
/// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
/// Does not wait; wait-free. The consumer thread.
/// Returns OK, EMPTY, CLOSED (and drained), TOO_SMALL, INVALID, MISUSE (checked queues).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_try_get_bytes(
    queue: *mut queues_spsc_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive(buffer, capacity, len, |out| BYTES.on(queue, Role::GET, |queue| queue.try_get(out)))
    })
}

/// Gets the blob in front into a buffer, waiting up to timeout_ns for one.
/// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
/// May wait. The consumer thread.
/// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), TOO_SMALL, INVALID, MISUSE
/// (checked queues). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_get_bytes(
    queue: *mut queues_spsc_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive(buffer, capacity, len, |out| {
            BYTES.on(queue, Role::GET, |queue| queue.get(out, Wait::from_nanos(timeout_ns)))
        })
    })
}

/// Copies the blob in front into a buffer, and leaves it there.
/// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays in front.
/// Does not wait; wait-free. The consumer thread.
/// Returns OK, EMPTY, CLOSED (and drained), TOO_SMALL, INVALID, MISUSE (checked queues).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_peek_bytes(
    queue: *mut queues_spsc_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive(buffer, capacity, len, |out| {
            BYTES.on(queue, Role::GET, |queue| queue.queue().peek(out))
        })
    })
}

/// Puts n pointers in order, waiting up to timeout_ns for room for all of them.
/// *done becomes how many were put, whatever is returned but INVALID and MISUSE: items[0] to
/// items[*done - 1] are the queue's, the others stay the caller's.
/// May wait. The producer thread.
/// Returns OK (all of them), TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID, MISUSE (checked
/// queues). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_put_many(
    queue: *mut queues_spsc_t,
    items: *const *mut c_void,
    n: usize,
    timeout_ns: i64,
    done: *mut usize,
) -> queues_status_t {
    status_of(|| {
        check_many(items, n, done)?;
        // SAFETY: the header's contract; the output was checked.
        unsafe {
            POINTERS.on(queue, Role::PUT, |queue| {
                let wait = Wait::from_nanos(timeout_ns);
                write_progress(done, queue.put_many(items, n, wait))
            })
        }
    })
}

/// Gets up to n pointers in order: waits up to timeout_ns for the first, then takes what is there.
/// *done becomes how many were got, whatever is returned but INVALID and MISUSE; they are the
/// caller's. May wait. The consumer thread.
/// Returns OK (at least one, or n is 0), TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained),
/// INVALID, MISUSE (checked queues). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_get_many(
    queue: *mut queues_spsc_t,
    items: *mut *mut c_void,
    n: usize,
    timeout_ns: i64,
    done: *mut usize,
) -> queues_status_t {
    status_of(|| {
        check_many(items, n, done)?;
        // SAFETY: the header's contract; the output was checked.
        unsafe {
            POINTERS.on(queue, Role::GET, |queue| {
                let wait = Wait::from_nanos(timeout_ns);
                write_progress(done, queue.get_many(items, n, wait))
            })
        }
    })
}

/// Gives room for a blob of item_size bytes in the queue itself, waiting up to timeout_ns for it.
/// *data (aligned to 8) may be written until commit, or until the producer's next put or reserve,
/// which forgets the reservation. May wait. The producer thread. Queues of bytes only.
/// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID, MISUSE (checked queues).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_reserve(
    queue: *mut queues_spsc_t,
    data: *mut *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    status_of(|| {
        let place = non_null(data)?;
        // SAFETY: the header's contract; the output was checked.
        unsafe {
            let room = BYTES.on(queue, Role::PUT, |queue| {
                let room = queue.reserve(Wait::from_nanos(timeout_ns))?;
                Ok(InPlace { data: room.cast(), len: queue.queue().payload().limit() })
            })?;
            write_out(place, room.data);
        }
        Ok(())
    })
}

/// Puts the first len bytes of what was reserved.
/// Does not wait; wait-free. The producer thread. On CLOSED the reservation is gone.
/// Returns OK, CLOSED, INVALID (also len above item_size), MISUSE (nothing is reserved).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_commit(
    queue: *mut queues_spsc_t,
    len: usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { BYTES.on(queue, Role::COMMIT, |queue| queue.commit(len)) })
}

/// Gives the blob in front where it lies in the queue, waiting up to timeout_ns for one.
/// *data (aligned to 8) may be read until consume, or until the consumer's next get or clear.
/// May wait. The consumer thread. Queues of bytes only. The blob stays the queue's.
/// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), INVALID, MISUSE (checked
/// queues). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_front(
    queue: *mut queues_spsc_t,
    data: *mut *const c_void,
    len: *mut usize,
    timeout_ns: i64,
) -> queues_status_t {
    status_of(|| {
        let (place, len) = (non_null(data)?, non_null(len)?);
        // SAFETY: the header's contract; the outputs were checked.
        unsafe {
            let blob = BYTES.on(queue, Role::GET, |queue| {
                let (at, len) = queue.front(Wait::from_nanos(timeout_ns))?;
                Ok(InPlace { data: at.cast_mut().cast(), len })
            })?;
            write_out(place, blob.data.cast_const());
            write_out(len, blob.len);
        }
        Ok(())
    })
}

/// Takes the blob in front without copying it; its bytes must not be used any more.
/// The drop callback is not called for it.
/// Does not wait; wait-free. The consumer thread. Queues of bytes only.
/// Returns OK, EMPTY, CLOSED (and drained), INVALID, MISUSE (checked queues).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_consume(queue: *mut queues_spsc_t) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { BYTES.on(queue, Role::CONSUME, |queue| queue.consume()) })
}

/// Takes everything that was there when the call began and hands it to the drop callback.
/// *count becomes how many items that were. The place of an item is free when its callback returns;
/// until then it counts in size, is_full and the statistics, but cannot be got.
/// Does not wait; wait-free but for the callback. The consumer thread.
/// Returns OK, INVALID, PANIC (a callback panicked; *count is not written), MISUSE (checked
/// queues). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_clear(
    queue: *mut queues_spsc_t,
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
/// waiters. Closing again does nothing. Does not wait; wait-free. Any thread.
/// Returns OK, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_close(queue: *mut queues_spsc_t) -> queues_status_t {
    status_of(|| {
        // SAFETY: the header's contract.
        unsafe { any(queue)? }.close();
        Ok(())
    })
}

/// Whether the queue was closed; true if it is no such queue, since nothing can be put there.
/// It may not be drained, and a put under way may still arrive: only CLOSED from a get says that
/// nothing more comes.
/// Does not wait; wait-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_is_closed(queue: *const queues_spsc_t) -> bool {
    // SAFETY: the header's contract.
    value_or(true, || Ok(unsafe { any(queue)? }.is_closed()))
}

/// How many items are in the queue: a snapshot, never above the capacity; 0 if it is no such queue.
/// Does not wait; wait-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_size(queue: *const queues_spsc_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || Ok(unsafe { any(queue)? }.queue().len()))
}

/// Whether there is nothing to get: a snapshot; true if it is no such queue.
/// The consumer may rely on false. Does not wait; wait-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_is_empty(queue: *const queues_spsc_t) -> bool {
    // SAFETY: the header's contract.
    value_or(true, || Ok(unsafe { any(queue)? }.queue().is_empty()))
}

/// Whether there is no room: a snapshot; false if it is no such queue.
/// The producer may rely on false. Does not wait; wait-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_is_full(queue: *const queues_spsc_t) -> bool {
    // SAFETY: the header's contract.
    value_or(false, || Ok(unsafe { any(queue)? }.queue().is_full()))
}

/// The most items that fit; 0 if it is no such queue.
/// Does not wait; wait-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_capacity(queue: *const queues_spsc_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || Ok(unsafe { any(queue)? }.queue().capacity()))
}

/// Writes a snapshot of the statistics; stats->struct_size must be set. Fields that this library
/// does not know become 0.
/// Does not wait; wait-free. Any thread.
/// Returns OK, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_stats(
    queue: *const queues_spsc_t,
    stats: *mut queues_stats_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { write_stats(stats, any(queue)?.queue().stats()) })
}
