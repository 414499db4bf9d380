//! The file `resource` of a PCI device: a line a resource, with its first and last address and its flags.

use super::Problem;
use super::location::{BARS, Location};

/// Flags of linux/ioport.h.
const MEMORY: u64 = 0x200;
const PREFETCHABLE: u64 = 0x2000;
/// The BAR was given no address.
const UNSET: u64 = 0x2000_0000;

/// A memory BAR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) start: u64,
    pub(super) bytes: u64,
    prefetchable: bool,
}

/// The device's BARs by number: `None` where it has none, or none of memory.
pub(super) fn parse(table: &str) -> Vec<Option<Resource>> {
    table.lines().take(BARS).map(line).collect()
}

fn line(line: &str) -> Option<Resource> {
    let mut numbers = line.split_whitespace().map(|number| {
        let digits = number.strip_prefix("0x")?;
        u64::from_str_radix(digits, 16).ok()
    });
    let [start, last, flags] = [numbers.next()??, numbers.next()??, numbers.next()??];
    if flags & MEMORY == 0 || flags & UNSET != 0 || start == 0 {
        return None;
    }
    let bytes = last.checked_sub(start)?.checked_add(1)?;
    Some(Resource { start, bytes, prefetchable: flags & PREFETCHABLE != 0 })
}

/// The BAR that was named, or the largest prefetchable one: what the device's memory is behind.
pub(super) fn choose(bars: &[Option<Resource>], location: Location) -> Result<(usize, Resource), Problem> {
    let chosen = match location.bar {
        Some(index) => bars.get(index).copied().flatten().map(|bar| (index, bar)),
        None => {
            let all = bars.iter().enumerate().filter_map(|(index, bar)| Some((index, (*bar)?)));
            all.filter(|(_, bar)| bar.prefetchable).max_by_key(|(_, bar)| bar.bytes)
        }
    };
    chosen.ok_or_else(|| {
        let why = match location.bar {
            Some(index) => format!("has no memory behind BAR {index}"),
            None => "has no prefetchable memory: name a BAR, as in 0000:00:04.0:2".into(),
        };
        Problem::NoMemory(location, why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// QEMU's ivshmem-plain: registers behind BAR 0, memory behind BAR 2; then an I/O range and an unset BAR.
    const TABLE: &str = "\
        0x00000000febfe000 0x00000000febfe0ff 0x0000000000040200\n\
        0x0000000000000000 0x0000000000000000 0x0000000000000000\n\
        0x00000038e0000000 0x00000038efffffff 0x000000000014220c\n\
        0x0000000000000000 0x0000000000000000 0x0000000000000000\n\
        0x000000000000c040 0x000000000000c05f 0x0000000000040101\n\
        0x0000000000000000 0x000000000fffffff 0x000000002014220c\n\
        0x00000000fea00000 0x00000000feafffff 0x0000000000046200\n";

    fn at(text: &str) -> Location {
        text.parse().unwrap()
    }

    #[test]
    fn the_largest_prefetchable_bar_is_chosen_unless_one_is_named() {
        let bars = parse(TABLE);
        assert_eq!(bars.len(), BARS);
        let memory = Resource { start: 0x38_e000_0000, bytes: 256 << 20, prefetchable: true };
        assert_eq!(choose(&bars, at("00:04.0")).unwrap(), (2, memory));
        assert_eq!(choose(&bars, at("00:04.0:2")).unwrap(), (2, memory));
        let registers = Resource { start: 0xfebf_e000, bytes: 256, prefetchable: false };
        assert_eq!(choose(&bars, at("00:04.0:0")).unwrap(), (0, registers));
    }

    #[test]
    fn ports_holes_and_bars_without_an_address_are_none() {
        let bars = parse(TABLE);
        for (location, why) in [
            ("00:04.0:1", "has no memory behind BAR 1"),
            ("00:04.0:4", "has no memory behind BAR 4"),
            ("00:04.0:5", "has no memory behind BAR 5"),
        ] {
            let said = choose(&bars, at(location)).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
        let said = choose(&bars[..2], at("00:04.0")).unwrap_err().to_string();
        assert!(said.contains("name a BAR"), "{said}");
        assert_eq!(parse("0x1000 0x0fff\n0x1000 0x0ffe 0x200\nzzz\n"), [None; 3]);
    }
}
