//! Excel's workbooks, written as a stream: no row is kept, and no file lies anywhere.
//!
//! # Source
//! ECMA-376 (Office Open XML), parts 1 and 2: the smallest package that Excel opens without repair.

use std::collections::HashMap;
use std::io::{self, Write};

use chrono::NaiveDate;

use crate::exports::value::{End, Heading, Kind, Value, Writer, degrees};
use crate::exports::zip::ZipWriter;

/// Most rows below the header: what a sheet of Excel holds.
pub const MAX_ROWS: u64 = 1_048_575;
/// Most characters of a cell in Excel.
const MAX_CHARS: usize = 32_767;
/// Texts that are written once and pointed at; ids, of which each stands once, do not crowd out the codes for long.
const MAX_SHARED: usize = 20_000;
/// Longer texts seldom stand twice.
const MAX_SHARED_BYTES: usize = 120;
const DAY_STYLE: &str = " s=\"2\"";
const HEADER_STYLE: &str = " s=\"1\"";

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>"#;
const ROOT: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const PARTS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#;
const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/><xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"#;
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

/// Writes a workbook of one sheet.
pub struct XlsxWriter {
    zip: ZipWriter,
    kinds: Vec<Kind>,
    letters: Vec<String>,
    shared: HashMap<String, usize>,
    /// In the order of their numbers.
    texts: Vec<String>,
    n_lines: u64,
    line: Vec<u8>,
}

impl XlsxWriter {
    /// Begins a workbook whose sheet is called `sheet`; `has_tags` adds the row of HXL tags.
    ///
    /// # Errors
    /// None that is known.
    pub fn new(headings: &[Heading], sheet: &str, has_tags: bool) -> io::Result<Self> {
        let mut zip = ZipWriter::default();
        let workbook = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<workbook xmlns=\"{MAIN}\" \
             xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets>\
             <sheet name=\"{sheet}\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
        );
        for (name, text) in [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", ROOT),
            ("xl/workbook.xml", workbook.as_str()),
            ("xl/_rels/workbook.xml.rels", PARTS),
            ("xl/styles.xml", STYLES),
        ] {
            zip.begin(name)?;
            zip.write_all(text.as_bytes())?;
        }
        zip.begin("xl/worksheets/sheet1.xml")?;
        let frozen = if has_tags { 2 } else { 1 };
        let below = frozen + 1;
        write!(
            zip,
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<worksheet xmlns=\"{MAIN}\"><sheetViews>\
             <sheetView workbookViewId=\"0\"><pane ySplit=\"{frozen}\" topLeftCell=\"A{below}\" activePane=\"bottomLeft\" \
             state=\"frozen\"/></sheetView></sheetViews><sheetFormatPr defaultColWidth=\"16\" defaultRowHeight=\"15\"/>\
             <sheetData>"
        )?;
        let mut writer = Self {
            zip,
            kinds: headings.iter().map(|heading| heading.kind).collect(),
            letters: (0..headings.len()).map(letters).collect(),
            shared: HashMap::new(),
            texts: Vec::new(),
            n_lines: 0,
            line: Vec::new(),
        };
        writer.header(headings.iter().map(|heading| heading.name.as_ref()))?;
        if has_tags {
            writer.header(headings.iter().map(|heading| heading.hxl))?;
        }
        Ok(writer)
    }

    fn header<'t>(&mut self, texts: impl Iterator<Item = &'t str>) -> io::Result<()> {
        self.begin_line()?;
        for (at, text) in texts.enumerate() {
            self.text(at, text, HEADER_STYLE)?;
        }
        self.end_line()
    }

    fn begin_line(&mut self) -> io::Result<()> {
        self.n_lines += 1;
        if self.n_lines > MAX_ROWS + 1 {
            return Err(io::Error::other("a sheet holds at most 1,048,576 rows"));
        }
        write!(self.line, "<row r=\"{}\">", self.n_lines)
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.line.extend_from_slice(b"</row>");
        self.zip.write_all(&self.line)?;
        self.line.clear();
        Ok(())
    }

    /// Begins a cell of a type with a style.
    fn open(&mut self, at: usize, attributes: &str) {
        self.line.extend_from_slice(b"<c r=\"");
        self.line.extend_from_slice(self.letters.get(at).map_or(b"", String::as_bytes));
        self.line.extend_from_slice(self.n_lines.to_string().as_bytes());
        self.line.push(b'"');
        self.line.extend_from_slice(attributes.as_bytes());
        self.line.push(b'>');
    }

    fn text(&mut self, at: usize, text: &str, style: &str) -> io::Result<()> {
        if let Some(number) = self.share(text) {
            self.open(at, &format!("{style} t=\"s\""));
            return write!(self.line, "<v>{number}</v></c>");
        }
        self.open(at, &format!("{style} t=\"inlineStr\""));
        self.line.extend_from_slice(b"<is><t xml:space=\"preserve\">");
        escape(&mut self.line, text);
        self.line.extend_from_slice(b"</t></is></c>");
        Ok(())
    }

    /// Returns the number of a text among the shared ones; `None` where it is not one.
    fn share(&mut self, text: &str) -> Option<usize> {
        if let Some(number) = self.shared.get(text) {
            return Some(*number);
        }
        if text.len() > MAX_SHARED_BYTES || self.texts.len() >= MAX_SHARED || is_id(text) {
            return None;
        }
        let number = self.texts.len();
        self.texts.push(text.to_owned());
        self.shared.insert(text.to_owned(), number);
        Some(number)
    }

    fn number(
        &mut self,
        at: usize,
        attributes: &str,
        number: impl std::fmt::Display,
    ) -> io::Result<()> {
        self.open(at, attributes);
        write!(self.line, "<v>{number}</v></c>")
    }

    fn day(&mut self, at: usize, day: NaiveDate) -> io::Result<()> {
        match serial(day) {
            Some(serial) => self.number(at, DAY_STYLE, serial),
            None => self.text(at, &day.to_string(), ""),
        }
    }
}

impl Writer for XlsxWriter {
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        self.begin_line()?;
        for (at, value) in values.iter().enumerate() {
            match value {
                Value::Empty => {}
                Value::Text(text) => {
                    let is_date = self.kinds.get(at) == Some(&Kind::Date);
                    match text.parse().ok().filter(|_| is_date && text.len() == 10) {
                        Some(day) => self.day(at, day)?,
                        None => self.text(at, text, "")?,
                    }
                }
                Value::Day(day) => self.day(at, *day)?,
                Value::Integer(number) => self.number(at, "", number)?,
                Value::Degrees(degrees_e6) => self.number(at, "", degrees(*degrees_e6))?,
                Value::Boolean(is_so) => self.number(at, " t=\"b\"", u8::from(*is_so))?,
            }
        }
        self.end_line()
    }

    fn finish(&mut self, _end: End) -> io::Result<()> {
        self.zip.write_all(b"</sheetData></worksheet>")?;
        self.zip.begin("xl/sharedStrings.xml")?;
        write!(
            self.zip,
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<sst xmlns=\"{MAIN}\" uniqueCount=\"{}\">",
            self.texts.len()
        )?;
        for text in &self.texts {
            self.line.extend_from_slice(b"<si><t xml:space=\"preserve\">");
            escape(&mut self.line, text);
            self.line.extend_from_slice(b"</t></si>");
            self.zip.write_all(&self.line)?;
            self.line.clear();
        }
        self.zip.write_all(b"</sst>")?;
        self.zip.finish()
    }

    fn take(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.zip.take())
    }
}

/// Returns the letters of a column: `A` to `Z`, then `AA`.
fn letters(at: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or_default());
    match at / 26 {
        0 => letter.to_string(),
        rest => format!("{}{letter}", letters(rest - 1)),
    }
}

/// Returns the days since the end of 1899 as Excel counts them; `None` before March 1900, which it counts wrongly.
fn serial(day: NaiveDate) -> Option<i64> {
    let zero = NaiveDate::from_ymd_opt(1899, 12, 30)?;
    Some((day - zero).num_days()).filter(|serial| *serial > 60)
}

/// Tells whether a text is a UUID, which seldom stands twice.
fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.as_bytes().get(8) == Some(&b'-')
        && text.as_bytes().get(23) == Some(&b'-')
}

/// Writes a text as XML can hold it: what XML forbids, and what would be read as such an escape, is escaped as Excel does.
fn escape(out: &mut Vec<u8>, text: &str) {
    for (at, c) in text.char_indices().take(MAX_CHARS) {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '_' if is_escape(text.get(at..).unwrap_or_default()) => {
                out.extend_from_slice(b"_x005F_");
            }
            '\t' | '\n' => out.extend_from_slice(&[u8::try_from(c).unwrap_or(b' ')]),
            '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => {
                out.extend_from_slice(format!("_x{:04X}_", u32::from(c)).as_bytes());
            }
            c => {
                let mut bytes = [0; 4];
                out.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes());
            }
        }
    }
}

/// Tells whether a text begins like `_x000D_`.
fn is_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.get(2..6).unwrap_or_default();
    bytes.get(1) == Some(&b'x')
        && bytes.get(6) == Some(&b'_')
        && digits.len() == 4
        && digits.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use chrono::NaiveDate;

    use crate::exports::value::{End, Heading, Kind, Value, Writer};
    use crate::exports::xlsx::{XlsxWriter, escape, letters, serial};

    /// The entry of that name, unpacked by its local header.
    fn entry(file: &[u8], name: &str) -> String {
        let at = file.windows(name.len()).position(|part| part == name.as_bytes()).unwrap();
        let mut text = String::new();
        flate2::read::DeflateDecoder::new(&file[at + name.len()..])
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    fn written(rows: &[Vec<Value<'_>>]) -> Vec<u8> {
        let heading = |name: &'static str, kind| Heading { name: name.into(), kind, hxl: "#x" };
        let headings =
            [heading("a", Kind::Text), heading("b", Kind::Date), heading("c", Kind::Integer)];
        let mut writer = XlsxWriter::new(&headings, "incidents", false).unwrap();
        let mut file = Vec::new();
        for row in rows {
            writer.row(row).unwrap();
            file.extend(writer.take().unwrap());
        }
        writer.finish(End { rows: 1, as_of: 1 }).unwrap();
        file.extend(writer.take().unwrap());
        file
    }

    #[test]
    fn cells_have_the_types_of_their_values() {
        let row = |date: &'static str| {
            vec![Value::Text("=1+1 & <é>".into()), Value::Text(date.into()), Value::Integer(-3)]
        };
        let file = written(&[row("2026-04-03"), row("2026-04")]);

        let sheet = entry(&file, "xl/worksheets/sheet1.xml");
        let rows: Vec<&str> = sheet.split("<row ").skip(1).collect();
        assert_eq!(
            rows[1],
            "r=\"2\"><c r=\"A2\" t=\"s\"><v>3</v></c><c r=\"B2\" s=\"2\"><v>46115</v></c><c r=\"C2\"><v>-3</v></c></row>"
        );
        assert!(rows[2].contains("<c r=\"B3\" t=\"s\"><v>4</v></c>"), "{}", rows[2]);
        let texts = entry(&file, "xl/sharedStrings.xml");
        assert!(texts.contains("<t xml:space=\"preserve\">=1+1 &amp; &lt;é&gt;</t>"), "{texts}");
        assert!(!sheet.contains("<f>"), "no formula");
    }

    #[test]
    fn columns_go_on_behind_z() {
        assert_eq!(
            [0, 25, 26, 51, 52, 701, 702].map(letters),
            ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]
        );
    }

    #[test]
    fn days_are_counted_as_excel_counts_them() {
        let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).unwrap();

        assert_eq!(serial(day(2024, 3, 1)), Some(45352));
        assert_eq!(serial(day(1900, 1, 1)), None);
    }

    #[test]
    fn what_xml_forbids_is_escaped() {
        let escaped = |text| {
            let mut out = Vec::new();
            escape(&mut out, text);
            String::from_utf8(out).unwrap()
        };

        assert_eq!(escaped("a\rb\u{1}"), "a_x000D_b_x0001_");
        assert_eq!(escaped("_x000D_ _y"), "_x005F_x000D_ _y");
    }
}
