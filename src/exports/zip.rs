//! A zip archive written from front to back, into memory that is emptied as it fills.
//!
//! # Source
//! PKWARE, APPNOTE 6.3.10: local headers, data descriptors (4.3.9), central directory.

use std::io::{self, Write};

use crc32fast::Hasher;
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Sizes and checksum stand behind the data, and names are UTF-8.
const FLAGS: u16 = 0x0808;
const DEFLATED: u16 = 8;
const VERSION: u16 = 20;
/// 1 January 1980: the same rows are the same bytes.
const NO_TIME: u32 = 0x0021_0000;
/// Enough for markup, whose repetitions are near, and three times as fast as the usual level.
const LEVEL: u32 = 3;

/// An archive being written.
pub struct ZipWriter {
    state: State,
    entries: Vec<Entry>,
    open: Option<Open>,
    /// Bytes already taken.
    taken: u64,
}

enum State {
    Between(Vec<u8>),
    Within(DeflateEncoder<Vec<u8>>),
}

struct Entry {
    name: String,
    offset: u32,
    crc: u32,
    packed: u32,
    size: u32,
}

struct Open {
    name: String,
    offset: u32,
    data_from: u64,
    crc: Hasher,
    size: u64,
}

impl Default for ZipWriter {
    fn default() -> Self {
        Self { state: State::Between(Vec::new()), entries: Vec::new(), open: None, taken: 0 }
    }
}

impl ZipWriter {
    /// Begins an entry, and ends the one before.
    ///
    /// # Errors
    /// When the archive grows beyond 4 GiB.
    pub fn begin(&mut self, name: &str) -> io::Result<()> {
        self.end()?;
        let offset = to_u32(self.position())?;
        let State::Between(out) = &mut self.state else { return Err(out_of_turn()) };
        out.extend_from_slice(&0x0403_4B50_u32.to_le_bytes());
        for word in [VERSION, FLAGS, DEFLATED] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&NO_TIME.to_le_bytes());
        out.extend_from_slice(&[0; 12]);
        out.extend_from_slice(&to_u16(name.len())?.to_le_bytes());
        out.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(name.as_bytes());
        let data_from = self.position();
        self.open =
            Some(Open { name: name.to_owned(), offset, data_from, crc: Hasher::new(), size: 0 });
        let State::Between(out) = &mut self.state else { return Err(out_of_turn()) };
        let encoder = DeflateEncoder::new(std::mem::take(out), Compression::new(LEVEL));
        self.state = State::Within(encoder);
        Ok(())
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// When it has grown beyond 4 GiB.
    pub fn finish(&mut self) -> io::Result<()> {
        self.end()?;
        let start = self.position();
        let State::Between(out) = &mut self.state else { return Err(out_of_turn()) };
        for entry in &self.entries {
            out.extend_from_slice(&0x0201_4B50_u32.to_le_bytes());
            for word in [VERSION, VERSION, FLAGS, DEFLATED] {
                out.extend_from_slice(&word.to_le_bytes());
            }
            for number in [NO_TIME, entry.crc, entry.packed, entry.size] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            out.extend_from_slice(&to_u16(entry.name.len())?.to_le_bytes());
            out.extend_from_slice(&[0; 12]);
            out.extend_from_slice(&entry.offset.to_le_bytes());
            out.extend_from_slice(entry.name.as_bytes());
        }
        let size = to_u32(self.position() - start)?;
        let (start, n_entries) = (to_u32(start)?, to_u16(self.entries.len())?);
        let State::Between(out) = &mut self.state else { return Err(out_of_turn()) };
        out.extend_from_slice(&0x0605_4B50_u32.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&n_entries.to_le_bytes());
        out.extend_from_slice(&n_entries.to_le_bytes());
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(&start.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        Ok(())
    }

    /// Returns what is ready since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        let out = std::mem::take(self.out_mut());
        self.taken += u64::try_from(out.len()).unwrap_or(u64::MAX);
        out
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let state = std::mem::replace(&mut self.state, State::Between(Vec::new()));
        let State::Within(encoder) = state else { return Err(out_of_turn()) };
        self.state = State::Between(encoder.finish()?);
        let entry = Entry {
            packed: to_u32(self.position() - open.data_from)?,
            size: to_u32(open.size)?,
            crc: open.crc.finalize(),
            name: open.name,
            offset: open.offset,
        };
        let out = self.out_mut();
        for number in [0x0807_4B50, entry.crc, entry.packed, entry.size] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        self.entries.push(entry);
        Ok(())
    }

    fn out_mut(&mut self) -> &mut Vec<u8> {
        match &mut self.state {
            State::Between(out) => out,
            State::Within(encoder) => encoder.get_mut(),
        }
    }

    fn position(&self) -> u64 {
        let waiting = match &self.state {
            State::Between(out) => out.len(),
            State::Within(encoder) => encoder.get_ref().len(),
        };
        self.taken + u64::try_from(waiting).unwrap_or(u64::MAX)
    }
}

impl Write for ZipWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (State::Within(encoder), Some(open)) = (&mut self.state, &mut self.open) else {
            return Err(out_of_turn());
        };
        encoder.write_all(bytes)?;
        open.crc.update(bytes);
        open.size += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn to_u32(number: u64) -> io::Result<u32> {
    u32::try_from(number).map_err(|_too_large| io::Error::other("an archive holds at most 4 GiB"))
}

fn to_u16(number: usize) -> io::Result<u16> {
    u16::try_from(number).map_err(|_too_large| io::Error::other("a name of an entry is too long"))
}

fn out_of_turn() -> io::Error {
    io::Error::other("an archive is written entry by entry")
}
