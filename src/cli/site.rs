//! What the command serves: a directory, in the demo with a few routes before it, and the access log.

use std::fmt::Display;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;

use ownhands::app::AccessLog;
use ownhands::{App, Files};
use rustix::fs::OFlags;

use super::options::{Options, Sink};
use super::patient::Patient;
use super::{Failure, demo};

/// Makes the application.
pub(super) fn furnish(options: &Options) -> Result<App, Failure> {
    check_root(options)?;
    let mut app = App::new();
    let failed = |error: &dyn Display| Failure::Run(error.to_string());
    if options.is_demo {
        demo::furnish(&mut app, files(options)?, listed(options)?).map_err(|error| failed(&error))?;
    }
    app.mount("/", files(options)?).map_err(|error| failed(&error))?;
    match &options.access_log {
        Sink::Off => {}
        Sink::Stdout => {
            app.add_observer(AccessLog::new(Patient::new(io::stdout())));
        }
        Sink::File(path) => {
            // Not to wait, neither now nor later, where the file is a pipe that nobody reads.
            let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
            let file =
                OpenOptions::new().create(true).append(true).custom_flags(flags).open(path).map_err(|error| {
                    Failure::Run(format!(
                        "the access log {} cannot be opened: {error}: name another file, or say --access-log off",
                        path.display()
                    ))
                })?;
            app.add_observer(AccessLog::new(file));
        }
    }
    Ok(app)
}

/// What is no directory cannot be served.
fn check_root(options: &Options) -> Result<(), Failure> {
    let root = options.root.display();
    let advice = if options.is_demo {
        "go to the directory of the sources, or name another one: ownhands demo ROOT"
    } else {
        "name a directory: ownhands ROOT"
    };
    match fs::metadata(&options.root) {
        Ok(data) if data.is_dir() => Ok(()),
        Ok(_) => Err(Failure::Usage(format!("{root} is not a directory: {advice}"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Failure::Usage(format!("there is no directory {root}: {advice}")))
        }
        Err(error) => Err(Failure::Usage(format!("{root} cannot be served: {error}: {advice}"))),
    }
}

/// The directory, as the options want it.
fn files(options: &Options) -> Result<Files, Failure> {
    let files = Files::new(&options.root).map_err(|error| Failure::Usage(format!("cannot serve {error}")))?;
    let files = files.with_index(&options.index);
    let files = if options.has_listing { files } else { files.without_listing() };
    Ok(if options.serves_hidden { files.with_hidden() } else { files })
}

/// The same, with a listing even where there is an index page: that one is shown under `/` already.
fn listed(options: &Options) -> Result<Files, Failure> {
    let files = files(options)?;
    Ok(if options.has_listing { files.with_index("") } else { files })
}
