//! Passwords: what makes a good one, and its hash. Knows neither names' owners nor the database.
//!
//! A hash is Argon2id keyed with a secret of the instance, so a copy of the database gives nobody anything to guess at.
//! Each takes 19 MiB and some ten milliseconds: a few are made at once, off the async threads, and of those that wait
//! more than [`MOST_WAITING`] are sent away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::web;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::Deserialize;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::error::{Code, Error, FieldError, Result};
use crate::seal::subkeys::SubKeySet;

/// Memory, passes and lanes of Argon2id.
///
/// # Source
/// OWASP Password Storage Cheat Sheet, the least it recommends.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// A hash of no password: what is compared with where there is none, so that it takes as long. Its 32 bytes are chosen,
/// not computed; that some password has them is as likely as guessing a key.
const NO_PASSWORD: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm8gcGFzc3dvcmQgaGFzIA$\
    AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

const SALT_BYTES: usize = 16;

/// Shortest and longest password, in characters.
pub const LENGTHS: std::ops::RangeInclusive<usize> = 12..=128;

/// Most hashes made at once, whatever the number of cores.
const MOST_AT_ONCE: usize = 8;

/// Most that wait for their turn: about a second's work of two cores.
const MOST_WAITING: usize = 64;

/// A part of a name must have so many letters to be missed in a password.
const NAME_PART_CHARS: usize = 4;

/// A password as it was sent; wiped when dropped, never shown.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Returns the password of a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Refuses a password that is soon guessed, or holds the `name` of its account; off the async threads, since
    /// thinking of how it is guessed takes a while.
    ///
    /// # Errors
    /// `InvalidFields` at `pointer`, saying what to do; nothing of the password.
    pub async fn check(&self, name: String, pointer: &'static str) -> Result<()> {
        let password = self.clone();
        web::block(move || password.judge(&name, pointer)).await.map_err(Error::internal)?
    }

    fn judge(&self, name: &str, pointer: &str) -> Result<()> {
        let refuse = |en: &str, fr: &str| {
            Err(Error::invalid(vec![FieldError::new(pointer, en.to_owned(), fr.to_owned())]))
        };
        if !LENGTHS.contains(&self.0.chars().take(LENGTHS.end() + 1).count()) {
            return refuse(
                "a password has 12 to 128 characters: take four or more words that do not belong together",
                "un mot de passe compte de 12 à 128 caractères : prenez au moins quatre mots sans rapport entre eux",
            );
        }
        if self.holds_name(name) {
            return refuse(
                "the password holds the name of the account: take one without it",
                "le mot de passe contient le nom du compte : choisissez-en un sans lui",
            );
        }
        if zxcvbn::zxcvbn(&self.0, &[name]).score() < zxcvbn::Score::Three {
            return refuse(
                "this password is soon guessed: take four or more words that do not belong together, or let a program make it",
                "ce mot de passe se devine vite : prenez au moins quatre mots sans rapport entre eux, ou laissez un programme le créer",
            );
        }
        Ok(())
    }

    fn holds_name(&self, name: &str) -> bool {
        let folded = Zeroizing::new(self.0.to_lowercase());
        let name = name.to_lowercase();
        let whole: String = name.split_whitespace().collect();
        let words = name.split(|letter: char| !letter.is_alphanumeric());
        let mut parts = words.chain([name.trim(), &whole]);
        parts.any(|part| part.chars().count() >= NAME_PART_CHARS && folded.contains(part))
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

/// Hashes passwords and compares them with hashes; cheap to clone.
#[derive(Clone)]
pub struct Passwords(Arc<Inner>);

struct Inner {
    key: Zeroizing<[u8; 64]>,
    at_once: Semaphore,
    n_waiting: AtomicUsize,
}

impl Passwords {
    /// Returns the hasher of the instance with these secrets.
    pub fn new(keys: &SubKeySet) -> Self {
        let n_cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let at_once = Semaphore::new(n_cores.min(MOST_AT_ONCE));
        Self(Arc::new(Inner { key: keys.password_key(), at_once, n_waiting: AtomicUsize::new(0) }))
    }

    /// Returns the hash of a password, as a PHC string.
    ///
    /// # Errors
    /// `Unavailable` when too many wait.
    pub async fn hash(&self, password: Password) -> Result<String> {
        self.in_turn(move |key| {
            let mut salt = [0; SALT_BYTES];
            getrandom::fill(&mut salt).map_err(Error::internal)?;
            let hash = argon2(key)?.hash_password_with_salt(password.0.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(Error::internal)
        })
        .await
    }

    /// Says whether `hash` is that of the password; without one it is not, and takes as long.
    ///
    /// # Errors
    /// As [`Passwords::hash`].
    pub async fn verify(&self, password: Password, hash: Option<String>) -> Result<bool> {
        self.in_turn(move |key| {
            let hash = hash.as_deref().unwrap_or(NO_PASSWORD);
            match argon2(key)?.verify_password(password.0.as_bytes(), hash) {
                Ok(()) => Ok(true),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(Error::internal(error)),
            }
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&[u8]) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let waiting = Waiting::new(&self.0)?;
        let turn = self.0.at_once.acquire().await.map_err(Error::internal)?;
        drop(waiting);
        let inner = Arc::clone(&self.0);
        let done = web::block(move || work(inner.key.as_slice())).await.map_err(Error::internal)?;
        drop(turn);
        done
    }
}

/// A place among those who wait, given up when dropped: whoever hangs up waits no more.
struct Waiting<'a>(&'a Inner);

impl<'a> Waiting<'a> {
    fn new(inner: &'a Inner) -> Result<Self> {
        let n_before = inner.n_waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Self(inner);
        if n_before < MOST_WAITING { Ok(waiting) } else { Err(Error::new(Code::Unavailable)) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.n_waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

fn argon2(key: &[u8]) -> Result<Argon2<'_>> {
    let (memory_kib, passes, lanes) = COST;
    let params = Params::new(memory_kib, passes, lanes, None).map_err(Error::internal)?;
    Argon2::new_with_secret(key, Algorithm::Argon2id, Version::V0x13, params)
        .map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::envelope::Sealer;
    use crate::seal::key::InstanceKey;

    fn passwords() -> Passwords {
        let sealer = Sealer::new(InstanceKey::generate().unwrap());
        Passwords::new(&SubKeySet::generate(&sealer).unwrap().0)
    }

    fn wait<T>(work: impl Future<Output = T>) -> T {
        actix_web::rt::System::new().block_on(work)
    }

    #[track_caller]
    fn check(password: &str, is_right: bool, reason: &str) {
        let checked = Password::new(password).judge("Aminata Kamara", "/password");

        assert_eq!(checked.is_ok(), is_right, "{reason}: {password}");
        if let (Err(error), false) = (checked, password.is_empty()) {
            assert!(!error.to_string().contains(password), "{reason}");
        }
    }

    #[test]
    fn a_password_is_long_enough_hard_to_guess_and_without_the_name() {
        check("gravel-otter-plain-nine", true, "four words");
        check("rivière étain sable cinq", true, "any characters will do");
        check("каменная вода идёт вниз", true, "any script will do");
        check(&"q7Zk".repeat(3), false, "a repeated part");
        check("q7Zk!mw2Xr", false, "ten characters");
        check("password1234", false, "in every list");
        check("aaaaaaaaaaaaaaaa", false, "one letter");
        check("gravel-aminata-plain-nine", false, "a first name");
        check("gravel kamara plain nine", false, "a family name");
        check("Aminata Kamara 1985!", false, "the name");
        check(&"gravel-otter-plain-nine".repeat(6), false, "138 characters");
        check("", false, "nothing");
    }

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let passwords = passwords();
        wait(async {
            let hash = passwords.hash(Password::new("gravel-otter-plain-nine")).await.unwrap();
            let verify = |text: &str, hash: Option<&str>| {
                passwords.verify(Password::new(text), hash.map(str::to_owned))
            };

            assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
            assert!(verify("gravel-otter-plain-nine", Some(&hash)).await.unwrap());
            assert!(!verify("gravel-otter-plain-ten", Some(&hash)).await.unwrap());
            assert!(!verify("gravel-otter-plain-nine", None).await.unwrap());
        });
    }

    #[test]
    fn a_hash_is_worth_nothing_without_the_secret_of_the_instance() {
        wait(async {
            let password = Password::new("gravel-otter-plain-nine");
            let hash = passwords().hash(password.clone()).await.unwrap();

            assert!(!passwords().verify(password, Some(hash)).await.unwrap());
        });
    }

    #[test]
    fn where_too_many_wait_the_next_one_is_sent_away() {
        let passwords = passwords();
        wait(async {
            let all: Vec<_> = (0..MOST_WAITING + MOST_AT_ONCE + 1)
                .map(|_| passwords.verify(Password::new("x"), None))
                .collect();
            let done = futures_util::future::join_all(all).await;
            let n_refused = done.iter().filter(|answer| answer.is_err()).count();

            assert!((1..=MOST_AT_ONCE + 1).contains(&n_refused), "{n_refused}");
            assert_eq!(passwords.0.n_waiting.load(Ordering::Relaxed), 0);
        });
    }
}
