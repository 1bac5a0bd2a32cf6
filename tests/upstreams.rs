//! Those whom a service asks in its turn, in the loop: they are watched, called, timed and dropped.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use ownhands::http::Summons;
use ownhands::upstream::{Next, Shift, Upstream};
use ownhands::{App, Config, Deferred, HttpError, Request, Resource, Response, Server, Tick};

/// What upstreams have done, in order.
type Told = Rc<RefCell<Vec<String>>>;

/// How one upstream is called, and whether it was.
#[derive(Default)]
struct Call {
    summons: RefCell<Option<Summons>>,
    is_made: Cell<bool>,
}

/// Answers when its time has come, when it is called, or when the other end says something: with what that was.
struct Patient {
    socket: UnixStream,
    deferred: Option<Deferred>,
    call: Rc<Call>,
    patience: Option<Duration>,
    deadline: Option<Tick>,
    turns_to_do: u32,
    told: Told,
}

impl Upstream for Patient {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
    fn advance(&mut self, shift: &mut Shift<'_>) -> Next {
        self.call.summons.borrow_mut().replace(shift.recall.summons());
        if let Some(patience) = self.patience.take() {
            self.deadline = Some(shift.now.tick().plus(patience));
        }
        if self.turns_to_do > 0 {
            self.turns_to_do -= 1;
            self.told.borrow_mut().push("worked".to_owned());
            return Next::Again;
        }
        let mut room = [0; 16];
        let why = match self.socket.read(&mut room) {
            Ok(0) => "an end".to_owned(),
            Ok(count) => String::from_utf8_lossy(&room[..count]).into_owned(),
            Err(_) if self.deadline.is_some_and(|deadline| deadline <= shift.now.tick()) => "its time".to_owned(),
            Err(_) if self.call.is_made.get() => "a call".to_owned(),
            // An event that brought nothing to read.
            Err(_) => return Next::Wait(self.deadline.unwrap_or(Tick::NEVER)),
        };
        if let Some(deferred) = self.deferred.take() {
            deferred.answer(why);
        }
        Next::Close
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        self.told.borrow_mut().push("dropped".to_owned());
    }
}

/// Asks a patient one in the way that the path says.
struct Ward {
    opened: RefCell<Vec<Box<dyn Upstream>>>,
    last: RefCell<Option<Rc<Call>>>,
    told: Told,
}

impl Resource for Ward {
    fn allow(&self) -> &str {
        "GET"
    }
    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        if request.path_below_mount() == b"/call" {
            if let Some(call) = &*self.last.borrow() {
                call.is_made.set(true);
                call.summons.borrow().iter().for_each(Summons::send);
            }
            return Ok(Response::text("called"));
        }
        let (own, mut theirs) = UnixStream::pair()?;
        own.set_nonblocking(true)?;
        let (deferred, response) = request.defer();
        let call = Rc::new(Call::default());
        let (mut turns_to_do, mut patience) = (0, None);
        match request.path_below_mount() {
            b"/word" => {
                drop(thread::spawn(move || theirs.write_all(b"a word").map(|()| thread::sleep(Duration::from_secs(1)))))
            }
            b"/end" => drop(theirs),
            b"/busy" => {
                turns_to_do = 3;
                drop(theirs);
            }
            path => {
                patience = (path == b"/time").then_some(Duration::from_millis(20));
                drop(thread::spawn(move || (thread::sleep(Duration::from_secs(5)), theirs)));
            }
        }
        *self.last.borrow_mut() = Some(Rc::clone(&call));
        let told = Rc::clone(&self.told);
        let patient =
            Patient { socket: own, deferred: Some(deferred), call, patience, deadline: None, turns_to_do, told };
        self.opened.borrow_mut().push(Box::new(patient));
        Ok(response)
    }
    fn upstream(&self) -> Option<Box<dyn Upstream>> {
        self.opened.borrow_mut().pop()
    }
}

fn ask(stream: &mut TcpStream, path: &str) {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
}

fn heard(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned()
}

#[test]
fn they_go_on_by_events_by_calls_and_by_the_clock() {
    let (address, told) = (std::sync::mpsc::channel(), std::sync::mpsc::channel());
    let loop_thread = thread::spawn(move || {
        let seen: Told = Rc::default();
        let ward = Ward { opened: RefCell::default(), last: RefCell::default(), told: Rc::clone(&seen) };
        let mut app = App::new();
        app.mount("/ward", ward).unwrap();
        let mut server = Server::bind(&["127.0.0.1:0".parse().unwrap()], Config::default(), app).unwrap();
        address.0.send((server.local_addrs()[0], server.handle())).unwrap();
        server.run().unwrap();
        told.0.send(seen.borrow().clone()).unwrap();
    });
    let (address, handle) = address.1.recv().unwrap();
    let connect = || {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    };
    for (path, expected) in
        [("/ward/word", "a word"), ("/ward/end", "an end"), ("/ward/time", "its time"), ("/ward/busy", "an end")]
    {
        let mut stream = connect();
        ask(&mut stream, path);
        assert_eq!(heard(stream), expected, "{path}");
    }
    // One request calls the upstream of another.
    let (mut waiting, mut calling) = (connect(), connect());
    ask(&mut waiting, "/ward/called");
    thread::sleep(Duration::from_millis(10));
    ask(&mut calling, "/ward/call");
    assert_eq!(heard(calling), "called");
    assert_eq!(heard(waiting), "a call");

    handle.stop().unwrap();
    loop_thread.join().unwrap();
    let told = told.1.recv().unwrap();
    assert_eq!(told.iter().filter(|word| *word == "dropped").count(), 5, "{told:?}");
    assert_eq!(told.iter().filter(|word| *word == "worked").count(), 3, "{told:?}");
}
