//! Whom to ask for a bucket.

use url::{Host, Url};

use super::{Bucket, S3Options};
use crate::{Error, ErrorKind, Result};

/// The address of the server, and how the bucket is named in requests.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// With the bucket in its host, unless `path_style`.
    pub(super) url: String,
    pub(super) path_style: bool,
    /// On this machine: no proxy is asked for it.
    pub(super) is_local: bool,
}

impl Endpoint {
    pub(super) fn of(bucket: &Bucket, options: &S3Options, region: &str) -> Result<Self> {
        let mut url = match &options.endpoint {
            Some(text) => given(text, options.allow_http)?,
            None => of_region(region)?,
        };
        let is_local = is_local(&url);
        let host = match url.host() {
            Some(Host::Domain(name)) => Some(name.to_owned()),
            _ => None,
        };
        let named = host.filter(|_| !options.path_style && !is_local && bucket.fits_a_host());
        if let Some(host) = &named {
            url.set_host(Some(&format!("{}.{host}", bucket.name)))
                .map_err(|_| no_endpoint("holds a host that no bucket's name can stand before"))?;
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url: text, path_style: named.is_none(), is_local })
    }
}

fn of_region(region: &str) -> Result<Url> {
    let ending = if region.starts_with("cn-") { ".cn" } else { "" };
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let url = Url::parse(&format!("https://s3.{region}.amazonaws.com{ending}")).ok();
    url.filter(|_| !region.is_empty() && region.chars().all(is_name)).ok_or_else(|| {
        Error::new(ErrorKind::Config, format!("`{}` is no AWS region", region.escape_debug()))
    })
}

/// What cannot be understood is not shown: it may hold a password.
fn given(text: &str, allow_http: bool) -> Result<Url> {
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| no_endpoint("is no address that begins with http:// or https://"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(no_endpoint("holds a user or a password; give keys apart from it"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(no_endpoint("holds more than a host and a path"));
    }
    if url.scheme() == "http" && !allow_http && !is_local(&url) {
        return Err(no_endpoint(
            "begins with http://: whoever listens could read the snapshot; use https://, or allow it (--repo-allow-http)",
        ));
    }
    Ok(url)
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn no_endpoint(why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the endpoint of S3 (--repo-endpoint) {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bucket: &str, endpoint: Option<&str>, path_style: bool) -> Result<(String, bool)> {
        let options =
            S3Options { endpoint: endpoint.map(str::to_owned), path_style, ..S3Options::default() };
        let found = Endpoint::of(&Bucket::parse(bucket)?, &options, "eu-west-1")?;
        Ok((found.url, found.path_style))
    }

    #[test]
    fn a_bucket_stands_in_the_host_where_it_can() {
        let aws = "https://s3.eu-west-1.amazonaws.com";
        for (bucket, endpoint, path_style, expected) in [
            ("books", None, false, ("https://books.s3.eu-west-1.amazonaws.com", false)),
            ("books", None, true, (aws, true)),
            ("my.books", None, false, (aws, true)),
            (
                "books",
                Some("https://minio.example.com:9000/"),
                false,
                ("https://books.minio.example.com:9000", false),
            ),
            ("books", Some("https://minio.example.com"), true, ("https://minio.example.com", true)),
            ("books", Some("http://127.0.0.1:9000"), false, ("http://127.0.0.1:9000", true)),
            ("books", Some("http://localhost:9000"), false, ("http://localhost:9000", true)),
        ] {
            let expected = (expected.0.to_owned(), expected.1);
            assert_eq!(of(bucket, endpoint, path_style).unwrap(), expected);
        }
    }

    #[test]
    fn china_has_an_ending_of_its_own_and_no_region_leads_elsewhere() {
        assert_eq!(
            of_region("cn-north-1").unwrap().as_str(),
            "https://s3.cn-north-1.amazonaws.com.cn/"
        );
        for region in ["", "x.evil.com/", "a b"] {
            assert_eq!(of_region(region).unwrap_err().kind(), ErrorKind::Config, "{region}");
        }
    }

    #[test]
    fn an_endpoint_that_is_none_or_open_to_listeners_is_refused() {
        for (endpoint, reason) in [
            ("minio:9000", "no address"),
            ("ftp://minio", "no address"),
            ("https://me:hunter2@minio.example.com", "a user or a password"),
            ("https://minio.example.com?a=b", "more than a host"),
            ("http://minio.example.com", "--repo-allow-http"),
        ] {
            let error = of("books", Some(endpoint), false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.message().contains(reason), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
