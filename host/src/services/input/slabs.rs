//! Buffers that wander to a plugin and come back.

use std::{
    ffi::c_void,
    ops::Range,
    sync::{Arc, Mutex},
};

use usher_abi::service::Slab;

use crate::services::private::lock;

/// Bytes of a buffer.
pub(super) const SLAB: usize = 1 << 20;

/// Free buffers kept for reuse; more than that go back to the allocator. The pool never makes anybody wait: a source
/// may hold as many slabs as it likes, and reading ahead is bounded by each reader's queue.
const KEPT: usize = 16;

/// The free buffers of a run.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: Mutex<Vec<Box<[u8]>>>,
}

impl Pool {
    /// A buffer of [`SLAB`] bytes with any content.
    pub(super) fn take(self: &Arc<Self>) -> Buffer {
        let bytes = lock(&self.free).pop().unwrap_or_else(|| vec![0; SLAB].into_boxed_slice());
        Buffer { bytes, pool: Arc::clone(self) }
    }
}

/// A buffer on loan; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Box<[u8]>,
    pool: Arc<Pool>,
}

impl Buffer {
    /// All [`SLAB`] bytes.
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Hands a range out as the bytes at `offset` of an input. The buffer returns when the slab is dropped.
    pub(super) fn into_slab(self, range: Range<usize>, offset: u64) -> Slab {
        let owner = Box::new(self);
        let bytes = &owner.bytes[range];
        let (data, len) = (bytes.as_ptr(), bytes.len());
        Slab { data, len, offset, owner: Box::into_raw(owner).cast(), release }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut free = lock(&self.pool.free);
        if free.len() < KEPT {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}

extern "C" fn release(owner: *const c_void) {
    // SAFETY: `owner` came from `Box::into_raw` in `into_slab`, and a slab calls `release` once. `Buffer` is `Send`
    // (a box of bytes and an `Arc` of a `Mutex`), so it may be dropped on any thread.
    drop(unsafe { Box::from_raw(owner.cast_mut().cast::<Buffer>()) });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_returns_with_its_last_holder() {
        let pool = Arc::new(Pool::default());
        let mut buffer = pool.take();
        buffer.bytes()[..5].copy_from_slice(b"hello");
        let slab = Arc::new(buffer.into_slab(1..5, 41));
        let second = Arc::clone(&slab);
        drop(slab);
        assert_eq!((second.bytes(), second.offset), (&b"ello"[..], 41));
        assert_eq!(lock(&pool.free).len(), 0);
        std::thread::spawn(move || drop(second)).join().unwrap();
        assert_eq!(lock(&pool.free).len(), 1);
        assert_eq!(&pool.take().bytes()[..5], b"hello", "it is the same buffer");
    }

    #[test]
    fn only_so_many_are_kept() {
        let pool = Arc::new(Pool::default());
        let all: Vec<_> = (0..KEPT + 3).map(|_| pool.take()).collect();
        drop(all);
        assert_eq!(lock(&pool.free).len(), KEPT);
    }

    #[test]
    fn a_slab_may_outlive_everything_else() {
        let pool = Arc::new(Pool::default());
        let slab = pool.take().into_slab(0..SLAB, 0);
        drop(pool);
        assert_eq!(slab.bytes().len(), SLAB);
    }
}
