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
use iceoryx2::service::port_factory::PortFactory;
use std::fmt::Debug;
use std::hint::spin_loop;
use std::time::Duration;

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

/// Calls `create` until it succeeds. After a death a port may be refused until the service is cleaned
/// up, according to the documentation.
fn created<P, E: Debug>(service: &impl PortFactory, create: impl Fn() -> Result<P, E>) -> P {
    for _ in 0..100 {
        if let Ok(port) = create() {
            return port;
        }
        service.blocking_cleanup_dead_nodes(Duration::from_millis(10));
    }
    create().expect("a port")
}

fn publisher<const N: usize>(node: &Node<Service>, trial: &Trial, channel: usize) -> Puts<N> {
    let service = samples(node, trial, channel);
    created(&service, || {
        let builder = service.publisher_builder();
        builder.backpressure_strategy(BackpressureStrategy::RetryUntilDelivered).create()
    })
}
fn subscriber<const N: usize>(node: &Node<Service>, trial: &Trial, channel: usize) -> Gets<N> {
    let service = samples(node, trial, channel);
    created(&service, || service.subscriber_builder().create())
}

/// Writes the sample in place. Returns whether there is a subscriber.
fn send<const N: usize>(publisher: &Puts<N>, number: u64) -> bool {
    let sample = publisher.loan_uninit().expect("memory").write_payload([number; N]);
    sample.send().expect("a connection") == 1
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
    fn put(sender: &mut Self::Sender, number: u64) -> bool {
        send(&sender.0, number)
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
        let service = events(&node, trial, channel);
        let notifier = created(&service, || service.notifier_builder().create());
        Port((publisher(&node, trial, channel), notifier), node)
    }
    fn receiver(trial: &Trial, channel: usize) -> Self::Receiver {
        let node = node();
        let service = events(&node, trial, channel);
        let listener = created(&service, || service.listener_builder().create());
        Port((subscriber(&node, trial, channel), listener), node)
    }
    fn connect_sender(sender: &Self::Sender) {
        sender.0.0.update_connections().expect("connections");
    }
    fn connect_receiver(receiver: &Self::Receiver) {
        receiver.0.0.update_connections().expect("connections");
    }
    fn put(sender: &mut Self::Sender, number: u64) -> bool {
        let received = send(&sender.0.0, number);
        sender.0.1.notify().expect("an event");
        received
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
