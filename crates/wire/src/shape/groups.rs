//! Requests of consumer groups.
//!
//! Source: the message definitions of Apache Kafka 4.3 (`clients/src/main/resources/common/message`).

use super::schema::{Api, BOOLEAN, BYTES, INT8, INT32, INT64, Kind::Array, NEVER, STRING, api, field, structs};

pub(super) const APIS: &[Api] = &[
    api(
        "OffsetCommit",
        8,
        2..=9,
        8,
        &[
            field("group_id", STRING),
            field("generation_id_or_member_epoch", INT32),
            field("member_id", STRING),
            field("group_instance_id", STRING).since(7).nullable(0),
            field("retention_time_ms", INT64).until(4),
            structs(
                "topics",
                &[
                    field("name", STRING),
                    structs(
                        "partitions",
                        &[
                            field("partition_index", INT32),
                            field("committed_offset", INT64),
                            field("committed_leader_epoch", INT32).since(6),
                            field("committed_metadata", STRING).nullable(0),
                        ],
                    ),
                ],
            ),
        ],
    ),
    api(
        "OffsetFetch",
        9,
        1..=9,
        6,
        &[
            field("group_id", STRING).until(7),
            structs("topics", &[field("name", STRING).until(7), field("partition_indexes", Array(&INT32)).until(7)])
                .until(7)
                .nullable(2),
            structs(
                "groups",
                &[
                    field("group_id", STRING).since(8),
                    field("member_id", STRING).since(9).nullable(0),
                    field("member_epoch", INT32).since(9),
                    structs(
                        "topics",
                        &[field("name", STRING).since(8), field("partition_indexes", Array(&INT32)).since(8)],
                    )
                    .since(8)
                    .nullable(0),
                ],
            )
            .since(8),
            field("require_stable", BOOLEAN).since(7),
        ],
    ),
    api(
        "FindCoordinator",
        10,
        0..=6,
        3,
        &[
            field("key", STRING).until(3),
            field("key_type", INT8).since(1),
            field("coordinator_keys", Array(&STRING)).since(4),
        ],
    ),
    api(
        "JoinGroup",
        11,
        0..=9,
        6,
        &[
            field("group_id", STRING),
            field("session_timeout_ms", INT32),
            field("rebalance_timeout_ms", INT32).since(1),
            field("member_id", STRING),
            field("group_instance_id", STRING).since(5).nullable(0),
            field("protocol_type", STRING),
            structs("protocols", &[field("name", STRING), field("metadata", BYTES)]),
            field("reason", STRING).since(8).nullable(0),
        ],
    ),
    api(
        "Heartbeat",
        12,
        0..=4,
        4,
        &[
            field("group_id", STRING),
            field("generation_id", INT32),
            field("member_id", STRING),
            field("group_instance_id", STRING).since(3).nullable(0),
        ],
    ),
    api(
        "LeaveGroup",
        13,
        0..=5,
        4,
        &[
            field("group_id", STRING),
            field("member_id", STRING).until(2),
            structs(
                "members",
                &[
                    field("member_id", STRING).since(3),
                    field("group_instance_id", STRING).since(3).nullable(0),
                    field("reason", STRING).since(5).nullable(0),
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
            field("group_id", STRING),
            field("generation_id", INT32),
            field("member_id", STRING),
            field("group_instance_id", STRING).since(3).nullable(0),
            field("protocol_type", STRING).since(5).nullable(0),
            field("protocol_name", STRING).since(5).nullable(0),
            structs("assignments", &[field("member_id", STRING), field("assignment", BYTES)]),
        ],
    ),
    api(
        "DescribeGroups",
        15,
        0..=6,
        5,
        &[field("groups", Array(&STRING)), field("include_authorized_operations", BOOLEAN).since(3)],
    ),
    api(
        "ListGroups",
        16,
        0..=5,
        3,
        &[field("states_filter", Array(&STRING)).since(4), field("types_filter", Array(&STRING)).since(5)],
    ),
    api("DeleteGroups", 42, 0..=2, 2, &[field("groups_names", Array(&STRING))]),
    api(
        "OffsetDelete",
        47,
        0..=0,
        NEVER,
        &[
            field("group_id", STRING),
            structs("topics", &[field("name", STRING), structs("partitions", &[field("partition_index", INT32)])]),
        ],
    ),
];
