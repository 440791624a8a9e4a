//! `snapfill-bindgen LIBRARY CONFIG KOTLIN SWIFT`: writes what Kotlin and Swift are told of a library into two folders.

use std::fs;
use std::process::ExitCode;

use camino::{Utf8Path, Utf8PathBuf};
use uniffi_bindgen::bindings::{GenerateOptions, TargetLanguage, generate};

/// The declarations for Kotlin, below their folder.
const KOTLIN: &str = "io/snapfill/snapfill.kt";

/// What uniffi 0.32 overlooks when it gives types the names that the configuration says: what constructors give and throw.
const OVERLOOKED: &[(&str, &str)] = &[
    ("SnapfillException", "NativeException"),
    ("FfiConverterTypeBackfill.", "FfiConverterTypeNativeBackfill."),
    ("): Backfill {", "): NativeBackfill {"),
];

fn main() -> ExitCode {
    let words: Vec<Utf8PathBuf> = std::env::args().skip(1).map(Utf8PathBuf::from).collect();
    let [library, config, kotlin, swift] = words.as_slice() else {
        return failed("give the library, the configuration, and the folders for Kotlin and Swift");
    };
    let written = write(TargetLanguage::Kotlin, library, config, kotlin)
        .and_then(|()| write(TargetLanguage::Swift, library, config, swift))
        .and_then(|()| rename(&kotlin.join(KOTLIN)));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn write(
    language: TargetLanguage,
    library: &Utf8Path,
    config: &Utf8Path,
    folder: &Utf8Path,
) -> Result<(), String> {
    let options = GenerateOptions {
        languages: vec![language],
        source: library.to_owned(),
        out_dir: folder.to_owned(),
        config_override: Some(config.to_owned()),
        format: false,
        crate_filter: None,
        metadata_no_deps: true,
    };
    generate(options).map_err(|error| format!("{error:#}"))
}

fn rename(file: &Utf8Path) -> Result<(), String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let renamed = OVERLOOKED.iter().fold(text, |text, (from, to)| text.replace(from, to));
    fs::write(file, renamed).map_err(|error| format!("{file}: {error}"))
}

// A program for the project's own commands: what it prints is for them to pass on.
#[allow(clippy::print_stderr)]
fn failed(why: &str) -> ExitCode {
    eprintln!("snapfill-bindgen: {why}");
    ExitCode::FAILURE
}
