//! How wide letters are in Helvetica, one of the fonts that every PDF reader brings; SVG takes what is nearest to it.
//!
//! # Source
//! Widths: Adobe's font metrics of the standard 14 fonts (PDF 1.7, annex D, `WinAnsiEncoding`).

/// Widths of the printable ASCII characters from the space on, in thousandths of the size.
const REGULAR: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667,
    611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556,
    278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
];
/// Width of what is not listed: as wide as a digit.
const OTHER: u16 = 556;

/// Returns the width of a line of text, in the unit of `size`.
pub fn width_of(words: &str, size: f32, is_bold: bool) -> f32 {
    let thousandths: u32 = words.chars().map(|letter| u32::from(width(letter, is_bold))).sum();
    thousandths as f32 * size / 1000.0
}

fn width(letter: char, is_bold: bool) -> u16 {
    match letter {
        'œ' | 'æ' => 944,
        'Œ' | 'Æ' | '…' | '—' => 1000,
        '’' | '‘' => {
            if is_bold {
                278
            } else {
                222
            }
        }
        '·' | '\u{a0}' => 278,
        '±' | '×' | '−' => 584,
        _ => {
            let table = if is_bold { &BOLD } else { &REGULAR };
            let nth = (base(letter) as usize).checked_sub(usize::from(b' '));
            nth.and_then(|nth| table.get(nth)).copied().unwrap_or(OTHER)
        }
    }
}

/// Returns the letter under an accent.
fn base(letter: char) -> char {
    match letter {
        'À'..='Å' => 'A',
        'Ç' => 'C',
        'È'..='Ë' => 'E',
        'Ì'..='Ï' => 'I',
        'Ñ' => 'N',
        'Ò'..='Ö' | 'Ø' => 'O',
        'Ù'..='Ü' => 'U',
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    }
}

/// Cuts a text into lines of at most `width`; a word that is longer stands alone and is not cut.
pub fn wrap(words: &str, size: f32, is_bold: bool, width: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line} {word}");
            if width_of(&longer, size, is_bold) <= width {
                *line = longer;
                continue;
            }
        }
        lines.push(word.to_owned());
    }
    lines
}

/// Shortens a line of text to `width`, with an ellipsis where something is left out.
pub fn fit(words: &str, size: f32, is_bold: bool, width: f32) -> String {
    if width_of(words, size, is_bold) <= width {
        return words.to_owned();
    }
    let mut short: Vec<char> = words.chars().collect();
    while short.pop().is_some() {
        let cut = format!("{}…", short.iter().collect::<String>().trim_end());
        if width_of(&cut, size, is_bold) <= width {
            return cut;
        }
    }
    String::new()
}

/// Returns text in the encoding of the PDF's fonts (Windows-1252). Letters it lacks lose their accents where that is
/// known, else become a question mark.
pub fn encode(words: &str) -> Vec<u8> {
    words.chars().map(|letter| encode_letter(letter).unwrap_or(b'?')).collect()
}

fn encode_letter(letter: char) -> Option<u8> {
    let code = match letter {
        '€' => 0x80,
        '…' => 0x85,
        'Œ' => 0x8c,
        '‘' => 0x91,
        '’' => 0x92,
        '“' => 0x93,
        '”' => 0x94,
        '•' => 0x95,
        '–' | '−' => 0x96,
        '—' => 0x97,
        'œ' => 0x9c,
        'Ÿ' => 0x9f,
        '\u{202f}' | '\u{2009}' => 0xa0,
        'Ā' | 'Ă' => b'A',
        'ā' | 'ă' => b'a',
        'Ē' | 'Ĕ' | 'Ɛ' => b'E',
        'ē' | 'ĕ' | 'ɛ' => b'e',
        'ĩ' | 'ī' => b'i',
        'ŋ' => b'n',
        'Ŋ' => b'N',
        'ō' | 'ŏ' | 'ɔ' => b'o',
        'Ō' | 'Ɔ' => b'O',
        'ũ' | 'ū' => b'u',
        'š' => 0x9a,
        'Š' => 0x8a,
        'ž' => 0x9e,
        'Ž' => 0x8e,
        ' '..='~' | '\u{a0}'..='ÿ' => u8::try_from(u32::from(letter)).ok()?,
        _ => return None,
    };
    Some(code)
}

#[cfg(test)]
mod tests {
    use super::{encode, fit, width_of, wrap};

    #[test]
    fn lines_are_no_wider_than_asked_and_lose_no_word() {
        let words =
            "Ce sont les rapports reçus et vérifiés, non tous les faits qui se sont produits.";

        let lines = wrap(words, 9.5, false, 120.0);

        assert!(lines.iter().all(|line| width_of(line, 9.5, false) <= 120.0), "{lines:?}");
        assert_eq!(lines.join(" "), words);
    }

    #[test]
    fn a_text_that_is_too_long_ends_in_an_ellipsis_within_its_width() {
        let short = fit("Province of the Upper Katanga", 8.5, true, 60.0);

        assert!(short.ends_with('…') && width_of(&short, 8.5, true) <= 60.0, "{short}");
        assert_eq!(fit("Bo", 8.5, true, 60.0), "Bo");
        assert_eq!(fit("Bo", 8.5, true, 1.0), "");
    }

    #[test]
    fn accents_of_both_languages_stay_and_others_lose_theirs() {
        assert_eq!(encode("Côte d’Ivoire"), b"C\xf4te d\x92Ivoire");
        assert_eq!(encode("Séguéla, œuvre – 12 %"), b"S\xe9gu\xe9la, \x9cuvre \x96 12 %");
        assert_eq!(encode("Ɓ ŋ 中"), b"? n ?");
    }
}
