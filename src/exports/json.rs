//! Lines of JSON, and GeoJSON (RFC 7946): what is written is exactly what is known.

use std::io::{self, Write};

use crate::exports::value::{End, Heading, Value, Writer, degrees};

/// Writes one object a line.
pub struct LinesWriter {
    names: Vec<String>,
    out: Vec<u8>,
}

impl LinesWriter {
    /// Begins a file.
    pub fn new(headings: &[Heading]) -> Self {
        Self { names: quoted(headings), out: Vec::new() }
    }
}

impl Writer for LinesWriter {
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        object(&mut self.out, &self.names, values)?;
        self.out.push(b'\n');
        Ok(())
    }

    fn finish(&mut self, _end: End) -> io::Result<()> {
        Ok(())
    }

    fn take(&mut self) -> io::Result<Vec<u8>> {
        Ok(std::mem::take(&mut self.out))
    }
}

/// Writes a collection of features, each at its `longitude` and `latitude`, or at none.
pub struct GeoJsonWriter {
    names: Vec<String>,
    /// Where the id stands.
    id: Option<usize>,
    /// Where longitude and latitude stand.
    place: [Option<usize>; 2],
    is_first: bool,
    out: Vec<u8>,
}

impl GeoJsonWriter {
    /// Begins a file.
    pub fn new(headings: &[Heading]) -> Self {
        let find = |name: &str| headings.iter().position(|heading| heading.name == name);
        Self {
            names: quoted(headings),
            id: find("id"),
            place: [find("longitude"), find("latitude")],
            is_first: true,
            out: b"{\"type\":\"FeatureCollection\",\"features\":[".to_vec(),
        }
    }
}

impl Writer for GeoJsonWriter {
    fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        let start: &[u8] = if self.is_first { b"\n" } else { b",\n" };
        self.is_first = false;
        self.out.extend_from_slice(start);
        self.out.extend_from_slice(b"{\"type\":\"Feature\",\"id\":");
        value(&mut self.out, self.id.and_then(|at| values.get(at)).unwrap_or(&Value::Empty))?;
        let place = self.place.map(|at| at.and_then(|at| values.get(at)));
        match place {
            [Some(Value::Degrees(lon_e6)), Some(Value::Degrees(lat_e6))] => write!(
                self.out,
                ",\"geometry\":{{\"type\":\"Point\",\"coordinates\":[{},{}]}}",
                degrees(*lon_e6),
                degrees(*lat_e6)
            )?,
            _ => self.out.extend_from_slice(b",\"geometry\":null"),
        }
        self.out.extend_from_slice(b",\"properties\":");
        object(&mut self.out, &self.names, values)?;
        self.out.push(b'}');
        Ok(())
    }

    fn finish(&mut self, end: End) -> io::Result<()> {
        writeln!(self.out, "\n],\"as_of\":{},\"rows\":{}}}", end.as_of, end.rows)
    }

    fn take(&mut self) -> io::Result<Vec<u8>> {
        Ok(std::mem::take(&mut self.out))
    }
}

/// Returns the names as JSON writes them, with the colon.
fn quoted(headings: &[Heading]) -> Vec<String> {
    let quote = |heading: &Heading| format!("{}:", serde_json::Value::from(heading.name.as_ref()));
    headings.iter().map(quote).collect()
}

fn object(out: &mut Vec<u8>, names: &[String], values: &[Value<'_>]) -> io::Result<()> {
    out.push(b'{');
    for (at, (name, of_name)) in names.iter().zip(values).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name.as_bytes());
        value(out, of_name)?;
    }
    out.push(b'}');
    Ok(())
}

fn value(out: &mut Vec<u8>, value: &Value<'_>) -> io::Result<()> {
    match value {
        Value::Empty => out.extend_from_slice(b"null"),
        Value::Text(text) => serde_json::to_writer(out, text.as_ref())?,
        Value::Day(day) => write!(out, "\"{day}\"")?,
        Value::Integer(number) => write!(out, "{number}")?,
        Value::Degrees(degrees_e6) => write!(out, "{}", degrees(*degrees_e6))?,
        Value::Boolean(is_so) => write!(out, "{is_so}")?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::exports::json::{GeoJsonWriter, LinesWriter};
    use crate::exports::value::{End, Heading, Kind, Value, Writer};

    fn headings() -> Vec<Heading> {
        let heading = |name: &'static str| Heading { name: name.into(), kind: Kind::Text, hxl: "" };
        ["id", "latitude", "longitude"].map(heading).to_vec()
    }

    fn row(writer: &mut dyn Writer) {
        let id = Value::Text("=\"1\"".into());
        writer.row(&[id, Value::Degrees(8_644_000), Value::Degrees(-10_971_000)]).unwrap();
        writer.row(&[Value::Text("b".into()), Value::Empty, Value::Empty]).unwrap();
        writer.finish(End { rows: 2, as_of: 7 }).unwrap();
    }

    #[test]
    fn lines_are_objects() {
        let mut writer = LinesWriter::new(&headings());
        row(&mut writer);
        let text = String::from_utf8(writer.take().unwrap()).unwrap();

        let lines: Vec<Json> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0], json!({"id": "=\"1\"", "latitude": 8.644, "longitude": -10.971}));
        assert_eq!(lines[1]["latitude"], json!(null));
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn a_point_is_longitude_then_latitude_in_numbers() {
        let mut writer = GeoJsonWriter::new(&headings());
        row(&mut writer);

        let file: Json = serde_json::from_slice(&writer.take().unwrap()).unwrap();
        assert_eq!(file["features"][0]["geometry"]["coordinates"], json!([-10.971, 8.644]));
        assert_eq!(file["features"][1]["geometry"], json!(null));
        assert_eq!((&file["rows"], &file["as_of"]), (&json!(2), &json!(7)));
    }

    #[test]
    fn a_collection_without_features_is_one_too() {
        let mut writer = GeoJsonWriter::new(&headings());
        writer.finish(End { rows: 0, as_of: 1 }).unwrap();

        let file: Json = serde_json::from_slice(&writer.take().unwrap()).unwrap();
        assert_eq!(file["features"], json!([]));
    }
}
