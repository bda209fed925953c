/*
 * Sends COUNT messages of SIZE bytes, PER_TRANSACTION of them in each transaction: what producer-exactly-once and
 * eos-producer do, with librdkafka's C interface and nothing else. It prints its speed, from the first transaction to the
 * end of the last, as rdkafka_performance does.
 * (rdkafka_performance, which comes with librdkafka, knows no transactions.)
 *
 *   transactions SERVERS TOPIC COUNT SIZE PER_TRANSACTION [KEY=VALUE]...      each KEY=VALUE: a librdkafka property
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rdkafka.h>

/* For one call, as in the programs. */
static const int TEN_SECONDS = 10 * 1000;

static long not_delivered = 0;

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

/* Nothing is retried and nothing aborted here: a benchmark during which that is necessary has measured nothing. */
static void check(const char *what, rd_kafka_error_t *error) {
    if (error != NULL)
        fail(what, rd_kafka_error_string(error));
}

static void on_delivery(rd_kafka_t *producer, const rd_kafka_message_t *message, void *opaque) {
    (void)producer;
    (void)opaque;
    if (message->err)
        not_delivered++;
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value) {
    char why[512];
    if (rd_kafka_conf_set(conf, key, value, why, sizeof(why)) != RD_KAFKA_CONF_OK)
        fail(key, why);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long positive(const char *text) {
    char *end;
    long number = strtol(text, &end, 10);
    if (*end != '\0' || number < 1)
        fail(text, "a whole number is needed, 1 or more");
    return number;
}

/* Sends "eos-msg-N", filled with dots, as the programs do with --size. */
static void send_message(rd_kafka_t *producer, rd_kafka_topic_t *topic, char *value, size_t size, long number) {
    char text[32];
    size_t length = (size_t)snprintf(text, sizeof(text), "eos-msg-%ld", number);
    memcpy(value, text, length < size ? length : size);

    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value, size, NULL, 0, NULL) == -1) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            fail("send", rd_kafka_err2str(rd_kafka_last_error()));
        rd_kafka_poll(producer, 10);
    }
}

int main(int argc, char **argv) {
    if (argc < 6)
        fail(argv[0], "SERVERS TOPIC COUNT SIZE PER_TRANSACTION [KEY=VALUE]...");
    long count = positive(argv[3]);
    size_t size = (size_t)positive(argv[4]);
    long per_transaction = positive(argv[5]);

    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", argv[1]);
    for (int i = 6; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value == NULL)
            fail(argv[i], "write it as KEY=VALUE");
        *value = '\0';
        set(conf, argv[i], value + 1);
    }
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);

    char why[512];
    rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (producer == NULL)
        fail("rd_kafka_new", why);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, argv[2], NULL);
    char *value = malloc(size);
    if (topic == NULL || value == NULL)
        fail(argv[2], "no topic, or no memory");
    memset(value, '.', size);

    check("init", rd_kafka_init_transactions(producer, TEN_SECONDS));
    double start = seconds();
    for (long number = 0; number < count;) {
        check("begin", rd_kafka_begin_transaction(producer));
        for (long i = 0; i < per_transaction && number < count; i++, number++) {
            send_message(producer, topic, value, size, number);
            if (number % 1000 == 0)
                rd_kafka_poll(producer, 0);
        }
        /* Waits for the messages of the transaction, and serves their delivery reports. */
        check("commit", rd_kafka_commit_transaction(producer, 6 * TEN_SECONDS));
    }

    double took = seconds() - start;
    printf("%ld messages in %.0fms: %.0f msgs/s\n", count, took * 1e3, (double)count / took);

    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(producer);
    free(value);
    if (not_delivered > 0)
        fail("delivery", "not every message was delivered");
    return 0;
}
