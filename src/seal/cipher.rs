//! Authenticated encryption of one byte string under one 256-bit key: the only place that names the cipher.
//!
//! Layout: one byte format, 24 bytes nonce, then ciphertext and 16 bytes tag. The nonce is random; at 192 bits two
//! equal ones are out of reach for any number of records.
//!
//! # Source
//! XChaCha20-Poly1305: draft-irtf-cfrg-xchacha-03, over RFC 8439.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::seal::envelope::SealError;
use crate::seal::key::InstanceKey;

/// Format this program writes; the first byte of everything sealed and part of what is authenticated.
const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 24;
pub(super) const KEY_BYTES: usize = 32;

/// Returns `N` random bytes of the operating system.
///
/// # Errors
/// [`SealError::NoRandom`].
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, SealError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice())?;
    Ok(bytes)
}

/// Returns the plaintext encrypted and bound to `context`, which must be given again to open it.
///
/// # Errors
/// [`SealError::NoRandom`]; [`SealError::TooLong`] beyond what the cipher takes (256 GiB).
pub(super) fn encrypt(
    key: &[u8; KEY_BYTES],
    context: &[&[u8]],
    plaintext: &[u8],
) -> Result<Vec<u8>, SealError> {
    let nonce = random::<NONCE_BYTES>()?;
    let payload = Payload { msg: plaintext, aad: &associated_data(context) };
    let Ok(ciphertext) =
        XChaCha20Poly1305::new(key.into()).encrypt(<&XNonce>::from(&*nonce), payload)
    else {
        return Err(SealError::TooLong { size_bytes: plaintext.len(), limit_bytes: u32::MAX });
    };
    Ok([&[FORMAT], nonce.as_slice(), &ciphertext].concat())
}

/// Returns the plaintext of what [`encrypt`] returned for the same key and context.
///
/// # Errors
/// [`SealError::UnknownFormat`] by the first byte, else [`SealError::Damaged`].
pub(super) fn decrypt(
    key: &[u8; KEY_BYTES],
    context: &[&[u8]],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (format, rest) = sealed.split_first().ok_or(SealError::Damaged)?;
    if *format != FORMAT {
        return Err(SealError::UnknownFormat { found: *format, known: FORMAT });
    }
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Damaged)?;
    let payload = Payload { msg: ciphertext, aad: &associated_data(context) };
    match XChaCha20Poly1305::new(key.into()).decrypt(<&XNonce>::from(nonce), payload) {
        Ok(plaintext) => Ok(Zeroizing::new(plaintext)),
        Err(chacha20poly1305::Error) => Err(SealError::Damaged),
    }
}

/// Returns a secret wrapped by the instance key for one purpose.
///
/// # Errors
/// As [`encrypt`].
pub(super) fn wrap_secret(
    instance_key: &InstanceKey,
    purpose: &str,
    secret: &[u8],
) -> Result<Vec<u8>, SealError> {
    let key_id = instance_key.id();
    encrypt(instance_key.bytes(), &[b"wrapped key", purpose.as_bytes(), key_id.as_bytes()], secret)
}

/// Returns the secret of what [`wrap_secret`] returned for the same instance key and purpose.
///
/// # Errors
/// [`SealError::WrongKey`] when `key_id` names another instance key; [`SealError::Damaged`] when the bytes were
/// changed, wrapped for another purpose or do not hold `N` bytes.
pub(super) fn unwrap_secret<const N: usize>(
    instance_key: &InstanceKey,
    key_id: &str,
    purpose: &str,
    wrapped: &[u8],
) -> Result<Zeroizing<[u8; N]>, SealError> {
    let held = instance_key.id();
    if key_id != held {
        return Err(SealError::WrongKey { needed: key_id.to_owned(), held: held.to_owned() });
    }
    let context: [&[u8]; 3] = [b"wrapped key", purpose.as_bytes(), held.as_bytes()];
    let opened = decrypt(instance_key.bytes(), &context, wrapped)?;
    match <[u8; N]>::try_from(opened.as_slice()) {
        Ok(secret) => Ok(Zeroizing::new(secret)),
        Err(_) => Err(SealError::Damaged),
    }
}

/// Returns the fields in one unambiguous byte string: format, then each field behind its length in 64 bits.
///
/// Without the lengths, ("ab", "c") and ("a", "bc") would authenticate alike.
fn associated_data(fields: &[&[u8]]) -> Vec<u8> {
    let mut data = vec![FORMAT];
    for field in fields {
        // A usize never exceeds 64 bits on any target of Rust.
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
        data.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(field);
    }
    data
}

#[cfg(test)]
mod tests {
    use crate::seal::cipher::{
        KEY_BYTES, associated_data, decrypt, encrypt, unwrap_secret, wrap_secret,
    };
    use crate::seal::envelope::SealError;
    use crate::seal::key::InstanceKey;

    #[test]
    fn fields_moved_across_their_border_give_other_associated_data() {
        assert_ne!(associated_data(&[b"ab", b"c"]), associated_data(&[b"a", b"bc"]));
        assert_ne!(associated_data(&[b"ab"]), associated_data(&[b"ab", b""]));
    }

    #[test]
    fn the_same_plaintext_never_seals_to_the_same_bytes() {
        let key = [1; KEY_BYTES];

        let first = encrypt(&key, &[b"test"], b"text").unwrap();
        let second = encrypt(&key, &[b"test"], b"text").unwrap();

        assert_ne!(first, second);
    }

    #[test]
    fn an_unknown_format_is_named() {
        let key = [1; KEY_BYTES];
        let mut sealed = encrypt(&key, &[b"test"], b"text").unwrap();
        sealed[0] = 2;

        let error = decrypt(&key, &[b"test"], &sealed).unwrap_err();

        assert!(matches!(error, SealError::UnknownFormat { found: 2, known: 1 }));
    }

    #[test]
    fn a_secret_wrapped_for_one_purpose_does_not_open_for_another() {
        let key = InstanceKey::generate().unwrap();
        let wrapped = wrap_secret(&key, "cursor", &[9; 32]).unwrap();

        let opened = unwrap_secret::<32>(&key, key.id(), "place", &wrapped);

        assert!(matches!(opened, Err(SealError::Damaged)));
    }
}
