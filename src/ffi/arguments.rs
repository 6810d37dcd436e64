//! What comes from C, checked.

use super::status::{non_null, write_out};
use super::{queues_drop_bytes_t, queues_drop_t};
use crate::error::{Error, Result};
use crate::payload::{Bytes, Disposer, Pointer, Received};
use core::ffi::c_void;

/// No structure of ours will ever be larger; a size beyond it is garbage.
const LARGEST_STRUCT: usize = 4096;

/// Structures that begin with their `struct_size` as the caller knows it.
///
/// # Safety
/// `repr(C)`, a `usize` first, valid for every bit pattern that a C caller may write.
pub(super) unsafe trait Sized_: Copy {}

/// Reads a structure whose caller may know a newer header: what this library does not know must be
/// zero.
///
/// # Safety
/// `options` is null or points at as many bytes as its `struct_size` says.
pub(super) unsafe fn read_sized<T: Sized_>(options: *const T) -> Result<T> {
    // SAFETY: by contract.
    unsafe { check_size(options)? };
    // SAFETY: as large as checked; C promises no alignment that we could rely on.
    unsafe {
        let size = options.cast::<usize>().read_unaligned();
        let tail = options.cast::<u8>().add(size_of::<T>());
        if (0..size - size_of::<T>()).any(|i| tail.add(i).read() != 0) {
            return Err(Error::Invalid);
        }
        Ok(options.read_unaligned())
    }
}

/// Writes a structure whose caller may know a newer header: what this library does not know becomes
/// zero.
///
/// # Safety
/// `place` is null or points at as many bytes as its `struct_size` says.
pub(super) unsafe fn write_sized<T: Sized_>(place: *mut T, value: T) -> Result {
    // SAFETY: by contract.
    unsafe { check_size(place)? };
    // SAFETY: as large as checked.
    unsafe {
        let size = place.cast::<usize>().read_unaligned();
        place.write_unaligned(value);
        place.cast::<usize>().write_unaligned(size);
        place.cast::<u8>().add(size_of::<T>()).write_bytes(0, size - size_of::<T>());
    }
    Ok(())
}

/// # Safety
/// As for `read_sized`.
unsafe fn check_size<T: Sized_>(structure: *const T) -> Result {
    if structure.is_null() {
        return Err(Error::Invalid);
    }
    // SAFETY: every such structure begins with its size.
    let size = unsafe { structure.cast::<usize>().read_unaligned() };
    if (size_of::<T>()..=LARGEST_STRUCT).contains(&size) { Ok(()) } else { Err(Error::Invalid) }
}

/// What the options of the plain families have in common.
pub(super) struct CommonOptions {
    pub(super) capacity: usize,
    pub(super) default_capacity: usize,
    pub(super) item_size: usize,
    pub(super) flags: u64,
    pub(super) known_flags: u64,
    pub(super) drop: queues_drop_t,
    pub(super) drop_bytes: queues_drop_bytes_t,
    pub(super) drop_ctx: *mut c_void,
}

/// The payload that the options ask for.
pub(super) enum PayloadChoice {
    Pointer(Pointer),
    Bytes(Bytes),
}

impl CommonOptions {
    /// The capacity and payload, checked.
    ///
    /// # Safety
    /// The callback may be called from any thread with its context.
    pub(super) unsafe fn check(self) -> Result<(usize, PayloadChoice)> {
        if self.flags & !self.known_flags != 0 {
            return Err(Error::Invalid);
        }
        let capacity = if self.capacity == 0 { self.default_capacity } else { self.capacity };
        let disposer = match (self.drop, self.drop_bytes) {
            // SAFETY: by contract.
            (drop, None) => unsafe { Disposer::new(drop, self.drop_ctx) },
            // SAFETY: by contract.
            (None, Some(drop)) if self.item_size > 0 => unsafe {
                Disposer::with_length(drop, self.drop_ctx)
            },
            // A pointer has no length; and two callbacks leave open which of them ends an item.
            _ => return Err(Error::Invalid),
        };
        let payload = match self.item_size {
            0 => PayloadChoice::Pointer(Pointer::new(disposer)),
            limit => PayloadChoice::Bytes(Bytes::try_new(limit, disposer)?),
        };
        Ok((capacity, payload))
    }
}

/// Where a call that gets a pointer writes it, if it answers OK; [`Error::Invalid`] if that can't be.
///
/// # Safety
/// `item` is null or an output.
#[inline(always)]
pub(super) unsafe fn place<'a>(item: *mut *mut c_void) -> Result<&'a mut *mut c_void> {
    if item.is_null() || !item.is_aligned() {
        return Err(Error::Invalid);
    }
    // SAFETY: by contract.
    Ok(unsafe { &mut *item })
}

/// A blob to put: `(NULL, 0)` is an empty one.
///
/// # Safety
/// `len` bytes may be read at `data` during the call, if it is not null.
#[inline(always)]
pub(super) unsafe fn blob<'a>(data: *const c_void, len: usize, limit: usize) -> Result<&'a [u8]> {
    if len > limit || (data.is_null() && len > 0) {
        return Err(Error::Invalid);
    }
    if len == 0 {
        return Ok(&[]);
    }
    // SAFETY: by contract; `limit` is far below isize::MAX.
    Ok(unsafe { core::slice::from_raw_parts(data.cast(), len) })
}

/// Receives a blob into the caller's buffer, and writes its length; on TOO_SMALL the needed one.
///
/// # Safety
/// `capacity` bytes may be written at `buffer` during the call, if it is not null; `len` is null or
/// an output.
#[inline(always)]
pub(super) unsafe fn receive<R>(
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    get: impl FnOnce(&mut Received) -> Result<R>,
) -> Result<R> {
    let len = non_null(len)?;
    if buffer.is_null() && capacity > 0 {
        return Err(Error::Invalid);
    }
    // SAFETY: by contract.
    let mut received = unsafe { Received::new(buffer.cast(), capacity) };
    let result = get(&mut received);
    match result {
        // SAFETY: checked above.
        Ok(_) => unsafe { write_out(len, received.len()) },
        // SAFETY: checked above.
        Err(Error::TooSmall { needed }) => unsafe { write_out(len, needed) },
        Err(_) => {}
    }
    result
}

/// The items of a call on many: an address that can hold them, unless there are none.
pub(super) fn check_many<T>(items: *const T, n: usize, done: *mut usize) -> Result {
    non_null(done)?;
    let fits = n.checked_mul(size_of::<T>()).is_some_and(|size| size <= isize::MAX as usize);
    if (n > 0 && (items.is_null() || !items.is_aligned())) || !fits {
        return Err(Error::Invalid);
    }
    Ok(())
}
