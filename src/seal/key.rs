//! The instance key: the one secret that opens a database, and the text by which people keep it.
//!
//! The text is the only form outside memory: what is printed, typed in again, put into an environment variable or
//! written to a file ([`crate::seal::key_file`]) is one and the same.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::seal::cipher::KEY_BYTES;
use crate::seal::crockford;
use crate::seal::mistyped::{effects_of, find_group};

/// First byte of the recovery text, so that later keys can look different.
const TEXT_FORMAT: u8 = 1;
/// Format, key, CRC-32.
const TEXT_BYTES: usize = 1 + KEY_BYTES + 4;
const GROUP_LETTERS: usize = 5;
/// 37 bytes are 296 bits: 60 letters, of which the last carries one bit.
const TEXT_LETTERS: usize = 60;

/// Holds the 256-bit key that wraps every other key of an instance; wiped when dropped, never printed.
pub struct InstanceKey {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: String,
}

/// Reports why a recovery text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// Too few or too many letters.
    #[error("the key text has {found} letters and digits, a key has {TEXT_LETTERS}{}", name_group(*group))]
    Length {
        /// Letters and digits found.
        found: usize,
        /// The one group of twelve that has not five.
        group: Option<usize>,
    },
    /// A character that a key text never contains.
    #[error("group {group} of the key text holds a character that is not used in keys")]
    Letter {
        /// Which group of five, counted from 1.
        group: usize,
    },
    /// The letters do not belong together.
    #[error("the key text has a mistake: compare it letter by letter with the original{}", name_group(*group))]
    Checksum {
        /// Where one or two letters are wrong: which group of five, counted from 1.
        group: Option<usize>,
    },
    /// The text was written by a newer program.
    #[error(
        "the key text has format {found}, this program reads format {TEXT_FORMAT}: use a newer program"
    )]
    Format {
        /// Format found.
        found: u8,
    },
}

fn name_group(group: Option<usize>) -> String {
    group.map_or_else(String::new, |group| format!("; look at group {group}"))
}

impl InstanceKey {
    /// Returns a new random key.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(bytes.as_mut_slice())?;
        Ok(Self::from_bytes(bytes))
    }

    pub(super) fn from_bytes(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let id = id_of(&bytes);
        Self { bytes, id }
    }

    /// Returns the key of a recovery text; case, spaces, hyphens, line ends and lines starting with `#` do not matter.
    ///
    /// # Errors
    /// [`KeyTextError`]. One wrong letter, and two neighbours swapped, are always found: a CRC-32 detects every error
    /// within 32 neighbouring bits.
    pub fn from_text(text: &str) -> Result<Self, KeyTextError> {
        let mut values = Zeroizing::new(Vec::with_capacity(TEXT_LETTERS));
        let mut n_letters = 0;
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        for letter in lines.flat_map(str::chars).filter(|c| !c.is_whitespace() && *c != '-') {
            n_letters += 1;
            if n_letters <= TEXT_LETTERS {
                let group = values.len() / GROUP_LETTERS + 1;
                values.push(crockford::value(letter).ok_or(KeyTextError::Letter { group })?);
            }
        }
        if n_letters != TEXT_LETTERS {
            return Err(KeyTextError::Length { found: n_letters, group: odd_group(text) });
        }
        let mut bytes = Zeroizing::new([0; TEXT_BYTES]);
        if !crockford::join_values(values.iter().copied(), bytes.as_mut_slice()) {
            // The last letter carries one bit: only that one can be wrong in this way.
            return Err(KeyTextError::Checksum { group: Some(TEXT_LETTERS / GROUP_LETTERS) });
        }
        let off_by = checksum_off_by(&bytes);
        if off_by != 0 {
            let effects = effects_of(TEXT_LETTERS, checksum_off_by);
            let group = find_group(&values, GROUP_LETTERS, (off_by, &effects));
            return Err(KeyTextError::Checksum { group });
        }
        Self::from_text_bytes(&bytes)
    }

    fn from_text_bytes(bytes: &[u8; TEXT_BYTES]) -> Result<Self, KeyTextError> {
        let [format, rest @ ..] = bytes;
        let (key, _) =
            rest.split_first_chunk::<KEY_BYTES>().ok_or(KeyTextError::Checksum { group: None })?;
        if *format != TEXT_FORMAT {
            return Err(KeyTextError::Format { found: *format });
        }
        Ok(Self::from_bytes(Zeroizing::new(*key)))
    }

    /// Returns the text to write down: twelve groups of five letters and digits.
    pub fn recovery_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(TEXT_BYTES));
        bytes.push(TEXT_FORMAT);
        bytes.extend_from_slice(self.bytes());
        bytes.extend_from_slice(&checksum_of(TEXT_FORMAT, self.bytes()));
        let mut text = Zeroizing::new(String::with_capacity(TEXT_LETTERS * 2));
        for (nth, value) in crockford::split_bytes(&bytes).enumerate() {
            if nth > 0 && nth % GROUP_LETTERS == 0 {
                text.push('-');
            }
            text.push(crockford::symbol(value));
        }
        text
    }

    /// Returns the id by which a key is named in the database and in messages; it gives nothing of the key away.
    ///
    /// # Shape
    /// 16 hexadecimal digits: the first 8 bytes of SHA-256 over a label and the key.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }
}

impl fmt::Debug for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InstanceKey({})", self.id())
    }
}

fn id_of(key: &[u8; KEY_BYTES]) -> String {
    let digest =
        Sha256::new().chain_update(b"sentinelle instance key id v1").chain_update(key).finalize();
    let id = digest.iter().take(8).fold(0_u64, |id, byte| (id << 8) | u64::from(*byte));
    format!("{id:016x}")
}

/// Returns the one group that has not five letters, where there are twelve.
fn odd_group(text: &str) -> Option<usize> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let groups = lines.flat_map(|line| line.split(|c: char| c.is_whitespace() || c == '-'));
    let lengths: Vec<usize> =
        groups.filter(|group| !group.is_empty()).map(|group| group.chars().count()).collect();
    let mut odd = (1..).zip(&lengths).filter(|(_, length)| **length != GROUP_LETTERS);
    let group = odd.next().map(|(group, _)| group);
    group.filter(|_| odd.next().is_none() && lengths.len() * GROUP_LETTERS == TEXT_LETTERS)
}

/// Returns by which bits the checksum at the end differs from that of the bytes before; 0 when it is right.
fn checksum_off_by(bytes: &[u8; TEXT_BYTES]) -> u32 {
    let (text, checksum) = bytes.split_at(TEXT_BYTES - 4);
    let told = checksum.iter().fold(0, |told, byte| told << 8 | u32::from(*byte));
    crc32fast::hash(text) ^ told
}

fn checksum_of(format: u8, key: &[u8; KEY_BYTES]) -> [u8; 4] {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&[format]);
    checksum.update(key);
    checksum.finalize().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use crate::seal::key::{InstanceKey, KeyTextError};

    /// Written by an independent program (Python: zlib.crc32 and base64.b32encode with its letters translated).
    const KNOWN_TEXT: &str =
        "04002-0G30G-2GC1R-81450-P30D1-R7H04-8J2CA-1A5GQ-30CHM-6RW3M-F1ZH5-2G5CG";

    fn known_key() -> InstanceKey {
        InstanceKey::from_bytes(Zeroizing::new(std::array::from_fn(|nth| {
            u8::try_from(nth).unwrap()
        })))
    }

    #[test]
    fn the_recovery_text_agrees_with_an_independent_program() {
        assert_eq!(*known_key().recovery_text(), KNOWN_TEXT);
        assert_eq!(known_key().id(), "33cc8a5b886f99e1");
    }

    #[test]
    fn a_recovery_text_gives_the_key_back_however_it_is_written() {
        let key = InstanceKey::generate().unwrap();
        let text = key.recovery_text();
        let careless = text.to_lowercase().replace('-', " \n").replace('0', "o").replace('1', "l");

        for written in [text.to_string(), careless, format!("# note\n\n  {}\r\n", text.as_str())] {
            assert_eq!(InstanceKey::from_text(&written).unwrap().bytes(), key.bytes(), "{written}");
        }
    }

    #[test]
    fn every_single_mistyped_letter_is_refused() {
        let letters: Vec<char> = KNOWN_TEXT.chars().collect();

        for place in 0..letters.len() {
            for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZU".chars() {
                let mut typed = letters.clone();
                typed[place] = other;
                let is_same = other == letters[place];
                let read = InstanceKey::from_text(&typed.iter().collect::<String>());
                assert_eq!(read.is_ok(), is_same, "{other} at {place}");
                if letters[place] != '-' && other != 'U' && !is_same {
                    let group = Some(place / 6 + 1);
                    assert_eq!(
                        read.unwrap_err(),
                        KeyTextError::Checksum { group },
                        "{other} at {place}"
                    );
                }
            }
        }
    }

    #[test]
    fn two_wrong_letters_of_one_group_name_it_and_a_lost_letter_names_its_group() {
        let twice = KNOWN_TEXT.replacen("81450", "8X4Y0", 1);
        assert_eq!(
            InstanceKey::from_text(&twice).unwrap_err(),
            KeyTextError::Checksum { group: Some(4) }
        );
        let everywhere = KNOWN_TEXT.replace('0', "7");
        assert_eq!(
            InstanceKey::from_text(&everywhere).unwrap_err(),
            KeyTextError::Checksum { group: None }
        );
        let lost = KNOWN_TEXT.replacen("R7H04", "R7H4", 1);
        let error = InstanceKey::from_text(&lost).unwrap_err();
        assert_eq!(error, KeyTextError::Length { found: 59, group: Some(6) });
        assert!(error.to_string().ends_with("; look at group 6"), "{error}");
    }

    #[test]
    fn neighbours_swapped_are_refused() {
        let letters: Vec<char> = KNOWN_TEXT.chars().collect();

        for place in 1..letters.len() {
            let mut typed = letters.clone();
            typed.swap(place - 1, place);
            let is_same =
                typed.iter().filter(|c| **c != '-').eq(letters.iter().filter(|c| **c != '-'));
            let read = InstanceKey::from_text(&typed.iter().collect::<String>());
            assert_eq!(read.is_ok(), is_same, "at {place}");
        }
    }

    #[test]
    fn a_text_of_another_length_says_how_many_letters_it_has() {
        let error = InstanceKey::from_text(&KNOWN_TEXT[..10]).unwrap_err();

        assert_eq!(error, KeyTextError::Length { found: 9, group: None });
    }

    #[test]
    fn debug_shows_the_id_and_never_the_key() {
        assert_eq!(format!("{:?}", known_key()), format!("InstanceKey({})", known_key().id()));
    }
}
