//! Files that processes share: mapped into memory, and locked byte by byte.
//!
//! # Locks
//! A lock belongs to an open file description. So the kernel drops the lock when the process that
//! opened the file has died in any way, in other containers, too. The library opens the file again
//! for its locks, so that nothing that the program does with its own descriptor affects them.
//!
//! # Fork
//! A child inherits the description, and would keep the locks of a parent that dies. So a handler
//! of `pthread_atfork` closes it in the child, and marks it as inherited. The child also inherits
//! the mapping, which keeps a description open. So the mapping has another description, without
//! locks.
//!
//! The handler closes a descriptor only if a thread has entered it in the list. A fork between the
//! open and the entry would leave the description to the child. So handlers also count the forks
//! that have begun and those that have ended, and a thread opens the file anew if a fork may have
//! taken place meanwhile. It holds no lock then, so the child that was forked keeps none. One fork is
//! not counted: one that is under way when the process registers the handlers.

use crate::error::{Error, Result};
use crate::memory::try_box;
use crate::sync::unmodeled::{AtomicBool, AtomicPtr, AtomicUsize};
use crate::sync::{
    AcqRel, Acquire, AtomicU32, Clock, Relaxed, Release, SeqCst, disable_cancellation, site,
    yield_now,
};
use core::ffi::c_int;
use core::ptr::NonNull;

/// A file that this process has opened again, with a description of its own. It is open until the
/// drop, or until a fork in the child.
#[derive(Debug)]
pub(crate) struct SharedFile {
    entry: &'static Entry,
    fd: c_int,
    /// Memory protection of a mapping.
    protection: c_int,
}

/// Where the handler of fork finds a descriptor. Entries are never freed; each is used again,
/// except in a child that inherited it.
#[derive(Debug)]
struct Entry {
    /// The descriptor plus one; 0: the entry is not in use.
    fd: AtomicU32,
    is_inherited: AtomicBool,
    next: *const Entry,
}

// SAFETY: `next` is written before other threads see the entry.
unsafe impl Sync for Entry {}

static ENTRIES: AtomicPtr<Entry> = AtomicPtr::new(core::ptr::null_mut());

/// Registers the handlers once.
static REGISTERED: AtomicBool = AtomicBool::new(false);

/// Forks of this process that have begun, and those that have ended.
static BEGUN: AtomicUsize = AtomicUsize::new(0);
static ENDED: AtomicUsize = AtomicUsize::new(0);

/// Nanoseconds after which an open fails because forks overlap all the time. Not tuned: a fork takes
/// milliseconds at most, unless the process is large.
const FORK_TIMEOUT: u64 = 1_000_000_000;

fn entries() -> impl Iterator<Item = &'static Entry> {
    let mut next = ENTRIES.load(Acquire).cast_const();
    core::iter::from_fn(move || {
        // SAFETY: null or an entry, none of which is ever freed.
        let entry = unsafe { next.as_ref() }?;
        next = entry.next;
        Some(entry)
    })
}

extern "C" fn before_fork() {
    BEGUN.fetch_add(1, SeqCst);
}

extern "C" fn after_fork_in_parent() {
    ENDED.fetch_add(1, SeqCst);
}

/// The number of forks that have ended, as soon as no fork is under way. Fails with
/// [`Error::NoMemory`] after [`FORK_TIMEOUT`].
fn wait_for_forks() -> Result<usize> {
    let mut end = None;
    loop {
        // In this order: a fork that ends between the loads is seen as under way.
        let ended = ENDED.load(SeqCst);
        if BEGUN.load(SeqCst) == ended {
            return Ok(ended);
        }
        if Clock::now() > *end.get_or_insert_with(|| Clock::now().saturating_add(FORK_TIMEOUT)) {
            return Err(Error::NoMemory);
        }
        yield_now();
    }
}

/// In the child: closes what it must not keep.
extern "C" fn after_fork_in_child() {
    // No other thread of the parent, which may have been forking, too, is here.
    ENDED.store(BEGUN.load(SeqCst), SeqCst);
    for entry in entries() {
        let fd = entry.fd.load(site("file.child", Relaxed));
        // An entry that this process inherited is closed already, and its number may be another
        // file's.
        if fd > 0 && !entry.is_inherited.swap(true, Relaxed) {
            // SAFETY: the descriptor is the entry's.
            unsafe { libc::close(fd as c_int - 1) };
        }
    }
}

fn register() -> Result {
    if REGISTERED.load(Acquire) {
        return Ok(());
    }
    // SAFETY: the handlers call only functions that a child may call. Registered twice, in a race,
    // they count each fork twice, at both of its ends, and close nothing twice that anybody uses:
    // the child has one thread then.
    let failed = unsafe {
        let in_parent = Some(after_fork_in_parent as unsafe extern "C" fn());
        libc::pthread_atfork(Some(before_fork), in_parent, Some(after_fork_in_child))
    };
    if failed != 0 {
        return Err(Error::NoMemory);
    }
    REGISTERED.store(true, Release);
    Ok(())
}

/// Opens the file of a descriptor again, and enters the new descriptor, with no fork between the
/// two: see the module.
fn open_and_enter(fd: c_int, access: c_int) -> Result<(c_int, &'static Entry)> {
    register()?;
    loop {
        let forks = wait_for_forks()?;
        let again = open_again(fd, access)?;
        let close = || {
            // SAFETY: opened above.
            unsafe { libc::close(again) };
        };
        let entry = enter(again).inspect_err(|_| close())?;
        // Either this sees that a fork has begun, or the fork, which increments the count after it,
        // copies the entry.
        if BEGUN.fetch_add(0, SeqCst) == forks {
            return Ok((again, entry));
        }
        entry.leave();
        close();
    }
}

impl Entry {
    /// Before the close, so that the handler never closes the number when it is another file's.
    fn leave(&self) {
        self.fd.store(0, site("file.leave", Release));
    }
}

/// An entry for a descriptor.
fn enter(fd: c_int) -> Result<&'static Entry> {
    let word = fd as u32 + 1;
    let unused = entries().find(|entry| {
        !entry.is_inherited.load(Relaxed) && entry.fd.replace(0, word, site("file.enter", AcqRel))
    });
    if let Some(entry) = unused {
        return Ok(entry);
    }
    let new = try_box(Entry {
        fd: AtomicU32::new(word),
        is_inherited: AtomicBool::new(false),
        next: core::ptr::null(),
    })?;
    let new = Box::into_raw(new);
    let mut first = ENTRIES.load(Acquire);
    loop {
        // SAFETY: no other thread has seen it.
        unsafe { (*new).next = first };
        match ENTRIES.compare_exchange(first, new, AcqRel, Acquire) {
            // SAFETY: never freed.
            Ok(_) => return Ok(unsafe { &*new }),
            Err(other) => first = other,
        }
    }
}

/// Opens the file of a descriptor again, with a description of its own.
fn open_again(fd: c_int, access: c_int) -> Result<c_int> {
    let mut path = *b"/proc/self/fd/\0\0\0\0\0\0\0\0\0\0\0\0";
    {
        use std::io::Write;
        let rest = &mut path[b"/proc/self/fd/".len()..];
        write!(&mut *rest, "{}\0", u32::try_from(fd).map_err(|_| Error::Invalid)?)
            .map_err(|_| Error::Invalid)?;
    }
    // SAFETY: a path that ends with 0.
    let fd = unsafe { libc::open(path.as_ptr().cast(), access | libc::O_CLOEXEC) };
    if fd >= 0 {
        return Ok(fd);
    }
    Err(match last_os_error() {
        libc::EMFILE | libc::ENFILE | libc::ENOMEM => Error::NoMemory,
        _ => Error::Invalid,
    })
}

impl SharedFile {
    /// Opens the file of a descriptor again. Fails with [`Error::Invalid`] if it is not a regular
    /// file that can be read and written, or if /proc is not mounted; with [`Error::NoMemory`] if
    /// no descriptor is left, or if forks of other threads overlap for a second.
    pub(crate) fn open(fd: c_int) -> Result<Self> {
        Self::open_by(fd, libc::O_RDWR, libc::PROT_READ | libc::PROT_WRITE)
    }

    /// [`SharedFile::open`] for reading only.
    pub(crate) fn open_to_read(fd: c_int) -> Result<Self> {
        Self::open_by(fd, libc::O_RDONLY, libc::PROT_READ)
    }

    fn open_by(fd: c_int, access: c_int, protection: c_int) -> Result<Self> {
        // Opening again could add rights that the caller's descriptor does not have.
        // SAFETY: no memory is passed.
        let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
        let is_open = flags >= 0 && flags & libc::O_PATH == 0;
        let has = flags & libc::O_ACCMODE;
        if !is_open || (has != libc::O_RDWR && has != access) {
            return Err(Error::Invalid);
        }
        let (fd, entry) = open_and_enter(fd, access)?;
        let file = Self { entry, fd, protection };
        // SAFETY: `stat` is an output.
        let is_file = unsafe {
            let mut stat: libc::stat = core::mem::zeroed();
            libc::fstat(fd, &mut stat) == 0 && stat.st_mode & libc::S_IFMT == libc::S_IFREG
        };
        if is_file { Ok(file) } else { Err(Error::Invalid) }
    }

    /// Whether this process is a child that inherited the file, and may not use it.
    #[inline(always)]
    pub(crate) fn is_inherited(&self) -> bool {
        self.entry.is_inherited.load(Relaxed)
    }

    /// The length in bytes.
    pub(crate) fn len(&self) -> Result<u64> {
        // SAFETY: `stat` is an output.
        unsafe {
            let mut stat: libc::stat = core::mem::zeroed();
            if libc::fstat(self.fd, &mut stat) != 0 {
                return Err(Error::Invalid);
            }
            Ok(stat.st_size as u64)
        }
    }

    /// Reads up to `buffer.len()` bytes at the beginning; returns their number.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        // SAFETY: the buffer may be written.
        let count = unsafe { libc::pread(self.fd, buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        usize::try_from(count).map_err(|_| Error::Invalid)
    }

    /// Writes bytes at the beginning. [`Error::NoMemory`] if the file system is full.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result {
        // SAFETY: the bytes may be read.
        let count = unsafe { libc::pwrite(self.fd, bytes.as_ptr().cast(), bytes.len(), 0) };
        if count == bytes.len() as isize { Ok(()) } else { Err(no_space()) }
    }

    /// Makes the file `len` bytes long and reserves memory or disk for all of them, so that no
    /// later access fails. Fails with [`Error::NoMemory`] if there is not enough.
    pub(crate) fn reserve(&self, len: u64) -> Result {
        if len > all_memory() {
            return Err(Error::NoMemory);
        }
        let len = libc::off_t::try_from(len).map_err(|_| Error::Invalid)?;
        loop {
            // SAFETY: no memory is passed.
            match unsafe { libc::posix_fallocate(self.fd, 0, len) } {
                0 => return Ok(()),
                libc::EINTR => {}
                libc::ENOSPC | libc::EFBIG | libc::EDQUOT | libc::ENOMEM => {
                    return Err(Error::NoMemory);
                }
                _ => return Err(Error::Invalid),
            }
        }
    }

    /// Empties the file.
    pub(crate) fn truncate(&self) {
        // SAFETY: no memory is passed.
        unsafe { libc::ftruncate(self.fd, 0) };
    }

    /// Seals the file against shrinking, if it is a memfd that allows seals. An access behind the
    /// end of a file that was shrunk is a SIGBUS.
    pub(crate) fn forbid_to_shrink(&self) {
        // SAFETY: no memory is passed. An error means that the file cannot be sealed.
        unsafe { libc::fcntl(self.fd, libc::F_ADD_SEALS, libc::F_SEAL_SHRINK) };
    }

    /// Locks a byte; returns false if another description has locked it, unless it `waits`.
    pub(crate) fn lock(&self, byte: u64, waits: bool) -> Result<bool> {
        let command = if waits { libc::F_OFD_SETLKW } else { libc::F_OFD_SETLK };
        loop {
            match self.call_lock(command, libc::F_WRLCK, byte, 1) {
                Ok(_) => return Ok(true),
                Err(libc::EAGAIN | libc::EACCES) => return Ok(false),
                Err(libc::EINTR) => {}
                Err(libc::ENOLCK) => return Err(Error::NoMemory),
                Err(_) => return Err(Error::Invalid),
            }
        }
    }

    pub(crate) fn unlock(&self, byte: u64) {
        // It fails only for arguments that `lock` refused, too.
        let _ = self.call_lock(libc::F_OFD_SETLK, libc::F_UNLCK, byte, 1);
    }

    fn unlock_all(&self) {
        // As above. A length of 0 reaches to the end of every file.
        let _ = self.call_lock(libc::F_OFD_SETLK, libc::F_UNLCK, 0, 0);
    }

    /// Whether another description has locked a byte.
    pub(crate) fn is_locked(&self, byte: u64) -> bool {
        // If the kernel reports an error, the process counts as alive.
        self.call_lock(libc::F_OFD_GETLK, libc::F_WRLCK, byte, 1) != Ok(libc::F_UNLCK)
    }

    /// Calls fcntl; returns the kind of lock that it wrote, or the error of the system.
    fn call_lock(
        &self,
        command: c_int,
        kind: c_int,
        byte: u64,
        len: libc::off_t,
    ) -> core::result::Result<c_int, c_int> {
        // SAFETY: all fields may be 0; the kernel writes nothing else.
        let mut lock: libc::flock = unsafe { core::mem::zeroed() };
        lock.l_type = kind as _;
        lock.l_whence = libc::SEEK_SET as _;
        lock.l_start = byte as libc::off_t;
        lock.l_len = len;
        // SAFETY: `lock` is valid during the call.
        let failed = unsafe { libc::fcntl(self.fd, command, &raw mut lock) } != 0;
        if failed { Err(last_os_error()) } else { Ok(c_int::from(lock.l_type)) }
    }

    /// Maps the first `len` bytes.
    pub(crate) fn map(&self, len: usize) -> Result<Mapping> {
        let is_writable = self.protection & libc::PROT_WRITE != 0;
        // A child inherits the mapping, which keeps its description: not that of the locks.
        let fd = open_again(self.fd, if is_writable { libc::O_RDWR } else { libc::O_RDONLY })?;
        // SAFETY: a new mapping, at an address of the kernel's choice.
        let start = unsafe {
            libc::mmap(core::ptr::null_mut(), len, self.protection, libc::MAP_SHARED, fd, 0)
        };
        let error = last_os_error();
        // SAFETY: opened above.
        unsafe { libc::close(fd) };
        if start == libc::MAP_FAILED {
            return Err(match error {
                libc::ENOMEM | libc::EAGAIN | libc::ENFILE => Error::NoMemory,
                _ => Error::Invalid,
            });
        }
        let start = NonNull::new(start.cast()).ok_or(Error::NoMemory)?;
        Ok(Mapping { start, len })
    }
}

impl Drop for SharedFile {
    fn drop(&mut self) {
        if !self.is_inherited() {
            let _disabled = disable_cancellation();
            // A child that is forked between the next two steps keeps the description, but no lock.
            self.unlock_all();
            self.entry.leave();
            // SAFETY: opened in `open`.
            unsafe { libc::close(self.fd) };
        }
    }
}

/// Bytes of memory and swap of this machine. A memfd accepts more without an error, and then the
/// kernel kills processes.
fn all_memory() -> u64 {
    // SAFETY: `info` is an output.
    unsafe {
        let mut info: libc::sysinfo = core::mem::zeroed();
        if libc::sysinfo(&mut info) != 0 {
            return u64::MAX;
        }
        let units = (info.totalram as u64).saturating_add(info.totalswap as u64);
        units.saturating_mul(u64::from(info.mem_unit))
    }
}

/// The error of a write that failed or was short.
fn no_space() -> Error {
    match last_os_error() {
        libc::EBADF | libc::EINVAL | libc::EPERM => Error::Invalid,
        _ => Error::NoMemory,
    }
}

pub(super) fn last_os_error() -> c_int {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// A file in memory.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the methods return addresses only.
unsafe impl Send for Mapping {}
// SAFETY: the same.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// The address of a byte. Panics if it lies outside.
    pub(crate) fn at(&self, offset: usize) -> NonNull<u8> {
        assert!(offset < self.len);
        // SAFETY: inside the mapping.
        unsafe { self.start.add(offset) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped in `map`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

/// The address of a value in a mapping, in a form that a debugger can read.
#[derive(Debug)]
#[repr(transparent)]
pub struct Mapped<T>(NonNull<T>);

impl<T: Sync> Mapped<T> {
    /// # Safety
    /// A `T` exists there as long as the result is used. It consists of atomics, since other
    /// processes change it.
    pub(crate) unsafe fn new(value: NonNull<T>) -> Self {
        Self(value)
    }
}

// SAFETY: as a reference.
unsafe impl<T: Sync> Send for Mapped<T> {}
// SAFETY: the same.
unsafe impl<T: Sync> Sync for Mapped<T> {}

impl<T> core::ops::Deref for Mapped<T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: by the contract of `new`.
        unsafe { self.0.as_ref() }
    }
}
