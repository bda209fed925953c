//! Many moments in few lines: of those that are alike, between two turns of the story, some are told and the others
//! counted.

use std::borrow::Cow;
use std::collections::HashMap;

use super::moment::{Like, Moment, Weight};
use crate::text::Lang;

/// A story of more lines than this is told more briefly.
const LINES: usize = 34;

/// However brief, a story with more lines than this loses its middle.
const MOST: usize = 60;

/// How many of a row of moments that are alike are told, at the beginning and at the end, and how long a row is told
/// whole.
type Way = (usize, usize, usize);

/// From long to short: for requests and their answers; for what is brief: lines of output, say.
const WAYS: &[(Way, Way)] = &[
    ((2, 2, 5), (1, 1, 3)),
    ((1, 1, 3), (1, 1, 3)),
    ((1, 1, 3), (0, 0, 2)),
    ((1, 0, 2), (0, 0, 1)),
    ((0, 0, 1), (0, 0, 1)),
];

/// So many times the same is told as the first, the last, and a number.
const SAME: usize = 4;

/// The moments as they are told.
pub(super) fn fold(moments: Vec<Moment>, lang: Lang) -> Vec<Moment> {
    let moments = &repeated(moments, lang);
    let mut told = Vec::new();
    for (requests, brief) in WAYS {
        told = folded(moments, *requests, *brief, lang);
        if told.len() <= LINES {
            break;
        }
    }
    if told.len() > MOST {
        let (begin, end) = (MOST / 3, MOST * 2 / 3);
        let left_out = told.len() - begin - end;
        let gap = Moment {
            micros: told.get(begin).map_or(0, |moment| moment.micros),
            who: String::new(),
            text: lang.left_out(left_out),
            weight: Weight::Usual,
            like: None,
        };
        told.splice(begin..begin + left_out, [Cow::Owned(gap)]);
    }
    told.into_iter().map(Cow::into_owned).collect()
}

/// What happens again and again (a request, and the fault that acts on it): the first time, how often, the last time.
fn repeated(moments: Vec<Moment>, lang: Lang) -> Vec<Moment> {
    let mut gaps = Vec::new();
    let mut at = 0;
    while at < moments.len() {
        let rest = moments.get(at..).unwrap_or_default();
        let found = (2..=3).find_map(|len| {
            let first = rest.get(..len)?;
            // A row begins with what the client does, not with what is done to it.
            let begins = first.first().is_some_and(|moment| moment.weight < Weight::Fault);
            let stands_out = begins && first.iter().any(|moment| moment.weight >= Weight::Special);
            let same = |block: &&[Moment]| block.iter().zip(first).all(|(a, b)| a.text == b.text && a.who == b.who);
            let times = if stands_out { rest.chunks_exact(len).take_while(same).count() } else { 0 };
            (times >= SAME).then_some((len, times))
        });
        match found {
            Some((len, times)) => {
                gaps.push((at + len..at + len * (times - 1), times - 2));
                at += len * times;
            }
            None => at += 1,
        }
    }
    let mut told = moments;
    for (gap, times) in gaps.into_iter().rev() {
        let Some(first) = told.get(gap.start) else { continue };
        let text = lang.same(times);
        let same = Moment { text, weight: Weight::Turn, like: None, ..first.clone() };
        told.splice(gap, [same]);
    }
    told
}

fn folded<'a>(moments: &'a [Moment], requests: Way, brief: Way, lang: Lang) -> Vec<Cow<'a, Moment>> {
    let mut told = Vec::new();
    let is_turn = |moment: &Moment| moment.weight >= Weight::Turn;
    for stretch in moments.chunk_by(|a, b| !is_turn(a) && !is_turn(b)) {
        let mut rows: HashMap<_, Vec<&Moment>> = HashMap::new();
        for moment in stretch {
            if let Some(key) = moment.row() {
                rows.entry(key).or_default().push(moment);
            }
        }
        let mut seen: HashMap<_, usize> = HashMap::new();
        for moment in stretch {
            let row = moment.row().and_then(|key| Some((key, rows.get(&key)?, moment.like.as_ref()?)));
            let Some((key, row, like)) = row else {
                told.push(Cow::Borrowed(moment));
                continue;
            };
            let before = seen.entry(key).or_default();
            let nth = *before;
            *before += 1;
            let (begin, end, whole) = if like.brief { brief } else { requests };
            // What stands out is told whole where it can be.
            let (begin, end, whole) = match moment.weight {
                Weight::Usual => (begin, end, whole),
                _ => (begin.max(1), end.max(1), whole.max(3)),
            };
            let is_whole = row.len() <= whole && row.iter().all(|moment| moment.is_one());
            if moment.is_one() && (is_whole || nth < begin || nth >= row.len().saturating_sub(end)) {
                told.push(Cow::Borrowed(moment));
            } else if nth == begin {
                let rest = row.get(begin..row.len().saturating_sub(end)).unwrap_or_default();
                told.push(Cow::Owned(together(rest, begin > 0, lang)));
            }
        }
    }
    told
}

/// Moments that are alike, as one.
fn together(moments: &[&Moment], more: bool, lang: Lang) -> Moment {
    let likes: Vec<&Like> = moments.iter().filter_map(|moment| moment.like.as_ref()).collect();
    let count = likes.iter().map(|like| like.count).sum();
    let text = match (likes.first(), likes.last()) {
        (Some(first), Some(last)) => lang.many(count, more, &first.what, &first.first, &last.last, &first.outcome),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(nth: u64, count: usize) -> Moment {
        let like = Like { first: format!("m{nth}"), last: format!("m{nth}"), count, ..Like::of("lines".to_owned()) };
        Moment {
            micros: nth,
            who: "program".to_owned(),
            text: format!("prints m{nth}"),
            weight: Weight::Usual,
            like: Some(like),
        }
    }

    fn texts(moments: &[Moment]) -> Vec<String> {
        fold(moments.to_vec(), Lang::En).into_iter().map(|moment| moment.text).collect()
    }

    #[test]
    fn a_turn_is_told_and_the_rows_on_both_sides_are_counted_apart() {
        let mut moments: Vec<_> = (0..10).map(|nth| line(nth, 1)).collect();
        moments[5] = Moment { text: "killed".to_owned(), weight: Weight::Fault, like: None, ..line(5, 1) };
        let before = ["prints m0", "prints m1", "… 2 more lines, m2 to m3"];
        assert_eq!(texts(&moments[..6])[0], before[0]);
        assert_eq!(texts(&moments).iter().filter(|text| text.contains("more lines")).count(), 2);
        assert!(texts(&moments).contains(&"killed".to_owned()));
    }

    #[test]
    fn what_stands_for_many_is_counted_as_many() {
        let moments = [line(0, 1), line(1, 1000), line(2, 1)];
        assert_eq!(texts(&moments), ["prints m0", "… 1000 more lines, m1", "prints m2"]);
    }

    #[test]
    fn a_long_row_takes_no_long_time() {
        let moments: Vec<_> = (0..200_000).map(|nth| line(nth, 1)).collect();
        assert_eq!(texts(&moments), ["prints m0", "… 199998 more lines, m1 to m199998", "prints m199999"]);
    }

    #[test]
    fn the_same_again_and_again_is_told_once() {
        let one = |text: &str, weight| Moment { text: text.to_owned(), weight, like: None, ..line(0, 1) };
        let pair = [one("request", Weight::Special), one("fault", Weight::Fault)];
        let moments: Vec<_> = std::iter::repeat_n(pair, 9).flatten().chain([one("end", Weight::Turn)]).collect();
        assert_eq!(texts(&moments), ["request", "fault", "… the same 7 more times", "request", "fault", "end"]);
    }

    #[test]
    fn a_story_without_end_loses_its_middle() {
        let moments: Vec<_> = (0..500).map(|nth| Moment { like: None, ..line(nth, 1) }).collect();
        let texts = texts(&moments);
        assert_eq!(texts.len(), MOST + 1);
        assert_eq!((texts[0].as_str(), texts[MOST].as_str()), ("prints m0", "prints m499"));
        assert!(texts[MOST / 3].contains("440 lines are left out"), "{}", texts[MOST / 3]);
    }
}
