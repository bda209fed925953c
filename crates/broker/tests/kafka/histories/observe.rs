//! What can be read from a broker: as steps of a history, and all of it at the end.

use kafka_protocol::messages::{
    BrokerId, DescribeTransactionsRequest, MetadataRequest, OffsetFetchRequest, describe_producers_request as dp,
    fetch_request as fr,
    fetch_response::PartitionData,
    list_offsets_request as lo,
    list_offsets_response::ListOffsetsPartitionResponse,
    metadata_request::MetadataRequestTopic,
    offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics},
};

use super::{
    execute::{Run, call},
    step::{At, GROUPS, TOPICS, TRANSACTIONAL_IDS},
};
use crate::support::batch::{self, Fetched};

/// Everything, a line for each thing.
pub(crate) fn state(run: &mut Run) -> Vec<String> {
    let mut lines = Vec::new();
    for topic in 0..TOPICS {
        let partitions = partitions(run, topic);
        lines.push(format!("t{topic}: {partitions:?} partitions"));
        for partition in 0..partitions.unwrap_or(0) {
            let at = (topic, partition);
            for (what, timestamp, committed) in
                [("start", -2, false), ("high watermark", -1, false), ("last stable offset", -1, true)]
            {
                lines.push(format!("t{topic}/{partition} {what}: {}", list_offsets(run, at, timestamp, committed)));
            }
            let (start, end) = (offset_of(run, at, -2, false).offset, offset_of(run, at, -1, false).offset);
            lines.push(format!("t{topic}/{partition} log: {}", fetch(run, at, start, false)));
            lines.push(format!("t{topic}/{partition} visible: {}", visible(run, at, start)));
            // One before the start, where there is one, and one behind the end.
            let offsets = [1, 2, 3, 5, 8, 13, 21, 34].map(|distance| start - 2 + distance);
            for offset in offsets.into_iter().filter(|offset| (0..=end + 1).contains(offset)) {
                let fetched = fetch(run, at, offset, true);
                lines.push(format!("t{topic}/{partition} committed from {offset}: {fetched}"));
            }
            lines.push(format!("t{topic}/{partition} producers: {}", producers(run, at)));
        }
    }
    for group in 0..GROUPS {
        lines.push(format!("g{group}: {}", self::group(run, group)));
        for stable in [false, true] {
            lines.push(format!("g{group} offsets, stable {stable}: {}", offsets(run, group, stable)));
        }
    }
    for id in 0..TRANSACTIONAL_IDS {
        lines.push(format!("x{id}: {}", transaction(run, id)));
    }
    lines
}

/// The number of partitions, or the error.
pub(crate) fn partitions(run: &mut Run, topic: usize) -> Result<i32, i16> {
    let topic = MetadataRequestTopic::default().with_name(Some(run.names.topic(topic)));
    let request = MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(false);
    let topic = run.admin.call(&request, 9).topics.remove(0);
    if topic.error_code == 0 { Ok(topic.partitions.len() as i32) } else { Err(topic.error_code) }
}

fn fetch_partition(run: &mut Run, (topic, index): At, offset: i64, committed: bool) -> PartitionData {
    let partition = fr::FetchPartition::default()
        .with_partition(index)
        .with_fetch_offset(offset)
        .with_current_leader_epoch(-1)
        .with_log_start_offset(-1)
        .with_partition_max_bytes(10_000_000);
    let topic = fr::FetchTopic::default().with_topic(run.names.topic(topic)).with_partitions(vec![partition]);
    let request = fr::FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(0)
        .with_min_bytes(0)
        .with_max_bytes(10_000_000)
        .with_isolation_level(i8::from(committed))
        // No session.
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    run.admin.call(&request, 12).responses.remove(0).partitions.remove(0)
}

/// One Fetch: batches with everything that is in them, and the aborted transactions that concern them.
pub(crate) fn fetch(run: &mut Run, at: At, offset: i64, committed: bool) -> String {
    let partition = fetch_partition(run, at, offset, committed);
    let batches = batch::parse(partition.records.as_deref().unwrap_or_default());
    let described: Vec<_> = batches.iter().map(|batch| describe(run, batch)).collect();
    format!(
        "{} high watermark {} stable {} start {} [{}] aborted {}",
        partition.error_code,
        partition.high_watermark,
        partition.last_stable_offset,
        partition.log_start_offset,
        described.join(", "),
        aborted(run, &partition, &batches),
    )
}

fn describe(run: &mut Run, batch: &Fetched) -> String {
    let what = match batch.commits() {
        Some(true) => "COMMIT".to_owned(),
        Some(false) => "ABORT".to_owned(),
        None => {
            let values: Vec<_> = batch.values().iter().map(|value| value.trim_end_matches('-').to_owned()).collect();
            format!("{values:?} at {}", batch.base_timestamp - run.epoch)
        }
    };
    let checksum = if batch.checksum_is_right { "" } else { " BROKEN" };
    format!(
        "{}-{} {} epoch {} sequence {} attributes {} {what}{checksum}",
        batch.base_offset,
        batch.last_offset,
        run.names.producer_id(batch.producer_id),
        batch.producer_epoch,
        batch.base_sequence,
        batch.attributes,
    )
}

/// The list may go on behind the batches that it comes with, as far as the broker's index of offsets is coarse; no
/// client can tell, and that rest is left out.
fn aborted(run: &mut Run, partition: &PartitionData, batches: &[Fetched]) -> String {
    let Some(aborted) = &partition.aborted_transactions else { return "none".to_owned() };
    let end = batches.last().map_or(-1, |batch| batch.last_offset);
    let concerned = aborted.iter().filter(|one| one.first_offset <= end);
    let mut concerned: Vec<_> = concerned.map(|one| (one.first_offset, one.producer_id.0)).collect();
    concerned.sort();
    let described: Vec<_> =
        concerned.into_iter().map(|(first, id)| format!("{} from {first}", run.names.producer_id(id))).collect();
    format!("{described:?}")
}

/// The values that a read_committed consumer gives its user: it leaves out control batches, and those of a producer
/// between the first offset of an aborted transaction and its marker.
fn visible(run: &mut Run, at: At, start: i64) -> String {
    let partition = fetch_partition(run, at, start, true);
    let mut aborted: Vec<_> = partition.aborted_transactions.unwrap_or_default();
    aborted.sort_by_key(|one| one.first_offset);
    let mut aborted = aborted.into_iter().peekable();
    let mut aborting = Vec::new();
    let mut values = Vec::new();
    for batch in batch::parse(partition.records.as_deref().unwrap_or_default()) {
        while let Some(one) = aborted.next_if(|one| one.first_offset <= batch.last_offset) {
            aborting.push(one.producer_id.0);
        }
        match batch.commits() {
            Some(_) => aborting.retain(|id| *id != batch.producer_id),
            None if batch.attributes & batch::TRANSACTIONAL != 0 && aborting.contains(&batch.producer_id) => {}
            None => values.extend(batch.values().iter().map(|value| value.trim_end_matches('-').to_owned())),
        }
    }
    values.join(" ")
}

fn offset_of(run: &mut Run, (topic, index): At, timestamp: i64, committed: bool) -> ListOffsetsPartitionResponse {
    let partition = lo::ListOffsetsPartition::default()
        .with_partition_index(index)
        .with_current_leader_epoch(-1)
        .with_timestamp(timestamp);
    let topic = lo::ListOffsetsTopic::default().with_name(run.names.topic(topic)).with_partitions(vec![partition]);
    let request = lo::ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_isolation_level(i8::from(committed))
        .with_topics(vec![topic]);
    run.admin.call(&request, 7).topics.remove(0).partitions.remove(0)
}

pub(crate) fn list_offsets(run: &mut Run, at: At, timestamp: i64, committed: bool) -> String {
    // A history's timestamps are the numbers of its steps, in seconds.
    let timestamp = if timestamp < 0 { timestamp } else { run.epoch + timestamp * 1000 };
    let partition = offset_of(run, at, timestamp, committed);
    let found = match partition.timestamp {
        -1 => "-1".to_owned(),
        found if found - run.epoch < 1_000_000 => (found - run.epoch).to_string(),
        _ => "of a marker".to_owned(),
    };
    format!("{} offset {} timestamp {found} epoch {}", partition.error_code, partition.offset, partition.leader_epoch)
}

pub(crate) fn producers(run: &mut Run, (topic, index): At) -> String {
    let topic = dp::TopicRequest::default().with_name(run.names.topic(topic)).with_partition_indexes(vec![index]);
    let request = dp::DescribeProducersRequest::default().with_topics(vec![topic]);
    let response = run.admin.call(&request, 0);
    let partition = &response.topics[0].partitions[0];
    let mut producers: Vec<_> = partition.active_producers.iter().collect();
    // Ids grow with time within one history, on any broker that gives them out in order.
    producers.sort_by_key(|producer| producer.producer_id.0);
    let described: Vec<_> = producers
        .into_iter()
        .map(|producer| {
            format!(
                "{} epoch {} sequence {} coordinator {} transaction from {}",
                run.names.producer_id(producer.producer_id.0),
                producer.producer_epoch,
                producer.last_sequence,
                producer.coordinator_epoch,
                producer.current_txn_start_offset
            )
        })
        .collect();
    format!("{} {described:?}", partition.error_code)
}

pub(crate) fn transaction(run: &mut Run, id: usize) -> String {
    let ids = vec![run.names.transactional_id(id)];
    let request = DescribeTransactionsRequest::default().with_transactional_ids(ids);
    let response = call(&mut run.admin, &request, 0, |response| response.transaction_states[0].error_code);
    let transaction = &response.transaction_states[0];
    if transaction.error_code != 0 {
        return transaction.error_code.to_string();
    }
    let mut partitions: Vec<_> = transaction
        .topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|partition| (run.names.short(&topic.topic), *partition)))
        .collect();
    partitions.sort();
    format!(
        "{} {} {} epoch {} timeout {} {partitions:?}",
        transaction.error_code,
        transaction.transaction_state.as_str(),
        run.names.producer_id(transaction.producer_id.0),
        transaction.producer_epoch,
        transaction.transaction_timeout_ms,
    )
}

pub(crate) fn group(run: &mut Run, group: usize) -> String {
    let group = run.describe(group);
    let mut members: Vec<_> = group.members.iter().collect();
    members.sort_by_key(|member| member.client_id.as_str());
    let members: Vec<_> = members
        .into_iter()
        .map(|member| {
            let assignment = String::from_utf8_lossy(&member.member_assignment);
            format!(
                "{} instance {:?} metadata of {} assignment {assignment:?}",
                run.names.member_id(&member.member_id),
                member.group_instance_id.as_deref(),
                member.member_metadata.len()
            )
        })
        .collect();
    format!(
        "{} {} {:?} {:?} {members:?}",
        group.error_code,
        group.group_state.as_str(),
        group.protocol_type.as_str(),
        group.protocol_data.as_str()
    )
}

/// All that the group has committed, then what it has for each partition by name; with `stable`, what a transaction
/// still holds is UNSTABLE_OFFSET_COMMIT (88). (Of all that is committed, only what was committed before: a partition
/// whose first offset is pending is not in the list.)
pub(crate) fn offsets(run: &mut Run, group: usize, stable: bool) -> String {
    let named = (0..TOPICS).map(|topic| {
        OffsetFetchRequestTopics::default().with_name(run.names.topic(topic)).with_partition_indexes(vec![0, 1, 2])
    });
    let named = Some(named.collect());
    [None, named].map(|topics| committed(run, group, topics, stable)).join(", by name ")
}

fn committed(run: &mut Run, group: usize, topics: Option<Vec<OffsetFetchRequestTopics>>, stable: bool) -> String {
    let group = OffsetFetchRequestGroup::default().with_group_id(run.names.group(group)).with_topics(topics);
    let request = OffsetFetchRequest::default().with_groups(vec![group]).with_require_stable(stable);
    let response = call(&mut run.admin, &request, 8, |response| response.groups[0].error_code);
    let group = &response.groups[0];
    let mut offsets: Vec<_> = group
        .topics
        .iter()
        .flat_map(|topic| {
            let name = run.names.short(&topic.name);
            topic.partitions.iter().map(move |one| {
                let metadata = one.metadata.as_deref().unwrap_or("null");
                let (index, offset, error) = (one.partition_index, one.committed_offset, one.error_code);
                format!("{name}/{index} {offset} {metadata:?} {error}")
            })
        })
        .collect();
    offsets.sort();
    format!("{} {offsets:?}", group.error_code)
}
