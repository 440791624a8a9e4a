//! Parameters of a field that not every version knows.

use super::target::{ALWAYS, NEVER, Support, TargetVersion, between, since, support};

/// A parameter, the field types it is meant on (none: all), who knows it.
struct Parameter {
    name: &'static str,
    on: &'static [&'static str],
    support: Support,
}

const fn parameter(name: &'static str, support: Support) -> Parameter {
    Parameter { name, on: &[], support }
}

const fn on(
    types: &'static [&'static str],
    name: &'static str,
    elasticsearch: super::target::Span,
) -> Parameter {
    Parameter { name, on: types, support: support(elasticsearch, NEVER) }
}

const fn until(major: u16) -> Support {
    support(between((0, 0), (major, 0)), NEVER)
}

const fn only_elasticsearch(major: u16, minor: u16) -> Support {
    support(since(major, minor), NEVER)
}

const GEO_POINT: &[&str] = &["geo_point"];
const GEO_SHAPE: &[&str] = &["geo_shape"];

/// None of them changes a document, or where it is routed: they change how it is searched, sorted or stored.
static PARAMETERS: &[Parameter] = &[
    parameter("compress", until(2)),
    parameter("compress_threshold", until(2)),
    parameter("doc_values_format", until(2)),
    parameter("include_in_all", until(7)),
    parameter("index_name", until(2)),
    parameter("numeric_resolution", until(2)),
    parameter("omit_term_freq_and_positions", until(2)),
    parameter("postings_format", until(2)),
    parameter("precision_step", until(5)),
    parameter("on_script_error", only_elasticsearch(7, 14)),
    parameter("script", only_elasticsearch(7, 14)),
    parameter("synthetic_source_keep", only_elasticsearch(8, 16)),
    parameter("time_series_dimension", only_elasticsearch(8, 0)),
    parameter("time_series_metric", only_elasticsearch(8, 0)),
    parameter("subobjects", only_elasticsearch(8, 3)),
    parameter("boost", support(between((0, 0), (8, 0)), ALWAYS)),
    parameter("meta", support(since(7, 6), ALWAYS)),
    parameter("index_prefixes", support(since(6, 3), ALWAYS)),
    parameter("index_phrases", support(since(6, 4), ALWAYS)),
    parameter("skip_list", support(NEVER, since(3, 3))),
    on(GEO_POINT, "lat_lon", between((0, 0), (5, 0))),
    on(GEO_POINT, "geohash", between((0, 0), (5, 0))),
    on(GEO_POINT, "geohash_prefix", between((0, 0), (5, 0))),
    on(GEO_POINT, "geohash_precision", between((0, 0), (5, 0))),
    on(GEO_POINT, "coerce", between((0, 0), (5, 0))),
    on(GEO_POINT, "normalize", between((0, 0), (2, 0))),
    on(GEO_POINT, "normalize_lat", between((0, 0), (2, 0))),
    on(GEO_POINT, "normalize_lon", between((0, 0), (2, 0))),
    on(GEO_POINT, "validate", between((0, 0), (2, 0))),
    on(GEO_POINT, "validate_lat", between((0, 0), (2, 0))),
    on(GEO_POINT, "validate_lon", between((0, 0), (2, 0))),
    on(GEO_SHAPE, "tree", between((0, 0), (7, 0))),
    on(GEO_SHAPE, "precision", between((0, 0), (7, 0))),
    on(GEO_SHAPE, "tree_levels", between((0, 0), (7, 0))),
    on(GEO_SHAPE, "strategy", between((0, 0), (7, 0))),
    on(GEO_SHAPE, "distance_error_pct", between((0, 0), (7, 0))),
    on(GEO_SHAPE, "points_only", between((0, 0), (7, 0))),
    on(&["completion"], "payloads", between((0, 0), (5, 0))),
    on(&["completion"], "context", between((0, 0), (5, 0))),
    on(&["completion"], "max_input_len", between((0, 0), (2, 0))),
    on(&["boolean"], "ignore_malformed", since(8, 8)),
];

/// Whether a target takes a parameter on fields of a type. What is not in the table is left to the target.
pub(super) fn takes(target: TargetVersion, field_type: &str, name: &str) -> bool {
    PARAMETERS
        .iter()
        .filter(|row| row.name == name && (row.on.is_empty() || row.on.contains(&field_type)))
        .all(|row| row.support.includes(target))
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::{elasticsearch, opensearch};
    use super::*;

    #[test]
    fn a_parameter_may_depend_on_version_and_type() {
        assert!(!takes(opensearch("2.19.6"), "keyword", "include_in_all"));
        assert!(takes(elasticsearch("6.8.0"), "keyword", "include_in_all"));
        assert!(takes(opensearch("2.19.6"), "long", "coerce"));
        assert!(!takes(opensearch("2.19.6"), "geo_point", "coerce"));
        assert!(takes(opensearch("1.3.0"), "text", "boost"));
        assert!(!takes(elasticsearch("8.0.0"), "text", "boost"));
        assert!(takes(elasticsearch("9.0.0"), "whatever", "something_new"));
    }
}
