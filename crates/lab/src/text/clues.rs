//! What a client has done that explains the verdict, and what would be right.

use super::Lang::{self, En, Fr};
use crate::clues::Clue;
use crate::layout::cut;
use crate::story::error_name;
use crate::value::Value;

/// A value is shown in so many columns at most.
const VALUE: usize = 40;

impl Lang {
    /// A clue, in two sentences at most.
    pub(crate) fn clue(self, clue: &Clue) -> String {
        match self {
            En => english(clue),
            Fr => french(clue),
        }
    }
}

fn shown(value: &Value) -> String {
    cut(&value.to_string(), VALUE)
}

fn english(clue: &Clue) -> String {
    let at = |micros: u64| format!("at {} ms", En.millis(micros));
    match clue {
        Clue::NoSequence => {
            "the batch that was sent again carries no producer id and no sequence number, by which the \
                             broker would have known it: enable.idempotence is off"
                .to_owned()
        }
        Clue::Acks(acks) => format!(
            "its Produce requests ask for acks={acks}: {}; acks=all is what waits for all in-sync replicas",
            if *acks == 0 {
                "no answer comes, and nobody learns that a batch is lost"
            } else {
                "one replica may be lost"
            }
        ),
        Clue::SaidTooEarly { value } => format!(
            "it said that {} is delivered before the broker had answered its Produce: that send() has returned means \
             that it is queued, the delivery report tells the rest",
            shown(value)
        ),
        Clue::SaidDespite { value, error } => format!(
            "it said that {} is delivered, when the broker had answered its Produce with {}: the error in the delivery \
             report was not looked at",
            shown(value),
            error_name(*error)
        ),
        Clue::SaidCommitted { micros } => format!(
            "it said `committed`, and what it had sent {} was EndTxn(abort): the error of the commit was handled, and \
             then forgotten",
            at(*micros)
        ),
        Clue::EndedTooSoon { value, left: false } => format!(
            "it ended with exit status 0, and no Produce had carried {}: the message was still queued in the client; \
             flush() waits for the queue, and says how many are left",
            shown(value)
        ),
        Clue::EndedTooSoon { value, left: true } => format!(
            "it ended with exit status 0, and the Produce of {} had no answer: flush() says how many messages have none, \
             and that was not looked at",
            shown(value)
        ),
        Clue::SentAnew { value } => format!(
            "it sent {} again itself, under another sequence number or producer id: to the broker this is another \
             message; a failed delivery, or a fatal error, does not mean that the first is not stored",
            shown(value)
        ),
        Clue::OtherIds => "its two instances were given one transactional.id and have two: for the coordinator the \
                           second is a stranger, so it neither fenced the first nor ended its transaction"
            .to_owned(),
        Clue::SharedId => {
            "its two instances were given two transactional.ids and have one: each that starts fences the \
                           other; it is to be stable for an instance, and no other's"
                .to_owned()
        }
        Clue::LeftOpen => "it began a transaction and ended without EndTxn, neither commit nor abort: after an error, \
                           abort_transaction() is what frees the readers"
            .to_owned(),
        Clue::CommittedFirst { value, offset, micros } => format!(
            "it committed offset {offset}, past {}, {}, and had not processed it: a crash there, and nobody ever will; \
             commit what is done, not what is read (auto-commit counts what is read)",
            shown(value),
            at(*micros)
        ),
        Clue::NotReadAgain { value, micros } => format!(
            "the transaction with {} was aborted {}, and the next one committed offsets past it: after an abort, go back \
             (seek) to the committed offsets",
            shown(value),
            at(*micros)
        ),
        Clue::NeverFetched { value, from } => format!(
            "it never asked for {}: its first Fetch is from offset {from}; it begins at the end, by a seek or by \
             auto.offset.reset=latest, and what came before is passed over",
            shown(value)
        ),
        Clue::CommitRefused { value, error } => format!(
            "the commit of {} was refused ({}), and it processed the message all the same: it is another member's now",
            shown(value),
            error_name(*error)
        ),
        Clue::CommitNotAwaited { value } => format!(
            "it processed {} before the answer to its commit had come: at most once is to commit, wait for the answer, \
             and then process",
            shown(value)
        ),
        Clue::OffsetOfTheMessage { partition, offset } => format!(
            "its last commit of partition {partition} is offset {offset}, that of the last message it processed: the \
             offset to commit is the next one to read, offset + 1"
        ),
        Clue::ReadUncommitted => "its Fetch requests are at read_uncommitted, and so it is given what was aborted: \
                                  isolation.level=read_committed (Java's default is the other)"
            .to_owned(),
        Clue::OffsetsOutside => {
            "its results are in a transaction, and its offsets are committed by OffsetCommit, outside \
                                 of it: send_offsets_to_transaction() makes the two one"
                .to_owned()
        }
        Clue::NoOffsets { micros } => format!(
            "the EndTxn {} committed results, and no offsets had been sent to that transaction: \
             send_offsets_to_transaction() goes before the commit",
            at(*micros)
        ),
        Clue::NoMetadata => {
            "its offsets go without member id and generation, so the coordinator takes them from anybody: \
                             ask for the group metadata afresh in each transaction"
                .to_owned()
        }
        Clue::RejoinedInTransaction { micros } => format!(
            "it joined its group anew (JoinGroup {}) with a transaction open, and went on with it: when partitions are \
             revoked, commit or abort first",
            at(*micros)
        ),
    }
}

fn french(clue: &Clue) -> String {
    let at = |micros: u64| format!("à {} ms", Fr.millis(micros));
    match clue {
        Clue::NoSequence => {
            "le lot renvoyé ne porte ni producer id ni numéro de séquence, auxquels le broker l'aurait \
                             reconnu : enable.idempotence est désactivé"
                .to_owned()
        }
        Clue::Acks(acks) => format!(
            "ses requêtes Produce demandent acks={acks} : {} ; c'est acks=all qui attend toutes les répliques \
             synchronisées",
            if *acks == 0 {
                "aucune réponse ne vient, et personne n'apprend qu'un lot est perdu"
            } else {
                "cette seule réplique peut se perdre"
            }
        ),
        Clue::SaidTooEarly { value } => format!(
            "il a dit {} livré avant que le broker ait répondu à son Produce : le retour de send() veut dire « en file \
             d'attente », c'est l'accusé de livraison qui dit la suite",
            shown(value)
        ),
        Clue::SaidDespite { value, error } => format!(
            "il a dit {} livré, alors que le broker avait répondu {} à son Produce : l'erreur de l'accusé de livraison \
             n'a pas été regardée",
            shown(value),
            error_name(*error)
        ),
        Clue::SaidCommitted { micros } => format!(
            "il a dit `committed`, alors qu'il avait envoyé {} un EndTxn(abort) : l'erreur du commit a été traitée, puis \
             oubliée",
            at(*micros)
        ),
        Clue::EndedTooSoon { value, left: false } => format!(
            "il s'est terminé avec le code de sortie 0 alors qu'aucun Produce n'avait emporté {} : le message attendait \
             encore dans le client ; flush() attend la file, et dit combien il en reste",
            shown(value)
        ),
        Clue::EndedTooSoon { value, left: true } => format!(
            "il s'est terminé avec le code de sortie 0 alors que le Produce de {} était sans réponse : flush() dit \
             combien de messages n'en ont pas, et cela n'a pas été regardé",
            shown(value)
        ),
        Clue::SentAnew { value } => format!(
            "il a renvoyé lui-même {}, sous un autre numéro de séquence ou producer id : pour le broker, c'est un autre \
             message ; une livraison échouée, ou une erreur fatale, ne veut pas dire que le premier n'est pas stocké",
            shown(value)
        ),
        Clue::OtherIds => {
            "ses deux instances ont reçu un seul transactional.id et en ont deux : pour le coordinateur, la \
                           seconde est une inconnue, et il n'a ni exclu la première ni terminé sa transaction"
                .to_owned()
        }
        Clue::SharedId => {
            "ses deux instances ont reçu deux transactional.id et n'en ont qu'un : chacune qui démarre exclut \
                           l'autre ; il doit être stable pour une instance, et à elle seule"
                .to_owned()
        }
        Clue::LeftOpen => {
            "il a commencé une transaction et s'est terminé sans EndTxn, ni commit ni abandon : après une \
                           erreur, c'est abort_transaction() qui libère les lecteurs"
                .to_owned()
        }
        Clue::CommittedFirst { value, offset, micros } => format!(
            "il a commité l'offset {offset}, au-delà de {}, {}, sans l'avoir traité : un crash à ce moment, et personne \
             ne le fera plus ; on commite ce qui est fait, non ce qui est lu (l'auto-commit compte ce qui est lu)",
            shown(value),
            at(*micros)
        ),
        Clue::NotReadAgain { value, micros } => format!(
            "la transaction de {} a été avortée {}, et la suivante a commité des offsets au-delà : après un abandon, \
             revenir (seek) aux offsets commités",
            shown(value),
            at(*micros)
        ),
        Clue::NeverFetched { value, from } => format!(
            "il n'a jamais demandé {} : son premier Fetch part de l'offset {from} ; il commence à la fin, par un seek ou \
             par auto.offset.reset=latest, et saute ce qui précède",
            shown(value)
        ),
        Clue::CommitRefused { value, error } => format!(
            "le commit de {} a été refusé ({}), et il a traité le message quand même : celui-ci est désormais à un autre \
             membre",
            shown(value),
            error_name(*error)
        ),
        Clue::CommitNotAwaited { value } => format!(
            "il a traité {} avant la réponse à son commit : au plus une fois, c'est commiter, attendre la réponse, puis \
             traiter",
            shown(value)
        ),
        Clue::OffsetOfTheMessage { partition, offset } => format!(
            "son dernier commit de la partition {partition} est l'offset {offset}, celui du dernier message traité : \
             l'offset à commiter est le prochain à lire, offset + 1"
        ),
        Clue::ReadUncommitted => {
            "ses requêtes Fetch sont en read_uncommitted, et on lui donne donc ce qui a été avorté : \
                                  isolation.level=read_committed (par défaut, Java prend l'autre)"
                .to_owned()
        }
        Clue::OffsetsOutside => {
            "ses résultats sont dans une transaction, et ses offsets sont commités par OffsetCommit, \
                                 en dehors : c'est send_offsets_to_transaction() qui fait des deux une seule chose"
                .to_owned()
        }
        Clue::NoOffsets { micros } => format!(
            "l'EndTxn {} a commité des résultats, et aucun offset n'avait été confié à cette transaction : \
             send_offsets_to_transaction() vient avant le commit",
            at(*micros)
        ),
        Clue::NoMetadata => {
            "ses offsets partent sans identifiant de membre ni génération, et le coordinateur les prend \
                             donc de n'importe qui : demander les métadonnées du groupe à chaque transaction"
                .to_owned()
        }
        Clue::RejoinedInTransaction { micros } => format!(
            "il a rejoint son groupe de nouveau (JoinGroup {}) avec une transaction ouverte, et l'a continuée : quand des \
             partitions sont révoquées, commiter ou avorter d'abord",
            at(*micros)
        ),
    }
}
