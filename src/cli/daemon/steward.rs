//! The steward of a running server: it does what signals, verbs, a successor and the service manager ask for,
//! between the turns of the loop.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ownhands::{App, Call, Server, Signal};

use super::changes::Fixed;
use super::control::{Answer, Peers, Request, TOO_MANY};
use super::notify::Notifier;
use super::seat::Seat;
use super::succession::{Kind, Predecessor, Upgrades};
use super::wire::MOST_DESCRIPTORS;
use crate::cli::listen::Unclaimed;
use crate::cli::logs::Logs;
use crate::cli::options::{Asked, Options};
use crate::cli::staff::Staff;
use crate::cli::{Failure, applications, listen, lock, options, site};

/// What is watched: the door, the launcher, and the peers from the next key on.
const DOOR: usize = 0;
const LAUNCHER: usize = 1;
const FIRST_PEER: usize = 2;

/// When a successor that failed, or a launcher that has gone, is looked after once more.
const DYING: Duration = Duration::from_millis(100);

/// What a server has beside its sockets and its application.
pub(in crate::cli) struct Household {
    /// As they are inside the walls.
    pub(in crate::cli) options: Box<Options>,
    /// Where the process was started.
    pub(in crate::cli) directory: PathBuf,
    pub(in crate::cli) logs: Logs,
    /// Who runs the applications.
    pub(in crate::cli) staff: Staff,
    /// What is said when it serves.
    pub(in crate::cli) announcement: String,
    /// Names of sockets in the file system that were a predecessor's.
    pub(in crate::cli) names: Vec<PathBuf>,
    /// What a predecessor listened at there, and nobody asks for any more.
    pub(in crate::cli) unclaimed: Vec<Unclaimed>,
    pub(in crate::cli) seat: Option<Seat>,
    pub(in crate::cli) upgrades: Upgrades,
    pub(in crate::cli) notifier: Notifier,
    pub(in crate::cli) fixed: Fixed,
    /// What the process is locked in by, in words.
    pub(in crate::cli) walls: String,
    /// The service manager has chosen where to listen.
    pub(in crate::cli) is_activated: bool,
}

/// A server, and what it has.
pub(in crate::cli) struct Steward {
    server: Server<App>,
    house: Household,
    peers: Peers,
    /// The peer that is about to take over.
    heir: Option<usize>,
    terminal: Terminal,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Serving,
    Stopping,
    HandedOver,
}

impl Steward {
    pub(in crate::cli) fn new(server: Server<App>, house: Household) -> io::Result<Steward> {
        let mut steward = Steward {
            server,
            house,
            peers: Peers::default(),
            heir: None,
            terminal: Terminal::found(),
            state: State::Serving,
        };
        if let Some(seat) = &steward.house.seat {
            steward.server.watch(DOOR, seat.door())?;
        }
        if let Some(launching) = steward.house.staff.launching() {
            steward.server.watch(LAUNCHER, launching)?;
        }
        Ok(steward)
    }

    /// Everything is ready: who served here before leaves, and from here on nothing may fail.
    pub(in crate::cli) fn begin(&mut self, predecessor: Option<&Predecessor>) -> Result<(), Failure> {
        if let Some(predecessor) = predecessor {
            predecessor.relieve(self.house.seat.as_ref().is_some_and(Seat::is_inherited))?;
        }
        if let Some(seat) = &mut self.house.seat {
            seat.own();
        }
        std::mem::take(&mut self.house.unclaimed).into_iter().for_each(Unclaimed::clear);
        self.house.notifier.ready(&self.places());
        Ok(())
    }

    /// A line for each URL.
    pub(in crate::cli) fn announcement(&self) -> &str {
        &self.house.announcement
    }

    /// Serves until the server has ended.
    pub(in crate::cli) fn run(mut self) -> io::Result<()> {
        loop {
            let at_most = self.at_most();
            match self.server.attend(at_most)? {
                None => break,
                Some(Call::Time) => {}
                Some(Call::Signal(signal)) => self.heed(signal),
                Some(Call::Ready(DOOR)) => self.let_in(),
                Some(Call::Ready(LAUNCHER)) => self.mourn(),
                Some(Call::Ready(key)) => self.listen_to(key.saturating_sub(FIRST_PEER)),
            }
        }
        if self.state != State::HandedOver {
            for name in &self.house.names {
                if let Err(error) = fs::remove_file(name) {
                    log::debug!("{} stays: {error}", name.display());
                }
            }
        }
        // The gateways go with the application, and with them what they have started.
        drop(self.server);
        self.house.staff.end();
        Ok(())
    }

    /// The launcher has ended before the server.
    fn mourn(&mut self) {
        if let Some(launching) = self.house.staff.launching()
            && self.server.unwatch(launching).is_ok()
        {
            log::error!("what starts programs for applications has ended: say ownhands restart");
            self.house.staff.lose_launcher();
        }
    }

    /// How long nothing is to be done here.
    fn at_most(&mut self) -> Option<Duration> {
        let beat = self.house.notifier.beat();
        // One that failed closes its wire some time before it can be buried.
        let is_successor_dying = self.heir.is_none() && self.state != State::HandedOver && self.house.upgrades.bury();
        let is_dying = self.house.staff.bury() || is_successor_dying;
        if is_dying { Some(beat.map_or(DYING, |beat| beat.min(DYING))) } else { beat }
    }

    fn heed(&mut self, signal: Signal) {
        match signal {
            Signal::Stop => self.stops(),
            Signal::Reload if self.terminal.has_hung_up() => self.stop(),
            Signal::Reload => drop(self.reload()),
            Signal::Reopen => drop(self.reopen()),
            Signal::Upgrade => self.upgrade(),
        }
    }

    /// Asks the server to stop. It goes on until everybody has his answer.
    fn stop(&mut self) {
        if let Err(error) = self.server.handle().stop() {
            log::error!("the server cannot be stopped: {error}");
        }
        self.stops();
    }

    /// The server has been asked to stop, here or by itself.
    fn stops(&mut self) {
        if self.state == State::Serving {
            self.state = State::Stopping;
            self.house.notifier.stopping("finishing what has begun");
        }
    }

    fn let_in(&mut self) {
        while let Some(seat) = &self.house.seat
            && let Some(key) = self.peers.accept(seat.door())
        {
            self.attend_to(key);
        }
    }

    /// Hears a new peer, now and whenever it says something.
    fn attend_to(&mut self, key: usize) {
        let Some(wire) = self.peers.get(key) else { return };
        match self.server.watch(key.saturating_add(FIRST_PEER), wire) {
            Ok(()) => self.listen_to(key),
            Err(error) => {
                log::warn!("who asks at the control socket cannot be heard: {error}");
                self.peers.remove(key);
            }
        }
    }

    fn listen_to(&mut self, key: usize) {
        while let Some(request) = self.peers.next(key) {
            let answer = match request {
                Request::Status => Ok(self.status()),
                Request::Stop => {
                    self.stop();
                    Ok(vec![self.house.options.config.grace.as_secs_f64().ceil().to_string()])
                }
                Request::Reload => self.reload(),
                Request::Reopen => self.reopen(),
                Request::Sockets => {
                    self.show_sockets(key);
                    continue;
                }
                Request::Drain { takes_pid_file } => {
                    self.hand_over(key, takes_pid_file);
                    continue;
                }
                Request::Failed(why) => {
                    log::error!("no successor took over, this server goes on: {why}");
                    self.heir = self.heir.filter(|&heir| heir != key);
                    continue;
                }
                Request::Unknown => Err("this server does not know what that is".to_owned()),
            };
            self.peers.answer(key, &answer, &[]);
        }
        if self.heir == Some(key) && self.peers.get(key).is_none() {
            self.heir = None;
            if self.state != State::HandedOver {
                log::error!("no successor took over, this server goes on: it ended without a word");
            }
        }
    }

    /// The server has seen a signal to stop before the call that tells of it is heard here.
    fn state(&self) -> State {
        match self.state {
            State::Serving if self.server.is_stopping() => State::Stopping,
            state => state,
        }
    }

    /// What a server about to end must not begin.
    fn must_serve(&self) -> Result<(), String> {
        match self.state() {
            State::Serving => Ok(()),
            State::Stopping => Err("the server is stopping".to_owned()),
            State::HandedOver => Err("a successor has taken over".to_owned()),
        }
    }

    fn reload(&mut self) -> Answer {
        self.must_serve()?;
        self.house.notifier.reloading();
        let outcome = self.reread();
        match &outcome {
            Ok(warnings) => {
                warnings.iter().for_each(|warning| log::warn!("{warning}"));
                log::info!("the configuration was read anew");
            }
            Err(why) => log::error!("the configuration stays as it was: {why}"),
        }
        self.house.notifier.ready(&self.places());
        outcome
    }

    /// Everything is made before anything is replaced.
    fn reread(&mut self) -> Answer {
        let why = |failure: Failure| failure.why().to_owned();
        let open = |path: &Path| self.house.upgrades.open(path);
        let mut options = match options::read_by(env::args_os(), env::vars_os(), &open).map_err(why)? {
            Asked::Serve(options) | Asked::Errand(_, options) => options,
            Asked::Routes(_) | Asked::Check(_) | Asked::Text(_) => {
                return Err("it does not say what to serve any more".to_owned());
            }
        };
        let mut warnings = self.house.fixed.warnings(&options);
        lock::anchor(&mut options, &self.house.directory);
        lock::stay(&self.house.options, &mut options).map_err(why)?;
        applications::stay(&self.house.options.applications, &options.applications).map_err(why)?;
        self.house.staff.meet(&options).map_err(why)?;
        let app = site::furnish(&options, &self.house.logs, &self.house.staff).map_err(why)?;
        warnings.extend(self.house.logs.follow(&options).err());
        self.server.replace(app, options.config.clone());
        self.house.staff.renew();
        self.house.options = options;
        Ok(warnings)
    }

    fn reopen(&mut self) -> Answer {
        let outcome = self.house.logs.reopen();
        match &outcome {
            Ok(()) => log::info!("the logs were opened anew"),
            Err(why) => log::error!("{why}"),
        }
        outcome.map(|()| Vec::new())
    }

    /// Starts a successor, which asks for the rest.
    fn upgrade(&mut self) {
        let begun = self.must_serve().and_then(|()| self.house.upgrades.begin().map_err(|error| error.to_string()));
        let heir = begun.and_then(|wire| self.peers.admit(wire).map_err(|_| TOO_MANY.to_owned()));
        match heir {
            Ok(key) => {
                log::info!("a successor has been started");
                self.heir = Some(key);
                self.attend_to(key);
            }
            Err(why) => log::error!("no successor can be started: {why}"),
        }
    }

    fn show_sockets(&mut self, key: usize) {
        let may_be = self.must_serve().and_then(|()| {
            let most =
                MOST_DESCRIPTORS.saturating_sub(self.house.seat.as_ref().map_or(0, |seat| seat.descriptors().len()));
            let fits = self.server.listeners().nth(most).is_none();
            fits.then_some(()).ok_or("it has more sockets than one message takes".to_owned())
        });
        if let Err(why) = may_be {
            self.peers.answer(key, &Err(why), &[]);
            return;
        }
        self.heir = Some(key);
        let kind = if self.house.is_activated { Kind::Activated } else { Kind::Bound };
        let mut descriptors: Vec<BorrowedFd<'_>> = self.server.listeners().map(AsFd::as_fd).collect();
        let mut kinds = vec![kind.word(); descriptors.len()];
        if let Some(seat) = &self.house.seat {
            descriptors.extend(seat.descriptors());
            kinds.extend([Kind::PidFile.word(), Kind::Control.word()]);
        }
        self.peers.answer(key, &Ok(kinds), &descriptors);
    }

    /// The successor is ready, and learns that it is its turn; then the doors here are closed.
    fn hand_over(&mut self, key: usize, takes_pid_file: bool) {
        let answer = self.must_serve().map(|()| Vec::new());
        if !self.peers.answer(key, &answer, &[]) || answer.is_err() {
            return;
        }
        self.state = State::HandedOver;
        if takes_pid_file && let Some(seat) = self.house.seat.take() {
            // The socket lives on in the successor: who knocks there must not be an event here.
            if let Err(error) = self.server.unwatch(seat.door()) {
                log::debug!("the control socket is still watched: {error}");
            }
            seat.give();
        }
        // The manager is the successor's from now on.
        self.house.notifier = Notifier::default();
        self.server.hand_over();
    }

    fn status(&self) -> Vec<String> {
        let figures = self.server.figures();
        let state = match self.state() {
            State::Serving => "serving",
            State::Stopping => "stopping",
            State::HandedOver => "handed over to a successor",
        };
        vec![
            format!("pid: {}", std::process::id()),
            format!("state: {state}"),
            format!("uptime: {}", span(figures.uptime)),
            format!("addresses: {}", self.places()),
            format!("connections: {}", figures.connections),
            format!("requests: {}", figures.requests),
            format!("turns of the loop: {}", figures.turns),
            format!("version: {}", env!("CARGO_PKG_VERSION")),
            format!("configuration: {}", self.config_file()),
            self.house.walls.clone(),
        ]
    }

    fn config_file(&self) -> String {
        let path = self.house.options.config_file.as_ref();
        path.map_or("no file".to_owned(), |path| options::one_line(&path.display().to_string()))
    }

    fn places(&self) -> String {
        let places: Vec<String> = self.server.listeners().map(listen::shown).collect();
        places.join(" ")
    }
}

/// The terminal that the process was started at, if it was.
#[derive(Debug)]
struct Terminal(Vec<usize>);

impl Terminal {
    fn found() -> Terminal {
        Terminal((0..3).filter(|&number| Terminal::is_there(number)).collect())
    }

    /// Where there is none, SIGHUP asks for something else.
    fn has_hung_up(&self) -> bool {
        !self.0.is_empty() && !self.0.iter().any(|&number| Terminal::is_there(number))
    }

    fn is_there(number: usize) -> bool {
        match number {
            0 => io::stdin().is_terminal(),
            1 => io::stdout().is_terminal(),
            _ => io::stderr().is_terminal(),
        }
    }
}

/// A span of time for people: `3d 4h 5m 6s`.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [(seconds / 86400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m")];
    let mut text = String::new();
    for (count, unit) in parts.into_iter().skip_while(|(count, _)| *count == 0) {
        // Writing to memory does not fail.
        let _ = write!(text, "{count}{unit} ");
    }
    let _ = write!(text, "{}s", seconds % 60);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_for_people() {
        let shown = [(0, "0s"), (59, "59s"), (60, "1m 0s"), (3600, "1h 0m 0s"), (90_061, "1d 1h 1m 1s")];
        for (seconds, text) in shown {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
