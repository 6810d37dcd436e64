//! `queues_deque_*`: the work-stealing deque, with either payload. A [`Stealing`] is a [`Deque`]
//! whose thieves can wait.

use super::arguments::{
    Item, SizedStruct, blob, check_many, non_null, place, receive_blob, receive_if_ok,
    write_progress,
};
use super::handle::{self, AnyQueue, Family, Handle, Observe, Role};
use super::options::{Options, PayloadChoice, create};
use super::stats::queues_stats_t;
use super::status::{queues_status_t, status_of};
use super::{common, queues_drop_bytes_t, queues_drop_t};
use crate::payload::{Atomic, Bytes, Pointer};
use crate::queue::deque::Deque;
use crate::stats::Stats;
use crate::wait::{Source, Stealing};
use core::ffi::{c_int, c_void};

/// A work-stealing deque: one thread, its owner, pushes and pops at one end, last in, first out;
/// any number of thieves steal at the other end, first in, first out; linearizable.
///
/// | functions                                                | threads    | progress  |
/// |----------------------------------------------------------|------------|-----------|
/// | create                                                   | any thread | allocates |
/// | push, push_bytes                                         | the owner  | wait-free unless it grows |
/// | pop, pop_bytes                                           | the owner  | wait-free |
/// | steal, steal_bytes, steal_many                           | any thread | never retries |
/// | size, is_empty, capacity, item_size                      | any thread | wait-free |
/// | stats                                                    | any thread | lock-free |
/// | stealable_fd                                             | any thread | the first call allocates |
/// | retain                                                   | any thread that holds a reference | wait-free |
/// | release                                                  | any thread that holds a reference | wait-free except for the last release |
///
/// One thread at a time is the owner. Another thread may become it if the handover orders memory,
/// as a mutex, a queue or a join does. A deque has no close: its owner knows when no more items
/// come.
///
/// A call returns QUEUES_FULL or QUEUES_EMPTY only if that was true at some moment of the call. A
/// steal never retries: if another thread takes the item first, it returns QUEUES_RETRY. There may
/// be other items, so the caller may repeat the call at once.
///
/// Each call is O(1), except steal_many, which is O(items stolen), and a push that grows.
///
/// Chase and Lev 2005; Lê, Pop, Cohen and Zappa Nardelli 2013.
#[cfg_attr(unix, repr(C))] // by a condition, which cbindgen skips: to C the type is incomplete
pub struct queues_deque_t {
    _opaque: [u8; 0],
}

/// Flag of queues_deque_options_t: a full deque grows to twice its capacity instead of returning
/// QUEUES_FULL. The outgrown arrays are freed with the deque; together they are smaller than the
/// last one.
pub const QUEUES_DEQUE_GROWABLE: u64 = 1;

/// Flag of queues_deque_options_t: a push or pop that overlaps another push or pop returns
/// QUEUES_MISUSE and changes nothing. Costs two atomic operations on every push and pop.
pub const QUEUES_DEQUE_CHECKED: u64 = 2;

/// Options of queues_deque_create(). Set struct_size; leave unused fields 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_deque_options_t {
    /// sizeof(queues_deque_options_t).
    pub struct_size: usize,
    /// Largest number of items, exact, at first if the deque is growable; 0: 1024.
    pub capacity: usize,
    /// Largest length of a blob in bytes; 0: items are pointers.
    pub item_size: usize,
    /// QUEUES_DEQUE_GROWABLE, QUEUES_DEQUE_CHECKED, both or 0.
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
unsafe impl SizedStruct for queues_deque_options_t {}
// SAFETY: begins with the common fields.
unsafe impl Options for queues_deque_options_t {
    const DEFAULT_CAPACITY: usize = 1024;
    const FLAGS: u64 = QUEUES_DEQUE_GROWABLE | QUEUES_DEQUE_CHECKED;
    fn drop_bytes(&self) -> queues_drop_bytes_t {
        self.drop_bytes
    }
}

pub(super) const DEQUE: Family<Stealing<Pointer>, Stealing<Bytes>> = {
    let Family { pointers, bytes } = Family::new(4);
    Family { pointers: pointers.inlined(LAYOUT, [finish_push, finish_pop]), bytes }
};

/// The number of the layout in `include/queues_inline.h`. It changes with the layout, and with what
/// inlined calls have to do.
const LAYOUT: u8 = 1;

/// Ends an inlined push.
unsafe extern "C" fn finish_push(deque: *mut c_void, _item: *mut *mut c_void) -> queues_status_t {
    // SAFETY: the handle brought this function along.
    status_of(|| unsafe { handle::queue_at::<Stealing<Pointer>>(deque) }.wake_thief())
}

/// Ends an inlined pop.
unsafe extern "C" fn finish_pop(deque: *mut c_void, item: *mut *mut c_void) -> queues_status_t {
    // SAFETY: as above; only the owner pops, and it passes a place for the item.
    status_of(|| unsafe {
        handle::queue_at::<Stealing<Pointer>>(deque).deque().finish_pop(&mut *item)
    })
}

impl<P: Atomic + 'static> AnyQueue for Stealing<P> {
    type Any = dyn Observe;
    fn erase(handle: *mut Handle<Self>) -> *mut Handle<dyn Observe> {
        handle
    }
}

impl<P: Atomic> Observe for Stealing<P> {
    fn len(&self) -> usize {
        self.deque().len()
    }
    fn is_empty(&self) -> bool {
        self.deque().is_empty()
    }
    fn capacity(&self) -> usize {
        self.deque().capacity()
    }
    fn stats(&self) -> Stats {
        self.deque().stats()
    }
    fn source(&self) -> &dyn Source {
        self
    }
}

/// Creates a deque with one reference, which the caller owns. Takes all memory that the deque will
/// ever use, unless it is growable.
///
/// Allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM, QUEUES_INVALID (also for an unknown struct_size, unknown flags,
/// options that exclude each other, and sizes whose product overflows)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_deque_create(
    options: *const queues_deque_options_t,
    deque: *mut *mut queues_deque_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe {
        create(options, deque, |options, capacity, payload| {
            let growable = options.flags & QUEUES_DEQUE_GROWABLE != 0;
            let checked = options.flags & QUEUES_DEQUE_CHECKED != 0;
            match payload {
                PayloadChoice::Pointer(pointer) => {
                    let deque = Stealing::new(Deque::try_new(capacity, growable, pointer)?);
                    DEQUE.pointers.create(deque, checked)
                }
                PayloadChoice::Bytes(bytes) => {
                    let deque = Stealing::new(Deque::try_new(capacity, growable, bytes)?);
                    DEQUE.bytes.create(deque, checked)
                }
            }
        })
    }
}

/// Adds a reference, for another user of the deque.
///
/// Wait-free. Any thread that holds a reference.
/// @return deque, or NULL if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_retain(deque: *mut queues_deque_t) -> *mut queues_deque_t {
    // SAFETY: the caller holds a reference.
    unsafe { common::retain(deque, DEQUE.any(deque)) }
}

/// Drops a reference. The last release passes the items that are left to the drop callback and
/// frees the deque. NULL and handles of other families are ignored.
///
/// Wait-free except for the last release. Any thread that holds a reference; it must not use the
/// deque afterwards, unless it holds another reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_release(deque: *mut queues_deque_t) {
    // SAFETY: the caller gives up its reference.
    unsafe { common::release(DEQUE.any(deque)) }
}

/// Pushes item if there is room or the deque can grow.
///
/// Wait-free unless it grows. The owner. On QUEUES_OK the deque owns item, otherwise the caller
/// keeps it.
/// @return QUEUES_OK, QUEUES_FULL (not growable), QUEUES_NOMEM (growable), QUEUES_INVALID,
/// QUEUES_MISUSE (checked deques)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_deque_push(
    deque: *mut queues_deque_t,
    item: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { DEQUE.pointers.on(deque, Role::PUSH, |deque| deque.push(&item)) })
}

/// Pops the item that was pushed last if there is one.
///
/// Wait-free. The owner. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_INVALID, QUEUES_MISUSE (checked deques)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_deque_pop(
    deque: *mut queues_deque_t,
    item: *mut *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let item = place(item)?;
        DEQUE.pointers.on(deque, Role::POP, |deque| deque.deque().pop(item))
    })
}

/// Steals the item that was pushed first if there is one.
///
/// Never retries. Any thread. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_RETRY (another thread took the item), QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_deque_steal(
    deque: *mut queues_deque_t,
    item: *mut *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive_if_ok(item, |item| DEQUE.pointers.on(deque, Role::STEAL, |deque| deque.steal(item)))
    })
}

/// Steals up to max pointers, one after the other in the order in which they were pushed, until
/// there is none or a race is lost.
///
/// done becomes the number stolen, whatever the status, except on QUEUES_INVALID. Other thieves may
/// take items between two of them.
///
/// Never retries. Any thread. The caller owns the items that it stole.
/// @return QUEUES_OK (at least one, or max is 0), QUEUES_EMPTY, QUEUES_RETRY (another thread took
/// the first), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_steal_many(
    deque: *mut queues_deque_t,
    items: *mut *mut c_void,
    max: usize,
    done: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let done = non_null(done)?;
        check_many(items, max)?;
        DEQUE.pointers.on(deque, Role::STEAL, |deque| {
            let mut place: *mut Item = items;
            let stolen = deque.steal_many(max, |item| {
                place.write(item);
                place = place.add(1);
            });
            write_progress(done, stolen)
        })
    })
}

/// Pushes a copy of len bytes if there is room or the deque can grow. (NULL, 0) is an empty blob.
///
/// Wait-free unless it grows. The owner. The caller keeps data.
/// @return QUEUES_OK, QUEUES_FULL (not growable), QUEUES_NOMEM (growable), QUEUES_INVALID (also for
/// len above item_size), QUEUES_MISUSE (checked deques)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_deque_push_bytes(
    deque: *mut queues_deque_t,
    data: *const c_void,
    len: usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        DEQUE.bytes.on(deque, Role::PUSH, |deque| {
            deque.push(blob(data, len, deque.deque().payload().limit())?)
        })
    })
}

/// Pops the blob that was pushed last into buffer if there is one; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in the deque.
///
/// Wait-free. The owner.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_TOO_SMALL, QUEUES_INVALID, QUEUES_MISUSE (checked
/// deques)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_deque_pop_bytes(
    deque: *mut queues_deque_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive_blob(buffer, capacity, len, |blob| {
            DEQUE.bytes.on(deque, Role::POP, |deque| deque.deque().pop(blob))
        })
    })
}

/// Steals the blob that was pushed first into buffer if there is one; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in the deque. Whatever
/// the status, buffer may hold parts of blobs that other threads took during the call.
///
/// Never retries. Any thread.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_RETRY (another thread took the blob), QUEUES_TOO_SMALL,
/// QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_deque_steal_bytes(
    deque: *mut queues_deque_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive_blob(buffer, capacity, len, |blob| {
            DEQUE.bytes.on(deque, Role::STEAL, |deque| deque.steal(blob))
        })
    })
}

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be an item to steal.
///
/// Level-triggered: the descriptor stays readable until a steal returns QUEUES_EMPTY. That call
/// makes the descriptor unreadable until the next push. All calls return the same descriptor. The
/// deque owns it: do not read, write or close it; the last release closes it.
///
/// A pop that returns QUEUES_EMPTY leaves the descriptor as it is. From the first call on the
/// library makes system calls in a steal that returns QUEUES_EMPTY and in the push that ends that
/// state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_stealable_fd(
    deque: *mut queues_deque_t,
    fd: *mut c_int,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::descriptor(DEQUE.any(deque), fd, |deque| deque.readable_fd()) }
}

/// Returns the number of items: a snapshot, never above the capacity.
///
/// Wait-free. Any thread.
/// @return the number of items; 0 if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_size(deque: *const queues_deque_t) -> usize {
    // SAFETY: the header's contract.
    common::size(unsafe { DEQUE.any(deque) })
}

/// Returns whether there is no item: a snapshot.
///
/// Wait-free. Any thread.
/// @return whether it is empty; true if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_is_empty(deque: *const queues_deque_t) -> bool {
    // SAFETY: the header's contract.
    common::is_empty(unsafe { DEQUE.any(deque) })
}

/// Returns the largest number of items that fit now; it doubles when a growable deque grows.
///
/// Wait-free. Any thread.
/// @return the capacity; 0 if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_capacity(deque: *const queues_deque_t) -> usize {
    // SAFETY: the header's contract.
    common::capacity(unsafe { DEQUE.any(deque) })
}

/// Returns the largest length of a blob in bytes, as in the options.
///
/// Wait-free. Any thread.
/// @return the item size; 0 if items are pointers or the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_item_size(deque: *const queues_deque_t) -> usize {
    // SAFETY: the header's contract.
    common::item_size(unsafe { DEQUE.bytes.only(deque) }, |deque| deque.deque().payload().limit())
}

/// Writes a snapshot of the statistics to stats, whose struct_size must be set.
///
/// A push that returns QUEUES_FULL or QUEUES_NOMEM counts as failed_enqueue, a pop or a steal that
/// returns QUEUES_EMPTY as failed_dequeue. stolen may lack a steal that has only just returned.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_deque_stats(
    deque: *const queues_deque_t,
    stats: *mut queues_stats_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::stats(DEQUE.any(deque), stats) }
}
