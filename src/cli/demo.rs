//! The demo: an application as one writes it with this library.

use ownhands::app::RouteError;
use ownhands::{App, Request};

/// Adds the demo's routes.
pub(super) fn furnish(app: &mut App) -> Result<(), RouteError> {
    app.route("GET", "/hello/(?<name>[^/]+)", hello)?;
    Ok(())
}

fn hello(request: &Request<'_>) -> String {
    format!("Hello, {}!", request.param("name").unwrap_or("world"))
}
