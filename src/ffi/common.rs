//! The calls that families share. An exported function of such a call is one expression, with the
//! handle of its family.

use super::arguments::{non_null, write_sized};
use super::handle::{AnyHandle, Observe};
use super::stats::queues_stats_t;
use super::status::{queues_status_t, status_of, value_or};
use crate::error::Result;
use core::ffi::c_int;

/// Adds a reference; returns the handle, or NULL if it is not of the family.
pub(super) fn retain<T, Q: ?Sized>(handle: *mut T, any: Result<AnyHandle<Q>>) -> *mut T {
    value_or(core::ptr::null_mut(), || {
        any?.retain();
        Ok(handle)
    })
}

/// Drops a reference.
///
/// # Safety
/// The caller gives up one reference.
pub(super) unsafe fn release<Q: ?Sized>(any: Result<AnyHandle<Q>>) {
    value_or((), || {
        // SAFETY: by contract.
        unsafe { any?.release() };
        Ok(())
    })
}

pub(super) fn close(any: Result<AnyHandle>) -> queues_status_t {
    status_of(|| {
        any?.close();
        Ok(())
    })
}

/// # Safety
/// A call of the getting side; `count` is null or an output.
pub(super) unsafe fn clear(any: Result<AnyHandle>, count: *mut usize) -> queues_status_t {
    status_of(|| {
        let count = non_null(count)?;
        // SAFETY: by contract.
        unsafe { count.write(any?.clear()?) };
        Ok(())
    })
}

/// # Safety
/// `stats` is null or the caller's structure.
pub(super) unsafe fn stats<Q: Observe + ?Sized>(
    any: Result<AnyHandle<Q>>,
    stats: *mut queues_stats_t,
) -> queues_status_t {
    // SAFETY: by contract.
    status_of(|| unsafe { write_sized(stats, any?.queue().stats().into()) })
}

/// Writes the descriptor that `request` returns to `fd`.
///
/// # Safety
/// `fd` is null or an output.
pub(super) unsafe fn descriptor<Q: ?Sized>(
    any: Result<AnyHandle<Q>>,
    fd: *mut c_int,
    request: impl FnOnce(&Q) -> Result<c_int>,
) -> queues_status_t {
    status_of(|| {
        let (any, fd) = (any?, non_null(fd)?);
        // SAFETY: by contract.
        unsafe { fd.write(request(any.queue())?) };
        Ok(())
    })
}

/// 0 for a handle that is not of the family, as the functions below return true or false.
pub(super) fn size<Q: Observe + ?Sized>(any: Result<AnyHandle<Q>>) -> usize {
    value_or(0, || Ok(any?.queue().len()))
}

pub(super) fn capacity<Q: Observe + ?Sized>(any: Result<AnyHandle<Q>>) -> usize {
    value_or(0, || Ok(any?.queue().capacity()))
}

/// 0 for a handle of another type, also for pointers.
pub(super) fn item_size<Q>(blobs: Result<AnyHandle<Q>>, limit: impl FnOnce(&Q) -> usize) -> usize {
    value_or(0, || Ok(limit(blobs?.queue())))
}

pub(super) fn is_closed(any: Result<AnyHandle>) -> bool {
    value_or(true, || Ok(any?.is_closed()))
}

pub(super) fn is_empty<Q: Observe + ?Sized>(any: Result<AnyHandle<Q>>) -> bool {
    value_or(true, || Ok(any?.queue().is_empty()))
}

pub(super) fn is_full(any: Result<AnyHandle>) -> bool {
    value_or(false, || Ok(any?.queue().is_full()))
}
