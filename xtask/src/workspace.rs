//! Where the workspace is, and where its builds go.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::process::cargo;

#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace this program belongs to, from wherever it is called.
    pub(crate) fn find() -> Result<Self> {
        let own = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = own.as_deref().and_then(Path::parent);
        let unknown = || Failure::Failed("start it as `cargo xtask …`".to_owned());
        Ok(Self { root: root.ok_or_else(unknown)?.to_owned() })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that cargo builds into.
    pub(crate) fn target(&self) -> Result<PathBuf> {
        let output = cargo(self)
            .args(["metadata", "--format-version", "1", "--no-deps"])
            .output()
            .map_err(Failure::at(&self.root))?;
        let metadata: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_default();
        let folder = metadata["target_directory"].as_str();
        let unknown = || Failure::Failed("`cargo metadata` names no target folder".to_owned());
        folder.map(PathBuf::from).ok_or_else(unknown)
    }
}

/// An empty folder in place of whatever is there.
pub(crate) fn start_afresh(folder: &Path) -> Result {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(Failure::at(folder))?;
    }
    fs::create_dir_all(folder).map_err(Failure::at(folder))
}
