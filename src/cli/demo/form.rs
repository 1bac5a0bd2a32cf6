//! A form, and what was filled in.

use std::fmt::Write as _;

use ownhands::{HttpError, Request, Response};

use super::pages::{self, Escaped};

/// The form; what stands in the query was filled in by one who sent it with GET.
pub(super) fn show(request: &Request<'_>) -> Response {
    let pairs: Vec<_> = request.query_pairs().collect();
    page(pairs.iter().map(|(name, value)| (&**name, &**value)))
}

/// What was filled in, and the form for another time.
pub(super) fn take(request: &Request<'_>) -> Result<Response, HttpError> {
    let form = request.form()?;
    Ok(page(form.iter()))
}

fn page<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Response {
    let mut list = String::new();
    for (name, value) in pairs {
        // Writing to memory does not fail.
        let _ = writeln!(list, "<li><b>{}</b> <span>{}</span></li>", Escaped(name), Escaped(value));
    }
    let filled = match list.is_empty() {
        true => String::new(),
        false => format!("<h2>What came</h2>\n<ul class=\"facts\">\n{list}</ul>\n"),
    };
    pages::page("A form", &format!("{FORM}{filled}"))
}

const FORM: &str = r#"<form action="/form" method="post">
<p><label for="name">Your name</label> <input id="name" name="name" autocomplete="name"></p>
<p><label for="dish">A dish</label> <select id="dish" name="dish">
<option>Soup</option><option>Pasta</option><option>Pâtisserie</option></select></p>
<fieldset><legend>With it</legend>
<label><input type="checkbox" name="with" value="bread"> bread</label>
<label><input type="checkbox" name="with" value="salt &amp; pepper"> salt &amp; pepper</label></fieldset>
<p><label for="words">A few words</label> <textarea id="words" name="words" rows="3"></textarea></p>
<p><button>Send by POST</button> <button formmethod="get">Send by GET</button></p>
</form>
"#;
