//! Descriptors and polls of every queue, with every payload, in Rust and through the C ABI: what
//! poll(2), epoll and `queues_poll` see of a queue.

use crate::support::descriptors::{is_readable, readable_within};
use crate::support::list::{self, for_each_kind};
use crate::support::subject::{FOREVER, Face, Kind, NO_WAIT, Reference};
use crate::{asleep, tests_of};
use core::ffi::c_int;
use queues::Error;
use queues::wait::{READABLE, WRITABLE};
use std::thread::spawn;
use std::time::{Duration, Instant};

const MILLISECOND: i64 = 1_000_000;

/// An epoll instance with one level-triggered descriptor.
struct Epoll(c_int);

impl Epoll {
    fn new(fd: c_int) -> Self {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 7 };
        // SAFETY: numbers, and an event that is read.
        unsafe {
            let epoll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            assert!(epoll >= 0);
            assert_eq!(libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &mut event), 0);
            Self(epoll)
        }
    }

    /// Whether it reports the descriptor within a time.
    fn wait(&self, milliseconds: c_int) -> bool {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: one place.
        let count = unsafe { libc::epoll_wait(self.0, &mut event, 1, milliseconds) };
        assert!((0..=1).contains(&count));
        count == 1
    }
}

impl Drop for Epoll {
    fn drop(&mut self) {
        // SAFETY: ours.
        unsafe { libc::close(self.0) };
    }
}

/// Level-triggered: readable while there are items, and unreadable once a call has returned
/// *empty*.
fn the_readable_end(kind: Kind) {
    let queue = kind.create(2);
    let fd = queue.readable_fd().unwrap();
    assert_eq!(queue.readable_fd(), Ok(fd), "there is one descriptor");
    let epoll = Epoll::new(fd);
    assert!(!is_readable(fd) && !epoll.wait(0), "new and empty");
    for round in 0..3 {
        queue.try_put(round).unwrap();
        queue.try_put(10 + round).unwrap();
        for _ in 0..3 {
            assert!(is_readable(fd) && epoll.wait(0), "until a call returns empty");
        }
        assert_eq!(queue.try_get(), Ok(round));
        assert!(is_readable(fd), "one item is left");
        assert_eq!(queue.try_get(), Ok(10 + round));
        match round {
            0 => assert_eq!(queue.try_get(), Err(Error::Empty)),
            1 if queue.has_many() => {
                assert_eq!(queue.get_many(2, NO_WAIT), (vec![], Err(Error::Empty)))
            }
            _ if queue.has_peek() => assert_eq!(queue.peek(), Err(Error::Empty)),
            _ => assert_eq!(queue.try_get(), Err(Error::Empty)),
        }
        assert!(!is_readable(fd) && !epoll.wait(0), "empty, in round {round}");
        assert_eq!(queue.try_get(), Err(Error::Empty));
        assert!(!is_readable(fd), "still empty");
    }
}

/// A descriptor that is requested late shows the state at that moment.
fn a_late_request(kind: Kind) {
    let queue = kind.create(1);
    queue.try_put(1).unwrap();
    let (readable, writable) = (queue.readable_fd().unwrap(), queue.writable_fd().unwrap());
    assert!(is_readable(readable) && !is_readable(writable));
    assert_eq!(queue.try_get(), Ok(1));
    assert!(is_readable(writable));
    assert_eq!(queue.try_get(), Err(Error::Empty));
    assert!(!is_readable(readable));
}

/// The same for room; a full queue is not writable.
fn the_writable_end(kind: Kind) {
    let queue = kind.create(2);
    let fd = queue.writable_fd().unwrap();
    assert_eq!(queue.writable_fd(), Ok(fd), "there is one descriptor");
    for round in 0..3 {
        assert!(is_readable(fd), "empty");
        queue.try_put(1).unwrap();
        queue.try_put(2).unwrap();
        match round {
            1 if queue.has_many() => {
                assert_eq!(queue.put_many(&[3], NO_WAIT), (0, Err(Error::Full)))
            }
            _ => assert_eq!(queue.try_put(3), Err(Error::Full)),
        }
        assert!(!is_readable(fd), "full, in round {round}");
        if round == 2 {
            assert_eq!(queue.clear(), 2);
        } else {
            assert_eq!(queue.try_get(), Ok(1));
        }
        assert!(is_readable(fd), "room, in round {round}");
        _ = queue.clear();
    }
}

/// A closed queue is readable and writable for good.
fn close_shows(kind: Kind) {
    for items in 0..=1 {
        let queue = kind.create(1);
        let (readable, writable) = (queue.readable_fd().unwrap(), queue.writable_fd().unwrap());
        if items == 1 {
            queue.try_put(1).unwrap();
            assert_eq!(queue.try_put(2), Err(Error::Full));
        }
        let waiting = queue.clone();
        let end = if items == 1 { writable } else { readable };
        let waiter = spawn(move || (readable_within(end, -1), drop(waiting)).0);
        std::thread::sleep(Duration::from_millis(2));
        queue.close();
        assert!(waiter.join().unwrap());
        for round in 0..3 {
            assert_eq!(queue.try_put(2), Err(Error::Closed));
            let expected = if items == 1 && round == 0 { Ok(1) } else { Err(Error::Closed) };
            assert_eq!(queue.try_get(), expected);
            assert!(is_readable(readable) && is_readable(writable), "closed, with {items} items");
            assert_eq!(queue.poll(READABLE | WRITABLE, NO_WAIT), Ok(READABLE | WRITABLE));
        }
    }
}

/// An event loop at each end: all items pass, in order.
fn event_loops(kind: Kind) {
    const ITEMS: u64 = 3000;
    let queue = kind.create(3);
    let producer = queue.clone();
    let puts = spawn(move || {
        let epoll = Epoll::new(producer.writable_fd().unwrap());
        for number in 0..ITEMS {
            while let Err(why) = producer.try_put(number) {
                assert_eq!(why, Error::Full);
                assert!(epoll.wait(20_000), "lost: room for {number}");
            }
        }
        producer.close();
    });
    let epoll = Epoll::new(queue.readable_fd().unwrap());
    let mut next = 0;
    loop {
        match queue.try_get() {
            Ok(number) => {
                assert_eq!(number, next);
                next += 1;
            }
            Err(Error::Empty) => assert!(epoll.wait(20_000), "lost: item {next}"),
            Err(why) => break assert_eq!(why, Error::Closed),
        }
    }
    assert_eq!(next, ITEMS);
    puts.join().unwrap();
}

/// A descriptor beside calls that wait.
fn descriptors_beside_sleepers(kind: Kind) {
    let queue = kind.create(1);
    let fd = queue.readable_fd().unwrap();
    let sleeper = queue.clone();
    let sleeper = asleep(move || sleeper.get(FOREVER));
    queue.try_put(1).unwrap();
    assert_eq!(sleeper.join().unwrap(), Ok(1));
    assert!(is_readable(fd), "a put wakes both");
    if kind.is_single() {
        return;
    }
    assert_eq!(queue.try_get(), Err(Error::Empty));
    assert!(!is_readable(fd));
}

/// Polls one queue: at once, in time, and too late.
fn polls(kind: Kind) {
    let queue = kind.create(1);
    assert_eq!(queue.poll(READABLE, NO_WAIT), Err(Error::Empty));
    assert_eq!(queue.poll(WRITABLE, FOREVER), Ok(WRITABLE));
    assert_eq!(queue.poll(READABLE | WRITABLE, FOREVER), Ok(WRITABLE));
    assert_eq!(queue.poll(0, NO_WAIT), Err(Error::Empty));
    for events in [4, READABLE | 8, u32::MAX] {
        assert_eq!(queue.poll(events, NO_WAIT), Err(Error::Invalid), "{events}");
    }
    for events in [READABLE, 0] {
        let begin = Instant::now();
        assert_eq!(queue.poll(events, 3 * MILLISECOND), Err(Error::Timeout));
        assert!(begin.elapsed() >= Duration::from_millis(3));
    }
    queue.try_put(1).unwrap();
    assert_eq!(queue.poll(WRITABLE, MILLISECOND), Err(Error::Timeout));
    assert_eq!(queue.poll(READABLE | WRITABLE, MILLISECOND), Ok(READABLE));
    assert_eq!(queue.poll(READABLE | WRITABLE, NO_WAIT), Ok(READABLE));
    assert_eq!(queue.try_get(), Ok(1), "a poll takes nothing");

    let poller = |queue: &Reference, events| {
        let queue = queue.clone();
        asleep(move || queue.poll(events, FOREVER))
    };
    let pollers = [poller(&queue, READABLE), poller(&queue, READABLE)];
    queue.try_put(2).unwrap();
    for poller in pollers {
        assert_eq!(poller.join().unwrap(), Ok(READABLE));
    }
    let room = poller(&queue, WRITABLE);
    assert_eq!(queue.try_get(), Ok(2));
    assert_eq!(room.join().unwrap(), Ok(WRITABLE));
    let closed = poller(&queue, READABLE);
    queue.close();
    assert_eq!(closed.join().unwrap(), Ok(READABLE));
}

macro_rules! suites {
    (
        queues { $($(#[$attribute:meta])* $name:ident: $family:ident, $face:ident, $make:expr;)* }
        deques { $($(#[$of_deque:meta])* $deque:ident: $kind:ident, $side:ident, $new:expr;)* }
    ) => {
        $($(#[$attribute])* tests_of! {
            $name:
            the_readable_end,
            a_late_request,
            the_writable_end,
            close_shows,
            event_loops,
            descriptors_beside_sleepers,
            polls,
        })*
        $($(#[$of_deque])* tests_of! {
            $deque:
            thieves_at_a_descriptor,
        })*
    };
}

for_each_kind!(suites);

/// The thieves of a deque, through the C ABI.
fn thieves_at_a_descriptor(kind: Kind) {
    if kind.face != Face::C {
        return;
    }
    let owner = kind.create(4);
    let fd = owner.readable_fd().unwrap();
    assert_eq!(owner.poll(WRITABLE, NO_WAIT), Err(Error::Invalid), "no thread waits for room");
    for round in 0..3 {
        assert!(!is_readable(fd), "empty");
        assert_eq!(owner.poll(READABLE, NO_WAIT), Err(Error::Empty));
        owner.try_put(1).unwrap();
        owner.try_put(2).unwrap();
        assert!(is_readable(fd));
        assert_eq!(owner.poll(READABLE, FOREVER), Ok(READABLE));
        assert_eq!(owner.try_get(), Ok(1));
        assert!(is_readable(fd), "one is left");
        if round == 0 {
            assert_eq!(owner.pop(), Ok(2));
            assert!(is_readable(fd), "no thief has looked since");
        } else {
            assert_eq!(owner.try_get(), Ok(2));
        }
        if round == 1 && owner.has_many() {
            assert_eq!(owner.get_many(2, NO_WAIT), (vec![], Err(Error::Empty)));
        } else {
            assert_eq!(owner.try_get(), Err(Error::Empty));
        }
    }
    // Thieves that sleep steal everything that the owner pushes.
    const ITEMS: u64 = 2000;
    let thieves = [0, 1].map(|_| {
        let thief = owner.clone();
        let epoll = Epoll::new(fd);
        spawn(move || {
            let mut got = Vec::new();
            loop {
                match thief.try_get() {
                    Ok(ITEMS) => break got,
                    Ok(number) => got.push(number),
                    Err(Error::Empty) => assert!(epoll.wait(20_000), "lost"),
                    Err(why) => assert_eq!(why, Error::Retry),
                }
            }
        })
    });
    for number in (0..ITEMS).chain([ITEMS; 2]) {
        while owner.try_put(number).is_err() {
            std::thread::yield_now();
        }
    }
    let mut got = thieves.map(|thief| thief.join().unwrap()).concat();
    got.sort_unstable();
    assert_eq!(got, (0..ITEMS).collect::<Vec<_>>());
}
