//! Where a batch is copied to. While the consumers' lock is held, a destination notes the cells of
//! the batch; after that it copies their items, which the caller then owns.

use crate::payload::{Bytes, Payload, Pointer, Received, Typed};
use core::ffi::c_void;
use core::mem::MaybeUninit;

/// Places for the items of a batch.
pub trait Destination<P: Payload> {
    /// What a get of the batch returns.
    type Taken;

    /// The number of places.
    fn max_items(&self) -> usize;
    /// Bytes for all items together.
    fn max_bytes(&self) -> usize {
        usize::MAX
    }
    /// Bytes that the item in a cell needs.
    ///
    /// # Safety
    /// The cell holds an item, which no other thread removes meanwhile.
    unsafe fn bytes_of(&self, _payload: &P, _cell: *const u8) -> usize {
        0
    }
    /// Makes room for a batch of `count` items. Called once, before they are read.
    fn reserve(&mut self, _count: usize) {}
    /// Notes the cell of item `i`; `i` is below `max_items`.
    fn note(&mut self, i: usize, cell: u64);
    /// The cell that was noted for item `i`.
    fn noted(&self, i: usize) -> u64;
    /// Moves item `i` out of its cell. Items are read in order.
    ///
    /// # Safety
    /// The caller owns the cell, and does not use its item again.
    unsafe fn read(&mut self, i: usize, payload: &P, cell: *mut u8);
    /// Ends a batch of `count` items, all of which were read.
    fn finish(self, count: usize) -> Self::Taken;
}

/// An array of pointers. A get returns their number.
pub struct ToPointers {
    items: *mut *mut c_void,
    max: usize,
}

impl ToPointers {
    /// # Safety
    /// `max` pointers may be written at `items` while this is in use.
    pub unsafe fn new(items: *mut *mut c_void, max: usize) -> Self {
        Self { items, max }
    }
}

impl Destination<Pointer> for ToPointers {
    type Taken = usize;

    fn max_items(&self) -> usize {
        self.max
    }
    // An item's place first holds the index of its cell.
    fn note(&mut self, i: usize, cell: u64) {
        // SAFETY: `i` is below `max`.
        unsafe { self.items.add(i).write(core::ptr::without_provenance_mut(cell as usize)) };
    }
    fn noted(&self, i: usize) -> u64 {
        // SAFETY: written by `note`.
        unsafe { (*self.items.add(i)).addr() as u64 }
    }
    unsafe fn read(&mut self, i: usize, payload: &Pointer, cell: *mut u8) {
        // SAFETY: by contract; the place was written by `note`.
        unsafe { payload.read(cell, &mut *self.items.add(i)) };
    }
    fn finish(self, count: usize) -> usize {
        count
    }
}

/// Where a blob of a batch lies in the buffer of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(C)]
pub struct Blob {
    /// Its first byte, counted from the start of the buffer.
    pub offset: usize,
    /// Its length in bytes.
    pub length: usize,
}

/// A buffer for the bytes of all blobs, one behind the other, and an array for the place of each in
/// the buffer. A get returns the number of blobs and the number of their bytes.
pub struct ToBuffer {
    buffer: *mut u8,
    room: usize,
    blobs: *mut Blob,
    max: usize,
    end: usize,
}

impl ToBuffer {
    /// # Safety
    /// `room` bytes may be written at `buffer`, and `max` places at `blobs`, while this is in use.
    pub unsafe fn new(buffer: *mut u8, room: usize, blobs: *mut Blob, max: usize) -> Self {
        Self { buffer, room, blobs, max, end: 0 }
    }
}

impl Destination<Bytes> for ToBuffer {
    type Taken = (usize, usize);

    fn max_items(&self) -> usize {
        self.max
    }
    fn max_bytes(&self) -> usize {
        self.room
    }
    unsafe fn bytes_of(&self, payload: &Bytes, cell: *const u8) -> usize {
        // SAFETY: a cell of this payload.
        unsafe { payload.len(cell) }
    }
    // The offset of a blob first holds the index of its cell.
    fn note(&mut self, i: usize, cell: u64) {
        // SAFETY: `i` is below `max`.
        unsafe { self.blobs.add(i).write(Blob { offset: cell as usize, length: 0 }) };
    }
    fn noted(&self, i: usize) -> u64 {
        // SAFETY: written by `note`.
        unsafe { (*self.blobs.add(i)).offset as u64 }
    }
    unsafe fn read(&mut self, i: usize, payload: &Bytes, cell: *mut u8) {
        // SAFETY: by contract; all blobs together fit the buffer.
        unsafe {
            let length = payload.len(cell);
            self.blobs.add(i).write(Blob { offset: self.end, length });
            payload.read(cell, &mut Received::new(self.buffer.add(self.end), length));
            self.end += length;
        }
    }
    fn finish(self, count: usize) -> (usize, usize) {
        (count, self.end)
    }
}

/// The end of a vector. A get returns the number of values.
pub struct ToVec<'a, T> {
    values: &'a mut Vec<T>,
    cells: Vec<u64>,
}

impl<'a, T> ToVec<'a, T> {
    /// Up to `max` values. Allocates the places to note their cells in.
    pub fn new(values: &'a mut Vec<T>, max: usize) -> Self {
        Self { values, cells: vec![0; max] }
    }
}

impl<T: Send> Destination<Typed<T>> for ToVec<'_, T> {
    type Taken = usize;

    fn max_items(&self) -> usize {
        self.cells.len()
    }
    fn note(&mut self, i: usize, cell: u64) {
        self.cells[i] = cell;
    }
    fn noted(&self, i: usize) -> u64 {
        self.cells[i]
    }
    fn reserve(&mut self, count: usize) {
        self.values.reserve(count);
    }
    unsafe fn read(&mut self, _i: usize, payload: &Typed<T>, cell: *mut u8) {
        let mut value = MaybeUninit::uninit();
        // SAFETY: by contract; the value is read once.
        unsafe {
            payload.read(cell, &mut value);
            self.values.push(value.assume_init());
        }
    }
    fn finish(self, count: usize) -> usize {
        count
    }
}
