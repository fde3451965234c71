//! A text cut into folded words: in lower case, without accents, of any spelling of an apostrophe.

use zeroize::Zeroizing;

use crate::letters::push_folded;

/// The words of some texts, in order; forgotten for good when dropped.
///
/// # Shape
/// Every word is folded and not empty, save the empty one that stands between two texts.
#[derive(Debug, Default)]
pub struct Words {
    folded: Zeroizing<String>,
    /// Where each word ends, in bytes.
    ends: Vec<usize>,
}

impl Words {
    /// Returns the words of one text.
    pub fn of(text: &str) -> Self {
        let mut words = Self::default();
        words.push_text(text);
        words
    }

    /// Forgets all, keeping the memory.
    pub fn clear(&mut self) {
        self.folded.clear();
        self.ends.clear();
    }

    /// Adds the words of a text.
    ///
    /// Marks and signs that only say how a letter is written (accents, zero-width signs, directions of writing) belong to
    /// the word they stand in; everything else that is no letter and no digit ends it.
    pub fn push_text(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                'a'..='z' | '0'..='9' => self.folded.push(letter),
                'A'..='Z' => self.folded.push(letter.to_ascii_lowercase()),
                _ if letter.is_ascii() => self.end_word(),
                _ if is_unseen(letter) => {}
                _ if letter.is_alphanumeric() => push_letter(&mut self.folded, letter),
                _ => self.end_word(),
            }
        }
        self.end_word();
    }

    /// Puts a gap behind the words so far that no phrase reaches across.
    pub fn push_gap(&mut self) {
        self.ends.push(self.folded.len());
    }

    /// Returns the number of words, gaps included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Returns the word at a place from 0.
    pub fn get(&self, at: usize) -> Option<&str> {
        let start = match at.checked_sub(1) {
            None => 0,
            Some(before) => *self.ends.get(before)?,
        };
        self.folded.get(start..*self.ends.get(at)?)
    }

    /// Returns the words in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    fn end_word(&mut self) {
        if self.folded.len() > self.ends.last().copied().unwrap_or_default() {
            self.ends.push(self.folded.len());
        }
    }
}

/// Returns whether a sign only says how letters are written.
///
/// # Source
/// Combining marks for Latin letters, and `Default_Ignorable_Code_Point` of Unicode 16 as far as texts hold it.
fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{ad}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Appends a letter as [`push_folded`] does, and those of the rest of the Latin script without their marks, so that names
/// of any of Africa's spellings are found by whoever has none of their keys.
fn push_letter(folded: &mut String, letter: char) {
    for lower in letter.to_lowercase() {
        let plain = match lower {
            'ß' => "ss",
            'ﬀ' => "ff",
            'ﬁ' => "fi",
            'ﬂ' => "fl",
            'ﬃ' => "ffi",
            'ﬄ' => "ffl",
            'ĳ' => "ij",
            'þ' => "th",
            'ā' | 'ă' | 'ą' | 'ǎ' | 'ạ' | 'ả' | 'ấ' | 'ầ' | 'ḁ' => "a",
            'ɓ' | 'ḅ' => "b",
            'ć' | 'ĉ' | 'ċ' | 'č' => "c",
            'ď' | 'đ' | 'ɖ' | 'ɗ' | 'ḍ' | 'ð' => "d",
            'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' | 'ẹ' | 'ẽ' | 'ế' | 'ề' | 'ə' | 'ǝ' => "e",
            'ƒ' => "f",
            'ĝ' | 'ğ' | 'ġ' | 'ģ' | 'ǧ' | 'ɣ' | 'ḡ' => "g",
            'ĥ' | 'ħ' | 'ḥ' => "h",
            'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' | 'ǐ' | 'ị' | 'ɩ' => "i",
            'ĵ' => "j",
            'ķ' | 'ƙ' | 'ḳ' => "k",
            'ĺ' | 'ļ' | 'ľ' | 'ł' | 'ḷ' => "l",
            'ḿ' | 'ṃ' => "m",
            'ń' | 'ņ' | 'ň' | 'ǹ' | 'ɲ' | 'ṅ' | 'ṇ' => "n",
            'ō' | 'ŏ' | 'ő' | 'ø' | 'ǒ' | 'ọ' | 'ố' | 'ồ' => "o",
            'ŕ' | 'ř' | 'ṛ' => "r",
            'ś' | 'ŝ' | 'ş' | 'ș' | 'ṣ' => "s",
            'ţ' | 'ť' | 'ŧ' | 'ț' | 'ṭ' => "t",
            'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' | 'ǔ' | 'ụ' | 'ʊ' => "u",
            'ʋ' | 'ṽ' => "v",
            'ŵ' | 'ẁ' | 'ẃ' | 'ẅ' => "w",
            'ŷ' | 'ƴ' | 'ỳ' | 'ỹ' => "y",
            'ź' | 'ż' | 'ẓ' => "z",
            '\u{ff10}'..='\u{ff19}' => {
                push_counted(folded, '0', u32::from(lower) - 0xff10);
                continue;
            }
            '\u{ff41}'..='\u{ff5a}' => {
                push_counted(folded, 'a', u32::from(lower) - 0xff41);
                continue;
            }
            '\u{660}'..='\u{669}' => {
                push_counted(folded, '0', u32::from(lower) - 0x660);
                continue;
            }
            '\u{6f0}'..='\u{6f9}' => {
                push_counted(folded, '0', u32::from(lower) - 0x6f0);
                continue;
            }
            _ => {
                push_folded(folded, lower);
                continue;
            }
        };
        folded.push_str(plain);
    }
}

/// Appends the letter so many places behind `first`.
fn push_counted(folded: &mut String, first: char, n: u32) {
    folded.extend(char::from_u32(u32::from(first) + n));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::incidents::search::words::Words;

    fn list(text: &str) -> Vec<String> {
        Words::of(text).iter().map(str::to_owned).collect()
    }

    #[test]
    fn words_are_the_same_however_they_are_written() {
        for (text, words, reason) in [
            ("Orpaillage à SÉGUÉLA", vec!["orpaillage", "a", "seguela"], "case and accents"),
            ("Se\u{301}gue\u{301}la", vec!["seguela"], "accents apart"),
            ("l’orpaillage, l'or", vec!["l", "orpaillage", "l", "or"], "any apostrophe"),
            ("Cœur, Ægir, Straße", vec!["coeur", "aegir", "strasse"], "letters of two"),
            ("kil\u{200b}led, ki\u{ad}lled, \u{feff}killed", vec!["killed"; 3], "zero width"),
            ("\u{202e}dellik\u{202c} قتل", vec!["dellik", "قتل"], "directions of writing"),
            ("ｋｉｌｌｅｄ ２ ٢", vec!["killed", "2", "2"], "full width, Arabic digits"),
            ("⛏️💎mine👩🏾‍🌾mine", vec!["mine", "mine"], "pictures"),
            ("İstanbul Łódź Òṣun", vec!["istanbul", "lodz", "osun"], "other Latin letters"),
            ("a\u{300}\u{301}\u{302}\u{303}b", vec!["ab"], "a heap of marks"),
            (" -- ' \u{301} \u{200d}", vec![], "nothing"),
            ("", vec![], "nothing at all"),
        ] {
            assert_eq!(list(text), words, "{reason}: {text:?}");
        }
    }

    #[test]
    fn no_phrase_reaches_across_a_gap() {
        let mut words = Words::of("pit");
        words.push_gap();
        words.push_text("collapse");

        assert_eq!(words.iter().collect::<Vec<_>>(), ["pit", "", "collapse"]);
        words.clear();
        assert!(words.is_empty());
    }

    #[test]
    fn a_word_of_a_million_letters_takes_the_memory_of_its_letters() {
        let text = "É".repeat(1_000_000);

        assert_eq!(Words::of(&text).get(0).map(str::len), Some(1_000_000));
    }

    proptest! {
        #[test]
        fn folded_words_fold_to_themselves(text in any::<String>()) {
            let words = list(&text);

            prop_assert_eq!(list(&words.join(" ")), words);
        }

        #[test]
        fn upper_and_lower_case_are_the_same_words(text in "[a-zA-Zà-ÿÀ-Þœ’' -]{0,40}") {
            prop_assert_eq!(list(&text.to_uppercase()), list(&text.to_lowercase()));
        }
    }
}
