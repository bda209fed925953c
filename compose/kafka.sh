#!/usr/bin/env bash
# Apache Kafka without Docker; `kafka.sh --help` says how. The bash of macOS (3.2) runs it too: no `wait -n`, no
# associative array, no option that only GNU's tools have.
set -u
unset CDPATH

# Each node runs in a directory of its own.
absolute() { case $1 in /*) echo "$1" ;; *) echo "$PWD/$1" ;; esac; }

here=$(cd "$(dirname "$0")" && pwd) || exit 1
version=$(sed -n 's|.*<kafka.version>\(.*\)</kafka.version>.*|\1|p' "$here/pom.xml")
lib=$(absolute "${KAFKA_LIB_DIR:-$here/.lib}")
temp=$(absolute "${TMPDIR:-/tmp}")
jars=$lib/$version
download=$jars.part.$$ # beside its destination, so that it gets there by a rename
start_limit=120        # seconds
stop_limit=10          # seconds; the last of three nodes gives its raft quorum 5
order_limit=30         # seconds; a stop is the slowest

port=9092
nodes=1
host=127.0.0.1
users_file=
data=
stop_on_eof=
download_only=
command=
node=
asked=
scratch=
guardian=
waited_for=

usage() {
  cat <<END
Start Apache Kafka $version, without Docker: Java 17 or later, and Maven for the first time.
It stays in the foreground; Ctrl-C stops it.

Usage: compose/kafka.sh [OPTIONS]
       compose/kafka.sh [--port N] COMMAND

Options:
  --port N         Port of the first node for clients; the other nodes take N+1 and N+2, and the controllers the
                   ports after the last node's: N+1 with one node, N+3 to N+5 with three [default: 9092]
  --nodes 1|3      One node, or three with replication factor 3 and min.insync.replicas 2 [default: 1]
  --host ADDRESS   The address of this machine at which clients reach the nodes [default: 127.0.0.1, this machine only]
  --users FILE     Let in who logs in as one of FILE (SASL_PLAINTEXT with PLAIN): NAME PASSWORD on each line. The first
                   may do everything, the others what ACLs allow them [default: everybody may do everything]
  --data DIR       Keep topics and groups in DIR, and go on with them at the next start
                   [default: a temporary directory, removed at the end]
  --stop-on-eof    Stop when standard input ends, for a program that starts Kafka and may itself be killed
  --download       Download Kafka and do nothing else (55 MB, once)
  -h, --help       Print this

Commands, to the Kafka that kafka.sh runs on this port (NODE is 1, 2 or 3):
  status           Say which nodes run
  kill NODE        Kill a node with kill -9: it says goodbye to nobody
  stop NODE        Stop a node in order: it hands its partitions over first
  freeze NODE      Let a node stand still (SIGSTOP): its connections stay, and nothing answers
  thaw NODE        Let it go on
  start NODE       Start a node again, with what it had on disk

Without --host, everything listens on 127.0.0.1 only; with it, the controllers still do. A node takes about 400 MB of
memory.

Environment:
  JAVA_HOME        The Java to use [default: the java in PATH]
  KAFKA_LIB_DIR    Where Kafka's jars are kept [default: compose/.lib]

Examples:
  compose/kafka.sh                          One node on 127.0.0.1:9092
  compose/kafka.sh --nodes 3                Three nodes on 9092, 9093 and 9094 (controllers: 9095 to 9097)
  compose/kafka.sh --port 19092             One node on 19092 (controller: 19093)
  compose/kafka.sh --data ~/kafka-data      One node that remembers
  compose/kafka.sh --host 192.168.1.10 --users users.txt
                                            One node for a class; docs/session.md goes on from here
  compose/kafka.sh kill 2                   In another terminal: the second node is gone ...
  compose/kafka.sh start 2                  ... and comes back
END
}

say() { printf '%s\n' "$*" >&2; }
die() { say "kafka.sh: $*"; exit 1; }
misused() { say "kafka.sh: $* (kafka.sh --help lists the options)"; exit 2; }

read_options() {
  local option value
  while [ $# -gt 0 ]; do
    option=$1
    shift
    case $option in
      -h | --help) usage; exit 0 ;;
      --stop-on-eof) stop_on_eof=yes; continue ;;
      --download) download_only=yes; continue ;;
      --port=* | --nodes=* | --host=* | --users=* | --data=*)
        value=${option#*=}
        option=${option%%=*}
        ;;
      --port | --nodes | --host | --users | --data)
        [ $# -gt 0 ] || misused "$option needs a value"
        value=$1
        shift
        ;;
      status) command=$option; continue ;;
      kill | stop | freeze | thaw | start)
        command=$option
        case ${1:-} in [1-3]) node=$1 ;; *) misused "$option needs the number of a node: 1, 2 or 3" ;; esac
        shift
        continue
        ;;
      *) misused "unknown option $option" ;;
    esac
    case $option in
      --port)
        case $value in '' | *[!0-9]* | ??????*) misused "--port $value: not a port number" ;; esac
        port=$((10#$value))
        ;;
      --nodes)
        case $value in 1 | 3) nodes=$value ;; *) misused "--nodes $value: only 1 and 3 are possible" ;; esac
        ;;
      --host)
        case $value in '' | *[!A-Za-z0-9.-]*) misused "--host $value: not a host name or an IPv4 address" ;; esac
        host=$value
        ;;
      --users)
        [ -n "$value" ] || misused "--users needs the name of a file"
        users_file=$value
        ;;
      --data)
        [ -n "$value" ] || misused "--data needs the name of a directory"
        data=$(absolute "$value")
        ;;
    esac
  done
  if [ "$port" -lt 1 ] || [ $((port + 2 * nodes - 1)) -gt 65535 ]; then
    misused "--port $port: not between 1 and $((65536 - 2 * nodes))"
  fi
}

# Sets who the administrator is, and what the login module of each listener wants to hear.
read_users() {
  local name password rest number=0 all='' login=org.apache.kafka.common.security.plain.PlainLoginModule
  admin=
  [ -n "$users_file" ] || return 0
  { [ -f "$users_file" ] && [ -r "$users_file" ]; } || die "cannot read $users_file"
  # With a carriage return too: some editors end lines so.
  while IFS=$' \t\r' read -r name password rest || [ -n "$name" ]; do
    number=$((number + 1))
    case $name in '' | '#'*) continue ;; esac
    { [ -n "$password" ] && [ -z "$rest" ]; } || die "$users_file, line $number: write NAME PASSWORD"
    # Nothing that a property or the login module would read as more than itself.
    case $name in
      *[!A-Za-z0-9._-]*) die "$users_file, line $number: a name is of letters, digits, '.', '_' and '-'" ;;
    esac
    case $password in
      *[!A-Za-z0-9._+/@:%=-]*)
        die "$users_file, line $number: a password is of letters, digits, and any of . _ - + / @ : % ="
        ;;
    esac
    case $all in *" user_$name="*) die "$users_file, line $number: $name is there twice" ;; esac
    all="$all user_$name=\"$password\""
    if [ -z "$admin" ]; then
      admin=$name
      # The nodes log in to each other as the administrator, and nobody else logs in to a controller.
      login="$login required username=\"$name\" password=\"$password\""
      controller_login="$login$all;"
    fi
  done <"$users_file"
  [ -n "$admin" ] || die "$users_file names nobody"
  host_login="$login$all;"
}

find_java() {
  local found major
  if [ -n "${JAVA_HOME:-}" ]; then
    java=$JAVA_HOME/bin/java
    [ -x "$java" ] || die "Java 17 or later is needed, and JAVA_HOME has no $java"
  else
    java=$(command -v java) || die "Java 17 or later is needed, and there is no java in PATH"
  fi
  java=$(absolute "$java")
  # macOS has a /usr/bin/java that only says that there is no Java.
  found=$("$java" -version 2>&1) || die "Java 17 or later is needed, and $java does not run: ${found%%$'\n'*}"
  found=$(printf '%s\n' "$found" | sed -n 's/.*version "\([^"]*\)".*/\1/p' | head -n 1)
  major=${found#1.} # Java 8 calls itself 1.8.0
  major=${major%%[!0-9]*}
  [ "${major:-0}" -ge 17 ] || die "Java 17 or later is needed, and $java is version ${found:-unknown}"
}

# The guardian is a process that does nothing until this script has ended, in whatever way, kill -9 included; then it
# stops what the script started and removes what it made. So there is one way to clear up, and it cannot be interrupted.
start_guardian() {
  # Named before it is made, unlike mktemp's: so a signal in between finds its name.
  scratch=$temp/kafka.$$.$RANDOM
  mkdir -m 700 "$scratch" 2>/dev/null || { scratch=; die "cannot write to $temp"; }
  { mkdir "$scratch/pids" "$scratch/orders" "$scratch/answers" && mkfifo "$scratch/alive"; } || die "cannot write to $scratch"
  exec 9<>"$scratch/alive" # open as long as this script lives; whoever it starts closes it
  guard </dev/null &
  guardian=$!
}

guard() {
  trap '' INT TERM HUP
  exec 8<"$scratch/alive" 9>&-
  read -r _ <&8
  # A process enters its id before it becomes what it is to be (see start): once the register has gone, none can.
  mv "$scratch/pids" "$scratch/stopping"
  local pids
  pids=$(cat "$scratch/stopping"/* 2>/dev/null)
  signal_all TERM "$pids"
  signal_all CONT "$pids" # a stopped process would not hear the TERM
  if ! all_ended "$pids" "$stop_limit"; then
    say "Kafka did not stop within $stop_limit s: killing it."
    signal_all KILL "$pids"
    all_ended "$pids" "$stop_limit"
  fi
  [ "$(cat "$data/in-use" 2>/dev/null)" != $$ ] || rm -f "$data/in-use"
  rm -rf "$scratch" "$download"
}

signal_all() {
  local pid
  for pid in $2; do kill "-$1" "$pid" 2>/dev/null; done
}

all_ended() {
  local pid end=$((SECONDS + $2))
  for pid in $1; do
    while kill -0 "$pid" 2>/dev/null; do
      [ "$SECONDS" -lt "$end" ] || return 1
      sleep 0.1
    done
  done
}

finish() {
  local status=$?
  trap '' INT TERM HUP USR1 USR2
  [ -z "$waited_for" ] || kill "$waited_for" 2>/dev/null
  if [ -n "$guardian" ]; then
    exec 9>&-
    wait "$guardian"
    # Whoever came too late for the register, and would end by himself.
    signal_all TERM "$(jobs -p)"
    wait
  elif [ -n "$scratch" ]; then
    rm -rf "$scratch"
  fi
  exit "$status"
}

stop() {
  say "Stopping Kafka: $2."
  exit "$1"
}

# Runs a short command in the background, and waits. A signal interrupts `wait`, but not a command in front; bash 3.2
# may even lose one that comes then.
wait_for() {
  local status
  "$@" 9>&- &
  waited_for=$!
  wait "$waited_for" 2>/dev/null
  status=$?
  waited_for=
  return "$status"
}

# start NAME DIR LOG COMMAND...: runs COMMAND in DIR in the background, with its process id in $scratch/pids/NAME.
start() {
  local name=$1 dir=$2 log=$3
  shift 3
  (
    # Ctrl-C and a closed terminal reach every process of the terminal. Java leaves alone what is ignored at its
    # start: so this script, which hears them too, can stop the nodes in order.
    trap '' INT HUP
    exec 9>&-
    cd "$dir" || exit
    # shellcheck disable=SC2016 # the inner shell expands them
    exec sh -c 'dir=$0 name=$1 && shift && echo $$ >"$dir/.$name" && mv "$dir/.$name" "$dir/$name" && exec "$@"' \
      "$scratch/pids" "$name" "$@"
  ) </dev/null >>"$log" 2>&1 &
  started=$!
}

# The same, until it has ended.
run_to_end() {
  local status
  start "$@"
  wait "$started" 2>/dev/null
  status=$?
  rm -f "$scratch/pids/$1"
  return "$status"
}

watch_stdin() {
  exec 3<&0
  (
    exec 9>&-
    while IFS= read -r _; do :; done
    [ ! -e "$scratch/alive" ] || kill -USR1 $$
  ) <&3 3<&- &
  echo $! >"$scratch/pids/stdin"
  exec 3<&-
}

fetch_jars() {
  local log=$scratch/download.log
  [ ! -d "$jars" ] || return 0
  command -v mvn >/dev/null || die "mvn (Maven) is needed to download Kafka for the first time, and it is not in PATH"
  mkdir -p "$download" 2>/dev/null || die "cannot write to $lib"
  say "Downloading Apache Kafka $version to $jars (55 MB, once) ..."
  run_to_end download "$here" "$log" mvn -B -q -f "$here/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime "-DoutputDirectory=$download" ||
    die "the download failed: $(grep -m 1 ERROR "$log" || tail -n 1 "$log")"
  # Where another kafka.sh was faster, mv puts this directory into the other's: no harm, and gone at the next line.
  [ -d "$jars" ] || mv "$download" "$jars" || die "cannot write to $jars"
  rm -rf "${jars:?}/${download##*/}"
}

claim_data() {
  local owner held
  [ -n "$data" ] || data=$scratch/data
  { mkdir -p "$data" && [ -w "$data" ]; } 2>/dev/null || die "cannot write to $data"
  # Kafka itself would notice a second Kafka in its directory too late: both would have written to the metadata log.
  while ! (set -C && echo $$ >"$data/in-use") 2>/dev/null; do
    owner=
    read -r owner 2>/dev/null <"$data/in-use"
    if [ -z "$owner" ] || kill -0 "$owner" 2>/dev/null; then
      die "$data is in use by process ${owner:-unknown} (if that is no kafka.sh, remove $data/in-use)"
    fi
    rm -f "$data/in-use"
  done
  [ -e "$data/nodes" ] || echo "$nodes" >"$data/nodes" || die "cannot write to $data"
  read -r held <"$data/nodes"
  [ "$held" = "$nodes" ] || die "$data holds a Kafka of $held node(s): start it with --nodes $held"
  [ -s "$data/cluster-id" ] ||
    head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=' >"$data/cluster-id" || die "cannot write to $data"
  read -r cluster_id <"$data/cluster-id"
}

listening() { (exec 5<>"/dev/tcp/$1/$2") 2>/dev/null; }

check_ports() {
  local used
  for ((used = port; used < port + 2 * nodes; used++)); do
    ! listening 127.0.0.1 "$used" || die "port $used is in use; choose others with --port (see --help)"
  done
  for ((used = port; used < port + nodes; used++)); do
    ! listening "$host" "$used" || die "port $used is in use; choose others with --port (see --help)"
  done
}

# The same as in single.yaml and cluster.yaml, where the reasons stand; a test compares them.
settings() {
  local client=$host:$((port + $1 - 1)) protocol=PLAINTEXT controller=127.0.0.1:$((port + nodes + $1 - 1)) voters node
  [ -z "$admin" ] || protocol=SASL_PLAINTEXT
  voters=1@127.0.0.1:$((port + nodes))
  for ((node = 2; node <= nodes; node++)); do voters=$voters,$node@127.0.0.1:$((port + nodes + node - 1)); done
  cat <<END
process.roles=broker,controller
node.id=$1
listeners=HOST://$client,CONTROLLER://$controller
advertised.listeners=HOST://$client
listener.security.protocol.map=HOST:$protocol,CONTROLLER:$protocol
inter.broker.listener.name=HOST
controller.listener.names=CONTROLLER
controller.quorum.voters=$voters
log.dirs=data
default.replication.factor=$nodes
min.insync.replicas=$min_isr
offsets.topic.replication.factor=$nodes
offsets.topic.num.partitions=$nodes
transaction.state.log.replication.factor=$nodes
transaction.state.log.min.isr=$min_isr
transaction.state.log.num.partitions=$nodes
share.coordinator.state.topic.replication.factor=$nodes
share.coordinator.state.topic.min.isr=$min_isr
group.initial.rebalance.delay.ms=0
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
END
  [ -z "$admin" ] || cat <<END
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.host.plain.sasl.jaas.config=$host_login
listener.name.controller.plain.sasl.jaas.config=$controller_login
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:$admin
END
  if [ "$nodes" -gt 1 ]; then
    echo broker.session.timeout.ms=3000
    echo broker.heartbeat.interval.ms=500
  fi
}

# They hold passwords.
write_settings() (
  umask 077
  rm -f "$2" && settings "$1" >"$2"
)

java_in() { # NAME NODE'S-DIR LOG CLASS ARGUMENT...
  local name=$1 dir=$2 log=$3
  shift 3
  # The fast compiler only, and no threads for the collector: half the processor time until a node is ready.
  start "$name" "$dir" "$log" "$java" -Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC \
    "-Dlog4j2.configurationFile=$here/log4j2.properties" -cp "$jars/*" "$@"
}

format_storage() {
  local node dir formats=()
  for ((node = 1; node <= nodes; node++)); do
    dir=$data/node-$node
    # An older log would explain this start's failures by those of another.
    { mkdir -p "$dir" && : >"$dir/kafka.log" && write_settings "$node" "$dir/server.properties"; } ||
      die "cannot write to $dir"
    if [ ! -e "$dir/formatted" ]; then
      rm -rf "$dir/data" # left by a start that was interrupted here
      java_in "format-$node" "$dir" "$dir/kafka.log" kafka.tools.StorageTool format \
        "--cluster-id=$cluster_id" --config server.properties
      formats[node]=$started
    fi
  done
  for ((node = 1; node <= nodes; node++)); do
    if [ -n "${formats[node]:-}" ]; then
      dir=$data/node-$node
      wait "${formats[node]}" 2>/dev/null || die_with_log "$node" "the storage of node $node cannot be formatted"
      : >"$dir/formatted"
      rm -f "$scratch/pids/format-$node"
    fi
  done
}

start_node() {
  local dir=$data/node-$1
  java_in "node-$1" "$dir" "$dir/kafka.log" kafka.Kafka server.properties
  pids[$1]=$started
  states[$1]="process $started"
}

start_nodes() {
  local node
  for ((node = 1; node <= nodes; node++)); do
    start_node "$node"
    echo "Node $node is process $started; its log is $data/node-$node/kafka.log"
  done
}

# Whether node $1 is ready. Who has not logged in is told nothing: then its log has to do, where it says so when the
# cluster has taken it in.
is_ready() {
  if [ -n "$admin" ]; then
    grep -q ' Kafka Server started' "$data/node-$1/kafka.log"
  else
    knows_all $((port + $1 - 1))
  fi
}

# Asks the node on port $1 for Metadata (version 0, no topic known) and looks whether it names all the brokers: a node
# that listens may not have joined the cluster yet, nor know the others.
knows_all() (
  exec 2>/dev/null
  exec 5<>"/dev/tcp/$host/$1" || exit
  # length, API key 3, version 0, correlation id, no client id, no topic by name (which means all)
  printf '\0\0\0\016\0\003\0\0\0\0\0\0\377\377\0\0\0\0' >&5
  # The first byte of the answer's length is 0, where read stops: the one way to wait for it with a limit.
  IFS= read -r -d '' -t 2 -u 5 _ || exit
  # the rest of the length, the correlation id, the number of brokers
  known=$(dd bs=1 count=11 <&5 | od -An -v -tu1 | awk '{ print $11 }')
  [ "$known" = "$nodes" ]
)

wait_until_ready() {
  local node end=$((SECONDS + start_limit))
  for ((node = 1; node <= nodes; node++)); do
    until wait_for is_ready "$node"; do
      fail_if_one_ended
      [ "$SECONDS" -lt "$end" ] || die_with_log "$node" "node $node was not ready within $start_limit s"
      wait_for sleep 0.1
    done
  done
  fail_if_one_ended
}

ended() { [ -z "${pids[$1]}" ] || ! kill -0 "${pids[$1]}" 2>/dev/null; }

fail_if_one_ended() {
  local node
  for ((node = 1; node <= nodes; node++)); do
    ! ended "$node" || die_with_log "$node" "node $node ended while it was starting"
  done
}

die_with_log() {
  local log=$data/node-$1/kafka.log taken
  # Another program took the port after check_ports.
  taken=$(sed -n 's/.*failed to bind to .*:\([0-9]*\): Address already in use.*/\1/p' "$log" | tail -n 1)
  [ -z "$taken" ] || die "port $taken is in use; choose others with --port (see --help)"
  tail -n 20 "$log" >&2
  die "$2; above are the last lines of its log"
}

announce() {
  local node addresses=$host:$port
  for ((node = 2; node <= nodes; node++)); do addresses=$addresses,$host:$((port + node - 1)); done
  echo "$port" >"$scratch/port" || die "cannot write to $scratch" # from now on, orders are taken
  echo "Kafka $version is ready on $addresses"
  if [ -z "$admin" ]; then
    echo "In another terminal: cargo run -p lab -- --bootstrap-servers $addresses"
  else
    echo "Clients log in: -X security.protocol=SASL_PLAINTEXT -X sasl.mechanism=PLAIN -X sasl.username=NAME" \
      "-X sasl.password=PASSWORD"
    echo "$admin may do everything, the others what ACLs allow them (docs/session.md)."
  fi
  [ "$nodes" = 1 ] ||
    echo "Where the lab is to kill nodes, add: --node-control 'compose/kafka.sh --port $port'"
  echo "Ctrl-C stops it."
}

watch_nodes() {
  local node process
  while :; do
    [ -n "$asked" ] || wait_for sleep 1
    asked=
    take_orders
    for ((node = 1; node <= nodes; node++)); do
      if [ -n "${pids[node]}" ] && ended "$node"; then
        process=${pids[node]}
        bury "$node" "ended by itself"
        say "Node $node, process $process, has ended unexpectedly ($(how_it_ended "$status"))."
        count_running
        [ "$running" -gt 0 ] || die "no node is left"
        say "The other node(s) go on: $running of $nodes."
      fi
    done
  done
}

# To be called when a node has ended; leaves its exit status in $status.
bury() { # NODE STATE
  wait "${pids[$1]}" 2>/dev/null
  status=$?
  rm -f "$scratch/pids/node-$1"
  pids[$1]=
  states[$1]=$2
}

count_running() {
  local node
  running=0
  for ((node = 1; node <= nodes; node++)); do [ -z "${pids[node]}" ] || running=$((running + 1)); done
}

how_it_ended() {
  if [ "$1" -gt 128 ]; then echo "signal $(kill -l $(($1 - 128)))"; else echo "exit status $1"; fi
}

# An order is a file in $scratch/orders that holds a line, COMMAND NODE; its answer, a file of the same name in
# $scratch/answers: an exit status, and what there is to say. This script alone starts nodes and ends them, so that it
# knows why one has ended, and so that a node's life does not depend on who asked for it.
take_orders() {
  local file order about
  for file in "$scratch/orders"/*; do
    [ -e "$file" ] || continue # there is none, and this is the pattern
    read -r order about <"$file"
    rm -f "$file"
    answer=
    obey "$order" "$about"
    status=$?
    printf '%s\n' "$status" "$answer" >"$scratch/answers/.${file##*/}"
    mv "$scratch/answers/.${file##*/}" "$scratch/answers/${file##*/}"
  done
}

obey() { # COMMAND NODE
  local node=$2
  if [ "$1" = status ]; then
    for ((node = 1; node <= nodes; node++)); do answer=$answer${answer:+$'\n'}"Node $node: ${states[node]}"; done
    return 0
  fi
  [ "$node" -le "$nodes" ] || { answer="there is no node $node here, only $nodes"; return 2; }
  case $1,${pids[node]} in
    start,?*) answer="Node $node runs already" ;;
    start,) start_node "$node" ;;
    *,) answer="node $node does not run (${states[node]}): start it first"; return 1 ;;
    kill,*) end_node "$node" KILL killed || return ;;
    stop,*) end_node "$node" TERM stopped || return ;;
    freeze,*) kill -STOP "${pids[node]}" 2>/dev/null && states[node]="process ${pids[node]}, frozen" ;;
    thaw,*) kill -CONT "${pids[node]}" 2>/dev/null && states[node]="process ${pids[node]}" ;;
  esac
  answer=${answer:-Node $node: ${states[node]}}
}

end_node() { # NODE SIGNAL STATE
  local end=$((SECONDS + stop_limit))
  kill "-$2" "${pids[$1]}" 2>/dev/null
  kill -CONT "${pids[$1]}" 2>/dev/null # a frozen process would not hear the TERM
  until ended "$1"; do
    [ "$SECONDS" -lt "$end" ] || { answer="node $1 did not end within $stop_limit s"; return 1; }
    wait_for sleep 0.1
  done
  bury "$1" "$3"
}

# Gives $command to the kafka.sh that runs on $port, and says what that answers.
order() {
  local dir on owner='' name=$$.$RANDOM end=$((SECONDS + order_limit)) status
  for dir in "$temp"/kafka.*.*; do
    # Somebody else's directory may hold anything.
    on=
    [ ! -O "$dir" ] || read -r on 2>/dev/null <"$dir/port"
    [ "$on" = "$port" ] || continue
    owner=${dir##*/kafka.}
    owner=${owner%%.*}
    kill -0 "$owner" 2>/dev/null && break
    owner=
  done
  [ -n "$owner" ] || die "no Kafka that kafka.sh has started is ready on port $port, as far as $temp shows (other ports: --port N)"
  # Renamed when it is whole.
  { echo "$command $node" >"$dir/orders/.$name" && mv "$dir/orders/.$name" "$dir/orders/$name"; } 2>/dev/null
  kill -USR2 "$owner" 2>/dev/null
  until [ -e "$dir/answers/$name" ]; do
    kill -0 "$owner" 2>/dev/null || die "the kafka.sh on port $port has ended"
    [ "$SECONDS" -lt "$end" ] || die "the kafka.sh on port $port did not answer within $order_limit s"
    sleep 0.05
  done
  {
    read -r status
    IFS= read -r -d '' answer
  } <"$dir/answers/$name"
  rm -f "$dir/answers/$name"
  answer=${answer%$'\n'}
  [ "$status" = 0 ] || { say "kafka.sh: $answer"; exit "$status"; }
  printf '%s\n' "$answer"
}

main() {
  read_options "$@"
  [ -z "$command" ] || { order; exit; }
  read_users
  [ -n "$version" ] || die "there is no kafka.version in $here/pom.xml"
  find_java
  min_isr=$((nodes / 2 + 1))
  pids=() states=()
  cluster_id=
  started=

  trap finish EXIT
  trap 'stop 130 "interrupted"' INT
  trap 'stop 143 "asked to"' TERM
  trap 'stop 129 "the terminal was closed"' HUP
  trap 'stop 0 "standard input ended"' USR1
  trap 'asked=yes' USR2
  # From here on, no $(...) on the way to a running Kafka: bash 5.2 may take a trap for a part of it, and lose the
  # signal ("trap: unexpected EOF while looking for matching `)'").
  start_guardian
  [ -z "$stop_on_eof" ] || watch_stdin

  fetch_jars
  [ -z "$download_only" ] || exit 0
  claim_data
  check_ports
  format_storage
  say "Starting Kafka $version, $nodes node(s) ..."
  start_nodes
  wait_until_ready
  announce
  watch_nodes
}

# As a function, it has been read to its end before it begins.
main "$@"
