//! The scripts that run, and what the launcher says of them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::Duration;

use crate::http::{Summons, Tick};
use crate::service::upstream::{Next, Shift, Upstream};

use super::super::launcher::{Ending, Launcher, Note, Program};

/// How long a script that is told to end may take.
const GRACE: Duration = Duration::from_secs(2);

pub(super) struct Office {
    launcher: Launcher,
    running: RefCell<HashMap<u64, Rc<Run>>>,
    /// Nobody will ask for a script any more.
    is_closed: Cell<bool>,
    ear: RefCell<Summons>,
}

/// One script that was asked for.
#[derive(Default)]
pub(super) struct Run {
    number: u64,
    fate: RefCell<Option<Note>>,
    /// Calls who reads its output.
    pub(super) reader: RefCell<Summons>,
}

impl Run {
    /// What became of it, once it is known.
    pub(super) fn fate(&self) -> Option<Note> {
        self.fate.borrow().clone()
    }

    fn close(&self, note: Note) {
        *self.fate.borrow_mut() = Some(note);
        self.reader.borrow().send();
    }
}

impl Office {
    pub(super) fn new(launcher: Launcher) -> Self {
        Office { launcher, running: RefCell::default(), is_closed: Cell::new(false), ear: RefCell::default() }
    }

    /// How many run; one that is being ended does.
    pub(super) fn count(&self) -> usize {
        self.running.borrow().len()
    }

    pub(super) fn start(&self, program: &Program, stdio: [BorrowedFd<'_>; 3]) -> io::Result<Rc<Run>> {
        let number = self.launcher.start(program, stdio)?;
        let run = Rc::new(Run { number, ..Run::default() });
        self.running.borrow_mut().insert(number, Rc::clone(&run));
        Ok(run)
    }

    /// Ends one with all that it has started.
    pub(super) fn end(&self, run: &Run) -> io::Result<()> {
        self.launcher.end(run.number, Ending::Terminate, GRACE)
    }

    /// Nobody will ask for a script any more: those that run finish.
    pub(super) fn close(&self) {
        self.is_closed.set(true);
        self.ear.borrow().send();
    }

    /// Takes in what the launcher has to say.
    fn hear(&self) -> io::Result<()> {
        while let Some(note) = self.launcher.hear()? {
            let (Note::Failed { number, .. } | Note::Ended { number, .. }) = &note;
            let run = self.running.borrow_mut().remove(number);
            if let Some(run) = run {
                run.close(note);
            }
        }
        Ok(())
    }
}

/// The upstream that listens to the launcher.
pub(super) struct Ear(pub(super) Rc<Office>);

impl Upstream for Ear {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.launcher.as_fd()
    }

    fn advance(&mut self, shift: &mut Shift<'_>) -> Next {
        let office = &self.0;
        *office.ear.borrow_mut() = shift.recall.summons();
        if let Err(error) = office.hear() {
            log::error!("no script can be started any more: {error}");
            for (number, run) in office.running.take() {
                run.close(Note::Failed { number, why: format!("what became of it is not known: {error}") });
            }
            return Next::Close;
        }
        shift.ready.is_readable = false;
        if office.is_closed.get() && office.count() == 0 { Next::Close } else { Next::Wait(Tick::NEVER) }
    }
}
