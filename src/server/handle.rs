//! Reaching a server from elsewhere: to stop it, and to tell it that a deferred answer is there.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mio::{Registry, Token, Waker};

use crate::http::Wake;

/// Stops a server from another thread. Cloning is cheap.
///
/// ```
/// use ownhands::{App, Config, Server};
/// use std::{thread, time::Duration};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut server = Server::bind(&["127.0.0.1:0".parse()?], Config::default(), App::new())?;
/// let handle = server.handle();
/// let stopper = thread::spawn(move || {
///     thread::sleep(Duration::from_millis(10));
///     handle.stop()
/// });
/// server.run()?; // returns when everybody has his answer
/// assert!(stopper.join().is_ok());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Handle {
    mailbox: Arc<Mailbox>,
}

/// What other threads leave for the loop, and how they wake it.
#[derive(Debug)]
pub(super) struct Mailbox {
    waker: Waker,
    is_stopping: AtomicBool,
    /// Nothing more is waited for.
    is_over: AtomicBool,
    /// Who is called.
    tickets: Mutex<Vec<usize>>,
    /// There are tickets.
    has_tickets: AtomicBool,
    /// The loop may be asleep: it must be woken. While it turns it looks by itself.
    is_asleep: AtomicBool,
}

impl Handle {
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let waker = Waker::new(registry, token)?;
        let mailbox = Mailbox {
            waker,
            is_stopping: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            tickets: Mutex::default(),
            has_tickets: AtomicBool::new(false),
            is_asleep: AtomicBool::new(true),
        };
        Ok(Handle { mailbox: Arc::new(mailbox) })
    }

    /// Asks the server to stop: no more peers, what has begun is finished, at most for the configured grace.
    ///
    /// # Errors
    /// What the system says when the loop cannot be woken.
    pub fn stop(&self) -> io::Result<()> {
        self.mailbox.is_stopping.store(true, Ordering::Release);
        self.mailbox.waker.wake()
    }

    /// Asks the server to stop at once: answers that are on their way are cut short.
    ///
    /// # Errors
    /// As [`stop`](Self::stop).
    pub fn stop_now(&self) -> io::Result<()> {
        self.mailbox.is_over.store(true, Ordering::Release);
        self.stop()
    }

    pub(super) fn wants_stop_now(&self) -> bool {
        self.mailbox.is_over.load(Ordering::Acquire)
    }

    pub(super) fn wants_stop(&self) -> bool {
        self.mailbox.is_stopping.load(Ordering::Acquire)
    }

    pub(super) fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// Those who were called since the last time.
    pub(super) fn take_tickets(&self) -> Vec<usize> {
        if !self.mailbox.has_tickets.swap(false, Ordering::SeqCst) {
            return Vec::new();
        }
        std::mem::take(&mut *self.mailbox.tickets.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// True if somebody was called.
    pub(super) fn has_tickets(&self) -> bool {
        self.mailbox.has_tickets.load(Ordering::SeqCst)
    }

    /// The loop is about to sleep: from here on it must be woken. Asked whether there are tickets
    /// after this, it misses none.
    pub(super) fn falls_asleep(&self) {
        self.mailbox.is_asleep.store(true, Ordering::SeqCst);
    }

    /// The loop turns, and will look at the tickets before it sleeps.
    pub(super) fn wakes_up(&self) {
        self.mailbox.is_asleep.store(false, Ordering::SeqCst);
    }
}

impl Wake for Mailbox {
    fn wake(&self, ticket: usize) {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner).push(ticket);
        self.has_tickets.store(true, Ordering::SeqCst);
        // The first one wakes it for all.
        if self.is_asleep.swap(false, Ordering::SeqCst)
            && let Err(error) = self.waker.wake()
        {
            log::error!("a deferred answer must wait: the loop cannot be woken: {error}");
        }
    }
}
