//! Statistics, for every family.

use super::arguments::{Sized_, read_sized, write_sized};
use super::status::{non_null, queues_status_t, status_of, write_out};
use crate::error::{Error, Result};
use crate::stats::{Stats, write_prometheus};
use core::ffi::{CStr, c_char};

/// A snapshot of a queue's statistics. Set struct_size to sizeof(queues_stats_t) before the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct queues_stats_t {
    /// The size of this structure as the caller knows it.
    pub struct_size: usize,
    /// Items put since the queue was created.
    pub enqueued: u64,
    /// Items taken (got or cleared) since the queue was created.
    pub dequeued: u64,
    /// Calls that put and found no room: tries, timed calls that ran out, and pushes for which a
    /// growable deque got no memory. Not those that found the queue closed.
    pub failed_enqueue: u64,
    /// Calls that get and found nothing: tries, and timed calls that ran out. Not those that found
    /// the queue closed, nor peeks, lost races and items that are not due.
    pub failed_dequeue: u64,
    /// The most items in the queue at once, as its puts saw it: exact while calls do not overlap,
    /// and never more than the capacity.
    pub peak_size: u64,
    /// Items in the queue.
    pub current_size: u64,
    /// The most items that fit.
    pub capacity: u64,
    /// Items that thieves took from a deque; they count as dequeued too.
    pub stolen: u64,
}

// SAFETY: repr(C), size first, integers only.
unsafe impl Sized_ for queues_stats_t {}

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
        }
    }
}

/// # Safety
/// `place` is null or a C caller's structure, with its size.
pub(super) unsafe fn write_stats(place: *mut queues_stats_t, stats: Stats) -> Result {
    // SAFETY: by contract.
    unsafe { write_sized(place, stats.into()) }
}

/// Text into a C caller's buffer, as far as it fits; counts all of it.
struct Buffer {
    start: *mut u8,
    capacity: usize,
    len: usize,
}

impl core::fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let room = self.capacity.saturating_sub(self.len).min(text.len());
        if room > 0 {
            // SAFETY: within the buffer, whose size the caller gave.
            unsafe { self.start.add(self.len).copy_from_nonoverlapping(text.as_ptr(), room) };
        }
        self.len += text.len();
        Ok(())
    }
}

/// Writes what `write` writes, and a NUL; *len becomes the length of the whole text.
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
    if buffer.is_null() && capacity > 0 {
        return Err(Error::Invalid);
    }
    let write = |capacity| {
        let mut text = Buffer { start: buffer.cast(), capacity, len: 0 };
        write(&mut text).map(|()| text.len).map_err(|_| Error::Invalid)
    };
    let needed = write(0)?;
    // SAFETY: checked above.
    unsafe { write_out(len, needed) };
    if needed >= capacity {
        return Err(Error::TooSmall { needed });
    }
    write(capacity)?;
    // SAFETY: one byte after the text, within the buffer.
    unsafe { buffer.add(needed).write(0) };
    Ok(())
}

/// Writes statistics as a JSON object into a buffer, with a NUL at its end.
///
/// The keys are the names of the structure's fields but struct_size. *len becomes the length without the NUL, on
/// QUEUES_TOO_SMALL too; a buffer of *len + 1 bytes is large enough. Nothing is written into a
/// buffer that is too small; (NULL, 0) asks for the length.
/// Does not wait. Any thread.
/// Returns OK, TOO_SMALL, INVALID (also fields beyond those that the library knows that are not 0).
/// Since 0.1.
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

/// Writes the statistics of n queues in Prometheus' text exposition format (version 0.0.4) into a
/// buffer, with a NUL at its end.
///
/// stats is an array, names says what the label `queue` of each is to be (UTF-8, escaped as the
/// format wants it). Counters: queues_enqueued_total, queues_dequeued_total,
/// queues_failed_enqueue_total, queues_failed_dequeue_total, queues_stolen_total; gauges:
/// queues_peak_size, queues_current_size, queues_capacity. All queues of a page belong into one
/// call: a metric may be described only once on it. *len and the buffer are as for
/// queues_stats_json.
/// Does not wait. Any thread.
/// Returns OK, TOO_SMALL, INVALID (also a name that is NULL or no UTF-8, structures of different
/// sizes, or fields beyond those that the library knows that are not 0). Since 0.1.
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
        if n > 0 && (stats.is_null() || names.is_null()) {
            return Err(Error::Invalid);
        }
        // SAFETY: an array of structures, each as large as the first says, and one of C strings.
        let queue = |i: usize| unsafe {
            let stride = stats.cast::<usize>().read_unaligned();
            let at = stats.byte_add(i * stride);
            let name = names.add(i).read_unaligned();
            if name.is_null() || at.cast::<usize>().read_unaligned() != stride {
                return Err(Error::Invalid);
            }
            let name = CStr::from_ptr(name).to_str().map_err(|_| Error::Invalid)?;
            Ok((name, Stats::from(read_sized(at)?)))
        };
        // In order: the size of the first is checked before it serves as the stride of others.
        (0..n).try_for_each(|i| queue(i).map(|_| ()))?;
        let queues = (0..n).filter_map(|i| queue(i).ok());
        // SAFETY: the header's contract.
        unsafe { write_text(buffer, capacity, len, |text| write_prometheus(queues.clone(), text)) }
    })
}
