//! A file descriptor that is readable while it is signaled, for event loops.
//!
//! Linux: an eventfd; for ends that become ready by time, an epoll descriptor over an eventfd and a
//! timerfd. Elsewhere, and in the portable build: a pipe. Under loom: a flag of the model.
//!
//! On Linux this module makes system calls itself and does not call the functions of the C library.
//! Those are cancellation points. ThreadSanitizer, which does not see the atomics of this library,
//! would also report their use by several threads as races. Only `close` is the C library's,
//! because the sanitizer must know that a descriptor is closed.
//!
//! After a fork the child has the same eventfd. In the child the descriptor does nothing, so that a
//! child never resets what the parent waits for.

#[cfg(loom)]
pub use model::Descriptor;
#[cfg(not(loom))]
pub(crate) use system::Descriptor;

#[cfg(not(loom))]
mod system {
    use crate::sync::{Deadline, disable_cancellation};
    use libc::c_int;

    /// An open file descriptor, closed when dropped.
    #[derive(Debug)]
    struct Owned(c_int);

    impl Owned {
        /// `None` for the result of a call that failed: no descriptor is left.
        fn new(fd: c_int) -> Option<Self> {
            (fd >= 0).then_some(Self(fd))
        }
    }

    impl Drop for Owned {
        fn drop(&mut self) {
            let _disabled = disable_cancellation();
            // SAFETY: the descriptor is ours.
            unsafe { libc::close(self.0) };
        }
    }

    /// See the module.
    #[derive(Debug)]
    pub(crate) struct Descriptor {
        signal: Signal,
        #[cfg(target_os = "linux")]
        timer: Option<Timer>,
        /// The process that created it.
        process: libc::pid_t,
    }

    impl Descriptor {
        /// Whether a descriptor can be `timed`.
        pub(crate) const HAS_TIMERS: bool = cfg!(target_os = "linux");

        /// Creates a descriptor that is not signaled. If it is `timed`, [`Descriptor::set_timer`]
        /// can signal it. Returns `None` if no descriptor is left.
        pub(crate) fn try_new(timed: bool) -> Option<Self> {
            let _disabled = disable_cancellation();
            let signal = Signal::try_new()?;
            #[cfg(target_os = "linux")]
            let timer = if timed { Some(Timer::try_new(signal.readable())?) } else { None };
            assert!(!timed || Self::HAS_TIMERS);
            // SAFETY: getpid only returns a number.
            let process = unsafe { libc::getpid() };
            Some(Self {
                signal,
                #[cfg(target_os = "linux")]
                timer,
                process,
            })
        }

        /// The descriptor for event loops.
        pub(crate) fn fd(&self) -> c_int {
            #[cfg(target_os = "linux")]
            if let Some(timer) = &self.timer {
                return timer.both.0;
            }
            self.signal.readable()
        }

        /// Whether this process created the descriptor.
        fn is_mine(&self) -> bool {
            // SAFETY: getpid only returns a number.
            unsafe { libc::getpid() == self.process }
        }

        /// Makes it readable.
        pub(crate) fn signal(&self) {
            if self.is_mine() {
                self.signal.set();
            }
        }

        /// Makes it unreadable, and stops the timer.
        pub(crate) fn reset(&self) {
            if self.is_mine() {
                self.signal.clear();
                self.arm_timer(Deadline::NEVER);
            }
        }

        /// Makes it readable from time `at` on.
        pub(crate) fn set_timer(&self, at: Deadline) {
            if at != Deadline::NEVER && self.is_mine() {
                self.arm_timer(at);
            }
        }

        #[cfg(target_os = "linux")]
        fn arm_timer(&self, at: Deadline) {
            if let Some(timer) = &self.timer {
                timer.arm(at);
            }
        }
        #[cfg(not(target_os = "linux"))]
        fn arm_timer(&self, _at: Deadline) {}
    }

    /// System calls on Linux. Their arguments are those of the C library's functions.
    #[cfg(all(target_os = "linux", not(miri)))]
    mod calls {
        use libc::{c_int, c_long, syscall};

        fn descriptor(result: c_long) -> c_int {
            result as c_int
        }
        pub(super) unsafe fn write(fd: c_int, bytes: *const u8, length: usize) -> isize {
            // SAFETY: the caller's arguments.
            unsafe { syscall(libc::SYS_write, fd, bytes, length) as isize }
        }
        pub(super) unsafe fn read(fd: c_int, bytes: *mut u8, length: usize) -> isize {
            // SAFETY: as above.
            unsafe { syscall(libc::SYS_read, fd, bytes, length) as isize }
        }
        #[cfg(not(queues_portable))]
        pub(super) unsafe fn eventfd(value: u32, flags: c_int) -> c_int {
            // SAFETY: as above.
            descriptor(unsafe { syscall(libc::SYS_eventfd2, value, flags) })
        }
        pub(super) unsafe fn timerfd_create(clock: c_int, flags: c_int) -> c_int {
            // SAFETY: as above.
            descriptor(unsafe { syscall(libc::SYS_timerfd_create, clock, flags) })
        }
        pub(super) unsafe fn timerfd_settime(
            fd: c_int,
            flags: c_int,
            new: *const libc::itimerspec,
            old: *mut libc::itimerspec,
        ) -> c_int {
            // SAFETY: as above.
            descriptor(unsafe { syscall(libc::SYS_timerfd_settime, fd, flags, new, old) })
        }
        pub(super) unsafe fn epoll_create1(flags: c_int) -> c_int {
            // SAFETY: as above.
            descriptor(unsafe { syscall(libc::SYS_epoll_create1, flags) })
        }
        pub(super) unsafe fn epoll_ctl(
            epoll: c_int,
            operation: c_int,
            fd: c_int,
            event: *mut libc::epoll_event,
        ) -> c_int {
            // SAFETY: as above.
            descriptor(unsafe { syscall(libc::SYS_epoll_ctl, epoll, operation, fd, event) })
        }
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    mod calls {
        pub(super) use libc::*;
    }

    /// An eventfd.
    #[cfg(all(target_os = "linux", not(queues_portable)))]
    #[derive(Debug)]
    struct Signal(Owned);

    #[cfg(all(target_os = "linux", not(queues_portable)))]
    impl Signal {
        fn try_new() -> Option<Self> {
            // SAFETY: eventfd takes two numbers.
            let fd = unsafe { calls::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
            Owned::new(fd).map(Self)
        }
        fn readable(&self) -> c_int {
            self.0.0
        }
        fn set(&self) {
            write(self.0.0, &1_u64.to_ne_bytes());
        }
        fn clear(&self) {
            read(self.0.0, &mut [0; 8]);
        }
    }

    /// A pipe: the end to read from and the end to write to.
    #[cfg(any(not(target_os = "linux"), queues_portable))]
    #[derive(Debug)]
    struct Signal(Owned, Owned);

    #[cfg(any(not(target_os = "linux"), queues_portable))]
    impl Signal {
        fn try_new() -> Option<Self> {
            let mut ends = [-1; 2];
            // SAFETY: two numbers are written; they are our descriptors then.
            if unsafe { libc::pipe(ends.as_mut_ptr()) } != 0 {
                return None;
            }
            for end in ends {
                // SAFETY: the descriptor is ours.
                unsafe {
                    libc::fcntl(end, libc::F_SETFD, libc::FD_CLOEXEC);
                    libc::fcntl(end, libc::F_SETFL, libc::O_NONBLOCK);
                }
            }
            Some(Self(Owned(ends[0]), Owned(ends[1])))
        }
        fn readable(&self) -> c_int {
            self.0.0
        }
        fn set(&self) {
            write(self.1.0, &[1]);
        }
        fn clear(&self) {
            while read(self.0.0, &mut [0; 64]) == 64 {}
        }
    }

    /// Writes without waiting. Fails only if the descriptor is full, and so readable already.
    fn write(fd: c_int, bytes: &[u8]) {
        let _disabled = disable_cancellation();
        // SAFETY: the bytes can be read.
        unsafe { calls::write(fd, bytes.as_ptr().cast(), bytes.len()) };
    }

    /// Reads without waiting. Returns the number of bytes, or a negative number if there are none.
    fn read(fd: c_int, bytes: &mut [u8]) -> isize {
        let _disabled = disable_cancellation();
        // SAFETY: the bytes can be written.
        unsafe { calls::read(fd, bytes.as_mut_ptr().cast(), bytes.len()) }
    }

    /// A timerfd, and an epoll descriptor that is readable if the timerfd or the signal is.
    #[cfg(target_os = "linux")]
    #[derive(Debug)]
    struct Timer {
        timer: Owned,
        both: Owned,
    }

    #[cfg(target_os = "linux")]
    impl Timer {
        fn try_new(signal: c_int) -> Option<Self> {
            let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
            // SAFETY: these calls take numbers.
            let (timer, both) = unsafe {
                (
                    Owned::new(calls::timerfd_create(libc::CLOCK_MONOTONIC, flags))?,
                    Owned::new(calls::epoll_create1(libc::EPOLL_CLOEXEC))?,
                )
            };
            for fd in [signal, timer.0] {
                let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
                // SAFETY: `event` is read during the call.
                let added =
                    unsafe { calls::epoll_ctl(both.0, libc::EPOLL_CTL_ADD, fd, &mut event) };
                if added != 0 {
                    return None;
                }
            }
            Some(Self { timer, both })
        }

        /// Sets the timer to `at`; `NEVER` stops it. A time that has passed makes the descriptor
        /// readable at once.
        fn arm(&self, at: Deadline) {
            // Zero stops a timer.
            let zero = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            let value = at.timespec().unwrap_or(zero);
            let timer = libc::itimerspec { it_interval: zero, it_value: value };
            // SAFETY: `timer` is read during the call.
            unsafe {
                calls::timerfd_settime(
                    self.timer.0,
                    libc::TFD_TIMER_ABSTIME,
                    &timer,
                    core::ptr::null_mut(),
                )
            };
        }
    }
}

#[cfg(loom)]
mod model {
    use crate::sync::{Clock, Deadline};
    use loom::sync::{Condvar, Mutex};

    /// A descriptor of a model: a flag and a timer, and the threads that wait for them. A thread
    /// that waits for the timer sets the clock to its time instead of sleeping.
    #[derive(Debug)]
    pub struct Descriptor {
        state: Mutex<State>,
        changed: Condvar,
    }

    #[derive(Debug)]
    struct State {
        is_signaled: bool,
        timer: Deadline,
    }

    impl Descriptor {
        pub(crate) const HAS_TIMERS: bool = true;
        pub(crate) fn try_new(_timed: bool) -> Option<Self> {
            let state = State { is_signaled: false, timer: Deadline::NEVER };
            Some(Self { state: Mutex::new(state), changed: Condvar::new() })
        }
        pub(crate) fn fd(&self) -> libc::c_int {
            0
        }
        pub(crate) fn signal(&self) {
            self.state.lock().unwrap().is_signaled = true;
            self.changed.notify_all();
        }
        pub(crate) fn reset(&self) {
            *self.state.lock().unwrap() = State { is_signaled: false, timer: Deadline::NEVER };
        }
        pub(crate) fn set_timer(&self, at: Deadline) {
            if at != Deadline::NEVER {
                self.state.lock().unwrap().timer = at;
                self.changed.notify_all();
            }
        }
        /// Sleeps until it is readable, as an event loop does.
        pub fn wait(&self) {
            let mut state = self.state.lock().unwrap();
            while !state.is_signaled && state.timer == Deadline::NEVER {
                state = self.changed.wait(state).unwrap();
            }
            if !state.is_signaled {
                Clock::advance(state.timer.nanos());
            }
        }
        /// Whether it is readable.
        pub fn is_readable(&self) -> bool {
            let state = self.state.lock().unwrap();
            state.is_signaled || state.timer.has_passed()
        }
    }
}
