//! Metadata, and the topics that asking for them creates.

use kafka_protocol::{
    ResponseError,
    messages::{
        BrokerId, MetadataRequest, MetadataResponse, TopicName,
        metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
    },
    protocol::StrBytes,
};
use uuid::Uuid;

use crate::{
    engine::{Engine, dispatch::Call},
    log::partition::LEADER_EPOCH,
    topics::{config::TopicConfig, name},
};

/// Not asked for.
const NO_OPERATIONS: i32 = i32::MIN;
/// All that can be done to a cluster and to a topic, as bits of `AclOperation`.
pub(crate) const CLUSTER_OPERATIONS: i32 = 0x1fa0;
pub(crate) const TOPIC_OPERATIONS: i32 = 0x0df8;

impl Engine {
    pub(crate) fn metadata(&mut self, call: Call<MetadataRequest>) -> MetadataResponse {
        let Call { request, version, caller, .. } = call;
        // Before version 4 there was no choice; before version 1, no topics meant all.
        let create = self.settings.auto_create_topics && (version < 4 || request.allow_auto_topic_creation);
        let with_operations = version >= 8 && request.include_topic_authorized_operations;
        let mut topics = match request.topics {
            Some(topics) if version > 0 || !topics.is_empty() => {
                let by_id = topics.iter().any(|topic| !topic.topic_id.is_nil());
                let mut seen = std::collections::HashSet::new();
                topics
                    .into_iter()
                    .filter(|topic| seen.insert((topic.name.clone(), topic.topic_id)))
                    .map(|topic| match topic.name {
                        _ if by_id => self.topic_by_id(topic.topic_id),
                        Some(name) => self.topic_by_name(name, create),
                        None => MetadataResponseTopic::default()
                            .with_error_code(ResponseError::InvalidTopicException.code()),
                    })
                    .collect()
            }
            _ => self.topics.iter().map(|(name, _)| self.known(name)).collect::<Vec<_>>(),
        };
        for topic in &mut topics {
            let operations = if with_operations { TOPIC_OPERATIONS } else { NO_OPERATIONS };
            topic.topic_authorized_operations = operations;
            if version < 12 && topic.name.is_none() {
                // Older versions cannot say that a topic has no name.
                topic.name = Some(TopicName::default());
            }
        }
        let with_operations = (8..=10).contains(&version) && request.include_cluster_authorized_operations;
        let broker = MetadataResponseBroker::default()
            .with_node_id(BrokerId(self.settings.node_id))
            .with_host(host(caller.reached_at))
            .with_port(i32::from(caller.reached_at.port()));
        MetadataResponse::default()
            .with_brokers(vec![broker])
            .with_cluster_id(Some(StrBytes::from_string(self.cluster_id.clone())))
            .with_controller_id(BrokerId(self.settings.node_id))
            .with_topics(topics)
            .with_cluster_authorized_operations(if with_operations { CLUSTER_OPERATIONS } else { NO_OPERATIONS })
    }

    fn topic_by_id(&self, id: Uuid) -> MetadataResponseTopic {
        match self.topics.name_of(id) {
            Some(name) => self.known(name),
            None => MetadataResponseTopic::default()
                .with_error_code(ResponseError::UnknownTopicId.code())
                .with_name(None)
                .with_topic_id(id),
        }
    }

    fn topic_by_name(&mut self, name: TopicName, create: bool) -> MetadataResponseTopic {
        if self.topics.get(&name).is_some() {
            return self.known(&name);
        }
        let unknown = MetadataResponseTopic::default().with_is_internal(name::is_internal(&name));
        let error = match name::check(&name) {
            Err(error) => error,
            Ok(()) if !create || name::is_internal(&name) => ResponseError::UnknownTopicOrPartition,
            Ok(()) if self.auto_create(&name).is_ok() => return self.known(&name),
            // Apache Kafka creates topics behind the client's back, so that it cannot tell what went wrong.
            Ok(()) => ResponseError::UnknownTopicOrPartition,
        };
        unknown.with_error_code(error.code()).with_name(Some(name))
    }

    fn auto_create(&mut self, name: &TopicName) -> Result<(), ResponseError> {
        let partitions = usize::try_from(self.settings.default_partitions).unwrap_or(1);
        self.topics.check_new(name, partitions)?;
        let id = self.ids.uuid();
        self.topics.create(name.clone(), id, partitions, TopicConfig::default());
        Ok(())
    }

    fn known(&self, name: &TopicName) -> MetadataResponseTopic {
        let response = MetadataResponseTopic::default().with_name(Some(name.clone()));
        let Some(topic) = self.topics.get(name) else {
            return response.with_error_code(ResponseError::UnknownTopicOrPartition.code());
        };
        let node = BrokerId(self.settings.node_id);
        let partitions = (0i32..)
            .zip(&topic.partitions)
            .map(|(index, _)| {
                MetadataResponsePartition::default()
                    .with_partition_index(index)
                    .with_leader_id(node)
                    .with_leader_epoch(LEADER_EPOCH)
                    .with_replica_nodes(vec![node])
                    .with_isr_nodes(vec![node])
            })
            .collect();
        response.with_topic_id(topic.id).with_partitions(partitions)
    }
}

/// The host of an address, as clients take it.
pub(crate) fn host(address: std::net::SocketAddr) -> StrBytes {
    StrBytes::from_string(address.ip().to_string())
}
