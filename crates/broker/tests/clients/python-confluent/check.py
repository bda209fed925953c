"""What confluent-kafka, that is librdkafka, does on a broker: one line for each behaviour, or the first failure.

Runs with confluent-kafka 1.9 and later; what a version does not have is skipped, and said so.
"""

import os
import sys
import time
import uuid

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

BOOTSTRAP = os.environ["BOOTSTRAP_SERVERS"]
RUN = uuid.uuid4().hex[:8]
# What has not happened by then, in seconds, will not happen.
PATIENCE = 30.0
NO_OFFSET = -1001


def unique(name):
    return f"{name}-{RUN}"


def ok(behaviour):
    print(f"ok: {behaviour}", flush=True)


def skip(behaviour):
    print(f"skipped, this version has no such call: {behaviour}", flush=True)


def fail(behaviour, expected, observed):
    sys.exit(f"FAILED: {behaviour}: expected {expected}, observed {observed}")


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


ADMIN = AdminClient({"bootstrap.servers": BOOTSTRAP})


def create(topic, partitions=1):
    for future in ADMIN.create_topics([NewTopic(topic, partitions, 1)]).values():
        future.result(PATIENCE)
    return topic


def producer(**settings):
    return Producer({"bootstrap.servers": BOOTSTRAP, "acks": "all"} | {k.replace("_", "."): v for k, v in settings.items()})


def send(to, topic, values, partitions=1):
    failures = []
    for index, value in enumerate(values):
        to.produce(topic, value, partition=index % partitions, on_delivery=lambda e, m: failures.append(e) if e else None)
    left = to.flush(PATIENCE)
    if left or failures:
        fail(f"{len(values)} messages delivered to {topic}", "all", f"{left} left, errors {failures}")


def consumer(group, **settings):
    return Consumer(
        {
            "bootstrap.servers": BOOTSTRAP,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "heartbeat.interval.ms": 200,
            "fetch.wait.max.ms": 50,
        }
        | {k.replace("_", "."): v for k, v in settings.items()}
    )


def read(topic, isolation="read_committed", partitions=1, start=0):
    """All values of a topic, to its end at this isolation level."""
    reader = consumer(unique("reader"), isolation_level=isolation, enable_partition_eof=True)
    reader.assign([TopicPartition(topic, partition, start) for partition in range(partitions)])
    values, ended, end = [], 0, time.monotonic() + PATIENCE
    while ended < partitions:
        message = reader.poll(1.0)
        if time.monotonic() > end:
            fail(f"reading {topic} to its end", "end", values)
        if message is None:
            continue
        if message.error():
            if message.error().code() != KafkaError._PARTITION_EOF:
                fail(f"reading {topic}", "no error", message.error())
            ended += 1
        else:
            values.append(message.value().decode())
    reader.close()
    return values


def poll_all(behaviour, members, done):
    """Polls the members in turn until it is done; gives what they have got."""
    values, end = [], time.monotonic() + PATIENCE
    while not done(values):
        if time.monotonic() > end:
            fail(behaviour, "done in time", f"{len(values)} values, {[m.assignment() for m in members]}")
        for member in members:
            message = member.poll(0.05)
            if message is not None:
                if message.error():
                    fail(behaviour, "no error", message.error())
                values.append(message.value().decode())
    return values


def committed(group, topic, partitions=1):
    reader = consumer(group)
    offsets = reader.committed([TopicPartition(topic, p) for p in range(partitions)], timeout=PATIENCE)
    reader.close()
    return [p.offset for p in offsets]


def topics():
    name = create(unique("topics"), 3)
    metadata = ADMIN.list_topics(name, timeout=PATIENCE).topics[name]
    check("a topic is created with its partitions", 3, len(metadata.partitions))
    try:
        create(name)
        fail("a topic is not created twice", "TOPIC_ALREADY_EXISTS", "success")
    except KafkaException as error:
        check("a topic is not created twice", KafkaError.TOPIC_ALREADY_EXISTS, error.args[0].code())


def codecs():
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
        topic = create(unique(f"codec-{codec}"))
        values = [f"{codec} " * 20 + str(i) for i in range(100)]
        send(producer(enable_idempotence=True, compression_type=codec, linger_ms=5), topic, values)
        check(f"100 idempotent messages with compression {codec} are read as sent", values, read(topic))


def groups():
    topic, group = create(unique("groups"), 4), unique("group")
    first_half, second_half = [f"a{i}" for i in range(40)], [f"b{i}" for i in range(40)]
    send(producer(), topic, first_half, 4)
    one, two = consumer(group), consumer(group)
    one.subscribe([topic])
    seen = poll_all("one member reads all", [one], lambda values: len(values) >= 40)
    check("one member reads all partitions", sorted(first_half), sorted(seen))
    one.commit(asynchronous=False)
    two.subscribe([topic])
    shared = lambda _: len(one.assignment()) == 2 and len(two.assignment()) == 2
    check("nothing is read again in a rebalance after a commit", [], poll_all("a rebalance", [one, two], shared))
    ok("two members share the partitions")
    send(producer(), topic, second_half, 4)
    seen = poll_all("two members read all", [one, two], lambda values: len(values) >= 40)
    check("two members read all, each message once", sorted(second_half), sorted(seen))
    one.commit(asynchronous=False)
    two.commit(asynchronous=False)
    one.close()
    two.close()
    check("the group's offsets are committed", [20, 20, 20, 20], committed(group, topic, 4))
    send(producer(), topic, ["c0", "c1"], 4)
    three = consumer(group)
    three.subscribe([topic])
    check("a restart goes on where the group was", ["c0", "c1"], sorted(poll_all("resumed", [three], lambda v: len(v) >= 2)))
    if hasattr(ADMIN, "describe_consumer_groups"):
        described = ADMIN.describe_consumer_groups([group])[group].result(PATIENCE)
        check("a group is described", ("STABLE", 1), (described.state.name, len(described.members)))
        listed = ADMIN.list_consumer_groups().result().valid
        check("a group is listed", True, group in [g.group_id for g in listed])
    else:
        listed = ADMIN.list_groups(group, timeout=PATIENCE)
        check("a group is listed and described", [("Stable", 1)], [(g.state, len(g.members)) for g in listed])
    three.close()
    if hasattr(ADMIN, "delete_consumer_groups"):
        def delete():
            try:
                ADMIN.delete_consumer_groups([group])[group].result(PATIENCE)
                return "deleted"
            except KafkaException as error:
                return error.args[0].name()

        check("an empty group is deleted", "deleted", delete())
        check("it is gone then", "GROUP_ID_NOT_FOUND", delete())
    else:
        skip("delete_consumer_groups")


def static_members():
    topic, group = create(unique("static"), 2), unique("static")
    revoked = []
    other = consumer(group)
    other.subscribe([topic], on_revoke=lambda _, partitions: revoked.append(partitions))
    static = consumer(group, group_instance_id="one", session_timeout_ms=20000)
    static.subscribe([topic])
    shared = lambda _: len(other.assignment()) == 1 and len(static.assignment()) == 1
    poll_all("a static member joins", [other, static], shared)
    had, before = static.assignment()[0].partition, len(revoked)
    static.close()
    static = consumer(group, group_instance_id="one", session_timeout_ms=20000)
    static.subscribe([topic])
    poll_all("a static member returns", [other, static], shared)
    check("a static member returns to its partitions without a rebalance", (had, before), (static.assignment()[0].partition, len(revoked)))
    successor = consumer(group, group_instance_id="one", session_timeout_ms=20000)
    successor.subscribe([topic])
    error, end = None, time.monotonic() + PATIENCE
    while error is None and time.monotonic() < end:
        for member in [other, successor]:
            member.poll(0.05)
        try:
            message = static.poll(0.05)
            error = message.error() if message is not None else None
        except KafkaException as raised:
            error = raised.args[0]
    check("a second member with the same instance id fences the first", "_FATAL", error and error.name())
    for member in [other, successor, static]:
        try:
            member.close()
        except (KafkaException, RuntimeError):
            pass


def transactional(transactional_id, **settings):
    made = producer(transactional_id=transactional_id, retry_backoff_ms=10, **settings)
    made.init_transactions(PATIENCE)
    return made


def transactions():
    topic = create(unique("transactions"))
    writer = transactional(unique("transactions"))
    for values, commit in [(["c0", "c1"], True), (["a0", "a1"], False), (["c2"], True)]:
        writer.begin_transaction()
        send(writer, topic, values)
        if commit:
            writer.commit_transaction(PATIENCE)
        else:
            writer.abort_transaction(PATIENCE)
    until("committed transactions are visible at read_committed, an aborted one is not", ["c0", "c1", "c2"], lambda: read(topic))
    check("all are visible at read_uncommitted", ["c0", "c1", "a0", "a1", "c2"], read(topic, "read_uncommitted"))
    writer.begin_transaction()
    send(writer, topic, ["open"])
    check("an open transaction is not visible at read_committed", ["c0", "c1", "c2"], read(topic))
    check("an open transaction is visible at read_uncommitted", "open", read(topic, "read_uncommitted")[-1])
    writer.abort_transaction(PATIENCE)


def fencing():
    topic = create(unique("fencing"))
    first = transactional(unique("fencing"))
    first.begin_transaction()
    send(first, topic, ["zombie"])
    second = transactional(unique("fencing"))
    second.begin_transaction()
    send(second, topic, ["successor"])
    second.commit_transaction(PATIENCE)
    try:
        first.commit_transaction(PATIENCE)
        fail("a fenced producer cannot commit", "_FENCED", "success")
    except KafkaException as raised:
        error = raised.args[0]
        check("a fenced producer cannot commit", ("_FENCED", True), (error.name(), error.fatal()))
    until("of the two only the successor is visible", ["successor"], lambda: read(topic))
    third = transactional(unique("fencing"))
    third.begin_transaction()
    fourth = transactional(unique("fencing"))
    third.produce(topic, "fenced")
    try:
        third.flush(PATIENCE)  # Later versions raise here.
        third.commit_transaction(PATIENCE)
        fail("a fenced producer cannot produce", "_FENCED", "success")
    except KafkaException as raised:
        check("a fenced producer cannot produce", "_FENCED", raised.args[0].name())
    check("what it sent is not visible", ["zombie", "successor"], read(topic, "read_uncommitted"))
    del fourth


def offsets_in_transactions():
    topic, output, group = create(unique("input")), create(unique("output")), unique("pipeline")
    send(producer(), topic, ["m0", "m1", "m2"])
    writer, member = transactional(unique("pipeline")), consumer(group)
    member.subscribe([topic])
    seen = poll_all("reading the input", [member], lambda values: len(values) >= 3)
    position = member.position(member.assignment())
    for commit in [False, True]:
        writer.begin_transaction()
        send(writer, output, seen)
        writer.send_offsets_to_transaction(position, member.consumer_group_metadata(), PATIENCE)
        if commit:
            writer.commit_transaction(PATIENCE)
            until("a committed transaction moves the group's offset", [3], lambda: committed(group, topic))
            until("and its records are visible", seen, lambda: read(output))
        else:
            writer.abort_transaction(PATIENCE)
            check("an aborted transaction does not move the group's offset", [NO_OFFSET], committed(group, topic))
            check("nor are its records visible", [], read(output))
    member.close()
    writer.begin_transaction()
    send(writer, output, ["late"])
    try:
        writer.send_offsets_to_transaction(position, member_metadata_after_leaving(group, topic), PATIENCE)
        fail("offsets of a departed member are refused", "an abortable error", "success")
    except KafkaException as raised:
        error = raised.args[0]
        check("offsets of a departed member are refused", ("UNKNOWN_MEMBER_ID", True), (error.name(), error.txn_requires_abort()))
    writer.abort_transaction(PATIENCE)
    writer.begin_transaction()
    send(writer, output, ["after"])
    writer.commit_transaction(PATIENCE)
    until("and the producer goes on after an abort", seen + ["after"], lambda: read(output))


def member_metadata_after_leaving(group, topic):
    left, stays = consumer(group), consumer(group)
    left.subscribe([topic])
    poll_all("a member joins", [left], lambda _: left.assignment())
    metadata = left.consumer_group_metadata()
    left.close()
    stays.subscribe([topic])
    poll_all("another member joins", [stays], lambda _: stays.assignment())
    member_metadata_after_leaving.stays = stays
    return metadata


def administration():
    topic = create(unique("administration"))
    to = producer()
    for index in range(10):
        to.produce(topic, str(index), timestamp=1_700_000_000_000 + index * 1000)
    to.flush(PATIENCE)
    reader = consumer(unique("administration"))
    by_time = lambda time: reader.offsets_for_times([TopicPartition(topic, 0, time)], timeout=PATIENCE)[0].offset
    check("an offset is found by its timestamp", 4, by_time(1_700_000_004_000))
    check("an offset is found by a timestamp between two", 5, by_time(1_700_000_004_001))
    check("past the last timestamp there is no offset but the end", -1, by_time(1_700_000_010_000))
    if hasattr(ADMIN, "list_offsets"):
        from confluent_kafka.admin import OffsetSpec

        listed = lambda spec: ADMIN.list_offsets({TopicPartition(topic, 0): spec})[TopicPartition(topic, 0)].result(PATIENCE).offset
        check("list_offsets finds begin, end, timestamps and the largest of them", [0, 10, 7, 9], [listed(s) for s in [OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.for_timestamp(1_700_000_007_000), OffsetSpec.max_timestamp()]])
    else:
        skip("list_offsets")
    if hasattr(ADMIN, "delete_records"):
        [deleted] = ADMIN.delete_records([TopicPartition(topic, 0, 6)]).values()
        check("records are deleted up to an offset", 6, deleted.result(PATIENCE).low_watermark)
        check("the rest is read", ["6", "7", "8", "9"], read(topic, start=confluent_kafka.OFFSET_BEGINNING))
        check("the watermarks tell so", (6, 10), reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=PATIENCE))
    else:
        skip("delete_records")
    resource = lambda **set: ConfigResource(ConfigResource.Type.TOPIC, topic, **set)
    describe = lambda name: list(ADMIN.describe_configs([resource()]).values())[0].result(PATIENCE)[name]
    check("a topic's configs are described", "604800000", describe("retention.ms").value)
    if hasattr(ADMIN, "incremental_alter_configs"):
        from confluent_kafka.admin import AlterConfigOpType, ConfigEntry

        entry = ConfigEntry("retention.ms", "7200000", incremental_operation=AlterConfigOpType.SET)
        altered = ADMIN.incremental_alter_configs([resource(incremental_configs=[entry])])
        name = "configs are altered incrementally"
    else:
        altered = ADMIN.alter_configs([resource(set_config={"retention.ms": "7200000"})])
        name = "configs are altered"
    list(altered.values())[0].result(PATIENCE)
    until(name, "7200000", lambda: describe("retention.ms").value)
    from confluent_kafka.admin import NewPartitions

    list(ADMIN.create_partitions([NewPartitions(topic, 2)]).values())[0].result(PATIENCE)
    until("partitions are added", 2, lambda: len(ADMIN.list_topics(topic, timeout=PATIENCE).topics[topic].partitions))
    if hasattr(ADMIN, "describe_cluster"):
        described = ADMIN.describe_cluster().result(PATIENCE)
        check("the cluster is described", (1, True), (len(described.nodes), bool(described.cluster_id)))
    else:
        skip("describe_cluster")
    list(ADMIN.delete_topics([topic]).values())[0].result(PATIENCE)
    until("a deleted topic is gone", False, lambda: topic in ADMIN.list_topics(timeout=PATIENCE).topics)
    reader.close()


if __name__ == "__main__":
    print(f"confluent-kafka {confluent_kafka.version()}, librdkafka {confluent_kafka.libversion()[0]}", flush=True)
    for part in [topics, codecs, groups, static_members, transactions, fencing, offsets_in_transactions, administration]:
        part()
