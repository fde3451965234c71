//! Finds the group in which a recovery text was mistyped, so that a person need not compare all twelve.
//!
//! The checksum is linear: what a wrong letter does to it does not depend on the other letters. So every slip of some
//! kind is tried by one comparison, and the group is named if all slips that explain the checksum lie in it.

use std::collections::BTreeSet;

/// What each bit of each letter does to the checksum, lowest bit first.
type Effects = Vec<[u32; 5]>;

/// Returns the group, counted from 1, of the slip that explains why the checksum fails: one letter wrong, two neighbours
/// swapped, or else two letters wrong in one group. `None` when no such slip, or one in several groups, does.
///
/// `off_by` is what the checksum of `letters` is off by, `effects` come from [`effects_of`].
pub(super) fn find_group(
    letters: &[u8],
    group_letters: usize,
    (off_by, effects): (u32, &Effects),
) -> Option<usize> {
    let places = 0..letters.len();
    let group_of = |place: usize| place / group_letters + 1;
    let is_one = |place: usize| changes().any(|change| effect(effects, place, change) == off_by);
    let is_swap = |place: usize| {
        let pair = letters.get(place).zip(letters.get(place + 1));
        let change = pair.map_or(0, |(one, other)| one ^ other);
        effect(effects, place, change) ^ effect(effects, place + 1, change) == off_by
    };
    let is_pair = |place: usize| {
        let rest = place + 1..(group_of(place) * group_letters).min(letters.len());
        let others: Vec<u32> = rest
            .flat_map(|other| changes().map(move |change| effect(effects, other, change)))
            .collect();
        changes().any(|change| others.contains(&(off_by ^ effect(effects, place, change))))
    };
    let simple: BTreeSet<usize> =
        places.clone().filter(|place| is_one(*place) || is_swap(*place)).map(group_of).collect();
    let groups = if simple.is_empty() {
        places.filter(|place| is_pair(*place)).map(group_of).collect()
    } else {
        simple
    };
    groups.first().copied().filter(|_| groups.len() == 1)
}

/// Returns what each bit of `n_letters` letters does to the checksum; `check` is what that of some bytes is off by, and
/// linear but for a constant.
pub(super) fn effects_of<const N: usize>(
    n_letters: usize,
    check: impl Fn(&[u8; N]) -> u32,
) -> Effects {
    let constant = check(&[0; N]);
    let of_bit = |place: usize, bit: usize| {
        let position = place * 5 + (4 - bit);
        let mut bytes = [0; N];
        // The last letter has bits behind the last byte, which are never set.
        if let Some(byte) = bytes.get_mut(position / 8) {
            *byte = 1 << (7 - position % 8);
        }
        check(&bytes) ^ constant
    };
    (0..n_letters).map(|place| std::array::from_fn(|bit| of_bit(place, bit))).collect()
}

/// Every way in which a letter can become another.
fn changes() -> std::ops::RangeInclusive<u8> {
    1..=31
}

fn effect(effects: &Effects, place: usize, change: u8) -> u32 {
    let bits = effects.get(place).into_iter().flatten().enumerate();
    bits.filter(|(bit, _)| change >> bit & 1 == 1).fold(0, |sum, (_, effect)| sum ^ effect)
}
