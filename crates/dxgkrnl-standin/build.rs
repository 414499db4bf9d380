//! Applies the link settings of a kernel-mode binary when the driver is built for Windows.

#[cfg(feature = "kernel")]
fn main() -> Result<(), wdk_build::ConfigError> {
    wdk_build::configure_wdk_binary_build()
}

#[cfg(not(feature = "kernel"))]
fn main() {}
