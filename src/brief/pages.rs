//! A brief on pages of A4.

use crate::brief::blocks::{Block, Document, Row, Table, Tile};
use crate::brief::drawing::{
    Anchor, Colour, Drawing, FAINT, GREY, INK, PALE, Shape, Spot, Text, WHITE, text,
};
use crate::brief::font::{fit, width_of, wrap};
use crate::brief::pdf::{PAGE_HEIGHT, PAGE_WIDTH};

/// Width of what is printed on a page.
pub const TEXT_WIDTH: f32 = PAGE_WIDTH - 2.0 * LEFT;
const LEFT: f32 = 48.0;
const TOP: f32 = 50.0;
const BOTTOM: f32 = PAGE_HEIGHT - 56.0;
const BAND: Colour = Colour(0x17, 0x3f, 0x5f);
const BODY: f32 = 9.5;
const LEADING: f32 = 13.5;
const ROW: f32 = 15.5;

/// Lays a brief out on as many pages as it takes, at least one.
pub fn lay_out(document: &Document) -> Vec<Drawing> {
    let mut flow = Flow { done: Vec::new(), page: blank(), y: TOP };
    flow.head(document);
    for (nth, block) in document.blocks.iter().enumerate() {
        match block {
            Block::Heading(words) => {
                let next = document.blocks.get(nth + 1).map_or(0.0, least_height);
                flow.heading(words, next);
            }
            Block::Paragraph(words) => flow.paragraph(words),
            Block::Tiles(tiles) => flow.tiles(tiles),
            Block::Picture(drawing) => flow.picture(drawing),
            Block::Table(table) => flow.table(table),
            Block::Notes(notes) => flow.notes(notes),
        }
    }
    let mut pages = flow.done;
    pages.push(flow.page);
    let count = pages.len();
    for (page, nth) in pages.iter_mut().zip(1..) {
        number(page, document, nth, count);
    }
    pages
}

fn blank() -> Drawing {
    Drawing::new(PAGE_WIDTH, PAGE_HEIGHT, String::new())
}

/// How much of a block must fit below its heading.
fn least_height(block: &Block) -> f32 {
    match block {
        Block::Picture(drawing) => drawing.height,
        Block::Tiles(_) => 64.0,
        Block::Table(_) => 4.0 * ROW,
        Block::Heading(_) | Block::Paragraph(_) | Block::Notes(_) => 3.0 * LEADING,
    }
}

/// Pages that fill up from the top.
struct Flow {
    done: Vec<Drawing>,
    page: Drawing,
    /// Where the next block begins on the page.
    y: f32,
}

impl Flow {
    /// Begins a page unless `height` fits below; tells whether it did.
    fn need(&mut self, height: f32) -> bool {
        let is_full = self.y + height > BOTTOM && self.y > TOP;
        if is_full {
            self.done.push(std::mem::replace(&mut self.page, blank()));
            self.y = TOP;
        }
        is_full
    }

    fn head(&mut self, document: &Document) {
        const HEIGHT: f32 = 104.0;
        let page = &mut self.page;
        page.rect((0.0, 0.0), (PAGE_WIDTH, HEIGHT), BAND);
        let mark = text((PAGE_WIDTH - LEFT, 36.0), &document.mark).anchor(Anchor::End);
        let title = fit(&document.title, 25.0, true, TEXT_WIDTH);
        for line in [
            text((LEFT, 36.0), &document.kind).size(10.0),
            mark.bold(),
            text((LEFT, 66.0), title).size(25.0).bold(),
            text((LEFT, 87.0), &document.subtitle).size(11.0),
        ] {
            page.write(line.colour(WHITE));
        }
        self.y = HEIGHT + 20.0;
    }

    fn heading(&mut self, words: &str, next: f32) {
        self.y += 8.0;
        self.need(22.0 + next);
        self.page.write(text((LEFT, self.y + 13.0), words).size(13.5).bold().colour(BAND));
        self.y += 23.0;
    }

    fn paragraph(&mut self, words: &str) {
        for line in wrap(words, BODY, false, TEXT_WIDTH) {
            self.line(line);
        }
        self.y += 6.0;
    }

    fn line(&mut self, words: String) {
        self.need(LEADING);
        self.page.write(text((LEFT, self.y + BODY), words).size(BODY));
        self.y += LEADING;
    }

    fn tiles(&mut self, tiles: &[Tile]) {
        const HEIGHT: f32 = 64.0;
        const GAP: f32 = 10.0;
        self.need(HEIGHT);
        let top = self.y;
        let width = (TEXT_WIDTH + GAP) / tiles.len().max(1) as f32 - GAP;
        for (nth, tile) in tiles.iter().enumerate() {
            let x = LEFT + (width + GAP) * nth as f32;
            let page = &mut self.page;
            page.rect((x, top), (width, HEIGHT), PALE);
            page.rect((x, top), (3.0, HEIGHT), BAND);
            let room = width - 18.0;
            page.write(text((x + 12.0, top + 25.0), &tile.figure).size(20.0).bold());
            page.write(text((x + 12.0, top + 40.0), fit(&tile.label, 8.5, true, room)).bold());
            let beside = text((x + 12.0, top + 53.0), fit(&tile.beside, 7.5, false, room));
            page.write(beside.size(7.5).colour(GREY));
        }
        self.y += HEIGHT + 14.0;
    }

    fn picture(&mut self, drawing: &Drawing) {
        self.need(drawing.height);
        let top = self.y;
        let shapes = drawing.shapes.iter().map(|shape| moved(shape, (LEFT, top)));
        self.page.shapes.extend(shapes);
        self.y += drawing.height + 12.0;
    }

    fn table(&mut self, table: &Table) {
        self.need(3.0 * ROW + 16.0);
        let caption = fit(&table.caption, 9.5, true, TEXT_WIDTH);
        self.page.write(text((LEFT, self.y + 10.0), caption).size(9.5).bold());
        self.y += 18.0;
        let columns = Columns::of(table);
        let head = Row { cells: table.head.clone(), is_strong: true };
        self.row(&columns, &head, INK);
        for row in &table.rows {
            if self.need(ROW) {
                self.row(&columns, &head, INK);
            }
            self.row(&columns, row, FAINT);
        }
        self.y += 12.0;
    }

    fn row(&mut self, columns: &Columns, row: &Row, rule: Colour) {
        let y = self.y;
        let page = &mut self.page;
        for (nth, cell) in row.cells.iter().enumerate() {
            let cell = if nth == 0 {
                text((LEFT, y + 10.5), fit(cell, 8.5, row.is_strong, columns.first))
            } else {
                text((columns.right_of(nth), y + 10.5), cell).anchor(Anchor::End)
            };
            page.write(cell.bold_if(row.is_strong));
        }
        page.line((LEFT, y + ROW), (LEFT + TEXT_WIDTH, y + ROW), rule, 0.6);
        self.y += ROW;
    }

    fn notes(&mut self, notes: &[(String, String)]) {
        for (subject, words) in notes {
            let lines = wrap(words, BODY, false, TEXT_WIDTH);
            self.need(LEADING * (lines.len().min(3) + 1) as f32);
            self.page.write(text((LEFT, self.y + BODY), subject).size(BODY).bold());
            self.y += LEADING;
            for line in lines {
                self.line(line);
            }
            self.y += 5.0;
        }
    }
}

/// Where the columns of a table stand: the first takes what the numbers leave.
struct Columns {
    first: f32,
    widths: Vec<f32>,
}

impl Columns {
    fn of(table: &Table) -> Self {
        let widest = |nth: usize| {
            let cells = table.rows.iter().filter_map(|row| row.cells.get(nth));
            let all = cells.chain(table.head.get(nth));
            all.map(|cell| width_of(cell, 8.5, true)).fold(0.0, f32::max) + 14.0
        };
        let widths: Vec<f32> = (1..table.head.len()).map(widest).collect();
        Self { first: TEXT_WIDTH - widths.iter().sum::<f32>(), widths }
    }

    fn right_of(&self, nth: usize) -> f32 {
        LEFT + self.first + self.widths.iter().take(nth).sum::<f32>()
    }
}

fn number(page: &mut Drawing, document: &Document, nth: usize, count: usize) {
    let y = PAGE_HEIGHT - 30.0;
    page.line((LEFT, y - 12.0), (PAGE_WIDTH - LEFT, y - 12.0), FAINT, 0.6);
    let foot = fit(&document.foot, 7.5, false, TEXT_WIDTH - 70.0);
    // The same word in both languages.
    let number = format!("Page {nth}/{count}");
    for line in [text((LEFT, y), foot), text((PAGE_WIDTH - LEFT, y), number).anchor(Anchor::End)] {
        page.write(line.size(7.5).colour(GREY));
    }
}

fn moved(shape: &Shape, by: Spot) -> Shape {
    let shift = |(x, y): Spot| (x + by.0, y + by.1);
    match shape.clone() {
        Shape::Rect { at, size, fill } => Shape::Rect { at: shift(at), size, fill },
        Shape::Line { through, colour, width } => {
            Shape::Line { through: through.into_iter().map(shift).collect(), colour, width }
        }
        Shape::Area { rings, fill } => {
            let rings = rings.into_iter().map(|ring| ring.into_iter().map(shift).collect());
            Shape::Area { rings: rings.collect(), fill }
        }
        Shape::Circle { centre, radius, fill } => {
            Shape::Circle { centre: shift(centre), radius, fill }
        }
        Shape::Text(text) => Shape::Text(Text { at: shift(text.at), ..text }),
    }
}

#[cfg(test)]
mod tests {
    use super::{BOTTOM, lay_out};
    use crate::brief::blocks::{Block, Document, Row, Table};
    use crate::brief::drawing::{Drawing, Shape};

    fn document(blocks: Vec<Block>) -> Document {
        Document {
            language: "en",
            kind: "Brief".to_owned(),
            title: "Lesotho".to_owned(),
            subtitle: "2024".to_owned(),
            file_name: "brief".to_owned(),
            mark: "INTERNAL".to_owned(),
            foot: "Lesotho, 2024".to_owned(),
            blocks,
        }
    }

    fn words(page: &Drawing) -> Vec<(f32, &str)> {
        page.shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Text(text) => Some((text.at.1, text.words.as_str())),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_long_table_goes_on_under_its_heading_and_every_page_is_numbered() {
        let row = |nth: usize| Row {
            cells: vec![format!("row {nth}"), nth.to_string()],
            is_strong: false,
        };
        let table = Table {
            caption: "Rows".to_owned(),
            head: vec!["Row".to_owned(), "Number".to_owned()],
            rows: (0..100).map(row).collect(),
        };

        let pages = lay_out(&document(vec![Block::Table(table)]));

        assert_eq!(pages.len(), 3);
        let mut n_rows = 0;
        for (page, number) in pages.iter().zip(["Page 1/3", "Page 2/3", "Page 3/3"]) {
            let words = words(page);
            assert_eq!(words.iter().filter(|(_, words)| *words == "Number").count(), 1);
            assert!(words.iter().any(|(_, words)| *words == number));
            let rows = words.iter().filter(|(_, words)| words.starts_with("row "));
            n_rows += rows.inspect(|(y, _)| assert!(*y < BOTTOM)).count();
        }
        assert_eq!(n_rows, 100);
    }

    #[test]
    fn a_heading_is_never_left_alone_at_the_foot_of_a_page() {
        let filler = |height| Block::Picture(Drawing::new(100.0, height, String::new()));
        let heading = Block::Heading("Where".to_owned());

        let pages = lay_out(&document(vec![filler(560.0), heading, filler(200.0)]));

        assert!(!words(&pages[0]).iter().any(|(_, words)| *words == "Where"));
        assert!(words(&pages[1]).iter().any(|(_, words)| *words == "Where"));
    }
}
