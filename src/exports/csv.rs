//! CSV (RFC 4180) that spreadsheets open without harm.

use std::io::{self, Write};

use crate::aggregates::csv::{BYTE_ORDER_MARK, ByteOrderMark, disarm};
use crate::exports::value::{End, Heading, Value, Writer, degrees};

/// What a file is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// Whether it begins with the mark that Excel needs.
    pub mark: ByteOrderMark,
    /// What stands between cells: a semicolon where the decimal sign is a comma.
    pub delimiter: char,
}

/// Writes CSV.
pub struct CsvWriter {
    dialect: Dialect,
    out: Vec<u8>,
}

impl CsvWriter {
    /// Begins a file; `has_tags` adds the row of HXL tags.
    pub fn new(headings: &[Heading], dialect: Dialect, has_tags: bool) -> Self {
        let mut out = Vec::new();
        if dialect.mark == ByteOrderMark::Written {
            out.extend_from_slice(BYTE_ORDER_MARK);
        }
        let mut writer = Self { dialect, out };
        writer.texts(headings.iter().map(|heading| heading.name.as_ref()));
        if has_tags {
            writer.texts(headings.iter().map(|heading| heading.hxl));
        }
        writer
    }

    fn texts<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        for (at, text) in texts.enumerate() {
            self.separate(at);
            self.text(text);
        }
        self.out.extend_from_slice(b"\r\n");
    }

    fn separate(&mut self, at: usize) {
        if at > 0 {
            let mut bytes = [0; 4];
            self.out.extend_from_slice(self.dialect.delimiter.encode_utf8(&mut bytes).as_bytes());
        }
    }

    /// Writes a text so that no spreadsheet takes it for a formula, in quotes wherever it was changed or has to be.
    fn text(&mut self, text: &str) {
        let harmless = disarm(text);
        let delimiter = self.dialect.delimiter;
        let is_quoted = harmless.len() != text.len() || text.contains([delimiter, '"', '\r', '\n']);
        if is_quoted {
            self.out.push(b'"');
            self.out.extend_from_slice(harmless.replace('"', "\"\"").as_bytes());
            self.out.push(b'"');
        } else {
            self.out.extend_from_slice(harmless.as_bytes());
        }
    }
}

impl Writer for CsvWriter {
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        for (at, value) in values.iter().enumerate() {
            self.separate(at);
            match value {
                Value::Empty => {}
                Value::Text(text) => self.text(text),
                Value::Day(day) => write!(self.out, "{day}")?,
                Value::Integer(number) => write!(self.out, "{number}")?,
                Value::Degrees(degrees_e6) => write!(self.out, "{:.6}", degrees(*degrees_e6))?,
                Value::Boolean(is_so) => write!(self.out, "{is_so}")?,
            }
        }
        self.out.extend_from_slice(b"\r\n");
        Ok(())
    }

    fn finish(&mut self, _end: End) -> io::Result<()> {
        Ok(())
    }

    fn take(&mut self) -> io::Result<Vec<u8>> {
        Ok(std::mem::take(&mut self.out))
    }
}

#[cfg(test)]
mod tests {
    use crate::aggregates::csv::ByteOrderMark;
    use crate::exports::csv::{CsvWriter, Dialect};
    use crate::exports::value::{Heading, Kind, Value, Writer};

    fn file(delimiter: char, mark: ByteOrderMark, value: Value<'_>) -> String {
        let heading = |name: &'static str| Heading {
            name: name.into(),
            kind: Kind::Text,
            hxl: "#country+name",
        };
        let dialect = Dialect { mark, delimiter };
        let mut writer = CsvWriter::new(&[heading("a"), heading("b")], dialect, false);
        writer.row(&[value, Value::Integer(0)]).unwrap();
        String::from_utf8(writer.take().unwrap()).unwrap()
    }

    fn cell(value: Value<'_>) -> String {
        let file = file(',', ByteOrderMark::Omitted, value);
        let row = file.strip_prefix("a,b\r\n").unwrap();
        row.strip_suffix(",0\r\n").unwrap().to_owned()
    }

    #[test]
    fn accents_and_line_ends_are_those_of_spreadsheets() {
        let bytes = file(';', ByteOrderMark::Written, Value::Text("Côte d'Ivoire".into()));

        assert!(
            bytes.as_bytes().starts_with(b"\xEF\xBB\xBFa;b\r\n\x43\xC3\xB4\x74\x65 d'Ivoire;0")
        );
    }

    #[test]
    fn a_text_like_a_formula_is_disarmed_and_quoted() {
        assert_eq!(cell(Value::Text("=HYPERLINK(\"x\")".into())), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(cell(Value::Text("-12 victimes".into())), "\"'-12 victimes\"");
        assert_eq!(cell(Value::Text("+23277000001".into())), "\"'+23277000001\"");
        assert_eq!(cell(Value::Text("\t=1".into())), "\"'\t=1\"");
        assert_eq!(cell(Value::Text("\r=1".into())), "\"'\r=1\"");
        assert_eq!(cell(Value::Text("＝1".into())), "\"'＝1\"");
    }

    #[test]
    fn numbers_stay_as_they_are() {
        assert_eq!(cell(Value::Degrees(-19_600_000)), "-19.600000");
        assert_eq!(cell(Value::Integer(-3)), "-3");
        assert_eq!(cell(Value::Empty), "");
    }

    #[test]
    fn what_separates_is_quoted() {
        assert_eq!(cell(Value::Text("a,b".into())), "\"a,b\"");
        assert_eq!(cell(Value::Text("a;b".into())), "a;b");
        assert_eq!(cell(Value::Text("say \"x\"\nnow".into())), "\"say \"\"x\"\"\nnow\"");
    }
}
