//! Where a new crate's SDK comes from, and the versions that it was tested with.

use std::{fs, path::Path};

use serde::Serialize;
use toml_edit::{DocumentMut, Item};

/// The workspace's own manifest and lock file, as this host was built with them.
const MANIFEST: &str = include_str!("../../../../Cargo.toml");
const LOCK: &str = include_str!("../../../../Cargo.lock");

/// The SDK of a new crate.
#[derive(Debug)]
pub(super) struct Sdk {
    place: Place,
    /// The lock file that goes with it.
    pub(super) lock: String,
}

#[derive(Debug)]
enum Place {
    /// The folder of a checkout, absolute.
    Checkout(String),
    /// The URL of a git repository.
    Git(String),
}

/// What a manifest needs to know of the workspace.
#[derive(Debug, Serialize)]
pub(super) struct Versions {
    edition: String,
    rust_version: String,
    arrow: String,
    insta: String,
    schemars: String,
    serde: String,
    serde_json: String,
}

impl Sdk {
    /// The SDK that `--sdk` names, else that of the checkout which this host was built from.
    pub(super) fn find(given: Option<&str>) -> Result<Self, String> {
        let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(""));
        match given {
            Some(url) if url.contains("://") => {
                Ok(Self { place: Place::Git(url.to_owned()), lock: LOCK.to_owned() })
            }
            Some(path) => Self::checkout(Path::new(path)).map_err(|what| {
                format!("--sdk {path}: {what}; give the folder of a checkout of Usher, or the URL of its git repository")
            }),
            None => Self::checkout(built_from).map_err(|_| {
                format!(
                    "the checkout that this program was built from ({}) is gone; say where usher-sdk is: \
                     --sdk PATH for another checkout, --sdk URL for a git repository",
                    built_from.display()
                )
            }),
        }
    }

    fn checkout(folder: &Path) -> Result<Self, String> {
        let folder = folder.canonicalize().map_err(|error| error.to_string())?;
        if !folder.join("core/sdk/Cargo.toml").is_file() {
            return Err("there is no core/sdk in it".to_owned());
        }
        let lock = fs::read_to_string(folder.join("Cargo.lock")).map_err(|e| format!("Cargo.lock: {e}"))?;
        let text = folder.to_str().ok_or("its name is not UTF-8, which a Cargo.toml has to be")?;
        Ok(Self { place: Place::Checkout(text.to_owned()), lock })
    }

    /// The dependency on a crate below `core/`, as a manifest names its place: `path = "…"` or `git = "…"`.
    pub(super) fn dependency(&self, krate: &str) -> String {
        let (key, value) = match &self.place {
            Place::Checkout(folder) => ("path", format!("{folder}/core/{krate}")),
            Place::Git(url) => ("git", url.clone()),
        };
        format!("{key} = {}", serde_json::Value::from(value))
    }
}

impl Versions {
    /// From the workspace's manifest.
    pub(super) fn of_workspace() -> Result<Self, String> {
        let manifest: DocumentMut = MANIFEST.parse().map_err(|e| format!("the workspace's manifest: {e}"))?;
        let workspace = &manifest["workspace"];
        let package = |key: &str| text(workspace.get("package").and_then(|p| p.get(key)), key);
        let version = |name: &str| {
            let item = workspace.get("dependencies").and_then(|d| d.get(name));
            text(item.and_then(|item| item.get("version").or(Some(item))), name)
        };
        Ok(Self {
            edition: package("edition")?,
            rust_version: package("rust-version")?,
            arrow: version("arrow-array")?,
            insta: version("insta")?,
            schemars: version("schemars")?,
            serde: version("serde")?,
            serde_json: version("serde_json")?,
        })
    }
}

fn text(item: Option<&Item>, what: &str) -> Result<String, String> {
    let text = item.and_then(Item::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("the workspace's manifest does not say `{what}`"))
}

#[cfg(test)]
mod tests {
    use super::{Sdk, Versions};

    #[test]
    fn the_workspace_says_every_version() {
        let versions = Versions::of_workspace().expect("versions");
        assert_eq!((versions.edition.as_str(), versions.insta.is_empty()), ("2024", false));
    }

    #[test]
    fn a_repository_is_named_by_its_url() {
        let sdk = Sdk::find(Some("https://example.com/usher.git")).expect("a place");
        assert_eq!(sdk.dependency("sdk"), r#"git = "https://example.com/usher.git""#);
    }

    #[test]
    fn a_folder_that_is_no_checkout_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let message = Sdk::find(folder.path().to_str()).expect_err("a refusal");
        assert!(message.contains("there is no core/sdk in it; give the folder of a checkout"), "{message}");
    }
}
