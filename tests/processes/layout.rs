//! The layout of the files, version 2, written down byte by byte. A file with these bytes, as an
//! earlier build of the library left it, is a queue; and this build writes the same bytes. If a test
//! fails because the layout has changed, the version in `src/shared/layout.rs` must change, too.

use crate::support::children::{Seen, fork};
use crate::support::shared_queue::{MemoryFile, Options, Shared, check_whole};
use queues::ffi::mpmc::QUEUES_REDELIVER;
use queues::{BytesConsumer, BytesProducer, Error, SharedOptions};

/// The words of a file. All numbers have the byte order of the machine.
struct Words(Vec<u64>);

const MPMC: u64 = 1;
const SPSC: u64 = 2;
const CAPACITY: u64 = 4;
const ITEM_SIZE: u64 = 16;
const ATTACHMENTS: u64 = 3;
/// The flag of a queue that redelivers.
const REDELIVERS: u64 = 1 << 8;
/// Cells of an mpmc queue beyond the capacity.
const SPARE: u64 = 2;

/// Bytes of the header. The parts follow, each at a multiple of 128 bytes.
const HEADER: usize = 4096;
/// First the part that all queues have: for each end, puts and gets, an event of 128 bytes (a word of
/// flags, and two 32-bit words on which threads sleep), and 128 bytes with the count of failed calls;
/// then the number of recovered cells.
const COMMON: usize = HEADER;
/// Then a record of 128 bytes for each attachment: generation and state in a word, the process
/// number, and four 32-bit counts of waiters.
const RECORDS: usize = COMMON + 640;
/// Then 32 seats of 64 bytes for each attachment, which begin with an announcement: the index of a
/// cell plus 1, or 0.
const SEATS: usize = RECORDS + ATTACHMENTS as usize * 128;
/// Then the parts of the family.
const FAMILY: usize = SEATS + ATTACHMENTS as usize * 32 * 64;

impl Words {
    fn new(family: u64, spare: u64, flags: u64, len: usize) -> Self {
        let mut words = Self(vec![0; len / 8]);
        words.set(0, &[u64::from_be_bytes(*b"QUEUFILE")]);
        // 32 bits each: the version, the family, the size of a word, the alignment of the parts.
        words.set(8, &[2 | family << 32, 8 | 128 << 32]);
        words.set(24, &[CAPACITY, ITEM_SIZE, spare, ATTACHMENTS, flags, len as u64]);
        words
    }
    fn set(&mut self, at: usize, values: &[u64]) {
        self.0[at / 8..][..values.len()].copy_from_slice(values);
    }
    /// An attachment of generation 1 that has not ended.
    fn set_live(&mut self, index: usize, process: u64) {
        self.set(RECORDS + index * 128, &[1 << 2 | 1, process]);
    }
    /// The length of a blob, and its bytes.
    fn set_blob(&mut self, at: usize, blob: &[u8]) {
        self.set(at, &[blob.len() as u64, word_of(blob)]);
    }
    fn file(&self) -> MemoryFile {
        let file = MemoryFile::new();
        file.write(&self.0.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>());
        file
    }
    fn of(file: &MemoryFile) -> Self {
        let words = file.read();
        let words = words.chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap()));
        Self(words.collect())
    }
    /// Compares all words but those in `except`, which may differ: hints.
    fn assert_eq(&self, other: &Self, except: core::ops::Range<usize>) {
        assert_eq!(self.0.len(), other.0.len());
        for (i, (left, right)) in self.0.iter().zip(&other.0).enumerate() {
            let at = i * 8;
            assert!(except.contains(&at) || left == right, "{left:#x}, {right:#x} at byte {at}");
        }
    }
}

fn word_of(blob: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..blob.len()].copy_from_slice(blob);
    u64::from_ne_bytes(bytes)
}

/// An mpmc queue in which a process of number `process` put "one", "two" and "three", got "one",
/// leased "two", and died.
///
/// The parts of the family: the ends of two rings, of filled and of free cells; their slots; cells.
/// A ring has as many slots as there are cells, rounded up to a power of two: 8.
fn mpmc(process: u64) -> Words {
    /// A ring has two ends, tail and head, of 128 bytes: a hint of the position, the position of the
    /// last failure, the position before which no push is a peak, and the peak.
    const ENDS: usize = FAMILY;
    const FILLED: usize = ENDS + 2 * 256;
    const FREE: usize = FILLED + 128;
    const CELLS: usize = FREE + 128;
    /// A mark, a length and the bytes. Bit 63 of the length is set while the cell is leased.
    const CELL: usize = 8 + 8 + ITEM_SIZE as usize;
    let end = |position| [position, 0xf << 60, 0, 0];
    // A slot has the position, shifted by one, and whether it is full. Its three bits above that one
    // are those of the cell instead of those of the position.
    let free = |position: u64| (position << 1) & !0xe;
    let full = |position: u64, cell: u64| free(position) | cell << 1 | 1;
    // A mark has the position, or nothing; the attachment that wrote it, 12 bits of its index below
    // its generation, at bit 32; bit 62 for the ring of filled cells; and bit 63 for a position.
    let attachment = 1 << 12;
    let in_ring = |ring: u64, writer: u64, position| 1 << 63 | ring << 62 | writer << 32 | position;
    let held_from = |ring: u64, owner: u64| ring << 62 | owner << 32;

    let mut words = Words::new(MPMC, SPARE, REDELIVERS, CELLS + 6 * CELL + 64);
    words.set_live(0, process);
    words.set(ENDS, &[3, 0xf << 60, 2, 2]);
    words.set(ENDS + 128, &end(2));
    words.set(ENDS + 256, &end(7));
    words.set(ENDS + 384, &end(3));
    words.set(FILLED, &[free(8), free(9), full(2, 2), free(3), free(4), free(5)]);
    words.set(FILLED + 6 * 8, &[free(6), free(7)]);
    words.set(FREE, &[free(8), free(9), free(10), full(3, 3), full(4, 4), full(5, 5), full(6, 0)]);
    words.set(FREE + 7 * 8, &[free(7)]);
    for (cell, blob) in [b"one".as_slice(), b"two", b"three"].into_iter().enumerate() {
        words.set_blob(CELLS + cell * CELL + 8, blob);
    }
    words.set(CELLS + CELL + 8, &[1 << 63 | 3]);
    let marks = [in_ring(0, attachment, 6), held_from(1, attachment), in_ring(1, attachment, 2)];
    let untouched = [3, 4, 5].map(|position| in_ring(0, 0, position));
    for (cell, mark) in marks.into_iter().chain(untouched).enumerate() {
        words.set(CELLS + cell * CELL, &[mark]);
    }
    words
}

/// An spsc queue in which a process put "one", "two" and "three", and got "one" by a second handle.
///
/// The parts of the family: the control and the cells. `stage` is 0, or 1 without asymmetric fences.
fn spsc(process: u64, stage: u64) -> Words {
    /// In 128 bytes each: the stage of closing, and the position from which on blobs have lengths; the
    /// tail and the peak; the head, and where the consumer stopped; the attachments that have the
    /// roles of the producer and of the consumer.
    const CONTROL: usize = FAMILY;
    const CELLS: usize = CONTROL + 4 * 128;
    /// The bytes of a blob. Behind the cells lie the lengths, a word for each cell.
    const CELL: usize = ITEM_SIZE as usize;
    const LENGTHS: usize = CELLS + CAPACITY as usize * CELL;
    let mut words = Words::new(SPSC, 0, 0, CELLS + 128);
    words.set_live(0, process);
    words.set_live(1, process);
    words.set(CONTROL, &[stage, 0]);
    words.set(CONTROL + 128, &[3, 2]);
    words.set(CONTROL + 256, &[1, 0]);
    words.set(CONTROL + 384, &[1 << 12, 1 << 12 | 1]);
    for (cell, blob) in [b"one".as_slice(), b"two", b"three"].into_iter().enumerate() {
        words.set(CELLS + cell * CELL, &[word_of(blob)]);
        words.set(LENGTHS + cell * 8, &[blob.len() as u64]);
    }
    words
}

#[test]
fn a_file_with_an_mpmc_queue_of_layout_2_is_that_queue() {
    let file = mpmc(1).file();
    let queue = Shared::open(file.0, &Options::any()).unwrap();
    let stats = queue.stats();
    assert_eq!((stats.enqueued, stats.attached, stats.recovered), (4, 1, 1));
    let mut blob = [0; 16];
    for expected in [b"three".as_slice(), b"two"] {
        let len = queue.get(&mut blob, 0).unwrap();
        assert_eq!(&blob[..len], expected);
    }
    let options = Options { capacity: 4, item_size: 16, spare: 2, ..Options::any() };
    check_whole(&queue, &options, 1);
}

#[test]
fn an_mpmc_queue_is_written_in_layout_2() {
    let file = MemoryFile::new();
    let options = Options {
        capacity: CAPACITY as usize,
        item_size: ITEM_SIZE as usize,
        spare: SPARE as usize,
        attachments: ATTACHMENTS as usize,
        flags: QUEUES_REDELIVER,
    };
    let mut child = fork(|| {
        let queue = core::mem::ManuallyDrop::new(Shared::open(file.0, &options).unwrap());
        queue.put(b"one", 0).unwrap();
        queue.put(b"two", 0).unwrap();
        queue.get(&mut [0; 16], 0).unwrap();
        queue.put(b"three", 0).unwrap();
        queue.lease(0).unwrap();
    });
    assert_eq!(child.wait(), Seen::Exited(0));
    mpmc(child.pid() as u64).assert_eq(&Words::of(&file), FAMILY..FAMILY + 512);
}

#[test]
fn a_file_with_an_spsc_queue_of_layout_2_is_that_queue() {
    let file = spsc(1, 1).file();
    let options = SharedOptions::default();
    let mut consumer = BytesConsumer::open_shared(&file, &options).unwrap();
    let mut producer = BytesProducer::open_shared(&file, &options).unwrap();
    producer.try_put(b"four").unwrap();
    let mut blob = [0; 16];
    for expected in [b"two".as_slice(), b"three", b"four"] {
        let len = consumer.try_get(&mut blob).unwrap();
        assert_eq!(&blob[..len], expected);
    }
    assert_eq!(consumer.try_get(&mut blob), Err(Error::Empty));
    assert_eq!((consumer.stats().enqueued, consumer.stats().attached), (4, 2));
}

#[test]
fn an_spsc_queue_is_written_in_layout_2() {
    let file = MemoryFile::new();
    let options = SharedOptions {
        capacity: CAPACITY as usize,
        item_size: ITEM_SIZE as usize,
        attachments: ATTACHMENTS as usize,
        ..SharedOptions::default()
    };
    let mut child = fork(|| {
        let mut producer = BytesProducer::open_shared(&file, &options).unwrap();
        let mut consumer = BytesConsumer::open_shared(&file, &options).unwrap();
        producer.try_put(b"one").unwrap();
        producer.try_put(b"two").unwrap();
        consumer.try_get(&mut [0; 16]).unwrap();
        producer.try_put(b"three").unwrap();
        std::mem::forget((producer, consumer));
    });
    assert_eq!(child.wait(), Seen::Exited(0));
    let words = Words::of(&file);
    let stage = words.0[FAMILY / 8];
    assert!(stage <= 1, "the stage of an open queue");
    spsc(child.pid() as u64, stage).assert_eq(&words, 0..0);
}
