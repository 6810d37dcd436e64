use super::{Blocking, Wait};
use crate::error::{Error, Result};
use crate::payload::{Bytes, Payload, Pointer, Typed};
use crate::queue::Queue;
use crate::queue::batch::{Batch, Patience};
use core::ffi::c_void;
use core::mem::MaybeUninit;
use core::ops::ControlFlow::{Break, Continue};

/// Which batches a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// One that is due now: else [`Error::Empty`]. Does not wait.
    Due,
    /// The next that is due, or whatever there is when this time is over.
    Within(Wait),
}

/// Where a blob of a batch lies in the buffer of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(C)]
pub struct Blob {
    /// Where it begins.
    pub offset: usize,
    /// How many bytes it has.
    pub length: usize,
}

impl<P: Payload> Blocking<Batch<P>> {
    /// Makes everything that is there due.
    pub fn flush(&self) {
        self.queue().flush();
        self.waiting.not_empty.notify(1);
    }

    /// Takes a batch as [`Batch::take`] does, waiting for one.
    fn take_batch(
        &self,
        wanted: Wanted,
        most: usize,
        room: usize,
        measure: impl Fn(&P, *const u8) -> usize,
        mut keep: impl FnMut(usize, u64),
    ) -> Result<usize> {
        if most == 0 {
            return Ok(0);
        }
        let mut take = |patience| self.queue().take(patience, most, room, &measure, &mut keep);
        let taken = match wanted {
            Wanted::Due => match take(Patience::None) {
                Break(taken) => taken,
                Continue(_) => self.count_failed_get(Error::Empty),
            },
            Wanted::Within(wait) => {
                let end = wait.deadline();
                let mut take = || take(Patience::Until(end));
                match take() {
                    Break(taken) => taken,
                    Continue(_) if wait == Wait::No => self.count_failed_get(Error::Empty),
                    Continue(_) => (self.waiting.not_empty.wait(end, take))
                        .unwrap_or_else(|| self.count_failed_get(Error::Timeout)),
                }
            }
        };
        if let Err(Error::TooSmall { .. }) = taken {
            self.waiting.not_empty.notify(1);
        }
        taken
    }

    /// After a batch was taken and its cells are free: there is room, and who slept for the items
    /// that are left may have been this thread.
    fn after_batch(&self, count: usize) {
        if count > 0 {
            self.waiting.not_full.notify(count);
            if !self.queue().is_empty() {
                self.waiting.not_empty.notify(1);
            }
        }
    }
}

impl Blocking<Batch<Pointer>> {
    /// Takes a batch into `items`, of as many at most; returns how many.
    ///
    /// # Safety
    /// `most` pointers may be written at `items`.
    pub unsafe fn get_batch(
        &self,
        items: *mut *mut c_void,
        most: usize,
        wanted: Wanted,
    ) -> Result<usize> {
        // First the numbers of the cells stand in the items' places.
        let keep = |i, cell| {
            // SAFETY: no more than `most` are kept.
            unsafe { items.add(i).write(core::ptr::without_provenance_mut(cell as usize)) };
        };
        let count = self.take_batch(wanted, most, 0, |_, _| 0, keep)?;
        for i in 0..count {
            // SAFETY: written above; the cell is ours.
            unsafe {
                let place = items.add(i);
                let cell = (*place).addr() as u64;
                self.queue().finish(cell, |payload, at| payload.read(at, &mut *place));
            }
        }
        self.after_batch(count);
        Ok(count)
    }
}

impl Blocking<Batch<Bytes>> {
    /// Takes a batch of blobs, one behind the other, into a buffer with this room, and where each
    /// lies into `blobs`, of as many at most; returns how many there are, and their bytes.
    ///
    /// # Safety
    /// `room` bytes may be written at `buffer` and `most` places at `blobs`.
    pub unsafe fn get_batch(
        &self,
        (buffer, room): (*mut u8, usize),
        (blobs, most): (*mut Blob, usize),
        wanted: Wanted,
    ) -> Result<(usize, usize)> {
        // First the numbers of the cells stand for the offsets.
        let keep = |i, cell| {
            // SAFETY: no more than `most` are kept.
            unsafe { blobs.add(i).write(Blob { offset: cell as usize, length: 0 }) };
        };
        // SAFETY: nobody takes or changes the cell while it is measured.
        let measure = |payload: &Bytes, at| unsafe { payload.len(at) };
        let count = self.take_batch(wanted, most, room, measure, keep)?;
        let mut offset = 0;
        for i in 0..count {
            // SAFETY: written above; the cell is ours, and all blobs together fit the buffer.
            unsafe {
                let blob = &mut *blobs.add(i);
                self.queue().finish(blob.offset as u64, |payload, at| {
                    let length = payload.len(at);
                    *blob = Blob { offset, length };
                    let mut out = crate::payload::Received::new(buffer.add(offset), length);
                    payload.read(at, &mut out);
                });
                offset += blob.length;
            }
        }
        self.after_batch(count);
        Ok((count, offset))
    }
}

impl<T: Send> Blocking<Batch<Typed<T>>> {
    /// Takes a batch of at most `most` values into `values`, behind what is there.
    pub fn get_batch(&self, values: &mut Vec<T>, most: usize, wanted: Wanted) -> Result<usize> {
        let mut cells = vec![0; most.min(self.queue().size())];
        let count = self.take_batch(wanted, most, 0, |_, _| 0, |i, cell| cells[i] = cell)?;
        values.reserve(count);
        for &cell in &cells[..count] {
            let mut value = MaybeUninit::uninit();
            // SAFETY: the cell is ours; its value is read once.
            unsafe {
                self.queue().finish(cell, |payload, at| payload.read(at, &mut value));
                values.push(value.assume_init());
            }
        }
        self.after_batch(count);
        Ok(count)
    }
}
