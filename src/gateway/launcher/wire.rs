//! What two processes that work together say to each other: whole messages, and descriptors with them.
//!
//! A Unix socket of whole messages (`SOCK_SEQPACKET`, unix(7)): nothing to put together, nothing to keep, and the end
//! of the other process is an end here. What the messages mean is for others, and so is whether to wait.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

/// One end of a conversation in whole messages, which may bring descriptors along. Nothing here waits.
///
/// ```
/// use std::os::fd::AsFd;
///
/// use ownhands::gateway::Wire;
///
/// # fn main() -> std::io::Result<()> {
/// let (here, there) = Wire::pair()?;
/// here.send(b"what you asked for", &[std::io::stdin().as_fd()])?;
///
/// let mut buffer = [0; 100];
/// let heard = there.receive(&mut buffer)?;
/// assert_eq!(heard.map(|heard| (heard.length, heard.descriptors.len())), Some((18, 1)));
/// drop(here);
/// assert!(there.receive(&mut buffer)?.is_none());
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Wire(OwnedFd);

/// What was heard at a [`Wire`].
#[derive(Debug)]
pub struct Heard {
    /// Bytes of the buffer that are the message.
    pub length: usize,
    /// What came with it. No program that is started gets them.
    pub descriptors: Vec<OwnedFd>,
    /// False if the message is longer than the buffer, or there was no room for all of its descriptors.
    pub is_whole: bool,
}

impl Wire {
    /// Descriptors of a message: the system lets no more pass (`SCM_MAX_FD`, unix(7)).
    pub const MOST_DESCRIPTORS: usize = 253;

    /// Both ends.
    ///
    /// # Errors
    /// What the system says.
    pub fn pair() -> io::Result<(Wire, Wire)> {
        let (one, other) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, at_birth(), None)?;
        Ok((Wire::new(one)?, Wire::new(other)?))
    }

    /// This end. No program that is started gets it.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(socket: OwnedFd) -> io::Result<Wire> {
        fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
        Ok(Wire(socket))
    }

    /// Says something, if the other end has room for it. What is empty would be taken for the end.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if it has none,
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) if it has gone.
    pub fn send(&self, message: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(Wire::MOST_DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors for one message"));
        }
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        sendmsg(&self.0, &[IoSlice::new(message)], &mut control, flags)?;
        Ok(())
    }

    /// What the other end has said; `None` if it has gone.
    ///
    /// # Errors
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if it has said nothing.
    /// [`ConnectionReset`](io::ErrorKind::ConnectionReset), once, if it has closed with something unread: what it
    /// has said is still there.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<Heard>> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(Wire::MOST_DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let message = recvmsg(&self.0, &mut [IoSliceMut::new(buffer)], &mut control, at_arrival())?;
        let mut descriptors = Vec::new();
        for part in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = part {
                descriptors.extend(received);
            }
        }
        for descriptor in &descriptors {
            fcntl_setfd(descriptor, FdFlags::CLOEXEC)?;
        }
        let is_whole = !message.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC);
        let heard = Heard { length: message.bytes, descriptors, is_whole };
        Ok((heard.length > 0).then_some(heard))
    }
}

/// Where the system can, a descriptor is closed to other programs from its first moment: another
/// thread may be starting one.
#[cfg(target_os = "linux")]
fn at_birth() -> SocketFlags {
    SocketFlags::CLOEXEC
}

#[cfg(not(target_os = "linux"))]
fn at_birth() -> SocketFlags {
    SocketFlags::empty()
}

#[cfg(target_os = "linux")]
fn at_arrival() -> RecvFlags {
    RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC
}

#[cfg(not(target_os = "linux"))]
fn at_arrival() -> RecvFlags {
    RecvFlags::DONTWAIT
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<Wire> for OwnedFd {
    fn from(wire: Wire) -> OwnedFd {
        wire.0
    }
}
