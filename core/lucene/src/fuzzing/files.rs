//! The files of an index, one target each; stored fields, one target for each way of compressing them.

use snapfill_damage::{Program, Trial};

use super::samples::{Sample, samples};
use super::{EXECUTIONS, MEMORY, PROGRAM_BYTES};

/// The files a target damages.
struct Target {
    trial: Trial,
    samples: Vec<&'static Sample>,
}

impl Target {
    fn of(wanted: impl Fn(&Sample) -> bool) -> Self {
        let samples: Vec<_> = samples().iter().filter(|sample| wanted(sample)).collect();
        assert!(!samples.is_empty(), "no committed shard has such a file");
        Self { trial: Trial::bounded(MEMORY), samples }
    }

    fn run(&self, program: &[u8]) {
        let mut program = Program::new(program);
        let sample = *program.choose(&self.samples);
        self.trial.run(|| sample.read_damaged(&mut program));
    }
}

macro_rules! targets {
    ($($name:ident: $wanted:expr;)*) => {$(
        #[test]
        fn $name() {
            let target = Target::of($wanted);
            bolero::check!()
                .with_iterations(EXECUTIONS)
                .with_max_len(PROGRAM_BYTES)
                .for_each(|program: &[u8]| target.run(program));
        }
    )*};
}

fn ends_with(ending: &'static str) -> impl Fn(&Sample) -> bool {
    move |sample| sample.file.ends_with(ending)
}

/// Stored fields in one of these formats.
fn stored(formats: &'static [&'static str]) -> impl Fn(&Sample) -> bool {
    move |sample| sample.file.ends_with(".fdt") && formats.contains(&sample.stored_format)
}

targets! {
    fuzz_segments: |sample| sample.file.starts_with("segments_");
    fuzz_segment_info: ends_with(".si");
    fuzz_compound_entries: ends_with(".cfe");
    fuzz_field_infos: ends_with(".fnm");
    fuzz_live_docs: |sample| [".liv", ".del"].iter().any(|ending| sample.file.ends_with(ending));
    fuzz_doc_values_meta: ends_with(".dvm");
    fuzz_doc_values: ends_with(".dvd");
    fuzz_chunk_index_meta: ends_with(".fdm");
    fuzz_chunk_index: ends_with(".fdx");
    fuzz_stored_lz4: stored(&["Lucene41StoredFieldsData", "Lucene50StoredFieldsFastData"]);
    fuzz_stored_deflate: stored(&["Lucene50StoredFieldsHighData"]);
    fuzz_stored_lz4_dictionary:
        stored(&["Lucene87StoredFieldsFastData", "Lucene90StoredFieldsFastData"]);
    fuzz_stored_deflate_dictionary:
        stored(&["Lucene87StoredFieldsHighData", "Lucene90StoredFieldsHighData"]);
    fuzz_stored_zstd: stored(&[
        "ZstdStoredFields814",
        "CustomStoredFieldsZstd",
        "CustomStoredFieldsZstdNoDict",
    ]);
}
