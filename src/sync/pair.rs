//! Two neighbouring words, 16-byte aligned, of which a compare-and-swap can take both.
//!
//! On x86-64 the words are touched by inline assembly alone: a 64-bit atomic access that races with
//! a 128-bit one is undefined in Rust's memory model, but plain instructions on x86-64 are not
//! (loads acquire, locked instructions are full barriers). loom and Miri, which see no assembly,
//! get both halves packed in one 64-bit word; values are then limited to 32 bits. A thread
//! sanitizer, which sees none either, is told what each instruction orders.

#[cfg(all(target_arch = "x86_64", not(any(loom, miri))))]
mod imp {
    use super::super::Ordering;
    use core::arch::asm;
    use core::cell::UnsafeCell;

    /// See the module.
    #[repr(C, align(16))]
    pub(crate) struct Pair {
        first: UnsafeCell<u64>,
        second: UnsafeCell<u64>,
    }

    // SAFETY: every access after `new` is one indivisible x86-64 instruction.
    unsafe impl Sync for Pair {}

    #[inline(always)]
    fn load(word: &UnsafeCell<u64>) -> u64 {
        let value;
        // SAFETY: the word is alive and aligned; an aligned 8-byte mov is indivisible.
        unsafe {
            asm!("mov {value}, [{word}]", word = in(reg) word.get(), value = out(reg) value,
                 options(nostack, preserves_flags));
        }
        value
    }

    #[cfg(queues_tsan)]
    unsafe extern "C" {
        fn __tsan_acquire(address: *const Pair);
        fn __tsan_release(address: *const Pair);
    }

    impl Pair {
        pub(crate) fn new(first: u64, second: u64) -> Self {
            Self { first: UnsafeCell::new(first), second: UnsafeCell::new(second) }
        }

        /// What others did before an instruction of theirs has been done.
        #[inline(always)]
        fn acquired(&self) {
            #[cfg(queues_tsan)]
            // SAFETY: the address only names what is ordered.
            unsafe {
                __tsan_acquire(self);
            }
        }

        /// What this thread did will have been done for those who see its next instruction.
        #[inline(always)]
        fn releasing(&self) {
            #[cfg(queues_tsan)]
            // SAFETY: the address only names what is ordered.
            unsafe {
                __tsan_release(self);
            }
        }

        /// Whether this processor can; every x86-64 made since 2006 can.
        pub(crate) fn is_supported() -> bool {
            std::arch::is_x86_feature_detected!("cmpxchg16b")
        }

        /// The first word, then the second (which may by then belong to a later first).
        #[inline(always)]
        pub(crate) fn load(&self, _at: Ordering) -> (u64, u64) {
            let both = (load(&self.first), load(&self.second));
            self.acquired();
            both
        }

        #[inline(always)]
        pub(crate) fn replace(&self, old: (u64, u64), new: (u64, u64), _at: Ordering) -> bool {
            let done: u8;
            self.releasing();
            // SAFETY: `self` is 16-byte aligned and alive; rbx, which LLVM keeps for itself, is
            // restored; the caller has checked `is_supported` once.
            unsafe {
                asm!(
                    "xchg rsi, rbx",
                    "lock cmpxchg16b [rdi]",
                    "sete r8b",
                    "mov rbx, rsi",
                    in("rdi") self, inout("rsi") new.0 => _, in("rcx") new.1,
                    inout("rax") old.0 => _, inout("rdx") old.1 => _, out("r8b") done,
                    options(nostack),
                );
            }
            self.acquired();
            done != 0
        }

        /// Replaces the first word alone.
        #[inline(always)]
        pub(crate) fn replace_first(&self, old: u64, new: u64, _at: Ordering) -> bool {
            let done: u8;
            self.releasing();
            // SAFETY: the word is alive and aligned.
            unsafe {
                asm!(
                    "lock cmpxchg [{word}], {new}",
                    "sete {done}",
                    word = in(reg) self.first.get(), new = in(reg) new, done = out(reg_byte) done,
                    inout("rax") old => _,
                    options(nostack),
                );
            }
            self.acquired();
            done != 0
        }
    }
}

#[cfg(any(loom, miri))]
mod imp {
    use super::super::{AtomicU64, Ordering};

    /// See the module.
    pub(crate) struct Pair(AtomicU64);

    // The flag that a first word carries in its top bit moves to the top of the short one.
    const FLAG: u64 = 1 << 63;
    const SHORT_FLAG: u64 = 1 << 31;

    fn pack(first: u64, second: u64) -> u64 {
        let short = first & !FLAG;
        assert!(short < SHORT_FLAG && second >> 32 == 0, "too large for a packed pair");
        (short | if first & FLAG != 0 { SHORT_FLAG } else { 0 }) << 32 | second
    }

    fn unpack(both: u64) -> (u64, u64) {
        let short = both >> 32;
        let flag = if short & SHORT_FLAG != 0 { FLAG } else { 0 };
        (short & !SHORT_FLAG | flag, both & 0xFFFF_FFFF)
    }

    impl Pair {
        pub(crate) fn new(first: u64, second: u64) -> Self {
            Self(AtomicU64::new(pack(first, second)))
        }
        #[allow(dead_code)] // the models construct the ring themselves
        pub(crate) fn is_supported() -> bool {
            true
        }
        pub(crate) fn load(&self, at: Ordering) -> (u64, u64) {
            unpack(self.0.load(at))
        }
        pub(crate) fn replace(&self, old: (u64, u64), new: (u64, u64), at: Ordering) -> bool {
            self.0.replace(pack(old.0, old.1), pack(new.0, new.1), at)
        }
        pub(crate) fn replace_first(&self, old: u64, new: u64, at: Ordering) -> bool {
            // The second word cannot change while the first one stays: see the ring's invariants.
            let (first, second) = unpack(self.0.load(super::super::Relaxed));
            first == old && self.replace((old, second), (new, second), at)
        }
    }
}

#[cfg(any(target_arch = "x86_64", loom, miri))]
pub(crate) use imp::Pair;
