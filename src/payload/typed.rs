//! Rust values in cells, directly or in boxes.

use super::panics::{Panics, ignore};
use super::{Atomic, Payload, Plain, Stored};
use crate::sync::{Relaxed, unmodeled::AtomicPtr};
use core::alloc::Layout;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

/// Rust values, moved in and out. Values that no get takes are dropped.
pub struct Typed<T> {
    panics: Panics,
    values: PhantomData<fn(T) -> T>,
}

impl<T> Typed<T> {
    /// Values of `T`.
    pub const fn new() -> Self {
        Self { panics: Panics::new(), values: PhantomData }
    }

    /// Runs `work`, which discards values, then resumes the first panic of their drops.
    pub(crate) fn resume_after<R>(&self, work: impl FnOnce() -> R) -> R {
        self.panics.resume_after(work)
    }
}

impl<T> Default for Typed<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typed").finish_non_exhaustive()
    }
}

// SAFETY: a cell is a T.
unsafe impl<T: Send> Plain for Typed<T> {}

// SAFETY: a cell is a T.
unsafe impl<T: Send> Stored for Typed<T> {
    type Item = T;
    type Out = MaybeUninit<T>;

    #[inline(always)]
    fn cell(&self) -> Layout {
        Layout::new::<T>()
    }
    fn take_panic(&self) -> bool {
        self.panics.take().map(ignore).is_some()
    }
}

// SAFETY: a cell holds one T, moved bitwise.
unsafe impl<T: Send> Payload for Typed<T> {
    #[inline(always)]
    unsafe fn write(&self, cell: *mut u8, item: &T) {
        // SAFETY: the caller owns the cell, which has the layout of T.
        unsafe { cell.cast::<T>().copy_from_nonoverlapping(item, 1) }
    }
    #[inline(always)]
    unsafe fn fits(&self, _cell: *const u8, _out: &MaybeUninit<T>) -> Result<(), usize> {
        Ok(())
    }
    #[inline(always)]
    unsafe fn read(&self, cell: *const u8, out: &mut MaybeUninit<T>) {
        // SAFETY: the caller owns the cell, which holds a T.
        unsafe { out.as_mut_ptr().copy_from_nonoverlapping(cell.cast(), 1) }
    }
    unsafe fn discard(&self, cell: *mut u8) {
        if core::mem::needs_drop::<T>() {
            // SAFETY: the caller owns the cell and the T in it.
            self.panics.catch(|| unsafe { cell.cast::<T>().drop_in_place() });
        }
    }
}

/// Rust values in boxes: a thread may read a cell while another writes it. Values that no call takes are
/// dropped.
pub(crate) struct Boxed<T> {
    panics: Panics,
    values: PhantomData<fn(T) -> T>,
}

impl<T> Boxed<T> {
    /// Boxes of `T`.
    pub(crate) const fn new() -> Self {
        Self { panics: Panics::new(), values: PhantomData }
    }
}

// SAFETY: a cell is one atomic word.
unsafe impl<T: Send> Atomic for Boxed<T> {}

// SAFETY: a cell is one word.
unsafe impl<T: Send> Stored for Boxed<T> {
    type Item = *mut T;
    type Out = *mut T;

    #[inline(always)]
    fn cell(&self) -> Layout {
        Layout::new::<AtomicPtr<T>>()
    }
    fn take_panic(&self) -> bool {
        self.panics.take().map(ignore).is_some()
    }
}

// SAFETY: a cell is one atomic word, the address of a box.
unsafe impl<T: Send> Payload for Boxed<T> {
    #[inline(always)]
    unsafe fn write(&self, cell: *mut u8, item: &*mut T) {
        // SAFETY: an aligned word that is only accessed atomically. Ordering: Relaxed; the queue orders
        // put before get.
        unsafe { AtomicPtr::from_ptr(cell.cast()) }.store(*item, Relaxed);
    }
    #[inline(always)]
    unsafe fn fits(&self, _cell: *const u8, _out: &*mut T) -> Result<(), usize> {
        Ok(())
    }
    #[inline(always)]
    unsafe fn read(&self, cell: *const u8, out: &mut *mut T) {
        // SAFETY: as in `write`.
        *out = unsafe { AtomicPtr::from_ptr(cell.cast_mut().cast()) }.load(Relaxed);
    }
    unsafe fn discard(&self, cell: *mut u8) {
        let mut item = core::ptr::null_mut();
        // SAFETY: the cell was written.
        unsafe { self.read(cell, &mut item) };
        // SAFETY: the address of a box that no call took.
        self.panics.catch(|| drop(unsafe { Box::from_raw(item) }));
    }
}
