//! The edit language: bytes that say how to change other bytes.
//!
//! Any bytes are a program, so that whatever makes random bytes can write one, and a program stays one when a byte of it is
//! lost. What is read past its end is zero.

/// Most edits of one program: files that are changed in many places are refused at the first of them.
const MOST_EDITS: u8 = 4;

/// Numbers at the edge of what fits, or just past it.
const EXTREMES: [u64; 16] = [
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFF_FF7F,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    0xFFFF_FFFE,
    0x7FFF_FFFF_FFFF_FFFF,
    0x8000_0000_0000_0000,
    u64::MAX,
    1 << 32,
];

/// A program that is being read.
#[derive(Clone, Debug)]
pub struct Program<'a> {
    rest: &'a [u8],
}

impl<'a> Program<'a> {
    /// The program that these bytes are.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => 0,
        }
    }

    /// The next two bytes as a number.
    pub fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// The bytes that were not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// A number below `end`; 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.short()).checked_rem(end).unwrap_or(0)
    }

    /// One of `things`.
    ///
    /// # Panics
    /// When there is none.
    pub fn choose<'t, T>(&mut self, things: &'t [T]) -> &'t T {
        assert!(!things.is_empty(), "nothing to choose from");
        &things[self.below(things.len())]
    }

    /// Changes `data` in one to four places.
    pub fn edit(&mut self, data: &mut Vec<u8>) {
        for _ in 0..=self.byte() % MOST_EDITS {
            self.edit_once(data);
        }
    }

    fn edit_once(&mut self, data: &mut Vec<u8>) {
        let kind = self.byte() % 12;
        let at = self.place(data.len());
        match kind {
            0..=2 => self.flip(data, at),
            3 => {
                let value = [0, 1, 0x7F, 0x80, 0xFE, 0xFF][usize::from(self.byte() % 6)];
                overwrite(data, at, &[value]);
            }
            4 | 5 => {
                let width = [2, 4, 4, 8][usize::from(self.byte() % 4)];
                let number = self.number(data.len());
                overwrite(data, at, &fixed(number, width, self.byte().is_multiple_of(2)));
            }
            6 => {
                let number = variable(self.number(data.len()));
                overwrite(data, at, &number);
            }
            7 => {
                // A number of seven-bit groups grows in its place, as an editor of the format would have it.
                let number = variable(self.number(data.len()));
                let old = data[at..].iter().take(9).take_while(|byte| **byte >= 0x80).count() + 1;
                data.splice(at..(at + old).min(data.len()), number);
            }
            8 => {
                let byte = self.byte();
                if let Some(old) = data.get_mut(at) {
                    *old = old.wrapping_add(byte % 16).wrapping_sub(8);
                }
            }
            9 => {
                let end = (at + 1 + self.below(64)).min(data.len());
                data.drain(at..end.max(at));
            }
            10 => self.insert(data, at),
            _ => data.truncate(at),
        }
    }

    /// A place in data of this length, its beginning and end more often than others.
    fn place(&mut self, length: usize) -> usize {
        let place = self.short();
        let near = usize::from(place % 64).min(length);
        match place >> 14 {
            0 => near,
            1 => length - near,
            _ => usize::from(self.short()).checked_rem(length).unwrap_or(0),
        }
    }

    fn flip(&mut self, data: &mut [u8], at: usize) {
        let bit = self.byte() % 8;
        if let Some(byte) = data.get_mut(at) {
            *byte ^= 1 << bit;
        }
    }

    fn insert(&mut self, data: &mut Vec<u8>, at: usize) {
        let count = 1 + self.below(64);
        let piece: Vec<u8> = if self.byte().is_multiple_of(2) {
            (0..count).map(|_| self.byte()).collect()
        } else {
            let from = self.place(data.len());
            data[from..(from + count).min(data.len())].to_vec()
        };
        data.splice(at..at, piece);
    }

    /// An extreme number, or one near the length of the data.
    fn number(&mut self, length: usize) -> u64 {
        let choice = self.byte();
        match choice % 4 {
            0 => (length as u64).wrapping_add(u64::from(self.byte() % 8)).wrapping_sub(4),
            1 => 1 << (choice >> 2),
            _ => EXTREMES[usize::from(choice >> 4)],
        }
    }
}

/// Writes `bytes` over those at `at`, as far as there are any.
fn overwrite(data: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, from) in data.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

fn fixed(number: u64, width: usize, big_endian: bool) -> Vec<u8> {
    match big_endian {
        true => number.to_be_bytes()[8 - width..].to_vec(),
        false => number.to_le_bytes()[..width].to_vec(),
    }
}

/// A number in groups of seven bits, low group first.
fn variable(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_are_a_program_for_any_data() {
        for length in [0, 1, 3, 200] {
            for seed in 0..4000_u32 {
                let mixed = seed.wrapping_mul(0x9E37_79B9);
                let bytes: Vec<u8> =
                    (0..24).map(|i| (mixed.rotate_left(i * 5) >> 3).to_le_bytes()[0]).collect();
                let mut data = vec![7; length];
                Program::new(&bytes).edit(&mut data);
                assert!(data.len() <= length + 4 * 64);
            }
        }
        let mut data = vec![1, 2, 3];
        Program::new(&[]).edit(&mut data);
        assert_eq!(data, [0, 2, 3], "what is missing of a program is zero: flip the first bit");
    }

    #[test]
    fn numbers_are_written_as_files_have_them() {
        assert_eq!(fixed(0x0102, 4, true), [0, 0, 1, 2]);
        assert_eq!(fixed(0x0102, 2, false), [2, 1]);
        assert_eq!(variable(300), [0xAC, 0x02]);
    }
}
