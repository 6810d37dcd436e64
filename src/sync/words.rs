//! Sleeping on several words at once until one changes, a thread wakes the sleeper, or a deadline
//! passes.
//!
//! Linux: futex_waitv (Linux 5.16). Elsewhere, in the portable build and under Miri: it cannot, and the
//! largest number of words is 0. Under loom: two words, so that models have polls of both kinds.

#[cfg(all(loom, not(any(miri, queues_portable))))]
pub(crate) use model::Words;
#[cfg(not(all(any(target_os = "linux", loom), not(any(miri, queues_portable)))))]
pub(crate) use none::Words;
#[cfg(all(target_os = "linux", not(any(loom, miri, queues_portable))))]
pub(crate) use system::Words;

#[cfg(all(target_os = "linux", not(any(loom, miri, queues_portable))))]
mod system {
    use crate::sync::{Deadline, Parking, disable_cancellation};

    /// Several words on which a thread sleeps at once.
    pub(crate) struct Words<'a> {
        words: [Word; MAX_WORDS],
        len: usize,
        parkings: core::marker::PhantomData<&'a Parking>,
    }

    /// The largest number of words that the kernel accepts (FUTEX_WAITV_MAX).
    const MAX_WORDS: usize = 128;

    /// The kernel's `struct futex_waitv`.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Word {
        seen: u64,
        address: u64,
        flags: u32,
        _reserved: u32,
    }

    impl<'a> Words<'a> {
        pub(crate) const MAX: usize = MAX_WORDS;
        /// The number of the system call; the libc crate lacks it for some targets.
        const FUTEX_WAITV: libc::c_long = if cfg!(target_arch = "mips64") { 5449 } else { 449 };

        pub(crate) fn new() -> Self {
            let none = Word { seen: 0, address: 0, flags: 0, _reserved: 0 };
            Self { words: [none; MAX_WORDS], len: 0, parkings: core::marker::PhantomData }
        }

        /// Adds a word and the epoch that was seen there: the `MAX`th at most.
        pub(crate) fn push(&mut self, parking: &'a Parking, seen: u32) {
            const SIZE_U32_PRIVATE: u32 = 2 | libc::FUTEX_PRIVATE_FLAG as u32;
            let address = parking.address().addr() as u64;
            self.words[self.len] =
                Word { seen: seen.into(), address, flags: SIZE_U32_PRIVATE, _reserved: 0 };
            self.len += 1;
        }

        /// Sleeps until a wake-up, a new epoch on any word or the deadline. May return early. Returns
        /// false, at once, if the kernel or a sandbox refuses the call.
        pub(crate) fn sleep(&self, deadline: Deadline) -> bool {
            let _disabled = disable_cancellation();
            let limit = deadline.timespec();
            let limit = limit.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
            // SAFETY: the words outlive the call; `limit` is null or a valid absolute time.
            let woken = unsafe {
                libc::syscall(
                    Self::FUTEX_WAITV,
                    self.words.as_ptr(),
                    self.len as libc::c_uint,
                    0,
                    limit,
                    libc::CLOCK_MONOTONIC,
                )
            };
            // Other errors: unknown to the kernel, or refused by a sandbox.
            woken >= 0 || matches!(last_os_error(), libc::EAGAIN | libc::EINTR | libc::ETIMEDOUT)
        }
    }

    fn last_os_error() -> libc::c_int {
        std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
    }
}

#[cfg(all(loom, not(any(miri, queues_portable))))]
mod model {
    use crate::sync::park::pass_to;
    use crate::sync::{Deadline, Parking, Relaxed};

    /// Several words of a model on which a thread sleeps at once. As in the kernel, the thread joins
    /// the sleepers of one word after the other, while each has the epoch that was seen.
    pub(crate) struct Words<'a> {
        words: Vec<(&'a Parking, u32)>,
    }

    impl<'a> Words<'a> {
        /// In words. Small, so that models also have polls with more words.
        pub(crate) const MAX: usize = 2;

        pub(crate) fn new() -> Self {
            Self { words: Vec::new() }
        }

        /// Adds a word and the epoch that was seen there.
        pub(crate) fn push(&mut self, parking: &'a Parking, seen: u32) {
            assert!(self.words.len() < Self::MAX);
            self.words.push((parking, seen));
        }

        /// As [`Parking::sleep`], on all words. Always true.
        pub(crate) fn sleep(&self, deadline: Deadline) -> bool {
            if pass_to(deadline) {
                return true;
            }
            let sleeper =
                std::sync::Arc::new((loom::sync::Mutex::new(false), loom::sync::Condvar::new()));
            let joins = |&(parking, seen): &(&Parking, u32)| {
                let mut sleepers = parking.sleepers.0.lock().unwrap();
                let is_seen = parking.epoch(Relaxed) == seen;
                if is_seen {
                    sleepers.push(sleeper.clone());
                }
                is_seen
            };
            if self.words.iter().all(joins) {
                let mut is_woken = sleeper.0.lock().unwrap();
                while !*is_woken {
                    is_woken = sleeper.1.wait(is_woken).unwrap();
                }
            }
            for (parking, _) in &self.words {
                let mut sleepers = parking.sleepers.0.lock().unwrap();
                sleepers.retain(|other| !std::sync::Arc::ptr_eq(other, &sleeper));
            }
            true
        }
    }
}

#[cfg(not(all(any(target_os = "linux", loom), not(any(miri, queues_portable)))))]
mod none {
    use crate::sync::{Deadline, Parking};

    /// Not even one word: no call uses it.
    pub(crate) struct Words;

    impl Words {
        pub(crate) const MAX: usize = 0;

        pub(crate) fn new() -> Self {
            Self
        }
        pub(crate) fn push(&mut self, _parking: &Parking, _seen: u32) {}
        pub(crate) fn sleep(&self, _deadline: Deadline) -> bool {
            false
        }
    }
}
