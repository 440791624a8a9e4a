//! Whose server it is, and which version.

use std::ops::RangeInclusive;

use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::refusal::success;
use super::request::Request;
use super::transport::{Answer, Transport};
use crate::cluster::{ClusterInfo, Distribution};
use crate::{Error, ErrorKind, Result};

const ELASTICSEARCH: RangeInclusive<u32> = 1..=9;
const OPENSEARCH: RangeInclusive<u32> = 1..=3;

#[derive(Deserialize)]
struct Greeting {
    #[serde(default)]
    name: String,
    #[serde(default)]
    cluster_name: String,
    #[serde(default)]
    cluster_uuid: String,
    #[serde(default)]
    tagline: String,
    version: Version,
}

#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    number: String,
    #[serde(default)]
    distribution: String,
    #[serde(default)]
    build_flavor: String,
    #[serde(default)]
    lucene_version: String,
}

/// Asks the cluster who it is.
pub(super) async fn identify(transport: &Transport) -> Result<ClusterInfo> {
    let request = Request::new(Method::GET, "");
    let answer = success(transport.send(&request).await?, &request)?;
    let (mut info, is_disguised) = greet(&answer)?;
    if is_disguised {
        info.version = undisguised(transport, &info.version).await?;
    }
    require_known(&info)?;
    Ok(info)
}

/// Reads the greeting. An OpenSearch that is told to pass for an Elasticsearch 7.10 leaves out its distribution, but not its
/// tagline.
fn greet(answer: &Answer) -> Result<(ClusterInfo, bool)> {
    let greeting: Greeting = serde_json::from_slice(&answer.body).map_err(|error| {
        Error::new(
            ErrorKind::Unsupported,
            format!("what answers at the target's address is neither OpenSearch nor Elasticsearch: {error}"),
        )
    })?;
    let Version { number, distribution, build_flavor, lucene_version } = greeting.version;
    let by_tagline = greeting.tagline.contains("OpenSearch");
    let is_opensearch = distribution == "opensearch" || by_tagline;
    let is_elasticsearch = distribution.is_empty()
        && (greeting.tagline == "You Know, for Search"
            || answer.headers.contains_key("x-elastic-product"));
    let distribution = match (is_opensearch, is_elasticsearch) {
        (true, _) => Distribution::OpenSearch,
        (false, true) => Distribution::Elasticsearch,
        _ => {
            let name =
                if distribution.is_empty() { "something unnamed" } else { distribution.as_str() };
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the target calls itself {name}; snapfill fills OpenSearch and Elasticsearch"
                ),
            ));
        }
    };
    let is_disguised = is_opensearch && number.starts_with("7.");
    // Until the nodes say more: OpenSearch 1 is Lucene 8, 2 is 9, 3 is 10.
    let lucene = lucene_version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    let version = match lucene {
        Some(lucene @ 8..=10) if is_disguised => format!("{}.0.0", lucene - 7),
        _ => number,
    };
    let name = if greeting.cluster_name.is_empty() { greeting.name } else { greeting.cluster_name };
    let serverless = build_flavor == "serverless";
    Ok((
        ClusterInfo { distribution, version, name, uuid: greeting.cluster_uuid, serverless },
        is_disguised,
    ))
}

/// The true version, which the nodes tell; the lowest of them, since a bulk may meet any.
async fn undisguised(transport: &Transport, guess: &str) -> Result<String> {
    let request = Request::new(Method::GET, "_nodes").query("filter_path=nodes.*.version");
    let answer = transport.send(&request).await?;
    let nodes: Value = match success(answer, &request) {
        Ok(answer) => serde_json::from_slice(&answer.body).unwrap_or_default(),
        Err(error) if error.is_retryable() => return Err(error),
        Err(_) => return Ok(guess.to_owned()),
    };
    let versions =
        nodes.get("nodes").and_then(Value::as_object).into_iter().flat_map(|nodes| nodes.values());
    let lowest = versions
        .filter_map(|node| node.get("version")?.as_str())
        .filter(|version| !version.starts_with("7."))
        .min_by_key(|version| parts(version));
    Ok(lowest.unwrap_or(guess).to_owned())
}

/// The first two numbers of a version.
pub(crate) fn numbers(version: &str) -> (u32, u32) {
    let mut parts = parts(version).into_iter();
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

fn parts(version: &str) -> Vec<u32> {
    version.split(['.', '-']).map(|part| part.parse().unwrap_or(0)).collect()
}

fn require_known(info: &ClusterInfo) -> Result<()> {
    let known = match info.distribution {
        Distribution::OpenSearch => OPENSEARCH,
        _ => ELASTICSEARCH,
    };
    if info.major().is_some_and(|major| known.contains(&major)) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        format!(
            "the target is {} {}; this build fills {0} {} to {}",
            info.distribution,
            info.version,
            known.start(),
            known.end()
        ),
    ))
}
