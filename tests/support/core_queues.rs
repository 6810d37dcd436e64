//! The algorithms of `queues::queue` as queues under test, inside of [`Blocking`] where they can
//! wait. [`Calls`] has the calls of a family on numbers; a call that the family lacks is `None`.

use super::history::Few;
use super::items::*;
use super::subject::*;
use core::ffi::{c_int, c_void};
use queues::payload::{Atomic, Bytes, Dense, Exclusive, Payload, Pointer};
use queues::queue::batch::{self, Batch, ToBuffer, ToPointers};
use queues::queue::{Get, GetMany, Peek, Put, PutMany, Queue};
use queues::queue::{deque::Deque, mpmc, priority::Priority, spsc::Spsc};
use queues::wait::{self, Blocking, Wait, Wanted};
use queues::{Result, Stats, Stealer, Worker, growable_deque};
use std::sync::{Arc, Mutex};

/// What the references to a queue share. The queue is dropped first, and disposes of items into
/// `dropped`.
pub struct Shared<Q> {
    queue: Blocking<Q>,
    options: Options,
    dropped: Arc<Dropped>,
}

type PeekCall<Q> = fn(&Shared<Q>) -> Result<u64>;
type PutManyCall<Q> = fn(&Shared<Q>, &[u64], Wait) -> Many<usize>;
type GetManyCall<Q> = fn(&Shared<Q>, usize, Wait) -> Many<Vec<u64>>;
type BatchCall<Q> = fn(&Shared<Q>, Wanted) -> Result<Few>;
type PutBackCall<Q> = fn(&Shared<Q>) -> Result<Option<u64>>;

/// The calls of a queue, on numbers.
pub struct Calls<Q> {
    put: fn(&Shared<Q>, u64, Wait) -> Result,
    get: fn(&Shared<Q>, Wait) -> Result<u64>,
    peek: Option<PeekCall<Q>>,
    can_read_peeked: bool,
    put_many: Option<PutManyCall<Q>>,
    get_many: Option<GetManyCall<Q>>,
    get_batch: Option<BatchCall<Q>>,
    flush: Option<fn(&Shared<Q>)>,
    put_back: Option<PutBackCall<Q>>,
    abandon: Option<fn(&Shared<Q>) -> Result>,
}

impl<Q> Clone for Calls<Q> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<Q> Copy for Calls<Q> {}

/// What travels beside a number.
pub trait Beside {
    fn of(number: u64, options: &Options) -> Self;
}

impl Beside for () {
    fn of(_: u64, _: &Options) {}
}

/// A priority.
impl Beside for f64 {
    fn of(number: u64, options: &Options) -> f64 {
        (options.rank)(number) as f64
    }
}

/// A weight.
impl Beside for u64 {
    fn of(number: u64, _: &Options) -> u64 {
        weight(number)
    }
}

// SAFETY of every call below: an item that was put is forgotten, the memory has the named size, and
// the tests keep the rule about threads.
#[allow(clippy::undocumented_unsafe_blocks)]
impl<Q: Queue> Calls<Q> {
    fn new(
        put: fn(&Shared<Q>, u64, Wait) -> Result,
        get: fn(&Shared<Q>, Wait) -> Result<u64>,
    ) -> Self {
        Self {
            put,
            get,
            peek: None,
            can_read_peeked: false,
            put_many: None,
            get_many: None,
            get_batch: None,
            flush: None,
            put_back: None,
            abandon: None,
        }
    }

    /// Puts and gets of single items.
    pub fn of<F: Form>() -> Self
    where
        Q: Put<Item = F::Item, With: Beside> + Get<Out = F::Out>,
        <Q as Get>::With: Beside + PartialEq + core::fmt::Debug,
    {
        Self::new(put::<Q, F>, |it, wait| {
            it.checked(take::<F, _>(|out| unsafe { it.queue.get(out, wait) }))
        })
    }

    pub fn with_peek<F: Form>(self) -> Self
    where
        Q: Peek<Out = F::Out>,
        Q::With: Beside + PartialEq + core::fmt::Debug,
    {
        Self {
            peek: Some(|it| it.checked(take::<F, _>(|out| unsafe { it.queue.peek(out) }))),
            can_read_peeked: F::CAN_READ_PEEKED,
            ..self
        }
    }

    pub fn with_many<F>(self) -> Self
    where
        Q: PutMany + GetMany,
        F: Form<Owner = <Q as Put>::Item, Place = <Q as Get>::Out>,
    {
        Self {
            put_many: Some(|it, numbers, wait| {
                let owners: Vec<_> = numbers.iter().map(|&n| F::wrap(n, &it.dropped)).collect();
                let (done, why) = unsafe { it.queue.put_many(owners.as_ptr(), owners.len(), wait) };
                for (i, owner) in owners.into_iter().enumerate() {
                    end::<F>(owner, i < done);
                }
                (done, why)
            }),
            get_many: Some(|it, max, wait| {
                let mut places: Vec<_> = (0..max).map(|_| F::place()).collect();
                let (done, why) =
                    unsafe { it.queue.get_many(places.as_mut_ptr(), places.len(), wait) };
                (places.into_iter().take(done).map(F::number).collect(), why)
            }),
            ..self
        }
    }
}

#[allow(clippy::undocumented_unsafe_blocks)] // as above
fn put<Q, F>(it: &Shared<Q>, number: u64, wait: Wait) -> Result
where
    Q: Put<Item = F::Item, With: Beside>,
    F: Form,
{
    let with = Q::With::of(number, &it.options);
    give::<F>(number, &it.dropped, |item| unsafe { it.queue.put(item, with, wait) })
}

impl<Q> Shared<Q> {
    /// Checks that a number came with what it was put with.
    fn checked<W>(&self, got: Result<(u64, W)>) -> Result<u64>
    where
        W: Beside + PartialEq + core::fmt::Debug,
    {
        let (number, with) = got?;
        assert_eq!(with, W::of(number, &self.options), "what came with {number}");
        Ok(number)
    }
}

/// A queue of the core.
struct Core<Q>(Arc<Shared<Q>>, Calls<Q>);

/// A queue under test from one of the core.
pub fn reference<Q: Queue + 'static>(
    queue: Q,
    calls: Calls<Q>,
    options: &Options,
    dropped: &Arc<Dropped>,
) -> Reference {
    let queue = Blocking::new(queue);
    Box::new(Core(Arc::new(Shared { queue, options: *options, dropped: dropped.clone() }), calls))
}

impl<Q: Queue + 'static> Subject for Core<Q> {
    fn share(&self) -> Reference {
        Box::new(Self(self.0.clone(), self.1))
    }
    fn put(&self, number: u64, timeout: i64) -> Result {
        (self.1.put)(&self.0, number, Wait::from_nanos(timeout))
    }
    fn get(&self, timeout: i64) -> Result<u64> {
        (self.1.get)(&self.0, Wait::from_nanos(timeout))
    }
    fn has_peek(&self) -> bool {
        self.1.peek.is_some()
    }
    fn can_read_peeked(&self) -> bool {
        self.1.can_read_peeked
    }
    fn peek(&self) -> Result<u64> {
        self.1.peek.expect("a queue with a peek")(&self.0)
    }
    fn has_many(&self) -> bool {
        self.1.put_many.is_some()
    }
    fn put_many(&self, numbers: &[u64], timeout: i64) -> Many<usize> {
        match self.1.put_many {
            Some(put_many) => put_many(&self.0, numbers, Wait::from_nanos(timeout)),
            None => put_one_by_one(self, numbers, timeout),
        }
    }
    fn get_many(&self, max: usize, timeout: i64) -> Many<Vec<u64>> {
        match self.1.get_many {
            Some(get_many) => get_many(&self.0, max, Wait::from_nanos(timeout)),
            None => get_one_by_one(self, max, timeout),
        }
    }
    fn get_batch(&self, timeout: i64) -> Result<Few> {
        let wanted = Wanted::Within(Wait::from_nanos(timeout));
        self.1.get_batch.expect("a batcher")(&self.0, wanted)
    }
    fn get_due(&self) -> Result<Few> {
        self.1.get_batch.expect("a batcher")(&self.0, Wanted::Due)
    }
    fn flush(&self) {
        self.1.flush.expect("a batcher")(&self.0);
    }
    fn put_back(&self) -> Result<Option<u64>> {
        self.1.put_back.expect("a queue with leases")(&self.0)
    }
    fn abandon(&self) -> Result {
        self.1.abandon.expect("a queue with leases")(&self.0)
    }
    fn clear(&self) -> usize {
        // SAFETY: the tests keep the rule about threads.
        unsafe { self.0.queue.clear() }
    }
    fn close(&self) {
        self.0.queue.close();
    }
    fn is_closed(&self) -> bool {
        self.0.queue.queue().is_closed()
    }
    fn readable_fd(&self) -> Result<c_int> {
        self.0.queue.readable_fd()
    }
    fn writable_fd(&self) -> Result<c_int> {
        self.0.queue.writable_fd()
    }
    fn poll(&self, events: u32, timeout: i64) -> Result<u32> {
        let mut polled = [self.0.queue.polled(events)?];
        let count = wait::poll(&mut polled, Wait::from_nanos(timeout));
        assert_eq!(count.is_ok(), polled[0].ready() != 0);
        count.map(|_| polled[0].ready())
    }
    fn len(&self) -> usize {
        self.0.queue.queue().len()
    }
    fn capacity(&self) -> usize {
        self.0.queue.queue().capacity()
    }
    fn stats(&self) -> Stats {
        self.0.queue.stats()
    }
}

/// A queue of the core that can be made from its payload and the options.
pub trait Make<P>: Queue + Sized + 'static {
    fn make(options: &Options, payload: P) -> Result<Self>;
}

#[cfg(any(target_arch = "x86_64", loom, miri))]
impl Make<Pointer> for mpmc::Direct {
    fn make(options: &Options, payload: Pointer) -> Result<Self> {
        Self::try_new_at(options.capacity, payload, options.origin)
    }
}

impl<P: Payload + 'static> Make<P> for mpmc::Indirect<P> {
    fn make(options: &Options, payload: P) -> Result<Self> {
        Self::try_new_at(options.capacity, payload, options.origin)
    }
}

impl<P: Exclusive + 'static> Make<P> for Spsc<P> {
    fn make(options: &Options, payload: P) -> Result<Self> {
        Self::try_new_at(options.capacity, payload, options.origin)
    }
}

impl Make<Bytes> for Spsc<Dense> {
    fn make(options: &Options, payload: Bytes) -> Result<Self> {
        Self::try_new_at(options.capacity, Dense::new(payload), options.origin)
    }
}

impl<P: Payload + 'static> Make<P> for Priority<P> {
    /// With few tickets left where positions that begin at the origin would wrap soon.
    fn make(options: &Options, payload: P) -> Result<Self> {
        let tickets = if options.origin == 0 { u64::MAX } else { !options.origin % 8 };
        Self::with_tickets(options.capacity, payload, tickets)
    }
}

impl<P: Payload + 'static> Make<P> for Batch<P> {
    fn make(options: &Options, payload: P) -> Result<Self> {
        Self::try_new_at(options.capacity, options.limits, payload, options.origin)
    }
}

fn make<Q: Make<F::Payload>, F: Form>(options: &Options, dropped: &Arc<Dropped>) -> Result<Q> {
    Q::make(options, F::payload(options.item_size, dropped)?)
}

/// First in, first out, with a peek and calls on many.
pub fn whole<Q, F>(options: &Options, dropped: &Arc<Dropped>) -> Result<Reference>
where
    Q: Make<F::Payload> + PutMany<Item = F::Item> + GetMany<Out = F::Out> + Peek,
    F: Form<Owner = <Q as Put>::Item, Place = <Q as Get>::Out>,
{
    let calls = Calls::of::<F>().with_peek::<F>().with_many::<F>();
    Ok(reference(make::<Q, F>(options, dropped)?, calls, options, dropped))
}

/// With calls on many, and without a peek.
pub fn blind<Q, F>(options: &Options, dropped: &Arc<Dropped>) -> Result<Reference>
where
    Q: Make<F::Payload> + PutMany<Item = F::Item> + GetMany<Out = F::Out>,
    F: Form<Owner = <Q as Put>::Item, Place = <Q as Get>::Out>,
{
    let calls = Calls::of::<F>().with_many::<F>();
    Ok(reference(make::<Q, F>(options, dropped)?, calls, options, dropped))
}

/// With a peek, and without calls on many.
pub fn single<Q, F>(options: &Options, dropped: &Arc<Dropped>) -> Result<Reference>
where
    Q: Make<F::Payload> + Put<Item = F::Item, With: Beside> + Peek + Get<Out = F::Out>,
    <Q as Get>::With: Beside + PartialEq + core::fmt::Debug,
    F: Form,
{
    let calls = Calls::of::<F>().with_peek::<F>();
    Ok(reference(make::<Q, F>(options, dropped)?, calls, options, dropped))
}

/// As `single`, with cells that a priority queue copies outside of its lock.
pub fn large<Q, F>(options: &Options, dropped: &Arc<Dropped>) -> Result<Reference>
where
    Q: Make<F::Payload> + Put<Item = F::Item, With: Beside> + Peek + Get<Out = F::Out>,
    <Q as Get>::With: Beside + PartialEq + core::fmt::Debug,
    F: Form,
{
    single::<Q, F>(&Options { item_size: 100, ..*options }, dropped)
}

/// Without both.
pub fn bare<Q, F>(options: &Options, dropped: &Arc<Dropped>) -> Result<Reference>
where
    Q: Make<F::Payload> + Put<Item = F::Item, With: Beside> + Get<Out = F::Out>,
    <Q as Get>::With: Beside + PartialEq + core::fmt::Debug,
    F: Form,
{
    Ok(reference(make::<Q, F>(options, dropped)?, Calls::of::<F>(), options, dropped))
}

/// A batcher. A get takes a batch of one.
pub fn batcher<F: Form>(options: &Options, dropped: &Arc<Dropped>) -> Result<Reference>
where
    F::Payload: Batches<F>,
{
    let calls = Calls {
        get_batch: Some(|it, wanted| {
            let mut few = Few::default();
            let batch = F::Payload::take(&it.queue, few.len(), wanted)?;
            few[..batch.len()].copy_from_slice(&batch);
            Ok(few)
        }),
        flush: Some(|it| it.queue.flush()),
        ..Calls::new(put::<Batch<F::Payload>, F>, |it, wait| {
            F::Payload::take(&it.queue, 1, Wanted::Within(wait)).map(|batch| batch[0])
        })
    };
    Ok(reference(make::<Batch<F::Payload>, F>(options, dropped)?, calls, options, dropped))
}

/// A payload that comes in batches.
pub trait Batches<F>: Payload {
    fn take(queue: &Blocking<Batch<Self>>, max: usize, wanted: Wanted) -> Result<Vec<u64>>
    where
        Self: Sized;
}

impl<F: Form<Payload = Self, Place = *mut c_void>> Batches<F> for Pointer {
    fn take(queue: &Blocking<Batch<Self>>, max: usize, wanted: Wanted) -> Result<Vec<u64>> {
        let mut items: Vec<_> = (0..max).map(|_| F::place()).collect();
        // SAFETY: `max` places.
        let to = unsafe { ToPointers::new(items.as_mut_ptr(), max) };
        let count = queue.get_batch(to, wanted)?;
        Ok(items.into_iter().take(count).map(F::number).collect())
    }
}

impl Batches<Blob> for Bytes {
    fn take(queue: &Blocking<Batch<Self>>, max: usize, wanted: Wanted) -> Result<Vec<u64>> {
        let mut buffer = vec![0; max * LARGEST_BLOB];
        let mut places = vec![batch::Blob::default(); max];
        let to = (buffer.as_mut_ptr(), buffer.len(), places.as_mut_ptr(), max);
        // SAFETY: `max` places, and the bytes of the longest blob for each.
        let to = unsafe { ToBuffer::new(to.0, to.1, to.2, to.3) };
        let (count, len) = queue.get_batch(to, wanted)?;
        let mut end = 0;
        let read = |&batch::Blob { offset, length }: &batch::Blob| {
            assert_eq!(offset, end, "blobs are contiguous");
            end = offset + length;
            number_of_blob(&buffer[offset..end])
        };
        let numbers = places[..count].iter().map(read).collect();
        assert_eq!(end, len);
        Ok(numbers)
    }
}

/// Blobs that are written and read in their cells.
pub fn leased(options: &Options, dropped: &Arc<Dropped>) -> Result<Reference> {
    type Leased = Shared<mpmc::Indirect<Bytes>>;

    fn lease(it: &Leased, wait: Wait) -> Result<(*mut c_void, u64)> {
        let (data, len) = it.queue.lease(wait)?;
        // SAFETY: leased, so no other thread writes there.
        Ok((data, number_of_blob(unsafe { core::slice::from_raw_parts(data.cast(), len) })))
    }

    let put = |it: &Leased, number: u64, wait: Wait| {
        let bytes = blob(number);
        commit_until_kept(wait != Wait::No, || {
            let data = it.queue.reserve(wait)?;
            // SAFETY: reserved, with room for the longest blob.
            unsafe { data.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            let done = it.queue.commit(data, bytes.len());
            if done.is_err() {
                it.queue.cancel(data).unwrap();
            }
            done
        })
    };
    let get = |it: &Leased, wait: Wait| {
        let (data, number) = lease(it, wait)?;
        it.queue.settle(data).unwrap();
        Ok(number)
    };
    let calls = Calls {
        put_back: Some(|it| {
            let (data, number) = lease(it, Wait::No)?;
            if it.queue.put_back(data).is_ok() {
                return Ok(None);
            }
            it.queue.settle(data).unwrap();
            Ok(Some(number))
        }),
        abandon: Some(|it| it.queue.cancel(it.queue.reserve(Wait::No)?)),
        ..Calls::new(put, get).with_peek::<Blob>()
    };
    Ok(reference(make::<_, Blob>(options, dropped)?, calls, options, dropped))
}

/// A deque of the core, which never waits and keeps its statistics itself.
struct CoreDeque<F: Form>(Arc<(Deque<F::Payload>, Arc<Dropped>)>)
where
    F::Payload: Atomic;

pub fn deque<F: Form>(options: &Options, dropped: &Arc<Dropped>) -> Result<Reference>
where
    F::Payload: Atomic,
{
    let &Options { capacity, growable, origin, item_size, .. } = options;
    let deque = Deque::try_new_at(capacity, growable, F::payload(item_size, dropped)?, origin)?;
    Ok(Box::new(CoreDeque::<F>(Arc::new((deque, dropped.clone())))))
}

#[allow(clippy::undocumented_unsafe_blocks)] // as above
impl<F: Form> Subject for CoreDeque<F>
where
    F::Payload: Atomic,
{
    fn share(&self) -> Reference {
        Box::new(Self(self.0.clone()))
    }
    fn put(&self, number: u64, _timeout: i64) -> Result {
        give::<F>(number, &self.0.1, |item| unsafe { self.0.0.push(item) })
    }
    fn get(&self, _timeout: i64) -> Result<u64> {
        take::<F, _>(|out| unsafe { self.0.0.steal(out) }).map(|(number, ())| number)
    }
    fn pop(&self) -> Result<u64> {
        take::<F, _>(|out| unsafe { self.0.0.pop(out) }).map(|(number, ())| number)
    }
    fn len(&self) -> usize {
        self.0.0.len()
    }
    fn capacity(&self) -> usize {
        self.0.0.stats().capacity as usize
    }
    fn stats(&self) -> Stats {
        self.0.0.stats()
    }
}

/// A reference to a deque of Rust values. Only the first one has the owner's end.
struct ValueDeque {
    /// Thieves never take the lock, so it orders nothing between them and the owner.
    worker: Option<Mutex<Worker<Tracked>>>,
    stealer: Stealer<Tracked>,
    dropped: Arc<Dropped>,
}

pub fn deque_of_values(options: &Options, dropped: &Arc<Dropped>) -> Result<Reference> {
    let make = if options.growable { growable_deque } else { queues::deque };
    let (worker, stealer) = make(options.capacity)?;
    let worker = Some(Mutex::new(worker));
    Ok(Box::new(ValueDeque { worker, stealer, dropped: dropped.clone() }))
}

impl ValueDeque {
    fn own<R>(&self, call: impl FnOnce(&mut Worker<Tracked>) -> R) -> R {
        let worker = self.worker.as_ref().expect("the owner's reference");
        call(&mut worker.try_lock().expect("one owner"))
    }
}

impl Subject for ValueDeque {
    fn share(&self) -> Reference {
        let (stealer, dropped) = (self.stealer.clone(), self.dropped.clone());
        Box::new(Self { worker: None, stealer, dropped })
    }
    fn put(&self, number: u64, _timeout: i64) -> Result {
        self.own(|worker| worker.push(Value::wrap(number, &self.dropped))).map_err(|refused| {
            Value::unwrap(refused.item);
            refused.error
        })
    }
    fn get(&self, _timeout: i64) -> Result<u64> {
        self.stealer.steal().map(Tracked::dissolve)
    }
    fn pop(&self) -> Result<u64> {
        self.own(Worker::pop).map(Tracked::dissolve)
    }
    fn len(&self) -> usize {
        self.stealer.len()
    }
    fn capacity(&self) -> usize {
        self.stealer.capacity()
    }
    fn stats(&self) -> Stats {
        self.stealer.stats()
    }
}
