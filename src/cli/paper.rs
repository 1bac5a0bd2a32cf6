//! What the command has to say of itself: the help, the completions for shells, and the manual page.

use std::ffi::{OsStr, OsString};

use clap::error::ErrorKind;
use clap::{ArgMatches, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Failure, flags};

/// The help that was asked for; `-h` is a page, `--help` is all.
pub(super) fn help(arguments: &[OsString], read: &clap::Error) -> String {
    let said = |word: &str| arguments.iter().any(|argument| argument == OsStr::new(word));
    let command = if said("-h") && !said("--help") { flags::shown_in_brief() } else { flags::shown() };
    match command.try_get_matches_from(arguments) {
        Err(error) if error.kind() == ErrorKind::DisplayHelp => error.to_string(),
        // What was switched off before it, only the table for reading knows.
        _ => read.to_string(),
    }
}

/// The paper that these arguments ask for.
pub(super) fn asked_for(matches: &ArgMatches) -> Option<Result<String, Failure>> {
    match matches.subcommand()? {
        ("completions", own) => own.get_one::<Shell>("shell").map(|&shell| Ok(completions(shell))),
        ("man", _) => Some(manual().map_err(|error| Failure::Run(format!("the manual cannot be written: {error}")))),
        _ => None,
    }
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut flags::shown(), "ownhands", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// What the manual tells beside the options: a heading, and paragraphs under words.
const CHAPTERS: &[(&str, &[(&str, &str)])] = &[
    (
        "ENVIRONMENT",
        &[
            (
                "OWNHANDS_MAX_HEAD",
                "Each option is a variable, too, named in this way: this one is --max-head. What is switched on by its name \
                 is true or false there. A list is one value as it stands, or several as an array of TOML: \
                 [\"127.0.0.1\", \"::1\"].",
            ),
            ("OWNHANDS_PATHS", "What to serve, where the command line does not say it."),
            (
                "OWNHANDS_CONFIG",
                "The file of options. A variable that begins with OWNHANDS_ and is no option is an error.",
            ),
        ],
    ),
    (
        "CONFIGURATION FILE",
        &[
            (
                "port = 8000",
                "The file of --config is TOML. Its keys are the long names of the options, and paths for what to serve.",
            ),
            (
                "hide = [\"*.bak\", \"/drafts\"]",
                "A list is an array. One from a higher place stands in the place of the one below.",
            ),
            (
                "[mount]",
                "Below it, \"/photos\" = \"/srv/photos\": header, mount, redirect, scgi and cgi may be tables as well.",
            ),
            ("access-log = \"logs/access.log\"", "A relative path is relative to the directory of the file."),
            (
                "hidden = true",
                "What the command line says goes before the environment, and that before the file: --hidden=false switches off \
                 what a lower place has on. --print-config shows what holds and where it comes from, --check says whether it \
                 is good.",
            ),
        ],
    ),
    (
        "FILES",
        &[(
            "/run/ownhands.pid, $XDG_RUNTIME_DIR/ownhands.pid, /tmp/ownhands-UID.pid",
            "The number of the server in the background, if --pid-file names no other file: of root the first, of others the second, or the third where there is no such directory. Beside it is its control socket.",
        )],
    ),
    (
        "SIGNALS",
        &[
            (
                "TERM, INT",
                "Stop: accept nobody any more, finish the answers that were begun, for --grace seconds at most. A second one stops at once.",
            ),
            ("HUP", "Read the configuration anew, open the logs anew and load the application anew; connections stay."),
            ("USR1", "Open the logs anew."),
            (
                "USR2",
                "Start the program anew, hand the sockets over to it, and finish as for TERM: an upgrade in place.",
            ),
        ],
    ),
    (
        "EXIT STATUS",
        &[
            ("0", "It was done as asked; for status: there is a server."),
            ("1", "It could not be done."),
            ("2", "What was asked for makes no sense, and nothing was started: a line on stderr says why."),
            ("3", "For status: there is no server."),
            ("4", "For status: whether there is one cannot be said; a line on stderr says why."),
        ],
    ),
    (
        "EXAMPLES",
        &[
            ("ownhands", "Serves the directory one is in, for this machine alone."),
            (
                "ownhands --lan --port 80 --user www-data /srv/www",
                "Serves a directory to the network, as a user who owns nothing.",
            ),
            (
                "ownhands --redirect '301 /blog/(.*)=/posts/$1' --mount /photos=/srv/photos .",
                "Serves two directories, and leads those who have an old link.",
            ),
            (
                "ownhands --wsgi mysite.wsgi:application --python venv --mount /static=static",
                "Serves an application of Python's, and its static files.",
            ),
            ("ownhands --config /etc/ownhands.toml --print-config", "Shows what holds with this file."),
        ],
    ),
];

fn manual() -> std::io::Result<String> {
    let command = flags::shown();
    let verbs: Vec<Command> = command.get_subcommands().cloned().collect();
    // A page of its own for each verb would be a file that nobody installs.
    let whole = command.mut_subcommands(|verb| verb.hide(true)).disable_help_subcommand(true);
    let man = Man::new(whole).manual("The manual of ownhands").section("1");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    chapter_of_verbs(&verbs).to_writer(&mut page)?;
    man.render_options_section(&mut page)?;
    for (heading, paragraphs) in CHAPTERS {
        let mut roff = Roff::new();
        roff.control("SH", [*heading]);
        for (word, text) in *paragraphs {
            roff.control("TP", []).text([bold(*word)]).text([roman(*text)]);
        }
        roff.to_writer(&mut page)?;
    }
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn chapter_of_verbs(verbs: &[Command]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["VERBS"]);
    roff.text([roman(
        "Each takes the options, before or after it. Without a verb, the paths are served until a signal ends it.",
    )]);
    for verb in verbs {
        let own = verb.get_arguments().filter(|arg| !arg.is_global_set());
        let form = own.map(|arg| match arg.get_long() {
            Some(long) => format!(" [--{long}]"),
            None => format!(" {arg}"),
        });
        let form = format!("ownhands {}{}", verb.get_name(), form.collect::<String>());
        let about = verb.get_long_about().or(verb.get_about()).map(ToString::to_string).unwrap_or_default();
        roff.control("TP", []).text([bold(form)]).text([roman(about)]);
    }
    roff
}
