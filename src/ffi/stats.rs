//! Statistics, for every family.

use super::arguments::{Sized_, read_sized, write_sized};
use super::status::{answer, given, put_out, queues_status_t};
use crate::error::{Error, Result};
use crate::stats::Stats;
use core::ffi::c_char;

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
    /// Puts that found the queue full: tries, and timed puts that ran out.
    pub failed_enqueue: u64,
    /// Gets that found the queue empty: tries, and timed gets that ran out.
    pub failed_dequeue: u64,
    /// The most items in the queue at once: exact while the calls of one thread follow one
    /// another, never more than the truth when threads race.
    pub peak_size: u64,
    /// Items in the queue.
    pub current_size: u64,
    /// The most items that fit.
    pub capacity: u64,
}

// SAFETY: repr(C), size first, integers only.
unsafe impl Sized_ for queues_stats_t {}

/// # Safety
/// `place` is null or a C caller's structure, with its size.
pub(super) unsafe fn write_stats(place: *mut queues_stats_t, stats: Stats) -> Result {
    let stats = queues_stats_t {
        struct_size: size_of::<queues_stats_t>(),
        enqueued: stats.enqueued,
        dequeued: stats.dequeued,
        failed_enqueue: stats.failed_enqueue,
        failed_dequeue: stats.failed_dequeue,
        peak_size: stats.peak_size,
        current_size: stats.current_size,
        capacity: stats.capacity,
    };
    // SAFETY: by contract.
    unsafe { write_sized(place, stats) }
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

/// Writes statistics as a JSON object into a buffer, with a NUL at its end.
///
/// The keys are the names of the structure's fields. *len becomes the length without the NUL, on
/// QUEUES_TOO_SMALL too; a buffer of *len + 1 bytes is large enough. Nothing is written into a
/// buffer that is too small; (NULL, 0) asks for the length.
/// Does not wait. Any thread.
/// Returns OK, TOO_SMALL, INVALID.
/// Since 0.1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn queues_stats_json(
    stats: *const queues_stats_t,
    buffer: *mut c_char,
    capacity: usize,
    len: *mut usize,
) -> queues_status_t {
    answer(|| {
        // SAFETY: the caller's structure, with its size.
        let stats = unsafe { read_sized(stats)? };
        let len = given(len)?;
        if buffer.is_null() && capacity > 0 {
            return Err(Error::Invalid);
        }
        let stats = Stats {
            enqueued: stats.enqueued,
            dequeued: stats.dequeued,
            failed_enqueue: stats.failed_enqueue,
            failed_dequeue: stats.failed_dequeue,
            peak_size: stats.peak_size,
            current_size: stats.current_size,
            capacity: stats.capacity,
        };
        let write = |capacity| {
            let mut text = Buffer { start: buffer.cast(), capacity, len: 0 };
            stats.write_json(&mut text).map(|()| text.len).map_err(|_| Error::Invalid)
        };
        let needed = write(0)?;
        // SAFETY: checked above.
        unsafe { put_out(len, needed) };
        if needed >= capacity {
            return Err(Error::TooSmall { needed });
        }
        write(capacity)?;
        // SAFETY: one byte after the text, within the buffer.
        unsafe { buffer.add(needed).write(0) };
        Ok(())
    })
}
