//! Identities: one type per kind of thing, so that a report's id cannot be passed where an incident's belongs.
//!
//! All are random UUIDs. What the database does with them stands in `db::dialect`.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A UUID that names a thing of kind `K`.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

/// Kind of [`ReportId`].
#[derive(Debug)]
pub enum Report {}
/// Kind of [`IncidentId`].
#[derive(Debug)]
pub enum Incident {}
/// Kind of [`UserId`].
#[derive(Debug)]
pub enum User {}
/// Kind of [`DeviceId`].
#[derive(Debug)]
pub enum Device {}
/// Kind of [`DecisionId`].
#[derive(Debug)]
pub enum Decision {}
/// Kind of [`QuarantinedId`].
#[derive(Debug)]
pub enum Quarantined {}
/// Kind of [`ImportId`].
#[derive(Debug)]
pub enum Import {}
/// Kind of [`TokenId`].
#[derive(Debug)]
pub enum Token {}
/// Kind of [`OrganisationId`].
#[derive(Debug)]
pub enum Organisation {}
/// Kind of [`GrantId`].
#[derive(Debug)]
pub enum Grant {}
/// Kind of [`InvitationId`].
#[derive(Debug)]
pub enum Invitation {}
/// Kind of [`SessionId`].
#[derive(Debug)]
pub enum Session {}
/// Kind of [`RevealId`].
#[derive(Debug)]
pub enum Reveal {}
/// Kind of [`RelationId`].
#[derive(Debug)]
pub enum Relation {}
/// Kind of [`DismissalId`].
#[derive(Debug)]
pub enum Dismissal {}
/// Kind of [`RegroupingId`].
#[derive(Debug)]
pub enum Regrouping {}
/// Kind of [`CaseMoveId`].
#[derive(Debug)]
pub enum CaseMove {}
/// Kind of [`BulkRejectionId`].
#[derive(Debug)]
pub enum BulkRejection {}
/// Kind of [`WebhookId`].
#[derive(Debug)]
pub enum Webhook {}
/// Kind of [`EventId`].
#[derive(Debug)]
pub enum Event {}
/// Kind of [`ExportId`].
#[derive(Debug)]
pub enum Export {}
/// Kind of [`ReleaseId`].
#[derive(Debug)]
pub enum Release {}
/// Kind of [`ReleaseWithdrawalId`].
#[derive(Debug)]
pub enum ReleaseWithdrawal {}
/// Kind of [`MessageId`].
#[derive(Debug)]
pub enum Message {}

/// Names one testimony; chosen by the client where it can, so that a retry is recognised.
pub type ReportId = Id<Report>;
/// Names one event.
pub type IncidentId = Id<Incident>;
/// Names one person's account.
pub type UserId = Id<User>;
/// Names one write-only credential of a phone.
pub type DeviceId = Id<Device>;
/// Names one decision of a reviewer.
pub type DecisionId = Id<Decision>;
/// Names one payload set aside.
pub type QuarantinedId = Id<Quarantined>;
/// Names one import of a boundary file.
pub type ImportId = Id<Import>;
/// Names one bearer token, never its secret.
pub type TokenId = Id<Token>;
/// Names one organisation of the coalition.
pub type OrganisationId = Id<Organisation>;
/// Names one role of one person within one scope and time.
pub type GrantId = Id<Grant>;
/// Names one single-use link, never its secret.
pub type InvitationId = Id<Invitation>;
/// Names one signed-in session, never its secret.
pub type SessionId = Id<Session>;
/// Names one opening of identities.
pub type RevealId = Id<Reveal>;
/// Names one link between two incidents.
pub type RelationId = Id<Relation>;
/// Names one word of a reviewer that two incidents are not one.
pub type DismissalId = Id<Dismissal>;
/// Names one merge or split.
pub type RegroupingId = Id<Regrouping>;
/// Names one passing of a case from hand to hand.
pub type CaseMoveId = Id<CaseMove>;
/// Names one rejection of many incidents at once.
pub type BulkRejectionId = Id<BulkRejection>;
/// Names one address that changes are sent to, never its secret.
pub type WebhookId = Id<Webhook>;
/// Names one change as it is told to others.
pub type EventId = Id<Event>;
/// Names one file that is made to be fetched.
pub type ExportId = Id<Export>;
/// Names one public data set.
pub type ReleaseId = Id<Release>;
/// Names one word that a release, or months of it, are no longer shown.
pub type ReleaseWithdrawalId = Id<ReleaseWithdrawal>;
/// Names one question to the sender of a report, or one answer; answers are named by the client where it can.
pub type MessageId = Id<Message>;

impl<K> Id<K> {
    /// Returns a new random (version 4) id.
    pub fn random() -> Self {
        Self::from_uuid(Uuid::new_v4())
    }

    /// Returns the id that is this UUID.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// Returns the UUID itself.
    pub fn uuid(self) -> Uuid {
        self.0
    }

    /// Reads an id as clients write it: hyphenated or plain hex, in either case; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        Uuid::try_parse(text).ok().filter(|_| is_plain).map(Self::from_uuid)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<K> Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(Self::from_uuid)
    }
}
