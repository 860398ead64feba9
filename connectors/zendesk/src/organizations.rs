//! The file of the organizations that users name; it is imported before the users (KB-ORG, KB-USR).

use usher_sdk::{
    CsvDialect, CsvFile, Fingerprints, Host, PartLimits,
    abi::{Error, Part},
};

/// Writes each name once, when it is met first.
#[derive(Debug)]
pub(crate) struct Organizations {
    file: CsvFile,
    names: Fingerprints,
    folded: Fingerprints,
    /// Names that differ from an earlier one in case only.
    pub(crate) variants: u64,
}

impl Organizations {
    pub(crate) fn new(host: &Host, limits: PartLimits) -> Self {
        Self {
            file: CsvFile::new(host, "organizations", ["name"], CsvDialect::default(), limits),
            names: Fingerprints::new(),
            folded: Fingerprints::new(),
            variants: 0,
        }
    }

    /// Takes a name that a user has.
    pub(crate) fn add(&mut self, name: &str) -> Result<(), Error> {
        let print = self.names.print(name);
        if self.names.get(print).is_some() {
            return Ok(());
        }
        self.file.push([name])?.map_err(|fault| {
            Error::config(
                "option.invalid",
                format!("`max_bytes` is too small for the organization `{name}`: {}", fault.message),
            )
        })?;
        self.names.insert(print, 0);
        let folded = self.folded.folded(name);
        self.variants += u64::from(self.folded.insert(folded, 0).is_some());
        Ok(())
    }

    /// Ends the file; answers its parts, none when no user names an organization.
    pub(crate) fn finish(self) -> Result<Vec<Part>, Error> {
        self.file.finish()
    }
}
