//! Pictures as lists of shapes, which become SVG on a screen and PDF on paper, and look alike on both.
//!
//! Units are points (1/72 inch), the origin is the upper left corner, y grows downwards.

/// A picture of a size, with the words for those who cannot see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// Width in points.
    pub width: f32,
    /// Height in points.
    pub height: f32,
    /// What it shows, a line.
    pub title: String,
    /// What can be read off it, in sentences.
    pub description: String,
    /// Drawn one over another, the first at the bottom.
    pub shapes: Vec<Shape>,
}

/// A point: x to the right, y downwards.
pub type Spot = (f32, f32);

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A filled rectangle.
    Rect {
        /// Upper left corner.
        at: Spot,
        /// Width and height.
        size: Spot,
        /// Its colour.
        fill: Colour,
    },
    /// A line through points.
    Line {
        /// Two or more.
        through: Vec<Spot>,
        /// Its colour.
        colour: Colour,
        /// Its width.
        width: f32,
    },
    /// A filled area with an outline; inner rings are holes.
    Area {
        /// Each ring closed by itself.
        rings: Vec<Vec<Spot>>,
        /// Its colour.
        fill: Colour,
    },
    /// A filled circle with a white edge.
    Circle {
        /// Its centre.
        centre: Spot,
        /// Its radius.
        radius: f32,
        /// Its colour.
        fill: Colour,
    },
    /// A line of text.
    Text(Text),
}

/// A line of text.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// The point its baseline starts, ends or is centred at.
    pub at: Spot,
    /// Which of them.
    pub anchor: Anchor,
    /// Height of the letters.
    pub size: f32,
    /// Whether it is bold.
    pub is_bold: bool,
    /// Its colour.
    pub colour: Colour,
    /// The words.
    pub words: String,
}

/// Which end of a text stands at its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The left end.
    Start,
    /// The middle.
    Middle,
    /// The right end.
    End,
}

/// Red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// Text, and what must be read.
pub const INK: Colour = Colour(0x1f, 0x29, 0x33);
/// Text of less weight.
pub const GREY: Colour = Colour(0x5b, 0x67, 0x73);
/// Lines behind bars, rules between rows.
pub const FAINT: Colour = Colour(0xd9, 0xde, 0xe3);
/// Grounds of tiles, and of areas without an incident.
pub const PALE: Colour = Colour(0xf2, 0xf4, 0xf6);
/// Edges on shaded ground.
pub const WHITE: Colour = Colour(0xff, 0xff, 0xff);

impl Drawing {
    /// Returns an empty picture.
    pub fn new(width: f32, height: f32, title: String) -> Self {
        Self { width, height, title, description: String::new(), shapes: Vec::new() }
    }

    /// Draws a filled rectangle.
    pub fn rect(&mut self, at: Spot, size: Spot, fill: Colour) {
        self.shapes.push(Shape::Rect { at, size, fill });
    }

    /// Draws a straight line.
    pub fn line(&mut self, from: Spot, to: Spot, colour: Colour, width: f32) {
        self.shapes.push(Shape::Line { through: vec![from, to], colour, width });
    }

    /// Writes a line of text.
    pub fn write(&mut self, text: Text) {
        self.shapes.push(Shape::Text(text));
    }
}

/// Returns a line of text that starts at a point, small and dark.
pub fn text(at: Spot, words: impl Into<String>) -> Text {
    Text { at, anchor: Anchor::Start, size: 8.5, is_bold: false, colour: INK, words: words.into() }
}

impl Text {
    /// Returns it in letters of another height.
    pub fn size(self, size: f32) -> Self {
        Self { size, ..self }
    }

    /// Returns it in another colour.
    pub fn colour(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    /// Returns it with another end at its point.
    pub fn anchor(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    /// Returns it in bold.
    pub fn bold(self) -> Self {
        self.bold_if(true)
    }

    /// Returns it in bold where that is so.
    pub fn bold_if(self, is_bold: bool) -> Self {
        Self { is_bold, ..self }
    }
}
