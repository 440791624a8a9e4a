//! One request to one endpoint after another, until one answers.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, StatusCode};
use url::Url;

use super::endpoints::Endpoints;
use super::parts::Parts;
use super::request::Request;
use super::retry_after::retry_after;
use super::{Auth, HttpConfig, Unsigned};
use crate::error::causes;
use crate::{Clock, Error, ErrorKind, Result};

/// No answer that we ask for is as large.
const LARGEST_ANSWER: usize = 64 << 20;

/// Connections that nobody uses are closed before most proxies would, so that a bulk is not sent into a closed one.
const IDLE: Duration = Duration::from_secs(30);

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(super) retry_after: Option<Duration>,
}

/// Sends requests.
#[derive(Debug)]
pub(super) struct Transport {
    client: Client,
    auth: Auth,
    endpoints: Endpoints,
    clock: Arc<dyn Clock>,
}

impl Transport {
    pub(super) fn new(config: &HttpConfig, clock: Arc<dyn Clock>) -> Result<Self> {
        let mut headers = config.auth.fixed_header()?;
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut builder = Client::builder()
            .tls_backend_preconfigured(config.tls.client()?)
            .user_agent(config.user_agent())
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(config.connect_timeout)
            .timeout(config.timeout)
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(IDLE);
        if config.is_local() {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            Error::new(
                ErrorKind::Config,
                format!("the HTTP client cannot be set up: {}", reason(&error)),
            )
        })?;
        let endpoints = Endpoints::new(config.endpoints().to_vec(), Arc::clone(&clock));
        Ok(Self { client, auth: config.auth.clone(), endpoints, clock })
    }

    /// Sends `request`. An endpoint that cannot be connected to is passed over for the next, since it has seen nothing of the
    /// request; any other trouble is the caller's to judge.
    pub(super) async fn send(&self, request: &Request) -> Result<Answer> {
        let mut trouble = None;
        for (place, endpoint) in self.endpoints.in_order() {
            match self.ask(endpoint, request).await {
                Ok(answer) => {
                    match answer.status.as_u16() {
                        502..=504 => self.endpoints.failed(place),
                        _ => self.endpoints.answered(place),
                    }
                    return Ok(answer);
                }
                Err(Trouble::NotConnected(error)) => {
                    self.endpoints.failed(place);
                    trouble = Some(error);
                }
                Err(Trouble::Broken(error)) => {
                    self.endpoints.failed(place);
                    return Err(error);
                }
                Err(Trouble::Own(error)) => return Err(error),
            }
        }
        Err(trouble.unwrap_or_else(|| Error::new(ErrorKind::Config, "the target has no address")))
    }

    async fn ask(&self, endpoint: &Url, request: &Request) -> std::result::Result<Answer, Trouble> {
        let url = request.url(endpoint).map_err(Trouble::Own)?;
        let prepared = self.prepare(url, request).await.map_err(Trouble::Own)?;
        let mut response =
            prepared.send().await.map_err(|error| judge(&error, endpoint, request))?;
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| judge(&error, endpoint, request))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                let message = format!("the target's answer is longer than {LARGEST_ANSWER} bytes");
                return Err(Trouble::Own(at(
                    Error::new(ErrorKind::Unexpected, message),
                    endpoint,
                    request,
                )));
            }
        }
        let retry_after = retry_after(&headers, self.clock.wall());
        Ok(Answer { status: response.status(), headers, body: body.freeze(), retry_after })
    }

    async fn prepare(&self, url: Url, request: &Request) -> Result<reqwest::RequestBuilder> {
        let fixed = request.headers.iter();
        let mut own: Vec<(String, String)> =
            fixed.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if let Some(body) = &request.body {
            own.push((CONTENT_TYPE.as_str().to_owned(), body.content_type.to_owned()));
            if body.is_gzip {
                own.push((CONTENT_ENCODING.as_str().to_owned(), "gzip".to_owned()));
            }
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &own {
            headers.insert(name_of(name)?, value_of(value)?);
        }
        let mut parts = request.body.as_ref().map(|body| body.parts.clone());
        if let Auth::Signed(signer) = &self.auth {
            let body = parts.as_ref().map(Parts::whole);
            parts = body.clone().map(Into::into);
            let unsigned = Unsigned {
                method: request.method.as_str(),
                url: &url,
                headers: &own,
                body: body.as_deref().unwrap_or_default(),
            };
            for (name, value) in signer.sign(unsigned).await? {
                let mut value = value_of(value.expose())?;
                value.set_sensitive(true);
                headers.insert(name_of(&name)?, value);
            }
        }
        let builder = self.client.request(request.method.clone(), url).headers(headers);
        Ok(match parts {
            Some(parts) => builder.body(parts.into_body()),
            None => builder,
        })
    }
}

fn name_of(name: &str) -> Result<HeaderName> {
    HeaderName::try_from(name)
        .map_err(|_| Error::new(ErrorKind::Config, format!("`{name}` is no name of a header")))
}

/// The value stays out of the error: it may be secret.
fn value_of(value: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(value)
        .map_err(|_| Error::new(ErrorKind::Config, "a header's value holds forbidden characters"))
}

/// Why there is no answer.
enum Trouble {
    /// No connection: nothing was sent.
    NotConnected(Error),
    /// The connection broke, or took too long: the request may have been carried out.
    Broken(Error),
    /// It lies with us.
    Own(Error),
}

fn judge(error: &reqwest::Error, endpoint: &Url, request: &Request) -> Trouble {
    if let Some(certificate) = certificate_trouble(error) {
        // No other endpoint is asked: the credentials are for those we believe.
        return Trouble::Own(at(certificate, endpoint, request));
    }
    let what = match error {
        _ if error.is_connect() && error.is_timeout() => {
            "the target does not take connections (timed out)".to_owned()
        }
        _ if error.is_connect() => format!("cannot connect to the target: {}", reason(error)),
        _ if error.is_timeout() => "the target did not answer in time".to_owned(),
        // The first request of all: nobody who was reached before is told this.
        _ if endpoint.scheme() == "http" && request.is_greeting() => format!(
            "the connection to the target broke: {}; if it speaks TLS, begin its address with https://",
            reason(error)
        ),
        _ => format!("the connection to the target broke: {}", reason(error)),
    };
    let unavailable = at(Error::new(ErrorKind::Unavailable, what), endpoint, request);
    if error.is_connect() {
        Trouble::NotConnected(unavailable)
    } else {
        Trouble::Broken(unavailable)
    }
}

/// Adds where. An endpoint is an address without credentials.
fn at(error: Error, endpoint: &Url, request: &Request) -> Error {
    error
        .with_context("endpoint", endpoint.as_str().trim_end_matches('/'))
        .with_context("request", request.what())
}

/// One line for a certificate that we do not believe, or ours that is not believed: trying again does not help.
fn certificate_trouble(error: &reqwest::Error) -> Option<Error> {
    let tls = causes(error).find_map(tls_error)?;
    let (kind, message) = match tls {
        rustls::Error::InvalidCertificate(why) => (
            ErrorKind::Config,
            format!(
                "the target's certificate is not trusted: {why}; name the file of the authority that issued it as the \
                 target's CA, or reach the target by a name that the certificate holds"
            ),
        ),
        rustls::Error::AlertReceived(alert) => (
            ErrorKind::Auth,
            format!("the target refuses our side of TLS ({alert:?}); it may ask for a client certificate"),
        ),
        rustls::Error::InvalidMessage(_) => (
            ErrorKind::Config,
            "the target does not speak TLS there; begin its address with http:// or name its TLS port".to_owned(),
        ),
        _ => return None,
    };
    Some(Error::new(kind, message))
}

pub(crate) fn tls_error<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
        return Some(tls);
    }
    // An I/O error hides what it wraps from `source`, and may wrap another one.
    tls_error(cause.downcast_ref::<std::io::Error>()?.get_ref()?)
}

/// The innermost cause, which says most; the outer ones repeat the URL.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
