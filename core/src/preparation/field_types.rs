//! Which field types which version knows.

use super::target::{ALWAYS, NEVER, Support, TargetVersion, between, since, support};

/// A row a type. What a plugin adds stands here only where the usual distribution brings the plugin along.
static TYPES: &[(&str, Support)] = &[
    ("aggregate_metric_double", support(since(7, 11), NEVER)),
    ("alias", support(since(6, 4), ALWAYS)),
    ("binary", support(ALWAYS, ALWAYS)),
    ("boolean", support(ALWAYS, ALWAYS)),
    ("byte", support(ALWAYS, ALWAYS)),
    ("completion", support(ALWAYS, ALWAYS)),
    ("constant_keyword", support(since(7, 7), since(2, 14))),
    ("counted_keyword", support(since(8, 13), NEVER)),
    ("date", support(ALWAYS, ALWAYS)),
    ("date_nanos", support(since(7, 0), ALWAYS)),
    ("date_range", support(since(5, 2), ALWAYS)),
    ("dense_vector", support(since(7, 0), NEVER)),
    ("double", support(ALWAYS, ALWAYS)),
    ("double_range", support(since(5, 2), ALWAYS)),
    ("exponential_histogram", support(since(9, 3), NEVER)),
    ("flat_object", support(NEVER, since(2, 7))),
    ("flattened", support(since(7, 3), NEVER)),
    ("float", support(ALWAYS, ALWAYS)),
    ("float_range", support(since(5, 2), ALWAYS)),
    ("geo_point", support(ALWAYS, ALWAYS)),
    ("geo_shape", support(ALWAYS, ALWAYS)),
    ("half_float", support(since(5, 0), ALWAYS)),
    ("histogram", support(since(7, 6), NEVER)),
    ("integer", support(ALWAYS, ALWAYS)),
    ("integer_range", support(since(5, 2), ALWAYS)),
    ("ip", support(ALWAYS, ALWAYS)),
    ("ip_range", support(since(6, 0), ALWAYS)),
    ("join", support(since(6, 0), ALWAYS)),
    ("keyword", support(since(5, 0), ALWAYS)),
    ("knn_vector", support(NEVER, ALWAYS)),
    ("long", support(ALWAYS, ALWAYS)),
    ("long_range", support(since(5, 2), ALWAYS)),
    ("match_only_text", support(since(7, 14), since(2, 12))),
    ("nested", support(ALWAYS, ALWAYS)),
    ("object", support(ALWAYS, ALWAYS)),
    ("passthrough", support(since(8, 14), NEVER)),
    ("pattern_text", support(since(9, 2), NEVER)),
    ("percolator", support(since(5, 0), ALWAYS)),
    ("point", support(since(7, 8), NEVER)),
    ("rank_feature", support(since(7, 0), ALWAYS)),
    ("rank_features", support(since(7, 0), ALWAYS)),
    ("rank_vectors", support(since(8, 18), NEVER)),
    ("scaled_float", support(since(5, 0), ALWAYS)),
    ("search_as_you_type", support(since(7, 2), ALWAYS)),
    ("semantic_text", support(since(8, 15), NEVER)),
    ("shape", support(since(7, 4), NEVER)),
    ("short", support(ALWAYS, ALWAYS)),
    ("sparse_vector", support(since(8, 11), NEVER)),
    ("string", support(between((0, 0), (5, 0)), NEVER)),
    ("text", support(since(5, 0), ALWAYS)),
    ("token_count", support(ALWAYS, ALWAYS)),
    ("unsigned_long", support(since(7, 10), since(2, 8))),
    ("version", support(since(7, 10), since(3, 2))),
    ("wildcard", support(since(7, 9), since(2, 15))),
    ("xy_point", support(NEVER, since(2, 4))),
    ("xy_shape", support(NEVER, since(2, 4))),
];

/// Whether a target has a field type.
pub(super) fn has_type(target: TargetVersion, name: &str) -> bool {
    TYPES
        .binary_search_by_key(&name, |(known, _)| known)
        .ok()
        .and_then(|row| TYPES.get(row))
        .is_some_and(|(_, support)| support.includes(target))
}

#[cfg(test)]
mod tests {
    use super::super::target::tests::{elasticsearch, opensearch};
    use super::*;

    #[test]
    fn the_table_is_sorted_and_names_nothing_twice() {
        assert!(TYPES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_type_is_known_from_its_version_on() {
        let known = [
            (opensearch("2.6.0"), "flat_object", false),
            (opensearch("2.7.0"), "flat_object", true),
            (opensearch("3.8.0"), "dense_vector", false),
            (elasticsearch("4.9.0"), "string", true),
            (elasticsearch("6.8.23"), "string", false),
            (elasticsearch("6.8.23"), "wildcard", false),
            (elasticsearch("9.5.3"), "wildcard", true),
            (opensearch("2.19.6"), "murmur3", false),
        ];
        for (target, name, expected) in known {
            assert_eq!(has_type(target, name), expected, "{name} in {target}");
        }
    }
}
