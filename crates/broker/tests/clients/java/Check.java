import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.Predicate;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.*;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * What Java's kafka-clients do on a broker: one line for each behaviour, or the first failure.
 *
 * <p>Compiles with kafka-clients 2.8 and later.
 */
public final class Check {
    private static final String BOOTSTRAP = System.getenv("BOOTSTRAP_SERVERS");
    private static final String RUN = UUID.randomUUID().toString().substring(0, 8);
    /** What has not happened by then will not happen. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(50);

    private static final Admin ADMIN = Admin.create(new HashMap<>(Map.of("bootstrap.servers", BOOTSTRAP)));

    private static String unique(String name) {
        return name + "-" + RUN;
    }

    private static void ok(String behaviour) {
        System.out.println("ok: " + behaviour);
    }

    private static AssertionError failure(String behaviour, Object expected, Object observed) {
        return new AssertionError(behaviour + ": expected " + expected + ", observed " + observed);
    }

    private static void check(String behaviour, Object expected, Object observed) {
        if (!Objects.equals(expected, observed)) {
            throw failure(behaviour, expected, observed);
        }
        ok(behaviour);
    }

    private interface Observation<T> {
        T get() throws Exception;
    }

    /** Observes until it is as expected: Kafka answers some requests before they have had all their effects. */
    private static <T> void until(String behaviour, T expected, Observation<T> observe) throws Exception {
        long end = System.nanoTime() + PATIENCE.toNanos();
        for (T observed = observe.get(); !Objects.equals(expected, observed); observed = observe.get()) {
            if (System.nanoTime() > end) {
                throw failure(behaviour, expected, observed);
            }
            Thread.sleep(50);
        }
        ok(behaviour);
    }

    private interface Action {
        void run() throws Exception;
    }

    /** The name of the exception that the action ends with, or "success". */
    private static String outcome(Action action) {
        try {
            action.run();
            return "success";
        } catch (ExecutionException wrapped) {
            return wrapped.getCause().getClass().getSimpleName();
        } catch (Exception raised) {
            return raised.getClass().getSimpleName();
        }
    }

    private static <T> T within(KafkaFuture<T> future) throws Exception {
        return future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private static String create(String topic, int partitions) throws Exception {
        within(ADMIN.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all());
        return topic;
    }

    private static Producer<String, String> producer(String... settings) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", BOOTSTRAP, "acks", "all", "max.block.ms", "30000"));
        for (int i = 0; i < settings.length; i += 2) {
            config.put(settings[i], settings[i + 1]);
        }
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    private static void send(Producer<String, String> to, String topic, List<String> values, int partitions) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            sent.add(to.send(new ProducerRecord<>(topic, i % partitions, null, values.get(i))));
        }
        to.flush();
        for (Future<RecordMetadata> future : sent) {
            future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    private static Consumer<String, String> consumer(String group, String... settings) {
        Map<String, Object> config = new HashMap<>(Map.of(
                "bootstrap.servers", BOOTSTRAP, "auto.offset.reset", "earliest", "enable.auto.commit", "false",
                "heartbeat.interval.ms", "200", "fetch.max.wait.ms", "50", "isolation.level", "read_committed"));
        if (group != null) {
            config.put("group.id", group);
        }
        for (int i = 0; i < settings.length; i += 2) {
            config.put(settings[i], settings[i + 1]);
        }
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    private static final String READ_UNCOMMITTED = "read_uncommitted";

    /** All values of a topic of one partition, to its end at this isolation level. */
    private static List<String> read(String topic, String isolation) {
        TopicPartition partition = new TopicPartition(topic, 0);
        try (Consumer<String, String> reader = consumer(null, "isolation.level", isolation)) {
            reader.assign(List.of(partition));
            reader.seekToBeginning(List.of(partition));
            long to = reader.endOffsets(List.of(partition), PATIENCE).get(partition);
            List<String> values = new ArrayList<>();
            long end = System.nanoTime() + PATIENCE.toNanos();
            while (reader.position(partition, PATIENCE) < to) {
                if (System.nanoTime() > end) {
                    throw failure("reading " + topic + " to its end " + to, "all", values);
                }
                reader.poll(SHORT).forEach(record -> values.add(record.value()));
            }
            return values;
        }
    }

    private static List<String> read(String topic) {
        return read(topic, "read_committed");
    }

    /** Polls the members in turn until it is done; gives what they have got. */
    private static List<String> pollAll(String behaviour, List<Consumer<String, String>> members, Predicate<List<String>> done) {
        List<String> values = new ArrayList<>();
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!done.test(values)) {
            if (System.nanoTime() > end) {
                throw failure(behaviour, "done in time", values.size() + " values, "
                        + members.stream().map(Consumer::assignment).collect(Collectors.toList()));
            }
            for (Consumer<String, String> member : members) {
                member.poll(SHORT).forEach(record -> values.add(record.value()));
            }
        }
        return values;
    }

    private static List<Long> committed(String group, String topic, int partitions) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> offsets;
        try (Consumer<String, String> reader = consumer(group)) {
            offsets = reader.committed(IntStream.range(0, partitions).mapToObj(p -> new TopicPartition(topic, p)).collect(Collectors.toSet()), PATIENCE);
        }
        return IntStream.range(0, partitions).mapToObj(p -> offsets.get(new TopicPartition(topic, p)))
                .map(offset -> offset == null ? null : offset.offset()).collect(Collectors.toList());
    }

    private static List<String> named(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + i).collect(Collectors.toList());
    }

    private static List<String> sorted(List<String> values) {
        return values.stream().sorted().collect(Collectors.toList());
    }

    private static int partitions(String topic) {
        try (Consumer<String, String> reader = consumer(null)) {
            return reader.partitionsFor(topic, PATIENCE).size();
        }
    }

    private static void topics() throws Exception {
        String topic = create(unique("topics"), 3);
        until("a topic is created with its partitions", 3, () -> partitions(topic));
        check("a topic is not created twice", "TopicExistsException", outcome(() -> create(topic, 3)));
    }

    private static void codecs() throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            String topic = create(unique("codec-" + codec), 1);
            List<String> values = named(codec.repeat(20), 100);
            try (Producer<String, String> to = producer("compression.type", codec, "linger.ms", "5", "enable.idempotence", "true")) {
                send(to, topic, values, 1);
            }
            check("100 idempotent messages with compression " + codec + " are read as sent", values, read(topic));
        }
    }

    private static void groups(String assignor) throws Exception {
        String kind = assignor.toLowerCase();
        String topic = create(unique("groups-" + kind), 4);
        String group = unique("group-" + kind);
        String[] settings = {"partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor};
        List<String> first = named("a", 40);
        List<String> second = named("b", 40);
        try (Producer<String, String> to = producer()) {
            send(to, topic, first, 4);
            try (Consumer<String, String> one = consumer(group, settings); Consumer<String, String> two = consumer(group, settings)) {
                one.subscribe(List.of(topic));
                check("one member reads all partitions (" + assignor + ")", sorted(first),
                        sorted(pollAll("one member reads all", List.of(one), values -> values.size() >= 40)));
                one.commitSync(PATIENCE);
                two.subscribe(List.of(topic));
                check("nothing is read again in a rebalance after a commit", List.of(),
                        pollAll("a rebalance", List.of(one, two), v -> one.assignment().size() == 2 && two.assignment().size() == 2));
                ok("two members share the partitions");
                send(to, topic, second, 4);
                check("two members read all, each message once", sorted(second),
                        sorted(pollAll("two members read all", List.of(one, two), values -> values.size() >= 40)));
                one.commitSync(PATIENCE);
                two.commitSync(PATIENCE);
            }
            check("the group's offsets are committed", List.of(20L, 20L, 20L, 20L), committed(group, topic, 4));
            send(to, topic, List.of("c0", "c1"), 4);
        }
        try (Consumer<String, String> three = consumer(group, settings)) {
            three.subscribe(List.of(topic));
            check("a restart goes on where the group was", List.of("c0", "c1"),
                    sorted(pollAll("resumed", List.of(three), values -> values.size() >= 2)));
            ConsumerGroupDescription described = within(ADMIN.describeConsumerGroups(List.of(group)).all()).get(group);
            check("a group is described", List.of("Stable", 1, assignor.startsWith("Cooperative") ? "cooperative-sticky" : "range"),
                    List.of(described.state().toString(), described.members().size(), described.partitionAssignor()));
            check("a group is listed", true, within(ADMIN.listConsumerGroups().all()).stream().anyMatch(listed -> listed.groupId().equals(group)));
            check("a group's offsets are listed", 4, within(ADMIN.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata()).size());
            check("offsets of a subscribed topic are not deleted", "GroupSubscribedToTopicException", outcome(() ->
                    within(ADMIN.deleteConsumerGroupOffsets(group, Set.of(new TopicPartition(topic, 0))).all())));
            check("a group with members is not deleted", "GroupNotEmptyException", outcome(() -> within(ADMIN.deleteConsumerGroups(List.of(group)).all())));
        }
        TopicPartition partition = new TopicPartition(topic, 0);
        within(ADMIN.alterConsumerGroupOffsets(group, Map.of(partition, new OffsetAndMetadata(7))).all());
        check("a group's offset is altered", 7L, committed(group, topic, 1).get(0));
        within(ADMIN.deleteConsumerGroupOffsets(group, Set.of(partition)).all());
        check("a group's offset is deleted", null, committed(group, topic, 1).get(0));
        within(ADMIN.deleteConsumerGroups(List.of(group)).all());
        check("a deleted group is gone", "GroupIdNotFoundException", outcome(() -> within(ADMIN.deleteConsumerGroups(List.of(group)).all())));
    }

    private static void staticMembers() throws Exception {
        String topic = create(unique("static"), 2);
        String group = unique("static");
        String[] settings = {"group.instance.id", "one", "session.timeout.ms", "20000"};
        Consumer<String, String> other = consumer(group);
        Consumer<String, String> first = consumer(group, settings);
        other.subscribe(List.of(topic));
        first.subscribe(List.of(topic));
        pollAll("a static member joins", List.of(other, first), v -> other.assignment().size() == 1 && first.assignment().size() == 1);
        Set<TopicPartition> had = Set.copyOf(first.assignment());
        int generation = first.groupMetadata().generationId();
        first.close();
        Consumer<String, String> second = consumer(group, settings);
        second.subscribe(List.of(topic));
        pollAll("a static member returns", List.of(other, second), v -> second.assignment().size() == 1);
        check("a static member returns to its partitions without a rebalance", List.of(had, generation, generation),
                List.of(second.assignment(), second.groupMetadata().generationId(), other.groupMetadata().generationId()));
        Consumer<String, String> third = consumer(group, settings);
        third.subscribe(List.of(topic));
        pollAll("a second member with the same instance id", List.of(other, third), v -> third.assignment().size() == 1);
        check("a second member with the same instance id fences the first", "FencedInstanceIdException",
                outcome(() -> pollAll("a fenced member", List.of(other, third, second), v -> false)));
        second.close();
        within(ADMIN.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("one")))).all());
        pollAll("a static member is removed", List.of(other), v -> other.assignment().size() == 2);
        ok("a static member is removed by its instance id, and the other takes over");
        third.close();
        other.close();
    }

    private static Producer<String, String> transactional(String id, String... settings) {
        String[] all = Arrays.copyOf(settings, settings.length + 2);
        all[settings.length] = "transactional.id";
        all[settings.length + 1] = id;
        Producer<String, String> made = producer(all);
        made.initTransactions();
        return made;
    }

    private static void transactions() throws Exception {
        String topic = create(unique("transactions"), 1);
        List<String> visible = List.of("c0", "c1", "c2");
        try (Producer<String, String> writer = transactional(unique("transactions"))) {
            writer.beginTransaction();
            send(writer, topic, List.of("c0", "c1"), 1);
            writer.commitTransaction();
            writer.beginTransaction();
            send(writer, topic, List.of("a0", "a1"), 1);
            writer.abortTransaction();
            writer.beginTransaction();
            send(writer, topic, List.of("c2"), 1);
            writer.commitTransaction();
            until("committed transactions are visible at read_committed, an aborted one is not", visible, () -> read(topic));
            check("all are visible at read_uncommitted", List.of("c0", "c1", "a0", "a1", "c2"), read(topic, READ_UNCOMMITTED));
            writer.beginTransaction();
            writer.commitTransaction();
            writer.beginTransaction();
            writer.abortTransaction();
            ok("empty transactions are committed and aborted");
            writer.beginTransaction();
            send(writer, topic, List.of("open"), 1);
            check("an open transaction is not visible at read_committed", visible, read(topic));
            List<String> uncommitted = read(topic, READ_UNCOMMITTED);
            check("an open transaction is visible at read_uncommitted", "open", uncommitted.get(uncommitted.size() - 1));
            writer.abortTransaction();
            for (int i = 0; i < 20; i++) {
                writer.beginTransaction();
                send(writer, topic, List.of("kept" + i), 1);
                writer.commitTransaction();
                writer.beginTransaction();
                send(writer, topic, List.of("dropped" + i), 1);
                writer.abortTransaction();
            }
            List<String> all = new ArrayList<>(visible);
            all.addAll(named("kept", 20));
            until("40 transactions in a row, each second one aborted", all, () -> read(topic));
        }
    }

    /** Whether client and broker speak the second transaction protocol (KIP-890). */
    private static boolean secondProtocol() throws Exception {
        if (Integer.parseInt(AppInfoParser.getVersion().split("\\.")[0]) < 4) {
            return false;
        }
        FinalizedVersionRange range = within(ADMIN.describeFeatures().featureMetadata()).finalizedFeatures().get("transaction.version");
        return range != null && range.maxVersionLevel() >= 2;
    }

    private static void timeout() throws Exception {
        String topic = create(unique("timeout"), 1);
        try (Producer<String, String> writer = transactional(unique("timeout"), "transaction.timeout.ms", "1000")) {
            writer.beginTransaction();
            send(writer, topic, List.of("late"), 1);
            until("a transaction is aborted after its timeout", List.of(1L, true), () -> {
                try (Consumer<String, String> reader = consumer(null)) {
                    TopicPartition partition = new TopicPartition(topic, 0);
                    long stable = reader.endOffsets(List.of(partition)).get(partition);
                    return List.of(stable > 0 ? 1L : 0L, read(topic).isEmpty());
                }
            });
            String expected = secondProtocol() ? "InvalidTxnStateException" : "ProducerFencedException";
            check("it cannot be committed then: " + expected, expected, outcome(writer::commitTransaction));
        }
    }

    private static void fencing() throws Exception {
        String topic = create(unique("fencing"), 1);
        Producer<String, String> first = transactional(unique("fencing"));
        first.beginTransaction();
        send(first, topic, List.of("zombie"), 1);
        Producer<String, String> second = transactional(unique("fencing"));
        second.beginTransaction();
        send(second, topic, List.of("successor"), 1);
        second.commitTransaction();
        String fenced = "ProducerFencedException";
        check("a fenced producer cannot commit: " + fenced, fenced, outcome(first::commitTransaction));
        until("of the two only the successor is visible", List.of("successor"), () -> read(topic));
        Producer<String, String> third = transactional(unique("fencing"));
        second.beginTransaction();
        // Of the first protocol, AddPartitionsToTxn hears of it first.
        String expected = secondProtocol() ? "InvalidProducerEpochException" : fenced;
        check("a fenced producer cannot produce: " + expected, expected, outcome(() -> send(second, topic, List.of("fenced"), 1)));
        check("what it sent is not visible", List.of("zombie", "successor"), read(topic, READ_UNCOMMITTED));
        check("nor abort: " + fenced, fenced, outcome(second::abortTransaction));
        third.beginTransaction();
        send(third, topic, List.of("third"), 1);
        if (fence(unique("fencing"))) {
            check("an administrator fences a producer: " + fenced, fenced, outcome(third::commitTransaction));
        } else {
            System.out.println("skipped, this version has no such call: fenceProducers");
        }
        for (Producer<String, String> each : List.of(first, second, third)) {
            each.close(Duration.ofSeconds(1));
        }
    }

    /** Admin.fenceProducers, since 3.0: whether there is such a call. */
    @SuppressWarnings("unchecked")
    private static boolean fence(String id) throws Exception {
        try {
            Object result = Admin.class.getMethod("fenceProducers", Collection.class).invoke(ADMIN, List.of(id));
            within((KafkaFuture<Void>) result.getClass().getMethod("all").invoke(result));
            return true;
        } catch (NoSuchMethodException old) {
            return false;
        }
    }

    private static void offsetsInTransactions() throws Exception {
        String topic = create(unique("input"), 1);
        String output = create(unique("output"), 1);
        String group = unique("pipeline");
        TopicPartition partition = new TopicPartition(topic, 0);
        Map<TopicPartition, OffsetAndMetadata> position = Map.of(partition, new OffsetAndMetadata(3));
        try (Producer<String, String> to = producer()) {
            send(to, topic, named("m", 3), 1);
        }
        Consumer<String, String> member = consumer(group);
        try (Producer<String, String> writer = transactional(unique("pipeline"))) {
            member.subscribe(List.of(topic));
            List<String> seen = pollAll("reading the input", List.of(member), values -> values.size() >= 3);
            writer.beginTransaction();
            send(writer, output, seen, 1);
            writer.sendOffsetsToTransaction(position, member.groupMetadata());
            writer.abortTransaction();
            until("an aborted transaction does not move the group's offset", Arrays.asList((Long) null), () -> committed(group, topic, 1));
            check("nor are its records visible", List.of(), read(output));
            writer.beginTransaction();
            send(writer, output, seen, 1);
            writer.sendOffsetsToTransaction(position, member.groupMetadata());
            writer.commitTransaction();
            until("a committed transaction moves the group's offset", List.of(3L), () -> committed(group, topic, 1));
            until("and its records are visible", seen, () -> read(output));
            writer.beginTransaction();
            writer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(2)), member.groupMetadata());
            writer.commitTransaction();
            until("a transaction of offsets only", List.of(2L), () -> committed(group, topic, 1));
            ConsumerGroupMetadata left = member.groupMetadata();
            member.close();
            Consumer<String, String> stays = consumer(group);
            stays.subscribe(List.of(topic));
            pollAll("another member joins", List.of(stays), v -> !stays.assignment().isEmpty());
            writer.beginTransaction();
            send(writer, output, List.of("late"), 1);
            check("offsets of a departed member are refused", "CommitFailedException", outcome(() -> writer.sendOffsetsToTransaction(position, left)));
            writer.abortTransaction();
            writer.beginTransaction();
            send(writer, output, List.of("after"), 1);
            writer.commitTransaction();
            List<String> all = new ArrayList<>(seen);
            all.add("after");
            until("and the producer goes on after an abort", all, () -> read(output));
            stays.close();
        }
    }

    private static String config(ConfigResource resource, String name) throws Exception {
        return within(ADMIN.describeConfigs(List.of(resource)).all()).get(resource).get(name).value();
    }

    private static long listed(TopicPartition partition, OffsetSpec spec) throws Exception {
        return within(ADMIN.listOffsets(Map.of(partition, spec)).partitionResult(partition)).offset();
    }

    private static void administration() throws Exception {
        String topic = create(unique("administration"), 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (Producer<String, String> to = producer()) {
            for (int i = 0; i < 10; i++) {
                to.send(new ProducerRecord<>(topic, 0, 1_700_000_000_000L + i * 1000, null, Integer.toString(i)));
            }
        }
        check("offsets are listed: begin, end, a timestamp, one between two, one past the last", List.of(0L, 10L, 4L, 5L, -1L), List.of(
                listed(partition, OffsetSpec.earliest()), listed(partition, OffsetSpec.latest()),
                listed(partition, OffsetSpec.forTimestamp(1_700_000_004_000L)), listed(partition, OffsetSpec.forTimestamp(1_700_000_004_001L)),
                listed(partition, OffsetSpec.forTimestamp(1_700_000_010_000L))));
        try {
            OffsetSpec largest = (OffsetSpec) OffsetSpec.class.getMethod("maxTimestamp").invoke(null);
            check("the offset of the largest timestamp is listed", 9L, listed(partition, largest));
        } catch (NoSuchMethodException old) {
            System.out.println("skipped, this version has no such call: OffsetSpec.maxTimestamp");
        }
        long low = within(ADMIN.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(6))).lowWatermarks().get(partition)).lowWatermark();
        check("records are deleted up to an offset", 6L, low);
        check("the rest is read", List.of("6", "7", "8", "9"), read(topic));
        check("records beyond the end are not deleted", "OffsetOutOfRangeException", outcome(() ->
                within(ADMIN.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(11))).all())));
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        check("a topic's configs are described", "604800000", config(resource, "retention.ms"));
        within(ADMIN.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "7200000"), AlterConfigOp.OpType.SET)))).all());
        until("configs are altered", "7200000", () -> config(resource, "retention.ms"));
        within(ADMIN.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(new ConfigEntry("retention.ms", ""), AlterConfigOp.OpType.DELETE)))).all());
        until("and set back", "604800000", () -> config(resource, "retention.ms"));
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, within(ADMIN.describeCluster().nodes()).iterator().next().idString());
        check("a broker's configs are described", true, !within(ADMIN.describeConfigs(List.of(broker)).all()).get(broker).entries().isEmpty());
        within(ADMIN.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all());
        until("partitions are added", 2, () -> partitions(topic));
        check("the cluster is described", 1, within(ADMIN.describeCluster().nodes()).size());
        within(ADMIN.deleteTopics(List.of(topic)).all());
        until("a deleted topic is gone", false, () -> within(ADMIN.listTopics().names()).contains(topic));
    }

    public static void main(String[] arguments) {
        System.out.println("Java " + System.getProperty("java.version") + ", kafka-clients " + AppInfoParser.getVersion());
        try {
            topics();
            codecs();
            groups("RangeAssignor");
            groups("CooperativeStickyAssignor");
            staticMembers();
            transactions();
            timeout();
            fencing();
            offsetsInTransactions();
            administration();
        } catch (Throwable failed) {
            System.err.println("FAILED: " + failed);
            failed.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
        // A client that is still open would not let the program end.
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }
}
