//! Markdown tables, aligned so that they are readable as text.

use std::fmt::{self, Display, Formatter};

pub struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    pub fn new<S: Into<String>>(header: impl IntoIterator<Item = S>) -> Self {
        let mut table = Self { lines: Vec::new() };
        table.push(header);
        table
    }

    /// Adds a line, which has as many cells as the header.
    pub fn push<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.lines.push(cells.into_iter().map(Into::into).collect());
    }

    fn width(&self, column: usize) -> usize {
        self.lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, line) in self.lines.iter().enumerate() {
            for (column, cell) in line.iter().enumerate() {
                let width = self.width(column);
                match column {
                    0 => write!(f, "| {cell:<width$} |")?,
                    _ => write!(f, " {cell:>width$} |")?,
                }
            }
            writeln!(f)?;
            if number == 0 {
                let rule = |column| "-".repeat(self.width(column) + 1);
                let rest = (1..line.len()).map(|column| rule(column) + ":|");
                writeln!(f, "|{}-|{}", rule(0), rest.collect::<String>())?;
            }
        }
        Ok(())
    }
}

/// A number with about three significant digits.
pub fn figure(value: f64) -> String {
    match value.abs() {
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 100.0 => format!("{value:.1}"),
        _ => grouped(value),
    }
}

/// A number of items.
pub fn whole(value: u64) -> String {
    grouped(value as f64)
}

/// A number that may be missing.
pub fn figure_of(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), figure)
}

fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) && !text.ends_with('-') {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Table, figure};

    #[test]
    fn figures_keep_three_significant_digits() {
        let cases = [
            (0.0, "0.00"),
            (0.954, "0.95"),
            (9.994, "9.99"),
            (43.76, "43.8"),
            (999.4, "999"),
            (-1234.0, "-1,234"),
            (-123.0, "-123"),
            (3_056_789.4, "3,056,789"),
        ];
        for (value, text) in cases {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn tables_are_aligned() {
        let mut table = Table::new(["client", "µs"]);
        table.push(["raw", "37.00"]);
        assert_eq!(
            table.to_string(),
            "| client |    µs |\n|--------|------:|\n| raw    | 37.00 |\n"
        );
    }
}
