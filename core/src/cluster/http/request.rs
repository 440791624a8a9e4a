//! What is asked.

use std::borrow::Cow;

use reqwest::Method;
use url::Url;

use super::parts::Parts;
use crate::{Error, ErrorKind, Result};

/// A request to whichever endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(super) method: Method,
    /// Parts of the path; each is escaped by itself.
    path: Vec<String>,
    query: Cow<'static, str>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    pub(super) body: Option<Body>,
}

/// The body of a request.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) parts: Parts,
    pub(crate) content_type: &'static str,
    pub(crate) is_gzip: bool,
}

impl Request {
    /// Something that is fixed, such as `_cluster/health`.
    pub(crate) fn new(method: Method, path: &str) -> Self {
        let path = path.split('/').map(str::to_owned).collect();
        Self { method, path, query: Cow::Borrowed(""), headers: Vec::new(), body: None }
    }

    /// Something of one index.
    pub(crate) fn of_index(method: Method, index: &str, rest: &[&str]) -> Result<Self> {
        require_name(index)?;
        let path = std::iter::once(&index).chain(rest).map(|part| (*part).to_owned()).collect();
        Ok(Self { method, path, query: Cow::Borrowed(""), headers: Vec::new(), body: None })
    }

    /// The name of an index comes last in the path.
    pub(crate) fn push(&mut self, index: &str) -> Result<()> {
        require_name(index)?;
        self.path.push(index.to_owned());
        Ok(())
    }

    pub(crate) fn query(mut self, query: impl Into<Cow<'static, str>>) -> Self {
        self.query = query.into();
        self
    }

    #[cfg(feature = "aws")]
    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn json(mut self, value: &serde_json::Value) -> Self {
        let parts = bytes::Bytes::from(value.to_string()).into();
        self.body = Some(Body { parts, content_type: "application/json", is_gzip: false });
        self
    }

    pub(crate) fn body(mut self, body: Body) -> Self {
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
            url.set_query(Some(&self.query));
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
