//! Files that are made in the background and fetched later, for a day.
//!
//! A file is sealed piece by piece while it is made (`make`), under keys that go with it. It is given out only to whoever asked for
//! it, and only while they may still see all that they could when it was begun: with the role the file dies. It dies with its day
//! and with a report that it may hold, too (`ending`).

pub mod ending;
pub mod http;
pub mod make;
pub mod store;
