//! What may become one incident, and what becomes of its status. Pure.

use crate::error::{Code, Error, FieldError, Text};
use crate::incidents::facts::Status;

/// Most reports of one incident: what a reveal opens and a reviewer can overlook.
pub const MOST_REPORTS: usize = 500;

/// What the rules look at of an incident.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its status.
    pub status: Status,
    /// Its country, the declared one.
    pub country: &'a str,
    /// The declared country and its point disagree.
    pub is_mismatch: bool,
    /// Active reports.
    pub n_reports: i32,
}

/// Why two incidents do not become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is withdrawn.
    Withdrawn,
    /// None of its reports is left.
    WithoutReports,
    /// Nobody has settled its country.
    CountryUnsettled,
    /// It happened in another country.
    OtherCountry,
}

/// Says why `survivor` cannot take the reports of others.
pub fn judge_survivor(survivor: Candidate<'_>) -> Option<Refusal> {
    judge_alone(survivor)
}

/// Says why `absorbed` cannot give its reports to `survivor`.
pub fn judge_absorbed(survivor: Candidate<'_>, absorbed: Candidate<'_>) -> Option<Refusal> {
    let differs = survivor.country != absorbed.country;
    judge_alone(absorbed).or(differs.then_some(Refusal::OtherCountry))
}

fn judge_alone(incident: Candidate<'_>) -> Option<Refusal> {
    if incident.n_reports == 0 {
        Some(Refusal::WithoutReports)
    } else if incident.status == Status::Withdrawn {
        Some(Refusal::Withdrawn)
    } else if incident.is_mismatch {
        Some(Refusal::CountryUnsettled)
    } else {
        None
    }
}

impl Refusal {
    /// Returns the error to answer, about the incident named by the field at `pointer`; the path's own without one.
    pub fn error(self, pointer: Option<String>) -> Error {
        let Text { en, fr } = self.text();
        let error = Error::new(self.code());
        match pointer {
            Some(pointer) => Error { fields: vec![FieldError::new(pointer, en, fr)], ..error },
            None => error.detail(en, fr),
        }
    }

    fn code(self) -> Code {
        match self {
            Self::CountryUnsettled => Code::CountryUnsettled,
            Self::Withdrawn | Self::WithoutReports | Self::OtherCountry => Code::NotMergeable,
        }
    }

    fn text(self) -> Text {
        match self {
            Self::Withdrawn => Text::new(
                "it is withdrawn: restore it by a decision first",
                "il est retiré : rétablissez-le d'abord par une décision",
            ),
            Self::WithoutReports => Text::new(
                "none of its reports is left: there is nothing to merge",
                "il ne reste aucun de ses rapports : il n'y a rien à fusionner",
            ),
            Self::CountryUnsettled => Text::new(
                "its declared country and its point disagree: decide `location` first",
                "son pays déclaré et son point divergent : décidez d'abord « location »",
            ),
            Self::OtherCountry => Text::new(
                "it is in another country: link the two by `POST /v1/incidents/{id}/related`",
                "il est dans un autre pays : liez les deux par « POST /v1/incidents/{id}/related »",
            ),
        }
    }
}

/// Returns the status of an incident whose facts were derived anew: withdrawn without an active report, and no longer
/// verified where it could not be verified now.
pub fn status_with(status: Status, is_left: bool, is_verifiable: bool) -> Status {
    if !is_left {
        Status::Withdrawn
    } else if status == Status::Verified && !is_verifiable {
        Status::InReview
    } else {
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: Candidate<'static> =
        Candidate { status: Status::Received, country: "SLE", is_mismatch: false, n_reports: 1 };

    #[test]
    fn incidents_of_one_country_become_one_unless_nothing_is_left_or_the_country_is_open() {
        let elsewhere = Candidate { country: "LBR", ..SOUND };
        let withdrawn = Candidate { status: Status::Withdrawn, ..SOUND };
        let empty = Candidate { n_reports: 0, ..withdrawn };
        let unsettled = Candidate { is_mismatch: true, ..SOUND };
        let rejected = Candidate { status: Status::Rejected, ..SOUND };

        for (absorbed, right, reason) in [
            (SOUND, None, "the rule"),
            (elsewhere, Some(Refusal::OtherCountry), "they are linked instead"),
            (withdrawn, Some(Refusal::Withdrawn), "it is restored first"),
            (empty, Some(Refusal::WithoutReports), "restoring would not help"),
            (unsettled, Some(Refusal::CountryUnsettled), "nobody knows whose it is"),
            (rejected, None, "a reviewer may have been wrong"),
        ] {
            assert_eq!(judge_absorbed(SOUND, absorbed), right, "{reason}");
        }
        assert_eq!(judge_survivor(elsewhere), None);
        for (survivor, right) in [
            (withdrawn, Refusal::Withdrawn),
            (empty, Refusal::WithoutReports),
            (unsettled, Refusal::CountryUnsettled),
        ] {
            assert_eq!(judge_survivor(survivor), Some(right));
        }
    }

    #[test]
    fn a_refusal_names_the_field_where_there_is_one() {
        let named = Refusal::OtherCountry.error(Some("/incidents/1".to_owned()));
        let of_path = Refusal::Withdrawn.error(None);

        assert_eq!(named.fields.len(), 1);
        assert!(named.to_string().contains("/incidents/1: it is in another country"), "{named}");
        assert!(of_path.fields.is_empty() && of_path.detail.is_some());
    }

    #[test]
    fn a_status_stays_unless_its_ground_is_gone() {
        for status in Status::ALL {
            assert_eq!(status_with(status, true, true), status, "{status:?}");
            assert_eq!(status_with(status, false, true), Status::Withdrawn, "{status:?}");
        }
        assert_eq!(status_with(Status::Verified, true, false), Status::InReview);
        assert_eq!(status_with(Status::Received, true, false), Status::Received);
    }
}
