//! What the API server refuses, in one line that says what helps.

use std::time::Duration;

use kube::core::Status;

use crate::error::causes;
use crate::{Error, ErrorKind};

/// A call, as RBAC sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Right {
    pub(super) verb: &'static str,
    pub(super) resource: &'static str,
}

/// What a call failed with that needs `right` on a deployment of a namespace.
pub(super) fn error(right: Right, deployment: &str, namespace: &str, error: &kube::Error) -> Error {
    let error = match error {
        kube::Error::Api(status) => refused(right, deployment, namespace, status),
        error => not_asked(error),
    };
    error.with_context("call", format!("{} {}", right.verb, right.resource))
}

fn refused(right: Right, deployment: &str, namespace: &str, status: &Status) -> Error {
    let Right { verb, resource } = right;
    let said = if status.message.is_empty() { &status.reason } else { &status.message };
    let (kind, message) = match status.code {
        401 => (
            ErrorKind::Auth,
            format!("Kubernetes does not know who asks: log in again, or check the token ({said})"),
        ),
        403 => (
            ErrorKind::Auth,
            format!(
                "Kubernetes does not allow it: give whoever asks a role with the verb `{verb}` on `{resource}` in namespace \
                 `{namespace}` ({said})"
            ),
        ),
        404 => (
            ErrorKind::NotFound,
            format!(
                "there is no deployment `{deployment}` in namespace `{namespace}`: check both names and the context ({said})"
            ),
        ),
        409 => (ErrorKind::Conflict, format!("somebody else changed the deployment ({said})")),
        429 => (
            ErrorKind::RateLimited,
            format!("Kubernetes asks us to call less often: try again in a minute ({said})"),
        ),
        code if code >= 500 => (
            ErrorKind::Unavailable,
            format!("Kubernetes has trouble of its own ({code}: {said}): try again later"),
        ),
        code => (ErrorKind::Config, format!("Kubernetes refuses it ({code}: {said})")),
    };
    let wait = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
    match wait {
        0 => Error::new(kind, message),
        wait => Error::new(kind, message).with_retry_after(Duration::from_secs(wait.into())),
    }
}

/// It never came to an answer, or to none that can be understood.
fn not_asked(error: &kube::Error) -> Error {
    let reason = causes(error).last().map(ToString::to_string).unwrap_or_default();
    if causes(error).any(|cause| cause.is::<kube::client::AuthError>()) {
        let message = format!("Kubernetes credentials cannot be had ({reason}): log in again");
        return Error::new(ErrorKind::Auth, message);
    }
    match error {
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => Error::new(
            ErrorKind::Unavailable,
            format!("Kubernetes' answer cannot be understood ({reason}): is this the API server?"),
        ),
        kube::Error::BuildRequest(_) | kube::Error::HttpError(_) => {
            Error::new(ErrorKind::Config, format!("Kubernetes cannot be asked: {reason}"))
        }
        _ => Error::new(
            ErrorKind::Unavailable,
            format!(
                "the Kubernetes API server cannot be reached ({reason}): check the network, the kubeconfig and its context"
            ),
        ),
    }
}
