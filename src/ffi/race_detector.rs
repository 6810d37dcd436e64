//! Announces every handover of memory to the race detector that the program runs under, if any.
//! Without that the detector would report false races, because it does not see how the library orders
//! memory: its code is not instrumented, and to valgrind atomics are plain accesses.

use crate::payload::{Watcher, watch};
use crate::sync::Asked;
use core::cell::Cell;
use core::ffi::{CStr, c_void};

type Announce = unsafe extern "C" fn(*mut c_void);

/// The race detector of this process.
#[derive(Clone, Copy)]
pub(super) enum RaceDetector {
    /// ThreadSanitizer, with the two functions that announce order.
    ThreadSanitizer { acquire: Announce, release: Announce },
    /// Valgrind. Helgrind and drd use the announcements; its other tools ignore them.
    Valgrind,
}

/// What is handed over from one thread to another.
#[derive(Clone, Copy)]
pub(super) enum Channel {
    /// Items, from puts to gets.
    Items = 0,
    /// Room, from gets to puts: memory that is read and written in place.
    Room = 1,
    /// References, from every release to the last one.
    References = 2,
    /// The closing, from `close` to calls that find the queue closed.
    Close = 3,
}

impl RaceDetector {
    /// Finds it; searches once in a process.
    pub(super) fn find() -> Option<Self> {
        static FOUND: Asked = Asked::new();
        static WATCHER: Watcher = Watcher { before_callback: hand_out, after_callback };
        let [acquire, release] = FOUND.get(|| {
            let found =
                if valgrind::is_running() { [valgrind::IS_IT, 0] } else { find_thread_sanitizer() };
            if found != [0, 0] {
                watch(&WATCHER);
            }
            found
        });
        if acquire == valgrind::IS_IT {
            return Some(Self::Valgrind);
        }
        let announce = |address| {
            let entry = core::ptr::with_exposed_provenance_mut::<c_void>(address);
            // SAFETY: null, or the sanitizer's function of this name.
            unsafe { core::mem::transmute::<*mut c_void, Option<Announce>>(entry) }
        };
        Some(Self::ThreadSanitizer { acquire: announce(acquire)?, release: announce(release)? })
    }

    /// What this thread did before happens before what follows the [`RaceDetector::acquire`] of the
    /// same handle and channel.
    pub(super) fn release(self, handle: *const c_void, channel: Channel) {
        let at = handle.cast_mut().wrapping_byte_add(channel as usize);
        match self {
            // SAFETY: any address names a channel; it is not followed.
            Self::ThreadSanitizer { release, .. } => unsafe { release(at) },
            Self::Valgrind => valgrind::release(at),
        }
    }

    /// See [`RaceDetector::release`].
    pub(super) fn acquire(self, handle: *const c_void, channel: Channel) {
        let at = handle.cast_mut().wrapping_byte_add(channel as usize);
        match self {
            // SAFETY: any address names a channel; it is not followed.
            Self::ThreadSanitizer { acquire, .. } => unsafe { acquire(at) },
            Self::Valgrind => valgrind::acquire(at),
        }
    }

    /// From now on the program may access this memory of the queue. Valgrind forgets the library's
    /// accesses to it; ThreadSanitizer never saw them.
    pub(super) fn hand_out(self, memory: InPlace) {
        if let Self::Valgrind = self {
            valgrind::forget(memory);
        }
    }
}

/// The addresses of ThreadSanitizer's two functions, or zeros.
fn find_thread_sanitizer() -> [usize; 2] {
    // Go's race detector has functions of the same names with other parameters, but lacks the first.
    let names = [c"__tsan_read8", c"__tsan_acquire", c"__tsan_release"];
    // SAFETY: the name is a C string.
    let entry = |name: &CStr| unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    let [other, acquire, release] = names.map(|name| entry(name).expose_provenance());
    if other == 0 || acquire == 0 || release == 0 { [0, 0] } else { [acquire, release] }
}

/// Memory of a queue that the program reads or writes in place.
#[derive(Clone, Copy)]
pub(super) struct InPlace {
    pub(super) data: *mut c_void,
    pub(super) len: usize,
}

/// The result of a call, as a race detector must know it.
pub(super) trait Outcome {
    /// The memory of the queue that the program may access from now on.
    fn in_place(&self) -> Option<InPlace> {
        None
    }
}

impl Outcome for () {}
impl Outcome for usize {}
impl Outcome for f64 {}
impl Outcome for (usize, usize) {}
impl Outcome for InPlace {
    fn in_place(&self) -> Option<InPlace> {
        Some(*self)
    }
}
/// A cell, and the length of the blob in it.
impl Outcome for (InPlace, usize) {
    fn in_place(&self) -> Option<InPlace> {
        Some(self.0)
    }
}

thread_local! {
    /// The handle whose items this thread is handing to the drop callback.
    static CALLING_BACK: Cell<*const c_void> = const { Cell::new(core::ptr::null()) };
}

/// Runs `f`, which hands items of this handle's queue to the drop callback.
pub(super) fn calling_back<R>(handle: *const c_void, f: impl FnOnce() -> R) -> R {
    let outer = CALLING_BACK.replace(handle);
    let result = f();
    CALLING_BACK.set(outer);
    result
}

fn hand_out(data: *mut c_void, len: usize) {
    if let Some(detector) = RaceDetector::find() {
        detector.hand_out(InPlace { data, len });
    }
}

/// What a callback did happens before a put into the place that becomes free.
fn after_callback() {
    let handle = CALLING_BACK.get();
    if let Some(detector) = RaceDetector::find().filter(|_| !handle.is_null()) {
        detector.release(handle, Channel::Room);
    }
}

/// Valgrind's client requests: instructions without effect on a processor, which valgrind recognizes.
mod valgrind {
    use super::InPlace;
    use core::ffi::c_void;

    /// Stored in place of the address of a function.
    pub(super) const IS_IT: usize = 1;
    const RUNNING_ON_VALGRIND: usize = 0x1001;
    /// Requests of helgrind; drd has the same numbers.
    const CLEAN_MEMORY: usize = (b'H' as usize) << 24 | (b'G' as usize) << 16;
    const HAPPENS_BEFORE: usize = CLEAN_MEMORY + 256 + 33;
    const HAPPENS_AFTER: usize = CLEAN_MEMORY + 256 + 34;

    pub(super) fn is_running() -> bool {
        request(RUNNING_ON_VALGRIND, 0, 0) != 0
    }
    pub(super) fn release(channel: *mut c_void) {
        request(HAPPENS_BEFORE, channel.addr(), 0);
    }
    pub(super) fn acquire(channel: *mut c_void) {
        request(HAPPENS_AFTER, channel.addr(), 0);
    }
    pub(super) fn forget(memory: InPlace) {
        request(CLEAN_MEMORY, memory.data.addr(), memory.len);
    }

    /// Valgrind's result; 0 without valgrind.
    fn request(number: usize, first: usize, second: usize) -> usize {
        let _request = [number, first, second, 0, 0, 0];
        #[allow(unused_mut)]
        let mut result = 0;
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        // SAFETY: the rotations restore rdi, and nothing else changes. Valgrind reads the request; for
        // these requests it does not write to the program's memory.
        unsafe {
            core::arch::asm!(
                "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51",
                "xchg rbx, rbx",
                in("rax") &raw const _request, inout("rdx") result, options(nostack),
            );
        }
        #[cfg(all(target_arch = "aarch64", not(miri)))]
        // SAFETY: as above, of x12.
        unsafe {
            core::arch::asm!(
                "ror x12, x12, #3", "ror x12, x12, #13", "ror x12, x12, #51", "ror x12, x12, #61",
                "orr x10, x10, x10",
                in("x4") &raw const _request, inout("x3") result, options(nostack),
            );
        }
        result
    }
}
