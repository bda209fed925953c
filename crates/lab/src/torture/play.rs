//! A schedule on the stage: every fault is armed before its instance starts; what a step does to programs is done as soon
//! as its moment has come.
//!
//! Then all faults are lifted, whoever is frozen goes on, and the rest is done in peace, beside the zombies: by a clean
//! successor in the group; by another instance of a producer, if the last one has not ended well.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::stop;
use proxy::{Action, Fault, Side, When};

use super::schedule::{Deed, Moment, Schedule, Step};
use crate::catalogue::Role;
use crate::child::Ended;
use crate::error::Error;
use crate::kafka::Offsets;
use crate::stage::{Stage, Start, Work};
use crate::text::Lang;

/// How often signals are looked at.
const LOOK: Duration = Duration::from_millis(5);

/// How often the broker is asked how far the group is.
const ASK: Duration = Duration::from_millis(50);

/// A schedule that has not come to its end by then is ended: what remains of it is not met.
const LONGEST: Duration = Duration::from_secs(12);

/// How long a frame waits for a newcomer to start. Much less than the client waits for its answer: see
/// [`draw`](super::draw) for what must not come late.
const NEWCOMER: Duration = Duration::from_millis(1500);

/// Nothing is done any more: longer than any time limit of the program.
const STALLED: Duration = Duration::from_secs(60);

/// How many clean successors there may be: a zombie that initialises its producer once more ends the first of them.
const SUCCESSORS: u32 = 5;

/// In how many parts the input comes: each when the group has done the one before.
const PARTS: usize = 3;

/// Plays it; which steps were met is told in `met`.
pub(super) fn play(stage: &mut Stage<'_>, schedule: &Schedule, met: &mut Vec<bool>) -> Result<(), Error> {
    if let Role::Producer(_) = stage.program.role {
        return perform(stage, schedule, None, met);
    }
    stage.fill_aborted()?;
    let part = stage.messages().div_ceil(PARTS);
    stage.fill_some(0..part)?;
    let (work, offsets) = (stage.work()?, stage.settled_offsets()?);
    let (topic, partitions) = (stage.topic(), stage.case.partitions);
    let committed = Committed::default();
    std::thread::scope(|scope| {
        scope.spawn(|| committed.keep_asking(&offsets, &topic, partitions));
        let played = perform(stage, schedule, Some(Group { filled: part, work, committed: &committed }), met);
        committed.over.store(true, Ordering::Relaxed);
        played
    })
}

fn perform(
    stage: &mut Stage<'_>,
    schedule: &Schedule,
    group: Option<Group<'_>>,
    met: &mut Vec<bool>,
) -> Result<(), Error> {
    let states = schedule.steps.iter().map(|_| State::Waits).collect();
    let mut play = Play { stage, schedule, states, started: BTreeSet::new(), group };
    play.arm();
    let played = play.start(1).and_then(|()| play.through());
    *met = play.states.iter().map(|state| !matches!(state, State::Waits)).collect();
    played?;
    play.finish()
}

/// What there is to do for a group, and how far it is.
struct Group<'p> {
    /// How many messages there are in its input.
    filled: usize,
    work: Work,
    committed: &'p Committed,
}

/// The offsets that a group has committed, as the broker said last. It is asked on a thread of its own: it may take its
/// time, and no moment must be missed meanwhile.
#[derive(Default)]
struct Committed {
    last: Mutex<Vec<(i32, i64)>>,
    over: AtomicBool,
}

impl Committed {
    fn keep_asking(&self, offsets: &Offsets, topic: &str, partitions: i32) {
        while !self.over.load(Ordering::Relaxed) {
            match offsets.committed(topic, partitions) {
                Ok(committed) => *self.last.lock().unwrap_or_else(PoisonError::into_inner) = committed,
                // Who waits for it gives up when nothing changes.
                Err(why) => log::debug!("{}", Lang::En.error(&why)),
            }
            std::thread::sleep(ASK);
        }
    }
}

struct Play<'p, 'a> {
    stage: &'p mut Stage<'a>,
    schedule: &'p Schedule,
    states: Vec<State>,
    /// The instances that have been started.
    started: BTreeSet<u32>,
    /// Of a program that reads.
    group: Option<Group<'p>>,
}

/// Of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Its moment has not come.
    Waits,
    /// It acts since then.
    Acts(Instant),
    /// Nothing is left to be done.
    Over,
}

/// The name of an instance, and of its client at the proxy.
fn name(instance: u32) -> String {
    format!("instance-{instance}")
}

/// The signal that a step's moment has come.
fn met(step: usize) -> String {
    format!("step {}", step + 1)
}

/// The signal that what the step waits for has come.
fn until(step: usize) -> String {
    format!("step {}: until", step + 1)
}

/// The signal that lets go what the step holds back.
fn goes_on(step: usize) -> String {
    format!("step {}: goes on", step + 1)
}

impl Play<'_, '_> {
    fn arm(&self) {
        for (nth, step) in self.schedule.steps.iter().enumerate() {
            let until_then = || goes_on(nth);
            let action = match step.deed {
                Deed::Cut => Action::Cut,
                Deed::Silence => Action::Silence,
                Deed::Delay(millis) => Action::Delay(Duration::from_millis(millis.into())),
                Deed::Answer(error) => Action::Answer { error, until: None },
                Deed::Repeat(_) => Action::Repeat { upon: until_then() },
                Deed::Postpone(_) => Action::Postpone { until: until_then() },
                Deed::Away(_) => Action::Away { until: until_then() },
                Deed::Kill(_) => Action::Kill,
                Deed::Freeze(..) | Deed::Evict(..) => Action::Freeze { until: until_then() },
                Deed::Hold(..) | Deed::Join(_) => Action::Hold { until: until_then() },
                Deed::Leave(_) => Action::Note,
            };
            self.stage.arm(Fault::new(met(nth), when(step.at), action));
            if let Some(moment) = step.deed.until() {
                self.stage.arm(Fault::new(until(nth), when(moment), Action::Note));
            }
        }
    }

    /// Starts an instance, if it has not been started.
    fn start(&mut self, instance: u32) -> Result<(), Error> {
        if self.started.insert(instance) {
            let start = self.how(self.schedule.place(instance));
            self.stage.start_with(&name(instance), start)?;
        }
        Ok(())
    }

    /// How an instance in this place is started.
    fn how(&self, place: u32) -> Start {
        let own = format!("{}-{place}", self.stage.transactional_id());
        let is_member = self.group.is_some();
        Start {
            transactional_id: (place != 1).then_some(Some(own)),
            pause: Some(Duration::from_millis(self.schedule.pause.into())),
            batch: Some(self.schedule.batch.max(1) as usize),
            member: (is_member && self.schedule.is_static).then(|| format!("member-{place}")),
            ..Start::default()
        }
    }

    /// Until every step is over, or cannot come any more.
    fn through(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            for nth in 0..self.states.len() {
                self.look_at(nth)?;
            }
            if stop::requested() {
                return Err(Error::Interrupted);
            }
            let over = self.states.iter().all(|state| *state == State::Over);
            if over || self.have_ended()? || begun.elapsed() > LONGEST {
                return Ok(());
            }
            if self.is_done() && !self.fill(self.part())? {
                return Ok(());
            }
            stop::sleep(LOOK);
        }
    }

    fn look_at(&mut self, nth: usize) -> Result<(), Error> {
        let (Some(step), Some(state)) = (self.schedule.steps.get(nth).copied(), self.states.get(nth).copied()) else {
            return Ok(());
        };
        let next = match state {
            State::Waits if self.stage.proxy().count(&met(nth)) > 0 => self.begin(step)?,
            State::Acts(since) if self.has_come(nth, step.deed, since)? || self.has_left(step)? => {
                self.end(nth, step)?;
                State::Over
            }
            other => other,
        };
        if let Some(state) = self.states.get_mut(nth) {
            *state = next;
        }
        Ok(())
    }

    /// The step's moment has come.
    fn begin(&mut self, step: Step) -> Result<State, Error> {
        match step.deed {
            Deed::Cut | Deed::Silence | Deed::Delay(_) | Deed::Answer(_) => Ok(State::Over),
            Deed::Kill(number) => self.start(number).map(|()| State::Over),
            Deed::Freeze(number, _) | Deed::Evict(number, _) | Deed::Join(number) => {
                self.start(number).map(|()| State::Acts(Instant::now()))
            }
            Deed::Leave(_) => {
                self.stage.interrupt(&name(step.at.instance))?;
                Ok(State::Acts(Instant::now()))
            }
            Deed::Hold(..) | Deed::Repeat(_) | Deed::Postpone(_) | Deed::Away(_) => Ok(State::Acts(Instant::now())),
        }
    }

    /// Whether what it waits for has come, or will not.
    fn has_come(&mut self, nth: usize, deed: Deed, since: Instant) -> Result<bool, Error> {
        let limit = match deed {
            Deed::Hold(millis, _) | Deed::Away(millis) => Some(Duration::from_millis(millis.into())),
            Deed::Join(_) => Some(NEWCOMER),
            _ => None,
        };
        if limit.is_some_and(|limit| since.elapsed() >= limit) || self.stage.proxy().count(&until(nth)) > 0 {
            return Ok(true);
        }
        match deed.until() {
            Some(Moment { instance, .. }) if self.started.contains(&instance) => {
                Ok(self.stage.ended(&name(instance))?.is_some())
            }
            _ => Ok(false),
        }
    }

    /// Whether an instance that was asked to has ended.
    fn has_left(&mut self, step: Step) -> Result<bool, Error> {
        Ok(matches!(step.deed, Deed::Leave(_)) && self.stage.ended(&name(step.at.instance))?.is_some())
    }

    /// What the step holds back goes on.
    fn end(&mut self, nth: usize, step: Step) -> Result<(), Error> {
        // What was held is on its way before the program can know that it stood still.
        self.stage.signal(&goes_on(nth));
        match step.deed {
            Deed::Leave(number) => self.start(number),
            deed if deed.freezes() => self.stage.thaw(&name(step.at.instance)),
            _ => Ok(()),
        }
    }

    /// Whether no instance runs any more that is not frozen. One that a step has just killed is about to be succeeded.
    fn have_ended(&mut self) -> Result<bool, Error> {
        for instance in self.started.clone() {
            let has = |is: fn(Deed) -> bool, then: fn(State) -> bool| {
                let mut steps = self.schedule.steps.iter().zip(&self.states);
                steps.any(|(step, state)| step.at.instance == instance && is(step.deed) && then(*state))
            };
            let acts = |state| matches!(state, State::Acts(_));
            let kills = |deed| matches!(deed, Deed::Kill(_));
            let is_frozen = has(Deed::freezes, acts);
            let is_to_leave = has(|deed| matches!(deed, Deed::Leave(_)), acts);
            let is_to_die = has(kills, |state| state == State::Waits) && !has(kills, |state| state == State::Over);
            let over = match self.stage.ended(&name(instance))? {
                None => is_frozen,
                Some(Ended::Signal(_)) => !is_to_die,
                Some(_) => !is_to_leave,
            };
            if !over {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a group has nothing left to do.
    fn is_done(&mut self) -> bool {
        let Some(Group { work, committed, .. }) = &mut self.group else { return false };
        let committed = committed.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.stage.is_done(work, committed)
    }

    /// How many messages come at once.
    fn part(&self) -> usize {
        self.stage.messages().div_ceil(PARTS)
    }

    /// Writes so many more messages to a group's input; whether there were any.
    fn fill(&mut self, messages: usize) -> Result<bool, Error> {
        let Some(group) = &mut self.group else { return Ok(false) };
        let some = group.filled..(group.filled + messages).min(self.stage.messages());
        if some.is_empty() {
            return Ok(false);
        }
        group.filled = some.end;
        self.stage.fill_some(some)?;
        group.work = self.stage.work()?;
        Ok(true)
    }

    /// No more faults: what is held back goes on, whoever is frozen wakes up, and what is left is done.
    fn finish(&mut self) -> Result<(), Error> {
        self.stage.proxy().disarm();
        let mut successors = Successors { started: 0, newest: BTreeMap::new(), all: Vec::new() };
        for instance in &self.started {
            successors.all.push(name(*instance));
            // Of each place, who came last.
            successors.newest.insert(self.schedule.place(*instance), name(*instance));
        }
        if self.group.is_some() {
            self.fill(self.stage.messages())?;
            self.succeed(&mut successors, 1)?;
        }
        let mut quiet = (Instant::now(), 0);
        loop {
            self.wake()?;
            let lines = self.stage.count_lines();
            if lines != quiet.1 {
                quiet = (Instant::now(), lines);
            }
            if self.is_finished(&mut successors)? {
                break;
            }
            if stop::requested() {
                return Err(Error::Interrupted);
            }
            if quiet.0.elapsed() > STALLED {
                return Err(Error::Stalled(STALLED));
            }
            stop::sleep(LOOK);
        }
        successors.all.iter().try_for_each(|who| self.stage.stop(who).map(drop))
    }

    /// Lets go on whatever stands still, also what came to a stand a moment ago.
    fn wake(&mut self) -> Result<(), Error> {
        for nth in 0..self.states.len() {
            let (Some(step), Some(state)) = (self.schedule.steps.get(nth).copied(), self.states.get_mut(nth)) else {
                continue;
            };
            if *state != State::Over && self.stage.proxy().count(&met(nth)) > 0 {
                *state = State::Over;
                if step.deed.freezes() {
                    self.stage.thaw(&name(step.at.instance))?;
                }
                self.stage.signal(&goes_on(nth));
            }
        }
        Ok(())
    }

    /// Whether the group has done everything; whether all producers have ended, the last one well. Who fails is started
    /// again.
    fn is_finished(&mut self, successors: &mut Successors) -> Result<bool, Error> {
        if self.group.is_some() {
            for (place, who) in successors.newest.clone() {
                let failed = match self.stage.ended(&who)? {
                    None => false,
                    // A member that has left may stay away; somebody has to stay.
                    Some(ended) => place == 1 || ended != Ended::Status(0),
                };
                if failed {
                    self.succeed(successors, place)?;
                }
            }
            return Ok(self.is_done());
        }
        for who in &successors.all {
            if self.stage.ended(who)?.is_none() {
                return Ok(false);
            }
        }
        match successors.newest.get(&1) {
            Some(last) if self.stage.ended(last)? == Some(Ended::Status(0)) => Ok(true),
            _ => self.succeed(successors, 1).map(|()| false),
        }
    }

    /// Starts a clean successor in this place.
    fn succeed(&mut self, successors: &mut Successors, place: u32) -> Result<(), Error> {
        // Who is used wrongly will be so again.
        self.stage.refused()?;
        if successors.started == SUCCESSORS {
            return Err(Error::NotReached { moment: "a clean end".to_owned() });
        }
        successors.started += 1;
        let who = match successors.started {
            1 => "last".to_owned(),
            nth => format!("last-{nth}"),
        };
        let start = self.how(place);
        self.stage.start_with(&who, start)?;
        successors.all.push(who.clone());
        successors.newest.insert(place, who);
        Ok(())
    }
}

/// Who runs when the schedule is over.
struct Successors {
    /// How many clean successors there were.
    started: u32,
    /// Of each place, the last instance.
    newest: BTreeMap<u32, String>,
    /// All instances.
    all: Vec<String>,
}

fn when(moment: Moment) -> When {
    let of = match moment.side {
        Side::Request => When::request,
        Side::Response => When::response,
    };
    of(moment.api).of(name(moment.instance)).nth(moment.nth)
}

#[cfg(test)]
mod tests {
    use proxy::ApiKey;

    use super::*;

    #[test]
    fn every_moment_is_one_of_the_proxy() {
        let moment = Moment { instance: 2, api: ApiKey::EndTxn, side: Side::Response, nth: 3 };
        assert_eq!(when(moment), When::response(ApiKey::EndTxn).of("instance-2").nth(3));
    }
}
