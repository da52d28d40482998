//! The checklist: reads a Markdown document without loss, turns it into a policy, fills it in.
