//! Fewer steps that show the same.

/// Leaves out steps for as long as `shows` says that the others still show it: first halves, then smaller parts, at last
/// single steps. Asked first about all of them; the last list for which the answer was yes is the result, `None` where
/// it never was.
pub(super) fn shrink<S: Clone>(steps: &[S], mut shows: impl FnMut(&[S]) -> bool) -> Option<Vec<S>> {
    if !shows(steps) {
        return None;
    }
    let mut left = steps.to_vec();
    let mut part = left.len().div_ceil(2);
    while part > 0 {
        let mut from = 0;
        let mut shorter = false;
        while from < left.len() {
            let others: Vec<S> = left.iter().take(from).chain(left.iter().skip(from + part)).cloned().collect();
            if shows(&others) {
                left = others;
                shorter = true;
            } else {
                from += part;
            }
        }
        // What was needed for a step that is gone may be gone too.
        part = if part == 1 && shorter { 1 } else { part / 2 };
    }
    Some(left)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_show_again_is_not_shrunk() {
        assert_eq!(shrink(&[1, 2, 3], |_| false), None);
    }

    #[test]
    fn nothing_at_all_may_be_enough() {
        assert_eq!(shrink(&[1, 2, 3], |_| true), Some(Vec::new()));
    }

    #[test]
    fn one_step_may_need_another() {
        // 4 shows it; and 2, as long as 1 is not there.
        let shows = |steps: &[i32]| steps.contains(&4) || steps.contains(&2) && !steps.contains(&1);
        assert_eq!(shrink(&[1, 2, 3, 4], shows).map(|left| left.len()), Some(1));
    }

    proptest! {
        #[test]
        fn what_is_left_is_what_is_needed_in_its_order(
            steps in proptest::collection::btree_set(0..40_u8, 0..12),
            needed in proptest::collection::btree_set(0..40_u8, 0..5),
        ) {
            let steps: Vec<u8> = steps.into_iter().collect();
            let needed: Vec<u8> = needed.into_iter().filter(|it| steps.contains(it)).collect();
            let mut asked = 0;
            let left = shrink(&steps, |some| {
                asked += 1;
                needed.iter().all(|it| some.contains(it))
            });
            prop_assert_eq!(left, Some(needed));
            prop_assert!(asked <= 1 + 4 * steps.len() + steps.len() * steps.len(), "{asked}");
        }

        #[test]
        fn no_step_can_be_left_out_of_what_is_left(
            steps in proptest::collection::vec(0..8_u8, 1..9),
            kinds in proptest::collection::btree_set(proptest::collection::btree_set(0..8_u8, 1..3), 1..4),
        ) {
            // Any of several combinations shows it.
            let shows = |some: &[u8]| kinds.iter().any(|kind| kind.iter().all(|it| some.contains(it)));
            if let Some(left) = shrink(&steps, shows) {
                prop_assert!(shows(&left));
                for nth in 0..left.len() {
                    let mut fewer = left.clone();
                    fewer.remove(nth);
                    prop_assert!(!shows(&fewer), "{left:?}");
                }
            }
        }
    }
}
