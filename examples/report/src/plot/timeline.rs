//! Plots of a run of processes, one below the other with the same axis of time: who was killed, how
//! long requests took, how many waited.

use super::*;
use crate::processes::{Answer, Run};

const WIDE: (u32, u32) = (1120, 236);
/// Columns of a wide plot, one for about two pixels.
const COLUMNS: usize = 500;

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

fn log(nanoseconds: u64) -> f64 {
    (nanoseconds.max(1) as f64).log10()
}

fn time_of(run: &Run) -> Axis {
    Axis::linear(run.seconds, "time, s")
}

/// What happened in each of 100 parts of the time.
fn values(run: &Run) -> Values {
    let part = run.seconds / 100.0;
    let event = |i: usize| {
        let range = i as f64 * part..(i + 1) as f64 * part;
        let within = |at_ns: u64| range.contains(&seconds(at_ns));
        let killed = run.workers.iter().filter(|life| life.killed && within(life.end_ns)).count();
        let answers = || run.answers.iter().filter(|answer| within(answer.at_ns));
        let again = answers().filter(|answer| answer.redelivered()).count();
        let longest = answers().map(|answer| answer.took_ns).max().unwrap_or(0);
        let text = format!(
            "at {:.2} s: {} killed; {}, of which {again} redelivered; the longest took {}",
            range.start,
            count(killed as u64, "worker", "workers"),
            count(answers().count() as u64, "answer", "answers"),
            text::duration(longest)
        );
        (range, text)
    };
    (0..100).map(event).collect()
}

/// The life of each worker process, in the row of its place.
pub fn workers(run: &Run) -> String {
    let last = run.workers.iter().map(|life| life.place).max().unwrap_or(0) as f64;
    let (x, y) = (time_of(run), Axis::places(last, "worker"));
    draw_in(WIDE, &x, &y, values(run), |chart| {
        for life in &run.workers {
            let place = life.place as f64;
            let [start, end] = [life.start_ns, life.end_ns].map(|at| seconds(at).min(x.range.end));
            chart.draw_series([bar((start, place - 0.3), (end, place + 0.3), &FIRST)])?;
            if life.killed {
                chart.draw_series([line([(end, place - 0.42), (end, place + 0.42)], &LIMIT)])?;
            }
        }
        Ok(())
    })
}

/// The time that requests took: from the shortest to the longest of each column, and each request
/// that was redelivered.
pub fn times(run: &Run) -> String {
    let x = time_of(run);
    // Without a name, which would touch the labels.
    let y = Axis::decades(&run.total.histogram, &[], "", duration);
    let mut columns = vec![None::<(u64, u64)>; COLUMNS];
    for answer in &run.answers {
        let column = (seconds(answer.at_ns) / x.range.end * COLUMNS as f64) as usize;
        let column = &mut columns[column.min(COLUMNS - 1)];
        let (least, most) = column.unwrap_or((u64::MAX, 0));
        *column = Some((least.min(answer.took_ns), most.max(answer.took_ns)));
    }
    draw_in(WIDE, &x, &y, values(run), |chart| {
        let width = x.range.end / COLUMNS as f64;
        let bars = columns.iter().enumerate().filter_map(|(i, column)| {
            let (least, most) = (*column)?;
            let left = i as f64 * width;
            Some(bar((left, log(least) - 0.02), (left + width, log(most) + 0.02), &FIRST))
        });
        chart.draw_series(bars)?;
        let again = run.answers.iter().filter(|answer| answer.redelivered());
        chart.draw_series(again.map(|answer| {
            Circle::new((seconds(answer.at_ns), log(answer.took_ns)), 4, SECOND.light.filled())
        }))?;
        Ok(())
    })
}

/// The number of requests that were due and not yet answered.
pub fn waiting(run: &Run) -> String {
    let due = |answer: &Answer| (answer.at_ns.saturating_sub(answer.took_ns), true);
    let mut changes: Vec<_> = run.answers.iter().map(due).collect();
    changes.extend(run.answers.iter().map(|answer| (answer.at_ns, false)));
    changes.sort_unstable_by_key(|&(at, begins)| (at, !begins));
    let (mut now, mut most) = (0_u64, 0);
    let mut points = vec![(0.0, 0.0)];
    for (at, begins) in changes {
        let at = seconds(at).min(run.seconds);
        points.push((at, now as f64));
        now = if begins { now + 1 } else { now.saturating_sub(1) };
        points.push((at, now as f64));
        most = most.max(now);
    }
    let (x, y) = (time_of(run), Axis::count(most, "requests"));
    draw_in(WIDE, &x, &y, values(run), |chart| {
        let area = AreaSeries::new(points, 0.0, FIRST.light.mix(0.25));
        chart.draw_series(area.border_style(FIRST.light.stroke_width(1)))?;
        Ok(())
    })
}
