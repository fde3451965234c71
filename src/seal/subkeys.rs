//! The other secrets of an instance: random, made once, wrapped by the instance key.
//!
//! They are not derived from the instance key, so changing it only wraps them anew: veiled places still match,
//! pseudonyms stay the same people and cursors handed out still work. Each purpose has its own secret, so a value made
//! for one never serves for another.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::seal::cipher::{random, wrap_secret};
use crate::seal::envelope::{SealError, Sealer};
use crate::seal::key::InstanceKey;
use crate::seal::veil::{PlaceVeil, VEIL_KEY_BYTES};

/// One size for all: the key of AES-256-SIV, and one block of SHA-256, which HMAC takes as it is.
const SECRET_BYTES: usize = VEIL_KEY_BYTES;
type Secret = Zeroizing<[u8; SECRET_BYTES]>;

/// Names what a secret of the instance is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Proves at start that the instance key is the right one; used for nothing else.
    Check,
    /// Veils cells and sites.
    Place,
    /// Turns senders into pseudonyms.
    Pseudonym,
    /// Compares contents without keeping them, to recognise a report sent twice.
    Content,
    /// Signs the cursors of paged lists.
    Cursor,
    /// Finds sealed names by equality.
    NameIndex,
    /// Signs the heads of the audit log.
    AuditHead,
    /// Keys the hashes of passwords.
    Password,
    /// Makes what a signed-in person proves things with beside the session itself.
    SignIn,
}

impl Purpose {
    /// Every purpose there is.
    pub const ALL: [Self; 9] = [
        Self::Check,
        Self::Place,
        Self::Pseudonym,
        Self::Content,
        Self::Cursor,
        Self::NameIndex,
        Self::AuditHead,
        Self::Password,
        Self::SignIn,
    ];

    /// Those that an instance may lack, since it was made before there was such a purpose.
    pub const LATER: [Self; 3] = [Self::AuditHead, Self::Password, Self::SignIn];

    /// Returns the stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Place => "place",
            Self::Pseudonym => "pseudonym",
            Self::Content => "content",
            Self::Cursor => "cursor",
            Self::NameIndex => "name_index",
            Self::AuditHead => "audit_head",
            Self::Password => "password",
            Self::SignIn => "sign_in",
        }
    }

    /// Returns the purpose of a stored name.
    ///
    /// # Errors
    /// [`SealError::UnknownName`].
    pub fn parse(name: &str) -> Result<Self, SealError> {
        let found = Self::ALL.into_iter().find(|purpose| purpose.as_str() == name);
        found.ok_or_else(|| SealError::UnknownName { kind: "purpose", name: name.to_owned() })
    }

    /// Returns the label a secret is wrapped under; never that of a data key.
    fn label(self) -> String {
        format!("sub key {}", self.as_str())
    }
}

/// Holds one secret as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedSubKey {
    /// What the secret is for.
    pub purpose: Purpose,
    /// The secret, wrapped: 105 bytes.
    pub wrapped: Vec<u8>,
    /// Id of the instance key that wraps it.
    pub key_id: String,
}

impl WrappedSubKey {
    /// Returns the secret wrapped anew by another instance key.
    ///
    /// # Errors
    /// [`SealError::WrongKey`], [`SealError::Damaged`], [`SealError::NoRandom`].
    pub fn rewrap(&self, sealer: &Sealer, new_key: &InstanceKey) -> Result<Self, SealError> {
        let secret = self.open(sealer)?;
        wrap_sub_key(new_key, self.purpose, &secret)
    }

    fn open(&self, sealer: &Sealer) -> Result<Secret, SealError> {
        sealer.unwrap(&self.key_id, &self.purpose.label(), &self.wrapped)
    }
}

/// Holds the secrets of an instance, opened; wiped when dropped.
pub struct SubKeySet {
    place: Secret,
    pseudonym: Secret,
    content: Secret,
    cursor: Secret,
    name_index: Secret,
    audit_head: Secret,
    password: Secret,
    sign_in: Secret,
}

/// What a signed-in person proves something with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// That a request was written by a page of ours.
    Request,
    /// That a device was signed in on before.
    KnownDevice,
    /// That a second factor was lost.
    RecoveryCode,
    /// What guesses by somebody who is signed in are counted by.
    OwnAccount,
}

impl Proof {
    /// Returns what stands before the message, so that no value serves for two things.
    fn label(self) -> &'static [u8] {
        match self {
            Self::Request => b"request\0",
            Self::KnownDevice => b"known device\0",
            Self::RecoveryCode => b"recovery code\0",
            Self::OwnAccount => b"own account\0",
        }
    }
}

impl SubKeySet {
    /// Returns new random secrets, and each of them wrapped, to be stored once when an instance is made.
    ///
    /// # Shape
    /// One wrapped secret for each of [`Purpose::ALL`], in that order.
    ///
    /// # Errors
    /// [`SealError::NoRandom`].
    pub fn generate(sealer: &Sealer) -> Result<(Self, Vec<WrappedSubKey>), SealError> {
        let wrapped = Purpose::ALL
            .into_iter()
            .map(|purpose| wrap_sub_key(&sealer.instance_key(), purpose, &random()?))
            .collect::<Result<Vec<_>, _>>()?;
        let opened = Self::open(sealer, &wrapped)?;
        Ok((opened, wrapped))
    }

    /// Returns the secrets of an instance from what is stored, in any order.
    ///
    /// # Errors
    /// [`SealError::WrongKey`] when they belong to another instance key: the server must not start, or it would seal
    /// new reports under a second key. [`SealError::MissingSubKey`], [`SealError::Damaged`].
    pub fn open(sealer: &Sealer, stored: &[WrappedSubKey]) -> Result<Self, SealError> {
        let open = |purpose: Purpose| open_one(sealer, stored, purpose);
        open(Purpose::Check)?;
        Ok(Self {
            place: open(Purpose::Place)?,
            pseudonym: open(Purpose::Pseudonym)?,
            content: open(Purpose::Content)?,
            cursor: open(Purpose::Cursor)?,
            name_index: open(Purpose::NameIndex)?,
            audit_head: open(Purpose::AuditHead)?,
            password: open(Purpose::Password)?,
            sign_in: open(Purpose::SignIn)?,
        })
    }

    /// Returns new secrets for those of [`Purpose::LATER`] that are not among the `stored` ones, to be stored too.
    ///
    /// # Errors
    /// [`SealError::WrongKey`], [`SealError::MissingSubKey`], [`SealError::NoRandom`].
    pub fn generate_later(
        sealer: &Sealer,
        stored: &[WrappedSubKey],
    ) -> Result<Vec<WrappedSubKey>, SealError> {
        // Before anything is wrapped by a key that is not this instance's.
        open_one(sealer, stored, Purpose::Check)?;
        Purpose::LATER
            .into_iter()
            .filter(|purpose| stored.iter().all(|sub_key| sub_key.purpose != *purpose))
            .map(|purpose| wrap_sub_key(&sealer.instance_key(), purpose, &random()?))
            .collect()
    }

    /// Returns the veil for places.
    pub fn place_veil(&self) -> PlaceVeil {
        PlaceVeil::new(self.place.clone())
    }

    /// Returns the pseudonym of a sender, 128 bits of HMAC-SHA-256.
    pub fn pseudonym(&self, bytes: &[u8]) -> [u8; 16] {
        first_half(mac(&self.pseudonym, bytes))
    }

    /// Returns a value equal for equal contents only, which tells nothing about them without the secret.
    pub fn content_mac(&self, content: &[u8]) -> [u8; 32] {
        mac(&self.content, content)
    }

    /// Returns the value by which a name is found; case and white space do not matter.
    ///
    /// An accent written as one character and the same accent written as two stay different names.
    pub fn name_index(&self, name: &str) -> [u8; 32] {
        let words: Vec<&str> = name.split_whitespace().collect();
        let folded = Zeroizing::new(Zeroizing::new(words.join(" ")).to_lowercase());
        mac(&self.name_index, folded.as_bytes())
    }

    /// Returns the signature of a cursor.
    pub fn sign_cursor(&self, cursor: &[u8]) -> [u8; 16] {
        first_half(mac(&self.cursor, cursor))
    }

    /// Says whether a cursor was signed by this instance, in a time that does not depend on where it differs.
    pub fn verify_cursor(&self, cursor: &[u8], signature: &[u8]) -> bool {
        self.sign_cursor(cursor).as_slice().ct_eq(signature).into()
    }

    /// Returns the seed of the key that signs audit heads, and the id that names this instance in them.
    pub fn audit_head(&self) -> (Zeroizing<[u8; 32]>, Uuid) {
        let (seed, rest) = self.audit_head.split_at(32);
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(seed);
        let mut id = [0; 16];
        id.iter_mut().zip(rest).for_each(|(target, byte)| *target = *byte);
        (key, uuid::Builder::from_random_bytes(id).into_uuid())
    }

    /// Returns the secret that hashes of passwords are keyed with.
    pub fn password_key(&self) -> Zeroizing<[u8; 64]> {
        self.password.clone()
    }

    /// Returns the proof of `message`, which only this instance can make.
    pub fn proof(&self, of: Proof, message: &[u8]) -> [u8; 32] {
        mac(&self.sign_in, &Zeroizing::new([of.label(), message].concat()))
    }

    /// Says whether `proof` is that of `message`, in a time that does not depend on where it differs.
    pub fn verify_proof(&self, of: Proof, message: &[u8], proof: &[u8]) -> bool {
        self.proof(of, message).as_slice().ct_eq(proof).into()
    }
}

fn open_one(
    sealer: &Sealer,
    stored: &[WrappedSubKey],
    purpose: Purpose,
) -> Result<Secret, SealError> {
    let found = stored.iter().find(|sub_key| sub_key.purpose == purpose);
    found.ok_or(SealError::MissingSubKey(purpose))?.open(sealer)
}

fn wrap_sub_key(
    instance_key: &InstanceKey,
    purpose: Purpose,
    secret: &Secret,
) -> Result<WrappedSubKey, SealError> {
    let wrapped = wrap_secret(instance_key, &purpose.label(), secret.as_slice())?;
    Ok(WrappedSubKey { purpose, wrapped, key_id: instance_key.id().to_owned() })
}

/// Returns HMAC-SHA-256 (RFC 2104, FIPS 180-4) of the message.
fn mac(secret: &Secret, message: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&**secret).into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn first_half(mac: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    for (target, byte) in half.iter_mut().zip(mac) {
        *target = byte;
    }
    half
}

#[cfg(test)]
mod tests;
