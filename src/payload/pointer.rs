//! C pointers in cells, and the callback for items that no get takes.

use super::panics::ignore;
use super::{Atomic, Payload, Plain, Stored};
use crate::sync::disable_cancellation;
use crate::sync::{
    Relaxed,
    unmodeled::{AtomicBool, AtomicPtr},
};
use core::alloc::Layout;
use core::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The drop callback: called for each item that no get takes, with the context of the creator.
#[derive(Debug, Default)]
pub struct Disposer {
    call: Callback,
    context: AtomicPtr<c_void>,
    panicked: AtomicBool,
}

/// A callback with the length of the blob, or without.
#[derive(Debug, Clone, Copy, Default)]
enum Callback {
    #[default]
    None,
    Item(unsafe extern "C-unwind" fn(ctx: *mut c_void, item: *mut c_void)),
    Bytes(unsafe extern "C-unwind" fn(ctx: *mut c_void, data: *mut c_void, len: usize)),
}

impl Disposer {
    /// # Safety
    /// Any thread may call `call` with `context` and any item of the queue.
    pub unsafe fn new(
        call: Option<unsafe extern "C-unwind" fn(ctx: *mut c_void, item: *mut c_void)>,
        context: *mut c_void,
    ) -> Self {
        Self::of(call.map_or(Callback::None, Callback::Item), context)
    }

    /// A callback for blobs, which gets their length, too.
    ///
    /// # Safety
    /// As for [`Disposer::new`]; the items of the queue are blobs.
    pub unsafe fn with_length(
        call: unsafe extern "C-unwind" fn(ctx: *mut c_void, data: *mut c_void, len: usize),
        context: *mut c_void,
    ) -> Self {
        Self::of(Callback::Bytes(call), context)
    }

    fn of(call: Callback, context: *mut c_void) -> Self {
        Self { call, context: AtomicPtr::new(context), panicked: AtomicBool::new(false) }
    }

    /// Passes the item, or a blob of `len` bytes, to the callback. Notes a panic for
    /// [`Disposer::take_panic`], so that the items after it are disposed of, too.
    pub(crate) fn dispose(&self, item: *mut c_void, len: usize) {
        if matches!(self.call, Callback::None) {
            return;
        }
        let _disabled = disable_cancellation();
        let context = self.context.load(Relaxed);
        // SAFETY: by the contract of `new`.
        let call = || unsafe {
            match self.call {
                Callback::None => (),
                Callback::Item(call) => call(context, item),
                Callback::Bytes(call) => call(context, item, len),
            }
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(call)) {
            self.panicked.store(true, Relaxed);
            ignore(panic);
        }
        if let Some(watcher) = super::watcher() {
            (watcher.after_callback)();
        }
    }

    /// Whether a callback panicked since the last call.
    pub(crate) fn take_panic(&self) -> bool {
        self.panicked.swap(false, Relaxed)
    }
}

/// C pointers: any value, never dereferenced.
#[derive(Debug, Default)]
pub struct Pointer(pub(crate) Disposer);

impl Pointer {
    /// Pointers that go to `disposer` if no get takes them.
    pub const fn new(disposer: Disposer) -> Self {
        Self(disposer)
    }
}

// SAFETY: a cell is one atomic word.
unsafe impl Atomic for Pointer {}

// SAFETY: a cell is one word.
unsafe impl Plain for Pointer {}

// SAFETY: a cell is one word.
unsafe impl Stored for Pointer {
    type Item = *mut c_void;
    type Out = *mut c_void;

    #[inline(always)]
    fn cell(&self) -> Layout {
        Layout::new::<AtomicPtr<c_void>>()
    }
    fn take_panic(&self) -> bool {
        self.0.take_panic()
    }
}

// SAFETY: a cell is one atomic word, so a read may race with a write.
unsafe impl Payload for Pointer {
    #[inline(always)]
    unsafe fn write(&self, cell: *mut u8, item: &*mut c_void) {
        // SAFETY: an aligned word that is only accessed atomically. Ordering: Relaxed; the queue orders
        // put before get.
        unsafe { AtomicPtr::from_ptr(cell.cast()) }.store(*item, Relaxed);
    }
    #[inline(always)]
    unsafe fn fits(&self, _cell: *const u8, _out: &*mut c_void) -> Result<(), usize> {
        Ok(())
    }
    #[inline(always)]
    unsafe fn read(&self, cell: *const u8, out: &mut *mut c_void) {
        // SAFETY: as in `write`.
        *out = unsafe { AtomicPtr::from_ptr(cell.cast_mut().cast()) }.load(Relaxed);
    }
    unsafe fn discard(&self, cell: *mut u8) {
        let mut item = core::ptr::null_mut();
        // SAFETY: the cell was written.
        unsafe { self.read(cell, &mut item) };
        self.0.dispose(item, 0);
    }
}
