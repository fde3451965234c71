//! The service as a process with everything it logs, callers of every kind, and things for them to ask about.

use std::cell::RefCell;
use std::collections::BTreeMap;

use sentinelle::auth::types::Role;
use serde_json::Value;

use crate::canaries::planter::Planter;
use crate::harness::{Answer, Client, TestApp};
use crate::process::Served;
use crate::scope::let_reveal;

/// Whoever asks.
pub(crate) const CALLERS: [&str; 10] = [
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
];

/// Of these, whoever may open reports: only they are told what reports tell.
const OPENING: [&str; 2] = ["reviewer", "regional_lead"];

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
    callers: BTreeMap<&'static str, Client>,
    /// A real thing, by the part of a path that its id follows.
    things: RefCell<BTreeMap<&'static str, String>>,
    /// Every problem answer, after what it answered.
    pub(crate) problems: RefCell<Vec<(String, Vec<u8>)>>,
    /// Every answer to callers who may not open reports.
    pub(crate) told_to_others: RefCell<Vec<(String, Vec<u8>)>>,
}

impl Stage {
    pub(crate) fn set() -> Self {
        let app = TestApp::start();
        let served = Served::start_talkative(&app);
        let planter = Planter::new();
        let stranger = format!("snt_u_{}", planter.code("a token of nobody"));
        let client = |role| app.user(role, "all").at(&served.url);
        let callers = BTreeMap::from([
            ("anonymous", app.anonymous().at(&served.url)),
            ("stranger", Client::new(&served.url, Some(&stranger))),
            ("device", app.device("SLE").at(&served.url)),
            ("monitor", client(Role::Monitor)),
            ("analyst", client(Role::Analyst)),
            ("coordinator", client(Role::Coordinator)),
            ("auditor", client(Role::Auditor)),
            ("sysadmin", client(Role::Sysadmin)),
            ("reviewer", client(Role::Reviewer)),
            ("regional_lead", client(Role::RegionalLead)),
        ]);
        let_reveal(&app, &callers["reviewer"]);
        for (name, client) in callers.iter().filter(|(_, client)| client.token().len() > 40) {
            planter.keep(&format!("the token of {name}"), client.token());
            let bare = client.token().rsplit('_').next().unwrap_or_default();
            planter.keep(&format!("the token of {name} without its prefix"), bare);
        }
        let (things, problems) = (RefCell::default(), RefCell::default());
        Self { planter, app, served, callers, things, problems, told_to_others: RefCell::default() }
    }

    pub(crate) fn client(&self, caller: &str) -> &Client {
        &self.callers[caller]
    }

    /// Sends and keeps the answer for the search.
    pub(crate) fn ask(
        &self,
        caller: &str,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        let answer = self.callers[caller].send(method, path, headers, body);
        let whole = [format!("{:?}", answer.headers).as_bytes(), &answer.body].concat();
        if answer.status >= 400 {
            assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
            let asked = format!("the {} to {method} by {caller}", answer.status);
            self.problems.borrow_mut().push((asked, whole.clone()));
        }
        let is_revealed = path.ends_with("/reveal") && answer.status == 200;
        if !OPENING.contains(&caller) && !is_revealed {
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

    /// Remembers a real thing of the kind whose ids follow `part` in paths.
    pub(crate) fn remember(&self, part: &'static str, id: &Value) {
        let id = id.as_str().expect("an id").to_owned();
        self.things.borrow_mut().insert(part, id);
    }

    /// Returns the path of a real thing where one is known.
    pub(crate) fn path(&self, route: &str) -> String {
        self.fill(route, |part| {
            let id = self.things.borrow().get(part).cloned();
            id.unwrap_or_else(|| "00000000-0000-4000-8000-000000000000".to_owned())
        })
    }

    /// Returns the path with a canary for each of its values.
    pub(crate) fn marked_path(&self, route: &str) -> String {
        self.fill(route, |part| encode(&self.planter.words(&format!("an id after {part}"))))
    }

    fn fill(&self, route: &str, value_after: impl Fn(&str) -> String) -> String {
        let mut parts: Vec<String> = Vec::new();
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
