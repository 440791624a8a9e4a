//! A server of S3 for the tests: real requests over a real port, whose signatures are checked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::Request;
use hyper::body::{Frame, Incoming};
use hyper::header::{AUTHORIZATION, HeaderValue, RANGE};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpResponse, S3Result, s3_error};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::runtime;
use tokio::sync::oneshot;

use crate::error::{During, Error, Result};

/// Buckets whose name begins so are open to everybody.
const OPEN: &str = "open";

/// A server of S3 on 127.0.0.1. Its buckets are folders. It ends when it is dropped.
///
/// It knows one access key, holds its clients to one region as S3 does, and keeps what it was asked.
///
/// ```no_run
/// use snapfill_harness::S3Server;
///
/// let server = S3Server::start()?;
/// server.upload("books", "backups/a", "tests/fixtures/opensearch-2.19.6/repo".as_ref())?;
/// let mut program = std::process::Command::new("snapfill");
/// program.args(["snapshot", "list", "s3://books/backups/a"]).envs(server.environment());
/// # Ok::<(), snapfill_harness::Error>(())
/// ```
#[derive(Debug)]
pub struct S3Server {
    url: String,
    root: TempDir,
    shared: Arc<Shared>,
    /// Dropped with the server, which ends its thread.
    _until: oneshot::Sender<()>,
}

/// A request as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Call {
    /// `GET`, …
    pub method: String,
    /// The bucket and the key.
    pub path: String,
    /// What follows the question mark.
    pub query: String,
    /// The header `range`.
    pub range: Option<String>,
}

impl S3Call {
    /// Whether files were to be listed.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.query.contains("list-type=2")
    }
}

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum S3Fault {
    /// It is refused with this status and code.
    Refusal(u16, &'static str),
    /// The answer breaks off in its middle.
    Cut,
}

#[derive(Debug, Default)]
struct Shared {
    calls: Mutex<Vec<S3Call>>,
    faults: Mutex<VecDeque<S3Fault>>,
}

impl S3Server {
    /// The one access key.
    pub const KEY_ID: &str = "AKIDSNAPFILL";
    /// Its secret.
    pub const SECRET: &str = "hunter-of-buckets";
    /// The one region.
    pub const REGION: &str = "eu-central-2";

    /// Begins to listen, on a free port.
    pub fn start() -> Result<Self> {
        let what = || "starting a server of S3".to_owned();
        let root = tempfile::tempdir().during(what)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during(what)?;
        listener.set_nonblocking(true).during(what)?;
        let url = format!("http://{}", listener.local_addr().during(what)?);
        let service = service(root.path())?;
        let shared = Arc::<Shared>::default();
        let (until, over) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build().during(what)?;
        let seen = Arc::clone(&shared);
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, service, seen) => {}
                    _ = over => {}
                }
            });
        });
        Ok(Self { url, root, shared, _until: until })
    }

    /// Its address: the endpoint for clients, which must name buckets in the path.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a process needs in its environment to reach it, and nothing else of AWS.
    #[must_use]
    pub fn environment(&self) -> [(&'static str, String); 7] {
        [
            ("AWS_ENDPOINT_URL_S3", self.url.clone()),
            ("AWS_ACCESS_KEY_ID", Self::KEY_ID.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", Self::SECRET.to_owned()),
            ("AWS_REGION", Self::REGION.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_CONFIG_FILE", "/dev/null".to_owned()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".to_owned()),
        ]
    }

    /// The folder of a bucket, which is made if it is not there. Those called `open…` are open to everybody.
    pub fn bucket(&self, name: &str) -> Result<PathBuf> {
        let folder = self.root.path().join(name);
        std::fs::create_dir_all(&folder).during(|| format!("making bucket {name}"))?;
        Ok(folder)
    }

    /// Copies a folder into a folder of a bucket.
    pub fn upload(&self, bucket: &str, prefix: &str, from: &Path) -> Result<()> {
        let to = self.bucket(bucket)?.join(prefix);
        copy(from, &to).during(|| format!("copying {} to {bucket}/{prefix}", from.display()))
    }

    /// The requests since the last time this was called.
    #[must_use]
    pub fn calls(&self) -> Vec<S3Call> {
        std::mem::take(&mut *lock(&self.shared.calls))
    }

    /// The next requests go wrong so, one after another.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = S3Fault>) {
        lock(&self.shared.faults).extend(faults);
    }

    /// How many of those faults are still to come.
    #[must_use]
    pub fn faults_left(&self) -> usize {
        lock(&self.shared.faults).len()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => std::fs::copy(entry.path(), &target).map(|_| ())?,
        }
    }
    Ok(())
}

fn service(root: &Path) -> Result<S3Service> {
    let files = FileSystem::new(root).map_err(|error| Error::Io {
        what: "opening the folder of the buckets".to_owned(),
        source: std::io::Error::other(format!("{error:?}")),
    })?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(S3Server::KEY_ID, S3Server::SECRET));
    builder.set_access(Access);
    Ok(builder.build())
}

/// Lets in who is known, and everybody where a bucket is open.
struct Access;

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let is_open =
            context.s3_path().get_bucket_name().is_some_and(|name| name.starts_with(OPEN));
        match context.credentials().is_some() || is_open {
            true => Ok(()),
            false => Err(s3_error!(AccessDenied)),
        }
    }
}

async fn serve(listener: TcpListener, service: S3Service, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    while let Ok((connection, _)) = listener.accept().await {
        let _ = connection.set_nodelay(true);
        let (service, shared) = (service.clone(), Arc::clone(&shared));
        let answer = service_fn(move |request| {
            let (service, shared) = (service.clone(), Arc::clone(&shared));
            async move { Ok::<_, Infallible>(answer(&service, &shared, request).await) }
        });
        let http = hyper::server::conn::http1::Builder::new();
        tokio::spawn(http.serve_connection(TokioIo::new(connection), answer));
    }
}

async fn answer(service: &S3Service, shared: &Shared, request: Request<Incoming>) -> HttpResponse {
    lock(&shared.calls).push(call_of(&request));
    let fault = lock(&shared.faults).pop_front();
    let elsewhere = is_elsewhere(&request);
    match fault {
        Some(S3Fault::Refusal(status, code)) => return refusal(status, code),
        None if elsewhere => {
            let mut redirect = refusal(301, "PermanentRedirect");
            let region = HeaderValue::from_static(S3Server::REGION);
            redirect.headers_mut().insert("x-amz-bucket-region", region);
            return redirect;
        }
        _ => {}
    }
    let Ok(response) = service.call(request.map(Body::from)).await else {
        return refusal(500, "InternalError");
    };
    match fault {
        Some(S3Fault::Cut) => cut(response).await,
        _ => response,
    }
}

fn call_of(request: &Request<Incoming>) -> S3Call {
    let range = request.headers().get(RANGE).and_then(|range| range.to_str().ok());
    S3Call {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        range: range.map(str::to_owned),
    }
}

/// Whether the request is signed for another region.
fn is_elsewhere(request: &Request<Incoming>) -> bool {
    let signed = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    signed.is_some_and(|signed| !signed.contains(&format!("/{}/s3/", S3Server::REGION)))
}

fn refusal(status: u16, code: &str) -> HttpResponse {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = write!(text, "<Error><Code>{code}</Code><Message>as the test wants</Message></Error>");
    let mut response = HttpResponse::new(Body::from(text));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    response
}

/// The first half of an answer; then the connection ends.
async fn cut(response: HttpResponse) -> HttpResponse {
    let (parts, body) = response.into_parts();
    let whole = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let half = Frame::data(whole.slice(..whole.len() / 2));
    let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let frames = stream::iter([Ok(half), Err(broken)]);
    HttpResponse::from_parts(parts, Body::http_body(StreamBody::new(frames)))
}
