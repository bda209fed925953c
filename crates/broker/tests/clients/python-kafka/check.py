"""What kafka-python does on a broker: one line for each behaviour, or the first failure.

Runs with kafka-python 2.2, the first with transactions, and later; what a version does not have is skipped, and said so.
"""

import os
import sys
import time
import uuid

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition, codec, errors
from kafka.admin import ConfigResource, KafkaAdminClient, NewTopic
from kafka.structs import OffsetAndMetadata

BOOTSTRAP = os.environ["BOOTSTRAP_SERVERS"]
RUN = uuid.uuid4().hex[:8]
# What has not happened by then, in seconds, will not happen.
PATIENCE = 30.0
# From version 3 on: another admin client, static members, group metadata with the offsets of a transaction.
NEW = int(kafka.__version__.split(".")[0]) >= 3


def unique(name):
    return f"{name}-{RUN}"


def ok(behaviour):
    print(f"ok: {behaviour}", flush=True)


def skip(behaviour, why="this version has no such call"):
    print(f"skipped, {why}: {behaviour}", flush=True)


def fail(behaviour, expected, observed):
    print(f"FAILED: {behaviour}: expected {expected}, observed {observed}", file=sys.stderr, flush=True)
    # A client that is still open would keep its threads, and the program with them.
    os._exit(1)


def check(behaviour, expected, observed):
    if expected != observed:
        fail(behaviour, expected, observed)
    ok(behaviour)


def until(behaviour, expected, observe):
    """Observes until it is as expected: Kafka answers some requests before they have had all their effects."""
    end = time.monotonic() + PATIENCE
    while (observed := observe()) != expected:
        if time.monotonic() > end:
            fail(behaviour, expected, observed)
        time.sleep(0.05)
    ok(behaviour)


ADMIN = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)


def create(topic, partitions=1):
    response = ADMIN.create_topics([NewTopic(topic, partitions, 1)])
    if not NEW and response.topic_errors[0][1]:
        raise errors.for_code(response.topic_errors[0][1])()
    return topic


def producer(**settings):
    return KafkaProducer(bootstrap_servers=BOOTSTRAP, **({"acks": "all", "max_block_ms": PATIENCE * 1000} | settings))


def send(to, topic, values, partitions=1):
    sent = [to.send(topic, value.encode(), partition=i % partitions) for i, value in enumerate(values)]
    to.flush(PATIENCE)
    for future in sent:
        future.get(PATIENCE)


def consumer(group, **settings):
    ours = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "heartbeat_interval_ms": 200, "fetch_max_wait_ms": 50}
    return KafkaConsumer(bootstrap_servers=BOOTSTRAP, group_id=group, **(ours | settings))


def read(topic, isolation="read_committed"):
    """All values of a topic of one partition, to its end at this isolation level."""
    partition = TopicPartition(topic, 0)
    reader = consumer(None, isolation_level=isolation)
    reader.assign([partition])
    # Version 2.2 would wait in position() for ever after a seek_to_beginning() without a poll().
    reader.seek(partition, reader.beginning_offsets([partition])[partition])
    to = reader.end_offsets([partition])[partition]
    values, end = [], time.monotonic() + PATIENCE
    while reader.position(partition) < to:
        if time.monotonic() > end:
            fail(f"reading {topic} to its end {to}", "all", (values, reader.position(partition)))
        for records in reader.poll(100).values():
            values += [record.value.decode() for record in records]
    reader.close()
    return values


def poll_all(behaviour, members, done):
    """Polls the members in turn until it is done; gives what they have got."""
    values, end = [], time.monotonic() + PATIENCE
    while not done(values):
        if time.monotonic() > end:
            fail(behaviour, "done in time", f"{len(values)} values, {[m.assignment() for m in members]}")
        for member in members:
            # With a short time, version 3.0 may never join the group, on any broker.
            for records in member.poll(1000 if NEW and not member.assignment() else 50).values():
                values += [record.value.decode() for record in records]
    return values


def committed(group, topic, partitions=1):
    reader = consumer(group)
    offsets = [reader.committed(TopicPartition(topic, p)) for p in range(partitions)]
    reader.close()
    return offsets


def topics():
    name = create(unique("topics"), 3)
    reader = consumer(None)
    until("a topic is created with its partitions", {0, 1, 2}, lambda: reader.partitions_for_topic(name))
    reader.close()
    try:
        create(name)
        fail("a topic is not created twice", "TopicAlreadyExistsError", "success")
    except errors.TopicAlreadyExistsError:
        ok("a topic is not created twice")


def codecs():
    for name, there in [(None, True), ("gzip", True), ("snappy", codec.has_snappy()), ("lz4", codec.has_lz4()), ("zstd", codec.has_zstd())]:
        what = f"100 idempotent messages with compression {name} are read as sent"
        if not there:
            skip(what, "its package is not installed")
            continue
        topic, values = create(unique(f"codec-{name}")), [f"{name} " * 20 + str(i) for i in range(100)]
        to = producer(enable_idempotence=True, compression_type=name, linger_ms=5)
        send(to, topic, values)
        to.close()
        check(what, values, read(topic))


def groups():
    topic, group = create(unique("groups"), 4), unique("group")
    first_half, second_half = [f"a{i}" for i in range(40)], [f"b{i}" for i in range(40)]
    to = producer()
    send(to, topic, first_half, 4)
    one, two = consumer(group), consumer(group)
    one.subscribe([topic])
    seen = poll_all("one member reads all", [one], lambda values: len(values) >= 40)
    check("one member reads all partitions", sorted(first_half), sorted(seen))
    one.commit()
    two.subscribe([topic])
    shared = lambda _: len(one.assignment()) == 2 and len(two.assignment()) == 2
    check("nothing is read again in a rebalance after a commit", [], poll_all("a rebalance", [one, two], shared))
    ok("two members share the partitions")
    send(to, topic, second_half, 4)
    seen = poll_all("two members read all", [one, two], lambda values: len(values) >= 40)
    check("two members read all, each message once", sorted(second_half), sorted(seen))
    for member in [one, two]:
        member.commit()
        member.close()
    check("the group's offsets are committed", [20, 20, 20, 20], committed(group, topic, 4))
    send(to, topic, ["c0", "c1"], 4)
    to.close()
    three = consumer(group)
    three.subscribe([topic])
    check("a restart goes on where the group was", ["c0", "c1"], sorted(poll_all("resumed", [three], lambda v: len(v) >= 2)))
    if NEW:
        described = ADMIN.describe_groups([group])[group]
        check("a group is described", ("Stable", 1), (described["group_state"], len(described["members"])))
        check("a group is listed", True, group in [g["group_id"] for g in ADMIN.list_groups()])
    else:
        described = ADMIN.describe_consumer_groups([group])[0]
        check("a group is described", ("Stable", 1), (described.state, len(described.members)))
        check("a group is listed", True, group in [g[0] for g in ADMIN.list_consumer_groups()])
    three.close()

    def delete():
        if NEW:
            return ADMIN.delete_groups([group])[group]
        error = ADMIN.delete_consumer_groups([group])[0][1]
        return "OK" if error is errors.NoError else error.__name__

    check("an empty group is deleted", "OK", delete())
    check("it is gone then", "GroupIdNotFoundError", delete())


def static_members():
    if not NEW:
        return skip("static members")
    topic, group = create(unique("static"), 2), unique("static")
    revoked = []

    class Listener(kafka.ConsumerRebalanceListener):
        def on_partitions_revoked(self, partitions):
            revoked.append(partitions)

        def on_partitions_assigned(self, partitions):
            pass

    other = consumer(group)
    other.subscribe([topic], listener=Listener())
    static = consumer(group, group_instance_id="one", session_timeout_ms=20000)
    static.subscribe([topic])
    shared = lambda _: len(other.assignment()) == 1 and len(static.assignment()) == 1
    poll_all("a static member joins", [other, static], shared)
    had, before = static.assignment(), len(revoked)
    static.close()
    static = consumer(group, group_instance_id="one", session_timeout_ms=20000)
    static.subscribe([topic])
    poll_all("a static member returns", [other, static], shared)
    check("a static member returns to its partitions without a rebalance", (had, before), (static.assignment(), len(revoked)))
    other.close()
    static.close()


def transactional(transactional_id, **settings):
    made = producer(transactional_id=transactional_id, **settings)
    made.init_transactions()
    return made


def transactions():
    topic = create(unique("transactions"))
    writer = transactional(unique("transactions"))
    for values, commit in [(["c0", "c1"], True), (["a0", "a1"], False), (["c2"], True)]:
        writer.begin_transaction()
        send(writer, topic, values)
        if commit:
            writer.commit_transaction()
        else:
            writer.abort_transaction()
    until("committed transactions are visible at read_committed, an aborted one is not", ["c0", "c1", "c2"], lambda: read(topic))
    check("all are visible at read_uncommitted", ["c0", "c1", "a0", "a1", "c2"], read(topic, "read_uncommitted"))
    writer.begin_transaction()
    send(writer, topic, ["open"])
    check("an open transaction is not visible at read_committed", ["c0", "c1", "c2"], read(topic))
    check("an open transaction is visible at read_uncommitted", "open", read(topic, "read_uncommitted")[-1])
    writer.abort_transaction()
    writer.close()


def fencing():
    topic = create(unique("fencing"))
    first = transactional(unique("fencing"))
    first.begin_transaction()
    send(first, topic, ["zombie"])
    second = transactional(unique("fencing"))
    second.begin_transaction()
    send(second, topic, ["successor"])
    second.commit_transaction()
    try:
        first.commit_transaction()
        fail("a fenced producer cannot commit", "an error", "success")
    except errors.KafkaError as error:
        # Version 2.2 asks with EndTxn 1, to which the error of its own is not known yet.
        expected = "ProducerFencedError" if NEW else "InvalidProducerEpochError"
        check(f"a fenced producer cannot commit: {expected}", expected, type(error).__name__)
    until("of the two only the successor is visible", ["successor"], lambda: read(topic))
    transactional(unique("fencing")).close()
    second.begin_transaction()
    try:
        second.send(topic, b"fenced").get(PATIENCE if NEW else 3)
        fail("a fenced producer cannot produce", "an error", "success")
    except errors.KafkaError as error:
        # Version 2.2 gives up the transaction, but leaves what has not been sent without an answer.
        expected = "ProducerFencedError" if NEW else "KafkaTimeoutError"
        check(f"a fenced producer cannot produce: {expected}", expected, type(error).__name__)
    check("what it sent is not visible", ["zombie", "successor"], read(topic, "read_uncommitted"))


def offsets_in_transactions():
    topic, output, group = create(unique("input")), create(unique("output")), unique("pipeline")
    to = producer()
    send(to, topic, ["m0", "m1", "m2"])
    to.close()
    writer, member = transactional(unique("pipeline")), consumer(group)
    member.subscribe([topic])
    seen = poll_all("reading the input", [member], lambda values: len(values) >= 3)
    metadata = member.group_metadata() if NEW else group
    position = {TopicPartition(topic, 0): OffsetAndMetadata(3, "", -1)}
    for commit in [False, True]:
        writer.begin_transaction()
        send(writer, output, seen)
        writer.send_offsets_to_transaction(position, metadata)
        if commit:
            writer.commit_transaction()
            until("a committed transaction moves the group's offset", [3], lambda: committed(group, topic))
            until("and its records are visible", seen, lambda: read(output))
        else:
            writer.abort_transaction()
            until("an aborted transaction does not move the group's offset", [None], lambda: committed(group, topic))
            check("nor are its records visible", [], read(output))
    if NEW:
        member.close()
        stays = consumer(group)
        stays.subscribe([topic])
        poll_all("another member joins", [stays], lambda _: stays.assignment())
        writer.begin_transaction()
        try:
            send(writer, output, ["late"])
            writer.send_offsets_to_transaction(position, metadata)
            fail("offsets of a departed member are refused", "an error", "success")
        except errors.KafkaError as error:
            check("offsets of a departed member are refused", "CommitFailedError", type(error).__name__)
        writer.abort_transaction()
        stays.close()
    writer.close()


def administration():
    topic = create(unique("administration"))
    partition = TopicPartition(topic, 0)
    to = producer()
    for index in range(10):
        to.send(topic, str(index).encode(), partition=0, timestamp_ms=1_700_000_000_000 + index * 1000)
    to.flush(PATIENCE)
    to.close()
    reader = consumer(None)

    def by_time(time):
        found = reader.offsets_for_times({partition: time})[partition]
        return found and found.offset

    check("an offset is found by its timestamp", 4, by_time(1_700_000_004_000))
    check("an offset is found by a timestamp between two", 5, by_time(1_700_000_004_001))
    check("past the last timestamp there is no offset", None, by_time(1_700_000_010_000))
    if hasattr(ADMIN, "list_partition_offsets"):
        from kafka.admin import OffsetSpec

        listed = lambda spec: ADMIN.list_partition_offsets({partition: spec})[partition].offset
        specs = [OffsetSpec.EARLIEST, OffsetSpec.LATEST, 1_700_000_007_000, OffsetSpec.MAX_TIMESTAMP]
        check("offsets are listed by begin, end, timestamp and the largest of them", [0, 10, 7, 9], [listed(s) for s in specs])
    else:
        skip("list_partition_offsets")
    ADMIN.delete_records({partition: 6})
    check("records are deleted up to an offset", 6, reader.beginning_offsets([partition])[partition])
    reader.assign([partition])
    reader.seek_to_beginning(partition)
    check("the rest is read", ["6", "7", "8", "9"], poll_all("the rest", [reader], lambda values: len(values) >= 4))
    reader.close()
    if NEW:
        described = lambda: ADMIN.describe_configs([ConfigResource("TOPIC", topic)], config_filter="all")["topic"][topic]["retention.ms"]["value"]
    else:
        entries = lambda: ADMIN.describe_configs([ConfigResource("TOPIC", topic)])[0].resources[0][4]
        described = lambda: next(entry[1] for entry in entries() if entry[0] == "retention.ms")
    check("a topic's configs are described", "604800000", str(described()))
    ADMIN.alter_configs([ConfigResource("TOPIC", topic, configs={"retention.ms": "7200000"})])
    until("configs are altered", "7200000", lambda: str(described()))
    described = ADMIN.describe_cluster()
    check("the cluster is described", (1, True), (len(described["brokers"]), bool(described["cluster_id"])))
    if NEW:
        check("transactions are listed", True, unique("transactions") in str(ADMIN.list_transactions()))
        check("producers of a partition are described", True, bool(ADMIN.describe_producers([TopicPartition(unique("transactions"), 0)])))
    else:
        skip("list_transactions, describe_producers")
    ADMIN.delete_topics([topic])
    until("a deleted topic is gone", False, lambda: topic in ADMIN.list_topics())


if __name__ == "__main__":
    print(f"kafka-python {kafka.__version__}", flush=True)
    for part in [topics, codecs, groups, static_members, transactions, fencing, offsets_in_transactions, administration]:
        part()
    # Version 2.2 would complain, when it ends, of what a fenced producer could not send.
    os._exit(0)
