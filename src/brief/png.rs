//! A drawing as PNG: its SVG, with letters that are brought along, since a server has none.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Color, Pixmap};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Transform, Tree};

use crate::brief::drawing::Drawing;
use crate::brief::svg::write_svg;

/// Pixels for each point: sharp on a screen and on a slide.
const SCALE: f32 = 2.0;

/// Regular and bold of the family whose letters are about as wide as those the drawings are measured with. Read once in a process:
/// they are the same for every context, and most processes paint nothing.
static LETTERS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut letters = Database::new();
    for font in [dejavu::sans_condensed::regular(), dejavu::sans_condensed::bold()] {
        letters.load_font_data(font.to_vec());
    }
    let family = letters.faces().find_map(|face| Some(face.families.first()?.0.clone()));
    letters.set_sans_serif_family(family.unwrap_or_default());
    Arc::new(letters)
});

/// Why a drawing cannot be painted.
#[derive(Debug, thiserror::Error)]
pub enum PaintError {
    /// Our SVG is none.
    #[error("the drawing cannot be read as SVG: {0}")]
    Svg(#[from] resvg::usvg::Error),
    /// The picture has no pixel, or too many.
    #[error("the drawing has no size that can be painted")]
    Size,
    /// The pixels cannot be written.
    #[error("the picture cannot be written: {0}")]
    Png(String),
}

/// Paints the drawing on white, two pixels for each point.
///
/// # Errors
/// None for drawings of ours: their sizes are bounded.
pub fn write_png(drawing: &Drawing) -> Result<Vec<u8>, PaintError> {
    let options = Options { fontdb: Arc::clone(&LETTERS), ..Options::default() };
    let tree = Tree::from_str(&write_svg(drawing, "chart"), &options)?;
    let pixels = |points: f32| (points * SCALE).ceil() as u32;
    let mut picture =
        Pixmap::new(pixels(drawing.width), pixels(drawing.height)).ok_or(PaintError::Size)?;
    picture.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut picture.as_mut());
    picture.encode_png().map_err(|error| PaintError::Png(error.to_string()))
}
