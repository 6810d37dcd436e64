//! Blobs written and read where they lie. A caller may hold a cell for as long as it likes, because
//! the rings know nothing of a cell that is in neither of them.
//!
//! # Idea
//! A reservation is a free cell that was not put yet; a lease is a filled cell that was not freed
//! yet. Commit is the put of the one, settle the end of the get of the other, and a return is a put
//! of a leased cell. Callers name a cell by its address. The two top bits of its length word say
//! whether it is reserved or leased. Every call first clears them by one compare-and-swap: of two
//! calls with one address one owns the cell, the other reports [`Error::Misuse`]. A plain put writes
//! the whole word, so the bits cost it nothing.
//!
//! # Places
//! A reservation holds a cell but no place in the queue. Commit takes the place, and may find the
//! queue full or closed, which leaves the cell reserved (`docs/decisions/013-leases.md` says why). A
//! lease gives up its place at once.
//!
//! # Linearization
//! Reserve where it finds room; commit and return where they push to the ring of filled cells, lease
//! where it pops from it; what they report otherwise is the ring's.
//!
//! # Progress
//! Lock-free in the strict sense. A thread that stops in one of the calls keeps its cell, as in a
//! put.

use super::Indirect;
use crate::error::{Error, Result};
use crate::payload::{Bytes, Payload};
use crate::sync::{AtomicU64, Relaxed, site};
use core::ffi::c_void;

/// In a length word: a producer writes in the cell.
const RESERVED: u64 = 1 << 62;
/// In a length word: a consumer got the item and has not settled it.
const LEASED: u64 = 1 << 63;
const MARKS: u64 = RESERVED | LEASED;

impl Indirect<Bytes> {
    /// A cell to write a blob of up to the limit in; [`Error::Full`] and [`Error::Closed`] as a put.
    pub fn reserve(&self) -> Result<*mut c_void> {
        self.filled.had_room()?;
        let Ok((cell, _)) = self.free.pop() else {
            return Err(Error::Full);
        };
        self.mark(cell, RESERVED);
        Ok(self.address(cell))
    }

    /// Puts the first `len` bytes of a reservation. [`Error::Full`], [`Error::Closed`] and, for a
    /// length above the limit, [`Error::Invalid`] leave it reserved; [`Error::Misuse`] if it is none.
    pub fn commit(&self, data: *mut c_void, len: usize) -> Result {
        if len > self.payload().limit() {
            return Err(Error::Invalid);
        }
        let (cell, _) = self.claim(data, RESERVED)?;
        // SAFETY: claimed: the cell is this call's own.
        unsafe { self.cells.own(cell as usize, |bytes, at| bytes.set_len(at, len)) };
        self.append(cell, RESERVED)
    }

    /// Ends a reservation without a put; [`Error::Misuse`] if it is none.
    pub fn cancel(&self, data: *mut c_void) -> Result {
        let (cell, _) = self.claim(data, RESERVED)?;
        self.give_back(cell);
        Ok(())
    }

    /// Takes the front item out of the queue and leaves it in its cell; its address and length.
    pub fn lease(&self) -> Result<(*mut c_void, usize)> {
        let (cell, _) = self.filled.pop()?;
        // SAFETY: we own the cell: its number is in neither ring any more.
        let len = unsafe { self.cells.own(cell as usize, |bytes, at| bytes.len(at)) };
        self.mark(cell, LEASED | len as u64);
        Ok((self.address(cell), len))
    }

    /// Ends a lease; [`Error::Misuse`] if it is none.
    pub fn settle(&self, data: *mut c_void) -> Result {
        let (cell, _) = self.claim(data, LEASED)?;
        self.give_back(cell);
        Ok(())
    }

    /// Puts a leased item at the end of the queue. [`Error::Full`] and [`Error::Closed`] leave it
    /// leased; [`Error::Misuse`] if it is not.
    pub fn put_back(&self, data: *mut c_void) -> Result {
        let (cell, len) = self.claim(data, LEASED)?;
        self.append(cell, LEASED | len)
    }

    /// Puts a cell that is this call's own; if that fails its length word becomes `otherwise`.
    fn append(&self, cell: u64, otherwise: u64) -> Result {
        match self.filled.push(cell) {
            Ok(position) => {
                self.filled.note_peak(position);
                Ok(())
            }
            Err(refused) => {
                self.mark(cell, otherwise);
                Err(refused)
            }
        }
    }

    /// Where callers write and read in a cell.
    fn address(&self, cell: u64) -> *mut c_void {
        // SAFETY: numbers of cells are below the count.
        unsafe { self.payload().data(self.cells.cell(cell as usize)) }.cast()
    }

    /// The cell with an address, which may be anything; [`Error::Misuse`] if there is none.
    fn cell_at(&self, data: *mut c_void) -> Result<u64> {
        let offset = data.addr().wrapping_sub(self.address(0).addr());
        let (cell, rest) = (offset / self.cells.stride(), offset % self.cells.stride());
        if rest == 0 && cell < self.free.capacity() { Ok(cell as u64) } else { Err(Error::Misuse) }
    }

    /// Writes the length word of a cell that is this call's own.
    fn mark(&self, cell: u64, word: u64) {
        // Ordering: Relaxed; the caller orders the address, and the rings the cell.
        self.word(cell).store(word, site("mpmc.lease.mark", Relaxed));
    }

    /// Makes the cell with an address and a mark this call's own; its number and length.
    fn claim(&self, data: *mut c_void, mark: u64) -> Result<(u64, u64)> {
        let cell = self.cell_at(data)?;
        let word = self.word(cell).load(site("mpmc.lease.load", Relaxed));
        let len = word & !MARKS;
        // Ordering: Relaxed, as in `mark`. If it fails, another call had the cell at that moment.
        if word & MARKS == mark
            && self.word(cell).replace(word, len, site("mpmc.lease.claim", Relaxed))
        {
            Ok((cell, len))
        } else {
            Err(Error::Misuse)
        }
    }
}

impl<P: Payload, H> Indirect<P, H> {
    /// The length word of a cell, in a queue of blobs.
    fn word(&self, cell: u64) -> &AtomicU64 {
        debug_assert!(P::HAS_LENGTH);
        #[cfg(loom)]
        // SAFETY: numbers of cells are below the count.
        return unsafe { self.words.get(cell as usize) };
        #[cfg(not(loom))]
        // SAFETY: numbers of cells are below the count; the first word is aligned and touched
        // atomically only.
        unsafe {
            &*self.cells.cell(cell as usize).cast::<AtomicU64>()
        }
    }

    /// Disposes of the items whose leases were not settled.
    pub(super) fn discard_leased(&mut self) {
        let count = self.free.capacity();
        let mut held = count.saturating_sub(self.free.len() + self.filled.len());
        if !P::HAS_LENGTH || held == 0 {
            return;
        }
        // The ring of free cells began with all of them in order. Those that were never popped were
        // never used, and reading them would make the system find memory for them.
        let used = self.free.counts().dequeued.min(count as u64);
        for cell in 0..used {
            let word = self.word(cell).load(site("mpmc.lease.left", Relaxed));
            if word & LEASED != 0 {
                self.word(cell).store(word & !MARKS, site("mpmc.lease.drop", Relaxed));
                // SAFETY: nobody else has the queue any more; the cell was put.
                unsafe { self.cells.own(cell as usize, |payload, at| payload.discard(at)) };
            }
            held -= usize::from(word & MARKS != 0);
            if held == 0 {
                break;
            }
        }
    }
}
