//! Settings, and the one place that reads the environment (through `clap`).

use std::num::NonZeroU32;
use std::path::PathBuf;

use actix_web::http::Uri;
use actix_web::http::uri::{Authority, Scheme};
use clap::Args;

use crate::notify::address::Network;
use crate::notify::mail::{MailAddress, SmtpUrl};

/// Where the data is, which key opens it, and how the world reaches the service; shared by every command.
#[derive(Debug, Clone, Args)]
pub struct StoreConfig {
    /// Folder for the embedded database and, unless told otherwise, the key.
    #[arg(long, env = "SENTINELLE_DATA_DIR", default_value = "data", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// `sqlite://PATH` or `postgres://USER@HOST/NAME`; without it, an embedded database in the data folder.
    #[arg(long, env = "SENTINELLE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// File with the instance key. Without it, `instance.key` in the data folder, made on the first start.
    #[arg(long, env = "SENTINELLE_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// The instance key itself, for places that hand secrets to a process by the environment.
    #[arg(long = "key", env = "SENTINELLE_KEY", hide = true, hide_env_values = true)]
    pub key_text: Option<String>,
    /// Folder of systemd credentials; the key is its file `sentinelle.key`.
    #[arg(long, env = "CREDENTIALS_DIRECTORY", hide = true)]
    pub credentials_dir: Option<PathBuf>,
    /// How the world reaches the service.
    #[command(flatten)]
    pub public: PublicConfig,
    /// How others are told of changes.
    #[command(flatten)]
    pub notify: NotifyConfig,
    /// How much is searched.
    #[command(flatten)]
    pub search: SearchConfig,
}

impl StoreConfig {
    /// Returns the settings of an embedded database in `data_dir` with its key beside it.
    pub fn in_folder(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            database_url: None,
            key_file: None,
            key_text: None,
            credentials_dir: None,
            public: PublicConfig::default(),
            notify: NotifyConfig::default(),
            search: SearchConfig::default(),
        }
    }

    /// Returns the address of the database.
    pub fn url(&self) -> String {
        let embedded = || format!("sqlite://{}", self.data_dir.join("sentinelle.db").display());
        self.database_url.clone().unwrap_or_else(embedded)
    }
}

/// How the world reaches the service: what links, browsers and finders of faults need to know.
#[derive(Debug, Clone, Default, Args)]
pub struct PublicConfig {
    /// Address under which people reach the service, such as `https://reports.example.org`; with https, browsers are told
    /// to use nothing else.
    #[arg(
        long,
        env = "SENTINELLE_PUBLIC_URL",
        value_name = "URL",
        value_parser = PublicUrl::parse
    )]
    pub public_url: Option<PublicUrl>,
    /// Where faults of security are reported: `mailto:ADDRESS` or `https://…`, served as `/.well-known/security.txt`.
    #[arg(
        long,
        env = "SENTINELLE_SECURITY_CONTACT",
        value_name = "URI",
        value_parser = SecurityContact::parse
    )]
    pub security_contact: Option<SecurityContact>,
}

/// How others are told of changes: by mail, and where webhooks may go.
#[derive(Debug, Clone, Default, Args)]
pub struct NotifyConfig {
    /// Server that takes mail: `smtps://USER:PASSWORD@HOST`, or `smtp://…?tls=required`; without it no mail is sent.
    #[arg(
        long,
        env = "SENTINELLE_SMTP_URL",
        hide_env_values = true,
        value_name = "URL",
        value_parser = SmtpUrl::parse
    )]
    pub smtp_url: Option<SmtpUrl>,
    /// Address that mail comes from.
    #[arg(
        long,
        env = "SENTINELLE_MAIL_FROM",
        value_name = "ADDRESS",
        value_parser = MailAddress::parse
    )]
    pub mail_from: Option<MailAddress>,
    /// Shortest time between two mails to one person; 60 unless told, and five minutes where something is urgent.
    #[arg(long, env = "SENTINELLE_MAIL_INTERVAL", value_name = "MINUTES")]
    pub mail_interval: Option<u16>,
    /// Ports that webhooks may go to beside 443.
    #[arg(
        long = "webhook-port",
        env = "SENTINELLE_WEBHOOK_PORTS",
        value_delimiter = ',',
        value_name = "PORT"
    )]
    pub webhook_ports: Vec<u16>,
    /// Networks that webhooks may go to although they are not public, by http too: for tests and labs, never in production.
    #[arg(
        long = "webhook-allow",
        env = "SENTINELLE_WEBHOOK_ALLOW",
        value_delimiter = ',',
        value_name = "NETWORK",
        value_parser = Network::parse
    )]
    pub webhook_allow: Vec<Network>,
}

/// How much text is searched: every text is opened for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct SearchConfig {
    /// Most reports that one text search opens.
    #[arg(
        long = "search-reports",
        env = "SENTINELLE_SEARCH_MAX_REPORTS",
        default_value_t = SearchConfig::USUAL.max_reports,
        value_name = "N"
    )]
    pub max_reports: u32,
    /// Seconds after which a text search gives up.
    #[arg(
        long = "search-seconds",
        env = "SENTINELLE_SEARCH_SECONDS",
        default_value_t = SearchConfig::USUAL.seconds,
        value_name = "SECONDS"
    )]
    pub seconds: u16,
    /// Text searches that run at once.
    #[arg(
        long = "search-at-once",
        env = "SENTINELLE_SEARCH_AT_ONCE",
        default_value_t = SearchConfig::USUAL.at_once,
        value_name = "N"
    )]
    pub at_once: u16,
}

impl SearchConfig {
    /// Unless told otherwise. Fewer searches at once than connections for reading, so that lists never wait for them.
    const USUAL: Self = Self { max_reports: 200_000, seconds: 10, at_once: 3 };
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self::USUAL
    }
}

/// The address under which people reach the service: scheme, host and port, nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    is_https: bool,
}

impl PublicUrl {
    /// Reads an absolute `http` or `https` address without path, query or user.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wanted = "give scheme, host and port alone, such as https://reports.example.org";
        let uri: Uri = text.parse().map_err(|error| format!("{error}; {wanted}"))?;
        let is_https = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(_) | None => {
                return Err(format!("it begins with neither http nor https; {wanted}"));
            }
        };
        let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
        if authority.contains('@') {
            return Err(format!("it names a user; {wanted}"));
        }
        if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
            return Err(format!("it goes on after the host; {wanted}"));
        }
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        let (scheme, usual_port) = if is_https { ("https", 443) } else { ("http", 80) };
        // Written as browsers write an origin: they leave out the usual port.
        // Behind the brackets of an IPv6 address a colon can only begin a port.
        let has_port = authority.rsplit(']').next().unwrap_or_default().contains(':');
        let port = match uri.port_u16() {
            Some(port) if port != usual_port => format!(":{port}"),
            None if has_port => {
                return Err(format!("its port is no number in 1..=65535; {wanted}"));
            }
            Some(_) | None => String::new(),
        };
        Ok(Self { origin: format!("{scheme}://{host}{port}"), is_https })
    }

    /// Returns it as a browser writes it in `Origin`: without a slash at the end.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Tells whether people come by https.
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Returns the address of `path`, which begins with a slash.
    pub fn of(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

/// Where faults of security are reported (RFC 9116, 2.5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityContact(String);

impl SecurityContact {
    /// Reads a `mailto:` or `https:` address.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_clean = text.chars().all(|letter| letter.is_ascii_graphic());
        let is_mail = text.strip_prefix("mailto:").is_some_and(|address| {
            address.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        });
        let is_page = text.starts_with("https://") && text.parse::<Uri>().is_ok();
        if is_clean && (is_mail || is_page) {
            Ok(Self(text.to_owned()))
        } else {
            Err("give mailto:ADDRESS or https://…, such as mailto:security@example.org".to_owned())
        }
    }

    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many requests go in a time: so many a minute for ever, and so many at once after a rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// As many as come.
    Unlimited,
    /// These.
    Limited {
        /// What comes back every minute.
        per_minute: NonZeroU32,
        /// What goes at once after a rest.
        at_once: NonZeroU32,
    },
}

impl Rate {
    /// Reads `PER_MINUTE:AT_ONCE` or `off`.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Unlimited);
        }
        let parsed = text.split_once(':').and_then(|(per_minute, at_once)| {
            Some(Self::Limited {
                per_minute: per_minute.parse().ok()?,
                at_once: at_once.parse().ok()?,
            })
        });
        parsed.ok_or_else(|| {
            "give requests a minute and at once, such as 1200:3000, or off for no limit".to_owned()
        })
    }
}

/// How much one caller may ask of one server, counted after its credential was found valid.
///
/// The defaults are far above real work: a script that asks twenty times a second without a pause, a phone that comes
/// back with two thousand stored reports and asks for each receipt. An NDJSON import of any length is one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct Rates {
    /// Requests of one token or session: so many a minute, so many at once after a rest; `off` for no limit.
    #[arg(
        long = "rate-credential",
        env = "SENTINELLE_RATE_CREDENTIAL",
        default_value = "1200:3000",
        value_name = "PER_MINUTE:AT_ONCE",
        value_parser = Rate::parse
    )]
    pub credential: Rate,
    /// Requests of all tokens and sessions of a person together.
    #[arg(
        long = "rate-account",
        env = "SENTINELLE_RATE_ACCOUNT",
        default_value = "2400:6000",
        value_name = "PER_MINUTE:AT_ONCE",
        value_parser = Rate::parse
    )]
    pub account: Rate,
    /// Requests of one phone; its owner's tokens do not draw on it.
    #[arg(
        long = "rate-device",
        env = "SENTINELLE_RATE_DEVICE",
        default_value = "240:4000",
        value_name = "PER_MINUTE:AT_ONCE",
        value_parser = Rate::parse
    )]
    pub device: Rate,
    /// Requests for public figures, by everybody together: they need no credential, and nobody's address is looked at.
    #[arg(
        long = "rate-public",
        env = "SENTINELLE_RATE_PUBLIC",
        default_value = "3000:1500",
        value_name = "PER_MINUTE:AT_ONCE",
        value_parser = Rate::parse
    )]
    pub public: Rate,
}

impl Rates {
    /// No limits: for measurements, and for the demo, which nobody else reaches.
    pub const UNLIMITED: Self = Self {
        credential: Rate::Unlimited,
        account: Rate::Unlimited,
        device: Rate::Unlimited,
        public: Rate::Unlimited,
    };
}

/// How long something may wait, in whole hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    hours: u16,
}

impl Target {
    /// The longest: a year.
    const MOST_HOURS: u16 = 366 * 24;

    /// Reads hours or days, such as `24h` or `7d`, up to a year.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let split = |unit, hours: u16| {
            let number = text.strip_suffix(unit)?.parse::<u16>().ok()?;
            number.checked_mul(hours)
        };
        let hours = split('h', 1).or_else(|| split('d', 24));
        let hours = hours.filter(|hours| (1..=Self::MOST_HOURS).contains(hours));
        hours
            .map(|hours| Self { hours })
            .ok_or_else(|| "give hours or days, such as 24h or 7d, from 1h to 366d".to_owned())
    }

    /// Returns it in seconds.
    pub fn seconds(self) -> i64 {
        i64::from(self.hours) * 3_600
    }
}

/// By when reviewers want to have decided on what came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct Targets {
    /// How long an urgent incident may wait for a decision: hours or days.
    #[arg(
        long = "target-urgent",
        env = "SENTINELLE_TARGET_URGENT",
        default_value = "24h",
        value_name = "TIME",
        value_parser = Target::parse
    )]
    pub urgent: Target,
    /// How long any other incident may wait.
    #[arg(
        long = "target-normal",
        env = "SENTINELLE_TARGET_NORMAL",
        default_value = "7d",
        value_name = "TIME",
        value_parser = Target::parse
    )]
    pub normal: Target,
}

impl Default for Targets {
    fn default() -> Self {
        Self { urgent: Target { hours: 24 }, normal: Target { hours: 7 * 24 } }
    }
}

/// How the service listens.
#[derive(Debug, Clone, Args)]
pub struct ServeConfig {
    /// Address and port; port 0 takes a free one.
    #[arg(
        long,
        env = "SENTINELLE_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDR:PORT"
    )]
    pub listen: String,
    /// Worker threads; by default one a core.
    #[arg(long, env = "SENTINELLE_WORKERS", value_name = "N")]
    pub workers: Option<usize>,
    /// How much one caller may ask.
    #[command(flatten)]
    pub rates: Rates,
    /// By when reviewers want to have decided.
    #[command(flatten)]
    pub targets: Targets,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_kept_as_browsers_write_an_origin() {
        for (given, origin, is_https) in [
            ("https://reports.example.org", "https://reports.example.org", true),
            ("https://Reports.Example.org/", "https://reports.example.org", true),
            ("https://reports.example.org:443", "https://reports.example.org", true),
            ("https://reports.example.org:8443", "https://reports.example.org:8443", true),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", false),
            ("http://[::1]:80", "http://[::1]", false),
        ] {
            let url = PublicUrl::parse(given).expect(given);

            assert_eq!((url.origin(), url.is_https()), (origin, is_https), "{given}");
            assert_eq!(url.of("/docs/"), format!("{origin}/docs/"));
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for (given, reason) in [
            ("", "nothing"),
            ("reports.example.org", "no scheme"),
            ("/reports", "no host"),
            ("ftp://reports.example.org", "another scheme"),
            ("https://", "no host"),
            ("https://reports.example.org/app", "a path"),
            ("https://reports.example.org/?a=1", "a query"),
            ("https://reports.example.org/#a", "a fragment"),
            ("https://user@reports.example.org", "a user"),
            ("https://reports.example.org:", "no port"),
            ("https://reports.example.org:99999", "no such port"),
            ("https://reports example.org", "a space"),
        ] {
            assert!(PublicUrl::parse(given).is_err(), "{reason}: {given}");
        }
    }

    #[test]
    fn a_rate_is_two_numbers_or_off() {
        let limited = |per_minute, at_once| Rate::Limited {
            per_minute: NonZeroU32::new(per_minute).expect("not zero"),
            at_once: NonZeroU32::new(at_once).expect("not zero"),
        };
        assert_eq!(Rate::parse("off"), Ok(Rate::Unlimited));
        assert_eq!(Rate::parse("60:5"), Ok(limited(60, 5)));
        for wrong in ["", "60", "0:5", "60:0", "-1:5", "60:5:1", "sixty:five", "OFF"] {
            assert!(Rate::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_target_is_hours_or_days() {
        for (text, seconds) in
            [("1h", 3_600), ("24h", 86_400), ("7d", 604_800), ("366d", 31_622_400)]
        {
            assert_eq!(Target::parse(text).expect(text).seconds(), seconds, "{text}");
        }
        for wrong in
            ["", "24", "0h", "0d", "1.5h", "-1d", "367d", "9999h", "7 d", "7D", "9999d", "h"]
        {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Targets::default().urgent, Target::parse("24h").expect("a day"));
        assert_eq!(Targets::default().normal, Target::parse("7d").expect("a week"));
    }

    #[test]
    fn a_security_contact_is_a_mail_address_or_a_page() {
        for right in ["mailto:security@example.org", "https://example.org/security"] {
            assert_eq!(SecurityContact::parse(right).expect(right).as_str(), right);
        }
        for wrong in [
            "security@example.org",
            "mailto:security",
            "http://example.org/security",
            "tel:+1",
            "mailto:a@b\nExpires: never",
            "https://example.org/a b",
        ] {
            assert!(SecurityContact::parse(wrong).is_err(), "{wrong}");
        }
    }
}
