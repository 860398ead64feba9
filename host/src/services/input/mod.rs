//! `usher.input/1`: the bytes of files and of standard input.
//!
//! One [`InputRegistry`] per run knows every input by its id; each connector sees it through its own [`Inputs`],
//! which opens only what that connector's options name.
//!
//! Offsets, everywhere: the place in the *decompressed* bytes of the file, a byte order mark at its beginning
//! *included*. The mark itself is never handed out, so the first slab of a file that has one is at offset 3.

mod decode;
mod digest;
mod head;
mod reader;
mod registry;
mod reread;
mod slabs;
mod spec;
mod stored;
mod view;

pub use decode::Packing;
pub use digest::Digest;
pub use registry::{Incoming, InputInfo, InputOptions, InputRegistry, Keeper};
pub use view::{InputProgress, Inputs};
