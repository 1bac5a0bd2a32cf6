//! What a connection speaks over: a socket, or a script in a test.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
#[cfg(target_os = "linux")]
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use mio::net::{TcpStream, UnixStream};

/// A two-way stream of bytes that never blocks: where it would, it says [`WouldBlock`](io::ErrorKind::WouldBlock).
///
/// ```
/// use ownhands::connection::Transport;
/// use std::io::{self, Cursor, Read, Write};
///
/// /// A conversation of which one half is written down already.
/// struct Letter {
///     from: Cursor<Vec<u8>>,
///     to: Vec<u8>,
/// }
///
/// impl Read for Letter {
///     fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
///         self.from.read(buffer)
///     }
/// }
///
/// impl Write for Letter {
///     fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
///         self.to.write(bytes)
///     }
///     fn flush(&mut self) -> io::Result<()> {
///         Ok(())
///     }
/// }
///
/// impl Transport for Letter {
///     fn shut_down_write(&mut self) -> io::Result<()> {
///         Ok(()) // nobody waits for it
///     }
/// }
///
/// let mut letter = Letter { from: Cursor::default(), to: Vec::new() };
/// assert_eq!(letter.send_file(&std::fs::File::open("Cargo.toml").unwrap(), 0, 9).unwrap(), 9);
/// assert_eq!(letter.to, b"[package]");
/// ```
pub trait Transport: Read + Write {
    /// Sends up to `count` bytes of a file from `offset` on. Zero means that the file ends before `offset`.
    ///
    /// # Errors
    /// As [`Write::write`], and what reading the file may say.
    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        let mut buffer = [0; COPY_STEP];
        let step = buffer.get_mut(..count.min(COPY_STEP)).unwrap_or_default();
        let read = file.read_at(step, offset)?;
        match step.get(..read) {
            Some(bytes) if !bytes.is_empty() => self.write(bytes),
            _ => Ok(0),
        }
    }

    /// Ends the sending direction: the peer reads the end of the stream after the last byte.
    ///
    /// # Errors
    /// What the system says; the peer may be gone.
    fn shut_down_write(&mut self) -> io::Result<()>;
}

/// Bytes copied in one step where the kernel cannot send a file by itself.
const COPY_STEP: usize = 16 * 1024;

impl Transport for TcpStream {
    #[cfg(target_os = "linux")]
    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        self.try_io(|| send_file(&*self, file, offset, count))
    }

    fn shut_down_write(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Transport for UnixStream {
    #[cfg(target_os = "linux")]
    fn send_file(&mut self, file: &File, offset: u64, count: usize) -> io::Result<usize> {
        self.try_io(|| send_file(&*self, file, offset, count))
    }

    fn shut_down_write(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

#[cfg(target_os = "linux")]
fn send_file(socket: impl AsFd, file: &File, offset: u64, count: usize) -> io::Result<usize> {
    let mut offset = offset;
    Ok(rustix::fs::sendfile(socket, file, Some(&mut offset), count)?)
}
