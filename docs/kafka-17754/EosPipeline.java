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
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * eos-pipeline with Apache Kafka's own client, which speaks transaction protocol 2. It finds what it needs in the
 * environment, as `lab run PROGRAM SCENARIO -- COMMAND` gives it. An error ends it.
 */
public class EosPipeline {
    public static void main(String[] args) {
        Properties common = new Properties();
        common.put("bootstrap.servers", System.getenv("BOOTSTRAP_SERVERS"));

        Properties forConsumer = (Properties) common.clone();
        forConsumer.put("group.id", System.getenv("GROUP_ID"));
        forConsumer.put("enable.auto.commit", "false");
        forConsumer.put("auto.offset.reset", "earliest");
        forConsumer.put("isolation.level", "read_committed"); // Java's default is the other
        forConsumer.put("key.deserializer", StringDeserializer.class.getName());
        forConsumer.put("value.deserializer", StringDeserializer.class.getName());
        // What the lab sets: group.instance.id and session.timeout.ms have the same names in both clients.
        for (String property : System.getenv().getOrDefault("KAFKA_PROPERTIES", "").split(";")) {
            if (property.contains("=")) forConsumer.put(property.split("=", 2)[0], property.split("=", 2)[1]);
        }

        Properties forProducer = (Properties) common.clone();
        forProducer.put("transactional.id", System.getenv("TRANSACTIONAL_ID"));
        forProducer.put("key.serializer", StringSerializer.class.getName());
        forProducer.put("value.serializer", StringSerializer.class.getName());

        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(forConsumer);
        KafkaProducer<String, String> producer = new KafkaProducer<>(forProducer);
        producer.initTransactions();
        consumer.subscribe(List.of(System.getenv("TOPIC")));
        // Ctrl-C.
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            consumer.wakeup();
            try {
                main.join(5000);
                Runtime.getRuntime().halt(main.isAlive() ? 1 : 0); // else 130
            } catch (InterruptedException interrupted) {
                return;
            }
        }));

        try {
            while (true) transform(consumer, producer);
        } catch (org.apache.kafka.common.errors.WakeupException stopped) {
            consumer.close();
            producer.close();
        }
    }

    /** What one poll brings is one transaction. */
    static void transform(KafkaConsumer<String, String> consumer, KafkaProducer<String, String> producer) {
        ConsumerRecords<String, String> records = consumer.poll(Duration.ofSeconds(1));
        if (records.isEmpty()) return;
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        producer.beginTransaction();
        for (ConsumerRecord<String, String> in : records) {
            String result = in.value().toUpperCase(Locale.ROOT);
            System.out.printf("process: %s[%d]@%d %s -> %s%n", in.topic(), in.partition(), in.offset(), in.value(), result);
            producer.send(new ProducerRecord<>(System.getenv("OUTPUT_TOPIC"), in.partition(), in.key(), result));
            offsets.put(new TopicPartition(in.topic(), in.partition()), new OffsetAndMetadata(in.offset() + 1));
        }
        if (System.getenv("FLUSH_FIRST") != null) producer.flush(); // the results are stored before the offsets are sent
        producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
        producer.commitTransaction();
        System.out.println("committed " + records.count());
    }
}
