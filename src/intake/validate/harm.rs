//! Checks who was harmed, who acted and who is named.

use std::collections::BTreeMap;

use crate::intake::body::{ActorBody, CountBody, PersonBody};
use crate::intake::types::{Actor, Count, Person};
use crate::intake::validate::value::pointer_part;
use crate::intake::validate::{Check, NOTE_CHARS, SHORT_CHARS};
use crate::taxonomy::lists::ListName;

/// Most people one report can count; more is a slip of the finger.
const MAX_PEOPLE: u32 = 1_000_000;
const MAX_ACTORS: usize = 50;
const MAX_PERSONS: usize = 100;

const PERSON_ROLES: [&str; 5] = ["victim", "witness", "relative", "alleged_perpetrator", "other"];

impl Check<'_> {
    pub(super) fn harm(&mut self, harm: BTreeMap<String, CountBody>) -> BTreeMap<String, Count> {
        let mut checked = BTreeMap::new();
        for (measure, count) in harm {
            let pointer = format!("/harm/{}", pointer_part(&measure));
            if self.is_code(&pointer, &measure, ListName::AffectedCount)
                && let Some(count) = self.count(&pointer, count)
            {
                checked.insert(measure, count);
            }
        }
        checked
    }

    pub(super) fn count(&mut self, pointer: &str, body: CountBody) -> Option<Count> {
        let n_errors = self.errors.len();
        let range = match body {
            CountBody::Exact(n) => Count { min: n, max: n, by: BTreeMap::new() },
            CountBody::Range(range) => {
                let parts = range.by.values().fold(0_u32, |sum, part| sum.saturating_add(*part));
                let min = range
                    .min
                    .or(range.max.filter(|_| range.by.is_empty()).map(|_| 0))
                    // Parts beyond the total are one fault, told of the parts.
                    .unwrap_or_else(|| range.max.map_or(parts, |max| parts.min(max)));
                // "At least two" without an upper bound is two that are known of.
                let max = range.max.unwrap_or(min);
                for (part, n) in range.by.iter().filter(|(_, n)| **n > MAX_PEOPLE) {
                    self.fail_too_many(&format!("{pointer}/by/{}", pointer_part(part)), *n);
                }
                for part in range.by.keys() {
                    self.is_code(
                        &format!("{pointer}/by/{}", pointer_part(part)),
                        part,
                        ListName::SexAge,
                    );
                }
                if parts > max {
                    self.fail(
                        format!("{pointer}/by"),
                        format!("the parts add up to {parts}, more than the total {max}"),
                        format!("les parties font {parts}, plus que le total {max}"),
                    );
                }
                Count { min, max, by: range.by }
            }
        };
        if range.min > range.max {
            let (min, max) = (range.min, range.max);
            self.fail(
                pointer,
                format!("min {min} is more than max {max}"),
                format!("min {min} dépasse max {max}"),
            );
        }
        if range.max > MAX_PEOPLE {
            self.fail_too_many(pointer, range.max);
        }
        (self.errors.len() == n_errors).then_some(range)
    }

    pub(super) fn fail_too_many(&mut self, pointer: &str, n: u32) {
        self.fail(
            pointer,
            format!("{n} is more than {MAX_PEOPLE} people"),
            format!("{n} dépasse {MAX_PEOPLE} personnes"),
        );
    }

    pub(super) fn actors(&mut self, actors: Vec<ActorBody>) -> Vec<Actor> {
        if actors.len() > MAX_ACTORS {
            self.fail_length("/actors", actors.len(), MAX_ACTORS);
            return Vec::new();
        }
        let one = |check: &mut Self, (index, actor): (usize, ActorBody)| {
            let at = format!("/actors/{index}");
            let is_known = check.is_code(&format!("{at}/type"), &actor.kind, ListName::ActorType);
            Actor {
                kind: if is_known { actor.kind } else { String::new() },
                role: check.code(&format!("{at}/role"), actor.role, ListName::ActorRole),
                name: check.text(&format!("{at}/name"), actor.name, SHORT_CHARS),
            }
        };
        actors.into_iter().enumerate().map(|actor| one(self, actor)).collect()
    }

    pub(super) fn people(&mut self, people: Vec<PersonBody>) -> Vec<Person> {
        if people.len() > MAX_PERSONS {
            self.fail_length("/people", people.len(), MAX_PERSONS);
            return Vec::new();
        }
        let one = |check: &mut Self, (index, person): (usize, PersonBody)| {
            let at = format!("/people/{index}");
            Person {
                name: check.text(&format!("{at}/name"), person.name, SHORT_CHARS),
                contact: check.text(&format!("{at}/contact"), person.contact, SHORT_CHARS),
                role: check.word(&format!("{at}/role"), person.role, &PERSON_ROLES),
                sex_age: check.code(&format!("{at}/sex_age"), person.sex_age, ListName::SexAge),
                group: check.code(&format!("{at}/group"), person.group, ListName::AffectedGroup),
                note: check.text(&format!("{at}/note"), person.note, NOTE_CHARS),
            }
        };
        people.into_iter().enumerate().map(|person| one(self, person)).collect()
    }
}
