//! How an item sits in a cell: as a Rust value, as a C pointer or as a blob of bytes.

mod bytes;
mod cells;
mod panics;
mod pointer;
mod typed;

pub use bytes::{Bytes, Received};
pub(crate) use cells::Cells;
pub use pointer::{Disposer, Pointer};
pub(crate) use typed::Boxed;
pub use typed::Typed;

use crate::sync::unmodeled::AtomicPtr;
use crate::sync::{Acquire, Release};
use core::alloc::Layout;
use core::ffi::c_void;

/// What a queue does with the memory of one cell.
///
/// Items move bitwise: the queue's caller forgets what it put, and a get is the new owner.
///
/// # Safety
/// `write`, `read` and `fits` keep to the layout that `cell` states.
pub unsafe trait Payload: Send + Sync {
    /// What is written.
    type Item: ?Sized;
    /// Where it is read to.
    type Out: ?Sized;

    /// Whether a cell is an aligned word with the item's length, whose two top bits are free for the
    /// queue's use, and then the item.
    const HAS_LENGTH: bool = false;

    /// Size and alignment of a cell.
    fn cell(&self) -> Layout;

    /// Copies the item into the cell.
    ///
    /// # Safety
    /// The cell is this thread's own; the item satisfies the payload's own rule (a blob is not
    /// longer than its cell).
    unsafe fn write(&self, cell: *mut u8, item: &Self::Item);

    /// `Err(needed)` if the item in the cell does not fit into `out`.
    ///
    /// # Safety
    /// The cell was written, or may be under a writer's hands if the result is not used.
    unsafe fn fits(&self, cell: *const u8, out: &Self::Out) -> Result<(), usize>;

    /// Copies the item out of the cell, as much of it as fits.
    ///
    /// # Safety
    /// As for `fits`; unless the cell is this thread's own, the copy must not be used before that
    /// was shown to have been so.
    unsafe fn read(&self, cell: *const u8, out: &mut Self::Out);

    /// [`Payload::write`], while no other thread looks at the cell either: it need not be atomic.
    ///
    /// # Safety
    /// As for `write`, and nobody reads the cell meanwhile.
    #[inline(always)]
    unsafe fn write_alone(&self, cell: *mut u8, item: &Self::Item) {
        // SAFETY: the same contract.
        unsafe { self.write(cell, item) }
    }

    /// [`Payload::read`], while no other thread changes the cell.
    ///
    /// # Safety
    /// As for `read`, and nobody writes the cell meanwhile.
    #[inline(always)]
    unsafe fn read_alone(&self, cell: *const u8, out: &mut Self::Out) {
        // SAFETY: the same contract.
        unsafe { self.read(cell, out) }
    }

    /// Ends the life of the item in the cell, which nobody is going to get. A panic of the item's
    /// own is kept, so that the items after this one get their turn.
    ///
    /// # Safety
    /// The cell was written and is this thread's own.
    unsafe fn discard(&self, cell: *mut u8);

    /// Whether a `discard` has panicked since the last question; what it panicked with is dropped.
    fn take_panic(&self) -> bool {
        false
    }
}

/// A payload whose cells are touched atomically: `fits` and `read` may run while another thread
/// writes the cell; what they then yield is thrown away.
///
/// # Safety
/// `write`, `fits` and `read` do so, and keep to the cell whatever they find there.
pub unsafe trait Atomic: Payload {}

/// A payload whose cell is the item as it lies in memory: neighbours are copied at once.
///
/// # Safety
/// The cell's layout is that of `Item` and of `Out`; `write` and `read` copy all of it and do no more.
pub unsafe trait Plain: Payload<Item: Sized, Out: Sized> {}

/// Who follows what is done to memory: a race detector, through the C ABI.
pub(crate) struct Watcher {
    /// A drop callback is going to be given these bytes of a queue.
    pub(crate) before_callback: fn(*mut c_void, usize),
    /// A drop callback has returned, and its item's place is not free yet where it waits for that.
    pub(crate) after_callback: fn(),
}

static WATCHER: AtomicPtr<Watcher> = AtomicPtr::new(core::ptr::null_mut());

/// Names the watcher of this process.
#[cfg(not(loom))]
pub(crate) fn watch(watcher: &'static Watcher) {
    WATCHER.store(core::ptr::from_ref(watcher).cast_mut(), Release);
}

/// The watcher of this process.
#[inline(always)]
fn watcher() -> Option<&'static Watcher> {
    // SAFETY: null, or what `watch` was given, which is never written.
    unsafe { WATCHER.load(Acquire).as_ref() }
}
