//! Creating a queue. The options of every family begin with the same fields; one function checks them
//! for all families.

use super::arguments::{SizedStruct, non_null, read_sized};
use super::status::{queues_status_t, status_of};
use super::{queues_drop_bytes_t, queues_drop_t};
use crate::error::{Error, Result};
use crate::payload::{Bytes, Disposer, Pointer};
use core::ffi::c_void;

/// The fields with which the options of every family begin.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct CommonOptions {
    pub(super) struct_size: usize,
    pub(super) capacity: usize,
    pub(super) item_size: usize,
    pub(super) flags: u64,
    pub(super) drop: queues_drop_t,
    pub(super) drop_ctx: *mut c_void,
}

/// The options of a family.
///
/// # Safety
/// As [`SizedStruct`]; the structure begins with the fields of [`CommonOptions`].
pub(super) unsafe trait Options: SizedStruct {
    const DEFAULT_CAPACITY: usize;
    /// All flags that the family knows.
    const FLAGS: u64 = 0;

    fn drop_bytes(&self) -> queues_drop_bytes_t;

    fn common(&self) -> CommonOptions {
        const { assert!(size_of::<Self>() >= size_of::<CommonOptions>()) };
        // SAFETY: the structure begins with these fields.
        unsafe { core::ptr::from_ref(self).cast::<CommonOptions>().read() }
    }
}

/// The payload that the options ask for.
pub(super) enum PayloadChoice {
    Pointer(Pointer),
    Bytes(Bytes),
}

/// Creates a queue: checks the options, calls `make` with them, the capacity and the payload, and
/// writes the handle that it returns.
///
/// # Safety
/// `options` is null or the caller's structure, with callbacks that may be called from any thread;
/// `queue` is null or an output.
pub(super) unsafe fn create<O: Options, T>(
    options: *const O,
    queue: *mut *mut T,
    make: impl FnOnce(&O, usize, PayloadChoice) -> Result<*mut c_void>,
) -> queues_status_t {
    status_of(|| {
        let queue = non_null(queue)?;
        // SAFETY: by contract.
        let (options, capacity, payload) = unsafe {
            let options = read_sized(options)?;
            let (capacity, payload) = check(&options)?;
            (options, capacity, payload)
        };
        let handle = make(&options, capacity, payload)?;
        // SAFETY: by contract.
        unsafe { queue.write(handle.cast()) };
        Ok(())
    })
}

/// Opens a shared queue: checks the options, calls `open` with them, and writes the handle that it
/// returns.
///
/// # Safety
/// As for [`create`].
pub(super) unsafe fn open_shared<O: Options, T>(
    options: *const O,
    queue: *mut *mut T,
    known_flags: u64,
    open: impl FnOnce(&O) -> Result<*mut c_void>,
) -> queues_status_t {
    status_of(|| {
        let queue = non_null(queue)?;
        // SAFETY: by contract.
        let options = unsafe { read_sized(options)? };
        let CommonOptions { flags, drop, .. } = options.common();
        if flags & !known_flags != 0 || drop.is_some() || options.drop_bytes().is_some() {
            return Err(Error::Invalid);
        }
        // SAFETY: by contract.
        unsafe { queue.write(open(&options)?.cast()) };
        Ok(())
    })
}

/// The capacity and the payload.
///
/// # Safety
/// The callbacks may be called from any thread.
unsafe fn check<O: Options>(options: &O) -> Result<(usize, PayloadChoice)> {
    let CommonOptions { capacity, item_size, flags, drop, drop_ctx, .. } = options.common();
    if flags & !O::FLAGS != 0 {
        return Err(Error::Invalid);
    }
    let capacity = if capacity == 0 { O::DEFAULT_CAPACITY } else { capacity };
    let disposer = match (drop, options.drop_bytes()) {
        // SAFETY: by contract.
        (drop, None) => unsafe { Disposer::new(drop, drop_ctx) },
        // SAFETY: by contract.
        (None, Some(drop)) if item_size > 0 => unsafe { Disposer::with_length(drop, drop_ctx) },
        // A pointer has no length; and of two callbacks only one may end an item.
        _ => return Err(Error::Invalid),
    };
    let payload = match item_size {
        0 => PayloadChoice::Pointer(Pointer::new(disposer)),
        limit => PayloadChoice::Bytes(Bytes::try_new(limit, disposer)?),
    };
    Ok((capacity, payload))
}
