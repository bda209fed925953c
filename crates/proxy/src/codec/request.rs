//! The fields of a request that matter.

use bytes::Bytes;
use kafka_protocol::{
    messages::{
        AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, FetchRequest, FindCoordinatorRequest,
        HeartbeatRequest, InitProducerIdRequest, JoinGroupRequest, LeaveGroupRequest, ListOffsetsRequest,
        MetadataRequest, OffsetCommitRequest, OffsetFetchRequest, ProduceRequest, SyncGroupRequest,
        TxnOffsetCommitRequest, add_partitions_to_txn_request::AddPartitionsToTxnTopic,
    },
    protocol::{Decodable, StrBytes},
};

use super::{Header, Silent, api, batches, request_body, topics::topic};
use crate::{ApiKey, Facts, Part};

/// The fields of a request that matter; none where it is not known here what they are.
///
/// A topic that is named without a partition (Metadata) is told with partition −1. Of several groups in one request
/// (OffsetFetch) the first is named. Text that is empty counts as not there: a member that has no id yet.
///
/// # Errors
/// When the request is not what it claims to be: what is wrong, in one sentence.
pub(crate) fn request_facts(header: &Header, frame: &Bytes) -> Result<Facts, String> {
    let Some(api) = api(header.api_key) else { return Ok(Facts::default()) };
    let told = match api {
        ApiKey::Produce => tell(header, frame, produce),
        ApiKey::Fetch => tell(header, frame, fetch),
        ApiKey::ListOffsets => tell(header, frame, list_offsets),
        ApiKey::Metadata => tell(header, frame, metadata),
        ApiKey::OffsetCommit => tell(header, frame, offset_commit),
        ApiKey::OffsetFetch => tell(header, frame, offset_fetch),
        ApiKey::FindCoordinator => tell(header, frame, find_coordinator),
        ApiKey::JoinGroup => tell(header, frame, join_group),
        ApiKey::Heartbeat => tell(header, frame, heartbeat),
        ApiKey::LeaveGroup => tell(header, frame, leave_group),
        ApiKey::SyncGroup => tell(header, frame, sync_group),
        ApiKey::InitProducerId => tell(header, frame, init_producer_id),
        ApiKey::AddPartitionsToTxn => tell(header, frame, add_partitions_to_txn),
        ApiKey::AddOffsetsToTxn => tell(header, frame, add_offsets_to_txn),
        ApiKey::EndTxn => tell(header, frame, end_txn),
        ApiKey::TxnOffsetCommit => tell(header, frame, txn_offset_commit),
        _ => Err(Silent::Unknown),
    };
    match told {
        Ok(facts) => Ok(facts),
        Err(Silent::Unknown) => Ok(Facts::default()),
        Err(Silent::Malformed(why)) => Err(format!("malformed {api:?} request, version {}: {why}", header.version)),
    }
}

fn tell<M: Decodable>(header: &Header, frame: &Bytes, facts: fn(M) -> Facts) -> Result<Facts, Silent> {
    request_body(header, frame).map(|body| facts(body.message))
}

/// `None` where it is empty.
pub(super) fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn optional(text: Option<&StrBytes>) -> Option<String> {
    text.and_then(|text| filled(text))
}

fn produce(request: ProduceRequest) -> Facts {
    let mut unpack = batches::UNPACK;
    let mut partitions = Vec::new();
    for data in &request.topic_data {
        let topic = topic(&data.name, data.topic_id.as_bytes());
        partitions.extend(data.partition_data.iter().map(|partition| Part {
            topic: topic.clone(),
            partition: partition.index,
            batches: batches::describe(partition.records.as_deref().unwrap_or_default(), &mut unpack),
            ..Part::default()
        }));
    }
    Facts {
        transactional_id: request.transactional_id.as_ref().and_then(|id| filled(id)),
        acks: Some(request.acks),
        partitions,
        ..Facts::default()
    }
}

fn fetch(request: FetchRequest) -> Facts {
    let mut partitions = Vec::new();
    for wanted in &request.topics {
        let topic = topic(&wanted.topic, wanted.topic_id.as_bytes());
        partitions.extend(wanted.partitions.iter().map(|partition| Part {
            topic: topic.clone(),
            partition: partition.partition,
            offset: Some(partition.fetch_offset),
            ..Part::default()
        }));
    }
    Facts { read_committed: Some(request.isolation_level == 1), partitions, ..Facts::default() }
}

fn list_offsets(request: ListOffsetsRequest) -> Facts {
    let topics = request
        .topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|partition| part(&topic.name, partition.partition_index, None)));
    Facts { partitions: topics.collect(), ..Facts::default() }
}

fn metadata(request: MetadataRequest) -> Facts {
    let topics = request.topics.iter().flatten().map(|wanted| Part {
        topic: topic(&wanted.name.clone().unwrap_or_default(), wanted.topic_id.as_bytes()),
        partition: -1,
        ..Part::default()
    });
    Facts { partitions: topics.collect(), ..Facts::default() }
}

fn offset_commit(request: OffsetCommitRequest) -> Facts {
    let topics = request.topics.iter().flat_map(|topic| {
        let offset = |partition: i32, offset| part(&topic.name, partition, Some(offset));
        topic.partitions.iter().map(move |partition| offset(partition.partition_index, partition.committed_offset))
    });
    Facts {
        group: filled(&request.group_id),
        member: filled(&request.member_id),
        instance: optional(request.group_instance_id.as_ref()),
        generation: Some(request.generation_id_or_member_epoch),
        partitions: topics.collect(),
        ..Facts::default()
    }
}

fn offset_fetch(request: OffsetFetchRequest) -> Facts {
    let mut facts = Facts { group: filled(&request.group_id), ..Facts::default() };
    for topic in request.topics.iter().flatten() {
        facts.partitions.extend(topic.partition_indexes.iter().map(|&index| part(&topic.name, index, None)));
    }
    for group in &request.groups {
        if facts.group.is_none() {
            facts.group = filled(&group.group_id);
            facts.member = optional(group.member_id.as_ref());
            facts.generation = facts.member.as_ref().map(|_| group.member_epoch);
        }
        for topic in group.topics.iter().flatten() {
            facts.partitions.extend(topic.partition_indexes.iter().map(|&index| part(&topic.name, index, None)));
        }
    }
    facts
}

fn find_coordinator(request: FindCoordinatorRequest) -> Facts {
    let key = filled(&request.key).or_else(|| optional(request.coordinator_keys.first()));
    match request.key_type {
        0 => Facts { group: key, ..Facts::default() },
        1 => Facts { transactional_id: key, ..Facts::default() },
        _ => Facts::default(),
    }
}

fn join_group(request: JoinGroupRequest) -> Facts {
    Facts {
        group: filled(&request.group_id),
        member: filled(&request.member_id),
        instance: optional(request.group_instance_id.as_ref()),
        ..Facts::default()
    }
}

fn heartbeat(request: HeartbeatRequest) -> Facts {
    Facts {
        group: filled(&request.group_id),
        member: filled(&request.member_id),
        instance: optional(request.group_instance_id.as_ref()),
        generation: Some(request.generation_id),
        ..Facts::default()
    }
}

fn leave_group(request: LeaveGroupRequest) -> Facts {
    let first = request.members.first();
    Facts {
        group: filled(&request.group_id),
        member: filled(&request.member_id).or_else(|| optional(first.map(|member| &member.member_id))),
        instance: optional(first.and_then(|member| member.group_instance_id.as_ref())),
        ..Facts::default()
    }
}

fn sync_group(request: SyncGroupRequest) -> Facts {
    Facts {
        group: filled(&request.group_id),
        member: filled(&request.member_id),
        instance: optional(request.group_instance_id.as_ref()),
        generation: Some(request.generation_id),
        ..Facts::default()
    }
}

fn init_producer_id(request: InitProducerIdRequest) -> Facts {
    Facts {
        transactional_id: request.transactional_id.as_ref().and_then(|id| filled(id)),
        producer_id: Some(request.producer_id.0).filter(|&id| id >= 0),
        producer_epoch: Some(request.producer_epoch).filter(|&epoch| epoch >= 0),
        ..Facts::default()
    }
}

fn add_partitions_to_txn(request: AddPartitionsToTxnRequest) -> Facts {
    fn parts(topics: &[AddPartitionsToTxnTopic]) -> impl Iterator<Item = Part> {
        topics.iter().flat_map(|topic| topic.partitions.iter().map(|&index| part(&topic.name, index, None)))
    }
    match request.transactions.first() {
        Some(first) => Facts {
            transactional_id: filled(&first.transactional_id),
            producer_id: Some(first.producer_id.0),
            producer_epoch: Some(first.producer_epoch),
            partitions: request.transactions.iter().flat_map(|transaction| parts(&transaction.topics)).collect(),
            ..Facts::default()
        },
        None => Facts {
            transactional_id: filled(&request.v3_and_below_transactional_id),
            producer_id: Some(request.v3_and_below_producer_id.0),
            producer_epoch: Some(request.v3_and_below_producer_epoch),
            partitions: parts(&request.v3_and_below_topics).collect(),
            ..Facts::default()
        },
    }
}

fn add_offsets_to_txn(request: AddOffsetsToTxnRequest) -> Facts {
    Facts {
        transactional_id: filled(&request.transactional_id),
        producer_id: Some(request.producer_id.0),
        producer_epoch: Some(request.producer_epoch),
        group: filled(&request.group_id),
        ..Facts::default()
    }
}

fn end_txn(request: EndTxnRequest) -> Facts {
    Facts {
        transactional_id: filled(&request.transactional_id),
        producer_id: Some(request.producer_id.0),
        producer_epoch: Some(request.producer_epoch),
        commits: Some(request.committed),
        ..Facts::default()
    }
}

fn txn_offset_commit(request: TxnOffsetCommitRequest) -> Facts {
    let topics = request.topics.iter().flat_map(|topic| {
        let offset = |partition: i32, offset| part(&topic.name, partition, Some(offset));
        topic.partitions.iter().map(move |partition| offset(partition.partition_index, partition.committed_offset))
    });
    Facts {
        transactional_id: filled(&request.transactional_id),
        producer_id: Some(request.producer_id.0),
        producer_epoch: Some(request.producer_epoch),
        group: filled(&request.group_id),
        member: filled(&request.member_id),
        instance: optional(request.group_instance_id.as_ref()),
        generation: Some(request.generation_id),
        partitions: topics.collect(),
        ..Facts::default()
    }
}

fn part(topic: &str, partition: i32, offset: Option<i64>) -> Part {
    Part { topic: topic.to_owned(), partition, offset, ..Part::default() }
}
