//! The frame of the demo's pages, and how text from a peer gets into one.
//!
//! The style is that of the site, compiled in: the pages look the same whatever directory is served. They run no
//! script, and may load none.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, SocketAddr};

use ownhands::{HttpError, Response};

const STYLE: &str = include_str!("../../../static/style.css");

/// Should anything get in unescaped after all, it cannot run, load or send.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

/// A page. The title is text, the content is HTML.
pub(super) fn page(title: &str, content: &str) -> Response {
    let title = Escaped(title);
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\">\n\
         <style>\n{STYLE}</style>\n</head>\n<body class=\"page\">\n\
         <p class=\"home\"><a href=\"/\">ownhands</a></p>\n<main>\n<h1>{title}</h1>\n{content}</main>\n</body>\n</html>\n"
    );
    Response::html(page)
        .with_header("Content-Security-Policy", POLICY)
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Cache-Control", "no-store")
}

/// The page for an error. Its status, and fields such as `Allow`, are added by the application.
pub(super) fn refusal(error: &HttpError, log: &str) -> Response {
    let mut detail = error.detail.chars();
    let first: String = detail.next().into_iter().flat_map(char::to_uppercase).collect();
    let detail = first + detail.as_str();
    let content = format!(
        "<p>{}.</p>\n<h2>The last requests</h2>\n\
         <p>This one will be among them; <a href=\"/clients.html\">there are more</a>.</p>\n{log}",
        Escaped(&detail)
    );
    page(&error.status.to_string(), &content)
}

/// Address and port of a client as they are shown; a dash for what it has not, and for the port of one behind a proxy.
pub(super) fn address(client: Option<IpAddr>, peer: Option<SocketAddr>) -> (String, String) {
    let port = peer.filter(|peer| client == Some(peer.ip().to_canonical())).map(|peer| peer.port().to_string());
    let dash = || "-".to_owned();
    (client.map_or_else(dash, |client| client.to_string()), port.unwrap_or_else(dash))
}

/// Text as it may stand in HTML, between tags and in quoted attributes.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            other => f.write_char(other),
        })
    }
}

#[cfg(test)]
mod tests {
    use ownhands::Body;

    use super::*;

    #[test]
    fn nothing_gets_out_of_text() {
        assert_eq!(Escaped("<a href='x'>&\"ü</a>").to_string(), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;ü&lt;/a&gt;");
    }

    #[test]
    fn an_error_page_is_a_sentence_and_the_log() {
        let response = refusal(&HttpError::not_found("there is no <b> here"), "<p>log</p>");
        let page = match &response.body {
            Body::Bytes(bytes) => String::from_utf8_lossy(bytes.as_slice()),
            _ => Default::default(),
        };
        assert!(page.contains("<h1>404 Not Found</h1>\n<p>There is no &lt;b&gt; here.</p>"), "{page}");
        assert!(page.contains("<p>log</p></main>"));
    }
}
