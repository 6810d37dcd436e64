//! The layout of the file of a shared queue, and how an empty file becomes one.
//!
//! # Creation
//! A file is empty at first. The process that holds the lock on byte 0 writes [`UNFINISHED`], then
//! reserves memory and writes the rest, and [`MAGIC`] last. If it dies before, the next process
//! finds `UNFINISHED` and starts again. No other file is ever changed.

use super::file::{Mapping, SharedFile};
use crate::error::{Error, Result};
use crate::memory::LINE;
use crate::sync::{AtomicU64, Release, disable_cancellation, site};
use core::ptr::NonNull;

/// "QUEUFILE", in the byte order of the machine: another byte order is another number.
const MAGIC: u64 = 0x5155_4555_4649_4c45;
/// "QUEUINIT": a process is creating the queue, or died meanwhile.
const UNFINISHED: u64 = 0x5155_4555_494e_4954;
/// Incremented with every change of the layout or of the meaning of a word.
const VERSION: u32 = 2;
/// Bytes of the header; the rest begins behind them.
const HEADER: usize = 4096;
/// The byte of the file that the creator of the queue locks. Attachment i locks byte i + 1.
const CREATION: u64 = 0;
/// Attachments of one file, at most.
const MAX_ATTACHMENTS: u64 = 4096;

/// Which queue lies in a file.
#[repr(u32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Mpmc = 1,
    Spsc = 2,
}

/// The sizes that the creator chose. In a request, 0 stands for the value in the file.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) capacity: u64,
    pub(crate) item_size: u64,
    pub(crate) spare: u64,
    pub(crate) attachments: u64,
    pub(crate) flags: u64,
}

/// The beginning of the file. `queues-inspect` reads it, too.
#[repr(C)]
struct Header {
    magic: AtomicU64,
    version: u32,
    kind: u32,
    /// `size_of::<usize>()`.
    word: u32,
    /// The alignment of what two processors write.
    line: u32,
    sizes: Sizes,
    /// The length of the file.
    len: u64,
}

const _: () = assert!(size_of::<Header>() <= HEADER);

/// A part of the file: `count` values of `size` bytes each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) offset: usize,
    pub(crate) count: usize,
}

/// Assigns offsets to the parts, one behind the other.
#[derive(Debug)]
pub(crate) struct Layout {
    len: usize,
}

impl Layout {
    pub(crate) fn new() -> Self {
        Self { len: HEADER }
    }

    /// Adds a part, aligned to a pair of cache lines. Fails with [`Error::Invalid`] if the sizes
    /// overflow.
    pub(crate) fn add(&mut self, size: usize, count: usize) -> Result<Part> {
        let offset = self.len;
        let end = size.checked_mul(count).and_then(|size| size.checked_add(offset));
        let end = end.and_then(|end| end.checked_next_multiple_of(LINE));
        self.len = end.filter(|&end| end <= isize::MAX as usize).ok_or(Error::Invalid)?;
        Ok(Part { offset, count })
    }
}

/// The queue that a process asks for.
pub(crate) struct Request {
    pub(crate) kind: Kind,
    /// 0 stands for the value in the file, or in an empty file for the default.
    pub(crate) sizes: Sizes,
    pub(crate) defaults: Sizes,
}

/// The file of a shared queue, open and complete.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: SharedFile,
    pub(crate) mapping: Mapping,
    pub(crate) sizes: Sizes,
}

impl Opened {
    /// Opens the file, and creates a queue in it if it is empty. `lay_out` computes the layout for
    /// given sizes, `fill` writes the parts of a new queue, whose memory is zero.
    ///
    /// Fails with [`Error::Invalid`] if the file is not that of such a queue, with
    /// [`Error::NoMemory`] if memory, disk or descriptors are used up. Then the file is as before.
    pub(crate) fn open<L>(
        fd: core::ffi::c_int,
        request: &Request,
        lay_out: impl Fn(&Sizes) -> Result<(Layout, L)>,
        fill: impl Fn(&Mapping, &Sizes, &L),
    ) -> Result<(Self, L)> {
        let _disabled = disable_cancellation();
        let file = SharedFile::open(fd)?;
        if let Some(opened) = attach(&file, request, &lay_out)? {
            let (mapping, sizes, parts) = opened;
            return Ok((Self { file, mapping, sizes }, parts));
        }
        // Waits for a process that is creating the queue.
        file.lock(CREATION, true)?;
        let created = match attach(&file, request, &lay_out) {
            Ok(None) => create(&file, request, &lay_out, &fill),
            Ok(Some(opened)) => Ok(opened),
            Err(error) => Err(error),
        };
        file.unlock(CREATION);
        let (mapping, sizes, parts) = created?;
        Ok((Self { file, mapping, sizes }, parts))
    }
}

/// Why a file is not a shared queue that this library can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("the file is empty")]
    Empty,
    #[error("the queue is incomplete: a process is creating it, or died while it did")]
    Unfinished,
    #[error("not a shared queue: it does not begin with QUEUFILE")]
    NotAQueue,
    #[error("a shared queue of a machine with another byte order")]
    ByteOrder,
    #[error("layout version {0}; this library knows version {VERSION}")]
    Version(u32),
    #[error("a shared queue of another kind of machine: {0}-byte words, lines of {1} bytes")]
    Machine(u32, u32),
    #[error("no family has the number {0}")]
    Kind(u32),
    #[error("sizes that no queue has: capacity {0}, item size {1}, spare {2}, attachments {3}")]
    Sizes(u64, u64, u64, u64),
    #[error("{0} bytes long, but such a queue has {1}")]
    Length(u64, u64),
    #[error("cannot be read or mapped: {0}")]
    Unreadable(Error),
}

impl Flaw {
    /// Whether a file looks like this, too, while a process creates a queue in it.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Empty | Self::Unfinished | Self::Length(..) | Self::Unreadable(_))
    }
}

impl From<Flaw> for Error {
    fn from(flaw: Flaw) -> Self {
        if let Flaw::Unreadable(why) = flaw { why } else { Self::Invalid }
    }
}

/// The contents of a header. Read once, because a peer may write other numbers at any time.
pub(crate) struct Described {
    pub(crate) kind: Kind,
    pub(crate) sizes: Sizes,
    len: u64,
}

/// Reads the header, and checks what does not depend on the kind.
pub(crate) fn describe(file: &SharedFile) -> core::result::Result<Described, Flaw> {
    let mut magic = [0; 8];
    match (file.read(&mut magic), u64::from_ne_bytes(magic)) {
        (Ok(0), _) => return Err(Flaw::Empty),
        (Ok(8), UNFINISHED) => return Err(Flaw::Unfinished),
        (Ok(8), MAGIC) => {}
        (Ok(8), other) if other == MAGIC.swap_bytes() => return Err(Flaw::ByteOrder),
        (Ok(_), _) => return Err(Flaw::NotAQueue),
        (Err(why), _) => return Err(Flaw::Unreadable(why)),
    }
    let is_len = file.len().map_err(Flaw::Unreadable)?;
    if is_len < HEADER as u64 {
        return Err(Flaw::Length(is_len, HEADER as u64));
    }
    let mapping = file.map(HEADER).map_err(Flaw::Unreadable)?;
    let header = header_of(&mapping).as_ptr();
    // SAFETY: mapped.
    let (version, kind, word, line, sizes, len) = unsafe {
        (
            (&raw const (*header).version).read_volatile(),
            (&raw const (*header).kind).read_volatile(),
            (&raw const (*header).word).read_volatile(),
            (&raw const (*header).line).read_volatile(),
            (&raw const (*header).sizes).read_volatile(),
            (&raw const (*header).len).read_volatile(),
        )
    };
    if version != VERSION {
        return Err(Flaw::Version(version));
    }
    if (word, line) != (size_of::<usize>() as u32, LINE as u32) {
        return Err(Flaw::Machine(word, line));
    }
    let kinds = [Kind::Mpmc, Kind::Spsc];
    let kind = kinds.into_iter().find(|&known| known as u32 == kind).ok_or(Flaw::Kind(kind))?;
    check(&sizes).map_err(|_| sizes.flaw())?;
    if is_len < len {
        return Err(Flaw::Length(is_len, len));
    }
    Ok(Described { kind, sizes, len })
}

impl Described {
    /// The length of the file in bytes, according to the header.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Maps the file. `lay_out` computes the layout for the sizes.
    pub(crate) fn map<L>(
        &self,
        file: &SharedFile,
        lay_out: &impl Fn(&Sizes) -> Result<(Layout, L)>,
    ) -> core::result::Result<(Mapping, L), Flaw> {
        let (layout, parts) = lay_out(&self.sizes).map_err(|_| self.sizes.flaw())?;
        if layout.len as u64 != self.len {
            return Err(Flaw::Length(self.len, layout.len as u64));
        }
        Ok((file.map(layout.len).map_err(Flaw::Unreadable)?, parts))
    }
}

/// Opens a queue that is complete. `None` if there is none yet.
fn attach<L>(
    file: &SharedFile,
    request: &Request,
    lay_out: &impl Fn(&Sizes) -> Result<(Layout, L)>,
) -> Result<Option<(Mapping, Sizes, L)>> {
    let described = match describe(file) {
        Err(Flaw::Empty | Flaw::Unfinished) => return Ok(None),
        described => described?,
    };
    if described.kind != request.kind || !agree(&request.sizes, &described.sizes) {
        return Err(Error::Invalid);
    }
    let (mapping, parts) = described.map(file, lay_out)?;
    Ok(Some((mapping, described.sizes, parts)))
}

/// Writes a new queue. The caller holds the lock on byte 0.
fn create<L>(
    file: &SharedFile,
    request: &Request,
    lay_out: &impl Fn(&Sizes) -> Result<(Layout, L)>,
    fill: &impl Fn(&Mapping, &Sizes, &L),
) -> Result<(Mapping, Sizes, L)> {
    let sizes = request.sizes.or(&request.defaults);
    check(&sizes)?;
    let (layout, parts) = lay_out(&sizes)?;
    let fresh = || {
        // Removes what a process left that died during the creation.
        file.truncate();
        file.write(&UNFINISHED.to_ne_bytes())?;
        file.reserve(layout.len as u64)?;
        file.map(layout.len)
    };
    let mapping = fresh().inspect_err(|_| file.truncate())?;
    let header = header_of(&mapping).as_ptr();
    // SAFETY: mapped. No other process reads more than the magic before the queue is complete.
    unsafe {
        (&raw mut (*header).version).write(VERSION);
        (&raw mut (*header).kind).write(request.kind as u32);
        (&raw mut (*header).word).write(size_of::<usize>() as u32);
        (&raw mut (*header).line).write(LINE as u32);
        (&raw mut (*header).sizes).write(sizes);
        (&raw mut (*header).len).write(layout.len as u64);
    }
    fill(&mapping, &sizes, &parts);
    file.forbid_to_shrink();
    // Ordering: Release, pairs with the system call by which other processes read the magic.
    // SAFETY: mapped and aligned.
    unsafe { (*header).magic.store(MAGIC, site("shared.create", Release)) };
    Ok((mapping, sizes, parts))
}

fn header_of(mapping: &Mapping) -> NonNull<Header> {
    mapping.at(0).cast()
}

impl Sizes {
    fn flaw(&self) -> Flaw {
        Flaw::Sizes(self.capacity, self.item_size, self.spare, self.attachments)
    }

    fn fields(&self) -> [u64; 5] {
        [self.capacity, self.item_size, self.spare, self.attachments, self.flags]
    }

    /// These sizes, with those of `defaults` where they are 0.
    fn or(&self, defaults: &Self) -> Self {
        let choose = |size, default| if size == 0 { default } else { size };
        Self {
            capacity: choose(self.capacity, defaults.capacity),
            item_size: choose(self.item_size, defaults.item_size),
            spare: choose(self.spare, defaults.spare),
            attachments: choose(self.attachments, defaults.attachments),
            flags: choose(self.flags, defaults.flags),
        }
    }
}

/// Whether a request accepts the sizes of a file.
fn agree(request: &Sizes, sizes: &Sizes) -> bool {
    request.fields().iter().zip(sizes.fields()).all(|(&asked, is)| asked == 0 || asked == is)
}

/// Fails with [`Error::Invalid`] for sizes that no queue has.
fn check(sizes: &Sizes) -> Result {
    let fits = |size: u64| usize::try_from(size).is_ok();
    let is_queue = sizes.item_size > 0
        && sizes.capacity > 0
        && (1..=MAX_ATTACHMENTS).contains(&sizes.attachments)
        && sizes.fields().into_iter().all(fits);
    if is_queue { Ok(()) } else { Err(Error::Invalid) }
}
