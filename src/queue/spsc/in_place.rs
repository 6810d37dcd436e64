//! Items written and read in their slots: reserve and commit, front and consume.
//!
//! A reservation is a position that is still the tail: any other put moves the tail on, and so ends
//! it. The front item needs no such note, because the consumer alone moves the head.

use super::{RoleOwnership, Spsc};
use crate::error::{Error, Result};
use crate::payload::{Bytes, Payload, Typed};
use crate::queue::OfBlobs;
use crate::queue::Put;
use crate::sync::{Relaxed, site};

impl<K: RoleOwnership> OfBlobs for Spsc<Bytes, K> {
    fn item_size(&self) -> usize {
        self.payload().limit()
    }
}

impl<K: RoleOwnership> Spsc<Bytes, K> {
    /// Room for a blob of the largest size, until [`Spsc::commit`] or the producer's next put.
    ///
    /// # Safety
    /// Only the producer may call.
    pub unsafe fn reserve(&self) -> Result<*mut u8> {
        self.check_producer()?;
        self.check_open()?;
        let tail = self.state.put.tail.load(site("spsc.put.tail", Relaxed));
        if self.producer.cursor.limit() == tail {
            self.refresh_room(tail, 1, 0)?;
        }
        self.producer.reserved.store(tail, site("spsc.reserve.store", Relaxed));
        let slot = self.producer.cursor.slot(&self.slots, tail);
        // SAFETY: the producer owns the slot until it is published.
        Ok(self.slots.own(slot, |bytes, cell| unsafe { bytes.data(cell) }))
    }

    /// Puts the first `len` bytes of the reservation; fails with [`Error::Misuse`] if there is none.
    ///
    /// # Safety
    /// Only the producer may call.
    pub unsafe fn commit(&self, len: usize) -> Result {
        if len > self.payload().limit() {
            return Err(Error::Invalid);
        }
        let tail = self.state.put.tail.load(site("spsc.commit.tail", Relaxed));
        let reserved = self.producer.reserved.load(site("spsc.commit.reserved", Relaxed));
        if reserved != tail {
            return Err(Error::Misuse);
        }
        self.producer.reserved.store(tail.wrapping_sub(1), site("spsc.commit.store", Relaxed));
        let (tail, _) = self.room(1)?;
        let slot = self.producer.cursor.slot(&self.slots, tail);
        // SAFETY: the producer owns the slot.
        self.slots.own(slot, |bytes, cell| unsafe { bytes.set_len(cell, len) });
        if self.publish(tail.wrapping_add(1)) { Ok(()) } else { self.finish_put() }
    }

    /// The front blob in its slot, until [`Spsc::consume`] or the consumer's next get.
    ///
    /// # Safety
    /// Only the consumer may call.
    pub unsafe fn front(&self) -> Result<(*const u8, usize)> {
        let (position, _) = self.items(1)?;
        let slot = self.consumer.cursor.slot(&self.slots, position);
        // SAFETY: the consumer owns the slot until it is released.
        let blob =
            |bytes: &Bytes, cell| unsafe { (bytes.data(cell).cast_const(), bytes.len(cell)) };
        let (data, len) = self.slots.own(slot, blob);
        // Read once; another process may change it at any time.
        if K::IS_SHARED && !self.payload().may_need(len) {
            return Err(Error::Corrupt);
        }
        Ok((data, len))
    }

    /// Removes the front blob without copying it.
    ///
    /// # Safety
    /// Only the consumer may call.
    pub unsafe fn consume(&self) -> Result {
        let (position, _) = self.items(1)?;
        self.release(position.wrapping_add(1));
        Ok(())
    }
}

impl<T: Send> Spsc<Typed<T>> {
    /// The front value in its slot, until the consumer's next call.
    ///
    /// # Safety
    /// Only the consumer may call. The queue stays the value's owner.
    pub unsafe fn front(&self) -> Result<*const T> {
        let (position, _) = self.items(1)?;
        let slot = self.consumer.cursor.slot(&self.slots, position);
        Ok(self.slots.own(slot, |_, cell| cell.cast::<T>().cast_const()))
    }
}
