//! Where a webhook may go: how an address is written, and which addresses of the network are public. Pure.
//!
//! A server that calls whatever address it is given lets its users reach what only the server can: the database, a router,
//! the cloud's metadata service. So only what is public for certain is let through, and every form of writing an address
//! but the plainest is refused, so that no two readers can understand it differently.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::Text;

/// Longest address, in bytes.
const MOST_BYTES: usize = 2_000;
/// Longest name of a host and of one of its labels (RFC 1035, 2.3.4).
const MOST_HOST_BYTES: usize = 253;
const MOST_LABEL_BYTES: usize = 63;

/// Answers for virtual machines of one cloud; in the midst of public addresses.
const AZURE_PLATFORM: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// What an operator allows beside the public internet, for tests and labs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Networks that webhooks may reach although they are not public, by http too and on any port.
    pub networks: Vec<Network>,
    /// Ports beside 443.
    pub ports: Vec<u16>,
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `127.0.0.0/8` or `fd00::/8`.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(base, prefix)| {
            let (base, prefix): (IpAddr, u8) = (base.parse().ok()?, prefix.parse().ok()?);
            let most = if base.is_ipv4() { 32 } else { 128 };
            (prefix <= most).then_some(Self { base, prefix })
        });
        parsed.ok_or_else(|| "give a network such as 127.0.0.0/8".to_owned())
    }

    /// Tells whether `address` is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                is_same(base.to_bits().into(), address.to_bits().into(), 32, self.prefix)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                is_same(base.to_bits(), address.to_bits(), 128, self.prefix)
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Tells whether the first `prefix` of `width` bits are the same.
fn is_same(one: u128, other: u128, width: u32, prefix: u8) -> bool {
    let rest = width.saturating_sub(prefix.into());
    (one ^ other).checked_shr(rest).unwrap_or(0) == 0
}

impl Rules {
    /// Tells whether an operator allowed `address` although it is not public.
    pub fn is_allowed(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Tells whether `target` may be reached at `address`.
    pub fn may_reach(&self, target: &Target, address: IpAddr) -> bool {
        let is_plain = !target.is_https;
        let is_usual_port = target.port == 443 || self.ports.contains(&target.port);
        self.is_allowed(address) || (is_public(address) && is_usual_port && !is_plain)
    }
}

/// Where a webhook goes, read and found to be plainly written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    text: String,
    host: String,
    port: u16,
    is_https: bool,
}

impl Target {
    /// Reads an address.
    ///
    /// # Errors
    /// What is wrong with it, for its owner; it is never repeated.
    pub fn parse(text: &str, rules: &Rules) -> Result<Self, Text> {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>^`{|}#".contains(&byte);
        if text.len() > MOST_BYTES || !text.bytes().all(is_plain) {
            return Err(refuse(
                "write it in ASCII, without spaces and fragment, in 2,000 characters at most",
                "écrivez-la en ASCII, sans espaces ni fragment, en 2 000 caractères au plus",
            ));
        }
        let (rest, is_https) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (rest, true),
            // Whether it leads to where http is allowed is known once the host is looked up.
            (None, Some(rest)) if !rules.networks.is_empty() => (rest, false),
            (None, _) => {
                return Err(refuse("it begins with https://", "elle commence par https://"));
            }
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let (host, port) = split_port(authority, is_https).ok_or_else(wrong_host)?;
        let host = read_host(host).ok_or_else(wrong_host)?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        let scheme = if is_https { "https" } else { "http" };
        // As browsers write an origin: without the usual port.
        let is_usual = port == usual_port(is_https);
        let behind = if is_usual { String::new() } else { format!(":{port}") };
        let text = format!("{scheme}://{host}{behind}{slash}{path}");
        Ok(Self { text, host, port, is_https })
    }

    /// Returns it as it is sent to, without the usual port.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the name or address of the host; an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Tells whether what is sent there is encrypted.
    pub fn is_https(&self) -> bool {
        self.is_https
    }
}

fn refuse(en: &str, fr: &str) -> Text {
    Text::new(en, fr)
}

fn wrong_host() -> Text {
    refuse(
        "after https:// comes a full host name or an address of four decimal numbers, then at most a port: no user, no other form",
        "après https:// vient un nom d'hôte complet ou une adresse de quatre nombres décimaux, puis au plus un port : ni utilisateur ni autre forme",
    )
}

/// Returns the port of an address that names none.
pub fn usual_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

fn split_port(authority: &str, is_https: bool) -> Option<(&str, u16)> {
    // Behind the brackets of an IPv6 address a colon can only begin a port.
    let name_from = authority.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = authority.get(name_from..)?.find(':') else {
        return Some((authority, usual_port(is_https)));
    };
    let (host, port) = authority.split_at_checked(name_from + colon)?;
    let digits = port.strip_prefix(':')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let port = digits.parse().ok().filter(|port| is_number && *port != 0)?;
    Some((host, port))
}

/// Returns the host in lower case: a name of two or more labels, four decimal numbers, or an IPv6 address in brackets.
fn read_host(host: &str) -> Option<String> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Some(address.to_string());
    }
    let labels: Vec<&str> = host.split('.').collect();
    let last = labels.last()?;
    // Readers of old take a host that ends in a number for an address, octal and hexadecimal too.
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    let is_name = labels.len() >= 2 && host.len() <= MOST_HOST_BYTES && !is_number;
    (is_name && labels.iter().all(|label| is_label(label))).then(|| host.to_ascii_lowercase())
}

fn is_label(label: &str) -> bool {
    (1..=MOST_LABEL_BYTES).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Tells whether `address` is reached over the public internet, and nothing of the host's own networks answers to it.
///
/// # Source
/// IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890): everything that is not globally reachable is
/// refused, and what leads to an IPv4 address by translation or tunnel too.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    // This network, private, loopback; multicast, reserved, broadcast.
    let is_whole = matches!(first, 0 | 10 | 127 | 224..=255);
    // Shared by carriers (RFC 6598), link-local with the clouds' metadata, private, benchmarks.
    let is_wide = matches!(
        (first, second),
        (100, 64..=127) | (169, 254) | (172, 16..=31) | (192, 168) | (198, 18..=19)
    );
    // Protocol assignments, documentation, 6to4 relays.
    let is_small = matches!(
        (first, second, third),
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113)
    );
    let is_special = is_whole || is_wide || is_small;
    !is_special && address != AZURE_PLATFORM
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Only 2000::/3 is given out: outside lie loopback, mapped and translated IPv4, ULA, link-local and multicast.
    let is_given_out = (0x2000..=0x3fff).contains(&first);
    // Protocol assignments with Teredo and ORCHID, documentation; 6to4, which is an IPv4 address in disguise;
    // documentation again (RFC 9637).
    let is_special =
        matches!((first, second), (0x2001, 0..=0x1ff | 0xdb8) | (0x2002, _) | (0x3fff, 0..=0xfff));
    is_given_out && !is_special
}

#[cfg(test)]
mod tests;
