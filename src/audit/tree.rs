//! The Merkle tree of a log, kept as the roots of its full subtrees: appending costs two hashes on average, and 64 roots
//! stand for more entries than there will ever be.
//!
//! # Source
//! RFC 9162, section 2.1.1: a leaf is SHA-256(0x00 ‖ content), a node SHA-256(0x01 ‖ left ‖ right).

use sha2::{Digest, Sha256};

/// A SHA-256 value.
pub type Hash = [u8; HASH_BYTES];

/// Length of a `Hash`.
pub const HASH_BYTES: usize = 32;

const LEAF: [u8; 1] = [0];
const NODE: [u8; 1] = [1];

/// Returns the hash of a leaf with this content.
pub fn leaf_hash(content: &[u8]) -> Hash {
    Sha256::new().chain_update(LEAF).chain_update(content).finalize().into()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update(NODE).chain_update(left).chain_update(right).finalize().into()
}

/// What must be known of the entries so far to append one and to tell the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peaks {
    size: u64,
    /// Roots of the full subtrees, the largest first: one for each bit that is set in `size`.
    peaks: Vec<Hash>,
}

impl Peaks {
    /// Returns the peaks of a tree of `size` leaves from what [`Peaks::to_bytes`] gave; `None` where they do not fit.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (peaks, rest) = bytes.as_chunks::<HASH_BYTES>();
        let fits = rest.is_empty() && u32::try_from(peaks.len()) == Ok(size.count_ones());
        fits.then(|| Self { size, peaks: peaks.to_vec() })
    }

    /// Returns the peaks, one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Returns the number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let n_joined = self.size.trailing_ones();
        let mut peak = leaf;
        for _ in 0..n_joined {
            let Some(left) = self.peaks.pop() else { break };
            peak = node_hash(&left, &peak);
        }
        self.peaks.push(peak);
        self.size += 1;
    }

    /// Returns the root of the tree; that of an empty one is the hash of nothing.
    pub fn root(&self) -> Hash {
        let joined =
            self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        joined.unwrap_or_else(|| Sha256::digest([]).into())
    }
}

#[cfg(test)]
mod tests {
    use base16ct::lower;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;
    use sha2::Sha256;

    use crate::audit::tree::{Peaks, leaf_hash};

    /// The leaves and roots of the reference implementation's tests.
    ///
    /// # Source
    /// `google/certificate-transparency`, `cpp/merkletree/merkle_tree_test.cc`; repeated in `transparency-dev/merkle`.
    #[test]
    fn roots_are_those_of_the_certificate_transparency_test_vectors() {
        let leaves: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Peaks::default();
        assert_eq!(
            lower::encode_string(&tree.root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );

        for (leaf, root) in leaves.into_iter().zip(roots) {
            tree.push(leaf_hash(leaf));

            assert_eq!(lower::encode_string(&tree.root()), root, "{} leaves", tree.size());
        }
    }

    proptest! {
        #[test]
        fn roots_are_those_of_ct_merkle(leaves in prop::collection::vec(any::<Vec<u8>>(), 0..200)) {
            let mut theirs = MemoryBackedTree::<Sha256, Vec<u8>>::new();
            let mut ours = Peaks::default();
            for leaf in leaves {
                ours.push(leaf_hash(&leaf));
                theirs.push(leaf);
            }

            let root = theirs.root();
            prop_assert_eq!(&ours.root()[..], root.as_bytes().as_slice());
        }

        #[test]
        fn peaks_are_read_back_and_others_refused(n in 0_u64..300) {
            let mut tree = Peaks::default();
            (0..n).for_each(|i| tree.push(leaf_hash(&i.to_be_bytes())));

            let read = Peaks::from_bytes(n, &tree.to_bytes());

            prop_assert_eq!(read, Some(tree.clone()));
            prop_assert_eq!(Peaks::from_bytes(n * 2 + 1, &tree.to_bytes()), None);
            prop_assert_eq!(Peaks::from_bytes(n, &[tree.to_bytes(), vec![0]].concat()), None);
        }
    }
}
