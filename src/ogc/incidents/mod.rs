//! Incidents as features: `fields` says what they have, `rows` finds them in the columns, `list` answers.

pub(crate) mod fields;
pub(crate) mod list;
pub(crate) mod rows;
