//! `usher new`

mod columns;
mod render;
mod sdk;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use self::{columns::Table, render::Plan, sdk::Sdk};
use super::{
    Global,
    session::{code, print_json, say_error},
};
use crate::report::{print, tell};

/// Crates of Usher itself: a connector of this name could not depend on them.
const TAKEN: [&str; 4] = ["abi", "keys", "sdk", "testkit"];

/// Plugins that come with Usher: of two with one name, a manifest would find only the first. One of them is at the
/// other end of the new crate's manifest.
const SHIPPED: [&str; 8] =
    ["auth0", "carrot-quest", "cohort", "constant-contact", "csv", "json", "pii", "zendesk"];

/// Write the crate of a new connector: builds, passes its tests and runs as it is
#[derive(Debug, Args)]
pub(super) struct New {
    /// The plugin's name, and the folder's: lower case letters, digits and `-`
    name: String,
    /// Writes a vendor's files (unless another role is given)
    #[arg(long, group = "role")]
    sink: bool,
    /// Reads a vendor's export
    #[arg(long, group = "role")]
    source: bool,
    /// Changes records on their way
    #[arg(long, group = "role")]
    transform: bool,
    /// Where usher-sdk comes from: the folder of a checkout of Usher, or the URL of its git repository; unless given,
    /// the checkout that this program was built from
    #[arg(long, value_name = "PATH|GIT")]
    sdk: Option<String>,
    /// Fill the table of columns from the headings of a vendor's CSV template or export
    #[arg(long, value_name = "FILE.csv", conflicts_with = "transform")]
    from_header: Option<PathBuf>,
}

/// What the connector does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Source,
    Transform,
    Sink,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Transform => "transform",
            Self::Sink => "sink",
        }
    }
}

impl New {
    pub(super) fn execute(self, global: &Global) -> u8 {
        let plan = match self.plan() {
            Ok(plan) => plan,
            Err(message) => {
                say_error(global, message);
                return code::USAGE;
            }
        };
        plan.notes().iter().for_each(|note| tell!("note: {note}"));
        let (folder, role) = (Path::new(&self.name), self.role().name());
        let files = match plan.files().map_err(io::Error::other).and_then(|files| write(folder, &files)) {
            Ok(files) => files,
            Err(error) => {
                say_error(global, format!("{}: {error}", folder.display()));
                return code::FAILED;
            }
        };
        if global.json {
            print_json(&json!({ "folder": folder, "role": role, "files": files }));
        } else {
            print(&format!(
                "{0}/: the crate of a {role}, {1} files\n\n  cd {0}\n  cargo test\n  cargo build --release\n  usher run\n\n\
                 Then read its README.md, which says what to fill in where.\n",
                self.name,
                files.len(),
            ));
        }
        code::DONE
    }

    fn role(&self) -> Role {
        match (self.source, self.transform) {
            (true, _) => Role::Source,
            (_, true) => Role::Transform,
            _ => Role::Sink,
        }
    }

    /// What to write, or what is wrong with the command.
    fn plan(&self) -> Result<Plan, String> {
        check_name(&self.name)?;
        let mut entries = fs::read_dir(&self.name).into_iter().flatten();
        if entries.next().is_some() || Path::new(&self.name).is_file() {
            return Err(format!("`{}` is there already; choose another name or folder", self.name));
        }
        let sdk = Sdk::find(self.sdk.as_deref())?;
        let table = match &self.from_header {
            Some(file) => Table::of_header(file, self.role())?,
            None => Table::example(self.role()),
        };
        Ok(Plan { name: self.name.clone(), role: self.role(), sdk, table })
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || name.ends_with('-') || !name.bytes().all(good) {
        return Err(format!(
            "`{name}` is no name of a plugin: lower case letters, digits and `-`, a letter first and no `-` last"
        ));
    }
    if TAKEN.contains(&name) {
        return Err(format!("`usher-{name}` is a crate of Usher itself; choose another name"));
    }
    if SHIPPED.contains(&name) {
        return Err(format!("`{name}` is a plugin that comes with Usher; choose another name"));
    }
    Ok(())
}

/// Writes files below a folder; answers their names.
fn write(folder: &Path, files: &[(String, String)]) -> io::Result<Vec<String>> {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, text)?;
    }
    Ok(files.iter().map(|(name, _)| name.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::{SHIPPED, check_name};

    #[test]
    fn names_are_those_of_crates_and_of_nobody_else() {
        for good in ["acme", "a", "carrot-search", "web2"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in
            ["", "Acme", "2web", "-a", "a-", "a_b", "a/b", "..", "sdk", "testkit", "é", "csv", "zendesk"]
        {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_shipped_plugin_is_known() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../connectors");
        let entries = std::fs::read_dir(folder).expect("the connectors").map(|e| e.expect("an entry"));
        let crates = entries.filter(|e| e.path().join("Cargo.toml").is_file());
        let mut names: Vec<String> = crates.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        assert_eq!(names, SHIPPED);
    }
}
