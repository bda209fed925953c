//! Requests of transactional producers, and about them.
//!
//! Source: the message definitions of Apache Kafka 4.3 (`clients/src/main/resources/common/message`).

use super::schema::{Api, BOOLEAN, INT16, INT32, INT64, Kind::Array, STRING, api, field, structs};

pub(super) const APIS: &[Api] = &[
    api(
        "InitProducerId",
        22,
        0..=5,
        2,
        &[
            field("transactional_id", STRING).nullable(0),
            field("transaction_timeout_ms", INT32),
            field("producer_id", INT64).since(3),
            field("producer_epoch", INT16).since(3),
        ],
    ),
    api(
        "AddPartitionsToTxn",
        24,
        0..=5,
        3,
        &[
            structs(
                "transactions",
                &[
                    field("transactional_id", STRING).since(4),
                    field("producer_id", INT64).since(4),
                    field("producer_epoch", INT16).since(4),
                    field("verify_only", BOOLEAN).since(4),
                    structs("topics", &[field("name", STRING), field("partitions", Array(&INT32))]).since(4),
                ],
            )
            .since(4),
            field("v3_and_below_transactional_id", STRING).until(3),
            field("v3_and_below_producer_id", INT64).until(3),
            field("v3_and_below_producer_epoch", INT16).until(3),
            structs("v3_and_below_topics", &[field("name", STRING), field("partitions", Array(&INT32))]).until(3),
        ],
    ),
    api(
        "AddOffsetsToTxn",
        25,
        0..=4,
        3,
        &[
            field("transactional_id", STRING),
            field("producer_id", INT64),
            field("producer_epoch", INT16),
            field("group_id", STRING),
        ],
    ),
    api(
        "EndTxn",
        26,
        0..=5,
        3,
        &[
            field("transactional_id", STRING),
            field("producer_id", INT64),
            field("producer_epoch", INT16),
            field("committed", BOOLEAN),
        ],
    ),
    api(
        "TxnOffsetCommit",
        28,
        0..=5,
        3,
        &[
            field("transactional_id", STRING),
            field("group_id", STRING),
            field("producer_id", INT64),
            field("producer_epoch", INT16),
            field("generation_id", INT32).since(3),
            field("member_id", STRING).since(3),
            field("group_instance_id", STRING).since(3).nullable(0),
            structs(
                "topics",
                &[
                    field("name", STRING),
                    structs(
                        "partitions",
                        &[
                            field("partition_index", INT32),
                            field("committed_offset", INT64),
                            field("committed_leader_epoch", INT32).since(2),
                            field("committed_metadata", STRING).nullable(0),
                        ],
                    ),
                ],
            ),
        ],
    ),
    api(
        "WriteTxnMarkers",
        27,
        1..=1,
        1,
        &[structs(
            "markers",
            &[
                field("producer_id", INT64),
                field("producer_epoch", INT16),
                field("transaction_result", BOOLEAN),
                structs("topics", &[field("name", STRING), field("partition_indexes", Array(&INT32))]),
                field("coordinator_epoch", INT32),
            ],
        )],
    ),
    api(
        "DescribeProducers",
        61,
        0..=0,
        0,
        &[structs("topics", &[field("name", STRING), field("partition_indexes", Array(&INT32))])],
    ),
    api("DescribeTransactions", 65, 0..=0, 0, &[field("transactional_ids", Array(&STRING))]),
    api(
        "ListTransactions",
        66,
        0..=2,
        0,
        &[
            field("state_filters", Array(&STRING)),
            field("producer_id_filters", Array(&INT64)),
            field("duration_filter", INT64).since(1),
            field("transactional_id_pattern", STRING).since(2).nullable(0),
        ],
    ),
];
