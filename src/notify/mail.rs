//! Mail by SMTP: that there is something new or to answer, and nothing else. A mailbox is read by whoever runs it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message, SmtpTransport, Transport};
use uuid::Uuid;

use crate::config::PublicUrl;
use crate::error::Language;

/// Longest wait for the server's next word.
const SMTP_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest address (RFC 5321, 4.5.3.1.3, without the brackets).
const MOST_BYTES: usize = 254;

/// An address of mail.
#[derive(Clone, PartialEq, Eq)]
pub struct MailAddress(Address);

impl MailAddress {
    /// Reads an address such as `lead@example.org`, in ASCII.
    ///
    /// # Errors
    /// That it is none; it is never repeated.
    pub fn parse(text: &str) -> Result<Self, String> {
        let address = Address::from_str(text).ok();
        let is_plain = text.len() <= MOST_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
        let has_domain =
            |address: &Address| address.domain().contains('.') || address.domain() == "localhost";
        let address = address.filter(|address| is_plain && has_domain(address));
        address.map(Self).ok_or_else(|| "give an address such as lead@example.org".to_owned())
    }

    /// Returns it as it is written.
    pub fn as_str(&self) -> &str {
        self.0.as_ref()
    }
}

/// Nothing of it: it names a person.
impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailAddress(…)")
    }
}

/// Where mail is handed over: scheme, perhaps a user with a password, host and port.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl(String);

impl SmtpUrl {
    /// Reads `smtps://USER:PASSWORD@HOST`, `smtp://USER:PASSWORD@HOST?tls=required`, or `smtp://127.0.0.1:25` for a server on
    /// this machine.
    ///
    /// # Errors
    /// What is wrong with it, for the operator; it is never repeated, since it holds a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wanted = "give smtps://USER:PASSWORD@HOST, smtp://USER:PASSWORD@HOST?tls=required, or smtp://127.0.0.1:25";
        SmtpTransport::from_url(text).map_err(|_words_hold_it| wanted.to_owned())?;
        let authority = text.split_once("://").map_or("", |(_, rest)| rest);
        let authority = authority.split(['/', '?']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let is_here = ["127.", "localhost", "[::1]"].iter().any(|here| host.starts_with(here));
        let is_encrypted = text.starts_with("smtps://") || text.contains("tls=required");
        if is_encrypted || is_here {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("without TLS only a server on this machine is spoken to; {wanted}"))
    }
}

/// Nothing of it: it holds a password.
impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpUrl(…)")
    }
}

/// Why mail was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The server refused it for good.
    #[error("refused")]
    Refused,
    /// The server could not be reached, or asks to try again.
    #[error("not_taken")]
    NotTaken,
    /// It could not be written.
    #[error("invalid")]
    Invalid,
}

/// What a mail tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// There is something new to review.
    Review,
    /// Somebody asked about a report that the person sent.
    Question,
}

/// Hands mail over.
#[derive(Debug)]
pub struct Mailer {
    transport: SmtpTransport,
    from: Mailbox,
    public_url: Option<PublicUrl>,
}

impl Mailer {
    /// Returns a mailer for the server at `url`; nothing is sent yet.
    ///
    /// # Errors
    /// When its address cannot be used.
    pub fn new(
        url: &SmtpUrl,
        from: &MailAddress,
        public_url: Option<&PublicUrl>,
    ) -> Result<Self, MailError> {
        let builder =
            SmtpTransport::from_url(&url.0).map_err(|_words_hold_it| MailError::Invalid)?;
        let transport = builder
            .timeout(Some(SMTP_TIMEOUT))
            .hello_name(ClientId::Domain(from.0.domain().to_owned()))
            .build();
        let from = Mailbox::new(Some("Sentinelle".to_owned()), from.0.clone());
        Ok(Self { transport, from, public_url: public_url.cloned() })
    }

    /// Tells somebody that there is something new to review, or to answer. Waits on this thread.
    ///
    /// # Errors
    /// See [`MailError`].
    pub fn send(
        &self,
        to: &MailAddress,
        (topic, language): (Topic, Language),
        now: DateTime<Utc>,
    ) -> Result<(), MailError> {
        let message = self.write(to, (topic, language), now)?;
        match self.transport.send(&message) {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(MailError::Refused),
            Err(_words_may_name_somebody) => Err(MailError::NotTaken),
        }
    }

    fn write(
        &self,
        to: &MailAddress,
        (topic, language): (Topic, Language),
        now: DateTime<Utc>,
    ) -> Result<Message, MailError> {
        let (subject, body) = self.words(topic, language);
        let id = format!("<{}@{}>", Uuid::new_v4(), self.from.email.domain());
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        MessageBuilder::new()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.0.clone()))
            .date(now.into())
            .message_id(Some(id))
            .subject(subject)
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .map_err(|_words_may_hold_it| MailError::Invalid)
    }

    /// Returns subject and body: the same whatever was reported, wherever.
    fn words(&self, topic: Topic, language: Language) -> (&'static str, String) {
        let (subject, news) = match (topic, language) {
            (Topic::Review, Language::English) => {
                ("Something new to review", "There is something new to review in your queue.")
            }
            (Topic::Review, Language::French) => {
                ("Du nouveau à examiner", "Il y a du nouveau à examiner dans votre file.")
            }
            (Topic::Question, Language::English) => {
                ("Something to answer", "Somebody has a question for you.")
            }
            (Topic::Question, Language::French) => {
                ("Une réponse attendue", "Quelqu'un a une question pour vous.")
            }
        };
        let stop = match language {
            Language::English => "You set this up in your account, and can end it there.",
            Language::French => "Vous l'avez réglé dans votre compte, et pouvez y mettre fin.",
        };
        let link = self.public_url.as_ref().map(|url| format!("\n{}\n", url.origin()));
        (subject, format!("{news}\n{}\n{stop}\n", link.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_spoken_to_with_tls_or_on_this_machine() {
        for right in [
            "smtps://user:word@mail.example.org",
            "smtps://mail.example.org:465",
            "smtp://user:word@mail.example.org:587?tls=required",
            "smtp://127.0.0.1:2525",
            "smtp://localhost",
        ] {
            assert!(SmtpUrl::parse(right).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "mail.example.org",
            "http://mail.example.org",
            "smtp://mail.example.org",
            "smtp://user:canary@mail.example.org?tls=opportunistic",
            "smtp://127.0.0.1@mail.example.org",
        ] {
            let words = SmtpUrl::parse(wrong).expect_err(wrong);
            assert!(!words.contains("canary"), "{words}");
        }
        let url = SmtpUrl::parse("smtps://user:canary@mail.example.org").expect("an address");
        assert!(!format!("{url:?}").contains("canary"));
    }

    #[test]
    fn an_address_is_one_and_cannot_smuggle_another() {
        assert_eq!(
            MailAddress::parse("a.lead@example.org").expect("one").as_str(),
            "a.lead@example.org"
        );
        for wrong in [
            "",
            "lead",
            "lead@",
            "@example.org",
            "lead@example",
            "a@example.org,b@example.org",
            "a@example.org\r\nBcc: b@example.org",
            "Lead <a@example.org>",
            "a b@example.org",
            "\u{e9}@example.org",
        ] {
            assert!(MailAddress::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_mail_says_that_there_is_something_new_and_nothing_else() {
        let url = SmtpUrl::parse("smtp://127.0.0.1:2525").expect("an address");
        let address = |text| MailAddress::parse(text).expect("an address");
        let public = PublicUrl::parse("https://reports.example.org").expect("an address");
        let mailer = Mailer::new(&url, &address("no-reply@example.org"), Some(&public));
        let now = DateTime::from_timestamp(1_711_972_800, 0).expect("an instant");

        let message = mailer.expect("a mailer").write(
            &address("lead@example.org"),
            (Topic::Review, Language::French),
            now,
        );

        let text = String::from_utf8(message.expect("a message").formatted()).expect("UTF-8");
        assert!(text.contains("From: Sentinelle <no-reply@example.org>\r\n"), "{text}");
        assert!(text.contains("To: lead@example.org\r\n"), "{text}");
        assert!(text.contains("Date: Mon, 01 Apr 2024 12:00:00 +0000\r\n"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"), "{text}");
        assert!(text.contains("https://reports.example.org"), "{text}");
    }
}
