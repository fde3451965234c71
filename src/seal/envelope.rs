//! Sealed parts: each confidential text under a data key of its own, each data key wrapped by the instance key.
//!
//! A part is bound to its owner, its kind and its version, so a row copied onto another record, an identity passed off
//! as a note, or an old version put back does not open. Whoever deletes the wrapped data key shreds the part.
//!
//! The content is filled up to blocks of 64 bytes before encryption (4 bytes of them are its length), so a dump shows
//! the length of a text only in steps of 64 bytes.

use std::sync::{Arc, PoisonError, RwLock};

use uuid::Uuid;
use zeroize::Zeroizing;

use crate::seal::cipher::{KEY_BYTES, decrypt, encrypt, random, unwrap_secret, wrap_secret};
use crate::seal::handover::Handover;
use crate::seal::key::InstanceKey;
use crate::seal::padding::{pad, unpad};
use crate::seal::subkeys::Purpose;

const BLOCK_BYTES: usize = 64;
const DATA_KEY: &str = "data key";

/// Names what a sealed part holds; each opens and is shredded apart from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Narrative of a report.
    Text,
    /// Names and phones of sources, victims and alleged perpetrators.
    Identity,
    /// Exact coordinates and the words for the place.
    Place,
    /// Note of a reviewer.
    Note,
    /// Reason given for a decision or a reveal.
    Reason,
    /// Message between reviewer and sender.
    Message,
    /// Submission that could not be read, as it came.
    Quarantine,
    /// Secret of a person's second factor.
    SecondFactor,
    /// Where somebody is told of changes: an address of mail or of a webhook.
    Address,
    /// Secret that webhooks are signed with.
    Secret,
    /// A piece of a file that is kept to be fetched.
    File,
}

impl Part {
    /// Every part there is.
    pub const ALL: [Self; 11] = [
        Self::Text,
        Self::Identity,
        Self::Place,
        Self::Note,
        Self::Reason,
        Self::Message,
        Self::Quarantine,
        Self::SecondFactor,
        Self::Address,
        Self::Secret,
        Self::File,
    ];

    /// Returns the stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Identity => "identity",
            Self::Place => "place",
            Self::Note => "note",
            Self::Reason => "reason",
            Self::Message => "message",
            Self::Quarantine => "quarantine",
            Self::SecondFactor => "second_factor",
            Self::Address => "address",
            Self::Secret => "secret",
            Self::File => "file",
        }
    }

    /// Returns the part of a stored name.
    ///
    /// # Errors
    /// [`SealError::UnknownName`].
    pub fn parse(name: &str) -> Result<Self, SealError> {
        let found = Self::ALL.into_iter().find(|part| part.as_str() == name);
        found.ok_or_else(|| SealError::UnknownName { kind: "part", name: name.to_owned() })
    }
}

/// Names the kind of record a sealed part belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwnerKind {
    /// A report.
    Report,
    /// An incident.
    Incident,
    /// A decision of a reviewer.
    Decision,
    /// A user.
    User,
    /// A device of a monitor.
    Device,
    /// A submission that could not be read.
    Quarantine,
    /// An opening of identities.
    Reveal,
    /// A link between two incidents.
    Relation,
    /// A case that went from hand to hand.
    CaseMove,
    /// A webhook.
    Webhook,
    /// A message between reviewer and sender.
    Message,
    /// What a reviewer said of two incidents that looked like one.
    Dismissal,
    /// An export that is kept to be fetched.
    Export,
    /// A release, or months of it, that are no longer shown.
    ReleaseWithdrawal,
}

impl OwnerKind {
    /// Every kind there is.
    pub const ALL: [Self; 14] = [
        Self::Report,
        Self::Incident,
        Self::Decision,
        Self::User,
        Self::Device,
        Self::Quarantine,
        Self::Reveal,
        Self::Relation,
        Self::CaseMove,
        Self::Webhook,
        Self::Message,
        Self::Dismissal,
        Self::Export,
        Self::ReleaseWithdrawal,
    ];

    /// Returns the stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Incident => "incident",
            Self::Decision => "decision",
            Self::User => "user",
            Self::Device => "device",
            Self::Quarantine => "quarantine",
            Self::Reveal => "reveal",
            Self::Relation => "relation",
            Self::CaseMove => "case_move",
            Self::Webhook => "webhook",
            Self::Message => "message",
            Self::Dismissal => "dismissal",
            Self::Export => "export",
            Self::ReleaseWithdrawal => "release_withdrawal",
        }
    }

    /// Returns the kind of a stored name.
    ///
    /// # Errors
    /// [`SealError::UnknownName`].
    pub fn parse(name: &str) -> Result<Self, SealError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        found.ok_or_else(|| SealError::UnknownName { kind: "owner kind", name: name.to_owned() })
    }
}

/// Names the record a sealed part belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Kind of the record.
    pub kind: OwnerKind,
    /// Id of the record.
    pub id: Uuid,
}

/// Holds one sealed part as it is stored; nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The data key, wrapped: 73 bytes. Deleting it shreds the part.
    pub wrapped_key: Vec<u8>,
    /// Id of the instance key that wraps the data key.
    pub key_id: String,
    /// The sealed content: 41 bytes more than the content filled up to blocks of 64 bytes.
    pub blob: Vec<u8>,
}

/// Reports why something could not be sealed or opened; no message carries content or key material.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The data was sealed under another instance key than the one in use.
    #[error(
        "this data was sealed under instance key {needed}, but the key in use is {held}: point SENTINELLE_KEY_FILE at \
         the key that belongs to this data, or restore it from its recovery text"
    )]
    WrongKey {
        /// Id of the instance key the data was sealed under.
        needed: String,
        /// Id of the instance key in use.
        held: String,
    },
    /// Authentication failed: bytes were changed, or they belong to another owner, part or version.
    #[error("sealed data does not authenticate: it was changed, or it belongs to another record")]
    Damaged,
    /// The sealed bytes start with a format this program does not know.
    #[error(
        "sealed data has format {found}, this program reads format {known}: use a newer program"
    )]
    UnknownFormat {
        /// Format found in the data.
        found: u8,
        /// Format this program writes and reads.
        known: u8,
    },
    /// The plaintext is longer than its length prefix can say.
    #[error("content of {size_bytes} bytes is too long to seal, the limit is {limit_bytes}")]
    TooLong {
        /// Size of the content.
        size_bytes: usize,
        /// Largest size that can be sealed.
        limit_bytes: u32,
    },
    /// A secret of the instance is not among the stored ones.
    #[error("the stored secrets of this instance lack the one for {}: restore the database from a backup", .0.as_str())]
    MissingSubKey(Purpose),
    /// A stored name is none that this program knows.
    #[error("{kind} {name:?} is not known to this program")]
    UnknownName {
        /// What kind of name was read: part, owner kind or purpose.
        kind: &'static str,
        /// The name as stored.
        name: String,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandom(#[from] getrandom::Error),
}

/// Seals under one instance key and opens under every one it holds: two while the instance key is changed.
#[derive(Debug)]
pub struct Sealer {
    keys: RwLock<HeldKeys>,
}

#[derive(Debug)]
struct HeldKeys {
    seals: Arc<InstanceKey>,
    only_open: Vec<Arc<InstanceKey>>,
}

impl HeldKeys {
    fn find(&self, id: &str) -> Option<&Arc<InstanceKey>> {
        std::iter::once(&self.seals).chain(&self.only_open).find(|key| key.id() == id)
    }
}

impl Sealer {
    /// Returns a sealer that takes the instance key over.
    pub fn new(key: InstanceKey) -> Self {
        Self { keys: RwLock::new(HeldKeys { seals: Arc::new(key), only_open: Vec::new() }) }
    }

    /// Returns the instance key that seals.
    pub fn instance_key(&self) -> Arc<InstanceKey> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner).seals)
    }

    /// Returns the held key with this id.
    pub fn find_key(&self, id: &str) -> Option<Arc<InstanceKey>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).find(id).cloned()
    }

    /// Holds `key` too, to open with.
    pub fn add_key(&self, key: InstanceKey) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.find(key.id()).is_none() {
            keys.only_open.push(Arc::new(key));
        }
    }

    /// Holds the keys too that those it holds open.
    ///
    /// # Errors
    /// [`SealError::Damaged`].
    pub fn add_handed_over(&self, handovers: &[Handover]) -> Result<(), SealError> {
        for handover in handovers.iter().filter(|one| self.find_key(&one.of).is_none()) {
            if let Some(by) = self.find_key(&handover.by) {
                self.add_key(handover.open(&by)?);
            }
        }
        Ok(())
    }

    /// Seals under the held key with this id from now on.
    ///
    /// # Errors
    /// [`SealError::WrongKey`] when it is not held.
    pub fn seal_under(&self, id: &str) -> Result<(), SealError> {
        if self.instance_key().id() == id {
            return Ok(());
        }
        let key = self.find_key(id).ok_or_else(|| self.wrong_key(id))?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let earlier = std::mem::replace(&mut keys.seals, key);
        keys.only_open.push(earlier);
        keys.only_open.retain(|key| key.id() != id);
        Ok(())
    }

    fn wrong_key(&self, needed: &str) -> SealError {
        SealError::WrongKey { needed: needed.to_owned(), held: self.instance_key().id().to_owned() }
    }

    /// Returns a secret that one of the held keys wraps.
    ///
    /// # Errors
    /// [`SealError::WrongKey`] when none of them does, else as `unwrap_secret`.
    pub(super) fn unwrap<const N: usize>(
        &self,
        key_id: &str,
        purpose: &str,
        wrapped: &[u8],
    ) -> Result<Zeroizing<[u8; N]>, SealError> {
        let key = self.find_key(key_id).ok_or_else(|| self.wrong_key(key_id))?;
        unwrap_secret(&key, key_id, purpose, wrapped)
    }

    /// Returns the content sealed under a fresh data key.
    ///
    /// # Errors
    /// [`SealError::NoRandom`]; [`SealError::TooLong`] above 4 GiB.
    pub fn seal(
        &self,
        owner: Owner,
        part: Part,
        version: u32,
        plaintext: &[u8],
    ) -> Result<Sealed, SealError> {
        let key = self.instance_key();
        let data_key = random::<KEY_BYTES>()?;
        let padded = pad(plaintext, BLOCK_BYTES)?;
        Ok(Sealed {
            wrapped_key: wrap_secret(&key, DATA_KEY, data_key.as_slice())?,
            key_id: key.id().to_owned(),
            blob: encrypt(&data_key, &context_of(&owner, part, &version.to_be_bytes()), &padded)?,
        })
    }

    /// Returns the content of a part that was sealed for the same owner, part and version.
    ///
    /// # Errors
    /// [`SealError::WrongKey`] when another instance key wraps the data key, [`SealError::UnknownFormat`] when a newer
    /// program wrote it, [`SealError::Damaged`] when anything else differs.
    pub fn open(
        &self,
        owner: Owner,
        part: Part,
        version: u32,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let data_key = self.unwrap::<KEY_BYTES>(&sealed.key_id, DATA_KEY, &sealed.wrapped_key)?;
        let padded =
            decrypt(&data_key, &context_of(&owner, part, &version.to_be_bytes()), &sealed.blob)?;
        Ok(Zeroizing::new(unpad(&padded)?.to_vec()))
    }

    /// Returns a wrapped data key wrapped anew by another instance key, whose id is stored with it; the blob stays.
    ///
    /// # Errors
    /// [`SealError::WrongKey`], [`SealError::Damaged`], [`SealError::NoRandom`].
    pub fn rewrap(
        &self,
        wrapped_key: &[u8],
        key_id: &str,
        new_key: &InstanceKey,
    ) -> Result<Vec<u8>, SealError> {
        let data_key = self.unwrap::<KEY_BYTES>(key_id, DATA_KEY, wrapped_key)?;
        wrap_secret(new_key, DATA_KEY, data_key.as_slice())
    }
}

/// Returns what a blob is bound to; the cipher adds its format and the length of each field.
fn context_of<'a>(owner: &'a Owner, part: Part, version: &'a [u8; 4]) -> [&'a [u8]; 5] {
    [
        b"sealed part",
        owner.kind.as_str().as_bytes(),
        owner.id.as_bytes(),
        part.as_str().as_bytes(),
        version,
    ]
}

#[cfg(test)]
mod tests;
