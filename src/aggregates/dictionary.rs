//! Dictionary encoding: columns of small numbers, and the distinct values or sets they stand for.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::mem::size_of;

/// Numbers of one column, held as narrow as the largest allows.
#[derive(Debug, Clone)]
pub(crate) enum Ids {
    /// Up to 256 distinct values.
    Narrow(Vec<u8>),
    /// Up to 65,536.
    Medium(Vec<u16>),
    /// More.
    Wide(Vec<u32>),
}

impl Ids {
    /// Puts a number before row `at`, which may be the end.
    pub(crate) fn insert(&mut self, at: usize, id: u32) {
        self.widen_for(id);
        match self {
            Self::Narrow(ids) => ids.insert(at, low_8(id)),
            Self::Medium(ids) => ids.insert(at, low_16(id)),
            Self::Wide(ids) => ids.insert(at, id),
        }
    }

    /// Replaces the number of a row that exists.
    pub(crate) fn set(&mut self, at: usize, id: u32) {
        self.widen_for(id);
        match self {
            Self::Narrow(ids) => replace(ids, at, low_8(id)),
            Self::Medium(ids) => replace(ids, at, low_16(id)),
            Self::Wide(ids) => replace(ids, at, id),
        }
    }

    /// Takes a row that exists out.
    pub(crate) fn remove(&mut self, at: usize) {
        match self {
            Self::Narrow(ids) => drop(ids.remove(at)),
            Self::Medium(ids) => drop(ids.remove(at)),
            Self::Wide(ids) => {
                ids.remove(at);
            }
        }
    }

    /// Returns the number of a row as an index, none that exists past the end.
    pub(crate) fn index_at(&self, at: usize) -> usize {
        let index = match self {
            Self::Narrow(ids) => ids.get(at).copied().map(usize::from),
            Self::Medium(ids) => ids.get(at).copied().map(usize::from),
            Self::Wide(ids) => ids.get(at).and_then(|id| usize::try_from(*id).ok()),
        };
        index.unwrap_or(usize::MAX)
    }

    /// For the rows from `start`, joins each row's number, looked up in `table`, into `values`.
    pub(crate) fn look_up<V: Copy>(
        &self,
        start: usize,
        table: &[V],
        values: &mut [V],
        join: impl Fn(V, V) -> V,
    ) {
        match self {
            Self::Narrow(ids) => look_up(ids, start, table, values, join),
            Self::Medium(ids) => look_up(ids, start, table, values, join),
            Self::Wide(ids) => look_up(ids, start, table, values, join),
        }
    }

    /// Returns the memory it holds, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Self::Narrow(ids) => ids.capacity(),
            Self::Medium(ids) => ids.capacity() * size_of::<u16>(),
            Self::Wide(ids) => ids.capacity() * size_of::<u32>(),
        }
    }

    fn widen_for(&mut self, id: u32) {
        let (fits_narrow, fits_medium) = (u8::try_from(id).is_ok(), u16::try_from(id).is_ok());
        let wider = match self {
            Self::Narrow(ids) if !fits_medium => {
                Self::Wide(ids.iter().copied().map(u32::from).collect())
            }
            Self::Narrow(ids) if !fits_narrow => {
                Self::Medium(ids.iter().copied().map(u16::from).collect())
            }
            Self::Medium(ids) if !fits_medium => {
                Self::Wide(ids.iter().copied().map(u32::from).collect())
            }
            Self::Narrow(_) | Self::Medium(_) | Self::Wide(_) => return,
        };
        *self = wider;
    }
}

fn look_up<I: Copy + Into<u32>, V: Copy>(
    ids: &[I],
    start: usize,
    table: &[V],
    values: &mut [V],
    join: impl Fn(V, V) -> V,
) {
    let rows = ids.get(start..).unwrap_or_default();
    for (value, id) in values.iter_mut().zip(rows) {
        let id: u32 = (*id).into();
        if let Some(found) = usize::try_from(id).ok().and_then(|id| table.get(id)) {
            *value = join(*value, *found);
        }
    }
}

fn replace<T>(ids: &mut [T], at: usize, id: T) {
    if let Some(place) = ids.get_mut(at) {
        *place = id;
    }
}

fn low_8(id: u32) -> u8 {
    id.to_le_bytes()[0]
}

fn low_16(id: u32) -> u16 {
    let [low, high, ..] = id.to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// Distinct values and their numbers.
///
/// # Shape
/// A value once seen keeps its number for good, so it holds what it ever saw.
#[derive(Debug, Clone)]
pub(crate) struct Dictionary<K> {
    entries: Vec<K>,
    numbers: HashMap<K, u32>,
}

impl<K: Clone + Eq + Hash> Dictionary<K> {
    fn new() -> Self {
        Self { entries: Vec::new(), numbers: HashMap::new() }
    }

    /// Returns the number of a value, a new one when it was never seen.
    fn number<Q>(&mut self, value: &Q) -> u32
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        // Four thousand million distinct values do not fit in memory; the last number is never reached.
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push(value.to_owned());
        self.numbers.insert(value.to_owned(), number);
        number
    }

    /// Returns the memory it holds, in bytes, `heap_bytes` being what one value holds elsewhere.
    fn memory_bytes(&self, heap_bytes: impl Fn(&K) -> usize) -> usize {
        let inline = self.entries.capacity() * size_of::<K>()
            + self.numbers.capacity() * (size_of::<(K, u32)>() + 1);
        inline + 2 * self.entries.iter().map(heap_bytes).sum::<usize>()
    }
}

/// A column of single values.
#[derive(Debug, Clone)]
pub(crate) struct Dimension<K> {
    pub(crate) ids: Ids,
    values: Dictionary<K>,
}

impl<K: Clone + Eq + Hash> Dimension<K> {
    /// Builds an empty column.
    pub(crate) fn new() -> Self {
        Self { ids: Ids::Narrow(Vec::new()), values: Dictionary::new() }
    }

    /// Returns the number of a value, a new one when it was never seen.
    pub(crate) fn number(&mut self, value: &K) -> u32 {
        self.values.number(value)
    }

    /// Returns the distinct values, by number.
    pub(crate) fn entries(&self) -> &[K] {
        &self.values.entries
    }

    /// Returns the memory of the dictionary, in bytes, `heap_bytes` being what one value holds elsewhere.
    pub(crate) fn dictionary_bytes(&self, heap_bytes: impl Fn(&K) -> usize) -> usize {
        self.values.memory_bytes(heap_bytes)
    }
}

/// A column of sets of codes; a single code is a set of one, null is the empty set.
#[derive(Debug, Clone)]
pub(crate) struct CodeDimension {
    pub(crate) ids: Ids,
    codes: Dictionary<String>,
    /// Sorted numbers of codes.
    sets: Dictionary<Vec<u32>>,
}

impl CodeDimension {
    /// Builds an empty column.
    pub(crate) fn new() -> Self {
        Self { ids: Ids::Narrow(Vec::new()), codes: Dictionary::new(), sets: Dictionary::new() }
    }

    /// Returns the number of a set of codes, in any order.
    pub(crate) fn number(&mut self, codes: &[&str]) -> u32 {
        let mut set: Vec<u32> = codes.iter().map(|code| self.codes.number(*code)).collect();
        set.sort_unstable();
        set.dedup();
        self.sets.number(set.as_slice())
    }

    /// Returns the distinct codes, by number.
    pub(crate) fn codes(&self) -> &[String] {
        &self.codes.entries
    }

    /// Returns the distinct sets of code numbers, by number.
    pub(crate) fn sets(&self) -> &[Vec<u32>] {
        &self.sets.entries
    }

    /// Returns the memory of the dictionaries, in bytes.
    pub(crate) fn dictionary_bytes(&self) -> usize {
        self.codes.memory_bytes(String::capacity)
            + self.sets.memory_bytes(|set| set.capacity() * size_of::<u32>())
    }
}

#[cfg(test)]
mod tests {
    use crate::aggregates::dictionary::{CodeDimension, Ids};

    #[test]
    fn a_column_widens_and_keeps_its_numbers() {
        let mut ids = Ids::Narrow(Vec::new());
        for (at, id) in [0, 255, 256, 65_535, 65_536].into_iter().enumerate() {
            ids.insert(at, id);
        }

        ids.set(0, 70_000);
        ids.remove(1);

        assert_eq!(
            (0..4).map(|at| ids.index_at(at)).collect::<Vec<_>>(),
            [70_000, 256, 65_535, 65_536]
        );
        assert!(matches!(ids, Ids::Wide(_)));
    }

    #[test]
    fn equal_sets_share_a_number() {
        let mut dimension = CodeDimension::new();

        let numbers = [
            dimension.number(&["b", "a"]),
            dimension.number(&[]),
            dimension.number(&["a", "b", "a"]),
        ];

        assert_eq!(numbers, [0, 1, 0]);
        assert_eq!(dimension.codes(), ["b", "a"]);
        assert_eq!(dimension.sets(), [vec![0, 1], vec![]]);
    }
}
