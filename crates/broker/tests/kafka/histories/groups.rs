//! The members of the groups of a history.
//!
//! JoinGroup and SyncGroup may wait for other members. Such a request is sent without waiting; its answer is collected at
//! the end of the step that brings it, of whichever member that is. "Pending" is said only when the broker's own
//! description of the group makes it certain (see [`Run::settle`]). Timeouts are longer than any history, so nothing
//! else ends a rebalance.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::{
    messages::{
        DeleteGroupsRequest, DescribeGroupsRequest, HeartbeatRequest, JoinGroupResponse, SyncGroupResponse,
        consumer_protocol_subscription::ConsumerProtocolSubscription, describe_groups_response::DescribedGroup,
        join_group_request as jg, leave_group_request as lg, offset_commit_request as oc, offset_delete_request as od,
        sync_group_request as sg,
    },
    protocol::{Encodable, StrBytes},
};

use super::{
    execute::{PATIENCE, Run, STUCK, call},
    step::{At, Credentials, MEMBERS, STATIC_MEMBER},
};
use crate::support::wire::{Client, Sent, text};

/// What the members of a group know.
#[derive(Default)]
pub(crate) struct Group {
    members: [Member; MEMBERS],
    /// The member id that the last answer to JoinGroup named.
    leader: StrBytes,
}

#[derive(Default)]
struct Member {
    connection: Option<Client>,
    /// Of the last JoinGroup; still used by a member that has left or was removed: it does not know.
    id: StrBytes,
    /// The next JoinGroup goes without a member id.
    anew: bool,
    generation: i32,
    /// The members of the generation, if this member leads it.
    led: Vec<StrBytes>,
    waiting: Option<Waiting>,
}

enum Waiting {
    /// With the member id that it was sent with.
    Join(Sent<jg::JoinGroupRequest>, StrBytes),
    /// Whether its generation is right: else there is an error at once.
    Sync(Sent<sg::SyncGroupRequest>, bool),
}

enum Answer {
    Join(JoinGroupResponse),
    Sync(SyncGroupResponse),
}

const INSTANCE: &str = "static";
const PROTOCOL: &str = "consumer";
const ASSIGNOR: &str = "range";
/// Milliseconds: longer than any history, no longer than group.max.session.timeout.ms.
const LONG: i32 = 900_000;

const BUSY: &str = "waits for an answer";

fn instance(member: usize) -> Option<StrBytes> {
    (member == STATIC_MEMBER).then(|| text(INSTANCE))
}

impl Group {
    /// Member id, group.instance.id, and generation.
    pub(crate) fn credentials(&self, of: Credentials) -> (StrBytes, Option<StrBytes>, i32) {
        let (member, age) = match of {
            Credentials::Nobody => return (StrBytes::default(), None, -1),
            Credentials::Member(member) => (member, 0),
            Credentials::Stale(member) => (member, 1),
        };
        (self.members[member].id.clone(), instance(member), self.members[member].generation - age)
    }

    fn waits(&self, member: usize) -> bool {
        self.members[member].waiting.is_some()
    }

    /// The member that has this id, or waits for the answer to a JoinGroup that brings it.
    fn waiting_with(&self, id: &str, instance: Option<&str>) -> Option<&Waiting> {
        let (_, member) = self.members.iter().enumerate().find(|(index, member)| match instance {
            Some(_) => *index == STATIC_MEMBER,
            None => member.id.as_str() == id,
        })?;
        member.waiting.as_ref()
    }

    /// Whether the broker, whose description of the group this is, cannot answer this member yet.
    fn cannot_be_answered(&self, member: usize, broker: &DescribedGroup) -> bool {
        let known = &self.members[member];
        match &known.waiting {
            None => true,
            // The broker has taken the request (or will take it in the same way), and a member that it knows has not
            // rejoined. Without a member id, the request has been taken once there is an id that is not the old one.
            Some(Waiting::Join(_, sent)) => {
                broker.group_state.as_str() == "PreparingRebalance"
                    && broker.members.iter().any(|listed| match sent.is_empty() {
                        false => listed.member_id == *sent,
                        true => listed.group_instance_id == instance(member) && listed.member_id != known.id,
                    })
                    && broker.members.iter().any(|listed| {
                        let waiting = self.waiting_with(&listed.member_id, listed.group_instance_id.as_deref());
                        !matches!(waiting, Some(Waiting::Join(..)))
                    })
            }
            Some(Waiting::Sync(_, right)) => {
                *right
                    && broker.group_state.as_str() == "CompletingRebalance"
                    && broker.members.iter().any(|listed| listed.member_id == known.id)
                    && !self
                        .members
                        .iter()
                        .any(|one| one.id == self.leader && matches!(one.waiting, Some(Waiting::Sync(..))))
            }
        }
    }
}

impl Run {
    pub(crate) fn join(&mut self, group: usize, member: usize) -> String {
        if self.groups[group].waits(member) {
            return BUSY.to_owned();
        }
        let known = &self.groups[group].members[member];
        let mut id = if known.anew { StrBytes::default() } else { known.id.clone() };
        let mut subscription = BytesMut::new();
        // The version, then the subscription: to topic 0 only, so that offsets of topic 1 can be deleted.
        subscription.put_i16(0);
        let topics = vec![self.names.topic(0).0];
        ConsumerProtocolSubscription::default().with_topics(topics).encode(&mut subscription, 0).unwrap();
        let protocol =
            jg::JoinGroupRequestProtocol::default().with_name(text(ASSIGNOR)).with_metadata(subscription.freeze());
        let request = jg::JoinGroupRequest::default()
            .with_group_id(self.names.group(group))
            .with_session_timeout_ms(LONG)
            .with_rebalance_timeout_ms(LONG)
            .with_group_instance_id(instance(member))
            .with_protocol_type(text(PROTOCOL))
            .with_protocols(vec![protocol]);

        let mut outcome = String::new();
        if id.is_empty() && member != STATIC_MEMBER {
            let response = call(self.member(group, member), &request, 9, |response| response.error_code);
            outcome = format!("{} {}; ", response.error_code, self.names.member_id(&response.member_id));
            id = response.member_id;
        }
        let sent = self.member(group, member).send(&request.with_member_id(id.clone()), 9);
        let known = &mut self.groups[group].members[member];
        if !id.is_empty() {
            known.id = id.clone();
        }
        known.anew = false;
        known.waiting = Some(Waiting::Join(sent, id));
        outcome + &self.settle(group)
    }

    pub(crate) fn sync(&mut self, group: usize, member: usize, stale: bool) -> String {
        if self.groups[group].waits(member) {
            return BUSY.to_owned();
        }
        let known = &self.groups[group].members[member];
        let generation = known.generation - i32::from(stale);
        let assignments = known.led.iter().map(|id| {
            let name = id.get(..id.len().saturating_sub(37)).unwrap_or_default();
            let assignment = Bytes::from(format!("{name} of generation {generation}"));
            sg::SyncGroupRequestAssignment::default().with_member_id(id.clone()).with_assignment(assignment)
        });
        let request = sg::SyncGroupRequest::default()
            .with_group_id(self.names.group(group))
            .with_generation_id(generation)
            .with_member_id(known.id.clone())
            .with_group_instance_id(instance(member))
            .with_protocol_type(Some(text(PROTOCOL)))
            .with_protocol_name(Some(text(ASSIGNOR)))
            .with_assignments(assignments.collect());
        let sent = self.member(group, member).send(&request, 5);
        self.groups[group].members[member].waiting = Some(Waiting::Sync(sent, !stale));
        self.settle(group)
    }

    pub(crate) fn heartbeat(&mut self, group: usize, member: usize, stale: bool) -> String {
        if self.groups[group].waits(member) {
            return BUSY.to_owned();
        }
        let known = &self.groups[group].members[member];
        let request = HeartbeatRequest::default()
            .with_group_id(self.names.group(group))
            .with_generation_id(known.generation - i32::from(stale))
            .with_member_id(known.id.clone())
            .with_group_instance_id(instance(member));
        let response = call(self.member(group, member), &request, 4, |response| response.error_code);
        response.error_code.to_string()
    }

    pub(crate) fn leave(&mut self, group: usize, member: usize) -> String {
        let id = self.groups[group].members[member].id.clone();
        if id.is_empty() && member != STATIC_MEMBER {
            return "never joined".to_owned();
        }
        let broker = self.describe(group);
        let leader = &self.groups[group].leader;
        let leads = id == *leader || !broker.members.iter().any(|listed| listed.member_id == *leader);
        // The new leader would be the first in a hash table by member id, which is random (ClassicGroup.remove).
        if broker.members.len() > 2 && leads {
            return "leads two others".to_owned();
        }
        let identity = lg::MemberIdentity::default().with_member_id(id).with_group_instance_id(instance(member));
        let request =
            lg::LeaveGroupRequest::default().with_group_id(self.names.group(group)).with_members(vec![identity]);
        let response = call(&mut self.admin, &request, 5, |response| response.error_code);
        let errors: Vec<_> = response.members.iter().map(|member| member.error_code).collect();
        let known = &mut self.groups[group].members[member];
        known.anew = true;
        // Apache Kafka never answers the SyncGroup of a member that has been removed (a JoinGroup it does:
        // GroupMetadataManager.removeMemberAndUpdateClassicGroup), so nothing can be said about it.
        if errors == [0] && matches!(known.waiting, Some(Waiting::Sync(..))) {
            known.waiting = None;
            known.connection = None;
        }
        format!("{} {errors:?}; {}", response.error_code, self.settle(group))
    }

    pub(crate) fn forget(&mut self, group: usize) -> String {
        if self.groups[group].waits(STATIC_MEMBER) {
            return BUSY.to_owned();
        }
        let known = &mut self.groups[group].members[STATIC_MEMBER];
        known.connection = None;
        known.anew = true;
        String::new()
    }

    pub(crate) fn offset_commit(&mut self, group: usize, (topic, index): At, offset: i64, of: Credentials) -> String {
        let (member_id, instance, generation) = self.groups[group].credentials(of);
        let partition = oc::OffsetCommitRequestPartition::default()
            .with_partition_index(index)
            .with_committed_offset(offset)
            .with_committed_metadata(Some(text("plain")));
        let topic =
            oc::OffsetCommitRequestTopic::default().with_name(self.names.topic(topic)).with_partitions(vec![partition]);
        let request = oc::OffsetCommitRequest::default()
            .with_group_id(self.names.group(group))
            .with_generation_id_or_member_epoch(generation)
            .with_member_id(member_id)
            .with_group_instance_id(instance)
            .with_topics(vec![topic]);
        let response = call(&mut self.admin, &request, 8, |response| response.topics[0].partitions[0].error_code);
        response.topics[0].partitions[0].error_code.to_string()
    }

    pub(crate) fn offset_delete(&mut self, group: usize, (topic, index): At) -> String {
        let partition = od::OffsetDeleteRequestPartition::default().with_partition_index(index);
        let topic =
            od::OffsetDeleteRequestTopic::default().with_name(self.names.topic(topic)).with_partitions(vec![partition]);
        let request =
            od::OffsetDeleteRequest::default().with_group_id(self.names.group(group)).with_topics(vec![topic]);
        let response = call(&mut self.admin, &request, 0, |response| response.error_code);
        let errors: Vec<_> =
            response.topics.iter().flat_map(|topic| &topic.partitions).map(|one| one.error_code).collect();
        format!("{} {errors:?}", response.error_code)
    }

    pub(crate) fn delete_group(&mut self, group: usize) -> String {
        let request = DeleteGroupsRequest::default().with_groups_names(vec![self.names.group(group)]);
        let response = call(&mut self.admin, &request, 2, |response| response.results[0].error_code);
        response.results[0].error_code.to_string()
    }

    pub(crate) fn describe(&mut self, group: usize) -> DescribedGroup {
        let request = DescribeGroupsRequest::default().with_groups(vec![self.names.group(group)]);
        call(&mut self.admin, &request, 5, |response| response.groups[0].error_code).groups.remove(0)
    }

    fn member(&mut self, group: usize, member: usize) -> &mut Client {
        let connection = &mut self.groups[group].members[member].connection;
        // Member ids begin with it.
        connection.get_or_insert_with(|| Client::named(&self.bootstrap, &format!("m{member}")))
    }

    /// Collects every answer that the last request of this group brings, and says who is left waiting.
    fn settle(&mut self, group: usize) -> String {
        let end = Instant::now() + PATIENCE;
        let mut answers = BTreeMap::new();
        loop {
            for (index, member) in self.groups[group].members.iter_mut().enumerate() {
                answers.extend(member.take_answer().map(|answer| (index, answer)));
            }
            if (0..MEMBERS).all(|member| !self.groups[group].waits(member)) {
                break;
            }
            let broker = self.describe(group);
            if (0..MEMBERS).all(|member| self.groups[group].cannot_be_answered(member, &broker)) {
                break;
            }
            if Instant::now() > end {
                return format!("{STUCK} in {}", broker.group_state);
            }
        }
        let mut outcome: Vec<_> = Vec::new();
        // New member ids are named in the order of the members, not in that of the answers.
        for answer in answers.values() {
            if let Answer::Join(response) = answer {
                self.names.member_id(&response.member_id);
            }
        }
        for (member, answer) in answers {
            outcome.push(match answer {
                Answer::Join(response) => self.joined(group, member, response),
                Answer::Sync(response) => {
                    let assignment = String::from_utf8_lossy(&response.assignment);
                    format!("m{member} synced: {} {assignment:?}", response.error_code)
                }
            });
        }
        let waiting = (0..MEMBERS).filter(|member| self.groups[group].waits(*member));
        outcome.extend(waiting.map(|member| format!("m{member} waits")));
        outcome.join("; ")
    }

    fn joined(&mut self, group: usize, member: usize, response: JoinGroupResponse) -> String {
        let mut members: Vec<_> = response.members.iter().map(|one| self.names.member_id(&one.member_id)).collect();
        members.sort();
        let group = &mut self.groups[group];
        let known = &mut group.members[member];
        if response.error_code == 0 {
            known.id = response.member_id.clone();
            known.generation = response.generation_id;
            known.led = response.members.iter().map(|one| one.member_id.clone()).collect();
            group.leader = response.leader.clone();
        } else {
            known.anew = true;
        }
        let skip = if response.skip_assignment { ", no assignment" } else { "" };
        format!(
            "m{member} joined: {} generation {} as {} led by {} {members:?}{skip}",
            response.error_code,
            response.generation_id,
            self.names.member_id(&response.member_id),
            self.names.member_id(&response.leader),
        )
    }
}

impl Member {
    fn take_answer(&mut self) -> Option<Answer> {
        let connection = self.connection.as_mut()?;
        self.waiting.as_ref()?;
        if connection.is_silent_for(Duration::from_millis(1)) {
            return None;
        }
        Some(match self.waiting.take()? {
            Waiting::Join(sent, _) => Answer::Join(connection.receive(sent)),
            Waiting::Sync(sent, _) => Answer::Sync(connection.receive(sent)),
        })
    }
}
