//! The books of a producer.

use std::collections::{BTreeMap, HashMap, HashSet};

use common::grammar::Position;

use super::findings::{ByValue, Findings, by_place, by_value, stands_at};
use super::{Kind, Ledger};
use crate::catalogue::Producer;
use crate::reader::{Contents, Record};
use crate::said::{Claim, Ending, Fate, Producing};
use crate::value::Value;

impl Ledger {
    /// The books of a producer of which each instance was asked to send `intended`, in this order, to a topic of its
    /// own.
    pub fn of_producer(producer: Producer, intended: &[Value], said: &Producing, topic: &Contents) -> Self {
        let stored = by_value(&topic.visible);
        let copies = Copies::new(said, topic, &stored);
        let mut found = Findings::new(&topic.topic);
        // What has to be there: what was acknowledged; in a transaction, what was committed; with acks=0, what was sent.
        let is_owed = |claim: &Claim| match said.ending(claim) {
            Some(ending) => ending == Ending::Committed,
            None if producer.transactional => false,
            None if producer.acknowledged => claim.fate == Fate::Stored,
            None => claim.fate != Fate::Failed,
        };
        let is_aborted = |claim: &Claim| said.ending(claim) == Some(Ending::Aborted);
        let sent = places(said, &|_| true);
        let owed = places(said, &is_owed);
        let aborted = places(said, &is_aborted);
        // The end of its transaction says more than the failure of a delivery in it.
        let failed = places(said, &|claim| claim.fate == Fate::Failed && !is_aborted(claim));

        for (value, places) in in_order(&owed, intended) {
            if !stored.contains_key(value) {
                found.add(Kind::Lost, value, places.clone());
            }
        }
        found.duplicates(&stored, |_| 1);
        disorder(&mut found, intended, said, topic, &copies);
        let known: HashSet<_> = intended.iter().collect();
        for record in &topic.visible {
            if !known.contains(&record.value) && !sent.contains_key(&record.value) {
                found.add(Kind::Phantom, &record.value, vec![found.place(record)]);
            }
        }

        let mut shown = HashSet::new();
        for claim in said.claims.iter().filter(|claim| is_aborted(claim)) {
            if let Standing::Visible(records) = copies.standing(claim) {
                shown.insert(&claim.value);
                found.add(Kind::AbortedVisible, &claim.value, records.iter().map(|r| found.place(r)).collect());
            }
        }
        torn(&mut found, said, &copies);
        for claim in &said.claims {
            let Some(place) = &claim.place else { continue };
            // What is not there at all for a read_committed reader was told above.
            let hidden = is_owed(claim)
                && stored.contains_key(&claim.value)
                && !matches!(copies.standing(claim), Standing::Visible(_));
            if hidden || !copies.is_true(claim) {
                found.add(Kind::Misplaced, &claim.value, vec![place.clone()]);
            }
        }

        for (value, _) in in_order(&failed, intended) {
            let unclaimed = copies.unclaimed(value);
            found.add(Kind::Failed, value, unclaimed.iter().map(|record| found.place(record)).collect());
        }
        for (value, places) in in_order(&aborted, intended) {
            if !shown.contains(value) {
                found.add(Kind::Aborted, value, places.clone());
            }
        }
        for value in intended {
            if !sent.contains_key(value) {
                found.add(Kind::Missing, value, found.places(&stored, value));
            } else if !owed.contains_key(value) && !failed.contains_key(value) && !aborted.contains_key(value) {
                found.add(Kind::Unacknowledged, value, found.places(&stored, value));
            }
        }
        Self {
            sent: Some(sent.len()),
            acknowledged: producer.acknowledged.then_some(owed.len()),
            stored: topic.visible.len(),
            processed: None,
            aborted_input: 0,
            started_over: copies.started_over(),
            anomalies: found.anomalies,
        }
    }
}

/// Values, with places that were named for them.
type Places<'a> = HashMap<&'a Value, Vec<Position<'static>>>;

/// Which copy in the topic belongs to which claim.
struct Copies<'a> {
    said: &'a Producing,
    topic: &'a Contents,
    /// All that a read_uncommitted reader sees.
    there: HashMap<(i32, i64), &'a Value>,
    stored: &'a ByValue<'a>,
    /// Which instance says, truly, that its message stands there.
    owners: HashMap<(i32, i64), usize>,
    /// The instances that say so of some copy of this value.
    placed: HashMap<&'a Value, HashSet<usize>>,
}

/// Whether a read_committed reader sees the copy that a claim is about.
enum Standing<'a> {
    /// It does; without a place in the claim, one of these.
    Visible(Vec<&'a Record>),
    /// It does not.
    Hidden,
    /// A copy is visible that may as well be another instance's.
    Unknown,
}

impl<'a> Copies<'a> {
    fn new(said: &'a Producing, topic: &'a Contents, stored: &'a ByValue<'a>) -> Self {
        let there = by_place(&topic.all);
        let (mut owners, mut placed) = (HashMap::new(), HashMap::<_, HashSet<usize>>::new());
        for claim in &said.claims {
            if let Some(place) = &claim.place
                && stands_at(&there, topic, place, &claim.value)
            {
                owners.insert((place.partition, place.offset), claim.instance);
                placed.entry(&claim.value).or_default().insert(claim.instance);
            }
        }
        Self { said, topic, there, stored, owners, placed }
    }

    /// Whether the value stands where the claim says, if it says where. In an aborted transaction, it does so too.
    fn is_true(&self, claim: &Claim) -> bool {
        claim.place.as_ref().is_none_or(|place| stands_at(&self.there, self.topic, place, &claim.value))
    }

    /// The visible copies whose place nobody has named.
    fn unclaimed(&self, value: &Value) -> Vec<&'a Record> {
        let copies = self.stored.get(value).into_iter().flatten();
        copies.filter(|record| self.owner(record).is_none()).copied().collect()
    }

    fn owner(&self, record: &Record) -> Option<usize> {
        self.owners.get(&(record.partition, record.offset)).copied()
    }

    /// The values that stand there several times, and not more than once for each instance: copies whose place an
    /// instance has named are its own, and each of the others may be of one that has named none.
    fn started_over(&self) -> HashSet<Value> {
        let may_be = |records: &[&Record]| {
            let named: Vec<_> = records.iter().filter_map(|record| self.owner(record)).collect();
            let owners: HashSet<_> = named.iter().collect();
            owners.len() == named.len() && records.len() <= self.said.instances
        };
        let several = self.stored.iter().filter(|(_, records)| records.len() > 1 && may_be(records));
        several.map(|(value, _)| (*value).clone()).collect()
    }

    fn standing(&self, claim: &Claim) -> Standing<'a> {
        if let Some(place) = &claim.place
            && self.is_true(claim)
        {
            let copies = self.stored.get(&claim.value).into_iter().flatten();
            let own = copies.filter(|copy| (copy.partition, copy.offset) == (place.partition, place.offset));
            let own: Vec<_> = own.copied().collect();
            return if own.is_empty() { Standing::Hidden } else { Standing::Visible(own) };
        }
        let unclaimed = self.unclaimed(&claim.value);
        if unclaimed.is_empty() {
            return Standing::Hidden;
        }
        // An instance that has not named the place of this message may have written the copy: killed, it had no time.
        let placed = self.placed.get(&claim.value);
        let others = (0..self.said.instances).filter(|&other| other != claim.instance);
        if others.into_iter().all(|other| placed.is_some_and(|placed| placed.contains(&other))) {
            Standing::Visible(unclaimed)
        } else {
            Standing::Unknown
        }
    }
}

/// What is missing from transactions of which nobody knows how they ended, and of which a part is visible. (Of one that
/// was said to be committed it is lost; of one that was said to be aborted, the part that is visible is told.)
fn torn(found: &mut Findings<'_>, said: &Producing, copies: &Copies<'_>) {
    let mut unknown: BTreeMap<usize, Vec<&Claim>> = BTreeMap::new();
    for claim in &said.claims {
        if let (Some(number), Some(Ending::Unknown)) = (claim.transaction, said.ending(claim)) {
            unknown.entry(number).or_default().push(claim);
        }
    }
    for of in unknown.values() {
        if of.iter().any(|claim| matches!(copies.standing(claim), Standing::Visible(_))) {
            for claim in of.iter().filter(|claim| matches!(copies.standing(claim), Standing::Hidden)) {
                found.add(Kind::Torn, &claim.value, claim.place.iter().cloned().collect());
            }
        }
    }
}

/// Each instance begins anew: only what one instance wrote is in any order. Of several instances, which has written a
/// copy whose place none has named is not known, and nothing is said of it.
fn disorder(found: &mut Findings<'_>, intended: &[Value], said: &Producing, topic: &Contents, copies: &Copies<'_>) {
    let order: HashMap<_, _> = intended.iter().enumerate().map(|(i, value)| (value, i)).collect();
    let mut nobodys = HashSet::new();
    let mut by_instance: Vec<Vec<_>> = vec![Vec::new(); said.instances.max(1)];
    for record in &topic.visible {
        let Some(&position) = order.get(&record.value) else { continue };
        let owner = if said.instances <= 1 { Some(0) } else { copies.owner(record) };
        match owner.and_then(|owner| by_instance.get_mut(owner)) {
            // The first copy of it may be one that nobody has named: this one is a duplicate.
            Some(_) if nobodys.contains(&(record.partition, position)) => {}
            Some(own) => own.push((record.partition, position, record)),
            None => {
                nobodys.insert((record.partition, position));
            }
        }
    }
    for own in by_instance {
        found.disorder(own.into_iter());
    }
}

/// The values of which an instance said this, each with the places that it named.
fn places<'a>(said: &'a Producing, wanted: &dyn Fn(&Claim) -> bool) -> Places<'a> {
    let mut places = Places::new();
    for claim in said.claims.iter().filter(|claim| wanted(claim)) {
        places.entry(&claim.value).or_default().extend(claim.place.clone());
    }
    places
}

/// In the order of sending; what was not to be sent comes last, sorted, so that a report is the same each time.
fn in_order<'p, 'a>(places: &'p Places<'a>, intended: &[Value]) -> Vec<(&'a Value, &'p Vec<Position<'static>>)> {
    let order: HashMap<_, _> = intended.iter().enumerate().map(|(i, value)| (value, i)).collect();
    let mut ordered: Vec<_> = places.iter().map(|(value, places)| (*value, places)).collect();
    ordered.sort_by_key(|(value, _)| (order.get(value).copied().unwrap_or(usize::MAX), *value));
    ordered
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::catalogue::{Role, find};
    use crate::said;

    const DELIVERED: &str = "delivered t[0]@0 0\ndelivered t[0]@1 1\ndelivered t[0]@2 2\ndelivered t[0]@3 3";

    #[test]
    fn a_program_that_starts_over_may_leave_one_copy_for_each_instance() {
        let over = |instances: &[&str], topic: &Contents| {
            let mut over: Vec<_> =
                producers("eos-producer", instances, topic).started_over.iter().map(ToString::to_string).collect();
            over.sort();
            over
        };
        let (one, two) = ("committed t[0]@0 0", "committed t[0]@2 0");
        assert_eq!(over(&[one, two], &topic(&["0 _ 0 _"])), ["0"]);
        assert_eq!(over(&["", two], &topic(&["0 _ 0 _"])), ["0"], "killed before it could say so");
        assert_eq!(over(&[one], &topic(&["0 _ 0 _"])), [""; 0], "by itself");
        assert_eq!(over(&[&format!("{one}\n{two}"), ""], &topic(&["0 _ 0 _"])), [""; 0], "both are the first's");
        assert_eq!(over(&[one, two], &topic(&["0 _ 0 _ 0 _"])), [""; 0], "one too many");
    }

    #[test]
    fn a_producer_that_did_everything_has_clean_books() {
        let ledger = producer("producer-at-least-once", DELIVERED, &topic(&["0 1 2 3"]));
        assert_eq!(ledger.anomalies, []);
        assert_eq!((ledger.sent, ledger.acknowledged, ledger.stored), (Some(4), Some(4), 4));

        let committed = format!("{DELIVERED}\ncommitted 4");
        let ledger = producer("producer-exactly-once", &committed, &topic(&["0 1 2 3 _"]));
        assert_eq!(ledger.anomalies, []);

        let ledger = producer("producer-at-most-once", "sent 0\nsent 1\nsent 2\nsent 3", &topic(&["0 1 2 3"]));
        assert_eq!(ledger.anomalies, []);
        assert_eq!(ledger.acknowledged, None);
    }

    #[test]
    fn an_acknowledged_message_that_is_not_stored_is_lost() {
        let ledger = producer("producer-at-least-once", DELIVERED, &topic(&["0 1 _ 3"]));
        let (broken, _) = judged("producer-at-least-once", &ledger);
        assert!(broken.contains(&(Kind::Lost, "2".into(), 1, "t[0]@2".into())), "{broken:?}");
        assert_eq!(ledger.count(Kind::Lost), 1);
    }

    #[test]
    fn without_acknowledgements_what_was_sent_and_is_not_stored_is_lost_and_that_is_allowed() {
        let ledger = producer("producer-at-most-once", "sent 0\nsent 1\nsent 2\nfailed 3: why", &topic(&["0 2"]));
        let (broken, allowed) = judged("producer-at-most-once", &ledger);
        assert_eq!(broken, []);
        assert_eq!(allowed, [one(Kind::Lost, "1", ""), one(Kind::Failed, "3", "")].concat());
    }

    #[test]
    fn a_copy_is_a_duplicate_wherever_it_stands() {
        let text = DELIVERED.replace("@3 3", "@4 3");
        let ledger = producer("producer-at-least-once", &text, &topic(&["0 1 2 0 3", "1 1"]));
        let duplicates = vec![
            (Kind::Duplicated, "0".to_owned(), 1, "t[0]@0 t[0]@3".to_owned()),
            (Kind::Duplicated, "1".to_owned(), 2, "t[0]@1 t[1]@0 t[1]@1".to_owned()),
        ];
        assert_eq!(judged("producer-at-least-once", &ledger), (Vec::new(), duplicates.clone()), "allowed");
        assert_eq!(ledger.count(Kind::Duplicated), 3);
        let ledger = producer("producer-at-most-once", "sent 0\nsent 1\nsent 2\nsent 3", &topic(&["0 1 2 0 3", "1 1"]));
        assert_eq!(judged("producer-at-most-once", &ledger), (duplicates, Vec::new()), "not allowed");
    }

    #[test]
    fn a_message_behind_a_later_one_is_out_of_order_and_a_late_copy_is_not() {
        let text = "delivered t[0]@0 0\ndelivered t[0]@2 1\ndelivered t[0]@1 2\ndelivered t[0]@3 3";
        let ledger = producer("producer-at-least-once", text, &topic(&["0 2 1 3"]));
        assert_eq!(judged("producer-at-least-once", &ledger), (Vec::new(), one(Kind::Reordered, "1", "t[0]@2")));
        let committed = format!("{text}\ncommitted 4");
        let ledger = producer("producer-exactly-once", &committed, &topic(&["0 2 1 3 _"]));
        assert_eq!(judged("producer-exactly-once", &ledger).0, one(Kind::Reordered, "1", "t[0]@2"));
        let ledger = producer("producer-at-least-once", DELIVERED, &topic(&["0 1 2 3 0 1"]));
        assert_eq!(ledger.count(Kind::Reordered), 0, "copies are duplicates, no disorder");
        let text = "delivered t[1]@0 0\ndelivered t[0]@0 1\ndelivered t[0]@1 2\ndelivered t[1]@1 3";
        let ledger = producer("producer-at-least-once", text, &topic(&["1 2", "0 3"]));
        assert_eq!(ledger.anomalies, [], "there is no order between partitions");
    }

    #[test]
    fn an_aborted_transaction_must_not_show() {
        let text = format!("{DELIVERED}\naborted 4: why");
        let ledger = producer("producer-exactly-once", &text, &topic(&["-0 -1 -2 -3 _"]));
        assert_eq!(judged("producer-exactly-once", &ledger).0, []);
        let ledger = producer("producer-exactly-once", &text, &topic(&["-0 1 -2 -3 _"]));
        assert_eq!(judged("producer-exactly-once", &ledger).0, one(Kind::AbortedVisible, "1", "t[0]@1"));
    }

    #[test]
    fn a_transaction_of_unknown_outcome_is_all_or_nothing() {
        let broken = |contents: &[&str]| {
            let ledger = producer("producer-exactly-once", DELIVERED, &topic(contents));
            judged("producer-exactly-once", &ledger).0
        };
        assert_eq!(broken(&["-0 -1 -2 -3 _"]), []);
        assert_eq!(broken(&["0 1 2 3 _"]), []);
        assert_eq!(broken(&["0 1 -2 3 _"]), one(Kind::Torn, "2", "t[0]@2"));
    }

    #[test]
    fn a_part_of_a_committed_transaction_is_a_loss() {
        let text = format!("{DELIVERED}\ncommitted 4");
        let ledger = producer("producer-exactly-once", &text, &topic(&["0 1 2 -3 _"]));
        assert_eq!(judged("producer-exactly-once", &ledger).0, one(Kind::Lost, "3", "t[0]@3"));
    }

    #[test]
    fn each_message_of_the_eos_producer_is_a_transaction() {
        let text = "committed t[0]@0 0\ncommitted t[0]@2 1\ncommitted t[0]@4 2\nfailed 3: why";
        let ledger = producer("eos-producer", text, &topic(&["0 _ 1 _ 2 _"]));
        assert_eq!(judged("eos-producer", &ledger), (Vec::new(), one(Kind::Failed, "3", "")));
        assert_eq!((ledger.sent, ledger.acknowledged), (Some(4), Some(3)));
        let ledger = producer("eos-producer", text, &topic(&["0 _ -1 _ 2 _"]));
        assert_eq!(judged("eos-producer", &ledger).0, one(Kind::Lost, "1", "t[0]@2"));
    }

    #[test]
    fn a_false_place_and_a_value_from_nowhere_break_any_promise() {
        let text = DELIVERED.replace("@1 1", "@7 1");
        let ledger = producer("producer-at-least-once", &text, &topic(&["0 1 2 3"]));
        assert_eq!(judged("producer-at-least-once", &ledger).0, one(Kind::Misplaced, "1", "t[0]@7"));
        let text = DELIVERED.replace("t[0]@1 1", "other[0]@1 1");
        let ledger = producer("producer-at-least-once", &text, &topic(&["0 1 2 3"]));
        assert_eq!(judged("producer-at-least-once", &ledger).0, one(Kind::Misplaced, "1", "other[0]@1"));
        let ledger = producer("producer-at-least-once", DELIVERED, &topic(&["0 1 2 3 boo"]));
        assert_eq!(judged("producer-at-least-once", &ledger).0, one(Kind::Phantom, "boo", "t[0]@4"));
    }

    #[test]
    fn what_was_not_sent_or_not_acknowledged_is_told_but_breaks_nothing() {
        let ledger =
            producer("producer-at-least-once", "delivered t[0]@0 0\nsent 1\nfailed 2: why", &topic(&["0 1 2"]));
        let expected =
            [one(Kind::Failed, "2", "t[0]@2"), one(Kind::Unacknowledged, "1", "t[0]@1"), one(Kind::Missing, "3", "")];
        assert_eq!(judged("producer-at-least-once", &ledger), (Vec::new(), expected.concat()));
    }

    const COMMITTED_LATER: &str =
        "delivered t[0]@5 0\ndelivered t[0]@6 1\ndelivered t[0]@7 2\ndelivered t[0]@8 3\ncommitted 4";

    #[test]
    fn an_aborted_transaction_is_told_whole_and_breaks_nothing() {
        let text = "delivered t[0]@0 0\ndelivered t[0]@1 1\nfailed 2: purged\naborted 4: why";
        let ledger = producer("producer-exactly-once", text, &topic(&["-0 -1 _"]));
        let expected = [
            one(Kind::Aborted, "0", "t[0]@0"),
            one(Kind::Aborted, "1", "t[0]@1"),
            one(Kind::Aborted, "2", ""),
            one(Kind::Missing, "3", ""),
        ];
        assert_eq!(judged("producer-exactly-once", &ledger), (Vec::new(), expected.concat()));
    }

    #[test]
    fn what_was_killed_before_its_commit_and_done_again_is_clean() {
        let log = topic(&["-0 -1 -2 -3 _ 0 1 2 3 _"]);
        let ledger = producers("producer-exactly-once", &[DELIVERED, COMMITTED_LATER], &log);
        assert_eq!(ledger.anomalies, []);
        assert_eq!((ledger.sent, ledger.acknowledged, ledger.stored), (Some(4), Some(4), 4));
        let silent = producers("producer-exactly-once", &["", COMMITTED_LATER], &log);
        assert_eq!(silent.anomalies, [], "killed before it said anything");
        let half = "delivered t[0]@0 0\ndelivered t[0]@1 1";
        let said_half = producers("producer-exactly-once", &[half, COMMITTED_LATER], &log);
        assert_eq!(said_half.anomalies, []);
    }

    #[test]
    fn what_was_committed_by_two_instances_is_there_twice() {
        let log = topic(&["0 1 2 3 _ 0 1 2 3 _"]);
        let twice: Found =
            (0..4).map(|i| (Kind::Duplicated, i.to_string(), 1, format!("t[0]@{i} t[0]@{}", i + 5))).collect();
        let killed_after = producers("producer-exactly-once", &[DELIVERED, COMMITTED_LATER], &log);
        assert_eq!(judged("producer-exactly-once", &killed_after), (twice.clone(), Vec::new()));
        let first = format!("{DELIVERED}\ncommitted 4");
        let done_twice = producers("producer-exactly-once", &[&first, COMMITTED_LATER], &log);
        assert_eq!(judged("producer-exactly-once", &done_twice), (twice, Vec::new()));
    }

    #[test]
    fn a_commit_that_a_killed_instance_had_no_time_to_tell_of_is_only_a_duplicate() {
        let second = "committed t[0]@4 0\ncommitted t[0]@6 1\ncommitted t[0]@8 2\ncommitted t[0]@10 3";
        let log = topic(&["0 _ 1 _ 0 _ 1 _ 2 _ 3 _"]);
        let ledger = producers("eos-producer", &["committed t[0]@0 0", second], &log);
        let twice = vec![
            (Kind::Duplicated, "0".to_owned(), 1, "t[0]@0 t[0]@4".to_owned()),
            (Kind::Duplicated, "1".to_owned(), 1, "t[0]@2 t[0]@6".to_owned()),
        ];
        assert_eq!(judged("eos-producer", &ledger), (twice, Vec::new()));
    }

    #[test]
    fn a_transaction_is_torn_by_its_own_copies_only() {
        let log = topic(&["-0 -1 -2 -3 _ 0 1 2 3 _"]);
        let unknown = "delivered t[0]@0 0\ndelivered t[0]@1 1\nfailed 2: why\nfailed 3: why";
        let ledger = producers("producer-exactly-once", &[unknown, COMMITTED_LATER], &log);
        assert_eq!(judged("producer-exactly-once", &ledger).0, [], "the other instance's copies");
        let log = topic(&["0 -1 -2 -3 _ 0 1 2 3 _"]);
        let ledger = producers("producer-exactly-once", &[DELIVERED, COMMITTED_LATER], &log);
        let torn: Found = judged("producer-exactly-once", &ledger).0;
        let torn: Vec<_> = torn.into_iter().filter(|(kind, ..)| *kind == Kind::Torn).map(|(_, v, ..)| v).collect();
        assert_eq!(torn, ["1", "2", "3"], "half of the first instance's transaction is there");
    }

    #[test]
    fn an_aborted_message_is_visible_only_where_nobody_else_has_put_it() {
        let first = "delivered t[0]@0 0\nfailed 1: purged\nfailed 2: purged\naborted 4: why";
        let visible = |second: &str, log: &str| {
            let ledger = producers("producer-exactly-once", &[first, second], &topic(&[log]));
            let visible = ledger.anomalies.iter().filter(|anomaly| anomaly.kind == Kind::AbortedVisible);
            visible.map(|anomaly| anomaly.value.to_string()).collect::<Vec<_>>()
        };
        let none: Vec<String> = Vec::new();
        assert_eq!(visible(COMMITTED_LATER, "-0 _ _ _ _ 0 1 2 3 _"), none);
        assert_eq!(visible(COMMITTED_LATER, "0 _ _ _ _ 0 1 2 3 _"), ["0"], "its own copy");
        assert_eq!(visible(COMMITTED_LATER, "-0 1 _ _ _ 0 1 2 3 _"), ["1"], "nobody else's");
        assert_eq!(visible("", "-0 1 _"), none, "the second one may have been killed before it said so");
    }

    #[test]
    fn a_committed_copy_that_is_hidden_is_not_where_the_program_says() {
        let first = format!("{DELIVERED}\ncommitted 4");
        let log = topic(&["0 1 -2 3 _ 0 1 2 3 _"]);
        let ledger = producers("producer-exactly-once", &[&first, COMMITTED_LATER], &log);
        let broken = judged("producer-exactly-once", &ledger).0;
        assert!(broken.contains(&(Kind::Misplaced, "2".into(), 1, "t[0]@2".into())), "{broken:?}");
        assert_eq!(ledger.count(Kind::Lost), 0);
    }

    #[test]
    fn what_one_instance_failed_to_send_and_another_sent_is_owed() {
        let ledger = producers("producer-at-most-once", &["failed 0: why", "sent 0"], &topic(&["1"]));
        assert!(found(&ledger.anomalies).contains(&(Kind::Lost, "0".into(), 1, String::new())));
        let ledger = producers("producer-at-most-once", &["failed 0: why"], &topic(&["1"]));
        assert_eq!(ledger.count(Kind::Lost), 0);
    }

    #[test]
    fn a_failed_message_may_stand_there_and_its_copies_are_named_without_those_of_others() {
        let log = topic(&["0 0 0 1"]);
        let ledger = producers("producer-at-least-once", &["failed 0: why", "delivered t[0]@2 0"], &log);
        assert!(found(&ledger.anomalies).contains(&(Kind::Failed, "0".into(), 1, "t[0]@0 t[0]@1".into())));
        assert_eq!(ledger.count(Kind::Duplicated), 2);
    }

    #[test]
    fn a_restart_is_no_disorder_and_the_disorder_of_an_instance_is_one() {
        let first = "delivered t[0]@0 0\ndelivered t[0]@1 3";
        let second = "delivered t[0]@2 0\ndelivered t[0]@3 1\ndelivered t[0]@4 2\ndelivered t[0]@5 3";
        let reordered = |log: &str, second: &str| {
            let ledger = producers("producer-at-least-once", &[first, second], &topic(&[log]));
            found(&ledger.anomalies).into_iter().filter(|(kind, ..)| *kind == Kind::Reordered).collect::<Found>()
        };
        assert_eq!(reordered("0 3 0 1 2 3", second), []);
        let disorder = second.replace("@3 1", "@4 1").replace("@4 2", "@3 2");
        assert_eq!(reordered("0 3 0 2 1 3", &disorder), one(Kind::Reordered, "1", "t[0]@4"));
        let retried = "delivered t[0]@2 0\ndelivered t[0]@5 1\ndelivered t[0]@4 2\ndelivered t[0]@6 3";
        assert_eq!(reordered("0 3 0 1 2 1 3", retried), [], "the first copy, which nobody names, is in order");
    }

    mod counts {
        use proptest::prelude::*;

        use super::*;

        /// What a broker might hold after twelve messages: any of them, any number of times, in any order.
        fn stored() -> impl Strategy<Value = Vec<usize>> {
            proptest::collection::vec(0..12_usize, 0..24)
        }

        proptest! {
            #[test]
            fn are_those_of_the_naive_count(stored in stored()) {
                let intended: Vec<_> = (0..12).map(|i| value(&i.to_string())).collect();
                let names: Vec<_> = stored.iter().map(ToString::to_string).collect();
                let contents = topic(&[&names.join(" ")]);
                let text: Vec<_> = (0..12).map(|i| format!("delivered t[0]@-1001 {i}")).collect();
                let Role::Producer(of) = find("producer-at-least-once").unwrap().role else { panic!() };
                let ledger = Ledger::of_producer(of, &intended, &said::producing(&text, false), &contents);

                let copies = |i: usize| stored.iter().filter(|&&other| other == i).count();
                let lost = (0..12).filter(|&i| copies(i) == 0).count();
                let surplus: usize = (0..12).map(|i| copies(i).saturating_sub(1)).sum();
                let late = (0..stored.len()).filter(|&at| {
                    let (before, this) = (&stored[..at], stored[at]);
                    !before.contains(&this) && before.iter().any(|&other| other > this)
                });
                prop_assert_eq!(ledger.count(Kind::Lost), lost);
                prop_assert_eq!(ledger.count(Kind::Duplicated), surplus);
                prop_assert_eq!(ledger.count(Kind::Reordered), late.count());
                prop_assert_eq!(ledger.stored, stored.len());
                prop_assert_eq!(ledger.anomalies.iter().filter(|a| a.kind == Kind::Phantom).count(), 0);
            }
        }
    }
}
