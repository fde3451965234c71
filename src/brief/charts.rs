//! The charts of a brief. Each is told its words and numbers, and knows no language.

use crate::brief::drawing::{Anchor, Colour, Drawing, FAINT, GREY, INK, Spot, text};
use crate::brief::font::{fit, width_of};

/// Space left and right of a chart's plot.
const MARGIN: f32 = 4.0;
/// Height of the heading above every chart.
const HEADING: f32 = 26.0;
const SMALL: f32 = 7.5;

/// One part of a bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it counts.
    pub label: String,
    /// How it is coloured everywhere.
    pub colour: Colour,
}

/// One bar: a value for every series.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What it stands for.
    pub label: String,
    /// In the order of the series.
    pub values: Vec<u64>,
}

impl Bar {
    fn total(&self) -> u64 {
        self.values.iter().sum()
    }
}

/// What a chart shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The line above it.
    pub title: String,
    /// What can be read off it, for those who cannot see it.
    pub description: String,
    /// The parts of every bar.
    pub series: Vec<Series>,
    /// The bars, in order.
    pub bars: Vec<Bar>,
    /// What is written where there is nothing to show.
    pub nothing: String,
}

/// Draws upright bars, their parts one on another, over a scale from zero.
pub fn draw_columns(chart: &Chart, width: f32, height: f32) -> Drawing {
    let mut drawing = begin(chart, width, height);
    let most = chart.bars.iter().map(Bar::total).max().unwrap_or(0);
    if most == 0 {
        return tell_nothing(drawing, chart);
    }
    let scale = Scale::up_to(most);
    let gutter = width_of(&scale.top.to_string(), SMALL, false) + 6.0;
    let (left, right) = (MARGIN + gutter, width - MARGIN);
    let top = legend(&mut drawing, &chart.series, (MARGIN, HEADING)) + 5.0;
    let bottom = height - 18.0;
    let y_of = |value: u64| bottom - (bottom - top) * share(value, scale.top);
    for value in scale.ticks() {
        let y = y_of(value);
        drawing.line((left, y), (right, y), FAINT, 0.6);
        note(&mut drawing, (left - 4.0, y + 2.6), value.to_string(), Anchor::End);
    }
    let step = (right - left) / chart.bars.len() as f32;
    let each = label_step(&chart.bars, step);
    for (nth, bar) in chart.bars.iter().enumerate() {
        let x = left + step * nth as f32;
        let mut below = 0;
        for (value, series) in bar.values.iter().zip(&chart.series) {
            let (low, high) = (y_of(below), y_of(below + value));
            if *value > 0 {
                drawing.rect((x + step * 0.14, high), (step * 0.72, low - high), series.colour);
            }
            below += value;
        }
        if nth % each == 0 {
            note(&mut drawing, (x + step / 2.0, bottom + 11.0), &bar.label, Anchor::Middle);
        }
    }
    drawing.line((left, bottom), (right, bottom), GREY, 0.8);
    drawing
}

/// Draws lying bars with their labels before and their totals behind them; as high as they are many. Without a legend: for
/// charts of one series.
pub fn draw_bars(chart: &Chart, width: f32) -> Drawing {
    const ROW: f32 = 19.0;
    let top = HEADING + 2.0;
    let height = top + ROW * chart.bars.len().max(2) as f32 + 4.0;
    let mut drawing = begin(chart, width, height);
    let most = chart.bars.iter().map(Bar::total).max().unwrap_or(0);
    if most == 0 {
        return tell_nothing(drawing, chart);
    }
    let label_width = chart
        .bars
        .iter()
        .map(|bar| width_of(&bar.label, 8.5, false))
        .fold(0.0, f32::max)
        .min(width * 0.42);
    let left = MARGIN + label_width + 8.0;
    let right = width - MARGIN - width_of(&most.to_string(), 8.5, true) - 8.0;
    for (nth, bar) in chart.bars.iter().enumerate() {
        let y = top + ROW * nth as f32;
        let label = fit(&bar.label, 8.5, false, label_width);
        drawing.write(text((left - 8.0, y + 12.0), label).anchor(Anchor::End));
        let mut x = left;
        for (value, series) in bar.values.iter().zip(&chart.series) {
            let length = (right - left) * share(*value, most);
            if *value > 0 {
                drawing.rect((x, y + 3.0), (length, ROW - 6.0), series.colour);
            }
            x += length;
        }
        drawing.write(text((x + 5.0, y + 12.0), bar.total().to_string()).bold());
    }
    drawing.line((left, top), (left, height - 4.0), GREY, 0.8);
    drawing
}

/// Draws two bars for each label, back to back: the first series to the left, the second to the right.
///
/// Both sides have one scale, so that lengths compare.
pub fn draw_opposed(chart: &Chart, width: f32) -> Drawing {
    const ROW: f32 = 19.0;
    let top = HEADING + 18.0;
    let height = top + ROW * chart.bars.len().max(2) as f32 + 4.0;
    let mut drawing = begin(chart, width, height);
    let most = chart.bars.iter().flat_map(|bar| bar.values.iter().copied()).max().unwrap_or(0);
    let [first, second] = chart.series.as_slice() else { return drawing };
    if most == 0 {
        return tell_nothing(drawing, chart);
    }
    let label_width = width * 0.34;
    let number = width_of(&most.to_string(), 8.5, true) + 6.0;
    let left = MARGIN + label_width + 8.0 + number;
    let middle = f32::midpoint(left, width - MARGIN - number);
    let half = middle - left;
    let mut head = |x: f32, series: &Series, anchor: Anchor| {
        let head = text((x, HEADING + 12.0), &series.label).colour(series.colour);
        drawing.write(head.bold().anchor(anchor));
    };
    head(middle - 6.0, first, Anchor::End);
    head(middle + 6.0, second, Anchor::Start);
    for (nth, bar) in chart.bars.iter().enumerate() {
        let y = top + ROW * nth as f32;
        drawing.write(text((MARGIN, y + 12.0), fit(&bar.label, 8.5, false, label_width)));
        let value = |nth: usize| bar.values.get(nth).copied().unwrap_or(0);
        let length = |nth: usize| half * share(value(nth), most);
        drawing.rect((middle - length(0), y + 3.0), (length(0), ROW - 6.0), first.colour);
        drawing.rect((middle, y + 3.0), (length(1), ROW - 6.0), second.colour);
        let (before, behind) = (middle - length(0) - 4.0, middle + length(1) + 4.0);
        drawing.write(text((before, y + 12.0), value(0).to_string()).bold().anchor(Anchor::End));
        drawing.write(text((behind, y + 12.0), value(1).to_string()).bold());
    }
    drawing.line((middle, top), (middle, height - 4.0), INK, 0.8);
    drawing
}

/// Begins a chart with its title.
pub fn begin(chart: &Chart, width: f32, height: f32) -> Drawing {
    let mut drawing = Drawing::new(width, height, chart.title.clone());
    drawing.description.clone_from(&chart.description);
    let title = fit(&chart.title, 11.0, true, width - 2.0 * MARGIN);
    drawing.write(text((MARGIN, 15.0), title).size(11.0).bold());
    drawing
}

fn tell_nothing(mut drawing: Drawing, chart: &Chart) -> Drawing {
    drawing.write(text((MARGIN, HEADING + 18.0), &chart.nothing).colour(GREY));
    drawing
}

/// Writes what colours mean from `at` on, in as many lines as that takes; returns where the next line would stand.
fn legend(drawing: &mut Drawing, series: &[Series], (left, top): Spot) -> f32 {
    const LINE: f32 = 13.0;
    let (mut x, mut y) = (left, top);
    for each in series {
        let width = 12.0 + width_of(&each.label, 8.5, false);
        if x > left && x + width > drawing.width - MARGIN {
            (x, y) = (left, y + LINE);
        }
        drawing.rect((x, y), (8.0, 8.0), each.colour);
        drawing.write(text((x + 12.0, y + 7.3), &each.label).colour(GREY));
        x += width + 16.0;
    }
    y + LINE
}

fn note(drawing: &mut Drawing, at: Spot, words: impl Into<String>, anchor: Anchor) {
    drawing.write(text(at, words).size(SMALL).colour(GREY).anchor(anchor));
}

/// Returns which bars have their label written, so that labels do not touch: every one, every second, …
fn label_step(bars: &[Bar], step: f32) -> usize {
    let widest =
        bars.iter().map(|bar| width_of(&bar.label, SMALL, false)).fold(0.0, f32::max) + 4.0;
    (widest / step).ceil().max(1.0) as usize
}

fn share(value: u64, whole: u64) -> f32 {
    if whole == 0 { 0.0 } else { value as f32 / whole as f32 }
}

/// A scale from zero with four steps or fewer, of whole numbers.
struct Scale {
    step: u64,
    top: u64,
}

impl Scale {
    fn up_to(most: u64) -> Self {
        let steps = (0..19).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
        let step = steps.into_iter().find(|step| step * 4 >= most).unwrap_or(most);
        Self { step, top: most.div_ceil(step).max(1) * step }
    }

    fn ticks(&self) -> impl Iterator<Item = u64> {
        (1..=self.top / self.step).map(|nth| nth * self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::Scale;

    #[test]
    fn a_scale_ends_at_or_above_the_most_in_few_whole_steps() {
        for (most, step, top) in
            [(1, 1, 1), (3, 1, 3), (7, 2, 8), (40, 10, 40), (41, 20, 60), (999, 500, 1000)]
        {
            let scale = Scale::up_to(most);
            assert_eq!((scale.step, scale.top), (step, top), "{most}");
        }
        assert!(Scale::up_to(u64::MAX / 8).top > 0);
    }
}
