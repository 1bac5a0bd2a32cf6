//! The workers of one application, and the requests that wait for one.
//!
//! One queue for all: whoever is free takes the next. Workers that end are replaced, at once where they had been ready,
//! and with growing pauses where the application cannot be loaded; a new edition takes the place of the old one by one,
//! and only once it is ready.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use crate::http::{HttpError, Status, Summons, Tick};

use super::super::launcher::{Ending, Launcher, Note, ending};
use super::super::opened::Opened;
use super::queue::Queue;
use super::seat::{Job, Seat, Stage};
use super::settings::Settings;
use super::spawn::spawn;

/// The pause after a worker that could not be started: the first, and the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Processes there may be for one that should be: its successor, and those that have not finished yet.
const MOST_TIMES: usize = 3;

/// How long a worker that is ended may take to say where it was.
const GRACE: Duration = Duration::from_secs(1);

/// The workers and their queue.
pub(super) struct Pool {
    pub(super) settings: Settings,
    pub(super) launcher: Launcher,
    pub(super) opened: Opened,
    seats: RefCell<Vec<Rc<Seat>>>,
    queue: Queue,
    /// The edition of the application that there should be.
    edition: Cell<u64>,
    /// How many workers in a row could not be started, and when the next may be.
    failures: Cell<u32>,
    next_start: Cell<Tick>,
    /// Nobody is there to start one any more.
    is_abandoned: Cell<bool>,
    /// How many were started, for their names.
    started: Cell<u64>,
    /// Workers whose end is no news.
    leaving: RefCell<Vec<u64>>,
    /// Workers that have left unbidden, until the launcher says how they have ended.
    missing: RefCell<Vec<Rc<Seat>>>,
    /// Nobody asks any more: what waits is answered, and the workers leave.
    is_closed: Cell<bool>,
    /// Calls the foreman.
    foreman: RefCell<Summons>,
    /// What workers say before the first of them is ready; later it goes into the log.
    early: RefCell<Option<Vec<String>>>,
    /// Why the last one could not be started.
    fault: RefCell<Option<String>>,
}

impl Pool {
    pub(super) fn new(settings: Settings, launcher: Launcher) -> Self {
        Pool {
            queue: Queue::new(settings.application.clone(), settings.queue),
            settings,
            launcher,
            opened: Opened::default(),
            seats: RefCell::default(),
            edition: Cell::new(0),
            failures: Cell::new(0),
            next_start: Cell::default(),
            is_abandoned: Cell::new(false),
            started: Cell::new(0),
            leaving: RefCell::default(),
            missing: RefCell::default(),
            is_closed: Cell::new(false),
            foreman: RefCell::default(),
            early: RefCell::new(Some(Vec::new())),
            fault: RefCell::default(),
        }
    }

    /// Takes in a request: for a worker that is free, or for the next that will be.
    ///
    /// # Errors
    /// 503 where no more can wait, or nobody is there who could answer.
    pub(super) fn take(&self, job: Job) -> Result<(), HttpError> {
        let seats = self.seats.borrow();
        if let Some(seat) = seats.iter().find(|seat| seat.is_free()) {
            *seat.job.borrow_mut() = Some(job);
            seat.call();
            return Ok(());
        }
        if self.is_down(&seats) {
            return Err(self.down());
        }
        self.queue.push(job)
    }

    /// What a worker does next: what it was given, or the first that somebody still waits for.
    pub(super) fn next_job(&self, seat: &Seat) -> Option<Job> {
        if let Some(job) = seat.job.borrow_mut().take() {
            return Some(job);
        }
        if seat.is_retired.get() && !self.is_closed.get() {
            return None;
        }
        self.queue.pop()
    }

    /// A worker has loaded the application.
    pub(super) fn note_ready(&self, seat: &Seat) {
        seat.stage.set(Stage::Idle);
        self.failures.set(0);
        // At the start, what is wrong with one of them is not mended by another.
        if self.early.borrow().is_none() {
            self.fault.take();
        }
        log::info!("{} is ready", seat.name);
        self.replace_one(seat.edition.get());
    }

    /// A new one is there: an old one may go, and the next new one come.
    fn replace_one(&self, edition: u64) {
        let seats = self.seats.borrow();
        let old = seats.iter().find(|seat| seat.edition.get() < edition && !seat.is_retired.get());
        if let Some(old) = old {
            old.retire();
        }
        drop(seats);
        self.call_foreman();
    }

    /// A worker could not load the application. Where an old edition serves, it goes on.
    pub(super) fn could_not_start(&self, seat: &Seat, why: &str) {
        // At the start it is said by whoever wanted it to start.
        if self.early.borrow().is_none() {
            log::error!("{} could not be started: {why}", seat.name);
        }
        self.failures.set(self.failures.get().saturating_add(1));
        *self.fault.borrow_mut() = Some(why.to_owned());
        let edition = self.edition.get();
        let seats = self.seats.borrow();
        let mut old = seats.iter().filter(|seat| seat.edition.get() < edition && seat.is_able()).peekable();
        if old.peek().is_some() {
            log::error!("the application stays as it was");
            self.failures.set(0);
            // They count as of the edition that failed, or it would be tried again at once. One that is newer by now is
            // still tried.
            old.for_each(|old| old.edition.set(seat.edition.get()));
        }
    }

    /// A worker was ready, and has ended before its first request: the next one may do the same, and does not come at
    /// once. At the start that is the end of it.
    pub(super) fn ended_early(&self) {
        if self.early.borrow().is_some() {
            *self.fault.borrow_mut() = Some("it ended before its first request".to_owned());
        }
        self.failures.set(self.failures.get().saturating_add(1));
    }

    /// A worker has gone, or is given up. Its place is free.
    pub(super) fn leave(&self, seat: &Rc<Seat>) {
        self.seats.borrow_mut().retain(|other| other.number != seat.number);
        if seat.fate.borrow().is_none() {
            self.see_off(seat);
        }
        if seat.fate.borrow().is_none() && !self.leaving.borrow().contains(&seat.number) {
            self.missing.borrow_mut().push(Rc::clone(seat));
        }
        if let Some(job) = seat.job.borrow_mut().take() {
            // It was given to one that ended before it took it.
            self.queue.give_back(job);
            self.seats.borrow().iter().for_each(|seat| seat.call());
        }
        self.refuse_all_if_down();
        self.call_foreman();
    }

    /// Nobody is there to start a worker any more: those that are there go on.
    pub(super) fn abandon(&self) {
        self.is_abandoned.set(true);
        self.refuse_all_if_down();
    }

    /// True if there is no worker, and it is not known whether there will be one.
    fn is_down(&self, seats: &[Rc<Seat>]) -> bool {
        (self.fault.borrow().is_some() || self.is_abandoned.get()) && !seats.iter().any(|seat| seat.is_able())
    }

    fn refuse_all_if_down(&self) {
        if self.is_down(&self.seats.borrow()) {
            self.queue.refuse_all(|| self.down());
        }
    }

    /// Nobody is there who could answer, and nobody could be started.
    fn down(&self) -> HttpError {
        let detail = "the application cannot be started at the moment";
        let why = self.fault().unwrap_or("no worker can be started".to_owned());
        let why = format!("{}: {why}", self.settings.application);
        let error = HttpError::new(Status::SERVICE_UNAVAILABLE, detail).with_header("Retry-After", "10");
        error.with_source(std::io::Error::other(why))
    }

    /// Ends a worker that has taken too long; it says where it is.
    pub(super) fn abort(&self, seat: &Seat) {
        if let Err(error) = self.launcher.end(seat.number, Ending::Abort, GRACE) {
            log::error!("{} cannot be ended: {error}", seat.name);
        }
    }

    /// It has heard that it is to end, by the end of its socket. A thread of the application may hold it, for ever; and
    /// each that is replaced would leave such a process behind.
    fn see_off(&self, seat: &Seat) {
        if let Err(error) = self.launcher.end(seat.number, Ending::ByItself, self.settings.timeout) {
            log::debug!("{} is left to itself: {error}", seat.name);
        }
    }

    /// A worker has seen that a source has changed. False if that is known: nobody has been started since the last
    /// change.
    pub(super) fn note_stale(&self, seat: &Seat) -> bool {
        let edition = self.edition.get();
        let is_news = !seat.is_retired.get() && self.seats.borrow().iter().any(|other| other.edition.get() == edition);
        if is_news {
            log::info!("a source of {} has changed", self.settings.application);
            self.renew();
        }
        is_news
    }

    /// Has all workers replaced, one by one, by such as have loaded the application anew.
    pub(super) fn renew(&self) {
        self.edition.set(self.edition.get().saturating_add(1));
        self.next_start.set(Tick::default());
        self.call_foreman();
    }

    /// Nobody asks any more: what waits is answered, and the workers leave.
    pub(super) fn close(&self) {
        self.is_closed.set(true);
        self.seats.borrow().iter().for_each(|seat| seat.retire());
        // They hold the pool, which holds them: those that no loop has taken in would stay for good.
        while self.opened.next().is_some() {}
        self.call_foreman();
    }

    /// True if all that there should be are ready.
    pub(super) fn is_complete(&self) -> bool {
        self.seats.borrow().iter().filter(|seat| seat.is_able()).count() >= self.settings.workers
    }

    /// Why no worker could be started, by now.
    pub(super) fn fault(&self) -> Option<String> {
        let is_abandoned = self.is_abandoned.get().then(|| "nobody is there to start a worker".to_owned());
        self.fault.borrow().clone().or(is_abandoned)
    }

    /// What was said until now; from here on it goes into the log.
    pub(super) fn end_early(&self) -> Vec<String> {
        self.early.take().unwrap_or_default()
    }

    /// A worker has said a line.
    pub(super) fn hear(&self, name: &str, line: &str) {
        match &mut *self.early.borrow_mut() {
            Some(early) if early.len() < MOST_EARLY => early.push(line.to_owned()),
            Some(_) => {}
            None => log::warn!("{name}: {line}"),
        }
    }

    pub(super) fn set_foreman(&self, summons: Summons) {
        *self.foreman.borrow_mut() = summons;
    }

    fn call_foreman(&self) {
        self.foreman.borrow().send();
    }

    /// The foreman's round: starts whom there should be. It says when it wants the next round; `None`: never more.
    pub(super) fn tend(self: &Rc<Self>, now: Tick) -> Option<Tick> {
        if self.is_closed.get() {
            return if self.seats.borrow().is_empty() { None } else { Some(Tick::NEVER) };
        }
        while self.wants_another() {
            if now < self.next_start.get() {
                return Some(self.next_start.get());
            }
            if let Err(error) = self.start_one() {
                log::error!("no worker can be started: {error}");
                self.failures.set(self.failures.get().saturating_add(1));
            }
            self.pause(now);
        }
        Some(Tick::NEVER)
    }

    fn wants_another(&self) -> bool {
        let seats = self.seats.borrow();
        // The first is alone: what is wrong with the application is said once.
        if self.early.borrow().is_some() && !seats.is_empty() && !seats.iter().any(|seat| seat.is_able()) {
            return false;
        }
        // Those that are retired may take a while to finish; renewed again and again, they must not become many.
        if seats.len() >= self.settings.workers.saturating_mul(MOST_TIMES) {
            return false;
        }
        let staying = || seats.iter().filter(|seat| !seat.is_retired.get());
        if staying().any(|seat| seat.edition.get() < self.edition.get()) {
            // One more than there should be, until it is ready.
            return !staying().any(|seat| seat.stage.get() == Stage::Starting);
        }
        staying().count() < self.settings.workers
    }

    /// Where the last ones could not be started, the next one waits.
    fn pause(&self, now: Tick) {
        let failures = self.failures.get();
        if failures > 0 {
            let pause = PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(5)).min(LONGEST_PAUSE);
            self.next_start.set(now.plus(pause));
        }
    }

    /// Starts one more.
    pub(super) fn start_one(self: &Rc<Self>) -> std::io::Result<()> {
        let number = self.started.get().saturating_add(1);
        self.started.set(number);
        let seat = spawn(self, format!("worker {number} of {}", self.settings.application), self.edition.get())?;
        self.seats.borrow_mut().push(seat);
        Ok(())
    }

    /// What the launcher says of a worker.
    pub(super) fn take_note(&self, note: Note) {
        let (number, how) = match note {
            Note::Failed { number, why } => (number, why),
            Note::Ended { number, status } => (number, ending(status)),
        };
        let mut leaving = self.leaving.borrow_mut();
        if let Some(place) = leaving.iter().position(|&other| other == number) {
            leaving.swap_remove(place);
            return;
        }
        drop(leaving);
        let mut missing = self.missing.borrow_mut();
        if let Some(place) = missing.iter().position(|seat| seat.number == number) {
            log::warn!("{} has ended: {how}", missing.swap_remove(place).name);
            return;
        }
        drop(missing);
        let Some(seat) = self.seats.borrow().iter().find(|seat| seat.number == number).cloned() else { return };
        if seat.stage.get() != Stage::Starting {
            log::warn!("{} has ended: {how}", seat.name);
        }
        *seat.fate.borrow_mut() = Some(how);
        // One that was starting may have said why, and that has yet to be read.
        seat.call();
    }

    /// That this one ends will be no news.
    pub(super) fn expect_end(&self, seat: &Seat) {
        let mut leaving = self.leaving.borrow_mut();
        if !leaving.contains(&seat.number) {
            leaving.push(seat.number);
        }
    }
}

/// Lines that are kept until the first worker is ready: a traceback, and what else is said at the start.
const MOST_EARLY: usize = 1000;
