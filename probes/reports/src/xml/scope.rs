//! Namespace prefixes.

use std::borrow::Cow;

use crate::Fault;

const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// The namespace prefixes that are bound.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    bound: Vec<(usize, String)>,
}

impl Scope {
    pub(crate) fn open(
        &mut self,
        depth: usize,
        attributes: &[(&str, Cow<'_, str>)],
    ) -> Result<(), Fault> {
        for (name, value) in attributes {
            match name.strip_prefix("xmlns:") {
                None => {}
                Some("xml") if *value == XML_NAMESPACE => {}
                Some(prefix) if matches!(prefix, "xml" | "xmlns") || value.is_empty() => {
                    let reason = format!("the namespace prefix `{prefix}` cannot be declared so");
                    return Err(Fault::new(reason));
                }
                Some(prefix) => self.bound.push((depth, prefix.to_owned())),
            }
        }
        Ok(())
    }

    pub(crate) fn close(&mut self, depth: usize) {
        while self.bound.last().is_some_and(|(d, _)| *d >= depth) {
            self.bound.pop();
        }
    }

    /// Namespaces in XML 1.0, section 5: a prefix must be declared.
    pub(crate) fn check(
        &self,
        element: &str,
        attributes: &[(&str, Cow<'_, str>)],
    ) -> Result<(), Fault> {
        let names = attributes.iter().map(|(name, _)| *name).chain([element]);
        for (prefix, _) in names.filter_map(|name| name.split_once(':')) {
            let known =
                matches!(prefix, "xml" | "xmlns") || self.bound.iter().any(|(_, p)| p == prefix);
            if !known {
                let prefix = crate::text::clip(prefix, 40);
                return Err(Fault::new(format!(
                    "the namespace prefix `{prefix}` is not declared"
                )));
            }
        }
        Ok(())
    }
}
