//! Calls to a service of AWS that takes JSON: a POST whose header names the operation.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::refusal::success;
use super::request::{Body, Request};
use super::transport::Transport;
use super::{Auth, HttpConfig, RequestSigner};
use crate::{Clock, Error, ErrorKind, Result};

/// Such a call is a question beside the load: it must not hold it up.
const LIMIT: Duration = Duration::from_secs(10);

/// A service that takes JSON.
#[derive(Debug)]
pub(in crate::cluster) struct JsonRpc {
    /// How it is called in messages.
    name: &'static str,
    transport: Transport,
}

impl JsonRpc {
    pub(in crate::cluster) fn new(
        name: &'static str,
        url: &str,
        signer: Arc<dyn RequestSigner>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let mut config = HttpConfig::new([url])?.with_auth(Auth::Signed(signer));
        (config.timeout, config.connect_timeout) = (LIMIT, LIMIT);
        Ok(Self { name, transport: Transport::new(&config, clock)? })
    }

    /// Calls an operation by its full name.
    pub(in crate::cluster) async fn call(
        &self,
        operation: &'static str,
        question: &Value,
    ) -> Result<Value> {
        let parts = bytes::Bytes::from(question.to_string()).into();
        let body = Body { parts, content_type: "application/x-amz-json-1.0", is_gzip: false };
        let request = Request::new(Method::POST, "").header("x-amz-target", operation).body(body);
        let answer = async {
            let answer = success(self.transport.send(&request).await?, &request)?;
            serde_json::from_slice(&answer.body).map_err(|error| {
                let message = format!("an answer cannot be understood: {error}");
                Error::new(ErrorKind::Unavailable, message)
            })
        };
        answer.await.map_err(|error| {
            error.with_context("service", self.name).with_context("operation", operation)
        })
    }
}
