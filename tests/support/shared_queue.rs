//! An mpmc queue of blobs in a file that processes share, through the C ABI, as safe Rust. Calls
//! allocate nothing: the caller may be a child that was forked.

use super::c_abi::statistics;
use core::ffi::{c_int, c_void};
use queues::Stats;
use queues::ffi::mpmc::*;
use queues::ffi::status::*;
use std::ptr::null_mut;

pub type Status = queues_status_t;

#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    pub capacity: usize,
    pub item_size: usize,
    pub spare: usize,
    pub attachments: usize,
    pub flags: u64,
}

impl Options {
    pub fn to_c(self) -> queues_mpmc_options_t {
        queues_mpmc_options_t {
            struct_size: size_of::<queues_mpmc_options_t>(),
            capacity: self.capacity,
            item_size: self.item_size,
            flags: self.flags,
            drop: None,
            drop_ctx: null_mut(),
            drop_bytes: None,
            spare: self.spare,
            attachments: self.attachments,
        }
    }
    /// What attaches to any queue.
    pub fn any() -> Self {
        Self::default()
    }
    pub fn redelivers(&self) -> bool {
        self.flags & QUEUES_REDELIVER != 0
    }
    pub fn cells(&self) -> usize {
        self.capacity + self.spare
    }
}

/// A file in memory, which children inherit.
#[derive(Debug)]
pub struct MemoryFile(pub c_int);

impl MemoryFile {
    pub fn new() -> Self {
        // SAFETY: a C string.
        let fd = unsafe { libc::memfd_create(c"queue".as_ptr(), libc::MFD_ALLOW_SEALING) };
        assert!(fd >= 0, "memfd_create: {}", std::io::Error::last_os_error());
        Self(fd)
    }

    pub fn set_len(&self, len: usize) {
        // SAFETY: no memory is passed.
        assert_eq!(unsafe { libc::ftruncate(self.0, len as libc::off_t) }, 0);
    }

    pub fn len(&self) -> usize {
        // SAFETY: `stat` is an output.
        unsafe {
            let mut stat: libc::stat = core::mem::zeroed();
            assert_eq!(libc::fstat(self.0, &mut stat), 0);
            stat.st_size as usize
        }
    }

    pub fn read(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len()];
        // SAFETY: the buffer may be written.
        let count = unsafe { libc::pread(self.0, bytes.as_mut_ptr().cast(), bytes.len(), 0) };
        assert_eq!(count, bytes.len() as isize);
        bytes
    }

    pub fn write(&self, bytes: &[u8]) {
        // SAFETY: the bytes may be read.
        let count = unsafe { libc::pwrite(self.0, bytes.as_ptr().cast(), bytes.len(), 0) };
        assert_eq!(count, bytes.len() as isize);
    }

    /// Maps the whole file, for good.
    pub fn map(&self) -> &'static [std::sync::atomic::AtomicU64] {
        let len = self.len();
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping, which is never removed; atomics may hold any bits.
        unsafe {
            let start = libc::mmap(null_mut(), len, access, libc::MAP_SHARED, self.0, 0);
            assert!(start != libc::MAP_FAILED);
            core::slice::from_raw_parts(start.cast(), len / 8)
        }
    }

    /// Removes what `map` returned.
    pub fn unmap(words: &'static [std::sync::atomic::AtomicU64]) {
        // SAFETY: the caller uses it no more.
        unsafe { libc::munmap(words.as_ptr().cast_mut().cast(), words.len() * 8) };
    }
}

impl std::os::fd::AsFd for MemoryFile {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        // SAFETY: open as long as `self`.
        unsafe { std::os::fd::BorrowedFd::borrow_raw(self.0) }
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        // SAFETY: the descriptor is ours.
        unsafe { libc::close(self.0) };
    }
}

/// A handle.
#[derive(Debug)]
pub struct Shared(*mut queues_mpmc_t);

// SAFETY: any thread may use a handle.
unsafe impl Send for Shared {}
// SAFETY: the same.
unsafe impl Sync for Shared {}

fn ok<T>(status: Status, value: T) -> Result<T, Status> {
    if status == QUEUES_OK { Ok(value) } else { Err(status) }
}

impl Shared {
    pub fn open(fd: c_int, options: &Options) -> Result<Self, Status> {
        Self::open_with(fd, &options.to_c())
    }
    pub fn open_with(fd: c_int, options: &queues_mpmc_options_t) -> Result<Self, Status> {
        let mut queue = null_mut();
        // SAFETY: valid options and output.
        let status = unsafe { queues_mpmc_open_shared(options, fd, &mut queue) };
        assert_eq!(queue.is_null(), status != QUEUES_OK, "the output, {status:?}");
        ok(status, Self(queue))
    }
    pub fn put(&self, blob: &[u8], timeout: i64) -> Result<(), Status> {
        // SAFETY: a live handle; the blob may be read.
        let status =
            unsafe { queues_mpmc_put_bytes(self.0, blob.as_ptr().cast(), blob.len(), timeout) };
        ok(status, ())
    }
    pub fn get(&self, buffer: &mut [u8], timeout: i64) -> Result<usize, Status> {
        let (room, mut len) = (buffer.len(), usize::MAX);
        // SAFETY: a live handle; the buffer may be written.
        let status = unsafe {
            queues_mpmc_get_bytes(self.0, buffer.as_mut_ptr().cast(), room, &mut len, timeout)
        };
        ok(status, len)
    }
    pub fn peek(&self, buffer: &mut [u8]) -> Result<usize, Status> {
        let (room, mut len) = (buffer.len(), usize::MAX);
        // SAFETY: as above.
        let status =
            unsafe { queues_mpmc_peek_bytes(self.0, buffer.as_mut_ptr().cast(), room, &mut len) };
        ok(status, len)
    }
    pub fn reserve(&self, timeout: i64) -> Result<*mut u8, Status> {
        let mut data: *mut c_void = null_mut();
        // SAFETY: a live handle, and an output.
        let status = unsafe { queues_mpmc_reserve(self.0, &mut data, timeout) };
        ok(status, data.cast())
    }
    pub fn commit(&self, data: *mut u8, len: usize) -> Result<(), Status> {
        // SAFETY: a live handle; the address may be any.
        ok(unsafe { queues_mpmc_commit(self.0, data.cast(), len) }, ())
    }
    pub fn cancel(&self, data: *mut u8) -> Result<(), Status> {
        // SAFETY: as above.
        ok(unsafe { queues_mpmc_cancel(self.0, data.cast()) }, ())
    }
    pub fn lease(&self, timeout: i64) -> Result<(*mut u8, usize), Status> {
        let (mut data, mut len): (*mut c_void, _) = (null_mut(), usize::MAX);
        // SAFETY: a live handle, and outputs.
        let status = unsafe { queues_mpmc_lease(self.0, &mut data, &mut len, timeout) };
        ok(status, (data.cast(), len))
    }
    pub fn settle(&self, data: *mut u8) -> Result<(), Status> {
        // SAFETY: a live handle; the address may be any.
        ok(unsafe { queues_mpmc_settle(self.0, data.cast()) }, ())
    }
    pub fn put_back(&self, data: *mut u8) -> Result<(), Status> {
        // SAFETY: as above.
        ok(unsafe { queues_mpmc_return(self.0, data.cast()) }, ())
    }
    pub fn clear(&self) -> Result<usize, Status> {
        let mut count = usize::MAX;
        // SAFETY: a live handle, and an output.
        ok(unsafe { queues_mpmc_clear(self.0, &mut count) }, count)
    }
    pub fn close(&self) -> Status {
        // SAFETY: a live handle.
        unsafe { queues_mpmc_close(self.0) }
    }
    pub fn readable_fd(&self, fd: &mut c_int) -> Status {
        // SAFETY: a live handle, and an output.
        unsafe { queues_mpmc_readable_fd(self.0, fd) }
    }
    pub fn is_closed(&self) -> bool {
        // SAFETY: a live handle.
        unsafe { queues_mpmc_is_closed(self.0) }
    }
    pub fn size(&self) -> usize {
        // SAFETY: a live handle.
        unsafe { queues_mpmc_size(self.0) }
    }
    pub fn capacity(&self) -> usize {
        // SAFETY: a live handle.
        unsafe { queues_mpmc_capacity(self.0) }
    }
    pub fn stats(&self) -> Stats {
        // SAFETY: a live handle.
        statistics(|stats| unsafe { queues_mpmc_stats(self.0, stats) })
    }

    /// Everything that is in the queue, as words.
    pub fn drain(&self) -> Vec<u64> {
        let (mut items, mut buffer) = (Vec::new(), [0; 256]);
        loop {
            match self.get(&mut buffer, 0) {
                Ok(len) if len >= 8 => items.push(word(&buffer)),
                Ok(len) => panic!("an item of {len} bytes"),
                Err(QUEUES_EMPTY | QUEUES_CLOSED) => return items,
                Err(status) => panic!("get: {status:?}"),
            }
        }
    }
}

/// The first word of a blob.
pub fn word(blob: &[u8]) -> u64 {
    u64::from_ne_bytes(blob[..8].try_into().unwrap())
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: the last use of the handle.
        unsafe { queues_mpmc_release(self.0) };
    }
}

/// Checks an empty queue that no other process uses, after deaths: the statistics are true, all
/// cells are there, and the capacity is exact.
pub fn check_whole(queue: &Shared, options: &Options, attached: u64) {
    let stats = queue.stats();
    assert_eq!(queue.size(), 0, "size");
    assert_eq!((stats.enqueued - stats.dequeued, stats.current_size), (0, 0), "{stats:?}");
    assert_eq!(stats.attached, attached, "{stats:?}");
    let cells: Vec<_> = (0..options.cells()).map(|_| queue.reserve(0)).collect();
    let there = cells.iter().filter(|cell| cell.is_ok()).count();
    assert_eq!(there, options.cells(), "free cells; {stats:?}");
    assert_eq!(queue.reserve(0), Err(QUEUES_FULL), "one cell more than there are");
    for cell in cells {
        queue.cancel(cell.unwrap()).unwrap();
    }
    for i in 0..options.capacity as u64 {
        queue.put(&i.to_ne_bytes(), 0).unwrap();
    }
    assert_eq!(queue.put(&[0; 8], 0), Err(QUEUES_FULL), "an item more than the capacity");
    assert_eq!(queue.drain(), (0..options.capacity as u64).collect::<Vec<_>>());
}
