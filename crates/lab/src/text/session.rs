//! What the instructor reads during a session.

use super::Lang::{self, En, Fr};
use crate::session::students::BadLine;

impl Lang {
    /// Above the table.
    pub(crate) fn session(self, servers: &str, students: usize) -> String {
        let students = self.students(students);
        match self {
            En => format!("Session on {servers}: {students}"),
            Fr => format!("Séance sur {servers} : {students}"),
        }
    }

    /// No broker answers while the session goes on.
    pub(crate) fn session_away(self) -> &'static str {
        self.pick(
            "No broker answers at the moment: this is as it was.",
            "Aucun broker ne répond en ce moment : voici l'état d'avant.",
        )
    }

    /// The signs of the table.
    pub(crate) fn session_signs(self) -> [&'static str; 4] {
        self.pick(
            [
                "✓2 passed with the second check",
                "✗3 not yet, after three",
                "· not checked",
                "last column: how many passed",
            ],
            [
                "✓2 réussi à la deuxième vérification",
                "✗3 pas encore, après trois",
                "· pas vérifié",
                "dernière colonne : combien de réussis",
            ],
        )
    }

    /// What the table is not.
    pub(crate) fn session_caution(self) -> &'static str {
        self.pick(
            "Students can forge what stands here: it helps in class, and is no grade.",
            "Les étudiants peuvent falsifier ce qui est ici : cela aide en classe, et ne note pas.",
        )
    }

    /// One student at work on one exercise.
    pub(crate) fn session_working(
        self,
        number: &str,
        name: &str,
        scenario: &str,
        undecided: bool,
        attempts: u64,
        minutes: i64,
    ) -> String {
        let undecided = match (self, undecided) {
            (_, false) => "",
            (En, true) => " not decided",
            (Fr, true) => " indécis",
        };
        let since = match (self, minutes) {
            (En, ..1) => "just now".to_owned(),
            (En, ..120) => format!("for {minutes} min"),
            (En, _) => format!("for {} h", minutes / 60),
            (Fr, ..1) => "à l'instant".to_owned(),
            (Fr, ..120) => format!("depuis {minutes} min"),
            (Fr, _) => format!("depuis {} h", minutes / 60),
        };
        let plural = if attempts == 1 { "" } else { "s" };
        match self {
            En => format!("{number} {name}: {scenario}{undecided} · {attempts} check{plural}, {since}"),
            Fr => format!("{number} {name} : {scenario}{undecided} · {attempts} vérification{plural}, {since}"),
        }
    }

    /// Records that make no sense.
    pub(crate) fn session_strange(self, student: &str, records: u64) -> String {
        let plural = if records == 1 { "" } else { "s" };
        match self {
            En => format!(
                "{student}: {records} record{plural} not understood, of another version of the exercises or not \
                 written by the lab"
            ),
            Fr => format!(
                "{student} : {records} enregistrement{plural} non compris, d'une autre version des exercices ou pas \
                 écrit{plural} par le lab"
            ),
        }
    }

    /// Before the table is shown for the first time.
    pub(crate) fn session_created(self, topics: usize, students: usize) -> String {
        let (topics, students) = (self.topics(topics), self.students(students));
        match self {
            En => format!("{topics} created for {students}"),
            Fr => format!("créés : {topics} pour {students}"),
        }
    }

    /// Before anything is deleted.
    pub(crate) fn session_sure(self, topics: usize, groups: usize, students: usize) -> String {
        let (topics, groups, students) = (self.topics(topics), self.groups(groups), self.students(students));
        match self {
            En => format!("delete {topics} and {groups} of {students}? y/n "),
            Fr => format!("supprimer {topics} et {groups} de {students} ? o/n "),
        }
    }

    /// Afterwards.
    pub(crate) fn session_cleaned(self, topics: usize, groups: usize) -> String {
        let (topics, groups) = (self.topics(topics), self.groups(groups));
        match self {
            En => format!("{topics} and {groups} deleted"),
            Fr => format!("supprimés : {topics} et {groups}"),
        }
    }

    fn topics(self, topics: usize) -> String {
        self.number_of(topics, "topic")
    }

    fn groups(self, groups: usize) -> String {
        self.number_of(groups, self.pick("group", "groupe"))
    }

    fn students(self, students: usize) -> String {
        self.number_of(students, self.pick("student", "étudiant"))
    }

    /// In French, nothing is singular.
    fn number_of(self, number: usize, thing: &str) -> String {
        let one = self.pick(number == 1, number < 2);
        format!("{number} {thing}{}", if one { "" } else { "s" })
    }

    /// The answer was no.
    pub(crate) fn session_untouched(self) -> &'static str {
        self.pick("nothing was deleted", "rien n'a été supprimé")
    }

    /// What is wrong with a line of the students' file.
    pub(crate) fn bad_line(self, why: &BadLine) -> String {
        match (self, why) {
            (En, BadLine::Name(name)) => {
                format!("{name:?} is no namespace: a letter or digit, then letters, digits, '.', '_' and '-'")
            }
            (En, BadLine::TooLong(most)) => format!("the namespace is longer than {most} characters"),
            (En, BadLine::Nobodys(name)) => {
                format!("{name}: names outside every namespace begin with {name}-; take another namespace")
            }
            (En, BadLine::Twice(line)) => {
                format!("this namespace is on line {line} already (to Kafka, '.' and '_' are alike)")
            }
            (En, BadLine::Within { inner, outer }) => {
                format!("{inner} lies within {outer}: all of its names begin with {outer}- too; rename one")
            }
            (Fr, BadLine::Name(name)) => format!(
                "{name:?} n'est pas un espace de noms : une lettre ou un chiffre, puis des lettres, des chiffres, « . », « _ » et « - »"
            ),
            (Fr, BadLine::TooLong(most)) => format!("l'espace de noms dépasse {most} caractères"),
            (Fr, BadLine::Nobodys(name)) => {
                format!("{name} : des noms hors de tout espace de noms commencent par {name}- ; prenez-en un autre")
            }
            (Fr, BadLine::Twice(line)) => {
                format!("cet espace de noms est déjà à la ligne {line} (pour Kafka, « . » et « _ » se valent)")
            }
            (Fr, BadLine::Within { inner, outer }) => {
                format!(
                    "{inner} est dans {outer} : tous ses noms commencent aussi par {outer}- ; renommez l'un des deux"
                )
            }
        }
    }
}
