//! One instance key wrapped by another: while the instance key is changed, whoever holds either opens everything.

use zeroize::Zeroizing;

use crate::seal::cipher::{KEY_BYTES, unwrap_secret, wrap_secret};
use crate::seal::envelope::SealError;
use crate::seal::key::InstanceKey;

/// Holds an instance key wrapped by another one, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// Id of the key that is wrapped.
    pub of: String,
    /// Id of the key that opens it.
    pub by: String,
    /// The wrapped key: 73 bytes.
    pub wrapped: Vec<u8>,
}

impl Handover {
    /// Returns the key `of`, wrapped by the key `by`.
    ///
    /// # Errors
    /// [`SealError::NoRandom`].
    pub fn make(of: &InstanceKey, by: &InstanceKey) -> Result<Self, SealError> {
        let wrapped = wrap_secret(by, &label(of.id()), of.bytes())?;
        Ok(Self { of: of.id().to_owned(), by: by.id().to_owned(), wrapped })
    }

    /// Returns the wrapped key.
    ///
    /// # Errors
    /// [`SealError::WrongKey`] when `by` is another key than the one that wraps it; [`SealError::Damaged`] when the bytes
    /// were changed or hold another key than they say.
    pub(super) fn open(&self, by: &InstanceKey) -> Result<InstanceKey, SealError> {
        let bytes: Zeroizing<[u8; KEY_BYTES]> =
            unwrap_secret(by, &self.by, &label(&self.of), &self.wrapped)?;
        let key = InstanceKey::from_bytes(bytes);
        if key.id() == self.of { Ok(key) } else { Err(SealError::Damaged) }
    }
}

/// Never the label of a data key or a sub key; with the id, one handover does not pass for another.
fn label(of: &str) -> String {
    format!("instance key {of}")
}

#[cfg(test)]
mod tests {
    use crate::seal::envelope::SealError;
    use crate::seal::handover::Handover;
    use crate::seal::key::InstanceKey;

    #[test]
    fn a_key_handed_over_opens_with_the_other_key_alone() {
        let [old, new, third] = [(); 3].map(|()| InstanceKey::generate().unwrap());

        let handover = Handover::make(&new, &old).unwrap();

        assert_eq!(handover.open(&old).unwrap().bytes(), new.bytes());
        assert!(matches!(handover.open(&third), Err(SealError::WrongKey { .. })));
        assert!(matches!(handover.open(&new), Err(SealError::WrongKey { .. })));
    }

    #[test]
    fn a_handover_renamed_or_changed_does_not_open() {
        let [old, new, third] = [(); 3].map(|()| InstanceKey::generate().unwrap());
        let handover = Handover::make(&new, &old).unwrap();

        let renamed = Handover { of: third.id().to_owned(), ..handover.clone() };
        assert!(matches!(renamed.open(&old), Err(SealError::Damaged)));
        for bit in 0..handover.wrapped.len() * 8 {
            let mut changed = handover.clone();
            changed.wrapped[bit / 8] ^= 1 << (bit % 8);
            assert!(changed.open(&old).is_err(), "bit {bit}");
        }
    }
}
