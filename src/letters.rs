//! Letters as people type them: without accents, in any case. Shared by the leaves; knows nothing of ours.

/// Appends `letter` in lower case without its accent; marks and signs append nothing.
///
/// Covers the letters of French, Portuguese and English, of Sesotho (*Letšeng*), and the open vowels of Krio and of Mande
/// and Gbe languages (*Lɔlɔ*); other letters stay as they are.
///
/// # Examples
/// `É` appends `e`, `œ` appends `oe`, `ɔ` appends `o`, a combining accent nothing.
pub fn push_folded(folded: &mut String, letter: char) {
    for lower in letter.to_lowercase() {
        match lower {
            'a'..='z' | '0'..='9' => folded.push(lower),
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => folded.push('a'),
            'ç' => folded.push('c'),
            'è' | 'é' | 'ê' | 'ë' | 'ɛ' => folded.push('e'),
            'ì' | 'í' | 'î' | 'ï' => folded.push('i'),
            'ñ' | 'ŋ' => folded.push('n'),
            'š' => folded.push('s'),
            'ž' => folded.push('z'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ɔ' => folded.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            _ if is_accent(lower) => {}
            _ if lower.is_alphanumeric() => folded.push(lower),
            _ => {}
        }
    }
}

/// Returns whether this is an accent written apart from its letter, U+0300 to U+036F.
pub fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}
