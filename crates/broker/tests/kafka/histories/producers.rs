//! The producers of a history.

use std::collections::HashMap;

use bytes::Bytes;
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, DescribeTransactionsRequest, EndTxnRequest, InitProducerIdRequest, ProducerId,
    add_partitions_to_txn_request as apt, produce_request as pr, txn_offset_commit_request as toc,
};

use super::{
    execute::{Run, call, patiently},
    step::{At, Credentials, How, Incarnation, KINDS, Kind},
};
use crate::support::{
    batch::Batch,
    wire::{Client, text},
};

/// What a producer knows.
#[derive(Default)]
pub(crate) struct Producer {
    connection: Option<Client>,
    current: Option<(i64, i16)>,
    former: Option<(i64, i16)>,
    sequences: HashMap<At, i32>,
    /// Where to and what, the last first; and whether the request names the transactional id.
    sent: Vec<(At, Bytes, bool)>,
}

/// Longer than any history takes, shorter than transaction.max.timeout.ms.
const LONG: i32 = 600_000;
/// Longer than two requests take on a busy machine.
const SHORT: i32 = 2_000;

/// Padding of [`How::Large`].
const LARGE: usize = 1_500;

const SKIPPED: &str = "not initialised";

impl Run {
    pub(crate) fn init(&mut self, producer: usize) -> String {
        self.init_producer_id(producer, LONG, (-1, -1))
    }

    pub(crate) fn bump(&mut self, producer: usize) -> String {
        match self.producers[producer].current {
            Some(current) => self.init_producer_id(producer, LONG, current),
            None => SKIPPED.to_owned(),
        }
    }

    fn init_producer_id(&mut self, producer: usize, timeout: i32, (id, epoch): (i64, i16)) -> String {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(transactional_id(producer).map(|id| self.names.transactional_id(id)))
            .with_transaction_timeout_ms(timeout)
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(epoch);
        let response = call(self.connection(producer), &request, 4, |response| response.error_code);
        self.settle_transaction(producer);
        if response.error_code == 0 {
            let producer = &mut self.producers[producer];
            producer.former = producer.current;
            producer.current = Some((response.producer_id.0, response.producer_epoch));
            producer.sequences.clear();
        }
        let id = self.names.producer_id(response.producer_id.0);
        format!("{} {id} epoch {}", response.error_code, response.producer_epoch)
    }

    pub(crate) fn kill(&mut self, producer: usize) -> String {
        self.producers[producer].connection = None;
        String::new()
    }

    pub(crate) fn add_partitions(&mut self, producer: usize, to: At, and: Option<At>, by: Incarnation) -> String {
        let Some((id, epoch, transactional_id, old)) = self.identity(producer, by) else { return SKIPPED.to_owned() };
        let mut topics: Vec<apt::AddPartitionsToTxnTopic> = Vec::new();
        for (topic, partition) in [Some(to), and].into_iter().flatten() {
            let name = self.names.topic(topic);
            match topics.iter_mut().find(|topic| topic.name == name) {
                Some(topic) => topic.partitions.push(partition),
                None => topics
                    .push(apt::AddPartitionsToTxnTopic::default().with_name(name).with_partitions(vec![partition])),
            }
        }
        let request = apt::AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(self.names.transactional_id(transactional_id))
            .with_v3_and_below_producer_id(ProducerId(id))
            .with_v3_and_below_producer_epoch(epoch)
            .with_v3_and_below_topics(topics);
        let version = if old { 0 } else { 3 };
        let response = call(self.connection(producer), &request, version, |response| {
            response.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code
        });
        let mut results: Vec<_> = response
            .results_by_topic_v3_and_below
            .iter()
            .flat_map(|topic| {
                let name = self.names.short(&topic.name);
                topic.results_by_partition.iter().map(move |partition| {
                    format!("{name}/{} {}", partition.partition_index, partition.partition_error_code)
                })
            })
            .collect();
        results.sort();
        results.join(", ")
    }

    pub(crate) fn produce(&mut self, step: usize, producer: usize, to: At, records: usize, how: How) -> String {
        let plain = KINDS[producer] == Kind::Plain;
        let Some((id, epoch)) = self.producers[producer].current.or(plain.then_some((-1, -1))) else {
            return SKIPPED.to_owned();
        };
        if let How::Repeat(back) = how {
            let Some((to, bytes, transactional)) = self.producers[producer].sent.get(back).cloned() else {
                return "nothing to repeat".to_owned();
            };
            return format!("to {to:?}: {}", self.send_batch(producer, to, bytes, transactional).0);
        }

        let next = self.producers[producer].sequences.get(&to).copied().unwrap_or(0);
        let sequence = match how {
            _ if plain => -1,
            How::Skip => sequence_after(next, 2),
            How::Wrap => i32::MAX,
            _ => next,
        };
        let sent_epoch = match how {
            How::StaleEpoch if !plain => epoch.saturating_sub(1).max(0),
            How::FutureEpoch if !plain => epoch + 1,
            _ => epoch,
        };
        let transactional = transactional_id(producer).is_some() != (how == How::WrongBit);
        let padding = if how == How::Large { "-".repeat(LARGE) } else { String::new() };
        let batch = |sequence, part: &str| {
            let values = (0..records).map(|index| format!("{step}{part}.{index}{padding}"));
            let mut batch = Batch::of(values).by(id, sent_epoch, sequence);
            batch.base_timestamp = self.epoch + step as i64 * 1000;
            if transactional { batch.transactional() } else { batch }.build()
        };
        let mut bytes = batch(sequence, "").to_vec();
        let mut count = records as i32;
        if how == How::TwoBatches {
            bytes.extend_from_slice(&batch(if plain { -1 } else { sequence_after(sequence, count) }, "b"));
            count *= 2;
        }
        let bytes = Bytes::from(bytes);
        let with_id = transactional && transactional_id(producer).is_some();
        let sent = &mut self.producers[producer].sent;
        sent.insert(0, (to, bytes.clone(), with_id));
        sent.truncate(8);
        let (outcome, error) = self.send_batch(producer, to, bytes, with_id);
        if error == 0 && sent_epoch == epoch {
            self.producers[producer].sequences.insert(to, sequence_after(sequence, count));
        }
        outcome
    }

    fn send_batch(&mut self, producer: usize, (topic, index): At, batch: Bytes, with_id: bool) -> (String, i16) {
        let partition = pr::PartitionProduceData::default().with_index(index).with_records(Some(batch));
        let topic =
            pr::TopicProduceData::default().with_name(self.names.topic(topic)).with_partition_data(vec![partition]);
        let id = transactional_id(producer).filter(|_| with_id).map(|id| self.names.transactional_id(id));
        let request = pr::ProduceRequest::default()
            .with_transactional_id(id)
            .with_acks(-1)
            .with_timeout_ms(30_000)
            .with_topic_data(vec![topic]);
        let response = call(self.connection(producer), &request, 9, |response| {
            response.responses[0].partition_responses[0].error_code
        });
        let answer = &response.responses[0].partition_responses[0];
        let outcome = format!("{} offset {} start {}", answer.error_code, answer.base_offset, answer.log_start_offset);
        (outcome, answer.error_code)
    }

    pub(crate) fn add_offsets(&mut self, producer: usize, group: usize) -> String {
        let Some((id, epoch, transactional_id, old)) = self.identity(producer, Incarnation::Current) else {
            return SKIPPED.to_owned();
        };
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(self.names.transactional_id(transactional_id))
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(epoch)
            .with_group_id(self.names.group(group));
        let version = if old { 0 } else { 3 };
        call(self.connection(producer), &request, version, |response| response.error_code).error_code.to_string()
    }

    pub(crate) fn txn_offset_commit(
        &mut self,
        producer: usize,
        group: usize,
        (topic, index): At,
        offset: i64,
        of: Credentials,
    ) -> String {
        let Some((id, epoch, transactional_id, _)) = self.identity(producer, Incarnation::Current) else {
            return SKIPPED.to_owned();
        };
        let (member_id, instance, generation) = self.groups[group].credentials(of);
        let partition = toc::TxnOffsetCommitRequestPartition::default()
            .with_partition_index(index)
            .with_committed_offset(offset)
            .with_committed_metadata(Some(text(&format!("by {producer}"))));
        let topic = toc::TxnOffsetCommitRequestTopic::default()
            .with_name(self.names.topic(topic))
            .with_partitions(vec![partition]);
        let request = toc::TxnOffsetCommitRequest::default()
            .with_transactional_id(self.names.transactional_id(transactional_id))
            .with_group_id(self.names.group(group))
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(epoch)
            .with_generation_id(generation)
            .with_member_id(member_id)
            .with_group_instance_id(instance)
            .with_topics(vec![topic]);
        let error =
            |response: &kafka_protocol::messages::TxnOffsetCommitResponse| response.topics[0].partitions[0].error_code;
        error(&call(self.connection(producer), &request, 3, error)).to_string()
    }

    pub(crate) fn end_txn(&mut self, producer: usize, commit: bool, by: Incarnation) -> String {
        let Some((id, epoch, transactional_id, old)) = self.identity(producer, by) else { return SKIPPED.to_owned() };
        let request = EndTxnRequest::default()
            .with_transactional_id(self.names.transactional_id(transactional_id))
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(epoch)
            .with_committed(commit);
        let version = if old { 1 } else { 3 };
        let error = call(self.connection(producer), &request, version, |response| response.error_code).error_code;
        format!("{error}; {}", self.settle_transaction(producer))
    }

    pub(crate) fn time_out(&mut self, step: usize, producer: usize, to: At) -> String {
        let init = self.init_producer_id(producer, SHORT, (-1, -1));
        let add = self.add_partitions(producer, to, None, Incarnation::Current);
        let produce = self.produce(step, producer, to, 1, How::Next);
        let id = transactional_id(producer).expect("only a transaction times out");
        patiently(|| self.transaction_state(id), |state| state != "Ongoing");
        format!("{init}; {add}; {produce}; {}", self.settle_transaction(producer))
    }

    /// Waits until the markers of a transaction that has been decided are written; says what state it is in.
    fn settle_transaction(&mut self, producer: usize) -> String {
        let Some(id) = transactional_id(producer) else { return String::new() };
        patiently(|| self.transaction_state(id), |state| !state.starts_with("Prepare"))
    }

    fn transaction_state(&mut self, id: usize) -> String {
        let ids = vec![self.names.transactional_id(id)];
        let request = DescribeTransactionsRequest::default().with_transactional_ids(ids);
        self.admin.call(&request, 0).transaction_states[0].transaction_state.to_string()
    }

    fn connection(&mut self, producer: usize) -> &mut Client {
        let connection = &mut self.producers[producer].connection;
        connection.get_or_insert_with(|| Client::named(&self.bootstrap, &format!("producer-{producer}")))
    }

    /// Producer id, epoch, transactional id, and whether old versions are asked for.
    fn identity(&self, producer: usize, by: Incarnation) -> Option<(i64, i16, usize, bool)> {
        let known = &self.producers[producer];
        let (id, epoch) = match by {
            Incarnation::Current => known.current,
            Incarnation::Former => known.former.or(known.current),
        }?;
        match KINDS[producer] {
            Kind::Transactional { id: transactional_id, old } => Some((id, epoch, transactional_id, old)),
            _ => None,
        }
    }
}

fn transactional_id(producer: usize) -> Option<usize> {
    match KINDS[producer] {
        Kind::Transactional { id, .. } => Some(id),
        _ => None,
    }
}

/// After 2^31 - 1 comes 0 (DefaultRecordBatch.incrementSequence).
fn sequence_after(sequence: i32, records: i32) -> i32 {
    sequence.wrapping_add(records) & i32::MAX
}
