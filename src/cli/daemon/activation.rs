//! Socket activation: sockets that the service manager has bound (sd_listen_fds(3)).

use std::os::fd::OwnedFd;

use listenfd::ListenFd;

use super::succession::Inherited;
use crate::cli::Failure;

/// The sockets that this process was given, if it was.
pub(in crate::cli) fn sockets() -> Result<Vec<Inherited>, Failure> {
    let mut given = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..given.len() {
        let tcp = given.take_tcp_listener(index).ok().flatten().map(OwnedFd::from);
        let wrong = |error| Failure::Run(format!("socket {index} of LISTEN_FDS listens for no streams: {error}"));
        let socket = match tcp {
            Some(socket) => Some(socket),
            None => given.take_unix_listener(index).map_err(wrong)?.map(OwnedFd::from),
        };
        sockets.extend(socket.map(|socket| Inherited { socket, is_activated: true }));
    }
    Ok(sockets)
}
