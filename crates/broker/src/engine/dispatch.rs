//! From a frame to the function that handles its request.

use std::fmt::Debug;

use bytes::Bytes;
use kafka_protocol::{
    messages::{ApiKey, RequestHeader},
    protocol::{Decodable, Encodable, HeaderVersion, Request},
};
use wire::shape;

use super::{Caller, Engine, Handled, answer::Header};
use crate::{
    api::{fetch::Fetched, produce::Produced, versions},
    wait::Wait,
};

/// A request with what its handler may need beside it.
pub(crate) struct Call<R> {
    pub(crate) request: R,
    pub(crate) version: i16,
    pub(crate) caller: Caller,
    pub(crate) client_id: String,
}

/// A request whose header has been read.
struct Frame {
    header: Header,
    client_id: String,
    caller: Caller,
    body: Bytes,
}

impl Frame {
    fn decode<R: Request>(self) -> Result<Call<R>, String> {
        let Self { header, client_id, caller, mut body } = self;
        let request = R::decode(&mut body, header.version).map_err(|error| format!("malformed request: {error}"))?;
        Ok(Call { request, version: header.version, caller, client_id })
    }
}

impl Engine {
    pub(super) fn dispatch(&mut self, caller: Caller, frame: Bytes) -> Handled {
        self.route(caller, frame).unwrap_or_else(Handled::Close)
    }

    fn route(&mut self, caller: Caller, mut frame: Bytes) -> Result<Handled, String> {
        let (key, version, correlation_id) = start(&frame).ok_or("a frame too short for a request")?;
        let header = Header { correlation_id, version };
        let Some(api) = ApiKey::try_from(key).ok().filter(|_| versions::is_offered(key, version)) else {
            if key == ApiKey::ApiVersions as i16 {
                // A client newer than this broker learns from this what to ask instead (KIP-511).
                let unsupported = versions::unsupported();
                return Header { version: 0, ..header }.answer(&unsupported).map(Handled::Answer);
            }
            return Err(format!("API key {key} version {version} is not offered"));
        };
        let limit = if api == ApiKey::Produce {
            self.settings.max_request_bytes
        } else {
            self.settings.max_small_request_bytes
        };
        if frame.len() > limit {
            return Err(format!("a request of {} bytes where {limit} are allowed", frame.len()));
        }
        let header_version = api.request_header_version(version);
        shape::check_header(header_version, &frame).map_err(|error| format!("malformed header: {error}"))?;
        let request_header =
            RequestHeader::decode(&mut frame, header_version).map_err(|error| format!("malformed header: {error}"))?;
        shape::check(key, version, &frame)
            .map_err(|error| format!("malformed {api:?} request, version {version}: {error}"))?;
        let client_id = request_header.client_id.map(|id| id.to_string()).unwrap_or_default();
        let frame = Frame { header, client_id, caller, body: frame };
        match api {
            ApiKey::Produce => self.handle_produce(frame),
            ApiKey::Fetch => self.handle_fetch(frame),
            ApiKey::ListOffsets => self.simple(frame, Self::list_offsets),
            ApiKey::Metadata => self.simple(frame, Self::metadata),
            ApiKey::OffsetCommit => self.simple(frame, Self::offset_commit),
            ApiKey::OffsetFetch => self.simple(frame, Self::offset_fetch),
            ApiKey::FindCoordinator => self.simple(frame, Self::find_coordinator),
            ApiKey::JoinGroup => self.patient(frame, Self::join_group),
            ApiKey::Heartbeat => self.simple(frame, Self::heartbeat),
            ApiKey::LeaveGroup => self.simple(frame, Self::leave_group),
            ApiKey::SyncGroup => self.patient(frame, Self::sync_group),
            ApiKey::DescribeGroups => self.simple(frame, Self::describe_groups),
            ApiKey::ListGroups => self.simple(frame, Self::list_groups),
            ApiKey::ApiVersions => self.simple(frame, Self::api_versions),
            ApiKey::CreateTopics => self.simple(frame, Self::create_topics),
            ApiKey::DeleteTopics => self.simple(frame, Self::delete_topics),
            ApiKey::DeleteRecords => self.simple(frame, Self::delete_records),
            ApiKey::InitProducerId => self.simple(frame, Self::init_producer_id),
            ApiKey::OffsetForLeaderEpoch => self.simple(frame, Self::offset_for_leader_epoch),
            ApiKey::AddPartitionsToTxn => self.simple(frame, Self::add_partitions_to_txn),
            ApiKey::AddOffsetsToTxn => self.simple(frame, Self::add_offsets_to_txn),
            ApiKey::EndTxn => self.simple(frame, Self::end_txn),
            ApiKey::TxnOffsetCommit => self.simple(frame, Self::txn_offset_commit),
            ApiKey::DescribeConfigs => self.simple(frame, Self::describe_configs),
            ApiKey::AlterConfigs => self.simple(frame, Self::alter_configs),
            ApiKey::CreatePartitions => self.simple(frame, Self::create_partitions),
            ApiKey::DeleteGroups => self.simple(frame, Self::delete_groups),
            ApiKey::IncrementalAlterConfigs => self.simple(frame, Self::incremental_alter_configs),
            ApiKey::OffsetDelete => self.simple(frame, Self::offset_delete),
            ApiKey::DescribeCluster => self.simple(frame, Self::describe_cluster),
            ApiKey::DescribeProducers => self.simple(frame, Self::describe_producers),
            ApiKey::DescribeTransactions => self.simple(frame, Self::describe_transactions),
            ApiKey::ListTransactions => self.simple(frame, Self::list_transactions),
            ApiKey::DescribeTopicPartitions => self.simple(frame, Self::describe_topic_partitions),
            ApiKey::DescribeLogDirs => self.simple(frame, Self::describe_log_dirs),
            other => Err(format!("{other:?} is offered, but nothing handles it")),
        }
    }

    /// A request that is answered at once.
    fn simple<R>(
        &mut self,
        frame: Frame,
        handle: impl FnOnce(&mut Self, Call<R>) -> R::Response,
    ) -> Result<Handled, String>
    where
        R: Request + Debug,
        R::Response: Encodable + HeaderVersion + Debug,
    {
        let header = frame.header;
        let call = frame.decode()?;
        log::trace!("{}: {:?}", call.client_id, call.request);
        let response = handle(self, call);
        log::trace!("{response:?}");
        header.answer(&response).map(Handled::Answer)
    }

    fn handle_produce(&mut self, frame: Frame) -> Result<Handled, String> {
        let header = frame.header;
        match self.produce(frame.decode()?) {
            Produced::Answer(response) => header.answer(&response).map(Handled::Answer),
            Produced::Silence => Ok(Handled::Silence),
            // The producer wants no answer, so that this is the only way to tell it.
            Produced::Close(why) => Ok(Handled::Close(why)),
        }
    }

    fn handle_fetch(&mut self, frame: Frame) -> Result<Handled, String> {
        let header = frame.header;
        match self.fetch(frame.decode()?) {
            Fetched::Answer(response) => header.answer(&response).map(Handled::Answer),
            Fetched::Wait(fetch) => {
                let wait = self.new_wait();
                self.fetches.add(wait, fetch);
                Ok(self.wait(wait, header))
            }
        }
    }

    /// A request that others may have to come before.
    fn patient<R: Request>(
        &mut self,
        frame: Frame,
        handle: impl FnOnce(&mut Self, Call<R>, Wait) -> Option<R::Response>,
    ) -> Result<Handled, String> {
        let header = frame.header;
        let wait = self.new_wait();
        match handle(self, frame.decode()?, wait) {
            Some(response) => header.answer(&response).map(Handled::Answer),
            None => Ok(self.wait(wait, header)),
        }
    }

    fn wait(&mut self, wait: Wait, header: Header) -> Handled {
        self.waiting.insert(wait, header);
        Handled::Wait(wait)
    }
}

/// What every request starts with, whatever the version of its header.
fn start(frame: &[u8]) -> Option<(i16, i16, i32)> {
    let [k0, k1, v0, v1, c0, c1, c2, c3, ..] = *frame else { return None };
    Some((i16::from_be_bytes([k0, k1]), i16::from_be_bytes([v0, v1]), i32::from_be_bytes([c0, c1, c2, c3])))
}
