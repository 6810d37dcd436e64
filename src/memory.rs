//! Memory whose allocation may fail. A queue allocates everything at its creation, and reports a
//! failure instead of aborting the process.

use crate::error::{Error, Result};
use core::alloc::Layout;
use core::ptr::NonNull;

/// Bytes: two cache lines, since processors fetch lines in adjacent pairs.
pub(crate) const LINE: usize = 128;

/// The alignment in bytes that malloc gives anyway. Asking for more makes it zero large blocks itself
/// instead of returning fresh zero pages, which cost nothing until they are used.
const MALLOC_ALIGN: usize = 16;

/// Zeroed memory, aligned to at least 128 bytes.
#[derive(Debug)]
#[repr(C)] // part of the layout of inlined calls
pub(crate) struct Memory {
    start: NonNull<u8>,
    allocated: NonNull<u8>,
    /// Of size 0: the memory has another owner.
    layout: Layout,
}

// SAFETY: an owned allocation, or memory that outlives this by contract.
unsafe impl Send for Memory {}
// SAFETY: the methods return addresses only.
unsafe impl Sync for Memory {}

impl Memory {
    /// Offset of the address of the memory.
    pub(crate) const START: usize = core::mem::offset_of!(Self, start);

    /// Memory for `count` values of the layout `unit`, whose size must be a multiple of its alignment.
    ///
    /// Fails with [`Error::Invalid`] if the product overflows, with [`Error::NoMemory`] if the allocation
    /// fails.
    pub(crate) fn try_new(unit: Layout, count: usize) -> Result<Self> {
        let alignment = unit.align().max(LINE);
        let size = unit.size().checked_mul(count).and_then(|size| size.checked_add(alignment));
        let layout = Layout::from_size_align(size.ok_or(Error::Invalid)?, MALLOC_ALIGN)
            .map_err(|_| Error::Invalid)?;
        // SAFETY: the size is not zero.
        let allocated = unsafe { std::alloc::alloc_zeroed(layout) };
        let allocated = NonNull::new(allocated).ok_or(Error::NoMemory)?;
        let address = allocated.addr().get();
        // SAFETY: less than the alignment is added, for which `size` has room.
        let start = unsafe { allocated.add(address.next_multiple_of(alignment) - address) };
        Ok(Self { start, allocated, layout })
    }

    /// Memory of another owner, in which the values lie already.
    ///
    /// # Safety
    /// The memory outlives the result, and any thread may use it.
    #[cfg(queues_shared)]
    pub(crate) unsafe fn borrowed(start: NonNull<u8>) -> Self {
        Self { start, allocated: start, layout: Layout::new::<()>() }
    }

    fn is_owned(&self) -> bool {
        self.layout.size() > 0
    }

    #[inline(always)]
    pub(crate) fn start(&self) -> *mut u8 {
        self.start.as_ptr()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.is_owned() {
            // SAFETY: allocated with this layout in `try_new`.
            unsafe { std::alloc::dealloc(self.allocated.as_ptr(), self.layout) }
        }
    }
}

/// A value on the heap. Fails with [`Error::NoMemory`] if the allocation fails.
pub(crate) fn try_box<T>(value: T) -> Result<Box<T>> {
    const { assert!(size_of::<T>() > 0) };
    // SAFETY: the size is not zero.
    let place = NonNull::new(unsafe { std::alloc::alloc(Layout::new::<T>()) }.cast::<T>())
        .ok_or(Error::NoMemory)?;
    // SAFETY: allocated as a box is, and written before it is read.
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
    /// Offset of the address of the first element.
    pub(crate) const START: usize = core::mem::offset_of!(Self, memory) + Memory::START;

    pub(crate) fn try_new(len: usize, mut make: impl FnMut(usize) -> T) -> Result<Self> {
        let memory = Memory::try_new(Layout::new::<T>(), len)?;
        for i in 0..len {
            // SAFETY: there is room for `len` elements, and no other thread has the memory yet.
            unsafe { memory.start().cast::<T>().add(i).write(make(i)) };
        }
        Ok(Self { memory, len, owns: core::marker::PhantomData })
    }

    /// An array in memory of another owner, in which the elements lie already.
    ///
    /// # Safety
    /// As for [`Memory::borrowed`]; `len` elements lie at `start`, which is aligned for them.
    #[cfg(queues_shared)]
    pub(crate) unsafe fn borrowed(start: NonNull<T>, len: usize) -> Self {
        // SAFETY: by contract.
        let memory = unsafe { Memory::borrowed(start.cast()) };
        Self { memory, len, owns: core::marker::PhantomData }
    }

    #[cfg(queues_shared)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// # Safety
    /// `i` must be below the length given to `try_new`.
    #[inline(always)]
    pub(crate) unsafe fn get(&self, i: usize) -> &T {
        debug_assert!(i < self.len);
        // SAFETY: initialized in `try_new`, and in bounds by contract.
        unsafe { &*self.memory.start().cast::<T>().add(i) }
    }
}

impl<T> Array<T> {
    /// All elements.
    #[inline(always)]
    pub(crate) fn slice_mut(&mut self) -> &mut [T] {
        // SAFETY: all `len` elements are initialized, and `&mut self` is their only owner.
        unsafe { core::slice::from_raw_parts_mut(self.memory.start().cast::<T>(), self.len) }
    }
}

impl<T> Drop for Array<T> {
    fn drop(&mut self) {
        if !self.memory.is_owned() {
            return;
        }
        let all = core::ptr::slice_from_raw_parts_mut(self.memory.start().cast::<T>(), self.len);
        // SAFETY: all `len` elements are initialized, and this is the last use.
        unsafe { all.drop_in_place() }
    }
}
