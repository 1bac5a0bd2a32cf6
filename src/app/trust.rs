//! Whom the application believes who its clients are.

use super::App;
use crate::http::Trust;

impl App {
    /// Believes these proxies who their clients are: [`Request::client`](crate::Request::client), `REMOTE_ADDR` and the
    /// access log then name the client. Without it, or from anybody else, what a request says of that is ignored.
    ///
    /// An example stands at [`Trust`].
    pub fn trust(&mut self, proxies: Trust) -> &mut App {
        self.trust = proxies;
        self
    }
}
