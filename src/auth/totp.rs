//! Second factors: one-time codes of an authenticator program, and the codes for when it is lost. Pure.

use chrono::{DateTime, Utc};
use qrcode::QrCode;
use qrcode::render::svg;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::seal::crockford;

/// Bytes of a secret: 160 bits (RFC 4226, section 4).
pub const SECRET_BYTES: usize = 20;
/// How long a code holds, in seconds (RFC 6238). Authenticator programs take no other everywhere.
pub const STEP_S: i64 = 30;
/// How many recovery codes a person gets.
pub const N_RECOVERY_CODES: usize = 10;

const ISSUER: &str = "Sentinelle";
/// 50 bits each, behind the same back-off as passwords.
const RECOVERY_DIGITS: usize = 10;

/// The secret that an authenticator program and we share; wiped when dropped.
pub type FactorSecret = Zeroizing<[u8; SECRET_BYTES]>;

/// Makes a new secret.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn new_secret() -> Result<FactorSecret> {
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    getrandom::fill(secret.as_mut_slice()).map_err(Error::internal)?;
    Ok(secret)
}

/// Returns the step that `code` belongs to: this one, the one before or the one after, since clocks differ. The caller
/// must see to it that no step is taken twice.
///
/// # Errors
/// When the secret cannot be one.
pub fn matching_step(secret: &FactorSecret, code: &str, now: DateTime<Utc>) -> Result<Option<i64>> {
    let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    // SHA-1, six digits, thirty seconds, one step of tolerance.
    let totp = totp_rs::Builder::new().with_secret(**secret).build().map_err(Error::internal)?;
    let now_s = u64::try_from(now.timestamp()).map_err(Error::internal)?;
    let step = totp.check(&code, now_s);
    step.map(i64::try_from).transpose().map_err(Error::internal)
}

/// Returns the secret as people type it into a program: base32 (RFC 4648) without padding.
pub fn base32(secret: &FactorSecret) -> Zeroizing<String> {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let letter = |value: u8| LETTERS.get(usize::from(value)).map_or('A', |byte| char::from(*byte));
    Zeroizing::new(crockford::split_bytes(secret.as_slice()).map(letter).collect())
}

/// Returns the address by which programs take up a secret.
///
/// # Source
/// The Key URI Format of Google Authenticator, which all programs read.
pub fn uri(name: &str, secret: &FactorSecret) -> Zeroizing<String> {
    let (label, secret) = (percent_encoded(name), base32(secret));
    Zeroizing::new(format!(
        "otpauth://totp/{ISSUER}:{label}?secret={}&issuer={ISSUER}&algorithm=SHA1&digits=6&period={STEP_S}",
        *secret
    ))
}

/// Returns an address as a picture to scan, an SVG document.
///
/// # Errors
/// When it is too long for one.
pub fn qr_svg(uri: &str) -> Result<String> {
    let code = QrCode::new(uri.as_bytes()).map_err(|error| Error::internal(error.to_string()))?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(240, 240).build())
}

fn percent_encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| match byte {
            byte if is_plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// Makes recovery codes such as `K7QM3-XFDK2`.
///
/// # Errors
/// When the operating system gives no random bytes.
pub fn new_recovery_codes() -> Result<Vec<Zeroizing<String>>> {
    let new_code = |_| {
        let mut bytes = Zeroizing::new([0; RECOVERY_DIGITS]);
        getrandom::fill(bytes.as_mut_slice()).map_err(Error::internal)?;
        let digits: Vec<char> = bytes.iter().map(|byte| crockford::symbol(byte % 32)).collect();
        let (first, second) = digits.split_at(RECOVERY_DIGITS / 2);
        let spelt = first.iter().chain(&['-']).chain(second).collect();
        Ok(Zeroizing::new(spelt))
    };
    (0..N_RECOVERY_CODES).map(new_code).collect()
}

/// Returns the digits of a recovery code however it is spelt; `None` where it cannot be one.
pub fn recovery_digits(code: &str) -> Option<Zeroizing<Vec<u8>>> {
    let letters = code.chars().filter(|letter| !letter.is_whitespace() && *letter != '-');
    let digits = letters.map(crockford::value).collect::<Option<Vec<u8>>>().map(Zeroizing::new)?;
    (digits.len() == RECOVERY_DIGITS).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// The secret of RFC 6238, appendix B.
    fn rfc_secret() -> FactorSecret {
        Zeroizing::new(*b"12345678901234567890")
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // Appendix B has eight digits; six are the last six of them.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let step = matching_step(&rfc_secret(), code, at(seconds)).unwrap();
            assert_eq!(step, Some(seconds / STEP_S), "{code}");
        }
    }

    #[test]
    fn a_code_holds_one_step_before_and_after_its_own() {
        let step = |seconds| matching_step(&rfc_secret(), "287 082", at(seconds)).unwrap();

        assert_eq!([step(0), step(29)], [Some(1), Some(1)]);
        assert_eq!([step(60), step(89)], [Some(1), Some(1)]);
        assert_eq!([step(90), step(1_000)], [None, None]);
        for wrong in ["", "28708", "2870820", "+87082", "２８７０８２", "287082\0"] {
            assert_eq!(matching_step(&rfc_secret(), wrong, at(59)).unwrap(), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_address_holds_the_secret_in_base32_and_the_name_encoded() {
        assert_eq!(*base32(&rfc_secret()), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            *uri("A. Kamara & fils: é", &rfc_secret()),
            "otpauth://totp/Sentinelle:A.%20Kamara%20%26%20fils%3A%20%C3%A9\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Sentinelle&algorithm=SHA1&digits=6&period=30"
        );
        let picture = qr_svg(&uri("A", &rfc_secret())).unwrap();
        assert!(picture.starts_with("<?xml") && picture.ends_with("</svg>"));
    }

    #[test]
    fn recovery_codes_read_back_however_they_are_spelt() {
        let codes = new_recovery_codes().unwrap();
        assert_eq!(codes.len(), 10);
        for code in &codes {
            let digits = recovery_digits(code).unwrap();
            let careless = code.to_lowercase().replace('-', " ").replace('0', "o");
            assert_eq!(recovery_digits(&careless), Some(digits));
            assert_eq!(codes.iter().filter(|other| *other == code).count(), 1);
        }
        for wrong in ["", "K7QM3", "K7QM3-XFDK", "K7QM3-XFDK22", "K7QM3-XFDKU", "123456"] {
            assert_eq!(recovery_digits(wrong), None, "{wrong}");
        }
    }
}
