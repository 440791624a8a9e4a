//! A server that answers as a test wishes, wrongly where it wishes so.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub(crate) const GREETING: &str = r#"{"name":"n","cluster_name":"c","cluster_uuid":"u","version":{"distribution":"opensearch",
    "number":"2.19.6","lucene_version":"9.12.3"},"tagline":"The OpenSearch Project: https://opensearch.org/"}"#;

/// How TLS begins, where plain HTTP has the name of a method.
const TLS_HANDSHAKE: u8 = 22;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_bulk(&self) -> bool {
        self.target.contains("/_bulk")
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: String,
    body: String,
    /// The connection ends after so many bytes of the body.
    cut: Option<usize>,
    silent: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        let (headers, body) = (String::new(), body.to_owned());
        Self { status, headers, body, cut: None, silent: false }
    }

    pub(crate) fn header(mut self, line: &str) -> Self {
        self.headers += line;
        self.headers += "\r\n";
        self
    }

    pub(crate) fn cut(mut self, at: usize) -> Self {
        self.cut = Some(at);
        self
    }

    /// No answer, ever.
    pub(crate) fn silence() -> Self {
        Self { silent: true, ..Self::new(200, "") }
    }

    /// Two documents written.
    pub(crate) fn two_created() -> Self {
        Self::new(200, r#"{"items":[{"index":{"status":201}},{"index":{"status":201}}]}"#)
    }
}

type Answer = dyn Fn(&Seen) -> Option<Reply> + Send + Sync;

/// A server on this machine, until it is dropped.
pub(crate) struct Fake {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Fake {
    /// Answers as `answer` says; where it says nothing, greets as OpenSearch and knows every index.
    pub(crate) async fn start(
        answer: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::serve(None, Arc::new(answer)).await
    }

    pub(crate) async fn start_tls(acceptor: TlsAcceptor) -> Self {
        Self::serve(Some(acceptor), Arc::new(|_| None)).await
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().unwrap()
    }

    async fn serve(tls: Option<TlsAcceptor>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let scheme = if tls.is_some() { "https://localhost" } else { "http://127.0.0.1" };
        let url = format!("{scheme}:{}", listener.local_addr().unwrap().port());
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let log = Arc::clone(&seen);
        let connections = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let (tls, answer, log) = (tls.clone(), Arc::clone(&answer), Arc::clone(&log));
                tokio::spawn(async move {
                    match tls {
                        None => talk(stream, &*answer, &log).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => talk(stream, &*answer, &log).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { url, seen, connections, task }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn talk(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &Answer,
    log: &Mutex<Vec<Seen>>,
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let Some(seen) = read(&mut stream, &mut buffer).await else {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.ok()?;
            return None;
        };
        let reply = answer(&seen).unwrap_or_else(|| usual(&seen));
        let is_head = seen.method == "HEAD";
        log.lock().unwrap().push(seen);
        if reply.silent {
            std::future::pending::<()>().await;
        }
        let head = format!(
            "HTTP/1.1 {} X\r\ncontent-length: {}\r\ncontent-type: application/json\r\n{}\r\n",
            reply.status,
            reply.body.len(),
            reply.headers
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        let body = if is_head { &[] } else { reply.body.as_bytes() };
        stream.write_all(&body[..reply.cut.unwrap_or(body.len()).min(body.len())]).await.ok()?;
        stream.flush().await.ok()?;
        if reply.cut.is_some() {
            stream.shutdown().await.ok()?;
            return None;
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        more(stream, buffer).await?;
        if buffer.first() == Some(&TLS_HANDSHAKE) {
            return None;
        }
    };
    let head = String::from_utf8(buffer[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let (method, target) = (first.next()?, first.next()?);
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers: Vec<_> =
        headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut seen = Seen { method, target, headers, body: Vec::new() };
    let length: usize = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    while buffer.len() < end + 4 + length {
        more(stream, buffer).await?;
    }
    seen.body = buffer[end + 4..end + 4 + length].to_vec();
    buffer.drain(..end + 4 + length);
    Some(seen)
}

async fn more(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<()> {
    let read = stream.read_buf(buffer).await.ok()?;
    (read > 0).then_some(())
}

fn usual(seen: &Seen) -> Reply {
    match (seen.method.as_str(), seen.target.as_str()) {
        ("GET", "/") => Reply::new(200, GREETING),
        ("HEAD", _) => Reply::new(200, ""),
        _ if seen.is_bulk() => Reply::two_created(),
        _ => Reply::new(200, "{}"),
    }
}
