//! Memory that two processes share. The host makes it, of a length that nobody can change afterwards: a worker that shrank it
//! would end the host at its next look.

use std::{
    ffi::c_void,
    io,
    os::fd::{AsFd, OwnedFd},
    ptr,
};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// What one lane's worker can hand over at once: the bytes of a batch, of a part or of a request's body.
pub(super) const UP: usize = 64 << 20;

/// What the host can lend to a worker at a time: slabs of inputs, batches.
pub(super) const DOWN: usize = 256 << 20;

/// Some shared memory, mapped here.
#[derive(Debug)]
pub(super) struct Shared {
    first: *mut c_void,
    len: usize,
}

// SAFETY: it is memory. What is in it is read and written through the functions below, whose callers see to it that nobody
// writes what another reads; the worker, which might, is kept from it by the kernel or copied from.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: the mapping is this struct's own, and whoever was lent a part of it has an `Arc` of it.
        let _ = unsafe { munmap(self.first, self.len) };
    }
}

/// Whether this side may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    ReadWrite,
}

impl Shared {
    /// Maps `len` bytes of a descriptor.
    pub(super) fn map(of: impl AsFd, len: usize, access: Access) -> io::Result<Self> {
        let protection = match access {
            Access::Read => ProtFlags::READ,
            Access::ReadWrite => ProtFlags::READ | ProtFlags::WRITE,
        };
        // SAFETY: a new mapping at a place that the kernel chooses touches nothing that exists.
        let first = unsafe { mmap(ptr::null_mut(), len, protection, MapFlags::SHARED, of, 0) }?;
        Ok(Self { first, len })
    }

    /// Memory that the host writes and the worker reads, mapped for the host; the descriptor is for the worker, who cannot
    /// map it for writing.
    pub(super) fn lent(len: usize) -> io::Result<(Self, OwnedFd)> {
        let file = file(len)?;
        let mapped = Self::map(&file, len, Access::ReadWrite)?;
        seal(&file, true)?;
        Ok((mapped, file))
    }

    /// Memory that the worker writes and the host copies from, mapped for the host.
    pub(super) fn handed_over(len: usize) -> io::Result<(Self, OwnedFd)> {
        let file = file(len)?;
        seal(&file, false)?;
        Ok((Self::map(&file, len, Access::Read)?, file))
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Where a range begins, if it is within.
    pub(super) fn at(&self, place: usize, len: usize) -> Option<*mut u8> {
        let end = place.checked_add(len)?;
        // SAFETY: within the mapping.
        (end <= self.len).then(|| unsafe { self.first.cast::<u8>().add(place) })
    }

    /// Copies bytes in.
    ///
    /// # Safety
    ///
    /// This side mapped it for writing, and nobody reads or writes that range meanwhile.
    pub(super) unsafe fn write(&self, place: usize, bytes: &[u8]) -> Option<()> {
        let to = self.at(place, bytes.len())?;
        // SAFETY: the range is within, and its owner is the caller.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        Some(())
    }

    /// Copies bytes out into memory of this process's own. The other side may write them meanwhile: what is copied is then
    /// any of what it wrote.
    pub(super) fn copy(&self, place: usize, into: &mut [u8]) -> Option<()> {
        let from = self.at(place, into.len())?;
        // SAFETY: the range is within; a race with another process gives bytes that nobody relies on, as the mapping is no
        // memory that the compiler knows of.
        unsafe { ptr::copy_nonoverlapping(from, into.as_mut_ptr(), into.len()) };
        Some(())
    }
}

#[cfg(target_os = "linux")]
fn file(len: usize) -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
    let file = memfd_create("usher", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&file, len as u64)?;
    Ok(file)
}

/// Its length stays; `lent`: nobody else writes it.
#[cfg(target_os = "linux")]
fn seal(file: &OwnedFd, lent: bool) -> io::Result<()> {
    use rustix::fs::{SealFlags, fcntl_add_seals};
    let mut seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    seals.set(SealFlags::FUTURE_WRITE, lent);
    Ok(fcntl_add_seals(file, seals)?)
}

/// Only Linux has memory that can be sealed.
#[cfg(not(target_os = "linux"))]
fn file(len: usize) -> io::Result<OwnedFd> {
    let file = tempfile::tempfile()?;
    file.set_len(len as u64)?;
    Ok(file.into())
}

#[cfg(not(target_os = "linux"))]
fn seal(_: &OwnedFd, _: bool) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_side_writes_the_other_reads() {
        let (host, file) = Shared::lent(8192).unwrap();
        let worker = Shared::map(&file, 8192, Access::Read).unwrap();
        // SAFETY: nobody else has it.
        unsafe { host.write(4096, b"hello") }.unwrap();
        let mut copy = [0; 5];
        worker.copy(4096, &mut copy).unwrap();
        assert_eq!(&copy, b"hello");
        assert!(worker.copy(8190, &mut copy).is_none(), "behind the end");
        assert!(worker.copy(usize::MAX, &mut copy).is_none());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_worker_can_neither_write_nor_resize_what_it_is_lent() {
        let (_host, file) = Shared::lent(8192).unwrap();
        assert!(Shared::map(&file, 8192, Access::ReadWrite).is_err());
        for len in [0, 4096, 16384] {
            assert!(rustix::fs::ftruncate(&file, len).is_err());
        }
        let (_host, file) = Shared::handed_over(8192).unwrap();
        assert!(Shared::map(&file, 8192, Access::ReadWrite).is_ok());
        for len in [0, 4096, 16384] {
            assert!(rustix::fs::ftruncate(&file, len).is_err());
        }
    }
}
