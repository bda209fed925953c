// What franz-go does on a broker: one line for each behaviour, or the first failure.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// What has not happened by then will not happen.
const patience = 30 * time.Second

var (
	bootstrap = os.Getenv("BOOTSTRAP_SERVERS")
	run       = func() string { b := make([]byte, 4); rand.Read(b); return hex.EncodeToString(b) }()
	plain     *kgo.Client
	admin     *kadm.Client
)

func unique(name string) string { return name + "-" + run }

func within() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	context.AfterFunc(ctx, cancel)
	return ctx
}

func ok(behaviour string) { fmt.Println("ok:", behaviour) }

func fail(behaviour string, expected, observed any) {
	fmt.Fprintf(os.Stderr, "FAILED: %s: expected %v, observed %v\n", behaviour, expected, observed)
	os.Exit(1)
}

func check(behaviour string, expected, observed any) {
	if !reflect.DeepEqual(expected, observed) {
		fail(behaviour, expected, observed)
	}
	ok(behaviour)
}

// until observes until it is as expected: Kafka answers some requests before they have had all their effects.
func until(behaviour string, expected any, observe func() any) {
	end := time.Now().Add(patience)
	for {
		observed := observe()
		if reflect.DeepEqual(expected, observed) {
			ok(behaviour)
			return
		}
		if time.Now().After(end) {
			fail(behaviour, expected, observed)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func must(what string, err error) {
	if err != nil {
		fail(what, "success", err)
	}
}

func get[T any](value T, err error) T {
	must("a request", err)
	return value
}

// name of a Kafka error, or of what else went wrong.
func name(err error) string {
	var kafka *kerr.Error
	if errors.As(err, &kafka) {
		return kafka.Message
	}
	return fmt.Sprint(err)
}

func client(options ...kgo.Opt) *kgo.Client {
	base := []kgo.Opt{
		kgo.SeedBrokers(bootstrap), kgo.FetchMaxWait(50 * time.Millisecond), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMinAge(50 * time.Millisecond),
	}
	return get(kgo.NewClient(append(base, options...)...))
}

func create(topic string, partitions int32) string {
	must("creating "+topic, get(admin.CreateTopics(within(), partitions, 1, nil, topic))[topic].Err)
	return topic
}

func numbered(prefix string, count int) []string {
	values := []string{}
	for i := range count {
		values = append(values, fmt.Sprint(prefix, i))
	}
	return values
}

func send(to *kgo.Client, topic string, partitions int, values ...string) error {
	records := []*kgo.Record{}
	for i, value := range values {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: []byte(value)})
	}
	return to.ProduceSync(within(), records...).FirstErr()
}

// read gives all values of a topic of one partition, to its end at this isolation level.
func read(topic string, isolation kgo.IsolationLevel) []string {
	var ends kadm.ListedOffsets
	if isolation == kgo.ReadCommitted() {
		ends = get(admin.ListCommittedOffsets(within(), topic))
	} else {
		ends = get(admin.ListEndOffsets(within(), topic))
	}
	starts := get(admin.ListStartOffsets(within(), topic))
	end, _ := ends.Lookup(topic, 0)
	start, _ := starts.Lookup(topic, 0)
	values := []string{}
	// Control records, which are kept here, show where the end is.
	reader := client(kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(isolation), kgo.KeepControlRecords())
	defer reader.Close()
	ctx := within()
	for next := start.Offset; next < end.Offset; {
		fetches := reader.PollFetches(ctx)
		if ctx.Err() != nil {
			// An aborted transaction without its marker: nothing is shown up to the end.
			if len(values) == 0 && fetches.NumRecords() == 0 {
				return values
			}
			fail("reading "+topic+" to its end", end.Offset, next)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			next = record.Offset + 1
			if !record.Attrs.IsControl() {
				values = append(values, string(record.Value))
			}
		})
	}
	return values
}

func committedValues(topic string) []string   { return read(topic, kgo.ReadCommitted()) }
func uncommittedValues(topic string) []string { return read(topic, kgo.ReadUncommitted()) }

// pollAll polls the members in turn until it is done; gives what they have got.
func pollAll(behaviour string, members []*kgo.Client, done func([]string) bool) []string {
	values, end := []string{}, time.Now().Add(patience)
	for !done(values) {
		if time.Now().After(end) {
			fail(behaviour, "done in time", values)
		}
		for _, member := range members {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			member.PollFetches(ctx).EachRecord(func(record *kgo.Record) { values = append(values, string(record.Value)) })
			cancel()
			member.AllowRebalance()
		}
	}
	slices.Sort(values)
	return values
}

func atLeast(count int) func([]string) bool {
	return func(values []string) bool { return len(values) >= count }
}

func committed(group, topic string, partitions int) []int64 {
	offsets := []int64{}
	fetched := get(admin.FetchOffsets(within(), group))
	for partition := range partitions {
		offset, there := fetched.Lookup(topic, int32(partition))
		if !there {
			offset.At = -1
		}
		offsets = append(offsets, offset.At)
	}
	return offsets
}

func topics() {
	topic := create(unique("topics"), 3)
	until("a topic is created with its partitions", 3, func() any { return len(get(admin.ListTopics(within(), topic))[topic].Partitions) })
	check("a topic is not created twice", "TOPIC_ALREADY_EXISTS", name(get(admin.CreateTopics(within(), 1, 1, nil, topic))[topic].Err))
}

func codecs() {
	for codec, compression := range map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	} {
		topic, values := create(unique("codec-"+codec), 1), numbered(strings.Repeat(codec, 20), 100)
		to := client(kgo.ProducerBatchCompression(compression))
		must("produce", send(to, topic, 1, values...))
		to.Close()
		check("100 idempotent messages with compression "+codec+" are read as sent", values, committedValues(topic))
	}
}

func groups() {
	for balancer, group := range map[kgo.GroupBalancer]string{kgo.RangeBalancer(): "range", kgo.CooperativeStickyBalancer(): "cooperative-sticky"} {
		topic, id := create(unique("groups-"+group), 4), unique("group-"+group)
		first, second := numbered("a", 40), numbered("b", 40)
		to := client()
		must("produce", send(to, topic, 4, first...))
		member := func() *kgo.Client {
			return client(kgo.ConsumerGroup(id), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(), kgo.Balancers(balancer), kgo.HeartbeatInterval(200*time.Millisecond))
		}
		one := member()
		slices.Sort(first)
		slices.Sort(second)
		check("one member reads all partitions ("+group+")", first, pollAll("one member reads all", []*kgo.Client{one}, atLeast(40)))
		must("commit", one.CommitUncommittedOffsets(within()))
		two := member()
		describe := func() kadm.DescribedGroup { return get(admin.DescribeGroups(within(), id))[id] }
		shared := func([]string) bool {
			described := describe()
			if described.State != "Stable" || len(described.Members) != 2 {
				return false
			}
			for _, member := range described.Members {
				assigned, is := member.Assigned.AsConsumer()
				if !is || len(assigned.Topics) != 1 || len(assigned.Topics[0].Partitions) != 2 {
					return false
				}
			}
			return true
		}
		check("nothing is read again in a rebalance after a commit", []string{}, pollAll("a rebalance", []*kgo.Client{one, two}, shared))
		ok("two members share the partitions")
		must("produce", send(to, topic, 4, numbered("b", 40)...))
		check("two members read all, each message once", second, pollAll("two members read all", []*kgo.Client{one, two}, atLeast(40)))
		for _, member := range []*kgo.Client{one, two} {
			must("commit", member.CommitUncommittedOffsets(within()))
			member.Close()
		}
		check("the group's offsets are committed", []int64{20, 20, 20, 20}, committed(id, topic, 4))
		must("produce", send(to, topic, 4, "c0", "c1"))
		three := member()
		check("a restart goes on where the group was", []string{"c0", "c1"}, pollAll("resumed", []*kgo.Client{three}, atLeast(2)))
		described := describe()
		check("a group is described", []any{"Stable", 1, group}, []any{described.State, len(described.Members), described.Protocol})
		check("a group is listed", true, slices.Contains(get(admin.ListGroups(within())).Groups(), id))
		three.Close()
		must("deleting", get(admin.DeleteGroups(within(), id))[id].Err)
		check("a deleted group is gone", "GROUP_ID_NOT_FOUND", name(get(admin.DeleteGroups(within(), id))[id].Err))
		to.Close()
	}
}

func staticMembers() {
	topic, group := create(unique("static"), 2), unique("static")
	// Not the default, with which a rebalance brings another one (who gives a partition up joins again).
	balancer := kgo.Balancers(kgo.RangeBalancer())
	member := func(options ...kgo.Opt) *kgo.Client {
		return client(append(options, balancer, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(), kgo.HeartbeatInterval(200*time.Millisecond), kgo.SessionTimeout(20*time.Second))...)
	}
	other, static := member(), member(kgo.InstanceID("one"))
	generations := func(members ...*kgo.Client) []int32 {
		all := []int32{}
		for _, member := range members {
			_, generation := member.GroupMetadata()
			all = append(all, generation)
		}
		return all
	}
	pollAll("a static member joins", []*kgo.Client{other, static}, func([]string) bool {
		described := get(admin.DescribeGroups(within(), group))[group]
		all := generations(other, static)
		return described.State == "Stable" && len(described.Members) == 2 && all[0] == all[1] && all[0] > 0
	})
	before := generations(other)
	static.Close()
	static = member(kgo.InstanceID("one"))
	pollAll("a static member returns", []*kgo.Client{other, static}, func([]string) bool { return generations(static)[0] > 0 })
	check("a static member returns without a rebalance", []int32{before[0], before[0]}, generations(other, static))
	left := get(admin.LeaveGroup(within(), kadm.LeaveGroup(group).InstanceIDs("one")))
	must("removing a static member", left.Error())
	ok("a static member is removed by its instance id")
	other.Close()
	static.Close()
}

func transactional(id string, options ...kgo.Opt) *kgo.Client {
	return client(append(options, kgo.TransactionalID(id))...)
}

func begin(who *kgo.Client) { must("begin", who.BeginTransaction()) }

func end(who *kgo.Client, how kgo.TransactionEndTry) error { return who.EndTransaction(within(), how) }

func transactions() {
	topic, visible := create(unique("transactions"), 1), []string{"c0", "c1", "c2"}
	writer := transactional(unique("transactions"))
	for _, each := range []struct {
		values []string
		how    kgo.TransactionEndTry
	}{{[]string{"c0", "c1"}, kgo.TryCommit}, {[]string{"a0", "a1"}, kgo.TryAbort}, {[]string{"c2"}, kgo.TryCommit}} {
		begin(writer)
		must("produce", send(writer, topic, 1, each.values...))
		must("end", end(writer, each.how))
	}
	until("committed transactions are visible at read_committed, an aborted one is not", visible, func() any { return committedValues(topic) })
	check("all are visible at read_uncommitted", []string{"c0", "c1", "a0", "a1", "c2"}, uncommittedValues(topic))
	begin(writer)
	must("empty commit", end(writer, kgo.TryCommit))
	begin(writer)
	must("empty abort", end(writer, kgo.TryAbort))
	ok("empty transactions are committed and aborted")
	begin(writer)
	must("produce", send(writer, topic, 1, "open"))
	check("an open transaction is not visible at read_committed", visible, committedValues(topic))
	all := uncommittedValues(topic)
	check("an open transaction is visible at read_uncommitted", "open", all[len(all)-1])
	must("abort", end(writer, kgo.TryAbort))
	for i := range 20 {
		begin(writer)
		must("produce", send(writer, topic, 1, fmt.Sprint("kept", i)))
		must("commit", end(writer, kgo.TryCommit))
		begin(writer)
		must("produce", send(writer, topic, 1, fmt.Sprint("dropped", i)))
		must("abort", end(writer, kgo.TryAbort))
	}
	until("40 transactions in a row, each second one aborted", append(visible, numbered("kept", 20)...), func() any { return committedValues(topic) })
	listed := get(admin.ListTransactions(within(), nil, nil))
	check("transactions are listed", "CompleteAbort", listed[unique("transactions")].State)
	writer.Close()
}

// secondProtocol tells whether the broker asks for the second transaction protocol (KIP-890).
func secondProtocol() bool {
	request := kmsg.NewPtrApiVersionsRequest()
	request.ClientSoftwareName, request.ClientSoftwareVersion = "check", "1"
	for _, feature := range get(request.RequestWith(within(), plain)).FinalizedFeatures {
		if feature.Name == "transaction.version" {
			return feature.MaxVersionLevel >= 2
		}
	}
	return false
}

func timeout() {
	topic := create(unique("timeout"), 1)
	writer := transactional(unique("timeout"), kgo.TransactionTimeout(time.Second))
	begin(writer)
	must("produce", send(writer, topic, 1, "late"))
	until("a transaction is aborted after its timeout", true, func() any {
		stable, _ := get(admin.ListCommittedOffsets(within(), topic)).Lookup(topic, 0)
		return stable.Offset == 2
	})
	err := end(writer, kgo.TryCommit)
	expected := "PRODUCER_FENCED"
	if secondProtocol() {
		expected = "INVALID_TXN_STATE"
	}
	check("it cannot be committed then: "+expected, expected, name(err))
	check("and is not visible", []string{}, committedValues(topic))
	writer.Close()
}

func fencing() {
	topic := create(unique("fencing"), 1)
	first := transactional(unique("fencing"))
	begin(first)
	must("produce", send(first, topic, 1, "zombie"))
	second := transactional(unique("fencing"))
	begin(second)
	must("produce", send(second, topic, 1, "successor"))
	must("commit", end(second, kgo.TryCommit))
	check("a fenced producer cannot commit: PRODUCER_FENCED", "PRODUCER_FENCED", name(end(first, kgo.TryCommit)))
	until("of the two only the successor is visible", []string{"successor"}, func() any { return committedValues(topic) })
	third := transactional(unique("fencing"))
	begin(third)
	must("produce", send(third, topic, 1, "third"))
	begin(second)
	// Of the first protocol, AddPartitionsToTxn hears of it first.
	expected := "PRODUCER_FENCED"
	if secondProtocol() {
		expected = "INVALID_PRODUCER_EPOCH"
	}
	check("a fenced producer cannot produce: "+expected, expected, name(send(second, topic, 1, "fenced")))
	check("what it sent is not visible", []string{"zombie", "successor", "third"}, uncommittedValues(topic))
	first.Close()
	second.Close()
	third.Close()
}

func offsetsInTransactions() {
	topic, output, group := create(unique("input"), 1), create(unique("output"), 1), unique("pipeline")
	to := client()
	must("produce", send(to, topic, 1, "m0", "m1", "m2"))
	to.Close()
	session := get(kgo.NewGroupTransactSession(
		kgo.SeedBrokers(bootstrap), kgo.TransactionalID(unique("pipeline")), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(50*time.Millisecond),
		kgo.RequireStableFetchOffsets(), kgo.HeartbeatInterval(200*time.Millisecond),
	))
	for _, how := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
		seen := 0
		must("begin", session.Begin())
		for ctx := within(); seen < 3; {
			fetches := session.PollFetches(ctx)
			must("poll", ctx.Err())
			fetches.EachRecord(func(record *kgo.Record) {
				seen++
				must("produce", session.ProduceSync(ctx, &kgo.Record{Topic: output, Value: record.Value}).FirstErr())
			})
		}
		done, err := session.End(within(), how)
		must("end", err)
		check("a session ends as asked", bool(how), done)
		if how == kgo.TryAbort {
			check("an aborted transaction does not move the group's offset", []int64{-1}, committed(group, topic, 1))
			until("nor are its records visible", []string{}, func() any { return committedValues(output) })
		} else {
			until("a committed transaction moves the group's offset", []int64{3}, func() any { return committed(group, topic, 1) })
			until("and its records are visible, read again after the abort", []string{"m0", "m1", "m2"}, func() any { return committedValues(output) })
		}
	}
	session.Close()
}

func administration() {
	topic := create(unique("administration"), 1)
	to := client()
	for i := range 10 {
		record := &kgo.Record{Topic: topic, Value: []byte(fmt.Sprint(i)), Timestamp: time.UnixMilli(1_700_000_000_000 + int64(i)*1000)}
		must("produce", to.ProduceSync(within(), record).FirstErr())
	}
	to.Close()
	at := func(milli int64) int64 {
		offset, _ := get(admin.ListOffsetsAfterMilli(within(), milli, topic)).Lookup(topic, 0)
		return offset.Offset
	}
	check("offsets are listed by a timestamp, one between two, one past the last", []int64{4, 5, 10}, []int64{at(1_700_000_004_000), at(1_700_000_004_001), at(1_700_000_010_000)})
	largest, _ := get(admin.ListMaxTimestampOffsets(within(), topic)).Lookup(topic, 0)
	check("the offset of the largest timestamp is listed", int64(9), largest.Offset)
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, 6, -1)
	deleted, _ := get(admin.DeleteRecords(within(), offsets)).Lookup(topic, 0)
	check("records are deleted up to an offset", int64(6), deleted.LowWatermark)
	check("the rest is read", []string{"6", "7", "8", "9"}, committedValues(topic))
	retention := func() any {
		configs := get(get(admin.DescribeTopicConfigs(within(), topic)).On(topic, nil))
		for _, config := range configs.Configs {
			if config.Key == "retention.ms" {
				return *config.Value
			}
		}
		return "absent"
	}
	check("a topic's configs are described", any("604800000"), retention())
	value := "7200000"
	get(admin.AlterTopicConfigs(within(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &value}}, topic))
	until("configs are altered", value, retention)
	must("partitions", get(admin.UpdatePartitions(within(), 2, topic))[topic].Err)
	until("partitions are added", 2, func() any { return len(get(admin.ListTopics(within(), topic))[topic].Partitions) })
	cluster := get(admin.BrokerMetadata(within()))
	check("the cluster is described", []any{1, true}, []any{len(cluster.Brokers), cluster.Cluster != ""})
	must("deleting", get(admin.DeleteTopics(within(), topic))[topic].Err)
	until("a deleted topic is gone", false, func() any { return get(admin.ListTopics(within())).Has(topic) })
}

func main() {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if strings.HasSuffix(module.Path, "/franz-go") {
			fmt.Println("franz-go", module.Version)
		}
	}
	plain = client()
	admin = kadm.NewClient(plain)
	for _, part := range []func(){topics, codecs, groups, staticMembers, transactions, timeout, fencing, offsetsInTransactions, administration} {
		part()
	}
}
