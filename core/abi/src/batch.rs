//! Arrow records as they cross: our own copies of the Arrow C Data Interface structs, so that no version of the
//! arrow crates is part of the boundary.

use std::ffi::{c_char, c_void};

use abi_stable::{StableAbi, std_types::RVec};

/// `struct ArrowSchema` of the Arrow C Data Interface, field for field.
///
/// Owner: whoever holds it last calls `release` once; a moved-from struct has `release = None`.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct ArrowSchema {
    /// Format string, NUL-terminated.
    pub format: *const c_char,
    /// Field name, NUL-terminated.
    pub name: *const c_char,
    /// Key/value metadata in the Arrow binary form, or null.
    pub metadata: *const c_char,
    /// Bit set of Arrow flags.
    pub flags: i64,
    /// Number of children.
    pub n_children: i64,
    /// The children.
    pub children: *mut *mut ArrowSchema,
    /// Dictionary, always null in Usher's subset.
    pub dictionary: *mut ArrowSchema,
    /// Frees what this struct points at; `None` when moved from.
    pub release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    /// The producer's own.
    pub private_data: *mut c_void,
}

/// `struct ArrowArray` of the Arrow C Data Interface, field for field. Owner as [`ArrowSchema`].
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct ArrowArray {
    /// Rows.
    pub length: i64,
    /// Nulls, or -1 when not counted.
    pub null_count: i64,
    /// First row.
    pub offset: i64,
    /// Number of buffers.
    pub n_buffers: i64,
    /// Number of children.
    pub n_children: i64,
    /// The buffers.
    pub buffers: *mut *const c_void,
    /// The children.
    pub children: *mut *mut ArrowArray,
    /// Dictionary, always null in Usher's subset.
    pub dictionary: *mut ArrowArray,
    /// Frees what this struct points at; `None` when moved from.
    pub release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    /// The producer's own.
    pub private_data: *mut c_void,
}

/// Some thousand rows of one input: a struct array (one child a column) and its schema.
#[repr(C)]
#[derive(StableAbi, Debug)]
pub struct Batch {
    /// The rows.
    pub array: ArrowArray,
    /// Their schema; every batch of a stream has the same.
    pub schema: ArrowSchema,
    /// Length in bytes of every buffer of `array`, depth first, children in order: what the consumer checks the
    /// array against before it reads a byte.
    pub buffer_lens: RVec<u64>,
    /// Which input the rows come from (an id given by the `usher.input/1` service).
    pub input: u32,
    /// The producer's checkpoint after this batch, in its own form; empty when it keeps none.
    pub checkpoint: RVec<u8>,
}

// SAFETY: the Arrow C Data Interface allows moving the structs between threads; they own what they point at.
unsafe impl Send for Batch {}

impl Batch {
    /// A batch to be filled by a producer.
    pub fn empty() -> Self {
        Self {
            array: ArrowArray {
                length: 0,
                null_count: 0,
                offset: 0,
                n_buffers: 0,
                n_children: 0,
                buffers: std::ptr::null_mut(),
                children: std::ptr::null_mut(),
                dictionary: std::ptr::null_mut(),
                release: None,
                private_data: std::ptr::null_mut(),
            },
            schema: ArrowSchema {
                format: std::ptr::null(),
                name: std::ptr::null(),
                metadata: std::ptr::null(),
                flags: 0,
                n_children: 0,
                children: std::ptr::null_mut(),
                dictionary: std::ptr::null_mut(),
                release: None,
                private_data: std::ptr::null_mut(),
            },
            buffer_lens: RVec::new(),
            input: 0,
            checkpoint: RVec::new(),
        }
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self::empty()
    }
}

impl Drop for ArrowArray {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: `release` is set, so this struct still owns its data; it is called once, here.
            unsafe { release(self) }
        }
    }
}

impl Drop for ArrowSchema {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: as for `ArrowArray`.
            unsafe { release(self) }
        }
    }
}

impl ArrowSchema {
    /// A schema to be filled.
    pub fn empty() -> Self {
        Batch::empty().schema
    }
}
