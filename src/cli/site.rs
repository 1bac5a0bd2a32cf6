//! What the command serves: directories and files, in the demo with a few routes before it, and the access log.

use std::fmt::Display;
use std::fs;
use std::io;

use ownhands::{App, Files};

use super::logs::Logs;
use super::options::Options;
use super::{Failure, demo};

/// Makes the application.
pub(super) fn furnish(options: &Options, logs: &Logs) -> Result<App, Failure> {
    check_paths(options)?;
    let mut app = App::new();
    let failed = |error: &dyn Display| Failure::Run(error.to_string());
    if options.is_demo {
        demo::furnish(&mut app, files(options)?, listed(options)?).map_err(|error| failed(&error))?;
    }
    app.mount("/", files(options)?).map_err(|error| failed(&error))?;
    if let Some(log) = logs.access_log(options) {
        app.add_observer(log);
    }
    app.trust(options.config.proxies.clone());
    Ok(app)
}

/// What cannot be served is said before anything is bound.
fn check_paths(options: &Options) -> Result<(), Failure> {
    for path in &options.paths {
        let shown = path.display();
        let advice = if options.is_demo {
            "go to the directory of the sources, or name another one: ownhands demo ROOT"
        } else {
            "name a directory or a file: ownhands PATH"
        };
        match fs::metadata(path) {
            Ok(facts) if facts.is_dir() || (facts.is_file() && !options.is_demo) => {}
            Ok(_) if options.is_demo => return Err(Failure::Usage(format!("{shown} is not a directory: {advice}"))),
            Ok(_) => return Err(Failure::Usage(format!("{shown} is neither a directory nor a file: {advice}"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Failure::Usage(format!("there is no {shown}: {advice}")));
            }
            Err(error) => return Err(Failure::Usage(format!("{shown} cannot be served: {error}: {advice}"))),
        }
    }
    Ok(())
}

/// What is served, as the options want it.
fn files(options: &Options) -> Result<Files, Failure> {
    let opened = match &options.paths[..] {
        [path] => Files::new(path),
        paths => Files::share(paths),
    };
    let mut files = opened.map_err(|error| Failure::Usage(format!("cannot serve {error}")))?;
    files = files.with_index(&options.index).with_links(options.links);
    for pattern in &options.hide {
        let wrong = |error| Failure::Usage(format!("--hide {pattern} is no pattern: {error}"));
        files = files.without(pattern).map_err(wrong)?;
    }
    for (name, value) in &options.headers {
        let wrong = |why| Failure::Usage(format!("--header cannot be {name}: {why}"));
        files = files.with_header(name, value).map_err(wrong)?;
    }
    if let Some(path) = &options.listing_css {
        let wrong = |error| Failure::Usage(format!("the style sheet {} cannot be read: {error}", path.display()));
        files = files.with_listing_css(fs::read_to_string(path).map_err(wrong)?);
    }
    if let Some(lifetime) = options.cache {
        files = files.with_cache(lifetime);
    }
    if !options.has_listing {
        files = files.without_listing();
    }
    if options.serves_hidden {
        files = files.with_hidden();
    }
    if options.is_application {
        files = files.with_application();
    }
    if options.explains {
        files = files.with_reasons();
    }
    Ok(files)
}

/// The same, with a listing even where there is an index page: that one is shown under `/` already.
fn listed(options: &Options) -> Result<Files, Failure> {
    let files = files(options)?;
    Ok(if options.has_listing { files.with_index("") } else { files })
}
