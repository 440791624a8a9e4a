//! The unpacked distributions, one folder a version, shared by every test run of this machine.

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use crate::error::{During, Error, Result};
use crate::owner;
use crate::version::{Launch, Spec};
use crate::{boot_path, jdk, maven, modules, rest_root, security};

/// Part of a folder's name, raised when what [`prepare`] makes of a distribution changes: what was
/// made before is not used again.
const RECIPE: u32 = 2;

/// The home folder of a server's distribution; fetched and unpacked first if it is not there yet.
pub(crate) fn home(spec: &Spec) -> Result<PathBuf> {
    let cache = folder()?;
    let home = home_in(&cache, spec);
    if home.is_dir() {
        return Ok(home);
    }
    let what = || format!("preparing {}", home.display());
    let lock = File::create(cache.join(format!("{}.lock", spec.name))).during(what)?;
    lock.lock().during(what)?;
    if !home.is_dir() {
        // Made aside and moved into place, so that what is there is always complete.
        let staging = tempfile::tempdir_in(&cache).during(what)?;
        prepare(spec, staging.path())?;
        fs::rename(staging.path().join("home"), &home).during(what)?;
    }
    Ok(home)
}

/// Whether the distribution is there already.
pub(crate) fn is_there(spec: &Spec) -> Result<bool> {
    Ok(home_in(&folder()?, spec).is_dir())
}

fn home_in(cache: &Path, spec: &Spec) -> PathBuf {
    cache.join(format!("{}-{RECIPE}", spec.name))
}

fn prepare(spec: &Spec, staging: &Path) -> Result<()> {
    let archive = maven::fetch(&spec.artifact(), staging)?;
    unpack(&archive, &staging.join("home"), 1)?;
    let home = staging.join("home");
    let plugins = home.join("plugins");
    fs::create_dir_all(&plugins).during(|| format!("making {}", plugins.display()))?;
    if spec.launch == Launch::Elasticsearch8 {
        rest_root::add(spec, &home, &jdk::find(spec)?)?;
    }
    if let Some(source) = spec.modules() {
        modules::add(spec, source, &home, staging)?;
    }
    if let Some(plugin) = spec.security_plugin() {
        let archive = maven::fetch(plugin, staging)?;
        unpack(&archive, &home.join(security::PLUGIN), 0)?;
    }
    if spec.launch == Launch::Elasticsearch1 {
        boot_path::replace(spec, &home)?;
    }
    Ok(())
}

/// Unpacks an archive without the outermost folders: a distribution has a single one at its top.
fn unpack(archive: &Path, into: &Path, without: usize) -> Result<()> {
    let broken = |source| Error::Unpack { path: archive.to_owned(), source };
    let what = || format!("unpacking {}", archive.display());
    let file = File::open(archive).during(what)?;
    let mut zip = ZipArchive::new(file).map_err(broken)?;
    for number in 0..zip.len() {
        let mut entry = zip.by_index(number).map_err(broken)?;
        // `None` for a name that would leave the folder.
        let Some(name) = entry.enclosed_name() else { continue };
        let path = into.join(name.components().skip(without).collect::<PathBuf>());
        if entry.is_dir() {
            fs::create_dir_all(&path).during(what)?;
            continue;
        }
        fs::create_dir_all(path.parent().unwrap_or(into)).during(what)?;
        let mut out = File::create(&path).during(what)?;
        io::copy(&mut entry, &mut out).during(what)?;
        let executable = entry.unix_mode().is_some_and(|mode| mode & 0o100 != 0);
        let mode = if executable { 0o755 } else { 0o644 };
        out.set_permissions(fs::Permissions::from_mode(mode)).during(what)?;
    }
    Ok(())
}

/// The cache folder, existing and usable.
///
/// Root's own home is closed to the user that servers run as; then the machine's cache is used.
pub(crate) fn folder() -> Result<PathBuf> {
    let closed =
        |path: &Path| -> Result<bool> { Ok(owner::are_we_root()? && !owner::is_open_to_all(path)) };
    let cache = match env::var_os("SNAPFILL_SERVER_CACHE") {
        Some(chosen) => PathBuf::from(chosen),
        None => {
            let home = PathBuf::from(env::var_os("HOME").unwrap_or_else(|| "/".into()));
            let usual = home.join(".cache/snapfill/servers");
            if closed(&usual)? { PathBuf::from("/var/cache/snapfill/servers") } else { usual }
        }
    };
    let what = || format!("making the server cache {}", cache.display());
    fs::create_dir_all(&cache).during(what)?;
    let cache = fs::canonicalize(&cache).during(what)?;
    if closed(&cache)? {
        return Err(Error::ClosedCache { path: cache });
    }
    Ok(cache)
}
