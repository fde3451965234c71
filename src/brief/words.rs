//! Numbers, days, months and names in words, in the language of the reader.

use chrono::{Datelike, NaiveDate};

use crate::aggregates::answer::HarmFigure;
use crate::error::Language;
use crate::geo::countries::Country;
use crate::geo::locate::Geo;
use crate::names::Names;
use crate::taxonomy::catalogue::Taxonomy;
use crate::taxonomy::label::Label;

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_FR: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

impl Language {
    /// Writes a number with its thousands apart.
    pub fn number(self, number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::new();
        for (nth, digit) in digits.chars().enumerate() {
            if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
                text.push_str(self.say(",", "\u{a0}"));
            }
            text.push(digit);
        }
        text
    }

    /// Writes a number with its noun in the right form: French has the singular for 0 too.
    pub fn counted(self, number: u64, [one, many]: [&str; 2]) -> String {
        let is_one = number == 1 || (number == 0 && self == Self::French);
        format!("{} {}", self.number(number), if is_one { one } else { many })
    }

    /// Writes a share of a hundred with its sign.
    pub fn percent(self, percent: f64) -> String {
        let sign = match percent {
            0.05.. => "+",
            ..=-0.05 => "−",
            _ => "",
        };
        let size = format!("{:.1}", percent.abs());
        let size = size.strip_suffix(".0").unwrap_or(&size).replace('.', self.say(".", ","));
        format!("{sign}{size}{}", self.say("%", "\u{a0}%"))
    }

    /// Writes people harmed as a number or as the least and the most; a dash where no incident states it.
    pub fn range(self, harm: Option<HarmFigure>) -> String {
        match harm {
            None => "–".to_owned(),
            Some(harm) if harm.min == harm.max => self.number(harm.min),
            Some(harm) => format!("{}–{}", self.number(harm.min), self.number(harm.max)),
        }
    }

    /// Writes a day: `5 March 2024`, `1er mars 2024`.
    pub fn day(self, day: NaiveDate) -> String {
        let first = self.say("1", "1er");
        let number = if day.day() == 1 { first.to_owned() } else { day.day().to_string() };
        format!("{number} {}", self.month(day))
    }

    /// Writes a period: by its months where it is whole ones, else by its days.
    pub fn period(self, from: NaiveDate, to: NaiveDate) -> String {
        let is_whole = from.day() == 1 && to.succ_opt().is_some_and(|next| next.day() == 1);
        let is_one_month = (from.year(), from.month()) == (to.year(), to.month());
        match (is_whole, from == to) {
            (true, _) if is_one_month => self.month(from),
            (true, _) => format!("{} {} {}", self.month(from), self.say("to", "à"), self.month(to)),
            (false, true) => self.day(from),
            (false, false) => {
                format!("{} {} {}", self.day(from), self.say("to", "au"), self.day(to))
            }
        }
    }

    fn month(self, day: NaiveDate) -> String {
        let names = match self {
            Self::English => MONTHS_EN,
            Self::French => MONTHS_FR,
        };
        let name = names.get(day.month0() as usize).copied().unwrap_or_default();
        format!("{name} {}", day.year())
    }
}

/// A country, and what things are called in the language of the reader.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    /// The country.
    pub country: &'a Country,
    /// Places.
    pub geo: &'a Geo,
    /// Labels of themes and categories.
    pub taxonomy: &'a Taxonomy,
    /// The language.
    pub language: Language,
}

impl Words<'_> {
    /// Returns the name of the country.
    pub fn country_name(&self) -> String {
        self.say(&self.country.name_en, &self.country.name_fr)
    }

    /// Returns the name of a first-level area by its code, which stands for it where it has none.
    pub fn area(&self, code: &str) -> String {
        self.names().admin1(code).unwrap_or(code).to_owned()
    }

    /// Returns the label of a category or theme by its code, which stands for it where it has none.
    pub fn category(&self, code: &str) -> String {
        self.names().category(code).unwrap_or(code).to_owned()
    }

    /// Heads a chart; with its country and period too, where it stands alone.
    pub fn head(&self, title: String, period: &str, stands_alone: bool) -> String {
        if stands_alone { format!("{title} · {} · {period}", self.country_name()) } else { title }
    }

    /// Returns a label.
    pub fn label(&self, label: &Label) -> String {
        self.say(&label.en, &label.fr)
    }

    /// Returns the words of the language.
    pub fn say(&self, en: &str, fr: &str) -> String {
        self.language.say(en, fr).to_owned()
    }

    fn names(&self) -> Names<'_> {
        Names { geo: self.geo, taxonomy: self.taxonomy, language: self.language }
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use crate::error::Language::{English, French};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn thousands_stand_apart_as_the_language_writes_them() {
        assert_eq!(
            [0, 999, 1_000, 1_234_567].map(|n| English.number(n)),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(French.number(1_234_567), "1\u{a0}234\u{a0}567");
    }

    #[test]
    fn nouns_follow_their_numbers() {
        let nouns = ["incident", "incidents"];
        assert_eq!(
            [0, 1, 2].map(|n| English.counted(n, nouns)),
            ["0 incidents", "1 incident", "2 incidents"]
        );
        assert_eq!(French.counted(0, nouns), "0 incident");
    }

    #[test]
    fn changes_carry_their_sign() {
        assert_eq!([12.5, -100.0, 0.0].map(|n| English.percent(n)), ["+12.5%", "−100%", "0%"]);
        assert_eq!(French.percent(-66.7), "−66,7\u{a0}%");
    }

    #[test]
    fn whole_months_are_named_as_months_and_other_periods_by_their_days() {
        for (from, to, en, fr) in [
            ("2024-03-01", "2024-03-31", "March 2024", "mars 2024"),
            (
                "2024-01-01",
                "2024-12-31",
                "January 2024 to December 2024",
                "janvier 2024 à décembre 2024",
            ),
            (
                "2024-03-01",
                "2024-03-30",
                "1 March 2024 to 30 March 2024",
                "1er mars 2024 au 30 mars 2024",
            ),
            ("2024-08-05", "2024-08-05", "5 August 2024", "5 août 2024"),
        ] {
            assert_eq!(English.period(day(from), day(to)), en);
            assert_eq!(French.period(day(from), day(to)), fr);
        }
    }
}
