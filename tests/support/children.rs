//! Child processes of a test: forked or started anew, killed, suspended, and stepped through their
//! instructions.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

/// A child, which is killed at the end of the test at the latest.
#[derive(Debug)]
pub struct Child {
    pid: libc::pid_t,
    is_over: bool,
}

/// How a child ended, or that it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Exited(i32),
    Killed(i32),
    Stopped(i32),
}

/// The child dies with the thread that started it.
pub fn die_with_parent() {
    // SAFETY: no memory is passed.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Runs `body` in a child; 101 is its exit code if that panics.
pub fn fork(body: impl FnOnce()) -> Child {
    // SAFETY: the child ends by _exit. On Linux it may allocate.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        die_with_parent();
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        // SAFETY: ends the process.
        unsafe { libc::_exit(if done.is_ok() { 0 } else { 101 }) };
    }
    Child::of(pid)
}

impl Child {
    pub fn of(pid: libc::pid_t) -> Self {
        Self { pid, is_over: false }
    }

    pub fn pid(&self) -> libc::pid_t {
        self.pid
    }

    fn signal(&self, signal: i32) {
        assert!(!self.is_over);
        // SAFETY: our own child, which was not waited for yet.
        unsafe { libc::kill(self.pid, signal) };
    }
    pub fn suspend(&self) {
        self.signal(libc::SIGSTOP);
    }
    pub fn go_on(&self) {
        self.signal(libc::SIGCONT);
    }
    pub fn kill(mut self) {
        self.signal(libc::SIGKILL);
        self.wait();
    }

    fn look(&mut self, flags: i32) -> Option<Seen> {
        let mut status = 0;
        // SAFETY: our own child, and a local.
        let pid = unsafe { libc::waitpid(self.pid, &mut status, flags | libc::__WALL) };
        if pid == 0 {
            return None;
        }
        assert_eq!(pid, self.pid, "waitpid: {}", std::io::Error::last_os_error());
        let seen = if libc::WIFEXITED(status) {
            Seen::Exited(libc::WEXITSTATUS(status))
        } else if libc::WIFSIGNALED(status) {
            Seen::Killed(libc::WTERMSIG(status))
        } else {
            Seen::Stopped(libc::WSTOPSIG(status))
        };
        self.is_over = !matches!(seen, Seen::Stopped(_));
        Some(seen)
    }
    pub fn wait(&mut self) -> Seen {
        self.look(0).unwrap()
    }
    /// How the child has ended, if it has.
    pub fn ended(&mut self) -> Option<Seen> {
        self.look(libc::WNOHANG)
    }
    /// Whether the child has ended. It stays a zombie, for a later wait.
    pub fn is_ending(&self) -> bool {
        // SAFETY: an output; the child stays a zombie.
        unsafe {
            let mut info: libc::siginfo_t = core::mem::zeroed();
            let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            libc::waitid(libc::P_PID, self.pid as libc::id_t, &mut info, flags) == 0
                && info.si_pid() == self.pid
        }
    }
    /// Waits for the end of a child that should do well.
    pub fn join(mut self) {
        assert_eq!(self.wait(), Seen::Exited(0), "how the child ended");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.is_over {
            self.signal(libc::SIGKILL);
            self.wait();
        }
    }
}

/// A child that its parent steps through a call.
pub struct Traced {
    child: Child,
    is_at_end: bool,
}

/// The instructions of a call.
pub struct Path {
    /// The address of each.
    places: Vec<u64>,
    /// Which visit of that address it is.
    visits: Vec<u64>,
}

impl Path {
    /// The number of instructions.
    pub fn len(&self) -> usize {
        self.places.len() - 1
    }
}

/// Stops a traced child until its parent continues it.
fn mark() {
    // SAFETY: a signal to this thread.
    unsafe { libc::raise(libc::SIGSTOP) };
}

impl Traced {
    /// Runs `prepare` in a child, which stops before `call` and after it. `None` if the system does
    /// not let a process trace its child.
    pub fn start<T>(prepare: impl FnOnce() -> T, call: impl FnOnce(&mut T)) -> Option<Self> {
        let refused = 77;
        let mut child = fork(|| {
            let mut prepared = prepare();
            // SAFETY: no memory is passed.
            unsafe {
                if libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) != 0 {
                    libc::_exit(refused);
                }
            }
            mark();
            call(&mut prepared);
            mark();
        });
        match child.wait() {
            Seen::Stopped(libc::SIGSTOP) => Some(Self { child, is_at_end: false }),
            Seen::Exited(code) if code == refused => None,
            other => panic!("a traced child: {other:?}"),
        }
    }

    fn resume(&mut self, request: libc::c_uint) -> Seen {
        let none = core::ptr::null_mut::<libc::c_void>();
        // SAFETY: our own child, which is stopped; no memory is passed.
        let failed = unsafe { libc::ptrace(request, self.child.pid, none, none) };
        assert_eq!(failed, 0, "ptrace: {}", std::io::Error::last_os_error());
        self.child.wait()
    }

    /// Whether the call is over.
    pub fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// Runs one instruction. Returns false at the next mark.
    pub fn step(&mut self) -> bool {
        match self.resume(libc::PTRACE_SINGLESTEP) {
            Seen::Stopped(libc::SIGTRAP) => true,
            Seen::Stopped(libc::SIGSTOP) => {
                self.is_at_end = true;
                false
            }
            other => panic!("a traced child: {other:?}"),
        }
    }

    /// Runs up to the next mark; returns the way there.
    pub fn explore(&mut self) -> Path {
        self.explore_with(|_| ())
    }

    /// [`Traced::explore`] that calls `at` after each instruction, with their number.
    pub fn explore_with(&mut self, mut at: impl FnMut(usize)) -> Path {
        let mut path = Path { places: vec![self.place()], visits: vec![0] };
        let mut seen = std::collections::HashMap::new();
        while self.step() {
            let place = self.place();
            // An instruction that repeats itself is one visit.
            if Some(&place) != path.places.last() {
                *seen.entry(place).or_insert(0) += 1;
            }
            at(path.places.len());
            path.places.push(place);
            path.visits.push(*seen.get(&place).unwrap_or(&u64::MAX));
        }
        path
    }

    /// Runs the first `n` instructions of a path, or less if the child's path is shorter.
    pub fn run(&mut self, path: &Path, n: usize) {
        let from = self.run_near(path, n);
        for _ in from..n {
            if !self.step() {
                break;
            }
        }
    }

    /// The address of the next instruction; 0 where it is not known.
    fn place(&self) -> u64 {
        #[cfg(target_arch = "x86_64")]
        return self.registers().rip;
        #[cfg(not(target_arch = "x86_64"))]
        0
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn run_near(&mut self, _path: &Path, _n: usize) -> usize {
        0
    }

    #[cfg(target_arch = "x86_64")]
    fn registers(&self) -> libc::user_regs_struct {
        // SAFETY: the child is stopped; the registers are an output.
        unsafe {
            let mut registers: libc::user_regs_struct = core::mem::zeroed();
            let none = core::ptr::null_mut::<libc::c_void>();
            let failed = libc::ptrace(libc::PTRACE_GETREGS, self.child.pid, none, &mut registers);
            assert_eq!(failed, 0, "PTRACE_GETREGS");
            registers
        }
    }

    /// Runs to a place on the path from which few steps are left, by a breakpoint. Returns how many
    /// instructions that are.
    #[cfg(target_arch = "x86_64")]
    fn run_near(&mut self, path: &Path, n: usize) -> usize {
        const BREAKPOINT: i64 = 0xcc;
        // A visit of a breakpoint costs as much as three steps.
        let cost = |&m: &usize| path.visits[m].saturating_mul(3).saturating_add((n - m) as u64);
        let near = (0..=n).rev().take(500).min_by_key(cost).unwrap();
        if near == 0 || cost(&near) >= n as u64 {
            return 0;
        }
        let (pid, place) = (self.child.pid, path.places[near]);
        // SAFETY: the child is stopped, and the address is that of its code.
        let code = unsafe { libc::ptrace(libc::PTRACE_PEEKTEXT, pid, place, 0) };
        let poke = |word: i64| {
            // SAFETY: the same.
            assert_eq!(unsafe { libc::ptrace(libc::PTRACE_POKETEXT, pid, place, word) }, 0);
        };
        for visit in 1..=path.visits[near] {
            if self.place() == place {
                self.step();
            }
            poke(code & !0xff | BREAKPOINT);
            let seen = self.resume(libc::PTRACE_CONT);
            poke(code);
            if seen == Seen::Stopped(libc::SIGSTOP) {
                // At the mark: the path was another one this time.
                return n;
            }
            assert_eq!(seen, Seen::Stopped(libc::SIGTRAP));
            let mut registers = self.registers();
            assert_eq!(registers.rip, place + 1, "visit {visit}");
            registers.rip = place;
            let none = core::ptr::null_mut::<libc::c_void>();
            // SAFETY: the child is stopped; the registers are read.
            let failed = unsafe { libc::ptrace(libc::PTRACE_SETREGS, pid, none, &registers) };
            assert_eq!(failed, 0, "PTRACE_SETREGS");
        }
        near
    }

    /// Runs to the end, from wherever the child is before its last mark, or at it.
    pub fn finish_call(mut self) {
        let mut seen = self.resume(libc::PTRACE_CONT);
        if seen == Seen::Stopped(libc::SIGSTOP) {
            seen = self.resume(libc::PTRACE_CONT);
        }
        assert_eq!(seen, Seen::Exited(0), "how the child ended");
    }

    pub fn kill(self) {
        self.child.kill();
    }
}

/// The time of the monotonic clock in nanoseconds.
pub fn now() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// The time of a clock in nanoseconds.
pub fn clock(id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: an output.
    unsafe { libc::clock_gettime(id, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Adds to a word of shared memory.
pub fn add(word: &AtomicU64, n: u64) {
    word.fetch_add(n, SeqCst);
}

/// Prints on the terminal, even if the harness keeps the output, that a test does not run here.
pub fn skipped(what: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "skipped: {what}");
}
