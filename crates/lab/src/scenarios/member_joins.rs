//! A second member joins the group while the first one is in the middle of its work: the group rebalances, and nothing
//! breaks. A common fear, settled.

use proxy::{Action, ApiKey, Fault, Field, When};

use super::members::{ALIVE, finish_both};
use crate::catalogue::Guarantee;
use crate::error::Error;
use crate::scenario::{Case, Ends, Scenario, Text};
use crate::stage::{Stage, Start};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "member-joins",
    fault: Text {
        en: "a second member joins the group while the first is in the middle of a batch",
        fr: "un second membre rejoint le groupe pendant que le premier est au milieu d'un lot",
    },
    teaches: Text {
        en: "nothing breaks: partitions are revoked inside poll, hence after the batch",
        fr: "rien ne casse : les partitions sont révoquées pendant poll, donc après le lot",
    },
    cases: &[
        Case {
            programs: &["consumer-at-most-once", "consumer-at-least-once"],
            why: Text {
                en: "The first member hears of the rebalance by its heartbeat (REBALANCE_IN_PROGRESS), but gives its partitions up only in its next poll, when the message is both processed and committed. Until it has joined again, the group hands them to nobody, and still takes its commits.",
                fr: "Le premier membre apprend le rééquilibrage par son heartbeat (REBALANCE_IN_PROGRESS), mais ne rend ses partitions que dans son poll suivant, une fois le message traité et commité. Tant qu'il n'a pas rejoint le groupe de nouveau, celui-ci ne les confie à personne, et accepte encore ses commits.",
            },
            ..CASE
        },
        Case {
            programs: &["consumer-exactly-once", "eos-consumer", "eos-pipeline"],
            why: Text {
                en: "The first member hears of the rebalance by its heartbeat (REBALANCE_IN_PROGRESS), but gives its partitions up only in its next poll, when its transaction is committed. Until then its generation is the group's, so its offsets are accepted, and the new member starts after them.",
                fr: "Le premier membre apprend le rééquilibrage par son heartbeat (REBALANCE_IN_PROGRESS), mais ne rend ses partitions que dans son poll suivant, une fois sa transaction commitée. Jusque-là sa génération est celle du groupe : ses offsets sont acceptés, et le nouveau membre part après eux.",
            },
            ..CASE
        },
    ],
};

const CASE: Case = Case {
    promise: Text {
        en: "each message is processed once: that a member joins is no excuse",
        fr: "chaque message est traité une fois : l'arrivée d'un membre n'est pas une excuse",
    },
    // One batch of eos-consumer before the second member comes, then one for each of the two.
    messages: 30,
    partitions: 2,
    settings: ALIVE,
    play,
    ..Case::PLAIN
};

/// REBALANCE_IN_PROGRESS: in the answer to a heartbeat, the wish that the member join again.
const REBALANCE_IN_PROGRESS: i16 = 27;

fn play(stage: &mut Stage<'_>) -> Result<(), Error> {
    let committed = When::response(stage.commits_by()).of("first");
    stage.arm(Fault::new("committed", committed.clone().always(), Action::Note));
    let told = When::response(ApiKey::Heartbeat).of("first").with(Field::Error(REBALANCE_IN_PROGRESS));
    stage.arm(Fault::new("told of the rebalance", told, Action::Note));
    let share = When::response(ApiKey::SyncGroup).of("second").with(Field::Error(0));
    stage.arm(Fault::new("both have a share", share, Action::Note));
    let (messages, third) = (stage.messages(), stage.messages() / 3);
    stage.fill_some(0..third)?;

    // In the middle of its work, because nobody reads what it prints. One more line may be under way, the next is not.
    stage.start_with("first", Start { pause_after: Some(3), ..stage.apart("first") })?;
    stage.lines("first", 3)?;
    // Who commits first is past that, and about to process.
    // A client that is held to its guarantee may do as it likes.
    if stage.program.guarantee != Guarantee::AtMostOnce && !stage.is_held() {
        // It cannot leave what it is at before it has committed, or nothing would be shown.
        stage.arm(Fault::new("committed in time", committed.after("told of the rebalance"), Action::Note));
        let joins = When::request(ApiKey::JoinGroup).of("first").after("told of the rebalance");
        stage.arm(Fault::new("leaves its batch", joins, Action::Hold { until: "committed in time".into() }));
    }
    stage.start_apart("second")?;
    stage.moment("told of the rebalance")?;
    if stage.proxy().count("committed") >= third {
        return Err(Error::NotReached { moment: "a member in the middle of its work".into() });
    }
    stage.read_on("first")?;

    stage.moment("both have a share")?;
    stage.fill_some(third..messages)?;
    stage.ends("first", Ends::Well)?;
    finish_both(stage)
}
