//! Reads the stored documents of Lucene indices: bytes in, documents out.
