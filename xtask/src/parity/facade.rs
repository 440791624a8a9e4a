//! What the facade has, read from its source.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, Type, Visibility};

use crate::failure::{Failure, Result};

/// Names of fields, in order.
pub(super) type Names = Vec<String>;

/// What the facade has.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Api {
    /// Handles and their functions.
    pub(super) handles: BTreeMap<String, Names>,
    /// Plain data and its fields.
    pub(super) records: BTreeMap<String, Names>,
    /// Choices: their variants and their fields.
    pub(super) choices: BTreeMap<String, BTreeMap<String, Names>>,
    /// Kinds of error.
    pub(super) errors: Names,
}

/// Reads every source file of the facade that is no test.
pub(super) fn read(folder: &Path) -> Result<Api> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::Failed(format!("cannot read {}: {error}", folder.display()))
    };
    let mut api = Api::default();
    let entries = fs::read_dir(folder).map_err(|error| unreadable(&error))?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(|error| unreadable(&error))?;
    // What a handle has may stand in several files: in the same order on every machine.
    paths.sort();
    for path in paths {
        if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).map_err(|error| unreadable(&error))?;
            let file = syn::parse_file(&text).map_err(|error| unreadable(&error))?;
            file.items.iter().for_each(|item| api.take(item));
        }
    }
    Ok(api)
}

impl Api {
    fn take(&mut self, item: &Item) {
        match item {
            Item::Struct(item) if derives(&item.attrs, "Record") => {
                self.records.insert(item.ident.to_string(), fields(&item.fields));
            }
            Item::Enum(item) if derives(&item.attrs, "Error") => {
                self.errors = item.variants.iter().map(|one| one.ident.to_string()).collect();
            }
            Item::Enum(item) if derives(&item.attrs, "Enum") => {
                let variant = |one: &syn::Variant| (one.ident.to_string(), fields(&one.fields));
                let variants = item.variants.iter().map(variant).collect();
                self.choices.insert(item.ident.to_string(), variants);
            }
            Item::Impl(item) if exports(&item.attrs) => {
                self.handles.entry(name_of(item)).or_default().extend(functions(item));
            }
            _ => {}
        }
    }
}

fn name_of(item: &ItemImpl) -> String {
    match &*item.self_ty {
        Type::Path(path) => {
            path.path.segments.last().map_or_else(String::new, |last| last.ident.to_string())
        }
        _ => String::new(),
    }
}

fn functions(item: &ItemImpl) -> Names {
    let functions = item.items.iter().filter_map(|item| match item {
        ImplItem::Fn(function) if matches!(function.vis, Visibility::Public(_)) => {
            Some(function.sig.ident.to_string())
        }
        _ => None,
    });
    functions.collect()
}

fn fields(fields: &Fields) -> Names {
    fields.iter().filter_map(|field| Some(field.ident.as_ref()?.to_string())).collect()
}

/// Whether it is declared for Kotlin as this: then it is for every language.
fn derives(attributes: &[Attribute], what: &str) -> bool {
    attributes.iter().any(|attribute| {
        let text = words(attribute);
        text.contains("uniffi") && text.contains(&format!("uniffi::{what}"))
    })
}

fn exports(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| words(attribute).contains("uniffi::export"))
}

/// An attribute without its spaces.
fn words(attribute: &Attribute) -> String {
    match &attribute.meta {
        syn::Meta::List(list) => list.tokens.to_string().split_whitespace().collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_is_taken_and_nothing_else() {
        let source = r#"
            #[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
            pub struct Plan { pub a: u32, pub b: String }
            struct Inside { c: u32 }
            #[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
            pub enum Event { Told { x: u32 }, Over }
            #[cfg_attr(feature = "uniffi", derive(uniffi::Error), uniffi(flat_error))]
            pub enum Trouble { Io(u32) }
            #[cfg_attr(feature = "uniffi", uniffi::export)]
            impl Handle { pub fn ask(&self) {} fn hidden(&self) {} }
            impl Handle { pub fn of_rust(&self) {} }
        "#;
        let mut api = Api::default();
        syn::parse_file(source).unwrap().items.iter().for_each(|item| api.take(item));
        let text = serde_json::to_string(&api).unwrap();
        assert_eq!(
            text,
            r#"{"handles":{"Handle":["ask"]},"records":{"Plan":["a","b"]},"choices":{"Event":{"Over":[],"Told":["x"]}},"errors":["Io"]}"#
        );
    }
}
