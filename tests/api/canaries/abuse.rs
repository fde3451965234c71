//! Canaries where they do not belong: in paths, queries, headers and broken bodies of every route, and in bytes that are
//! no request.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::canaries::plants::{PLANTS, report};
use crate::canaries::stage::{CALLERS, Sent, Stage, encode};

const JSON: (&str, &str) = ("content-type", "application/json");

/// Asks one route in every wrong way, and its right one, as every caller.
pub(crate) fn abuse(stage: &Stage, method: &str, route: &str, parameters: &[String]) {
    let plant = PLANTS.iter().find(|(name, _)| *name == format!("{method} {route}"));
    for caller in CALLERS {
        let name = format!("{method} {route}");
        let planter = &stage.planter;
        let real = stage.path(route);
        let marked = stage.marked_path(route);
        for path in [&real, &marked] {
            with_marked_headers(stage, caller, (method, path));
            stage.ask(caller, (&planter.code("a method").to_uppercase(), path), &[], None);
        }
        let unknown = planter.code("the name of a parameter");
        let value = encode(&planter.words(&format!("an unknown parameter of {name}")));
        stage.ask(caller, (method, &format!("{real}?{unknown}={value}")), &[], None);
        for parameter in parameters {
            let what = format!("?{parameter} of {name}");
            // Whoever sends a code that there is not may be told which; the words that are looked for, never.
            let value = match parameter.as_str() {
                "q" | "text" | "name" => encode(&planter.words(&what)),
                _ => planter.code(&what),
            };
            stage.ask(caller, (method, &format!("{real}?{parameter}={value}")), &[], None);
        }
        if ["POST", "PUT", "PATCH", "DELETE"].contains(&method) {
            for body in broken_bodies(stage) {
                stage.ask(caller, (method, &real), &[JSON], Some(&body));
            }
            with_other_types(stage, caller, (method, &real));
        } else {
            let body = json!({"body": planter.words("a body that nobody asked for")}).to_string();
            stage.ask(caller, (method, &real), &[JSON], Some(body.as_bytes()));
        }
    }
    // What is nearly right gets furthest in.
    if let Some((_, plant)) = plant {
        let Sent { caller, path, headers, body } = plant(stage);
        for body in mutations(stage, &body) {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            stage.ask(caller, (method, &path), &headers, Some(&body));
        }
    }
}

fn with_marked_headers(stage: &Stage, caller: &str, (method, path): (&str, &str)) {
    let planter = &stage.planter;
    let (words, address) = (|what: &str| planter.words(what), |what: &str| planter.address(what));
    let forwarded = format!("for=\"[{}]\";proto=https", address("Forwarded"));
    let through = format!("{}, 10.0.0.1", address("X-Forwarded-For"));
    let cookie = format!("session={}", planter.code("a cookie"));
    let origin = format!("https://{}.example.org", planter.code("an origin"));
    let own = format!("x-{}", planter.code("the name of a header"));
    let kind = format!("application/json; boundary={}", planter.code("a media type"));
    let trace = format!("00-{}", planter.code("a trace"));
    let (real, host) = (address("X-Real-IP"), planter.code("a host"));
    let words: Vec<(&str, String)> = [
        "user-agent",
        "referer",
        "from",
        "via",
        "accept",
        "accept-language",
        "if-match",
        "if-none-match",
        "range",
        "expect",
        "sec-fetch-site",
    ]
    .into_iter()
    .map(|name| (name, words(name).replace('é', "e")))
    .collect();
    let mut headers: Vec<(&str, &str)> = vec![
        ("forwarded", &forwarded),
        ("x-forwarded-for", &through),
        ("x-real-ip", &real),
        ("x-forwarded-host", &host),
        ("cookie", &cookie),
        ("origin", &origin),
        ("content-type", &kind),
        ("traceparent", &trace),
        (&own, "1"),
    ];
    headers.extend(
        words
            .iter()
            .filter(|(name, _)| *name != "expect")
            .map(|(name, text)| (*name, text.as_str())),
    );
    stage.ask(caller, (method, path), &headers, None);
}

fn with_other_types(stage: &Stage, caller: &str, asked: (&str, &str)) {
    let words = stage.planter.words("a body of another type");
    for kind in
        ["text/plain", "application/xml", "application/x-ndjson", "multipart/form-data; boundary=x"]
    {
        stage.ask(caller, asked, &[("content-type", kind)], Some(words.as_bytes()));
    }
    let form = format!("password={}", encode(&stage.planter.words("a form")));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    stage.ask(caller, asked, &headers, Some(form.as_bytes()));
    let coding = stage.planter.code("a content coding");
    stage.ask(caller, asked, &[JSON, ("content-encoding", &coding)], Some(words.as_bytes()));
    stage.ask(caller, asked, &[JSON, ("content-encoding", "gzip")], Some(words.as_bytes()));
}

/// Bodies that no route takes.
fn broken_bodies(stage: &Stage) -> Vec<Vec<u8>> {
    let planter = &stage.planter;
    let words = |what: &str| planter.words(what);
    vec![
        format!("{{\"narrative\": \"{}", words("a body cut off")).into_bytes(),
        format!("{{\"narrative\": {}}}", words("words without quotes")).into_bytes(),
        format!("\"{}\"", words("a bare string")).into_bytes(),
        format!("[\"{}\"]", words("a list")).into_bytes(),
        format!("{{\"reason\": \"{}\", \"reason\": 1}}", words("a field twice")).into_bytes(),
        json!({planter.code("an unknown field"): words("an unknown field")})
            .to_string()
            .into_bytes(),
        [words("no UTF-8").as_bytes(), b"\xff\xfe"].concat(),
        format!("{{\"narrative\": \"\\u0000{}\"}}", words("a null character")).into_bytes(),
        format!("{}{}", "[".repeat(300), words("nested too deep")).into_bytes(),
    ]
}

/// The right body with one thing wrong at a time: each value a stray word, each object with a field nobody knows.
fn mutations(stage: &Stage, right: &Value) -> Vec<Vec<u8>> {
    let mut pointers = Vec::new();
    list_pointers(right, String::new(), &mut pointers);
    let mut bodies = Vec::new();
    for pointer in pointers {
        let mut stray = right.clone();
        let value = stray.pointer_mut(&pointer).expect("a value");
        let what = format!("words in place of {pointer}");
        if value.is_object() {
            let mut more = right.clone();
            let object = more.pointer_mut(&pointer).and_then(Value::as_object_mut);
            let words = json!(stage.planter.words("an unknown field in its place"));
            object.expect("an object").insert(stage.planter.code("an unknown field"), words);
            bodies.push(more.to_string().into_bytes());
        }
        *value = json!(stage.planter.words(&what));
        bodies.push(stray.to_string().into_bytes());
    }
    let whole = right.to_string();
    bodies.push(whole.as_bytes()[..whole.len() * 2 / 3].to_vec());
    bodies
}

fn list_pointers(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                list_pointers(value, format!("{pointer}/{name}"), pointers);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                list_pointers(value, format!("{pointer}/{index}"), pointers);
            }
        }
        _ => {}
    }
    pointers.push(pointer);
}

/// Reports of every outcome one a line, and the same id with other words.
pub(crate) fn send_lines(stage: &Stage) {
    let id = uuid::Uuid::new_v4();
    let good = report(&stage.planter, id);
    let other = report(&stage.planter, id);
    let mut wrong = report(&stage.planter, uuid::Uuid::new_v4());
    wrong["location"]["lat"] = json!(stage.planter.words("words in place of a latitude"));
    let cut = format!("{{\"narrative\": \"{}", stage.planter.words("a line cut off"));
    let lines = format!("{good}\n{good}\n{other}\n{wrong}\n{cut}\n");
    let headers = [("content-type", "application/x-ndjson")];
    for caller in ["device", "monitor"] {
        let answer = stage.ask(caller, ("POST", "/v1/reports"), &headers, Some(lines.as_bytes()));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

/// Bytes that are no request, or hardly one.
pub(crate) fn send_rubbish(stage: &Stage) {
    let planter = &stage.planter;
    let code = || planter.code("bytes that are no request");
    let long = format!("{}{}", code(), "x".repeat(200_000));
    for request in [
        format!("{} / HTTP/1.1\r\n\r\n", code().to_uppercase()),
        format!("GET /{} HTTP/1.1\r\nno colon {}\r\n\r\n", code(), code()),
        format!("GET /v1/incidents?q={} HTTP/9.9\r\n\r\n", code()),
        format!("GET /v1/%zz/{} HTTP/1.1\r\nHost: x\r\n\r\n", code()),
        format!("GET /v1/incidents?q=%zz{} HTTP/1.1\r\nHost: x\r\n\r\n", code()),
        format!("GET http://{}/v1/incidents HTTP/1.1\r\nHost: {}\r\n\r\n", code(), code()),
        format!("POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", code()),
        format!("POST /v1/reports HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {}\r\n\r\n", code()),
        format!(
            "POST /v1/reports HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{}\r\n",
            code()
        ),
        format!("GET / HTTP/1.1\r\nHost: x\r\nExpect: {}\r\n\r\n", code()),
        format!("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: {}\r\nConnection: upgrade\r\n\r\n", code()),
        format!("GET / HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n"),
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {}\r\n\r\n", code()),
        format!(
            "GET /v1/incidents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nAuthorization: Bearer {}\r\n\r\n",
            code(),
            code()
        ),
        code(),
    ] {
        let address = stage.served.url.trim_start_matches("http://");
        let mut socket = TcpStream::connect(address).expect("it listens");
        socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a timeout");
        // It may hang up before all is sent, and need not answer.
        drop(socket.write_all(request.as_bytes()));
        drop(socket.write_all(b"\xff\x00\r\n\r\n"));
        drop(socket.shutdown(std::net::Shutdown::Write));
        let mut answer = Vec::new();
        drop(socket.read_to_end(&mut answer));
        stage.problems.borrow_mut().push((format!("the answer to {request:.60}"), answer));
    }
}
