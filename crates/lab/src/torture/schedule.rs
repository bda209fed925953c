//! What is done to a program in one run, as data: it can be printed, given back, and made shorter.
//!
//! ```text
//! static,pause=2,batch=4,1.Produce.request.3=cut,1.EndTxn.response.2=kill:2,2.Fetch.response.1=delay:80
//! ```
//!
//! First how the run is set up, then the steps. A step acts on a frame: the third Produce request of the first instance.
//! Its instances are numbered; the first is there from the beginning, the others are started by a step.

use std::fmt;
use std::str::FromStr;

use proxy::{ApiKey, Side};

/// What is done to a program in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// Consumers have a `group.instance.id`, so that a successor takes its predecessor's place at once; else the group
    /// waits for the end of a dead member's session.
    pub(crate) is_static: bool,
    /// Milliseconds that the program pauses after each message.
    pub(crate) pause: u32,
    /// The most messages in a transaction of the pipeline.
    pub(crate) batch: u32,
    /// What happens, each when its moment comes.
    pub(crate) steps: Vec<Step>,
}

/// Something that is done, at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// When.
    pub(crate) at: Moment,
    /// What.
    pub(crate) deed: Deed,
}

/// A frame of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Which instance, from 1.
    pub(crate) instance: u32,
    /// Which API.
    pub(crate) api: ApiKey,
    /// The request, which the broker does not have yet; or the response, when it has done what it was asked for.
    pub(crate) side: Side,
    /// The nth of them, from 1.
    pub(crate) nth: u32,
}

/// What is done. Where it starts an instance, this is its number; where it waits, for so many milliseconds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// The connection is cut, the frame is lost.
    Cut,
    /// Nothing passes on the connection any more, and it stays open.
    Silence,
    /// The frame comes so many milliseconds later.
    Delay(u32),
    /// The frame waits for the moment, or so many milliseconds.
    Hold(u32, Moment),
    /// The client is answered with this error code, and the broker hears nothing.
    Answer(i16),
    /// A Produce comes to the broker a second time, at that moment.
    Repeat(Moment),
    /// The connection is cut, and a Produce comes to the broker at that moment.
    Postpone(Moment),
    /// There is no broker for so many milliseconds.
    Away(u32),
    /// kill -9, and the program is started again: the same transactional id, the same place in the group.
    Kill(u32),
    /// The program stands still, and another is started in its place; it goes on at that moment.
    Freeze(u32, Moment),
    /// The program stands still, and another member joins the group, which goes on without the first when its session is
    /// over; it wakes up at that moment.
    Evict(u32, Moment),
    /// Another member joins the group: the frame waits until it asks to.
    Join(u32),
    /// Ctrl-C; when the program has ended, it is started again.
    Leave(u32),
}

impl Deed {
    /// Which instance it starts.
    pub(crate) fn starts(self) -> Option<u32> {
        match self {
            Self::Kill(number)
            | Self::Freeze(number, _)
            | Self::Evict(number, _)
            | Self::Join(number)
            | Self::Leave(number) => Some(number),
            _ => None,
        }
    }

    /// Whether the program stands still meanwhile.
    pub(crate) fn freezes(self) -> bool {
        matches!(self, Self::Freeze(..) | Self::Evict(..))
    }

    /// What it waits for before it ends.
    pub(crate) fn until(self) -> Option<Moment> {
        match self {
            Self::Hold(_, moment)
            | Self::Repeat(moment)
            | Self::Postpone(moment)
            | Self::Freeze(_, moment)
            | Self::Evict(_, moment) => Some(moment),
            Self::Join(number) => {
                Some(Moment { instance: number, api: ApiKey::JoinGroup, side: Side::Request, nth: 1 })
            }
            _ => None,
        }
    }
}

impl Schedule {
    /// The place of an instance, which it shares with its predecessors and successors: the number of the first of them.
    pub(crate) fn place(&self, instance: u32) -> u32 {
        let step = self.steps.iter().find(|step| step.deed.starts() == Some(instance));
        match step {
            // An instance is started by one with a lower number: see `check`.
            Some(step) if !matches!(step.deed, Deed::Join(_) | Deed::Evict(..)) => self.place(step.at.instance),
            _ => instance,
        }
    }

    /// The same without these steps.
    pub(crate) fn with(&self, steps: &[Step]) -> Self {
        Self { steps: steps.to_vec(), ..self.clone() }
    }

    fn check(&self) -> Result<(), String> {
        for (nth, step) in self.steps.iter().enumerate() {
            let text = step.to_string();
            if step.at.nth == 0 || step.at.instance == 0 {
                return Err(format!("{text}: instances and frames are counted from 1"));
            }
            let Some(number) = step.deed.starts() else { continue };
            if number <= step.at.instance {
                return Err(format!(
                    "{text}: an instance that is started has a higher number than who makes room for it"
                ));
            }
            if self.steps.iter().skip(nth + 1).any(|other| other.deed.starts() == Some(number)) {
                return Err(format!("{text}: instance {number} is started twice"));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let membership = if self.is_static { "static" } else { "dynamic" };
        write!(out, "{membership},pause={},batch={}", self.pause, self.batch)?;
        self.steps.iter().try_for_each(|step| write!(out, ",{step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}={}", self.at, self.deed)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Request => "request",
            Side::Response => "response",
        };
        write!(out, "{}.{:?}.{side}.{}", self.instance, self.api, self.nth)
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => out.write_str("cut"),
            Self::Silence => out.write_str("silence"),
            Self::Delay(millis) => write!(out, "delay:{millis}"),
            Self::Hold(millis, until) => write!(out, "hold:{millis}:{until}"),
            Self::Answer(code) => write!(out, "answer:{code}"),
            Self::Repeat(upon) => write!(out, "repeat:{upon}"),
            Self::Postpone(until) => write!(out, "postpone:{until}"),
            Self::Away(millis) => write!(out, "away:{millis}"),
            Self::Kill(number) => write!(out, "kill:{number}"),
            Self::Freeze(number, until) => write!(out, "freeze:{number}:{until}"),
            Self::Evict(number, until) => write!(out, "evict:{number}:{until}"),
            Self::Join(number) => write!(out, "join:{number}"),
            Self::Leave(number) => write!(out, "leave:{number}"),
        }
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut schedule = Self { is_static: true, pause: 0, batch: 1, steps: Vec::new() };
        for word in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty()) {
            match word.split_once('=') {
                None if word == "static" => schedule.is_static = true,
                None if word == "dynamic" => schedule.is_static = false,
                Some(("pause", millis)) => schedule.pause = number(millis)?,
                Some(("batch", messages)) => schedule.batch = number(messages)?,
                Some((at, deed)) => schedule.steps.push(Step { at: at.parse()?, deed: deed.parse()? }),
                None => return Err(format!("{word}: write MOMENT=DEED, for example 1.Produce.request.3=cut")),
            }
        }
        schedule.check()?;
        Ok(schedule)
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text}: write INSTANCE.API.request.NTH or INSTANCE.API.response.NTH");
        let [instance, api, side, nth] = text.split('.').collect::<Vec<_>>().try_into().map_err(|_| wrong())?;
        let api = APIS.iter().find(|known| format!("{known:?}") == api);
        let side = match side {
            "request" => Side::Request,
            "response" => Side::Response,
            _ => return Err(wrong()),
        };
        let api = *api.ok_or_else(|| format!("{text}: no schedule names this API"))?;
        Ok(Self { instance: number(instance)?, api, side, nth: number(nth)? })
    }
}

impl FromStr for Deed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let two = || rest.split_once(':').ok_or_else(|| format!("{text}: something is missing"));
        Ok(match name {
            "cut" if rest.is_empty() => Self::Cut,
            "silence" if rest.is_empty() => Self::Silence,
            "delay" => Self::Delay(number(rest)?),
            "hold" => Self::Hold(number(two()?.0)?, two()?.1.parse()?),
            "answer" => Self::Answer(rest.parse().map_err(|_| format!("{rest} is no error code"))?),
            "repeat" => Self::Repeat(rest.parse()?),
            "postpone" => Self::Postpone(rest.parse()?),
            "away" => Self::Away(number(rest)?),
            "kill" => Self::Kill(number(rest)?),
            "freeze" => Self::Freeze(number(two()?.0)?, two()?.1.parse()?),
            "evict" => Self::Evict(number(two()?.0)?, two()?.1.parse()?),
            "join" => Self::Join(number(rest)?),
            "leave" => Self::Leave(number(rest)?),
            _ => return Err(format!("{text} is nothing that can be done")),
        })
    }
}

/// The APIs at whose frames something can be done.
pub(super) const APIS: &[ApiKey] = &[
    ApiKey::Metadata,
    ApiKey::FindCoordinator,
    ApiKey::InitProducerId,
    ApiKey::AddPartitionsToTxn,
    ApiKey::AddOffsetsToTxn,
    ApiKey::TxnOffsetCommit,
    ApiKey::EndTxn,
    ApiKey::Produce,
    ApiKey::Fetch,
    ApiKey::OffsetFetch,
    ApiKey::OffsetCommit,
    ApiKey::JoinGroup,
    ApiKey::SyncGroup,
    ApiKey::Heartbeat,
    ApiKey::LeaveGroup,
];

/// A number of anything: a million of it is too much.
fn number(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|number| *number < 1_000_000).ok_or_else(|| format!("{text} is no number below a million"))
}
