//! Looks at the text of the sources for declarations that bypass the macros, and so the tables.

use crate::check::Problems;
use std::path::Path;

/// What may stand only in some files.
const RESTRICTED: [(&str, &[&str]); 4] = [
    ("#[repr(C", &["macros.rs"]),
    ("#[repr(transparent)]", &["macros.rs", "status.rs"]),
    ("extern \"", &["convention.rs"]),
    ("unsafe {", &[]),
];

pub(crate) fn scan() -> Problems {
    let mut problems = Problems::default();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = 0;
    for entry in std::fs::read_dir(sources).expect("the sources") {
        let path = entry.expect("an entry").path();
        assert!(path.is_file(), "{} is a folder: the scan does not look into it", path.display());
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a source");
        files += 1;
        for (pattern, allowed) in RESTRICTED {
            if text.contains(pattern) && !allowed.contains(&name.as_str()) {
                problems.add(&name, format!("contains `{pattern}`"));
            }
        }
    }
    assert!(files > 30, "only {files} sources found");
    problems
}
