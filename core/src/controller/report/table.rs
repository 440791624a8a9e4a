//! A table of Markdown whose columns stand below each other.

/// Whether a column holds numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

use Align::{Left, Right};

/// The table; a row that is shorter than the header ends with empty cells.
pub(super) fn table(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| escaped(cell)).collect()).collect();
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(place, (name, _))| {
            let cells = rows.iter().filter_map(|row| row.get(place));
            cells.map(|cell| width(cell)).fold(width(name).max(3), usize::max)
        })
        .collect();
    let line = |cells: &dyn Fn(usize) -> String| {
        let cells = header.iter().zip(&widths).enumerate().map(|(place, ((_, align), width))| {
            let cell = cells(place);
            let blanks = " ".repeat(width.saturating_sub(self::width(&cell)));
            match align {
                Left => format!("{cell}{blanks}"),
                Right => format!("{blanks}{cell}"),
            }
        });
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let name = |place: usize| header.get(place).map(|(name, _)| (*name).to_owned());
    let mut text = line(&|place| name(place).unwrap_or_default());
    text.push_str(&line(&|place| {
        let dashes = "-".repeat(widths.get(place).copied().unwrap_or(3));
        match header.get(place) {
            Some((_, Right)) => format!("{}:", dashes.get(1..).unwrap_or_default()),
            _ => dashes,
        }
    }));
    for row in &rows {
        text.push_str(&line(&|place| row.get(place).cloned().unwrap_or_default()));
    }
    text
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// A cell is one line, and a bar in it is no border.
fn escaped(cell: &str) -> String {
    cell.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_each_other_and_cells_break_nothing() {
        let rows = [vec!["a|b\nc".to_owned(), "1".to_owned()], vec!["ü".to_owned()]];
        let text = table(&[("name", Left), ("documents", Right)], &rows);
        let expected = "\
| name   | documents |
| ------ | --------: |
| a\\|b c |         1 |
| ü      |           |
";
        assert_eq!(text, expected);
    }
}
