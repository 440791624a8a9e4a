//! zstd units: one frame, or a frame for each block, without and with a dictionary.

use zstd::stream::raw::{DParameter, InBuffer, OutBuffer};
use zstd::zstd_safe::{self, DCtx, ResetDirective, SafeResult};

use super::{Output, dict_layout};
use crate::Result;
use crate::cursor::Cursor;
use crate::limits::{ZSTD_STEP_BYTES, ZSTD_WINDOW_LOG};

/// A zstd decoder that is used again and again.
pub(super) struct Unzstd {
    context: DCtx<'static>,
}

impl Unzstd {
    pub(super) fn new(cursor: &Cursor<'_>) -> Result<Self> {
        let Some(mut context) = DCtx::try_create() else {
            return Err(cursor.corrupt("zstd: no memory for a decoder"));
        };
        check(cursor, context.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)))?;
        Ok(Self { context })
    }

    /// A unit of one frame.
    pub(super) fn unit(
        &mut self,
        cursor: &mut Cursor<'_>,
        count: usize,
        output: &mut Output,
    ) -> Result<()> {
        self.frame(cursor, count, output)
    }

    /// A unit of blocks, each a frame.
    pub(super) fn blocks_unit(
        &mut self,
        cursor: &mut Cursor<'_>,
        count: usize,
        output: &mut Output,
    ) -> Result<()> {
        let block = cursor.vint()? as usize;
        if block == 0 && count > 0 {
            return Err(cursor.corrupt(format!("blocks of no length for {count} bytes")));
        }
        self.blocks(cursor, (count, block), output)
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
        self.frame(cursor, dictionary, output)?;
        // A copy is taken: the buffer behind it may move when the blocks are appended.
        let bytes = output.bytes().get(start..).unwrap_or_default();
        check(cursor, self.context.load_dictionary(bytes))?;
        let done = self.blocks(cursor, (count.saturating_sub(dictionary), block), output);
        check(cursor, self.context.load_dictionary(&[]))?;
        done
    }

    fn blocks(
        &mut self,
        cursor: &mut Cursor<'_>,
        (count, block): (usize, usize),
        output: &mut Output,
    ) -> Result<()> {
        let mut left = count;
        while left > 0 {
            let now = left.min(block);
            left = left.saturating_sub(now);
            self.frame(cursor, now, output)?;
        }
        Ok(())
    }

    /// Length of a frame, then the frame, which must give `count` bytes exactly. No bytes need no frame.
    fn frame(&mut self, cursor: &mut Cursor<'_>, count: usize, output: &mut Output) -> Result<()> {
        let compressed = cursor.vint()? as usize;
        let frame = cursor.bytes(compressed)?;
        if compressed == 0 && count == 0 {
            return Ok(());
        }
        check(cursor, self.context.reset(ResetDirective::SessionOnly))?;
        let mut input = InBuffer::around(frame);
        let mut left = count;
        loop {
            // Room is made step by step: a small frame may claim any length, but must then produce it.
            let room = left.min(ZSTD_STEP_BYTES);
            let mut hint = 0;
            let mut written = 0;
            output.append(room, (0, 0), |_, out| {
                let mut target = OutBuffer::around(out);
                hint = check(cursor, self.context.decompress_stream(&mut target, &mut input))?;
                written = target.pos();
                Ok(())
            })?;
            left = left.saturating_sub(written);
            let ended = hint == 0;
            if ended && left == 0 && input.pos() == frame.len() {
                return Ok(());
            }
            if ended || written < room || room == 0 {
                let what = format!("the zstd frame is not {count} bytes long");
                return Err(cursor.corrupt(what));
            }
        }
    }
}

fn check(cursor: &Cursor<'_>, result: SafeResult) -> Result<usize> {
    result.map_err(|code| cursor.corrupt(format!("zstd: {}", zstd_safe::get_error_name(code))))
}
