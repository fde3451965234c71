//! The country brief: what was counted in one country in one period, on two to four pages for a meeting.
//!
//! Start reading at [`facts`] (what is counted), then [`compose`] (what is said of it); [`published`] does both for a release.
//! The rest is how it looks: `blocks` on `pages` of a [`pdf`] or as [`html`], and in them `charts` and a `map` made of
//! [`drawing`]s, which become [`svg`] and [`png`].

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "points on paper: what is lost is smaller than a dot"
)]

pub mod blocks;
pub mod charts;
pub mod compose;
pub mod drawing;
pub mod facts;
pub mod font;
pub mod html;
pub mod http;
pub mod map;
pub mod pages;
pub mod pdf;
pub mod pictures;
pub mod png;
pub mod published;
pub mod svg;
pub mod words;
