//! Reads how people tell a place: "près de Tortiya", "chantier Ngolo, axe Carnot–Berberati", "Koidu town".
//!
//! It knows no place. It says which words may be a name, and what the words around a name make of it.

use std::ops::Range;

use crate::geo::names::fold;

/// Words beyond this are not read: the place comes first, and it bounds the work.
const MAX_WORDS: usize = 16;
/// No name has more words.
const MAX_NAME_WORDS: usize = 4;

/// What a word does in a phrase, in French or English.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It may be (part of) a name.
    Content,
    /// Articles and kinds of settlement.
    Filler,
    /// The name is only what the place lies near.
    Beside,
    /// The names are the ends of a way on which the place lies.
    Way,
    /// The name is that of a mine.
    Mine,
    /// The name is that of an administrative area.
    Area,
}

/// Words that are (part of) no name, in alphabetical order.
#[rustfmt::skip]
const WORDS: [(&str, Role); 151] = [
    ("a", Role::Filler), ("about", Role::Beside), ("after", Role::Beside), ("along", Role::Beside),
    ("and", Role::Filler), ("apres", Role::Beside), ("around", Role::Beside), ("at", Role::Filler),
    ("au", Role::Filler), ("autour", Role::Beside), ("aux", Role::Filler), ("avant", Role::Beside),
    ("axe", Role::Way), ("axis", Role::Way), ("before", Role::Beside), ("behind", Role::Beside),
    ("between", Role::Way), ("bord", Role::Beside), ("bordure", Role::Beside), ("carriere", Role::Mine),
    ("carrieres", Role::Mine), ("cercle", Role::Area), ("chantier", Role::Mine), ("chantiers", Role::Mine),
    ("chefferie", Role::Area), ("chez", Role::Filler), ("chiefdom", Role::Area), ("city", Role::Filler),
    ("commune", Role::Filler), ("concession", Role::Mine), ("cote", Role::Beside), ("county", Role::Area),
    ("d", Role::Filler), ("dans", Role::Filler), ("de", Role::Filler), ("departement", Role::Area),
    ("department", Role::Area), ("deposit", Role::Mine), ("depuis", Role::Way), ("derriere", Role::Beside),
    ("des", Role::Filler), ("diamant", Role::Mine), ("diamants", Role::Mine), ("diamond", Role::Mine),
    ("diamonds", Role::Mine), ("dig", Role::Mine), ("diggings", Role::Mine), ("district", Role::Area),
    ("dit", Role::Filler), ("du", Role::Filler), ("east", Role::Beside), ("en", Role::Filler),
    ("entre", Role::Way), ("environs", Role::Beside), ("est", Role::Beside), ("et", Role::Filler),
    ("exploitation", Role::Mine), ("field", Role::Mine), ("fields", Role::Mine), ("from", Role::Way),
    ("gisement", Role::Mine), ("hors", Role::Beside), ("in", Role::Filler), ("kilometer", Role::Beside),
    ("kilometers", Role::Beside), ("kilometre", Role::Beside), ("kilometres", Role::Beside),
    ("kimberlite", Role::Mine), ("km", Role::Beside), ("kms", Role::Beside), ("l", Role::Filler),
    ("la", Role::Filler), ("le", Role::Filler), ("les", Role::Filler), ("lieu", Role::Filler),
    ("localidade", Role::Filler), ("localite", Role::Filler), ("loin", Role::Beside), ("miles", Role::Beside),
    ("mine", Role::Mine), ("miner", Role::Mine), ("mines", Role::Mine), ("miniere", Role::Mine),
    ("minieres", Role::Mine), ("miniers", Role::Mine), ("mining", Role::Mine), ("minutes", Role::Beside),
    ("ne", Role::Beside), ("near", Role::Beside), ("nearby", Role::Beside), ("nord", Role::Beside),
    ("north", Role::Beside), ("northeast", Role::Beside), ("northwest", Role::Beside), ("not", Role::Beside),
    ("nw", Role::Beside), ("o", Role::Filler), ("of", Role::Filler), ("on", Role::Filler), ("opposite", Role::Beside),
    ("ouest", Role::Beside), ("outside", Role::Beside), ("outskirts", Role::Beside), ("peripherie", Role::Beside),
    ("pipe", Role::Mine), ("pipes", Role::Mine), ("pit", Role::Mine), ("pits", Role::Mine), ("pk", Role::Beside),
    ("placer", Role::Mine), ("prefecture", Role::Area), ("prefectures", Role::Area), ("pres", Role::Beside),
    ("proche", Role::Beside), ("province", Role::Area), ("proximite", Role::Beside), ("puits", Role::Mine),
    ("region", Role::Area), ("rive", Role::Beside), ("road", Role::Way), ("route", Role::Way),
    ("se", Role::Beside), ("site", Role::Mine), ("sites", Role::Mine), ("situe", Role::Filler),
    ("situee", Role::Filler), ("sous", Role::Area), ("south", Role::Beside), ("southeast", Role::Beside),
    ("southwest", Role::Beside), ("state", Role::Area), ("subprefecture", Role::Area), ("sud", Role::Beside),
    ("sur", Role::Filler), ("sw", Role::Beside), ("territoire", Role::Area), ("territory", Role::Area),
    ("the", Role::Filler), ("to", Role::Filler), ("toward", Role::Beside), ("towards", Role::Beside),
    ("town", Role::Filler), ("towns", Role::Filler), ("un", Role::Filler), ("une", Role::Filler),
    ("vers", Role::Beside), ("village", Role::Filler), ("villages", Role::Filler), ("ville", Role::Filler),
    ("ward", Role::Area), ("west", Role::Beside),
];

/// Returns what a folded word does.
pub(crate) fn role(word: &str) -> Role {
    let is_number = word.starts_with(|letter: char| letter.is_ascii_digit());
    if is_number
        && word
            .trim_start_matches(|letter: char| letter.is_ascii_digit())
            .trim_start_matches("km")
            .is_empty()
    {
        return Role::Beside;
    }
    let found = WORDS.binary_search_by(|(known, _)| (*known).cmp(word));
    found.ok().and_then(|at| WORDS.get(at)).map_or(Role::Content, |(_, role)| *role)
}

/// How a place lies to a name, the vaguest last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Relation {
    /// It is the place.
    #[default]
    At,
    /// The place is near it.
    Beside,
    /// It is an end of a way on which the place lies, as is the name after it.
    OnTheWay,
}

/// What the words around a name say of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Around {
    /// How the place lies to it.
    pub(crate) relation: Relation,
    /// It is a mine.
    pub(crate) is_mine: bool,
    /// It is an administrative area.
    pub(crate) is_area: bool,
}

/// The words of a text, folded.
pub(crate) struct Phrase {
    words: Vec<(String, Role)>,
}

impl Phrase {
    /// Reads a text.
    pub(crate) fn read(text: &str) -> Phrase {
        let folded = fold(text);
        let words = folded.split(' ').filter(|word| !word.is_empty()).take(MAX_WORDS);
        Phrase { words: words.map(|word| (word.to_owned(), role(word))).collect() }
    }

    /// Returns the greatest distance in kilometres that the text tells, 0 where it tells none.
    pub(crate) fn distance_km(&self) -> u32 {
        let before_unit = self.words.windows(2).filter_map(|pair| match pair {
            [(number, _), (unit, _)] if unit.starts_with("km") || unit.starts_with("kilom") => {
                number.parse().ok()
            }
            _ => None,
        });
        let together =
            self.words.iter().filter_map(|(word, _)| word.strip_suffix("km")?.parse().ok());
        before_unit.chain(together).max().unwrap_or(0)
    }

    /// Lists what may be a name, longest first at each place: runs that hold a content word and neither begin nor end
    /// with a filler, such as *Nord-Kivu* in "province du Nord-Kivu".
    pub(crate) fn names(&self) -> impl Iterator<Item = Range<usize>> {
        let is_filler = |at: usize| self.role(at) == Some(Role::Filler);
        self.runs().filter(move |run| !is_filler(run.start) && !is_filler(run.end - 1))
    }

    /// Lists the other runs that hold a content word, such as *Henry Town*.
    pub(crate) fn wider_names(&self) -> impl Iterator<Item = Range<usize>> {
        let is_filler = |at: usize| self.role(at) == Some(Role::Filler);
        self.runs().filter(move |run| is_filler(run.start) || is_filler(run.end - 1))
    }

    /// Lists runs that begin and end with a content word: only such are guessed at.
    pub(crate) fn bare_names(&self) -> impl Iterator<Item = Range<usize>> {
        self.runs().filter(|run| self.is_content(run.start) && self.is_content(run.end - 1))
    }

    /// Says whether the run holds all content words.
    pub(crate) fn is_whole(&self, run: &Range<usize>) -> bool {
        (0..self.words.len()).all(|at| run.contains(&at) || !self.is_content(at))
    }

    /// Says whether two runs are joined: by nothing, or by "and" or "to".
    pub(crate) fn are_joined(&self, first: &Range<usize>, second: &Range<usize>) -> bool {
        let between = self.words.get(first.end..second.start).unwrap_or_default();
        between.iter().all(|(word, _)| ["a", "and", "et", "to"].contains(&word.as_str()))
    }

    fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        let n_words = self.words.len();
        (0..n_words)
            .flat_map(move |start| {
                let longest = (start + MAX_NAME_WORDS).min(n_words);
                (start + 1..=longest).rev().map(move |end| start..end)
            })
            .filter(|run| run.clone().any(|at| self.is_content(at)))
    }

    /// Says whether the word may be (part of) a name.
    pub(crate) fn is_content(&self, at: usize) -> bool {
        self.role(at) == Some(Role::Content)
    }

    fn role(&self, at: usize) -> Option<Role> {
        self.words.get(at).map(|(_, role)| *role)
    }

    /// Returns the letters of a run.
    pub(crate) fn compact(&self, run: &Range<usize>) -> String {
        let words = self.words.get(run.clone()).unwrap_or_default();
        words.iter().map(|(word, _)| word.as_str()).collect()
    }

    /// Says what stands around a run: everything before it up to the last content word, and the word after it.
    pub(crate) fn around(&self, run: &Range<usize>) -> Around {
        let mut around = Around::default();
        let before = (0..run.start).rev().map_while(|at| self.role(at));
        for role in before.take_while(|role| *role != Role::Content) {
            around.relation = around.relation.max(match role {
                Role::Content | Role::Filler | Role::Mine | Role::Area => Relation::At,
                Role::Beside => Relation::Beside,
                Role::Way => Relation::OnTheWay,
            });
            around.note_kind(role);
        }
        // In "Tortiya, préfecture de Niakara" the word after belongs to the next name.
        let of = self.words.get(run.end + 1).map_or("", |(word, _)| word.as_str());
        let is_of_next = ["d", "de", "des", "du", "of"].contains(&of);
        if let Some(role) = self.role(run.end).filter(|_| !is_of_next) {
            around.note_kind(role);
        }
        around
    }
}

impl Around {
    fn note_kind(&mut self, role: Role) {
        self.is_mine |= role == Role::Mine;
        self.is_area |= role == Role::Area;
    }
}

#[cfg(test)]
mod tests {
    use crate::geo::gazetteer::phrase::{Around, Phrase, Relation, Role, WORDS, role};

    #[track_caller]
    fn assert_names(text: &str, expected: &[&str]) {
        let phrase = Phrase::read(text);
        let names: Vec<String> = phrase.bare_names().map(|run| phrase.compact(&run)).collect();
        assert_eq!(names, expected, "{text}");
    }

    #[test]
    fn the_words_around_a_name_are_no_name() {
        assert_names("près de Tortiya", &["tortiya"]);
        assert_names("à 5 km de Bria", &["bria"]);
        assert_names("village de Boda", &["boda"]);
        assert_names("Koidu town", &["koidu"]);
        assert_names("near the mine of Mbuji-Mayi", &["mbujimayi", "mbuji", "mayi"]);
        assert_names("12km NE of M'Batto", &["mbatto", "m", "batto"]);
    }

    #[test]
    fn the_words_around_a_name_say_what_it_is() {
        let of = |text: &str, name: &str| {
            let phrase = Phrase::read(text);
            let run = phrase.names().find(|run| phrase.compact(run) == name).unwrap();
            phrase.around(&run)
        };

        assert_eq!(of("Tortiya", "tortiya"), Around::default());
        assert_eq!(of("près de Tortiya", "tortiya").relation, Relation::Beside);
        assert_eq!(of("axe Carnot–Berberati", "carnot").relation, Relation::OnTheWay);
        assert!(of("Koidu mine", "koidu").is_mine);
        assert!(of("mine de Tortiya", "tortiya").is_mine);
        assert!(of("préfecture de la Haute-Kotto", "hautekotto").is_area);
        assert!(of("Kono district", "kono").is_area);
        assert_eq!(of("Ngolo, district de Bria", "ngolo"), Around::default());
    }

    #[test]
    fn the_words_stand_in_order() {
        assert!(WORDS.is_sorted_by(|(word, _), (next, _)| word < next));
        assert_eq!(
            (role("pres"), role("mine"), role("bria")),
            (Role::Beside, Role::Mine, Role::Content)
        );
        assert_eq!(
            (role("12"), role("12km"), role("12e")),
            (Role::Beside, Role::Beside, Role::Content)
        );
    }

    #[test]
    fn a_distance_is_read() {
        for (text, km) in
            [("à 5 km de Bria", 5), ("60km de Bria", 60), ("45 kilomètres", 45), ("Bria", 0)]
        {
            assert_eq!(Phrase::read(text).distance_km(), km, "{text}");
        }
    }
}
