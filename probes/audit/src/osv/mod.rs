//! OSV: records, which versions they affect, where they come from.
//!
//! Schema: <https://ossf.github.io/osv-schema/>.

pub(crate) mod affected;
pub(crate) mod api;
pub(crate) mod offline;
pub(crate) mod record;
pub(crate) mod report;

pub(crate) use affected::{Affects, affects};
pub(crate) use record::Record;

/// The name of a Python package as PEP 503 compares it.
pub(crate) fn api_name(name: &str) -> String {
    affected::normal_name("PyPI", name)
}
