// What kafkajs does on a broker: one line for each behaviour, or the first failure.
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";
import kafkajs from "kafkajs";

const { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs;
const { version } = createRequire(import.meta.url)("kafkajs/package.json");
const run = randomBytes(4).toString("hex");
// What has not happened by then, in milliseconds, will not happen.
const patience = 30_000;
const kafka = new Kafka({
  clientId: "check",
  brokers: [process.env.BOOTSTRAP_SERVERS],
  logLevel: logLevel.NOTHING,
  retry: { retries: 8, initialRetryTime: 50, maxRetryTime: 1000 },
});
const admin = kafka.admin();

const unique = (name) => `${name}-${run}`;
const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));
const ok = (behaviour) => console.log(`ok: ${behaviour}`);
const fail = (behaviour, expected, observed) => {
  console.error(`FAILED: ${behaviour}: expected ${JSON.stringify(expected)}, observed ${JSON.stringify(observed)}`);
  process.exit(1);
};
const check = (behaviour, expected, observed) => {
  if (!isDeepStrictEqual(expected, observed)) fail(behaviour, expected, observed);
  ok(behaviour);
};

// Observes until it is as expected: Kafka answers some requests before they have had all their effects.
const reached = async (behaviour, expected, observe) => {
  const end = Date.now() + patience;
  for (;;) {
    const observed = await observe();
    if (isDeepStrictEqual(expected, observed)) return;
    if (Date.now() > end) fail(behaviour, expected, observed);
    await sleep(50);
  }
};
const until = async (behaviour, expected, observe) => {
  await reached(behaviour, expected, observe);
  ok(behaviour);
};

// The type of the Kafka error that it ends with, or "success".
const outcome = async (action) => {
  try {
    await action();
    return "success";
  } catch (error) {
    return error.type ?? error.errors?.[0]?.type ?? error.cause?.type ?? error.name;
  }
};

const create = async (topic, numPartitions = 1) => {
  await admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true });
  return topic;
};
const numbered = (prefix, count) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const messages = (values, partitions = 1) => values.map((value, i) => ({ value, partition: i % partitions }));

// A member of a group, and what it has got; it commits when told to.
const join = async (groupId, topic, settings = {}) => {
  const member = kafka.consumer({ groupId, heartbeatInterval: 200, rebalanceTimeout: 5000, sessionTimeout: 10_000, maxWaitTimeInMs: 50, ...settings });
  const seen = [];
  const positions = new Map();
  const state = { assigned: [], joins: 0 };
  member.on(member.events.GROUP_JOIN, ({ payload }) => {
    state.assigned = payload.memberAssignment[topic] ?? [];
    state.joins += 1;
  });
  await member.connect();
  await member.subscribe({ topic, fromBeginning: true });
  await member.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      seen.push(message.value.toString());
      positions.set(partition, String(Number(message.offset) + 1));
    },
  });
  const offsets = () => [...positions].map(([partition, offset]) => ({ topic, partition, offset }));
  return { member, seen, state, offsets, commit: () => member.commitOffsets(offsets()), leave: () => member.disconnect() };
};

// All values of a topic of one partition. Without a way to know the end at an isolation level, a last message of one's
// own shows it.
let readings = 0;
const read = async (topic, readUncommitted = false) => {
  const last = `last-${(readings += 1)}`;
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ value: last }] });
  await producer.disconnect();
  const reader = await join(unique(`reader-${readings}`), topic, { readUncommitted });
  await reached(`reading ${topic} to its end`, true, () => reader.seen.includes(last));
  await reader.leave();
  return reader.seen.filter((value) => !value.startsWith("last-"));
};
const committed = async (groupId, topic) => {
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset);
};

const topics = async () => {
  const topic = await create(unique("topics"), 3);
  await until("a topic is created with its partitions", 3, async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length);
  check("a topic is not created twice", false, await admin.createTopics({ topics: [{ topic }] }));
};

const codecs = async () => {
  for (const [name, compression] of [["none", CompressionTypes.None], ["gzip", CompressionTypes.GZIP]]) {
    const topic = await create(unique(`codec-${name}`));
    const values = numbered(name.repeat(20), 100);
    const producer = kafka.producer({ idempotent: true });
    await producer.connect();
    await producer.send({ topic, acks: -1, compression, messages: messages(values) });
    await producer.disconnect();
    check(`100 idempotent messages with compression ${name} are read as sent`, values, await read(topic));
  }
};

const groups = async () => {
  const topic = await create(unique("groups"), 4);
  const group = unique("group");
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: messages(numbered("a", 40), 4) });
  const one = await join(group, topic);
  // It may join twice at the beginning, and reads again then: nothing is committed yet.
  await reached("one member reads all", 40, () => new Set(one.seen).size);
  check("one member reads all partitions", numbered("a", 40).sort(), [...new Set(one.seen.splice(0))].sort());
  await one.commit();
  const two = await join(group, topic);
  await until("two members share the partitions", [2, 2], () => [one.state.assigned.length, two.state.assigned.length]);
  check("nothing is read again in a rebalance after a commit", [], [...one.seen, ...two.seen]);
  await producer.send({ topic, messages: messages(numbered("b", 40), 4) });
  await reached("two members read all", 40, () => one.seen.length + two.seen.length);
  check("two members read all, each message once", numbered("b", 40).sort(), [...one.seen, ...two.seen].sort());
  await one.member.commitOffsets(one.offsets().filter(({ partition }) => one.state.assigned.includes(partition)));
  await two.commit();
  await one.leave();
  await two.leave();
  check("the group's offsets are committed", ["20", "20", "20", "20"], await committed(group, topic));
  await producer.send({ topic, messages: messages(["c0", "c1"], 4) });
  const three = await join(group, topic);
  await reached("resumed", 2, () => three.seen.length);
  check("a restart goes on where the group was", ["c0", "c1"], three.seen.sort());
  const described = (await admin.describeGroups([group])).groups[0];
  check("a group is described", ["Stable", 1], [described.state, described.members.length]);
  check("a group is listed", true, (await admin.listGroups()).groups.some(({ groupId }) => groupId === group));
  await three.leave();
  await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: "7" }] });
  check("a group's offset is altered", "7", (await committed(group, topic))[0]);
  await admin.deleteGroups([group]);
  check("a deleted group is gone", "GROUP_ID_NOT_FOUND", await outcome(async () => {
    await admin.deleteGroups([group]);
  }).then((type) => (type === "KafkaJSDeleteGroupsError" ? "GROUP_ID_NOT_FOUND" : type)));
  await producer.disconnect();
};

const transactional = async (transactionalId) => {
  const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1, retry: { retries: 8, initialRetryTime: 50 } });
  await producer.connect();
  return producer;
};

const transactions = async () => {
  const topic = await create(unique("transactions"));
  const producer = await transactional(unique("transactions"));
  for (const [values, end] of [[["c0", "c1"], "commit"], [["a0", "a1"], "abort"], [["c2"], "commit"]]) {
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: messages(values) });
    await transaction[end]();
  }
  await until("committed transactions are visible at read_committed, an aborted one is not", ["c0", "c1", "c2"], () => read(topic));
  check("all are visible at read_uncommitted", ["c0", "c1", "a0", "a1", "c2"], await read(topic, true));
  const open = await producer.transaction();
  await open.send({ topic, messages: messages(["open"]) });
  check("an open transaction is visible at read_uncommitted", "open", (await read(topic, true)).at(-1));
  const reader = await join(unique("stopped"), topic);
  await reached("reading up to the open transaction", 3, () => reader.seen.filter((value) => value.startsWith("c")).length);
  await sleep(300);
  check("an open transaction is not visible at read_committed", false, reader.seen.includes("open"));
  await open.abort();
  await producer.disconnect();
  await reader.leave();
};

const fencing = async () => {
  const topic = await create(unique("fencing"));
  const first = await transactional(unique("fencing"));
  const zombie = await first.transaction();
  await zombie.send({ topic, messages: messages(["zombie"]) });
  const second = await transactional(unique("fencing"));
  const successor = await second.transaction();
  await successor.send({ topic, messages: messages(["successor"]) });
  await successor.commit();
  const error = await outcome(() => zombie.commit());
  check("a fenced producer cannot commit: INVALID_PRODUCER_EPOCH", "INVALID_PRODUCER_EPOCH", error);
  await until("of the two only the successor is visible", ["successor"], () => read(topic));
  await first.disconnect();
  await second.disconnect();
};

const offsetsInTransactions = async () => {
  const topic = await create(unique("input"));
  const output = await create(unique("output"));
  const consumerGroupId = unique("pipeline");
  const plain = kafka.producer();
  await plain.connect();
  await plain.send({ topic, messages: messages(numbered("m", 3)) });
  await plain.disconnect();
  const producer = await transactional(unique("pipeline"));
  for (const end of ["abort", "commit"]) {
    const transaction = await producer.transaction();
    await transaction.send({ topic: output, messages: messages([end]) });
    await transaction.sendOffsets({ consumerGroupId, topics: [{ topic, partitions: [{ partition: 0, offset: "3" }] }] });
    await transaction[end]();
    if (end === "abort") await until("an aborted transaction does not move the group's offset", ["-1"], () => committed(consumerGroupId, topic));
    else await until("a committed transaction moves the group's offset", ["3"], () => committed(consumerGroupId, topic));
  }
  await until("only the committed records are visible", ["commit"], () => read(output));
  await producer.disconnect();
};

const administration = async () => {
  const topic = await create(unique("administration"));
  const producer = kafka.producer();
  await producer.connect();
  const stamped = numbered("", 10).map((value, i) => ({ value, partition: 0, timestamp: String(1_700_000_000_000 + i * 1000) }));
  await producer.send({ topic, messages: stamped });
  await producer.disconnect();
  const at = async (time) => (await admin.fetchTopicOffsetsByTimestamp(topic, time))[0].offset;
  check("offsets are found by a timestamp and by one between two", ["4", "5"], [await at(1_700_000_004_000), await at(1_700_000_004_001)]);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "6" }] });
  const [{ low, high }] = await admin.fetchTopicOffsets(topic);
  check("records are deleted up to an offset", ["6", "10"], [low, high]);
  check("the rest is read", ["6", "7", "8", "9"], await read(topic));
  const retention = async () => {
    const { resources } = await admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ["retention.ms"] }] });
    return resources[0].configEntries[0].configValue;
  };
  check("a topic's configs are described", "604800000", await retention());
  await admin.alterConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: "retention.ms", value: "7200000" }] }] });
  await until("configs are altered", "7200000", retention);
  await admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] });
  await until("partitions are added", 2, async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length);
  const cluster = await admin.describeCluster();
  check("the cluster is described", [1, true], [cluster.brokers.length, Boolean(cluster.clusterId)]);
  await admin.deleteTopics({ topics: [topic] });
  await until("a deleted topic is gone", false, async () => (await admin.listTopics()).includes(topic));
};

console.log(`kafkajs ${version}, Node.js ${process.version}`);
try {
  await admin.connect();
  for (const part of [topics, codecs, groups, transactions, fencing, offsetsInTransactions, administration]) await part();
} catch (error) {
  console.error(`FAILED: ${error.stack ?? error}`);
  process.exit(1);
}
process.exit(0);
