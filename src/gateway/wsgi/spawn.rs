//! Starting a worker: its three descriptors, its program, and the upstreams that it is spoken to through.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;

use rustix::io::ioctl_fionbio;
use rustix::pipe::{PipeFlags, pipe_with};

use super::super::launcher::{Environment, Program};
use super::super::letter::append_netstring;
use super::super::murmur::Murmur;
use super::pool::Pool;
use super::seat::{Seat, Stage};
use super::worker::Worker;

/// The program of a worker, in Python.
const WORKER: &str = include_str!("worker.py");

/// What begins that program: it reads one netstring from its socket, and nothing behind it. It stands in `worker.py` as
/// well.
pub(super) const BOOTSTRAP: &str = r#"import io,os;f=io.BufferedReader(io.FileIO(0,closefd=False),1);n=int(b"".join(iter(lambda:f.read(1)or os._exit(1),b":")));exec(compile(f.read(n+1)[:-1],"<ownhands>","exec"),{"__name__":"<ownhands>"})"#;

/// Starts a worker of this edition. It is ready when it says so.
pub(super) fn spawn(pool: &Rc<Pool>, name: String, edition: u64) -> io::Result<Rc<Seat>> {
    let (socket, its_socket) = UnixStream::pair()?;
    let (its_control, control) = pipe_with(PipeFlags::CLOEXEC)?;
    let (log, its_log) = pipe_with(PipeFlags::CLOEXEC)?;
    socket.set_nonblocking(true)?;
    ioctl_fionbio(&control, true)?;
    let number = pool.launcher.start(&program(pool), [its_socket.as_fd(), its_control.as_fd(), its_log.as_fd()])?;
    let mut first = Vec::with_capacity(WORKER.len().saturating_add(16));
    append_netstring(&mut first, WORKER.as_bytes());
    // The buffer of a socket is larger than the program.
    (&socket).write_all(&first)?;

    let seat = Rc::new(Seat {
        number,
        name: name.into(),
        stage: Stage::Starting.into(),
        fate: Default::default(),
        edition: edition.into(),
        is_retired: false.into(),
        job: Default::default(),
        summons: Default::default(),
    });
    let (heard_by, speaker) = (Rc::clone(pool), Rc::clone(&seat));
    pool.opened.add(Murmur::heard_by(log, Box::new(move |line| heard_by.hear(&speaker.name, line)))?);
    pool.opened.add(Worker::new(socket, File::from(control), Rc::clone(&seat), Rc::clone(pool)));
    Ok(seat)
}

fn program(pool: &Pool) -> Program {
    let settings = &pool.settings;
    let mut arguments: Vec<OsString> =
        vec!["-c".into(), BOOTSTRAP.into(), (&settings.application).into(), settings.workers.to_string().into()];
    if settings.watches {
        arguments.push("reload".into());
    }
    Program {
        path: settings.python.clone(),
        arguments,
        directory: settings.directory.clone(),
        environment: Environment::Added(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_begins_with_the_line_that_stands_in_it() {
        assert!(WORKER.contains(&format!("\n# {BOOTSTRAP}\n")));
    }
}
