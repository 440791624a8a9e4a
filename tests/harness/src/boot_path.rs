//! Elasticsearch 1.7 on Java 9 and newer: its `JvmInfo` asks for the boot class path, which Java has
//! only as an exception since. The class is written again with another question in its constant
//! pool, one whose answer nobody needs either.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use zip::ZipArchive;

use crate::error::{During, Error, Result};
use crate::version::Spec;

/// The folder in a distribution that holds the class; it comes first on the class path.
pub(crate) const FOLDER: &str = "snapfill-patch";

const CLASS: &str = "org/elasticsearch/monitor/jvm/JvmInfo.class";
const ASKED: &str = "getBootClassPath";
const ASKED_INSTEAD: &str = "getLibraryPath";

/// Puts the changed class into a distribution.
pub(crate) fn replace(spec: &Spec, home: &Path) -> Result<()> {
    let jar = home.join(format!("lib/elasticsearch-{}.jar", spec.number));
    let what = || format!("reading {CLASS} in {}", jar.display());
    let broken = |source| Error::Unpack { path: jar.clone(), source };
    let mut zip = ZipArchive::new(File::open(&jar).during(what)?).map_err(broken)?;
    let mut class = Vec::new();
    zip.by_name(CLASS).map_err(broken)?.read_to_end(&mut class).during(what)?;
    let changed = with_constant(&class, ASKED, ASKED_INSTEAD).ok_or_else(|| Error::NoConstant {
        path: jar.clone(),
        class: CLASS,
        constant: ASKED,
    })?;
    let path = home.join(FOLDER).join(CLASS);
    let what = || format!("writing {}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(home)).during(what)?;
    fs::write(&path, changed).during(what)
}

/// The class file with another text in the place of the constant `old`; `None` if it has none.
fn with_constant(class: &[u8], old: &str, new: &str) -> Option<Vec<u8>> {
    let (old, new) = (constant(old), constant(new));
    let at = class.windows(old.len()).position(|window| window == old)?;
    let (before, after) = (class.get(..at)?, class.get(at + old.len()..)?);
    Some([before, new.as_slice(), after].concat())
}

/// A `CONSTANT_Utf8`: its tag, its length in two bytes, its text.
fn constant(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let mut bytes = vec![1];
    bytes.extend(length.to_be_bytes());
    bytes.extend(text.bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::with_constant;

    #[test]
    fn a_constant_is_replaced_with_its_length() {
        let class = b"..\x01\x00\x03abc\x01\x00\x04abcd..";
        let changed = with_constant(class, "abc", "z").unwrap();
        assert_eq!(changed, b"..\x01\x00\x01z\x01\x00\x04abcd..");
        assert_eq!(with_constant(class, "bc", "z"), None);
    }
}
