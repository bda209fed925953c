//! What a series of pairs amounts to.

/// Messages per second.
pub(crate) type Speed = f64;

/// Both sides of one pair.
pub(crate) struct Pair {
    pub(crate) ours: Speed,
    pub(crate) theirs: Speed,
}

/// What the pairs amount to.
pub(crate) struct Ratios {
    pub(crate) ours: Speed,
    pub(crate) theirs: Speed,
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Ratios {
    /// Medians; the ratio is the median of the ratios, not the ratio of the medians.
    pub(crate) fn of(pairs: &[Pair]) -> Self {
        let all = |value: &dyn Fn(&Pair) -> f64| pairs.iter().map(value).collect::<Vec<_>>();
        let ratios = all(&|pair| pair.ours / pair.theirs);
        Self {
            ours: median(all(&|pair| pair.ours)).unwrap_or_default(),
            theirs: median(all(&|pair| pair.theirs)).unwrap_or_default(),
            least: ratios.iter().copied().min_by(f64::total_cmp).unwrap_or_default(),
            most: ratios.iter().copied().max_by(f64::total_cmp).unwrap_or_default(),
            median: median(ratios).unwrap_or_default(),
        }
    }
}

/// `None` of no values.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get(values.len().saturating_sub(1) / 2)?;
    Some((upper + lower) / 2.0)
}
