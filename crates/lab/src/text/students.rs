//! What a student reads after a check, and from the commands that help: progress, hints, resets.

use super::Lang::{self, En, Fr};
use crate::child::Ended;
use crate::exercises::progress::State;
use crate::layout::cut;
use crate::scenario::Exhibit;

/// What a program said at its end is shown in so many columns at most.
const SAID: usize = 240;

/// The headings of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForStudents {
    /// What the lab did.
    Fault,
    /// What had to come of it.
    Expected,
    /// What came of it.
    Observed,
    /// Why it comes out well, when it does.
    Normally,
    /// What to do next.
    Next,
    /// What a pass does not prove.
    Unproven,
}

impl Lang {
    /// A heading.
    pub(crate) fn student(self, heading: ForStudents) -> &'static str {
        match (self, heading) {
            (En, ForStudents::Fault) => "the lab",
            (En, ForStudents::Expected) => "expected",
            (En, ForStudents::Observed) => "observed",
            (En, ForStudents::Normally) => "rightly",
            (En, ForStudents::Next) => "next",
            (En, ForStudents::Unproven) => "not proven",
            (Fr, ForStudents::Fault) => "le lab",
            (Fr, ForStudents::Expected) => "attendu",
            (Fr, ForStudents::Observed) => "observé",
            (Fr, ForStudents::Normally) => "à raison",
            (Fr, ForStudents::Next) => "ensuite",
            (Fr, ForStudents::Unproven) => "pas prouvé",
        }
    }

    /// How many scenarios it passes.
    pub(crate) fn passed(self, passed: usize, all: usize) -> String {
        match self {
            En if passed == all => format!("passed ({all} of {all} scenarios)"),
            En => format!("not yet ({passed} of {all} scenarios)"),
            Fr if passed == all => format!("réussi ({all} scénarios sur {all})"),
            Fr => format!("pas encore ({passed} scénarios sur {all})"),
        }
    }

    /// What the right program shows, and this one did not.
    pub(crate) fn did_not_show(self, exhibit: Exhibit) -> String {
        let what = self.exhibits(&[exhibit]);
        match self {
            En => format!("the right program shows this here, and yours did not: {what}"),
            Fr => format!("le bon programme montre ceci ici, et pas le vôtre : {what}"),
        }
    }

    /// The aborted records in the input were not there.
    pub(crate) fn aborted_input_missing(self) -> &'static str {
        self.pick(
            "the aborted records were not in the input: the experiment shows nothing",
            "les enregistrements avortés n'étaient pas dans l'entrée : l'expérience ne montre rien",
        )
    }

    /// It ended otherwise than it had to.
    pub(crate) fn ended_wrongly(self, ended: Ended, said: Option<&str>) -> String {
        let how = match (self, ended) {
            (En, Ended::Status(0)) => "the program ended with exit status 0, as if all had gone well".to_owned(),
            (Fr, Ended::Status(0)) => {
                "le programme s'est terminé avec le code de sortie 0, comme si tout s'était bien passé".to_owned()
            }
            _ => self.ended_by_itself(ended),
        };
        self.with_last_words(how, said)
    }

    /// It ended before the fault could meet it.
    pub(crate) fn ended_too_soon(self, ended: Ended, said: Option<&str>) -> String {
        self.with_last_words(self.ended_by_itself(ended), said.filter(|_| ended != Ended::Status(0)))
    }

    fn ended_by_itself(self, ended: Ended) -> String {
        match (self, ended) {
            // What a panic exits with: its message is the last of the log.
            (En, Ended::Status(101)) => "the program panicked (exit status 101)".to_owned(),
            (Fr, Ended::Status(101)) => "le programme a paniqué (code de sortie 101)".to_owned(),
            (En, Ended::Status(status)) => format!("the program ended with exit status {status}"),
            (Fr, Ended::Status(status)) => format!("le programme s'est terminé avec le code de sortie {status}"),
            (En, Ended::Signal(signal)) => format!("the program was ended by signal {signal}"),
            (Fr, Ended::Signal(signal)) => format!("le programme a été arrêté par le signal {signal}"),
        }
    }

    fn with_last_words(self, how: String, said: Option<&str>) -> String {
        match (self, said.map(words).filter(|said| !said.is_empty())) {
            (_, None) => how,
            (En, Some(said)) => format!("{how}; its last words: {}", cut(said, SAID)),
            (Fr, Some(said)) => format!("{how} ; ses derniers mots : {}", cut(said, SAID)),
        }
    }

    /// The moment of the fault did not come.
    pub(crate) fn never_met(self, moment: &str, ended: bool) -> String {
        match (self, ended) {
            (En, true) => "so the fault could not act as planned, and nothing was shown".to_owned(),
            (Fr, true) => "la panne n'a donc pas pu agir comme prévu, et rien n'a été montré".to_owned(),
            (En, false) => {
                format!("the program never did what the lab waits for (\u{201c}{moment}\u{201d}), so nothing was shown")
            }
            (Fr, false) => {
                format!("le programme n'a jamais fait ce que le lab attend (« {moment} ») : rien n'a été montré")
            }
        }
    }

    /// It said that it was used wrongly, or that it has no broker.
    pub(crate) fn could_not_begin(self, said: &str) -> String {
        let said = cut(words(said), SAID);
        match self {
            En => format!("the program ended with exit status 2 before it began: {said}"),
            Fr => format!("le programme s'est terminé avec le code de sortie 2 avant de commencer : {said}"),
        }
    }

    /// A transaction that nobody ends, here.
    pub(crate) fn stays_open(self, place: &str, last_stable: i64, end: i64) -> String {
        match self {
            En => format!(
                "a transaction stays open in {place}: nobody has committed or aborted it, and read_committed readers \
                 stop at offset {last_stable} (the last stable offset), while the log goes on to {end}"
            ),
            Fr => format!(
                "une transaction reste ouverte dans {place} : personne ne l'a validée ni avortée, et les lecteurs en \
                 read_committed s'arrêtent à l'offset {last_stable} (le last stable offset), alors que le journal va \
                 jusqu'à {end}"
            ),
        }
    }

    /// What to do after a failed check.
    pub(crate) fn next_steps(self, number: &str) -> String {
        match self {
            En => format!("edit, save, and `cargo lab check {number}` again; `cargo lab hint {number}` helps in steps"),
            Fr => format!(
                "modifiez, enregistrez, puis `cargo lab check {number}` ; `cargo lab hint {number}` aide pas à pas"
            ),
        }
    }

    /// How many exercises have passed.
    pub(crate) fn passed_of(self, passed: usize, all: usize) -> String {
        match self {
            En => format!("{passed} of {all} exercises passed"),
            Fr if passed > 1 => format!("{passed} exercices réussis sur {all}"),
            Fr => format!("{passed} exercice réussi sur {all}"),
        }
    }

    /// How far an exercise is.
    pub(crate) fn state(self, state: State) -> &'static str {
        match (self, state) {
            (En, State::Passed) => "passed",
            (En, State::NotYet) => "not yet",
            (En, State::NotBegun) => "not begun",
            (Fr, State::Passed) => "réussi",
            (Fr, State::NotYet) => "pas encore",
            (Fr, State::NotBegun) => "pas commencé",
        }
    }

    /// Where to go on.
    pub(crate) fn next_exercise(self, number: &str, folder: &str) -> String {
        match self {
            En => format!("next: read exercises/{folder}/README.md, then `cargo lab check {number}`"),
            Fr => format!("ensuite : lisez exercises/{folder}/README.fr.md, puis `cargo lab check {number}`"),
        }
    }

    /// There is no next exercise.
    pub(crate) fn all_passed(self) -> &'static str {
        self.pick("All have passed.", "Tout est réussi.")
    }

    /// After a check that passed.
    pub(crate) fn compare(self, number: &str) -> String {
        match self {
            En => format!("`cargo lab diff {number}` compares it with the solution"),
            Fr => format!("`cargo lab diff {number}` le compare à la solution"),
        }
    }

    /// The file of the progress made no sense.
    pub(crate) fn set_aside(self, aside: &str) -> String {
        match self {
            En => format!("the progress file was damaged: it is kept as {aside}, and a new one begins"),
            Fr => format!("le fichier de progression était abîmé : il est conservé sous {aside}, un nouveau commence"),
        }
    }

    /// Above a hint.
    pub(crate) fn hint(self, number: usize, all: usize) -> String {
        match self {
            En => format!("hint {number} of {all}"),
            Fr => format!("indice {number} sur {all}"),
        }
    }

    /// Below a hint.
    pub(crate) fn more_hints(self, number: &str, left: usize) -> String {
        match (self, left) {
            (En, 0) => format!("that was the last one; `cargo lab diff {number} --give-up` shows the solution"),
            (En, _) => format!("still stuck? `cargo lab hint {number}` again ({left} more)"),
            (Fr, 0) => format!("c'était le dernier ; `cargo lab diff {number} --give-up` montre la solution"),
            (Fr, 1) => format!("toujours bloqué ? encore `cargo lab hint {number}` (il en reste un)"),
            (Fr, _) => format!("toujours bloqué ? encore `cargo lab hint {number}` (il en reste {left})"),
        }
    }

    /// There is nothing to read.
    pub(crate) fn no_hints(self) -> &'static str {
        self.pick("this exercise has no hints", "cet exercice n'a pas d'indices")
    }

    /// Nothing differs from the solution.
    pub(crate) fn same_as_the_solution(self) -> &'static str {
        self.pick("your text is the solution's, letter by letter", "votre texte est celui de la solution, à la lettre")
    }

    /// One file is as given again.
    pub(crate) fn restored(self, file: &str, backup: Option<&str>) -> String {
        match (self, backup) {
            (En, Some(backup)) => format!("{file} is as given again; yours is kept as {backup}"),
            (En, None) => format!("{file} was missing, and is as given again"),
            (Fr, Some(backup)) => format!("{file} est de nouveau tel que donné ; le vôtre est conservé sous {backup}"),
            (Fr, None) => format!("{file} manquait, et est de nouveau tel que donné"),
        }
    }

    /// A folder that was deleted is there again.
    pub(crate) fn folder_restored(self, folder: &str) -> String {
        match self {
            En => format!("{folder} was missing, and is there again as git has it"),
            Fr => format!("{folder} manquait, et est de nouveau là tel que git l'a gardé"),
        }
    }

    /// A reset had nothing to do.
    pub(crate) fn is_as_given(self) -> &'static str {
        self.pick("the text is as given: nothing to restore", "le texte est tel que donné : rien à rétablir")
    }

    /// The keys of `lab watch`, below what came of a check.
    pub(crate) fn keys(self, number: &str, passed: bool) -> Vec<String> {
        let mark = if passed { "✓" } else { "✗" };
        let keys = match self {
            En => ["is checked at each save", "h hint", "n next", "l list", "r reset", "q quit"],
            Fr => {
                ["est vérifié à chaque enregistrement", "h indice", "n suivant", "l liste", "r rétablir", "q quitter"]
            }
        };
        let [first, keys @ ..] = keys;
        [&[format!("{mark} {number} {first}")], &keys.map(str::to_owned)[..]].concat()
    }

    /// Before a reset.
    pub(crate) fn sure(self, number: &str) -> String {
        match self {
            En => format!("restore the text of {number} as given? yours is kept beside it   y yes   any other key: no"),
            Fr => {
                format!(
                    "rétablir le texte de {number} tel que donné ? le vôtre est conservé à côté   o oui   sinon non"
                )
            }
        }
    }

    /// What means yes.
    pub(crate) fn yes(self) -> char {
        self.pick('y', 'o')
    }
}

/// A line of a program's log, without its time and level.
fn words(said: &str) -> &str {
    let said = said.trim();
    if let Some(error) = said.strip_prefix("error: ") {
        return error;
    }
    let mut rest = said.splitn(3, ' ');
    match (rest.next(), rest.next(), rest.next()) {
        (Some(time), Some("ERROR" | "WARN" | "INFO" | "DEBUG" | "TRACE"), Some(words)) if time.ends_with('Z') => {
            words.trim_start()
        }
        _ => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_have_no_time() {
        for (line, expected) in [
            ("2026-11-22T09:16:47.566Z INFO  replaced: fenced", "replaced: fenced"),
            ("error: no luck", "no luck"),
            ("INFO is all", "INFO is all"),
            ("", ""),
        ] {
            assert_eq!(words(line), expected);
        }
        assert_eq!(En.ended_wrongly(Ended::Status(1), Some("")), "the program ended with exit status 1");
    }
}
