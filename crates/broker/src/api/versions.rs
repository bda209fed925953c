//! ApiVersions: exactly what is implemented.

use kafka_protocol::{
    ResponseError,
    messages::{
        ApiKey, ApiVersionsRequest, ApiVersionsResponse,
        api_versions_response::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey},
    },
    protocol::StrBytes,
};

use crate::engine::{Engine, dispatch::Call};

/// Requests with the lowest and the highest version.
///
/// Produce and Fetch stop before the versions that name topics by their ids.
const OFFERED: &[(ApiKey, i16, i16)] = &[
    (ApiKey::Produce, 3, 12),
    (ApiKey::Fetch, 4, 12),
    (ApiKey::ListOffsets, 1, 10),
    (ApiKey::Metadata, 0, 13),
    (ApiKey::OffsetCommit, 2, 9),
    (ApiKey::OffsetFetch, 1, 9),
    (ApiKey::FindCoordinator, 0, 6),
    (ApiKey::JoinGroup, 0, 9),
    (ApiKey::Heartbeat, 0, 4),
    (ApiKey::LeaveGroup, 0, 5),
    (ApiKey::SyncGroup, 0, 5),
    (ApiKey::DescribeGroups, 0, 6),
    (ApiKey::ListGroups, 0, 5),
    (ApiKey::ApiVersions, 0, 4),
    (ApiKey::CreateTopics, 2, 7),
    (ApiKey::DeleteTopics, 1, 6),
    (ApiKey::DeleteRecords, 0, 2),
    (ApiKey::InitProducerId, 0, 5),
    (ApiKey::OffsetForLeaderEpoch, 2, 4),
    (ApiKey::AddPartitionsToTxn, 0, 5),
    (ApiKey::AddOffsetsToTxn, 0, 4),
    (ApiKey::EndTxn, 0, 5),
    (ApiKey::TxnOffsetCommit, 0, 5),
    (ApiKey::DescribeConfigs, 1, 4),
    (ApiKey::AlterConfigs, 0, 2),
    (ApiKey::DescribeLogDirs, 1, 4),
    (ApiKey::CreatePartitions, 0, 3),
    (ApiKey::DeleteGroups, 0, 2),
    (ApiKey::IncrementalAlterConfigs, 0, 1),
    (ApiKey::OffsetDelete, 0, 0),
    (ApiKey::DescribeCluster, 0, 2),
    (ApiKey::DescribeProducers, 0, 0),
    (ApiKey::DescribeTransactions, 0, 0),
    (ApiKey::ListTransactions, 0, 2),
    (ApiKey::DescribeTopicPartitions, 0, 0),
];

/// The feature that tells clients to end transactions with a new epoch (KIP-890).
const TRANSACTION_VERSION: (&str, i16) = ("transaction.version", 2);

/// Whether this request is handled in this version.
pub(crate) fn is_offered(key: i16, version: i16) -> bool {
    OFFERED.iter().any(|(api, min, max)| *api as i16 == key && (*min..=*max).contains(&version))
}

/// The answer to a version of ApiVersions that this broker does not know.
pub(crate) fn unsupported() -> ApiVersionsResponse {
    let versions = offered().into_iter().filter(|api| api.api_key == ApiKey::ApiVersions as i16).collect();
    ApiVersionsResponse::default().with_error_code(ResponseError::UnsupportedVersion.code()).with_api_keys(versions)
}

fn offered() -> Vec<ApiVersion> {
    OFFERED
        .iter()
        .map(|(api, min, max)| {
            // librdkafka takes a broker without Produce 0 for one without compression (KAFKA-18659).
            let min = if *api == ApiKey::Produce { 0 } else { *min };
            ApiVersion::default().with_api_key(*api as i16).with_min_version(min).with_max_version(*max)
        })
        .collect()
}

impl Engine {
    pub(crate) fn api_versions(&mut self, call: Call<ApiVersionsRequest>) -> ApiVersionsResponse {
        let Call { request, version, .. } = call;
        if version >= 3
            && !(is_software(&request.client_software_name) && is_software(&request.client_software_version))
        {
            return ApiVersionsResponse::default().with_error_code(ResponseError::InvalidRequest.code());
        }
        let mut response = ApiVersionsResponse::default().with_api_keys(offered());
        if version >= 3 && self.settings.transaction_version_2 {
            let (name, level) = TRANSACTION_VERSION;
            let name = StrBytes::from_static_str(name);
            response.supported_features = vec![
                SupportedFeatureKey::default().with_name(name.clone()).with_min_version(0).with_max_version(level),
            ];
            response.finalized_features = vec![
                FinalizedFeatureKey::default()
                    .with_name(name)
                    .with_min_version_level(level)
                    .with_max_version_level(level),
            ];
            response.finalized_features_epoch = 0;
        }
        response
    }
}

/// Letters and digits, with `.` and `-` between (KIP-511).
fn is_software(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    bytes.iter().copied().all(inner) && edge(bytes.first()) && edge(bytes.last())
}
