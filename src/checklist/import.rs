//! A checklist to a config.

use super::{
    conflicts::Finding,
    encoding,
    propose::{self, Coverage, Proposal},
    scan::{Document, scan},
    update::{self, Drift},
    yaml,
};

/// More is no checklist.
pub const MOST_BYTES: u64 = 8 << 20;

/// What came of a document.
#[derive(Debug)]
pub struct Imported {
    /// The config.
    pub yaml: String,
    /// What a person must settle.
    pub findings: Vec<Finding>,
    /// What changed since the last import.
    pub drift: Vec<Drift>,
    /// What becomes of the lines with boxes.
    pub coverage: Coverage,
}

/// Why a document cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is no text.
    #[error("{file}: not UTF-8, from byte {byte} in line {line}; save it as UTF-8")]
    NotUtf8 {
        /// The document.
        file: String,
        /// First bad byte.
        byte: usize,
        /// Its line.
        line: usize,
    },
    /// It was saved in the wrong encoding once.
    #[error(
        "{file}: the text is garbled: somebody read UTF-8 as Mac Roman and saved it. `{before}` was `{after}`; import it with --repair-encoding, or repair the file"
    )]
    Garbled {
        /// The document.
        file: String,
        /// Some words of it.
        before: String,
        /// What they were.
        after: String,
    },
    /// There is nothing in it.
    #[error("{file}: no line has a box (□ ☐ [ ]) or a blank (____): nothing to import")]
    NoItems {
        /// The document.
        file: String,
    },
    /// The old config cannot be read.
    #[error("{0}")]
    Old(String),
    /// A bug.
    #[error("{0}; this is a bug in readygate")]
    Internal(String),
}

/// The text of a document, repaired if that is wanted and needed. Says whether it was.
pub fn text(file: &str, bytes: Vec<u8>, repair: bool) -> Result<(String, bool), ImportError> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..byte).unwrap_or_default();
        ImportError::NotUtf8 {
            file: file.to_owned(),
            byte,
            line: before.split(|b| *b == b'\n').count(),
        }
    })?;
    match encoding::repaired(&text) {
        None => Ok((text, false)),
        Some(repaired) if repair => Ok((repaired, true)),
        Some(repaired) => {
            let (before, after) = encoding::example(&text, &repaired).unwrap_or_default();
            Err(ImportError::Garbled {
                file: file.to_owned(),
                before,
                after,
            })
        }
    }
}

/// Imports a document; with an old config, updates that.
pub fn import(file: &str, text: &str, old: Option<(&str, &str)>) -> Result<Imported, ImportError> {
    let document = scan(text);
    if document
        .lines
        .iter()
        .all(|l| l.boxes.is_empty() && l.blanks.is_empty())
    {
        return Err(ImportError::NoItems {
            file: file.to_owned(),
        });
    }
    let proposal = propose::propose(&document).map_err(ImportError::Internal)?;
    let coverage = proposal.coverage(&document);
    let (yaml, drift) = written(file, &document, &proposal, &coverage, old)?;
    Ok(Imported {
        yaml,
        findings: proposal.findings,
        drift,
        coverage,
    })
}

fn written(
    file: &str,
    document: &Document,
    proposal: &Proposal,
    coverage: &Coverage,
    old: Option<(&str, &str)>,
) -> Result<(String, Vec<Drift>), ImportError> {
    match old {
        None => Ok((yaml::config(proposal, coverage, file), Vec::new())),
        Some((name, old)) => {
            update::update(name, old, document, proposal).map_err(ImportError::Old)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_cannot_be_read_say_where() {
        let error = text("a.md", b"ok\n\xff\xfe".to_vec(), false).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a.md: not UTF-8, from byte 3 in line 2; save it as UTF-8"
        );
        let garbled = encoding_rs::MACINTOSH
            .decode("□ جميع الاختبارات\n".as_bytes())
            .0
            .into_owned();
        let error = text("a.md", garbled.clone().into_bytes(), false).unwrap_err();
        assert!(error.to_string().contains("--repair-encoding"), "{error}");
        let repaired = text("a.md", garbled.into_bytes(), true).unwrap();
        assert_eq!(repaired, ("□ جميع الاختبارات\n".to_owned(), true));
    }

    #[test]
    fn a_document_without_items_is_refused() {
        assert!(matches!(
            import("a.md", "# Title\nwords\n", None),
            Err(ImportError::NoItems { .. })
        ));
    }
}
