//! Pseudo-random numbers that are the same on every machine; not for secrets.

/// The generator `SplitMix64`.
///
/// # Source
/// G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014; constants and test
/// values after the public-domain `splitmix64.c` of S. Vigna, <https://prng.di.unimi.it/splitmix64.c>.
#[derive(Debug, Clone)]
pub(crate) struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    pub(crate) fn new(seed: u64) -> SplitMix64 {
        SplitMix64 { state: seed }
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn next_u32(&mut self) -> u32 {
        // 32 bits are left after the shift, so the fallback is never used.
        u32::try_from(self.next_u64() >> 32).unwrap_or(0)
    }

    /// Draws from `0..bound`; 0 when the bound is 0. Small bounds only: the remainder favours low numbers by
    /// `bound` in four thousand million.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.next_u32().checked_rem(bound).unwrap_or(0)
    }

    /// Draws from `-1.0..1.0`.
    pub(crate) fn signed_unit(&mut self) -> f64 {
        f64::from(self.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0
    }

    /// Is true so many times in a hundred.
    pub(crate) fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance
    }

    /// Draws one of the items; nothing from an empty list.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.index(items.len()))
    }

    /// Draws by weights; nothing when all weights are 0.
    pub(crate) fn pick_weighted<T: Copy>(&mut self, choices: &[(u32, T)]) -> Option<T> {
        let mut left = self.below(choices.iter().map(|(weight, _)| weight).sum());
        for (weight, choice) in choices {
            if left < *weight {
                return Some(*choice);
            }
            left -= weight;
        }
        None
    }

    /// Brings the items into a random order.
    ///
    /// # Source
    /// Fisher and Yates in the form of R. Durstenfeld, "Algorithm 235: Random permutation", CACM 7 (1964).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }

    fn index(&mut self, len: usize) -> usize {
        let bound = u32::try_from(len).unwrap_or(u32::MAX);
        usize::try_from(self.below(bound)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::demo::random::SplitMix64;

    #[test]
    fn the_first_numbers_are_those_of_the_reference() {
        let mut random = SplitMix64::new(1_234_567);

        let numbers: Vec<u64> = (0..5).map(|_| random.next_u64()).collect();

        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821
            ]
        );
    }

    #[test]
    fn draws_keep_their_bounds() {
        let mut random = SplitMix64::new(7);

        for _ in 0..1_000 {
            assert!(random.below(3) < 3);
            assert!((-1.0..=1.0).contains(&random.signed_unit()));
            assert_eq!(random.pick_weighted(&[(0, 'a'), (1, 'b')]), Some('b'));
        }
        assert_eq!(random.below(0), 0);
        assert_eq!(random.pick::<u8>(&[]), None);
        assert_eq!(random.pick_weighted(&[(0, 'a')]), None);
    }

    #[test]
    fn shuffling_keeps_every_item() {
        let mut items: Vec<u32> = (0..50).collect();

        SplitMix64::new(7).shuffle(&mut items);

        assert_ne!(items, (0..50).collect::<Vec<u32>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<u32>>());
    }
}
