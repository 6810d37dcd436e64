//! Bounded queue whose items are taken in batches.

use super::arguments::{self, PayloadChoice, Sized_, blob, check_many, read_sized};
use super::handle::{AnyHandle, HandleType, Role};
use super::stats::{queues_stats_t, write_stats};
use super::status::{non_null, queues_status_t, status_of, value_or, write_out};
use super::{queues_drop_bytes_t, queues_drop_t};
use crate::error::{Error, Result};
use crate::payload::{Bytes, Pointer};
use crate::queue::batch::{Batch, Blob, Limits, ToBuffer, ToPointers};
use crate::wait::{Blocking, Wait, Wanted};
use core::ffi::c_void;
use core::time::Duration;

/// A bounded queue for any number of threads, whose items are taken in batches: when there are
/// enough of them, or when the oldest has waited long enough. First in, first out; each item is in
/// one batch; batches of several consumers do not interleave.
///
/// A batch is due when
///   - batch_size items are pending, or items that weigh batch_weight together;
///   - the oldest pending item has been in the queue for batch_timeout_ns;
///   - queues_batch_flush was called after the oldest pending item was put;
///   - the queue is closed.
///
/// It is then made of the oldest items: batch_size at most, and batch_weight at most, but for a
/// single item that is heavier and travels alone. What it leaves behind is judged anew, by the age of
/// the oldest item that is left. A queue that is full has a batch that is due.
///
/// | calls                                          | who may call at once | progress           |
/// |------------------------------------------------|----------------------|--------------------|
/// | try_put, try_put_bytes                         | any threads          | lock-free          |
/// | put, put_weighted and their _bytes             | any threads          | may sleep; with timeout_ns 0 lock-free |
/// | get_due, get_due_bytes, flush, clear           | any threads          | a short lock       |
/// | get_batch, get_batch_bytes                     | any threads          | may sleep; with timeout_ns 0 a short lock |
/// | close, is_closed, pending_count, stats         | any threads          | lock-free          |
/// | capacity, retain, release                      | any threads          | wait-free; the last release frees |
///
/// A put that wakes a sleeper makes a system call. The lock is among consumers: it is held for
/// O(batch_size) steps, never across a callback or the copy of a blob, and no put takes it.
/// Of several consumers that sleep one sees to the oldest item. If that one is held up (stopped,
/// starved), another takes over with the next put a millisecond after the item's time; but if it is
/// held up while it holds the lock, all who take, flush or clear wait for it.
/// QUEUES_FULL is exact until 64 puts and the gets of two batches are suspended at once; a suspended
/// get of blobs keeps its batch.
/// Each call is O(1) but for those that take (O(items taken)).
pub struct queues_batch_t {
    _opaque: [u8; 0],
}

/// Options of queues_batch_create. Set struct_size to the size of this structure, and to 0 or NULL what
/// is not needed: that is the default.
/// A struct_size from the size that the library knows up to 4096 is accepted, if all bytes beyond those
/// that it knows are 0: so a program may be built with a newer header than the library. Any other is
/// QUEUES_INVALID.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_batch_options_t {
    /// sizeof(queues_batch_options_t).
    pub struct_size: usize,
    /// The most items that fit, exactly; 0: 10000. Not less than batch_size.
    pub max_pending: usize,
    /// 0: items are void pointers; else the most bytes of a blob.
    pub item_size: usize,
    /// 0; no flags are known.
    pub flags: u64,
    /// Called for each item that nobody gets, see queues_drop_t; may be NULL.
    pub drop: queues_drop_t,
    /// The first argument of drop or drop_bytes.
    pub drop_ctx: *mut c_void,
    /// The most items of a batch, and how many make one due; 0: 32.
    pub batch_size: usize,
    /// How many nanoseconds an item waits for others; 0: 10 ms; below 0: for ever.
    pub batch_timeout_ns: i64,
    /// The most that a batch weighs, and how much makes one due, in whatever unit; 0: no limit.
    pub batch_weight: u64,
    /// As drop, and is passed the length of the blob; may be NULL. Setting both is QUEUES_INVALID,
    /// because each item ends in one callback; so is setting this without an item_size.
    pub drop_bytes: queues_drop_bytes_t,
}

// SAFETY: repr(C), size first; a null callback is None.
unsafe impl Sized_ for queues_batch_options_t {}

/// Where a blob of a batch lies in the caller's buffer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_batch_blob_t {
    /// Where it begins, in bytes from the beginning of the buffer.
    pub offset: usize,
    /// How many bytes it has.
    pub length: usize,
}

const _: () = assert!(size_of::<queues_batch_blob_t>() == size_of::<Blob>());

const DEFAULT_MAX_PENDING: usize = 10000;
const FAMILY: u8 = 5;
const POINTERS: HandleType<Blocking<Batch<Pointer>>> = HandleType::new(FAMILY, 0);
const BYTES: HandleType<Blocking<Batch<Bytes>>> = HandleType::new(FAMILY, 1);

/// # Safety
/// `queue` is null or a live handle of the library.
unsafe fn any(queue: *const queues_batch_t) -> Result<AnyHandle> {
    // SAFETY: by contract.
    unsafe { AnyHandle::of(POINTERS.any(queue).or_else(|| BYTES.any(queue))) }
}

/// Creates a queue with one reference, which the caller owns.
/// Takes all the memory that the queue will ever use. Does not wait. Any thread.
/// Returns OK, INVALID (options or queue NULL, wrong struct_size, unknown flags, options that exclude
/// each other, max_pending below batch_size, sizes whose product overflows, or a batch_weight for
/// which (batch_weight + 1) * (max_pending + 64 + 2 * batch_size) is 2^62 or more), NOMEM.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_create(
    options: *const queues_batch_options_t,
    queue: *mut *mut queues_batch_t,
) -> queues_status_t {
    status_of(|| {
        let place = non_null(queue)?;
        // SAFETY: the caller's structure, with its size.
        let options = unsafe { read_sized(options)? };
        let common = arguments::CommonOptions {
            capacity: options.max_pending,
            default_capacity: DEFAULT_MAX_PENDING,
            item_size: options.item_size,
            flags: options.flags,
            known_flags: 0,
            drop: options.drop,
            drop_bytes: options.drop_bytes,
            drop_ctx: options.drop_ctx,
        };
        let usual = Limits::default();
        let limits = Limits {
            size: if options.batch_size == 0 { usual.size } else { options.batch_size },
            age: match options.batch_timeout_ns {
                ..0 => None,
                0 => usual.age,
                nanos => Some(Duration::from_nanos(nanos as u64)),
            },
            weight: Some(options.batch_weight).filter(|&weight| weight > 0),
        };
        // SAFETY: the caller's callback, made to be called.
        let handle = match unsafe { common.check()? } {
            (max_pending, PayloadChoice::Pointer(pointer)) => {
                let queue = Batch::try_new(max_pending, limits, pointer)?;
                POINTERS.create(Blocking::new(queue), false)?
            }
            (max_pending, PayloadChoice::Bytes(bytes)) => {
                let queue = Batch::try_new(max_pending, limits, bytes)?;
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
pub unsafe extern "C" fn queues_batch_retain(queue: *mut queues_batch_t) -> *mut queues_batch_t {
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
pub unsafe extern "C" fn queues_batch_release(queue: *mut queues_batch_t) {
    value_or((), || {
        // SAFETY: the caller gives its reference up.
        unsafe { any(queue)?.release() };
        Ok(())
    })
}

/// Puts a pointer of weight 1, if there is room.
/// Does not wait; lock-free. Any thread. On OK the item is the queue's, else it stays the caller's.
/// Returns OK, FULL, CLOSED, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_try_put(
    queue: *mut queues_batch_t,
    item: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { put(queue, item, 1, Wait::No) })
}

/// Puts a pointer of weight 1, waiting up to timeout_ns for room.
/// May wait. Any thread. On OK the item is the queue's, else it stays the caller's.
/// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_put(
    queue: *mut queues_batch_t,
    item: *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { put(queue, item, 1, Wait::from_nanos(timeout_ns)) })
}

/// Puts a pointer with its weight (0 too), waiting up to timeout_ns for room. Weights count if the
/// queue has a batch_weight.
/// May wait. Any thread. On OK the item is the queue's, else it stays the caller's.
/// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_put_weighted(
    queue: *mut queues_batch_t,
    item: *mut c_void,
    weight: u64,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { put(queue, item, weight, Wait::from_nanos(timeout_ns)) })
}

/// Takes the next batch that is due, waiting up to timeout_ns for one; when that is over, whatever
/// is pending. Into items, in the order in which they were put: max at most, so max is best not less
/// than batch_size; *n becomes how many, at least one unless max is 0.
/// May wait. Any thread. On OK the items are the caller's.
/// Returns OK, TIMEOUT (nothing was pending), EMPTY (the same with timeout_ns 0), CLOSED (and
/// drained), INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_get_batch(
    queue: *mut queues_batch_t,
    items: *mut *mut c_void,
    max: usize,
    n: *mut usize,
    timeout_ns: i64,
) -> queues_status_t {
    let wanted = Wanted::Within(Wait::from_nanos(timeout_ns));
    // SAFETY: the header's contract.
    status_of(|| unsafe { get(queue, items, max, n, wanted) })
}

/// Takes a batch if one is due, as queues_batch_get_batch does; for an event loop, which must not
/// wait and must not break off a batch that is not due.
/// Does not wait; a short lock. Any thread. On OK the items are the caller's.
/// Returns OK, EMPTY (no batch is due), CLOSED (and drained), INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_get_due(
    queue: *mut queues_batch_t,
    items: *mut *mut c_void,
    max: usize,
    n: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { get(queue, items, max, n, Wanted::Due) })
}

/// Puts a copy of len bytes, of weight 1, if there is room; (NULL, 0) is an empty blob.
/// Does not wait; lock-free. Any thread. The bytes stay the caller's.
/// Returns OK, FULL, CLOSED, INVALID (also len above item_size).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_try_put_bytes(
    queue: *mut queues_batch_t,
    data: *const c_void,
    len: usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { put_bytes(queue, data, len, 1, Wait::No) })
}

/// Puts a copy of len bytes, of weight 1, waiting up to timeout_ns for room; (NULL, 0) is an empty
/// blob. May wait. Any thread. The bytes stay the caller's.
/// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID (also len above item_size).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_put_bytes(
    queue: *mut queues_batch_t,
    data: *const c_void,
    len: usize,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { put_bytes(queue, data, len, 1, Wait::from_nanos(timeout_ns)) })
}

/// Puts a copy of len bytes with their weight (0 too), waiting up to timeout_ns for room; (NULL, 0)
/// is an empty blob. Weights count if the queue has a batch_weight.
/// May wait. Any thread. The bytes stay the caller's.
/// Returns OK, TIMEOUT, FULL (timeout_ns 0), CLOSED, INVALID (also len above item_size).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_put_weighted_bytes(
    queue: *mut queues_batch_t,
    data: *const c_void,
    len: usize,
    weight: u64,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { put_bytes(queue, data, len, weight, Wait::from_nanos(timeout_ns)) })
}

/// Takes the next batch of blobs that is due, waiting up to timeout_ns for one; when that is over,
/// whatever is pending. The blobs go into the buffer, one right behind the other in the order in
/// which they were put, and where each lies into blobs: max at most; *n becomes how many, at least
/// one unless max is 0, and *len the bytes of all. On TOO_SMALL *len becomes the bytes that are needed
/// (batch_size times item_size always suffice), and the batch stays.
/// May wait. Any thread.
/// Returns OK, TIMEOUT (nothing was pending), EMPTY (the same with timeout_ns 0), CLOSED (and
/// drained), TOO_SMALL, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
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
    let wanted = Wanted::Within(Wait::from_nanos(timeout_ns));
    // SAFETY: the header's contract.
    status_of(|| unsafe { get_bytes(queue, (buffer, capacity, len), (blobs, max, n), wanted) })
}

/// Takes a batch of blobs if one is due, as queues_batch_get_batch_bytes does.
/// Does not wait; a short lock. Any thread.
/// Returns OK, EMPTY (no batch is due), CLOSED (and drained), TOO_SMALL, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
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
    status_of(|| unsafe { get_bytes(queue, (buffer, capacity, len), (blobs, max, n), Wanted::Due) })
}

/// Makes everything that is pending due, in batches of the usual size; what is put later is not.
/// Does not wait; a short lock. Any thread.
/// Returns OK, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_flush(queue: *mut queues_batch_t) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let pointers = POINTERS.on(queue, Role::GET, |queue| {
            queue.flush();
            Ok(())
        });
        pointers.or_else(|_| {
            BYTES.on(queue, Role::GET, |queue| {
                queue.flush();
                Ok(())
            })
        })
    })
}

/// Takes everything that is pending when the call begins, handing each item to the drop callback.
/// *count becomes how many. An item is out of the queue, and its place free, when its callback is
/// called.
/// Does not wait; a short lock for each item. Any thread.
/// Returns OK, INVALID, PANIC (a callback panicked; all the others were called).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_clear(
    queue: *mut queues_batch_t,
    count: *mut usize,
) -> queues_status_t {
    status_of(|| {
        let place = non_null(count)?;
        // SAFETY: the header's contract; the output was checked.
        unsafe { write_out(place, any(queue)?.clear()?) };
        Ok(())
    })
}

/// Closes: later puts return CLOSED, everything that is pending is due, and once it is taken gets
/// return CLOSED; all waiters wake. Closing twice is closing once.
/// Does not wait; lock-free. Any thread.
/// Returns OK, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_close(queue: *mut queues_batch_t) -> queues_status_t {
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
pub unsafe extern "C" fn queues_batch_is_closed(queue: *const queues_batch_t) -> bool {
    // SAFETY: the header's contract.
    value_or(true, || Ok(unsafe { any(queue)? }.is_closed()))
}

/// How many items are pending: a snapshot, never above max_pending; 0 if it is no such queue.
/// Does not wait; lock-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_pending_count(queue: *const queues_batch_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || Ok(unsafe { any(queue)? }.queue().len()))
}

/// The most items that fit, max_pending; 0 if it is no such queue.
/// Does not wait; wait-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_capacity(queue: *const queues_batch_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || Ok(unsafe { any(queue)? }.queue().capacity()))
}

/// Writes a snapshot of the statistics; stats->struct_size must be set. Fields that this library
/// does not know become 0. They count items, not batches; failures count calls. A get_due that finds
/// items, but none due, is no failure.
/// Does not wait; lock-free. Any thread.
/// Returns OK, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_batch_stats(
    queue: *const queues_batch_t,
    stats: *mut queues_stats_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { write_stats(stats, any(queue)?.queue().stats()) })
}

/// # Safety
/// The contract of the callers.
unsafe fn put(queue: *mut queues_batch_t, item: *mut c_void, weight: u64, wait: Wait) -> Result {
    // SAFETY: the header's contract.
    unsafe { POINTERS.on(queue, Role::PUT, |queue| queue.put(&item, weight, wait)) }
}

/// # Safety
/// The contract of the callers.
unsafe fn put_bytes(
    queue: *mut queues_batch_t,
    data: *const c_void,
    len: usize,
    weight: u64,
    wait: Wait,
) -> Result {
    // SAFETY: the header's contract.
    unsafe {
        BYTES.on(queue, Role::PUT, |queue| {
            let blob = blob(data, len, queue.queue().payload().limit())?;
            queue.put(blob, weight, wait)
        })
    }
}

/// # Safety
/// The contract of the callers.
unsafe fn get(
    queue: *mut queues_batch_t,
    items: *mut *mut c_void,
    max: usize,
    n: *mut usize,
    wanted: Wanted,
) -> Result {
    check_many(items, max, n)?;
    // SAFETY: the header's contract; the outputs were checked.
    unsafe {
        let count = POINTERS
            .on(queue, Role::GET, |queue| queue.get_batch(ToPointers::new(items, max), wanted))?;
        write_out(n, count);
    }
    Ok(())
}

/// # Safety
/// The contract of the callers.
unsafe fn get_bytes(
    queue: *mut queues_batch_t,
    (buffer, capacity, len): (*mut c_void, usize, *mut usize),
    (blobs, max, n): (*mut queues_batch_blob_t, usize, *mut usize),
    wanted: Wanted,
) -> Result {
    non_null(len)?;
    check_many(blobs, max, n)?;
    if buffer.is_null() && capacity > 0 {
        return Err(Error::Invalid);
    }
    // SAFETY: the header's contract; the outputs were checked.
    unsafe {
        let taken = BYTES.on(queue, Role::GET, |queue| {
            queue.get_batch(ToBuffer::new(buffer.cast(), capacity, blobs.cast(), max), wanted)
        });
        match taken {
            Ok((count, bytes)) => {
                write_out(len, bytes);
                write_out(n, count);
            }
            Err(Error::TooSmall { needed }) => write_out(len, needed),
            Err(_) => {}
        }
        taken.map(drop)
    }
}
