use super::files::File;
use super::{Finding, check, versions};

fn findings(path: &str, text: &str) -> Vec<Finding> {
    check(&File { path: path.to_owned(), bytes: text.as_bytes().to_vec() })
}

/// The findings' lines and what they found.
fn found(path: &str, text: &str) -> Vec<(usize, String)> {
    findings(path, text).into_iter().map(|finding| (finding.line, finding.what)).collect()
}

fn function(name: &str, lines: usize) -> String {
    format!("fn {name}() {{\n{}}}\n", "    step();\n".repeat(lines - 2))
}

#[test]
fn a_finding_reads_as_path_line_what_limit() {
    let shown = findings("core/src/a.rs", "fn f() {\n    dbg!(1);\n}\n")[0].to_string();
    assert_eq!(shown, "core/src/a.rs:2: `dbg!`, not allowed");
}

#[test]
fn a_function_may_have_80_lines() {
    assert_eq!(found("a.rs", &function("f", 80)), []);
    let long = format!("// one\n/// Doc.\n{}", function("f", 81));
    assert_eq!(found("a.rs", &long), [(3, "function `f` of 81 lines".to_owned())]);
}

#[test]
fn methods_and_default_methods_count_as_functions() {
    let method = function("f", 81);
    for outer in ["impl A", "trait A"] {
        let text = format!("{outer} {{\n{method}}}\n");
        assert_eq!(found("a.rs", &text), [(2, "function `f` of 81 lines".to_owned())], "{outer}");
    }
}

#[test]
fn a_function_may_have_6_parameters() {
    assert_eq!(found("a.rs", "fn f(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {}"), []);
    let what = "function `f` with 7 parameters".to_owned();
    let text = "trait T { fn f(&self, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8); }";
    assert_eq!(found("a.rs", text), [(1, what)]);
}

#[test]
fn a_file_may_have_500_lines_without_its_tests() {
    let code = "const _: () = ();\n".repeat(499);
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    // …\n".repeat(200));
    assert_eq!(found("a.rs", &format!("{code}{tests}")), []);
    let text = format!("{code}// 500\n// 501\n{tests}");
    assert_eq!(found("a.rs", &text), [(1, "501 lines without tests".to_owned())]);
}

#[test]
fn only_test_modules_are_left_out() {
    let code = "const _: () = ();\n".repeat(450);
    let body = "    // …\n".repeat(60);
    let module = |condition: &str| format!("{code}#[cfg({condition})]\nmod m {{\n{body}}}\n");
    assert_eq!(found("a.rs", &module("all(test, unix)")), []);
    assert_eq!(found("a.rs", &module("any(test, feature = \"testkit\")")).len(), 1);
    assert_eq!(found("a.rs", &module("not(test)")).len(), 1);
}

#[test]
fn no_file_has_more_than_800_lines() {
    let lines = |count: usize| "// …\n".repeat(count);
    for path in ["core/src/a/tests.rs", "tests/e2e/a.rs", "core/benches/a.rs"] {
        assert_eq!(found(path, &lines(800)), [], "{path}");
        assert_eq!(found(path, &lines(801)), [(1, "801 lines".to_owned())], "{path}");
    }
    assert_eq!(found("core/src/a.rs", &lines(801)), [(1, "801 lines".to_owned())]);
}

#[test]
fn what_does_not_parse_is_found() {
    assert!(found("a.rs", "fn f( {\n").iter().any(|(_, what)| what.starts_with("no Rust")));
}

#[test]
fn unfinished_code_is_found_inside_macros_as_well() {
    let text = "fn f() {\n    assert!(\n        todo!(),\n    );\n    unimplemented!()\n}\n";
    let expected = [(3, "`todo!`".to_owned()), (5, "`unimplemented!`".to_owned())];
    assert_eq!(found("a.rs", text), expected);
}

#[test]
fn comments_strings_and_comparisons_are_not_code() {
    let text = "// todo!()\nfn f(dbg: bool) -> bool { dbg != (\"todo!()\" == \"dbg!\") }\n";
    assert_eq!(found("a.rs", text), []);
}

#[test]
fn ignored_tests_are_found() {
    let ignored = "`#[ignore]`".to_owned();
    assert_eq!(found("a.rs", "#[test]\n#[ignore]\nfn f() {}\n"), [(2, ignored.clone())]);
    let text =
        "#[test]\n#[ignore = \"slow\"]\nfn f() {}\n#[cfg_attr(windows, ignore)]\nfn g() {}\n";
    assert_eq!(found("a.rs", text), [(2, ignored.clone()), (4, ignored)]);
    assert_eq!(found("a.rs", "#[allow(dead_code)]\nfn ignore() {}\n"), []);
}

#[test]
fn ignored_examples_are_found() {
    let text = "//! ```no_run\n//! f();\n//! ```\n/// ```rust,ignore\n/// ```\nfn f() {}\n";
    assert_eq!(found("a.rs", text), [(4, "example marked `ignore`".to_owned())]);
}

#[test]
fn only_the_clock_may_ask_for_the_time() {
    let text = "#[allow(clippy::disallowed_methods)]\nfn f() {}\n";
    let expected = [(1, "`clippy::disallowed_methods`".to_owned())];
    assert_eq!(found("core/src/clock.rs", text), []);
    assert_eq!(found("xtask/src/a.rs", text), []);
    assert_eq!(found("core/src/lease.rs", text), expected);
    assert_eq!(found("core/lucene/src/lib.rs", &text.replace("#[allow", "#[expect")), expected);
}

#[test]
fn a_note_needs_a_reason() {
    // Put together, so that this file holds none.
    let note = ["TO", "DO"].concat();
    for (rest, count) in [("", 1), (": ", 1), ("()", 1), (": why", 0), ("(why)", 0), ("S", 0)] {
        let text = format!("// {note}{rest}\n");
        assert_eq!(found("a.rs", &text).len(), count, "{text}");
        assert_eq!(found("a.toml", &text.replace("//", "#")).len(), count, "{text}");
    }
    assert_eq!(found("a.rs", &format!("const {note}: u8 = 1;\n")), []);
    assert_eq!(found("a.md", &format!("// {note}\n")), []);
}

#[test]
fn paths_of_one_machine_are_found_anywhere() {
    let path = ["/wo", "rk/x"].concat();
    assert_eq!(found("docs/a.md", &format!("first\nsee {path}\n"))[0].0, 2);
    assert_eq!(found("tests/fixtures/a.json", &path).len(), 1);
    assert_eq!(found("docs/a.md", "our framework/x"), []);
}

#[test]
fn names_say_what_is_inside() {
    for path in ["core/src/utils.rs", "node/src/helpers/a.ts", "python/misc.py"] {
        assert_eq!(findings(path, "").len(), 1, "{path}");
    }
    assert_eq!(findings("core/src/utility_bill.rs", ""), []);
}

#[test]
fn a_version_is_the_workspaces() {
    let other = "0.0.99";
    for (path, own, line) in [
        ("node/package.json", "{\n\"version\": \"VERSION\"\n}", 2),
        (
            "node/package-lock.json",
            "{\"version\": \"VERSION\",\n\"packages\": {\"\": {\"version\": \"VERSION\"}}}",
            1,
        ),
        ("kotlin/pom.xml", "<project>\n<version>VERSION</version>\n<version>1</version>", 2),
    ] {
        assert_eq!(found(path, &own.replace("VERSION", versions::VERSION)), [], "{path}");
        let differing = found(path, &own.replace("VERSION", other));
        assert_eq!(differing[0], (line, format!("version {other}")), "{path}");
        assert_eq!(
            found(path, "{}"),
            vec![(1, "no version".to_owned()); differing.len()],
            "{path}"
        );
    }
}

#[test]
fn a_package_takes_its_version_from_the_workspace() {
    let own = [(1, "a version of its own".to_owned())];
    assert_eq!(found("a/Cargo.toml", "[package]\nversion.workspace = true\n"), []);
    assert_eq!(found("a/Cargo.toml", "[package]\nversion = \"0.1.0\"\n"), own);
    assert_eq!(found("Cargo.toml", "[workspace.package]\nversion = \"0.1.0\"\n"), []);
    assert_eq!(found("python/pyproject.toml", "[project]\ndynamic = [\"version\"]\n"), []);
    assert_eq!(found("python/pyproject.toml", "[project]\nversion = \"0.1.0\"\n"), own);
}
