//! Adapters for iceoryx2, whose subscribers all get every sample. So each consumer has a service of
//! its own. A publisher that finds the buffer full waits as the library does
//! (`RetryUntilDelivered`).
//!
//! The documentation's benchmark polls for samples, and its examples for programs that sleep send an
//! event after each sample. Both are measured.

use crate::crew::Backoff;
use crate::{Channel, Trial, number_of};
use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::port::update_connections::UpdateConnections;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory;
use std::hint::spin_loop;

type Service = ipc::Service;

/// Subscribers that poll.
pub struct Polled;
/// Subscribers that sleep until an event.
pub struct Events;

fn node() -> Node<Service> {
    set_log_level(LogLevel::Error);
    let builder = NodeBuilder::new().signal_handling_mode(SignalHandlingMode::Disabled);
    builder.create::<Service>().expect("a node")
}

fn name(trial: &Trial, channel: usize) -> ServiceName {
    format!("versus/{}/{channel}", trial.number).as_str().try_into().expect("a name")
}

type Samples<const N: usize> = port_factory::publish_subscribe::PortFactory<Service, [u64; N], ()>;

fn samples<const N: usize>(node: &Node<Service>, trial: &Trial, channel: usize) -> Samples<N> {
    node.service_builder(&name(trial, channel))
        .publish_subscribe::<[u64; N]>()
        .enable_safe_overflow(false)
        .history_size(0)
        .subscriber_max_buffer_size(trial.capacity)
        .max_publishers(trial.pairs)
        .max_subscribers(1)
        .open_or_create()
        .expect("a service")
}

fn events(
    node: &Node<Service>,
    trial: &Trial,
    channel: usize,
) -> port_factory::event::PortFactory<Service> {
    node.service_builder(&name(trial, channel)).event().open_or_create().expect("a service")
}

/// A port, and the node that must live as long.
pub struct Port<P>(P, #[allow(dead_code)] Node<Service>);

type Puts<const N: usize> = Publisher<Service, [u64; N], ()>;
type Gets<const N: usize> = Subscriber<Service, [u64; N], ()>;

fn publisher<const N: usize>(node: &Node<Service>, trial: &Trial, channel: usize) -> Puts<N> {
    samples(node, trial, channel)
        .publisher_builder()
        .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
        .create()
        .expect("a publisher")
}
fn subscriber<const N: usize>(node: &Node<Service>, trial: &Trial, channel: usize) -> Gets<N> {
    samples(node, trial, channel).subscriber_builder().create().expect("a subscriber")
}

/// Writes the sample in place.
fn send<const N: usize>(publisher: &Puts<N>, number: u64) {
    let sample = publisher.loan_uninit().expect("memory").write_payload([number; N]);
    assert_eq!(sample.send().expect("a connection"), 1, "a sample had no receiver");
}
/// Reads the sample in place.
fn receive<const N: usize>(subscriber: &Gets<N>) -> Option<u64> {
    subscriber.receive().expect("a connection").map(|sample| number_of(&*sample))
}

impl<const N: usize> Channel<N> for Polled {
    const SHARES: bool = false;
    type Sender = Port<Puts<N>>;
    type Receiver = Port<Gets<N>>;

    fn sender(trial: &Trial, channel: usize) -> Self::Sender {
        let node = node();
        Port(publisher(&node, trial, channel), node)
    }
    fn receiver(trial: &Trial, channel: usize) -> Self::Receiver {
        let node = node();
        Port(subscriber(&node, trial, channel), node)
    }
    // Without it samples are lost that are sent before the subscriber's first look.
    fn connect_sender(sender: &Self::Sender) {
        sender.0.update_connections().expect("connections");
    }
    fn connect_receiver(receiver: &Self::Receiver) {
        receiver.0.update_connections().expect("connections");
    }
    fn put(sender: &mut Self::Sender, number: u64) {
        send(&sender.0, number);
    }
    fn get(receiver: &mut Self::Receiver, spins: bool) -> u64 {
        let mut backoff = Backoff::default();
        loop {
            match receive(&receiver.0) {
                Some(number) => return number,
                None if spins => spin_loop(),
                None => backoff.snooze(),
            }
        }
    }
}

impl<const N: usize> Channel<N> for Events {
    const SHARES: bool = false;
    type Sender = Port<(Puts<N>, Notifier<Service>)>;
    type Receiver = Port<(Gets<N>, Listener<Service>)>;

    fn sender(trial: &Trial, channel: usize) -> Self::Sender {
        let node = node();
        let notifier = events(&node, trial, channel).notifier_builder().create();
        Port((publisher(&node, trial, channel), notifier.expect("a notifier")), node)
    }
    fn receiver(trial: &Trial, channel: usize) -> Self::Receiver {
        let node = node();
        let listener = events(&node, trial, channel).listener_builder().create();
        Port((subscriber(&node, trial, channel), listener.expect("a listener")), node)
    }
    fn connect_sender(sender: &Self::Sender) {
        sender.0.0.update_connections().expect("connections");
    }
    fn connect_receiver(receiver: &Self::Receiver) {
        receiver.0.0.update_connections().expect("connections");
    }
    fn put(sender: &mut Self::Sender, number: u64) {
        send(&sender.0.0, number);
        sender.0.1.notify().expect("a listener");
    }
    fn get(receiver: &mut Self::Receiver, _: bool) -> u64 {
        loop {
            if let Some(number) = receive(&receiver.0.0) {
                return number;
            }
            receiver.0.1.blocking_wait(|_| {}).expect("an event");
        }
    }
}
