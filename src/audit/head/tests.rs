//! What a signature covers, and whose heads are accepted.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::audit::head::{Head, NotOurs, PublishedHead, Signer};

const INSTANCE: Uuid = Uuid::from_u128(7);

fn signer() -> Signer {
    Signer::new(&[1; 32], INSTANCE)
}

fn head() -> Head {
    let signed_at = DateTime::<Utc>::UNIX_EPOCH.naive_utc();
    Head { chain: 1, size: 3, root: [0xab; 32], signed_at }
}

fn published() -> PublishedHead {
    signer().verifier().publish(&head(), &signer().sign(&head()))
}

#[test]
fn a_head_is_read_back_from_its_published_line() {
    let line = serde_json::to_string(&published()).unwrap();

    let read: PublishedHead = serde_json::from_str(&line).unwrap();

    assert_eq!(signer().verifier().accept(&read), Ok(head()));
    assert!(line.starts_with("{\"form\":\"sentinelle-audit-head/1\",\"instance\":"), "{line}");
}

#[test]
fn a_signature_covers_every_field() {
    let signature = signer().sign(&head());
    let ours = signer().verifier();
    assert!(ours.is_signed(&head(), &signature));

    let later = head().signed_at + chrono::Duration::milliseconds(1);
    for other in [
        Head { chain: 2, ..head() },
        Head { size: 4, ..head() },
        Head { root: [8; 32], ..head() },
        Head { signed_at: later, ..head() },
    ] {
        assert!(!ours.is_signed(&other, &signature), "{other:?}");
    }
    assert!(!Signer::new(&[1; 32], Uuid::nil()).verifier().is_signed(&head(), &signature));
    assert!(!Signer::new(&[2; 32], INSTANCE).verifier().is_signed(&head(), &signature));
    assert!(!ours.is_signed(&head(), &signature[1..]));
}

#[test]
fn heads_of_others_and_altered_ones_are_told_apart() {
    let ours = signer().verifier();
    let refusal = |change: fn(&mut PublishedHead)| {
        let mut altered = published();
        change(&mut altered);
        ours.accept(&altered).unwrap_err()
    };

    assert_eq!(refusal(|head| head.form.push('0')), NotOurs::Form);
    assert_eq!(refusal(|head| head.instance = Uuid::nil()), NotOurs::Instance);
    assert_eq!(refusal(|head| head.key.replace_range(..2, "00")), NotOurs::Key);
    assert_eq!(refusal(|head| head.size += 1), NotOurs::Signature);
    assert_eq!(refusal(|head| head.root.make_ascii_uppercase()), NotOurs::Signature);
    assert_eq!(refusal(|head| head.signature.truncate(4)), NotOurs::Signature);
}
