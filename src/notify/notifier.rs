//! What the server tells others with: the way out for webhooks, the mailer where there is one, and counts.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use crate::config::{NotifyConfig, PublicUrl};
use crate::notify::address::Rules;
use crate::notify::gate::Gate;
use crate::notify::mail::Mailer;

/// Shortest time between two mails to a person, in minutes, unless told otherwise.
const MAIL_INTERVAL_MIN: u16 = 60;

/// A number that only rises.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Counts one more.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What became of tries since the start.
#[derive(Debug, Default)]
pub struct Counts {
    webhooks_sent: Count,
    webhooks_failed: Count,
    /// Events whose owner might no longer see them.
    pub dropped: Count,
    mails_sent: Count,
    mails_failed: Count,
}

impl Counts {
    /// Counts a try of a webhook.
    pub fn webhook(&self, is_taken: bool) {
        if is_taken { &self.webhooks_sent } else { &self.webhooks_failed }.count();
    }

    /// Counts a try of a mail.
    pub fn mail(&self, is_taken: bool) {
        if is_taken { &self.mails_sent } else { &self.mails_failed }.count();
    }

    /// Returns each count by way and outcome.
    pub fn all(&self) -> [(&'static str, &'static str, u64); 5] {
        [
            ("webhook", "sent", self.webhooks_sent.get()),
            ("webhook", "failed", self.webhooks_failed.get()),
            ("webhook", "dropped", self.dropped.get()),
            ("mail", "sent", self.mails_sent.get()),
            ("mail", "failed", self.mails_failed.get()),
        ]
    }
}

/// What the server tells others with.
#[derive(Debug)]
pub struct Notifier {
    /// The way out.
    pub gate: Gate,
    /// Hands mail over; nobody where no server is named.
    pub mailer: Option<Mailer>,
    /// Shortest time between two mails to one person.
    pub mail_interval: TimeDelta,
    /// What became of tries.
    pub counts: Counts,
    /// When what was sent long ago was last removed.
    pub cleared_at: Mutex<Option<DateTime<Utc>>>,
}

impl Notifier {
    /// Returns what `config` says.
    ///
    /// # Errors
    /// What is wrong with it, for the operator.
    pub fn new(config: &NotifyConfig, public_url: Option<&PublicUrl>) -> Result<Self, String> {
        let rules =
            Rules { networks: config.webhook_allow.clone(), ports: config.webhook_ports.clone() };
        let mailer = match (&config.smtp_url, &config.mail_from) {
            (None, _) => None,
            (Some(_), None) => {
                return Err("mail needs a sender: give --mail-from ADDRESS".to_owned());
            }
            (Some(url), Some(from)) => {
                Some(Mailer::new(url, from, public_url).map_err(|_words_hold_it| {
                    "the mail server cannot be used: check --smtp-url".to_owned()
                })?)
            }
        };
        let interval = config.mail_interval.unwrap_or(MAIL_INTERVAL_MIN);
        Ok(Self {
            gate: Gate::new(rules),
            mailer,
            mail_interval: TimeDelta::minutes(interval.into()),
            counts: Counts::default(),
            cleared_at: Mutex::default(),
        })
    }
}
