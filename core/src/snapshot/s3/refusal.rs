//! What S3 refuses, and what to do.

use object_store::HeaderMap;
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::Bucket;
use crate::{Error, ErrorKind};

/// Where S3 says in which region a bucket is.
const REGION_HEADER: &str = "x-amz-bucket-region";

/// Of what S3 says in its own words, so much is shown.
const SHOWN: usize = 300;

/// What was asked, as policies name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    List,
    Read,
    Write,
}

impl Asked {
    pub(super) fn of(method: &Method, query: &str) -> Self {
        match *method {
            Method::GET if query.split('&').any(|pair| pair.starts_with("list-type=")) => {
                Self::List
            }
            Method::GET | Method::HEAD => Self::Read,
            _ => Self::Write,
        }
    }

    /// What a policy has to allow.
    fn permission(self, bucket: &Bucket) -> String {
        let arn = format!("arn:aws:s3:::{}", bucket.name);
        let separator = if bucket.prefix.as_ref().is_empty() { "" } else { "/" };
        let files = format!("{arn}{separator}{}/*", bucket.prefix);
        match self {
            Self::List => format!("s3:ListBucket on {arn}"),
            Self::Read => format!(
                "s3:GetObject on {files}, and s3:ListBucket on {arn}, without which a file that is not there is denied, too"
            ),
            Self::Write => format!("s3:PutObject on {files}"),
        }
    }
}

/// An answer that is no success.
pub(super) struct Refused<'a> {
    pub(super) asked: Asked,
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) text: &'a [u8],
}

/// What S3 writes below `<Error>`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Said {
    code: String,
    message: String,
    region: Option<String>,
}

impl Refused<'_> {
    /// The error; none where only a file is not there.
    pub(super) fn explain(&self, bucket: &Bucket, region: &str) -> Option<Error> {
        let said: Said = std::str::from_utf8(self.text)
            .ok()
            .and_then(|text| quick_xml::de::from_str(text).ok())
            .unwrap_or_default();
        let error = match said.code.as_str() {
            "NoSuchBucket" => Error::new(
                ErrorKind::NotFound,
                format!("there is no bucket `{}`; check its name, and the endpoint", bucket.name),
            ),
            _ if self.status == StatusCode::NOT_FOUND => return None,
            "ExpiredToken" | "TokenRefreshRequired" | "RequestExpired" => Error::new(
                ErrorKind::Auth,
                "the AWS credentials have expired: fetch new ones, or name a profile or a role whose keys are fetched anew",
            ),
            "InvalidAccessKeyId" | "InvalidToken" | "NotSignedUp" => Error::new(
                ErrorKind::Auth,
                "S3 does not know the access key: check which keys the environment or the profile gives",
            ),
            "SignatureDoesNotMatch" => Error::new(
                ErrorKind::Auth,
                "S3 refuses the signature: the secret key does not belong to the access key",
            ),
            "RequestTimeTooSkewed" => Error::new(
                ErrorKind::Auth,
                "S3 refuses the time of the request: set this machine's clock right",
            ),
            "InvalidObjectState" => Error::new(
                ErrorKind::Unsupported,
                "a file of the repository is archived (Glacier): restore it to a class that can be read at once",
            ),
            _ if self.is_elsewhere(&said) => self.elsewhere(&said, bucket, region),
            _ if self.status == StatusCode::FORBIDDEN
                || self.status == StatusCode::UNAUTHORIZED =>
            {
                self.denied(&said, bucket)
            }
            _ => self.unusual(&said),
        };
        Some(error)
    }

    fn is_elsewhere(&self, said: &Said) -> bool {
        let codes = ["PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed"];
        self.status.is_redirection()
            || codes.contains(&said.code.as_str())
            || said.code == "IllegalLocationConstraintException"
    }

    fn elsewhere(&self, said: &Said, bucket: &Bucket, region: &str) -> Error {
        let header = self.headers.get(REGION_HEADER).and_then(|value| value.to_str().ok());
        let name = &bucket.name;
        let message = match header.or(said.region.as_deref()).filter(|there| *there != region) {
            Some(there) => format!(
                "the bucket `{name}` is in region {0}, not in {region}; give --repo-region {0}",
                shown(there)
            ),
            None => format!(
                "the bucket `{name}` is not in region {region}, or the endpoint is another region's; give its own \
                 (--repo-region)"
            ),
        };
        Error::new(ErrorKind::Config, message)
    }

    fn denied(&self, said: &Said, bucket: &Bucket) -> Error {
        let why = if said.message.is_empty() {
            String::new()
        } else {
            format!(" ({}: {})", shown(&said.code), shown(&said.message))
        };
        let message = format!("S3 denies access{why}; allow {}", self.asked.permission(bucket));
        Error::new(ErrorKind::Auth, message)
    }

    fn unusual(&self, said: &Said) -> Error {
        let kind = match self.status.as_u16() {
            429 | 503 => ErrorKind::RateLimited,
            408 | 500..=599 => ErrorKind::Unavailable,
            _ => ErrorKind::Unexpected,
        };
        let why = match said.code.is_empty() {
            true => String::new(),
            false => format!(" ({}: {})", shown(&said.code), shown(&said.message)),
        };
        Error::new(kind, format!("S3 answers with status {}{why}", self.status.as_u16()))
    }
}

/// Somebody else's words, on one line and not too many.
fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect::<String>().escape_debug().to_string()
}

/// An error of ours that went through `object_store`.
pub(in crate::snapshot) fn ours(error: &object_store::Error) -> Option<Error> {
    crate::error::causes(error)
        .find_map(|cause| cause.downcast_ref::<Error>())
        .map(Error::duplicate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explain(asked: Asked, status: u16, text: &str) -> Option<Error> {
        let mut headers = HeaderMap::new();
        if status == 301 && text.is_empty() {
            headers.insert(REGION_HEADER, "eu-west-1".parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        let refused = Refused { asked, status, headers: &headers, text: text.as_bytes() };
        refused.explain(&Bucket::parse("books/a/b").unwrap(), "us-east-1")
    }

    fn said(code: &str, more: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>so</Message>{more}<RequestId>4</RequestId></Error>"
        )
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        use ErrorKind::{
            Auth, Config, NotFound, RateLimited, Unavailable, Unexpected, Unsupported,
        };
        let region = "<Region>eu-west-1</Region>";
        for (asked, status, text, kind, part) in [
            (Asked::List, 404, said("NoSuchBucket", ""), NotFound, "no bucket `books`"),
            (
                Asked::List,
                403,
                said("AccessDenied", ""),
                Auth,
                "s3:ListBucket on arn:aws:s3:::books",
            ),
            (Asked::Read, 403, String::new(), Auth, "s3:GetObject on arn:aws:s3:::books/a/b/*"),
            (Asked::Write, 403, said("AccessDenied", ""), Auth, "s3:PutObject on"),
            (Asked::Read, 400, said("ExpiredToken", ""), Auth, "have expired"),
            (
                Asked::Read,
                403,
                said("InvalidAccessKeyId", ""),
                Auth,
                "does not know the access key",
            ),
            (Asked::Read, 403, said("SignatureDoesNotMatch", ""), Auth, "the secret key"),
            (Asked::Read, 403, said("RequestTimeTooSkewed", ""), Auth, "clock"),
            (Asked::Read, 403, said("InvalidObjectState", ""), Unsupported, "Glacier"),
            (Asked::List, 301, String::new(), Config, "give --repo-region eu-west-1"),
            (
                Asked::List,
                400,
                said("AuthorizationHeaderMalformed", region),
                Config,
                "is in region eu-west-1, not in us-east-1",
            ),
            (Asked::List, 301, said("PermanentRedirect", ""), Config, "not in region us-east-1"),
            (Asked::Read, 503, said("SlowDown", ""), RateLimited, "503 (SlowDown: so)"),
            (Asked::Read, 500, String::new(), Unavailable, "status 500"),
            (Asked::Read, 400, said("Odd", ""), Unexpected, "400 (Odd: so)"),
        ] {
            let error = explain(asked, status, &text).unwrap();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().contains(part), "no `{part}` in {error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_no_refusal() {
        assert!(explain(Asked::Read, 404, &said("NoSuchKey", "")).is_none());
        assert!(explain(Asked::Read, 404, "").is_none());
    }

    #[test]
    fn what_is_asked_is_known_by_the_request() {
        assert_eq!(Asked::of(&Method::GET, "list-type=2&prefix=a"), Asked::List);
        assert_eq!(Asked::of(&Method::GET, ""), Asked::Read);
        assert_eq!(Asked::of(&Method::HEAD, ""), Asked::Read);
        assert_eq!(Asked::of(&Method::PUT, ""), Asked::Write);
    }

    #[test]
    fn foreign_words_stay_on_one_line() {
        let text = said("Odd", "").replace("so", &"a\nb".repeat(500));
        let message = explain(Asked::Read, 400, &text).unwrap().to_string();
        assert!(!message.contains('\n') && message.len() < 600, "{message}");
    }
}
