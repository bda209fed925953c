//! Consumers: rebalances, going back to the committed offsets, and when to stop.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::events::{ClientEvents, client_context};
use crate::{Error, cli, stop};

/// The consumer of every program.
pub type GroupConsumer = BaseConsumer<Group>;

/// Ctrl-C is noticed within this time while a consumer waits for messages.
const SLICE: Duration = Duration::from_millis(100);

/// How long [`consume`] waits for the committed offsets: the group may have to find another coordinator.
const COMMITTED_LIMIT: Duration = Duration::from_secs(60);

/// A member that has not been given its (perhaps empty) share of partitions after this long is idle too: 45 s, the
/// default session.timeout.ms, is how long the group may wait for a dead member.
const JOIN_LIMIT: Duration = Duration::from_secs(60);

/// What the group coordinator tells a member: logged, and noted.
pub struct Group {
    events: ClientEvents,
    joined: AtomicBool,
    revocations: AtomicU64,
    next: Mutex<Option<Next>>,
}

/// For each topic and partition, the offset from which on nothing was handed out yet; none where nothing was at all.
type Next = HashMap<(String, i32), i64>;

impl Group {
    /// Creates a consumer that logs its rebalances.
    ///
    /// # Errors
    /// When librdkafka refuses a property, or the properties together.
    pub fn consumer(config: &ClientConfig) -> Result<GroupConsumer, Error> {
        let events = ClientEvents::of("consumer");
        Ok(config.create_with_context(Self {
            events,
            joined: AtomicBool::new(false),
            revocations: AtomicU64::new(0),
            next: Mutex::new(None),
        })?)
    }

    /// How often partitions were taken away from this member.
    fn revocations(&self) -> u64 {
        self.revocations.load(Ordering::Relaxed)
    }

    /// `None` after an assignment, until the committed offsets are asked for.
    fn next(&self) -> MutexGuard<'_, Option<Next>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn events(&self) -> &ClientEvents {
        &self.events
    }
}

client_context!(Group);

impl ConsumerContext for Group {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => log::info!("assigned: {}", list(partitions)),
            Rebalance::Revoke(partitions) => {
                self.revocations.fetch_add(1, Ordering::Relaxed);
                let lost =
                    if consumer.assignment_lost() { " (lost: the group went on without this member)" } else { "" };
                log::info!("revoked: {}{lost}", list(partitions));
            }
            Rebalance::Error(error) => log::warn!("rebalance: {error}"),
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Assign(_)) {
            *self.next() = None;
            self.joined.store(true, Ordering::Relaxed);
        }
    }
}

fn list(partitions: &TopicPartitionList) -> String {
    if partitions.count() == 0 {
        return "no partition".into();
    }
    let names: Vec<_> = partitions.elements().iter().map(|p| format!("{}[{}]", p.topic(), p.partition())).collect();
    names.join(" ")
}

/// Python's `poll(timeout)`: the next message, or nothing (the timeout is over, or the program is asked to stop).
/// Rebalances are served here, and nowhere else: between two calls, the assignment does not change under the caller.
///
/// # Errors
/// Those from which librdkafka does not recover by itself: a fatal one, no access, no valid offset to start from.
/// The others (a broker is away) are logged, and polling goes on.
pub fn poll(consumer: &GroupConsumer, timeout: Duration) -> Result<Option<BorrowedMessage<'_>>, Error> {
    let end = Instant::now() + timeout;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match consumer.poll(SLICE.min(left)) {
            Some(Ok(message)) => return Ok(Some(message)),
            Some(Err(error)) => check(error)?,
            None => {}
        }
        if left.is_zero() || stop::requested() {
            return Ok(None);
        }
    }
}

/// Python's `consume(num_messages, timeout)`: what comes within the timeout, up to so many messages.
///
/// A rebalance may be served in between. Messages of a partition that is no longer ours must not be processed, and the
/// offsets of a half-collected batch must not be committed: the batch is then dropped, unprocessed, and read again from
/// the committed offsets, here or by the member that has the partitions now.
///
/// What lies below the committed offset is done, and dropped: librdkafka (2.12) may go back there by itself. A member that
/// was frozen asks once more where its partition begins, when the group has given it the partition again, with a committed
/// offset (`lab torture` has found it). Committing what it read then would take the group back as well.
///
/// # Errors
/// As [`poll`], and [`rewind`].
pub fn consume(consumer: &GroupConsumer, most: u64, timeout: Duration) -> Result<Vec<BorrowedMessage<'_>>, Error> {
    let end = Instant::now() + timeout;
    let revocations = consumer.context().revocations();
    let mut batch = Vec::new();
    while (batch.len() as u64) < most {
        let Some(message) = poll(consumer, end.saturating_duration_since(Instant::now()))? else {
            break;
        };
        batch.push(message);
    }
    if consumer.context().revocations() != revocations {
        if !batch.is_empty() {
            log::info!("a rebalance came while a batch was being read: its {} messages are read again", batch.len());
        }
        drop(batch);
        rewind(consumer, COMMITTED_LIMIT)?;
        return Ok(Vec::new());
    }
    drop_done(consumer, &mut batch)?;
    Ok(batch)
}

/// Leaves what nobody has processed yet: from the committed offsets on, and each message once.
fn drop_done(consumer: &GroupConsumer, batch: &mut Vec<BorrowedMessage<'_>>) -> Result<(), Error> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut next = consumer.context().next();
    let next = match &mut *next {
        Some(next) => next,
        unknown => unknown.insert(offsets(&committed(consumer, consumer.assignment()?, COMMITTED_LIMIT)?)),
    };
    let read = batch.len();
    batch.retain(|message| {
        let next = next.entry((message.topic().to_owned(), message.partition())).or_default();
        let is_new = message.offset() >= *next;
        if is_new {
            *next = message.offset() + 1;
        }
        is_new
    });
    if batch.len() < read {
        log::warn!("{} messages were read again although they are done: dropped", read - batch.len());
    }
    Ok(())
}

fn committed(
    consumer: &GroupConsumer,
    assigned: TopicPartitionList,
    limit: Duration,
) -> Result<TopicPartitionList, Error> {
    consumer
        .committed_offsets(assigned, limit)
        .map_err(|error| Error::failed(format!("the committed offsets cannot be read: {error}")))
}

fn offsets(list: &TopicPartitionList) -> Next {
    let elements = list.elements();
    let known = elements.iter().filter_map(|partition| match partition.offset() {
        Offset::Offset(offset) => Some(((partition.topic().to_owned(), partition.partition()), offset)),
        _ => None,
    });
    known.collect()
}

/// The offsets to commit after these messages: for each partition the one after its last message.
///
/// # Errors
/// Never for messages that come from Kafka (librdkafka checks the range of offsets).
pub fn offsets_after(batch: &[BorrowedMessage<'_>]) -> KafkaResult<TopicPartitionList> {
    let mut next = TopicPartitionList::new();
    for message in batch {
        let offset = Offset::Offset(message.offset() + 1);
        match next.find_partition(message.topic(), message.partition()) {
            Some(mut known) => known.set_offset(offset)?,
            None => next.add_partition_offset(message.topic(), message.partition(), offset)?,
        }
    }
    Ok(next)
}

fn check(error: KafkaError) -> Result<(), Error> {
    use RDKafkaErrorCode::{
        AutoOffsetReset, GroupAuthorizationFailed, InconsistentGroupProtocol, InvalidSessionTimeout,
        SaslAuthenticationFailed, TopicAuthorizationFailed,
    };
    match error {
        KafkaError::MessageConsumptionFatal(code) => Err(Error::failed(format!("this consumer cannot go on: {code}"))),
        KafkaError::MessageConsumption(
            code @ (AutoOffsetReset
            | GroupAuthorizationFailed
            | InconsistentGroupProtocol
            | SaslAuthenticationFailed
            | TopicAuthorizationFailed),
        ) => Err(Error::failed(format!("nothing can be read: {code}"))),
        KafkaError::MessageConsumption(InvalidSessionTimeout) => Err(Error::Usage(
            "the broker refuses session.timeout.ms: its group.min.session.timeout.ms and group.max.session.timeout.ms \
             say what it allows"
                .into(),
        )),
        other => {
            log::warn!("{other}; trying again");
            Ok(())
        }
    }
}

/// Goes back to the committed offsets of all assigned partitions (to the beginning where there are none): what was
/// read and not committed is read again. A partition that was assigned a moment ago starts there anyway.
///
/// # Errors
/// When the broker does not tell the offsets within the limit.
pub fn rewind(consumer: &GroupConsumer, limit: Duration) -> Result<(), Error> {
    let assigned = consumer.assignment()?;
    if assigned.count() == 0 {
        return Ok(());
    }
    let mut committed = committed(consumer, assigned, limit)?;
    *consumer.context().next() = Some(offsets(&committed));
    let mut uncommitted = Vec::new();
    for partition in committed.elements() {
        if partition.offset() == Offset::Invalid {
            uncommitted.push((partition.topic().to_owned(), partition.partition()));
        }
    }
    for (topic, partition) in uncommitted {
        committed.set_partition_offset(&topic, partition, Offset::Beginning)?;
    }
    let done = consumer.seek_partitions(committed, limit)?;
    for partition in done.elements() {
        match partition.error() {
            // _STATE: not being fetched yet, or no longer ours.
            Ok(()) | Err(KafkaError::OffsetFetch(RDKafkaErrorCode::State)) => {}
            Err(error) => {
                return Err(Error::failed(format!("{}[{}]: {error}", partition.topic(), partition.partition())));
            }
        }
    }
    Ok(())
}

/// When a consumer has done what it was asked to do.
pub struct Until {
    count: Option<u64>,
    idle_exit: Option<Duration>,
    processed: u64,
    started: Instant,
    last: Option<Instant>,
}

impl Until {
    /// From `--count` and `--idle-exit`.
    pub fn new(args: &cli::Consume) -> Self {
        Self { count: args.count, idle_exit: args.idle_exit, processed: 0, started: Instant::now(), last: None }
    }

    /// Counts processed messages.
    pub fn processed(&mut self, messages: u64) {
        self.processed += messages;
        self.last = Some(Instant::now());
    }

    /// How many messages may still be processed.
    pub fn left(&self) -> u64 {
        self.count.map_or(u64::MAX, |count| count.saturating_sub(self.processed))
    }

    /// Whether to stop: Ctrl-C, `--count` messages, or `--idle-exit` seconds without one. The idle clock starts when the
    /// group has given this member its partitions.
    pub fn reached(&mut self, consumer: &GroupConsumer) -> bool {
        if self.last.is_none()
            && (consumer.context().joined.load(Ordering::Relaxed) || self.started.elapsed() > JOIN_LIMIT)
        {
            self.last = Some(Instant::now());
        }
        let idle = match (self.idle_exit, self.last) {
            (Some(limit), Some(last)) => last.elapsed() >= limit,
            _ => false,
        };
        stop::requested() || self.left() == 0 || idle
    }
}
