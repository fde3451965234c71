//! Looks for canaries as they are, in hexadecimal, in base64 at every alignment, in UTF-16, and as binary numbers.

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::canaries::planter::Canary;

/// Every canary in every form.
pub(crate) struct Search {
    automaton: AhoCorasick,
    /// What each pattern is: a canary and a form.
    meanings: Vec<(usize, &'static str)>,
    canaries: Vec<Canary>,
}

impl Search {
    pub(crate) fn new(canaries: Vec<Canary>) -> Self {
        let (mut patterns, mut meanings) = (Vec::new(), Vec::new());
        for (index, canary) in canaries.iter().enumerate() {
            let forms = canary.texts.iter().flat_map(|text| forms_of(text));
            let numbers = canary.bytes.iter().map(|bytes| ("a binary number", bytes.clone()));
            for (form, pattern) in forms.chain(numbers) {
                patterns.push(pattern);
                meanings.push((index, form));
            }
        }
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).build(patterns);
        Self { automaton: automaton.expect("an automaton"), meanings, canaries }
    }

    /// Returns what of it is in `hay`, each canary once.
    pub(crate) fn find(&self, hay: &[u8]) -> Vec<String> {
        self.find_where(hay, |_| true)
    }

    /// Returns what is in `hay` of the canaries that not even their sender may be told.
    pub(crate) fn find_secret(&self, hay: &[u8]) -> Vec<String> {
        self.find_where(hay, |canary| canary.is_secret)
    }

    fn find_where(&self, hay: &[u8], is_wanted: impl Fn(&Canary) -> bool) -> Vec<String> {
        let mut found = std::collections::BTreeMap::new();
        for hit in self.automaton.find_overlapping_iter(hay) {
            let (index, form) = self.meanings[hit.pattern().as_usize()];
            let canary = &self.canaries[index];
            if is_wanted(canary) {
                let around = hit.start().saturating_sub(120)..(hit.end() + 60).min(hay.len());
                let context = String::from_utf8_lossy(&hay[around]).into_owned();
                found.entry(index).or_insert(format!("{} as {form}: {context:?}", canary.what));
            }
        }
        found.into_values().collect()
    }
}

fn forms_of(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let utf16 = |bytes_of: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes_of).collect();
    let hex: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        ("text", text.as_bytes().to_vec()),
        ("hexadecimal", hex.concat().into_bytes()),
        ("UTF-16", utf16(u16::to_le_bytes)),
        ("UTF-16", utf16(u16::to_be_bytes)),
    ];
    // Where the text begins within a group of three bytes decides its letters; those shared with neighbours are cut.
    for offset in 0..3 {
        let padded: Vec<u8> = vec![0; offset].into_iter().chain(text.bytes()).collect();
        let encoded = STANDARD_NO_PAD.encode(&padded);
        let (first, end) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
        forms.push(("base64", encoded.as_bytes()[first..end].to_vec()));
    }
    forms
}

#[test]
fn a_canary_is_found_in_every_form() {
    let canary = Canary {
        what: "name".into(),
        texts: vec!["kanari00001".into()],
        bytes: vec![8.5_f64.to_le_bytes().to_vec()],
        is_secret: true,
    };
    let search = Search::new(vec![canary]);
    let utf16: Vec<u8> = "xkanari00001".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let encoded = |before: &str| STANDARD_NO_PAD.encode(format!("{before}kanari00001 after"));
    for hay in [
        b"a name: Kanari00001!".to_vec(),
        b"\\x6b616e6172693030303031".to_vec(),
        utf16,
        encoded("").into_bytes(),
        encoded("a").into_bytes(),
        encoded("ab").into_bytes(),
        [b"row".as_slice(), &8.5_f64.to_le_bytes()].concat(),
    ] {
        assert_eq!(search.find(&hay).len(), 1, "{}", String::from_utf8_lossy(&hay));
    }
    assert_eq!(search.find(b"kanari0000 and kanari00002"), Vec::<String>::new());
}
