//! Arrays whose allocation may fail: all memory of a queue is taken when it is created, and a
//! refusal is an answer, not an abort.

use crate::error::{Error, Result};
use core::alloc::Layout;
use core::ptr::NonNull;

/// A cache line and its neighbour, which processors fetch together.
const ALIGNMENT: usize = 128;

/// What the allocator aligns to of itself: beyond it, it would clear large memory by hand, instead
/// of taking pages that are zero and cost nothing before they are used.
const MALLOC_ALIGN: usize = 16;

/// Untyped memory, aligned to 128 bytes at least, zeroed.
#[derive(Debug)]
pub(crate) struct Memory {
    start: NonNull<u8>,
    allocated: NonNull<u8>,
    layout: Layout,
}

// SAFETY: nothing but an owned allocation.
unsafe impl Send for Memory {}
// SAFETY: the methods hand out addresses only.
unsafe impl Sync for Memory {}

impl Memory {
    /// Where the address of the memory lies.
    pub(crate) const START: usize = core::mem::offset_of!(Self, start);

    /// Room for `count` times `unit`, whose size must be a multiple of its alignment.
    ///
    /// [`Error::Invalid`] if the product overflows, [`Error::NoMemory`] if it cannot be had.
    pub(crate) fn try_new(unit: Layout, count: usize) -> Result<Self> {
        let alignment = unit.align().max(ALIGNMENT);
        let size = unit.size().checked_mul(count).and_then(|size| size.checked_add(alignment));
        let layout = Layout::from_size_align(size.ok_or(Error::Invalid)?, MALLOC_ALIGN)
            .map_err(|_| Error::Invalid)?;
        // SAFETY: the size is not zero.
        let allocated = unsafe { std::alloc::alloc_zeroed(layout) };
        let allocated = NonNull::new(allocated).ok_or(Error::NoMemory)?;
        let address = allocated.addr().get();
        // SAFETY: less than the alignment further, for which there is room.
        let start = unsafe { allocated.add(address.next_multiple_of(alignment) - address) };
        Ok(Self { start, allocated, layout })
    }

    #[inline(always)]
    pub(crate) fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout in `try_new`.
        unsafe { std::alloc::dealloc(self.allocated.as_ptr(), self.layout) }
    }
}

/// A value on the heap; [`Error::NoMemory`] if there is none.
pub(crate) fn try_box<T>(value: T) -> Result<Box<T>> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not zero.
    let place = NonNull::new(unsafe { std::alloc::alloc(Layout::new::<T>()) }.cast::<T>())
        .ok_or(Error::NoMemory)?;
    // SAFETY: allocated as a box of it is, and written before anybody reads.
    unsafe {
        place.write(value);
        Ok(Box::from_raw(place.as_ptr()))
    }
}

/// A fixed array of `T`.
#[derive(Debug)]
pub(crate) struct Array<T> {
    memory: Memory,
    len: usize,
    owns: core::marker::PhantomData<T>,
}

impl<T> Array<T> {
    /// Where the address of the first one lies.
    pub(crate) const START: usize = core::mem::offset_of!(Self, memory) + Memory::START;

    pub(crate) fn try_new(len: usize, mut make: impl FnMut(usize) -> T) -> Result<Self> {
        let memory = Memory::try_new(Layout::new::<T>(), len)?;
        for i in 0..len {
            // SAFETY: there is room for `len` of them, and nobody else knows of it yet.
            unsafe { memory.start().cast::<T>().add(i).write(make(i)) };
        }
        Ok(Self { memory, len, owns: core::marker::PhantomData })
    }

    /// # Safety
    /// `i` must be below the length given to `try_new`.
    #[inline(always)]
    pub(crate) unsafe fn get(&self, i: usize) -> &T {
        debug_assert!(i < self.len);
        // SAFETY: initialised in `try_new`, and in bounds by contract.
        unsafe { &*self.memory.start().cast::<T>().add(i) }
    }
}

impl<T> Array<T> {
    /// All of them, for the only owner.
    #[inline(always)]
    pub(crate) fn slice_mut(&mut self) -> &mut [T] {
        // SAFETY: all `len` elements are initialised, and `&mut self` is their only owner.
        unsafe { core::slice::from_raw_parts_mut(self.memory.start().cast::<T>(), self.len) }
    }
}

impl<T> Drop for Array<T> {
    fn drop(&mut self) {
        let all = core::ptr::slice_from_raw_parts_mut(self.memory.start().cast::<T>(), self.len);
        // SAFETY: all `len` elements are initialised, and this is the last use.
        unsafe { all.drop_in_place() }
    }
}
