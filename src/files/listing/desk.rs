//! Where listings are asked for: it knows which directories are being looked through, and what was answered just now.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use foldhash::quality::FixedState;

use super::super::conditional::{self, Date, Verdict};
use super::super::facts::{Facts, Moment};
use super::super::resolve::{self, Ground};
use super::super::since::Since;
use super::copy::{Awaited, Copy, Outcome};
use super::face::{self, Face, VALIDATED};
use super::kept::{Finished, Kept, Key, Origin, Record};
use super::sheets::Sheets;
use super::survey::{Held, Survey};
use super::{Listing, RENDER_SLICE, State, page, plain};
use crate::http::{Body, Bytes, HeaderList, HttpError, Now, Produced, Request, Response, Source as _, Status};

/// Slices done before the answer begins: enough for some 250 entries, and a fraction of what a turn may take. What is
/// done by then goes out in one piece; the rest is streamed.
const EAGER_SLICES: usize = 6;

/// The most listings of which a copy is taken at one time.
const MAX_COPIES: usize = 4;

/// What is known of directories, by their paths, as long as a listing needs it.
type Surveys = HashMap<Vec<u8>, (Since, Weak<Mutex<Survey>>)>;

/// What the listings of one [`Files`](super::super::Files) have in common.
#[derive(Debug)]
pub(in super::super) struct Desk {
    sheets: Sheets,
    kept: RefCell<Kept>,
    /// Of the listings that are being written, those of which there will be a copy.
    awaited: RefCell<Vec<(Origin, Awaited)>>,
    /// What was last said in Accept, and the face that it asks for.
    liked: RefCell<Option<(Vec<u8>, Face)>>,
    surveys: RefCell<Surveys>,
    held: Held,
}

impl std::fmt::Debug for Survey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Survey").field("directory", &String::from_utf8_lossy(&self.directory)).finish_non_exhaustive()
    }
}

impl Desk {
    pub(in super::super) fn new() -> Self {
        Desk {
            sheets: Sheets::new(),
            kept: RefCell::default(),
            awaited: RefCell::default(),
            liked: RefCell::default(),
            surveys: RefCell::default(),
            held: Held::default(),
        }
    }

    /// One more style for the pages.
    pub(in super::super) fn add_css(&mut self, css: String) {
        self.sheets.add(css);
    }

    /// Answers for the style and the script of the pages.
    pub(in super::super) fn sheet(&self, request: &Request<'_>) -> Option<Response> {
        self.sheets.answer(request.path_below_mount())
    }

    /// The face that is asked for. Who asks again says what he likes in the same words.
    fn face(&self, request: &Request<'_>) -> Result<Face, HttpError> {
        let mut fields = request.headers.get_all("accept");
        let said = (request.query, fields.next(), fields.next(), face::is_wget(request));
        let (None, Some(accept), None, false) = said else { return Face::asked(request) };
        let mut liked = self.liked.borrow_mut();
        if let Some((words, face)) = &*liked
            && words == accept
        {
            return Ok(*face);
        }
        let face = Face::asked(request)?;
        *liked = Some((accept.to_vec(), face));
        Ok(face)
    }

    /// The listing as it went out a moment ago, if it holds without another look for an index page.
    pub(in super::super) fn again(
        &self,
        ground: &Ground,
        request: &Request<'_>,
    ) -> Option<Result<Response, HttpError>> {
        self.take_copies(request.now);
        let kept = self.kept.borrow();
        // What is asked for in the query is not for here to tell.
        if request.query.is_some() || !kept.knows(request.path_bytes) {
            return None;
        }
        let key = Key::of(request, self.face(request).ok()?);
        let record = kept.get(key, ground, request.now).filter(|record| record.origin.is_alone)?;
        Some(answer(request, &record.finished))
    }

    /// The listing: complete if the directory is small, a stream otherwise.
    pub(in super::super) fn list(
        &self,
        ground: &Ground,
        directory: Vec<u8>,
        request: &Request<'_>,
    ) -> Result<Response, HttpError> {
        let face = self.face(request)?;
        let key = Key::of(request, face);
        self.take_copies(request.now);
        if let Some(record) = self.kept.borrow().get(key, ground, request.now) {
            return answer(request, &record.finished);
        }
        let mut begun = Vec::new();
        match face {
            Face::Page => page::begin(request, &self.sheets, &mut begun),
            Face::Plain => plain::begin(request, &mut begun),
            Face::Linked => plain::begin_links(request, &mut begun),
            Face::Json => {}
        }
        let survey = self.survey(ground, directory, request.now)?;
        let mut listing = Listing { survey, face, state: State::Surveying, begun, copy: None };
        let mut out = Vec::with_capacity(RENDER_SLICE);
        let mut produced = Produced::More;
        for slice in 0..EAGER_SLICES {
            // Others wait as well.
            let is_long = slice > 0 && request.now.is_long_turn();
            if produced == Produced::All || is_long {
                break;
            }
            produced = listing.produce(&mut out)?;
        }
        if produced != Produced::All {
            listing.begun = out;
            listing.copy = self.origin(key, ground, &listing)?.and_then(|origin| self.await_copy(origin));
            let headers = HeaderList::from_static(face.headers());
            return Ok(Response::new(Status::OK).with_headers(headers).with_body(Body::Stream(Box::new(listing))));
        }
        let change = listing.survey.lock().unwrap_or_else(PoisonError::into_inner).last_change();
        let finished = finish(out, face, change, request.now);
        let response = answer(request, &finished);
        if let Some(origin) = self.origin(key, ground, &listing)? {
            self.kept.borrow_mut().keep(Record { origin, finished }, request.now);
        }
        response
    }

    /// What a listing is made of, as long as its survey is one that is shared.
    fn origin(&self, key: Key<'_>, ground: &Ground, listing: &Listing) -> Result<Option<Origin>, HttpError> {
        let survey = listing.survey.lock().unwrap_or_else(PoisonError::into_inner);
        let surveys = self.surveys.borrow();
        let Some((since, _)) = surveys.get(&survey.directory) else { return Ok(None) };
        let path = resolve::c_path(&survey.directory)?;
        // An index page that lies deeper comes without a trace here.
        let is_near = !ground.index.contains(&b'/');
        let is_alone = is_near && survey.facts != Facts::SHARES && !ground.has_index_link(&survey.directory);
        Ok(Some(Origin::new(key, path, since.clone(), is_alone)))
    }

    /// A copy of a listing that begins to be written: one of each, and of a few at one time.
    fn await_copy(&self, origin: Origin) -> Option<Copy> {
        let mut all = self.awaited.borrow_mut();
        if all.len() >= MAX_COPIES || all.iter().any(|(other, _)| other.key() == origin.key()) {
            return None;
        }
        let (copy, awaited) = Copy::begin();
        all.push((origin, awaited));
        Some(copy)
    }

    /// Keeps the copies that have become whole.
    fn take_copies(&self, now: &Now) {
        let mut all = self.awaited.borrow_mut();
        for index in (0..all.len()).rev() {
            let outcome = all.get(index).map(|(_, awaited)| awaited.take());
            let Some(outcome @ (Outcome::Whole(_) | Outcome::Gone)) = outcome else { continue };
            let (origin, _) = all.swap_remove(index);
            if let Outcome::Whole(whole) = outcome
                && !origin.since.is_over(now)
            {
                let finished = finish(whole.content, origin.face(), whole.change, now);
                self.kept.borrow_mut().keep(Record { origin, finished }, now);
            }
        }
    }

    /// What is known of the directory, or begins to be.
    fn survey(&self, ground: &Ground, directory: Vec<u8>, now: &Now) -> Result<Arc<Mutex<Survey>>, HttpError> {
        let mut surveys = self.surveys.borrow_mut();
        surveys.retain(|_, (since, survey)| !since.is_over(now) && survey.strong_count() > 0);
        if let Some((since, survey)) = surveys.get(&directory)
            && let Some(survey) = survey.upgrade()
            && let Ok(path) = resolve::c_path(&directory)
            && since.holds(now, || ground.glance(&path, now))
        {
            return Ok(survey);
        }
        if self.held.is_full() {
            let detail = "too many large directories are being listed just now; try again in a second";
            return Err(HttpError::service_unavailable(Duration::from_secs(1), detail));
        }
        let survey = Survey::open(ground, directory.clone(), &self.held)?;
        let since = Since::new(survey.facts, now);
        let survey = Arc::new(Mutex::new(survey));
        surveys.insert(directory, (since, Arc::downgrade(&survey)));
        Ok(survey)
    }
}

/// A whole listing with its validators. Where nothing shown can change unseen, it has a date too.
fn finish(content: Vec<u8>, face: Face, change: Option<Moment>, now: &Now) -> Finished {
    let tag = format!("\"{:016x}-{:x}\"", mark(&content), content.len());
    let modified = change.filter(|change| change.is_settled(now.system_time())).map(Date::of);
    let mut headers = HeaderList::from_static(face.headers());
    let mut validators = HeaderList::from_static(VALIDATED);
    for list in [&mut headers, &mut validators] {
        list.push("ETag", &tag);
        if let Some(modified) = modified {
            list.push("Last-Modified", modified.to_string());
        }
    }
    Finished { content: content.into(), headers: headers.shared(), validators: validators.shared(), tag, modified }
}

/// The same for the same bytes, in whatever process of this build: it is taken of each listing that is made, which
/// costs less than a tenth of what SipHash would.
fn mark(content: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(MARK).build_hasher();
    hasher.write(content);
    hasher.finish()
}

/// Any number will do.
const MARK: u64 = 0x6f77_6e68_616e_6473;

fn answer(request: &Request<'_>, finished: &Finished) -> Result<Response, HttpError> {
    match conditional::weigh(request, &finished.tag, finished.modified) {
        Verdict::Send => {
            let body = Body::Bytes(Bytes::Shared(Arc::clone(&finished.content)));
            Ok(Response::new(Status::OK).with_headers(finished.headers.clone()).with_body(body))
        }
        Verdict::NotModified => Ok(Response::new(Status::NOT_MODIFIED).with_headers(finished.validators.clone())),
        Verdict::Failed => Err(conditional::failed()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::SystemTime;

    use super::super::super::root::Root;
    use super::*;
    use crate::http::Tick;

    #[test]
    fn who_asks_within_a_second_shares_what_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let ground = Ground::new(Root::open(directory.path().to_owned()).unwrap());
        let desk = Desk::new();
        // An hour later all times are settled.
        let date = SystemTime::now() + Duration::from_secs(3600);
        let mut now = Now::new(Tick::default(), date);
        let first = desk.survey(&ground, Vec::new(), &now).unwrap();
        now.turn(Tick::after(Duration::from_millis(999)), date);
        let second = desk.survey(&ground, Vec::new(), &now).unwrap();
        assert!(Arc::ptr_eq(&first, &second));

        now.turn(Tick::after(Duration::from_millis(1000)), date);
        let third = desk.survey(&ground, Vec::new(), &now).unwrap();
        assert!(!Arc::ptr_eq(&first, &third));

        std::fs::write(directory.path().join("new"), "").unwrap();
        now.turn(Tick::after(Duration::from_millis(1001)), date);
        let fourth = desk.survey(&ground, Vec::new(), &now).unwrap();
        assert!(!Arc::ptr_eq(&third, &fourth));
    }

    #[test]
    fn what_is_held_is_bounded_and_given_back() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a"), "").unwrap();
        let ground = Ground::new(Root::open(directory.path().to_owned()).unwrap());
        let desk = Desk::new();
        let now = Now::new(Tick::default(), SystemTime::now());
        let survey = desk.survey(&ground, Vec::new(), &now).unwrap();
        survey.lock().unwrap().step().unwrap();
        assert!(desk.held.bytes() > 0);
        drop(survey);
        assert_eq!(desk.held.bytes(), 0);

        desk.held.add(super::super::survey::MAX_HELD);
        let refused = desk.survey(&ground, Vec::new(), &now).unwrap_err();
        assert_eq!(
            (refused.status, refused.headers.get("retry-after")),
            (Status::SERVICE_UNAVAILABLE, Some(&b"1"[..]))
        );
    }
}
