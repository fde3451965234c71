//! Signed heads: what an instance says of a chain at one moment, and can never take back.
//!
//! A head is signed with Ed25519 in the transaction that appended to its chain. A copy kept elsewhere proves, for as
//! long as it is kept, that nothing before it was changed or cut off.

use base16ct::lower;
use chrono::{DateTime, NaiveDateTime, Utc};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::chain::Chain;
use crate::audit::tree::Hash;
use crate::db::rows::ChainRow;
use crate::error::{Error, Result};

/// First in what is signed, so that a signature made for something else never passes for one of a head.
const LABEL: &[u8] = b"sentinelle audit head 1\0";

/// The form of a published head.
const FORM: &str = "sentinelle-audit-head/1";

/// What is signed of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Number of the chain.
    pub chain: i32,
    /// Entries in it.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
    /// When it was signed.
    pub signed_at: NaiveDateTime,
}

impl Head {
    /// Returns the head that is stored in `row`; `None` where its size or root is none.
    pub fn of_row(row: &ChainRow) -> Option<Self> {
        Some(Self {
            chain: row.chain,
            size: u64::try_from(row.size).ok()?,
            root: row.root.as_slice().try_into().ok()?,
            signed_at: row.signed_at,
        })
    }

    fn signed_bytes(&self, instance: Uuid) -> Vec<u8> {
        let mut bytes = LABEL.to_vec();
        bytes.extend_from_slice(instance.as_bytes());
        bytes.extend_from_slice(&self.chain.to_be_bytes());
        bytes.extend_from_slice(&self.size.to_be_bytes());
        bytes.extend_from_slice(&self.root);
        bytes.extend_from_slice(&self.signed_at.and_utc().timestamp_millis().to_be_bytes());
        bytes
    }
}

/// Signs the heads of this instance, and knows its own signatures.
pub struct Signer {
    key: SigningKey,
    instance: Uuid,
}

impl Signer {
    /// Returns the signer with the key that grows from `seed`.
    pub fn new(seed: &[u8; 32], instance: Uuid) -> Self {
        Self { key: SigningKey::from_bytes(seed), instance }
    }

    /// Returns the row that a chain is gone on with, and its head, signed `at`.
    pub fn sign_chain(&self, chain: &Chain, at: NaiveDateTime) -> ChainRow {
        let (number, peaks) = (chain.number(), chain.peaks());
        let head = Head { chain: number, size: peaks.size(), root: peaks.root(), signed_at: at };
        ChainRow {
            chain: number,
            size: chain.next_position(),
            peaks: peaks.to_bytes(),
            root: head.root.to_vec(),
            chained: chain.chained().to_vec(),
            signed_at: at,
            signature: self.sign(&head),
        }
    }

    /// Returns the signature of `head`.
    pub fn sign(&self, head: &Head) -> Vec<u8> {
        self.key.sign(&head.signed_bytes(self.instance)).to_bytes().to_vec()
    }

    /// Returns what checks its signatures.
    pub fn verifier(&self) -> Verifier {
        Verifier { key: self.key.verifying_key(), instance: self.instance }
    }
}

/// Checks the signatures of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verifier {
    key: VerifyingKey,
    instance: Uuid,
}

impl Verifier {
    /// Tells whether the instance signed `head`.
    pub fn is_signed(&self, head: &Head, signature: &[u8]) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else {
            return false;
        };
        self.key.verify_strict(&head.signed_bytes(self.instance), &signature).is_ok()
    }

    /// Returns `head` with its signature as it is published.
    pub fn publish(&self, head: &Head, signature: &[u8]) -> PublishedHead {
        PublishedHead {
            form: FORM.to_owned(),
            instance: self.instance,
            chain: head.chain,
            size: head.size,
            root: lower::encode_string(&head.root),
            signed_at: head.signed_at.and_utc(),
            key: lower::encode_string(self.key.as_bytes()),
            signature: lower::encode_string(signature),
        }
    }

    /// Returns the heads of `rows` as they are published.
    ///
    /// # Errors
    /// When one of them is damaged.
    pub fn publish_all(&self, rows: &[ChainRow]) -> Result<PublishedHeads> {
        let damaged = || Error::internal("the head of an audit chain is damaged");
        let publish = |row: &ChainRow| {
            let head = Head::of_row(row).ok_or_else(damaged)?;
            Ok(self.publish(&head, &row.signature))
        };
        Ok(PublishedHeads { heads: rows.iter().map(publish).collect::<Result<_>>()? })
    }

    /// Returns the head that was published, if this instance signed it.
    ///
    /// # Errors
    /// [`NotOurs`].
    pub fn accept(&self, published: &PublishedHead) -> std::result::Result<Head, NotOurs> {
        if published.form != FORM {
            return Err(NotOurs::Form);
        }
        if published.instance != self.instance {
            return Err(NotOurs::Instance);
        }
        if published.key != lower::encode_string(self.key.as_bytes()) {
            return Err(NotOurs::Key);
        }
        let root = lower::decode_vec(&published.root).ok().and_then(|root| root.try_into().ok());
        let signature = lower::decode_vec(&published.signature).ok();
        let (root, signature) = root.zip(signature).ok_or(NotOurs::Signature)?;
        let signed_at = published.signed_at.naive_utc();
        let head = Head { chain: published.chain, size: published.size, root, signed_at };
        self.is_signed(&head, &signature).then_some(head).ok_or(NotOurs::Signature)
    }
}

/// Why a published head says nothing about this instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum NotOurs {
    /// It has another form.
    #[error("is not of the form {FORM}")]
    Form,
    /// It names another instance.
    #[error("is of another instance")]
    Instance,
    /// It names another key.
    #[error("was signed with another key than this database has")]
    Key,
    /// Its signature does not hold.
    #[error("does not match its signature: it was altered after it was published")]
    Signature,
}

/// A head as it is published; everything in it is under the signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AuditHead)]
pub struct PublishedHead {
    /// `sentinelle-audit-head/1`.
    #[schema(example = "sentinelle-audit-head/1")]
    form: String,
    /// The instance.
    instance: Uuid,
    /// Number of the chain; each writing server has one of its own.
    #[schema(example = 1)]
    chain: i32,
    /// Entries in the chain.
    #[schema(example = 4096)]
    size: u64,
    /// Root of the Merkle tree over them (RFC 9162, SHA-256), hex.
    root: String,
    /// When it was signed.
    signed_at: DateTime<Utc>,
    /// Public key of the instance (Ed25519), hex.
    key: String,
    /// Signature of the above, hex.
    signature: String,
}

/// The heads of all chains at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AuditHeads)]
pub struct PublishedHeads {
    /// By number of the chain; empty before the first entry.
    pub heads: Vec<PublishedHead>,
}

impl PublishedHeads {
    /// Reads heads as they were published: one JSON object a line, or the document of `GET /v1/audit/heads`.
    ///
    /// # Errors
    /// Where it is neither.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        if let Ok(document) = serde_json::from_str(text) {
            return Ok(document);
        }
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let heads = lines.map(serde_json::from_str).collect::<serde_json::Result<_>>()?;
        Ok(Self { heads })
    }
}

#[cfg(test)]
mod tests;
