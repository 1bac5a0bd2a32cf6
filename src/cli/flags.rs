//! The command line, as clap reads it: each option once, with its help, its default and what it may be.
//!
//! This is the one table of options. What a configuration file and the environment may have in them follows from it,
//! and so do the manual page and the completions: a new option is a field here, and a use of it.

mod applications;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, Command, CommandFactory, Parser, Subcommand, ValueHint};
use log::LevelFilter;
use ownhands::app::Redirect;
use ownhands::{Config, Limits, Timeouts};
use regex::Regex;

use super::values::{
    AccessFormat, By, Place, Proxy, Seconds, Strictness, count, expression, fields, file_name, format, glob, header,
    level, mount, name, place, port, positive, proxy, redirect, sandbox, truth, whole,
};

pub(super) use applications::Applications;

/// Serves directories and files over HTTP: one thread, one event loop.
// Without the verbs: see `with_verbs`.
#[derive(Debug, Parser)]
#[command(name = "ownhands", version, disable_help_subcommand = true)]
#[command(
    override_usage = "ownhands [OPTIONS] [PATH]...\n       ownhands demo [OPTIONS] [ROOT]\n       ownhands VERB [OPTIONS] [PATH]..."
)]
pub(super) struct CommandLine {
    /// The directory to serve, or a file; several are served by their names. One named demo is served as ./demo
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub(super) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) options: Flags,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Serves the demo: an application with a few routes, and the directory under /
    ///
    /// What is sent to /echo comes back: with --max-body 1073741824, up to 1 GiB of it, which takes room in the
    /// directory for temporary files and none in memory.
    Demo {
        /// The directory to serve
        #[arg(default_value = "static", value_hint = ValueHint::DirPath)]
        root: PathBuf,

        /// Print the routes, and serve nothing
        #[arg(long)]
        routes: bool,
    },
    /// Starts a server in the background, and returns when it listens
    Start(Paths),
    /// Stops the server in the background, and returns when it has ended
    Stop(Paths),
    /// Starts anew with these options, and loses no request
    Restart(Paths),
    /// Lets the server in the background read its configuration anew
    Reload(Paths),
    /// Tells what the server in the background is about; exit code 0 if there is one, 3 if there is none, 4 if that
    /// cannot be said
    Status(Paths),
    /// Prints a unit for systemd that runs a server with these options
    Unit(Paths),
    /// Prints the completions for a shell
    Completions {
        /// bash, elvish, fish, powershell or zsh
        shell: clap_complete::Shell,
    },
    /// Prints the manual page
    Man,
}

#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Paths {
    /// The directory to serve, or a file; several are served by their names
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub(super) paths: Vec<PathBuf>,
}

/// Options of which one leaves no room for the other. Clap's own word for it counts `--lan=false` too.
pub(super) const RIVALS: &[(&str, &str)] = &[("lan", "bind"), ("follow-links", "no-links"), ("check", "print-config")];

/// Options that are about this one call: in a file, or in the environment, they would be about all.
pub(super) const FOR_ONCE: &[&str] = &["check", "print-config"];

/// What most people look for, by headings: `-h` shows no more.
const EVERYDAY: &[&str] = &["Listening", "What is served", "Applications", "Configuration"];

/// The command without its verbs, each of which takes all options.
fn bare() -> Command {
    CommandLine::command().mut_args(|arg| if arg.is_positional() { arg } else { arg.global(true) })
}

/// The command as people are shown it.
pub(super) fn shown() -> Command {
    Verb::augment_subcommands(bare()).after_help(
        "Each option is a variable of the environment (OWNHANDS_PORT) and a key of the file (port), too. The manual: \
         ownhands man | man -l -",
    )
}

/// The same, with what is looked for most.
pub(super) fn shown_in_brief() -> Command {
    let is_rare = |arg: &Arg| arg.get_help_heading().is_some_and(|heading| !EVERYDAY.contains(&heading));
    let brief = shown().mut_args(|arg| {
        let is_rare = is_rare(&arg);
        arg.hide(is_rare)
    });
    brief.after_help("All options: ownhands --help. The manual: ownhands man | man -l -")
}

/// The options as they are read: what is switched on by its name can be switched off by `=false`, where a file has it
/// on.
pub(super) fn table() -> Command {
    bare().mut_args(|arg| match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .value_name("true|false")
            .default_value("false")
            .default_missing_value("true")
            .value_parser(By(truth)),
        _ => arg,
    })
}

/// The same with those verbs that are among the arguments. Each gets a copy of every option when it is read: to give
/// one to all of them was half of what a start took, in time and in memory.
pub(super) fn with_verbs(table: Command, arguments: &[OsString]) -> Command {
    let all = Verb::augment_subcommands(Command::new("verbs"));
    let is_said = |verb: &&Command| arguments.iter().any(|argument| argument == OsStr::new(verb.get_name()));
    table.subcommands(all.get_subcommands().filter(is_said))
}

/// The options, by the headings of the help.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Flags {
    #[command(flatten, next_help_heading = "Listening")]
    pub(super) listening: Listening,
    #[command(flatten, next_help_heading = "What is served")]
    pub(super) served: Served,
    #[command(flatten, next_help_heading = "Applications")]
    pub(super) applications: Applications,
    #[command(flatten, next_help_heading = "Limits")]
    pub(super) bounds: Bounds,
    #[command(flatten, next_help_heading = "Times")]
    pub(super) times: Times,
    #[command(flatten, next_help_heading = "Logs")]
    pub(super) logs: Logs,
    #[command(flatten, next_help_heading = "Who is believed")]
    pub(super) believed: Believed,
    #[command(flatten, next_help_heading = "Locked in")]
    pub(super) locked: Locked,
    #[command(flatten, next_help_heading = "In the background")]
    pub(super) background: Background,
    #[command(flatten, next_help_heading = "Configuration")]
    pub(super) configuration: Configuration,
}

/// Where the server listens.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Listening {
    /// Listen on this port; 0 picks a free one [default: 8000, or the next free one]
    #[arg(short, long, value_name = "PORT", value_parser = By(port))]
    pub(super) port: Option<u16>,

    /// Listen on this IP address, such as 127.0.0.1 or ::1, or on a socket in the file system: unix:/run/web.sock; may
    /// be given several times [default: 127.0.0.1]
    #[arg(short, long, value_name = "ADDR|unix:PATH", value_hint = ValueHint::AnyPath, value_parser = By(place))]
    pub(super) bind: Vec<Place>,

    /// Listen on all interfaces, so that others in the network can connect
    #[arg(long)]
    pub(super) lan: bool,
}

/// What is served, and how.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Served {
    /// The file that is served for a directory
    #[arg(long, value_name = "NAME", default_value = "index.html", value_parser = By(file_name))]
    pub(super) index: String,

    /// Answer 404 for a directory without an index file, instead of listing it
    #[arg(long)]
    pub(super) no_listing: bool,

    /// A style sheet for the listings, beside the built-in one
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) listing_css: Option<PathBuf>,

    /// Serve files whose name begins with a dot, too
    #[arg(long)]
    pub(super) hidden: bool,

    /// Do not serve what this pattern matches: *.log anywhere, /tmp or docs/*.bak from the root; may be given several
    /// times
    #[arg(long, value_name = "GLOB", value_parser = By(glob))]
    pub(super) hide: Vec<String>,

    /// Follow links that lead out of what is served, too
    #[arg(long)]
    pub(super) follow_links: bool,

    /// Follow no link at all
    #[arg(long)]
    pub(super) no_links: bool,

    /// Serve an application of one page: where there is no file, the root's index page answers
    #[arg(long)]
    pub(super) spa: bool,

    /// Serve this directory or file under this path, too: /photos=/srv/photos; may be given several times
    #[arg(long, value_name = "PATH=DIR", value_hint = ValueHint::DirPath, value_parser = By(mount))]
    pub(super) mount: Vec<(String, PathBuf)>,

    /// Lead those who ask for this path elsewhere: '/old/(.*)=/new/$1', and with a status '301 /old=/new'; may be given
    /// several times
    #[arg(long, value_name = "REGEX=TARGET", value_parser = By(redirect))]
    pub(super) redirect: Vec<Redirect>,

    /// A header that goes with every file and listing; may be given several times
    #[arg(long, value_name = "NAME: VALUE", value_parser = By(header))]
    pub(super) header: Vec<(String, String)>,

    /// Seconds for which caches may use a file without asking [default: they ask each time]
    #[arg(long, value_name = "SECONDS", value_parser = By(whole))]
    pub(super) cache: Option<u64>,

    /// Tell clients on this machine why something is not to be had, as the log has it
    #[arg(long)]
    pub(super) explain: bool,
}

/// How much may be asked for.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Bounds {
    /// Connections held at once; the limit of open files is raised to fit
    #[arg(long, value_name = "N", default_value_t = Config::MAX_CONNECTIONS, value_parser = By(count))]
    pub(super) max_connections: usize,

    /// Connections from one address; an IPv6 network of 64 bits is one [default: half of all, this machine's own free]
    #[arg(long, value_name = "N", value_parser = By(count))]
    pub(super) max_per_address: Option<usize>,

    /// Bytes of a request's head; a longer one is refused with 431
    #[arg(long, value_name = "BYTES", default_value_t = Limits::HEAD, value_parser = By(count))]
    pub(super) max_head: usize,

    /// Bytes of a request's target; a longer one is refused with 414
    #[arg(long, value_name = "BYTES", default_value_t = Limits::TARGET, value_parser = By(count))]
    pub(super) max_target: usize,

    /// Header fields of a request, 256 at most; more are refused with 431
    #[arg(long, value_name = "N", default_value_t = Limits::FIELDS, value_parser = By(fields))]
    pub(super) max_fields: usize,

    /// Bytes of a request's body; a longer one is refused with 413
    #[arg(long, value_name = "BYTES", default_value_t = Limits::BODY, value_parser = By(whole))]
    pub(super) max_body: u64,

    /// Requests on one connection, after which it is closed [default: without end]
    #[arg(long, value_name = "N", value_parser = By(positive))]
    pub(super) max_requests: Option<u64>,

    /// Bytes kept for clients that do not read, or do not finish what they say, of all connections together
    #[arg(long, value_name = "BYTES", default_value_t = Config::MAX_KEPT, value_parser = By(count))]
    pub(super) max_kept: usize,

    /// Bytes a second that a client must send of a long body, and take of a long answer
    #[arg(long, value_name = "BYTES", default_value_t = Timeouts::MIN_RATE, value_parser = By(positive))]
    pub(super) min_rate: u64,
}

/// How long things may take.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Times {
    /// Seconds a client may take for the head of a request
    #[arg(long, value_name = "SECONDS", default_value_t = Seconds(Timeouts::HEAD))]
    pub(super) header_timeout: Seconds,

    /// Seconds a client may take for a body, and one more for each --min-rate bytes that came
    #[arg(long, value_name = "SECONDS", default_value_t = Seconds(Timeouts::BODY))]
    pub(super) body_timeout: Seconds,

    /// Seconds a connection is kept between requests
    #[arg(long, value_name = "SECONDS", default_value_t = Seconds(Timeouts::IDLE))]
    pub(super) idle_timeout: Seconds,

    /// Seconds a client may take nothing of its answer
    #[arg(long, value_name = "SECONDS", default_value_t = Seconds(Timeouts::WRITE))]
    pub(super) write_timeout: Seconds,

    /// Seconds a handler may take for an answer that it has put off
    #[arg(long, value_name = "SECONDS", default_value_t = Seconds(Timeouts::ANSWER))]
    pub(super) answer_timeout: Seconds,

    /// Seconds a stopping server waits for the answers it has begun
    #[arg(long, value_name = "SECONDS", default_value_t = Seconds(Config::GRACE))]
    pub(super) grace: Seconds,
}

/// What is told, and to whom.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Logs {
    /// Where a line for each request goes: - is stdout, off is nowhere
    #[arg(long, value_name = "-|FILE|off", default_value = "-", allow_hyphen_values = true, value_hint = ValueHint::FilePath)]
    pub(super) access_log: PathBuf,

    /// How a line of the access log looks: combined, or json
    #[arg(long, value_name = "FORMAT", default_value = "combined", value_parser = By(format))]
    pub(super) access_log_format: AccessFormat,

    /// Where what happens is told: - is stderr, off is nowhere
    #[arg(long, value_name = "-|FILE|off", default_value = "-", allow_hyphen_values = true, value_hint = ValueHint::FilePath)]
    pub(super) log: PathBuf,

    /// How much is told: error, warn, info, debug, trace or off
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = By(level))]
    pub(super) log_level: LevelFilter,

    /// Show the conversations on stderr as curl -v would; with a regular expression, those for paths that it matches
    #[arg(long, value_name = "PATH-REGEX", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = By(expression))]
    pub(super) trace: Option<Regex>,
}

/// Who is believed about a client.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Believed {
    /// Believe a proxy at this address, or in this network, who its client is; unix is any at a socket in the file
    /// system; may be given several times
    #[arg(long, value_name = "CIDR|unix", value_parser = By(proxy))]
    pub(super) trust: Vec<Proxy>,

    /// Trusted proxies say who their client is by the PROXY protocol, at the beginning of each connection
    #[arg(long)]
    pub(super) proxy_protocol: bool,
}

/// What the process may still do once it listens.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Locked {
    /// Become this user once the sockets are bound
    #[arg(long, value_name = "USER", value_hint = ValueHint::Username, value_parser = By(name))]
    pub(super) user: Option<String>,

    /// Become this group once the sockets are bound [default: the user's]
    #[arg(long, value_name = "GROUP", value_parser = By(name))]
    pub(super) group: Option<String>,

    /// See nothing of the disk outside this directory, once the sockets are bound
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) chroot: Option<PathBuf>,

    /// Lock the process in: off, best-effort (what the kernel can), or required (or do not start)
    #[arg(long, value_name = "MODE", default_value = "best-effort", value_parser = By(sandbox))]
    pub(super) sandbox: Strictness,
}

/// How a server in the background is found.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Background {
    /// Where a server in the background leaves its number [default: in the user's runtime directory, or that for
    /// temporary files; root's is /run]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) pid_file: Option<PathBuf>,
}

/// Where options come from.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Configuration {
    /// Read options from this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) config: Option<PathBuf>,

    /// Say whether everything is as it should be, and serve nothing
    #[arg(long)]
    pub(super) check: bool,

    /// Print every option as it is in effect, and where that comes from
    #[arg(long)]
    pub(super) print_config: bool,
}
