//! Checks single values: texts, numbers, codes.

use crate::intake::validate::Check;
use crate::taxonomy::lists::ListName;

impl Check<'_> {
    pub(super) fn text(
        &mut self,
        pointer: &str,
        text: Option<String>,
        max_chars: usize,
    ) -> Option<String> {
        let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
        self.is_short(pointer, &text, max_chars).then_some(text)
    }

    pub(super) fn is_short(&mut self, pointer: &str, text: &str, max_chars: usize) -> bool {
        let n_chars = text.chars().count();
        if n_chars > max_chars {
            self.fail(
                pointer,
                format!("this has {n_chars} characters; at most {max_chars} are taken"),
                format!("ce texte compte {n_chars} caractères ; {max_chars} au plus sont acceptés"),
            );
        }
        n_chars <= max_chars
    }

    pub(super) fn number(&mut self, pointer: &str, number: Option<f64>, max: f64) -> Option<f64> {
        let number = number?;
        if !(0.0..=max).contains(&number) {
            self.fail(
                pointer,
                format!("{number} is outside 0..={max}"),
                format!("{number} est hors de 0..={max}"),
            );
            return None;
        }
        Some(number)
    }

    pub(super) fn language(&mut self, text: Option<String>) -> Option<String> {
        let text =
            text.map(|text| text.trim().to_ascii_lowercase()).filter(|text| !text.is_empty())?;
        let is_code =
            matches!(text.len(), 2 | 3) && text.bytes().all(|byte| byte.is_ascii_lowercase());
        if !is_code {
            self.fail(
                "/language",
                "a language is an ISO 639 code of two or three letters, such as fr",
                "une langue est un code ISO 639 de deux ou trois lettres, tel que fr",
            );
        }
        is_code.then_some(text)
    }

    pub(super) fn currency(&mut self, pointer: &str, text: Option<String>) -> Option<String> {
        let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_code {
            self.fail(
                pointer,
                "a currency is an ISO 4217 code of three capitals, such as USD",
                "une monnaie est un code ISO 4217 de trois majuscules, tel que USD",
            );
        }
        is_code.then_some(text)
    }

    pub(super) fn code(
        &mut self,
        pointer: &str,
        code: Option<String>,
        list: ListName,
    ) -> Option<String> {
        code.filter(|code| self.is_code(pointer, code, list))
    }

    pub(super) fn is_code(&mut self, pointer: &str, code: &str, list: ListName) -> bool {
        let list = self.catalogues.lists.list(list);
        if list.find(code).is_some() {
            return true;
        }
        let known: Vec<&str> = list.codes().iter().map(|known| known.code.as_str()).collect();
        self.fail_word(pointer, code, &known);
        false
    }

    pub(super) fn word(
        &mut self,
        pointer: &str,
        word: Option<String>,
        known: &[&str],
    ) -> Option<String> {
        let word = word?;
        if known.contains(&word.as_str()) {
            return Some(word);
        }
        self.fail_word(pointer, &word, known);
        None
    }

    pub(super) fn fail_word(&mut self, pointer: &str, word: &str, known: &[&str]) {
        let (shown, known) = (shown(word), known.join(", "));
        self.fail(
            pointer,
            format!("{shown} is none of {known}"),
            format!("{shown} ne figure pas parmi {known}"),
        );
    }

    pub(super) fn fail_length(&mut self, pointer: &str, n: usize, max: usize) {
        self.fail(
            pointer,
            format!("there are {n}; at most {max} are taken"),
            format!("il y en a {n} ; {max} au plus sont acceptés"),
        );
    }
}

/// Returns a code as sent, if it looks like one; free text that strayed into a code field is never repeated.
pub(super) fn shown(text: &str) -> String {
    let is_code_like = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/+".contains(&byte);
    if !text.is_empty() && text.len() <= 40 && text.bytes().all(is_code_like) {
        format!("\"{text}\"")
    } else {
        "this value".to_owned()
    }
}

/// Returns a coordinate as sent, if it looks like one.
pub(super) fn shown_coordinate(value: &serde_json::Value) -> String {
    let Some(text) = value.as_str() else {
        return "this value".to_owned();
    };
    let is_coordinate_like = |c: char| c.is_ascii_digit() || " .,+-°'\"′″NSEWO".contains(c);
    if text.chars().count() <= 24 && text.chars().all(is_coordinate_like) {
        format!("\"{text}\"")
    } else {
        "this text".to_owned()
    }
}

/// Returns a client's key as part of a JSON pointer, shortened.
pub(super) fn pointer_part(key: &str) -> String {
    key.chars().take(40).collect::<String>().replace('~', "~0").replace('/', "~1")
}
