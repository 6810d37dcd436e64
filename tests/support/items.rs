//! Every queue with every payload behind one interface: a queue of numbers.
//!
//! A number becomes an item of the payload's kind, which says when it is damaged, and is recorded
//! when the queue disposes of it.

#![allow(dead_code)] // each test program uses what it needs

use super::c_abi::{Family, Handle, Many, Mpmc, Settings, Spsc};
use core::any::Any;
use core::cell::Cell;
use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use queues::payload::{self, Atomic, Bytes, Disposer, Payload, Pointer, Received, Typed};
use queues::queue::{
    Counts, Get, GetMany, Peek, Put, PutMany, Queue, mpmc, priority::Priority, spsc,
};
use queues::wait::Blocking;
use queues::{Error, Result, Stats, Wait};
use std::sync::{Arc, Mutex};

/// The numbers that a queue disposed of, in order.
#[derive(Default)]
pub struct Dropped(Mutex<Vec<u64>>);

impl Dropped {
    pub fn take(&self) -> Vec<u64> {
        core::mem::take(&mut self.0.lock().unwrap())
    }
    fn note(&self, number: u64) {
        self.0.lock().unwrap().push(number);
    }
}

/// A queue of numbers. Clones are references to the same queue.
pub trait Subject: Clone + Send + Sync + 'static {
    /// Only one thread at a time may be on each side.
    const SINGLE: bool;
    /// The first position can be chosen.
    const HAS_ORIGIN: bool;
    /// There is a `peek`.
    const HAS_PEEK: bool = true;
    /// `peek` can tell the number.
    const PEEKS: bool;
    /// There are `put_many` and `get_many`.
    const MANY: bool;

    fn name() -> String;
    fn create(capacity: usize, origin: u64, dropped: &Arc<Dropped>) -> Result<Self>;
    fn try_put(&self, number: u64) -> Result;
    fn put(&self, number: u64, timeout: i64) -> Result;
    fn try_get(&self) -> Result<u64>;
    fn get(&self, timeout: i64) -> Result<u64>;
    fn peek(&self) -> Result<u64>;
    fn put_many(&self, numbers: &[u64], timeout: i64) -> Many<usize>;
    fn get_many(&self, n: usize, timeout: i64) -> Many<Vec<u64>>;
    fn clear(&self) -> usize;
    fn close(&self);
    fn is_closed(&self) -> bool;
    fn len(&self) -> usize;
    fn capacity(&self) -> usize;
    fn stats(&self) -> Stats;
}

/// How a number becomes an item.
pub trait Form: 'static {
    type Item: ?Sized;
    type Out: ?Sized;
    /// The owner of an item that is to be put.
    type Owner;
    /// The owner of a place to get one.
    type Place;
    const NAME: &'static str;
    const PEEKS: bool;
    fn wrap(number: u64, dropped: &Arc<Dropped>) -> Self::Owner;
    fn item(owner: &Self::Owner) -> &Self::Item;
    /// The end of an item that was not put.
    fn unwrap(owner: Self::Owner);
    fn place() -> Self::Place;
    fn out(place: &mut Self::Place) -> &mut Self::Out;
    /// The number in a filled place, which owns its item unless it was only peeked at.
    fn number(place: Self::Place) -> u64;
}

/// A C pointer that is the number itself, 0 being NULL.
pub struct Plain;

fn pointer(number: u64) -> *mut c_void {
    core::ptr::without_provenance_mut(number as usize)
}

unsafe extern "C-unwind" fn note_plain(dropped: *mut c_void, item: *mut c_void) {
    // SAFETY: the context given at creation, alive as long as the queue.
    unsafe { &*dropped.cast::<Dropped>() }.note(item.addr() as u64);
}

impl Form for Plain {
    type Item = *mut c_void;
    type Out = *mut c_void;
    type Owner = *mut c_void;
    type Place = *mut c_void;
    const NAME: &'static str = "plain pointers";
    const PEEKS: bool = true;
    fn wrap(number: u64, _: &Arc<Dropped>) -> *mut c_void {
        pointer(number)
    }
    fn item(owner: &*mut c_void) -> &*mut c_void {
        owner
    }
    fn unwrap(_: *mut c_void) {}
    fn place() -> *mut c_void {
        core::ptr::dangling_mut()
    }
    fn out(place: &mut *mut c_void) -> &mut *mut c_void {
        place
    }
    fn number(place: *mut c_void) -> u64 {
        place.addr() as u64
    }
}

/// A C pointer to memory of its own, whose hand-over sanitizers watch.
pub struct Boxed;

/// A number and its complement: anything else is a damaged item.
struct Stamp(u64, u64);

impl Stamp {
    fn new(number: u64) -> Self {
        Self(number, !number)
    }
    fn number(&self) -> u64 {
        assert_eq!(self.0, !self.1, "a damaged item");
        self.0
    }
}

/// # Safety
/// `item` came from [`Boxed::wrap`] and is nobody else's.
unsafe fn unbox(item: *mut c_void) -> u64 {
    // SAFETY: by contract.
    unsafe { Box::from_raw(item.cast::<Stamp>()) }.number()
}

pub unsafe extern "C-unwind" fn note_boxed(dropped: *mut c_void, item: *mut c_void) {
    // SAFETY: the context given at creation, alive as long as the queue; a leftover item.
    unsafe { &*dropped.cast::<Dropped>() }.note(unsafe { unbox(item) });
}

impl Form for Boxed {
    type Item = *mut c_void;
    type Out = *mut c_void;
    type Owner = *mut c_void;
    type Place = *mut c_void;
    const NAME: &'static str = "boxes";
    const PEEKS: bool = false;
    fn wrap(number: u64, _: &Arc<Dropped>) -> *mut c_void {
        Box::into_raw(Box::new(Stamp::new(number))).cast()
    }
    fn item(owner: &*mut c_void) -> &*mut c_void {
        owner
    }
    fn unwrap(owner: *mut c_void) {
        // SAFETY: it was not put.
        unsafe { unbox(owner) };
    }
    fn place() -> *mut c_void {
        core::ptr::null_mut()
    }
    fn out(place: &mut *mut c_void) -> &mut *mut c_void {
        place
    }
    fn number(place: *mut c_void) -> u64 {
        // SAFETY: it was got.
        unsafe { unbox(place) }
    }
}

/// A blob whose length and bytes follow from the number.
pub struct Blob;

/// No multiple of a word, so that blobs end anywhere in one.
pub const LARGEST_BLOB: usize = 61;

pub fn blob(number: u64) -> Vec<u8> {
    let len = 8 + number as usize % (LARGEST_BLOB - 7);
    let body = (8..len).map(|i| (number as u8).wrapping_mul(31).wrapping_add(i as u8));
    number.to_le_bytes().into_iter().chain(body).collect()
}

pub fn number_of_blob(bytes: &[u8]) -> u64 {
    let number = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    assert_eq!(bytes, blob(number), "a damaged blob");
    number
}

pub unsafe extern "C-unwind" fn note_blob(dropped: *mut c_void, item: *mut c_void) {
    assert!(item.cast::<u64>().is_aligned(), "bytes are aligned to 8");
    // SAFETY: the context given at creation, alive as long as the queue; a blob is 8 bytes at
    // least, and the number in them tells how long it is.
    unsafe {
        let number = u64::from_le_bytes(item.cast::<[u8; 8]>().read());
        let bytes = core::slice::from_raw_parts(item.cast(), blob(number).len());
        (*dropped.cast::<Dropped>()).note(number_of_blob(bytes));
    }
}

/// A buffer, and the library's view of it.
pub struct BlobPlace(Box<[u8; LARGEST_BLOB]>, Received);

impl Form for Blob {
    type Item = [u8];
    type Out = Received;
    type Owner = Vec<u8>;
    type Place = BlobPlace;
    const NAME: &'static str = "bytes";
    const PEEKS: bool = true;
    fn wrap(number: u64, _: &Arc<Dropped>) -> Vec<u8> {
        blob(number)
    }
    fn item(owner: &Vec<u8>) -> &[u8] {
        owner
    }
    fn unwrap(_: Vec<u8>) {}
    fn place() -> BlobPlace {
        // SAFETY: no room.
        BlobPlace(Box::new([0; LARGEST_BLOB]), unsafe { Received::new(core::ptr::null_mut(), 0) })
    }
    fn out(place: &mut BlobPlace) -> &mut Received {
        // SAFETY: the buffer outlives the call that fills it, and stays where it is.
        place.1 = unsafe { Received::new(place.0.as_mut_ptr(), place.0.len()) };
        &mut place.1
    }
    fn number(place: BlobPlace) -> u64 {
        number_of_blob(&place.0[..place.1.len()])
    }
}

/// A Rust value that can only be moved, with memory of its own, and records its end.
pub struct Value;

pub struct Tracked {
    stamp: Box<Stamp>,
    dropped: Arc<Dropped>,
}

impl Tracked {
    /// The number, where nobody is to hear of the end.
    pub fn dissolve(self) -> u64 {
        let mut this = ManuallyDrop::new(self);
        let number = this.stamp.number();
        // SAFETY: each field is dropped once, and the value not used again.
        unsafe {
            core::ptr::drop_in_place(&mut this.stamp);
            core::ptr::drop_in_place(&mut this.dropped);
        }
        number
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.dropped.note(self.stamp.number());
    }
}

impl Form for Value {
    type Item = Tracked;
    type Out = MaybeUninit<Tracked>;
    type Owner = Tracked;
    type Place = MaybeUninit<Tracked>;
    const NAME: &'static str = "values";
    const PEEKS: bool = false;
    fn wrap(number: u64, dropped: &Arc<Dropped>) -> Tracked {
        Tracked { stamp: Box::new(Stamp::new(number)), dropped: dropped.clone() }
    }
    fn item(owner: &Tracked) -> &Tracked {
        owner
    }
    fn unwrap(owner: Tracked) {
        owner.dissolve();
    }
    fn place() -> MaybeUninit<Tracked> {
        MaybeUninit::uninit()
    }
    fn out(place: &mut MaybeUninit<Tracked>) -> &mut MaybeUninit<Tracked> {
        place
    }
    fn number(place: MaybeUninit<Tracked>) -> u64 {
        // SAFETY: it was got, so it is filled and ours.
        unsafe { place.assume_init() }.dissolve()
    }
}

/// A queue of the library with a form of items.
pub trait Core: 'static {
    type Form: Form;
    type Queue: Put<Item = <Self::Form as Form>::Item, With = ()>
        + Get<Out = <Self::Form as Form>::Out, With = ()>
        + 'static;
    const NAME: &'static str;
    const SINGLE: bool;
    fn create(capacity: usize, origin: u64, dropped: &Arc<Dropped>) -> Result<Self::Queue>;
    const HAS_PEEK: bool = false;
    fn peek(_queue: &Self::Queue, _out: &mut <Self::Form as Form>::Out) -> Result {
        unreachable!("{} has no peek", Self::NAME)
    }
    const HAS_MANY: bool = false;
    fn put_many(
        _queue: &Blocking<Self::Queue>,
        _items: &[<Self::Form as Form>::Owner],
        _timeout: Wait,
    ) -> Many<usize> {
        unreachable!("{} has no put_many", Self::NAME)
    }
    fn get_many(
        _queue: &Blocking<Self::Queue>,
        _places: &mut [<Self::Form as Form>::Place],
        _timeout: Wait,
    ) -> Many<usize> {
        unreachable!("{} has no get_many", Self::NAME)
    }
}

pub type Drop_ = unsafe extern "C-unwind" fn(*mut c_void, *mut c_void);

/// A disposer that records.
pub fn disposer(call: Drop_, dropped: &Arc<Dropped>) -> Disposer {
    // SAFETY: a `Rust` keeps the record for as long as its queue.
    unsafe { Disposer::new(Some(call), Arc::as_ptr(dropped).cast_mut().cast()) }
}

macro_rules! cores {
    ($($name:ident, $form:ident, $queue:ty, $text:literal, $single:literal,
       |$capacity:ident, $origin:ident, $dropped:ident| $make:expr $(, $without_peek:ident)?;)*) => {$(
        pub struct $name;
        impl Core for $name {
            type Form = $form;
            type Queue = $queue;
            const NAME: &'static str = $text;
            const SINGLE: bool = $single;
            fn create($capacity: usize, $origin: u64, $dropped: &Arc<Dropped>) -> Result<$queue> {
                $make
            }
            cores!(@peek $($without_peek)? $queue, $form);
            cores!(@many $queue, $form);
        }
    )*};
    (@many $queue:ty, Blob) => {};
    (@many $queue:ty, $form:ident) => {
        const HAS_MANY: bool = true;
        fn put_many(
            queue: &Blocking<$queue>,
            items: &[<$form as Form>::Item],
            timeout: Wait,
        ) -> Many<usize> {
            // SAFETY: the test keeps the queue's rule, and forgets what was put.
            unsafe { queue.put_many(items.as_ptr(), items.len(), timeout) }
        }
        fn get_many(
            queue: &Blocking<$queue>,
            places: &mut [<$form as Form>::Out],
            timeout: Wait,
        ) -> Many<usize> {
            // SAFETY: the test keeps the queue's rule.
            unsafe { queue.get_many(places.as_mut_ptr(), places.len(), timeout) }
        }
    };
    (@peek without_peek $queue:ty, $form:ident) => {};
    (@peek $queue:ty, $form:ident) => {
        const HAS_PEEK: bool = true;
        fn peek(queue: &$queue, out: &mut <$form as Form>::Out) -> Result {
            // SAFETY: the test keeps the queue's rule.
            unsafe { queue.peek(out) }
        }
    };
}

#[cfg(target_arch = "x86_64")]
cores! {
    DirectPlain, Plain, mpmc::Direct, "mpmc direct", false, |capacity, origin, dropped|
        mpmc::Direct::try_new_at(capacity, Pointer::new(disposer(note_plain, dropped)), origin);
    DirectBoxed, Boxed, mpmc::Direct, "mpmc direct", false, |capacity, origin, dropped|
        mpmc::Direct::try_new_at(capacity, Pointer::new(disposer(note_boxed, dropped)), origin);
}

cores! {
    IndirectPlain, Plain, mpmc::Indirect<Pointer>, "mpmc indirect", false, |capacity, origin, dropped|
        mpmc::Indirect::try_new_at(capacity, Pointer::new(disposer(note_plain, dropped)), origin);
    IndirectBoxed, Boxed, mpmc::Indirect<Pointer>, "mpmc indirect", false, |capacity, origin, dropped|
        mpmc::Indirect::try_new_at(capacity, Pointer::new(disposer(note_boxed, dropped)), origin);
    IndirectBlob, Blob, mpmc::Indirect<Bytes>, "mpmc indirect", false, |capacity, origin, dropped|
        mpmc::Indirect::try_new_at(capacity, Bytes::try_new(LARGEST_BLOB, disposer(note_blob, dropped))?, origin);
    IndirectValue, Value, mpmc::Indirect<Typed<Tracked>>, "mpmc indirect", false, |capacity, origin, _dropped|
        mpmc::Indirect::try_new_at(capacity, Typed::new(), origin), without_peek;
    SpscPlain, Plain, spsc::Spsc<Pointer>, "spsc", true, |capacity, origin, dropped|
        spsc::Spsc::try_new_at(capacity, Pointer::new(disposer(note_plain, dropped)), origin);
    SpscBoxed, Boxed, spsc::Spsc<Pointer>, "spsc", true, |capacity, origin, dropped|
        spsc::Spsc::try_new_at(capacity, Pointer::new(disposer(note_boxed, dropped)), origin);
    SpscBlob, Blob, spsc::Spsc<Bytes>, "spsc", true, |capacity, origin, dropped|
        spsc::Spsc::try_new_at(capacity, Bytes::try_new(LARGEST_BLOB, disposer(note_blob, dropped))?, origin);
    SpscValue, Value, spsc::Spsc<Typed<Tracked>>, "spsc", true, |capacity, origin, _dropped|
        spsc::Spsc::try_new_at(capacity, Typed::new(), origin);
    TiesPlain, Plain, Ties<Pointer>, "priority", false, |capacity, origin, dropped|
        Ties::try_new(capacity, Pointer::new(disposer(note_plain, dropped)), origin);
    TiesBoxed, Boxed, Ties<Pointer>, "priority", false, |capacity, origin, dropped|
        Ties::try_new(capacity, Pointer::new(disposer(note_boxed, dropped)), origin);
    TiesBlob, Blob, Ties<Bytes>, "priority", false, |capacity, origin, dropped|
        Ties::try_new(capacity, Bytes::try_new(LARGEST_BLOB, disposer(note_blob, dropped))?, origin);
    TiesValue, Value, Ties<Typed<Tracked>>, "priority", false, |capacity, origin, _dropped|
        Ties::try_new(capacity, Typed::new(), origin), without_peek;
}

/// A priority queue whose items are all equal: first in, first out.
pub struct Ties<P: Payload>(Priority<P>);

impl<P: Payload> Ties<P> {
    /// With few tickets left where positions that begin at the origin would wrap soon.
    fn try_new(capacity: usize, payload: P, origin: u64) -> Result<Self> {
        let tickets = if origin == 0 { u64::MAX } else { !origin % 8 };
        Priority::with_tickets(capacity, payload, tickets).map(Self)
    }
}

// SAFETY: passed on.
unsafe impl<P: Payload> Queue for Ties<P> {
    fn end(&self) -> u64 {
        self.0.end()
    }
    unsafe fn clear_to(&self, end: u64, freed: impl Fn(usize)) -> usize {
        // SAFETY: passed on.
        unsafe { self.0.clear_to(end, freed) }
    }
    fn close(&self) {
        self.0.close();
    }
    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
    fn capacity(&self) -> usize {
        self.0.capacity()
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn counts(&self) -> Counts {
        self.0.counts()
    }
    fn take_panic(&self) -> bool {
        self.0.take_panic()
    }
}

// SAFETY: passed on.
unsafe impl<P: Payload> Put for Ties<P> {
    type Item = P::Item;
    type With = ();
    unsafe fn try_put(&self, item: &P::Item, (): ()) -> Result {
        // SAFETY: passed on.
        unsafe { self.0.try_put(item, 0.0) }
    }
}

// SAFETY: passed on.
unsafe impl<P: Payload> Get for Ties<P> {
    type Out = P::Out;
    type With = ();
    unsafe fn try_get(&self, out: &mut P::Out) -> Result {
        // SAFETY: passed on.
        unsafe { self.0.try_get(out) }.map(|_| ())
    }
}

// SAFETY: passed on.
unsafe impl<P: payload::Plain> PutMany for Ties<P> {}

// SAFETY: passed on.
unsafe impl<P: payload::Plain> GetMany for Ties<P> {}

// SAFETY: passed on.
unsafe impl<P: Atomic> Peek for Ties<P> {
    unsafe fn peek(&self, out: &mut P::Out) -> Result {
        // SAFETY: passed on.
        unsafe { self.0.peek(out) }.map(|_| ())
    }
}

/// A queue of the Rust side.
pub struct Rust<C: Core>(Arc<(Blocking<C::Queue>, Arc<Dropped>)>);

impl<C: Core> Clone for Rust<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C: Core> Rust<C> {
    fn queue(&self) -> &Blocking<C::Queue> {
        &self.0.0
    }
    /// Puts by `put`, which owns the item only if it answers Ok.
    fn give(&self, number: u64, put: impl FnOnce(&<C::Form as Form>::Item) -> Result) -> Result {
        let owner = C::Form::wrap(number, &self.0.1);
        let done = put(C::Form::item(&owner));
        end::<C::Form>(owner, done.is_ok());
        done
    }
}

/// The end of what was offered to a queue.
pub fn end<F: Form>(owner: F::Owner, was_put: bool) {
    if was_put { core::mem::forget(owner) } else { F::unwrap(owner) }
}

pub fn take<F: Form>(get: impl FnOnce(&mut F::Out) -> Result) -> Result<u64> {
    let mut place = F::place();
    get(F::out(&mut place))?;
    Ok(F::number(place))
}

// SAFETY of every call below: what was put is forgotten, and the tests keep the rule about threads.
#[allow(clippy::undocumented_unsafe_blocks)]
impl<C: Core> Subject for Rust<C> {
    const SINGLE: bool = C::SINGLE;
    const HAS_ORIGIN: bool = true;
    const HAS_PEEK: bool = C::HAS_PEEK;
    const PEEKS: bool = C::Form::PEEKS;
    const MANY: bool = C::HAS_MANY;

    fn name() -> String {
        format!("{} of {}", C::NAME, C::Form::NAME)
    }
    fn create(capacity: usize, origin: u64, dropped: &Arc<Dropped>) -> Result<Self> {
        let queue = C::create(capacity, origin, dropped)?;
        Ok(Self(Arc::new((Blocking::new(queue), dropped.clone()))))
    }
    fn try_put(&self, number: u64) -> Result {
        self.give(number, |item| unsafe { self.queue().try_put(item, ()) })
    }
    fn put(&self, number: u64, timeout: i64) -> Result {
        self.give(number, |item| unsafe { self.queue().put(item, (), Wait::from_nanos(timeout)) })
    }
    fn try_get(&self) -> Result<u64> {
        take::<C::Form>(|out| unsafe { self.queue().try_get(out) })
    }
    fn get(&self, timeout: i64) -> Result<u64> {
        take::<C::Form>(|out| unsafe { self.queue().get(out, Wait::from_nanos(timeout)) })
    }
    fn peek(&self) -> Result<u64> {
        take::<C::Form>(|out| C::peek(self.queue().queue(), out))
    }
    fn put_many(&self, numbers: &[u64], timeout: i64) -> Many<usize> {
        let owners: Vec<_> = numbers.iter().map(|&n| C::Form::wrap(n, &self.0.1)).collect();
        let (done, why) = C::put_many(self.queue(), &owners, Wait::from_nanos(timeout));
        for (i, owner) in owners.into_iter().enumerate() {
            end::<C::Form>(owner, i < done);
        }
        (done, why)
    }
    fn get_many(&self, n: usize, timeout: i64) -> Many<Vec<u64>> {
        let mut places: Vec<_> = (0..n).map(|_| C::Form::place()).collect();
        let timeout = Wait::from_nanos(timeout);
        let (done, why) = C::get_many(self.queue(), &mut places, timeout);
        (places.into_iter().take(done).map(C::Form::number).collect(), why)
    }
    fn clear(&self) -> usize {
        unsafe { self.queue().clear() }
    }
    fn close(&self) {
        self.queue().close()
    }
    fn is_closed(&self) -> bool {
        self.queue().queue().is_closed()
    }
    fn len(&self) -> usize {
        self.queue().queue().len()
    }
    fn capacity(&self) -> usize {
        self.queue().queue().capacity()
    }
    fn stats(&self) -> Stats {
        self.queue().stats()
    }
}

/// A queue of the C side.
pub struct C<F: Family, K>(Handle<F>, Arc<Dropped>, PhantomData<fn(K)>);

impl<F: Family, K> Clone for C<F, K> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), self.1.clone(), PhantomData)
    }
}

/// The kind of a C queue's items, with the functions that handle them.
pub trait Kind: 'static {
    const NAME: &'static str;
    const ITEM_SIZE: usize;
    const DROP: Drop_;
    const PEEKS: bool;
    const HAS_PEEK: bool = true;
    const MANY: bool;
    fn try_put<F: Family>(queue: &Handle<F>, number: u64) -> Result;
    fn put<F: Family>(queue: &Handle<F>, number: u64, timeout: i64) -> Result;
    fn try_get<F: Family>(queue: &Handle<F>) -> Result<u64>;
    fn get<F: Family>(queue: &Handle<F>, timeout: i64) -> Result<u64>;
    fn peek<F: Family>(queue: &Handle<F>) -> Result<u64>;
    fn put_many<F: Family>(_: &Handle<F>, _numbers: &[u64], _timeout: i64) -> Many<usize> {
        unreachable!("there is no such function")
    }
    fn get_many<F: Family>(_: &Handle<F>, _n: usize, _timeout: i64) -> Many<Vec<u64>> {
        unreachable!("there is no such function")
    }
}

impl<F: Family, K: Kind> Subject for C<F, K> {
    const SINGLE: bool = F::SINGLE;
    const HAS_ORIGIN: bool = false;
    const HAS_PEEK: bool = F::HAS_PEEK && K::HAS_PEEK;
    const PEEKS: bool = K::PEEKS && F::HAS_PEEK;
    const MANY: bool = K::MANY && F::HAS_MANY;

    fn name() -> String {
        format!("C {} of {}", F::NAME, K::NAME)
    }
    fn create(capacity: usize, _origin: u64, dropped: &Arc<Dropped>) -> Result<Self> {
        let context = Arc::as_ptr(dropped).cast_mut().cast();
        let settings = Settings::new(capacity, K::ITEM_SIZE).with_drop(Some(K::DROP), context);
        Handle::create(settings).map(|handle| Self(handle, dropped.clone(), PhantomData))
    }
    fn try_put(&self, number: u64) -> Result {
        K::try_put(&self.0, number)
    }
    fn put(&self, number: u64, timeout: i64) -> Result {
        K::put(&self.0, number, timeout)
    }
    fn try_get(&self) -> Result<u64> {
        K::try_get(&self.0)
    }
    fn get(&self, timeout: i64) -> Result<u64> {
        K::get(&self.0, timeout)
    }
    fn peek(&self) -> Result<u64> {
        K::peek(&self.0)
    }
    fn put_many(&self, numbers: &[u64], timeout: i64) -> Many<usize> {
        K::put_many(&self.0, numbers, timeout)
    }
    fn get_many(&self, n: usize, timeout: i64) -> Many<Vec<u64>> {
        K::get_many(&self.0, n, timeout)
    }
    fn clear(&self) -> usize {
        self.0.clear().unwrap()
    }
    fn close(&self) {
        self.0.close().unwrap()
    }
    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn capacity(&self) -> usize {
        self.0.capacity()
    }
    fn stats(&self) -> Stats {
        self.0.stats()
    }
}

/// Pointers to boxes.
pub struct CPointers;

fn boxed(number: u64) -> usize {
    Box::into_raw(Box::new(Stamp::new(number))).expose_provenance()
}

/// The number of an item that was got, or not put.
pub fn unboxed(item: usize) -> u64 {
    // SAFETY: nobody else has it.
    unsafe { unbox(core::ptr::with_exposed_provenance_mut(item)) }
}

/// Puts a new box, which stays ours if it was not done.
pub fn put_box(number: u64, put: impl FnOnce(usize) -> Result) -> Result {
    let item = boxed(number);
    put(item).inspect_err(|_| assert_eq!(unboxed(item), number))
}

impl Kind for CPointers {
    const NAME: &'static str = "pointers";
    const ITEM_SIZE: usize = 0;
    const DROP: Drop_ = note_boxed;
    const PEEKS: bool = false;
    const MANY: bool = true;
    fn try_put<F: Family>(queue: &Handle<F>, number: u64) -> Result {
        put_box(number, |item| queue.try_put(item))
    }
    fn put<F: Family>(queue: &Handle<F>, number: u64, timeout: i64) -> Result {
        put_box(number, |item| queue.put(item, timeout))
    }
    fn try_get<F: Family>(queue: &Handle<F>) -> Result<u64> {
        queue.try_get().map(unboxed)
    }
    fn get<F: Family>(queue: &Handle<F>, timeout: i64) -> Result<u64> {
        queue.get(timeout).map(unboxed)
    }
    fn peek<F: Family>(queue: &Handle<F>) -> Result<u64> {
        queue.peek().map(|item| item as u64)
    }
    fn put_many<F: Family>(queue: &Handle<F>, numbers: &[u64], timeout: i64) -> Many<usize> {
        let items: Vec<_> = numbers.iter().map(|&number| boxed(number)).collect();
        let (done, why) = queue.put_many(&items, timeout);
        for (&item, &number) in items.iter().zip(numbers).skip(done) {
            assert_eq!(unboxed(item), number);
        }
        (done, why)
    }
    fn get_many<F: Family>(queue: &Handle<F>, n: usize, timeout: i64) -> Many<Vec<u64>> {
        let (items, why) = queue.get_many(n, timeout);
        (items.into_iter().map(unboxed).collect(), why)
    }
}

/// Blobs that are written and read where they lie in an spsc queue.
pub struct CInPlace;

fn spsc<F: Family>(queue: &Handle<F>) -> &Handle<Spsc> {
    (queue as &dyn Any).downcast_ref().expect("only spsc queues have such calls")
}

impl Kind for CInPlace {
    const NAME: &'static str = "bytes in place";
    const ITEM_SIZE: usize = LARGEST_BLOB;
    const DROP: Drop_ = note_blob;
    const PEEKS: bool = true;
    const MANY: bool = false;
    fn try_put<F: Family>(queue: &Handle<F>, number: u64) -> Result {
        Self::put(queue, number, 0)
    }
    fn put<F: Family>(queue: &Handle<F>, number: u64, timeout: i64) -> Result {
        let blob = blob(number);
        spsc(queue).reserve(&blob, timeout)?;
        spsc(queue).commit(blob.len())
    }
    fn try_get<F: Family>(queue: &Handle<F>) -> Result<u64> {
        Self::get(queue, 0)
    }
    fn get<F: Family>(queue: &Handle<F>, timeout: i64) -> Result<u64> {
        let number = number_of_blob(&spsc(queue).front(timeout)?);
        spsc(queue).consume().map(|()| number)
    }
    fn peek<F: Family>(queue: &Handle<F>) -> Result<u64> {
        CBytes::peek(queue)
    }
}

/// Blobs that are written and read in the cells of an mpmc queue.
pub struct CLeased;

thread_local! {
    static LOST_PLACES: Cell<u64> = const { Cell::new(0) };
}

/// How many commits of this thread found the place taken and were done again: each counts as failed.
#[allow(dead_code)] // not every test program counts
pub fn lost_places() -> u64 {
    LOST_PLACES.get()
}

fn mpmc<F: Family>(queue: &Handle<F>) -> &Handle<Mpmc> {
    (queue as &dyn Any).downcast_ref().expect("only mpmc queues have such calls")
}

impl Kind for CLeased {
    const NAME: &'static str = "leased bytes";
    const ITEM_SIZE: usize = LARGEST_BLOB;
    const DROP: Drop_ = note_blob;
    const PEEKS: bool = false;
    /// A peek that comes too late reads what a producer is writing, to throw it away. Where both are
    /// compiled for the thread sanitizer, that takes it for a race.
    const HAS_PEEK: bool = false;
    const MANY: bool = false;
    fn try_put<F: Family>(queue: &Handle<F>, number: u64) -> Result {
        Self::put(queue, number, 0)
    }
    fn put<F: Family>(queue: &Handle<F>, number: u64, timeout: i64) -> Result {
        let queue = mpmc(queue);
        loop {
            let data = queue.reserve(timeout)?;
            let done = queue.commit(data, &blob(number));
            if done.is_err() {
                queue.cancel(data).unwrap();
            }
            if done != Err(Error::Full) || timeout == 0 {
                return done;
            }
            // Another took the place meanwhile.
            LOST_PLACES.set(LOST_PLACES.get() + 1);
        }
    }
    fn try_get<F: Family>(queue: &Handle<F>) -> Result<u64> {
        Self::get(queue, 0)
    }
    fn get<F: Family>(queue: &Handle<F>, timeout: i64) -> Result<u64> {
        let (data, blob) = mpmc(queue).lease(timeout)?;
        mpmc(queue).settle(data).unwrap();
        Ok(number_of_blob(&blob))
    }
    fn peek<F: Family>(queue: &Handle<F>) -> Result<u64> {
        CBytes::peek(queue)
    }
}

/// Blobs.
pub struct CBytes;

impl Kind for CBytes {
    const NAME: &'static str = "bytes";
    const ITEM_SIZE: usize = LARGEST_BLOB;
    const DROP: Drop_ = note_blob;
    const PEEKS: bool = true;
    const MANY: bool = false;
    fn try_put<F: Family>(queue: &Handle<F>, number: u64) -> Result {
        queue.try_put_bytes(&blob(number))
    }
    fn put<F: Family>(queue: &Handle<F>, number: u64, timeout: i64) -> Result {
        queue.put_bytes(&blob(number), timeout)
    }
    fn try_get<F: Family>(queue: &Handle<F>) -> Result<u64> {
        queue.try_get_bytes(LARGEST_BLOB).map(|bytes| number_of_blob(&bytes))
    }
    fn get<F: Family>(queue: &Handle<F>, timeout: i64) -> Result<u64> {
        queue.get_bytes(LARGEST_BLOB, timeout).map(|bytes| number_of_blob(&bytes))
    }
    fn peek<F: Family>(queue: &Handle<F>) -> Result<u64> {
        queue.peek_bytes(LARGEST_BLOB).map(|bytes| number_of_blob(&bytes))
    }
}
