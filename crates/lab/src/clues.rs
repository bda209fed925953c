//! What a client has done, by its requests and its lines, that explains a verdict against it: where to look for the
//! mistake. Nothing is guessed from the verdict alone, and what cannot be seen is not said. ([`crate::text`] says it.)

use std::collections::HashMap;

use common::grammar::{Line, Position};
use proxy::{Batch, Facts, Happening, Side};

use crate::catalogue::{Guarantee, Role};
use crate::error::Error;
use crate::ledger::{Anomaly, Kind};
use crate::outcome::{Deed, Instance, Outcome};
use crate::scenario::Mark;
use crate::text::Lang;
use crate::value::Value;
use crate::verdict::Verdict;

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Clue {
    /// A batch was sent again without a producer id.
    NoSequence,
    /// Its Produce requests ask for so many acknowledgements only.
    Acks(i16),
    /// It said that the value is stored before the broker had answered.
    SaidTooEarly { value: Value },
    /// It said that the value is stored, when the broker had answered with this error.
    SaidDespite { value: Value, error: i16 },
    /// It said `committed` of a transaction that it had aborted.
    SaidCommitted { micros: u64 },
    /// It ended well, and the value had not left it, or had not been answered.
    EndedTooSoon { value: Value, left: bool },
    /// It sent the value twice, as two messages with sequence numbers of their own.
    SentAnew { value: Value },
    /// Two instances that were given the same transactional id have different ones.
    OtherIds,
    /// Two instances that were given different transactional ids have the same one.
    SharedId,
    /// A transaction was begun, and the program ended without ending it.
    LeftOpen,
    /// An offset past the value was committed before its line was printed.
    CommittedFirst { value: Value, offset: i64, micros: u64 },
    /// The value was in a transaction that was aborted, and was not read again.
    NotReadAgain { value: Value, micros: u64 },
    /// It never asked for the value: its first Fetch was for a later offset.
    NeverFetched { value: Value, from: i64 },
    /// The commit of the value was refused with this error, and the value was processed.
    CommitRefused { value: Value, error: i16 },
    /// The value was processed before its commit was answered.
    CommitNotAwaited { value: Value },
    /// The last committed offset is that of the last message, and not the one after it.
    OffsetOfTheMessage { partition: i32, offset: i64 },
    /// Its Fetch requests are at read_uncommitted.
    ReadUncommitted,
    /// A pipeline with transactions commits its offsets by OffsetCommit.
    OffsetsOutside,
    /// A transaction with results was committed with no offsets in it.
    NoOffsets { micros: u64 },
    /// Offsets were sent without member id and generation.
    NoMetadata,
    /// It joined its group anew while its transaction was open.
    RejoinedInTransaction { micros: u64 },
}

/// The same in sentences.
pub fn because(outcome: &Outcome, lang: Lang) -> Vec<String> {
    clues(outcome).iter().map(|clue| lang.clue(clue)).collect()
}

/// What explains the verdict, the nearest first; nothing where all is as it should be.
pub(crate) fn clues(outcome: &Outcome) -> Vec<Clue> {
    if outcome.as_expected() {
        return Vec::new();
    }
    let seen = Seen::new(outcome);
    let against: Vec<_> = outcome.ledger.anomalies.iter().filter(|it| outcome.promise().forbids(it.kind)).collect();
    let first = |kinds: &[Kind]| against.iter().find(|anomaly| kinds.contains(&anomaly.kind)).copied();
    let lost = first(&[Kind::Lost]);
    let twice = first(&[Kind::Duplicated]);
    let found = match (&outcome.verdict, outcome.program.role) {
        (Verdict::Holds, _) => vec![seen.ids()],
        (Verdict::Unknown(Error::OpenTransaction { .. }), _) => vec![seen.left_open(), seen.ids()],
        (Verdict::Unknown(_), _) => vec![seen.ids()],
        (_, Role::Producer(_)) => vec![
            lost.and_then(|it| match seen.acks() {
                // Whoever asks for no answer has nothing else to go by.
                Some(Clue::Acks(0)) => seen.acks(),
                acks => seen.said_committed().or_else(|| seen.said(it)).or(acks),
            }),
            first(&[Kind::Duplicated, Kind::Reordered]).and_then(|_| seen.no_sequence()),
            seen.ids(),
            twice.and_then(|it| seen.sent_anew(it)),
        ],
        (_, Role::Consumer { .. } | Role::Pipeline { .. }) => vec![
            seen.offset_of_the_message(),
            twice.and_then(|it| seen.processed_uncommitted(it)),
            lost.and_then(|it| seen.passed_over(it)),
            first(&[Kind::AbortedProcessed]).and_then(|_| seen.read_uncommitted()),
            twice.and_then(|_| seen.offsets_apart()),
            twice.and_then(|_| seen.no_metadata()),
            twice.and_then(|_| seen.rejoined()),
            seen.ids(),
        ],
    };
    found.into_iter().flatten().collect()
}

/// A request, and its answer if there was one.
struct Call<'a> {
    micros: u64,
    client: &'a str,
    api: &'a str,
    asked: &'a Facts,
    told: Option<(u64, &'a Facts)>,
    /// The error that a fault answered with, in the broker's place.
    refused: Option<(u64, i16)>,
}

impl Call<'_> {
    /// When the answer came.
    fn answered(&self) -> Option<u64> {
        self.refused.map(|(micros, _)| micros).or(self.told.map(|(micros, _)| micros))
    }

    /// The first error of the answer.
    fn error(&self) -> Option<i16> {
        let told = self.told.map(|(_, told)| told);
        let whole = told.and_then(|told| told.error);
        let parts = told.into_iter().flat_map(|told| &told.partitions).filter_map(|part| part.error);
        self.refused.map(|(_, error)| error).into_iter().chain(whole).chain(parts).find(|error| *error != 0)
    }

    fn accepted(&self) -> bool {
        self.answered().is_some() && self.error().is_none()
    }

    fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.asked.partitions.iter().flat_map(|part| &part.batches)
    }

    /// A Produce of a transaction.
    fn is_result(&self) -> bool {
        self.api == "Produce" && self.batches().any(|batch| batch.transactional)
    }

    fn commits_offsets(&self) -> bool {
        ["OffsetCommit", "TxnOffsetCommit"].contains(&self.api)
    }

    /// The offset that it commits for this partition.
    fn commits(&self, partition: i32) -> Option<i64> {
        let mut parts = self.asked.partitions.iter().filter(|_| self.commits_offsets());
        parts.find(|part| part.partition == partition)?.offset
    }
}

/// The trace as calls, and the lines.
struct Seen<'a> {
    outcome: &'a Outcome,
    calls: Vec<Call<'a>>,
}

impl<'a> Seen<'a> {
    fn new(outcome: &'a Outcome) -> Self {
        let mut at: HashMap<u64, usize> = HashMap::new();
        let mut calls: Vec<Call<'a>> = Vec::new();
        for event in &outcome.trace {
            let frame = match &event.happening {
                Happening::Frame(frame) => frame,
                Happening::Fault { action: "answer", frame, error: Some(error), .. } => {
                    if let Some(call) = at.get(frame).and_then(|at| calls.get_mut(*at)) {
                        call.refused = Some((event.micros, *error));
                    }
                    continue;
                }
                _ => continue,
            };
            match (frame.side, frame.request) {
                (Side::Request, _) => {
                    at.insert(event.number, calls.len());
                    let (client, api) = (event.client.as_str(), frame.api.as_str());
                    calls.push(Call {
                        micros: event.micros,
                        client,
                        api,
                        asked: &frame.facts,
                        told: None,
                        refused: None,
                    });
                }
                (Side::Response, Some(request)) => {
                    if let Some(call) = at.get(&request).and_then(|at| calls.get_mut(*at)) {
                        call.told = Some((event.micros, &frame.facts));
                    }
                }
                (Side::Response, None) => {}
            }
        }
        Self { outcome, calls }
    }

    fn of<'s>(&'s self, api: &'s str) -> impl Iterator<Item = &'s Call<'a>> {
        self.calls.iter().filter(move |call| call.api == api)
    }

    /// The Produce requests that carry a value.
    fn carrying<'s>(&'s self, value: &'s Value) -> impl Iterator<Item = &'s Call<'a>> {
        self.of("Produce").filter(move |call| call.batches().any(|batch| holds(batch, value)))
    }

    /// What the instances printed, with the time and who.
    fn lines(&self) -> impl Iterator<Item = (u64, &'a Instance, Line<'a>)> {
        let lines = self.outcome.instances.iter().flat_map(|instance| {
            instance.lines.iter().map(move |(micros, text)| (*micros, instance, Line::parse(text)))
        });
        lines.filter_map(|(micros, instance, line)| Some((micros, instance, line?)))
    }

    /// The lines that say that a message at this place was processed.
    fn processed(&self, partition: i32, offset: i64) -> impl Iterator<Item = (u64, &'a str)> {
        self.lines().filter_map(move |(micros, instance, line)| {
            let (Line::Read(at, _) | Line::Process(at, _) | Line::Transform(at, _, _)) = line else { return None };
            ((at.partition, at.offset) == (partition, offset)).then_some((micros, instance.name.as_str()))
        })
    }

    fn no_sequence(&self) -> Option<Clue> {
        let again = self.outcome.marks.iter().any(|(mark, _)| *mark == Mark::Resent);
        let without = self.of("Produce").flat_map(Call::batches).any(|batch| batch.producer_id < 0);
        (again && without).then_some(Clue::NoSequence)
    }

    fn acks(&self) -> Option<Clue> {
        self.of("Produce").find_map(|call| call.asked.acks).filter(|acks| *acks >= 0).map(Clue::Acks)
    }

    /// It has aborted a transaction, and said afterwards that it had committed one, of which none was.
    fn said_committed(&self) -> Option<Clue> {
        let ends = |commits| self.of("EndTxn").find(move |call| call.asked.commits == Some(commits) && call.accepted());
        let aborted = ends(false).filter(|_| ends(true).is_none())?;
        self.lines()
            .any(|(micros, _, line)| micros > aborted.micros && matches!(line, Line::Committed(_)))
            .then_some(Clue::SaidCommitted { micros: aborted.micros })
    }

    /// What was known of a lost value when the program said that it was stored, or ended as if it were.
    fn said(&self, lost: &Anomaly) -> Option<Clue> {
        let value = &lost.value;
        let said = self.lines().find_map(|(micros, _, line)| match line {
            Line::Delivered(_, bytes) if Value::new(Some(&bytes)) == *value => Some(micros),
            _ => None,
        });
        let answer = self.carrying(value).filter_map(|call| Some((call.answered()?, call.error()))).last();
        let value = value.clone();
        match (said, answer) {
            (Some(said), Some((when, Some(error)))) if when <= said => Some(Clue::SaidDespite { value, error }),
            (Some(_), Some((_, None))) => None,
            (Some(_), _) => Some(Clue::SaidTooEarly { value }),
            (None, Some(_)) => None,
            (None, None) => {
                let left = self.carrying(&value).next().is_some();
                Some(Clue::EndedTooSoon { value, left })
            }
        }
    }

    /// Two batches with sequence numbers of their own, from one instance.
    fn sent_anew(&self, twice: &Anomaly) -> Option<Clue> {
        let mut identities: HashMap<&str, (i64, i16, i32)> = HashMap::new();
        for call in self.carrying(&twice.value) {
            for batch in call.batches().filter(|batch| batch.producer_id >= 0 && holds(batch, &twice.value)) {
                let identity = (batch.producer_id, batch.producer_epoch, batch.base_sequence);
                if *identities.entry(call.client).or_insert(identity) != identity {
                    return Some(Clue::SentAnew { value: twice.value.clone() });
                }
            }
        }
        None
    }

    /// The transactional ids of two instances, against those that they were given.
    fn ids(&self) -> Option<Clue> {
        let used = |name: &str| {
            let mut own = self.of("InitProducerId").filter(|call| call.client == name);
            own.find_map(|call| call.asked.transactional_id.as_deref())
        };
        let mut instances =
            self.outcome.instances.iter().filter_map(|it| Some((it.given_id.as_deref()?, used(&it.name)?)));
        let (first, second) = (instances.next()?, instances.next()?);
        match (first.0 == second.0, first.1 == second.1) {
            (true, false) => Some(Clue::OtherIds),
            (false, true) => Some(Clue::SharedId),
            _ => None,
        }
    }

    /// A transaction that an instance left open which ended by itself.
    fn left_open(&self) -> Option<Clue> {
        let by_itself = |instance: &&Instance| {
            instance.ended.is_some() && !instance.deeds.iter().any(|(_, deed)| *deed == Deed::Kill)
        };
        let left_open = |instance: &Instance| {
            let mut own = self.calls.iter().rev().filter(|call| call.client == instance.name);
            let last = own.find(|call| call.is_result() || call.api == "EndTxn");
            last.is_some_and(Call::is_result)
        };
        self.outcome.instances.iter().filter(by_itself).any(left_open).then_some(Clue::LeftOpen)
    }

    /// The last commit and the last line of a partition are about the same offset, when the lab has waited for the next.
    fn offset_of_the_message(&self) -> Option<Clue> {
        let was_stopped = |instance: &Instance| instance.deeds.iter().any(|(_, deed)| *deed == Deed::Interrupt);
        if !self.outcome.instances.last().is_some_and(was_stopped) {
            return None;
        }
        let mut last: HashMap<i32, i64> = HashMap::new();
        for (_, _, line) in self.lines() {
            if let Line::Read(at, _) | Line::Process(at, _) | Line::Transform(at, _, _) = line {
                let offset = last.entry(at.partition).or_insert(at.offset);
                *offset = at.offset.max(*offset);
            }
        }
        let mut last: Vec<_> = last.into_iter().collect();
        last.sort_unstable();
        let committed = |partition| self.calls.iter().filter_map(move |call| call.commits(partition)).max();
        let same = last.into_iter().find(|(partition, offset)| committed(*partition) == Some(*offset));
        same.map(|(partition, offset)| Clue::OffsetOfTheMessage { partition, offset })
    }

    /// At most once: processed before, or although not, committed.
    fn processed_uncommitted(&self, twice: &Anomaly) -> Option<Clue> {
        let place = twice.places.first()?;
        if self.outcome.guarantee() != Guarantee::AtMostOnce || self.offset_of_the_message().is_some() {
            return None;
        }
        self.processed(place.partition, place.offset).find_map(|(printed, client)| {
            let covers = |call: &&Call<'_>| call.commits(place.partition).is_some_and(|offset| offset > place.offset);
            let commit = self.calls.iter().filter(|call| call.client == client).find(covers);
            let value = twice.value.clone();
            match commit.map(|call| (call.answered(), call.error())) {
                Some((Some(when), Some(error))) if when <= printed => Some(Clue::CommitRefused { value, error }),
                Some((Some(when), None)) if when <= printed => None,
                _ => Some(Clue::CommitNotAwaited { value }),
            }
        })
    }

    /// How a lost message was left behind.
    fn passed_over(&self, lost: &Anomaly) -> Option<Clue> {
        let Position { partition, offset, .. } = *lost.places.first()?;
        let value = lost.value.clone();
        let fetched =
            self.of("Fetch").flat_map(|call| &call.asked.partitions).filter(|part| part.partition == partition);
        let from = fetched.filter_map(|part| part.offset).min();
        if let Some(from) = from.filter(|from| *from > offset) {
            return Some(Clue::NeverFetched { value, from });
        }
        let passed = |call: &Call<'_>| call.accepted() && call.commits(partition).is_some_and(|past| past > offset);
        let mut calls = self.calls.iter().enumerate();
        let (_, commit) = calls.find(|(nth, call)| passed(call) && self.took_effect(*nth, call))?;
        let printed = self.processed(partition, offset).any(|(micros, _)| micros <= commit.micros);
        // A pipeline need not print.
        let sent = self.carrying(&lost.value).any(|call| call.micros <= commit.micros);
        if !printed && !sent {
            let offset = commit.commits(partition)?;
            return Some(Clue::CommittedFirst { value, offset, micros: commit.micros });
        }
        let before = |call: &&Call<'_>| call.micros < commit.micros && call.asked.commits == Some(false);
        let aborted = self.of("EndTxn").filter(before).last()?;
        Some(Clue::NotReadAgain { value, micros: aborted.micros })
    }

    /// Whether the offsets of a commit count: those of a transaction do when that is committed.
    fn took_effect(&self, nth: usize, call: &Call<'_>) -> bool {
        let mut next = self.calls.iter().skip(nth).filter(|next| next.client == call.client && next.api == "EndTxn");
        call.api == "OffsetCommit" || next.next().is_some_and(|end| end.asked.commits == Some(true))
    }

    fn read_uncommitted(&self) -> Option<Clue> {
        self.of("Fetch").any(|call| call.asked.read_committed == Some(false)).then_some(Clue::ReadUncommitted)
    }

    /// Results and offsets that are not of one transaction.
    fn offsets_apart(&self) -> Option<Clue> {
        if !self.calls.iter().any(Call::is_result) {
            return None;
        }
        if self.of("OffsetCommit").next().is_some() {
            return Some(Clue::OffsetsOutside);
        }
        // For each client: whether its transaction holds results, and offsets.
        let mut open: HashMap<&str, (bool, bool)> = HashMap::new();
        for call in &self.calls {
            let (results, offsets) = open.entry(call.client).or_default();
            *results |= call.is_result();
            *offsets |= call.api == "TxnOffsetCommit";
            if call.api == "EndTxn" {
                if call.asked.commits == Some(true) && *results && !*offsets {
                    return Some(Clue::NoOffsets { micros: call.micros });
                }
                (*results, *offsets) = (false, false);
            }
        }
        None
    }

    fn no_metadata(&self) -> Option<Clue> {
        let anonymous = |call: &Call<'_>| call.asked.generation.is_none_or(|generation| generation < 0);
        self.of("TxnOffsetCommit").any(anonymous).then_some(Clue::NoMetadata)
    }

    fn rejoined(&self) -> Option<Clue> {
        let mut open: HashMap<&str, bool> = HashMap::new();
        for call in &self.calls {
            let open = open.entry(call.client).or_default();
            match call.api {
                "JoinGroup" if *open => return Some(Clue::RejoinedInTransaction { micros: call.micros }),
                "EndTxn" => *open = false,
                _ => *open |= call.is_result(),
            }
        }
        None
    }
}

/// Whether a batch carries a value. Of a batch, the first and the last are known; values are numbered, and what is
/// between two numbers is in it. (A pipeline's results are in upper case.)
fn holds(batch: &Batch, value: &Value) -> bool {
    let (Some(first), Some(last)) = (&batch.first, &batch.last) else { return false };
    let value = value.to_string();
    let (Some(first), Some(last), Some(value)) = (numbered(first), numbered(last), numbered(&value)) else {
        return false;
    };
    first.0.eq_ignore_ascii_case(value.0) && (first.1..=last.1).contains(&value.1)
}

/// `msg-12` is ("msg-", 12).
fn numbered(value: &str) -> Option<(&str, u64)> {
    let prefix = value.trim_end_matches(|c: char| c.is_ascii_digit());
    Some((prefix, value.get(prefix.len()..)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn batch(first: &str, last: &str) -> Batch {
        Batch { first: Some(first.into()), last: Some(last.into()), ..Batch::default() }
    }

    #[test]
    fn a_batch_carries_what_is_between_its_first_and_its_last_value() {
        let carries = |first, last, value: &str| holds(&batch(first, last), &Value::from(value));
        assert!(carries("msg-2", "msg-10", "msg-9"));
        assert!(carries("MSG-2", "MSG-10", "msg-10"), "a result");
        assert!(!carries("msg-2", "msg-10", "msg-1") && !carries("msg-2", "msg-10", "msg-11"));
        assert!(!carries("msg-2", "msg-10", "eos-msg-3") && !carries("msg-2", "msg-10", "msg"));
        assert!(!holds(&Batch::default(), &Value::from("msg-1")));
    }

    /// A run of a sample, held to exactly once: a batch was sent again without a sequence number.
    fn held() -> Outcome {
        let mut outcome = sample::story::ack_lost();
        outcome.held = Some(crate::own::Held { guarantee: Guarantee::ExactlyOnce, command: "x".into() });
        outcome.verdict = crate::verdict::judge(outcome.promise(), &outcome.ledger).0;
        outcome
    }

    #[test]
    fn what_was_seen_is_told_and_nothing_where_all_is_well() {
        let outcome = held();
        assert_eq!(clues(&outcome), [Clue::NoSequence]);
        for lang in [Lang::En, Lang::Fr] {
            assert!(because(&outcome, lang)[0].contains("enable.idempotence"));
        }
        assert_eq!(clues(&sample::story::ack_lost()), []);
    }

    #[test]
    fn what_was_not_seen_is_not_said() {
        let mut outcome = held();
        outcome.marks.clear();
        assert_eq!(clues(&outcome), [], "nothing was sent again");
        let mut outcome = held();
        outcome.ledger.anomalies[0].kind = Kind::Lost;
        outcome.ledger.anomalies[0].value = Value::from("msg-11");
        assert_eq!(clues(&outcome), [], "its Produce was answered, without an error");
        // The answer to the last Produce is the last that happened.
        outcome.trace.pop();
        assert_eq!(clues(&outcome), [Clue::SaidTooEarly { value: Value::from("msg-11") }]);
    }
}
