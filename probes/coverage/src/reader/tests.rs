//! What each format counts.

use super::read;
use crate::model::{Count, Counts};

fn counts(text: &str) -> (Counts, Counts) {
    let mut source = readygate_reports::Source::open(text.as_bytes(), &|| false).unwrap();
    let report = read(&mut source, None).unwrap();
    (report.sum(), report.totals)
}

#[expect(clippy::unnecessary_wraps, reason = "compares with what may be absent")]
fn some(covered: u64, total: u64) -> Option<Count> {
    Some(Count { covered, total })
}

#[test]
fn lcov_is_recounted_and_merged() {
    let text = "TN:a\nSF:x\nFN:1,f\nFN:5,9,g\nFNDA:2,f\nDA:1,18446744073709551616\nDA:2,-3\nDA:3,1e3,checksum\n\
                BRDA:1,0,0,-\nBRDA:1,0,1,1\nBRDA:1,e4,0,0\nLF:9\nLH:9\nMCDC:1,2,t,1,0,a\nend_of_record\n\
                TN:b\nSF:x\nDA:2,1\nFNL:0,7,9\nFNA:0,3,h1\nFNA:0,0,h2\nend_of_record\n";
    let (sum, _) = counts(text);
    assert_eq!(
        (sum.lines, sum.branches, sum.functions),
        (some(3, 3), some(1, 3), some(2, 3))
    );
    // Counts without lines are claims that nothing bears out.
    assert_eq!(
        counts("TN:\nSF:x\nLF:9\nLH:9\nend_of_record\n").0.lines,
        None
    );
}

#[test]
fn cobertura_counts_each_line_of_a_file_once() {
    let class = |hits: u8| {
        format!(
            "<class name=\"A\" filename=\"a.py\"><methods><method name=\"m\" signature=\"()\"><lines><line number=\"1\" hits=\"{hits}\"/></lines></method></methods><lines><line number=\"1\" hits=\"{hits}\" branch=\"True\" condition-coverage=\"50% (1/2)\"/><line number=\"2\" hits=\"0\"/></lines></class>"
        )
    };
    let text = format!(
        "<coverage line-rate=\"0.9\"><packages><package><classes>{}{}</classes></package></packages></coverage>",
        class(0),
        class(3)
    );
    let (sum, _) = counts(&text);
    assert_eq!(
        (sum.lines, sum.branches, sum.functions),
        (some(1, 2), some(1, 2), some(1, 1))
    );
    assert_eq!(
        counts(
            "<coverage line-rate=\"1\" lines-valid=\"8\" lines-covered=\"8\"><packages/></coverage>"
        )
        .0
        .lines,
        None
    );
}

#[test]
fn jacoco_and_clover_count_what_the_whole_report_counts() {
    let jacoco = "<report name=\"r\"><package name=\"p\"><sourcefile name=\"A.java\"><line nr=\"3\" mi=\"0\" ci=\"4\" mb=\"1\" cb=\"1\"/><line nr=\"4\" mi=\"1\" ci=\"0\" mb=\"0\" cb=\"0\"/></sourcefile></package><counter type=\"LINE\" missed=\"1\" covered=\"1\"/><counter type=\"METHOD\" missed=\"0\" covered=\"2\"/></report>";
    let (sum, totals) = counts(jacoco);
    assert_eq!((sum.lines, sum.branches), (some(1, 2), some(1, 2)));
    assert_eq!((totals.lines, totals.functions), (some(1, 2), some(2, 2)));
    let clover = "<coverage generated=\"1700000000\"><project><file name=\"a.php\"><line num=\"1\" type=\"method\" name=\"f\" count=\"1\"/><line num=\"2\" type=\"stmt\" count=\"0\"/><line num=\"3\" type=\"cond\" truecount=\"4\" falsecount=\"0\"/></file><metrics statements=\"2\" coveredstatements=\"1\" conditionals=\"2\" coveredconditionals=\"1\" methods=\"1\" coveredmethods=\"1\"/></project></coverage>";
    let (sum, totals) = counts(clover);
    assert_eq!(
        (sum.lines, sum.branches, sum.functions),
        (some(1, 2), some(1, 2), some(1, 1))
    );
    assert_eq!(totals.lines, some(1, 2));
}

#[test]
fn go_weighs_blocks_and_merges_those_that_repeat() {
    let text = "mode: count\na/b.go:1.2,3.4 3 0\na/b.go:5.2,6.4 1 2\nmode: count\na/b.go:1.2,3.4 3 7\na/c.go:1.1,1.9 0 0\n";
    assert_eq!(counts(text).0.lines, some(4, 4));
}

#[test]
fn the_json_formats_count() {
    let istanbul = r#"{"/a.js":{"path":"/a.js","statementMap":{"0":{"start":{"line":1}},"1":{"start":{"line":1}},"2":{"start":{"line":2}}},"s":{"0":0,"1":3,"2":0},"fnMap":{"0":{"name":"f"}},"f":{"0":1},"branchMap":{"0":{"loc":{"start":{"line":1}}}},"b":{"0":[1,0]}}}"#;
    let (sum, _) = counts(istanbul);
    assert_eq!(
        (sum.lines, sum.branches, sum.functions),
        (some(1, 2), some(1, 2), some(1, 1))
    );
    let summary = r#"{"total":{"lines":{"total":4,"covered":3,"pct":75},"branches":{"total":0,"covered":0,"pct":"Unknown"},"functions":{"total":1,"covered":1}}}"#;
    assert_eq!(counts(summary).1.lines, some(3, 4));
    let simplecov = r#"{"RSpec":{"coverage":{"a.rb":{"lines":[1,null,0,"ignored"],"branches":{"[:if, 0, 3, 4, 5, 6]":{"[:then, 1]":1,"[:else, 2]":0}}}},"timestamp":1700000000.5},"Minitest":{"coverage":{"a.rb":[0,null,2]},"timestamp":1700000000}}"#;
    let (sum, _) = counts(simplecov);
    assert_eq!((sum.lines, sum.branches), (some(2, 2), some(1, 2)));
    let python = r#"{"meta":{"branch_coverage":true,"timestamp":"2026-11-23T10:00:00"},"files":{"a.py":{"executed_lines":[1,2],"missing_lines":[3],"executed_branches":[[1,2]],"missing_branches":[[1,-1]],"functions":{"":{"executed_lines":[1],"missing_lines":[]},"f":{"executed_lines":[],"missing_lines":[3]}}}},"totals":{"covered_lines":2,"num_statements":3,"covered_branches":1,"num_branches":2}}"#;
    let (sum, totals) = counts(python);
    assert_eq!(
        (sum.lines, sum.branches, sum.functions),
        (some(2, 3), some(1, 2), some(0, 1))
    );
    assert_eq!(totals.lines, some(2, 3));
    let llvm = r#"{"type":"llvm.coverage.json.export","data":[{"totals":{"lines":{"count":3,"covered":2}},"files":[{"filename":"a.rs","summary":{"lines":{"count":3,"covered":2}},"segments":[[1,1,5,true,true,false],[2,3,0,true,true,false],[3,1,5,true,false,false],[4,2,0,false,false,false]]}]}]}"#;
    let mut source = readygate_reports::Source::open(llvm.as_bytes(), &|| false).unwrap();
    let report = read(&mut source, None).unwrap();
    assert_eq!(
        (report.sum().lines, report.totals.lines),
        (some(2, 3), some(2, 3))
    );
    let file = &report.files["a.rs"];
    assert_eq!(
        [1, 3, 9].map(|line| file.at(line)),
        [Some(true), Some(false), None]
    );
}
