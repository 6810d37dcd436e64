//! Adapter for cloudtoid-interprocess: a ring of bytes in a file that processes map. Its receivers
//! sleep; its senders only have a call that fails when the queue is full, so they poll.

use crate::crew::Backoff;
use crate::{Channel, Trial, number_of};
use cloudtoid_interprocess::{Options, Publisher, Subscriber};

pub struct Cloudtoid;

/// A message has 8 bytes in front. The file is in memory.
fn options(trial: &Trial, channel: usize, size: usize) -> Options {
    let capacity = trial.capacity * (size + 8);
    Options::new(format!("versus-{}-{channel}", trial.number), capacity).with_path("/dev/shm")
}

impl<const N: usize> Channel<N> for Cloudtoid {
    const SHARES: bool = true;
    type Sender = Publisher;
    type Receiver = Subscriber;

    fn sender(trial: &Trial, channel: usize) -> Publisher {
        Publisher::open(&options(trial, channel, 8 * N)).expect("a queue")
    }
    fn receiver(trial: &Trial, channel: usize) -> Subscriber {
        Subscriber::open(&options(trial, channel, 8 * N)).expect("a queue")
    }
    fn put(sender: &mut Publisher, number: u64) -> bool {
        let item = [number; N];
        // SAFETY: words have no invalid bytes, and the length is theirs.
        let bytes = unsafe { std::slice::from_raw_parts(item.as_ptr().cast(), 8 * N) };
        let mut backoff = Backoff::default();
        while let Err(error) = sender.try_send(bytes) {
            assert!(error.is_full(), "{error}");
            backoff.snooze();
        }
        true
    }
    fn get(receiver: &mut Subscriber, _: bool) -> u64 {
        let message = receiver.recv().expect("a message");
        let (head, tail) = (message.first_chunk(), message.last_chunk());
        number_of(&[head, tail].map(|word| u64::from_ne_bytes(*word.expect("a word"))))
    }
}
