//! Answers that another path gives, of which the peer learns nothing.

use std::cell::RefCell;
use std::rc::Rc;

use ownhands::testing::MockClient;
use ownhands::{App, Deferred, HttpError, Request, Resource, Response};

/// `/to/PATH` answers what stands at `/PATH`; `/here/NAME` says how it was asked.
fn app() -> App {
    let mut app = App::new();
    app.route("GET", "/here/(?<name>.*)", |request: &Request<'_>| {
        let name = request.param("name").unwrap_or_default();
        format!("{} {name} {:?} {}", request.method, request.query, request.body.len())
    })
    .unwrap();
    for method in ["GET", "POST"] {
        app.route(method, "/to(?<path>/.*)", |request: &Request<'_>| {
            let (path, query) = (request.raw_path.trim_start_matches("/to"), request.query);
            Response::elsewhere(query.map_or(path.to_owned(), |query| format!("{path}?{query}")))
        })
        .unwrap();
    }
    app.route("GET", "/nowhere", |_: &Request<'_>| Response::elsewhere("here/a")).unwrap();
    app.route("GET", "/outside", |_: &Request<'_>| Response::elsewhere("/a/%2e%2e/b")).unwrap();
    app.route("GET", "/circle", |_: &Request<'_>| Response::elsewhere("/circle")).unwrap();
    app.route("GET", "/later", |request: &Request<'_>| {
        let (deferred, response) = request.defer();
        deferred.answer(Response::elsewhere("/here/later"));
        response
    })
    .unwrap();
    app.route("GET", "/later-circle", |request: &Request<'_>| {
        let (deferred, response) = request.defer();
        deferred.answer(Response::elsewhere("/later-circle"));
        response
    })
    .unwrap();
    app
}

#[test]
fn the_answer_is_the_one_that_is_given_there() {
    let mut client = MockClient::new(app());
    let cases = [
        ("GET", "/to/here/a", 200, "GET a None 0"),
        ("GET", "/to/here/a%20b?c=d", 200, "GET a b Some(\"c=d\") 0"),
        ("GET", "/to/to/to/here/a", 200, "GET a None 0"),
        ("POST", "/to/here/a", 200, "GET a None 0"),
        ("HEAD", "/to/here/a", 200, ""),
        ("GET", "/to/cake", 404, "404 Not Found: there is no /cake here\n"),
        ("GET", "/later", 200, "GET later None 0"),
        ("GET", "/to/later", 200, "GET later None 0"),
        // What is no path, and what has no end.
        ("GET", "/nowhere", 500, "500 Internal Server Error: the server failed to answer this request\n"),
        ("GET", "/outside", 500, "500 Internal Server Error: the server failed to answer this request\n"),
        ("GET", "/circle", 500, "500 Internal Server Error: the server failed to answer this request\n"),
        ("GET", "/later-circle", 500, "500 Internal Server Error: the server failed to answer this request\n"),
    ];
    for (method, target, status, text) in cases {
        let mut request = client.request(method, target);
        if method == "POST" {
            request = request.body("five!");
        }
        let answer = request.send();
        assert_eq!((answer.status(), answer.text().as_str()), (status, text), "{method} {target}");
    }
}

#[test]
fn hooks_are_asked_for_the_other_path_too() {
    let mut app = app();
    app.before(|request: &Request<'_>| match request.path.starts_with("/here/secret") {
        true => Err(HttpError::forbidden("not for you")),
        false => Ok(None::<Response>),
    });
    let mut client = MockClient::new(app);
    assert_eq!(client.get("/to/here/open").status(), 200);
    assert_eq!(client.get("/to/here/secret").status(), 403);
}

/// Keeps what it owes.
#[derive(Clone, Default)]
struct Debtor(Rc<RefCell<Vec<Deferred>>>);

impl Resource for Debtor {
    fn allow(&self) -> &str {
        "*"
    }
    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        let (deferred, response) = request.defer();
        self.0.borrow_mut().push(deferred);
        Ok(response)
    }
}

#[test]
fn a_body_stays_in_its_file_while_one_answer_points_to_another() {
    let (debtor, mut app) = (Debtor::default(), app());
    app.mount("/owed", debtor.clone()).unwrap();
    let limits = ownhands::Limits { body: 1_000_000, ..Default::default() };
    let mut client = MockClient::new(app).with_limits(limits);
    let long = client.request("PUT", "/owed/a").body(vec![b'a'; 200_000]).wire();
    let next = client.request("GET", "/here/next").wire();
    client.deliver([long, next].concat(), &[]);
    for target in ["/owed/b", "/here/c"] {
        let deferred = debtor.0.borrow_mut().pop().unwrap();
        assert_eq!(client.received(), b"", "{target}");
        deferred.answer(Response::elsewhere(target));
        client.turn();
    }
    let answers = [client.next_answer(false), client.next_answer(false)].map(|answer| answer.unwrap().text());
    assert_eq!(answers, ["GET c None 0", "GET next None 0"]);
}
