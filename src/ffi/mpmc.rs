//! Bounded queue for any number of threads at both ends.

use super::arguments::{self, PayloadChoice, Sized_, blob, check_many, place, read_sized, receive};
use super::handle::{AnyHandle, HandleType, Role};
use super::race_detector::InPlace;
use super::stats::{queues_stats_t, write_stats};
use super::status::{
    Item, non_null, queues_status_t, status_of, value_or, write_out, write_progress,
};
use super::{queues_drop_bytes_t, queues_drop_t};
use crate::error::{Error, Result};
use crate::payload::Bytes;
use crate::queue::{Peek, mpmc};
use crate::wait::{Blocking, Wait};
use core::ffi::c_void;

/// A bounded queue for any number of producers and consumers: first in, first out, linearizable.
///
/// | calls                                              | who may call at once | progress           |
/// |----------------------------------------------------|----------------------|--------------------|
/// | try_put, try_get, peek and their _bytes; clear     | any threads          | lock-free          |
/// | put, get and their _bytes; put_many, get_many      | any threads          | may sleep; with timeout_ns 0 lock-free |
/// | reserve, lease                                     | any threads          | may sleep; with timeout_ns 0 lock-free |
/// | commit, cancel, settle, return                     | any threads          | lock-free          |
/// | close, is_closed, size, stats                      | any threads          | lock-free          |
/// | capacity, retain, release                          | any threads          | wait-free; the last release frees |
///
/// QUEUES_FULL and QUEUES_EMPTY are reported only when true at some moment of the call. A queue of blobs
/// has capacity + spare cells, and FULL is exact in it while at most spare cells are held by
/// reservations, leases and calls that are suspended inside, together; beyond that FULL may also mean
/// that no cell is free. An empty queue can have capacity + spare cells reserved.
/// Each call is O(1) but for `many` (O(n)) and `clear`.
///
/// Blobs can be written and read in place: reserve, write, commit; lease, read, settle (or return). The
/// four calls that end this take the address that reserve or lease gave. Any other address, such as one
/// that was committed, cancelled, settled or returned, one within a blob or one of another queue, is
/// QUEUES_MISUSE and changes nothing; an address that was given out anew since is the new holder's.
/// Of several such calls with one address at once one does its work, and the others return MISUSE.
/// Addresses are valid while the caller holds a reference to the queue. The last release forgets
/// reservations, hands blobs that are leased to the drop callback, and frees all cells.
///
/// The ring is our own; its ancestors are Shann, Huang and Chen 2000 (as corrected by Colvin and
/// Groves 2005) and Tsigas and Zhang 2001.
pub struct queues_mpmc_t {
    _opaque: [u8; 0],
}

/// Options of queues_mpmc_create. Set struct_size to the size of this structure, and to 0 or NULL what
/// is not needed: that is the default.
/// A struct_size from the size that the library knows up to 4096 is accepted, if all bytes beyond those
/// that it knows are 0: so a program may be built with a newer header than the library. Any other is
/// QUEUES_INVALID.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_mpmc_options_t {
    /// sizeof(queues_mpmc_options_t).
    pub struct_size: usize,
    /// The most items that fit, exactly; 0: 1000.
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
    /// Cells for blobs beyond the capacity, each of item_size bytes, for reservations, leases and calls
    /// that are suspended; 0: 64. Setting it without an item_size is QUEUES_INVALID.
    pub spare: usize,
}

// SAFETY: repr(C), size first; a null callback is None.
unsafe impl Sized_ for queues_mpmc_options_t {}

const DEFAULT_CAPACITY: usize = 1000;
const KNOWN_FLAGS: u64 = 0;
const FAMILY: u8 = 1;
const POINTERS: HandleType<Blocking<mpmc::Pointers>> = HandleType::new(FAMILY, 0);
const BYTES: HandleType<Blocking<mpmc::Indirect<Bytes>>> = HandleType::new(FAMILY, 1);

/// # Safety
/// `queue` is null or a live handle of the library.
unsafe fn any(queue: *const queues_mpmc_t) -> Result<AnyHandle> {
    // SAFETY: by contract.
    unsafe { AnyHandle::of(POINTERS.any(queue).or_else(|| BYTES.any(queue))) }
}

/// Creates a queue with one reference, which the caller owns.
/// Takes all the memory that the queue will ever use. Does not wait. Any thread.
/// Returns OK, INVALID (options or queue NULL, wrong struct_size, unknown flags, options that exclude
/// each other, sizes whose product overflows), NOMEM. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_create(
    options: *const queues_mpmc_options_t,
    queue: *mut *mut queues_mpmc_t,
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
            (_, PayloadChoice::Pointer(_)) if options.spare != 0 => return Err(Error::Invalid),
            (capacity, PayloadChoice::Pointer(pointer)) => {
                let queue = mpmc::Pointers::try_new(capacity, pointer)?;
                POINTERS.create(Blocking::new(queue), false)?
            }
            (capacity, PayloadChoice::Bytes(bytes)) => {
                let spare = if options.spare == 0 { mpmc::SPARE } else { options.spare };
                let queue = mpmc::Indirect::with_spare(capacity, spare, bytes)?;
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
pub unsafe extern "C" fn queues_mpmc_retain(queue: *mut queues_mpmc_t) -> *mut queues_mpmc_t {
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
pub unsafe extern "C" fn queues_mpmc_release(queue: *mut queues_mpmc_t) {
    value_or((), || {
        // SAFETY: the caller gives its reference up.
        unsafe { any(queue)?.release() };
        Ok(())
    })
}

/// Puts a pointer, if there is room.
/// Does not wait; lock-free. Any thread. On OK the item is the queue's, else it stays the caller's.
/// Returns OK, FULL, CLOSED, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_try_put(
    queue: *mut queues_mpmc_t,
    item: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { POINTERS.on(queue, Role::PUT, |queue| queue.try_put(&item, ())) })
}

/// Puts a pointer, waiting up to timeout_ns for room.
/// May wait. Any thread. On OK the item is the queue's, else it stays the caller's.
/// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_put(
    queue: *mut queues_mpmc_t,
    item: *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        POINTERS.on(queue, Role::PUT, |queue| queue.put(&item, (), Wait::from_nanos(timeout_ns)))
    })
}

/// Gets the pointer in front, if there is one.
/// Does not wait; lock-free. Any thread. On OK the item is the caller's.
/// Returns OK, EMPTY, CLOSED (and drained), INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_try_get(
    queue: *mut queues_mpmc_t,
    item: *mut *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let item = place(item)?;
        POINTERS.on(queue, Role::GET, |queue| queue.try_get(item))
    })
}

/// Gets the pointer in front, waiting up to timeout_ns for one.
/// May wait. Any thread. On OK the item is the caller's.
/// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_get(
    queue: *mut queues_mpmc_t,
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
/// Another consumer may take the item at once, and free what it points to: follow the pointer only
/// if you know better. Does not wait; lock-free. Any thread. The item stays the queue's.
/// Returns OK, EMPTY, CLOSED (and drained), INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_peek(
    queue: *mut queues_mpmc_t,
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
/// Does not wait; lock-free. Any thread. The bytes stay the caller's.
/// Returns OK, FULL, CLOSED, INVALID (also len above item_size).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_try_put_bytes(
    queue: *mut queues_mpmc_t,
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
/// May wait. Any thread. The bytes stay the caller's.
/// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID (also len above item_size).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_put_bytes(
    queue: *mut queues_mpmc_t,
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
/// Does not wait; lock-free. Any thread.
/// Returns OK, EMPTY, CLOSED (and drained), TOO_SMALL, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_try_get_bytes(
    queue: *mut queues_mpmc_t,
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
/// May wait. Any thread.
/// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), TOO_SMALL, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_get_bytes(
    queue: *mut queues_mpmc_t,
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
/// Whatever is returned, the buffer may hold parts of blobs that others took meanwhile.
/// Does not wait; lock-free. Any thread.
/// Returns OK, EMPTY, CLOSED (and drained), TOO_SMALL, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_peek_bytes(
    queue: *mut queues_mpmc_t,
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
/// *done becomes how many were put, whatever is returned but INVALID: items[0] to items[*done - 1]
/// are the queue's, the others stay the caller's. Items of other producers may come between them.
/// May wait. Any thread.
/// Returns OK (all of them), TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_put_many(
    queue: *mut queues_mpmc_t,
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
/// *done becomes how many were got, whatever is returned but INVALID; they are the caller's.
/// May wait. Any thread.
/// Returns OK (at least one, or n is 0), TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained),
/// INVALID. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_get_many(
    queue: *mut queues_mpmc_t,
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

/// Reserves a cell for a blob of up to item_size bytes, waiting up to timeout_ns for room.
/// *data (aligned to 8) may be written until commit or cancel, by any thread that orders its writes
/// before that call. A caller may hold several. Needs room at one moment of the call, but holds no
/// place in the queue: commit takes that.
/// May wait; with timeout_ns 0 lock-free. Any thread. The cell is the caller's. Queues of blobs only.
/// Returns OK, TIMEOUT, FULL (timeout_ns 0; no room, or no cell), CLOSED, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_reserve(
    queue: *mut queues_mpmc_t,
    data: *mut *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    status_of(|| {
        let place = non_null(data)?;
        // SAFETY: the header's contract; the output was checked.
        unsafe {
            let room = BYTES.on(queue, Role::PUT, |queue| {
                let data = queue.reserve(Wait::from_nanos(timeout_ns))?;
                Ok(InPlace { data, len: queue.queue().payload().limit() })
            })?;
            write_out(place, room.data);
        }
        Ok(())
    })
}

/// Puts the first len bytes of a reserved cell at the end of the queue.
/// The other bytes are lost. On FULL, CLOSED and INVALID the cell stays reserved with its bytes:
/// commit again, or cancel. To wait for room, put_bytes(queue, data, len, timeout_ns) copies them out
/// of the reserved cell.
/// Does not wait; lock-free. Any thread. On OK the cell is the queue's.
/// Returns OK, FULL, CLOSED, INVALID (also data NULL or len above item_size), MISUSE (data is not
/// reserved).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_commit(
    queue: *mut queues_mpmc_t,
    data: *mut c_void,
    len: usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        non_null(data)?;
        BYTES.on(queue, Role::COMMIT, |queue| queue.commit(data, len))
    })
}

/// Gives a reserved cell back without a put.
/// Does not wait; lock-free. Any thread. On OK the cell is the queue's. Works after close, too.
/// Returns OK, INVALID (also data NULL), MISUSE (data is not reserved).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_cancel(
    queue: *mut queues_mpmc_t,
    data: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        non_null(data)?;
        BYTES.on(queue, Role::CONSUME, |queue| queue.cancel(data))
    })
}

/// Takes the blob in front out of the queue and leaves it in its cell, waiting up to timeout_ns for
/// one.
/// *data (aligned to 8) and *len become where it is and its length. The item_size bytes there may be
/// read and written until settle or return. The blob is out of the queue: it does not count in size,
/// its place is free, no other consumer gets it and clear does not find it. A caller may hold several.
/// May wait; with timeout_ns 0 lock-free. Any thread. The blob is lent to the caller; if it is neither
/// settled nor returned, the last release hands it to the drop callback. Queues of blobs only.
/// Returns OK, TIMEOUT, EMPTY (timeout_ns 0), CLOSED (and drained), INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_lease(
    queue: *mut queues_mpmc_t,
    data: *mut *mut c_void,
    len: *mut usize,
    timeout_ns: i64,
) -> queues_status_t {
    status_of(|| {
        let (place, len) = (non_null(data)?, non_null(len)?);
        // SAFETY: the header's contract; the outputs were checked.
        unsafe {
            let mut size = 0;
            let blob = BYTES.on(queue, Role::GET, |queue| {
                let (data, len) = queue.lease(Wait::from_nanos(timeout_ns))?;
                size = len;
                // All of the cell may be written.
                Ok(InPlace { data, len: queue.queue().payload().limit() })
            })?;
            write_out(place, blob.data);
            write_out(len, size);
        }
        Ok(())
    })
}

/// Ends a lease: the blob is done with, and its cell free. The drop callback is not called for it.
/// Does not wait; lock-free. Any thread. On OK the cell is the queue's. Works after close, too.
/// Returns OK, INVALID (also data NULL), MISUSE (data is not leased).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_settle(
    queue: *mut queues_mpmc_t,
    data: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        non_null(data)?;
        BYTES.on(queue, Role::CONSUME, |queue| queue.settle(data))
    })
}

/// Puts a leased blob at the end of the queue, with its length and the bytes that it has now.
/// That is a put in every respect; it counts as enqueued again. On FULL and CLOSED the blob stays
/// leased: return it again, or settle it. A closed queue takes nothing, not even what was in it
/// before.
/// Does not wait; lock-free. Any thread. On OK the blob is the queue's.
/// Returns OK, FULL, CLOSED, INVALID (also data NULL), MISUSE (data is not leased).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_return(
    queue: *mut queues_mpmc_t,
    data: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        non_null(data)?;
        BYTES.on(queue, Role::COMMIT, |queue| queue.put_back(data))
    })
}

/// Takes everything that was there when the call began and hands it to the drop callback.
/// *count becomes how many items that were. An item is out of the queue, and its place free, when its
/// callback is called.
/// Does not wait; lock-free but for the callback. Any thread.
/// Returns OK, INVALID, PANIC (a callback panicked; *count is not written).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_clear(
    queue: *mut queues_mpmc_t,
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
/// waiters. Closing again does nothing. Does not wait; lock-free. Any thread.
/// Returns OK, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_close(queue: *mut queues_mpmc_t) -> queues_status_t {
    status_of(|| {
        // SAFETY: the header's contract.
        unsafe { any(queue)? }.close();
        Ok(())
    })
}

/// Whether the queue was closed; true if it is no such queue, since nothing can be put there.
/// Does not wait; lock-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_is_closed(queue: *const queues_mpmc_t) -> bool {
    // SAFETY: the header's contract.
    value_or(true, || Ok(unsafe { any(queue)? }.is_closed()))
}

/// How many items are in the queue: a snapshot, never above the capacity; 0 if it is no such queue.
/// Does not wait; lock-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_size(queue: *const queues_mpmc_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || Ok(unsafe { any(queue)? }.queue().len()))
}

/// The most items that fit; 0 if it is no such queue.
/// Does not wait; wait-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_capacity(queue: *const queues_mpmc_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || Ok(unsafe { any(queue)? }.queue().capacity()))
}

/// Writes a snapshot of the statistics; stats->struct_size must be set. Fields that this library
/// does not know become 0.
/// Does not wait; lock-free. Any thread.
/// Returns OK, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_stats(
    queue: *const queues_mpmc_t,
    stats: *mut queues_stats_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { write_stats(stats, any(queue)?.queue().stats()) })
}
