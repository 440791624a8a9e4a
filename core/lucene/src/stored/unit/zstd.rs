//! zstd units: one frame.

use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::Output;
use crate::Result;
use crate::cursor::Cursor;
use crate::limits::{ZSTD_STEP_BYTES, ZSTD_WINDOW_LOG};

/// A zstd decoder that is used again and again.
pub(super) struct Unzstd {
    decoder: Decoder<'static>,
}

impl Unzstd {
    pub(super) fn new(cursor: &Cursor<'_>) -> Result<Self> {
        let mut decoder = Decoder::new().map_err(|error| cursor.corrupt(error.to_string()))?;
        decoder
            .set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG))
            .map_err(|error| cursor.corrupt(error.to_string()))?;
        Ok(Self { decoder })
    }

    /// A unit: length of the frame, then the frame, which must give `count` bytes exactly.
    pub(super) fn unit(
        &mut self,
        cursor: &mut Cursor<'_>,
        count: usize,
        output: &mut Output,
    ) -> Result<()> {
        let compressed = cursor.vint()? as usize;
        let frame = cursor.bytes(compressed)?;
        if compressed == 0 && count == 0 {
            return Ok(());
        }
        let corrupt = |error: std::io::Error| cursor.corrupt(format!("zstd: {error}"));
        self.decoder.reinit().map_err(corrupt)?;
        let mut input = InBuffer::around(frame);
        let mut left = count;
        loop {
            // Room is made step by step: a small frame may claim any length, but must then produce it.
            let room = left.min(ZSTD_STEP_BYTES);
            let mut hint = 0;
            let mut written = 0;
            output.append(room, (0, 0), |_, out| {
                let mut target = OutBuffer::around(out);
                hint = self.decoder.run(&mut input, &mut target).map_err(corrupt)?;
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
