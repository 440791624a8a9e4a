//! snapfill
