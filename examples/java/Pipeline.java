import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Consume, transform, produce, exactly once: a pipeline that the lab can judge (docs/your-own-client.md).
 *
 * <pre>lab run --guarantee exactly-once --role pipeline -- java -cp 'libs/*' examples/java/Pipeline.java</pre>
 */
public final class Pipeline {
    public static void main(String[] args) throws InterruptedException {
        Map<String, String> env = System.getenv();
        Properties ofConsumer = common(env);
        ofConsumer.put("group.id", env.get("GROUP_ID"));
        ofConsumer.put("auto.offset.reset", "earliest");
        // The transaction commits the offsets, nothing else may.
        ofConsumer.put("enable.auto.commit", "false");
        // Java's default is read_uncommitted: what an upstream transaction aborted is no input.
        ofConsumer.put("isolation.level", "read_committed");
        // Of the settings that the lab makes for librdkafka, those that Java has too.
        for (String key : List.of("session.timeout.ms", "heartbeat.interval.ms", "group.instance.id")) {
            setting(env, key, ofConsumer);
        }
        Properties ofProducer = common(env);
        // Implies acks=all and enable.idempotence. Stable: a successor aborts what its predecessor left open.
        ofProducer.put("transactional.id", env.get("TRANSACTIONAL_ID"));

        String input = env.get("TOPIC");
        String output = env.get("OUTPUT_TOPIC");
        var text = new StringDeserializer();
        try (var producer = new KafkaProducer<>(ofProducer, new StringSerializer(), new StringSerializer());
                var consumer = new KafkaConsumer<>(ofConsumer, text, text)) {
            // The lab stops it with Ctrl-C, for which Java runs the shutdown hooks.
            Thread main = Thread.currentThread();
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                consumer.wakeup();
                try {
                    main.join(10_000);
                } catch (InterruptedException ignored) {
                    // The process ends anyway.
                }
            }));
            producer.initTransactions();
            consumer.subscribe(List.of(input));
            while (true) {
                ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
                if (records.isEmpty()) {
                    continue;
                }
                try {
                    transform(consumer, producer, records, output);
                } catch (ProducerFencedException | InvalidProducerEpochException | FencedInstanceIdException fenced) {
                    // Another instance has taken over: this one stops.
                    throw fenced;
                } catch (KafkaException error) {
                    // Neither results nor offsets count: abort, and read the same messages again.
                    System.err.println("aborted: " + error.getMessage());
                    producer.abortTransaction();
                    rewind(consumer);
                }
            }
        } catch (WakeupException stopped) {
            // Ctrl-C, while it waited for messages: nothing is open.
        } catch (KafkaException error) {
            System.err.println("error: " + error);
            // Not System.exit(1): if the lab has asked it to stop meanwhile, that would wait for the hook, and the hook
            // for this thread.
            Runtime.getRuntime().halt(1);
        }
    }

    /** One batch, one transaction. */
    private static void transform(
            KafkaConsumer<String, String> consumer,
            KafkaProducer<String, String> producer,
            ConsumerRecords<String, String> records,
            String output) {
        producer.beginTransaction();
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        for (ConsumerRecord<String, String> record : records) {
            String result = record.value().toUpperCase(Locale.ROOT);
            System.out.printf(
                    "process: %s[%d]@%d %s -> %s%n",
                    record.topic(), record.partition(), record.offset(), record.value(), result);
            // The same partition and key as the input.
            producer.send(new ProducerRecord<>(output, record.partition(), record.key(), result));
            next.put(
                    new TopicPartition(record.topic(), record.partition()),
                    new OffsetAndMetadata(record.offset() + 1));
        }
        // The offset after the last message, with the metadata of the group as it is now.
        producer.sendOffsetsToTransaction(next, consumer.groupMetadata());
        producer.commitTransaction();
    }

    /** Back to the committed offsets; to the beginning where there are none. */
    private static void rewind(KafkaConsumer<String, String> consumer) {
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(consumer.assignment());
        committed.forEach((partition, offset) -> {
            if (offset == null) {
                consumer.seekToBeginning(List.of(partition));
            } else {
                consumer.seek(partition, offset);
            }
        });
    }

    private static Properties common(Map<String, String> env) {
        Properties config = new Properties();
        config.put("bootstrap.servers", env.get("BOOTSTRAP_SERVERS"));
        return config;
    }

    private static void setting(Map<String, String> env, String key, Properties config) {
        for (String setting : env.getOrDefault("KAFKA_PROPERTIES", "").split(";")) {
            if (setting.startsWith(key + "=")) {
                config.put(key, setting.substring(key.length() + 1));
            }
        }
    }
}
