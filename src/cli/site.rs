//! What the command serves: redirects, applications, directories and files, in the demo with a few routes before
//! them, and the access log.

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::Path;

use ownhands::gateway::TryFiles;
use ownhands::{App, Files, HttpError, Request, Resource, Response};

use super::logs::Logs;
use super::options::Options;
use super::staff::{self, Staff};
use super::{Failure, applications, demo};

/// Makes the application, with its log.
pub(super) fn furnish(options: &Options, logs: &Logs, staff: &Staff) -> Result<App, Failure> {
    let mut app = build(options, Some(staff))?;
    if let Some(log) = logs.access_log(options) {
        app.add_observer(log);
    }
    Ok(app)
}

/// Makes the application, and writes nothing: redirects go first, then the demo, then what is mounted. Without a staff,
/// nobody runs what is no file.
pub(super) fn build(options: &Options, staff: Option<&Staff>) -> Result<App, Failure> {
    check_paths(options)?;
    applications::check_places(options)?;
    let mut app = App::new();
    app.trust(options.config.proxies.clone());
    let wrong = |name: &str, error: &dyn Display| options.origins.blame(name, error.to_string());
    for redirect in &options.redirects {
        app.add_redirect(redirect.clone()).map_err(|error| wrong("redirect", &error))?;
    }
    if options.is_demo {
        demo::furnish(&mut app, root(options)?, listed(options)?).map_err(|error| wrong("paths", &error))?;
    }
    for (prefix, path) in &options.mounts {
        let files = with_rules(Files::new(path).map_err(|error| cannot_serve(&error, "mount", options))?, options)?;
        if path.is_file() && !prefix.ends_with('/') {
            let answer = move |request: &Request<'_>| one_file(request, &files);
            app.route("GET", &regex::escape(prefix), answer).map_err(|error| wrong("mount", &error))?;
        } else {
            app.mount(prefix, files).map_err(|error| wrong("mount", &error))?;
        }
    }
    let mut files = if options.paths.is_empty() { None } else { Some(root(options)?) };
    for (name, prefix, application) in staff::of(options, staff)? {
        let first = files.take_if(|_| options.applications.try_files && applications::is_root(&prefix));
        let mounted = match first {
            Some(files) => app.mount(&prefix, TryFiles::new(files, application)),
            None => app.mount(&prefix, application),
        };
        mounted.map_err(|error| wrong(name, &error))?;
    }
    if let Some(files) = files {
        app.mount("/", files).map_err(|error| wrong("mount", &error))?;
    }
    Ok(app)
}

/// A file under a name that it need not have: `/robots.txt` is no directory with one file in it.
fn one_file(request: &Request<'_>, files: &Files) -> Result<Response, HttpError> {
    let mut root = *request;
    root.path_bytes = b"/";
    files.answer(&root)
}

/// What cannot be served is said before anything is bound.
fn check_paths(options: &Options) -> Result<(), Failure> {
    let advice = if options.is_demo {
        "go to the directory of the sources, or name another one: ownhands demo ROOT"
    } else {
        "name a directory or a file: ownhands PATH"
    };
    for path in &options.paths {
        check_path(path, !options.is_demo, advice).map_err(|why| options.origins.blame("paths", why))?;
    }
    for (prefix, path) in &options.mounts {
        let advice = format!("name a directory or a file: --mount {prefix}=PATH");
        check_path(path, true, &advice).map_err(|why| options.origins.blame("mount", why))?;
    }
    Ok(())
}

fn check_path(path: &Path, may_be_file: bool, advice: &str) -> Result<(), String> {
    let shown = path.display();
    Err(match fs::metadata(path) {
        Ok(facts) if facts.is_dir() || (facts.is_file() && may_be_file) => return Ok(()),
        Ok(_) if may_be_file => format!("{shown} is neither a directory nor a file: {advice}"),
        Ok(_) => format!("{shown} is not a directory: {advice}"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => format!("there is no {shown}: {advice}"),
        Err(error) => format!("{shown} cannot be served: {error}: {advice}"),
    })
}

/// What is served under `/`.
fn root(options: &Options) -> Result<Files, Failure> {
    let opened = match &options.paths[..] {
        [path] => Files::new(path),
        paths => Files::share(paths),
    };
    with_rules(opened.map_err(|error| cannot_serve(&error, "paths", options))?, options)
}

/// The same, with a listing even where there is an index page: that one is shown under `/` already.
fn listed(options: &Options) -> Result<Files, Failure> {
    let files = root(options)?;
    Ok(if options.has_listing { files.with_index("") } else { files })
}

fn cannot_serve(error: &io::Error, name: &str, options: &Options) -> Failure {
    options.origins.blame(name, format!("cannot serve {error}"))
}

/// The same files, served as the options want it: one set of rules for the root and for all mounts.
fn with_rules(mut files: Files, options: &Options) -> Result<Files, Failure> {
    files = files.with_index(&options.index).with_links(options.links);
    let blame = |name: &str, why: String| options.origins.blame(name, why);
    for pattern in &options.hide {
        let wrong = |error| blame("hide", format!("--hide {pattern} is no pattern: {error}"));
        files = files.without(pattern).map_err(wrong)?;
    }
    for (name, value) in &options.headers {
        let wrong = |why| blame("header", format!("--header cannot be {name}: {why}"));
        files = files.with_header(name, value).map_err(wrong)?;
    }
    if let Some(path) = &options.listing_css {
        let wrong = |error| blame("listing-css", format!("the style sheet {} cannot be read: {error}", path.display()));
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
