//! When the drop of a value panics, the queue drops all other values first, and then resumes the
//! first panic with its payload. Each thread that clears resumes its own panic.

use crate::support::watchdog::watched;
use queues::{
    Batcher, Consumer, Limits, Mpmc, Priority, Producer, Stealer, Wait, Worker, deque, spsc,
};
use std::any::Any;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::spawn;

/// The payload of a panic, compared by address.
type Token = Arc<&'static str>;

fn assert_carries(caught: Result<impl Sized, Box<dyn Any + Send>>, token: &Token) {
    let payload = caught.err().expect("a panic");
    let carried = payload.downcast_ref::<Token>().expect("the payload of a value's panic");
    assert!(Arc::ptr_eq(carried, token), "{carried} instead of {token}");
}

/// A value that is counted, and may run a closure when it is dropped.
struct Value {
    alive: Arc<AtomicUsize>,
    at_drop: Option<Box<dyn FnOnce() + Send>>,
}

impl Drop for Value {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, SeqCst);
        if let Some(act) = self.at_drop.take() {
            act();
        }
    }
}

/// Makes values, and counts those that are alive.
#[derive(Clone, Default)]
struct Values(Arc<AtomicUsize>);

impl Values {
    fn acting(&self, act: impl FnOnce() + Send + 'static) -> Value {
        self.0.fetch_add(1, SeqCst);
        Value { alive: self.0.clone(), at_drop: Some(Box::new(act)) }
    }
    fn sound(&self) -> Value {
        self.acting(|| ())
    }
    fn breaking(&self, token: &Token) -> Value {
        let token = token.clone();
        self.acting(|| panic_any(token))
    }
    fn alive(&self) -> usize {
        self.0.load(SeqCst)
    }
}

const CAPACITY: usize = 6;

/// A queue of every family.
trait Family: Sized {
    fn new() -> Self;
    fn put(&mut self, value: Value);
    /// The number of values that it cleared; `None`: the family has no clear.
    fn clear(&mut self) -> Option<usize>;

    fn of(values: impl IntoIterator<Item = Value>) -> Self {
        let mut queue = Self::new();
        values.into_iter().for_each(|value| queue.put(value));
        queue
    }
}

impl Family for Mpmc<Value> {
    fn new() -> Self {
        Mpmc::with_capacity(CAPACITY).unwrap()
    }
    fn put(&mut self, value: Value) {
        self.try_put(value).unwrap();
    }
    fn clear(&mut self) -> Option<usize> {
        Some(Mpmc::clear(self))
    }
}

impl Family for (Producer<Value>, Consumer<Value>) {
    fn new() -> Self {
        spsc(CAPACITY).unwrap()
    }
    fn put(&mut self, value: Value) {
        self.0.try_put(value).unwrap();
    }
    fn clear(&mut self) -> Option<usize> {
        Some(self.1.clear())
    }
}

impl Family for Priority<Value> {
    fn new() -> Self {
        Priority::with_capacity(CAPACITY).unwrap()
    }
    fn put(&mut self, value: Value) {
        self.try_put(value, 0.0).unwrap();
    }
    fn clear(&mut self) -> Option<usize> {
        Some(Priority::clear(self))
    }
}

impl Family for Batcher<Value> {
    fn new() -> Self {
        Batcher::new(CAPACITY, Limits { size: 2, age: None, weight: None }).unwrap()
    }
    fn put(&mut self, value: Value) {
        self.try_put(value).unwrap();
    }
    fn clear(&mut self) -> Option<usize> {
        Some(Batcher::clear(self))
    }
}

impl Family for (Worker<Value>, Stealer<Value>) {
    fn new() -> Self {
        deque(CAPACITY).unwrap()
    }
    fn put(&mut self, value: Value) {
        self.0.push(value).unwrap();
    }
    fn clear(&mut self) -> Option<usize> {
        None
    }
}

fn tokens() -> [Token; 3] {
    ["first", "second", "third"].map(Token::new)
}

fn check_clear<F: Family>() {
    let values = Values::default();
    let [first, second, _] = tokens();
    let (a, b) = (values.breaking(&first), values.breaking(&second));
    let mut queue = F::of([values.sound(), a, values.sound(), b, values.sound()]);
    assert_carries(catch_unwind(AssertUnwindSafe(|| queue.clear())), &first);
    assert_eq!(values.alive(), 0, "all were dropped");
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 1));
    // The panic is reported once.
    queue.put(values.sound());
    assert_eq!(queue.clear(), Some(1));
    queue.put(values.sound());
    drop(queue);
    assert_eq!(values.alive(), 0);
}

#[test]
fn clear_resumes_the_first_panic() {
    check_clear::<Mpmc<_>>();
    check_clear::<(Producer<_>, Consumer<_>)>();
    check_clear::<Priority<_>>();
    check_clear::<Batcher<_>>();
}

fn check_drop<F: Family>() {
    let values = Values::default();
    let [first, second, third] = tokens();
    let (a, b) = (values.breaking(&first), values.breaking(&second));
    let queue = F::of([values.sound(), a, values.sound(), b, values.sound()]);
    assert_carries(catch_unwind(AssertUnwindSafe(|| drop(queue))), &first);
    assert_eq!(values.alive(), 0, "all were dropped");
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 1));

    // During another panic, that one continues instead of this one.
    let queue = F::of([values.breaking(&first), values.sound()]);
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        let _queue = queue;
        panic_any(third.clone());
    }));
    assert_carries(dropped, &third);
    assert_eq!((values.alive(), Arc::strong_count(&first)), (0, 1));
}

#[test]
fn drop_resumes_the_first_panic() {
    check_drop::<Mpmc<_>>();
    check_drop::<(Producer<_>, Consumer<_>)>();
    check_drop::<Priority<_>>();
    check_drop::<Batcher<_>>();
    check_drop::<(Worker<_>, Stealer<_>)>();
}

/// Clears its queue when it is dropped.
struct ClearsAtDrop<F: Family>(F);

impl<F: Family> Drop for ClearsAtDrop<F> {
    fn drop(&mut self) {
        self.0.clear();
    }
}

fn check_clear_while_panicking<F: Family>() {
    let values = Values::default();
    let [first, second, _] = tokens();
    let queue = F::of([values.breaking(&first), values.sound()]);
    let cleared = catch_unwind(AssertUnwindSafe(|| {
        let _clears = ClearsAtDrop(queue);
        panic_any(second.clone());
    }));
    assert_carries(cleared, &second);
    assert_eq!((values.alive(), Arc::strong_count(&first)), (0, 1));
}

#[test]
fn clear_does_not_panic_while_panicking() {
    check_clear_while_panicking::<Mpmc<_>>();
    check_clear_while_panicking::<(Producer<_>, Consumer<_>)>();
    check_clear_while_panicking::<Priority<_>>();
    check_clear_while_panicking::<Batcher<_>>();
}

/// A payload of a panic whose drop panics, with such a payload again.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        resume_unwind(Box::new(Bomb));
    }
}

#[test]
fn a_panic_that_is_dropped_may_panic() {
    let values = Values::default();
    let [first, ..] = tokens();
    let queue = Mpmc::of([
        values.breaking(&first),
        values.acting(|| resume_unwind(Box::new(Bomb))),
        values.sound(),
    ]);
    assert_carries(catch_unwind(|| drop(queue)), &first);
    assert_eq!(values.alive(), 0);
}

#[test]
fn an_iterator_that_is_dropped_resumes_the_first_panic() {
    let values = Values::default();
    let [first, ..] = tokens();
    let mut rest = Mpmc::of([values.sound(), values.breaking(&first), values.sound()]).into_iter();
    assert_eq!(rest.next().map(drop), Some(()));
    assert_carries(catch_unwind(AssertUnwindSafe(|| drop(rest))), &first);
    assert_eq!(values.alive(), 0);
}

#[test]
fn a_clear_within_a_clear_has_panics_of_its_own() {
    let values = Values::default();
    let [outer, inner, _] = tokens();
    let queue = Arc::new(Mpmc::new());
    let results = Arc::new(Mutex::new(Vec::new()));
    let value = {
        let (values, queue, results) = (values.clone(), Arc::downgrade(&queue), results.clone());
        let inner = inner.clone();
        values.clone().acting(move || {
            let queue: Arc<Mpmc<Value>> = queue.upgrade().unwrap();
            // The inner clear drops no value that panics, and does not resume the panic of the
            // outer one.
            results.lock().unwrap().push(catch_unwind(|| queue.clear()));
            queue.try_put(values.breaking(&inner)).unwrap();
            results.lock().unwrap().push(catch_unwind(|| queue.clear()));
        })
    };
    queue.try_put(values.breaking(&outer)).unwrap();
    queue.try_put(value).unwrap();
    assert_carries(catch_unwind(|| queue.clear()), &outer);
    let mut results = results.lock().unwrap().drain(..).collect::<Vec<_>>().into_iter();
    assert!(matches!(results.next(), Some(Ok(0))));
    assert_carries(results.next().unwrap(), &inner);
    assert_eq!(values.alive(), 0);
}

/// A value whose drop sends a message, and then waits for one.
fn waiting(values: &Values) -> (Value, Receiver<()>, Sender<()>) {
    let ((reach, reached), (go_on, may_go_on)) = (channel(), channel());
    let value = values.acting(move || {
        reach.send(()).unwrap();
        may_go_on.recv().unwrap();
    });
    (value, reached, go_on)
}

/// Two threads that clear: each resumes the panic of its own values.
fn check_threads<Q: Send + Sync + RefUnwindSafe + 'static>(
    queue: Q,
    put: impl Fn(&Q, Value),
    clear: fn(&Q) -> usize,
) {
    let values = Values::default();
    let [first, ..] = tokens();
    let queue = Arc::new(queue);
    let start = || {
        let queue = queue.clone();
        spawn(move || catch_unwind(|| clear(&queue)))
    };
    let (value, reached, go_on) = waiting(&values);
    put(&queue, value);
    let sound = start();
    reached.recv().unwrap();
    let (value, reached, go_on_too) = waiting(&values);
    put(&queue, values.breaking(&first));
    put(&queue, value);
    let panics = start();
    reached.recv().unwrap();
    // Both are clearing; a value of the second has panicked, and the first returns before it.
    go_on.send(()).unwrap();
    assert_eq!(sound.join().unwrap().ok(), Some(1));
    go_on_too.send(()).unwrap();
    assert_carries(panics.join().unwrap(), &first);
    assert_eq!(values.alive(), 0);
}

#[test]
fn each_clear_resumes_its_own_panic() {
    watched("clears of two threads", || {
        let put = |queue: &Mpmc<_>, value| queue.try_put(value).unwrap();
        check_threads(Mpmc::new(), put, Mpmc::clear);
        let put = |queue: &Priority<_>, value| queue.try_put(value, 0.0).unwrap();
        check_threads(Priority::new(), put, Priority::clear);
        let put = |queue: &Batcher<_>, value| queue.put(value, Wait::No).unwrap();
        check_threads(<Batcher<_> as Family>::new(), put, Batcher::clear);
    });
}
