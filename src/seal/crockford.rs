//! Crockford's base32: 32 digits and capital letters chosen to be read aloud and copied by hand.
//!
//! # Source
//! Douglas Crockford, "Base 32", <https://www.crockford.com/base32.html>: I, L, O and U are not used; when reading,
//! small letters count as capitals, I and L as 1, O as 0.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Returns the symbol of a five-bit value; higher bits are ignored.
pub fn symbol(value: u8) -> char {
    let index = usize::from(value & 0b1_1111);
    ALPHABET.get(index).map_or('0', |symbol| char::from(*symbol))
}

/// Returns the five-bit value of a letter or digit as a person may have written it.
///
/// # Shape
/// 0..=31, or `None` for a character that is no symbol.
pub fn value(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        other => other,
    };
    let index = ALPHABET.iter().position(|symbol| char::from(*symbol) == letter)?;
    u8::try_from(index).ok()
}

/// Returns the five-bit values of the bytes, highest bit first, the last one filled up with zero bits.
///
/// # Shape
/// `ceil(8 * n / 5)` values, in order.
pub fn split_bytes(bytes: &[u8]) -> impl Iterator<Item = u8> {
    let n_values = (bytes.len() * 8).div_ceil(5);
    (0..n_values)
        .map(|nth| (0..5).fold(0, |value, bit| (value << 1) | bit_of(bytes, nth * 5 + bit)))
}

/// Returns the bit at a position counted from the highest bit of the first byte; zero behind the end.
fn bit_of(bytes: &[u8], position: usize) -> u8 {
    bytes.get(position / 8).map_or(0, |byte| (byte >> (7 - position % 8)) & 1)
}

/// Writes five-bit values into `bytes`, the inverse of [`split_bytes`].
///
/// Returns false when there are too few or too many values or a filling bit is set, so that each byte string has
/// exactly one accepted spelling.
pub fn join_values(values: impl Iterator<Item = u8>, bytes: &mut [u8]) -> bool {
    let n_bits = bytes.len() * 8;
    let mut position = 0;
    bytes.fill(0);
    for value in values {
        for bit in (0..5).rev().map(|shift| (value >> shift) & 1) {
            match bytes.get_mut(position / 8) {
                Some(byte) => *byte |= bit << (7 - position % 8),
                None if bit == 1 => return false,
                None => {}
            }
            position += 1;
        }
    }
    (n_bits..n_bits + 5).contains(&position)
}

/// Returns the value of a check symbol to be written behind up to 30 others.
///
/// The values are a polynomial at a generator x of GF(32), times x: each position has its own weight and none is zero,
/// so one wrong symbol, and any two swapped, always change it.
///
/// # Source
/// A Reed-Solomon code with one check symbol; GF(32) modulo x^5 + x^2 + 1, which is primitive. Crockford's own check
/// symbol is modulo 37 and needs `*~$=`, which nobody can spell on the phone.
pub fn check_value(values: &[u8]) -> u8 {
    let times_x = |value: u8| {
        if value & 16 == 0 { value << 1 } else { (value << 1) ^ 0b10_0101 }
    };
    values.iter().fold(0, |sum, value| times_x(sum ^ value))
}

#[cfg(test)]
mod tests {
    use crate::seal::crockford::{join_values, split_bytes, symbol, value};

    #[test]
    fn bytes_survive_the_way_through_symbols() {
        let bytes = [0x00, 0xff, 0x12, 0x34, 0x80, 0x01, 0x7e];

        let text: String = split_bytes(&bytes).map(symbol).collect();
        let mut back = [0; 7];
        let accepted = join_values(text.chars().filter_map(value), &mut back);

        assert!(accepted);
        assert_eq!(back, bytes);
    }

    #[test]
    fn the_alphabet_agrees_with_rfc_4648_bit_order() {
        // Base32 of "foobar" in RFC 4648 is MZXW6YTBOI: the same values, other letters.
        let rfc = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

        let text: String =
            split_bytes(b"foobar").map(|value| char::from(rfc[usize::from(value)])).collect();

        assert_eq!(text, "MZXW6YTBOI");
    }

    #[test]
    fn letters_people_confuse_are_read_as_meant() {
        let cases = [('o', 0), ('O', 0), ('i', 1), ('L', 1), ('l', 1), ('z', 31), ('a', 10)];

        for (letter, expected) in cases {
            assert_eq!(value(letter), Some(expected), "{letter}");
        }
        assert_eq!(value('U'), None, "U is not used");
        assert_eq!(value('é'), None, "not ASCII");
    }

    #[test]
    fn a_set_filling_bit_or_a_wrong_length_is_refused() {
        let mut one_byte = [0];

        assert!(join_values([31, 28].into_iter(), &mut one_byte), "eight bits and two zero bits");
        assert!(!join_values([31, 29].into_iter(), &mut one_byte), "a filling bit is set");
        assert!(!join_values([31].into_iter(), &mut one_byte), "too short");
        assert!(!join_values([31, 28, 0].into_iter(), &mut one_byte), "too long");
    }
}
