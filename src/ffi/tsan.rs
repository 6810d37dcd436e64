//! Tells a thread sanitizer of the program, if there is one, about every hand-over.
//!
//! The library itself is not instrumented, so that the sanitizer would miss the order that a put
//! and its get establish and report races that are none.

use crate::payload::note_sanitizer;
use crate::sync::Asked;
use core::ffi::{CStr, c_void};

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
        static FOUND: Asked = Asked::new();
        let [acquire, release] = FOUND.get(|| {
            // Go's race detector has entries of the same names with other parameters, but not this.
            let names = [c"__tsan_read8", c"__tsan_acquire", c"__tsan_release"];
            // SAFETY: the name is a C string.
            let entry = |name: &CStr| unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
            let [other, acquire, release] = names.map(|name| entry(name).expose_provenance());
            if other == 0 || acquire == 0 || release == 0 {
                return [0, 0];
            }
            note_sanitizer();
            [acquire, release]
        });
        let announce = |address| {
            let entry = core::ptr::with_exposed_provenance_mut::<c_void>(address);
            // SAFETY: null, or the sanitizer's function of this name.
            unsafe { core::mem::transmute::<*mut c_void, Option<Announce>>(entry) }
        };
        Some(Self { acquire: announce(acquire)?, release: announce(release)? })
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
