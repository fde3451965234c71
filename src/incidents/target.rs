//! By when an incident is to be decided on, and whether it has waited longer. Pure.
//!
//! Whoever may not know at what hour a report came does not learn it from here: to them an incident is due on a day, and
//! late from the day after.

use chrono::{DateTime, NaiveDateTime, NaiveTime, Utc};

use crate::config::Targets;
use crate::incidents::urgency::UrgencyClass;
use crate::incidents::view::OpenedView;

/// How finely somebody may know when a report came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// To the second, or finer.
    Second,
    /// To the day, UTC.
    Day,
}

/// What is late at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    targets: Targets,
    now: DateTime<Utc>,
}

/// Returns an instant in whole seconds since 1970, rounded up: four bytes an incident in the columns, until 2106.
pub fn second_of(opened_at: NaiveDateTime) -> u32 {
    let opened_at = opened_at.and_utc();
    let begun = i64::from(opened_at.timestamp_subsec_nanos() > 0);
    u32::try_from(opened_at.timestamp() + begun).unwrap_or_default()
}

impl Deadline {
    /// Returns what is late at `now`.
    pub fn new(targets: Targets, now: DateTime<Utc>) -> Self {
        Self { targets, now }
    }

    /// Returns the second up to which an incident was opened that is late now.
    pub fn latest_opened_s(&self, class: UrgencyClass, grain: Grain) -> i64 {
        let now_s = match grain {
            Grain::Second => self.now.timestamp(),
            Grain::Day => self.now.date_naive().and_time(NaiveTime::MIN).and_utc().timestamp() - 1,
        };
        now_s - self.target_s(class)
    }

    /// Tells whether an incident that was opened in this second is late.
    pub fn is_overdue(&self, opened_s: u32, class: UrgencyClass, grain: Grain) -> bool {
        i64::from(opened_s) <= self.latest_opened_s(class, grain)
    }

    /// Returns by when an incident that was opened in this second is to be decided on.
    pub fn due_at(&self, opened_s: u32, class: UrgencyClass, grain: Grain) -> OpenedView {
        let due_s = i64::from(opened_s) + self.target_s(class);
        let due_at = DateTime::from_timestamp(due_s, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        match grain {
            Grain::Second => OpenedView::At(due_at),
            Grain::Day => OpenedView::On(due_at.date_naive()),
        }
    }

    fn target_s(&self, class: UrgencyClass) -> i64 {
        let target = match class {
            UrgencyClass::Urgent => self.targets.urgent,
            UrgencyClass::Normal => self.targets.normal,
        };
        target.seconds()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use crate::config::Targets;
    use crate::incidents::target::{Deadline, Grain, second_of};
    use crate::incidents::urgency::UrgencyClass::{Normal, Urgent};
    use crate::incidents::view::OpenedView;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_due_now_is_late_and_a_second_before_it_is_not() {
        let opened = at("2024-04-01T12:00:00.400Z");
        let opened_s = second_of(opened.naive_utc());
        for (class, due) in
            [(Urgent, at("2024-04-02T12:00:01Z")), (Normal, at("2024-04-08T12:00:01Z"))]
        {
            let second = chrono::TimeDelta::seconds(1);
            let is_late = |now| {
                Deadline::new(Targets::default(), now).is_overdue(opened_s, class, Grain::Second)
            };

            let told =
                Deadline::new(Targets::default(), opened).due_at(opened_s, class, Grain::Second);
            assert_eq!(told, OpenedView::At(due), "rounded up to a whole second");
            assert!(is_late(due) && !is_late(due - second), "{class:?}");
        }
    }

    #[test]
    fn by_days_an_incident_is_late_from_the_day_after_it_was_due() {
        let opened_s = second_of(at("2024-04-01T12:00:00Z").naive_utc());
        let is_late = |now: &str| {
            Deadline::new(Targets::default(), at(now)).is_overdue(opened_s, Urgent, Grain::Day)
        };

        let told = Deadline::new(Targets::default(), at("2024-04-01T12:00:00Z"));
        let due = told.due_at(opened_s, Urgent, Grain::Day);
        assert_eq!(due, OpenedView::On("2024-04-02".parse().unwrap()));
        assert!(!is_late("2024-04-02T12:00:01Z"), "this would tell the hour");
        assert!(!is_late("2024-04-02T23:59:59Z") && is_late("2024-04-03T00:00:00Z"));
    }

    #[test]
    fn an_instant_takes_four_bytes() {
        let second = |text| second_of(at(text).naive_utc());

        assert_eq!(second("1970-01-01T00:00:07Z"), 7);
        assert_eq!(second("1970-01-01T00:00:06.001Z"), 7);
        assert_eq!(second("2106-02-07T06:28:15Z"), u32::MAX);
        assert_eq!(second("1969-12-31T00:00:00Z"), 0, "no clock of ours tells that");
    }
}
