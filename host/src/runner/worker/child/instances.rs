//! What is open in the worker: handles of the plugin, by number.

use std::{
    collections::HashMap,
    ffi::c_void,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use usher_abi::{Error, LoginTable, SinkTable, SourceTable, StreamTable, TransformTable};

use crate::services::private::lock;

/// A handle of the plugin, and its table.
#[derive(Clone, Copy)]
pub(super) struct Opened {
    pub(super) this: *mut c_void,
    pub(super) table: Table,
}

// SAFETY: instances may move between threads between calls (the boundary's contract).
unsafe impl Send for Opened {}

#[derive(Clone, Copy)]
pub(super) enum Table {
    Source(&'static SourceTable),
    Stream(&'static StreamTable),
    Transform(&'static TransformTable),
    Sink(&'static SinkTable),
    Login(&'static LoginTable),
}

/// All of them.
#[derive(Default)]
pub(super) struct Instances {
    next: AtomicU32,
    opened: Mutex<HashMap<u32, Opened>>,
}

impl Instances {
    pub(super) fn add(&self, opened: Opened) -> u32 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.opened).insert(id, opened);
        id
    }

    pub(super) fn get(&self, id: u32) -> Result<Opened, Error> {
        let opened = lock(&self.opened).get(&id).copied();
        opened
            .ok_or_else(|| Error::bug("worker.handle", format!("there is no handle {id}, or it was closed")))
    }

    /// Asks it to stop, if it is open still.
    pub(super) fn cancel(&self, id: u32) {
        // Under the lock, so that nobody closes it meanwhile; `cancel` returns at once.
        if let Some(Opened { this, table }) = lock(&self.opened).get(&id).copied() {
            match table {
                Table::Source(table) => (table.cancel)(this),
                Table::Stream(table) => (table.cancel)(this),
                Table::Transform(table) => (table.cancel)(this),
                Table::Sink(table) => (table.cancel)(this),
                Table::Login(table) => (table.cancel)(this),
            }
        }
    }

    pub(super) fn close(&self, id: u32) {
        let opened = lock(&self.opened).remove(&id);
        if let Some(Opened { this, table }) = opened {
            match table {
                Table::Source(table) => (table.close)(this),
                Table::Stream(table) => (table.close)(this),
                Table::Transform(table) => (table.close)(this),
                Table::Sink(table) => (table.close)(this),
                Table::Login(table) => (table.close)(this),
            }
        }
    }
}
