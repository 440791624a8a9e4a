//! A file becomes a configuration.

use std::fmt;
use std::path::{Path, PathBuf};

use super::Config;
use super::complaint::Complaint;
use super::services;
use crate::{Error, ErrorKind, Result};

/// The languages in which a configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigFormat {
    /// TOML.
    Toml,
    /// YAML, and so JSON.
    Yaml,
    /// The `services.yaml` of OpenSearch's Migration Assistant.
    Services,
}

impl fmt::Display for ConfigFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Toml => "TOML",
            Self::Yaml => "YAML",
            Self::Services => "services.yaml of the Migration Assistant",
        })
    }
}

impl ConfigFormat {
    /// One word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Yaml => "yaml",
            Self::Services => "services",
        }
    }

    /// The language of a file, by the ending of its name. A `services.yaml` is told from other YAML by what it holds.
    ///
    /// # Errors
    /// `Config` for an ending that tells none.
    pub fn of(file: &Path) -> Result<Self> {
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("toml") => Ok(Self::Toml),
            Some("yaml" | "yml" | "json") => Ok(Self::Yaml),
            _ => Err(Error::new(
                ErrorKind::Config,
                format!(
                    "`{}` does not say in which language it is written: a configuration file ends with .toml, .yaml or .yml",
                    file.display()
                ),
            )),
        }
    }
}

/// A configuration and the file it is from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConfigFile {
    /// The file.
    pub path: PathBuf,
    /// The language in which it is written.
    pub format: ConfigFormat,
    /// What it says; relative paths in it begin at the file's folder.
    pub config: Config,
    /// What it says that is not for us, and what we do otherwise than it says.
    pub notes: Vec<String>,
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// `NotFound` or `Io` when it cannot be read; `Config`, with file, line and column, when it cannot be understood.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let ending = ConfigFormat::of(&path)?;
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let kind = Error::from(error);
            Error::new(kind.kind(), format!("cannot read the configuration file {name}: {kind}"))
        })?;
        let is_theirs = ending == ConfigFormat::Yaml && services::is_one(&text);
        let format = if is_theirs { ConfigFormat::Services } else { ending };
        let read = understand(&text, format);
        let (mut config, notes) = read.map_err(|complaint| complaint.in_file(&name))?;
        if let Some(folder) = path.parent() {
            config.root_at(folder);
        }
        Ok(Self { path, format, config, notes })
    }
}

impl Config {
    /// Understands a text; `name` is for messages.
    ///
    /// # Errors
    /// `Config`, with name, line and column, when it cannot be understood.
    pub fn parse(text: &str, format: ConfigFormat, name: &str) -> Result<Self> {
        let read = understand(text, format);
        read.map(|(config, _)| config).map_err(|complaint| complaint.in_file(name))
    }
}

fn understand(text: &str, format: ConfigFormat) -> Result<(Config, Vec<String>), Complaint> {
    let config = match format {
        ConfigFormat::Toml => {
            toml::from_str(text).map_err(|error| Complaint::of_toml(&error, text))?
        }
        ConfigFormat::Yaml => yaml(text)?,
        ConfigFormat::Services => return services::read(text),
    };
    Ok((config, Vec::new()))
}

fn yaml(text: &str) -> Result<Config, Complaint> {
    // A file without a value is an empty map to people.
    let read: Result<Option<Config>, _> =
        serde_saphyr::from_str_with_options(text, serde_saphyr::options! { with_snippet: false });
    read.map(Option::unwrap_or_default).map_err(|error| Complaint::of_yaml(&error))
}
