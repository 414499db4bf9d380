//! Finds an export of an image as it lies in memory.
//!
//! Microsoft's page: "PE Format", the optional header and the export directory table.

/// Where the export `name` lies, in bytes from the begin of `image`; none if it is not there or the image is damaged.
pub fn export(image: &[u8], name: &[u8]) -> Option<usize> {
    let header = word(image, 0x3C)?;
    // PE32+: the export directory is the first, behind 112 bytes of the optional header.
    let directory = word(image, header + 24 + 112)?;
    if directory == 0 {
        return None;
    }
    let names = word(image, directory + 24)?;
    let [functions, name_table, ordinals] = [28, 32, 36].map(|at| word(image, directory + at));
    let at = (0..names).find(|at| {
        let found = name_table.and_then(|table| word(image, table + 4 * at));
        found.is_some_and(|found| is_text(image, found, name))
    })?;
    word(image, functions? + 4 * half(image, ordinals? + 2 * at)?)
}

/// Bytes of the image in memory, as its headers say; `headers` are at least its first page.
pub fn size(headers: &[u8]) -> Option<usize> {
    word(headers, word(headers, 0x3C)? + 24 + 56)
}

fn word(image: &[u8], at: usize) -> Option<usize> {
    let bytes = image.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
}

fn half(image: &[u8], at: usize) -> Option<usize> {
    let bytes = image.get(at..at.checked_add(2)?)?;
    Some(usize::from(u16::from_le_bytes([bytes[0], bytes[1]])))
}

fn is_text(image: &[u8], at: usize, text: &[u8]) -> bool {
    let end = at.checked_add(text.len());
    end.is_some_and(|end| image.get(at..end) == Some(text) && image.get(end) == Some(&0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image with the exports "A" and "Pool", the latter with the second function.
    fn image() -> [u8; 1024] {
        let mut image = [0; 1024];
        let mut put = |at: usize, value: u32| image[at..at + 4].copy_from_slice(&value.to_le_bytes());
        put(0x3C, 0x80);
        put(0x80 + 24 + 56, 1024);
        put(0x80 + 24 + 112, 0x200);
        put(0x200 + 24, 2);
        put(0x200 + 28, 0x280);
        put(0x200 + 32, 0x290);
        put(0x200 + 36, 0x2A0);
        put(0x284, 0x345);
        put(0x290, 0x2B0);
        put(0x294, 0x2B8);
        put(0x2A0, 0x0001_0000);
        image[0x2B0] = b'A';
        image[0x2B8..0x2BC].copy_from_slice(b"Pool");
        image
    }

    #[test]
    fn an_export_is_found_by_its_whole_name() {
        let image = image();
        assert_eq!(size(&image), Some(1024));
        assert_eq!(export(&image, b"Pool"), Some(0x345));
        assert_eq!(export(&image, b"Poo"), None);
        assert_eq!(export(&image, b"Pools"), None);
    }

    #[test]
    fn a_damaged_image_has_no_export() {
        for length in 0..0x2BC {
            assert_eq!(export(&image()[..length], b"Pool"), None, "{length}");
        }
        let mut wild = image();
        wild[0x294..0x298].fill(0xFF);
        assert_eq!(export(&wild, b"Pool"), None);
    }
}
