//! What a running server does not change: its sockets were bound before the walls went up, its conversations are shown
//! to who asked for it then, and the workers of its application are told once how to be. It goes on with what it has;
//! the walls themselves it does not leave even by a word (see `lock`).

use std::fmt::Debug;

use crate::cli::options::Options;

/// Such options as they were said when the process started, before anything was made of them.
#[derive(Debug)]
pub(in crate::cli) struct Fixed(Vec<(&'static str, String)>);

impl Fixed {
    pub(in crate::cli) fn of(options: &Options) -> Fixed {
        let shown = |value: &dyn Debug| format!("{value:?}");
        let applications = &options.applications;
        Fixed(vec![
            ("port", shown(&options.port)),
            ("bind", shown(&options.addresses)),
            ("pid-file", shown(&options.pid_file)),
            ("trace", shown(&options.trace)),
            ("wsgi", shown(&applications.wsgi)),
            ("python", shown(&applications.python)),
            ("chdir", shown(&applications.chdir)),
            ("wsgi-workers", shown(&applications.wsgi_workers)),
            ("wsgi-timeout", shown(&applications.wsgi_timeout)),
            ("wsgi-queue", shown(&applications.wsgi_queue)),
            ("wsgi-reload", shown(&applications.wsgi_reload)),
        ])
    }

    /// A warning for each that is another in these options.
    pub(super) fn warnings(&self, options: &Options) -> Vec<String> {
        let pairs = self.0.iter().zip(Fixed::of(options).0);
        let changed = pairs.filter(|((_, old), (_, new))| old != new);
        changed.map(|(_, (name, _))| format!("{name} has changed: it takes effect with ownhands restart")).collect()
    }
}
