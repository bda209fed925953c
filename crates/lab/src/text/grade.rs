//! What an instructor reads of a class.

use super::Lang::{self, En, Fr};
use crate::grade::{Breach, Note, Verdict};
use crate::layout::cut;

/// What a student has named is shown in so many columns.
const NAMED: usize = 120;

impl Lang {
    /// A verdict.
    pub(crate) fn grade(self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::Passed => self.pick("passed", "réussi"),
            Verdict::Failed => self.pick("failed", "échoué"),
            Verdict::Limit => self.pick("limit", "limite"),
            Verdict::Undecided => self.pick("undecided, look", "indécis, à regarder"),
            Verdict::DoesNotBuild => self.pick("does not build", "ne compile pas"),
            Verdict::NotBegun => self.pick("not begun", "pas commencé"),
            Verdict::Missing => self.pick("missing", "absent"),
            Verdict::NotGraded => self.pick("not graded", "pas noté"),
        }
    }

    /// A limit that was met.
    pub(crate) fn breach(self, breach: Breach) -> &'static str {
        match breach {
            Breach::Time => self.pick("its time was over", "son temps était écoulé"),
            Breach::Silence => self.pick("no line and no end for a minute", "ni ligne ni fin pendant une minute"),
            Breach::Processor => self.pick("too much processor time", "trop de temps de processeur"),
            Breach::Output => self.pick("more lines than any result has", "plus de lignes que n'en a un résultat"),
            Breach::FileSize => self.pick("too large a file", "un fichier trop grand"),
            Breach::Disk => self.pick("too much in its folder", "trop de choses dans son dossier"),
            Breach::Processes => self.pick("too many processes or threads", "trop de processus ou de threads"),
            Breach::Compiler => self.pick("the compiler was stopped", "le compilateur a été arrêté"),
        }
    }

    /// How often a scenario failed, and why.
    pub(crate) fn times(self, scenario: &str, what: &str, failed: u32, runs: u32) -> String {
        match self {
            En => format!("{scenario}, {failed} of {runs}: {what}"),
            Fr => format!("{scenario}, {failed} sur {runs} : {what}"),
        }
    }

    /// A note.
    pub(crate) fn note(self, note: &Note) -> String {
        let named = |name: &str| cut(name, NAMED);
        match (self, note) {
            (_, Note::Compiler(why) | Note::Lab(why)) => named(why),
            (En, Note::CompilerStopped) => "the compiler took too long or too much memory, and was stopped".into(),
            (Fr, Note::CompilerStopped) => "le compilateur prenait trop de temps ou de mémoire, il a été arrêté".into(),
            (En, Note::NotUsed(name)) => format!("the student's {} is not used", named(name)),
            (Fr, Note::NotUsed(name)) => format!("le {} de l'étudiant n'est pas utilisé", named(name)),
            (En, Note::LeftOut(name)) => format!("left out of src: {}", named(name)),
            (Fr, Note::LeftOut(name)) => format!("laissé hors de src : {}", named(name)),
            (En, Note::TooMuch) => "more in src than an exercise takes (1 MiB, 200 files)".into(),
            (Fr, Note::TooMuch) => "plus dans src que n'en prend un exercice (1 Mio, 200 fichiers)".into(),
            (En, Note::NoMain) => "there is no src/main.rs".into(),
            (Fr, Note::NoMain) => "il n'y a pas de src/main.rs".into(),
            (En, Note::NoExercises) => {
                "no exercises in this folder: neither a checkout nor a copy of exercises/".into()
            }
            (Fr, Note::NoExercises) => {
                "pas d'exercices dans ce dossier : ni une copie du dépôt, ni une copie d'exercises/".into()
            }
        }
    }

    /// What is graded where.
    pub(crate) fn grading(self, folders: usize, seed: u32, state: &str) -> String {
        let state = cut(state, NAMED);
        match self {
            En => format!("grading {folders} folders, --seed {seed}; what is done is kept in {state}"),
            Fr => format!("notation de {folders} dossiers, --seed {seed} ; ce qui est fait est conservé dans {state}"),
        }
    }

    /// Another one is under way in this checkout.
    pub(crate) fn grading_elsewhere(self) -> &'static str {
        self.pick(
            "another `lab grade` is building in this checkout: waiting for it to end",
            "un autre `lab grade` compile dans ce dépôt : attente de sa fin",
        )
    }

    /// What did not have to be done again.
    pub(crate) fn graded_before(self, known: usize) -> String {
        match self {
            En => format!("already graded, and not run again: {known}"),
            Fr => format!("déjà noté, et pas exécuté à nouveau : {known}"),
        }
    }
}
