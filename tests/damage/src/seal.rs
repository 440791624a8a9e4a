//! What closes a file: the footer with its checksum, taken off before an edit and put on again after it.

const FOOTER_MAGIC: [u8; 4] = [0xC0, 0x28, 0x93, 0xE8];
const FOOTER_BYTES: usize = 16;

/// How a file proves that it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// A codec footer: magic, algorithm, CRC-32 as eight bytes.
    Footer,
    /// The CRC-32 alone, as eight bytes.
    Checksum,
    /// Not at all.
    None,
}

impl Seal {
    /// The seal of a file.
    #[must_use]
    pub fn of(file: &[u8]) -> Self {
        let footer = file.len().checked_sub(FOOTER_BYTES).map(|at| &file[at..at + 4]);
        if footer == Some(&FOOTER_MAGIC) {
            return Self::Footer;
        }
        match file.split_last_chunk::<8>() {
            Some((body, checksum)) if u64::from_be_bytes(*checksum) == checksum_of(body) => {
                Self::Checksum
            }
            _ => Self::None,
        }
    }

    /// The file without its seal.
    #[must_use]
    pub fn open(self, file: &[u8]) -> &[u8] {
        &file[..file.len().saturating_sub(self.length())]
    }

    /// Puts the seal on, right for what the file holds now.
    pub fn close(self, data: &mut Vec<u8>) {
        match self {
            Self::None => return,
            Self::Checksum => {}
            Self::Footer => {
                data.extend(FOOTER_MAGIC);
                data.extend([0; 4]);
            }
        }
        let checksum = checksum_of(data);
        data.extend(checksum.to_be_bytes());
    }

    fn length(self) -> usize {
        match self {
            Self::Footer => FOOTER_BYTES,
            Self::Checksum => 8,
            Self::None => 0,
        }
    }
}

fn checksum_of(data: &[u8]) -> u64 {
    crc32fast::hash(data).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_sealed_again_as_it_was() {
        for seal in [Seal::Footer, Seal::Checksum, Seal::None] {
            let mut file = b"some file".to_vec();
            seal.close(&mut file);
            assert_eq!(Seal::of(&file), seal);
            assert_eq!(seal.open(&file), b"some file");
        }
        assert_eq!(Seal::of(b"short"), Seal::None);
    }
}
