//! What poll(2) sees of a descriptor.

use std::ffi::c_int;
use std::os::fd::AsRawFd;

/// Whether a descriptor is readable within a time; below 0 without end.
pub fn readable_within(fd: impl AsRawFd, milliseconds: c_int) -> bool {
    let mut entry = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry.
    let count = unsafe { libc::poll(&mut entry, 1, milliseconds) };
    assert!((0..=1).contains(&count) && entry.revents & !libc::POLLIN == 0, "{}", entry.revents);
    count == 1
}

pub fn is_readable(fd: impl AsRawFd) -> bool {
    readable_within(fd, 0)
}
