//! Where a BAR is: a PCI function as lspci writes it, and the BAR's number.

use core::fmt;
use core::str::FromStr;

/// BARs of a PCI function.
pub(super) const BARS: usize = 6;

/// `[DOMAIN:]BUS:DEVICE.FUNCTION[:BAR]`: `0000:00:04.0:2`, `00:04.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
    /// The BAR, if one was named.
    pub bar: Option<usize>,
}

impl Location {
    /// The function as sysfs names it: `0000:00:04.0`.
    pub fn function(&self) -> String {
        let Self { domain, bus, device, function, .. } = self;
        format!("{domain:04x}:{bus:02x}:{device:02x}.{function}")
    }
}

/// No location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLocation;

impl fmt::Display for BadLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "write a PCI function as lspci -D does, and its BAR if you like: 0000:00:04.0 or 0000:00:04.0:2",
        )
    }
}

impl core::error::Error for BadLocation {}

fn hex(digits: &str, most: u32) -> Option<u32> {
    // Only digits: from_str_radix would take a sign too.
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(digits, 16).ok())?.filter(|number| *number <= most)
}

fn parse(text: &str) -> Option<Location> {
    let (slot, rest) = text.split_once('.')?;
    let (function, bar) = match rest.split_once(':') {
        Some((function, bar)) => (function, Some(bar)),
        None => (rest, None),
    };
    let mut slot = slot.rsplit(':');
    let device = hex(slot.next()?, 0x1f)? as u8;
    let bus = hex(slot.next()?, 0xff)? as u8;
    // Some bridges (VMD) have domains above 16 bits.
    let domain = slot.next().map_or(Some(0), |domain| hex(domain, u32::MAX))?;
    let bar = match bar {
        Some(bar) => Some(hex(bar, BARS as u32 - 1)? as usize),
        None => None,
    };
    let function = hex(function, 7)? as u8;
    slot.next().is_none().then_some(Location { domain, bus, device, function, bar })
}

impl FromStr for Location {
    type Err = BadLocation;

    fn from_str(text: &str) -> Result<Self, BadLocation> {
        parse(text).ok_or(BadLocation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_written_as_lspci_does() {
        let read = |text: &str| text.parse::<Location>().map(|found| (found.function(), found.bar));
        assert_eq!(read("0000:00:04.0:2"), Ok(("0000:00:04.0".into(), Some(2))));
        assert_eq!(read("00:04.0"), Ok(("0000:00:04.0".into(), None)));
        assert_eq!(read("3A:1f.7:5"), Ok(("0000:3a:1f.7".into(), Some(5))));
        assert_eq!(read("10000:e1:00.0"), Ok(("10000:e1:00.0".into(), None)));
        for bad in
            ["", "04.0", "00:04", "00:20.0", "00:04.8", "00:04.0:6", "00:04.0:", "+0:04.0", "0:0:0:04.0"]
        {
            assert_eq!(read(bad), Err(BadLocation), "{bad}");
        }
    }
}
