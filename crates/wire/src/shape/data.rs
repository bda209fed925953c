//! Requests about the log: produce, fetch, offsets.
//!
//! Source: the message definitions of Apache Kafka 4.3 (`clients/src/main/resources/common/message`).

use super::schema::{
    Api, BOOLEAN, BYTES, INT8, INT16, INT32, INT64,
    Kind::{Array, Struct},
    STRING, UUID, api, field, structs,
};

pub(super) const APIS: &[Api] = &[
    api(
        "Produce",
        0,
        3..=13,
        9,
        &[
            field("transactional_id", STRING).nullable(0),
            field("acks", INT16),
            field("timeout_ms", INT32),
            structs(
                "topic_data",
                &[
                    field("name", STRING).until(12),
                    field("topic_id", UUID).since(13),
                    structs("partition_data", &[field("index", INT32), field("records", BYTES).nullable(0)]),
                ],
            ),
        ],
    ),
    api(
        "Fetch",
        1,
        4..=18,
        12,
        &[
            field("cluster_id", STRING).since(12).nullable(0).tagged(0),
            field("replica_id", INT32).until(14),
            field("replica_state", Struct(&[field("replica_id", INT32), field("replica_epoch", INT64)]))
                .since(15)
                .tagged(1),
            field("max_wait_ms", INT32),
            field("min_bytes", INT32),
            field("max_bytes", INT32),
            field("isolation_level", INT8),
            field("session_id", INT32).since(7),
            field("session_epoch", INT32).since(7),
            structs(
                "topics",
                &[
                    field("topic", STRING).until(12),
                    field("topic_id", UUID).since(13),
                    structs(
                        "partitions",
                        &[
                            field("partition", INT32),
                            field("current_leader_epoch", INT32).since(9),
                            field("fetch_offset", INT64),
                            field("last_fetched_epoch", INT32).since(12),
                            field("log_start_offset", INT64).since(5),
                            field("partition_max_bytes", INT32),
                            field("replica_directory_id", UUID).since(17).tagged(0),
                            field("high_watermark", INT64).since(18).tagged(1),
                        ],
                    ),
                ],
            ),
            structs(
                "forgotten_topics_data",
                &[
                    field("topic", STRING).until(12),
                    field("topic_id", UUID).since(13),
                    field("partitions", Array(&INT32)),
                ],
            )
            .since(7),
            field("rack_id", STRING).since(11),
        ],
    ),
    api(
        "ListOffsets",
        2,
        1..=10,
        6,
        &[
            field("replica_id", INT32),
            field("isolation_level", INT8).since(2),
            structs(
                "topics",
                &[
                    field("name", STRING),
                    structs(
                        "partitions",
                        &[
                            field("partition_index", INT32),
                            field("current_leader_epoch", INT32).since(4),
                            field("timestamp", INT64),
                        ],
                    ),
                ],
            ),
            field("timeout_ms", INT32).since(10),
        ],
    ),
    api(
        "Metadata",
        3,
        0..=13,
        9,
        &[
            structs("topics", &[field("topic_id", UUID).since(10), field("name", STRING).nullable(10)]).nullable(1),
            field("allow_auto_topic_creation", BOOLEAN).since(4),
            field("include_cluster_authorized_operations", BOOLEAN).since(8).until(10),
            field("include_topic_authorized_operations", BOOLEAN).since(8),
        ],
    ),
    api(
        "OffsetForLeaderEpoch",
        23,
        2..=4,
        4,
        &[
            field("replica_id", INT32).since(3),
            structs(
                "topics",
                &[
                    field("topic", STRING),
                    structs(
                        "partitions",
                        &[
                            field("partition", INT32),
                            field("current_leader_epoch", INT32),
                            field("leader_epoch", INT32),
                        ],
                    ),
                ],
            ),
        ],
    ),
    api(
        "DeleteRecords",
        21,
        0..=2,
        2,
        &[
            structs(
                "topics",
                &[
                    field("name", STRING),
                    structs("partitions", &[field("partition_index", INT32), field("offset", INT64)]),
                ],
            ),
            field("timeout_ms", INT32),
        ],
    ),
];
