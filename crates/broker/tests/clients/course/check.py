"""The course's own Python snippets on a broker: what they print, and what they leave behind.

The snippets stand here as in the course; where it has "une boucle", there is one. What confluent-kafka does not have is
replaced: `from confluent_kafka import kafka` (kept in imports.py, to show the error), `get_consumer_group_metadata`, and
`timeout=` as the name of an argument of `init_transactions` and `commit_transaction`. Address, topics, groups and
transactional ids are put in when a snippet is run.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP = os.environ["BOOTSTRAP_SERVERS"]
HERE = pathlib.Path(__file__).resolve().parent
# What has not happened by then, in seconds, will not happen.
PATIENCE = 30.0
ADMIN = AdminClient({"bootstrap.servers": BOOTSTRAP})


def fail(behaviour, expected, observed):
    sys.exit(f"FAILED: {behaviour}: expected {expected}, observed {observed}")


def check(behaviour, expected, observed):
    if expected != observed:
        fail(behaviour, expected, observed)
    print(f"ok: {behaviour}", flush=True)


class Snippet:
    """A snippet with names of its own for everything that it shares with others on a broker."""

    def __init__(self, name):
        self.name, run = name, uuid.uuid4().hex[:8]
        self.topic = f"course-{run}"
        self.names = {"localhost:9092": BOOTSTRAP, '"mon_topic"': f'"{self.topic}"', '"input"': f'"{self.topic}"'}
        for shared in ["groupe_eos", "tp-at-most-once", "tp-at-least-once", "g-exactly-once", "txn-producer", "txn-consumer-g-exactly-once", "eos-consume"]:
            self.names[f'"{shared}'] = f'"{shared}-{run}'
        self.text = (HERE / f"{name}.py").read_text(encoding="utf-8")
        groups = ["groupe_eos", "tp-at-most-once", "tp-at-least-once", "g-exactly-once"]
        self.group = next((f"{group}-{run}" for group in groups if f'"{group}"' in self.text), None)
        for future in ADMIN.create_topics([NewTopic(self.topic, 1, 1)]).values():
            future.result(PATIENCE)

    def start(self):
        text = self.text
        for old, new in self.names.items():
            text = text.replace(old, new)
        with tempfile.NamedTemporaryFile("w", suffix=".py", delete=False, encoding="utf-8") as file:
            file.write(text)
        environment = dict(os.environ, PYTHONUNBUFFERED="1", PYTHONIOENCODING="utf-8")
        process = subprocess.Popen([sys.executable, file.name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment)
        process.file = file.name
        return process

    def run(self):
        """Runs it to its end."""
        process = self.start()
        try:
            out, error = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            fail(f"{self.name} ends", f"within {PATIENCE} s", "still running")
        finally:
            os.unlink(process.file)
        return process.returncode, out.splitlines(), error

    def lines(self, count):
        """Runs it until it has printed so many lines and has committed what it read."""
        process = self.start()
        lines = []
        reader = threading.Thread(target=lambda: [lines.append(line.rstrip("\n")) for line in process.stdout], daemon=True)
        reader.start()
        end = time.monotonic() + PATIENCE
        while (len(lines) < count or self.committed() < self.end()) and time.monotonic() < end and process.poll() is None:
            time.sleep(0.05)
        # Should it print too much, it would be now.
        time.sleep(0.2)
        process.kill()
        process.wait()
        reader.join(1)
        os.unlink(process.file)
        if len(lines) < count:
            fail(f"{self.name} prints", f"{count} lines", (lines, process.stderr.read()))
        return lines

    def end(self):
        """One past the last message that is visible at read_committed: the marker of a transaction follows it."""
        return self.last + 1

    def committed(self):
        reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": self.group})
        [partition] = reader.committed([TopicPartition(self.topic, 0)], timeout=PATIENCE)
        reader.close()
        return partition.offset

    def fill(self):
        """Messages 0 to 4, an aborted transaction, messages 5 to 9."""
        producer = Producer({"bootstrap.servers": BOOTSTRAP, "transactional.id": self.topic})
        producer.init_transactions(PATIENCE)
        self.visible = []
        offsets = []
        for values, commit in [(range(0, 5), True), (["aborted"], False), (range(5, 10), True)]:
            producer.begin_transaction()
            for value in values:
                producer.produce(self.topic, f"msg-{value}", on_delivery=lambda _, message: offsets.append(message.offset()))
            producer.flush(PATIENCE)
            if commit:
                producer.commit_transaction(PATIENCE)
                self.visible += [(offset, f"msg-{value}") for offset, value in zip(offsets[-5:], values)]
            else:
                producer.abort_transaction(PATIENCE)
        self.last = offsets[-1]

    def read(self):
        reader = Consumer({"bootstrap.servers": BOOTSTRAP, "group.id": "reader", "enable.partition.eof": True})
        reader.assign([TopicPartition(self.topic, 0, 0)])
        values, end = [], time.monotonic() + PATIENCE
        while time.monotonic() < end:
            message = reader.poll(1.0)
            if message is None:
                continue
            if message.error():
                break
            values.append(message.value().decode())
        reader.close()
        return values


def main():
    status, _, error = Snippet("imports").run()
    check("imports: there is no confluent_kafka.kafka", (1, True), (status, "ImportError" in error))

    snippet = Snippet("producer_at_most_once")
    check("producer at most once: prints no error", (0, []), snippet.run()[:2])
    check("producer at most once: nothing is lost while nothing fails", [f"msg-{i}" for i in range(10)], snippet.read())

    snippet = Snippet("producer_at_least_once")
    check("producer at least once: each message is reported with its offset", (0, [f"None {snippet.topic} {i}" for i in range(10)]), snippet.run()[:2])
    check("producer at least once: all messages are there", [f"msg-{i}" for i in range(10)], snippet.read())

    snippet = Snippet("producer_exactly_once")
    check("producer exactly once: prints nothing", (0, []), snippet.run()[:2])
    end = time.monotonic() + PATIENCE
    while len(values := snippet.read()) < 10 and time.monotonic() < end:
        time.sleep(0.05)
    check("producer exactly once: the transaction is visible", [f"eos-msg-{i}" for i in range(10)], values)

    for name, line in [
        ("consumer_at_most_once", lambda topic, offset, value: f"[{topic} p0@{offset}] {value}"),
        ("consumer_at_least_once", lambda topic, offset, value: f"process: {value.encode()}"),
        ("consumer_exactly_once", lambda topic, offset, value: f"process: {topic}[0]@{offset} -> {value.encode()}"),
        ("eos_consumer", lambda topic, offset, value: f"Traitement: clé=None valeur={value.encode()} offset={offset}"),
    ]:
        snippet = Snippet(name)
        snippet.fill()
        expected = [line(snippet.topic, offset, value) for offset, value in snippet.visible]
        check(f"{name}: prints each committed message once, in order", expected, snippet.lines(10))
        check(f"{name}: has committed the offset after the last message", snippet.last + 1, snippet.committed())


if __name__ == "__main__":
    main()
