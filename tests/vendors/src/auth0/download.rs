//! The file behind a link: signed, for a minute, and nothing to do with the API's credentials.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::{account::Account, write};
use crate::{
    faults::{Fault, Faults},
    message::{Asked, Reply},
};

impl Account {
    pub(crate) fn download(&mut self, file: &str, asked: &Asked, faults: &Faults) -> Reply {
        if asked.header("authorization").is_some() {
            self.leaked_credentials += 1;
            return storage_error(400, "InvalidArgument");
        }
        let job = file.split('/').next().unwrap_or_default();
        let Ok(at) = self.kept(job) else { return storage_error(404, "NoSuchKey") };
        let signature = asked.parameter("Signature").unwrap_or_default();
        let made = self.jobs[at].links.iter().find(|(known, _)| known == signature).map(|(_, made)| *made);
        let is_good = made.is_some_and(|made| made.elapsed() < self.settings.link_lives);
        if !is_good || faults.strike(&[Fault::ExpiredLink], &asked.line()).is_some() {
            self.expired_links += 1;
            return storage_error(403, "AccessDenied");
        }
        let text = write::file(&self.settings, &self.jobs[at]);
        self.downloads += 1;
        if !self.settings.packs {
            return Reply::bytes(200, "application/octet-stream", text);
        }
        let mut packed = packed(&text);
        if faults.strike(&[Fault::TruncatedGzip], &asked.line()).is_some() {
            packed.truncate(packed.len() * 2 / 3);
        }
        Reply::bytes(200, "application/gzip", packed)
    }
}

/// As storage services answer, in XML; the wording is unverified.
fn storage_error(status: u16, code: &str) -> Reply {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");
    Reply::bytes(status, "application/xml", body.into_bytes())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes what it is given");
    encoder.finish().expect("memory takes what it is given")
}
