//! `--json FILE`: one document a run. It takes the place of an older one as a whole, or says why there is none.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::exit::Failure;
use crate::files::Draft;
use crate::files::draft::retried;
use crate::files::identity::{followed, is_special};
use crate::tell;

/// The document of this run.
struct Document {
    path: PathBuf,
    /// None for standard output.
    draft: Option<Draft>,
    /// None until the command has a result.
    text: Option<String>,
}

static DOCUMENT: Mutex<Option<Document>> = Mutex::new(None);

fn document() -> MutexGuard<'static, Option<Document>> {
    DOCUMENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a path stands for standard output.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// Makes sure that `path` can be written before anything is done whose result would be lost. What an earlier run left
/// there goes: it is not this one's.
pub(crate) fn begin(path: &Path) -> anyhow::Result<()> {
    let open = || -> io::Result<Option<Draft>> {
        if is_stdout(path) {
            return Ok(None);
        }
        let draft = Draft::of_result(path)?;
        if !is_special(path)? {
            match retried(|| fs::remove_file(followed(path))) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(Some(draft))
    };
    let draft = open().map_err(|error| anyhow::anyhow!("cannot write {}: {error}", path.display()))?;
    *document() = Some(Document { path: path.into(), draft, text: None });
    Ok(())
}

/// Takes the result, to be written when the command has ended.
pub(crate) fn set(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => document().iter_mut().for_each(|document| document.text = Some(text.clone())),
        Err(error) => tell::unwritten(format!("the report: {error}")),
    }
}

/// Writes the document: the result, or what failed beside whatever is known.
pub(crate) fn end(done: &Result<(), Failure>) {
    match done {
        Ok(()) => close(None),
        Err(failure) => close(Some((failure.to_string(), failure.number()))),
    }
}

/// The process ends at once.
pub(crate) fn cut_off(why: &str, code: u8) {
    close(Some((why.into(), code)));
}

fn close(failed: Option<(String, u8)>) {
    let Some(Document { path, draft, text }) = document().take() else { return };
    let text = match failed {
        None => text,
        Some((why, code)) => Some(with_failure(text, why, code)),
    };
    let Some(text) = text.map(|text| text + "\n") else { return };
    let (place, written) = match draft {
        None => ("standard output".into(), tell::write(&text)),
        Some(draft) => {
            let written = draft.file().write_all(text.as_bytes()).and_then(|()| draft.commit());
            (path.display().to_string(), written)
        }
    };
    if let Err(error) = written {
        tell::unwritten(format!("{place}: {error}"));
    }
}

/// What a command that failed has to show. A list stays one: its parts say what became of each.
fn with_failure(text: Option<String>, why: String, code: u8) -> String {
    let result = text.as_deref().map_or(Ok(Value::Object(Default::default())), serde_json::from_str);
    match result {
        Ok(Value::Object(mut fields)) => {
            let error = fields.entry("error").or_insert(Value::Null);
            if error.is_null() {
                *error = why.into();
            }
            fields.insert("exit_code".into(), code.into());
            format!("{:#}", Value::Object(fields))
        }
        _ => text.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_added_to_what_is_known_and_a_list_stays_one() {
        let with = |text: Option<&str>| -> Value {
            serde_json::from_str(&with_failure(text.map(Into::into), "why".into(), 3)).unwrap()
        };
        assert_eq!(with(None), serde_json::json!({ "error": "why", "exit_code": 3 }));
        let known = with(Some(r#"{"vm": "source", "error": null}"#));
        assert_eq!(known, serde_json::json!({ "vm": "source", "error": "why", "exit_code": 3 }));
        assert_eq!(with(Some(r#"{"error": "closer"}"#))["error"], "closer");
        assert_eq!(with(Some("[1]")), serde_json::json!([1]));
    }
}
