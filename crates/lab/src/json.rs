//! The report for programs: one JSON object, with the words of the English table.

use serde_json::{Value as Json, json};

use crate::ledger::{Anomaly, Kind, Ledger};
use crate::report::{Report, Row};
use crate::text::Lang;
use crate::verdict::{Surprise, Verdict};

/// The report, with all values named.
pub fn render(report: &Report) -> Json {
    json!({
        "scenario": report.scenario,
        "seed": report.seed,
        "programs": report.rows.iter().map(row).collect::<Vec<_>>(),
    })
}

fn row(row: &Row) -> Json {
    let ledger = row.ledger.as_ref();
    let count = |kind| ledger.map(|ledger| ledger.count(kind));
    let anomalies = match &row.verdict {
        Verdict::Violated(anomalies) => anomalies.iter().collect(),
        _ => Vec::new(),
    };
    let allowed = row.surprises.iter().filter_map(|surprise| match surprise {
        Surprise::Anomaly(anomaly) => Some(anomaly),
        _ => None,
    });
    json!({
        "program": row.program.package,
        "guarantee": Lang::En.guarantee(row.program.guarantee),
        "sent": ledger.and_then(|ledger| ledger.sent),
        "acknowledged": ledger.and_then(|ledger| ledger.acknowledged),
        "stored": ledger.map(|ledger| ledger.stored),
        "processed": ledger.and_then(|ledger| ledger.processed),
        "lost": count(Kind::Lost),
        "duplicated": count(Kind::Duplicated),
        "reordered": count(Kind::Reordered),
        "aborted_in_input": ledger.map(|ledger: &Ledger| ledger.aborted_input),
        "verdict": Lang::En.verdict(&row.verdict),
        "as_expected": row.is_as_expected(),
        "violations": anomalies.into_iter().map(anomaly).collect::<Vec<_>>(),
        "allowed": allowed.map(anomaly).collect::<Vec<_>>(),
        "details": Lang::En.details(row),
    })
}

fn anomaly(anomaly: &Anomaly) -> Json {
    json!({
        "kind": format!("{:?}", anomaly.kind),
        "value": anomaly.value.to_string(),
        "times": anomaly.times,
        "places": anomaly.places.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
