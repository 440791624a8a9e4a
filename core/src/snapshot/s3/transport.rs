//! Requests to a bucket, over the HTTP client of the targets: one TLS, one set of trusted authorities.
//!
//! What S3 refuses becomes an error of ours here, where the answer is still whole: `object_store` keeps no headers, and they
//! say which region a bucket is in.

use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt, Limited};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use object_store::{ClientOptions, HeaderMap};
use reqwest::{Client, StatusCode};

use super::Bucket;
use super::endpoint::Endpoint;
use super::refusal::{Asked, Refused};
use crate::cluster::http::{TlsConfig, reason, tls_error};
use crate::error::causes;
use crate::{Error, ErrorKind, Result};

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);

/// How long S3 may send nothing of an answer.
const SILENCE: Duration = Duration::from_secs(30);

/// Connections that nobody uses are closed before S3 would.
const IDLE: Duration = Duration::from_secs(15);

/// No refusal that we read is as large.
const LARGEST_REFUSAL: usize = 64 << 10;

/// Makes the client that `object_store` sends with.
#[derive(Debug)]
pub(super) struct Connector(Transport);

#[derive(Clone, Debug)]
struct Transport {
    client: Client,
    bucket: Bucket,
    region: String,
    endpoint: String,
}

impl Connector {
    pub(super) fn new(bucket: Bucket, region: String, endpoint: &Endpoint) -> Result<Self> {
        let mut builder = Client::builder()
            .tls_backend_preconfigured(TlsConfig::default().client()?)
            .user_agent(concat!("snapfill/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(IDLE);
        if endpoint.is_local {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            let message = format!("the HTTP client cannot be set up: {}", reason(&error));
            Error::new(ErrorKind::Config, message)
        })?;
        Ok(Self(Transport { client, bucket, region, endpoint: endpoint.url.clone() }))
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

#[async_trait]
impl HttpService for Transport {
    async fn call(&self, request: HttpRequest) -> std::result::Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let asked = Asked::of(&parts.method, parts.uri.query().unwrap_or_default());
        let sent = self.client.request(parts.method, parts.uri.to_string()).headers(parts.headers);
        let sent = match body.content_length() {
            0 => sent,
            _ => sent.body(reqwest::Body::wrap(body)),
        };
        let mut response = sent.send().await.map_err(|error| self.broken(&error))?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = reqwest::Body::from(response);
        if is_answer(status) {
            let transport = self.clone();
            let body = body.map_err(move |error| transport.broken(&error));
            return Ok(answer(status, headers, HttpResponseBody::new(body)));
        }
        // Without a text, the status tells.
        let text = Limited::new(body, LARGEST_REFUSAL).collect().await;
        let text = text.map(|text| text.to_bytes()).unwrap_or_default();
        let refused = Refused { asked, status, headers: &headers, text: &text };
        match refused.explain(&self.bucket, &self.region) {
            // `object_store` sends again what it takes for not sent.
            Some(error) if error.is_retryable() => {
                Err(HttpError::new(HttpErrorKind::Request, error))
            }
            Some(error) => Err(HttpError::new(HttpErrorKind::Unknown, error)),
            None => Ok(answer(status, headers, text.into())),
        }
    }
}

fn answer(status: StatusCode, headers: HeaderMap, body: HttpResponseBody) -> HttpResponse {
    let mut answer = HttpResponse::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}

/// What `object_store` knows what to make of.
fn is_answer(status: StatusCode) -> bool {
    status.is_success()
        || matches!(
            status,
            StatusCode::NOT_MODIFIED
                | StatusCode::CONFLICT
                | StatusCode::PRECONDITION_FAILED
                | StatusCode::RANGE_NOT_SATISFIABLE
        )
}

impl Transport {
    /// No answer, or half of one.
    fn broken(&self, error: &reqwest::Error) -> HttpError {
        let (kind, error) = match error {
            _ if let Some(trouble) = certificate_trouble(error) => {
                (HttpErrorKind::Unknown, trouble)
            }
            _ if error.is_connect() && error.is_timeout() => {
                (HttpErrorKind::Connect, unavailable("it does not take connections (timed out)"))
            }
            _ if error.is_connect() => (HttpErrorKind::Connect, unavailable(&reason(error))),
            _ if error.is_timeout() => {
                (HttpErrorKind::Timeout, unavailable("it did not answer in time"))
            }
            _ => (HttpErrorKind::Interrupted, unavailable(&reason(error))),
        };
        HttpError::new(kind, error.with_context("endpoint", &self.endpoint))
    }
}

fn unavailable(why: &str) -> Error {
    let message = format!(
        "S3 cannot be reached: {why}; check the network, the region and the endpoint (--repo-region, --repo-endpoint)"
    );
    Error::new(ErrorKind::Unavailable, message)
}

fn certificate_trouble(error: &reqwest::Error) -> Option<Error> {
    let message = match causes(error).find_map(tls_error)? {
        rustls::Error::InvalidCertificate(why) => format!(
            "the certificate of S3's endpoint is not trusted: {why}; name the file of the authority that issued it by SSL_CERT_FILE"
        ),
        rustls::Error::InvalidMessage(_) => {
            "S3's endpoint does not speak TLS there; begin its address with http:// or name its TLS port".to_owned()
        }
        _ => return None,
    };
    Some(Error::new(ErrorKind::Config, message))
}
