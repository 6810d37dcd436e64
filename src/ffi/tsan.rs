//! Tells a thread sanitizer of the program, if there is one, about every hand-over.
//!
//! The library itself is not instrumented, so that the sanitizer would miss the order that a put
//! and its get establish and report races that are none.

use crate::payload::note_sanitizer;
use core::ffi::{c_char, c_void};
use std::sync::OnceLock;

type Announce = unsafe extern "C" fn(*mut c_void);

/// The sanitizer's two entries.
#[derive(Clone, Copy)]
pub(super) struct Tsan {
    acquire: Announce,
    release: Announce,
}

/// What is handed over.
#[derive(Clone, Copy)]
pub(super) enum Channel {
    /// Items, from puts to gets.
    Items = 0,
    /// Room, from gets to puts: memory that is read and written in place.
    Room = 1,
    /// References, from every release to the last one.
    References = 2,
}

impl Tsan {
    /// The sanitizer of this process.
    pub(super) fn find() -> Option<Self> {
        static FOUND: OnceLock<Option<Tsan>> = OnceLock::new();
        fn entry(name: *const c_char) -> Option<Announce> {
            // SAFETY: the name is a C string; a symbol of this name is the sanitizer's function.
            unsafe {
                let symbol = libc::dlsym(libc::RTLD_DEFAULT, name);
                core::mem::transmute::<*mut c_void, Option<Announce>>(symbol)
            }
        }
        *FOUND.get_or_init(|| {
            // Go's race detector has entries of the same names with other parameters, but not this.
            entry(c"__tsan_read8".as_ptr())?;
            let acquire = entry(c"__tsan_acquire".as_ptr())?;
            let release = entry(c"__tsan_release".as_ptr())?;
            note_sanitizer();
            Some(Tsan { acquire, release })
        })
    }

    /// What this thread did before happens before what [`Tsan::acquire`] of the same precedes.
    pub(super) fn release(self, handle: *const c_void, channel: Channel) {
        // SAFETY: any address names a channel; it is not followed.
        unsafe { (self.release)(handle.cast_mut().wrapping_byte_add(channel as usize)) }
    }

    /// See [`Tsan::release`].
    pub(super) fn acquire(self, handle: *const c_void, channel: Channel) {
        // SAFETY: any address names a channel; it is not followed.
        unsafe { (self.acquire)(handle.cast_mut().wrapping_byte_add(channel as usize)) }
    }
}
