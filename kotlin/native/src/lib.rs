//! The facade as a library that a JVM or a Swift program loads. It adds nothing to it.

snapfill_ffi::uniffi_reexport_scaffolding!();
