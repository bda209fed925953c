//! One history, one broker: each step's outcome as text in which only what the broker decided is left.
//!
//! Where Apache Kafka answers before the effect is there (markers of a transaction, a change of metadata, a rebalance),
//! a step waits for the effect: so what is compared is never a race.

use std::{
    env,
    panic::{self, AssertUnwindSafe},
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use kafka_protocol::{
    messages::{
        DescribeGroupsRequest, DescribeTransactionsRequest, FindCoordinatorRequest, create_partitions_request as cp,
        create_topics_request as ct, delete_records_request as dr, delete_topics_request as dt,
        describe_configs_request as dc, incremental_alter_configs_request as iac,
    },
    protocol::{Request, StrBytes},
};

use super::{
    groups::Group,
    names::Names,
    observe,
    producers::Producer,
    step::{At, GROUPS, KINDS, Step},
};
use crate::support::wire::{Client, text};

/// What became of a history.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// One for each step.
    pub(crate) outcomes: Vec<String>,
    /// The broker's state afterwards, a line for each thing.
    pub(crate) state: Vec<String>,
}

/// A broker that does not settle for so long never will.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// In the outcome of a step after which the broker did not settle.
pub(crate) const STUCK: &str = "nothing happens";

/// What Apache Kafka answers for a moment: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR,
/// CONCURRENT_TRANSACTIONS; and what Produce makes of the last (NOT_ENOUGH_REPLICAS: the verification of
/// KIP-890 could not be done).
const FOR_A_MOMENT: [i16; 5] = [14, 15, 16, 51, 19];

/// At the beginning of the outcome of a step after which the history could not go on: the broker closed a connection,
/// or was silent, or its answer could not be read.
pub(crate) const BROKEN: &str = "broken off";

/// Runs the steps against this broker, under names of their own.
pub(crate) fn run(bootstrap: &str, steps: &[Step]) -> Report {
    let trace = env::var_os("TRACE").is_some();
    let mut run = Run::new(bootstrap);
    let mut report = Report::default();
    for (index, step) in steps.iter().enumerate() {
        let started = Instant::now();
        let outcome = catch(|| run.step(index, *step));
        if trace {
            println!("{bootstrap} {index:3} {step:?}\n        {outcome:?}  ({:.1?})", started.elapsed());
        }
        let broken = outcome.is_err();
        report.outcomes.push(outcome.unwrap_or_else(|why| why));
        if broken {
            return report;
        }
    }
    report.state = catch(|| observe::state(&mut run)).unwrap_or_else(|why| vec![why]);
    run.clear_up();
    report
}

/// The tests' client panics where a broker does what none should: here that is an outcome.
fn catch<T>(part: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(part)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        format!("{BROKEN}: {}", text.unwrap_or("for an unknown reason"))
    })
}

pub(crate) struct Run {
    pub(crate) bootstrap: String,
    /// For whatever no client of the history asks.
    pub(crate) admin: Client,
    pub(crate) names: Names,
    pub(crate) producers: [Producer; KINDS.len()],
    pub(crate) groups: [Group; GROUPS],
    /// The timestamp of step 0. Recent, because retention goes by timestamps; before every marker's, so that a marker
    /// is later than any record.
    pub(crate) epoch: i64,
    published: i32,
}

impl Run {
    fn new(bootstrap: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        let mut run = Self {
            bootstrap: bootstrap.to_owned(),
            admin: Client::named(bootstrap, "history"),
            // Of one length: the length of a subscription can be seen in the description of a group.
            names: Names::new(format!("history-{:016x}", rand::random::<u64>())),
            producers: Default::default(),
            groups: Default::default(),
            epoch: now - 3_600_000,
            published: 0,
        };
        run.wait_for_coordinators();
        let clock = ct::CreatableTopic::default()
            .with_name(run.names.clock())
            .with_num_partitions(1)
            .with_replication_factor(1);
        let request = ct::CreateTopicsRequest::default().with_topics(vec![clock]).with_timeout_ms(30_000);
        assert_eq!(run.admin.call(&request, 5).topics[0].error_code, 0, "the clock topic");
        run
    }

    fn wait_for_coordinators(&mut self) {
        for (kind, key) in [(0, self.names.group(0).0), (1, self.names.transactional_id(0).0)] {
            let request = FindCoordinatorRequest::default().with_key(key).with_key_type(kind);
            patiently(|| self.admin.call(&request, 2).error_code, |code| *code == 0);
        }
        let request = DescribeGroupsRequest::default().with_groups(vec![self.names.group(0)]);
        patiently(|| self.admin.call(&request, 5).groups[0].error_code, |code| !FOR_A_MOMENT.contains(code));
        let ids = vec![self.names.transactional_id(0)];
        let request = DescribeTransactionsRequest::default().with_transactional_ids(ids);
        patiently(
            || self.admin.call(&request, 0).transaction_states[0].error_code,
            |code| !FOR_A_MOMENT.contains(code),
        );
    }

    fn step(&mut self, index: usize, step: Step) -> String {
        match step {
            Step::Init { producer } => self.init(producer),
            Step::Bump { producer } => self.bump(producer),
            Step::Kill { producer } => self.kill(producer),
            Step::AddPartitions { producer, to, and, by } => self.add_partitions(producer, to, and, by),
            Step::Produce { producer, to, records, how } => self.produce(index, producer, to, records, how),
            Step::AddOffsets { producer, group } => self.add_offsets(producer, group),
            Step::TxnOffsetCommit { producer, group, at, offset, of } => {
                self.txn_offset_commit(producer, group, at, offset, of)
            }
            Step::EndTxn { producer, commit, by } => self.end_txn(producer, commit, by),
            Step::TimeOut { producer, to } => self.time_out(index, producer, to),
            Step::Join { group, member } => self.join(group, member),
            Step::Sync { group, member, stale } => self.sync(group, member, stale),
            Step::Heartbeat { group, member, stale } => self.heartbeat(group, member, stale),
            Step::Leave { group, member } => self.leave(group, member),
            Step::Forget { group } => self.forget(group),
            Step::OffsetCommit { group, at, offset, of } => self.offset_commit(group, at, offset, of),
            Step::OffsetFetch { group, stable } => observe::offsets(self, group, stable),
            Step::OffsetDelete { group, at } => self.offset_delete(group, at),
            Step::DeleteGroup { group } => self.delete_group(group),
            Step::DescribeGroup { group } => observe::group(self, group),
            Step::CreateTopic { topic, partitions } => self.create_topic(topic, partitions),
            Step::DeleteTopic { topic } => self.delete_topic(topic),
            Step::CreatePartitions { topic, count } => self.create_partitions(topic, count),
            Step::DeleteRecords { at, before } => self.delete_records(at, before),
            Step::SetMaxMessageBytes { topic, bytes } => {
                let error = self.set_max_message_bytes(self.names.topic(topic).0.clone(), bytes);
                if error == 0 {
                    self.publish();
                }
                error.to_string()
            }
            Step::Fetch { at, offset, committed } => observe::fetch(self, at, offset, committed),
            Step::ListOffsets { at, timestamp, committed } => observe::list_offsets(self, at, timestamp, committed),
            Step::DescribeProducers { at } => observe::producers(self, at),
            Step::DescribeTransaction { id } => observe::transaction(self, id),
        }
    }

    fn create_topic(&mut self, topic: usize, partitions: i32) -> String {
        let creatable = ct::CreatableTopic::default()
            .with_name(self.names.topic(topic))
            .with_num_partitions(partitions)
            .with_replication_factor(1);
        let request = ct::CreateTopicsRequest::default().with_topics(vec![creatable]).with_timeout_ms(30_000);
        let error = self.admin.call(&request, 5).topics[0].error_code;
        if error == 0 {
            self.wait_for_logs(topic, partitions);
        }
        error.to_string()
    }

    fn delete_topic(&mut self, topic: usize) -> String {
        let request =
            dt::DeleteTopicsRequest::default().with_topic_names(vec![self.names.topic(topic)]).with_timeout_ms(30_000);
        let error = self.admin.call(&request, 4).responses[0].error_code;
        if error == 0 {
            patiently(|| observe::partitions(self, topic).is_err(), |gone| *gone);
            self.publish();
        }
        error.to_string()
    }

    fn create_partitions(&mut self, topic: usize, count: i32) -> String {
        let more = cp::CreatePartitionsTopic::default()
            .with_name(self.names.topic(topic))
            .with_count(count)
            .with_assignments(None);
        let request = cp::CreatePartitionsRequest::default().with_topics(vec![more]).with_timeout_ms(30_000);
        let error = self.admin.call(&request, 2).results[0].error_code;
        if error == 0 {
            self.wait_for_logs(topic, count);
        }
        error.to_string()
    }

    /// Metadata knows a partition a moment before its log is there.
    fn wait_for_logs(&mut self, topic: usize, partitions: i32) {
        for partition in 0..partitions {
            patiently(|| observe::list_offsets(self, (topic, partition), -1, false), |found| found.starts_with("0 "));
        }
    }

    fn delete_records(&mut self, (topic, partition): At, before: i64) -> String {
        let partition = dr::DeleteRecordsPartition::default().with_partition_index(partition).with_offset(before);
        let topic =
            dr::DeleteRecordsTopic::default().with_name(self.names.topic(topic)).with_partitions(vec![partition]);
        let request = dr::DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
        let response = self.admin.call(&request, 2);
        let partition = &response.topics[0].partitions[0];
        format!("{} low watermark {}", partition.error_code, partition.low_watermark)
    }

    /// Waits until the change of metadata that has just been seen has reached every part of the broker.
    ///
    /// A broker with KRaft takes metadata in images, one after the other; the cache that answers Metadata and
    /// DescribeConfigs comes first in each (BrokerMetadataPublisher.onMetadataUpdate), logs and coordinators follow.
    /// Once a later change can be seen, the earlier image has gone everywhere.
    fn publish(&mut self) {
        self.published += 1;
        let clock = self.names.clock().0;
        let error = self.set_max_message_bytes(clock, 1000 + self.published);
        assert_eq!(error, 0, "{CONFIG} of the clock topic");
    }

    /// Returns when the change can be seen.
    fn set_max_message_bytes(&mut self, topic: StrBytes, bytes: i32) -> i16 {
        let config = iac::AlterableConfig::default().with_name(text(CONFIG)).with_value(Some(text(&bytes.to_string())));
        let resource = iac::AlterConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(topic.clone())
            .with_configs(vec![config]);
        let request = iac::IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        let error = self.admin.call(&request, 1).responses[0].error_code;
        if error == 0 {
            let resource = dc::DescribeConfigsResource::default()
                .with_resource_type(TOPIC)
                .with_resource_name(topic)
                .with_configuration_keys(Some(vec![text(CONFIG)]));
            let request = dc::DescribeConfigsRequest::default().with_resources(vec![resource]);
            let seen = || {
                let response = self.admin.call(&request, 2);
                response.results[0].configs.first().and_then(|config| config.value.as_ref()?.parse().ok())
            };
            patiently(seen, |seen| *seen == Some(bytes));
        }
        error
    }

    /// Topics hold files and memory; what groups and transactional ids hold is small.
    fn clear_up(&mut self) {
        let mut topics: Vec<_> = (0..super::step::TOPICS).map(|topic| self.names.topic(topic)).collect();
        topics.push(self.names.clock());
        let request = dt::DeleteTopicsRequest::default().with_topic_names(topics).with_timeout_ms(30_000);
        self.admin.call(&request, 4);
    }
}

const CONFIG: &str = "max.message.bytes";
/// The resource type of a topic.
const TOPIC: i8 = 2;

/// Calls until the answer is none of those that Kafka gives for a moment.
pub(crate) fn call<R: Request>(
    client: &mut Client,
    request: &R,
    version: i16,
    error: impl Fn(&R::Response) -> i16,
) -> R::Response {
    patiently(|| client.call(request, version), |response| !FOR_A_MOMENT.contains(&error(response)))
}

/// Asks until the answer is good; the last answer when patience ends.
pub(crate) fn patiently<T>(mut ask: impl FnMut() -> T, good: impl Fn(&T) -> bool) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = ask();
        if good(&answer) || Instant::now() > end {
            return answer;
        }
        sleep(Duration::from_millis(1));
    }
}
