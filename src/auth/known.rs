//! Devices on which somebody signed in before: what lets an owner in while others guess at the name.
//!
//! Whoever signs in gets a token for half a year. It opens nothing; it only has its bearer's guesses counted apart
//! (`guesses.rs`). It is bound to the name, not to an account, so that it is checked before anybody is looked for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};

use crate::auth::guesses::Bucket;
use crate::error::{Error, Result};
use crate::seal::subkeys::{Proof, SubKeySet};

/// How long a device stays known.
pub const LIFETIME: Duration = Duration::days(180);
/// A token with less left is replaced at the next sign-in.
const RENEWED_BELOW: Duration = Duration::days(90);

const RANDOM_BYTES: usize = 16;
const TIME_BYTES: usize = 8;

/// A token of a known device, checked.
pub struct KnownDevice {
    text: String,
    bucket: Bucket,
    expires_at: DateTime<Utc>,
}

impl KnownDevice {
    /// Makes a token for a device on which the holder of a name signed in.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn issue(keys: &SubKeySet, name_index: &[u8; 32], now: DateTime<Utc>) -> Result<Self> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).map_err(Error::internal)?;
        let expires_at = now + LIFETIME;
        let time = expires_at.timestamp().to_be_bytes();
        let bucket = prove(keys, name_index, &random, time);
        let text = URL_SAFE_NO_PAD.encode([&random[..], &time, &bucket].concat());
        Ok(Self { text, bucket, expires_at })
    }

    /// Reads a token; `None` where it was not made by us, for another name, or too long ago.
    pub fn read(
        keys: &SubKeySet,
        name_index: &[u8; 32],
        text: &str,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (random, rest) = bytes.split_at_checked(RANDOM_BYTES)?;
        let (time, proof) = rest.split_first_chunk::<TIME_BYTES>()?;
        let message = message(name_index, random, *time);
        if !keys.verify_proof(Proof::KnownDevice, &message, proof) {
            return None;
        }
        let expires_at = DateTime::from_timestamp(i64::from_be_bytes(*time), 0)?;
        let bucket = proof.try_into().ok()?;
        (now < expires_at).then(|| Self { text: text.to_owned(), bucket, expires_at })
    }

    /// Returns the token to hand out after a sign-in: this one, or a new one where this one is old.
    ///
    /// # Errors
    /// As [`KnownDevice::issue`].
    pub fn renewed(
        self,
        keys: &SubKeySet,
        name_index: &[u8; 32],
        now: DateTime<Utc>,
    ) -> Result<Self> {
        if self.expires_at - now > RENEWED_BELOW {
            return Ok(self);
        }
        Self::issue(keys, name_index, now)
    }

    /// Returns the token itself.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns what its bearer's guesses are counted by.
    pub fn bucket(&self) -> Bucket {
        self.bucket
    }

    /// Returns the seconds it has left.
    pub fn seconds_left(&self, now: DateTime<Utc>) -> i64 {
        (self.expires_at - now).num_seconds()
    }
}

fn prove(
    keys: &SubKeySet,
    name_index: &[u8; 32],
    random: &[u8],
    time: [u8; TIME_BYTES],
) -> [u8; 32] {
    keys.proof(Proof::KnownDevice, &message(name_index, random, time))
}

fn message(name_index: &[u8; 32], random: &[u8], time: [u8; TIME_BYTES]) -> Vec<u8> {
    [name_index.as_slice(), random, &time].concat()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;
    use crate::seal::envelope::Sealer;
    use crate::seal::key::InstanceKey;

    #[test]
    fn a_token_is_known_for_its_name_and_its_time_alone() {
        let sealer = Sealer::new(InstanceKey::generate().unwrap());
        let (keys, _) = SubKeySet::generate(&sealer).unwrap();
        let now = Utc.with_ymd_and_hms(2024, 4, 1, 12, 0, 0).unwrap();
        let (name, other) = (keys.name_index("a"), keys.name_index("b"));
        let made = KnownDevice::issue(&keys, &name, now).unwrap();
        let read = |name, text: &str, now| KnownDevice::read(&keys, name, text, now);

        let known = read(&name, made.text(), now).unwrap();
        assert_eq!((known.bucket(), known.seconds_left(now)), (made.bucket(), 180 * 86_400));
        assert!(read(&other, made.text(), now).is_none(), "another name");
        assert!(read(&name, made.text(), now + LIFETIME).is_none(), "too old");
        assert!(read(&name, "", now).is_none() && read(&name, "AAAA", now).is_none());
        let mut letters: Vec<char> = made.text().chars().collect();
        for place in 0..letters.len() - 1 {
            let right = letters[place];
            letters[place] = if right == 'A' { 'B' } else { 'A' };
            assert!(read(&name, &letters.iter().collect::<String>(), now).is_none(), "{place}");
            letters[place] = right;
        }
    }

    #[test]
    fn a_token_is_kept_until_half_of_its_time_is_over() {
        let sealer = Sealer::new(InstanceKey::generate().unwrap());
        let (keys, _) = SubKeySet::generate(&sealer).unwrap();
        let now = Utc.with_ymd_and_hms(2024, 4, 1, 12, 0, 0).unwrap();
        let name = keys.name_index("a");
        let made = KnownDevice::issue(&keys, &name, now).unwrap();
        let after = |days| {
            let at = now + Duration::days(days);
            let known = KnownDevice::read(&keys, &name, made.text(), at).unwrap();
            known.renewed(&keys, &name, at).unwrap()
        };

        assert_eq!(after(89).text(), made.text());
        assert_ne!(after(91).text(), made.text());
    }
}
