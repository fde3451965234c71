//! What sealing promises, each promise as a test.

use uuid::Uuid;

use crate::seal::envelope::{Owner, OwnerKind, Part, SealError, Sealed, Sealer};
use crate::seal::handover::Handover;
use crate::seal::key::InstanceKey;

const REPORT: Owner = Owner { kind: OwnerKind::Report, id: Uuid::from_u128(7) };
const SECRET: &[u8] = "trois creuseurs, près du vieux pont".as_bytes();

fn sealer() -> Sealer {
    Sealer::new(InstanceKey::generate().unwrap())
}

#[track_caller]
fn assert_damaged(sealer: &Sealer, owner: Owner, part: Part, version: u32, stored: &Sealed) {
    assert!(matches!(sealer.open(owner, part, version, stored), Err(SealError::Damaged)));
}

#[test]
fn what_was_sealed_opens_again_at_every_length() {
    let sealer = sealer();

    for length in [0, 1, 59, 60, 61, 64, 10_000] {
        let text = vec![b'x'; length];
        let stored = sealer.seal(REPORT, Part::Text, 1, &text).unwrap();

        assert_eq!(*sealer.open(REPORT, Part::Text, 1, &stored).unwrap(), text, "{length}");
        assert_eq!(stored.blob.len(), 41 + (4 + length).next_multiple_of(64), "{length}");
        assert_eq!(stored.wrapped_key.len(), 73);
    }
}

#[test]
fn one_flipped_bit_anywhere_is_noticed() {
    let sealer = sealer();
    let stored = sealer.seal(REPORT, Part::Identity, 3, SECRET).unwrap();

    for bit in 0..stored.blob.len() * 8 {
        let mut changed = stored.clone();
        changed.blob[bit / 8] ^= 1 << (bit % 8);
        assert!(sealer.open(REPORT, Part::Identity, 3, &changed).is_err(), "blob, bit {bit}");
    }
    for bit in 0..stored.wrapped_key.len() * 8 {
        let mut changed = stored.clone();
        changed.wrapped_key[bit / 8] ^= 1 << (bit % 8);
        assert!(sealer.open(REPORT, Part::Identity, 3, &changed).is_err(), "key, bit {bit}");
    }
    for kept in 0..stored.blob.len() {
        let short = Sealed { blob: stored.blob[..kept].to_vec(), ..stored.clone() };
        assert!(sealer.open(REPORT, Part::Identity, 3, &short).is_err(), "cut to {kept}");
    }
}

#[test]
fn a_part_opens_only_for_its_own_owner_part_and_version() {
    let sealer = sealer();
    let stored = sealer.seal(REPORT, Part::Note, 2, SECRET).unwrap();

    for kind in OwnerKind::ALL.into_iter().filter(|kind| *kind != REPORT.kind) {
        assert_damaged(&sealer, Owner { kind, ..REPORT }, Part::Note, 2, &stored);
    }
    for part in Part::ALL.into_iter().filter(|part| *part != Part::Note) {
        assert_damaged(&sealer, REPORT, part, 2, &stored);
    }
    assert_damaged(&sealer, Owner { id: Uuid::from_u128(8), ..REPORT }, Part::Note, 2, &stored);
    assert_damaged(&sealer, REPORT, Part::Note, 1, &stored);
}

#[test]
fn a_data_key_of_another_part_does_not_open_this_one() {
    let sealer = sealer();
    let note = sealer.seal(REPORT, Part::Note, 1, SECRET).unwrap();
    let text = sealer.seal(REPORT, Part::Text, 1, SECRET).unwrap();

    let mixed = Sealed { wrapped_key: note.wrapped_key, ..text };

    assert_damaged(&sealer, REPORT, Part::Text, 1, &mixed);
}

#[test]
fn the_sealed_bytes_hold_nothing_of_the_content() {
    let stored = sealer().seal(REPORT, Part::Text, 1, SECRET).unwrap();

    for window in SECRET.windows(8) {
        assert!(!stored.blob.windows(8).any(|bytes| bytes == window));
    }
}

#[test]
fn another_instance_key_is_named_in_the_error() {
    let (right, wrong) = (sealer(), sealer());
    let stored = right.seal(REPORT, Part::Text, 1, SECRET).unwrap();

    let message = wrong.open(REPORT, Part::Text, 1, &stored).unwrap_err().to_string();

    assert!(message.contains(right.instance_key().id()), "{message}");
    assert!(message.contains("SENTINELLE_KEY_FILE"), "{message}");
}

#[test]
fn a_rewrapped_part_opens_with_the_new_key_only() {
    let (old, new) = (sealer(), sealer());
    let stored = old.seal(REPORT, Part::Text, 1, SECRET).unwrap();

    let wrapped_key = old.rewrap(&stored.wrapped_key, &stored.key_id, &new.instance_key()).unwrap();
    let rewrapped =
        Sealed { wrapped_key, key_id: new.instance_key().id().to_owned(), blob: stored.blob };

    assert_eq!(*new.open(REPORT, Part::Text, 1, &rewrapped).unwrap(), SECRET);
    assert!(matches!(old.open(REPORT, Part::Text, 1, &rewrapped), Err(SealError::WrongKey { .. })));
}

#[test]
fn while_the_key_is_changed_either_opens_what_both_sealed() {
    let (old, new) = (InstanceKey::generate().unwrap(), InstanceKey::generate().unwrap());
    let handovers = [Handover::make(&new, &old).unwrap(), Handover::make(&old, &new).unwrap()];
    let (old_id, new_id) = (old.id().to_owned(), new.id().to_owned());
    let (holds_old, holds_new) = (Sealer::new(old), Sealer::new(new));
    let under_old = holds_old.seal(REPORT, Part::Text, 1, SECRET).unwrap();
    let under_new = holds_new.seal(REPORT, Part::Text, 1, SECRET).unwrap();
    assert!(matches!(holds_old.seal_under(&new_id), Err(SealError::WrongKey { .. })));

    for (sealer, other) in [(&holds_old, &new_id), (&holds_new, &old_id)] {
        assert!(sealer.find_key(other).is_none());
        sealer.add_handed_over(&handovers).unwrap();

        for stored in [&under_old, &under_new] {
            assert_eq!(*sealer.open(REPORT, Part::Text, 1, stored).unwrap(), SECRET);
        }
        sealer.seal_under(&new_id).unwrap();
        assert_eq!(sealer.seal(REPORT, Part::Text, 1, SECRET).unwrap().key_id, new_id);
    }
}

#[test]
fn every_name_reads_back() {
    for part in Part::ALL {
        assert_eq!(Part::parse(part.as_str()).unwrap(), part);
    }
    for kind in OwnerKind::ALL {
        assert_eq!(OwnerKind::parse(kind.as_str()).unwrap(), kind);
    }
    assert!(Part::parse("Text").is_err());
}

#[test]
fn a_part_sealed_by_an_independent_program_opens() {
    // Python: `cryptography` for ChaCha20-Poly1305, HChaCha20 checked against the vector of the draft. It also holds
    // the format still: what was sealed years ago must open.
    let key = InstanceKey::from_text(
        "04002-0G30G-2GC1R-81450-P30D1-R7H04-8J2CA-1A5GQ-30CHM-6RW3M-F1ZH5-2G5CG",
    )
    .unwrap();
    let stored = Sealed {
        wrapped_key: bytes_of(
            "01404142434445464748494a4b4c4d4e4f5051525354555657f4182753f4c55f31a7ddad9583\
             b14bbda28b9ff7276c65ad5208c77e35391daf0aab1351b9940fca4fc337cc537d6183",
        ),
        key_id: "33cc8a5b886f99e1".to_owned(),
        blob: bytes_of(
            "0158595a5b5c5d5e5f606162636465666768696a6b6c6d6e6fa91cd89135b2bf4bb4713930bf\
             89d45eec85b55f3039c030d4c25a33e2c88a32058498d12a1a87191f69b0339c7c99de8645cb\
             cecce8c808794c96783b8084fc84b1a6f1f8cd06d2877486960c4b6630",
        ),
    };

    let opened = Sealer::new(key).open(REPORT, Part::Place, 3, &stored).unwrap();

    assert_eq!(*opened, b"near the old bridge");
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
