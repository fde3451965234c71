//! Hides the exact length of a plaintext, so that "yes" and "no", or two site names, seal to the same size.
//!
//! Layout before encryption: the length as 32 bits big-endian, the content, zero bytes up to a whole block. What a
//! dump still shows is the number of blocks.

use zeroize::Zeroizing;

use crate::seal::envelope::SealError;

const LENGTH_BYTES: usize = 4;

/// Returns the content with its length in front, filled up to a multiple of `block_bytes`.
///
/// # Errors
/// [`SealError::TooLong`] above 4 GiB.
pub(super) fn pad(content: &[u8], block_bytes: usize) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let Ok(length) = u32::try_from(content.len()) else {
        return Err(SealError::TooLong { size_bytes: content.len(), limit_bytes: u32::MAX });
    };
    let padded_bytes = (LENGTH_BYTES + content.len()).next_multiple_of(block_bytes);
    // The full size is reserved at once: a growing buffer would leave unwiped copies behind.
    let mut padded = Zeroizing::new(Vec::with_capacity(padded_bytes));
    padded.extend_from_slice(&length.to_be_bytes());
    padded.extend_from_slice(content);
    padded.resize(padded_bytes, 0);
    Ok(padded)
}

/// Returns the content of a padded plaintext.
///
/// # Errors
/// [`SealError::Damaged`] when the length does not fit the bytes. They are authenticated before, so this is a bug or
/// a foreign writer, not an attacker.
pub(super) fn unpad(padded: &[u8]) -> Result<&[u8], SealError> {
    let (length, rest) = padded.split_first_chunk::<LENGTH_BYTES>().ok_or(SealError::Damaged)?;
    let Ok(length) = usize::try_from(u32::from_be_bytes(*length)) else {
        return Err(SealError::Damaged);
    };
    rest.get(..length).ok_or(SealError::Damaged)
}

#[cfg(test)]
mod tests {
    use crate::seal::padding::{pad, unpad};

    #[test]
    fn content_of_every_length_survives_and_fills_whole_blocks() {
        for length in 0..200 {
            let content = vec![7; length];

            let padded = pad(&content, 64).unwrap();

            assert_eq!(padded.len() % 64, 0, "{length}");
            assert_eq!(unpad(&padded).unwrap(), content, "{length}");
        }
    }

    #[test]
    fn short_answers_have_one_length() {
        assert_eq!(pad(b"yes", 64).unwrap().len(), pad(b"", 64).unwrap().len());
    }

    #[test]
    fn a_length_beyond_the_bytes_is_refused() {
        assert!(unpad(&[0, 0, 0, 9, 1]).is_err());
        assert!(unpad(&[0, 0]).is_err());
    }
}
