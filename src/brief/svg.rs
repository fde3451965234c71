//! A drawing as SVG 1.1: alone as a file, or inside a page. No style, no script, nothing fetched.

use std::fmt::Write;

use crate::brief::drawing::{Anchor, Colour, Drawing, Shape, Spot, Text, WHITE};

const FONT: &str = "Helvetica, Arial, 'Liberation Sans', 'Noto Sans', sans-serif";

/// Writes the drawing. `id` tells its title and description from those of others in one page.
pub fn write_svg(drawing: &Drawing, id: &str) -> String {
    let mut svg = String::new();
    let (width, height) = (drawing.width, drawing.height);
    put(
        &mut svg,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"{id}-title {id}-text\" font-family=\"{FONT}\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-text\">{}</desc>\n",
            escape(&drawing.title),
            escape(&drawing.description)
        ),
    );
    for shape in &drawing.shapes {
        write_shape(&mut svg, shape);
    }
    svg.push_str("</svg>\n");
    svg
}

fn write_shape(svg: &mut String, shape: &Shape) {
    match shape {
        Shape::Rect { at: (x, y), size: (width, height), fill } => put(
            svg,
            format_args!(
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{}\"/>\n",
                hex(*fill)
            ),
        ),
        Shape::Line { through, colour, width } => put(
            svg,
            format_args!(
                "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\"/>\n",
                path(through),
                hex(*colour)
            ),
        ),
        Shape::Area { rings, fill } => {
            let paths: Vec<String> = rings.iter().map(|ring| path(ring) + "Z").collect();
            put(
                svg,
                format_args!(
                    "<path d=\"{}\" fill=\"{}\" fill-rule=\"evenodd\" stroke=\"{}\" stroke-width=\"0.7\" stroke-linejoin=\"round\"/>\n",
                    paths.concat(),
                    hex(*fill),
                    hex(WHITE)
                ),
            );
        }
        Shape::Circle { centre: (x, y), radius, fill } => put(
            svg,
            format_args!(
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{}\" stroke=\"{}\" stroke-width=\"0.8\"/>\n",
                hex(*fill),
                hex(WHITE)
            ),
        ),
        Shape::Text(text) => write_text(svg, text),
    }
}

fn write_text(svg: &mut String, text: &Text) {
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    let weight = if text.is_bold { " font-weight=\"bold\"" } else { "" };
    let (x, y) = text.at;
    put(
        svg,
        format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{}\" fill=\"{}\"{anchor}{weight}>{}</text>\n",
            text.size,
            hex(text.colour),
            escape(&text.words)
        ),
    );
}

fn path(through: &[Spot]) -> String {
    let mut path = String::new();
    for (nth, (x, y)) in through.iter().enumerate() {
        put(&mut path, format_args!("{}{x:.1} {y:.1}", if nth == 0 { 'M' } else { 'L' }));
    }
    path
}

fn hex(Colour(red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Returns text as it stands in XML and HTML, in an attribute or between tags.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Appends to a text, which cannot fail.
pub(super) fn put(text: &mut String, words: std::fmt::Arguments<'_>) {
    let written = text.write_fmt(words);
    debug_assert!(written.is_ok());
}
