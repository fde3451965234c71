//! What the secrets of an instance promise, each promise as a test.

use crate::seal::envelope::{SealError, Sealer};
use crate::seal::key::InstanceKey;
use crate::seal::subkeys::{Proof, Purpose, SubKeySet, WrappedSubKey};

fn sealer() -> Sealer {
    Sealer::new(InstanceKey::generate().unwrap())
}

#[test]
fn stored_secrets_open_to_the_same_values() {
    let sealer = sealer();
    let (made, mut stored) = SubKeySet::generate(&sealer).unwrap();
    stored.reverse();

    let opened = SubKeySet::open(&sealer, &stored).unwrap();

    assert_eq!(opened.pseudonym(b"x"), made.pseudonym(b"x"));
    assert_eq!(opened.content_mac(b"x"), made.content_mac(b"x"));
    assert_eq!(opened.name_index("x"), made.name_index("x"));
    assert_eq!(opened.sign_cursor(b"x"), made.sign_cursor(b"x"));
    assert_eq!(opened.place_veil().veil_cell(1).unwrap(), made.place_veil().veil_cell(1).unwrap());
}

#[test]
fn another_instance_key_is_called_the_wrong_key_and_the_remedy_named() {
    let (_, stored) = SubKeySet::generate(&sealer()).unwrap();

    let error = SubKeySet::open(&sealer(), &stored).err().unwrap();

    assert!(matches!(error, SealError::WrongKey { .. }));
    assert!(error.to_string().contains("recovery text"), "{error}");
}

#[test]
fn changing_the_instance_key_changes_no_value() {
    let (old, new) = (sealer(), sealer());
    let (before, stored) = SubKeySet::generate(&old).unwrap();

    let rewrapped: Vec<WrappedSubKey> =
        stored.iter().map(|key| key.rewrap(&old, &new.instance_key()).unwrap()).collect();
    let after = SubKeySet::open(&new, &rewrapped).unwrap();

    assert_eq!(after.pseudonym(b"monitor"), before.pseudonym(b"monitor"));
    assert!(SubKeySet::open(&old, &rewrapped).is_err());
}

#[test]
fn a_missing_or_exchanged_secret_stops_the_start() {
    let sealer = sealer();
    let (_, stored) = SubKeySet::generate(&sealer).unwrap();
    for (nth, purpose) in Purpose::ALL.into_iter().enumerate() {
        let mut fewer = stored.clone();
        fewer.remove(nth);
        let error = SubKeySet::open(&sealer, &fewer).err().unwrap();
        assert!(matches!(error, SealError::MissingSubKey(missing) if missing == purpose));
    }

    let mut exchanged = stored.clone();
    exchanged[1].wrapped.clone_from(&stored[2].wrapped);

    assert!(matches!(SubKeySet::open(&sealer, &exchanged), Err(SealError::Damaged)));
}

#[test]
fn an_instance_made_before_a_purpose_gets_a_secret_for_it() {
    let sealer = sealer();
    let (_, mut stored) = SubKeySet::generate(&sealer).unwrap();
    stored.retain(|key| !Purpose::LATER.contains(&key.purpose));

    let later = SubKeySet::generate_later(&sealer, &stored).unwrap();

    assert_eq!(later.iter().map(|key| key.purpose).collect::<Vec<_>>(), Purpose::LATER);
    stored.extend(later);
    assert!(SubKeySet::open(&sealer, &stored).is_ok());
    assert!(SubKeySet::generate_later(&sealer, &stored).unwrap().is_empty());
}

#[test]
fn no_later_secret_is_made_under_the_wrong_key() {
    let (_, mut stored) = SubKeySet::generate(&sealer()).unwrap();
    stored.retain(|key| !Purpose::LATER.contains(&key.purpose));

    let refused = SubKeySet::generate_later(&sealer(), &stored);

    assert!(matches!(refused, Err(SealError::WrongKey { .. })));
}

#[test]
fn the_name_of_an_instance_tells_nothing_of_its_audit_key() {
    let (keys, _) = SubKeySet::generate(&sealer()).unwrap();
    let (seed, instance) = keys.audit_head();

    assert_eq!(instance.get_version_num(), 4);
    assert!(!seed.windows(8).any(|part| instance.as_bytes().windows(8).any(|id| id == part)));
    assert_eq!(keys.audit_head(), (seed, instance));
}

#[test]
fn a_proof_of_one_thing_is_none_of_another() {
    let (keys, _) = SubKeySet::generate(&sealer()).unwrap();
    let proof = keys.proof(Proof::Request, b"x");

    assert!(keys.verify_proof(Proof::Request, b"x", &proof));
    assert!(!keys.verify_proof(Proof::Request, b"y", &proof));
    assert!(!keys.verify_proof(Proof::KnownDevice, b"x", &proof));
    assert!(!keys.verify_proof(Proof::Request, b"x", &proof[..31]));
}

#[test]
fn purposes_never_share_a_value() {
    let (keys, _) = SubKeySet::generate(&sealer()).unwrap();

    assert_ne!(keys.content_mac(b"a"), keys.name_index("a"));
    assert_ne!(keys.pseudonym(b"a"), keys.sign_cursor(b"a"));
}

#[test]
fn names_are_found_whatever_their_case_and_spaces() {
    let (keys, _) = SubKeySet::generate(&sealer()).unwrap();

    assert_eq!(keys.name_index("  Élodie   KABA\n"), keys.name_index("élodie kaba"));
    assert_ne!(keys.name_index("elodie kaba"), keys.name_index("élodie kaba"));
}

#[test]
fn a_changed_cursor_or_signature_is_refused() {
    let (keys, _) = SubKeySet::generate(&sealer()).unwrap();
    let signature = keys.sign_cursor(b"page 2");

    assert!(keys.verify_cursor(b"page 2", &signature));
    assert!(!keys.verify_cursor(b"page 3", &signature));
    assert!(!keys.verify_cursor(b"page 2", &signature[..15]));
    assert!(!keys.verify_cursor(b"page 2", &[]));
}

#[test]
fn every_purpose_reads_back() {
    for purpose in Purpose::ALL {
        assert_eq!(Purpose::parse(purpose.as_str()).unwrap(), purpose);
    }
}
