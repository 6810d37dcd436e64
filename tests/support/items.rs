//! The items that queues under test carry: a number becomes an item of a [`Form`], which shows when
//! it is damaged. A [`Dropped`] records the numbers of the items that a queue disposed of.

use core::ffi::c_void;
use core::mem::{ManuallyDrop, MaybeUninit};
use queues::payload::{Bytes, Disposer, Payload, Pointer, Received, Typed};
use queues::{Error, Result};
use std::cell::Cell;
use std::sync::{Arc, Mutex};

/// The numbers of the items that a queue disposed of, in order.
#[derive(Default)]
pub struct Dropped(Mutex<Vec<u64>>);

impl Dropped {
    pub fn take(&self) -> Vec<u64> {
        core::mem::take(&mut self.0.lock().unwrap())
    }
    fn note(&self, number: u64) {
        self.0.lock().unwrap().push(number);
    }
    /// As the context of a drop callback.
    pub fn context(self: &Arc<Self>) -> *mut c_void {
        Arc::as_ptr(self).cast_mut().cast()
    }
}

/// A drop callback of C.
pub type Callback = unsafe extern "C-unwind" fn(*mut c_void, *mut c_void);

fn disposer(callback: Callback, dropped: &Arc<Dropped>) -> Disposer {
    // SAFETY: a queue under test keeps the record until it is freed.
    unsafe { Disposer::new(Some(callback), dropped.context()) }
}

/// How a number becomes an item.
pub trait Form: 'static {
    type Item: ?Sized;
    type Out: ?Sized;
    /// Owns an item that is to be put.
    type Owner;
    /// Owns the memory that a get writes.
    type Place;
    type Payload: Payload<Item = Self::Item, Out = Self::Out> + 'static;
    /// Whether an item that was only peeked at may be read.
    const CAN_READ_PEEKED: bool;
    /// Cells for items of up to `size` bytes, where the payload has a size.
    fn payload(size: usize, dropped: &Arc<Dropped>) -> Result<Self::Payload>;
    fn wrap(number: u64, dropped: &Arc<Dropped>) -> Self::Owner;
    fn item(owner: &Self::Owner) -> &Self::Item;
    /// Frees an item that was not put.
    fn unwrap(owner: Self::Owner);
    /// Leaves an item that was put to the queue, and frees what the queue only copied.
    fn hand_over(owner: Self::Owner) {
        core::mem::forget(owner);
    }
    fn place() -> Self::Place;
    fn out(place: &mut Self::Place) -> &mut Self::Out;
    /// The number in a filled place, which owns its item unless that was only peeked at.
    fn number(place: Self::Place) -> u64;
}

/// Frees what was offered to a queue, unless it was put.
pub fn end<F: Form>(owner: F::Owner, was_put: bool) {
    if was_put { F::hand_over(owner) } else { F::unwrap(owner) }
}

/// Puts a new item.
pub fn give<F: Form>(
    number: u64,
    dropped: &Arc<Dropped>,
    put: impl FnOnce(&F::Item) -> Result,
) -> Result {
    let owner = F::wrap(number, dropped);
    let done = put(F::item(&owner));
    end::<F>(owner, done.is_ok());
    done
}

/// Gets an item; returns its number and what `get` returned beside it.
pub fn take<F: Form, W>(get: impl FnOnce(&mut F::Out) -> Result<W>) -> Result<(u64, W)> {
    let mut place = F::place();
    let with = get(F::out(&mut place))?;
    Ok((F::number(place), with))
}

/// A C pointer that is the number itself, 0 being NULL.
pub struct Plain;

unsafe extern "C-unwind" fn note_plain(dropped: *mut c_void, item: *mut c_void) {
    // SAFETY: the context given at creation, alive as long as the queue.
    unsafe { &*dropped.cast::<Dropped>() }.note(item.addr() as u64);
}

impl Form for Plain {
    type Item = *mut c_void;
    type Out = *mut c_void;
    type Owner = *mut c_void;
    type Place = *mut c_void;
    type Payload = Pointer;
    const CAN_READ_PEEKED: bool = true;
    fn payload(_size: usize, dropped: &Arc<Dropped>) -> Result<Pointer> {
        Ok(Pointer::new(disposer(note_plain, dropped)))
    }
    fn wrap(number: u64, _: &Arc<Dropped>) -> *mut c_void {
        core::ptr::without_provenance_mut(number as usize)
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

/// A C pointer to memory of its own, so that sanitizers see it move between threads.
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
/// `item` came from [`Boxed::wrap`] and has no other owner.
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
    type Payload = Pointer;
    const CAN_READ_PEEKED: bool = false;
    fn payload(_size: usize, dropped: &Arc<Dropped>) -> Result<Pointer> {
        Ok(Pointer::new(disposer(note_boxed, dropped)))
    }
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

/// A new box, as a C function takes it.
pub fn boxed(number: u64) -> usize {
    Box::into_raw(Box::new(Stamp::new(number))).expose_provenance()
}

/// The number of a box that was got, or not put.
pub fn unboxed(item: usize) -> u64 {
    // SAFETY: it has no other owner.
    unsafe { unbox(core::ptr::with_exposed_provenance_mut(item)) }
}

/// Puts a new box, and frees it if that fails.
pub fn put_box(number: u64, put: impl FnOnce(usize) -> Result) -> Result {
    let item = boxed(number);
    put(item).inspect_err(|_| assert_eq!(unboxed(item), number))
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
    // least, and its length follows from the number in them.
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
    type Payload = Bytes;
    const CAN_READ_PEEKED: bool = true;
    fn payload(size: usize, dropped: &Arc<Dropped>) -> Result<Bytes> {
        Bytes::try_new(size, disposer(note_blob, dropped))
    }
    fn wrap(number: u64, _: &Arc<Dropped>) -> Vec<u8> {
        blob(number)
    }
    fn item(owner: &Vec<u8>) -> &[u8] {
        owner
    }
    fn unwrap(_: Vec<u8>) {}
    fn hand_over(_: Vec<u8>) {}
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
    /// The number. Frees the value without a record.
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
    type Payload = Typed<Tracked>;
    const CAN_READ_PEEKED: bool = false;
    fn payload(_size: usize, _dropped: &Arc<Dropped>) -> Result<Typed<Tracked>> {
        Ok(Typed::new())
    }
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

thread_local! {
    static LOST_PLACES: Cell<u64> = const { Cell::new(0) };
}

/// The number of commits of this thread that lost their place to another put and were repeated. The
/// statistics count each as a failed put.
pub fn lost_places() -> u64 {
    LOST_PLACES.get()
}

/// Repeats `attempt`, a reservation and its commit, while another put takes the place between the
/// two; only once if the call does not wait.
pub fn commit_until_kept(waits: bool, mut attempt: impl FnMut() -> Result) -> Result {
    loop {
        let done = attempt();
        if done != Err(Error::Full) || !waits {
            return done;
        }
        LOST_PLACES.set(LOST_PLACES.get() + 1);
    }
}
