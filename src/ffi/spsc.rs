//! `queues_spsc_*`: the bounded queue from one producer thread to one consumer thread. Both
//! payloads are in [`Spsc`]; in checked mode the handle reports calls of one side that overlap.

use super::arguments::{
    SizedStruct, blob, check_many, non_null, place, receive_blob, wait, write_progress,
};
use super::handle::{self, Role, SharedFamily, on_blobs};
use super::options::{Options, PayloadChoice, create, open_shared};
use super::race_detector::InPlace;
use super::stats::queues_stats_t;
use super::status::{queues_status_t, status_of, value_or};
use super::{common, queues_drop_bytes_t, queues_drop_t};
use crate::error::{Error, Result};
use crate::payload::{Dense, Exclusive, Pointer};
use crate::queue::SharedOptions;
use crate::queue::spsc::Spsc;
use crate::wait::Blocking;
use core::ffi::{c_int, c_void};

/// A bounded queue from one thread to another: first in, first out; linearizable.
///
/// At any moment at most one thread is the producer and at most one is the consumer. Another thread
/// may take over a side if the handover orders memory, as a mutex or a join does.
///
/// | functions                                                | threads      | progress  |
/// |----------------------------------------------------------|--------------|-----------|
/// | create, open_shared                                      | any thread   | allocates |
/// | try_put, try_put_bytes, commit                           | the producer | wait-free |
/// | put, put_bytes, put_many, reserve                        | the producer | may sleep; wait-free if timeout_ns is 0 |
/// | try_get, try_get_bytes, peek, peek_bytes, consume        | the consumer | wait-free |
/// | get, get_bytes, get_many, front                          | the consumer | may sleep; wait-free if timeout_ns is 0 |
/// | clear                                                    | the consumer | wait-free except for callbacks |
/// | close, is_closed, size, is_empty, is_full, stats         | any thread   | wait-free |
/// | readable_fd, writable_fd                                 | any thread   | the first call allocates |
/// | capacity, item_size                                      | any thread   | wait-free |
/// | retain                                                   | any thread that holds a reference | wait-free |
/// | release                                                  | any thread that holds a reference | wait-free except for the last release |
///
/// A call returns QUEUES_FULL or QUEUES_EMPTY only if that was true at some moment of the call.
///
/// Each call is O(1), except put_many and get_many, which are O(n), and clear, which is O(items).
///
/// A ring with a head and a tail (Lamport 1983). Each side caches the other's index and rereads it
/// only when the cached value says full or empty (MCRingBuffer: Lee, Bu and Chandranmenon, IPDPS
/// 2010).
#[cfg_attr(unix, repr(C))] // by a condition, which cbindgen skips: to C the type is incomplete
pub struct queues_spsc_t {
    _opaque: [u8; 0],
}

/// Flag of queues_spsc_options_t: a put that overlaps another put, or a get that overlaps another
/// get, returns QUEUES_MISUSE and changes nothing. A drop callback of clear runs inside a get: it
/// may put, but its gets overlap. Costs two atomic operations on every call.
pub const QUEUES_SPSC_CHECKED: u64 = 1;

/// Options of queues_spsc_create(). Set struct_size; leave unused fields 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_spsc_options_t {
    /// sizeof(queues_spsc_options_t).
    pub struct_size: usize,
    /// Largest number of items, exact; 0: 1024.
    pub capacity: usize,
    /// Largest length of a blob in bytes; 0: items are pointers.
    pub item_size: usize,
    /// QUEUES_SPSC_CHECKED or 0.
    pub flags: u64,
    /// Called for each item that no call gets; NULL: nothing is called.
    pub drop: queues_drop_t,
    /// First argument of drop and drop_bytes.
    pub drop_ctx: *mut c_void,
    /// As drop, with the length of the blob; needs an item_size. Setting drop, too, is
    /// QUEUES_INVALID.
    pub drop_bytes: queues_drop_bytes_t,
    /// Largest number of handles that are attached to a shared queue at once, in all processes
    /// together; 0: 64; 4096 at most. For queues_spsc_open_shared() only.
    pub attachments: usize,
}

// SAFETY: repr(C), size first; a null callback is None.
unsafe impl SizedStruct for queues_spsc_options_t {}
// SAFETY: begins with the common fields.
unsafe impl Options for queues_spsc_options_t {
    const DEFAULT_CAPACITY: usize = 1024;
    const FLAGS: u64 = QUEUES_SPSC_CHECKED;
    fn drop_bytes(&self) -> queues_drop_bytes_t {
        self.drop_bytes
    }
}

type Blobs = Blocking<Spsc<Dense>>;
#[cfg(queues_shared)]
type SharedBlobs = Blocking<Spsc<Dense, crate::queue::spsc::Shared>>;
/// There are none on this system.
#[cfg(not(queues_shared))]
type SharedBlobs = Blobs;
type Pointers = Blocking<Spsc<Pointer>>;
pub(super) const SPSC: SharedFamily<Pointers, Blobs, SharedBlobs> = {
    let SharedFamily { pointers, bytes, shared } = SharedFamily::new(2);
    SharedFamily {
        pointers: pointers.inlined(LAYOUT, [finish_put::<Pointer>, finish_get::<Pointer>]),
        bytes: bytes.inlined(LAYOUT, [finish_put::<Dense>, finish_get::<Dense>]),
        shared,
    }
};

/// The number of the layout in `include/queues_inline.h`. It changes with the layout, and with what
/// inlined calls have to do.
const LAYOUT: u8 = 1;

/// Ends an inlined put.
unsafe extern "C" fn finish_put<P: Exclusive>(
    queue: *mut c_void,
    _item: *mut *mut c_void,
) -> queues_status_t {
    // SAFETY: the handle brought this function along.
    status_of(|| unsafe { handle::queue_at::<Blocking<Spsc<P>>>(queue) }.finish_put())
}

/// Ends an inlined get.
unsafe extern "C" fn finish_get<P: Exclusive>(
    queue: *mut c_void,
    _item: *mut *mut c_void,
) -> queues_status_t {
    // SAFETY: the handle brought this function along.
    status_of(|| unsafe { handle::queue_at::<Blocking<Spsc<P>>>(queue) }.finish_get(()))
}

/// Creates a queue with one reference, which the caller owns. Takes all memory that the queue will
/// ever use.
///
/// Allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM, QUEUES_INVALID (also for an unknown struct_size, unknown flags,
/// options that exclude each other, and sizes whose product overflows)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_spsc_create(
    options: *const queues_spsc_options_t,
    queue: *mut *mut queues_spsc_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe {
        create(options, queue, |options, capacity, payload| {
            if options.attachments != 0 {
                return Err(Error::Invalid);
            }
            let checked = options.flags & QUEUES_SPSC_CHECKED != 0;
            match payload {
                PayloadChoice::Pointer(pointer) => {
                    let queue = Spsc::try_new(capacity, pointer)?;
                    SPSC.pointers.create(Blocking::new(queue), checked)
                }
                PayloadChoice::Bytes(bytes) => {
                    let queue = Spsc::try_new(capacity, Dense::new(bytes))?;
                    SPSC.bytes.create(Blocking::new(queue), checked)
                }
            }
        })
    }
}

/// Opens the queue of blobs in the file of fd, or creates it there if the file is empty. One
/// process puts and one gets, by the same functions as with any other queue.
///
/// fd is that of a memfd, of shm_open(), or of a regular file. It is open for reading and writing.
/// The caller keeps fd and may close it, because the queue opens the file again. Every process that
/// may open the file may use the queue. A field of the options that is 0 stands for the value in
/// the file, or for the default if the file is empty. There are no callbacks. Items that no call
/// gets stay in the file. QUEUES_SPSC_CHECKED applies to the threads of this handle.
///
/// The first call of a handle that puts, reserves or commits takes the role of the producer. The
/// first that gets, peeks or clears takes the role of the consumer. Meanwhile such calls of other
/// handles return QUEUES_MISUSE. The last release of the handle, or the death of its process, frees
/// the role for the next handle that calls. A suspended process keeps its role.
///
/// A process that is suspended or killed at any instruction makes no other process wait:
/// - A put or a commit that was killed has put its item whole, or not at all. Its reservation ends.
/// - A get, a consume or a clear that was killed has removed its item, or has left it in front.
///   Then the next consumer gets the item, which the dead one may have read already. The same holds
///   for an item that front returned.
/// - Nothing leaks, and QUEUES_FULL and QUEUES_EMPTY stay exact. The largest size in the statistics
///   may count an item whose put was killed.
/// - A thread that was woken and killed has used up the wake-up. Another one wakes within 200 ms.
///
/// Close, size, stats and capacity are for all processes. The first queues_poll(), readable_fd or
/// writable_fd starts a thread in this process, which sleeps until the queue changes. An item of
/// another process then takes one more context switch. The first call of a role, and a call that
/// returns QUEUES_MISUSE, makes a system call for each handle that is attached.
///
/// A forked child may not use the handle: its calls return QUEUES_INVALID. It opens the file
/// itself. Other processes are not trusted. What they write into the file may lose, change or delay
/// items and make any call return QUEUES_CORRUPT. It makes no call access other memory, and none
/// hang that does not wait. The bytes that front returned may change while they are read. A call
/// raises SIGBUS if a process has shrunk the file; the library seals a memfd against that. A
/// process that closes descriptors that it did not open, as close_range() does, counts as dead.
///
/// The call waits while another process creates the queue in the file.
///
/// Allocates. Any thread. The caller owns the reference. O(bytes of the file) for the process that
/// creates the queue, else O(attachments).
/// @return QUEUES_OK, QUEUES_NOMEM (memory, file system, descriptors or attachments are used up,
/// or forks of other threads overlap for a second),
/// QUEUES_CORRUPT (another process keeps changing the file), QUEUES_INVALID (also for a file that
/// is no such queue, that has other sizes than the options, that is shorter than its header states,
/// or that cannot be read and written; for callbacks; for an empty file without an item_size; and
/// on systems other than Linux)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_spsc_open_shared(
    options: *const queues_spsc_options_t,
    fd: c_int,
    queue: *mut *mut queues_spsc_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe {
        open_shared(options, queue, QUEUES_SPSC_CHECKED, |options| {
            let shared = SharedOptions {
                capacity: options.capacity,
                item_size: options.item_size,
                attachments: options.attachments,
                ..SharedOptions::default()
            };
            open_handle(fd, &shared, options.flags & QUEUES_SPSC_CHECKED != 0)
        })
    }
}

/// Opens a shared queue; returns a handle with one reference.
pub(super) fn open_handle(
    fd: c_int,
    options: &SharedOptions,
    checked: bool,
) -> Result<*mut c_void> {
    SPSC.shared.create(Blocking::new(Spsc::open(fd, options)?), checked)
}

/// Adds a reference, for another owner of the queue.
///
/// Wait-free. Any thread that holds a reference.
/// @return queue, or NULL if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_retain(queue: *mut queues_spsc_t) -> *mut queues_spsc_t {
    // SAFETY: the caller holds a reference.
    unsafe { common::retain(queue, SPSC.any(queue)) }
}

/// Drops a reference. The last release passes the items that are left to the drop callback and
/// frees the queue. NULL and handles of other families are ignored.
///
/// Wait-free except for the last release. Any thread that holds a reference; it must not use the
/// queue afterwards, unless it holds another reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_release(queue: *mut queues_spsc_t) {
    // SAFETY: the caller gives up its reference.
    unsafe { common::release(SPSC.any(queue)) }
}

/// Puts item at the back of the queue if there is room.
///
/// Wait-free. The producer. On QUEUES_OK the queue owns item, otherwise the caller keeps it.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID, QUEUES_MISUSE (checked queues)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_spsc_try_put(
    queue: *mut queues_spsc_t,
    item: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { SPSC.pointers.on(queue, Role::PUT, |queue| queue.try_put(&item, ())) })
}

/// Puts item at the back of the queue; waits up to timeout_ns for room.
///
/// May sleep; wait-free if timeout_ns is 0. The producer. On QUEUES_OK the queue owns item,
/// otherwise the caller keeps it.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID,
/// QUEUES_MISUSE (checked queues)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_spsc_put(
    queue: *mut queues_spsc_t,
    item: *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        SPSC.pointers.on(queue, Role::PUT, |queue| queue.put(&item, (), wait(timeout_ns)))
    })
}

/// Gets the item in front if there is one.
///
/// Wait-free. The consumer. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID, QUEUES_MISUSE
/// (checked queues)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_spsc_try_get(
    queue: *mut queues_spsc_t,
    item: *mut *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let item = place(item)?;
        SPSC.pointers.on(queue, Role::GET, |queue| queue.try_get(item))
    })
}

/// Gets the item in front; waits up to timeout_ns for one.
///
/// May sleep; wait-free if timeout_ns is 0. The consumer. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_INVALID, QUEUES_MISUSE (checked queues)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_spsc_get(
    queue: *mut queues_spsc_t,
    item: *mut *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let item = place(item)?;
        SPSC.pointers.on(queue, Role::GET, |queue| queue.get(item, wait(timeout_ns)))
    })
}

/// Copies the pointer in front to item and leaves it in the queue.
///
/// The item stays until the consumer gets it, so the pointer may be followed.
///
/// Wait-free. The consumer. The queue keeps the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID, QUEUES_MISUSE
/// (checked queues)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_peek(
    queue: *mut queues_spsc_t,
    item: *mut *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let item = place(item)?;
        SPSC.pointers.on(queue, Role::GET, |queue| queue.peek(item))
    })
}

/// Puts a copy of len bytes at the back of the queue if there is room. (NULL, 0) is an empty blob.
///
/// Wait-free. The producer. The caller keeps data.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID (also for len above item_size),
/// QUEUES_MISUSE (checked and shared queues)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_spsc_try_put_bytes(
    queue: *mut queues_spsc_t,
    data: *const c_void,
    len: usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        on_blobs!(SPSC, queue, Role::PUT, |queue| {
            queue.try_put(blob(data, len, queue.queue().payload().limit())?, ())
        })
    })
}

/// Puts a copy of len bytes at the back of the queue; waits up to timeout_ns for room. (NULL, 0) is
/// an empty blob.
///
/// May sleep; wait-free if timeout_ns is 0. The producer. The caller keeps data.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
/// (also for len above item_size), QUEUES_MISUSE (checked and shared queues)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_spsc_put_bytes(
    queue: *mut queues_spsc_t,
    data: *const c_void,
    len: usize,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        on_blobs!(SPSC, queue, Role::PUT, |queue| {
            queue.put(blob(data, len, queue.queue().payload().limit())?, (), wait(timeout_ns))
        })
    })
}

/// Gets the blob in front into buffer if there is one; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in front.
///
/// Wait-free. The consumer.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID,
/// QUEUES_MISUSE (checked and shared queues)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_spsc_try_get_bytes(
    queue: *mut queues_spsc_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive_blob(buffer, capacity, len, |blob| {
            on_blobs!(SPSC, queue, Role::GET, |queue| queue.try_get(blob))
        })
    })
}

/// Gets the blob in front into buffer; waits up to timeout_ns for one; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in front.
///
/// May sleep; wait-free if timeout_ns is 0. The consumer.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_TOO_SMALL, QUEUES_INVALID, QUEUES_MISUSE (checked and shared queues)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_spsc_get_bytes(
    queue: *mut queues_spsc_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive_blob(buffer, capacity, len, |blob| {
            on_blobs!(SPSC, queue, Role::GET, |queue| queue.get(blob, wait(timeout_ns)))
        })
    })
}

/// Copies the blob in front into buffer and leaves it in the queue; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity.
///
/// Wait-free. The consumer.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID,
/// QUEUES_MISUSE (checked and shared queues)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_peek_bytes(
    queue: *mut queues_spsc_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive_blob(buffer, capacity, len, |blob| {
            on_blobs!(SPSC, queue, Role::GET, |queue| queue.peek(blob))
        })
    })
}

/// Puts n pointers at the back of the queue, in order; waits up to timeout_ns for room for all of
/// them.
///
/// done becomes the number put, whatever the status, except on QUEUES_INVALID and QUEUES_MISUSE.
///
/// May sleep; wait-free if timeout_ns is 0. The producer. The queue owns the items that were put,
/// which are the first; the caller keeps the others.
/// @return QUEUES_OK (all n), QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED,
/// QUEUES_INVALID, QUEUES_MISUSE (checked queues)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_put_many(
    queue: *mut queues_spsc_t,
    items: *const *mut c_void,
    n: usize,
    timeout_ns: i64,
    done: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let done = non_null(done)?;
        check_many(items, n)?;
        SPSC.pointers.on(queue, Role::PUT, |queue| {
            write_progress(done, queue.put_many(items, n, wait(timeout_ns)))
        })
    })
}

/// Gets up to n pointers in order: waits up to timeout_ns for the first, then takes what is there.
///
/// done becomes the number got, whatever the status, except on QUEUES_INVALID and QUEUES_MISUSE.
///
/// May sleep; wait-free if timeout_ns is 0. The consumer. The caller owns the items that it got.
/// @return QUEUES_OK (at least one, or n is 0), QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0),
/// QUEUES_CLOSED (and empty), QUEUES_INVALID, QUEUES_MISUSE (checked queues)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_get_many(
    queue: *mut queues_spsc_t,
    items: *mut *mut c_void,
    n: usize,
    timeout_ns: i64,
    done: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let done = non_null(done)?;
        check_many(items, n)?;
        SPSC.pointers.on(queue, Role::GET, |queue| {
            write_progress(done, queue.get_many(items, n, wait(timeout_ns)))
        })
    })
}

/// Reserves room in the queue for a blob of up to item_size bytes; waits up to timeout_ns for room.
/// data becomes its address, aligned to 8.
///
/// The room may be written until commit. The producer's next put or reserve forgets the
/// reservation. Queues of blobs only.
///
/// May sleep; wait-free if timeout_ns is 0. The producer.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID,
/// QUEUES_MISUSE (checked and shared queues)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_spsc_reserve(
    queue: *mut queues_spsc_t,
    data: *mut *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let output = non_null(data)?;
        let room = on_blobs!(SPSC, queue, Role::PUT, |queue| {
            let data = queue.reserve(wait(timeout_ns))?.cast();
            Ok(InPlace { data, len: queue.queue().payload().limit() })
        })?;
        output.write(room.data);
        Ok(())
    })
}

/// Puts the first len bytes of the reserved room at the back of the queue.
///
/// On QUEUES_CLOSED the reservation is gone.
///
/// Wait-free. The producer.
/// @return QUEUES_OK, QUEUES_CLOSED, QUEUES_MISUSE (nothing is reserved; checked and shared
/// queues), QUEUES_INVALID (also for len above item_size)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_spsc_commit(
    queue: *mut queues_spsc_t,
    len: usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { on_blobs!(SPSC, queue, Role::COMMIT, |queue| queue.commit(len)) })
}

/// Finds the blob in front and leaves it in the queue; waits up to timeout_ns for one. data becomes
/// its address, aligned to 8, and len its length.
///
/// The blob may be read until consume, or until the consumer's next get or clear. Queues of blobs
/// only.
///
/// May sleep; wait-free if timeout_ns is 0. The consumer. The queue keeps the blob.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_INVALID, QUEUES_MISUSE (checked and shared queues)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_front(
    queue: *mut queues_spsc_t,
    data: *mut *const c_void,
    len: *mut usize,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let (output, len) = (non_null(data)?, non_null(len)?);
        let blob = on_blobs!(SPSC, queue, Role::GET, |queue| {
            let (data, len) = queue.front(wait(timeout_ns))?;
            Ok(InPlace { data: data.cast_mut().cast(), len })
        })?;
        output.write(blob.data);
        len.write(blob.len);
        Ok(())
    })
}

/// Removes the blob in front without copying it. Its bytes must not be used any more.
///
/// The drop callback is not called. Queues of blobs only.
///
/// Wait-free. The consumer.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID, QUEUES_MISUSE
/// (checked and shared queues)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_consume(queue: *mut queues_spsc_t) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { on_blobs!(SPSC, queue, Role::CONSUME, |queue| queue.consume()) })
}

/// Removes the items that are in the queue when the call begins and passes each to the drop
/// callback. count becomes their number.
///
/// The place of an item becomes free when its callback returns. Until then the item counts in size,
/// is_full and the statistics, but cannot be got.
///
/// Wait-free except for callbacks. The consumer.
/// @return QUEUES_OK, QUEUES_PANIC (count is not written), QUEUES_INVALID, QUEUES_MISUSE (checked
/// and shared queues)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_clear(
    queue: *mut queues_spsc_t,
    count: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::clear(SPSC.any(queue), count) }
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
pub unsafe extern "C" fn queues_spsc_readable_fd(
    queue: *mut queues_spsc_t,
    fd: *mut c_int,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::descriptor(SPSC.any(queue), fd, |queue| queue.readable_fd()) }
}

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be room for an item or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a call returns QUEUES_FULL. That call makes
/// the descriptor unreadable until there is room. The queue owns the descriptor. Otherwise as
/// queues_spsc_readable_fd().
///
/// From the first call on the library makes system calls in a call that returns QUEUES_FULL and in
/// the call that ends that state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_writable_fd(
    queue: *mut queues_spsc_t,
    fd: *mut c_int,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::descriptor(SPSC.any(queue), fd, |queue| queue.writable_fd()) }
}

/// Closes the queue: later puts return QUEUES_CLOSED; gets drain what is left, then return it, too.
///
/// Wakes all waiters. Closing again has no effect.
///
/// Wait-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_close(queue: *mut queues_spsc_t) -> queues_status_t {
    // SAFETY: the header's contract.
    common::close(unsafe { SPSC.any(queue) })
}

/// Returns whether the queue is closed.
///
/// It may still have items, and a put in flight may still succeed. Only QUEUES_CLOSED from a get
/// means that nothing more comes.
///
/// Wait-free. Any thread.
/// @return whether it is closed; true if the handle is invalid, because nothing can be put there
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_is_closed(queue: *const queues_spsc_t) -> bool {
    // SAFETY: the header's contract.
    common::is_closed(unsafe { SPSC.any(queue) })
}

/// Returns the number of items: a snapshot, never above the capacity.
///
/// Wait-free. Any thread.
/// @return the number of items; 0 if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_size(queue: *const queues_spsc_t) -> usize {
    // SAFETY: the header's contract.
    common::size(unsafe { SPSC.any(queue) })
}

/// Returns whether there is no item to get: a snapshot. The consumer may rely on false.
///
/// Wait-free. Any thread.
/// @return whether it is empty; true if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_is_empty(queue: *const queues_spsc_t) -> bool {
    // SAFETY: the header's contract.
    common::is_empty(unsafe { SPSC.any(queue) })
}

/// Returns whether there is no room to put: a snapshot. The producer may rely on false.
///
/// Wait-free. Any thread.
/// @return whether it is full; false if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_is_full(queue: *const queues_spsc_t) -> bool {
    // SAFETY: the header's contract.
    common::is_full(unsafe { SPSC.any(queue) })
}

/// Returns the largest number of items.
///
/// Wait-free. Any thread.
/// @return the capacity; 0 if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_capacity(queue: *const queues_spsc_t) -> usize {
    // SAFETY: the header's contract.
    common::capacity(unsafe { SPSC.any(queue) })
}

/// Returns the largest length of a blob in bytes, as in the options.
///
/// Wait-free. Any thread.
/// @return the item size; 0 if items are pointers or the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_item_size(queue: *const queues_spsc_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || unsafe { SPSC.item_size(queue) })
}

/// Writes a snapshot of the statistics to stats, whose struct_size must be set.
///
/// Wait-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_spsc_stats(
    queue: *const queues_spsc_t,
    stats: *mut queues_stats_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::stats(SPSC.any(queue), stats) }
}
