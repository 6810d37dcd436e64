//! `queues_mpmc_*`: the bounded queue for any number of producers and consumers. Pointers are in
//! [`mpmc::Pointers`]; blobs are in [`mpmc::Indirect`], where they can be written and read in
//! place.

use super::arguments::{
    SizedStruct, blob, check_many, non_null, place, receive_blob, receive_if_ok, wait,
    write_progress,
};
use super::handle::{Role, SharedFamily, on_blobs};
use super::options::{Options, PayloadChoice, create, open_shared};
use super::race_detector::InPlace;
use super::stats::queues_stats_t;
use super::status::{queues_status_t, status_of, value_or};
use super::{common, queues_drop_bytes_t, queues_drop_t};
use crate::error::{Error, Result};
use crate::payload::Bytes;
use crate::queue::{SharedOptions, mpmc};
use crate::wait::Blocking;
use core::ffi::{c_int, c_void};

/// A bounded queue for any number of producers and consumers: first in, first out; linearizable.
///
/// | functions                                                | threads    | progress  |
/// |----------------------------------------------------------|------------|-----------|
/// | create, open_shared                                      | any thread | allocates |
/// | try_put, try_get, peek                                   | any thread | lock-free |
/// | try_put_bytes, try_get_bytes, peek_bytes                 | any thread | lock-free |
/// | put, put_bytes, put_many, reserve                        | any thread | may sleep; lock-free if timeout_ns is 0 |
/// | get, get_bytes, get_many, lease                          | any thread | may sleep; lock-free if timeout_ns is 0 |
/// | commit, cancel, settle, return                           | any thread | lock-free |
/// | close, is_closed, size, stats                            | any thread | lock-free |
/// | clear                                                    | any thread | lock-free except for callbacks |
/// | readable_fd, writable_fd                                 | any thread | the first call allocates |
/// | capacity, item_size                                      | any thread | wait-free |
/// | retain                                                   | any thread that holds a reference | wait-free |
/// | release                                                  | any thread that holds a reference | wait-free except for the last release |
///
/// A call returns QUEUES_FULL or QUEUES_EMPTY only if that was true at some moment of the call. A
/// queue of blobs has capacity + spare cells. QUEUES_FULL is exact in it while reservations, leases
/// and suspended calls hold at most spare cells together; beyond that, it may also mean that no
/// cell is free. In an empty queue capacity + spare cells can be reserved.
///
/// Each call is O(1), except put_many and get_many, which are O(n), and clear, which is O(items).
///
/// Blobs in place: reserve, write, then commit or cancel; lease, read or write, then settle or
/// return. commit, cancel, settle and return take the address that reserve or lease wrote. With any
/// other address they return QUEUES_MISUSE and change nothing: one that was committed, canceled,
/// settled or returned before, one inside a blob, one of another queue. If the cell was given out
/// again since, the address is that of the new holder. If several of these calls with one address
/// run at the same time, one succeeds and the others return QUEUES_MISUSE. An address is valid
/// while the caller holds a reference. The last release forgets reservations, passes leased blobs
/// to the drop callback, and frees all cells.
///
/// The ring is new; its ancestors are Shann, Huang and Chen 2000 (as corrected by Colvin and Groves
/// 2005) and Tsigas and Zhang 2001.
#[cfg_attr(unix, repr(C))] // by a condition, which cbindgen skips: to C the type is incomplete
pub struct queues_mpmc_t {
    _opaque: [u8; 0],
}

/// Options of queues_mpmc_create() and queues_mpmc_open_shared(). Set struct_size; leave unused
/// fields 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_mpmc_options_t {
    /// sizeof(queues_mpmc_options_t).
    pub struct_size: usize,
    /// Largest number of items, exact; 0: 1000.
    pub capacity: usize,
    /// Largest length of a blob in bytes; 0: items are pointers.
    pub item_size: usize,
    /// 0, or QUEUES_REDELIVER for queues_mpmc_open_shared().
    pub flags: u64,
    /// Called for each item that no call gets; NULL: nothing is called.
    pub drop: queues_drop_t,
    /// First argument of drop and drop_bytes.
    pub drop_ctx: *mut c_void,
    /// As drop, with the length of the blob; needs an item_size. Setting drop, too, is
    /// QUEUES_INVALID.
    pub drop_bytes: queues_drop_bytes_t,
    /// Number of cells for blobs beyond the capacity, of item_size bytes each, for reservations,
    /// leases and suspended calls; 0: 64. Needs an item_size.
    pub spare: usize,
    /// Largest number of handles that are attached to a shared queue at once, in all processes
    /// together; 0: 64; 4096 at most. For queues_mpmc_open_shared() only.
    pub attachments: usize,
}

// SAFETY: repr(C), size first; a null callback is None.
unsafe impl SizedStruct for queues_mpmc_options_t {}
// SAFETY: begins with the common fields.
unsafe impl Options for queues_mpmc_options_t {
    const DEFAULT_CAPACITY: usize = 1000;
    fn drop_bytes(&self) -> queues_drop_bytes_t {
        self.drop_bytes
    }
}

type Pointers = Blocking<mpmc::Pointers>;
type Blobs = Blocking<mpmc::Indirect<Bytes>>;
#[cfg(queues_shared)]
type SharedBlobs = Blocking<mpmc::Indirect<Bytes, mpmc::Shared>>;
/// There are none on this system.
#[cfg(not(queues_shared))]
type SharedBlobs = Blobs;
pub(super) const MPMC: SharedFamily<Pointers, Blobs, SharedBlobs> = SharedFamily::new(1);

/// Opens a shared queue; returns a handle with one reference.
pub(super) fn open_handle(fd: c_int, options: &SharedOptions) -> Result<*mut c_void> {
    MPMC.shared.create(Blocking::new(mpmc::Indirect::open(fd, options)?), false)
}

/// Flag of a shared queue: an item that a process held when it died is redelivered, at the back of
/// the queue. Without the flag the item is lost.
pub const QUEUES_REDELIVER: u64 = 2;

/// Creates a queue with one reference, which the caller owns. Takes all memory that the queue will
/// ever use.
///
/// Allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM, QUEUES_INVALID (also for an unknown struct_size, unknown flags,
/// options that exclude each other, and sizes whose product overflows)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_create(
    options: *const queues_mpmc_options_t,
    queue: *mut *mut queues_mpmc_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe {
        create(options, queue, |options, capacity, payload| match payload {
            _ if options.attachments != 0 => Err(Error::Invalid),
            PayloadChoice::Pointer(_) if options.spare != 0 => Err(Error::Invalid),
            PayloadChoice::Pointer(pointer) => {
                let queue = mpmc::Pointers::try_new(capacity, pointer)?;
                MPMC.pointers.create(Blocking::new(queue), false)
            }
            PayloadChoice::Bytes(bytes) => {
                let spare = if options.spare == 0 { mpmc::SPARE } else { options.spare };
                let queue = mpmc::Indirect::with_spare(capacity, spare, bytes)?;
                MPMC.bytes.create(Blocking::new(queue), false)
            }
        })
    }
}

/// Opens the queue of blobs in the file of fd, or creates it there if the file is empty. Every
/// process that opens the file uses the same queue, by the same functions as any other queue.
///
/// fd is that of a memfd, of shm_open(), or of a regular file. It is open for reading and writing.
/// The caller keeps fd and may close it, because the queue opens the file again. Every process that
/// may open the file may use the queue. A field of the options that is 0 stands for the value in
/// the file, or for the default if the file is empty. There are no callbacks. Items that no call
/// gets stay in the file.
///
/// A process that is suspended or killed at any instruction makes no other process wait:
/// - A put that was killed has put its item whole, or not at all.
/// - A get or a lease that was killed has taken its item, which is lost. With QUEUES_REDELIVER the
///   item is redelivered at the back of the queue, unless the queue is closed or the get had
///   already copied it. To lose no item, lease it, and settle the lease when the work is done.
/// - Cells that a dead process held are recovered when a process finds no free cell, opens the
///   queue, or has waited for 200 ms. Until then they are spare cells in use.
/// - A thread that was woken and killed has used up the wake-up. Another one wakes within 200 ms.
///
/// Close, size, stats and capacity are for all processes. The first queues_poll(), readable_fd or
/// writable_fd starts a thread in this process, which sleeps until the queue changes. An item of
/// another process then takes one more context switch. Leases and reservations belong to the
/// handle. 16 to 32 threads of a handle can be inside calls at once; a further thread yields until
/// one leaves.
///
/// A forked child may not use the handle: its calls return QUEUES_INVALID. It opens the file
/// itself. Other processes are not trusted. What they write into the file may lose, change or delay
/// items and make any call return QUEUES_CORRUPT. It makes no call access other memory, and none
/// hang that does not wait. A call raises SIGBUS if a process has shrunk the file; the library
/// seals a memfd against that. A process that closes descriptors that it did not open, as
/// close_range() does, counts as dead.
///
/// The call waits while another process creates the queue in the file. capacity and spare together
/// are at most 2,147,483,648.
///
/// Allocates. Any thread. The caller owns the reference. O(bytes of the file) for the process that
/// creates the queue, else O(cells + attachments).
/// @return QUEUES_OK, QUEUES_NOMEM (memory, file system, descriptors or attachments are used up,
/// or forks of other threads overlap for a second),
/// QUEUES_CORRUPT (another process keeps changing the file),
/// QUEUES_INVALID (also for a file that is no such queue, that has other sizes or flags than the
/// options, that is shorter than its header states, or that cannot be read and written; for
/// callbacks; for an empty file without an item_size; and on systems other than Linux)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_open_shared(
    options: *const queues_mpmc_options_t,
    fd: c_int,
    queue: *mut *mut queues_mpmc_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe {
        open_shared(options, queue, QUEUES_REDELIVER, |options| {
            let options = SharedOptions {
                capacity: options.capacity,
                item_size: options.item_size,
                spare: options.spare,
                attachments: options.attachments,
                redelivers: options.flags & QUEUES_REDELIVER != 0,
            };
            open_handle(fd, &options)
        })
    }
}

/// Adds a reference, for another owner of the queue.
///
/// Wait-free. Any thread that holds a reference.
/// @return queue, or NULL if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_retain(queue: *mut queues_mpmc_t) -> *mut queues_mpmc_t {
    // SAFETY: the caller holds a reference.
    unsafe { common::retain(queue, MPMC.any(queue)) }
}

/// Drops a reference. The last release passes the items that are left to the drop callback and
/// frees the queue. NULL and handles of other families are ignored.
///
/// Wait-free except for the last release. Any thread that holds a reference; it must not use the
/// queue afterwards, unless it holds another reference.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_release(queue: *mut queues_mpmc_t) {
    // SAFETY: the caller gives up its reference.
    unsafe { common::release(MPMC.any(queue)) }
}

/// Puts item at the back of the queue if there is room.
///
/// Lock-free. Any thread. On QUEUES_OK the queue owns item, otherwise the caller keeps it.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_try_put(
    queue: *mut queues_mpmc_t,
    item: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe { MPMC.pointers.on(queue, Role::PUT, |queue| queue.try_put(&item, ())) })
}

/// Puts item at the back of the queue; waits up to timeout_ns for room.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. On QUEUES_OK the queue owns item, otherwise
/// the caller keeps it.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_put(
    queue: *mut queues_mpmc_t,
    item: *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        MPMC.pointers.on(queue, Role::PUT, |queue| queue.put(&item, (), wait(timeout_ns)))
    })
}

/// Gets the item in front if there is one.
///
/// Lock-free. Any thread. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_try_get(
    queue: *mut queues_mpmc_t,
    item: *mut *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let item = place(item)?;
        MPMC.pointers.on(queue, Role::GET, |queue| queue.try_get(item))
    })
}

/// Gets the item in front; waits up to timeout_ns for one.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. On QUEUES_OK the caller owns the item.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_get(
    queue: *mut queues_mpmc_t,
    item: *mut *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let item = place(item)?;
        MPMC.pointers.on(queue, Role::GET, |queue| queue.get(item, wait(timeout_ns)))
    })
}

/// Copies the pointer in front to item and leaves it in the queue.
///
/// Another consumer may get the item at any moment and free what it points to. Follow the pointer
/// only if the program rules that out.
///
/// Lock-free. Any thread. The queue keeps the item.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_peek(
    queue: *mut queues_mpmc_t,
    item: *mut *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive_if_ok(item, |item| MPMC.pointers.on(queue, Role::GET, |queue| queue.peek(item)))
    })
}

/// Puts a copy of len bytes at the back of the queue if there is room. (NULL, 0) is an empty blob.
///
/// Lock-free. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_INVALID (also for len above item_size)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_try_put_bytes(
    queue: *mut queues_mpmc_t,
    data: *const c_void,
    len: usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        on_blobs!(MPMC, queue, Role::PUT, |queue| {
            queue.try_put(blob(data, len, queue.queue().payload().limit())?, ())
        })
    })
}

/// Puts a copy of len bytes at the back of the queue; waits up to timeout_ns for room. (NULL, 0) is
/// an empty blob.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. The caller keeps data.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED, QUEUES_INVALID
/// (also for len above item_size)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_put_bytes(
    queue: *mut queues_mpmc_t,
    data: *const c_void,
    len: usize,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        on_blobs!(MPMC, queue, Role::PUT, |queue| {
            queue.put(blob(data, len, queue.queue().payload().limit())?, (), wait(timeout_ns))
        })
    })
}

/// Gets the blob in front into buffer if there is one; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in front.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_try_get_bytes(
    queue: *mut queues_mpmc_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive_blob(buffer, capacity, len, |blob| {
            on_blobs!(MPMC, queue, Role::GET, |queue| queue.try_get(blob))
        })
    })
}

/// Gets the blob in front into buffer; waits up to timeout_ns for one; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity, and the blob stays in front.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_TOO_SMALL, QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_get_bytes(
    queue: *mut queues_mpmc_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive_blob(buffer, capacity, len, |blob| {
            on_blobs!(MPMC, queue, Role::GET, |queue| queue.get(blob, wait(timeout_ns)))
        })
    })
}

/// Copies the blob in front into buffer and leaves it in the queue; len becomes its length.
///
/// On QUEUES_TOO_SMALL len becomes the needed capacity. Whatever the status, buffer may hold parts
/// of blobs that other threads took during the call.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_EMPTY, QUEUES_CLOSED (and empty), QUEUES_TOO_SMALL, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_peek_bytes(
    queue: *mut queues_mpmc_t,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        receive_blob(buffer, capacity, len, |blob| {
            on_blobs!(MPMC, queue, Role::GET, |queue| queue.peek(blob))
        })
    })
}

/// Puts n pointers at the back of the queue, in order; waits up to timeout_ns for room for all of
/// them.
///
/// done becomes the number put, whatever the status, except on QUEUES_INVALID. Items of other
/// producers may come between them.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. The queue owns the items that were put,
/// which are the first; the caller keeps the others.
/// @return QUEUES_OK (all n), QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0), QUEUES_CLOSED,
/// QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_put_many(
    queue: *mut queues_mpmc_t,
    items: *const *mut c_void,
    n: usize,
    timeout_ns: i64,
    done: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let done = non_null(done)?;
        check_many(items, n)?;
        MPMC.pointers.on(queue, Role::PUT, |queue| {
            write_progress(done, queue.put_many(items, n, wait(timeout_ns)))
        })
    })
}

/// Gets up to n pointers in order: waits up to timeout_ns for the first, then takes what is there.
///
/// done becomes the number got, whatever the status, except on QUEUES_INVALID.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. The caller owns the items that it got.
/// @return QUEUES_OK (at least one, or n is 0), QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0),
/// QUEUES_CLOSED (and empty), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_get_many(
    queue: *mut queues_mpmc_t,
    items: *mut *mut c_void,
    n: usize,
    timeout_ns: i64,
    done: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let done = non_null(done)?;
        check_many(items, n)?;
        MPMC.pointers.on(queue, Role::GET, |queue| {
            write_progress(done, queue.get_many(items, n, wait(timeout_ns)))
        })
    })
}

/// Reserves a cell for a blob of up to item_size bytes; waits up to timeout_ns for room. data
/// becomes the address of the cell, aligned to 8.
///
/// The cell may be written until commit or cancel, by any thread whose writes happen before that
/// call. A caller may hold several reservations. There must be room at one moment of the call, but
/// a reservation takes no place in the queue; commit does. Queues of blobs only.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. On QUEUES_OK the caller owns the cell.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_FULL (timeout_ns is 0; no room or no free cell),
/// QUEUES_CLOSED, QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_reserve(
    queue: *mut queues_mpmc_t,
    data: *mut *mut c_void,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let output = non_null(data)?;
        let cell = on_blobs!(MPMC, queue, Role::RESERVE, |queue| {
            let data = queue.reserve(wait(timeout_ns))?;
            Ok(InPlace { data, len: queue.queue().payload().limit() })
        })?;
        output.write(cell.data);
        Ok(())
    })
}

/// Puts the first len bytes of a reserved cell at the back of the queue.
///
/// The other bytes are lost. On QUEUES_FULL, QUEUES_CLOSED and QUEUES_INVALID the cell stays
/// reserved with its bytes: commit again, or cancel. commit does not wait for room; to wait, call
/// queues_mpmc_put_bytes() with the reserved cell as its data, then cancel.
///
/// Lock-free. Any thread. On QUEUES_OK the queue owns the cell.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_MISUSE (data is not reserved),
/// QUEUES_INVALID (also for data NULL and for len above item_size)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_commit(
    queue: *mut queues_mpmc_t,
    data: *mut c_void,
    len: usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let data = non_null(data)?;
        on_blobs!(MPMC, queue, Role::COMMIT, |queue| queue.commit(data, len))
    })
}

/// Ends a reservation without a put. Works on a closed queue, too.
///
/// Lock-free. Any thread. On QUEUES_OK the queue owns the cell.
/// @return QUEUES_OK, QUEUES_MISUSE (data is not reserved), QUEUES_INVALID (also for data NULL)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_cancel(
    queue: *mut queues_mpmc_t,
    data: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let data = non_null(data)?;
        on_blobs!(MPMC, queue, Role::CONSUME, |queue| queue.cancel(data))
    })
}

/// Removes the blob in front and leaves it in its cell; waits up to timeout_ns for one. data
/// becomes the address of the cell, aligned to 8, and len the length of the blob.
///
/// The caller may read and write the item_size bytes of the cell until settle or return. The blob
/// is out of the queue: it does not count in size, its place is free, no other consumer gets it and
/// clear does not find it. A caller may hold several leases. Queues of blobs only.
///
/// May sleep; lock-free if timeout_ns is 0. Any thread. On QUEUES_OK the caller holds a lease on
/// the blob. If it neither settles nor returns it, the last release passes it to the drop callback.
/// @return QUEUES_OK, QUEUES_TIMEOUT, QUEUES_EMPTY (timeout_ns is 0), QUEUES_CLOSED (and empty),
/// QUEUES_INVALID
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_lease(
    queue: *mut queues_mpmc_t,
    data: *mut *mut c_void,
    len: *mut usize,
    timeout_ns: i64,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let (output, len) = (non_null(data)?, non_null(len)?);
        let (cell, length) = on_blobs!(MPMC, queue, Role::GET, |queue| {
            let (data, length) = queue.lease(wait(timeout_ns))?;
            // The caller may write all of the cell.
            Ok((InPlace { data, len: queue.queue().payload().limit() }, length))
        })?;
        output.write(cell.data);
        len.write(length);
        Ok(())
    })
}

/// Ends a lease and frees the cell. The drop callback is not called. Works on a closed queue, too.
///
/// Lock-free. Any thread. On QUEUES_OK the queue owns the cell.
/// @return QUEUES_OK, QUEUES_MISUSE (data is not leased), QUEUES_INVALID (also for data NULL)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_settle(
    queue: *mut queues_mpmc_t,
    data: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let data = non_null(data)?;
        on_blobs!(MPMC, queue, Role::CONSUME, |queue| queue.settle(data))
    })
}

/// Puts a leased blob at the back of the queue, with its length and the bytes that the cell has
/// now.
///
/// It is a put like any other and counts as enqueued again. On QUEUES_FULL and QUEUES_CLOSED the
/// blob stays leased: return it again, or settle it. A closed queue takes no blob back.
///
/// Lock-free. Any thread. On QUEUES_OK the queue owns the blob.
/// @return QUEUES_OK, QUEUES_FULL, QUEUES_CLOSED, QUEUES_MISUSE (data is not leased),
/// QUEUES_INVALID (also for data NULL)
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn queues_mpmc_return(
    queue: *mut queues_mpmc_t,
    data: *mut c_void,
) -> queues_status_t {
    // SAFETY: the header's contract.
    status_of(|| unsafe {
        let data = non_null(data)?;
        on_blobs!(MPMC, queue, Role::COMMIT, |queue| queue.put_back(data))
    })
}

/// Removes the items that are in the queue when the call begins and passes each to the drop
/// callback. count becomes their number.
///
/// An item is out of the queue and its place is free before its callback runs.
///
/// Lock-free except for callbacks. Any thread.
/// @return QUEUES_OK, QUEUES_PANIC (count is not written), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_clear(
    queue: *mut queues_mpmc_t,
    count: *mut usize,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::clear(MPMC.any(queue), count) }
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
pub unsafe extern "C" fn queues_mpmc_readable_fd(
    queue: *mut queues_mpmc_t,
    fd: *mut c_int,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::descriptor(MPMC.any(queue), fd, |queue| queue.readable_fd()) }
}

/// Writes a descriptor to fd, for poll, epoll and event loops. The descriptor is readable while
/// there may be room for an item or the queue is closed.
///
/// Level-triggered: the descriptor stays readable until a call returns QUEUES_FULL. That call makes
/// the descriptor unreadable until there is room. The queue owns the descriptor. Otherwise as
/// queues_mpmc_readable_fd().
///
/// From the first call on the library makes system calls in a call that returns QUEUES_FULL and in
/// the call that ends that state. The first call allocates. Any thread.
/// @return QUEUES_OK, QUEUES_NOMEM (no memory or no descriptor is left), QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_writable_fd(
    queue: *mut queues_mpmc_t,
    fd: *mut c_int,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::descriptor(MPMC.any(queue), fd, |queue| queue.writable_fd()) }
}

/// Closes the queue: later puts return QUEUES_CLOSED; gets drain what is left, then return it, too.
///
/// Wakes all waiters. Closing again has no effect.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_close(queue: *mut queues_mpmc_t) -> queues_status_t {
    // SAFETY: the header's contract.
    common::close(unsafe { MPMC.any(queue) })
}

/// Returns whether the queue is closed. It may still have items.
///
/// Lock-free. Any thread.
/// @return whether it is closed; true if the handle is invalid, because nothing can be put there
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_is_closed(queue: *const queues_mpmc_t) -> bool {
    // SAFETY: the header's contract.
    common::is_closed(unsafe { MPMC.any(queue) })
}

/// Returns the number of items: a snapshot, never above the capacity.
///
/// Lock-free. Any thread.
/// @return the number of items; 0 if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_size(queue: *const queues_mpmc_t) -> usize {
    // SAFETY: the header's contract.
    common::size(unsafe { MPMC.any(queue) })
}

/// Returns the largest number of items.
///
/// Wait-free. Any thread.
/// @return the capacity; 0 if the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_capacity(queue: *const queues_mpmc_t) -> usize {
    // SAFETY: the header's contract.
    common::capacity(unsafe { MPMC.any(queue) })
}

/// Returns the largest length of a blob in bytes, as in the options.
///
/// Wait-free. Any thread.
/// @return the item size; 0 if items are pointers or the handle is invalid
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_item_size(queue: *const queues_mpmc_t) -> usize {
    // SAFETY: the header's contract.
    value_or(0, || unsafe { MPMC.item_size(queue) })
}

/// Writes a snapshot of the statistics to stats, whose struct_size must be set.
///
/// Lock-free. Any thread.
/// @return QUEUES_OK, QUEUES_INVALID
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_mpmc_stats(
    queue: *const queues_mpmc_t,
    stats: *mut queues_stats_t,
) -> queues_status_t {
    // SAFETY: the header's contract.
    unsafe { common::stats(MPMC.any(queue), stats) }
}
