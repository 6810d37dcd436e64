//! Tells a race detector, if the program runs under one, about every hand-over.
//!
//! The library itself is not instrumented, and its atomics look like plain accesses to valgrind:
//! a detector would miss the order that a put and its get establish, and report races that are
//! none.

use crate::payload::{Watcher, watch};
use crate::sync::Asked;
use core::cell::Cell;
use core::ffi::{CStr, c_void};

type Announce = unsafe extern "C" fn(*mut c_void);

/// The race detector of this process.
#[derive(Clone, Copy)]
pub(super) enum RaceDetector {
    /// The compilers' thread sanitizer, by its two entries.
    ThreadSanitizer { acquire: Announce, release: Announce },
    /// Valgrind, whose helgrind and drd listen; its other tools ignore what is not for them.
    Valgrind,
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
    /// The end, from closing to whoever asks.
    Close = 3,
}

impl RaceDetector {
    /// Looks for one, once for the process.
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

    /// What this thread did happens before what follows [`RaceDetector::acquire`] of the same.
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

    /// The memory of the queue that the program is given is its own from now on, whatever the
    /// library did there. A thread sanitizer has not seen that; valgrind forgets it.
    pub(super) fn hand_out(self, memory: InPlace) {
        if let Self::Valgrind = self {
            valgrind::forget(memory);
        }
    }
}

/// The sanitizer's two entries, or zeros.
fn find_thread_sanitizer() -> [usize; 2] {
    // Go's race detector has entries of the same names with other parameters, but not this.
    let names = [c"__tsan_read8", c"__tsan_acquire", c"__tsan_release"];
    // SAFETY: the name is a C string.
    let entry = |name: &CStr| unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    let [other, acquire, release] = names.map(|name| entry(name).expose_provenance());
    if other == 0 || acquire == 0 || release == 0 { [0, 0] } else { [acquire, release] }
}

/// Memory of a queue that the program reads or writes.
#[derive(Clone, Copy)]
pub(super) struct InPlace {
    pub(super) data: *mut c_void,
    pub(super) len: usize,
}

/// What a call results in, as far as a race detector has to know.
pub(super) trait Outcome {
    /// The memory that it gives to the program.
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

/// What a callback did happens before a put to the place that it leaves.
fn after_callback() {
    let handle = CALLING_BACK.get();
    if let Some(detector) = RaceDetector::find().filter(|_| !handle.is_null()) {
        detector.release(handle, Channel::Room);
    }
}

/// Valgrind's client requests: instructions that do nothing on a processor, and that valgrind finds
/// in the program that it runs.
mod valgrind {
    use super::InPlace;
    use core::ffi::c_void;

    /// What stands for it where an address would.
    pub(super) const IS_IT: usize = 1;
    const RUNNING_ON_VALGRIND: usize = 0x1001;
    /// Of helgrind, and by the same numbers of drd.
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

    /// What valgrind answers; 0 if it is not there.
    fn request(number: usize, first: usize, second: usize) -> usize {
        let _request = [number, first, second, 0, 0, 0];
        #[allow(unused_mut)]
        let mut answer = 0;
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        // SAFETY: rdi comes back to where it was, and nothing else changes. Valgrind reads the
        // request, and does not write to the program's memory for one of these.
        unsafe {
            core::arch::asm!(
                "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51",
                "xchg rbx, rbx",
                in("rax") &raw const _request, inout("rdx") answer, options(nostack),
            );
        }
        #[cfg(all(target_arch = "aarch64", not(miri)))]
        // SAFETY: as above, of x12.
        unsafe {
            core::arch::asm!(
                "ror x12, x12, #3", "ror x12, x12, #13", "ror x12, x12, #51", "ror x12, x12, #61",
                "orr x10, x10, x10",
                in("x4") &raw const _request, inout("x3") answer, options(nostack),
            );
        }
        answer
    }
}
