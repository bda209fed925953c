import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
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
                List<Future<RecordMetadata>> reports = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    String value = env.get("VALUE_PREFIX") + i;
                    reports.add(producer.send(new ProducerRecord<>(env.get("TOPIC"), value)));
                    Thread.sleep(pause);
                }
                producer.flush();
                for (int i = 0; i < count; i++) {
                    RecordMetadata place = reports.get(i).get();
                    System.out.printf("delivered %s %s%n", place(place), env.get("VALUE_PREFIX") + i);
                }
                commit(producer);
                System.out.printf("committed %d%n", count);
            } catch (ProducerFencedException | InvalidProducerEpochException fenced) {
                // Another instance has taken over: this one stops.
                throw fenced;
            } catch (KafkaException | ExecutionException error) {
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

    private static String place(RecordMetadata record) {
        return "%s[%d]@%d".formatted(record.topic(), record.partition(), record.offset());
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
