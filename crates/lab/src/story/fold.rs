//! Many moments in few lines: of those that are alike, between two turns of the story, some are told and the others
//! counted.

use super::moment::{Like, Moment, Weight};
use crate::text::Lang;

/// A story of more lines than this is told more briefly.
const LINES: usize = 34;

/// However brief, a story with more lines than this loses its middle.
const MOST: usize = 60;

/// How many of a row of moments that are alike are told, at the beginning and at the end, and how long a row is told
/// whole.
type Way = (usize, usize, usize);

/// From long to short: for requests and their answers; for lines of output, of which the first and the last say it all.
const WAYS: &[(Way, Way)] = &[
    ((2, 2, 5), (1, 1, 3)),
    ((1, 1, 3), (1, 1, 3)),
    ((1, 1, 3), (0, 0, 2)),
    ((1, 0, 2), (0, 0, 1)),
    ((0, 0, 1), (0, 0, 1)),
];

/// The moments as they are told.
pub(super) fn fold(moments: &[Moment], lang: Lang) -> Vec<Moment> {
    let mut told = moments.to_vec();
    for (requests, lines) in WAYS {
        told = folded(moments, *requests, *lines, lang);
        if told.len() <= LINES {
            return told;
        }
    }
    if told.len() > MOST {
        let (begin, end) = (MOST / 3, MOST * 2 / 3);
        let left_out = told.len() - begin - end;
        let mut gap = told.get(begin).cloned().into_iter().collect::<Vec<_>>();
        for moment in &mut gap {
            moment.who.clear();
            moment.text = lang.left_out(left_out);
            moment.weight = Weight::Usual;
        }
        told.splice(begin..begin + left_out, gap);
    }
    told
}

fn folded(moments: &[Moment], requests: Way, lines: Way, lang: Lang) -> Vec<Moment> {
    let mut told = Vec::new();
    let is_turn = |moment: &Moment| moment.weight >= Weight::Turn;
    for stretch in moments.chunk_by(|a, b| !is_turn(a) && !is_turn(b)) {
        for (at, moment) in stretch.iter().enumerate() {
            let before = stretch.iter().take(at).filter(|other| other.is_like(moment)).count();
            let after = stretch.iter().skip(at + 1).filter(|other| other.is_like(moment)).count();
            let all = before + after + 1;
            let is_line = moment.like.as_ref().is_some_and(|like| like.what == lang.lines());
            let (begin, end, whole) = if is_line { lines } else { requests };
            // What stands out is told whole where it can be.
            let (begin, end, whole) = if moment.weight >= Weight::Special {
                (begin.max(1), end.max(1), whole.max(3))
            } else {
                (begin, end, whole)
            };
            if moment.like.is_none() || all <= whole || before < begin || after < end {
                told.push(moment.clone());
            } else if before == begin {
                let rest: Vec<_> =
                    stretch.iter().skip(at).filter(|other| other.is_like(moment)).take(all - begin - end).collect();
                told.push(together(&rest, begin > 0, lang));
            }
        }
    }
    told
}

/// Moments that are alike, as one.
fn together(moments: &[&Moment], more: bool, lang: Lang) -> Moment {
    let likes: Vec<&Like> = moments.iter().filter_map(|moment| moment.like.as_ref()).collect();
    let text = match (likes.first(), likes.last()) {
        (Some(first), Some(last)) => {
            lang.many(likes.len(), more, &first.what, &first.first, &last.last, &first.outcome)
        }
        _ => String::new(),
    };
    let first = moments.first();
    Moment {
        micros: first.map_or(0, |moment| moment.micros),
        who: first.map_or_else(String::new, |moment| moment.who.clone()),
        text,
        weight: Weight::Usual,
        like: None,
    }
}
