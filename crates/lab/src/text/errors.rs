//! Why the lab cannot go on, or cannot decide, in one line each.

use common::login::Login;

use super::Lang::{self, En, Fr};
use crate::error::Error;
use crate::layout::cut;

/// What nobody reads to its end.
const LONGEST: usize = 600;

/// A line that a client printed is shown in so many columns at most.
const FIRST: usize = 60;

impl Lang {
    /// An error in one line, with what to do about it where that is known.
    pub fn error(self, error: &Error) -> String {
        let text = match self {
            En => english(error),
            Fr => french(error),
        };
        // A reason that librdkafka or a program gives may span lines, or be of any length.
        cut(&text.replace(['\n', '\r'], " "), LONGEST)
    }

    /// Goes before an error that ends the lab.
    pub fn error_label(self) -> &'static str {
        match self {
            En => "error:",
            Fr => "erreur :",
        }
    }
}

fn english(error: &Error) -> String {
    match error {
        Error::NoBroker { servers, reason } => {
            let login = reason.as_deref().and_then(Login::look);
            let reason = reason.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            if let Some(login) = login {
                return format!("{servers} does not let the lab in{reason}: {}", login.advice());
            }
            format!(
                "no Kafka answers on {servers}{reason}: start one (cargo run -p lab -- broker, or compose/kafka.sh), or \
                 give its address with --bootstrap-servers HOST:PORT"
            )
        }
        Error::Listen { address, taken: true, .. } => format!(
            "{address} is in use: a Kafka may be there already; stop it, or choose another address with --listen \
             HOST:PORT"
        ),
        Error::Listen { address, taken: false, why } => {
            format!("the embedded broker cannot listen on {address}: {why}; choose another with --listen HOST:PORT")
        }
        Error::Client(why) => format!("librdkafka refuses this configuration: {why}"),
        Error::NamedByTheLab(key) => format!("-X {key}: the lab gives each program its own; leave it out"),
        Error::NoWorkspace(lab) => {
            format!("the sources are not at {lab} any more: run the lab with cargo run -p lab, inside the checkout")
        }
        Error::Build(Some(why)) => format!("cargo cannot be started: {why}"),
        Error::Build(None) => "the build has failed: cargo says why above".to_owned(),
        Error::Workspace => {
            "cargo cannot read all packages, and says above which; `target/debug/lab reset NN` restores \
                             an exercise, also when `cargo lab` does not start"
                .to_owned()
        }
        Error::Create { topic, why } => format!("topic {topic} cannot be created: {why}"),
        Error::SeedTaken { seed, topic } => format!(
            "topic {topic} exists already: another run with --seed {seed} is under way or was kept; take another seed, \
             or none"
        ),
        Error::Aborted { topic, why } => format!("the aborted transactions cannot be written to {topic}: {why}"),
        Error::NoTopic { topic, servers } => {
            format!("there is no topic {topic} on {servers}: check the name, and --bootstrap-servers")
        }
        Error::Read { topic, why } => format!("topic {topic} cannot be read to its end: {why}"),
        Error::OpenTransaction { topic, partition, last_stable, end } => format!(
            "a transaction stays open in {topic}[{partition}]: its last stable offset is {last_stable}, its end offset \
             {end}"
        ),
        Error::TooFewNodes { scenario, nodes } => {
            let has = match nodes {
                None => "the embedded broker is one".to_owned(),
                Some(nodes) => format!("this Kafka has {nodes}"),
            };
            format!(
                "{scenario} needs three nodes, and {has}: start compose/kafka.sh --nodes 3, and run the lab as it says"
            )
        }
        Error::NodeControl { command, why } => {
            format!("`{command}` has failed: {why}; correct --node-control, or leave it out and type the commands")
        }
        Error::Offsets { group, why } => format!("the committed offsets of group {group} cannot be read: {why}"),
        Error::Spawn { program, why } => format!("{program} cannot be started: {why}"),
        Error::Command { program, why } => format!(
            "{program} cannot be started: {why}; after --, write the command as you would type it in this folder"
        ),
        Error::Refused(why) => format!("the program could not start its work: {why}"),
        Error::Stalled(limit) => format!("nothing came from it for {} s, so it was killed", limit.as_secs()),
        Error::Flooded(lines) => format!("it printed more than {lines} lines, so it was killed"),
        Error::SaidNothing { lines: 0, .. } => {
            "it printed nothing: the lab reads on standard output what becomes of each \
                                                message; print a line for each, and flush it at once"
                .to_owned()
        }
        Error::SaidNothing { lines, first } => format!(
            "none of the lines that it printed ({lines}, the first: {}) says what became of a message, as `delivered \
             topic[0]@3 VALUE` does: docs/your-own-client.md has them all",
            cut(first.as_deref().unwrap_or_default(), FIRST)
        ),
        Error::Unfinished { undone, first } => format!(
            "it did not do all of its work: it says nothing of {undone} message{} ({first} …)",
            if *undone == 1 { "" } else { "s" }
        ),
        Error::NothingAcknowledged => "it had no success with any message, and no fault explains that".to_owned(),
        Error::Input { topic, why } => format!("the input cannot be written to {topic}: {why}"),
        Error::Proxy(why) => format!("the fault proxy cannot listen: {why}; close some programs and run the lab again"),
        Error::Trace { path, why } => {
            format!("the trace cannot be written to {path}: {why}; choose another --trace FOLDER")
        }
        Error::Folder { path, why } => {
            format!("no folder for the files of a run can be made in {path}: {why}; name another in TMPDIR")
        }
        Error::Manifest { package, why } => format!("the manifest of {package} is not in order: {why}"),
        Error::NoSuchExercise { asked, nearest } => {
            let nearest = nearest.as_ref().map(|name| format!("is it {name}? ")).unwrap_or_default();
            format!("no exercise is called {asked}: {nearest}`cargo lab progress` lists them")
        }
        Error::FolderGone { number, folder } => {
            format!("{folder} is not there: was it deleted, or renamed? `cargo lab reset {number}` brings it back")
        }
        Error::NoCopy(folder) => {
            format!("{folder} is not there, and git has no copy of it: take the folder from a fresh copy of the course")
        }
        Error::Unreadable { path, why } => format!("{path} cannot be read: {why}"),
        Error::Unwritable { path, why } => format!("{path} cannot be written: {why}; nothing was lost"),
        Error::Progress { path, why } => format!("the progress cannot be kept in {path}: {why}"),
        Error::SolutionClosed(number) => format!(
            "the solution opens once `cargo lab check {number}` has passed; to see it now, `cargo lab diff {number} --give-up`"
        ),
        Error::Students { path, line, why } => format!("{path}, line {line}: {}", En.bad_line(why)),
        Error::NoStudents(path) => format!("{path} names no student: write a namespace on each line"),
        Error::List(why) => format!("the topics and groups cannot be listed: {why}"),
        Error::NobodyToAsk => "this deletes topics and groups, and nobody is there to be asked: add --yes".to_owned(),
        Error::Crowded => "others' programs took all processes that your user may have, again and again: repeat the command with --jobs 1".to_owned(),
        Error::Confine(why) => format!("students' programs cannot be confined here, so nothing was run: {why}"),
        Error::GradedElsewhere(path) => {
            format!("another `lab grade` keeps its results in {path}: wait for its end, or give another --state FILE")
        }
        Error::Print(why) => format!("the result cannot be written: {why}; free some space, or redirect it elsewhere"),
        Error::NotReached { moment } => format!("the moment \"{moment}\" did not come: nothing was shown"),
        Error::NoSuchRun { program, scenario, variant } => {
            let variant = variant.as_ref().map(|variant| format!(" in the variant \"{variant}\"")).unwrap_or_default();
            let scenario = scenario.as_deref().unwrap_or("no scenario");
            format!("{scenario}{variant} does not concern {program}: `lab list` shows what does")
        }
        Error::Interrupted => "interrupted".to_owned(),
    }
}

fn french_login(login: Login) -> &'static str {
    match login {
        Login::Refused => "corrigez -X sasl.username et -X sasl.password",
        Login::Missing => {
            "s'il demande de s'identifier, donnez -X security.protocol=SASL_PLAINTEXT -X sasl.mechanism=PLAIN -X \
             sasl.username=NOM -X sasl.password=MOT_DE_PASSE"
        }
        Login::NotOffered => "retirez -X security.protocol, ou choisissez un autre -X sasl.mechanism",
    }
}

fn french(error: &Error) -> String {
    match error {
        Error::NoBroker { servers, reason } => {
            let login = reason.as_deref().and_then(Login::look);
            let reason = reason.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            if let Some(login) = login {
                return format!("{servers} ne laisse pas entrer le lab{reason} : {}", french_login(login));
            }
            format!(
                "aucun Kafka ne répond sur {servers}{reason} : démarrez-en un (cargo run -p lab -- broker, ou compose/kafka.sh), ou donnez son \
                 adresse avec --bootstrap-servers HÔTE:PORT"
            )
        }
        Error::Listen { address, taken: true, .. } => format!(
            "{address} est déjà pris, peut-être par un Kafka : arrêtez-le, ou choisissez une autre adresse avec \
             --listen HÔTE:PORT"
        ),
        Error::Listen { address, taken: false, why } => format!(
            "le broker embarqué ne peut pas écouter sur {address} : {why} ; choisissez une autre adresse avec --listen \
             HÔTE:PORT"
        ),
        Error::Client(why) => format!("librdkafka refuse cette configuration : {why}"),
        Error::NamedByTheLab(key) => format!("-X {key} : le lab donne le sien à chaque programme ; à omettre"),
        Error::NoWorkspace(lab) => {
            format!("les sources ne sont plus dans {lab} : lancez le lab avec cargo run -p lab, dans le dépôt")
        }
        Error::Build(Some(why)) => format!("cargo ne démarre pas : {why}"),
        Error::Build(None) => "la compilation a échoué : cargo dit pourquoi ci-dessus".to_owned(),
        Error::Workspace => {
            "cargo ne peut pas lire tous les paquets, et dit ci-dessus lequel ; `target/debug/lab reset \
                             NN` rétablit un exercice, même quand `cargo lab` ne démarre plus"
                .to_owned()
        }
        Error::Create { topic, why } => format!("le topic {topic} ne peut pas être créé : {why}"),
        Error::SeedTaken { seed, topic } => format!(
            "le topic {topic} existe déjà : une autre exécution avec --seed {seed} est en cours ou a été conservée ; \
             prenez une autre graine, ou aucune"
        ),
        Error::Aborted { topic, why } => {
            format!("les transactions à avorter ne peuvent pas être écrites dans {topic} : {why}")
        }
        Error::NoTopic { topic, servers } => {
            format!("il n'y a pas de topic {topic} sur {servers} : vérifiez le nom, et --bootstrap-servers")
        }
        Error::Read { topic, why } => format!("le topic {topic} ne peut pas être lu jusqu'au bout : {why}"),
        Error::OpenTransaction { topic, partition, last_stable, end } => format!(
            "une transaction reste ouverte dans {topic}[{partition}] : son dernier offset stable est {last_stable}, son \
             offset de fin {end}"
        ),
        Error::TooFewNodes { scenario, nodes } => {
            let has = match nodes {
                None => "le broker embarqué n'en a qu'un".to_owned(),
                Some(1) => "ce Kafka n'en a qu'un".to_owned(),
                Some(nodes) => format!("ce Kafka en a {nodes}"),
            };
            format!(
                "{scenario} a besoin de trois nœuds, et {has} : lancez compose/kafka.sh --nodes 3, puis le lab comme il \
                 l'indique"
            )
        }
        Error::NodeControl { command, why } => format!(
            "`{command}` a échoué : {why} ; corrigez --node-control, ou omettez-le et tapez les commandes vous-même"
        ),
        Error::Offsets { group, why } => {
            format!("les offsets commités du groupe {group} ne peuvent pas être lus : {why}")
        }
        Error::Spawn { program, why } => format!("{program} ne démarre pas : {why}"),
        Error::Command { program, why } => format!(
            "{program} ne démarre pas : {why} ; après --, écrivez la commande comme vous la taperiez dans ce dossier"
        ),
        Error::Refused(why) => format!("le programme n'a pas pu commencer : {why}"),
        Error::Stalled(limit) => format!("il n'a rien produit pendant {} s et a été tué", limit.as_secs()),
        Error::Flooded(lines) => format!("il a affiché plus de {lines} lignes et a été tué"),
        Error::SaidNothing { lines: 0, .. } => "il n'a rien affiché : c'est sur la sortie standard que le lab lit ce que \
                                                devient chaque message ; affichez une ligne par message, sans la garder \
                                                en tampon"
            .to_owned(),
        Error::SaidNothing { lines, first } => format!(
            "aucune des lignes qu'il a affichées ({lines}, la première : {}) ne dit ce qu'est devenu un message, comme le \
             fait `delivered topic[0]@3 VALEUR` : docs/your-own-client.fr.md les donne toutes",
            cut(first.as_deref().unwrap_or_default(), FIRST)
        ),
        Error::Unfinished { undone, first } => format!(
            "il n'a pas fait tout son travail : de {undone} message{} ({first}…), il ne dit rien",
            if *undone == 1 { "" } else { "s" }
        ),
        Error::NothingAcknowledged => "aucun message ne lui a réussi, et aucune panne ne l'explique".to_owned(),
        Error::Input { topic, why } => format!("l'entrée ne peut pas être écrite dans {topic} : {why}"),
        Error::Proxy(why) => format!(
            "le proxy qui provoque les pannes ne peut pas écouter : {why} ; fermez des programmes et relancez le lab"
        ),
        Error::Trace { path, why } => {
            format!("la trace ne peut pas être écrite dans {path} : {why} ; choisissez un autre dossier avec --trace")
        }
        Error::Folder { path, why } => format!(
            "aucun dossier pour les fichiers d'une exécution ne peut être créé dans {path} : {why} ; indiquez-en un \
             autre dans TMPDIR"
        ),
        Error::Manifest { package, why } => format!("le manifeste de {package} n'est pas en ordre : {why}"),
        Error::NoSuchExercise { asked, nearest } => {
            let nearest = nearest.as_ref().map(|name| format!("est-ce {name} ? ")).unwrap_or_default();
            format!("aucun exercice ne s'appelle {asked} : {nearest}`cargo lab progress` en donne la liste")
        }
        Error::FolderGone { number, folder } => {
            format!("{folder} n'est plus là : supprimé, ou renommé ? `cargo lab reset {number}` le ramène")
        }
        Error::NoCopy(folder) => format!(
            "{folder} n'est plus là, et git n'en a pas de copie : reprenez ce dossier dans une copie neuve du cours"
        ),
        Error::Unreadable { path, why } => format!("{path} ne peut pas être lu : {why}"),
        Error::Unwritable { path, why } => format!("{path} ne peut pas être écrit : {why} ; rien n'est perdu"),
        Error::Progress { path, why } => format!("la progression ne peut pas être conservée dans {path} : {why}"),
        Error::SolutionClosed(number) => format!(
            "la solution s'ouvre quand `cargo lab check {number}` a réussi ; pour la voir tout de suite, `cargo lab diff {number} \
             --give-up`"
        ),
        Error::Students { path, line, why } => format!("{path}, ligne {line} : {}", Fr.bad_line(why)),
        Error::NoStudents(path) => format!("{path} ne nomme aucun étudiant : écrivez un espace de noms par ligne"),
        Error::List(why) => format!("les topics et les groupes ne peuvent pas être énumérés : {why}"),
        Error::NobodyToAsk => {
            "ceci supprime des topics et des groupes, et personne n'est là pour répondre : ajoutez --yes".to_owned()
        }
        Error::Crowded => "d'autres programmes ont pris, encore et encore, tous les processus de votre utilisateur : répétez la commande avec --jobs 1".to_owned(),
        Error::Confine(why) => {
            format!("les programmes des étudiants ne peuvent pas être isolés ici, rien n'a donc été exécuté : {why}")
        }
        Error::GradedElsewhere(path) => format!(
            "un autre `lab grade` conserve ses résultats dans {path} : attendez sa fin, ou donnez un autre --state FICHIER"
        ),
        Error::Print(why) => {
            format!("le résultat ne peut pas être écrit : {why} ; libérez de la place, ou redirigez-le")
        }
        Error::NotReached { moment } => {
            format!("le moment « {moment} » n'est pas venu : l'expérience ne montre rien")
        }
        Error::NoSuchRun { program, scenario, variant } => {
            let variant = variant.as_ref().map(|variant| format!(", variante « {variant} »,")).unwrap_or_default();
            let scenario = scenario.as_deref().unwrap_or("aucun scénario");
            format!("{scenario}{variant} ne concerne pas {program} : `lab list` montre ce qui le concerne")
        }
        Error::Interrupted => "interrompu".to_owned(),
    }
}
