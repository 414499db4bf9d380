//! Tests of the whole guest.
