//! Random calls from a few clients that restart, repeat themselves, fall silent and come back.

use std::collections::{BTreeMap, HashMap, HashSet};

use kafka_protocol::{
    messages::{DeleteGroupsRequest, OffsetDeleteRequest, offset_delete_request},
    protocol::Encodable,
};
use proptest::{collection::vec, prelude::*};

use super::{
    offsets::{commit, exists},
    transactional::in_transaction,
    *,
};

const GROUPS: [&str; 2] = ["g", "h"];
const CLIENTS: usize = 5;

#[derive(Debug, Clone)]
enum Action {
    Join {
        client: usize,
        version: i16,
        instance: bool,
        protocols: u8,
        session: i32,
        rebalance: i32,
    },
    Sync {
        client: usize,
        stale: bool,
    },
    Heartbeat {
        client: usize,
        stale: bool,
    },
    Leave {
        client: usize,
    },
    /// All clients join, and then ask for their assignment.
    Rebalance,
    /// The client begins anew, and knows nothing of what it was.
    Restart {
        client: usize,
    },
    Commit {
        client: Option<usize>,
        offset: i64,
    },
    CommitInTransaction {
        client: Option<usize>,
        producer: i64,
        offset: i64,
    },
    EndTransaction {
        producer: i64,
        commit: bool,
    },
    DeleteOffset {
        group: usize,
    },
    DeleteGroup {
        group: usize,
    },
    ForgetTopic,
    Pass {
        time: Millis,
    },
}

fn action() -> impl Strategy<Value = Action> {
    let client = 0..CLIENTS;
    let sometimes = || prop::bool::weighted(0.2);
    prop_oneof![
        8 => (client.clone(), prop_oneof![Just(2_i16), Just(8), Just(9)], any::<bool>(), 0..4_u8,
              prop_oneof![Just(6_000), Just(30_000)], prop_oneof![Just(0), Just(5_000), Just(60_000)])
            .prop_map(|(client, version, instance, protocols, session, rebalance)| {
                Action::Join { client, version, instance, protocols, session, rebalance }
            }),
        6 => (client.clone(), sometimes()).prop_map(|(client, stale)| Action::Sync { client, stale }),
        4 => (client.clone(), sometimes()).prop_map(|(client, stale)| Action::Heartbeat { client, stale }),
        2 => client.clone().prop_map(|client| Action::Leave { client }),
        1 => client.clone().prop_map(|client| Action::Restart { client }),
        5 => Just(Action::Rebalance),
        3 => (prop::option::of(client.clone()), 0..1_000_i64)
            .prop_map(|(client, offset)| Action::Commit { client, offset }),
        3 => (prop::option::of(client), 1..3_i64, 0..1_000_i64)
            .prop_map(|(client, producer, offset)| Action::CommitInTransaction { client, producer, offset }),
        2 => (1..3_i64, any::<bool>()).prop_map(|(producer, commit)| Action::EndTransaction { producer, commit }),
        1 => (0..GROUPS.len()).prop_map(|group| Action::DeleteOffset { group }),
        1 => (0..GROUPS.len()).prop_map(|group| Action::DeleteGroup { group }),
        1 => Just(Action::ForgetTopic),
        5 => prop_oneof![4 => Just(0), 4 => Just(1), 4 => Just(3_000), 2 => Just(6_000), 1 => Just(61_000), 1 => Just(700_000)]
            .prop_map(|time| Action::Pass { time }),
    ]
}

/// What a client knows of itself. The last one is in a group of its own.
#[derive(Debug, Default, Clone)]
struct Client {
    member: StrBytes,
    instance: Option<StrBytes>,
    generation: i32,
}

/// What an answer that is still to come was asked for.
struct Asked {
    client: usize,
    version: i16,
    member: StrBytes,
}

#[derive(Default)]
struct Model {
    clients: Vec<Client>,
    joins: HashMap<Wait, Asked>,
    syncs: HashMap<Wait, Asked>,
    member_ids: HashSet<StrBytes>,
    /// By group: the times that it was made, and its generation.
    generations: BTreeMap<&'static str, (u32, i32)>,
    leaders: HashMap<(&'static str, u32, i32), StrBytes>,
    committed: BTreeMap<&'static str, (i64, u64)>,
    pending: BTreeMap<(i64, &'static str), (i64, u64)>,
    writes: u64,
}

impl Model {
    fn group(client: usize) -> &'static str {
        GROUPS[usize::from(client == CLIENTS - 1)]
    }

    fn apply(&mut self, world: &mut World, action: &Action) {
        match *action {
            Action::Join { client, version, instance, protocols, session, rebalance } => {
                let own = &mut self.clients[client];
                if own.member.is_empty() {
                    // Two clients share an instance id.
                    own.instance = instance.then(|| text(if client % 2 == 0 { "one" } else { "other" }));
                }
                let names: &[&str] = [&["a", "b"][..], &["b", "a"], &["b"], &["a"]][usize::from(protocols)];
                let request = JoinGroupRequest::default()
                    .with_group_id(group_id(Self::group(client)))
                    .with_member_id(own.member.clone())
                    .with_group_instance_id(own.instance.clone())
                    .with_session_timeout_ms(session)
                    .with_rebalance_timeout_ms(rebalance)
                    .with_protocol_type(text("consumer"))
                    .with_protocols(names.iter().map(|name| protocol(name, subscription(&["t"]))).collect());
                let asked = Asked { client, version, member: own.member.clone() };
                let wait = world.join(request, version);
                self.joins.insert(wait, asked);
            }
            Action::Sync { client, stale } => {
                let own = &self.clients[client];
                let request = sync(Self::group(client), &own.member, own.generation - i32::from(stale))
                    .with_group_instance_id(own.instance.clone());
                let asked = Asked { client, version: 4, member: own.member.clone() };
                let wait = world.sync(request, 4);
                self.syncs.insert(wait, asked);
            }
            Action::Heartbeat { client, stale } => {
                let own = &self.clients[client];
                world.heartbeat(Self::group(client), &own.member, own.generation - i32::from(stale));
            }
            Action::Leave { client } => {
                let member = self.clients[client].member.clone();
                world.leave(Self::group(client), &member);
            }
            Action::Rebalance => {
                let (version, protocols, session, rebalance) = (2, 0, 30_000, 60_000);
                for client in 0..CLIENTS {
                    let instance = client % 2 == 0;
                    self.apply(world, &Action::Join { client, version, instance, protocols, session, rebalance });
                }
                world.settle();
                self.read_answers(world);
                for client in 0..CLIENTS {
                    self.apply(world, &Action::Sync { client, stale: false });
                }
            }
            Action::Restart { client } => self.clients[client] = Client::default(),
            Action::Commit { client, offset } => {
                let group = Self::group(client.unwrap_or(0));
                let own = client.map_or_else(Client::default, |client| self.clients[client].clone());
                let generation = if client.is_some() { own.generation } else { -1 };
                let request = commit(group, &[("t", 0, offset)])
                    .with_member_id(own.member)
                    .with_generation_id_or_member_epoch(generation);
                self.writes += 1;
                if world.commit(request, 8) == NONE {
                    self.committed.insert(group, (offset, self.writes));
                }
            }
            Action::CommitInTransaction { client, producer, offset } => {
                let group = Self::group(client.unwrap_or(0));
                let own = client.map_or_else(Client::default, |client| self.clients[client].clone());
                let generation = if client.is_some() { own.generation } else { -1 };
                let request =
                    in_transaction(producer, group, offset).with_member_id(own.member).with_generation_id(generation);
                self.writes += 1;
                if world.commit_in_transaction(request) == NONE {
                    self.pending.insert((producer, group), (offset, self.writes));
                }
            }
            Action::EndTransaction { producer, commit } => {
                world.groups.end_transaction(world.now, producer, commit);
                for group in GROUPS {
                    if let Some(pending) = self.pending.remove(&(producer, group)).filter(|_| commit)
                        && self.committed.get(group).is_none_or(|(_, written)| *written < pending.1)
                    {
                        self.committed.insert(group, pending);
                    }
                }
            }
            Action::DeleteOffset { group } => {
                let partition = offset_delete_request::OffsetDeleteRequestPartition::default();
                let topic = offset_delete_request::OffsetDeleteRequestTopic::default()
                    .with_name(topic_name("t"))
                    .with_partitions(vec![partition]);
                let request =
                    OffsetDeleteRequest::default().with_group_id(group_id(GROUPS[group])).with_topics(vec![topic]);
                let response = world.groups.delete_offsets(world.now, request, &exists);
                if response.error_code == NONE && response.topics[0].partitions[0].error_code == NONE {
                    self.forget_offsets(GROUPS[group]);
                }
            }
            Action::DeleteGroup { group } => {
                let request = DeleteGroupsRequest::default().with_groups_names(vec![group_id(GROUPS[group])]);
                if world.groups.delete(world.now, request).results[0].error_code == NONE {
                    self.forget_offsets(GROUPS[group]);
                }
            }
            Action::ForgetTopic => {
                world.groups.forget_topic("t");
                GROUPS.into_iter().for_each(|group| self.forget_offsets(group));
            }
            Action::Pass { time } => world.pass(time),
        }
        self.read_answers(world);
        self.check(world);
    }

    fn forget_offsets(&mut self, group: &str) {
        self.committed.remove(group);
        self.pending.retain(|(_, other), _| *other != group);
    }

    fn read_answers(&mut self, world: &mut World) {
        for (wait, response) in std::mem::take(&mut world.joins) {
            let asked = self.joins.remove(&wait).expect("it was asked");
            response.encode(&mut BytesMut::new(), asked.version).expect("it fits its version");
            let given = &response.member_id;
            if !given.is_empty() && *given != asked.member {
                assert!(self.member_ids.insert(given.clone()), "{given:?} is given a second time");
            }
            let group = Self::group(asked.client);
            if response.error_code == NONE && response.leader == response.member_id && !response.skip_assignment {
                let (made, _) = self.generations.get(group).copied().unwrap_or_default();
                let key = (group, made, response.generation_id);
                let leader = self.leaders.entry(key).or_insert_with(|| response.member_id.clone());
                assert_eq!(*leader, response.member_id, "two leaders of {key:?}");
            }
            let own = &mut self.clients[asked.client];
            match response.error_code {
                NONE => (own.member, own.generation) = (response.member_id, response.generation_id),
                79 => own.member = response.member_id,
                25 | 82 => *own = Client::default(),
                _ => {}
            }
        }
        for (wait, response) in std::mem::take(&mut world.syncs) {
            let asked = self.syncs.remove(&wait).expect("it was asked");
            response.encode(&mut BytesMut::new(), asked.version).expect("it fits its version");
        }
        // A group that was removed begins anew when it is made again, by a later action.
        for group in GROUPS {
            let (made, generation) = self.generations.entry(group).or_insert((0, -1));
            let current = world.generation(group);
            if current == -1 && *generation != -1 {
                *made += 1;
            }
            assert!(current == -1 || current >= *generation, "{group} went back from {generation} to {current}");
            *generation = current;
        }
    }

    fn check(&mut self, world: &mut World) {
        assert!(world.groups.next_deadline().is_none_or(|deadline| deadline > world.now || world.is_behind()));
        for group in GROUPS {
            let offset = self.committed.get(group).map_or(-1, |(offset, _)| *offset);
            assert_eq!(world.fetch(group, "t", false), (offset, NONE));
            let pending = self.pending.keys().any(|(_, other)| *other == group);
            assert_eq!(world.fetch(group, "t", true), if pending { (-1, 88) } else { (offset, NONE) });
        }
        for group in world.groups.groups.values() {
            let instances: HashSet<_> = group.members.values().filter_map(|own| own.instance_id.clone()).collect();
            assert_eq!(instances.len(), group.static_members.len());
            assert_eq!(group.leader.is_some(), !group.members.is_empty());
            assert!(group.leader.as_ref().is_none_or(|leader| group.members.contains_key(leader)));
            if group.state == super::super::group::State::Empty {
                assert!(group.members.is_empty());
            }
        }
    }
}

impl World {
    /// A timer may have been set for this very instant; the next tick has it.
    fn is_behind(&mut self) -> bool {
        self.groups.tick(self.now);
        self.collect();
        self.groups.next_deadline().is_none_or(|deadline| deadline > self.now)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_clients_do(delay in prop_oneof![Just(0), Just(1_000)], actions in vec(action(), 1..60)) {
        let mut world = World::with(Settings { initial_rebalance_delay: delay, ..Settings::default() });
        let mut model = Model { clients: vec![Client::default(); CLIENTS], ..Model::default() };
        for action in &actions {
            model.apply(&mut world, action);
        }
        model.apply(&mut world, &Action::Pass { time: 7_200_000 });
        prop_assert!(model.joins.is_empty() && model.syncs.is_empty(), "a wait is left without an answer");
        for group in GROUPS {
            prop_assert!(matches!(world.state(group), "Empty" | "Dead"));
        }
    }
}
