//! What everybody sees, without a credential: sums of whole atoms of a release, and nothing else. It reads the tables of
//! releases and no others, looks at no address and sets no cookie.

pub mod answer;
pub mod ask;
pub mod csv;
pub mod http;
pub mod shown;
pub mod view;
pub mod words;
