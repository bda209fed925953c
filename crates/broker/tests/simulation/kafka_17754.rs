//! An EndTxn that is held up, sent again, and arrives after all: in the first protocol, requests do not say which
//! transaction they mean (KAFKA-17754).

use crate::{
    log::Fate,
    run::Checked,
    step::At,
    world::{Protocol, Reply, Request, Who, World},
};

const TO: At = (0, 0);

fn perform(world: &mut World, request: &Request) -> Checked<Reply> {
    world.perform(request)?.ok_or_else(|| "no answer".into())
}

/// Writes a record in a transaction; its number.
fn write(world: &mut World, who: Who, sequence: i32) -> Checked<u64> {
    if who.protocol != Protocol::Second {
        perform(world, &Request::Add { who, at: TO })?;
    }
    let ids = world.new_records(1);
    let id = ids[0];
    perform(world, &Request::Produce { who, at: TO, sequence, ids, acks: -1, large: false })?;
    Ok(id)
}

/// A commit that is sent twice, and the second time arrives within the next transaction. What became of that one's
/// record, and the error code of the abort that its producer wants.
fn commit_arrives_in_the_next(protocol: Protocol) -> Checked<(Fate, i16)> {
    let mut world = World::new(|_| {})?;
    let init = Request::Init { id: Some(0), present: None, protocol };
    let (producer_id, epoch) = perform(&mut world, &init)?.producer;
    let mut who = Who { id: Some(0), producer_id, epoch, protocol };
    write(&mut world, who, 0)?;
    let commit = Request::End { who, commit: true };
    let reply = perform(&mut world, &commit)?;
    let mut sequence = 1;
    if protocol == Protocol::Second {
        let (producer_id, epoch) = reply.producer;
        who = Who { producer_id, epoch, ..who };
        sequence = 0;
    }
    let second = write(&mut world, who, sequence)?;
    perform(&mut world, &commit)?;
    let reply = perform(&mut world, &Request::End { who, commit: false })?;
    let (fate, _) = world.logs[&TO].fate(second).ok_or("a record is lost")?;
    Ok((fate, reply.code))
}

#[test]
fn a_late_commit_of_the_first_protocol_commits_the_next_transaction() {
    const INVALID_TXN_STATE: i16 = 48;

    for protocol in [Protocol::Old, Protocol::New] {
        assert_eq!(commit_arrives_in_the_next(protocol), Ok((Fate::Committed, INVALID_TXN_STATE)));
    }
}

#[test]
fn a_late_commit_of_the_second_protocol_is_told_from_the_next() {
    assert_eq!(commit_arrives_in_the_next(Protocol::Second), Ok((Fate::Aborted, 0)));
}
