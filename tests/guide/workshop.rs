//! A machine with a host and cargo, for writing a connector on.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{plugin_dir, plugin_file, root};

/// A fresh folder, and a host installed beside it as the tarball is. Crates in it have their own `target`, but what
/// they are compiled from is kept in the workspace's, so that nothing is compiled twice.
pub(crate) struct Workshop {
    folder: PathBuf,
    /// Plugins that are made here.
    made: &'static [&'static str],
}

impl Workshop {
    pub(crate) fn new(name: &str, made: &'static [&'static str]) -> Self {
        // The same path in every run: what cargo compiles for it is found again, and not piled up.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        let workshop = Self { folder, made };
        workshop.sweep();
        for part in ["bin", "lib/usher", "work/.cargo"] {
            fs::create_dir_all(workshop.folder.join(part)).unwrap();
        }
        fs::copy(env!("CARGO_BIN_EXE_usher"), workshop.folder.join("bin/usher")).unwrap();
        let csv = plugin_file("csv");
        fs::copy(&csv, workshop.folder.join("lib/usher").join(csv.file_name().unwrap())).unwrap();
        fs::write(workshop.path(".cargo/config.toml"), configuration()).unwrap();
        workshop
    }

    /// A path below the fresh folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join("work").join(name)
    }

    /// Runs a script in the fresh folder; stops the test when a command of it fails or cargo warns.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> String {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let path = [self.folder.join("bin")].into_iter().chain(env::split_paths(&inherited));
        let mut shell = Command::new("sh");
        shell.args(["-eux", "-c", &format!("exec 2>&1\n{script}")]).current_dir(self.path(""));
        shell.env("PATH", env::join_paths(path).unwrap()).env("XDG_DATA_HOME", self.path("no-data"));
        for variable in ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "INSTA_UPDATE", "USHER_PLUGIN_PATH"] {
            shell.env_remove(variable);
        }
        let output = shell.output().expect("a shell");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && !said.contains("warning:"), "{said}");
        said
    }

    /// What the chain `try` of a manifest in a folder wrote for a connector.
    pub(crate) fn written(&self, folder: &str, connector: &str) -> String {
        let parts = self.path(folder).join("out/try/latest").join(connector);
        let mut files: Vec<PathBuf> =
            fs::read_dir(parts).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|e| e == "csv"));
        assert_eq!(files.len(), 1, "{files:?}");
        fs::read_to_string(&files[0]).unwrap()
    }

    /// Removes the libraries made here from where other tests look for plugins.
    fn sweep(&self) {
        for profile in ["debug", "release"] {
            for name in self.made {
                let library = plugin_file(name);
                let _ =
                    fs::remove_file(target().join(profile).join("deps").join(library.file_name().unwrap()));
            }
        }
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        self.sweep();
    }
}

/// The workspace's `target`.
fn target() -> PathBuf {
    plugin_dir().ancestors().nth(2).unwrap().to_owned()
}

/// Nothing is fetched; what is compiled is compiled as in the workspace, except that a release is not optimised: it is
/// made to be run once.
fn configuration() -> String {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, development) = manifest.split_once("[profile.dev]").unwrap();
    format!(
        "[build]\nbuild-dir = {:?}\n[net]\noffline = true\n[profile.release]\nopt-level = 0\n[profile.dev]{development}",
        target().display().to_string()
    )
}
