//! JMeter: JTL as XML. Samples inside samples are parts of the outer one and do not count again.

use readygate_reports::{
    Fault, Guard,
    gather::ReportSource,
    xml::{Element, Visitor, Xml},
};

use super::{
    Reading,
    jmeter::{Sample, Samples, when},
};
use crate::{config::Format, measurement::is_bad};

struct Jtl {
    depth: usize,
    samples: Samples,
}

impl Visitor for Jtl {
    fn start(&mut self, element: &Element<'_>) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth == 1 && element.name != "testResults" {
            return Err(Fault::new("the root element is not `testResults`"));
        }
        let is_sample = matches!(element.name, "sample" | "httpSample");
        if self.depth != 2 || !is_sample {
            return Ok(());
        }
        let wrong = |name: &str| Fault::new(format!("a sample without `{name}`"));
        let elapsed = element.get("t").and_then(|t| t.trim().parse().ok());
        let code = element.get("rc").unwrap_or_default();
        let success = match element.get("s") {
            Some("true") => true,
            Some("false") => false,
            None if !code.is_empty() => !is_bad(code),
            _ => return Err(wrong("s")),
        };
        self.samples.add(&Sample {
            elapsed: elapsed
                .filter(|t: &f64| *t >= 0.0)
                .ok_or_else(|| wrong("t"))?,
            label: element.get("lb").unwrap_or_default(),
            code,
            success,
            at: element.get("ts").and_then(when),
            threads: element.get("na").and_then(|n| n.parse().ok()),
        });
        Ok(())
    }

    fn end(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn text(&mut self, _: &str) {}

    fn unexpanded(&mut self) {}
}

pub(super) fn read(source: &mut ReportSource<'_>) -> Result<Reading, Fault> {
    let mut jtl = Jtl {
        depth: 0,
        samples: Samples::new(Format::JmeterXml),
    };
    Xml::new(Guard::new(source)).read(&mut jtl)?;
    Ok(jtl.samples.finish())
}
