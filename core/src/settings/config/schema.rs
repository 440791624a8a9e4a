//! The JSON schema of a configuration file, for editors.

use schemars::generate::SchemaSettings;

use super::Config;

/// The JSON schema (draft 2020-12) of our own configuration files.
pub fn schema() -> serde_json::Value {
    let settings = SchemaSettings::draft2020_12().for_deserialize();
    settings.into_generator().into_root_schema_for::<Config>().to_value()
}
