//! What an attempt used while it ran: readings over time, in a space that does not grow with the time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// What an attempt has used up to a moment, as its backend tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    pub at: Timestamp,
    /// Time of processors since the attempt began.
    pub cpu: Duration,
    /// Bytes at that moment, without what the kernel only keeps of files.
    pub memory: u64,
}

/// A point of the curve: cores on average since the point before it, and the most memory that was seen meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    pub at: Timestamp,
    pub cpu: f64,
    pub memory: u64,
}

/// Milliseconds since the attempt began, milliseconds of processors until then, bytes of memory.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Point(u64, u64, u64);

/// All readings of one attempt. When the points are full, each two become one, so that a job of any length costs the
/// same: time of processors is a sum, of which nothing is lost by that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Samples {
    began: Timestamp,
    /// Readings that a point stands for.
    stride: u32,
    /// Those in the last point so far.
    filled: u32,
    readings: u32,
    peak_cpu: f64,
    peak_memory: u64,
    points: Vec<Point>,
}

/// The most points of an attempt.
pub const MOST_POINTS: usize = 240;

/// Over less, a number of cores says how the kernel counts rather than what is used.
const SHORTEST: u64 = 500;

impl Samples {
    pub fn since(began: Timestamp) -> Self {
        Samples { began, stride: 1, filled: 0, readings: 0, peak_cpu: 0.0, peak_memory: 0, points: Vec::new() }
    }

    /// Takes a reading; one that is no later than the last is passed over. True when a point is complete by it: what is
    /// worth being stored.
    pub fn add(&mut self, reading: &Reading) -> bool {
        let at = u64::try_from(reading.at.since(self.began).as_millis()).unwrap_or(u64::MAX);
        let last = self.points.last().copied().unwrap_or(Point(0, 0, 0));
        if at <= last.0 {
            return false;
        }
        // What a process takes with it that nobody waited for is not used less.
        let cpu = u64::try_from(reading.cpu.as_millis()).unwrap_or(u64::MAX).max(last.1);
        if at - last.0 >= SHORTEST {
            self.peak_cpu = self.peak_cpu.max((cpu - last.1) as f64 / (at - last.0) as f64);
        }
        self.peak_memory = self.peak_memory.max(reading.memory);
        self.readings = self.readings.saturating_add(1);
        match self.points.last_mut().filter(|_| self.filled < self.stride) {
            Some(open) => {
                *open = merged(*open, Point(at, cpu, reading.memory));
                self.filled += 1;
            }
            None => {
                self.points.push(Point(at, cpu, reading.memory));
                self.filled = 1;
                self.halve_if_full();
            }
        }
        self.filled == self.stride
    }

    fn halve_if_full(&mut self) {
        if self.points.len() <= MOST_POINTS {
            return;
        }
        // The newest is left over, and goes on being filled.
        let whole = |pair: &[Point]| pair.iter().copied().reduce(merged).expect("a chunk is not empty");
        self.points = self.points.chunks(2).map(whole).collect();
        self.stride = self.stride.saturating_mul(2);
    }

    /// Oldest first.
    pub fn curve(&self) -> Vec<Sample> {
        let before = std::iter::once(Point(0, 0, 0)).chain(self.points.iter().copied());
        let sample = |(before, point): (Point, &Point)| Sample {
            at: self.began.plus(Duration::from_millis(point.0)),
            cpu: (point.1 - before.1) as f64 / (point.0 - before.0).max(1) as f64,
            memory: point.2,
        };
        before.zip(&self.points).map(sample).collect()
    }

    /// The most cores between two readings.
    pub fn peak_cpu(&self) -> f64 {
        self.peak_cpu
    }

    /// The most bytes that a reading told; what came and went between two was not seen.
    pub fn peak_memory(&self) -> u64 {
        self.peak_memory
    }

    /// Time of processors, up to the last reading.
    pub fn cpu_time(&self) -> Duration {
        Duration::from_millis(self.points.last().map_or(0, |last| last.1))
    }

    /// From the beginning to the last reading.
    pub fn covers(&self) -> Duration {
        Duration::from_millis(self.points.last().map_or(0, |last| last.0))
    }

    /// Cores, over all that was seen.
    pub fn average_cpu(&self) -> f64 {
        let covered = self.covers().as_secs_f64();
        if covered > 0.0 { self.cpu_time().as_secs_f64() / covered } else { 0.0 }
    }

    pub fn readings(&self) -> u32 {
        self.readings
    }
}

fn merged(earlier: Point, later: Point) -> Point {
    Point(later.0, later.1, earlier.2.max(later.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: Timestamp = Timestamp(1_000_000);

    fn reading(secs: u64, cpu_secs: u64, memory: u64) -> Reading {
        Reading { at: BEGAN.plus(Duration::from_secs(secs)), cpu: Duration::from_secs(cpu_secs), memory }
    }

    #[test]
    fn cores_are_those_since_the_point_before() {
        let mut samples = Samples::since(BEGAN);
        for reading in [reading(10, 20, 5), reading(20, 25, 9), reading(40, 25, 7)] {
            assert!(samples.add(&reading));
        }
        let curve = samples.curve();
        assert_eq!(curve.iter().map(|point| point.cpu).collect::<Vec<_>>(), [2.0, 0.5, 0.0]);
        assert_eq!(curve.iter().map(|point| point.memory).collect::<Vec<_>>(), [5, 9, 7]);
        assert_eq!(curve[2].at, BEGAN.plus(Duration::from_secs(40)));
        assert_eq!((samples.peak_cpu(), samples.peak_memory()), (2.0, 9));
        assert_eq!((samples.cpu_time().as_secs(), samples.average_cpu()), (25, 0.625));
    }

    #[test]
    fn a_long_job_takes_no_more_room_and_its_sums_stay_exact() {
        let mut samples = Samples::since(BEGAN);
        let mut largest = 0;
        for n in 1..=100_000 {
            samples.add(&reading(n * 30, n * 45, if n == 777 { 1_000_000 } else { n % 10 }));
            assert!(samples.points.len() <= MOST_POINTS, "after {n} readings");
            largest = largest.max(samples.points.len());
        }
        assert_eq!(largest, MOST_POINTS);
        assert!(samples.points.len() > MOST_POINTS / 3);
        assert_eq!((samples.readings(), samples.peak_memory(), samples.peak_cpu()), (100_000, 1_000_000, 1.5));
        assert_eq!(samples.cpu_time(), Duration::from_secs(4_500_000));
        let curve = samples.curve();
        assert!(curve.iter().all(|point| (point.cpu - 1.5).abs() < 1e-9), "{curve:?}");
        assert_eq!(curve.iter().filter(|point| point.memory == 1_000_000).count(), 1, "the spike is still seen");
        assert!(curve.windows(2).all(|pair| pair[0].at < pair[1].at));
    }

    #[test]
    fn a_long_job_is_stored_less_and_less_often() {
        let mut samples = Samples::since(BEGAN);
        let stored = (1..=10_000).filter(|n| samples.add(&reading(*n, *n, 1))).count();
        assert!((700..1_100).contains(&stored), "{stored}");
    }

    #[test]
    fn what_comes_too_late_or_counts_backwards_changes_nothing() {
        let mut samples = Samples::since(BEGAN);
        samples.add(&reading(10, 10, 5));
        let before = samples.clone();
        assert!(!samples.add(&reading(10, 90, 500)) && !samples.add(&reading(3, 90, 500)));
        assert!(!samples.add(&Reading { at: Timestamp(0), ..reading(1, 1, 1) }));
        assert_eq!(samples, before);
        samples.add(&reading(20, 2, 5));
        assert_eq!((samples.cpu_time().as_secs(), samples.curve()[1].cpu), (10, 0.0));
    }

    #[test]
    fn it_reads_back_as_it_was_written() {
        let mut samples = Samples::since(BEGAN);
        (1..500).for_each(|n| {
            samples.add(&reading(n, n / 2, n * 1_000));
        });
        let text = serde_json::to_string(&samples).unwrap();
        assert!(text.len() < 8_000, "{} bytes", text.len());
        assert_eq!(serde_json::from_str::<Samples>(&text).unwrap(), samples);
    }
}
