//! Work-stealing deque.

use super::arguments::{self, PayloadChoice, Sized_, blob, check_many, place, read_sized, receive};
use super::handle::{AnyHandle, HandleType, Observe, Role};
use super::stats::{queues_stats_t, write_stats};
use super::status::{
    Item, non_null, queues_status_t, status_of, value_or, write_out, write_progress,
};
use super::{queues_drop_bytes_t, queues_drop_t};
use crate::error::Result;
use crate::payload::{Atomic, Bytes, Pointer};
use crate::queue::deque::Deque;
use crate::stats::Stats;
use core::ffi::c_void;

/// A work-stealing deque: one thread, its owner, pushes and pops at one end, last in first out; any
/// number of thieves steal at the other, first in first out.
///
/// | calls                                     | who may call at once          | progress           |
/// |-------------------------------------------|-------------------------------|--------------------|
/// | push, pop and their _bytes                | one thread at a time, the owner | wait-free; the push that grows allocates |
/// | steal, steal_many, steal_bytes            | any threads, beside the owner | never loops; RETRY says that another thread took the item |
/// | size, is_empty, capacity, retain          | any threads                   | wait-free          |
/// | stats                                     | any threads                   | lock-free          |
/// | release                                   | any threads                   | wait-free; the last one frees |
///
/// Ownership may move to another thread if it is handed over with what orders memory (a mutex, a
/// queue, a join). A deque is never closed: who owns it knows when there is nothing more to come.
/// QUEUES_FULL and QUEUES_EMPTY are true at some moment of the call. A steal that returns RETRY may
/// be repeated at once; there may be more to steal.
/// Each call is O(1) but for steal_many, which is O(items taken), and a push that grows.
///
/// Chase and Lev 2005; Lê, Pop, Cohen and Zappa Nardelli 2013.
pub struct queues_deque_t {
    _opaque: [u8; 0],
}

/// Grow when it is full, to twice the capacity, instead of returning FULL. What was outgrown is
/// freed with the deque: all of it together is less than twice the largest.
pub const QUEUES_DEQUE_GROWABLE: u64 = 1;

/// Answer MISUSE to a push or pop that overlaps another one, at the price of two atomic operations a
/// call.
pub const QUEUES_DEQUE_CHECKED: u64 = 2;

/// Options of queues_deque_create. Set struct_size to the size of this structure, and to 0 or NULL what
/// is not needed: that is the default.
/// A struct_size from the size that the library knows up to 4096 is accepted, if all bytes beyond those
/// that it knows are 0: so a program may be built with a newer header than the library. Any other is
/// QUEUES_INVALID.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_deque_options_t {
    /// sizeof(queues_deque_options_t).
    pub struct_size: usize,
    /// The most items that fit, exactly; 0: 1024. If it is growable: to begin with.
    pub capacity: usize,
    /// 0: items are void pointers; else the most bytes of a blob.
    pub item_size: usize,
    /// QUEUES_DEQUE_GROWABLE, QUEUES_DEQUE_CHECKED, both or 0.
    pub flags: u64,
    /// Called for each item that nobody takes, see queues_drop_t; may be NULL.
    pub drop: queues_drop_t,
    /// The first argument of drop or drop_bytes.
    pub drop_ctx: *mut c_void,
    /// As drop, and is passed the length of the blob; may be NULL. Setting both is QUEUES_INVALID,
    /// because each item ends in one callback; so is setting this without an item_size.
    pub drop_bytes: queues_drop_bytes_t,
}

// SAFETY: repr(C), size first; a null callback is None.
unsafe impl Sized_ for queues_deque_options_t {}

const DEFAULT_CAPACITY: usize = 1024;
const FAMILY: u8 = 4;
const POINTERS: HandleType<Deque<Pointer>> = HandleType::new(FAMILY, 0);
const BYTES: HandleType<Deque<Bytes>> = HandleType::new(FAMILY, 1);

impl<P: Atomic> Observe for Deque<P> {
    fn len(&self) -> usize {
        self.len()
    }
    fn capacity(&self) -> usize {
        self.capacity()
    }
    fn stats(&self) -> Stats {
        self.stats()
    }
}

/// # Safety
/// `deque` is null or a live handle of the library.
unsafe fn any(deque: *const queues_deque_t) -> Result<AnyHandle<dyn Observe>> {
    // SAFETY: by contract.
    unsafe { AnyHandle::of(POINTERS.plain(deque).or_else(|| BYTES.plain(deque))) }
}

/// Creates a deque with one reference, which the caller owns.
/// Takes all the memory that the deque will ever use, unless it is growable. Does not wait. Any
/// thread.
/// Returns OK, INVALID (options or deque NULL, wrong struct_size, unknown flags, options that exclude
/// each other, sizes whose product overflows), NOMEM. Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_create(
    options: *const queues_deque_options_t,
    deque: *mut *mut queues_deque_t,
) -> queues_status_t {
    status_of(|| {
        let place = non_null(deque)?;
        // SAFETY: the caller's structure, with its size.
        let options = unsafe { read_sized(options)? };
        let common = arguments::CommonOptions {
            capacity: options.capacity,
            default_capacity: DEFAULT_CAPACITY,
            item_size: options.item_size,
            flags: options.flags,
            known_flags: QUEUES_DEQUE_GROWABLE | QUEUES_DEQUE_CHECKED,
            drop: options.drop,
            drop_bytes: options.drop_bytes,
            drop_ctx: options.drop_ctx,
        };
        let growable = options.flags & QUEUES_DEQUE_GROWABLE != 0;
        let checked = options.flags & QUEUES_DEQUE_CHECKED != 0;
        // SAFETY: the caller's callback, made to be called.
        let handle = match unsafe { common.check()? } {
            (capacity, PayloadChoice::Pointer(pointer)) => {
                POINTERS.create(Deque::try_new(capacity, growable, pointer)?, checked)?
            }
            (capacity, PayloadChoice::Bytes(bytes)) => {
                BYTES.create(Deque::try_new(capacity, growable, bytes)?, checked)?
            }
        };
        // SAFETY: checked above.
        unsafe { write_out(place, handle.cast()) };
        Ok(())
    })
}

/// Adds a reference, for another user of the deque.
/// Does not wait. Any thread that holds a reference.
/// Returns deque; NULL if it is no such deque.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_retain(deque: *mut queues_deque_t) -> *mut queues_deque_t {
    value_or(core::ptr::null_mut(), || {
        // SAFETY: the caller holds a reference.
        unsafe { any(deque)? }.retain();
        Ok(deque)
    })
}

/// Gives a reference up. The last one frees the deque, after handing what is left in it to the drop
/// callback. NULL and foreign handles are ignored. Does not wait. Any thread that holds a
/// reference, which must not use the deque afterwards unless it holds another.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_release(deque: *mut queues_deque_t) {
    value_or((), || {
        // SAFETY: the caller gives its reference up.
        unsafe { any(deque)?.release() };
        Ok(())
    })
}

/// Pushes a pointer, if there is room or the deque can grow.
/// Does not wait; wait-free unless it grows. The owner. On OK the item is the deque's, else it
/// stays the caller's.
/// Returns OK, FULL (not growable), NOMEM (growable), INVALID, MISUSE (checked deques).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_push(
    deque: *mut queues_deque_t,
    item: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { POINTERS.on(deque, Role::PUSH, |deque| deque.push(&item)) })
}

/// Pops the pointer that was pushed last, if there is one.
/// Does not wait; wait-free. The owner. On OK the item is the caller's.
/// Returns OK, EMPTY, INVALID, MISUSE (checked deques).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_pop(
    deque: *mut queues_deque_t,
    item: *mut *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let item = place(item)?;
        POINTERS.on(deque, Role::POP, |deque| deque.pop(item))
    })
}

/// Steals the pointer that was pushed first, if there is one.
/// Does not wait; never loops. Any thread. On OK the item is the caller's.
/// Returns OK, EMPTY, RETRY (another thread took the item), INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_steal(
    deque: *mut queues_deque_t,
    item: *mut *mut c_void,
) -> queues_status_t {
    status_of(|| {
        let place = non_null(item)?;
        let mut item: Item = core::ptr::null_mut();
        // SAFETY: the header's contract; the output was checked.
        unsafe {
            POINTERS.on(deque, Role::STEAL, |deque| deque.steal(&mut item))?;
            write_out(place, item);
        }
        Ok(())
    })
}

/// Steals up to max pointers, one after the other, until it finds none or loses a race.
/// *done becomes how many, also when it is none. In the order in which they were pushed; between
/// two of them other thieves may take some.
/// Does not wait. Any thread. The items counted are the caller's.
/// Returns OK (at least one, or max 0), EMPTY, RETRY (another thread took the first), INVALID
/// (*done is not written).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_steal_many(
    deque: *mut queues_deque_t,
    items: *mut *mut c_void,
    max: usize,
    done: *mut usize,
) -> queues_status_t {
    status_of(|| {
        check_many(items, max, done)?;
        // SAFETY: the header's contract; the output was checked.
        unsafe {
            POINTERS.on(deque, Role::STEAL, |deque| {
                let mut place = items;
                let stolen = deque.steal_many(max, |item| {
                    place.write(item);
                    place = place.add(1);
                });
                write_progress(done, stolen)
            })
        }
    })
}

/// Pushes a copy of len bytes, if there is room or the deque can grow; (NULL, 0) is an empty blob.
/// Does not wait; wait-free unless it grows. The owner. The bytes stay the caller's.
/// Returns OK, FULL (not growable), NOMEM (growable), INVALID (also len above item_size), MISUSE
/// (checked deques). Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_push_bytes(
    deque: *mut queues_deque_t,
    data: *const c_void,
    len: usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        BYTES.on(deque, Role::PUSH, |deque| deque.push(blob(data, len, deque.payload().limit())?))
    })
}

/// Pops the blob that was pushed last into a buffer, if there is one.
/// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays.
/// Does not wait; wait-free. The owner.
/// Returns OK, EMPTY, TOO_SMALL, INVALID, MISUSE (checked deques).
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_pop_bytes(
    deque: *mut queues_deque_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive(buffer, capacity, len, |out| BYTES.on(deque, Role::POP, |deque| deque.pop(out)))
    })
}

/// Steals the blob that was pushed first into a buffer, if there is one.
/// *len becomes its length; on TOO_SMALL the length that is needed, and the blob stays. Whatever is
/// returned, the buffer may hold parts of blobs that others took meanwhile.
/// Does not wait; never loops. Any thread.
/// Returns OK, EMPTY, RETRY (another thread took the blob), TOO_SMALL, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_steal_bytes(
    deque: *mut queues_deque_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive(buffer, capacity, len, |out| BYTES.on(deque, Role::STEAL, |deque| deque.steal(out)))
    })
}

/// How many items are in the deque: a snapshot, never above the capacity; 0 if it is no such deque.
/// Does not wait; wait-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_size(deque: *const queues_deque_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || Ok(unsafe { any(deque)? }.queue().len()))
}

/// Whether there is no item: a snapshot; true if it is no such deque.
/// Does not wait; wait-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_is_empty(deque: *const queues_deque_t) -> bool {
    // SAFETY: the header's contract.
    value_or(true, || Ok(unsafe { any(deque)? }.queue().len() == 0))
}

/// The most items that fit, if it is growable: before it grows; 0 if it is no such deque.
/// Does not wait; wait-free. Any thread.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_capacity(deque: *const queues_deque_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || Ok(unsafe { any(deque)? }.queue().capacity()))
}

/// Writes a snapshot of the statistics; stats->struct_size must be set. Fields that this library
/// does not know become 0. A push that returns FULL or NOMEM counts as failed_enqueue, a pop or steal
/// that returns EMPTY as failed_dequeue; a lost race counts as neither. stolen may lack a theft that is only just done.
/// Does not wait; lock-free. Any thread.
/// Returns OK, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_stats(
    deque: *const queues_deque_t,
    stats: *mut queues_stats_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { write_stats(stats, any(deque)?.queue().stats()) })
}
