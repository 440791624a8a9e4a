//! A network that can be cut.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::Duration;

use crate::error::{During, Result};
use crate::wait::pause;

/// Between two looks at whether it is whole.
const LOOK: Duration = Duration::from_millis(20);

/// The states.
const WHOLE: u8 = 0;
const CUT: u8 = 1;
const GONE: u8 = 2;

/// A network between its own address and another one. While it is cut, nothing arrives and nobody is told; what was under way
/// arrives when it is mended, late. Ends when it is dropped.
#[derive(Debug)]
pub struct Cable {
    address: SocketAddr,
    state: Arc<AtomicU8>,
}

impl Cable {
    /// A whole one to a port of this machine.
    pub fn to_port(port: u16) -> Result<Self> {
        let what = || "laying a cable".to_owned();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during(what)?;
        let address = listener.local_addr().during(what)?;
        let state = Arc::new(AtomicU8::new(WHOLE));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for near in listener.incoming() {
                if shared.load(Ordering::SeqCst) == GONE {
                    return;
                }
                let far = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
                // Whoever cannot be reached refuses: the near end is closed.
                if let (Ok(near), Ok(far)) = (near, far) {
                    join(&near, &far, &shared);
                }
            }
        });
        Ok(Self { address, state })
    }

    /// Its address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts it.
    pub fn cut(&self) {
        self.state.store(CUT, Ordering::SeqCst);
    }

    /// Mends it.
    pub fn mend(&self) {
        self.state.store(WHOLE, Ordering::SeqCst);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.state.store(GONE, Ordering::SeqCst);
        // Wakes whoever waits for the next connection; it is no matter whether that is there.
        let _ = TcpStream::connect(self.address);
    }
}

fn join(near: &TcpStream, far: &TcpStream, state: &Arc<AtomicU8>) {
    for (from, to) in [(near, far), (far, near)] {
        let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { return };
        let state = Arc::clone(state);
        thread::spawn(move || {
            // An end that went away is the end of both.
            let _ = carry(&from, &to, &state);
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}

fn carry(mut from: &TcpStream, mut to: &TcpStream, state: &AtomicU8) -> std::io::Result<()> {
    from.set_read_timeout(Some(LOOK))?;
    let mut bytes = vec![0; 64 << 10];
    loop {
        let read = match from.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if state.load(Ordering::SeqCst) == GONE {
                    return Ok(());
                }
                continue;
            }
            Err(error) => return Err(error),
        };
        loop {
            match state.load(Ordering::SeqCst) {
                WHOLE => break,
                CUT => pause(LOOK),
                _ => return Ok(()),
            }
        }
        to.write_all(bytes.get(..read).unwrap_or_default())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_while_it_is_cut_arrives_later() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let cable = Cable::to_port(server.local_addr().unwrap().port()).unwrap();
        let mut near = TcpStream::connect(cable.address).unwrap();
        let (mut far, _) = server.accept().unwrap();
        let mut byte = [0];
        near.write_all(b"a").unwrap();
        far.read_exact(&mut byte).unwrap();
        cable.cut();
        near.write_all(b"b").unwrap();
        far.set_read_timeout(Some(LOOK * 3)).unwrap();
        assert!(far.read(&mut byte).is_err(), "it is cut");
        cable.mend();
        far.set_read_timeout(None).unwrap();
        far.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"b");
        drop(near);
        assert_eq!(far.read(&mut byte).unwrap(), 0, "an end that went away");
    }
}
