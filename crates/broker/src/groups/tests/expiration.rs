//! Offsets and groups that nobody uses any longer.

use super::{offsets::commit, transactional::in_transaction, *};

const MINUTES: Millis = 60_000;
const DAYS: Millis = 24 * 60 * MINUTES;

#[test]
fn an_empty_group_without_offsets_is_gone_after_the_next_check() {
    let mut world = World::new();
    let (ids, _) = world.stable("g", 1);
    world.leave("g", &ids[0]);
    world.pass(10 * MINUTES);
    assert_eq!(world.state("g"), "Dead");
    assert_eq!(world.groups.next_deadline(), None);
}

#[test]
fn offsets_of_a_simple_group_expire_seven_days_after_their_commit() {
    let mut world = World::new();
    world.commit(commit("g", &[("t", 0, 1)]), 8);
    world.pass(7 * DAYS - 1);
    assert_eq!(world.fetch("g", "t", false), (1, NONE));
    world.pass(10 * MINUTES);
    assert_eq!(world.fetch("g", "t", false), (-1, NONE));
    assert_eq!(world.state("g"), "Dead");
}

#[test]
fn offsets_of_a_group_with_members_expire_where_it_is_not_subscribed() {
    let mut world = World::new();
    world.commit(commit("g", &[("in", 0, 1)]), 8);
    world.commit(commit("g", &[("out", 0, 1)]), 8);
    let wait = world.join(new_member("g"), 3);
    world.settle();
    let id = world.joined(wait).member_id;
    world.sync(sync("g", &id, 1), 3);
    for _ in 0..=(7 * DAYS / 9_000 + 100) {
        world.pass(9_000);
        assert_eq!(world.heartbeat("g", &id, 1), NONE);
    }
    assert_eq!(world.fetch("g", "in", false), (1, NONE));
    assert_eq!(world.fetch("g", "out", false), (-1, NONE));
}

#[test]
fn offsets_of_an_empty_group_expire_seven_days_after_its_last_member_left() {
    let mut world = World::new();
    world.commit(commit("g", &[("t", 0, 1)]), 8);
    world.pass(6 * DAYS);
    let (ids, _) = world.stable("g", 1);
    world.leave("g", &ids[0]);
    world.pass(6 * DAYS);
    assert_eq!(world.fetch("g", "t", false), (1, NONE));
    world.pass(DAYS + 10 * MINUTES);
    assert_eq!(world.fetch("g", "t", false), (-1, NONE));
}

#[test]
fn a_commit_may_limit_its_own_life() {
    let mut world = World::new();
    world.commit(commit("g", &[("t", 0, 1)]).with_retention_time_ms(5 * MINUTES), 4);
    world.pass(10 * MINUTES);
    assert_eq!(world.fetch("g", "t", false), (-1, NONE));
}

#[test]
fn a_group_with_an_open_transaction_stays() {
    let mut world = World::new();
    world.commit_in_transaction(in_transaction(7, "g", 5));
    world.pass(60 * MINUTES);
    assert_eq!(world.state("g"), "Empty");
    world.groups.end_transaction(world.now, 7, false);
    world.pass(10 * MINUTES);
    assert_eq!(world.state("g"), "Dead");
}
