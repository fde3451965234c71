//! The service as a process with everything it logs, callers of every kind, and things for them to ask about.

use std::cell::RefCell;
use std::collections::BTreeMap;

use sentinelle::auth::setup::offer;
use sentinelle::auth::types::Role;
use sentinelle::clock::Clock;
use serde_json::Value;

use crate::canaries::planter::Planter;
use crate::harness::{Answer, Client, TestApp};
use crate::process::Served;
use crate::scope::let_reveal;

/// Whoever asks.
pub(crate) const CALLERS: [&str; 11] = [
    "anonymous",
    "stranger",
    "device",
    "monitor",
    "analyst",
    "coordinator",
    "auditor",
    "sysadmin",
    "reviewer",
    "regional_lead",
    "signed_in",
];

/// Of these, whoever may open reports: only they are told what reports tell.
const OPENING: [&str; 2] = ["reviewer", "regional_lead"];

/// What answers with a secret that the caller asked for: identities, a credential, a link.
const TELLING: [(&str, &str); 8] = [
    ("POST", "/v1/users"),
    ("POST", "/v1/devices"),
    ("POST", "/v1/tokens"),
    ("POST", "/v1/webhooks"),
    ("POST", "/reveal"),
    ("POST", "/v1/sessions"),
    ("POST", "/v1/me/second-factor"),
    ("PUT", "/v1/me/second-factor"),
];

/// What answers with what the caller has just said, or may read of what is theirs: the name of a phone, the address of a
/// webhook, what they were asked.
const NAMING: [(&str, &str); 4] = [
    ("PUT", "/v1/devices/"),
    ("PUT", "/v1/webhooks/"),
    ("GET", "/v1/webhooks"),
    ("GET", "/v1/messages"),
];

/// A request that plants canaries where they belong.
pub(crate) struct Sent {
    pub(crate) caller: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
}

/// Everything the test works with.
pub(crate) struct Stage {
    pub(crate) planter: Planter,
    pub(crate) app: TestApp,
    pub(crate) served: Served,
    callers: RefCell<BTreeMap<&'static str, Client>>,
    /// Texts to come back to. A real thing has its id under the part of a path that it follows.
    kept: RefCell<BTreeMap<&'static str, String>>,
    /// Every problem answer, after what it answered.
    pub(crate) problems: RefCell<Vec<(String, Vec<u8>)>>,
    /// Every answer to callers who may not open reports.
    pub(crate) told_to_others: RefCell<Vec<(String, Vec<u8>)>>,
}

impl Stage {
    /// A new instance whose first coordinator is still to come.
    pub(crate) fn set() -> Self {
        let app = TestApp::start();
        // The program has the machine's clock, and links made here must hold there.
        app.set_now(&Clock::system().now().to_rfc3339());
        let served = Served::start_talkative(&app);
        // A server that starts makes its own link, and an earlier one no longer opens.
        let link = offer(&app.context).expect("the database works").expect("nobody is there yet");
        let planter = Planter::new();
        let stranger = format!("snt_u_{}", planter.code("a token of nobody"));
        let callers = BTreeMap::from([
            ("anonymous", app.anonymous().at(&served.url)),
            ("stranger", Client::new(&served.url, Some(&stranger))),
        ]);
        let (callers, problems) = (RefCell::new(callers), RefCell::default());
        let (kept, told_to_others) = (RefCell::default(), RefCell::default());
        let stage = Self { planter, app, served, callers, kept, problems, told_to_others };
        stage.planter.keep("the link of the first coordinator", link.expose(), &[]);
        stage.keep("setup", link.expose());
        stage
    }

    /// Lets the others come.
    pub(crate) fn gather(&self) {
        let user = |role| self.app.user(role, "all");
        for (name, client) in [
            ("device", self.app.device("SLE")),
            ("monitor", user(Role::Monitor)),
            ("analyst", user(Role::Analyst)),
            ("coordinator", user(Role::Coordinator)),
            ("auditor", user(Role::Auditor)),
            ("sysadmin", user(Role::Sysadmin)),
            ("reviewer", user(Role::Reviewer)),
            ("regional_lead", user(Role::RegionalLead)),
        ] {
            self.admit(name, client.token());
        }
        let_reveal(&self.app, &self.client("reviewer"));
    }

    /// Takes a caller up under `name`, by a credential that nothing may show.
    pub(crate) fn admit(&self, name: &'static str, token: &str) {
        let bare = token.rsplit('_').next().unwrap_or_default();
        self.planter.keep(&format!("the credential of {name}"), token, &[]);
        self.planter.keep(&format!("the credential of {name} without its prefix"), bare, &[]);
        let client = Client::new(&self.served.url, Some(token));
        self.callers.borrow_mut().insert(name, client);
    }

    pub(crate) fn client(&self, caller: &str) -> Client {
        self.callers.borrow()[caller].clone()
    }

    /// Sends and keeps the answer for the search.
    pub(crate) fn ask(
        &self,
        caller: &str,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        let answer = self.client(caller).send(method, path, headers, body);
        let whole = [format!("{:?}", answer.headers).as_bytes(), &answer.body].concat();
        if answer.status >= 400 {
            assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
            let asked = format!("the {} to {method} by {caller}", answer.status);
            self.problems.borrow_mut().push((asked, whole.clone()));
        }
        let is_telling = TELLING.iter().any(|(by, end)| *by == method && path.ends_with(end));
        let is_naming = NAMING.iter().any(|(by, start)| *by == method && path.starts_with(start));
        let is_told = (is_telling || is_naming) && answer.status < 300;
        if !OPENING.contains(&caller) && !is_told {
            let asked = format!("the {} to {method} {path} by {caller}", answer.status);
            self.told_to_others.borrow_mut().push((asked, whole));
        }
        answer
    }

    /// Sends a planting request; fails unless it is taken.
    pub(crate) fn plant(&self, method: &str, sent: &Sent) -> Answer {
        let headers: Vec<(&str, &str)> =
            sent.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body =
            if sent.body.is_null() { Vec::new() } else { sent.body.to_string().into_bytes() };
        let answer = self.ask(sent.caller, (method, &sent.path), &headers, Some(&body));
        assert!(answer.status < 300, "{method} {}: {}", sent.path, answer.text());
        answer
    }

    /// Keeps a text under `name`; an id under the part of a path that it follows.
    pub(crate) fn keep(&self, name: &'static str, text: &str) {
        self.kept.borrow_mut().insert(name, text.to_owned());
    }

    pub(crate) fn kept(&self, name: &str) -> String {
        self.kept.borrow()[name].clone()
    }

    /// Returns the path of a real thing where one is known.
    pub(crate) fn path(&self, route: &str) -> String {
        fill(route, |part| {
            let id = self.kept.borrow().get(part).cloned();
            id.unwrap_or_else(|| "00000000-0000-4000-8000-000000000000".to_owned())
        })
    }

    /// Returns the path with a canary for each of its values.
    pub(crate) fn marked_path(&self, route: &str) -> String {
        fill(route, |part| encode(&self.planter.words(&format!("an id after {part}"))))
    }
}

/// Returns the path of `route` with a value for each of its parameters.
fn fill(route: &str, value_after: impl Fn(&str) -> String) -> String {
    let mut parts: Vec<String> = Vec::new();
    let route = route.replace("{table}.{format}", "incidents.csv");
    for part in route.split('/') {
        let filled = match part.split_once('{').zip(part.split_once('}')) {
            Some(((before, "country}" | "country}.csv"), (_, after))) => {
                format!("{before}SLE{after}")
            }
            Some(((before, _), (_, after))) => {
                let value = value_after(parts.last().map_or("", String::as_str));
                format!("{before}{value}{after}")
            }
            None => part.to_owned(),
        };
        parts.push(filled);
    }
    parts.join("/")
}

/// Writes `text` for a path or a query.
pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
