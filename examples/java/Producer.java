import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * A producer, exactly once (one transaction for all messages), that the lab can judge (docs/your-own-client.md).
 *
 * <pre>lab run --guarantee exactly-once -- java -cp 'libs/*' examples/java/Producer.java</pre>
 */
public final class Producer {
    public static void main(String[] args) throws InterruptedException {
        Map<String, String> env = System.getenv();
        Properties config = new Properties();
        config.put("bootstrap.servers", env.get("BOOTSTRAP_SERVERS"));
        // Implies acks=all and enable.idempotence. Stable: a successor aborts what its predecessor left open, and fences
        // it.
        config.put("transactional.id", env.get("TRANSACTIONAL_ID"));
        int count = Integer.parseInt(env.get("COUNT"));
        long pause = Long.parseLong(env.getOrDefault("INTERVAL_MS", "0"));

        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            producer.initTransactions();
            try {
                producer.beginTransaction();
                for (int i = 0; i < count; i++) {
                    String value = env.get("VALUE_PREFIX") + i;
                    var record = new ProducerRecord<String, String>(env.get("TOPIC"), value);
                    producer.send(record, (place, error) -> report(value, place, error));
                    Thread.sleep(pause);
                }
                commit(producer);
                System.out.printf("committed %d%n", count);
            } catch (ProducerFencedException | InvalidProducerEpochException fenced) {
                // Another instance has taken over: this one stops.
                throw fenced;
            } catch (KafkaException error) {
                // Nothing of it counts: say so, and leave no transaction open.
                producer.abortTransaction();
                System.out.printf("aborted %d: %s%n", count, error.getMessage());
                System.exit(1);
            }
        } catch (KafkaException error) {
            System.err.println("error: " + error);
            System.exit(1);
        }
    }

    /** Stored, which does not yet mean visible: readers at read_committed wait for the commit. */
    private static void report(String value, RecordMetadata place, Exception error) {
        if (error == null) {
            System.out.printf("delivered %s[%d]@%d %s%n", place.topic(), place.partition(), place.offset(), value);
        } else {
            System.out.printf("failed %s: %s%n", value, error.getMessage());
        }
    }

    /** After a time-out, only the same call again can tell the outcome. */
    private static void commit(KafkaProducer<String, String> producer) {
        try {
            producer.commitTransaction();
        } catch (TimeoutException slow) {
            producer.commitTransaction();
        }
    }
}
