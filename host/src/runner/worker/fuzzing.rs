//! For `tests/fuzz` alone: what comes from the other process, without one.

use std::{io::Write, os::unix::net::UnixStream, sync::Arc};

use arrow_array::RecordBatch;
use serde::{Serialize, de::DeserializeOwned};
use usher_abi::{Batch, Error, HostTable, Split, Status, export_batch, import_batch, import_schema};

use super::{
    flat::FlatBatch,
    lender::Lender,
    protocol::{Ask, Call, FromWorker, Lent, Outcome, Piece, Said, Started, ToWorker, Value},
    serving::Serving,
    wire::Wire,
};

/// One message as the host receives it from a worker in whose shared memory `memory` lies: a question is asked of the
/// services, a batch or schema is imported.
pub fn to_host(message: &[u8], memory: &[u8], services: HostTable) {
    let Some(FromWorker { released, said }) = received(message) else { return };
    let Ok((lender, _file)) = Lender::new() else { return };
    lender.take_back(&released);
    match said {
        Said::Started(_) => {}
        Said::Ask(Ask::Sleep(_)) => {}
        Said::Ask(ask) => {
            let handed = usize::try_from(ask.handed()).unwrap_or(usize::MAX);
            if let Some(handed) = memory.get(..handed) {
                drop(Serving::new(services).answer(ask, handed, &lender));
            }
        }
        Said::Outcome(outcome) => {
            let _ = outcome.handed();
            match outcome.result {
                Some(Ok(Value::Status(_, Some(flat)))) => {
                    let handed = usize::try_from(flat.bytes()).unwrap_or(usize::MAX);
                    drop(memory.get(..handed).map(|memory| imported(&flat, memory)));
                }
                Some(Ok(Value::Schema(flat))) => {
                    drop(flat.schema().and_then(|schema| import_schema(&schema)));
                }
                _ => {}
            }
        }
    }
}

/// One message as a worker receives it, whose shared memory holds `memory`.
pub fn to_worker(message: &[u8], memory: &[u8]) {
    let Some(ToWorker::Call(call)) = received(message) else { return };
    let _ = call.name();
    match call {
        Call::OutputSchema { schema, .. } | Call::Begin { schema, .. } => {
            drop(schema.schema().and_then(|schema| import_schema(&schema)));
        }
        Call::Apply { batch, .. } | Call::Write { batch, .. } => drop(imported(&batch.batch, memory)),
        _ => {}
    }
}

/// The batch of such a description and such memory, if it is one.
pub fn batch(description: &[u8], memory: &[u8]) -> Option<RecordBatch> {
    imported(&postcard::from_bytes(description).ok()?, memory).ok()
}

/// What [`batch`] makes this of.
pub fn described(records: &RecordBatch) -> (Vec<u8>, Vec<u8>) {
    let (flat, memory) = flattened(records);
    (written(&flat), memory)
}

/// Some messages in both directions, each with what lies in the shared memory.
pub fn messages(records: &RecordBatch) -> Vec<(Vec<u8>, Vec<u8>)> {
    let (flat, memory) = flattened(records);
    let said = |said| written(&FromWorker { released: vec![4096], said });
    let outcome =
        |value| said(Said::Outcome(Box::new(Outcome { result: Some(Ok(value)), ..Outcome::default() })));
    let call = |call| written(&ToWorker::Call(call));
    let schema = FlatBatch::of_schema(&export_batch(records, 0, Vec::new()).expect("a batch").schema);
    let split = Split { input: 0, start: 0, end: u64::MAX, details: "".into() };
    let piece = Piece { place: 4096, len: flat.bytes(), copy: false };
    let ready = Started::Ready { description: "{}".to_owned(), login: false, gaps: Vec::new() };
    let input = "input".to_owned();
    vec![
        (outcome(Value::Status(Status::OK.0, Some(flat.clone()))), memory.clone()),
        (outcome(Value::Schema(schema.clone())), Vec::new()),
        (outcome(Value::Splits(vec![split.clone()])), Vec::new()),
        (said(Said::Started(ready)), Vec::new()),
        (said(Said::Ask(Ask::InputOpen(input))), Vec::new()),
        (said(Said::Ask(Ask::OutputWrite { part: 1, len: 3 })), b"abc".to_vec()),
        (call(Call::Write { of: 1, batch: Lent { batch: flat, piece } }), memory),
        (call(Call::Begin { of: 1, schema }), Vec::new()),
        (call(Call::OpenSplit { of: 1, split, checkpoint: vec![7] }), Vec::new()),
    ]
}

fn flattened(records: &RecordBatch) -> (FlatBatch, Vec<u8>) {
    let batch = export_batch(records, 1, vec![7]).expect("a batch of the subset");
    let flat = FlatBatch::of_batch(&batch).expect("a batch of this process");
    let mut memory = vec![0; flat.bytes() as usize];
    flat.copy_buffers(&batch, |place, bytes| memory[place as usize..][..bytes.len()].copy_from_slice(bytes));
    (flat, memory)
}

fn written(message: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(message).expect("a message")
}

/// The message that comes over a socket, if it is one.
fn received<T: DeserializeOwned>(message: &[u8]) -> Option<T> {
    let (here, mut there) = UnixStream::pair().ok()?;
    let length = u32::try_from(message.len()).ok()?;
    there.write_all(&length.to_le_bytes()).ok()?;
    there.write_all(message).ok()?;
    drop(there);
    Wire::new(here).receive(|| false).ok()
}

fn imported(flat: &FlatBatch, memory: &[u8]) -> Result<RecordBatch, Error> {
    let mut copy = arrow_buffer::MutableBuffer::new(memory.len());
    copy.extend_from_slice(memory);
    let (first, len) = (copy.as_ptr(), copy.len());
    // SAFETY: the bytes are the owner's, and nobody writes them.
    let mut batch: Batch = unsafe { flat.batch(first, len, Arc::new(copy)) }?;
    import_batch(&mut batch)
}
