//! Statistics of every family: a structure that C programs read, and its text as JSON and for
//! Prometheus.

use super::arguments::{SizedStruct, check_buffer, check_many, non_null, read_sized};
use super::status::{queues_status_t, status_of};
use crate::error::{Error, Result};
use crate::stats::{Stats, write_prometheus};
use core::ffi::{CStr, c_char};

/// A snapshot of the statistics of a queue. Set struct_size before a call that writes it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_stats_t {
    /// sizeof(queues_stats_t).
    pub struct_size: usize,
    /// Items put since the queue was created.
    pub enqueued: u64,
    /// Items removed since the queue was created: by gets and by clear.
    pub dequeued: u64,
    /// Puts and pushes that failed for lack of room: QUEUES_FULL, QUEUES_TIMEOUT, and QUEUES_NOMEM
    /// of a growable deque. Not QUEUES_CLOSED.
    pub failed_enqueue: u64,
    /// Gets, pops and steals that failed for lack of an item: QUEUES_EMPTY, QUEUES_TIMEOUT. Not
    /// QUEUES_CLOSED, QUEUES_RETRY, peeks, and items that are not due.
    pub failed_dequeue: u64,
    /// Largest number of items in the queue, as its puts saw it: exact if calls do not overlap,
    /// never above the capacity.
    pub peak_size: u64,
    /// Items in the queue now.
    pub current_size: u64,
    /// Largest number of items that fit now.
    pub capacity: u64,
    /// Items that were stolen from a deque. They count as dequeued, too.
    pub stolen: u64,
    /// Handles in all processes that are attached to a shared queue now; 0 for other queues.
    pub attached: u64,
    /// Cells of a shared queue that were recovered from dead processes; 0 for other queues.
    pub recovered: u64,
}

// SAFETY: repr(C), size first, integers only.
unsafe impl SizedStruct for queues_stats_t {}

impl From<Stats> for queues_stats_t {
    fn from(stats: Stats) -> Self {
        Self {
            struct_size: size_of::<Self>(),
            enqueued: stats.enqueued,
            dequeued: stats.dequeued,
            failed_enqueue: stats.failed_enqueue,
            failed_dequeue: stats.failed_dequeue,
            peak_size: stats.peak_size,
            current_size: stats.current_size,
            capacity: stats.capacity,
            stolen: stats.stolen,
            attached: stats.attached,
            recovered: stats.recovered,
        }
    }
}

impl From<queues_stats_t> for Stats {
    fn from(stats: queues_stats_t) -> Self {
        Self {
            enqueued: stats.enqueued,
            dequeued: stats.dequeued,
            failed_enqueue: stats.failed_enqueue,
            failed_dequeue: stats.failed_dequeue,
            peak_size: stats.peak_size,
            current_size: stats.current_size,
            capacity: stats.capacity,
            stolen: stats.stolen,
            attached: stats.attached,
            recovered: stats.recovered,
        }
    }
}

/// Writes text into the caller's buffer as far as it fits, and counts all of it.
struct Buffer {
    start: *mut u8,
    capacity: usize,
    len: usize,
}

impl core::fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let room = self.capacity.saturating_sub(self.len).min(text.len());
        if room > 0 {
            // SAFETY: within the capacity of the buffer.
            unsafe { self.start.add(self.len).copy_from_nonoverlapping(text.as_ptr(), room) };
        }
        self.len += text.len();
        Ok(())
    }
}

/// Writes the text of `write` and a NUL into the buffer if it has room, and the length to `len`.
///
/// # Safety
/// `buffer` is null or has `capacity` bytes; `len` is null or an output.
unsafe fn write_text(
    buffer: *mut c_char,
    capacity: usize,
    len: *mut usize,
    write: impl Fn(&mut Buffer) -> core::fmt::Result,
) -> Result {
    let len = non_null(len)?;
    check_buffer(buffer, capacity)?;
    let write = |capacity| {
        let mut text = Buffer { start: buffer.cast(), capacity, len: 0 };
        write(&mut text).map(|()| text.len).map_err(|_| Error::Invalid)
    };
    let needed = write(0)?;
    // SAFETY: checked above.
    unsafe { len.write(needed) };
    if needed >= capacity {
        return Err(Error::TooSmall { needed });
    }
    write(capacity)?;
    // SAFETY: one byte after the text, within the buffer.
    unsafe { buffer.add(needed).write(0) };
    Ok(())
}

/// Writes statistics into a buffer as a JSON object, with a NUL at the end.
///
/// The keys are the names of the fields, without struct_size. len becomes the length without the
/// NUL, on QUEUES_TOO_SMALL, too: a buffer needs that and 1. A buffer that is too small is not
/// written; (NULL, 0) asks for the length.
///
/// Wait-free. Any thread.
/// @return QUEUES_OK, QUEUES_TOO_SMALL, QUEUES_INVALID (also for bytes of stats that the library
/// does not know and that are not 0)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_stats_json(
    stats: *const queues_stats_t,
    buffer: *mut c_char,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    status_of(|| {
        // SAFETY: the caller's structure, with its size.
        let stats = Stats::from(unsafe { read_sized(stats)? });
        // SAFETY: the header's contract.
        unsafe { write_text(buffer, capacity, len, |text| stats.write_json(text)) }
    })
}

/// Writes the statistics of n queues into a buffer in the text format of Prometheus (version
/// 0.0.4), with a NUL at the end.
///
/// stats is an array of n structures of one struct_size. names has their n values of the label
/// `queue`, in UTF-8; the function escapes them. Counters: queues_enqueued_total,
/// queues_dequeued_total, queues_failed_enqueue_total, queues_failed_dequeue_total,
/// queues_stolen_total. Gauges: queues_peak_size, queues_current_size, queues_capacity. Write all
/// queues of a page with one call, because the format allows only one description of a metric on a
/// page. buffer, capacity and len are as for queues_stats_json().
///
/// Wait-free. Any thread.
/// @return QUEUES_OK, QUEUES_TOO_SMALL, QUEUES_INVALID (also for a name that is NULL or not UTF-8,
/// for structures of different sizes, and for bytes of them that the library does not know and that
/// are not 0)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_stats_prometheus(
    stats: *const queues_stats_t,
    names: *const *const c_char,
    n: usize,
    buffer: *mut c_char,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    status_of(|| {
        check_many(stats, n)?;
        check_many(names, n)?;
        // SAFETY: an array of structures, each as large as the first states, and one of C strings.
        let queue = |i: usize| unsafe {
            let stride = stats.cast::<usize>().read();
            let at = stats.byte_add(i * stride);
            let name = names.add(i).read();
            if name.is_null() || !at.is_aligned() || at.cast::<usize>().read() != stride {
                return Err(Error::Invalid);
            }
            let name = CStr::from_ptr(name).to_str().map_err(|_| Error::Invalid)?;
            Ok((name, Stats::from(read_sized(at)?)))
        };
        // In order: the size of the first is checked before it is the stride of the others.
        (0..n).try_for_each(|i| queue(i).map(|_| ()))?;
        let queues = (0..n).filter_map(|i| queue(i).ok());
        // SAFETY: the header's contract.
        unsafe { write_text(buffer, capacity, len, |text| write_prometheus(queues.clone(), text)) }
    })
}
