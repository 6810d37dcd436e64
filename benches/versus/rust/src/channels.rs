//! Adapters for the channels of crates and of std, and a deque under a lock with two condition
//! variables. All of them block, so they take part in the `blocking` and `latency` cases too.

use crate::workloads::{Blocking, End, NonBlocking, Queue};
use crate::{Contestant, Describe};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::mpsc;

/// An adapter for a channel whose ends any number of threads may share.
macro_rules! channel {
    ($name:ident, $sender:ty, $receiver:ty, $new:path, $sent:pat, $received:pat => $word:ident) => {
        struct $name($sender, $receiver);
        impl Queue for $name {
            fn new(capacity: usize) -> Self {
                let (sender, receiver) = $new(capacity);
                Self(sender, receiver)
            }
        }
        impl NonBlocking<usize> for $name {
            fn try_put(&self, word: usize) -> bool {
                matches!(self.0.try_send(word), $sent)
            }
            fn try_get(&self) -> Option<usize> {
                match self.1.try_recv() {
                    $received => Some($word),
                    _ => None,
                }
            }
        }
        impl Blocking for $name {
            fn blocking_put(&self, word: usize) {
                self.0.send(word).unwrap()
            }
            fn blocking_get(&self) -> usize {
                self.1.recv().unwrap()
            }
        }
    };
}

type Word = usize;
type Array<T> = crossfire::mpmc::Array<T>;
channel!(Crossbeam, crossbeam_channel::Sender<Word>, crossbeam_channel::Receiver<Word>,
    crossbeam_channel::bounded, Ok(()), Ok(word) => word);
channel!(Flume, flume::Sender<Word>, flume::Receiver<Word>, flume::bounded, Ok(()), Ok(word) => word);
channel!(Kanal, kanal::Sender<Word>, kanal::Receiver<Word>, kanal::bounded, Ok(true), Ok(Some(word)) => word);
channel!(Crossfire, crossfire::MTx<Array<Word>>, crossfire::MRx<Array<Word>>,
    crossfire::mpmc::bounded_blocking, Ok(()), Ok(word) => word);

/// As [`Crossfire`], but the receiver belongs to one thread.
struct CrossfireMpsc(
    crossfire::MTx<crossfire::mpsc::Array<Word>>,
    End<crossfire::Rx<crossfire::mpsc::Array<Word>>>,
);
impl Queue for CrossfireMpsc {
    fn new(capacity: usize) -> Self {
        let (sender, receiver) = crossfire::mpsc::bounded_blocking(capacity);
        Self(sender, End::new(receiver))
    }
}
impl NonBlocking<usize> for CrossfireMpsc {
    fn try_put(&self, word: usize) -> bool {
        self.0.try_send(word).is_ok()
    }
    fn try_get(&self) -> Option<usize> {
        // SAFETY: one consumer thread.
        unsafe { self.1.get() }.try_recv().ok()
    }
}
impl Blocking for CrossfireMpsc {
    fn blocking_put(&self, word: usize) {
        self.0.send(word).unwrap()
    }
    fn blocking_get(&self) -> usize {
        // SAFETY: one consumer thread.
        unsafe { self.1.get() }.recv().unwrap()
    }
}

/// An adapter for a channel whose ends belong to one thread each.
macro_rules! spsc_channel {
    ($name:ident, $sender:ty, $receiver:ty, $new:path) => {
        struct $name(End<$sender>, End<$receiver>);
        impl Queue for $name {
            fn new(capacity: usize) -> Self {
                let (sender, receiver) = $new(capacity);
                Self(End::new(sender), End::new(receiver))
            }
        }
        impl NonBlocking<usize> for $name {
            fn try_put(&self, word: usize) -> bool {
                // SAFETY: one producer thread.
                unsafe { self.0.get() }.try_send(word).is_ok()
            }
            fn try_get(&self) -> Option<usize> {
                // SAFETY: one consumer thread.
                unsafe { self.1.get() }.try_recv().ok()
            }
        }
        impl Blocking for $name {
            fn blocking_put(&self, word: usize) {
                // SAFETY: one producer thread.
                unsafe { self.0.get() }.send(word).unwrap()
            }
            fn blocking_get(&self) -> usize {
                // SAFETY: one consumer thread.
                unsafe { self.1.get() }.recv().unwrap()
            }
        }
    };
}
spsc_channel!(
    CrossfireSpsc,
    crossfire::Tx<crossfire::spsc::Array<usize>>,
    crossfire::Rx<crossfire::spsc::Array<usize>>,
    crossfire::spsc::bounded_blocking
);
spsc_channel!(Std, mpsc::SyncSender<usize>, mpsc::Receiver<usize>, mpsc::sync_channel);

/// What a program without a queue library would write.
struct Locked {
    words: Mutex<VecDeque<usize>>,
    not_empty: Condvar,
    not_full: Condvar,
    capacity: usize,
}
impl Queue for Locked {
    fn new(capacity: usize) -> Self {
        let words = Mutex::new(VecDeque::with_capacity(capacity));
        Self { words, not_empty: Condvar::new(), not_full: Condvar::new(), capacity }
    }
}
/// Signals no condition, since no thread waits in the non-blocking cases.
impl NonBlocking<usize> for Locked {
    fn try_put(&self, word: usize) -> bool {
        let mut words = self.words.lock();
        let room = words.len() < self.capacity;
        if room {
            words.push_back(word);
        }
        room
    }
    fn try_get(&self) -> Option<usize> {
        self.words.lock().pop_front()
    }
}
impl Blocking for Locked {
    fn blocking_put(&self, word: usize) {
        let mut words = self.words.lock();
        while words.len() == self.capacity {
            self.not_full.wait(&mut words);
        }
        words.push_back(word);
        drop(words);
        self.not_empty.notify_one();
    }
    fn blocking_get(&self) -> usize {
        let mut words = self.words.lock();
        loop {
            if let Some(word) = words.pop_front() {
                drop(words);
                self.not_full.notify_one();
                return word;
            }
            self.not_empty.wait(&mut words);
        }
    }
}

pub fn contestants() -> Vec<Contestant> {
    fn both<Q: NonBlocking<usize> + Blocking>(name: &str, package: &str) -> Contestant {
        Contestant::new(name).version_of(package).mpmc::<Q>().mpmc_blocking::<Q>()
    }
    fn spsc<Q: NonBlocking<usize> + Blocking>(name: &str) -> Contestant {
        Contestant::new(name).spsc::<Q>().spsc_blocking::<Q>()
    }
    vec![
        both::<Crossbeam>("crossbeam-channel", "crossbeam-channel"),
        both::<Kanal>("kanal", "kanal"),
        both::<Crossfire>("crossfire mpmc", "crossfire"),
        Contestant::new("crossfire mpsc").version_of("crossfire").mpsc::<CrossfireMpsc>(),
        both::<Flume>("flume", "flume"),
        both::<Locked>("parking_lot mutex + VecDeque", "parking_lot"),
        spsc::<CrossfireSpsc>("crossfire spsc").version_of("crossfire"),
        spsc::<Std>("std::sync::mpsc::sync_channel"),
    ]
}
