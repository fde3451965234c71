//! A chain of entries: how one becomes bytes, and what ties it to those before it.
//!
//! Each entry is a leaf of the chain's Merkle tree, whose root is signed. Each entry also keeps the running hash of the
//! chain up to itself: the root says that something is wrong, the running hash says where it begins.

use sha2::{Digest, Sha256};

use crate::audit::Entry;
use crate::audit::tree::{HASH_BYTES, Hash, Peaks, leaf_hash};
use crate::db::rows::AuditRow;

/// Version of [`canonical`].
const VERSION: u8 = 1;

/// Stands for the length of what is absent.
const ABSENT: u32 = u32::MAX;

/// Kept apart from the 0 and 1 that RFC 9162 gives to leaves and nodes.
const LINK: [u8; 1] = [2];

/// The running hash before the first entry.
pub const FIRST_LINK: Hash = [0; HASH_BYTES];

/// Returns the running hash of a chain after the entry with this leaf: SHA-256(0x02 ‖ previous ‖ leaf).
pub fn link(previous: &Hash, leaf: &Hash) -> Hash {
    Sha256::new().chain_update(LINK).chain_update(previous).chain_update(leaf).finalize().into()
}

/// Returns the bytes of an entry that are hashed.
///
/// # Shape
/// The version (one byte, 1), chain (4), position (8), seconds since 1970 (8) and nanoseconds of the second (4), then
/// actor, action, kind of the subject, subject, domain, detail, country, other country, each as its length (4) and
/// bytes; absent ones have the length `0xffff_ffff` and no bytes. Numbers are big-endian, ids their 16 bytes, words UTF-8.
pub fn canonical(row: &AuditRow) -> Vec<u8> {
    let AuditRow {
        chain,
        position,
        at,
        actor,
        action,
        subject_kind,
        subject_id,
        domain,
        detail,
        country,
        country_other,
        chained: _,
    } = row;
    let mut bytes = Vec::with_capacity(160);
    bytes.push(VERSION);
    bytes.extend_from_slice(&chain.to_be_bytes());
    bytes.extend_from_slice(&position.to_be_bytes());
    let at = at.and_utc();
    bytes.extend_from_slice(&at.timestamp().to_be_bytes());
    bytes.extend_from_slice(&at.timestamp_subsec_nanos().to_be_bytes());
    let actor = actor.map(|actor| *actor.uuid().as_bytes());
    for field in [
        actor.as_ref().map(<[u8; 16]>::as_slice),
        Some(action.as_bytes()),
        Some(subject_kind.as_bytes()),
        Some(subject_id.uuid().as_bytes()),
        Some(domain.as_bytes()),
        Some(detail.as_bytes()),
        country.as_deref().map(str::as_bytes),
        country_other.as_deref().map(str::as_bytes),
    ] {
        let length = field.map_or(ABSENT, |field| u32::try_from(field.len()).unwrap_or(ABSENT - 1));
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(field.unwrap_or_default());
    }
    bytes
}

/// A chain as far as it has grown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    number: i32,
    peaks: Peaks,
    chained: Hash,
}

impl Chain {
    /// Returns the chain of this number before its first entry.
    pub fn empty(number: i32) -> Self {
        Self { number, peaks: Peaks::default(), chained: FIRST_LINK }
    }

    /// Returns a chain from where it was left.
    pub fn resume(number: i32, peaks: Peaks, chained: Hash) -> Self {
        Self { number, peaks, chained }
    }

    /// Returns the number of the chain.
    pub fn number(&self) -> i32 {
        self.number
    }

    /// Returns how many entries it has.
    pub fn size(&self) -> u64 {
        self.peaks.size()
    }

    /// Returns the position of the next entry.
    pub fn next_position(&self) -> i64 {
        i64::try_from(self.size()).unwrap_or(i64::MAX)
    }

    /// Returns the tree over its entries.
    pub fn peaks(&self) -> &Peaks {
        &self.peaks
    }

    /// Returns the running hash after its last entry.
    pub fn chained(&self) -> Hash {
        self.chained
    }

    /// Appends `entry` and returns its row.
    pub fn append(&mut self, entry: Entry) -> AuditRow {
        let mut row = entry.into_row(self.number, self.next_position());
        let leaf = leaf_hash(&canonical(&row));
        self.peaks.push(leaf);
        self.chained = link(&self.chained, &leaf);
        row.chained = self.chained.to_vec();
        row
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use uuid::Uuid;

    use crate::audit::Entry;
    use crate::audit::act::Act;
    use crate::audit::chain::{Chain, canonical};
    use crate::db::rows::AuditRow;
    use crate::ids::{Id, ReportId, UserId};

    fn entry() -> Entry {
        let report: ReportId = Id::from_uuid(Uuid::from_u128(5));
        Entry::new(Act::OpenedReport, report, DateTime::<Utc>::UNIX_EPOCH)
            .by(Some(UserId::from_uuid(Uuid::from_u128(6))))
            .detail("x")
            .within("SLE", Some("GIN"))
    }

    #[test]
    fn the_bytes_of_an_entry_are_as_documented() {
        let row = entry().into_row(1, 2);

        let mut right = vec![1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2];
        right.extend([0; 12]);
        let field = |bytes: &[u8]| {
            let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
            [&length[..], bytes].concat()
        };
        right.extend(field(Uuid::from_u128(6).as_bytes()));
        right.extend(field(b"opened"));
        right.extend(field(b"report"));
        right.extend(field(Uuid::from_u128(5).as_bytes()));
        right.extend(field(b"case"));
        right.extend(field(b"x"));
        right.extend(field(b"SLE"));
        right.extend(field(b"GIN"));
        assert_eq!(canonical(&row), right);
    }

    #[test]
    fn no_two_different_entries_have_the_same_bytes() {
        let row = || entry().into_row(1, 2);
        let changes: [fn(&mut AuditRow); 13] = [
            |row| row.chain = 2,
            |row| row.position = 3,
            |row| row.at += chrono::Duration::nanoseconds(1),
            |row| row.actor = None,
            |row| row.actor = Some(UserId::from_uuid(Uuid::nil())),
            |row| row.action.push('x'),
            |row| row.subject_kind = row.subject_kind.replace('r', "R"),
            |row| row.subject_id = Id::from_uuid(Uuid::nil()),
            |row| row.domain = "people".to_owned(),
            |row| row.detail.clear(),
            |row| row.country = None,
            |row| row.country = Some(String::new()),
            |row| std::mem::swap(&mut row.country, &mut row.country_other),
        ];

        let mut seen = vec![canonical(&row())];
        for change in changes {
            let mut other = row();
            change(&mut other);
            seen.push(canonical(&other));
        }

        let n_all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), n_all);
    }

    #[test]
    fn a_chain_that_is_resumed_goes_on_as_if_it_had_not_stopped() {
        let mut whole = Chain::empty(1);
        let mut half = Chain::empty(1);
        let first = whole.append(entry());
        assert_eq!(half.append(entry()), first);

        let mut resumed = Chain::resume(1, half.peaks().clone(), half.chained());

        assert_eq!(resumed.append(entry()), whole.append(entry()));
        assert_eq!(resumed, whole);
        assert_eq!(whole.size(), 2);
    }
}
