//! Stands in for the crate `windows-future`, which does not compile on Linux and of which wdk-build needs nothing.
#![no_std]
