//! DEFLATE units, without and with a dictionary.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Output, blocks, check_ratio, dict_layout, stream};
use crate::Result;
use crate::cursor::Cursor;
use crate::limits::DEFLATE_RATIO;

/// A raw inflater that is used again and again.
pub(super) struct Inflater {
    inflate: Decompress,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self { inflate: Decompress::new(false) }
    }

    /// A unit without dictionary.
    pub(super) fn unit(
        &mut self,
        cursor: &mut Cursor<'_>,
        count: usize,
        output: &mut Output,
    ) -> Result<()> {
        self.append(cursor, count, (0, 0), output)
    }

    /// A unit with dictionary: the dictionary is the unit's beginning, each block builds on it alone.
    pub(super) fn dict_unit(
        &mut self,
        cursor: &mut Cursor<'_>,
        count: usize,
        output: &mut Output,
    ) -> Result<()> {
        let (dictionary, block) = dict_layout(cursor, count)?;
        let start = output.len();
        self.append(cursor, dictionary, (start, 0), output)?;
        for now in blocks(count.saturating_sub(dictionary), block) {
            self.append(cursor, now, (start, dictionary), output)?;
        }
        Ok(())
    }

    /// Inflates one stream, length first, that gives `count` bytes.
    fn append(
        &mut self,
        cursor: &mut Cursor<'_>,
        count: usize,
        dictionary: (usize, usize),
        output: &mut Output,
    ) -> Result<()> {
        let Some(input) = stream(cursor, count)? else { return Ok(()) };
        check_ratio(cursor, count, input.len(), DEFLATE_RATIO)?;
        output.append(count, dictionary, |dictionary, out| {
            self.inflate(input, dictionary, out).map_err(|what| cursor.corrupt(what))
        })
    }

    fn inflate(
        &mut self,
        input: &[u8],
        dictionary: &[u8],
        out: &mut [u8],
    ) -> std::result::Result<(), String> {
        self.inflate.reset(false);
        if !dictionary.is_empty() {
            self.inflate.set_dictionary(dictionary).map_err(|error| format!("DEFLATE: {error}"))?;
        }
        let status = self
            .inflate
            .decompress(input, out, FlushDecompress::Finish)
            .map_err(|error| format!("DEFLATE: {error}"))?;
        let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
        if status != Status::StreamEnd || read != input.len() as u64 || written != out.len() as u64
        {
            return Err(format!(
                "DEFLATE took {read} of {} bytes and gave {written} of {}",
                input.len(),
                out.len()
            ));
        }
        Ok(())
    }
}
