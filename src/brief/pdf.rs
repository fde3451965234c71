//! Pages of drawings and text as a PDF, with the two fonts every reader brings.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{LineCapStyle, LineJoinStyle};
use pdf_writer::{Content, Date, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use crate::brief::drawing::{Anchor, Colour, Drawing, Shape, Spot, Text, WHITE};
use crate::brief::font::{encode, width_of};

/// Width of a page in points: A4 upright.
pub const PAGE_WIDTH: f32 = 595.0;
/// Height of a page in points.
pub const PAGE_HEIGHT: f32 = 842.0;

const REGULAR: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");
/// How far a control point lies from the end of a quarter of a circle, in radii.
const ROUND: f32 = 0.552_285;

/// What a reader shows of a document beside its pages.
pub struct About<'a> {
    /// Title.
    pub title: &'a str,
    /// Language tag, such as `fr`.
    pub language: &'a str,
    /// Year, month and day it was made.
    pub made_on: (u16, u8, u8),
}

/// Writes pages, each a drawing of the size of a page.
pub fn write_pdf(pages: &[Drawing], about: &About<'_>) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let mut next = 0;
    let mut reference = || {
        next += 1;
        Ref::new(next)
    };
    let (catalog, tree, info, regular, bold) =
        (reference(), reference(), reference(), reference(), reference());
    let numbered: Vec<(Ref, Ref, &Drawing)> =
        pages.iter().map(|page| (reference(), reference(), page)).collect();
    let mut root = pdf.catalog(catalog);
    root.pages(tree).lang(TextStr(about.language));
    root.viewer_preferences().display_doc_title(true);
    root.finish();
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(numbered.iter().map(|(page, ..)| *page)).count(count);
    let (year, month, day) = about.made_on;
    let mut told = pdf.document_info(info);
    told.title(TextStr(about.title)).producer(TextStr("Sentinelle"));
    told.creation_date(Date::new(year).month(month).day(day));
    told.finish();
    for (id, name) in [(regular, "Helvetica"), (bold, "Helvetica-Bold")] {
        pdf.type1_font(id)
            .base_font(Name(name.as_bytes()))
            .encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (page, content, drawing) in numbered {
        let mut written = pdf.page(page);
        written
            .parent(tree)
            .media_box(Rect::new(0.0, 0.0, PAGE_WIDTH, PAGE_HEIGHT))
            .contents(content);
        written.resources().fonts().pair(REGULAR, regular).pair(BOLD, bold);
        written.finish();
        pdf.stream(content, &deflate(&write_content(drawing))).filter(Filter::FlateDecode);
    }
    pdf.finish()
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    // Memory takes whatever is written to it.
    let written = packed.write_all(content).and_then(|()| packed.finish());
    written.unwrap_or_default()
}

fn write_content(drawing: &Drawing) -> Vec<u8> {
    let mut content = Content::new();
    content.set_line_join(LineJoinStyle::RoundJoin).set_line_cap(LineCapStyle::ButtCap);
    for shape in &drawing.shapes {
        write_shape(&mut content, shape);
    }
    content.finish().into_vec()
}

fn write_shape(content: &mut Content, shape: &Shape) {
    match shape {
        Shape::Rect { at: (x, y), size: (width, height), fill: colour } => {
            fill(content, *colour);
            content.rect(*x, up(*y) - height, *width, *height).fill_nonzero();
        }
        Shape::Line { through, colour, width } => {
            stroke(content, *colour, *width);
            trace(content, through);
            content.stroke();
        }
        Shape::Area { rings, fill: colour } => {
            fill(content, *colour);
            stroke(content, WHITE, 0.7);
            for ring in rings {
                trace(content, ring);
                content.close_path();
            }
            content.fill_even_odd_and_stroke();
        }
        Shape::Circle { centre, radius, fill: colour } => {
            fill(content, *colour);
            stroke(content, WHITE, 0.8);
            trace_circle(content, *centre, *radius);
            content.fill_nonzero_and_stroke();
        }
        Shape::Text(text) => write_text(content, text),
    }
}

fn write_text(content: &mut Content, text: &Text) {
    let width = width_of(&text.words, text.size, text.is_bold);
    let x = match text.anchor {
        Anchor::Start => text.at.0,
        Anchor::Middle => text.at.0 - width / 2.0,
        Anchor::End => text.at.0 - width,
    };
    fill(content, text.colour);
    content.begin_text().set_font(if text.is_bold { BOLD } else { REGULAR }, text.size);
    content.next_line(x, up(text.at.1)).show(Str(&encode(&text.words))).end_text();
}

fn trace(content: &mut Content, through: &[Spot]) {
    for (nth, (x, y)) in through.iter().enumerate() {
        if nth == 0 {
            content.move_to(*x, up(*y));
        } else {
            content.line_to(*x, up(*y));
        }
    }
}

fn trace_circle(content: &mut Content, (x, y): Spot, radius: f32) {
    let (y, away) = (up(y), radius * ROUND);
    content.move_to(x + radius, y);
    content.cubic_to(x + radius, y + away, x + away, y + radius, x, y + radius);
    content.cubic_to(x - away, y + radius, x - radius, y + away, x - radius, y);
    content.cubic_to(x - radius, y - away, x - away, y - radius, x, y - radius);
    content.cubic_to(x + away, y - radius, x + radius, y - away, x + radius, y);
    content.close_path();
}

fn fill(content: &mut Content, colour: Colour) {
    let [red, green, blue] = shares(colour);
    content.set_fill_rgb(red, green, blue);
}

fn stroke(content: &mut Content, colour: Colour, width: f32) {
    let [red, green, blue] = shares(colour);
    content.set_stroke_rgb(red, green, blue).set_line_width(width);
}

fn shares(Colour(red, green, blue): Colour) -> [f32; 3] {
    [red, green, blue].map(|part| f32::from(part) / 255.0)
}

/// Returns a height from the lower edge, as PDF counts it.
fn up(y: f32) -> f32 {
    PAGE_HEIGHT - y
}
