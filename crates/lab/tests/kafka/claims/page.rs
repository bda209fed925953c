//! A page: headings, quotations, and proofs. A proof is a command in a block `sh`, and below it, in a block `text`, what its
//! output holds.

use std::fs;

use super::proof::{Lang, Proof};
use crate::support::workspace;

pub(super) struct Page {
    name: &'static str,
    text: String,
}

/// `#### ID · verdict · lines`, then the course's words, the reason, and the proof.
pub(super) struct Claim {
    pub id: String,
    pub verdict: String,
    pub quote: String,
    pub command: String,
    pub evidence: Vec<String>,
}

impl Page {
    pub fn read(name: &'static str) -> Self {
        let path = workspace().join("docs").join(name);
        Self { name, text: fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())) }
    }

    pub fn claims(&self) -> Vec<Claim> {
        self.text.split("\n#### ").skip(1).map(claim).collect()
    }

    pub fn commands(&self) -> Vec<&str> {
        self.blocks().into_iter().map(|(command, _)| command).collect()
    }

    pub fn proofs(&self, lang: Lang) -> Vec<Proof> {
        let proof = |(command, evidence): (&str, Vec<String>)| Proof {
            page: self.name,
            lang,
            command: command.to_owned(),
            evidence,
        };
        self.blocks().into_iter().map(proof).collect()
    }

    /// Each command with what must show. A command without anything that must show proves nothing.
    fn blocks(&self) -> Vec<(&str, Vec<String>)> {
        let missing = |after: &str| panic!("{}: no proof below {after:.200}", self.name);
        self.text.split("```sh\n").skip(1).map(|after| block(after).unwrap_or_else(|| missing(after))).collect()
    }

    /// The cells of the table row that begins with this one.
    pub fn row(&self, first: &str) -> Vec<String> {
        let line = self.text.lines().find(|line| line.starts_with(&format!("| {first} |"))).expect(first);
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    }

    /// The claims that the list of corrections, at the end, has a row for.
    pub fn corrected(&self) -> Vec<String> {
        let id = |line: &str| line.strip_prefix("| ")?.split_once(" |").map(|(id, _)| id.to_owned());
        let is_id = |text: &String| text.starts_with(['S', 'E']) && text[1..].parse::<u32>().is_ok();
        self.text.lines().filter_map(id).filter(is_id).collect()
    }
}

fn claim(text: &str) -> Claim {
    let (heading, rest) = text.split_once('\n').expect(text);
    let [id, verdict, _lines] = heading.split(" · ").collect::<Vec<_>>()[..] else { panic!("{heading}") };
    let quote = rest.lines().filter_map(|line| line.strip_prefix("> ")).collect::<Vec<_>>().join(" ");
    assert!(quote.starts_with("« ") && quote.ends_with(" »"), "{id}: {quote}");
    let [_, proof] = rest.split("```sh\n").collect::<Vec<_>>()[..] else { panic!("{id}: not one command") };
    let (command, evidence) = block(proof).expect(id);
    Claim { id: id.to_owned(), verdict: verdict.to_owned(), quote, command: command.to_owned(), evidence }
}

/// What comes after "```sh": a command, and what must show.
fn block(text: &str) -> Option<(&str, Vec<String>)> {
    let (command, rest) = text.split_once("\n```\n")?;
    let (evidence, _) = rest.strip_prefix("```text\n")?.split_once("\n```\n")?;
    let evidence: Vec<_> = evidence.lines().filter(|line| *line != "…").map(str::to_owned).collect();
    (!evidence.is_empty()).then_some((command, evidence))
}
