//! The command line, as clap reads it: each option once, with its help, its default and what it may be.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use log::LevelFilter;
use ownhands::{Config, Limits, Timeouts};
use regex::Regex;

use super::values::{
    AccessFormat, Proxy, Redirection, Seconds, Strictness, address, count, expression, fields, file_name, format,
    header, level, mount, proxy, rate, redirect, sandbox,
};

/// Serves directories and files over HTTP: one thread, one event loop.
#[derive(Debug, Parser)]
#[command(name = "ownhands", version, disable_help_subcommand = true)]
#[command(override_usage = "ownhands [OPTIONS] [PATH]...\n       ownhands demo [OPTIONS] [ROOT]")]
pub(super) struct CommandLine {
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,

    /// The directory to serve, or a file; several are served by their names. One named demo is served as ./demo
    #[arg(value_name = "PATH", default_value = ".")]
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
        #[arg(default_value = "static")]
        root: PathBuf,

        /// Print the routes, and serve nothing
        #[arg(long)]
        routes: bool,
    },
    /// Starts a server in the background, and returns when it listens
    Start(Paths),
    /// Stops the server in the background, and returns when it has ended
    Stop,
    /// Starts anew with these options, and loses no request
    Restart(Paths),
    /// Lets the server in the background read its configuration anew
    Reload,
    /// Tells what the server in the background is about; exit code 0 if there is one, else 3
    Status,
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
pub(super) struct Paths {
    /// The directory to serve, or a file; several are served by their names
    #[arg(value_name = "PATH", default_value = ".")]
    pub(super) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Listen on this port; 0 picks a free one [default: 8000, or the next free one]
    #[arg(short, long, global = true, value_name = "PORT")]
    pub(super) port: Option<u16>,

    /// Listen on this IP address, such as 127.0.0.1 or ::1; may be given several times [default: 127.0.0.1]
    #[arg(short, long, global = true, value_name = "ADDR", value_parser = address)]
    pub(super) bind: Vec<IpAddr>,

    /// Listen on all interfaces, so that others in the network can connect
    #[arg(long, global = true)]
    pub(super) lan: bool,

    /// Answer 404 for a directory without an index file, instead of listing it
    #[arg(long, global = true)]
    pub(super) no_listing: bool,

    /// Serve files whose name begins with a dot, too
    #[arg(long, global = true)]
    pub(super) hidden: bool,

    /// Do not serve what this pattern matches: *.log anywhere, /tmp or docs/*.bak from the root; may be given several times
    #[arg(long, global = true, value_name = "GLOB")]
    pub(super) hide: Vec<String>,

    /// Follow links that lead out of what is served, too
    #[arg(long, global = true, conflicts_with = "no_links")]
    pub(super) follow_links: bool,

    /// Follow no link at all
    #[arg(long, global = true)]
    pub(super) no_links: bool,

    /// Serve an application of one page: where there is no file, the root's index page answers
    #[arg(long, global = true)]
    pub(super) spa: bool,

    /// Seconds for which caches may use a file without asking [default: they ask each time]
    #[arg(long, global = true, value_name = "SECONDS")]
    pub(super) cache: Option<u64>,

    /// A header that goes with every file and listing; may be given several times
    #[arg(long, global = true, value_name = "NAME: VALUE", value_parser = header)]
    pub(super) header: Vec<(String, String)>,

    /// A style sheet for the listings, beside the built-in one
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) listing_css: Option<PathBuf>,

    /// Tell clients on this machine why something is not to be had, as the log has it
    #[arg(long, global = true)]
    pub(super) explain: bool,

    /// The file that is served for a directory
    #[arg(long, global = true, value_name = "NAME", default_value = "index.html", value_parser = file_name)]
    pub(super) index: String,

    /// Connections held at once; the limit of open files is raised to fit
    #[arg(long, global = true, value_name = "N", default_value_t = Config::MAX_CONNECTIONS, value_parser = count)]
    pub(super) max_connections: usize,

    /// Bytes of a request's head; a longer one is refused with 431
    #[arg(long, global = true, value_name = "BYTES", default_value_t = Limits::HEAD, value_parser = count)]
    pub(super) max_head: usize,

    /// Bytes of a request's target; a longer one is refused with 414
    #[arg(long, global = true, value_name = "BYTES", default_value_t = Limits::TARGET, value_parser = count)]
    pub(super) max_target: usize,

    /// Header fields of a request, 256 at most; more are refused with 431
    #[arg(long, global = true, value_name = "N", default_value_t = Limits::FIELDS, value_parser = fields)]
    pub(super) max_fields: usize,

    /// Bytes of a request's body; a longer one is refused with 413
    #[arg(long, global = true, value_name = "BYTES", default_value_t = Limits::BODY)]
    pub(super) max_body: u64,

    /// Requests on one connection, after which it is closed [default: without end]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_requests: Option<u64>,

    /// Seconds a client may take for the head of a request
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = Seconds(Timeouts::HEAD))]
    pub(super) header_timeout: Seconds,

    /// Seconds a client may take for a body, and one more for each 500 bytes that came
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = Seconds(Timeouts::BODY))]
    pub(super) body_timeout: Seconds,

    /// Seconds a connection is kept between requests
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = Seconds(Timeouts::IDLE))]
    pub(super) idle_timeout: Seconds,

    /// Seconds a client may take nothing of its answer
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = Seconds(Timeouts::WRITE))]
    pub(super) write_timeout: Seconds,

    /// Where a line for each request goes: - is stdout, off is nowhere
    #[arg(long, global = true, value_name = "-|FILE|off", default_value = "-", allow_hyphen_values = true)]
    pub(super) access_log: PathBuf,

    /// Show the conversations on stderr as curl -v would; with a regular expression, those for paths that it matches
    #[arg(long, global = true, value_name = "PATH-REGEX", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = expression)]
    pub(super) trace: Option<Regex>,

    /// What is logged on stderr: error, warn, info, debug, trace or off
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info", value_parser = level)]
    pub(super) log_level: LevelFilter,

    /// Where what happens is told: - is stderr, off is nowhere
    #[arg(long, global = true, value_name = "-|FILE|off", default_value = "-", allow_hyphen_values = true)]
    pub(super) log: PathBuf,

    /// How a line of the access log looks: combined, or json
    #[arg(long, global = true, value_name = "FORMAT", default_value = "combined", value_parser = format)]
    pub(super) access_log_format: AccessFormat,

    /// Serve this directory or file under this path, too: /photos=/srv/photos; may be given several times
    #[arg(long, global = true, value_name = "PATH=DIR", value_parser = mount)]
    pub(super) mount: Vec<(String, PathBuf)>,

    /// Lead those who ask for this path elsewhere: '/old/(.*)=/new/$1', and with a status '301 /old=/new'; may be given several times
    #[arg(long, global = true, value_name = "REGEX=TARGET", value_parser = redirect)]
    pub(super) redirect: Vec<Redirection>,

    /// Connections from one address; an IPv6 network of 64 bits is one [default: half of all, this machine's own free]
    #[arg(long, global = true, value_name = "N", value_parser = count)]
    pub(super) max_per_address: Option<usize>,

    /// Bytes kept for clients that do not read, or do not finish what they say, of all connections together
    #[arg(long, global = true, value_name = "BYTES", default_value_t = Config::MAX_KEPT, value_parser = count)]
    pub(super) max_kept: usize,

    /// Bytes a second that a client must send of a long body, and take of a long answer
    #[arg(long, global = true, value_name = "BYTES", default_value_t = Timeouts::MIN_RATE, value_parser = rate)]
    pub(super) min_rate: u64,

    /// Seconds a handler may take for an answer that it has put off
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = Seconds(Timeouts::ANSWER))]
    pub(super) answer_timeout: Seconds,

    /// Seconds a stopping server waits for the answers it has begun
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = Seconds(Config::GRACE))]
    pub(super) grace: Seconds,

    /// Believe a proxy at this address, or in this network, who its client is; unix is any at a socket in the file system; may be given several times
    #[arg(long, global = true, value_name = "CIDR|unix", value_parser = proxy)]
    pub(super) trust: Vec<Proxy>,

    /// Trusted proxies say who their client is by the PROXY protocol, at the beginning of each connection
    #[arg(long, global = true)]
    pub(super) proxy_protocol: bool,

    /// Become this user once the sockets are bound
    #[arg(long, global = true, value_name = "USER")]
    pub(super) user: Option<String>,

    /// Become this group once the sockets are bound [default: the user's]
    #[arg(long, global = true, value_name = "GROUP")]
    pub(super) group: Option<String>,

    /// See nothing of the disk outside this directory, once the sockets are bound
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) chroot: Option<PathBuf>,

    /// Lock the process in: off, best-effort (what the kernel can), or required (or do not start)
    #[arg(long, global = true, value_name = "MODE", default_value = "best-effort", value_parser = sandbox)]
    pub(super) sandbox: Strictness,

    /// Where a server in the background leaves its number [default: in the user's runtime directory, or /run]
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) pid_file: Option<PathBuf>,

    /// Read options from this file
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Say whether everything is as it should be, and serve nothing
    #[arg(long, global = true)]
    pub(super) check: bool,

    /// Print every option as it is in effect, and where that comes from
    #[arg(long, global = true)]
    pub(super) print_config: bool,
}
