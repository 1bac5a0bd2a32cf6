//! Programs that are started, watched and ended, by a thread and by what another process would run.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::attendant::Attendant;
use super::message::{LONGEST, Order};
use super::*;

/// What takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nobody waits for a grace that is not to be used up.
const LONG: Duration = Duration::from_secs(3600);

fn program(path: &str, arguments: &[&str]) -> Program {
    let arguments = arguments.iter().map(OsString::from).collect();
    Program { path: path.into(), arguments, directory: None, environment: Environment::Added(Vec::new()) }
}

fn shell(script: &str) -> Program {
    program("sh", &["-c", script])
}

fn null() -> File {
    File::options().read(true).write(true).open("/dev/null").unwrap()
}

/// Starts it with nothing to read and nowhere to write.
fn start(launcher: &Launcher, program: &Program) -> u64 {
    let null = null();
    launcher.start(program, [null.as_fd(), null.as_fd(), null.as_fd()]).unwrap()
}

/// Starts it: its number, and what it writes to stdout.
fn start_read(launcher: &Launcher, program: &Program) -> (u64, File) {
    let (read, write) = std::io::pipe().unwrap();
    let null = null();
    let number = launcher.start(program, [null.as_fd(), write.as_fd(), null.as_fd()]).unwrap();
    (number, File::from(std::os::fd::OwnedFd::from(read)))
}

/// Waits for a note.
fn hear(launcher: &Launcher) -> io::Result<Note> {
    let start = Instant::now();
    loop {
        if let Some(note) = launcher.hear()? {
            return Ok(note);
        }
        assert!(start.elapsed() < PATIENCE, "no note came");
        let second = Timespec { tv_sec: 1, tv_nsec: 0 };
        poll(&mut [PollFd::new(launcher, PollFlags::IN)], Some(&second)).unwrap();
    }
}

/// As `wait` has it: the signal, and above it the code.
fn ended(number: u64, how: &str) -> Note {
    let raw = match how.split(' ').collect::<Vec<_>>()[..] {
        ["exit", "code", code] => code.parse::<i32>().unwrap() << 8,
        ["signal", signal, _] => signal.parse().unwrap(),
        _ => panic!("{how}"),
    };
    let status = Some(ExitStatus::from_raw(raw));
    assert_eq!(ending(status), how);
    Note::Ended { number, status }
}

fn why(note: Note) -> String {
    match note {
        Note::Failed { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

/// All that was written, once nobody can write any more.
fn all(mut file: File) -> String {
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

/// A line, and not what comes after it.
fn line(file: &mut File) -> String {
    let mut text = Vec::new();
    while text.last() != Some(&b'\n') {
        let mut byte = [0];
        assert_eq!(file.read(&mut byte).unwrap(), 1, "{text:?}");
        text.extend(byte);
    }
    String::from_utf8(text).unwrap().trim_end().to_owned()
}

#[test]
fn what_it_prints_and_how_it_ended() {
    let launcher = Launcher::thread().unwrap();
    for (script, text, how) in [
        ("echo hello", "hello\n", "exit code 0"),
        ("echo 'two  words'; exit 3", "two  words\n", "exit code 3"),
        ("kill -9 $$", "", "signal 9 (SIGKILL)"),
        ("kill -TERM $$; sleep 3600", "", "signal 15 (SIGTERM)"),
        ("exit 255", "", "exit code 255"),
    ] {
        let (number, stdout) = start_read(&launcher, &shell(script));
        assert_eq!(all(stdout), text, "{script}");
        assert_eq!(hear(&launcher).unwrap(), ended(number, how), "{script}");
    }
    assert_eq!(launcher.hear().unwrap(), None);
}

#[test]
fn why_it_was_not_started() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("text"), "echo").unwrap();
    fs::write(path("script"), "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(path("script"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let elsewhere = |directory: String| Program { directory: Some(directory.into()), ..shell("exit 0") };
    let launcher = Launcher::thread().unwrap();
    for (program, reason) in [
        (program("/no/such/program", &[]), "No such file"),
        // Where PATH has a directory that is closed to us, that is what the system says.
        (program("no-program-has-this-name", &[]), " cannot be started: "),
        (program(&path("text"), &[]), "Permission denied"),
        (program(&path("script"), &[]), "there is no interpreter of the name in its first line"),
        (elsewhere(path("nothing")), "nothing is no directory to start it in"),
        (elsewhere(path("text")), "text is no directory to start it in"),
    ] {
        let number = start(&launcher, &program);
        let note = hear(&launcher).unwrap();
        assert!(matches!(note, Note::Failed { number: theirs, .. } if theirs == number), "{note:?}");
        let why = why(note);
        assert!(why.starts_with(program.path.to_str().unwrap()) && why.contains(reason), "{why}");
    }
}

#[test]
fn where_it_is_and_what_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().canonicalize().unwrap();
    let launcher = Launcher::thread().unwrap();
    let variables = vec![("COLOUR".into(), "a = b".into()), ("PATH".into(), std::env::var_os("PATH").unwrap())];
    // Some variable that there is, and that no shell makes for itself.
    let is_one = |name: &String| name.starts_with(|first: char| first.is_ascii_alphabetic()) && !name.ends_with("PWD");
    let names = std::env::vars().map(|(name, _)| name).filter(is_one);
    let known = ["PATH", "SHLVL", "IFS", "OPTIND", "PPID"];
    let name =
        names.into_iter().find(|name| !known.contains(&name.as_str()) && !name.contains(|c| !is_word(c))).unwrap();
    let mut program = shell(&format!("pwd; echo \"$COLOUR\"; echo \"${{{name}+there}}\""));
    program.directory = Some(real.clone());
    for (environment, inherits) in
        [(Environment::Own(variables.clone()), false), (Environment::Added(variables.clone()), true)]
    {
        program.environment = environment;
        let (_, stdout) = start_read(&launcher, &program);
        let text = all(stdout);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..2], [real.to_str().unwrap(), "a = b"]);
        assert_eq!(lines[2] == "there", inherits, "{name}: {text}");
    }
}

fn is_word(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

#[test]
fn it_has_three_descriptors_and_a_group_of_its_own() {
    let launcher = Launcher::thread().unwrap();
    let (_, mut stdout) = start_read(&launcher, &shell("echo $$; sleep 3600"));
    let process = line(&mut stdout);
    let number: i32 = process.parse().unwrap();
    let process = rustix::process::Pid::from_raw(number);
    assert_eq!(rustix::process::getpgid(process).ok(), process);
    let Ok(theirs) = fs::read_dir(format!("/proc/{number}/fd")) else { return };
    let mut theirs: Vec<OsString> = theirs.map(|entry| entry.unwrap().file_name()).collect();
    // What whoever started the tests has left open goes to all.
    theirs.retain(|name| !is_left_open(name) || ["0", "1", "2"].iter().any(|own| name == own));
    theirs.sort();
    assert_eq!(theirs, ["0", "1", "2"]);
}

#[test]
fn a_wire_and_what_came_over_it_are_for_nobody_else() {
    let (one, other) = Wire::pair().unwrap();
    let file = null();
    one.send(b"a file", &[file.as_fd()]).unwrap();
    let heard = other.receive(&mut [0; 100]).unwrap().unwrap();
    assert!(heard.is_whole && heard.length == 6);
    let brought = heard.descriptors.iter().map(AsFd::as_fd);
    let closed = brought.chain([one.as_fd(), other.as_fd()]).map(|fd| rustix::io::fcntl_getfd(fd).unwrap());
    assert_eq!(closed.filter(|flags| flags.contains(rustix::io::FdFlags::CLOEXEC)).count(), 3);

    one.send(b"far too long", &[]).unwrap();
    let cut = other.receive(&mut [0; 3]).unwrap().unwrap();
    assert_eq!((cut.length, cut.is_whole), (3, false));
    drop(one);
    // A program that another thread is just starting may still have it, for a moment.
    poll(&mut [PollFd::new(&other, PollFlags::IN)], None).unwrap();
    assert!(other.receive(&mut [0; 3]).unwrap().is_none());
}

/// True of a descriptor of this process that others get.
fn is_left_open(name: &OsString) -> bool {
    let facts = fs::read_to_string(Path::new("/proc/self/fdinfo").join(name)).unwrap_or_default();
    let flags = facts.lines().find_map(|line| line.strip_prefix("flags:")).map(str::trim);
    flags.and_then(|flags| u32::from_str_radix(flags, 8).ok()).is_some_and(|flags| flags & 0o2_000_000 == 0)
}

#[test]
fn a_group_ends_as_a_whole() {
    let launcher = Launcher::thread().unwrap();
    let endings = [
        (Ending::Terminate, "signal 15 (SIGTERM)"),
        (Ending::Abort, "signal 6 (SIGABRT)"),
        (Ending::Kill, "signal 9 (SIGKILL)"),
    ];
    for (how, shown) in endings {
        // Its stdout has an end when both have ended.
        let (number, mut stdout) = start_read(&launcher, &shell("sleep 3600 & echo ready; wait"));
        assert_eq!(line(&mut stdout), "ready");
        launcher.end(number, how, LONG).unwrap();
        // Who leaves a core behind says so in its status.
        let Note::Ended { number: theirs, status } = hear(&launcher).unwrap() else { panic!("{shown}") };
        assert_eq!((theirs, ending(status).as_str()), (number, shown));
        assert_eq!(all(stdout), "");
        launcher.end(number, how, LONG).unwrap(); // and nobody is looked for
    }
    assert_eq!(launcher.hear().unwrap(), None);
}

#[test]
fn what_its_leader_leaves_behind_is_killed() {
    let launcher = Launcher::thread().unwrap();
    let (number, stdout) = start_read(&launcher, &shell("(trap '' TERM; sleep 3600) & exit 7"));
    assert_eq!(hear(&launcher).unwrap(), ended(number, "exit code 7"));
    assert_eq!(all(stdout), "");
}

#[test]
fn who_does_not_end_when_asked_to_is_killed() {
    let launcher = Launcher::thread().unwrap();
    let stubborn = shell("trap '' TERM; sleep 3600 & echo ready; wait; sleep 3600");
    let (number, mut stdout) = start_read(&launcher, &stubborn);
    assert_eq!(line(&mut stdout), "ready");
    launcher.end(number, Ending::Terminate, LONG).unwrap();
    // A later word may hurry, and a third one leaves it at that.
    launcher.end(number, Ending::Terminate, Duration::from_millis(10)).unwrap();
    launcher.end(number, Ending::Terminate, LONG).unwrap();
    assert_eq!(hear(&launcher).unwrap(), ended(number, "signal 9 (SIGKILL)"));
    assert_eq!(all(stdout), "");
}

#[test]
fn who_closes_the_wire_ends_what_was_started_through_it() {
    let launcher = Launcher::thread().unwrap();
    let other = launcher.another().unwrap();
    let script = "trap 'echo ended; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
    let (_, mut stdout) = start_read(&launcher, &shell(script));
    let (theirs, mut others) = start_read(&other, &shell(script));
    assert_eq!((line(&mut stdout).as_str(), line(&mut others).as_str()), ("ready", "ready"));
    drop(launcher);
    assert_eq!(all(stdout), "ended\n");
    // The other wire hears nothing of it, and goes on.
    assert_eq!(other.hear().unwrap(), None);
    other.end(theirs, Ending::Terminate, LONG).unwrap();
    assert_eq!(hear(&other).unwrap(), ended(theirs, "exit code 0"));
    assert_eq!(start(&other, &shell("exit 0")), 2);
    assert_eq!(hear(&other).unwrap(), ended(2, "exit code 0"));
}

#[test]
fn each_hears_of_its_own() {
    let one = Launcher::thread().unwrap();
    let other = one.another().unwrap();
    assert_eq!((start(&one, &shell("exit 1")), start(&other, &shell("exit 2"))), (1, 1));
    assert_eq!(hear(&one).unwrap(), ended(1, "exit code 1"));
    assert_eq!(hear(&other).unwrap(), ended(1, "exit code 2"));
    assert_eq!((one.hear().unwrap(), other.hear().unwrap()), (None, None));
}

#[test]
fn what_no_program_can_be_started_with_is_refused_at_once() {
    let launcher = Launcher::thread().unwrap();
    let null = null();
    let with = |name: &str, value: &str| Program {
        environment: Environment::Own(vec![(name.into(), value.into())]),
        ..shell("exit 0")
    };
    for program in [
        program("sh\0", &[]),
        program("sh", &["a\0b"]),
        with("A", "\0"),
        with("A=B", "c"),
        with("", "c"),
        program("sh", &[&"a".repeat(LONGEST)]),
    ] {
        let error = launcher.start(&program, [null.as_fd(), null.as_fd(), null.as_fd()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    // None of them is counted, and what just fits is started.
    let script = ": ".to_owned() + &"a".repeat(LONGEST - 200);
    assert_eq!(start(&launcher, &shell(&script)), 1);
    assert_eq!(hear(&launcher).unwrap(), ended(1, "exit code 0"));
}

#[test]
fn who_does_not_listen_waits_for_himself() {
    let launcher = Launcher::thread().unwrap();
    let other = launcher.another().unwrap();
    let null = null();
    // More than the system keeps of notes, and then of orders.
    let refusal = (0..1_000_000).find_map(|_| {
        launcher.start(&program("/no/such/program", &[]), [null.as_fd(), null.as_fd(), null.as_fd()]).err()
    });
    assert_eq!(refusal.unwrap().kind(), ErrorKind::WouldBlock);
    assert_eq!(start(&other, &shell("exit 0")), 1);
    assert_eq!(hear(&other).unwrap(), ended(1, "exit code 0"));
    // All of it is heard in the end.
    let asked = launcher.asked.get();
    for number in 1..=asked {
        assert!(matches!(hear(&launcher).unwrap(), Note::Failed { number: theirs, .. } if theirs == number));
    }
}

#[test]
fn who_speaks_another_language_is_not_listened_to() {
    for message in [&b"hello"[..], b"start\0", b"start\x001\0sh\0\x002\0-c\0own\0", b"end\x001\0softly\x000\0", b"\0"] {
        let launcher = Launcher::thread().unwrap();
        let (number, stdout) = start_read(&launcher, &shell("sleep 3600"));
        assert_eq!(number, 1);
        launcher.wire.send(message, &[]).unwrap();
        assert_eq!(all(stdout), "");
        assert_eq!(hear(&launcher).unwrap_err().kind(), ErrorKind::BrokenPipe, "{message:?}");
    }
}

#[test]
fn what_comes_without_its_descriptors_is_not_started() {
    let launcher = Launcher::thread().unwrap();
    let null = null();
    launcher.wire.send(&Order::Start(7, shell("exit 0")).write().unwrap(), &[null.as_fd()]).unwrap();
    let note = hear(&launcher).unwrap();
    assert_eq!(why(note), "sh is not started: 1 of its descriptors came, there may be no room for more");
}

#[test]
fn messages_are_read_as_they_were_written() {
    let own = Environment::Own(vec![("A".into(), "b=c\n".into()), ("B".into(), "".into())]);
    let program =
        Program { path: "a b".into(), arguments: vec!["".into(), "x".into()], directory: None, environment: own };
    let elsewhere = Program { directory: Some("/".into()), arguments: Vec::new(), ..program.clone() };
    let orders = [
        Order::Start(u64::MAX, program),
        Order::Start(1, elsewhere),
        Order::Start(2, shell("exit 0")),
        Order::End(3, Ending::Abort, Duration::from_millis(1500)),
        Order::Another,
    ];
    for order in orders {
        assert_eq!(Order::read(&order.write().unwrap()), Some(order));
    }
    let notes = [
        ended(1, "exit code 0"),
        ended(2, "signal 9 (SIGKILL)"),
        Note::Ended { number: 3, status: None },
        Note::Failed { number: 4, why: "é".to_owned() },
    ];
    for note in notes {
        assert_eq!(Note::read(&note.write()), Some(note));
    }
    let long = Note::Failed { number: 1, why: "é".repeat(5000) };
    assert!(long.write().len() <= LONGEST_NOTE && Note::read(&long.write()).is_some());
}

/// Runs an attendant by hand, so that all it did is done when it has ended.
#[test]
fn nothing_is_left_over() {
    let (launcher, its) = Launcher::pair().unwrap();
    let attendant = Attendant::new(Wire::new(its).unwrap(), None);
    let thread = thread::spawn(move || attendant.run());
    let mut wires = vec![launcher];
    for _ in 0..3 {
        wires.push(wires[0].another().unwrap());
    }
    let mut marked = tempfile::NamedTempFile::new().unwrap();
    let mut processes = Vec::new();
    for wire in &wires {
        for script in ["echo $$; exit 0", "echo $$; kill -9 $$", "echo $$; exec sleep 3600"] {
            let (number, mut stdout) = start_read(wire, &shell(script));
            processes.push(line(&mut stdout));
            if script != "echo $$; exec sleep 3600" {
                assert!(matches!(hear(wire).unwrap(), Note::Ended { number: theirs, .. } if theirs == number));
            }
        }
        let file = marked.as_file();
        let number = wire.start(&shell("echo written"), [file.as_fd(), file.as_fd(), file.as_fd()]).unwrap();
        assert_eq!(hear(wire).unwrap(), ended(number, "exit code 0"));
        wire.start(&program("/no/such/program", &[]), [file.as_fd(), file.as_fd(), file.as_fd()]).unwrap();
        why(hear(wire).unwrap());
    }
    assert_eq!(descriptors_of(marked.path()), if cfg!(target_os = "linux") { 1 } else { 0 });
    marked.flush().unwrap();
    assert_eq!(fs::read_to_string(marked.path()).unwrap(), "written\n".repeat(wires.len()));
    assert_eq!(processes.len(), 12);
    drop(wires);
    thread.join().unwrap().unwrap();
    // Not even as a zombie.
    let left: Vec<&String> = processes.iter().filter(|process| Path::new("/proc").join(process).exists()).collect();
    assert_eq!(left, [""; 0]);
}

/// How many descriptors of this process are of this file, where the system says it.
fn descriptors_of(file: &Path) -> usize {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return 0 };
    entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()).filter(|link| link == file).count()
}
