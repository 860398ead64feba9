//! Batches and schemas as they cross between processes: the boundary's structs without pointers, every buffer with its place
//! and length. What comes from a worker is held against itself here, before a struct is made of it; whether that is a sound
//! batch, [`usher_abi::import_batch`] finds, as it does for a plugin in the host's own process.

use std::{
    any::Any,
    ffi::{CStr, CString, c_char, c_void},
    fmt,
    marker::PhantomData,
    ptr,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, de};
use usher_abi::{ArrowArray, ArrowSchema, Batch, Error};

/// Buffers begin at multiples of this.
const ALIGNMENT: u64 = 64;

/// Deeper than any batch of the subset: rows, columns, elements of lists.
const DEEPEST: u32 = 4;

/// More arrays, buffers or fields than any batch has. A null pointer is one byte of a message and two dozen in memory.
const MOST: usize = 1 << 18;

/// A batch, or its schema alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FlatBatch {
    /// Parents before their children.
    #[serde(deserialize_with = "bounded")]
    arrays: Vec<FlatArray>,
    /// Of all arrays in their order: place and length; none for a null pointer.
    #[serde(deserialize_with = "bounded")]
    buffers: Vec<Option<(u64, u64)>>,
    #[serde(deserialize_with = "bounded")]
    fields: Vec<FlatField>,
    input: u32,
    checkpoint: Vec<u8>,
    /// How many bytes its buffers take.
    bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FlatArray {
    length: i64,
    null_count: i64,
    offset: i64,
    buffers: u32,
    children: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FlatField {
    format: Vec<u8>,
    name: Option<Vec<u8>>,
    metadata: Option<Vec<u8>>,
    flags: i64,
    children: u32,
}

impl FlatBatch {
    /// How many bytes its buffers take, one behind the other.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Rows, as it says.
    pub(super) fn rows(&self) -> u64 {
        self.arrays.first().map_or(0, |array| u64::try_from(array.length).unwrap_or(0))
    }

    /// A schema.
    pub(super) fn of_schema(schema: &ArrowSchema) -> Self {
        let mut flat = Self::default();
        flat.add_field(schema);
        flat
    }

    /// A batch; its buffers are not copied yet.
    pub(super) fn of_batch(batch: &Batch) -> Result<Self, Error> {
        let mut flat = Self::of_schema(&batch.schema);
        flat.input = batch.input;
        flat.checkpoint = batch.checkpoint.to_vec();
        flat.add_array(&batch.array, &mut batch.buffer_lens.iter().copied())?;
        Ok(flat)
    }

    /// Hands every buffer of the batch to `put`, with its place.
    pub(super) fn copy_buffers(&self, batch: &Batch, mut put: impl FnMut(u64, &[u8])) {
        let mut places = self.buffers.iter();
        copy(&batch.array, &mut places, &mut put);
    }

    fn add_field(&mut self, schema: &ArrowSchema) {
        let text = |pointer: *const c_char| {
            // SAFETY: texts of a schema are NUL-terminated or null.
            (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_bytes().to_vec())
        };
        let children: &[*mut ArrowSchema] = slice(schema.children, schema.n_children);
        self.fields.push(FlatField {
            format: text(schema.format).unwrap_or_default(),
            name: text(schema.name),
            metadata: metadata(schema.metadata),
            flags: schema.flags,
            children: children.len() as u32,
        });
        for child in children {
            // SAFETY: children of a schema live as long as it does.
            if let Some(child) = unsafe { child.as_ref() } {
                self.add_field(child);
            }
        }
    }

    fn add_array(
        &mut self,
        array: &ArrowArray,
        lengths: &mut impl Iterator<Item = u64>,
    ) -> Result<(), Error> {
        let buffers: &[*const c_void] = slice(array.buffers, array.n_buffers);
        let children: &[*mut ArrowArray] = slice(array.children, array.n_children);
        self.arrays.push(FlatArray {
            length: array.length,
            null_count: array.null_count,
            offset: array.offset,
            buffers: buffers.len() as u32,
            children: children.len() as u32,
        });
        for pointer in buffers {
            let length = lengths.next().ok_or_else(|| invalid("fewer buffer lengths than buffers"))?;
            if pointer.is_null() {
                self.buffers.push(None);
                continue;
            }
            self.buffers.push(Some((self.bytes, length)));
            let end = self.bytes.checked_add(length).and_then(|end| end.checked_next_multiple_of(ALIGNMENT));
            self.bytes = end.ok_or_else(|| invalid("a length overflows"))?;
        }
        for child in children {
            // SAFETY: children of an array live as long as it does.
            let child = unsafe { child.as_ref() }.ok_or_else(|| invalid("a child is missing"))?;
            self.add_array(child, lengths)?;
        }
        Ok(())
    }

    /// The schema as the boundary has it.
    pub(super) fn schema(&self) -> Result<ArrowSchema, Error> {
        let mut fields = self.fields.iter();
        let schema = schema(&mut fields, 0)?;
        if fields.next().is_some() {
            return Err(invalid("more fields than children"));
        }
        Ok(schema)
    }

    /// The batch as the boundary has it. Its buffers lie behind `first`, in `len` bytes that `owner` keeps alive.
    ///
    /// # Safety
    ///
    /// Nobody writes those bytes while `owner` lives, unless whoever reads the batch may be told anything.
    pub(super) unsafe fn batch(
        &self,
        first: *const u8,
        len: usize,
        owner: Arc<dyn Any + Send + Sync>,
    ) -> Result<Batch, Error> {
        let (mut arrays, mut buffers) = (self.arrays.iter(), self.buffers.iter());
        let mut lens = Vec::with_capacity(self.buffers.len());
        let memory = Memory { first, len: len as u64, owner };
        let array = memory.array(&mut arrays, &mut buffers, &mut lens, 0)?;
        if arrays.next().is_some() || buffers.next().is_some() {
            return Err(invalid("more arrays or buffers than children"));
        }
        let mut batch = Batch::empty();
        batch.array = array;
        batch.schema = self.schema()?;
        batch.buffer_lens = lens.into();
        batch.input = self.input;
        batch.checkpoint = self.checkpoint.clone().into();
        Ok(batch)
    }
}

/// A list of at most [`MOST`] things; not one more is kept while it is read.
fn bounded<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    struct Bounded<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Bounded<T> {
        type Value = Vec<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {MOST} arrays, buffers or fields")
        }
        fn visit_seq<A: de::SeqAccess<'de>>(self, mut from: A) -> Result<Vec<T>, A::Error> {
            let mut list = Vec::new();
            while let Some(element) = from.next_element()? {
                if list.len() == MOST {
                    return Err(de::Error::invalid_length(MOST + 1, &self));
                }
                list.push(element);
            }
            Ok(list)
        }
    }
    from.deserialize_seq(Bounded(PhantomData))
}

fn invalid(what: &str) -> Error {
    Error::bug("abi.batch", format!("an invalid batch crossed the boundary: {what}"))
}

/// What a pointer and a number of it are; nothing where they make no sense, which whoever imports it finds.
fn slice<'a, T>(first: *mut T, count: i64) -> &'a [T] {
    match usize::try_from(count) {
        // SAFETY: the Arrow C Data Interface has so many there.
        Ok(count) if count > 0 && !first.is_null() => unsafe { std::slice::from_raw_parts(first, count) },
        _ => &[],
    }
}

fn copy<'a>(
    array: &ArrowArray,
    places: &mut impl Iterator<Item = &'a Option<(u64, u64)>>,
    put: &mut impl FnMut(u64, &[u8]),
) {
    let buffers: &[*const c_void] = slice(array.buffers, array.n_buffers);
    for pointer in buffers {
        if let Some(Some((place, length))) = places.next() {
            // SAFETY: the batch says that the buffer has so many bytes.
            put(*place, unsafe { std::slice::from_raw_parts(pointer.cast(), *length as usize) });
        }
    }
    let children: &[*mut ArrowArray] = slice(array.children, array.n_children);
    for child in children {
        // SAFETY: children of an array live as long as it does.
        if let Some(child) = unsafe { child.as_ref() } {
            copy(child, places, put);
        }
    }
}

/// The bytes of a schema's metadata: a number of pairs, each of two texts behind their lengths.
fn metadata(first: *const c_char) -> Option<Vec<u8>> {
    if first.is_null() {
        return None;
    }
    let mut length = 0;
    let number = |length: &mut usize| {
        // SAFETY: the producer says that a number stands here, by those before.
        let number = unsafe { first.add(*length).cast::<i32>().read_unaligned() };
        *length += 4;
        usize::try_from(number).unwrap_or(0)
    };
    for _ in 0..2 * number(&mut length) {
        length += number(&mut length);
    }
    // SAFETY: the producer has so many bytes there.
    Some(unsafe { std::slice::from_raw_parts(first.cast::<u8>(), length) }.to_vec())
}

/// Whether metadata is as long as it says: who reads it goes by its numbers alone.
fn is_metadata(bytes: &[u8]) -> bool {
    fn number(rest: &mut &[u8]) -> Option<usize> {
        let (number, behind) = rest.split_first_chunk::<4>()?;
        *rest = behind;
        usize::try_from(i32::from_ne_bytes(*number)).ok()
    }
    let mut rest = bytes;
    let Some(pairs) = number(&mut rest) else { return false };
    for _ in 0..2 * pairs {
        let Some(behind) = number(&mut rest).and_then(|length| rest.get(length..)) else { return false };
        rest = behind;
    }
    rest.is_empty()
}

/// What a schema's pointers point at.
struct FieldOwner {
    format: CString,
    name: Option<CString>,
    metadata: Option<Vec<u8>>,
    children: Vec<*mut ArrowSchema>,
}

impl Drop for FieldOwner {
    fn drop(&mut self) {
        for child in self.children.drain(..) {
            // SAFETY: it came from `Box::into_raw`, and nobody else frees it.
            drop(unsafe { Box::from_raw(child) });
        }
    }
}

fn schema<'a>(fields: &mut impl Iterator<Item = &'a FlatField>, depth: u32) -> Result<ArrowSchema, Error> {
    let field = fields.next().ok_or_else(|| invalid("fewer fields than children"))?;
    if depth > DEEPEST {
        return Err(invalid("it is nested too deep"));
    }
    let text = |bytes: &[u8]| CString::new(bytes).map_err(|_| invalid("a NUL in a name"));
    if field.metadata.as_deref().is_some_and(|metadata| !is_metadata(metadata)) {
        return Err(invalid("metadata that is cut"));
    }
    let mut owner = Box::new(FieldOwner {
        format: text(&field.format)?,
        name: field.name.as_deref().map(text).transpose()?,
        metadata: field.metadata.clone(),
        children: Vec::new(),
    });
    for _ in 0..field.children {
        owner.children.push(Box::into_raw(Box::new(schema(fields, depth + 1)?)));
    }
    let mut schema = ArrowSchema::empty();
    schema.format = owner.format.as_ptr();
    schema.name = owner.name.as_ref().map_or(ptr::null(), |name| name.as_ptr());
    schema.metadata = owner.metadata.as_ref().map_or(ptr::null(), |metadata| metadata.as_ptr().cast());
    schema.flags = field.flags;
    schema.n_children = owner.children.len() as i64;
    schema.children = owner.children.as_mut_ptr();
    schema.private_data = Box::into_raw(owner).cast();
    schema.release = Some(release_schema);
    Ok(schema)
}

unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    // SAFETY: called once, with the struct that was made above or what it was moved to.
    let schema = unsafe { &mut *schema };
    schema.release = None;
    // SAFETY: as above.
    drop(unsafe { Box::from_raw(schema.private_data.cast::<FieldOwner>()) });
}

/// Where buffers lie.
struct Memory {
    first: *const u8,
    len: u64,
    owner: Arc<dyn Any + Send + Sync>,
}

/// What an array's pointers point at.
struct ArrayOwner {
    buffers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
    _memory: Arc<dyn Any + Send + Sync>,
}

impl Drop for ArrayOwner {
    fn drop(&mut self) {
        for child in self.children.drain(..) {
            // SAFETY: it came from `Box::into_raw`, and nobody else frees it.
            drop(unsafe { Box::from_raw(child) });
        }
    }
}

impl Memory {
    fn array<'a>(
        &self,
        arrays: &mut impl Iterator<Item = &'a FlatArray>,
        buffers: &mut impl Iterator<Item = &'a Option<(u64, u64)>>,
        lens: &mut Vec<u64>,
        depth: u32,
    ) -> Result<ArrowArray, Error> {
        let flat = arrays.next().ok_or_else(|| invalid("fewer arrays than children"))?;
        if depth > DEEPEST {
            return Err(invalid("it is nested too deep"));
        }
        let mut owner =
            Box::new(ArrayOwner { buffers: Vec::new(), children: Vec::new(), _memory: self.owner.clone() });
        for _ in 0..flat.buffers {
            let buffer = buffers.next().ok_or_else(|| invalid("fewer buffers than it says"))?;
            let (pointer, length) = match *buffer {
                None => (ptr::null(), 0),
                Some((place, length)) => {
                    if place.checked_add(length).is_none_or(|end| end > self.len) {
                        return Err(invalid("a buffer that is not within what was handed over"));
                    }
                    // SAFETY: within the memory.
                    (unsafe { self.first.add(place as usize) }.cast(), length)
                }
            };
            owner.buffers.push(pointer);
            lens.push(length);
        }
        for _ in 0..flat.children {
            let child = self.array(arrays, buffers, lens, depth + 1)?;
            owner.children.push(Box::into_raw(Box::new(child)));
        }
        let mut array = Batch::empty().array;
        array.length = flat.length;
        array.null_count = flat.null_count;
        array.offset = flat.offset;
        array.n_buffers = owner.buffers.len() as i64;
        array.buffers = owner.buffers.as_mut_ptr();
        array.n_children = owner.children.len() as i64;
        array.children = owner.children.as_mut_ptr();
        array.private_data = Box::into_raw(owner).cast();
        array.release = Some(release_array);
        Ok(array)
    }
}

unsafe extern "C" fn release_array(array: *mut ArrowArray) {
    // SAFETY: called once, with the struct that was made above or what it was moved to.
    let array = unsafe { &mut *array };
    array.release = None;
    // SAFETY: as above.
    drop(unsafe { Box::from_raw(array.private_data.cast::<ArrayOwner>()) });
}

#[cfg(test)]
mod tests;
