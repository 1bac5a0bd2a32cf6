//! What the service manager is told (sd_notify(3)): that the server is ready, reloads, stops, and lives.
//!
//! The socket is connected once, before the process is locked in: its name may lie outside the walls.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use sd_notify::NotifyState;

/// The way to the service manager; there may be none.
#[derive(Debug, Default)]
pub(in crate::cli) struct Notifier {
    socket: Option<UnixDatagram>,
    beat: Option<Beat>,
}

/// The signs of life that it waits for.
#[derive(Debug)]
struct Beat {
    /// Half of the time after which it takes the server for dead.
    every: Duration,
    next: Instant,
}

impl Notifier {
    /// What the environment says. A successor takes the signs of life over: they were asked of
    /// its predecessor by number.
    pub(in crate::cli) fn from_environment(is_successor: bool) -> Notifier {
        let socket = env::var_os("NOTIFY_SOCKET").and_then(|place| match connect(&place) {
            Ok(socket) => Some(socket),
            Err(error) => {
                log::warn!("the service manager cannot be told anything: {}: {error}", place.display());
                None
            }
        });
        let number = |name| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let is_meant = is_successor || number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let every = Duration::from_micros(number("WATCHDOG_USEC").filter(|_| is_meant).unwrap_or(0) / 2);
        let beat = (socket.is_some() && !every.is_zero()).then(|| Beat { every, next: Instant::now() });
        Notifier { socket, beat }
    }

    /// The server serves; its number, since it may not be the one that was started.
    pub(super) fn ready(&self, status: &str) {
        let number = std::process::id();
        self.tell(&[NotifyState::MainPid(number), NotifyState::Ready, NotifyState::Status(status)]);
    }

    pub(super) fn reloading(&self) {
        // Without the time the manager could not tell this beginning from an earlier one.
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            self.tell(&[NotifyState::Reloading, now]);
        }
    }

    pub(super) fn stopping(&self, status: &str) {
        self.tell(&[NotifyState::Stopping, NotifyState::Status(status)]);
    }

    /// Gives a sign of life if it is time to, and says when the next one is due.
    pub(super) fn beat(&mut self) -> Option<Duration> {
        let beat = self.beat.as_mut()?;
        let now = Instant::now();
        if beat.next <= now {
            beat.next = now.checked_add(beat.every)?;
            self.tell(&[NotifyState::Watchdog]);
        }
        self.beat.as_ref().map(|beat| beat.next.saturating_duration_since(now))
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        let Some(socket) = &self.socket else { return };
        let text: String = states.iter().map(|state| format!("{state}\n")).collect();
        if let Err(error) = socket.send(text.as_bytes()) {
            // It may wait for this word, and end who does not say it.
            log::warn!("the service manager was not told: {error}");
        }
    }
}

fn connect(place: &OsStr) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    // A manager that does not listen must not hold the loop.
    socket.set_nonblocking(true)?;
    match place.as_bytes().split_first() {
        #[cfg(target_os = "linux")]
        Some((b'@', name)) => {
            use std::os::linux::net::SocketAddrExt;
            socket.connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)?;
        }
        _ => socket.connect(place)?,
    }
    Ok(socket)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_words() {
        let (own, its) = UnixDatagram::pair().unwrap();
        let beat = Beat { every: Duration::from_secs(1000), next: Instant::now() };
        let mut notifier = Notifier { socket: Some(own), beat: Some(beat) };
        let heard = || {
            let mut text = [0; 200];
            let count = its.recv(&mut text).unwrap();
            String::from_utf8_lossy(text.get(..count).unwrap()).into_owned()
        };
        notifier.ready("all is well");
        assert_eq!(heard(), format!("MAINPID={}\nREADY=1\nSTATUS=all is well\n", std::process::id()));
        notifier.reloading();
        assert!(heard().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        assert!(notifier.beat().is_some_and(|next| next > Duration::from_secs(900)));
        assert_eq!(heard(), "WATCHDOG=1\n");
        notifier.beat();
        notifier.stopping("bye");
        assert_eq!(heard(), "STOPPING=1\nSTATUS=bye\n", "and no sign of life before it is due");
    }

    #[test]
    fn without_a_manager_nothing_is_told() {
        let mut notifier = Notifier::default();
        notifier.ready("all is well");
        assert_eq!(notifier.beat(), None);
    }
}
