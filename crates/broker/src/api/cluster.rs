//! Who is there: FindCoordinator, DescribeCluster, DescribeLogDirs, DescribeTopicPartitions.

use kafka_protocol::{
    ResponseError,
    messages::{
        BrokerId, DescribeClusterRequest, DescribeClusterResponse, DescribeLogDirsRequest, DescribeLogDirsResponse,
        DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, FindCoordinatorRequest,
        FindCoordinatorResponse, TopicName,
        describe_cluster_response::DescribeClusterBroker,
        describe_log_dirs_response::{DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic},
        describe_topic_partitions_response::{
            Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
        },
        find_coordinator_response::Coordinator,
    },
    protocol::StrBytes,
};

use super::metadata::{CLUSTER_OPERATIONS, TOPIC_OPERATIONS, host};
use crate::{
    engine::{Caller, Engine, dispatch::Call},
    log::partition::{LEADER_EPOCH, PartitionLog},
    topics::name,
};

/// What a coordinator is asked for.
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

/// Where the logs of Apache Kafka would be.
const IN_MEMORY: &str = "memory";

impl Engine {
    pub(crate) fn find_coordinator(&mut self, call: Call<FindCoordinatorRequest>) -> FindCoordinatorResponse {
        let Call { request, version, caller, .. } = call;
        if version < 4 {
            let error = kind_error(request.key_type);
            let response = FindCoordinatorResponse::default();
            return match error {
                None => response
                    .with_node_id(BrokerId(self.settings.node_id))
                    .with_host(host(caller.reached_at))
                    .with_port(i32::from(caller.reached_at.port()))
                    .with_error_message(Some(StrBytes::from_static_str("NONE"))),
                Some(error) => response
                    .with_error_code(error.code())
                    .with_error_message(Some(StrBytes::from_string(error.to_string())))
                    .with_node_id(BrokerId(-1))
                    .with_port(-1),
            };
        }
        let coordinators =
            request.coordinator_keys.into_iter().map(|key| self.coordinator(key, request.key_type, caller)).collect();
        FindCoordinatorResponse::default().with_coordinators(coordinators)
    }

    fn coordinator(&self, key: StrBytes, kind: i8, caller: Caller) -> Coordinator {
        let coordinator = Coordinator::default().with_key(key);
        match kind_error(kind) {
            None => coordinator
                .with_node_id(BrokerId(self.settings.node_id))
                .with_host(host(caller.reached_at))
                .with_port(i32::from(caller.reached_at.port())),
            Some(error) => coordinator
                .with_error_code(error.code())
                .with_error_message(Some(StrBytes::from_string(error.to_string())))
                .with_node_id(BrokerId(-1))
                .with_port(-1),
        }
    }

    pub(crate) fn describe_cluster(&mut self, call: Call<DescribeClusterRequest>) -> DescribeClusterResponse {
        let Call { request, version, caller, .. } = call;
        let operations = if request.include_cluster_authorized_operations { CLUSTER_OPERATIONS } else { i32::MIN };
        let response = DescribeClusterResponse::default()
            .with_cluster_id(StrBytes::from_string(self.cluster_id.clone()))
            .with_cluster_authorized_operations(operations);
        // Brokers are 1, controllers 2: those are not reached from outside.
        if version >= 1 && request.endpoint_type != 1 {
            let error = if request.endpoint_type == 2 {
                ResponseError::MismatchedEndpointType
            } else {
                ResponseError::UnsupportedEndpointType
            };
            return response
                .with_error_code(error.code())
                .with_error_message(Some(StrBytes::from_static_str("this listener reaches brokers only")));
        }
        let broker = DescribeClusterBroker::default()
            .with_broker_id(BrokerId(self.settings.node_id))
            .with_host(host(caller.reached_at))
            .with_port(i32::from(caller.reached_at.port()));
        response.with_endpoint_type(1).with_controller_id(BrokerId(self.settings.node_id)).with_brokers(vec![broker])
    }

    pub(crate) fn describe_log_dirs(&mut self, call: Call<DescribeLogDirsRequest>) -> DescribeLogDirsResponse {
        let wanted = call.request.topics;
        let topics = self
            .topics
            .iter()
            .filter_map(|(name, topic)| {
                let indexes: Option<Vec<i32>> = match &wanted {
                    None => None,
                    Some(topics) => Some(topics.iter().find(|wanted| wanted.topic == *name)?.partitions.clone()),
                };
                let partitions = (0i32..)
                    .zip(&topic.partitions)
                    .filter(|(index, _)| indexes.as_ref().is_none_or(|indexes| indexes.contains(index)))
                    .map(|(index, log)| {
                        DescribeLogDirsPartition::default().with_partition_index(index).with_partition_size(size(log))
                    })
                    .collect();
                Some(DescribeLogDirsTopic::default().with_name(name.clone()).with_partitions(partitions))
            })
            .collect();
        let result =
            DescribeLogDirsResult::default().with_log_dir(StrBytes::from_static_str(IN_MEMORY)).with_topics(topics);
        DescribeLogDirsResponse::default().with_results(vec![result])
    }

    pub(crate) fn describe_topic_partitions(
        &mut self,
        call: Call<DescribeTopicPartitionsRequest>,
    ) -> DescribeTopicPartitionsResponse {
        let request = call.request;
        let mut names: Vec<TopicName> = if request.topics.is_empty() {
            self.topics.iter().map(|(name, _)| name.clone()).collect()
        } else {
            request.topics.into_iter().map(|topic| topic.name).collect()
        };
        names.sort();
        names.dedup();
        let cursor = request.cursor.map(|cursor| (cursor.topic_name, cursor.partition_index));
        if let Some((from, _)) = &cursor {
            names.retain(|name| name >= from);
        }
        let mut room = usize::try_from(request.response_partition_limit).unwrap_or(0).clamp(1, 2000);
        let mut response = DescribeTopicPartitionsResponse::default();
        for name in names {
            let skip = cursor.as_ref().filter(|(topic, _)| *topic == name).map_or(0, |(_, partition)| *partition);
            if room == 0 {
                response.next_cursor = Some(Cursor::default().with_topic_name(name).with_partition_index(0));
                break;
            }
            let (described, next) = self.described(&name, skip, room);
            room -= described.partitions.len().min(room);
            response.topics.push(described);
            if let Some(next) = next {
                response.next_cursor = Some(Cursor::default().with_topic_name(name).with_partition_index(next));
                break;
            }
        }
        response
    }

    /// A topic from a partition on, and the first partition for which there is no room.
    fn described(
        &self,
        name: &TopicName,
        skip: i32,
        room: usize,
    ) -> (DescribeTopicPartitionsResponseTopic, Option<i32>) {
        let described = DescribeTopicPartitionsResponseTopic::default().with_name(Some(name.clone()));
        let Some(topic) = self.topics.get(name) else {
            let error = name::check(name).err().unwrap_or(ResponseError::UnknownTopicOrPartition);
            return (described.with_error_code(error.code()), None);
        };
        let node = BrokerId(self.settings.node_id);
        let partitions: Vec<_> = (0i32..)
            .zip(&topic.partitions)
            .filter(|(index, _)| *index >= skip)
            .take(room)
            .map(|(index, _)| {
                DescribeTopicPartitionsResponsePartition::default()
                    .with_partition_index(index)
                    .with_leader_id(node)
                    .with_leader_epoch(LEADER_EPOCH)
                    .with_replica_nodes(vec![node])
                    .with_isr_nodes(vec![node])
                    .with_eligible_leader_replicas(Some(Vec::new()))
                    .with_last_known_elr(Some(Vec::new()))
            })
            .collect();
        let next = partitions.last().map_or(skip, |last| last.partition_index + 1);
        let left = usize::try_from(next).is_ok_and(|next| next < topic.partitions.len());
        let described = described
            .with_topic_id(topic.id)
            .with_topic_authorized_operations(TOPIC_OPERATIONS)
            .with_partitions(partitions);
        (described, left.then_some(next))
    }
}

fn kind_error(kind: i8) -> Option<ResponseError> {
    (!matches!(kind, GROUP | TRANSACTION)).then_some(ResponseError::InvalidRequest)
}

fn size(log: &PartitionLog) -> i64 {
    i64::try_from(log.size()).unwrap_or(i64::MAX)
}
