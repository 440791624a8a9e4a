//! As much HTTP/1.1 as a test needs to talk to a node on this machine: one connection a request.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use serde_json::Value;

use crate::error::{During, Error, Result};
use crate::security::believing;

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(600);

/// `admin:admin`, the user of the security plugin's example.
const ADMIN: &str = "YWRtaW46YWRtaW4=";

/// A client of one node.
#[derive(Debug, Clone, Copy)]
pub struct Http {
    port: u16,
    /// The authority of a node that speaks TLS. Kept as long as the process: a client may outlive
    /// its node.
    authority: Option<&'static [u8]>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The body, without transfer encoding.
    pub body: Vec<u8>,
}

impl Http {
    pub(crate) fn new(port: u16) -> Self {
        Self { port, authority: None }
    }

    /// A client that speaks TLS, as the user who may do everything.
    pub(crate) fn secured(port: u16, authority: &[u8]) -> Self {
        Self { port, authority: Some(authority.to_vec().leak()) }
    }

    /// Sends a request and reads the whole answer. A body that ends in a newline is sent as
    /// newline-delimited JSON, any other as JSON.
    pub fn request(&self, method: &str, path: &str, body: &[u8]) -> Result<Response> {
        let answer = self
            .exchange(method, path, body)
            .during(|| format!("{method} {path} on port {}", self.port))?;
        parse(&answer).map_err(|what| Error::Malformed {
            method: method.to_owned(),
            path: path.to_owned(),
            what: what.to_owned(),
        })
    }

    /// Sends a request and reads its JSON answer; a status from 300 on is an error.
    pub fn call(&self, method: &str, path: &str, body: &str) -> Result<Value> {
        let response = self.request(method, path, body.as_bytes())?;
        if response.status >= 300 {
            let text = String::from_utf8_lossy(&response.body);
            return Err(Error::Status {
                method: method.to_owned(),
                path: path.to_owned(),
                status: response.status,
                body: text.chars().take(1000).collect(),
            });
        }
        serde_json::from_slice(&response.body).map_err(|error| Error::Malformed {
            method: method.to_owned(),
            path: path.to_owned(),
            what: error.to_string(),
        })
    }

    fn exchange(self, method: &str, path: &str, body: &[u8]) -> io::Result<Vec<u8>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let stream = TcpStream::connect_timeout(&address, CONNECT)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        let kind = if body.ends_with(b"\n") { "application/x-ndjson" } else { "application/json" };
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n",
            self.port
        );
        if !body.is_empty() {
            head += &format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
        }
        let Some(authority) = self.authority else {
            return converse(stream, &(head + "\r\n"), body);
        };
        head += &format!("Authorization: Basic {ADMIN}\r\n\r\n");
        let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
        let session = believing(authority).and_then(|tls| ClientConnection::new(tls, name));
        let session = session.map_err(io::Error::other)?;
        converse(StreamOwned::new(session, stream), &head, body)
    }
}

fn converse(mut stream: impl Read + Write, head: &str, body: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        // A server may end TLS without a word; that the answer is whole is told by its length.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && !answer.is_empty() => {}
        read => {
            read?;
        }
    }
    Ok(answer)
}

fn parse(answer: &[u8]) -> Result<Response, &'static str> {
    let end = find(answer, b"\r\n\r\n").ok_or("the head does not end")?;
    let head = std::str::from_utf8(&answer[..end]).map_err(|_| "the head is no text")?;
    let rest = &answer[end + 4..];
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or("no status")?;
    let header = |name: &str| {
        head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let body = if header("transfer-encoding").is_some_and(|how| how.eq_ignore_ascii_case("chunked"))
    {
        unchunk(rest)?
    } else if let Some(length) = header("content-length") {
        let length = length.parse().map_err(|_| "content-length is no number")?;
        rest.get(..length).ok_or("the body is cut short")?.to_vec()
    } else {
        rest.to_vec()
    };
    Ok(Response { status, body })
}

fn unchunk(mut rest: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut body = Vec::new();
    loop {
        let end = find(rest, b"\r\n").ok_or("a chunk has no length")?;
        let line = std::str::from_utf8(&rest[..end]).map_err(|_| "a chunk's length is no text")?;
        let digits = line.split(';').next().unwrap_or(line).trim();
        let length =
            usize::from_str_radix(digits, 16).map_err(|_| "a chunk's length is no number")?;
        if length == 0 {
            return Ok(body);
        }
        let chunk = rest[end + 2..].get(..length).ok_or("a chunk is cut short")?;
        body.extend_from_slice(chunk);
        rest = rest.get(end + 2 + length + 2..).ok_or("the last chunk is missing")?;
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_body_by_its_length() {
        let response = parse(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
        assert_eq!((response.status, response.body), (200, b"{}".to_vec()));
    }

    #[test]
    fn reads_a_chunked_body() {
        let answer = b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n\
            3;x=y\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n";
        let response = parse(answer).unwrap();
        assert_eq!((response.status, response.body), (404, b"{\"a\":1}".to_vec()));
    }

    #[test]
    fn half_an_answer_is_an_error() {
        assert!(parse(b"HTTP/1.1 200 OK\r\n").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}").is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab").is_err());
    }
}
