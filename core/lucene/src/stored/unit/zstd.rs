//! zstd units: one frame, or a frame for each block, without and with a dictionary.

use zstd::stream::raw::{DParameter, InBuffer, OutBuffer};
use zstd::zstd_safe::{self, DCtx, ResetDirective, SafeResult};

use super::{Output, blocks, dict_layout, stream};
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
        blocks(count, block).try_for_each(|now| self.unit(cursor, now, output))
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
        self.unit(cursor, dictionary, output)?;
        // A copy is taken: the buffer behind it may move when the blocks are appended.
        let bytes = output.bytes().get(start..).unwrap_or_default();
        check(cursor, self.context.load_dictionary(bytes))?;
        let done = blocks(count.saturating_sub(dictionary), block)
            .try_for_each(|now| self.unit(cursor, now, output));
        check(cursor, self.context.load_dictionary(&[]))?;
        done
    }

    /// A unit of one frame: its length, then the frame, which must give `count` bytes exactly. No bytes need no frame.
    pub(super) fn unit(
        &mut self,
        cursor: &mut Cursor<'_>,
        count: usize,
        output: &mut Output,
    ) -> Result<()> {
        let Some(frame) = stream(cursor, count)? else { return Ok(()) };
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
