//! Receivers on loopback: of webhooks, and of mail.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot listen must fail"
)]

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) head: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Delivery {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// Tells whether it is signed with `secret`, as a receiver would find out.
    pub(crate) fn is_signed(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret"));
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(&key.expect("base64")).expect("a key");
        let (id, at) = (&self.headers["webhook-id"], &self.headers["webhook-timestamp"]);
        mac.update(format!("{id}.{at}.{}", self.body).as_bytes());
        let right = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.headers["webhook-signature"] == right
    }
}

/// Takes webhooks: answers the next of its statuses, then 204 to everything.
pub(crate) struct Receiver {
    address: SocketAddr,
    taken: Arc<Mutex<Vec<Delivery>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    pub(crate) fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let taken = Arc::<Mutex<Vec<Delivery>>>::default();
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
        let (kept, next) = (Arc::clone(&taken), Arc::clone(&answers));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, next) = (Arc::clone(&kept), Arc::clone(&next));
                std::thread::spawn(move || serve(&stream.expect("a connection"), &kept, &next));
            }
        });
        Self { address, taken, answers }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?for=sentinelle", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Everything that came, in order.
    pub(crate) fn taken(&self) -> Vec<Delivery> {
        self.taken.lock().expect("no thread has failed").clone()
    }

    /// Answers so from now on.
    pub(crate) fn answer(&self, answers: &[u16]) {
        *self.answers.lock().expect("no thread has failed") = answers.iter().copied().collect();
    }
}

fn serve(stream: &TcpStream, kept: &Mutex<Vec<Delivery>>, next: &Mutex<VecDeque<u16>>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    reader.read_line(&mut head).expect("a request");
    if head.is_empty() {
        return;
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers["content-length"].parse().expect("a length");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    let body = String::from_utf8(body).expect("UTF-8");
    let delivery = Delivery { head: head.trim_end().to_owned(), headers, body };
    kept.lock().expect("no thread has failed").push(delivery);
    let status = next.lock().expect("no thread has failed").pop_front().unwrap_or(204);
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let mut stream = stream;
    drop(stream.write_all(answer.as_bytes()));
}

/// Takes mail: as much of SMTP as handing over one message needs.
pub(crate) struct Mailbox {
    address: SocketAddr,
    taken: Arc<Mutex<Vec<String>>>,
    /// The answer to every message, where it is not taken.
    refusal: Arc<Mutex<Option<&'static str>>>,
}

impl Mailbox {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let taken = Arc::<Mutex<Vec<String>>>::default();
        let refusal = Arc::<Mutex<Option<&'static str>>>::default();
        let (kept, answer) = (Arc::clone(&taken), Arc::clone(&refusal));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                std::thread::spawn(move || {
                    converse(&stream.expect("a connection"), &kept, &answer);
                });
            }
        });
        Self { address, taken, refusal }
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Every message, after whom it was for.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.taken.lock().expect("no thread has failed").clone()
    }

    /// Refuses every message with these words, or none.
    pub(crate) fn refuse(&self, words: Option<&'static str>) {
        *self.refusal.lock().expect("no thread has failed") = words;
    }
}

fn converse(stream: &TcpStream, kept: &Mutex<Vec<String>>, refusal: &Mutex<Option<&'static str>>) {
    let (mut reader, mut writer) = (BufReader::new(stream), stream);
    let mut say = |words: &str| drop(writer.write_all(format!("{words}\r\n").as_bytes()));
    say("220 test");
    let mut message = String::new();
    let mut is_data = false;
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|n_read| n_read > 0) {
        let words = line.trim_end().to_owned();
        line.clear();
        match words.get(..4).unwrap_or(&words) {
            "." if is_data => {
                is_data = false;
                let refusal = *refusal.lock().expect("no thread has failed");
                if let Some(refusal) = refusal {
                    say(refusal);
                } else {
                    kept.lock().expect("no thread has failed").push(std::mem::take(&mut message));
                    say("250 taken");
                }
            }
            _ if is_data => message.extend([words.as_str(), "\n"]),
            "RCPT" => {
                message = format!("{words}\n");
                say("250 yes");
            }
            "DATA" => {
                is_data = true;
                say("354 go on");
            }
            "QUIT" => {
                say("221 bye");
                return;
            }
            _ => say("250 yes"),
        }
    }
}
