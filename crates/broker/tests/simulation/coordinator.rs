//! What the answers of the transaction coordinator commit it to.

use std::collections::{BTreeMap, BTreeSet};

use broker::Millis;

use crate::{
    run::{Checked, hold},
    step::At,
};

/// A transaction that is open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Open {
    pub(crate) partitions: BTreeSet<At>,
    pub(crate) offsets: bool,
    pub(crate) since: Millis,
}

/// A transactional id.
#[derive(Debug, Clone)]
pub(crate) struct Id {
    pub(crate) producer_id: i64,
    /// The only one that may do anything; -1 before the first.
    pub(crate) epoch: i16,
    /// Given to a producer: after an abort against its will, it is given to nobody.
    pub(crate) live: bool,
    pub(crate) timeout: Millis,
    pub(crate) open: Option<Open>,
    /// Of whom this epoch is the next: whoever did not hear of it asks again, and is given it once more (KIP-360).
    pub(crate) follows: Option<(i64, i16)>,
    /// How the last transaction ended, as long as nothing has happened since.
    pub(crate) last: Option<bool>,
}

/// Markers that must now stand in these partitions, and nowhere else.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    pub(crate) commits: bool,
    pub(crate) open: Open,
}

#[derive(Debug, Default)]
pub(crate) struct Coordinator {
    pub(crate) ids: BTreeMap<usize, Id>,
    /// Producer ids that have been given to someone.
    given: BTreeSet<i64>,
}

impl Coordinator {
    /// A producer id for an idempotent producer.
    pub(crate) fn give(&mut self, producer_id: i64) -> Checked {
        hold!(self.given.insert(producer_id), "producer id {producer_id} is given twice");
        Ok(())
    }

    /// Whether this is the one producer that may act for the transactional id.
    pub(crate) fn is_live(&self, id: usize, producer_id: i64, epoch: i16) -> bool {
        self.ids.get(&id).is_some_and(|state| state.live && (state.producer_id, state.epoch) == (producer_id, epoch))
    }

    pub(crate) fn open(&self, id: usize) -> Option<&Open> {
        self.ids.get(&id)?.open.as_ref()
    }

    /// InitProducerId has given an epoch; `present` is what the request named.
    pub(crate) fn initialized(
        &mut self,
        id: usize,
        (producer_id, epoch): (i64, i16),
        present: Option<(i64, i16)>,
        timeout: Millis,
    ) -> Checked {
        let before = self.ids.get(&id);
        if let Some(before) = before {
            hold!(before.open.is_none(), "InitProducerId leaves a transaction open");
            let newer = producer_id != before.producer_id || epoch > before.epoch;
            // The same request once more, whose answer was lost.
            let repeated = present.is_some() && present == before.follows && epoch == before.epoch;
            hold!(newer || repeated, "epoch {epoch} is given again");
        }
        if before.is_none_or(|before| before.producer_id != producer_id) {
            self.give(producer_id)?;
        }
        let state = Id { producer_id, epoch, live: true, timeout, open: None, follows: present, last: None };
        self.ids.insert(id, state);
        Ok(())
    }

    /// Something was added to the transaction, which begins if none is open.
    pub(crate) fn add(&mut self, id: usize, partition: Option<At>, now: Millis) {
        if let Some(state) = self.ids.get_mut(&id) {
            let open = state.open.get_or_insert_with(|| Open { since: now, ..Open::default() });
            match partition {
                Some(at) => drop(open.partitions.insert(at)),
                None => open.offsets = true,
            }
        }
    }

    /// The coordinator aborts, and raises the epoch: nobody has the new one.
    pub(crate) fn fence(&mut self, id: usize) -> Option<Decided> {
        let state = self.ids.get_mut(&id)?;
        let open = state.open.take()?;
        // With transaction.version 2, the fenced producer may still be told its new epoch.
        state.follows = Some((state.producer_id, state.epoch));
        state.epoch += 1;
        state.live = false;
        state.last = Some(false);
        Some(Decided { producer_id: state.producer_id, epoch: state.epoch, commits: false, open })
    }

    /// Whether this EndTxn has been carried out already, so that its answer must have been lost.
    pub(crate) fn is_repeated_end(
        &self,
        id: usize,
        (producer_id, epoch): (i64, i16),
        commits: bool,
        second: bool,
    ) -> bool {
        self.ids.get(&id).is_some_and(|state| {
            state.live
                && state.open.is_none()
                && state.last == Some(commits)
                && (state.producer_id, state.epoch) == (producer_id, epoch + i16::from(second))
        })
    }

    /// EndTxn was granted. `told`: the epoch of the answer, in the second protocol.
    pub(crate) fn ended(
        &mut self,
        id: usize,
        (producer_id, epoch): (i64, i16),
        commits: bool,
        told: Option<(i64, i16)>,
    ) -> Checked<Option<Decided>> {
        let live = self.is_live(id, producer_id, epoch);
        let state = self.ids.get_mut(&id).ok_or("EndTxn of an unknown id is granted")?;
        let Some(told) = told else {
            hold!(
                producer_id == state.producer_id && epoch == state.epoch,
                "EndTxn of epoch {epoch} is granted, and {} is live",
                state.epoch
            );
            let Some(open) = state.open.take() else {
                hold!(state.last == Some(commits), "an EndTxn of nothing is granted");
                return Ok(None);
            };
            hold!(live, "EndTxn of an epoch that nobody has is granted");
            state.last = Some(commits);
            return Ok(Some(Decided { producer_id, epoch, commits, open }));
        };
        if producer_id == state.producer_id && epoch + 1 == state.epoch && told == (producer_id, state.epoch) {
            hold!(state.last == Some(commits), "a repeated EndTxn is granted that decided otherwise");
            hold!(state.open.is_none(), "a repeated EndTxn is granted within the next transaction");
            // Also when it was the coordinator that aborted: the producer has the new epoch now, and goes on.
            state.live = true;
            return Ok(None);
        }
        hold!(live, "EndTxn of epoch {epoch} is granted, and {} is live", state.epoch);
        hold!(told == (producer_id, epoch + 1), "EndTxn gives {told:?} after epoch {epoch}");
        let open = state.open.take();
        hold!(open.is_some() || !commits, "a commit of nothing is granted");
        state.follows = Some((producer_id, epoch));
        state.epoch = epoch + 1;
        state.last = Some(commits);
        Ok(open.map(|open| Decided { producer_id, epoch: epoch + 1, commits, open }))
    }
}
