//! The help in French.

use clap::CommandFactory;

use super::args::{CLIENT, Lab, OUTPUT, RUN};
use super::grade;
use super::nodes;
use super::session;
use super::torture;
use crate::serve;
use crate::text::Lang;

/// The French help, by flag; what is not here is told in English.
pub(super) const HELP: &[(&str, &str)] = &[
    (
        "bootstrap_servers",
        "Où Kafka écoute ; plusieurs adresses sont séparées par des virgules [défaut : un broker embarqué, le temps de \
         l'exécution]",
    ),
    ("namespace", "Mettre NOM- devant les topics, groupes et identifiants de transaction, pour partager un même Kafka"),
    ("property", "Fixer une propriété de librdkafka, pour tous les programmes (à répéter au besoin)"),
    ("properties", "Plusieurs -X à la fois, séparés par des points-virgules"),
    ("connect_timeout", "Abandonner si aucun broker n'a répondu au bout de ce temps"),
    ("messages", "Nombre de messages là où aucune panne n'en décide (calm)"),
    (
        "jobs",
        "Nombre d'exécutions à la fois [défaut : douze par processeur, 32 au plus ; le quart pour un client à vous]",
    ),
    ("only", "Ce programme seulement (à répéter au besoin)"),
    ("scenario", "Ce scénario seulement (à répéter au besoin)"),
    (
        "seed",
        "D'où viennent les noms des topics, groupes et identifiants de transaction [défaut : un nombre au hasard]",
    ),
    ("keep", "Ne pas supprimer les topics et les groupes à la fin"),
    (
        "trace",
        "Écrire la trace de chaque exécution (toutes les trames passées par le proxy, en lignes JSON) dans ce dossier",
    ),
    ("format", "Forme du résultat"),
    ("lang", "Langue [défaut : celle de LC_ALL, LC_MESSAGES ou LANG]"),
    ("progress_file", "Où la progression est conservée [défaut : .lab/progress.json dans le dépôt]"),
    ("help", "Afficher l'aide"),
    ("version", "Afficher la version"),
];

const RUN_HELP: &[(&str, &str)] = &[
    ("program", "Le programme, tel que le nomme `lab list`"),
    ("scenario", "Le scénario, tel que le nomme `lab list` [défaut : tous ceux qui concernent le programme]"),
    ("variant", "Cette variante du scénario seulement"),
    (
        "guarantee",
        "Exiger d'un client à vous cette garantie, et non ce que fait un programme : at-most-once, at-least-once ou \
         exactly-once",
    ),
    ("role", "Ce qu'il est : producer, consumer ou pipeline"),
    (
        "scenarios",
        "Sous ce scénario seulement (à répéter au besoin) [défaut : tous ceux où la garantie peut être tenue]",
    ),
    (
        "client",
        "Un client à vous, dans n'importe quel langage, à exécuter à la place du programme ou sous --guarantee : il trouve \
         BOOTSTRAP_SERVERS et TOPIC dans son environnement ; un producteur aussi COUNT et VALUE_PREFIX (il envoie \
         VALUE_PREFIX0, VALUE_PREFIX1…), un consommateur GROUP_ID ; s'il y a lieu, TRANSACTIONAL_ID et OUTPUT_TOPIC. \
         docs/your-own-client.fr.md dit le reste",
    ),
];

const CHECK_HELP: &[(&str, &str)] =
    &[("exercise", "L'exercice : son numéro ou son nom"), ("solution", "Vérifier plutôt la solution de référence")];

const CHECK_ABOUT: &str = "Vérifie un exercice : le compile, l'exécute sous ses scénarios, dit ce qui était attendu et ce qui \
                           a été observé";

const CHECK_AFTER: &str = "\
Exemples :
  lab check 1
  lab check pipeline

Code de sortie : 0 réussi, 1 pas encore, 2 ne compile pas, ou rien n'a pu être décidé, 130 Ctrl-C";

const WATCH_HELP: &[(&str, &str)] =
    &[("exercise", "L'exercice : son numéro ou son nom [défaut : le prochain qui n'est pas réussi]")];

const WATCH_ABOUT: &str = "Vérifie un exercice, maintenant et à chaque enregistrement : le prochain qui n'est pas réussi, ou \
                           celui-ci";

const WATCH_LONG_ABOUT: &str = "\
Vérifie un exercice, maintenant et à chaque enregistrement : le prochain qui n'est pas réussi, ou celui-ci

Dans un terminal, des touches montrent un indice (h), passent à l'exercice suivant (n), donnent la liste (l), rétablissent le texte tel que donné (r, après confirmation) et quittent (q). Ailleurs, il vérifie une fois.";

const WATCH_AFTER: &str = "\
Exemples :
  lab watch
  lab watch 6

Code de sortie : 0 quitté (q), 130 Ctrl-C ; sans terminal, celui de lab check";

const PROGRESS_ABOUT: &str = "Liste les exercices : lesquels sont réussis, lequel vient ensuite";

const PROGRESS_AFTER: &str = "\
Exemples :
  lab progress
  lab progress --format json";

const HINT_HELP: &[(&str, &str)] =
    &[("exercise", "L'exercice : son numéro ou son nom"), ("all", "Montrer tous les indices")];

const HINT_ABOUT: &str = "Montre un indice pour un exercice : un de plus à chaque fois";

const HINT_AFTER: &str = "\
Exemples :
  lab hint 6
  lab hint commit-before --all";

const DIFF_HELP: &[(&str, &str)] = &[
    ("exercise", "L'exercice : son numéro ou son nom"),
    ("give_up", "Montrer la solution bien que l'exercice ne soit pas réussi"),
];

const DIFF_ABOUT: &str = "Compare votre texte d'un exercice à la solution, une fois l'exercice réussi";

const DIFF_LONG_ABOUT: &str = "\
Compare votre texte d'un exercice à la solution, une fois l'exercice réussi

Ce que marque « - » est à vous, ce que marque « + » est dans la solution.";

const DIFF_AFTER: &str = "\
Exemples :
  lab diff 6
  lab diff 6 --give-up | less -R

Code de sortie : 0 montré, 2 l'exercice n'est pas réussi, ou quelque chose ne peut pas être lu";

const RESET_HELP: &[(&str, &str)] = &[("exercise", "L'exercice : son numéro ou son nom")];

const RESET_ABOUT: &str = "Rétablit le texte d'un exercice tel que donné, après une copie de secours à côté";

const RESET_LONG_ABOUT: &str = "\
Rétablit le texte d'un exercice tel que donné, après une copie de secours à côté

Rétablit src/main.rs et Cargo.toml là où ils diffèrent. L'exercice n'est alors pas commencé, et ses indices reprennent au premier.";

const RESET_AFTER: &str = "\
Exemples :
  lab reset 6              src/main.rs est conservé sous src/main.rs.bak-1, puis .bak-2…

Code de sortie : 0 tel que donné, 2 quelque chose ne peut pas être lu ou écrit";

const SHOW_HELP: &[(&str, &str)] = &[
    (
        "bootstrap_servers",
        "Où Kafka écoute ; plusieurs adresses sont séparées par des virgules [défaut : localhost:9092]",
    ),
    ("topic", "Le topic"),
    ("last", "Montrer autant d'offsets au plus, les derniers de chaque partition"),
];

const BOOTSTRAP_SERVERS: &str =
    "Where Kafka listens; several addresses are separated by commas [default: an embedded broker for each run]";

const ABOUT: &str = "Exécute les programmes du cours sous des pannes, et dit quelle garantie de livraison est tenue";

const LONG_ABOUT: &str = "\
Exécute les programmes du cours sous des pannes, et dit quelle garantie de livraison est tenue

Exécute chaque programme du cours sous chaque scénario qui le concerne : un proxy placé devant Kafka provoque la panne à un moment précis du protocole. Chaque exécution a son propre Kafka, en mémoire, sauf si --bootstrap-servers en désigne un. Ensuite, les topics sont lus directement jusqu'au bout aux deux niveaux d'isolation, et comparés à ce que les programmes ont dit.";

const RUN_ABOUT: &str = "Exécute un programme sous un scénario, et en fait le récit : les moments du protocole, la panne, les \
                         comptes, et pourquoi";

const LIST_ABOUT: &str = "Liste les scénarios, leurs variantes, et les programmes que chacun concerne";

const SHOW_ABOUT: &str = "Montre un topic tel qu'il est dans le journal : les deux niveaux d'isolation côte à côte, avec les \
                          enregistrements avortés et de contrôle";

const AFTER: &str = "\
Exemples :
  lab                                              tous les programmes, tous les scénarios
  lab --only eos-pipeline                          un seul programme
  lab run producer-at-least-once ack-lost          le récit d'une exécution
  lab list                                         ce qu'il y a

Code de sortie : 0 tout est comme prévu, 1 ce n'est pas le cas, 2 rien n'a pu être décidé ou lancé, 130 Ctrl-C";

const RUN_AFTER: &str = "\
Exemples :
  lab run producer-at-least-once ack-lost
  lab run eos-pipeline                                          tous ses scénarios
  lab run consumer-at-least-once killed-between -- python3 mon_consommateur.py
  lab run --guarantee at-least-once --scenario ack-lost -- python3 mon_producteur.py
  lab run --guarantee exactly-once --role pipeline -- java -cp 'libs/*' Pipeline.java

Code de sortie : 0 tout est comme prévu (sous --guarantee : elle est tenue), 1 ce n'est pas le cas, 2 rien n'a pu être décidé ou lancé, 130 Ctrl-C";

const SHOW_AFTER: &str = "\
Exemples :
  lab show input
  lab show output --last 50";

const TEMPLATE: &str = "{about-with-newline}\nUtilisation : {usage}\n\n{all-args}{after-help}";

/// The command line, with its help in the language.
pub(super) fn command(lang: Lang) -> clap::Command {
    let own_broker = |command: clap::Command| {
        command.mut_arg("bootstrap_servers", |arg| arg.help(BOOTSTRAP_SERVERS).hide_default_value(true))
    };
    let command = own_broker(Lab::command())
        .mut_subcommand("run", own_broker)
        .mut_subcommand("torture", |torture| torture::with_own_flags(own_broker(torture)))
        .mut_subcommand("watch", own_broker)
        .mut_subcommand("check", own_broker)
        .mut_subcommands(|command| command.next_help_heading(None::<&str>));
    if lang == Lang::En {
        return command;
    }
    translated(command, &[HELP, nodes::HELP_FR])
        .about(ABOUT)
        .long_about(LONG_ABOUT)
        .after_help(AFTER)
        .mut_subcommand("torture", |torture| {
            translated(torture, &[torture::HELP_FR, HELP])
                .about(torture::ABOUT_FR)
                .long_about(torture::LONG_ABOUT_FR)
                .after_help(torture::EXAMPLES_FR)
        })
        .mut_subcommand("run", |run| {
            translated(run, &[RUN_HELP, HELP, nodes::HELP_FR]).about(RUN_ABOUT).after_help(RUN_AFTER)
        })
        .mut_subcommand("list", |list| translated(list, &[HELP]).about(LIST_ABOUT))
        .mut_subcommand("show", |show| translated(show, &[SHOW_HELP, HELP]).about(SHOW_ABOUT).after_help(SHOW_AFTER))
        .mut_subcommand("check", |check| {
            translated(check, &[CHECK_HELP, HELP]).about(CHECK_ABOUT).after_help(CHECK_AFTER)
        })
        .mut_subcommand("watch", |watch| {
            translated(watch, &[WATCH_HELP, HELP])
                .about(WATCH_ABOUT)
                .long_about(WATCH_LONG_ABOUT)
                .after_help(WATCH_AFTER)
        })
        .mut_subcommand("progress", |progress| {
            translated(progress, &[HELP]).about(PROGRESS_ABOUT).after_help(PROGRESS_AFTER)
        })
        .mut_subcommand("hint", |hint| translated(hint, &[HINT_HELP, HELP]).about(HINT_ABOUT).after_help(HINT_AFTER))
        .mut_subcommand("diff", |diff| {
            translated(diff, &[DIFF_HELP, HELP]).about(DIFF_ABOUT).long_about(DIFF_LONG_ABOUT).after_help(DIFF_AFTER)
        })
        .mut_subcommand("reset", |reset| {
            translated(reset, &[RESET_HELP, HELP])
                .about(RESET_ABOUT)
                .long_about(RESET_LONG_ABOUT)
                .after_help(RESET_AFTER)
        })
        .mut_subcommand("session", |session| {
            translated(session, &[session::HELP_FR, HELP])
                .about(session::ABOUT_FR)
                .long_about(session::LONG_ABOUT_FR)
                .after_help(session::EXAMPLES_FR)
        })
        .mut_subcommand("grade", |command| {
            translated(command, &[grade::HELP_FR, HELP])
                .about(grade::ABOUT_FR)
                .long_about(grade::LONG_ABOUT_FR)
                .after_help(grade::EXAMPLES_FR)
        })
        .mut_subcommand("broker", |broker| {
            translated(broker, &[serve::HELP_FR]).about(serve::ABOUT_FR).after_help(serve::EXAMPLES_FR)
        })
}

/// A command with its flags explained by the first of these tables that names them.
fn translated(command: clap::Command, tables: &[&[(&str, &'static str)]]) -> clap::Command {
    command
        .mut_args(|arg| {
            let help = tables.iter().find_map(|table| table.iter().find(|(id, _)| arg.get_id() == *id));
            let arg = match help {
                Some((_, help)) => arg.help(*help),
                None => arg,
            };
            match arg.get_help_heading() {
                Some(RUN) => arg.help_heading("Exécution"),
                Some(OUTPUT) => arg.help_heading("Sortie"),
                Some(CLIENT) => arg.help_heading("Un client à vous"),
                _ => arg,
            }
        })
        .help_template(TEMPLATE)
}
