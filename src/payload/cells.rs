//! The cells of a queue: an array of headers and items.

use super::{Plain, Stored};
use crate::error::{Error, Result};
#[cfg(loom)]
use crate::memory::Array;
use crate::memory::Memory;
use crate::plan::Plan;
#[cfg(loom)]
use crate::sync::Owned;
use core::alloc::Layout;

/// A fixed number of cells, with a header before each.
///
/// Headers are atomics, which need no drop. loom sees accesses to its own types only, so in models the
/// headers, and an [`Owned`](crate::sync::Owned) for each cell, lie outside the memory.
#[repr(C)] // part of the layout of inlined calls
pub(crate) struct Cells<H, P> {
    memory: Memory,
    payload: P,
    #[cfg(not(loom))]
    headers: core::marker::PhantomData<H>,
    #[cfg(loom)]
    headers: Array<(H, Owned)>,
}

impl<H, P: Stored> Cells<H, P> {
    /// For a debugger. `limit` is valid if the payload is bytes.
    pub(crate) const PLAN: Plan = Plan::EMPTY.with("cells", Self::START).with("limit", Self::LIMIT);
    /// Offset of the address of the cells.
    pub(crate) const START: usize = core::mem::offset_of!(Self, memory) + Memory::START;
    /// Offset of the longest length, if the payload is bytes.
    pub(crate) const LIMIT: usize = core::mem::offset_of!(Self, payload) + super::Bytes::LIMIT;

    /// The layout of a header and a cell, and the offset of the cell. Computed instead of stored: for all
    /// payloads except bytes it is a constant.
    #[inline(always)]
    fn unit(payload: &P) -> Option<(Layout, usize)> {
        let (both, offset) = Layout::new::<H>().extend(payload.cell()).ok()?;
        Some((both.pad_to_align(), offset))
    }

    #[inline(always)]
    fn stride_and_offset(&self) -> (usize, usize) {
        // SAFETY: `try_new` has checked it.
        let (unit, offset) = unsafe { Self::unit(&self.payload).unwrap_unchecked() };
        (unit.size(), offset)
    }

    /// The distance in bytes from one cell to the next.
    #[inline(always)]
    pub(crate) fn stride(&self) -> usize {
        self.stride_and_offset().0
    }

    pub(crate) fn try_new(
        payload: P,
        count: usize,
        mut header: impl FnMut(usize) -> H,
    ) -> Result<Self> {
        let (unit, _) = Self::unit(&payload).ok_or(Error::Invalid)?;
        let memory = Memory::try_new(unit, count)?;
        #[cfg(loom)]
        let headers = Array::try_new(count, |i| (header(i), Owned::new()))?;
        #[cfg(not(loom))]
        let headers = {
            for i in 0..if size_of::<H>() == 0 { 0 } else { count } {
                // SAFETY: room for `count` units, each beginning with a header.
                unsafe { memory.start().add(i * unit.size()).cast::<H>().write(header(i)) };
            }
            core::marker::PhantomData
        };
        Ok(Self { memory, payload, headers })
    }

    /// The layout of a cell and its header. [`Error::Invalid`] if it overflows.
    #[cfg(queues_shared)]
    pub(crate) fn layout(payload: &P) -> Result<Layout> {
        Self::unit(payload).map(|(unit, _)| unit).ok_or(Error::Invalid)
    }

    /// Cells in memory of another owner, with their headers.
    ///
    /// # Safety
    /// As for [`Memory::borrowed`]; the cells lie at `start`, aligned for their layout.
    #[cfg(queues_shared)]
    pub(crate) unsafe fn borrowed(payload: P, start: core::ptr::NonNull<u8>) -> Self {
        // SAFETY: by contract.
        let memory = unsafe { Memory::borrowed(start) };
        Self { memory, payload, headers: core::marker::PhantomData }
    }

    pub(crate) fn payload(&self) -> &P {
        &self.payload
    }

    /// # Safety
    /// `i` is below the count.
    #[inline(always)]
    pub(crate) unsafe fn header(&self, i: usize) -> &H {
        #[cfg(loom)]
        // SAFETY: by contract.
        return unsafe { &self.headers.get(i).0 };
        #[cfg(not(loom))]
        // SAFETY: written in `try_new`; in bounds by contract.
        unsafe {
            &*self.memory.start().add(i * self.stride_and_offset().0).cast::<H>()
        }
    }

    /// # Safety
    /// `i` is below the count.
    #[inline(always)]
    pub(crate) unsafe fn cell(&self, i: usize) -> *mut u8 {
        let (stride, offset) = self.stride_and_offset();
        // SAFETY: in bounds by contract.
        unsafe { self.memory.start().add(i * stride + offset) }
    }

    /// Runs `f` on a cell that the caller owns.
    ///
    /// # Safety
    /// `i` is below the count, and no other thread writes or takes the cell meanwhile.
    #[inline(always)]
    pub(crate) unsafe fn own<R>(&self, i: usize, f: impl FnOnce(&P, *mut u8) -> R) -> R {
        // SAFETY: by contract.
        let cell = unsafe { self.cell(i) };
        #[cfg(loom)]
        // SAFETY: by contract.
        return unsafe { self.headers.get(i) }.1.change(|| f(&self.payload, cell));
        #[cfg(not(loom))]
        f(&self.payload, cell)
    }
}

impl<P: Plain> Cells<(), P> {
    /// Copies `count` items to adjacent cells from `first` on.
    ///
    /// # Safety
    /// As for [`Cells::own`], for all `count` cells; `count` items lie at `items`.
    #[inline(always)]
    pub(crate) unsafe fn write_run(&self, first: usize, items: *const P::Item, count: usize) {
        // SAFETY: by contract; the cells have no headers and no gaps between them.
        unsafe {
            if may_copy_runs() {
                self.cell(first).cast::<P::Item>().copy_from_nonoverlapping(items, count);
            } else {
                self.own_each(first, count, |payload, i, at| payload.write(at, &*items.add(i)));
            }
        }
    }

    /// Copies the items of `count` adjacent cells from `first` on.
    ///
    /// # Safety
    /// As for [`Cells::own`], for all `count` cells; they are full, and `count` places lie at `places`.
    #[inline(always)]
    pub(crate) unsafe fn read_run(&self, first: usize, places: *mut P::Out, count: usize) {
        // SAFETY: as in `write_run`.
        unsafe {
            if may_copy_runs() {
                places.copy_from_nonoverlapping(self.cell(first).cast::<P::Out>(), count);
            } else {
                self.own_each(first, count, |payload, i, at| {
                    payload.read(at, &mut *places.add(i));
                });
            }
        }
    }

    /// [`Cells::own`] for each of `count` adjacent cells.
    ///
    /// # Safety
    /// As for [`Cells::own`], for all of them.
    #[cold]
    #[inline(never)]
    unsafe fn own_each(&self, first: usize, count: usize, f: impl Fn(&P, usize, *mut u8)) {
        for i in 0..count {
            // SAFETY: by contract.
            unsafe { self.own(first + i, |payload, at| f(payload, i, at)) };
        }
    }
}

/// Whether one copy may move adjacent items. ThreadSanitizer sees the copies of the C library, but not
/// the atomics of this library that order them, and would report races.
#[inline(always)]
fn may_copy_runs() -> bool {
    cfg!(not(loom)) && super::watcher().is_none()
}
