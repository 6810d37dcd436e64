//! The version of the library that runs, which may be another than the header's.

use core::ffi::c_char;

/// Returns the version of the library that runs, such as "1.2.3".
///
/// Wait-free. Any thread. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn queues_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Returns the version of the library that runs as a number, in the form of QUEUES_VERSION_NUMBER.
///
/// Wait-free. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn queues_version_number() -> u32 {
    const fn part(digits: &str) -> u32 {
        match u32::from_str_radix(digits, 10) {
            Ok(part) if part < 100 => part,
            _ => panic!("a part of the version has more than two digits"),
        }
    }
    const {
        part(env!("CARGO_PKG_VERSION_MAJOR")) * 10_000
            + part(env!("CARGO_PKG_VERSION_MINOR")) * 100
            + part(env!("CARGO_PKG_VERSION_PATCH"))
    }
}
