//! Reading: of what is large or packed, ahead, by a helper thread, while the source parses what it was given before; of short
//! ranges in the source's own thread, a little at a time, so that what is parsed is still in the caches.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use usher_abi::{Error, service::Slab};

use super::{
    decode::{Decoder, Packing},
    digest,
    registry::{Entry, InputRegistry},
    slabs::{Pool, SLAB},
    stored::unreadable,
};

/// Slabs that wait to be taken; the helper holds at most one more.
const AHEAD: usize = 1;

/// Plain ranges of so many bytes are short: splits, which are read by many threads anyway, and small files.
const HERE: u64 = 8 << 20;
/// Bytes that are read of them at a time: blocks of the digest.
const PIECE: usize = digest::BLOCK;

/// A reader over a range of an input. Dropping it ends the helper thread, if it has one, at its next slab.
#[derive(Debug)]
pub(super) struct Reader {
    slabs: Slabs,
    /// What every later call answers, once the end or an error was reached.
    end: Option<Result<(), Error>>,
}

#[derive(Debug)]
enum Slabs {
    /// Read when they are asked for.
    Here(Box<Work>),
    /// Read ahead by the helper.
    Ahead(Receiver<Item>),
}

#[derive(Debug)]
enum Item {
    /// A slab, and how many stored bytes went into it.
    Slab(Slab, u64),
    /// The end, and the stored bytes since the last slab. Said, so that a helper that dies is never taken for the
    /// end of the input.
    End(u64),
    Failed(Error),
}

impl Reader {
    /// Starts to read `start..end`, both cut to what is there. Only plain inputs can be begun anywhere but at 0.
    pub(super) fn new(
        registry: &InputRegistry,
        entry: &Arc<Entry>,
        start: u64,
        end: u64,
    ) -> Result<Self, Error> {
        let name = registry.name(entry.id);
        let plain = entry.head.packing == Packing::Plain;
        if !plain && start > 0 {
            return Err(Error::bug(
                "input.not-splittable",
                format!("`{name}` is compressed and can only be read from its beginning, not from {start}"),
            ));
        }
        let (begin, first) = (if plain { start } else { 0 }, start.max(entry.head.first));
        let end = if plain { end.min(entry.stored.len()) } else { end };
        let decoder = Decoder::new(&name, &entry.stored, entry.head.packing, begin, registry.limit)?;
        let pool = Arc::clone(&registry.pool);
        let here = plain && end.saturating_sub(begin) <= HERE;
        let piece = if here { PIECE } else { SLAB };
        let mut work = Work { decoder, pool, piece, offset: begin, place: begin, first, end };
        if here {
            return Ok(Self { slabs: Slabs::Here(Box::new(work)), end: None });
        }
        let (sender, items) = sync_channel(AHEAD);
        thread::Builder::new()
            .name("usher-read".to_owned())
            .spawn(move || {
                loop {
                    let item = work.next();
                    let last = !matches!(item, Item::Slab(..));
                    // When nobody listens any more the reader was closed: nothing is left to say.
                    if sender.send(item).is_err() || last {
                        return;
                    }
                }
            })
            .map_err(|e| unreadable(&name, &e))?;
        Ok(Self { slabs: Slabs::Ahead(items), end: None })
    }

    /// The next slab, none at the end, and the stored bytes used up since the call before. An error stays.
    pub(super) fn next(&mut self) -> Result<(Option<Slab>, u64), Error> {
        if let Some(end) = &self.end {
            return end.clone().map(|()| (None, 0));
        }
        let item = match &mut self.slabs {
            Slabs::Here(work) => work.next(),
            Slabs::Ahead(items) => items.recv().unwrap_or_else(|_| {
                Item::Failed(Error::bug("input.reader-died", "the thread that read the input died"))
            }),
        };
        let (end, stored) = match item {
            Item::Slab(slab, stored) => return Ok((Some(slab), stored)),
            Item::End(stored) => (Ok(()), stored),
            Item::Failed(error) => (Err(error), 0),
        };
        self.end.insert(end).clone().map(|()| (None, stored))
    }
}

/// Reads slab after slab.
#[derive(Debug)]
struct Work {
    decoder: Decoder,
    pool: Arc<Pool>,
    /// Bytes of a slab, unless fewer are left.
    piece: usize,
    /// First byte that was not read.
    offset: u64,
    /// So many stored bytes are accounted for; not what the decoder says, which may have read a header already.
    place: u64,
    /// Offset of the first byte to hand out.
    first: u64,
    end: u64,
}

impl Work {
    fn next(&mut self) -> Item {
        while self.offset < self.end {
            let left = usize::try_from(self.end - self.offset).unwrap_or(usize::MAX);
            // Whole blocks are hashed as they pass, so all slabs but the first begin with one.
            let aligned = self.piece - (self.offset % self.piece as u64) as usize;
            let mut buffer = self.pool.take();
            let read = match self.decoder.fill(&mut buffer.bytes()[..left.min(aligned)]) {
                Ok(read) => read,
                Err(error) => return Item::Failed(error),
            };
            if read == 0 {
                break;
            }
            let offset = self.offset;
            self.offset += read as u64;
            // A byte order mark is read as well; it is not handed out.
            let skip = usize::try_from(self.first.saturating_sub(offset)).unwrap_or(usize::MAX).min(read);
            if skip < read {
                let slab = buffer.into_slab(skip..read, offset + skip as u64);
                return Item::Slab(slab, self.stored());
            }
        }
        // Whoever asks again is told the end again.
        self.end = self.offset;
        Item::End(self.stored())
    }

    /// The stored bytes used up since this was asked before.
    fn stored(&mut self) -> u64 {
        let before = std::mem::replace(&mut self.place, self.decoder.place());
        self.place - before
    }
}
