//! AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit, EndTxn, DescribeTransactions, ListTransactions.
//!
//! Source: KIP-98, KIP-664, KIP-890; `KafkaApis`.

use std::collections::BTreeMap;

use kafka_protocol::{
    ResponseError,
    messages::{
        AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
        DescribeTransactionsRequest, DescribeTransactionsResponse, EndTxnRequest, EndTxnResponse,
        ListTransactionsRequest, ListTransactionsResponse, ProducerId, TopicName, TransactionalId,
        TxnOffsetCommitRequest, TxnOffsetCommitResponse,
        add_partitions_to_txn_request::AddPartitionsToTxnTopic,
        add_partitions_to_txn_response::{
            AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
        },
        describe_transactions_response::{TopicData, TransactionState as Described},
        list_transactions_response::TransactionState as Listed,
        txn_offset_commit_response::{TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic},
    },
    protocol::StrBytes,
};

use crate::{
    engine::{Engine, dispatch::Call},
    error::code,
    log::marker::Marker,
    topics::{TopicPartition, name},
    transactions::{ProducerIdAndEpoch, state::Protocol},
};

/// Before this version of these requests, clients do not know `PRODUCER_FENCED`.
const KNOWS_FENCED: i16 = 2;
/// From this version of AddPartitionsToTxn on, a request holds several transactions: brokers send it.
const BATCHED: i16 = 4;
/// From this version of EndTxn and TxnOffsetCommit on, the client speaks the second protocol.
const SECOND_PROTOCOL: i16 = 5;
/// From this version of TxnOffsetCommit on, clients know `TRANSACTION_ABORTABLE`.
const KNOWS_ABORTABLE: i16 = 4;

fn for_version<T>(result: Result<T, ResponseError>, version: i16) -> Result<T, ResponseError> {
    result.map_err(|error| match error {
        ResponseError::ProducerFenced if version < KNOWS_FENCED => ResponseError::InvalidProducerEpoch,
        other => other,
    })
}

/// What a client speaks that sends EndTxn or TxnOffsetCommit in this version.
fn protocol(version: i16) -> Protocol {
    if version >= SECOND_PROTOCOL { Protocol::V2 } else { Protocol::V1 }
}

/// The partition of the internal topic that holds the offsets of all groups.
fn offsets_partition() -> TopicPartition {
    TopicPartition { topic: TopicName(StrBytes::from_static_str(name::OFFSETS)), partition: 0 }
}

impl Engine {
    pub(crate) fn add_partitions_to_txn(
        &mut self,
        call: Call<AddPartitionsToTxnRequest>,
    ) -> AddPartitionsToTxnResponse {
        let Call { request, version, .. } = call;
        if version < BATCHED {
            let producer = ProducerIdAndEpoch {
                id: request.v3_and_below_producer_id.0,
                epoch: request.v3_and_below_producer_epoch,
            };
            let id = &request.v3_and_below_transactional_id;
            let results = self.add_partitions(id, producer, &request.v3_and_below_topics, false, version);
            return AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(results);
        }
        let results = request
            .transactions
            .into_iter()
            .map(|transaction| {
                let producer = ProducerIdAndEpoch { id: transaction.producer_id.0, epoch: transaction.producer_epoch };
                let id = transaction.transactional_id;
                let topics = self.add_partitions(&id, producer, &transaction.topics, transaction.verify_only, version);
                AddPartitionsToTxnResult::default().with_transactional_id(id).with_topic_results(topics)
            })
            .collect();
        AddPartitionsToTxnResponse::default().with_results_by_transaction(results)
    }

    /// All partitions, or none.
    fn add_partitions(
        &mut self,
        id: &TransactionalId,
        producer: ProducerIdAndEpoch,
        topics: &[AddPartitionsToTxnTopic],
        verify_only: bool,
        version: i16,
    ) -> Vec<AddPartitionsToTxnTopicResult> {
        let partitions: Vec<_> = topics
            .iter()
            .flat_map(|topic| {
                topic.partitions.iter().map(|index| TopicPartition { topic: topic.name.clone(), partition: *index })
            })
            .collect();
        let exists =
            |partition: &TopicPartition| self.topics.partition(&partition.topic, partition.partition).is_some();
        let codes: BTreeMap<TopicPartition, i16> = if partitions.iter().all(exists) {
            let now = self.now;
            if verify_only {
                let transactions = &mut self.transactions;
                partitions
                    .iter()
                    .map(|partition| (partition.clone(), code(&transactions.verify(id, producer, partition))))
                    .collect()
            } else {
                let added = self.transactions.add_partitions(id, producer, partitions.iter().cloned(), now);
                let code = code(&for_version(added, version));
                partitions.iter().map(|partition| (partition.clone(), code)).collect()
            }
        } else {
            let error = |partition| {
                if exists(partition) {
                    ResponseError::OperationNotAttempted
                } else {
                    ResponseError::UnknownTopicOrPartition
                }
            };
            partitions.iter().map(|partition| (partition.clone(), error(partition).code())).collect()
        };
        let mut results: Vec<AddPartitionsToTxnTopicResult> = Vec::new();
        for (TopicPartition { topic, partition }, code) in codes {
            let result = AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(partition)
                .with_partition_error_code(code);
            match results.last_mut().filter(|last| last.name == topic) {
                Some(last) => last.results_by_partition.push(result),
                None => results.push(
                    AddPartitionsToTxnTopicResult::default().with_name(topic).with_results_by_partition(vec![result]),
                ),
            }
        }
        results
    }

    pub(crate) fn add_offsets_to_txn(&mut self, call: Call<AddOffsetsToTxnRequest>) -> AddOffsetsToTxnResponse {
        let Call { request, version, .. } = call;
        let producer = ProducerIdAndEpoch { id: request.producer_id.0, epoch: request.producer_epoch };
        let added =
            self.transactions.add_partitions(&request.transactional_id, producer, [offsets_partition()], self.now);
        AddOffsetsToTxnResponse::default().with_error_code(code(&for_version(added, version)))
    }

    pub(crate) fn txn_offset_commit(&mut self, call: Call<TxnOffsetCommitRequest>) -> TxnOffsetCommitResponse {
        let Call { request, version, .. } = call;
        let any = request.topics.iter().any(|topic| {
            topic.partitions.iter().any(|partition| self.topics.exists(&topic.name, partition.partition_index))
        });
        if any
            && !request.group_id.is_empty()
            && let Err(error) = self.verify_offsets(&request, version)
        {
            let topics = &self.topics;
            return refused(&request, error, &|topic, partition| topics.exists(topic, partition));
        }
        let producer = ProducerIdAndEpoch { id: request.producer_id.0, epoch: request.producer_epoch };
        let topics = &self.topics;
        let response = self
            .groups
            .commit_in_transaction(self.now, request, version, &|topic, partition| topics.exists(topic, partition));
        let stored = response.topics.iter().flat_map(|topic| &topic.partitions).any(|result| result.error_code == 0);
        if stored {
            self.offset_producers.append_unsequenced(producer.id, producer.epoch, self.offset_writes, self.now);
            self.offset_writes += 1;
        }
        response
    }

    /// Whether the offsets belong to the producer's open transaction.
    fn verify_offsets(&mut self, request: &TxnOffsetCommitRequest, version: i16) -> Result<(), ResponseError> {
        let producer = ProducerIdAndEpoch { id: request.producer_id.0, epoch: request.producer_epoch };
        self.offset_producers.check_epoch(producer.id, producer.epoch)?;
        if self.offset_producers.has_open_transaction(producer.id, producer.epoch) {
            return Ok(());
        }
        let id = &request.transactional_id;
        let knows_abortable = version >= KNOWS_ABORTABLE;
        self.transactions.admit(id, producer, &offsets_partition(), protocol(version), knows_abortable, self.now)
    }

    pub(crate) fn end_txn(&mut self, call: Call<EndTxnRequest>) -> EndTxnResponse {
        let Call { request, version, .. } = call;
        let producer = ProducerIdAndEpoch { id: request.producer_id.0, epoch: request.producer_epoch };
        let marker = if request.committed { Marker::Commit } else { Marker::Abort };
        let ended = self.transactions.end(&request.transactional_id, producer, marker, protocol(version), self.now);
        let ended = for_version(ended, version);
        let error_code = code(&ended);
        let (next, decision) = ended.unwrap_or((ProducerIdAndEpoch::NONE, None));
        if let Some(decision) = decision {
            self.carry_out(decision);
        }
        EndTxnResponse::default()
            .with_error_code(error_code)
            .with_producer_id(ProducerId(next.id))
            .with_producer_epoch(next.epoch)
    }

    pub(crate) fn describe_transactions(
        &mut self,
        call: Call<DescribeTransactionsRequest>,
    ) -> DescribeTransactionsResponse {
        let states = call
            .request
            .transactional_ids
            .into_iter()
            .map(|id| {
                let described = Described::default().with_transactional_id(id.clone());
                if id.is_empty() {
                    return described.with_error_code(ResponseError::InvalidRequest.code());
                }
                let Some(transaction) = self.transactions.get(&id) else {
                    return described.with_error_code(ResponseError::TransactionalIdNotFound.code());
                };
                let mut topics: Vec<TopicData> = Vec::new();
                for TopicPartition { topic, partition } in &transaction.partitions {
                    match topics.last_mut().filter(|last| last.topic == *topic) {
                        Some(last) => last.partitions.push(*partition),
                        None => topics
                            .push(TopicData::default().with_topic(topic.clone()).with_partitions(vec![*partition])),
                    }
                }
                described
                    .with_transaction_state(StrBytes::from_static_str(transaction.state.name()))
                    .with_transaction_timeout_ms(transaction.timeout)
                    .with_transaction_start_time_ms(transaction.start)
                    .with_producer_id(ProducerId(transaction.producer.id))
                    .with_producer_epoch(transaction.producer.epoch)
                    .with_topics(topics)
            })
            .collect();
        DescribeTransactionsResponse::default().with_transaction_states(states)
    }

    pub(crate) fn list_transactions(&mut self, call: Call<ListTransactionsRequest>) -> ListTransactionsResponse {
        const STATES: &[&str] = &[
            "Empty",
            "Ongoing",
            "PrepareCommit",
            "PrepareAbort",
            "CompleteCommit",
            "CompleteAbort",
            "PrepareEpochFence",
        ];
        let request = call.request;
        let unknown: Vec<_> =
            request.state_filters.iter().filter(|state| !STATES.contains(&state.as_str())).cloned().collect();
        // A filter of which nothing is known lets nothing pass.
        let states = request.state_filters;
        let ids = request.producer_id_filters;
        let pattern = request.transactional_id_pattern.filter(|pattern| !pattern.is_empty());
        let listed = self
            .transactions
            .iter()
            .filter(|(_, transaction)| ids.is_empty() || ids.iter().any(|id| id.0 == transaction.producer.id))
            .filter(|(_, transaction)| {
                states.is_empty() || states.iter().any(|state| state.as_str() == transaction.state.name())
            })
            .filter(|(_, transaction)| {
                let duration = request.duration_filter;
                duration < 0 || self.now - transaction.start > duration
            })
            .filter(|(id, _)| pattern.as_ref().is_none_or(|pattern| pattern.as_str() == *id))
            .map(|(id, transaction)| {
                Listed::default()
                    .with_transactional_id(TransactionalId(StrBytes::from_string(id.to_owned())))
                    .with_producer_id(ProducerId(transaction.producer.id))
                    .with_transaction_state(StrBytes::from_static_str(transaction.state.name()))
            })
            .collect();
        ListTransactionsResponse::default().with_unknown_state_filters(unknown).with_transaction_states(listed)
    }
}

/// The same error for every partition that exists.
fn refused(
    request: &TxnOffsetCommitRequest,
    error: ResponseError,
    exists: &dyn Fn(&str, i32) -> bool,
) -> TxnOffsetCommitResponse {
    let topics = request
        .topics
        .iter()
        .map(|topic| {
            let partitions = topic
                .partitions
                .iter()
                .map(|partition| {
                    let index = partition.partition_index;
                    let error = if exists(&topic.name, index) { error } else { ResponseError::UnknownTopicOrPartition };
                    TxnOffsetCommitResponsePartition::default()
                        .with_partition_index(index)
                        .with_error_code(error.code())
                })
                .collect();
            TxnOffsetCommitResponseTopic::default().with_name(topic.name.clone()).with_partitions(partitions)
        })
        .collect();
    TxnOffsetCommitResponse::default().with_topics(topics)
}
