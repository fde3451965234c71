//! Patterns of `LIKE`: `%` is any text, `_` any letter, a backslash takes the next one as it stands.

/// A pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Piece {
    AnyText,
    AnyLetter,
    Letter(char),
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Self {
        let mut letters = text.chars();
        let mut pieces = Vec::new();
        while let Some(letter) = letters.next() {
            pieces.push(match letter {
                '%' => Piece::AnyText,
                '_' => Piece::AnyLetter,
                '\\' => Piece::Letter(letters.next().unwrap_or('\\')),
                _ => Piece::Letter(letter),
            });
        }
        pieces.dedup_by(|next, before| *next == Piece::AnyText && *before == Piece::AnyText);
        Self(pieces)
    }

    /// Tells whether all of `text` is like it, in time of its length times that of the pattern at most.
    pub fn fits(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut piece, mut letter) = (0, 0);
        // Where to go on when the letters behind the last `%` do not fit.
        let mut retry: Option<(usize, usize)> = None;
        while let Some(found) = text.get(letter) {
            let is_fit = match self.0.get(piece) {
                Some(Piece::AnyText) => {
                    piece += 1;
                    retry = Some((piece, letter));
                    continue;
                }
                Some(Piece::AnyLetter) => true,
                Some(Piece::Letter(wanted)) => wanted == found,
                None => false,
            };
            if is_fit {
                (piece, letter) = (piece + 1, letter + 1);
            } else if let Some((behind, from)) = retry {
                (piece, letter) = (behind, from + 1);
                retry = Some((behind, from + 1));
            } else {
                return false;
            }
        }
        self.0.get(piece..).unwrap_or_default().iter().all(|piece| *piece == Piece::AnyText)
    }
}
