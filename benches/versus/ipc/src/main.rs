//! The program `versus-ipc`: queues of crates between processes. Its cases are `process` and
//! `process-ping-pong` of `../../README.md`.

mod cloudtoid;
mod crew;
mod iceoryx;

use protocol::{Case, Contestant, TrialResult, fail, main as run};

/// A way to connect processes, for blobs of `N` words that all are the item's number. A channel is
/// known by its number within the trial.
pub trait Channel<const N: usize> {
    /// Whether an item reaches one receiver of several. Otherwise each receiver has a channel of its
    /// own, to which all senders put in turn.
    const SHARES: bool;
    type Sender;
    type Receiver;

    fn sender(trial: &Trial, channel: usize) -> Self::Sender;
    fn receiver(trial: &Trial, channel: usize) -> Self::Receiver;
    /// Called once all ends exist, first for the senders, then for the receivers.
    fn connect_sender(_: &Self::Sender) {}
    fn connect_receiver(_: &Self::Receiver) {}
    /// Waits while the channel is full. Returns whether there is a receiver.
    fn put(sender: &mut Self::Sender, number: u64) -> bool;
    /// Waits while the channel is empty; without yields if `spins`, unless the channel sleeps.
    fn get(receiver: &mut Self::Receiver, spins: bool) -> u64;
}

/// What names the channels of a trial, and how large they are.
pub struct Trial {
    /// Unique among the trials that run.
    pub number: u32,
    pub capacity: usize,
    pub pairs: usize,
}

/// What a torn blob yields; no producer puts this number.
const TORN: u64 = u64::MAX / 3;

/// The number that a blob carries.
fn number_of(words: &[u64]) -> u64 {
    if words.first() == words.last() { words[0] } else { TORN }
}

/// The workload for the payload of the case.
macro_rules! sized {
    ($channel:ident) => {
        |case: &Case, items: usize| -> TrialResult {
            match case.payload.as_str() {
                "b8" => crew::measure::<$channel, 1>(case, items),
                "b64" => crew::measure::<$channel, 8>(case, items),
                "b1024" => crew::measure::<$channel, 128>(case, items),
                _ => fail(2, "blobs have 8, 64 or 1024 bytes"),
            }
        }
    };
}

fn main() {
    // A process that fails prints one line and ends like those that call `fail`.
    std::panic::set_hook(Box::new(|info| {
        eprintln!("{}", info.to_string().replace('\n', " "));
        // SAFETY: it does not return.
        unsafe { libc::_exit(1) }
    }));
    use cloudtoid::Cloudtoid;
    use iceoryx::{Events, Polled};
    let new =
        |name, package| Contestant::new(name).version_in(include_str!("../Cargo.lock"), package);
    let all = |contestant: Contestant, run: protocol::Workload| {
        let families = ["process", "process-ping-pong", "process-kill"];
        families.iter().fold(contestant, |contestant, family| contestant.runs(*family, run))
    };
    run([
        all(new("iceoryx2, polled", "iceoryx2"), sized!(Polled)),
        all(new("iceoryx2, events", "iceoryx2"), sized!(Events)),
        all(new("cloudtoid-interprocess", "cloudtoid-interprocess"), sized!(Cloudtoid)),
    ]);
}
