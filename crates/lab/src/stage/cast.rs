//! The instances of the program: started, frozen, killed, waited for.

use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::stop;
use proxy::{Event, Happening};

use super::clock::Clock;
use super::drain::ONE_LESS;
use super::{LOOK, SLICE, Stage};
use crate::catalogue::Role;
use crate::child::{Child, Control, Ended, Reading};
use crate::error::Error;
use crate::grade::Breach;
use crate::invocation::{self, Work};
use crate::outcome::{Deed, Instance};
use crate::scenario::Ends;

/// A program that prints nothing for so long will print nothing any more: more than any time limit of its own.
pub(crate) const STALLED: Duration = Duration::from_secs(60);

/// How long a program may take to end after Ctrl-C: it commits or aborts what is under way, and leaves its group.
const ENDING: Duration = Duration::from_secs(20);

/// Ctrl-C at the lab: the user waits.
const INTERRUPTED: Duration = Duration::from_secs(3);

/// One instance of the program.
pub(super) struct Cast {
    pub(super) name: String,
    given_id: Option<String>,
    child: Child,
    deeds: Deeds,
    ended: Option<Ended>,
    /// How it must end, where the scenario says so ([`Stage::ends`]).
    must: Option<Ends>,
}

/// What was done to it, and when; the proxy's thread does some of it.
#[derive(Clone)]
struct Deeds {
    clock: Clock,
    list: Arc<Mutex<Vec<(u64, Deed)>>>,
}

impl Deeds {
    fn add(&self, deed: Deed) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).push((self.clock.now(), deed));
    }
}

/// How an instance is started, where it is not as usual.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// Its transactional id, where it is not the usual one; `Some(None)`: the program's own default, without the flag.
    pub transactional_id: Option<Option<String>>,
    /// Stand still after so many lines (see [`Reading::pause_after`]), until [`Stage::read_on`].
    pub pause_after: Option<usize>,
    /// A pause after each message (`INTERVAL_MS`).
    pub pause: Option<Duration>,
    /// The most messages in a transaction of the pipeline (`BATCH_SIZE`).
    pub batch: Option<usize>,
    /// Its place in the group, which it takes from whoever has it (`group.instance.id`).
    pub member: Option<String>,
}

impl Cast {
    pub(super) fn has_ended(&self) -> bool {
        self.child.has_ended()
    }

    /// Whether it was killed, by a fault or by the scenario.
    pub(super) fn was_killed(&self) -> bool {
        self.deeds().iter().any(|(_, deed)| matches!(deed, Deed::Kill))
    }

    /// Whether it runs, and was not frozen by the lab.
    pub(super) fn can_act(&self) -> bool {
        let deeds = self.deeds();
        let last = deeds.iter().rev().find(|(_, deed)| matches!(deed, Deed::Freeze | Deed::Thaw));
        !self.has_ended() && !matches!(last, Some((_, Deed::Freeze)))
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.child.lines().into_iter().map(|(_, line)| line).collect()
    }

    fn deeds(&self) -> Vec<(u64, Deed)> {
        self.deeds.list.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        self.ended
    }

    pub(super) fn must(&self) -> Option<Ends> {
        self.must
    }

    pub(super) fn flooded(&self) -> bool {
        self.child.flooded()
    }

    /// The line of its log that says why it failed: the last that begins with "error", or else the last.
    pub(super) fn last_words(&self) -> Option<String> {
        let log = self.child.log();
        let mut lines = log.into_iter().rev().filter(|line| !line.trim().is_empty()).peekable();
        let last = lines.peek().cloned();
        lines.find(|line| line.starts_with("error")).or(last)
    }

    pub(super) fn instance(&self) -> Instance {
        Instance {
            name: self.name.clone(),
            given_id: self.given_id.clone(),
            lines: self.child.lines().into_iter().map(|(when, line)| (self.deeds.clock.micros(when), line)).collect(),
            deeds: self.deeds(),
            ended: self.ended,
            said: self.last_words(),
        }
    }

    fn wait(&mut self, limit: Duration) -> Option<Ended> {
        if self.ended.is_none() {
            self.ended = self.child.wait(limit);
            if self.ended.is_some() {
                self.deeds.add(Deed::End);
            }
        }
        self.ended
    }

    fn control(&self) -> &Control {
        self.child.control()
    }
}

impl Stage<'_> {
    /// Starts an instance, behind the proxy under this name.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, name: &str) -> Result<(), Error> {
        self.start_with(name, Start::default())
    }

    /// Starts an instance with a transactional id of its own: other instances do not fence it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_apart(&mut self, name: &str) -> Result<(), Error> {
        self.start_with(name, self.apart(name))
    }

    /// The same, for a start that differs in more.
    pub fn apart(&self, name: &str) -> Start {
        Start { transactional_id: Some(Some(format!("{}-{name}", self.transactional_id()))), ..Start::default() }
    }

    /// Starts an instance that differs from the usual.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_with(&mut self, name: &str, how: Start) -> Result<(), Error> {
        if stop::requested() {
            return Err(Error::Interrupted);
        }
        let address = self.proxy.client(name).map_err(|error| Error::Proxy(error.to_string()))?;
        let mut flags = self.kafka.broker().clone();
        flags.bootstrap_servers = address.to_string();
        let topic = self.topic();
        let output = self.output();
        let group = self.group();
        let id = match how.transactional_id {
            None => Some(self.transactional_id()),
            Some(id) => id,
        };
        let work = Work {
            topic: &topic,
            output: output.as_deref(),
            group: &group,
            transactional_id: id.as_deref(),
            messages: self.messages() as u64,
            folder: self.folder.path(),
        };
        let mut settings = self.settings.clone();
        settings.extend(how.member.map(|member| ("group.instance.id".to_owned(), member)));
        let mut command = match &self.house.command {
            Some(client) => invocation::foreign(&client.words, self.program, &flags, &work, &settings),
            None => {
                let package = self.program.package;
                let executable = self.house.executables.get(package).ok_or_else(|| Error::Spawn {
                    program: package.to_owned(),
                    why: "cargo has not built it".to_owned(),
                })?;
                invocation::command(executable, self.program, &flags, &work, &settings)
            }
        };
        command.envs(how.pause.map(|pause| ("INTERVAL_MS", pause.as_millis().to_string())));
        command.envs(how.batch.map(|batch| ("BATCH_SIZE", batch.to_string())));
        if let Some(room) = &self.house.room {
            command = room.command(&command)?;
        }
        self.spawn(name, id, &mut command, how.pause_after)
    }

    fn spawn(
        &mut self,
        name: &str,
        given_id: Option<String>,
        command: &mut Command,
        pause_after: Option<usize>,
    ) -> Result<(), Error> {
        // A line or two for each message, and room for a program that repeats itself: that is an anomaly, no flood.
        let most_lines = self.messages().saturating_mul(20).saturating_add(1000);
        let deeds = Deeds { clock: self.clock, list: Arc::default() };
        deeds.add(Deed::Start);
        let child = Child::spawn(command, Reading { most_lines, pause_after }).map_err(|error| {
            let program = command.get_program().to_string_lossy().into_owned();
            let why = error.to_string();
            match self.house.command {
                Some(_) => Error::Command { program, why },
                None => Error::Spawn { program, why },
            }
        })?;
        let (control, told) = (child.control().clone(), deeds.clone());
        self.proxy.controls(name, move |signal| match signal {
            proxy::Signal::Kill => {
                told.add(Deed::Kill);
                control.kill();
            }
            proxy::Signal::Freeze => {
                told.add(Deed::Freeze);
                control.freeze();
            }
        });
        self.cast.push(Cast { name: name.to_owned(), given_id, child, deeds, ended: None, must: None });
        Ok(())
    }

    /// Says how an instance must end. For the last one that is started, the case says it.
    ///
    /// # Errors
    /// When it was never started.
    pub fn ends(&mut self, name: &str, how: Ends) -> Result<(), Error> {
        self.cast(name)?.must = Some(how);
        Ok(())
    }

    fn cast(&mut self, name: &str) -> Result<&mut Cast, Error> {
        let missing = || Error::NotReached { moment: format!("start of {name}") };
        // The last of this name: an instance may be started again.
        self.cast.iter_mut().rev().find(|cast| cast.is(name)).ok_or_else(missing)
    }

    /// Kills an instance, and returns when it is dead.
    ///
    /// # Errors
    /// When it was never started.
    pub fn kill(&mut self, name: &str) -> Result<(), Error> {
        let cast = self.cast(name)?;
        cast.deeds.add(Deed::Kill);
        cast.control().kill();
        cast.child.read_on();
        cast.wait(ENDING);
        Ok(())
    }

    /// How an instance has ended; `None` while it runs.
    ///
    /// # Errors
    /// When it was never started.
    pub fn ended(&mut self, name: &str) -> Result<Option<Ended>, Error> {
        Ok(self.cast(name)?.wait(Duration::ZERO))
    }

    /// Asks an instance to stop, as Ctrl-C does.
    ///
    /// # Errors
    /// When it was never started.
    pub fn interrupt(&mut self, name: &str) -> Result<(), Error> {
        let cast = self.cast(name)?;
        cast.deeds.add(Deed::Interrupt);
        cast.control().interrupt();
        Ok(())
    }

    /// Lets a frozen instance go on.
    ///
    /// # Errors
    /// When it was never started.
    pub fn thaw(&mut self, name: &str) -> Result<(), Error> {
        let cast = self.cast(name)?;
        cast.deeds.add(Deed::Thaw);
        cast.control().thaw();
        Ok(())
    }

    /// Goes on reading an instance that was started with [`Start::pause_after`].
    ///
    /// # Errors
    /// When it was never started.
    pub fn read_on(&mut self, name: &str) -> Result<(), Error> {
        self.cast(name)?.child.read_on();
        Ok(())
    }

    /// Waits until an instance has printed so many lines.
    ///
    /// # Errors
    /// [`Error::NotReached`] when it does not.
    pub fn lines(&mut self, name: &str, lines: usize) -> Result<(), Error> {
        let end = Instant::now() + STALLED;
        loop {
            let cast = self.cast(name)?;
            let (now, closed) = cast.child.progress();
            if now >= lines {
                return Ok(());
            }
            if stop::requested() {
                return Err(Error::Interrupted);
            }
            if closed || Instant::now() > end {
                return Err(Error::NotReached { moment: format!("{lines} lines of {name}") });
            }
            cast.child.watch(now, SLICE, |_| true);
        }
    }

    /// How many lines all instances have printed.
    pub(crate) fn count_lines(&self) -> usize {
        self.cast.iter().map(|cast| cast.child.progress().0).sum()
    }

    /// Waits for an instance to end by itself, as producers do.
    ///
    /// # Errors
    /// [`Error::Stalled`] when it says nothing more and does not end: it is killed then. [`Error::NotReached`] when it reads
    /// on and on, in vain.
    pub fn join(&mut self, name: &str) -> Result<Ended, Error> {
        let mut last = (Instant::now(), 0);
        loop {
            let cast = self.cast(name)?;
            if let Some(ended) = cast.wait(SLICE) {
                return Ok(ended);
            }
            let (lines, _) = cast.child.progress();
            if lines != last.1 {
                last = (Instant::now(), lines);
            }
            if stop::requested() {
                cast.control().interrupt();
                cast.wait(INTERRUPTED);
                return Err(Error::Interrupted);
            }
            let quiet = last.0.elapsed();
            if quiet > STALLED {
                cast.control().kill();
                cast.wait(ENDING);
                return Err(Error::Stalled(STALLED));
            }
            if quiet > ONE_LESS && self.reads_on(name) {
                return Err(Error::NotReached { moment: format!("end of {name}") });
            }
        }
    }

    /// Stops an instance with Ctrl-C, and waits for its end. Nothing happens when it has ended already.
    ///
    /// # Errors
    /// [`Error::Stalled`] when it does not end: it is killed then.
    pub fn stop(&mut self, name: &str) -> Result<Ended, Error> {
        if !self.cast(name)?.has_ended() {
            self.interrupt(name)?;
        }
        let cast = self.cast(name)?;
        match cast.wait(ENDING) {
            Some(ended) => Ok(ended),
            None => {
                cast.control().kill();
                cast.wait(ENDING);
                Err(Error::Stalled(ENDING))
            }
        }
    }

    /// The usual end: a producer is waited for; a consumer or pipeline is stopped when its group has done the input.
    ///
    /// # Errors
    /// As [`join`](Self::join), [`drain`](Self::drain) and [`stop`](Self::stop).
    pub fn finish(&mut self, name: &str) -> Result<Ended, Error> {
        if let Role::Producer(_) = self.program.role {
            return self.join(name);
        }
        self.begun(name)?;
        self.drain()?;
        self.stop(name)
    }

    /// Waits until a consumer has been given its share of partitions, or has ended: there may be nothing left for it to
    /// do, and to stop it before it has begun would be another experiment.
    fn begun(&mut self, name: &str) -> Result<(), Error> {
        let end = Instant::now() + STALLED;
        let has_begun = |event: &Event| match &event.happening {
            Happening::Frame(frame) if event.client == name => {
                // A client of another group protocol shows it by its first Fetch.
                frame.api == "Fetch" || frame.api == "SyncGroup" && frame.facts.error == Some(0)
            }
            _ => false,
        };
        while !self.cast(name)?.has_ended() && !self.proxy.trace().iter().any(has_begun) {
            if stop::requested() {
                return Err(Error::Interrupted);
            }
            if Instant::now() > end {
                return Err(Error::Stalled(STALLED));
            }
            stop::sleep(LOOK);
        }
        Ok(())
    }

    /// Ends whatever still runs.
    pub(super) fn clear(&mut self) {
        let rushed = stop::requested();
        for cast in self.cast.iter_mut().filter(|cast| cast.ended.is_none()) {
            if rushed && !cast.has_ended() {
                cast.control().interrupt();
                cast.wait(INTERRUPTED);
            }
            if !cast.has_ended() {
                cast.deeds.add(Deed::Kill);
                cast.control().kill();
            }
            cast.child.read_on();
            cast.wait(ENDING);
        }
        if let Some(room) = &self.house.room {
            if self.cast.iter().any(Cast::flooded) {
                room.breaks(Breach::Output);
            }
            room.close();
        }
    }
}
