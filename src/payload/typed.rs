use super::{Payload, Plain};
use core::alloc::Layout;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Rust values, moved in and out; leftovers are dropped.
#[derive(Debug)]
pub struct Typed<T> {
    panicked: AtomicBool,
    values: PhantomData<fn(T) -> T>,
}

impl<T> Typed<T> {
    /// Values of `T`.
    pub const fn new() -> Self {
        Self { panicked: AtomicBool::new(false), values: PhantomData }
    }
}

impl<T> Default for Typed<T> {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: a cell is a T.
unsafe impl<T: Send> Plain for Typed<T> {}

// SAFETY: one T per cell, moved bitwise.
unsafe impl<T: Send> Payload for Typed<T> {
    type Item = T;
    type Out = MaybeUninit<T>;

    #[inline(always)]
    fn cell(&self) -> Layout {
        Layout::new::<T>()
    }
    #[inline(always)]
    unsafe fn write(&self, cell: *mut u8, item: &T) {
        // SAFETY: the cell is ours and has the layout of T.
        unsafe { cell.cast::<T>().copy_from_nonoverlapping(item, 1) }
    }
    #[inline(always)]
    unsafe fn fits(&self, _cell: *const u8, _out: &MaybeUninit<T>) -> Result<(), usize> {
        Ok(())
    }
    #[inline(always)]
    unsafe fn read(&self, cell: *const u8, out: &mut MaybeUninit<T>) {
        // SAFETY: the cell is ours and holds a T.
        unsafe { out.as_mut_ptr().copy_from_nonoverlapping(cell.cast(), 1) }
    }
    unsafe fn discard(&self, cell: *mut u8) {
        // A panic must not keep the values after this one from being dropped.
        // SAFETY: the cell is ours and holds a T that nobody else owns.
        let drop = AssertUnwindSafe(|| unsafe { cell.cast::<T>().drop_in_place() });
        if catch_unwind(drop).is_err() {
            self.panicked.store(true, Relaxed);
        }
    }
    fn take_panic(&self) -> bool {
        self.panicked.swap(false, Relaxed)
    }
}
