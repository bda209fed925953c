//! `lab list`: the scenarios, in their order: the fault, what it teaches, and what is announced for each program.

use serde_json::{Value as Json, json};

use crate::catalogue::{PROGRAMS, Program};
use crate::json;
use crate::layout::wrap;
use crate::nodes::NEEDED;
use crate::scenario::{Amount, Case, Scenario};
use crate::scenarios;
use crate::text::Lang;

/// What is said of a scenario begins in this column.
const TEXT: usize = 2;

/// The list, for readers or as JSON.
pub(crate) fn render(lang: Lang, as_json: bool) -> String {
    if as_json {
        return format!("{:#}\n", to_json());
    }
    let mut text = String::new();
    for scenario in scenarios::ALL {
        show(&mut text, scenario, lang);
        text.push('\n');
    }
    wrap(&mut text, "", 0, lang.three_nodes());
    text.push('\n');
    for scenario in scenarios::ON_THREE_NODES {
        show(&mut text, scenario, lang);
        text.push('\n');
    }
    for line in lang.list_legend() {
        wrap(&mut text, "", 0, line);
    }
    text
}

fn show(text: &mut String, scenario: &Scenario, lang: Lang) {
    wrap(text, "", TEXT, &format!("{}{} {}", scenario.name, lang.colon(), lang.of(scenario.fault)));
    wrap(text, "  ", TEXT, &format!("{}{} {}", lang.teaches(), lang.colon(), lang.of(scenario.teaches)));
    let mut variants: Vec<&str> = scenario.cases.iter().map(|case| case.variant).collect();
    let mut seen = Vec::new();
    variants.retain(|variant| {
        !seen.contains(variant) && {
            seen.push(*variant);
            true
        }
    });
    for variant in variants {
        let indent = if variant.is_empty() {
            "    "
        } else {
            wrap(text, "    ", 4, &format!("{variant}{}", lang.colon()));
            "      "
        };
        for (announced, programs) in results(scenario, variant, lang) {
            wrap(text, indent, indent.len() + 2, &format!("{}{} {announced}", programs.join(", "), lang.colon()));
        }
    }
}

/// What is announced in a variant, with the programs that it is announced for.
fn results(scenario: &Scenario, variant: &str, lang: Lang) -> Vec<(String, Vec<&'static str>)> {
    let mut results: Vec<(String, Vec<&str>)> = Vec::new();
    for case in scenario.cases.iter().filter(|case| case.variant == variant) {
        for program in programs(case) {
            let announced = lang.announced(case, case.breaks(program.promise()));
            match results.iter_mut().find(|(other, _)| *other == announced) {
                Some((_, programs)) => programs.push(program.package),
                None => results.push((announced, vec![program.package])),
            }
        }
    }
    results
}

fn programs(case: &Case) -> impl Iterator<Item = &'static Program> {
    PROGRAMS.iter().filter(|program| case.concerns(program))
}

/// `{"scenarios": [{name, nodes, fault, teaches, cases: [{variant, programs: [{program, guarantee, announced}], promise,
/// exhibits, allows, ends, why, messages, partitions, settings}]}]}`; texts are `{en, fr}`, and the words for what shows
/// are those of [`json`](crate::json).
fn to_json() -> Json {
    let all = scenarios::ALL.iter().map(|scenario| (scenario, 1));
    let all = all.chain(scenarios::ON_THREE_NODES.iter().map(|scenario| (scenario, NEEDED)));
    json!({ "scenarios": all.map(|(scenario, nodes)| json!({
        "name": scenario.name,
        "nodes": nodes,
        "fault": json::text(scenario.fault),
        "teaches": json::text(scenario.teaches),
        "cases": scenario.cases.iter().map(case).collect::<Vec<_>>(),
    })).collect::<Vec<_>>() })
}

fn case(case: &Case) -> Json {
    let program = |program: &Program| {
        json!({
            "program": program.package,
            "guarantee": json::guarantee(program.guarantee),
            "announced": if case.breaks(program.promise()) { "violated" } else { "holds" },
        })
    };
    json!({
        "variant": case.variant,
        "programs": programs(case).map(program).collect::<Vec<_>>(),
        "promise": json::text(case.promise),
        "exhibits": case.exhibits.iter().map(|exhibit| json::exhibit(*exhibit)).collect::<Vec<_>>(),
        "allows": case.allows.iter().map(|kind| json::kind(*kind)).collect::<Vec<_>>(),
        "ends": json::ends(case.ends),
        "why": json::text(case.why),
        "messages": case.messages,
        "partitions": case.partitions,
        "settings": case.settings.iter().map(|set| json!({
            "key": set.key,
            "embedded": set.value.on(true),
            "kafka": match set.value {
                Amount::Of(value) => value,
                Amount::Either { kafka, .. } => kafka,
            },
            "why": json::text(set.why),
        })).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{WIDTH, width};

    #[test]
    fn every_scenario_is_there_with_its_variants_and_programs() {
        for lang in [Lang::En, Lang::Fr] {
            let text = render(lang, false);
            for scenario in scenarios::ALL.iter().chain(scenarios::ON_THREE_NODES) {
                assert!(text.contains(scenario.name), "{}", scenario.name);
                for case in scenario.cases {
                    assert!(text.contains(case.variant), "{}", case.variant);
                    assert!(case.programs.iter().all(|program| text.contains(program)), "{}", scenario.name);
                }
            }
            assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
        }
    }

    #[test]
    fn as_json_it_has_everything() {
        let list: Json = serde_json::from_str(&render(Lang::Fr, true)).expect("JSON");
        let all = list["scenarios"].as_array().expect("an array");
        assert_eq!(all.len(), scenarios::ALL.len() + scenarios::ON_THREE_NODES.len());
        assert_eq!((&all[0]["nodes"], &all[all.len() - 1]["nodes"]), (&1.into(), &3.into()));
        let ack_lost = all.iter().find(|scenario| scenario["name"] == "ack-lost").expect("ack-lost");
        let case = &ack_lost["cases"][0];
        assert_eq!(case["programs"][0]["program"], "producer-at-least-once");
        assert_eq!(case["programs"][0]["announced"], "holds");
        assert_eq!(case["exhibits"][0], "duplicated");
        assert!(case["why"]["fr"].is_string() && case["why"]["en"].is_string());
    }
}
