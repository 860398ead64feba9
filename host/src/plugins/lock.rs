//! `connectors.lock`: which plugin files a manifest may be run with.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::json;
use usher_abi::preamble::Preamble;

use super::{PluginFile, file::sha256};

/// What a lock file says, and where it stands.
#[derive(Clone, Debug)]
pub struct Lock {
    /// The file, beside the manifest.
    pub path: PathBuf,
    /// The plugins, by name.
    pub plugins: Vec<Locked>,
}

/// A plugin in a lock file: what is the same on all platforms, and the digests of its files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Version of the boundary (`0.1`).
    pub abi: String,
    /// Digest of everything in its preamble that does not depend on the platform.
    pub description: String,
    /// Services it wants.
    pub wants: Vec<String>,
    /// Network hosts it wants.
    pub hosts: Vec<String>,
    /// Digest of the file by platform.
    pub files: BTreeMap<String, String>,
}

impl Locked {
    /// The entry of a file that this host would load, read whole. The error is one line.
    pub fn of(path: &Path) -> Result<(PluginFile, Self), String> {
        let (file, digest) = PluginFile::read_whole(path).map_err(|refusal| refusal.to_string())?;
        file.check().map_err(|refusal| refusal.to_string())?;
        let entry = Self::new(&file.preamble, digest);
        Ok((file, entry))
    }

    /// The entry of a file that says this and has this digest.
    pub fn new(preamble: &Preamble, digest: String) -> Self {
        let Preamble { name, version, abi: [major, minor], wants, hosts, target, .. } = preamble;
        Self {
            name: name.clone(),
            version: version.clone(),
            abi: format!("{major}.{minor}"),
            description: description(preamble),
            wants: wants.clone(),
            hosts: hosts.clone(),
            files: BTreeMap::from([(target.clone(), digest)]),
        }
    }

    /// Whether both are the same release, so that files of several platforms may stand together.
    pub fn same_release(&self, other: &Self) -> bool {
        Self { files: BTreeMap::new(), ..self.clone() } == Self { files: BTreeMap::new(), ..other.clone() }
    }

    /// What is different in `found`, in words: what it has instead of what this entry has. Of files, those for the
    /// platforms of `found`.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(" ") };
        let (mut all, mut missing) = (Vec::new(), Vec::new());
        let mut differ = |what: &str, found: &str, locked: &str| {
            if found != locked {
                all.push(format!("{what} {found} instead of {locked}"));
            }
        };
        differ("version", &found.version, &self.version);
        differ("ABI", &found.abi, &self.abi);
        differ("services", &list(&found.wants), &list(&self.wants));
        differ("hosts", &list(&found.hosts), &list(&self.hosts));
        differ("description (SDK, summary, components)", &found.description, &self.description);
        for (target, digest) in &found.files {
            match self.files.get(target) {
                Some(locked) => differ(&format!("file for {target}"), digest, locked),
                None => missing.push(format!("a file for {target}, where there was none")),
            }
        }
        all.extend(missing);
        all
    }
}

impl Lock {
    /// Where the lock of a manifest stands: `connectors.lock` for `connectors.toml`.
    pub fn path_of(manifest: &Path) -> PathBuf {
        manifest.with_extension("lock")
    }

    /// The lock of a manifest, if there is one. The error is one line.
    pub fn read(manifest: &Path) -> Result<Option<Self>, String> {
        let path = Self::path_of(manifest);
        let wrong = |what: String| format!("{}: {what}", path.display());
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(format!("cannot be read: {error}"))),
        };
        let plugins = super::lock_text::parse(&text).map_err(wrong)?;
        Ok(Some(Self { path, plugins }))
    }

    /// Writes the file, whole or not at all; what stood in it before is gone.
    pub fn write(&self) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(super::lock_text::write(&self.plugins).as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }

    /// The entry of a plugin.
    pub fn plugin(&self, name: &str) -> Option<&Locked> {
        self.plugins.iter().find(|plugin| plugin.name == name)
    }

    /// Whether a file is the one that was locked; the error is half a line that follows the plugin's name.
    pub fn check(&self, found: &Locked) -> Result<(), String> {
        let lock = self.path.display();
        let Some(locked) = self.plugin(&found.name) else {
            return Err(format!(
                "is not in `{lock}`; use it in the manifest and run `usher plugins lock` if you trust it"
            ));
        };
        let differences = locked.differences(found);
        if differences.is_empty() {
            return Ok(());
        }
        let other_platforms_only =
            locked.same_release(found) && found.files.keys().all(|target| !locked.files.contains_key(target));
        if other_platforms_only {
            let targets: Vec<&str> = found.files.keys().map(String::as_str).collect();
            return Err(format!(
                "has no file for {} in `{lock}`; run `usher plugins lock` here to add it, if you trust it",
                targets.join(", ")
            ));
        }
        Err(format!(
            "is not the one in `{lock}`: {}; look at what changed (`usher plugins abi OLD NEW`), then run `usher plugins lock`",
            differences.join(", ")
        ))
    }
}

/// Digest of what a preamble says on every platform alike, as a compact JSON array: name, version, ABI, SDK, summary,
/// components (role and name, in their order), services and hosts (sorted).
fn description(preamble: &Preamble) -> String {
    let Preamble { name, version, abi, sdk, summary, components, wants, hosts, .. } = preamble;
    let components: Vec<_> = components.iter().map(|offer| (offer.role, &offer.name)).collect();
    let sorted = |names: &[String]| names.iter().cloned().collect::<BTreeSet<String>>();
    let (wants, hosts) = (sorted(wants), sorted(hosts));
    sha256(json!([name, version, abi, sdk, summary, components, wants, hosts]).to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preamble(text: &str) -> Preamble {
        Preamble::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_description_is_the_same_on_every_platform() {
        let linux = r#"{"usher":"plugin","abi":[0,1],"name":"csv","version":"1.0.0","summary":"Tables","sdk":"0.1.0",
            "rustc":"rustc 1","target":"linux","panic":"unwind","components":[{"role":"source","name":"rows"}],
            "wants":["output","input"],"hosts":["b","a"]}"#;
        let found = description(&preamble(linux));
        let hashed =
            br#"["csv","1.0.0",[0,1],"0.1.0","Tables",[["source","rows"]],["input","output"],["a","b"]]"#;
        assert_eq!(found, sha256(hashed));
        let macos = linux.replace("rustc 1", "rustc 2").replace("linux", "macos");
        assert_eq!(description(&preamble(&macos)), found);
        for (from, to) in
            [("Tables", "Lists"), ("source", "sink"), ("\"output\"", "\"state\""), ("\"a\"", "\"c\"")]
        {
            assert_ne!(description(&preamble(&linux.replace(from, to))), found, "{from}");
        }
    }
}
