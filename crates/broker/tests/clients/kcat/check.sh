#!/usr/bin/env bash
# What kcat does on a broker: one line for each behaviour, or the first failure.
set -uo pipefail

broker=${BOOTSTRAP_SERVERS:?}
run=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
# What has not happened by then, in seconds, will not happen.
patience=30
kcat=$(command -v kcat || command -v kafkacat) || { echo "kcat is not installed" >&2; exit 1; }
scratch=$(mktemp -d)
members=()
finish() {
  local pid
  for pid in "${members[@]+"${members[@]}"}"; do kill "$pid" 2>/dev/null; done
  rm -rf "$scratch"
}
trap finish EXIT

ok() { echo "ok: $*"; }

fail() { # BEHAVIOUR EXPECTED OBSERVED
  printf 'FAILED: %s: expected %s, observed %s\n' "$1" "${2//$'\n'/ }" "${3//$'\n'/ }" >&2
  exit 1
}

check() { # BEHAVIOUR EXPECTED OBSERVED
  [ "$2" = "$3" ] || fail "$@"
  ok "$1"
}

kc() { timeout "$patience" "$kcat" -b "$broker" "$@"; }

produce() { # TOPIC OPTION...: values from standard input
  local topic=$1
  shift
  kc -P -t "$topic" -X acks=all "$@" || fail "produce to $topic" "exit status 0" "$?"
}

consume() { # TOPIC OPTION...
  local topic=$1
  shift
  kc -q -C -t "$topic" -o beginning -X fetch.wait.max.ms=50 -e "$@"
}

# A topic with a message is there: kcat has no other way to create one.
topic=kcat-$run
seq 1 100 | produce "$topic" -p 0
check "a topic is created by producing to it" 1 "$(kc -L -t "$topic" -J | grep -o '"partition":[0-9]*' | wc -l | tr -d ' ')"
check "100 messages are read as sent" "$(seq 1 100)" "$(consume "$topic")"
check "offset and partition are shown" "0 99 100" "$(consume "$topic" -f '%p %o %s\n' | tail -n 1)"
check "the last two messages" "$(seq 99 100)" "$(kc -q -C -t "$topic" -p 0 -o -2 -e)"

for codec in gzip snappy lz4 zstd; do
  seq 1 100 | produce "$topic-$codec" -z "$codec" -X enable.idempotence=true
  check "100 idempotent messages with compression $codec are read as sent" "$(seq 1 100)" "$(consume "$topic-$codec")"
done

printf 'key:value\n' | produce "$topic-headers" -K : -H name=header
check "key, value and headers are read as sent" "key value name=header" "$(consume "$topic-headers" -f '%k %s %h\n')"

check "an offset by a timestamp is the first for an old one" "$topic [0] offset 0" "$(kc -Q -t "$topic:0:1")"
check "an offset by a timestamp is none for a later one" "$topic [0] offset -1" "$(kc -Q -t "$topic:0:99999999999999")"

seq 1 5 | produce "$topic-transaction" -X transactional.id="$topic"
check "a committed transaction is read" "$(seq 1 5)" "$(consume "$topic-transaction" -X isolation.level=read_committed)"

# A member of a group ends by itself at the end of its partitions, and commits then.
group() {
  kc -q -G "$topic" -X auto.offset.reset=earliest -X heartbeat.interval.ms=200 -X enable.partition.eof=true -e "$topic" 2>"$scratch/stderr"
}
check "a member of a group reads all" "$(seq 1 100)" "$(group)"
seq 101 103 | produce "$topic" -p 0
check "a restart goes on where the group was" "$(seq 101 103)" "$(group)"

# Two members, which share a topic: started one after the other, until each has written something.
shared=$topic-shared
seq 1 10 | produce "$shared" -p 0
for member in one two; do
  timeout "$patience" "$kcat" -b "$broker" -q -u -G "$shared" -X auto.offset.reset=earliest -X heartbeat.interval.ms=200 \
    -X fetch.wait.max.ms=50 "$shared" >"$scratch/$member" 2>>"$scratch/stderr" &
  members+=("$!")
done
lines() { cat "$scratch/one" "$scratch/two" | sort -n | uniq; }
end=$((SECONDS + patience))
until [ "$(lines | wc -l)" -ge 10 ] || [ "$SECONDS" -ge "$end" ]; do sleep 0.1; done
check "two members of a group read all" "$(seq 1 10)" "$(lines)"
