//! What an answer to Fetch may be: the batches of the log, as far as the reader may see them.

use std::collections::{BTreeMap, HashSet};

use broker::{Millis, Wait};
use bytes::Bytes;
use kafka_protocol::messages::{
    FetchRequest, FetchResponse,
    fetch_request::{FetchPartition, FetchTopic},
    fetch_response::PartitionData,
};

use crate::{
    batch::{self, TRANSACTIONAL},
    log::{Fate, Log, split},
    run::{Checked, hold},
    step::At,
    world::{Outcome, UNKNOWN_TOPIC_OR_PARTITION, World, decode, topic_name},
};

const OFFSET_OUT_OF_RANGE: i16 = 1;
/// In which all versions that clients ask for agree, as far as the body is concerned.
const VERSION: i16 = 11;
const EVERYTHING: i32 = 50 << 20;

/// A Fetch.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) consumer: usize,
    pub(crate) committed: bool,
    pub(crate) from: BTreeMap<At, i64>,
    pub(crate) deadline: Millis,
    pub(crate) min_bytes: usize,
    pub(crate) max_bytes: usize,
}

impl Wanted {
    /// Whether there is enough to answer it with, or something that its consumer has to know.
    pub(crate) fn is_satisfied(&self, logs: &BTreeMap<At, Log>) -> bool {
        let mut readable = 0;
        for (at, from) in &self.from {
            let Some(log) = logs.get(at) else { return true };
            if !(log.start..=log.end).contains(from) {
                return true;
            }
            readable += log.readable(*from, self.committed);
        }
        readable >= self.min_bytes
    }
}

/// Offsets and records that a consumer is given, and where it goes on; `None`: its offset does not exist.
pub(crate) type Read = Option<(Vec<(i64, u64)>, i64)>;
pub(crate) type Delivered = BTreeMap<At, Read>;

fn request(wanted: &Wanted, max_wait: Millis) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for ((topic, partition), from) in &wanted.from {
        let name = topic_name(*topic);
        if topics.last().is_none_or(|last| last.topic != name) {
            topics.push(FetchTopic::default().with_topic(name));
        }
        let partition = FetchPartition::default()
            .with_partition(*partition)
            .with_current_leader_epoch(-1)
            .with_fetch_offset(*from)
            .with_log_start_offset(-1)
            .with_partition_max_bytes(wanted.max_bytes as i32);
        if let Some(last) = topics.last_mut() {
            last.partitions.push(partition);
        }
    }
    FetchRequest::default()
        .with_max_wait_ms(max_wait as i32)
        .with_min_bytes(wanted.min_bytes as i32)
        .with_max_bytes(EVERYTHING)
        .with_isolation_level(i8::from(wanted.committed))
        .with_session_epoch(-1)
        .with_topics(topics)
}

impl World {
    fn everything(&self, from: BTreeMap<At, i64>, committed: bool) -> Wanted {
        let max_bytes = EVERYTHING as usize;
        Wanted { consumer: usize::MAX, committed, from, deadline: self.now, min_bytes: 0, max_bytes }
    }

    fn at_once(&mut self, wanted: &Wanted) -> Checked<FetchResponse> {
        self.call(&request(wanted, 0), VERSION)
    }

    /// The observer at `read_uncommitted`: what is new goes to the logs. Gives the index of the first new batch of each.
    pub(crate) fn read_new(&mut self) -> Checked<BTreeMap<At, usize>> {
        let wanted = self.everything(self.logs.iter().map(|(at, log)| (*at, log.end)).collect(), false);
        let limit = self.settings.retention_bytes;
        let mut first = BTreeMap::new();
        for (at, data) in partitions(self.at_once(&wanted)?) {
            let log = self.logs.get_mut(&at).ok_or("a partition that nobody wanted")?;
            hold!(data.error_code == 0, "the observer gets error {} in {at:?}", data.error_code);
            first.insert(at, log.batches.len());
            let bytes = data.records.unwrap_or_default();
            let batches = split(&bytes);
            hold!(batches.iter().map(Bytes::len).sum::<usize>() == bytes.len(), "a batch is cut without need");
            for batch in batches {
                log.push(batch, true).map_err(|why| format!("{at:?}: {why}"))?;
            }
            let forgotten = data.log_start_offset > log.start;
            log.bounds(data.high_watermark, data.last_stable_offset, data.log_start_offset)
                .map_err(|why| format!("{at:?}: {why}"))?;
            hold!(!forgotten || log.kept() >= limit, "{at:?} keeps {} bytes where {limit} are wanted", log.kept());
        }
        Ok(first)
    }

    /// The observer at `read_committed`, which goes on where something has become stable.
    pub(crate) fn read_stable(&mut self) -> Checked {
        let from: BTreeMap<At, i64> = self
            .stable
            .iter()
            .filter_map(|(at, from)| Some((*at, *from, self.logs.get(at)?)))
            .filter(|(_, from, log)| log.last_stable_offset() > *from)
            .map(|(at, from, log)| (at, from.max(log.start)))
            .collect();
        if from.is_empty() {
            return Ok(());
        }
        let wanted = self.everything(from, true);
        let response = self.at_once(&wanted)?;
        for (at, delivered) in self.check(&wanted, response)? {
            let (_, next) = delivered.ok_or("an offset that exists is out of range")?;
            self.stable.insert(at, next);
        }
        Ok(())
    }

    /// A consumer's Fetch. `None`: it waits.
    pub(crate) fn fetch(&mut self, wanted: Wanted, max_wait: Millis) -> Checked<Option<Delivered>> {
        match self.send(&request(&wanted, max_wait), VERSION)? {
            Outcome::Answer(response) => {
                let satisfied = wanted.is_satisfied(&self.logs);
                // A limit of its own lets a Fetch be answered with less than it wants, never with more.
                let limited = wanted.max_bytes < EVERYTHING as usize;
                hold!(satisfied || max_wait == 0 || limited, "a Fetch is answered too early: {wanted:?}");
                self.check(&wanted, response).map(Some)
            }
            Outcome::Wait(wait) => {
                self.fetches.insert(wait, wanted);
                Ok(None)
            }
            Outcome::Silence => Err("Fetch without answer".into()),
        }
    }

    /// The answer to a Fetch that has waited.
    pub(crate) fn answer_fetch(&mut self, wait: Wait, wanted: &Wanted, bytes: Bytes) -> Checked {
        let (_, response) = decode::<FetchResponse>(bytes, VERSION)?;
        let due = wanted.deadline <= self.now || wanted.is_satisfied(&self.logs);
        hold!(due, "{wait:?} is answered too early: {wanted:?}");
        let delivered = self.check(wanted, response)?;
        self.delivered.push((wanted.consumer, delivered));
        Ok(())
    }

    /// Reads each log once more, from its start and from between its batches, in small pieces and in large ones.
    pub(crate) fn read_again(&mut self) -> Checked {
        let logs: Vec<(At, i64, i64)> = self.logs.iter().map(|(at, log)| (*at, log.start, log.end)).collect();
        for committed in [false, true] {
            for max_bytes in [1, 250, EVERYTHING as usize] {
                for (at, start, end) in &logs {
                    let mut from = *start;
                    while from < *end {
                        let mut wanted = self.everything(BTreeMap::from([(*at, from)]), committed);
                        wanted.max_bytes = max_bytes;
                        let response = self.at_once(&wanted)?;
                        let delivered = self.check(&wanted, response)?.into_values().flatten().next();
                        let (_, next) = delivered.ok_or("an offset that exists is out of range")?;
                        hold!(next > from, "a reader of {at:?} stands at {from}");
                        // Small reads follow each other; of large ones, a few are enough.
                        from = if max_bytes > 250 { from + 1 + (end - start) / 4 } else { next };
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a response is what its reader may see; what a consumer makes of it.
    fn check(&self, wanted: &Wanted, response: FetchResponse) -> Checked<Delivered> {
        hold!(response.error_code == 0, "a Fetch gets error {}", response.error_code);
        let mut delivered = Delivered::new();
        let mut bytes = 0;
        for (at, data) in partitions(response) {
            let from = *wanted.from.get(&at).ok_or("a partition that nobody wanted")?;
            bytes += data.records.as_ref().map_or(0, Bytes::len);
            let checked = self.check_partition(wanted, at, from, data);
            delivered.insert(at, checked.map_err(|why| format!("{at:?} from {from}: {why} ({wanted:?})"))?);
        }
        hold!(delivered.len() == wanted.from.len(), "a partition is not answered");
        let readable = |(at, from): (&At, &i64)| {
            let log = self.logs.get(at)?;
            (log.start..=log.end).contains(from).then(|| log.readable(*from, wanted.committed))
        };
        let readable: usize = wanted.from.iter().filter_map(readable).sum();
        hold!(bytes > 0 || readable == 0, "nothing is read where {readable} bytes are");
        Ok(delivered)
    }

    fn check_partition(&self, wanted: &Wanted, at: At, from: i64, data: PartitionData) -> Checked<Read> {
        let code = data.error_code;
        let Some(log) = self.logs.get(&at) else {
            hold!(code == UNKNOWN_TOPIC_OR_PARTITION, "error {code} for a partition that does not exist");
            return Ok(None);
        };
        if !(log.start..=log.end).contains(&from) {
            hold!(code == OFFSET_OUT_OF_RANGE, "error {code} for an offset that does not exist");
            return Ok(None);
        }
        hold!(code == 0, "error {code}");
        let bounds = (data.high_watermark, data.last_stable_offset, data.log_start_offset);
        hold!(bounds == (log.end, log.last_stable_offset(), log.start), "high watermark, LSO, start: {bounds:?}");
        let upper = log.upper(wanted.committed);
        let bytes = data.records.unwrap_or_default();
        let batches = split(&bytes);
        let first = log.index_of(from);
        let mut next = from;
        for (index, batch) in batches.iter().enumerate() {
            let seen = log.batches.get(first + index).ok_or("a batch past the end")?;
            hold!(seen.bytes == *batch, "not the batch of offset {}", seen.base_offset);
            hold!(seen.last_offset < upper, "a batch past offset {upper}");
            next = seen.last_offset + 1;
        }
        hold!(
            wanted.max_bytes < EVERYTHING as usize || bytes.len() == log.readable(from, wanted.committed),
            "{} bytes are read where {} are",
            bytes.len(),
            log.readable(from, wanted.committed)
        );
        let aborted = data.aborted_transactions.unwrap_or_default();
        let mut aborted: Vec<(i64, i64)> = aborted.iter().map(|one| (one.first_offset, one.producer_id.0)).collect();
        aborted.sort_unstable();
        let read = consume(&batches, &aborted, wanted.committed, from);
        let expected: Vec<(i64, u64)> = log.batches[first..first + batches.len()]
            .iter()
            .filter(|seen| match seen.fate {
                Fate::Plain | Fate::Committed => true,
                Fate::Open | Fate::Aborted => !wanted.committed,
                Fate::Control => false,
            })
            .flat_map(|seen| (seen.base_offset..).zip(seen.ids.iter().copied()))
            .filter(|(offset, _)| *offset >= from)
            .collect();
        hold!(read == expected, "a consumer reads {read:?} where {expected:?} is to be seen (aborted: {aborted:?})");
        Ok(Some((read, next)))
    }
}

/// What a consumer makes of batches: those of aborted transactions are left out.
///
/// Source: `CompletedFetch.nextFetchedRecord`.
fn consume(batches: &[Bytes], aborted: &[(i64, i64)], committed: bool, from: i64) -> Vec<(i64, u64)> {
    let mut read = Vec::new();
    let mut coming = aborted.iter().peekable();
    let mut skipped = HashSet::new();
    for batch in batches.iter().flat_map(|batch| batch::parse(batch)) {
        while let Some((_, producer_id)) = coming.next_if(|(first, _)| *first <= batch.last_offset) {
            skipped.insert(*producer_id);
        }
        if let Some(commits) = batch.commits() {
            if !commits {
                skipped.remove(&batch.producer_id);
            }
        } else if !(committed && batch.attributes & TRANSACTIONAL != 0 && skipped.contains(&batch.producer_id)) {
            let records = batch.records.iter().filter(|(offset, ..)| *offset >= from);
            read.extend(records.map(|(offset, _, value)| (*offset, number(value.as_deref()))));
        }
    }
    read
}

fn number(value: Option<&[u8]>) -> u64 {
    value.and_then(<[u8]>::first_chunk).map_or(u64::MAX, |id| u64::from_be_bytes(*id))
}

fn partitions(response: FetchResponse) -> Vec<(At, PartitionData)> {
    let topics = response.responses.into_iter().flat_map(|topic| {
        let number = (0..crate::step::TOPICS).find(|number| topic_name(*number) == topic.topic).unwrap_or(usize::MAX);
        topic.partitions.into_iter().map(move |data| ((number, data.partition_index), data))
    });
    topics.collect()
}
