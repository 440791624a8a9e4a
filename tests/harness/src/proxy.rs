//! A proxy before a node that misbehaves on request.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::error::{During, Result};
use crate::fault::{Fault, Faults};
use crate::http::Http;
use crate::wait::pause;

/// Longer heads of requests are none of ours.
const LONGEST_HEAD: usize = 64 << 10;

/// Takes requests and passes them on to a node, save that bulk requests go wrong as [`Faults`] say, and that those longer
/// than its limit are refused. Ends when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    shared: Arc<Shared>,
}

/// What a proxy has seen and done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bulk requests.
    pub bulks: u64,
    /// Other requests.
    pub others: u64,
    /// Bulk requests that went wrong.
    pub faults: u64,
    /// Requests that were too long.
    pub too_large: u64,
}

#[derive(Debug)]
struct Shared {
    upstream: Http,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    faults: Faults,
    counts: Counts,
    /// The longest body that is taken.
    limit: usize,
    /// Connections that are neither answered nor closed.
    held: Vec<TcpStream>,
    is_over: bool,
}

struct Request {
    line: String,
    headers: Vec<(String, String)>,
    length: usize,
}

/// Whether a connection goes on after a request.
enum Then {
    GoOn,
    End,
}

impl FaultProxy {
    /// Begins to listen, on a free port.
    pub fn start(upstream: Http) -> Result<Self> {
        let what = || "starting a proxy".to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during(what)?;
        let port = listener.local_addr().during(what)?.port();
        let state = State {
            faults: Faults::none(),
            counts: Counts::default(),
            limit: usize::MAX,
            held: Vec::new(),
            is_over: false,
        };
        let shared = Arc::new(Shared { upstream, state: Mutex::new(state) });
        let acceptor = Arc::clone(&shared);
        thread::spawn(move || acceptor.accept(&listener));
        Ok(Self { port, shared })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on requests go wrong like this; counts begin anew.
    pub fn misbehave(&self, faults: Faults) {
        let mut state = self.shared.state();
        state.faults = faults;
        state.counts = Counts::default();
    }

    /// Bodies of more bytes are refused with 413.
    pub fn set_limit(&self, limit: usize) {
        self.shared.state().limit = limit;
    }

    /// What happened since [`FaultProxy::misbehave`].
    pub fn counts(&self) -> Counts {
        self.shared.state().counts
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.is_over = true;
        state.held.clear();
        drop(state);
        // Wakes the acceptor, which sees that it is over.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.state().is_over {
                return;
            }
            let Ok(stream) = stream else { continue };
            let shared = Arc::clone(&self);
            // What breaks a connection is the client's to notice.
            thread::spawn(move || shared.serve(stream));
        }
    }

    /// Answers the requests of one connection until it ends.
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        while let Some(request) = read_head(&mut stream)? {
            let (fault, is_too_large) = self.judge(&request);
            let then = match fault {
                _ if is_too_large => refuse_length(&mut stream, &request)?,
                Some(fault) => self.misbehave(fault, &mut stream, &request)?,
                None => self.pass_on(&mut stream, &request)?,
            };
            if matches!(then, Then::End) || request.is_last() {
                break;
            }
        }
        Ok(())
    }

    /// What happens to a request, and that it happened.
    fn judge(&self, request: &Request) -> (Option<Fault>, bool) {
        let mut state = self.state();
        if !request.is_bulk() {
            state.counts.others += 1;
            return (None, false);
        }
        state.counts.bulks += 1;
        if request.length > state.limit {
            state.counts.too_large += 1;
            return (None, true);
        }
        let fault = state.faults.next();
        state.counts.faults += u64::from(fault.is_some());
        (fault, false)
    }

    fn misbehave(
        &self,
        fault: Fault,
        stream: &mut TcpStream,
        request: &Request,
    ) -> io::Result<Then> {
        match fault {
            Fault::Late(time) => {
                pause(time);
                return self.pass_on(stream, request);
            }
            Fault::ResetBefore => reset(stream)?,
            Fault::ResetAfter => {
                self.carry_out(stream, request)?;
                reset(stream)?;
            }
            Fault::HalfOpen => self.hold(stream)?,
            Fault::Silence => {
                self.carry_out(stream, request)?;
                self.hold(stream)?;
            }
            Fault::TooMany(wait) => {
                read_body(stream, request)?;
                let wait = wait.map(|seconds| format!("Retry-After: {seconds}\r\n"));
                answer(stream, "429 Too Many Requests", &wait.unwrap_or_default(), b"")?;
                return Ok(Then::GoOn);
            }
            Fault::Unavailable => {
                read_body(stream, request)?;
                let page = b"<html><body>503 Service Temporarily Unavailable</body></html>";
                answer(stream, "503 Service Unavailable", "", page)?;
                return Ok(Then::GoOn);
            }
            Fault::CutShort => {
                let body = self.carry_out(stream, request)?;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                stream.write_all(head.as_bytes())?;
                stream.write_all(&body[..body.len() / 2])?;
            }
            Fault::HalfJson => {
                let body = self.carry_out(stream, request)?;
                answer(stream, "200 OK", "", &body[..body.len() / 2])?;
                return Ok(Then::GoOn);
            }
            Fault::Nonsense => {
                self.carry_out(stream, request)?;
                stream.write_all(b"it was done, or so they say\r\n\r\n")?;
            }
        }
        Ok(Then::End)
    }

    /// Lets the node answer.
    fn pass_on(&self, stream: &mut TcpStream, request: &Request) -> io::Result<Then> {
        let body = read_body(stream, request)?;
        let said = self.upstream.forward(&request.line, &request.headers, &body)?;
        answer(stream, &format!("{} Passed On", said.status), "", &said.body)?;
        Ok(Then::GoOn)
    }

    /// Has the node carry a request out; its answer's body.
    fn carry_out(&self, stream: &mut TcpStream, request: &Request) -> io::Result<Vec<u8>> {
        let body = read_body(stream, request)?;
        self.upstream.forward(&request.line, &request.headers, &body).map(|answer| answer.body)
    }

    fn hold(&self, stream: &TcpStream) -> io::Result<()> {
        let stream = stream.try_clone()?;
        self.state().held.push(stream);
        Ok(())
    }
}

impl Request {
    /// Whether the client wants the connection to end with its answer.
    fn is_last(&self) -> bool {
        self.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close")
        })
    }

    fn is_bulk(&self) -> bool {
        self.line.contains("/_bulk")
    }
}

/// The head of the next request; none where the client has closed the connection.
fn read_head(stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 || head.len() > LONGEST_HEAD {
            return Ok(None);
        }
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&head);
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    Ok(Some(Request { line, headers, length }))
}

fn read_body(stream: &mut TcpStream, request: &Request) -> io::Result<Vec<u8>> {
    let mut body = vec![0; request.length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// As servers do that know a body's length before it comes: the answer is there first, and what still comes is thrown away.
fn refuse_length(stream: &mut TcpStream, request: &Request) -> io::Result<Then> {
    answer(stream, "413 Request Entity Too Large", "", b"")?;
    read_body(stream, request)?;
    Ok(Then::GoOn)
}

fn answer(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) -> io::Result<()> {
    let kind = "Content-Type: application/json\r\n";
    let head =
        format!("HTTP/1.1 {status}\r\n{headers}{kind}Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

/// Closes a connection so that the other side is told of a reset.
fn reset(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Response;

    /// A node that answers everything with how many bytes it got.
    fn node() -> Http {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_head(&mut stream).unwrap().unwrap();
                let body = read_body(&mut stream, &request).unwrap();
                let said = format!("{{\"bytes\":{}}}", body.len());
                answer(&mut stream, "200 OK", "", said.as_bytes()).unwrap();
            }
        });
        Http::new(port)
    }

    fn proxy() -> (FaultProxy, Http) {
        let proxy = FaultProxy::start(node()).unwrap();
        let http = Http::new(proxy.port);
        (proxy, http)
    }

    fn bulk(http: Http, bytes: usize) -> Result<Response> {
        http.request("POST", "/a/_bulk", &vec![b'x'; bytes])
    }

    #[test]
    fn what_does_not_go_wrong_is_passed_on() {
        let (proxy, http) = proxy();
        assert_eq!(bulk(http, 5).unwrap().body, b"{\"bytes\":5}");
        http.request("GET", "/", b"").unwrap();
        let counts = Counts { bulks: 1, others: 1, ..Counts::default() };
        assert_eq!(proxy.counts(), counts);
    }

    #[test]
    fn every_fault_shows_to_the_client() {
        let (proxy, http) = proxy();
        for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::CutShort, Fault::Nonsense] {
            proxy.misbehave(Faults::new(3, &[fault]).in_a_row(100));
            while proxy.counts().faults == 0 {
                let outcome = bulk(http, 5);
                assert_eq!(outcome.is_err(), proxy.counts().faults > 0, "{fault:?}: {outcome:?}");
            }
        }
        for (fault, status) in [(Fault::TooMany(Some(2)), 429), (Fault::Unavailable, 503)] {
            proxy.misbehave(Faults::new(3, &[fault]).in_a_row(100));
            while proxy.counts().faults == 0 {
                let outcome = bulk(http, 5).unwrap();
                assert_eq!(outcome.status == status, proxy.counts().faults > 0, "{fault:?}");
            }
        }
    }

    #[test]
    fn what_is_too_long_is_refused_until_the_limit_is_raised() {
        let (proxy, http) = proxy();
        proxy.set_limit(10);
        assert_eq!(bulk(http, 11).unwrap().status, 413);
        assert_eq!(bulk(http, 10).unwrap().status, 200);
        proxy.set_limit(11);
        assert_eq!(bulk(http, 11).unwrap().status, 200);
        assert_eq!(proxy.counts().too_large, 1);
    }
}
