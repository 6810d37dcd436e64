//! The arguments of exported functions. Each is checked before it is used: an address is neither null
//! nor misaligned, a blob fits, a structure has a known size.

use crate::error::{Error, Result};
use crate::payload::Received;
use crate::queue::Progress;
use crate::wait::Wait;
use core::ffi::c_void;

/// A pointer as an item. The library does not follow it.
pub(super) type Item = *mut c_void;

/// The address of an output or a structure; [`Error::Invalid`] if it is null or misaligned.
#[inline(always)]
pub(super) fn non_null<T>(address: *mut T) -> Result<*mut T> {
    if address.is_null() || !address.is_aligned() {
        return Err(Error::Invalid);
    }
    Ok(address)
}

/// [`Error::Invalid`] if `n` items cannot be at this address. For 0 items it may be any address.
#[inline(always)]
pub(super) fn check_many<T>(items: *const T, n: usize) -> Result {
    let fits = n.checked_mul(size_of::<T>()).is_some_and(|size| size <= isize::MAX as usize);
    if (n > 0 && (items.is_null() || !items.is_aligned())) || !fits {
        return Err(Error::Invalid);
    }
    Ok(())
}

/// [`Error::Invalid`] for a buffer that has a size but no address.
#[inline(always)]
pub(super) fn check_buffer<T>(buffer: *const T, capacity: usize) -> Result {
    if buffer.is_null() && capacity > 0 { Err(Error::Invalid) } else { Ok(()) }
}

/// How long a call may wait.
#[inline(always)]
pub(super) fn wait(timeout_ns: i64) -> Wait {
    Wait::from_nanos(timeout_ns)
}

/// A blob to put; `(NULL, 0)` is an empty one.
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
    // SAFETY: by contract; `limit` is below isize::MAX, since a cell holds it and a length.
    Ok(unsafe { core::slice::from_raw_parts(data.cast(), len) })
}

/// The place for an item of a get that writes it only if it returns `Ok`.
///
/// # Safety
/// `item` is null or an output.
#[inline(always)]
pub(super) unsafe fn place<'a>(item: *mut Item) -> Result<&'a mut Item> {
    // SAFETY: by contract.
    Ok(unsafe { &mut *non_null(item)? })
}

/// Runs a get that may write an item and fail afterwards: the output is written on `Ok` only.
///
/// # Safety
/// `item` is null or an output.
#[inline(always)]
pub(super) unsafe fn receive_if_ok<R>(
    item: *mut Item,
    get: impl FnOnce(&mut Item) -> Result<R>,
) -> Result<R> {
    let place = non_null(item)?;
    let mut item = core::ptr::null_mut();
    let result = get(&mut item)?;
    // SAFETY: by contract.
    unsafe { place.write(item) };
    Ok(result)
}

/// Runs a get of a blob into the caller's buffer and writes its length; with
/// [`Error::TooSmall`] the needed one.
///
/// # Safety
/// `capacity` bytes may be written at `buffer` during the call, if it is not null; `len` is null or
/// an output.
#[inline(always)]
pub(super) unsafe fn receive_blob<R>(
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    get: impl FnOnce(&mut Received) -> Result<R>,
) -> Result<R> {
    let len = non_null(len)?;
    check_buffer(buffer, capacity)?;
    // SAFETY: by contract.
    let mut received = unsafe { Received::new(buffer.cast(), capacity) };
    let result = get(&mut received);
    match result {
        // SAFETY: checked above.
        Ok(_) => unsafe { len.write(received.len()) },
        // SAFETY: checked above.
        Err(Error::TooSmall { needed }) => unsafe { len.write(needed) },
        Err(_) => {}
    }
    result
}

/// Ends a call on many items: writes their number. It is written here, because returning it with the
/// status through memory stalls behind the stores of the items (decision 007).
///
/// # Safety
/// `done` is an output.
#[inline(always)]
pub(super) unsafe fn write_progress(done: *mut usize, (count, result): Progress) -> Result {
    // SAFETY: by contract.
    unsafe { done.write(count) };
    result
}

/// The largest `struct_size`. No structure of the library will be larger.
const LARGEST_STRUCT: usize = 4096;

/// A structure that begins with its `struct_size`, as the caller's header knows it.
///
/// # Safety
/// `repr(C)`, a `usize` first, valid for every bit pattern that a C caller may write.
pub(super) unsafe trait SizedStruct: Copy {}

/// Reads a structure whose caller may know a newer header: bytes that this library does not know must
/// be 0.
///
/// # Safety
/// `structure` is null or has the bytes that its `struct_size` states.
pub(super) unsafe fn read_sized<T: SizedStruct>(structure: *const T) -> Result<T> {
    // SAFETY: by contract.
    let unknown = unsafe { unknown_bytes(structure)? };
    // SAFETY: within the size that was checked.
    unsafe {
        let tail = structure.add(1).cast::<u8>();
        if (0..unknown).any(|i| tail.add(i).read() != 0) {
            return Err(Error::Invalid);
        }
        Ok(structure.read())
    }
}

/// Writes a structure whose caller may know a newer header: bytes that this library does not know
/// become 0.
///
/// # Safety
/// `structure` is null or has the bytes that its `struct_size` states.
pub(super) unsafe fn write_sized<T: SizedStruct>(structure: *mut T, value: T) -> Result {
    // SAFETY: by contract.
    let unknown = unsafe { unknown_bytes(structure)? };
    // SAFETY: within the size that was checked.
    unsafe {
        let size = structure.cast::<usize>().read();
        structure.write(value);
        structure.cast::<usize>().write(size);
        structure.add(1).cast::<u8>().write_bytes(0, unknown);
    }
    Ok(())
}

/// The number of bytes behind those that the library knows, once address and size are checked.
///
/// # Safety
/// As for [`read_sized`].
unsafe fn unknown_bytes<T: SizedStruct>(structure: *const T) -> Result<usize> {
    non_null(structure.cast_mut())?;
    // SAFETY: every such structure begins with its size.
    let size = unsafe { structure.cast::<usize>().read() };
    if !(size_of::<T>()..=LARGEST_STRUCT).contains(&size) {
        return Err(Error::Invalid);
    }
    Ok(size - size_of::<T>())
}
