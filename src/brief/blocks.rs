//! What a brief consists of, before it is a page on a screen or on paper.

use crate::brief::drawing::Drawing;

/// A whole brief.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Language tag: `en` or `fr`.
    pub language: &'static str,
    /// What kind of paper it is, above the title.
    pub kind: String,
    /// The country.
    pub title: String,
    /// The period.
    pub subtitle: String,
    /// What a file of it is called, without its ending.
    pub file_name: String,
    /// Who may have it, in capitals beside the title.
    pub mark: String,
    /// What stands at the foot of every page.
    pub foot: String,
    /// Its parts, in order.
    pub blocks: Vec<Block>,
}

/// A part of a brief.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading, kept with what follows.
    Heading(String),
    /// Running text.
    Paragraph(String),
    /// Figures in a row, large.
    Tiles(Vec<Tile>),
    /// A chart or a map.
    Picture(Drawing),
    /// Rows and columns.
    Table(Table),
    /// A list of remarks, each with its subject.
    Notes(Vec<(String, String)>),
}

/// A figure shown large.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    /// The figure.
    pub figure: String,
    /// What it counts.
    pub label: String,
    /// What puts it into proportion.
    pub beside: String,
}

/// Rows and columns; all but the first column are numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Headings of its columns.
    pub head: Vec<String>,
    /// Its rows, as wide as the head.
    pub rows: Vec<Row>,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The cells.
    pub cells: Vec<String>,
    /// Whether it sums up or heads the rows below it.
    pub is_strong: bool,
}
