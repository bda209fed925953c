//! Responses, as far as someone between client and broker looks into them.
//!
//! Source: the message definitions of Apache Kafka 4.3 (`clients/src/main/resources/common/message`).

use super::schema::{
    Api, BOOLEAN, BYTES, Field, INT8, INT16, INT32, INT64,
    Kind::{Array, Struct, Structs},
    STRING, UUID, api, field, structs,
};

/// A broker's address, as it stands beside an error that sends the client there.
const NODE_ENDPOINT: &[Field] =
    &[field("node_id", INT32), field("host", STRING), field("port", INT32), field("rack", STRING).nullable(0)];

const LEADER: &[Field] = &[field("leader_id", INT32), field("leader_epoch", INT32)];

/// A partition, and nothing of it but an error.
const PARTITION_ERROR: &[Field] = &[field("partition_index", INT32), field("error_code", INT16)];

const TXN_PARTITION_ERRORS: &[Field] = &[
    field("name", STRING),
    structs("results_by_partition", &[field("partition_index", INT32), field("partition_error_code", INT16)]),
];

const COMMITTED: &[Field] = &[
    field("partition_index", INT32),
    field("committed_offset", INT64),
    field("committed_leader_epoch", INT32).since(5),
    field("metadata", STRING).nullable(0),
    field("error_code", INT16),
];

pub(super) const APIS: &[Api] = &[
    api(
        "Produce",
        0,
        3..=13,
        9,
        &[
            structs(
                "responses",
                &[
                    field("name", STRING).until(12),
                    field("topic_id", UUID).since(13),
                    structs(
                        "partition_responses",
                        &[
                            field("index", INT32),
                            field("error_code", INT16),
                            field("base_offset", INT64),
                            field("log_append_time_ms", INT64),
                            field("log_start_offset", INT64).since(5),
                            structs(
                                "record_errors",
                                &[field("batch_index", INT32), field("batch_index_error_message", STRING).nullable(0)],
                            )
                            .since(8),
                            field("error_message", STRING).since(8).nullable(0),
                            field("current_leader", Struct(LEADER)).since(10).tagged(0),
                        ],
                    ),
                ],
            ),
            field("throttle_time_ms", INT32),
            field("node_endpoints", Structs(NODE_ENDPOINT)).since(10).tagged(0),
        ],
    ),
    api(
        "Fetch",
        1,
        4..=18,
        12,
        &[
            field("throttle_time_ms", INT32),
            field("error_code", INT16).since(7),
            field("session_id", INT32).since(7),
            structs(
                "responses",
                &[
                    field("topic", STRING).until(12),
                    field("topic_id", UUID).since(13),
                    structs(
                        "partitions",
                        &[
                            field("partition_index", INT32),
                            field("error_code", INT16),
                            field("high_watermark", INT64),
                            field("last_stable_offset", INT64),
                            field("log_start_offset", INT64).since(5),
                            structs(
                                "aborted_transactions",
                                &[field("producer_id", INT64), field("first_offset", INT64)],
                            )
                            .nullable(0),
                            field("preferred_read_replica", INT32).since(11),
                            field("records", BYTES).nullable(0),
                            field("diverging_epoch", Struct(&[field("epoch", INT32), field("end_offset", INT64)]))
                                .since(12)
                                .tagged(0),
                            field("current_leader", Struct(LEADER)).since(12).tagged(1),
                            field("snapshot_id", Struct(&[field("end_offset", INT64), field("epoch", INT32)]))
                                .since(12)
                                .tagged(2),
                        ],
                    ),
                ],
            ),
            field("node_endpoints", Structs(NODE_ENDPOINT)).since(16).tagged(0),
        ],
    ),
    api(
        "ListOffsets",
        2,
        1..=10,
        6,
        &[
            field("throttle_time_ms", INT32).since(2),
            structs(
                "topics",
                &[
                    field("name", STRING),
                    structs(
                        "partitions",
                        &[
                            field("partition_index", INT32),
                            field("error_code", INT16),
                            field("timestamp", INT64),
                            field("offset", INT64),
                            field("leader_epoch", INT32).since(4),
                        ],
                    ),
                ],
            ),
        ],
    ),
    api(
        "Metadata",
        3,
        0..=13,
        9,
        &[
            field("throttle_time_ms", INT32).since(3),
            structs(
                "brokers",
                &[
                    field("node_id", INT32),
                    field("host", STRING),
                    field("port", INT32),
                    field("rack", STRING).since(1).nullable(1),
                ],
            ),
            field("cluster_id", STRING).since(2).nullable(2),
            field("controller_id", INT32).since(1),
            structs(
                "topics",
                &[
                    field("error_code", INT16),
                    field("name", STRING).nullable(12),
                    field("topic_id", UUID).since(10),
                    field("is_internal", BOOLEAN).since(1),
                    structs(
                        "partitions",
                        &[
                            field("error_code", INT16),
                            field("partition_index", INT32),
                            field("leader_id", INT32),
                            field("leader_epoch", INT32).since(7),
                            field("replica_nodes", Array(&INT32)),
                            field("isr_nodes", Array(&INT32)),
                            field("offline_replicas", Array(&INT32)).since(5),
                        ],
                    ),
                    field("topic_authorized_operations", INT32).since(8),
                ],
            ),
            field("cluster_authorized_operations", INT32).since(8).until(10),
            field("error_code", INT16).since(13),
        ],
    ),
    api(
        "OffsetCommit",
        8,
        2..=9,
        8,
        &[
            field("throttle_time_ms", INT32).since(3),
            structs("topics", &[field("name", STRING), structs("partitions", PARTITION_ERROR)]),
        ],
    ),
    api(
        "OffsetFetch",
        9,
        1..=9,
        6,
        &[
            field("throttle_time_ms", INT32).since(3),
            structs("topics", &[field("name", STRING), structs("partitions", COMMITTED)]).until(7),
            field("error_code", INT16).since(2).until(7),
            structs(
                "groups",
                &[
                    field("group_id", STRING),
                    structs("topics", &[field("name", STRING), structs("partitions", COMMITTED)]),
                    field("error_code", INT16),
                ],
            )
            .since(8),
        ],
    ),
    api(
        "FindCoordinator",
        10,
        0..=6,
        3,
        &[
            field("throttle_time_ms", INT32).since(1),
            field("error_code", INT16).until(3),
            field("error_message", STRING).since(1).until(3).nullable(1),
            field("node_id", INT32).until(3),
            field("host", STRING).until(3),
            field("port", INT32).until(3),
            structs(
                "coordinators",
                &[
                    field("key", STRING),
                    field("node_id", INT32),
                    field("host", STRING),
                    field("port", INT32),
                    field("error_code", INT16),
                    field("error_message", STRING).nullable(0),
                ],
            )
            .since(4),
        ],
    ),
    api(
        "JoinGroup",
        11,
        0..=9,
        6,
        &[
            field("throttle_time_ms", INT32).since(2),
            field("error_code", INT16),
            field("generation_id", INT32),
            field("protocol_type", STRING).since(7).nullable(7),
            field("protocol_name", STRING).nullable(7),
            field("leader", STRING),
            field("skip_assignment", BOOLEAN).since(9),
            field("member_id", STRING),
            structs(
                "members",
                &[
                    field("member_id", STRING),
                    field("group_instance_id", STRING).since(5).nullable(5),
                    field("metadata", BYTES),
                ],
            ),
        ],
    ),
    api("Heartbeat", 12, 0..=4, 4, &[field("throttle_time_ms", INT32).since(1), field("error_code", INT16)]),
    api(
        "LeaveGroup",
        13,
        0..=5,
        4,
        &[
            field("throttle_time_ms", INT32).since(1),
            field("error_code", INT16),
            structs(
                "members",
                &[
                    field("member_id", STRING),
                    field("group_instance_id", STRING).nullable(0),
                    field("error_code", INT16),
                ],
            )
            .since(3),
        ],
    ),
    api(
        "SyncGroup",
        14,
        0..=5,
        4,
        &[
            field("throttle_time_ms", INT32).since(1),
            field("error_code", INT16),
            field("protocol_type", STRING).since(5).nullable(5),
            field("protocol_name", STRING).since(5).nullable(5),
            field("assignment", BYTES),
        ],
    ),
    api(
        "InitProducerId",
        22,
        0..=5,
        2,
        &[
            field("throttle_time_ms", INT32),
            field("error_code", INT16),
            field("producer_id", INT64),
            field("producer_epoch", INT16),
        ],
    ),
    api(
        "AddPartitionsToTxn",
        24,
        0..=5,
        3,
        &[
            field("throttle_time_ms", INT32),
            field("error_code", INT16).since(4),
            structs(
                "results_by_transaction",
                &[field("transactional_id", STRING), structs("topic_results", TXN_PARTITION_ERRORS)],
            )
            .since(4),
            structs("results_by_topic_v3_and_below", TXN_PARTITION_ERRORS).until(3),
        ],
    ),
    api("AddOffsetsToTxn", 25, 0..=4, 3, &[field("throttle_time_ms", INT32), field("error_code", INT16)]),
    api(
        "EndTxn",
        26,
        0..=5,
        3,
        &[
            field("throttle_time_ms", INT32),
            field("error_code", INT16),
            field("producer_id", INT64).since(5),
            field("producer_epoch", INT16).since(5),
        ],
    ),
    api(
        "TxnOffsetCommit",
        28,
        0..=5,
        3,
        &[
            field("throttle_time_ms", INT32),
            structs("topics", &[field("name", STRING), structs("partitions", PARTITION_ERROR)]),
        ],
    ),
    api(
        "DescribeCluster",
        60,
        0..=2,
        0,
        &[
            field("throttle_time_ms", INT32),
            field("error_code", INT16),
            field("error_message", STRING).nullable(0),
            field("endpoint_type", INT8).since(1),
            field("cluster_id", STRING),
            field("controller_id", INT32),
            structs(
                "brokers",
                &[
                    field("broker_id", INT32),
                    field("host", STRING),
                    field("port", INT32),
                    field("rack", STRING).nullable(0),
                    field("is_fenced", BOOLEAN).since(2),
                ],
            ),
            field("cluster_authorized_operations", INT32),
        ],
    ),
    api(
        "ShareFetch",
        78,
        1..=1,
        0,
        &[
            field("throttle_time_ms", INT32),
            field("error_code", INT16),
            field("error_message", STRING).nullable(0),
            field("acquisition_lock_timeout_ms", INT32),
            structs(
                "responses",
                &[
                    field("topic_id", UUID),
                    structs(
                        "partitions",
                        &[
                            field("partition_index", INT32),
                            field("error_code", INT16),
                            field("error_message", STRING).nullable(0),
                            field("acknowledge_error_code", INT16),
                            field("acknowledge_error_message", STRING).nullable(0),
                            field("current_leader", Struct(LEADER)),
                            field("records", BYTES).nullable(0),
                            structs(
                                "acquired_records",
                                &[
                                    field("first_offset", INT64),
                                    field("last_offset", INT64),
                                    field("delivery_count", INT16),
                                ],
                            ),
                        ],
                    ),
                ],
            ),
            structs("node_endpoints", NODE_ENDPOINT),
        ],
    ),
    api(
        "ShareAcknowledge",
        79,
        1..=1,
        0,
        &[
            field("throttle_time_ms", INT32),
            field("error_code", INT16),
            field("error_message", STRING).nullable(0),
            structs(
                "responses",
                &[
                    field("topic_id", UUID),
                    structs(
                        "partitions",
                        &[
                            field("partition_index", INT32),
                            field("error_code", INT16),
                            field("error_message", STRING).nullable(0),
                            field("current_leader", Struct(LEADER)),
                        ],
                    ),
                ],
            ),
            structs("node_endpoints", NODE_ENDPOINT),
        ],
    ),
];
