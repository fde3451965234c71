//! Whatever is done to a log is found. The log is in memory; `tests/api/audit.rs` does a few of these in both databases.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::audit::Entry;
use crate::audit::act::Act;
use crate::audit::chain::{Chain, canonical, link};
use crate::audit::head::{Head, Signer};
use crate::audit::tree::{Peaks, leaf_hash};
use crate::audit::verify::{Fault, FaultKind, Findings, Roots, Verdict, Walk};
use crate::db::rows::{AuditRow, ChainRow};
use crate::ids::{Id, ReportId, UserId};

const N_ENTRIES: usize = 32;

/// A sequence of numbers that look random and are the same in every run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }
}

/// A log as it lies in a database, for anybody's hands.
#[derive(Clone, PartialEq)]
struct Log {
    rows: Vec<AuditRow>,
    head: Option<ChainRow>,
}

fn signer() -> Signer {
    Signer::new(&[3; 32], Uuid::from_u128(1))
}

fn entry(n: usize) -> Entry {
    let report: ReportId = Id::from_uuid(Uuid::from_u128(u128::try_from(n).unwrap()));
    let actor = UserId::from_uuid(Uuid::from_u128(900 + u128::try_from(n % 7).unwrap()));
    let at = DateTime::<Utc>::UNIX_EPOCH + Duration::seconds(i64::try_from(n).unwrap());
    let act = Act::ALL[n % Act::ALL.len()];
    Entry::new(act, report, at).by(Some(actor)).detail("a code").within("SLE", Some("GIN"))
}

fn log_of(n: usize) -> Log {
    let mut chain = Chain::empty(1);
    let rows = (0..n).map(|n| chain.append(entry(n))).collect();
    let head = signer().sign_chain(&chain, DateTime::<Utc>::UNIX_EPOCH.naive_utc());
    Log { rows, head: Some(head) }
}

fn check_against(log: &Log, published: Option<&Roots>) -> Verdict {
    let mut found = Findings::default();
    let mut walk = Walk::new(1, log.head.as_ref(), published, &mut found);
    for row in &log.rows {
        walk.take(row);
    }
    walk.finish(&signer().verifier());
    found.verdict(0)
}

fn check(log: &Log) -> Verdict {
    check_against(log, None)
}

fn faults(log: &Log) -> Vec<(Option<i64>, FaultKind)> {
    let told = |fault: Fault| (fault.position, fault.kind);
    check(log).faults.into_iter().map(told).collect()
}

/// Changes one field of one entry.
fn edit(log: &mut Log, random: &mut Random) {
    let at = random.below(log.rows.len());
    let row = &mut log.rows[at];
    match random.below(10) {
        0 => row.at += Duration::milliseconds(1 + i64::try_from(random.below(9_999)).unwrap()),
        1 => row.actor = row.actor.is_none().then(|| UserId::from_uuid(Uuid::from_u128(1))),
        2 => row.actor = Some(UserId::from_uuid(Uuid::from_u128(u128::from(random.next())))),
        3 => row.action.push('x'),
        4 => row.subject_kind.insert(0, 'x'),
        5 => row.subject_id = Id::from_uuid(Uuid::from_u128(u128::from(random.next()))),
        6 => row.domain = format!("{}l", row.domain),
        7 => row.detail = format!("code {}", random.next()),
        8 => std::mem::swap(&mut row.country, &mut row.country_other),
        _ => {
            let byte = random.below(32);
            row.chained[byte] ^= 1 << random.below(8);
        }
    }
}

/// Takes out some entries, and closes the gap or leaves it.
fn delete(log: &mut Log, random: &mut Random) {
    let from = random.below(log.rows.len());
    let to = (from + 1 + random.below(3)).min(log.rows.len());
    log.rows.drain(from..to);
    if random.below(2) == 0 {
        renumber(log);
    }
}

/// Exchanges two entries, with their running hashes or without.
fn swap(log: &mut Log, random: &mut Random) {
    let one = random.below(log.rows.len());
    let other = (one + 1 + random.below(log.rows.len() - 1)) % log.rows.len();
    let with_hashes = random.below(2) == 0;
    log.rows.swap(one, other);
    if !with_hashes {
        let kept = log.rows[one].chained.clone();
        log.rows[one].chained = std::mem::replace(&mut log.rows[other].chained, kept);
    }
    renumber(log);
}

/// Puts in an entry: a copy of another, or one that never was.
fn insert(log: &mut Log, random: &mut Random) {
    let at = random.below(log.rows.len() + 1);
    let mut row = log.rows[random.below(log.rows.len())].clone();
    if random.below(2) == 0 {
        row.subject_id = Id::from_uuid(Uuid::from_u128(u128::from(random.next())));
    }
    log.rows.insert(at, row);
    renumber(log);
}

fn renumber(log: &mut Log) {
    (0..).zip(&mut log.rows).for_each(|(position, row)| row.position = position);
}

/// Makes all hashes agree again, as somebody would who knows how they are made and does not have the key.
fn cover_up(log: &mut Log) {
    let (mut peaks, mut chained) = (Peaks::default(), [0; 32]);
    for row in &mut log.rows {
        let leaf = leaf_hash(&canonical(row));
        peaks.push(leaf);
        chained = link(&chained, &leaf);
        row.chained = chained.to_vec();
    }
    let head = log.head.as_mut().unwrap();
    head.size = i64::try_from(peaks.size()).unwrap();
    head.peaks = peaks.to_bytes();
    head.root = peaks.root().to_vec();
    head.chained = chained.to_vec();
}

#[test]
fn a_log_as_it_was_written_is_sound() {
    for n in [1, 2, 3, 31, 32, 33, N_ENTRIES] {
        let verdict = check(&log_of(n));

        assert!(verdict.is_sound, "{n}: {:?}", verdict.faults);
        assert_eq!(verdict.n_entries, u64::try_from(n).unwrap());
    }
}

#[test]
fn ten_thousand_edits_deletions_swaps_and_insertions_are_all_found() {
    let original = log_of(N_ENTRIES);
    let mut random = Random(42);
    let tampers: [fn(&mut Log, &mut Random); 4] = [edit, delete, swap, insert];
    let (mut n_covered, mut n_found) = (0, [0; 4]);
    while n_found.iter().sum::<usize>() < 10_000 {
        let kind = random.below(tampers.len());
        let mut log = original.clone();
        for _ in 0..=random.below(2) {
            tampers[kind](&mut log, &mut random);
        }
        let is_covered = random.below(2) == 0;
        if is_covered {
            cover_up(&mut log);
        }
        if log == original {
            // Two changes undid each other, or a covered-up one was to a hash alone.
            continue;
        }

        assert!(!check(&log).is_sound, "kind {kind} passed, covered up: {is_covered}");
        n_covered += usize::from(is_covered);
        n_found[kind] += 1;
    }
    assert!(n_found.iter().all(|n| *n > 2_000), "{n_found:?}");
    assert!(n_covered > 4_000, "{n_covered}");
}

#[test]
fn the_first_broken_entry_is_named() {
    let mut edited = log_of(9);
    edited.rows[4].detail.push('x');
    assert_eq!(faults(&edited), [(Some(4), FaultKind::Altered)]);

    let mut rehashed = log_of(9);
    rehashed.rows[4].chained[0] ^= 1;
    assert_eq!(faults(&rehashed), [(Some(4), FaultKind::Altered)]);

    let mut holed = log_of(9);
    holed.rows.drain(3..5);
    assert_eq!(faults(&holed), [(Some(3), FaultKind::Missing)]);

    let mut shortened = log_of(9);
    shortened.rows.truncate(7);
    assert_eq!(faults(&shortened), [(Some(7), FaultKind::Missing)]);

    let mut lengthened = log_of(9);
    let mut extra = lengthened.rows[8].clone();
    extra.position = 9;
    lengthened.rows.push(extra);
    assert_eq!(faults(&lengthened), [(Some(9), FaultKind::Foreign)]);

    let mut rewritten = log_of(9);
    rewritten.rows[4].detail.push('x');
    cover_up(&mut rewritten);
    assert_eq!(faults(&rewritten), [(None, FaultKind::NotSigned)]);

    let mut headless = log_of(9);
    headless.head = None;
    assert_eq!(faults(&headless), [(None, FaultKind::NoHead)]);
}

#[test]
fn rewritten_entries_under_a_signed_head_are_found() {
    let mut log = log_of(9);
    let signed = log.head.clone();
    log.rows[4].detail.push('x');
    cover_up(&mut log);
    log.head = signed;

    assert_eq!(faults(&log), [(None, FaultKind::Rewritten), (None, FaultKind::HeadAltered)]);
}

#[test]
fn a_head_is_damaged_in_whatever_part() {
    let changes: [fn(&mut ChainRow); 6] = [
        |head| head.size -= 1,
        |head| head.peaks[0] ^= 1,
        |head| head.root[0] ^= 1,
        |head| head.chained[0] ^= 1,
        |head| head.signed_at += Duration::milliseconds(1),
        |head| head.signature[0] ^= 1,
    ];
    for (nth, change) in changes.iter().enumerate() {
        let mut log = log_of(9);
        change(log.head.as_mut().unwrap());

        assert!(!check(&log).is_sound, "change {nth}");
    }
}

#[test]
fn a_log_set_back_to_an_earlier_signed_state_is_found_against_a_published_head() {
    let (now, earlier) = (log_of(9), log_of(6));
    let head = Head::of_row(now.head.as_ref().unwrap()).unwrap();
    let published: Roots = [(head.size, head.root)].into();
    assert!(check(&earlier).is_sound, "by itself it looks right");
    assert!(check_against(&now, Some(&published)).is_sound);
    assert!(check_against(&log_of(12), Some(&published)).is_sound, "a log may grow");

    let cut = check_against(&earlier, Some(&published));

    let kind = FaultKind::CutOff { published: 9, found: 6 };
    assert_eq!(cut.faults, [Fault { chain: Some(1), position: None, kind }]);
}

#[test]
fn a_log_signed_anew_by_whoever_has_the_key_is_found_against_a_published_head() {
    let head = Head::of_row(log_of(6).head.as_ref().unwrap()).unwrap();
    let published: Roots = [(head.size, head.root)].into();
    let mut chain = Chain::empty(1);
    let rows = (0..9).map(|n| chain.append(entry(n).detail("another code"))).collect();
    let head = signer().sign_chain(&chain, DateTime::<Utc>::UNIX_EPOCH.naive_utc());
    let forged = Log { rows, head: Some(head) };
    assert!(check(&forged).is_sound, "by itself it looks right");

    let verdict = check_against(&forged, Some(&published));

    let kind = FaultKind::Differs { published: 6 };
    assert_eq!(verdict.faults, [Fault { chain: Some(1), position: None, kind }]);
}
