//! The way out: sends what is to be sent to the address that was found public, and to no other.
//!
//! The host is looked up once a try, every address it has must be let through, and those alone are connected to: a name
//! that points elsewhere a moment later gains nothing. Redirects are not followed, proxies of the environment not used,
//! answers not read beyond their status.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{Request, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

use crate::notify::address::{Rules, Target, usual_port};

/// Longest wait for the whole of a try.
const TRY_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for the name of a host.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest head of an answer.
const MOST_HEAD_BYTES: usize = 16 * 1024;
/// Most addresses of a host that are tried.
const MOST_ADDRESSES: usize = 8;

/// Finds the addresses of a host.
type LookUp = Arc<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// Lets through to public addresses alone.
#[derive(Clone)]
pub struct Gate {
    rules: Arc<Rules>,
    look_up: LookUp,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// Why an address is not connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody knows the host.
    #[error("unresolved")]
    Unresolved,
    /// It has an address that is not public, or the port is not one for webhooks.
    #[error("address_refused")]
    NotPublic,
}

/// What became of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Taken(u16),
    /// The receiver answered otherwise.
    Answered(u16),
    /// There was no answer; a code says why.
    NotReached(&'static str),
}

impl Outcome {
    /// Tells whether the receiver took it.
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Taken(_))
    }

    /// Returns the status of the answer.
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Taken(status) | Self::Answered(status) => Some(status),
            Self::NotReached(_) => None,
        }
    }

    /// Returns the code of what went wrong; `None` where nothing did.
    pub fn failure(self) -> Option<String> {
        match self {
            Self::Taken(_) => None,
            Self::Answered(status) => Some(format!("http_{status}")),
            Self::NotReached(code) => Some(code.to_owned()),
        }
    }
}

impl Gate {
    /// Returns a gate that asks the system for the addresses of hosts.
    pub fn new(rules: Rules) -> Self {
        let look_up = |host: &str, port: u16| {
            let host = host.trim_matches(['[', ']']);
            Ok((host, port).to_socket_addrs()?.collect())
        };
        Self { rules: Arc::new(rules), look_up: Arc::new(look_up) }
    }

    /// Returns what the operator allowed beside the public internet.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Looks the host up and returns its addresses if every one of them is let through. Waits on this thread.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn check(&self, target: &Target) -> Result<Vec<SocketAddr>, Refusal> {
        let (host, port) = (target.host().to_owned(), target.port());
        let look_up = Arc::clone(&self.look_up);
        let (sender, found) = mpsc::channel();
        // The system's look-up has no deadline: where it is over, nobody waits for the thread.
        std::thread::spawn(move || drop(sender.send(look_up(&host, port))));
        let found = found.recv_timeout(LOOK_UP_TIMEOUT).map_err(|_late| Refusal::Unresolved)?;
        let mut found = found.map_err(|_words_of_the_system| Refusal::Unresolved)?;
        if found.is_empty() {
            return Err(Refusal::Unresolved);
        }
        let is_through = |one: &SocketAddr| self.rules.may_reach(target, one.ip());
        if !found.iter().all(is_through) {
            return Err(Refusal::NotPublic);
        }
        found.truncate(MOST_ADDRESSES);
        Ok(found)
    }

    /// Posts a JSON body. Waits on this thread.
    pub fn post(&self, target: &Target, headers: &[(&str, String)], body: &str) -> Outcome {
        let config = Config::builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(TRY_TIMEOUT))
            .max_response_header_size(MOST_HEAD_BYTES)
            .max_idle_connections(0)
            .user_agent("sentinelle")
            .build();
        let through = Through { gate: self.clone(), target: target.clone() };
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), through);
        let mut request = Request::post(target.as_str()).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let Ok(request) = request.body(body.to_owned()) else {
            return Outcome::NotReached("invalid");
        };
        match agent.run(request) {
            Ok(answer) if answer.status().is_success() => Outcome::Taken(answer.status().as_u16()),
            Ok(answer) => Outcome::Answered(answer.status().as_u16()),
            Err(error) => Outcome::NotReached(code_of(&error)),
        }
    }
}

/// Returns the code of what kept a try from an answer.
fn code_of(error: &ureq::Error) -> &'static str {
    match error {
        ureq::Error::Other(cause) => match cause.downcast_ref::<Refusal>() {
            Some(Refusal::NotPublic) => "address_refused",
            Some(Refusal::Unresolved) => "unresolved",
            None => "unreachable",
        },
        ureq::Error::Timeout(_) => "timeout",
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => "tls",
        ureq::Error::Protocol(_) | ureq::Error::Http(_) => "no_http",
        _ => "unreachable",
    }
}

/// Names to the client the addresses that are let through, and no others.
#[derive(Debug)]
struct Through {
    gate: Gate,
    target: Target,
}

impl Resolver for Through {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let refused = |refusal: Refusal| ureq::Error::Other(Box::new(refusal));
        let port = uri.port_u16().unwrap_or_else(|| usual_port(self.target.is_https()));
        let is_ours = uri.host() == Some(self.target.host()) && port == self.target.port();
        if !is_ours {
            return Err(refused(Refusal::NotPublic));
        }
        let mut addresses = self.empty();
        for address in self.gate.check(&self.target).map_err(refused)? {
            addresses.push(address);
        }
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests;
