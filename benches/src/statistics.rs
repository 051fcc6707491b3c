//! Medians and spreads.

/// The median and the quartiles of some values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    pub median: f64,
    pub lower: f64,
    pub upper: f64,
}

impl Summary {
    /// `None` of no values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = |part: f64| {
            let place = part * last as f64;
            let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            below + (above - below) * place.fract()
        };
        Some(Self { median: at(0.5), lower: at(0.25), upper: at(0.75) })
    }

    /// Half of the distance between the quartiles, as a part of the median.
    pub fn spread(self) -> f64 {
        (self.upper - self.lower) / 2.0 / self.median
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn quartiles_lie_between_the_values() {
        let cases: [(&[f64], [f64; 3]); 4] = [
            (&[7.0], [7.0, 7.0, 7.0]),
            (&[2.0, 1.0], [1.25, 1.5, 1.75]),
            (&[3.0, 1.0, 2.0, 5.0, 4.0], [2.0, 3.0, 4.0]),
            (&[1.0, 1.0, 1.0, 100.0], [1.0, 1.0, 25.75]),
        ];
        for (values, [lower, median, upper]) in cases {
            let summary = Summary::of(values.iter().copied());
            assert_eq!(summary, Some(Summary { median, lower, upper }), "{values:?}");
        }
        assert_eq!(Summary::of([]), None);
    }
}
