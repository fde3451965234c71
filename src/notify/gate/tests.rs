//! The way out, against receivers on loopback that count who comes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::notify::address::{Network, Rules, Target};
use crate::notify::gate::{Gate, Outcome, Refusal};

/// A receiver that answers everybody the same.
struct Receiver {
    address: SocketAddr,
    n_connected: Arc<AtomicUsize>,
    told: Arc<Mutex<String>>,
}

impl Receiver {
    fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let n_connected = Arc::new(AtomicUsize::new(0));
        let told = Arc::new(Mutex::new(String::new()));
        let (counter, kept) = (Arc::clone(&n_connected), Arc::clone(&told));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                counter.fetch_add(1, Ordering::SeqCst);
                let mut stream = stream.unwrap();
                let mut bytes = [0; 4096];
                let n_read = stream.read(&mut bytes).unwrap_or(0);
                *kept.lock().unwrap() = String::from_utf8_lossy(&bytes[..n_read]).into_owned();
                drop(stream.write_all(answer.as_bytes()));
            }
        });
        Self { address, n_connected, told }
    }

    fn n_connected(&self) -> usize {
        self.n_connected.load(Ordering::SeqCst)
    }
}

const OK: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";

fn lab() -> Rules {
    Rules { networks: vec![Network::parse("127.0.0.0/8").unwrap()], ports: Vec::new() }
}

/// A gate whose hosts have the addresses that `answers` gives, one after the other.
fn gate(rules: Rules, answers: Vec<Vec<SocketAddr>>) -> Gate {
    let answers = Mutex::new(answers.into_iter());
    let look_up = move |_: &str, _: u16| Ok(answers.lock().unwrap().next().unwrap_or_default());
    Gate { rules: Arc::new(rules), look_up: Arc::new(look_up) }
}

fn post(gate: &Gate, url: &str) -> Outcome {
    let target = Target::parse(url, &lab()).unwrap();
    gate.post(&target, &[("webhook-id", "x".to_owned())], "{}")
}

#[test]
fn a_name_is_looked_up_once_a_try_and_only_what_was_checked_is_connected_to() {
    let receiver = Receiver::start(OK);
    let gate = gate(lab(), vec![vec![receiver.address]]);
    let url = format!("http://hooks.example.org:{}/a?b=c", receiver.address.port());

    assert_eq!(post(&gate, &url), Outcome::Taken(204));
    // The name has no address any more: had it been asked twice before, the first try had failed.
    assert_eq!(post(&gate, &url), Outcome::NotReached("unresolved"));

    assert_eq!(receiver.n_connected(), 1);
    let told = receiver.told.lock().unwrap();
    assert!(told.starts_with("POST /a?b=c HTTP/1.1\r\n"), "{told}");
    assert!(told.contains(&format!("host: hooks.example.org:{}", receiver.address.port())));
    assert!(told.contains("webhook-id: x\r\n"));
}

#[test]
fn a_name_that_turns_inwards_is_refused_on_the_next_try() {
    let receiver = Receiver::start(OK);
    let inside = SocketAddr::from((Ipv4Addr::LOCALHOST, receiver.address.port()));
    let outside = SocketAddr::from((Ipv4Addr::new(93, 184, 215, 14), 443));
    let target = Target::parse("https://hooks.example.org/", &Rules::default()).unwrap();
    let gate = gate(Rules::default(), vec![vec![outside], vec![inside], vec![outside, inside]]);

    assert_eq!(gate.check(&target), Ok(vec![outside]), "as it was made");
    assert_eq!(gate.post(&target, &[], "{}"), Outcome::NotReached("address_refused"));
    assert_eq!(gate.check(&target), Err(Refusal::NotPublic), "one of two is too many");

    assert_eq!(receiver.n_connected(), 0);
}

#[test]
fn a_redirect_is_an_answer_and_leads_nowhere() {
    let inside = Receiver::start(OK);
    let words = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://{}/\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
        inside.address
    );
    let receiver = Receiver::start(words.leak());
    let gate = gate(lab(), vec![vec![receiver.address]; 2]);

    let outcome = post(&gate, &format!("http://hooks.example.org:{}/", receiver.address.port()));

    assert_eq!(outcome, Outcome::Answered(302));
    assert_eq!((receiver.n_connected(), inside.n_connected()), (1, 0));
}

#[test]
fn without_tls_behind_https_nothing_is_sent() {
    let receiver = Receiver::start(OK);
    let gate = gate(lab(), vec![vec![receiver.address]]);

    let outcome = post(&gate, &format!("https://hooks.example.org:{}/", receiver.address.port()));

    assert!(matches!(outcome, Outcome::NotReached(_)), "{outcome:?}");
    let told = receiver.told.lock().unwrap();
    assert!(!told.contains("POST") && !told.contains("webhook-id"), "{told}");
}

#[test]
fn an_answer_is_not_waited_for_beyond_its_head() {
    // Ten gigabytes are announced and never come.
    let words = "HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n";
    let receiver = Receiver::start(words);
    let gate = gate(lab(), vec![vec![receiver.address]]);

    let outcome = post(&gate, &format!("http://hooks.example.org:{}/", receiver.address.port()));

    assert_eq!(outcome, Outcome::Taken(200));
}

#[test]
fn a_head_without_an_end_is_given_up() {
    let words = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(64 * 1024));
    let receiver = Receiver::start(words.leak());
    let gate = gate(lab(), vec![vec![receiver.address]]);

    let outcome = post(&gate, &format!("http://hooks.example.org:{}/", receiver.address.port()));

    assert!(matches!(outcome, Outcome::NotReached(_)), "{outcome:?}");
}
