//! Veiled places: deterministic encryption, so equal cells or sites stay equal in the database and nothing else shows.
//!
//! Grouping, equality and joins work on veiled values. A dump still shows how often a value occurs, and whoever can
//! store a place of their choice can compare it with others; that is the price of filtering on it.
//!
//! # Source
//! AES-SIV: RFC 5297, here with a 512-bit key (`AEAD_AES_SIV_CMAC_512`), of which one half authenticates.

use aes_siv::KeyInit;
use aes_siv::siv::Aes256Siv;
use zeroize::Zeroizing;

use crate::seal::envelope::SealError;
use crate::seal::padding::{pad, unpad};

/// Size of the place key.
pub(super) const VEIL_KEY_BYTES: usize = 64;
/// Site ids are filled up to one length, or their length would name the register they come from.
const SITE_BLOCK_BYTES: usize = 64;
const CELL: &[u8] = b"sentinelle place cell v1";
const SITE: &[u8] = b"sentinelle place site v1";
/// Figures about two incidents are filled up to blocks of this.
const PAIR_BLOCK_BYTES: usize = 256;
const PAIR: &[u8] = b"sentinelle pair of incidents v1";

/// Veils H3 cells of resolution 7, site ids, and figures about two places, under the place key.
pub struct PlaceVeil {
    key: Zeroizing<[u8; VEIL_KEY_BYTES]>,
}

impl PlaceVeil {
    pub(super) fn new(key: Zeroizing<[u8; VEIL_KEY_BYTES]>) -> Self {
        Self { key }
    }

    /// Returns a cell veiled.
    ///
    /// # Shape
    /// 24 bytes, equal for equal cells, never equal to a veiled site.
    ///
    /// # Errors
    /// [`SealError::Damaged`] if the cipher refuses, which it does for no cell.
    pub fn veil_cell(&self, cell: u64) -> Result<Vec<u8>, SealError> {
        self.veil(CELL, &cell.to_be_bytes())
    }

    /// Returns the cell of a veiled one.
    ///
    /// # Errors
    /// [`SealError::Damaged`] when the bytes were changed, veiled under another key or are a site.
    pub fn unveil_cell(&self, veiled: &[u8]) -> Result<u64, SealError> {
        let bytes = self.unveil(CELL, veiled)?;
        match <[u8; 8]>::try_from(bytes.as_slice()) {
            Ok(bytes) => Ok(u64::from_be_bytes(bytes)),
            Err(_) => Err(SealError::Damaged),
        }
    }

    /// Returns a site id veiled.
    ///
    /// # Shape
    /// 80 bytes for ids up to 60 bytes, 64 more for each further block; equal for equal ids.
    ///
    /// # Errors
    /// [`SealError::TooLong`] above 4 GiB.
    pub fn veil_site(&self, site_id: &str) -> Result<Vec<u8>, SealError> {
        self.veil(SITE, &pad(site_id.as_bytes(), SITE_BLOCK_BYTES)?)
    }

    /// Returns the site id of a veiled one.
    ///
    /// # Errors
    /// [`SealError::Damaged`] when the bytes were changed, veiled under another key or are a cell.
    pub fn unveil_site(&self, veiled: &[u8]) -> Result<String, SealError> {
        let padded = self.unveil(SITE, veiled)?;
        match std::str::from_utf8(unpad(&padded)?) {
            Ok(site_id) => Ok(site_id.to_owned()),
            Err(_) => Err(SealError::Damaged),
        }
    }

    /// Returns figures about two incidents, such as how far apart they are, veiled and bound to their row ids.
    ///
    /// # Errors
    /// [`SealError::TooLong`] above 4 GiB.
    pub fn veil_pair(&self, pair: (i64, i64), figures: &[u8]) -> Result<Vec<u8>, SealError> {
        self.veil(&pair_label(pair), &pad(figures, PAIR_BLOCK_BYTES)?)
    }

    /// Returns the figures of veiled ones.
    ///
    /// # Errors
    /// [`SealError::Damaged`] when the bytes were changed or belong to another pair.
    pub fn unveil_pair(
        &self,
        pair: (i64, i64),
        veiled: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let padded = self.unveil(&pair_label(pair), veiled)?;
        Ok(Zeroizing::new(unpad(&padded)?.to_vec()))
    }

    fn veil(&self, label: &[u8], place: &[u8]) -> Result<Vec<u8>, SealError> {
        match Aes256Siv::new((&*self.key).into()).encrypt([label], place) {
            Ok(veiled) => Ok(veiled),
            Err(aes_siv::Error) => Err(SealError::Damaged),
        }
    }

    fn unveil(&self, label: &[u8], veiled: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        match Aes256Siv::new((&*self.key).into()).decrypt([label], veiled) {
            Ok(place) => Ok(Zeroizing::new(place)),
            Err(aes_siv::Error) => Err(SealError::Damaged),
        }
    }
}

fn pair_label((low, high): (i64, i64)) -> Vec<u8> {
    [PAIR, &low.to_be_bytes(), &high.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use crate::seal::veil::PlaceVeil;

    /// H3 cell of resolution 7 with an invented site.
    const CELL: u64 = 0x0872_8f2a_4eff_ffff;
    const SITE: &str = "ipis-cod-00123";

    fn veil() -> PlaceVeil {
        PlaceVeil::new(Zeroizing::new(std::array::from_fn(|nth| u8::try_from(nth).unwrap())))
    }

    fn bytes_of(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn veiled_places_agree_with_an_independent_implementation() {
        // Python `cryptography` 48 (OpenSSL), AESSIV with the same key, associated data and padding.
        let cell = "d8d7f7ebb00bcc51ef0ef521769975b6bd8373b530d742ac";
        let site = "2ed3fafb498f8386e0ff914bed23b19ecc06bd22a721dfdd34aaea334e82c359\
                    40171cddb686febe986d680d47571287c78d3315647cb0583f670909372b62b3\
                    ccdb79bf517b1892ad543689122f5dcc";

        assert_eq!(veil().veil_cell(CELL).unwrap(), bytes_of(cell));
        assert_eq!(veil().veil_site(SITE).unwrap(), bytes_of(site));
    }

    #[test]
    fn equal_places_veil_alike_and_open_again() {
        let veil = veil();

        let veiled_cell = veil.veil_cell(CELL).unwrap();
        let veiled_site = veil.veil_site(SITE).unwrap();

        assert_eq!(veiled_cell, veil.veil_cell(CELL).unwrap());
        assert_eq!(veil.unveil_cell(&veiled_cell).unwrap(), CELL);
        assert_eq!(veil.unveil_site(&veiled_site).unwrap(), SITE);
    }

    #[test]
    fn different_places_or_keys_veil_differently() {
        let other_key = PlaceVeil::new(Zeroizing::new([1; 64]));

        assert_ne!(veil().veil_cell(CELL).unwrap(), veil().veil_cell(CELL + 1).unwrap());
        assert_ne!(veil().veil_site("a").unwrap(), veil().veil_site("b").unwrap());
        assert_ne!(veil().veil_cell(CELL).unwrap(), other_key.veil_cell(CELL).unwrap());
        assert!(other_key.unveil_cell(&veil().veil_cell(CELL).unwrap()).is_err());
    }

    #[test]
    fn a_cell_never_passes_for_a_site_nor_a_site_for_a_cell() {
        let veil = veil();

        assert!(veil.unveil_site(&veil.veil_cell(CELL).unwrap()).is_err());
        assert!(veil.unveil_cell(&veil.veil_site(SITE).unwrap()).is_err());
    }

    #[test]
    fn figures_of_a_pair_open_for_that_pair_alone() {
        let veiled = veil().veil_pair((3, 9), b"200 m").unwrap();

        assert_eq!(veil().unveil_pair((3, 9), &veiled).unwrap().as_slice(), b"200 m");
        assert!(veil().unveil_pair((3, 10), &veiled).is_err());
        assert_eq!(veiled.len(), veil().veil_pair((3, 9), b"").unwrap().len());
    }

    #[test]
    fn site_ids_of_different_length_veil_to_one_length() {
        assert_eq!(
            veil().veil_site("a").unwrap().len(),
            veil().veil_site(&"a".repeat(60)).unwrap().len()
        );
    }

    #[test]
    fn one_flipped_bit_of_a_veiled_place_is_noticed() {
        let veiled = veil().veil_cell(CELL).unwrap();

        for bit in 0..veiled.len() * 8 {
            let mut changed = veiled.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(veil().unveil_cell(&changed).is_err(), "bit {bit}");
        }
    }
}
