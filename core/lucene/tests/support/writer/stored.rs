//! Stored fields: the `.fdt` and its chunk index.

use super::codec::{footer, header, header_without_id, vint};
use super::numbers::{monotonic, monotonic_big_endian, pack, packed, stored_fields_ints};
use super::{Document, File, Index, Mode, Unit, units};

/// Chunks a block of the old chunk index holds here; Lucene's have 1 024.
const INDEX_BLOCK: usize = 16;

impl Mode {
    fn codec(self) -> (&'static str, u32) {
        match self {
            Self::Fast => ("Lucene90StoredFieldsFastData", 1),
            Self::High => ("Lucene90StoredFieldsHighData", 1),
            Self::Zstd => ("ZstdStoredFields814", 1),
            Self::ZstdDict => ("CustomStoredFieldsZstd", 1),
            Self::ZstdBlocks => ("CustomStoredFieldsZstdNoDict", 1),
            Self::Lucene86 => ("Lucene50StoredFieldsFastData", 2),
            Self::Lucene86High => ("Lucene50StoredFieldsHighData", 2),
            Self::Lucene50(version) => ("Lucene50StoredFieldsFastData", version),
            Self::Lucene50High(version) => ("Lucene50StoredFieldsHighData", version),
            Self::Lucene41(release) => ("Lucene41StoredFieldsData", release.fdt),
        }
    }

    /// Whether chunk headers have packed integers.
    fn is_packed(self) -> bool {
        !matches!(self, Self::Fast | Self::High | Self::Zstd | Self::ZstdDict | Self::ZstdBlocks)
    }

    fn is_lucene_86(self) -> bool {
        matches!(self, Self::Lucene86 | Self::Lucene86High)
    }

    /// Whether the chunk index has blocks.
    fn has_blocks(self) -> bool {
        self.is_packed() && !self.is_lucene_86()
    }

    fn header(self, codec: &str) -> Vec<u8> {
        match self {
            Self::Lucene41(release) => header_without_id(codec, release.fdt),
            _ => header(codec, self.codec().1, ""),
        }
    }

    fn footer(self, data: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Lucene41(release) if release.fdt < 2 => data,
            _ => footer(data),
        }
    }
}

impl Index {
    pub(super) fn stored_fields(&self, documents: &[Document], units: &mut Vec<Unit>) -> Vec<File> {
        let (name, version) = self.mode.codec();
        let mut fdt = self.mode.header(name);
        if self.mode.is_packed() {
            if !name.starts_with("Lucene41") || version >= 1 {
                vint(&mut fdt, self.chunk_size as u64);
            }
            vint(&mut fdt, 2); // version of packed integers
        }
        let (mut docs, mut pointers) = (Vec::new(), Vec::new());
        let (mut chunk, mut fields, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for (doc, document) in documents.iter().enumerate() {
            let before = chunk.len();
            fields.push(match document {
                Some((id, source)) => self.document(&mut chunk, id, source),
                None => 0,
            });
            lengths.push((chunk.len() - before) as u32);
            let last = doc + 1 == documents.len();
            if chunk.len() >= self.chunk_size || lengths.len() >= self.chunk_docs || last {
                docs.push((doc + 1 - lengths.len()) as u64);
                pointers.push(fdt.len() as u64);
                let numbers = [&fields[..], &lengths[..]];
                self.chunk(&mut fdt, *docs.last().unwrap(), &chunk, numbers, units);
                chunk.clear();
                fields.clear();
                lengths.clear();
            }
        }
        docs.push(documents.len() as u64);
        pointers.push(fdt.len() as u64);
        if name.starts_with("Lucene50") && version >= 1 {
            vint(&mut fdt, docs.len() as u64 - 1);
            vint(&mut fdt, 1);
        }
        let mut files = vec![("_0.fdt".into(), self.mode.footer(fdt))];
        if self.mode.has_blocks() {
            files.push(("_0.fdx".into(), self.mode.footer(self.blocks(&docs, &pointers))));
        } else {
            let (fdm, fdx) = self.index(documents.len(), &docs, &pointers);
            files.push(("_0.fdm".into(), footer(fdm)));
            files.push(("_0.fdx".into(), footer(fdx)));
        }
        files
    }

    /// Writes the fields of a document; gives their number.
    fn document(&self, out: &mut Vec<u8>, id: &str, source: &[u8]) -> u32 {
        if let Mode::Lucene41(_) = self.mode {
            let uid = format!("doc#{id}");
            vint(out, 0); // field 0, text
            vint(out, uid.len() as u64);
            out.extend(uid.as_bytes());
            for (kind, width) in [(2, 4), (3, 4), (4, 8), (5, 8)] {
                vint(out, 2 << 3 | kind);
                out.extend(vec![0xA5; width]);
            }
        } else {
            vint(out, 1); // field 0, bytes
            vint(out, id.len() as u64 + 1);
            out.push(0xFF);
            out.extend(id.as_bytes());
        }
        vint(out, 1 << 3 | 1); // field 1, bytes
        vint(out, source.len() as u64);
        out.extend(source);
        if let Mode::Lucene41(_) = self.mode { 6 } else { 2 }
    }

    fn chunk(
        &self,
        out: &mut Vec<u8>,
        first: u64,
        chunk: &[u8],
        [fields, lengths]: [&[u32]; 2],
        units: &mut Vec<Unit>,
    ) {
        let sliceable = self.mode.codec() != ("Lucene41StoredFieldsData", 0);
        let sliced = sliceable && chunk.len() >= 2 * self.chunk_size;
        vint(out, first);
        let docs = fields.len() as u64;
        vint(
            out,
            match self.mode {
                Mode::Lucene41(_) => docs,
                mode if mode.is_packed() => docs << 1 | u64::from(sliced),
                _ => docs << 2 | u64::from(sliced),
            },
        );
        if fields.len() == 1 {
            vint(out, fields[0].into());
            vint(out, lengths[0].into());
        } else {
            let numbers = if self.mode.is_packed() { packed } else { stored_fields_ints };
            numbers(out, fields);
            numbers(out, lengths);
        }
        let slice = if sliced { self.chunk_size } else { chunk.len().max(1) };
        let mut parts: Vec<&[u8]> = chunk.chunks(slice).collect();
        // Whatever is compressed as a block of LZ4 has one token at least.
        if parts.is_empty() && matches!(self.mode, Mode::Lucene41(_)) {
            out.push(0);
        }
        for part in parts.drain(..) {
            let unit = units::compress(self.mode, part);
            units::write(out, self.mode, &unit);
            units.push(unit);
        }
    }

    /// Writes the chunk index of Lucene 8.5 and later, without footers.
    pub fn index(&self, max_doc: usize, docs: &[u64], pointers: &[u64]) -> (Vec<u8>, Vec<u8>) {
        let old = self.mode.is_lucene_86();
        let codec = if old { "Lucene85FieldsIndex" } else { "Lucene90FieldsIndex" };
        let mut fdx = header(&format!("{codec}Idx"), 0, "");
        let mut fdm = header(&format!("{codec}Meta"), u32::from(!old), "");
        let int = |n: usize| if old { (n as u32).to_be_bytes() } else { (n as u32).to_le_bytes() };
        let long = |n: usize| if old { (n as u64).to_be_bytes() } else { (n as u64).to_le_bytes() };
        let array = if old { monotonic_big_endian } else { monotonic };
        if !old {
            vint(&mut fdm, self.chunk_size as u64);
        }
        for number in [max_doc, self.shift as usize, docs.len()] {
            fdm.extend(int(number));
        }
        fdm.extend(long(fdx.len()));
        array(&mut fdm, &mut fdx, docs, self.shift);
        fdm.extend(long(fdx.len()));
        array(&mut fdm, &mut fdx, pointers, self.shift);
        fdm.extend(long(fdx.len()));
        fdm.extend(long(*pointers.last().unwrap() as usize));
        if !old {
            vint(&mut fdm, docs.len() as u64 - 1);
            vint(&mut fdm, 0);
            vint(&mut fdm, 0);
        }
        (fdm, fdx)
    }

    /// Writes the chunk index of Lucene 4.1 to 8.4, without footer.
    fn blocks(&self, docs: &[u64], pointers: &[u64]) -> Vec<u8> {
        let (name, version) = self.mode.codec();
        let mut fdx = self.mode.header(&name.replace("Data", "Index"));
        vint(&mut fdx, 2); // version of packed integers
        let chunks = docs.len() - 1;
        for first in (0..chunks).step_by(INDEX_BLOCK) {
            let block = first..(first + INDEX_BLOCK).min(chunks);
            vint(&mut fdx, block.len() as u64);
            series(&mut fdx, &docs[block.clone()]);
            series(&mut fdx, &pointers[block]);
        }
        vint(&mut fdx, 0);
        if !name.starts_with("Lucene41") || version >= 2 {
            vint(&mut fdx, *pointers.last().unwrap());
        }
        fdx
    }
}

/// A first number, an average step, and zig-zag differences from that line.
fn series(out: &mut Vec<u8>, values: &[u64]) {
    let average = (values[values.len() - 1] - values[0]) / (values.len() as u64 - 1).max(1);
    vint(out, values[0]);
    vint(out, average);
    let line = |index: usize| values[0] + average * index as u64;
    let zigzag = |(index, value): (usize, &u64)| {
        let difference = *value as i64 - line(index) as i64;
        (difference << 1 ^ difference >> 63) as u64
    };
    let differences: Vec<u64> = values.iter().enumerate().map(zigzag).collect();
    let bits = 64 - differences.iter().max().unwrap().leading_zeros();
    vint(out, bits.into());
    out.extend(pack(&differences, bits));
}
