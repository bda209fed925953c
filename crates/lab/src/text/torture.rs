//! What `lab torture` says.

use std::time::Duration;

use proxy::Side;

use super::Lang::{self, En, Fr};
use crate::ledger::Kind;
use crate::torture::Found;
use crate::torture::schedule::{Deed, Moment, Schedule, Step};

impl Lang {
    pub(crate) fn torture_runs(self) -> &'static str {
        self.pick("runs", "exécutions")
    }

    /// How many, and how long they took.
    pub(crate) fn torture_times(self, runs: usize, all: Duration, mean: Duration) -> String {
        let (all, mean) = (self.seconds(all), self.seconds(mean));
        match self {
            En => format!("{runs}, in {all} s, several at a time; {mean} s each on average"),
            Fr => format!("{runs}, en {all} s, plusieurs à la fois ; {mean} s chacune en moyenne"),
        }
    }

    pub(crate) fn torture_steps(self) -> &'static str {
        self.pick("steps whose moment came", "étapes dont le moment est venu")
    }

    pub(crate) fn torture_of(self, some: usize, all: usize) -> String {
        match self {
            En => format!("{some} of {all}"),
            Fr => format!("{some} sur {all}"),
        }
    }

    pub(crate) fn torture_kills(self) -> &'static str {
        "kill -9"
    }

    pub(crate) fn torture_restarts(self) -> &'static str {
        self.pick("instances started besides the first", "instances lancées outre la première")
    }

    pub(crate) fn torture_marks_heading(self) -> &'static str {
        self.pick("What the protocol showed", "Ce qu'a montré le protocole")
    }

    pub(crate) fn torture_found_heading(self) -> &'static str {
        self.pick("What showed, and breaks no promise", "Ce qui s'est produit sans rompre la promesse")
    }

    pub(crate) fn torture_broken_heading(self) -> &'static str {
        self.pick("What broke the promise", "Ce qui a rompu la promesse")
    }

    /// What showed.
    pub(crate) fn found(self, found: Found) -> String {
        match found {
            Found::Anomaly(kind) => self.kind_announced(kind).to_owned(),
            Found::StartedOver => self
                .pick("a duplicate by a program that starts over", "un doublon d'un programme qui recommence tout")
                .to_owned(),
        }
    }

    /// What broke the promise.
    pub(crate) fn torture_broken(self, kind: Kind) -> String {
        format!("✗ {}", self.kind_announced(kind))
    }

    /// In how many runs, and in which first.
    pub(crate) fn torture_count(self, runs: usize, first: u32) -> String {
        match (self, runs) {
            (En, 1) => format!("in 1 run: {first}"),
            (En, _) => format!("in {runs} runs, first in {first}"),
            (Fr, 1) => format!("dans 1 exécution : {first}"),
            (Fr, _) => format!("dans {runs} exécutions, d'abord dans la {first}"),
        }
    }

    pub(crate) fn torture_violation(self, run: u32, kinds: &str) -> String {
        match self {
            En => format!("run {run} broke the promise: {kinds}"),
            Fr => format!("l'exécution {run} a rompu la promesse : {kinds}"),
        }
    }

    pub(crate) fn torture_undecided(self, run: u32, why: &str) -> String {
        match self {
            En => format!("run {run} decided nothing: {why}"),
            Fr => format!("l'exécution {run} n'a rien décidé : {why}"),
        }
    }

    pub(crate) fn torture_shrunk(self, run: u32) -> String {
        match self {
            En => format!("The fewest steps of run {run} that still break the promise:"),
            Fr => format!("Le moins d'étapes de l'exécution {run} qui rompent encore la promesse :"),
        }
    }

    pub(crate) fn torture_shrinking(self, run: u32) -> String {
        match self {
            En => format!("run {run} broke the promise: looking for the fewest steps that do"),
            Fr => format!("l'exécution {run} a rompu la promesse : recherche du moins d'étapes qui le font"),
        }
    }

    pub(crate) fn torture_not_again(self, run: u32) -> String {
        match self {
            En => format!("run {run} did not break the promise again: its schedule is not made shorter"),
            Fr => format!("l'exécution {run} n'a plus rompu la promesse : sa suite n'est pas réduite"),
        }
    }

    pub(crate) fn torture_schedule(self, schedule: &str) -> String {
        format!("--schedule {schedule}")
    }

    pub(crate) fn torture_again(self, command: &str) -> String {
        match self {
            En => format!("its story: {command}"),
            Fr => format!("son récit : {command}"),
        }
    }

    pub(crate) fn torture_summary(self, violations: usize, undecided: usize) -> String {
        match self {
            En => format!("{violations} violations, {undecided} undecided."),
            Fr => format!("{violations} violation{}, {undecided} sans verdict.", if violations < 2 { "" } else { "s" }),
        }
    }

    /// With --expect.
    pub(crate) fn torture_not_found(self, kind: &str) -> String {
        match self {
            En => format!("expected and not found: {kind}"),
            Fr => format!("attendu, et non trouvé : {kind}"),
        }
    }

    pub(crate) fn torture_not_met(self) -> &'static str {
        self.pick(" (its moment did not come)", " (son moment n'est pas venu)")
    }

    /// How a run is set up.
    pub(crate) fn torture_setup(self, schedule: &Schedule) -> String {
        let Schedule { is_static, pause, batch, .. } = schedule;
        match self {
            En => format!(
                "pause after each message: {pause} ms; transactions of a pipeline: up to {batch} messages; members: {}",
                if *is_static { "static" } else { "dynamic" }
            ),
            Fr => format!(
                "pause après chaque message : {pause} ms ; transactions d'un pipeline : {batch} messages au plus ; membres : \
                 {}",
                if *is_static { "statiques" } else { "dynamiques" }
            ),
        }
    }

    /// A step of a schedule.
    pub(crate) fn step(self, step: Step) -> String {
        format!("{}{} {}", self.moment_of(step.at), self.colon(), self.torture_deed(step.deed))
    }

    fn moment_of(self, moment: Moment) -> String {
        let Moment { instance, api, side, nth } = moment;
        match (self, side) {
            (En, Side::Request) => format!("instance-{instance}, {api:?} request {nth}"),
            (En, Side::Response) => format!("instance-{instance}, {api:?} response {nth}"),
            (Fr, Side::Request) => format!("instance-{instance}, requête {api:?} {nth}"),
            (Fr, Side::Response) => format!("instance-{instance}, réponse {api:?} {nth}"),
        }
    }

    fn torture_deed(self, deed: Deed) -> String {
        match (self, deed) {
            (En, Deed::Cut) => "the connection is cut".into(),
            (Fr, Deed::Cut) => "la connexion est coupée".into(),
            (En, Deed::Silence) => "nothing passes on this connection any more".into(),
            (Fr, Deed::Silence) => "plus rien ne passe sur cette connexion".into(),
            (En, Deed::Delay(millis)) => format!("comes {millis} ms late"),
            (Fr, Deed::Delay(millis)) => format!("arrive avec {millis} ms de retard"),
            (En, Deed::Hold(millis, until)) => format!("waits for [{}], {millis} ms at most", self.moment_of(until)),
            (Fr, Deed::Hold(millis, until)) => format!("attend [{}], {millis} ms au plus", self.moment_of(until)),
            (En, Deed::Answer(code)) => format!("answered with error {code}, the broker hears nothing"),
            (Fr, Deed::Answer(code)) => format!("l'erreur {code} est répondue, le broker n'en sait rien"),
            (En, Deed::Repeat(upon)) => format!("comes to the broker once more at [{}]", self.moment_of(upon)),
            (Fr, Deed::Repeat(upon)) => format!("arrive au broker une seconde fois à [{}]", self.moment_of(upon)),
            (En, Deed::Postpone(until)) => {
                format!("the connection is cut; the broker gets the request at [{}]", self.moment_of(until))
            }
            (Fr, Deed::Postpone(until)) => {
                format!("la connexion est coupée ; le broker reçoit la requête à [{}]", self.moment_of(until))
            }
            (En, Deed::Away(millis)) => format!("no broker for {millis} ms"),
            (Fr, Deed::Away(millis)) => format!("pas de broker pendant {millis} ms"),
            (En, Deed::Kill(number)) => format!("kill -9; instance-{number} is started in its place"),
            (Fr, Deed::Kill(number)) => format!("kill -9 ; instance-{number} est lancée à sa place"),
            (En, Deed::Freeze(number, until)) => {
                format!("frozen; instance-{number} is started in its place; wakes up at [{}]", self.moment_of(until))
            }
            (Fr, Deed::Freeze(number, until)) => {
                format!("figée ; instance-{number} est lancée à sa place ; réveil à [{}]", self.moment_of(until))
            }
            (En, Deed::Evict(number, until)) => {
                format!("frozen; instance-{number}, another member, joins; wakes up at [{}]", self.moment_of(until))
            }
            (Fr, Deed::Evict(number, until)) => {
                format!(
                    "figée ; instance-{number}, un autre membre, rejoint le groupe ; réveil à [{}]",
                    self.moment_of(until)
                )
            }
            (En, Deed::Join(number)) => format!("waits until instance-{number}, another member, asks to join"),
            (Fr, Deed::Join(number)) => {
                format!("attend qu'instance-{number}, un autre membre, demande à rejoindre le groupe")
            }
            (En, Deed::Leave(number)) => format!("Ctrl-C; then instance-{number} is started in its place"),
            (Fr, Deed::Leave(number)) => format!("Ctrl-C ; puis instance-{number} est lancée à sa place"),
        }
    }
}
