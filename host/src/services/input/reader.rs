//! Reading ahead: a helper thread reads and unpacks while the source parses what it was given before.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use usher_abi::{Error, service::Slab};

use super::{
    decode::{Decoder, Packing},
    registry::{Entry, InputRegistry},
    slabs::{Pool, SLAB},
    stored::unreadable,
};

/// Slabs that wait to be taken; the helper holds at most one more.
const AHEAD: usize = 1;

/// A reader over a range of an input. Dropping it ends the helper thread at its next slab.
#[derive(Debug)]
pub(super) struct Reader {
    items: Receiver<Item>,
    /// What every later call answers, once the end or an error was reached.
    end: Option<Result<(), Error>>,
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
        let (sender, items) = sync_channel(AHEAD);
        let mut work = Work { decoder, pool: Arc::clone(&registry.pool), begin, first, end };
        thread::Builder::new()
            .name("usher-read".to_owned())
            .spawn(move || {
                // When nobody listens any more the reader was closed: nothing is left to say.
                let _ = match work.run(&sender) {
                    Ok(Some(stored)) => sender.send(Item::End(stored)),
                    Ok(None) => Ok(()),
                    Err(error) => sender.send(Item::Failed(error)),
                };
            })
            .map_err(|e| unreadable(&name, &e))?;
        Ok(Self { items, end: None })
    }

    /// The next slab, none at the end, and the stored bytes used up since the call before. An error stays.
    pub(super) fn next(&mut self) -> Result<(Option<Slab>, u64), Error> {
        if let Some(end) = &self.end {
            return end.clone().map(|()| (None, 0));
        }
        let (end, stored) = match self.items.recv() {
            Ok(Item::Slab(slab, stored)) => return Ok((Some(slab), stored)),
            Ok(Item::End(stored)) => (Ok(()), stored),
            Ok(Item::Failed(error)) => (Err(error), 0),
            Err(_) => (Err(Error::bug("input.reader-died", "the thread that read the input died")), 0),
        };
        self.end.insert(end).clone().map(|()| (None, stored))
    }
}

/// What the helper thread works with.
struct Work {
    decoder: Decoder,
    pool: Arc<Pool>,
    /// Offset of the first byte to read.
    begin: u64,
    /// Offset of the first byte to hand out.
    first: u64,
    end: u64,
}

impl Work {
    /// Sends all slabs. Answers the stored bytes used up after the last one; none when nobody listens any more.
    fn run(&mut self, sender: &SyncSender<Item>) -> Result<Option<u64>, Error> {
        let mut offset = self.begin;
        // Not what the decoder says: it may have read a header already.
        let mut place = offset;
        while offset < self.end {
            let left = usize::try_from(self.end - offset).unwrap_or(usize::MAX);
            // Whole blocks are hashed as they pass, so all slabs but the first begin with one.
            let aligned = SLAB - (offset % SLAB as u64) as usize;
            let mut buffer = self.pool.take();
            let read = self.decoder.fill(&mut buffer.bytes()[..left.min(aligned)])?;
            if read == 0 {
                break;
            }
            // A byte order mark is read as well; it is not handed out.
            let skip = usize::try_from(self.first.saturating_sub(offset)).unwrap_or(usize::MAX).min(read);
            if skip < read {
                let stored = self.decoder.place() - place;
                place += stored;
                let slab = buffer.into_slab(skip..read, offset + skip as u64);
                if sender.send(Item::Slab(slab, stored)).is_err() {
                    return Ok(None);
                }
            }
            offset += read as u64;
        }
        Ok(Some(self.decoder.place() - place))
    }
}
