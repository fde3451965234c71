//! Who can open a backup: age recipients, and the identities that belong to them and are kept elsewhere.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::str::FromStr;

use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};
use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use crate::backup::error::BackupError;
use crate::new_file::NewFile;

/// Files of recipients and identities are some lines; a larger one is the wrong file.
const FILE_LIMIT_BYTES: u64 = 64 * 1024;
const SECRET_PREFIX: &str = "AGE-SECRET-KEY-";

/// Whom a backup is encrypted to; at least one.
pub struct Recipients(Vec<Recipient>);

impl Recipients {
    /// Reads recipients as given on the command line, and those of a file: one a line, `#` begins a comment.
    ///
    /// # Errors
    /// [`BackupError::Recipient`] where one cannot be read, and where there is none: a backup is always encrypted.
    pub fn read(given: &[String], file: Option<&Path>) -> Result<Self, BackupError> {
        let mut recipients = Vec::new();
        for text in given {
            recipients.push(parse_recipient(text, "--recipient")?);
        }
        if let Some(path) = file {
            let place = path.display().to_string();
            let text = read_small(path)
                .map_err(|error| BackupError::Recipient(format!("cannot read {place}: {error}")))?;
            for line in lines_of(&text) {
                recipients.push(parse_recipient(line, &place)?);
            }
        }
        if recipients.is_empty() {
            return Err(BackupError::Recipient(
                "a backup is always encrypted: give --recipient age1…; `sentinelle backup identity FILE`, run on \
                 another machine, makes one"
                    .to_owned(),
            ));
        }
        Ok(Self(recipients))
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Always false; for the lint that wants it beside `len`.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &dyn age::Recipient> {
        self.0.iter().map(|recipient| recipient as &dyn age::Recipient)
    }
}

fn parse_recipient(text: &str, place: &str) -> Result<Recipient, BackupError> {
    let text = text.trim();
    if text.to_ascii_uppercase().starts_with(SECRET_PREFIX) {
        return Err(BackupError::Recipient(format!(
            "{place} holds a secret identity: give the recipient that belongs to it (age1…), and keep the identity off \
             this machine"
        )));
    }
    Recipient::from_str(text).map_err(|why| {
        BackupError::Recipient(format!(
            "{text:?} in {place} is no age recipient ({why}): they begin with age1"
        ))
    })
}

/// What opens a backup; at least one.
pub struct Identities(Vec<Identity>);

impl Identities {
    /// Reads identity files as `age-keygen` and `sentinelle backup identity` write them; `-` is standard input.
    ///
    /// # Errors
    /// [`BackupError::Identity`]; no message ever holds what was read.
    pub fn read(paths: &[impl AsRef<Path>]) -> Result<Self, BackupError> {
        let mut identities = Vec::new();
        for path in paths {
            let (path, place) = (path.as_ref(), path.as_ref().display());
            let text = read_small(path)
                .map_err(|error| BackupError::Identity(format!("cannot read {place}: {error}")))?;
            for line in lines_of(&text) {
                let identity = Identity::from_str(line).map_err(|why| {
                    BackupError::Identity(format!(
                        "a line of {place} is no age identity ({why}): it begins with {SECRET_PREFIX}1; a file with a \
                         passphrase must be opened first (age -d)"
                    ))
                })?;
                identities.push(identity);
            }
        }
        if identities.is_empty() {
            return Err(BackupError::Identity(
                "there is no identity in the files given".to_owned(),
            ));
        }
        Ok(Self(identities))
    }

    pub(super) fn each(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity as &dyn age::Identity)
    }
}

/// Writes a new identity to a private file and returns its recipient, which is no secret.
///
/// # Errors
/// [`BackupError::Exists`] and [`BackupError::Write`].
pub fn make_identity(path: &Path, now: DateTime<Utc>) -> Result<String, BackupError> {
    let identity = Identity::generate();
    let recipient = identity.to_public().to_string();
    let secret = identity.to_string();
    let text = Zeroizing::new(format!(
        "# created: {}\n# public key: {recipient}\n{}\n",
        now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        secret.expose_secret()
    ));
    NewFile::begin(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.publish()))
        .map_err(|source| BackupError::write(path, source))?;
    Ok(recipient)
}

fn read_small(path: &Path) -> std::io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    if path == Path::new("-") {
        std::io::stdin().take(FILE_LIMIT_BYTES).read_to_string(&mut text)?;
    } else {
        fs::File::open(path)?.take(FILE_LIMIT_BYTES).read_to_string(&mut text)?;
    }
    Ok(text)
}

fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}
