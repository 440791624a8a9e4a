//! How long a file and a function may be, and how many parameters it may have.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ImplItemFn, ItemFn, ItemMod, Meta, Signature, TraitItemFn};

use super::Finding;
use super::files::File;

const FILE_LINES: usize = 500;
const FILE_LINES_WITH_TESTS: usize = 800;
const FUNCTION_LINES: usize = 80;
const PARAMETERS: usize = 6;

pub(super) fn check(file: &File) -> Vec<Finding> {
    let (true, Some(text)) = (file.is_rust(), file.text()) else { return Vec::new() };
    let syntax = match syn::parse_file(text) {
        Ok(syntax) => syntax,
        Err(error) => {
            let line = error.span().start().line;
            return vec![file.finding(line, format!("no Rust: {error}"), "must parse")];
        }
    };
    let mut sizes = Sizes { file, test_lines: 0, findings: Vec::new() };
    sizes.visit_file(&syntax);
    let (test_lines, mut findings) = (sizes.test_lines, sizes.findings);

    let lines = text.lines().count();
    if lines > FILE_LINES_WITH_TESTS {
        let limit = format!("limit {FILE_LINES_WITH_TESTS}");
        findings.push(file.finding(1, format!("{lines} lines"), limit));
    } else if !file.is_test() && lines.saturating_sub(test_lines) > FILE_LINES {
        let what = format!("{} lines without tests", lines - test_lines);
        findings.push(file.finding(1, what, format!("limit {FILE_LINES}")));
    }
    findings
}

struct Sizes<'f> {
    file: &'f File,
    /// Lines in `#[cfg(test)]` modules.
    test_lines: usize,
    findings: Vec<Finding>,
}

impl Sizes<'_> {
    fn function(&mut self, signature: &Signature, block: Option<&Block>) {
        let start = signature.span().start().line;
        let name = &signature.ident;
        let lines = block.map_or(0, |block| lines_between(signature.span(), block.span()));
        if lines > FUNCTION_LINES {
            let what = format!("function `{name}` of {lines} lines");
            self.findings.push(self.file.finding(start, what, format!("limit {FUNCTION_LINES}")));
        }
        let parameters = signature.inputs.len();
        if parameters > PARAMETERS {
            let what = format!("function `{name}` with {parameters} parameters");
            self.findings.push(self.file.finding(start, what, format!("limit {PARAMETERS}")));
        }
    }
}

impl<'ast> Visit<'ast> for Sizes<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(&item.sig, Some(&item.block));
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.function(&item.sig, Some(&item.block));
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.function(&item.sig, item.default.as_ref());
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let is_test = item.attrs.iter().any(is_cfg_test);
        let outer = self.test_lines;
        visit::visit_item_mod(self, item);
        if is_test && item.content.is_some() {
            // With all inside, so what was counted inside does not count twice.
            self.test_lines = outer + lines_between(item.span(), item.span());
        }
    }
}

fn lines_between(first: Span, last: Span) -> usize {
    last.end().line.saturating_sub(first.start().line) + 1
}

/// Whether an attribute is `#[cfg(test)]`, or `#[cfg(all(test, …))]`.
fn is_cfg_test(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    let condition = list.tokens.to_string().replace(' ', "");
    list.path.is_ident("cfg") && (condition == "test" || condition.starts_with("all(test,"))
}
