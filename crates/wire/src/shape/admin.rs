//! Requests about the broker, its topics and their configuration.
//!
//! Source: the message definitions of Apache Kafka 4.3 (`clients/src/main/resources/common/message`).

use super::schema::{
    Api, BOOLEAN, INT8, INT16, INT32,
    Kind::{Array, Struct},
    STRING, UUID, api, field, structs,
};

pub(super) const APIS: &[Api] = &[
    api(
        "ApiVersions",
        18,
        0..=4,
        3,
        &[field("client_software_name", STRING).since(3), field("client_software_version", STRING).since(3)],
    ),
    api(
        "CreateTopics",
        19,
        2..=7,
        5,
        &[
            structs(
                "topics",
                &[
                    field("name", STRING),
                    field("num_partitions", INT32),
                    field("replication_factor", INT16),
                    structs("assignments", &[field("partition_index", INT32), field("broker_ids", Array(&INT32))]),
                    structs("configs", &[field("name", STRING), field("value", STRING).nullable(0)]),
                ],
            ),
            field("timeout_ms", INT32),
            field("validate_only", BOOLEAN),
        ],
    ),
    api(
        "DeleteTopics",
        20,
        1..=6,
        4,
        &[
            structs("topics", &[field("name", STRING).since(6).nullable(0), field("topic_id", UUID).since(6)]).since(6),
            field("topic_names", Array(&STRING)).until(5),
            field("timeout_ms", INT32),
        ],
    ),
    api(
        "CreatePartitions",
        37,
        0..=3,
        2,
        &[
            structs(
                "topics",
                &[
                    field("name", STRING),
                    field("count", INT32),
                    structs("assignments", &[field("broker_ids", Array(&INT32))]).nullable(0),
                ],
            ),
            field("timeout_ms", INT32),
            field("validate_only", BOOLEAN),
        ],
    ),
    api(
        "DescribeConfigs",
        32,
        1..=4,
        4,
        &[
            structs(
                "resources",
                &[
                    field("resource_type", INT8),
                    field("resource_name", STRING),
                    field("configuration_keys", Array(&STRING)).nullable(0),
                ],
            ),
            field("include_synonyms", BOOLEAN),
            field("include_documentation", BOOLEAN).since(3),
        ],
    ),
    api(
        "AlterConfigs",
        33,
        0..=2,
        2,
        &[
            structs(
                "resources",
                &[
                    field("resource_type", INT8),
                    field("resource_name", STRING),
                    structs("configs", &[field("name", STRING), field("value", STRING).nullable(0)]),
                ],
            ),
            field("validate_only", BOOLEAN),
        ],
    ),
    api(
        "IncrementalAlterConfigs",
        44,
        0..=1,
        1,
        &[
            structs(
                "resources",
                &[
                    field("resource_type", INT8),
                    field("resource_name", STRING),
                    structs(
                        "configs",
                        &[field("name", STRING), field("config_operation", INT8), field("value", STRING).nullable(0)],
                    ),
                ],
            ),
            field("validate_only", BOOLEAN),
        ],
    ),
    api(
        "DescribeCluster",
        60,
        0..=2,
        0,
        &[
            field("include_cluster_authorized_operations", BOOLEAN),
            field("endpoint_type", INT8).since(1),
            field("include_fenced_brokers", BOOLEAN).since(2),
        ],
    ),
    api(
        "DescribeTopicPartitions",
        75,
        0..=0,
        0,
        &[
            structs("topics", &[field("name", STRING)]),
            field("response_partition_limit", INT32),
            field("cursor", Struct(&[field("topic_name", STRING), field("partition_index", INT32)])).nullable(0),
        ],
    ),
    api(
        "DescribeLogDirs",
        35,
        1..=4,
        2,
        &[structs("topics", &[field("topic", STRING), field("partitions", Array(&INT32))]).nullable(0)],
    ),
];
