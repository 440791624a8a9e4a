//! Answers those who watch a worker.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use snapfill::{Clock, Error, SystemClock};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::board::Board;
use super::metrics;
use crate::exit::Failure;

/// Connections at a time.
const CONNECTIONS: usize = 32;

/// How long a request may take to come.
const PATIENCE: Duration = Duration::from_secs(5);

/// After a connection that could not be taken: too many files are open, mostly.
const REST: Duration = Duration::from_millis(500);

/// Answers at an address from now on.
pub(crate) async fn listen(address: SocketAddr, board: Board) -> Result<(), Failure> {
    let refuse = |error: std::io::Error| {
        let message = format!("cannot listen at {address}: {error}; give --listen another address");
        Failure::usage(Error::new(snapfill::ErrorKind::Config, message))
    };
    let listener = TcpListener::bind(address).await.map_err(refuse)?;
    let address = listener.local_addr().map_err(refuse)?;
    tracing::info!(%address, "answering /healthz and /metrics");
    let watched = board.clone();
    tokio::spawn(async move { watched.watch().await });
    tokio::spawn(serve(listener, board));
    Ok(())
}

async fn serve(listener: TcpListener, board: Board) {
    let (places, clock) = (Arc::new(Semaphore::new(CONNECTIONS)), SystemClock::new());
    loop {
        // It is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let board = board.clone();
                tokio::spawn(async move {
                    converse(stream, board).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "a connection could not be taken");
                clock.sleep(REST).await;
            }
        }
    }
}

/// One request a connection: idle ones must not take the places of others.
async fn converse(stream: TcpStream, board: Board) {
    let service = service_fn(|request| {
        let answer = answer(&request, &board);
        async { Ok::<_, Infallible>(answer) }
    });
    let mut connection = http1::Builder::new();
    connection.timer(TokioTimer::new()).header_read_timeout(PATIENCE).keep_alive(false);
    if let Err(error) = connection.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection failed");
    }
}

fn answer(request: &Request<Incoming>, board: &Board) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered\n".to_owned());
    }
    match request.uri().path() {
        "/healthz" => match board.stall() {
            None => plain(StatusCode::OK, "ok\n".to_owned()),
            Some(stall) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{stall}\n")),
        },
        "/metrics" => match metrics::text(board) {
            Ok(text) => respond(StatusCode::OK, metrics::CONTENT_TYPE, text),
            Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        },
        _ => plain(StatusCode::NOT_FOUND, "there are /healthz and /metrics\n".to_owned()),
    }
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    respond(status, "text/plain; charset=utf-8", text)
}

fn respond(status: StatusCode, content_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(content_type));
    response
}
