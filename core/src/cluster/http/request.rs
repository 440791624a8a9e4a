//! What is asked.

use bytes::Bytes;
use reqwest::Method;
use url::Url;

use crate::{Error, ErrorKind, Result};

/// A request to whichever endpoint.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    /// Parts of the path; each is escaped by itself.
    path: Vec<String>,
    query: &'static str,
    pub(super) body: Option<Body>,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) bytes: Bytes,
    pub(super) content_type: &'static str,
    pub(super) is_gzip: bool,
}

impl Request {
    /// Something that is fixed, such as `_cluster/health`.
    pub(super) fn new(method: Method, path: &str) -> Self {
        let path = path.split('/').map(str::to_owned).collect();
        Self { method, path, query: "", body: None }
    }

    /// Something of one index.
    pub(super) fn of_index(method: Method, index: &str, rest: &[&str]) -> Result<Self> {
        require_name(index)?;
        let path = std::iter::once(&index).chain(rest).map(|part| (*part).to_owned()).collect();
        Ok(Self { method, path, query: "", body: None })
    }

    /// Something of a kind, by its name: `_data_stream` and a stream's.
    pub(super) fn named(method: Method, kind: &str, name: &str) -> Result<Self> {
        require_name(name)?;
        let path = vec![kind.to_owned(), name.to_owned()];
        Ok(Self { method, path, query: "", body: None })
    }

    pub(super) fn query(mut self, query: &'static str) -> Self {
        self.query = query;
        self
    }

    pub(super) fn json(mut self, value: &serde_json::Value) -> Self {
        let bytes = value.to_string().into();
        self.body = Some(Body { bytes, content_type: "application/json", is_gzip: false });
        self
    }

    pub(super) fn body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }

    /// The URL at an endpoint.
    pub(super) fn url(&self, endpoint: &Url) -> Result<Url> {
        let mut url = endpoint.clone();
        {
            let mut segments = url.path_segments_mut().map_err(|()| {
                Error::new(ErrorKind::Config, "the target's address cannot have a path")
            })?;
            segments.pop_if_empty().extend(&self.path);
        }
        if !self.query.is_empty() {
            url.set_query(Some(self.query));
        }
        Ok(url)
    }

    /// Whether it asks who the other side is.
    pub(super) fn is_greeting(&self) -> bool {
        self.path.iter().all(String::is_empty)
    }

    /// For messages: `POST /books/_bulk`.
    pub(super) fn what(&self) -> String {
        format!("{} /{}", self.method, self.path.join("/"))
    }
}

/// Refuses what a server would take for several indices, or for something other than an index.
fn require_name(index: &str) -> Result<()> {
    const FORBIDDEN: &str = "\\/*?\"<>|,# ";
    let is_name = !index.is_empty()
        && !index.starts_with(['_', '-', '+'])
        && !matches!(index, "." | "..")
        && !index.chars().any(|letter| FORBIDDEN.contains(letter) || letter.is_control());
    if is_name {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Config, format!("`{}` is no name of an index", index.escape_debug())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_urls() {
        let endpoint = Url::parse("https://host/base/").unwrap();
        let request = Request::of_index(Method::GET, "büch%er", &["_count"]).unwrap().query("a=b");
        let url = request.url(&endpoint).unwrap();
        assert_eq!(url.as_str(), "https://host/base/b%C3%BCch%25er/_count?a=b");
        let bare = Request::new(Method::GET, "").url(&endpoint).unwrap();
        assert_eq!(bare.as_str(), "https://host/base/");
    }

    #[test]
    fn what_may_mean_several_indices_is_no_name() {
        for name in ["", "*", "a,b", "_all", "-a", "a/b", "..", "<a-{now}>", "a b", "a\nb", "a#b"] {
            let refused = Request::of_index(Method::GET, name, &[]).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Config, "{name}");
        }
        for name in ["a", ".ds-logs-2024.01.01-000001", "a-b_c", "ü", "a+b", "a.b"] {
            assert!(Request::of_index(Method::GET, name, &[]).is_ok(), "{name}");
        }
    }
}
