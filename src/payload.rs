//! How an item is stored in a cell: as a Rust value, as a C pointer or as a blob of bytes.

mod bytes;
mod cells;
mod dense;
mod panics;
mod pointer;
mod typed;

pub use bytes::{Bytes, Received};
pub(crate) use cells::Cells;
pub use dense::Dense;
pub use pointer::{Disposer, Pointer};
pub(crate) use typed::Boxed;
pub use typed::Typed;

use crate::error::Error;
use crate::sync::unmodeled::AtomicPtr;
use crate::sync::{Acquire, Release};
use core::alloc::Layout;
use core::ffi::c_void;

/// The items of a queue, and the layout of their cells. [`Payload`] and [`Exclusive`] access the cells.
///
/// Items move bitwise: the caller of a put forgets the item, and the caller of a get owns it.
///
/// # Safety
/// The accesses stay within the layout that `cell` returns.
pub unsafe trait Stored: Send + Sync {
    /// What a put reads.
    type Item: ?Sized;
    /// Where a get writes.
    type Out: ?Sized;

    /// The layout of a cell.
    fn cell(&self) -> Layout;

    /// Whether the disposal of an item panicked since the last call; drops the payload of the panic.
    fn take_panic(&self) -> bool {
        false
    }
}

/// How a queue writes, reads and disposes of the item in a cell, which holds all of it.
///
/// # Safety
/// As [`Stored`].
pub unsafe trait Payload: Stored {
    /// Whether a cell begins with an aligned word that holds the length of the item. The queue may use
    /// the two top bits of that word.
    const HAS_LENGTH: bool = false;

    /// Copies the item into the cell.
    ///
    /// # Safety
    /// The caller owns the cell; the item satisfies the rule of the payload (a blob is not longer than
    /// its cell).
    unsafe fn write(&self, cell: *mut u8, item: &Self::Item);

    /// Returns `Err(needed)` if the item in the cell does not fit into `out`.
    ///
    /// # Safety
    /// The cell was written. If another thread may be writing it, the payload is [`Atomic`], and the
    /// caller does not use the result.
    unsafe fn fits(&self, cell: *const u8, out: &Self::Out) -> Result<(), usize>;

    /// Whether `fits` may return this for an item: false only if something else wrote the cell.
    fn may_need(&self, _needed: usize) -> bool {
        true
    }

    /// The error for an item that does not fit into the caller's buffer. In a cell that other
    /// processes may have damaged, the length may be longer than that of any item.
    fn too_small(&self, needed: usize, is_shared: bool) -> Error {
        let is_damaged = is_shared && !self.may_need(needed);
        if is_damaged { Error::Corrupt } else { Error::TooSmall { needed } }
    }

    /// Copies the item out of the cell, as much of it as fits.
    ///
    /// # Safety
    /// As for `fits`. A caller that does not own the cell must not use the copy before it has verified
    /// that no thread wrote the cell meanwhile.
    unsafe fn read(&self, cell: *const u8, out: &mut Self::Out);

    /// Disposes of the item in the cell: drops it, or passes it to the drop callback. A panic is kept, so
    /// that the items after this one are disposed of, too.
    ///
    /// # Safety
    /// The cell was written, and the caller owns it.
    unsafe fn discard(&self, cell: *mut u8);
}

/// How a queue accesses a cell that one thread at a time owns. The queue keeps the length of an item.
///
/// # Safety
/// As [`Stored`].
pub unsafe trait Exclusive: Stored {
    /// Whether items have lengths of their own.
    const HAS_LENGTH: bool = false;

    /// The length of the longest item; 0 if items have no lengths.
    fn longest(&self) -> usize {
        0
    }

    /// The length of an item; 0 if items have no lengths.
    fn len_of(_item: &Self::Item) -> usize {
        0
    }

    /// Copies the item into the cell.
    ///
    /// # Safety
    /// The caller owns the cell; the item is not longer than the longest.
    unsafe fn write_exclusive(&self, cell: *mut u8, item: &Self::Item);

    /// Copies the item out of the cell. Returns `Err(len)` if it does not fit into `out`.
    ///
    /// # Safety
    /// The caller owns the cell, in which an item lies, and `len` is not above the longest length. In
    /// memory that processes share the copy may be torn.
    unsafe fn read_exclusive(
        &self,
        cell: *const u8,
        len: usize,
        out: &mut Self::Out,
    ) -> Result<(), usize>;

    /// [`Payload::discard`] of an item of this length.
    ///
    /// # Safety
    /// The cell was written, and the caller owns it.
    unsafe fn discard_exclusive(&self, cell: *mut u8, len: usize);
}

/// A payload whose cells are accessed atomically: `fits` and `read` may run while another thread writes
/// the cell. The caller then discards their results.
///
/// # Safety
/// `write`, `fits` and `read` access the cell atomically, and stay in it whatever they read there.
pub unsafe trait Atomic: Payload {}

/// A payload whose cell holds the item as it is in memory, so that one copy moves adjacent items.
///
/// # Safety
/// The layout of a cell is that of `Item` and of `Out`; `write` and `read` only copy it.
pub unsafe trait Plain: Payload<Item: Sized, Out: Sized> {}

// SAFETY: a copy of the layout of a cell.
unsafe impl<P: Plain> Exclusive for P {
    #[inline(always)]
    unsafe fn write_exclusive(&self, cell: *mut u8, item: &P::Item) {
        // SAFETY: the caller owns the cell, which has the layout of the item.
        unsafe { cell.cast::<P::Item>().copy_from_nonoverlapping(item, 1) }
    }
    #[inline(always)]
    unsafe fn read_exclusive(
        &self,
        cell: *const u8,
        _len: usize,
        out: &mut P::Out,
    ) -> Result<(), usize> {
        // SAFETY: as above.
        unsafe { core::ptr::from_mut(out).copy_from_nonoverlapping(cell.cast(), 1) };
        Ok(())
    }
    unsafe fn discard_exclusive(&self, cell: *mut u8, _len: usize) {
        // SAFETY: by contract.
        unsafe { self.discard(cell) }
    }
}

/// What a race detector must know of drop callbacks. The C ABI installs one.
pub(crate) struct Watcher {
    /// Called before a drop callback receives these bytes of a queue.
    pub(crate) before_callback: fn(*mut c_void, usize),
    /// Called after a drop callback returned, before its place becomes free.
    pub(crate) after_callback: fn(),
}

static WATCHER: AtomicPtr<Watcher> = AtomicPtr::new(core::ptr::null_mut());

/// Installs the watcher of this process.
#[cfg(not(loom))]
pub(crate) fn watch(watcher: &'static Watcher) {
    WATCHER.store(core::ptr::from_ref(watcher).cast_mut(), Release);
}

/// The watcher of this process.
#[inline(always)]
fn watcher() -> Option<&'static Watcher> {
    // SAFETY: null, or the argument of `watch`, which is never written.
    unsafe { WATCHER.load(Acquire).as_ref() }
}
