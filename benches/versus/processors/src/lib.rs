//! The processors that a process may use, and pinning a thread to one of them. The driver's probe
//! and the Rust program share this, so that the probe measures the two processors on which trials
//! run.

/// The numbers of the processors that this process may use, in ascending order.
pub fn allowed() -> Vec<usize> {
    // SAFETY: a zeroed set is valid, and outlives the call.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::sched_getaffinity(0, size_of_val(&set), &mut set);
        (0..libc::CPU_SETSIZE as usize).filter(|&cpu| libc::CPU_ISSET(cpu, &set)).collect()
    }
}

/// Pins the calling thread to `processor`.
pub fn pin(processor: usize) {
    // SAFETY: a zeroed set is valid, and outlives the call.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(processor, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &set);
    }
}
