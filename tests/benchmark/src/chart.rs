//! The chart of the ratios: an SVG that is drawn from the tables of the file of figures.
//!
//! The tables are read back, so that rows that were measured on another day are in the chart too.

use anyhow::{Context, Result};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// One row of the chart: a case, and its ratio with each compiler.
#[derive(Clone, Debug, PartialEq)]
struct Bar {
    label: String,
    /// Pairs of a compiler's name and a ratio.
    ratios: Vec<(String, f64)>,
}

/// The compilers, in the order of the legend, with the classes of their marks.
const COMPILERS: [(&str, &str); 3] = [("cranelift", "c"), ("llvm", "l"), ("singlepass", "s")];

/// The ends of the axis. Ratios beyond are drawn at its ends.
const LEAST: f64 = 0.01;
const MOST: f64 = 10.0;
/// Marked values of the axis.
const TICKS: [f64; 7] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

/// Geometry, in pixels: the place of the axis, and the height of the heading, of a row and of the axis's values.
const LEFT: f64 = 330.0;
const WIDTH: f64 = 460.0;
const TOTAL: f64 = 870.0;
const TOP: f64 = 92.0;
const ROW: f64 = 19.0;
const BOTTOM: f64 = 30.0;

/// Draws the chart of a file of figures beside it, with the extension `svg`.
pub(crate) fn draw(file: &Path) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let chart = file.with_extension("svg");
    fs::write(&chart, svg(&bars(&text))).with_context(|| format!("cannot write {}", chart.display()))
}

/// Reads the ratios to wasmtime out of the tables of a document. A case that is in several tables has the ratio of the last.
fn bars(document: &str) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    let mut headings: Option<Vec<&str>> = None;
    for line in document.lines() {
        let Some(cells) = cells(line) else {
            headings = None;
            continue;
        };
        let Some(names) = &headings else {
            headings = Some(cells);
            continue;
        };
        let cell = |name: &str| {
            let at = names.iter().position(|heading| heading.starts_with(name))?;
            cells.get(at).copied().filter(|cell| !cell.is_empty())
        };
        let (Some(row), Some(case), Some(compiler)) = (cell("row"), cell("case"), cell("backend")) else {
            continue;
        };
        // The first ratio of a line is that to wasmtime's default settings.
        let ratio = cell("wasmtime")
            .and(cell("ratio"))
            .and_then(|ratio| ratio.parse().ok());
        if let Some(ratio) = ratio.filter(|_| is_shown(row, case)) {
            add(&mut bars, format!("{row} {case}"), compiler, ratio);
        }
    }
    bars
}

/// Returns the cells of a line of a table, but for the rule below the headings.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// Reports whether a case is more than a detail of another one.
fn is_shown(row: &str, case: &str) -> bool {
    match row {
        "P9" => case == "geometric mean",
        "P11" => !case.contains("PSS") && !case.contains("private dirty"),
        // It is compared with an instance of ours.
        "P14" => false,
        _ => true,
    }
}

fn add(bars: &mut Vec<Bar>, label: String, compiler: &str, ratio: f64) {
    let at = bars.iter().position(|bar| bar.label == label);
    let bar = match at.and_then(|at| bars.get_mut(at)) {
        Some(bar) => bar,
        None => {
            bars.push(Bar {
                label: label.clone(),
                ratios: Vec::new(),
            });
            let Some(bar) = bars.last_mut() else { return };
            bar
        }
    };
    match bar.ratios.iter_mut().find(|(name, _)| name == compiler) {
        Some((_, known)) => *known = ratio,
        None => bar.ratios.push((compiler.to_owned(), ratio)),
    }
}

/// Returns the place of a ratio on the axis, which is logarithmic.
fn place(ratio: f64) -> f64 {
    let part = (ratio.clamp(LEAST, MOST) / LEAST).ln() / (MOST / LEAST).ln();
    LEFT + part * WIDTH
}

/// Colors for light and dark backgrounds; the background itself is that of the page.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#1f2328}.t{font-size:15px;font-weight:600}.n{fill:#59636e}
.g{stroke:#d1d9e0}.o{stroke:#1f2328}.c{fill:#0969da;stroke:#0969da}.l{fill:#bc4c00;stroke:#bc4c00}.s{fill:#1a7f37;stroke:#1a7f37}
.b{stroke-width:2;opacity:.45}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.n{fill:#9198a1}.g{stroke:#3d444d}.o{stroke:#f0f6fc}
.c{fill:#4493f8;stroke:#4493f8}.l{fill:#f0883e;stroke:#f0883e}.s{fill:#3fb950;stroke:#3fb950}}
";

fn svg(bars: &[Bar]) -> String {
    let height = TOP + ROW * bars.len() as f64 + BOTTOM;
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {TOTAL} {height}\" width=\"{TOTAL}\" height=\"{height}\" role=\"img\">\n\
         <title>Time or memory of airssys-wasm, divided by wasmtime's</title>\n<style>{STYLE}</style>\n\
         <text class=\"t\" x=\"12\" y=\"24\">Time or memory of airssys-wasm, divided by wasmtime's</text>\n\
         <text class=\"n\" x=\"12\" y=\"44\">Left of 1 is faster or smaller; the axis is logarithmic. The number is that of the first compiler.</text>\n"
    );
    legend(&mut out, bars);
    axis(&mut out, height - BOTTOM);
    for (index, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * (index as f64 + 0.5);
        let _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 12.0,
            y + 4.0,
            escaped(&bar.label)
        );
        marks(&mut out, bar, y);
    }
    out.push_str("</svg>\n");
    out
}

fn legend(out: &mut String, bars: &[Bar]) {
    let mut x = LEFT;
    for (name, class) in COMPILERS {
        if bars
            .iter()
            .any(|bar| bar.ratios.iter().any(|(compiler, _)| compiler == name))
        {
            mark(out, class, x + 5.0, 64.0);
            let _ = writeln!(out, "<text x=\"{:.0}\" y=\"68\">{name}</text>", x + 15.0);
            x += 105.0;
        }
    }
}

fn axis(out: &mut String, bottom: f64) {
    for tick in TICKS {
        let (x, class) = (place(tick), if tick == 1.0 { "o" } else { "g" });
        let _ = writeln!(
            out,
            "<line class=\"{class}\" x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>\
             <text class=\"n\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}</text>",
            TOP - 4.0,
            bottom + 18.0
        );
    }
}

/// Draws the marks of a row, each with a line to 1, and the first ratio as a number beside the axis.
fn marks(out: &mut String, bar: &Bar, y: f64) {
    let one = place(1.0);
    let of_class = |class| {
        COMPILERS
            .iter()
            .find(|(_, known)| *known == class)
            .map(|(name, _)| *name)
    };
    let mut numbers = Vec::new();
    for (_, class) in COMPILERS {
        let found = bar
            .ratios
            .iter()
            .find(|(name, _)| Some(name.as_str()) == of_class(class));
        let Some((name, ratio)) = found else {
            continue;
        };
        let x = place(*ratio);
        let _ = writeln!(
            out,
            "<line class=\"{class} b\" x1=\"{one:.1}\" y1=\"{y:.1}\" x2=\"{x:.1}\" y2=\"{y:.1}\"/>"
        );
        mark(out, class, x, y);
        numbers.push((name, ratio));
    }
    if let [(_, ratio), ..] = numbers[..] {
        let _ = writeln!(
            out,
            "<text class=\"n\" x=\"{:.0}\" y=\"{:.1}\">{ratio:.3}</text>",
            LEFT + WIDTH + 16.0,
            y + 4.0
        );
    }
}

/// Draws a circle, a square or a triangle: the compilers differ in more than color.
fn mark(out: &mut String, class: &str, x: f64, y: f64) {
    let _ = match class {
        "c" => writeln!(
            out,
            "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>"
        ),
        "l" => writeln!(
            out,
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"7\" height=\"7\"/>",
            x - 3.5,
            y - 3.5
        ),
        _ => writeln!(
            out,
            "<path class=\"{class}\" d=\"M{x:.1} {:.1}l4.5 8h-9z\"/>",
            y - 4.5
        ),
    };
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "\
text | with a bar

| row | case        | backend   | ours  | wasmtime | ratio | goal  |     | sync | ratio |
| --- | ----------- | --------- | ----- | -------- | ----- | ----- | --- | ---- | ----- |
| P1  | add(u32)    | cranelift | 60 ns | 500 ns   | 0.120 | ≤ 0.5 | met | 1 ns | 60    |
| P5  | tick -> u32 | llvm      | 30 ns | 20 ns    | 1.500 |       |     |      |       |
| P7a | verify      | cranelift | 30 ns |          |       |       |     |      |       |
| P9  | fib(35)     | cranelift | 30 ns | 20 ns    | 1.500 |       |     |      |       |

| row | case     | backend   | ours  | beside | ratio |
| --- | -------- | --------- | ----- | ------ | ----- |
| P13 | checked  | cranelift | 60 ns | 40 ns  | 1.500 |

| row | case     | backend   | ours  | wasmtime or instance | ratio |
| --- | -------- | --------- | ----- | -------------------- | ----- |
| P1  | add(u32) | cranelift | 60 ns | 600 ns               | 0.100 |
| P1  | add(u32) | llvm      | 60 ns | 600 ns               | 0.105 |
";

    fn bar(label: &str, ratios: &[(&str, f64)]) -> Bar {
        Bar {
            label: label.to_owned(),
            ratios: ratios
                .iter()
                .map(|(name, ratio)| ((*name).to_owned(), *ratio))
                .collect(),
        }
    }

    #[test]
    fn the_last_ratio_to_wasmtime_of_each_case_is_read() {
        let expected = [
            bar("P1 add(u32)", &[("cranelift", 0.1), ("llvm", 0.105)]),
            bar("P5 tick -> u32", &[("llvm", 1.5)]),
        ];
        assert_eq!(bars(DOCUMENT), expected);
        assert_eq!(bars("no table"), []);
    }

    #[test]
    fn the_axis_is_logarithmic_and_has_ends() {
        assert_eq!(place(LEAST), LEFT);
        assert!((place(MOST) - (LEFT + WIDTH)).abs() < 1e-9);
        assert!((place(1.0) - place(0.1) - (place(10.0) - place(1.0))).abs() < 1e-9);
        assert_eq!(place(0.0001), place(LEAST));
        assert_eq!(place(500.0), place(MOST));
    }

    #[test]
    fn the_chart_has_a_line_for_each_case_and_no_open_markup() {
        let chart = svg(&bars(DOCUMENT));
        assert!(
            chart.contains(">P1 add(u32)</text>") && chart.contains(">P5 tick -&gt; u32</text>"),
            "{chart}"
        );
        assert!(chart.contains("prefers-color-scheme:dark"));
        assert!(!chart.contains("singlepass") && !chart.contains("NaN"), "{chart}");
        let opened = chart.matches('<').count() - chart.matches("</").count();
        let closed = chart.matches("</").count() + chart.matches("/>").count();
        assert_eq!(opened, closed, "{chart}");
    }
}
