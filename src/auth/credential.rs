//! Credentials: tokens that authenticate a user or a device, and short references to be read aloud.
//!
//! A token is a prefix such as `snt_u_`, 43 random letters and digits, and 6 more that are its checksum. Only its hash is
//! stored, so a dump holds no usable token; the prefix and [`TOKEN_PATTERN`] let scanners find one that leaked; the
//! checksum refuses a typo before the database is asked. Knows neither users nor devices nor the database.

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::seal::crockford;

/// Matches every token of every kind; published for secret scanners.
pub const TOKEN_PATTERN: &str = "snt_[udsif]_[0-9A-Za-z]{49}";

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 43 characters out of 62 are 256.03 bits.
const SECRET_CHARS: usize = 43;
/// 62^6 is more than 2^32.
const CHECKSUM_CHARS: usize = 6;
const REFERENCE_DIGITS: usize = 8;

/// Names who a token stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// A person, without signing in.
    User,
    /// A phone or program that submits.
    Device,
    /// A person who signed in.
    Session,
    /// Whoever holds a link that works once: to set a password, or to set the instance up. It authenticates no request.
    Invitation,
    /// A spreadsheet or map of a person that reads lists and counts, and nothing else.
    Feed,
}

impl CredentialKind {
    /// Every kind there is.
    pub const ALL: [Self; 5] =
        [Self::User, Self::Device, Self::Session, Self::Invitation, Self::Feed];

    /// Returns what tokens of this kind start with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::User => "snt_u_",
            Self::Device => "snt_d_",
            Self::Session => "snt_s_",
            Self::Invitation => "snt_i_",
            Self::Feed => "snt_f_",
        }
    }
}

/// Reports why a text is not a token; never repeats it.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The text does not look like a token.
    #[error(
        "this is not a token: a token starts with snt_u_, snt_d_, snt_s_, snt_i_ or snt_f_ and has 55 characters"
    )]
    NotAToken,
    /// The text looks like a token but its checksum differs.
    #[error("the token has a typo: copy it again as a whole")]
    Checksum,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandom(#[from] getrandom::Error),
}

/// Holds a token whose form and checksum are right; whether it is valid only the stored hashes can say.
///
/// Wiped when dropped; printed for debugging it shows its kind only.
pub struct Credential {
    kind: CredentialKind,
    text: Zeroizing<String>,
}

impl Credential {
    /// Returns a new random token.
    ///
    /// # Errors
    /// [`CredentialError::NoRandom`].
    pub fn generate(kind: CredentialKind) -> Result<Self, CredentialError> {
        let prefix = kind.prefix();
        let mut text =
            Zeroizing::new(String::with_capacity(prefix.len() + SECRET_CHARS + CHECKSUM_CHARS));
        text.push_str(prefix);
        while text.len() < prefix.len() + SECRET_CHARS {
            let mut bytes = Zeroizing::new([0; SECRET_CHARS]);
            getrandom::fill(bytes.as_mut_slice())?;
            let n_missing = prefix.len() + SECRET_CHARS - text.len();
            // 248 is the largest multiple of 62 in a byte: without the rest, all characters are equally likely.
            let drawn = bytes.iter().filter(|byte| **byte < 248).take(n_missing);
            text.extend(drawn.map(|byte| base62(u32::from(*byte))));
        }
        let checksum = checksum_of(&text);
        text.extend(checksum);
        Ok(Self { kind, text })
    }

    /// Returns the token of a text, refusing everything that no [`Credential::generate`] has made.
    ///
    /// # Errors
    /// [`CredentialError::NotAToken`] by form. [`CredentialError::Checksum`] for any one changed character and any two
    /// swapped neighbours, since CRC-32 finds every error within 32 neighbouring bits.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        let (kind, rest) = CredentialKind::ALL
            .into_iter()
            .find_map(|kind| Some((kind, text.strip_prefix(kind.prefix())?)))
            .ok_or(CredentialError::NotAToken)?;
        let has_form = rest.len() == SECRET_CHARS + CHECKSUM_CHARS
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !has_form {
            return Err(CredentialError::NotAToken);
        }
        let (signed, checksum) =
            text.split_at_checked(text.len() - CHECKSUM_CHARS).ok_or(CredentialError::NotAToken)?;
        if !checksum.chars().eq(checksum_of(signed)) {
            return Err(CredentialError::Checksum);
        }
        Ok(Self { kind, text: Zeroizing::new(text.to_owned()) })
    }

    /// Returns who the token stands for.
    pub fn kind(&self) -> CredentialKind {
        self.kind
    }

    /// Returns the token itself, to be shown once to whom it belongs and to nobody else.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns what is stored: SHA-256 of the whole token.
    ///
    /// A slow hash would gain nothing, since 256 random bits cannot be guessed.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.text.as_bytes()).into()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({:?})", self.kind)
    }
}

fn base62(value: u32) -> char {
    let index = usize::try_from(value % 62).unwrap_or(0);
    BASE62.get(index).map_or('0', |symbol| char::from(*symbol))
}

/// Returns the CRC-32 (ISO-HDLC, as in zip) of the text in base62, highest digit first, filled up with zeros.
fn checksum_of(text: &str) -> [char; CHECKSUM_CHARS] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = ['0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = base62(rest);
        rest /= 62;
    }
    digits
}

/// Reports why a text is not a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Wrong length or a character that references never contain.
    #[error("this is not a reference: a reference has 9 letters and digits, like K7QM-3XFD-K")]
    Form,
    /// The check character differs.
    #[error("the reference has a mistake: compare it with the receipt")]
    CheckDigit,
}

/// Returns the short reference of a report for its receipt, like `K7QM-3XFD-K`.
///
/// 40 bits of SHA-256 over the id, so ids with a time in front spread as well as random ones. It is a handle for
/// people, not a key: among a million reports two may share one, so a look-up must expect several, and it authorises
/// nothing.
///
/// # Shape
/// Eight symbols of Crockford's base32 in two groups, then one check character.
pub fn reference(id: Uuid) -> String {
    let digest = Sha256::new().chain_update(b"sentinelle reference v1").chain_update(id).finalize();
    let digits: Vec<u8> = crockford::split_bytes(&digest).take(REFERENCE_DIGITS).collect();
    spell_reference(&digits)
}

/// Returns a reference as [`reference()`] spells it, from how a person spelt it.
///
/// # Errors
/// [`ReferenceError::Form`]; [`ReferenceError::CheckDigit`] for any one wrong symbol and any two symbols swapped.
pub fn parse_reference(text: &str) -> Result<String, ReferenceError> {
    let letters = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
    let values = letters.map(crockford::value).collect::<Option<Vec<u8>>>();
    let values = values.ok_or(ReferenceError::Form)?;
    match values.split_last() {
        Some((check, digits)) if digits.len() == REFERENCE_DIGITS => {
            if *check == crockford::check_value(digits) {
                Ok(spell_reference(digits))
            } else {
                Err(ReferenceError::CheckDigit)
            }
        }
        Some(_) | None => Err(ReferenceError::Form),
    }
}

fn spell_reference(digits: &[u8]) -> String {
    let check = crockford::check_value(digits);
    let mut text = String::new();
    for (nth, value) in digits.iter().chain([&check]).enumerate() {
        if nth == 4 || nth == REFERENCE_DIGITS {
            text.push('-');
        }
        text.push(crockford::symbol(*value));
    }
    text
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use crate::auth::credential::{
        Credential, CredentialError, CredentialKind, ReferenceError, TOKEN_PATTERN,
        parse_reference, reference,
    };

    /// Checksums computed by an independent program (Python `zlib.crc32`).
    const KNOWN: [(CredentialKind, &str); 5] = [
        (CredentialKind::User, "snt_u_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg04RuOj"),
        (CredentialKind::Device, "snt_d_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg2oVPOh"),
        (CredentialKind::Session, "snt_s_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg2HLaRj"),
        (CredentialKind::Invitation, "snt_i_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg3bifPT"),
        (CredentialKind::Feed, "snt_f_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg06j0qE"),
    ];

    /// Says whether a whole text matches a pattern made of characters, `[...]` with ranges, and `{n}`.
    fn is_match(pattern: &str, text: &str) -> bool {
        let mut texts = text.chars();
        let mut patterns = pattern.chars().peekable();
        while let Some(first) = patterns.next() {
            let class: Vec<char> = match first {
                '[' => patterns.by_ref().take_while(|c| *c != ']').collect(),
                other => vec![other],
            };
            let count = if patterns.next_if_eq(&'{').is_some() {
                patterns.by_ref().take_while(|c| *c != '}').collect::<String>().parse().unwrap()
            } else {
                1
            };
            let accepts = |c: char| {
                class.contains(&c)
                    || class.windows(3).any(|w| w[1] == '-' && (w[0]..=w[2]).contains(&c))
            };
            if !(0..count).all(|_| texts.next().is_some_and(accepts)) {
                return false;
            }
        }
        texts.next().is_none()
    }

    #[test]
    fn a_token_reads_back_with_its_kind_and_hash() {
        for kind in CredentialKind::ALL {
            let made = Credential::generate(kind).unwrap();
            let read = Credential::parse(made.expose()).unwrap();

            assert_eq!(read.kind(), kind);
            assert_eq!(read.hash(), made.hash());
        }
    }

    #[test]
    fn tokens_of_an_independent_program_are_accepted() {
        for (kind, text) in KNOWN {
            assert_eq!(Credential::parse(text).unwrap().kind(), kind, "{text}");
        }
    }

    #[test]
    fn every_single_changed_character_of_a_token_is_refused() {
        let tokens = [Credential::generate(CredentialKind::Device).unwrap().expose().to_owned()];
        for token in tokens.iter().map(String::as_str).chain(KNOWN.map(|(_, text)| text)) {
            let letters: Vec<char> = token.chars().collect();
            for place in 0..letters.len() {
                for other in
                    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-é ".chars()
                {
                    let mut typed = letters.clone();
                    typed[place] = other;
                    let is_same = other == letters[place];
                    let read = Credential::parse(&typed.iter().collect::<String>());
                    assert_eq!(read.is_ok(), is_same, "{other} at {place}");
                }
            }
        }
    }

    #[test]
    fn a_token_cut_prolonged_or_surrounded_is_refused() {
        let (_, token) = KNOWN[0];
        for n_chars in 0..token.len() {
            assert!(Credential::parse(&token[..n_chars]).is_err(), "{n_chars}");
        }
        for text in [format!("{token}0"), format!(" {token}"), format!("{token}\n")] {
            assert!(
                matches!(Credential::parse(&text), Err(CredentialError::NotAToken)),
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_published_pattern_matches_every_kind_and_no_other_form() {
        for kind in CredentialKind::ALL {
            for _ in 0..100 {
                let token = Credential::generate(kind).unwrap();
                assert!(is_match(TOKEN_PATTERN, token.expose()), "{kind:?}");
                assert!(!is_match(TOKEN_PATTERN, &token.expose()[1..]), "{kind:?}");
            }
        }
        assert!(!is_match(TOKEN_PATTERN, &KNOWN[0].1.replace("_u_", "_x_")));
    }

    #[test]
    fn debug_and_errors_show_nothing_of_a_token() {
        let (_, token) = KNOWN[1];
        let typo = Credential::parse(&token.replace('4', "5")).unwrap_err();

        assert_eq!(format!("{:?}", Credential::parse(token).unwrap()), "Credential(Device)");
        assert!(!format!("{typo} {typo:?}").contains("01235"));
    }

    #[test]
    fn a_reference_reads_back_however_it_is_spelt() {
        for nth in 0..50 {
            let spelt = reference(Uuid::from_u128(nth));
            let careless =
                format!(" {} ", spelt.to_lowercase().replace('-', " ").replace('0', "o"));

            assert_eq!(spelt.len(), 11);
            assert_eq!(parse_reference(&careless), Ok(spelt));
        }
    }

    #[test]
    fn a_wrong_symbol_or_two_swapped_ones_in_a_reference_are_refused() {
        let symbols: Vec<char> = "K7QM-3XFD-K".chars().collect();
        assert_eq!(parse_reference("K7QM-3XFD-K").as_deref(), Ok("K7QM-3XFD-K"));
        let is_same = |typed: &[char]| {
            typed.iter().filter(|c| **c != '-').eq(symbols.iter().filter(|c| **c != '-'))
        };
        for place in (0..symbols.len()).filter(|place| symbols[*place] != '-') {
            for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".chars() {
                let mut typed = symbols.clone();
                typed[place] = other;
                let read = parse_reference(&typed.iter().collect::<String>());
                assert_eq!(read.is_ok(), is_same(&typed), "{other} at {place}");
            }
            for second in 0..place {
                let mut typed = symbols.clone();
                typed.swap(place, second);
                let read = parse_reference(&typed.iter().collect::<String>());
                assert_eq!(read.is_ok(), is_same(&typed), "{place} and {second}");
            }
        }
    }

    #[test]
    fn a_text_of_another_form_is_no_reference() {
        for text in ["", "K7QM-3XFD", "K7QM-3XFD-KK", "K7QM-3XFU-K", "é7QM-3XFD-K"] {
            assert_eq!(parse_reference(text), Err(ReferenceError::Form), "{text}");
        }
    }
}
