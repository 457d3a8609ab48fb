//! What to ask for the next time, from what was asked for and what was used. Data; whoever shows it has the words.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::sample::Samples;
use super::{Cores, Ending, Memory, Resources};

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Advice {
    /// It used at most `used` of the memory that it asked for.
    LessMemory { asked: Memory, used: Memory, ask: Memory },
    /// It ended because it had no more memory.
    MoreMemory { asked: Memory, ask: Memory },
    /// It used `average` of its cores, and never more than `peak`.
    FewerCores { asked: Cores, average: f64, peak: f64, ask: Cores },
    /// Its time limit is far from what it took: a closer one ends a job that hangs.
    ShorterLimit { limit_secs: u64, took_secs: u64, ask_secs: u64 },
    /// It took nearly all of its time limit, or was ended by it (`hit`).
    LongerLimit { limit_secs: u64, took_secs: u64, hit: bool, ask_secs: u64 },
}

/// An attempt that ended.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    pub asked: Resources,
    /// What would have ended it.
    pub limit: Option<Duration>,
    pub ending: Ending,
    pub took: Duration,
    pub samples: Option<&'a Samples>,
}

/// Fewer readings, or ones of less than half of the time, tell nothing of the whole.
const ENOUGH: u32 = 5;
/// A job that is shorter may use little only because it has hardly begun.
const SHORTEST: Duration = Duration::from_secs(10);
/// Memory beyond the most that was seen: spikes between two readings are not.
const MEMORY_ROOM: f64 = 1.25;
const CORES_ROOM: f64 = 1.2;
/// What it should come down by to be worth a word.
const WORTH: f64 = 0.6;
const HOUR: Duration = Duration::from_secs(3_600);

/// Everything there is to say, the most urgent first.
pub fn advise(observed: &Observed) -> Vec<Advice> {
    let asked = observed.asked;
    match observed.ending {
        Ending::OutOfMemory => {
            let ask = rounded_up(asked.ram.bytes().saturating_mul(3) / 2);
            vec![Advice::MoreMemory { asked: asked.ram, ask: ask.min(Memory::MAX) }]
        }
        Ending::TimeLimit => longer_limit(observed, true).into_iter().collect(),
        // Only who came to the end has used what it needs.
        Ending::Done => {
            let seen = observed.samples.filter(|samples| is_enough(samples, observed.took));
            let limit = longer_limit(observed, false).or_else(|| shorter_limit(observed));
            let memory = seen.and_then(|samples| less_memory(asked.ram, samples));
            let cores = seen.and_then(|samples| fewer_cores(asked.cpu, samples));
            limit.into_iter().chain(memory).chain(cores).collect()
        }
        Ending::Failed | Ending::Killed | Ending::NodeFailure | Ending::Rejected(_) => Vec::new(),
    }
}

fn is_enough(samples: &Samples, took: Duration) -> bool {
    samples.readings() >= ENOUGH && took >= SHORTEST && samples.covers() * 2 >= took
}

fn less_memory(asked: Memory, samples: &Samples) -> Option<Advice> {
    let used = Memory::from_bytes(samples.peak_memory());
    let ask = rounded_up((used.bytes() as f64 * MEMORY_ROOM) as u64);
    let worth = ask.bytes() as f64 <= asked.bytes() as f64 * WORTH;
    worth.then_some(Advice::LessMemory { asked, used, ask })
}

/// To a number that people write: a tenth of a GB, a half, or whole ones.
fn rounded_up(bytes: u64) -> Memory {
    let step = match bytes {
        0..=2_000_000_000 => Memory::GB / 10,
        2_000_000_001..=10_000_000_000 => Memory::GB / 2,
        _ => Memory::GB,
    };
    Memory::from_bytes(bytes.div_ceil(step).max(1) * step)
}

fn fewer_cores(asked: Cores, samples: &Samples) -> Option<Advice> {
    let (average, peak) = (samples.average_cpu(), samples.peak_cpu());
    let whole = (average * CORES_ROOM).ceil().max(1.0);
    let worth = whole <= asked.as_f64() * WORTH;
    worth.then_some(Advice::FewerCores { asked, average, peak, ask: Cores::whole(whole as u32) })
}

fn longer_limit(observed: &Observed, hit: bool) -> Option<Advice> {
    let (limit, took) = (observed.limit?, observed.took);
    let near = took.as_secs_f64() >= limit.as_secs_f64() * 0.9;
    let ask = readable(if hit { limit * 2 } else { took.mul_f64(1.5) });
    (hit || near).then_some(Advice::LongerLimit {
        limit_secs: limit.as_secs(),
        took_secs: took.as_secs(),
        hit,
        ask_secs: ask.as_secs(),
    })
}

fn shorter_limit(observed: &Observed) -> Option<Advice> {
    let (limit, took) = (observed.limit?, observed.took);
    let ask = readable((took * 2).max(Duration::from_secs(60)));
    let far = took * 4 <= limit && limit.saturating_sub(took) >= HOUR && ask < limit;
    far.then_some(Advice::ShorterLimit {
        limit_secs: limit.as_secs(),
        took_secs: took.as_secs(),
        ask_secs: ask.as_secs(),
    })
}

/// Up to a whole minute, or a whole hour.
fn readable(span: Duration) -> Duration {
    let step = if span > HOUR * 4 { 3_600 } else { 60 };
    Duration::from_secs(span.as_secs().div_ceil(step).max(1) * step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::Reading;
    use crate::domain::{Rejection, Timestamp};

    const MB: u64 = 1_000_000;

    /// `cores` and `memory` all the time, a reading every 30 seconds for 10 minutes.
    fn steady(cores: f64, memory: u64) -> Samples {
        let mut samples = Samples::since(Timestamp(0));
        for n in 1..=20 {
            let span = Duration::from_secs(n * 30);
            samples.add(&Reading { at: Timestamp(0).plus(span), cpu: span.mul_f64(cores), memory });
        }
        samples
    }

    fn observed(samples: &Samples) -> Observed<'_> {
        Observed {
            asked: Resources { cpu: Cores::whole(8), ram: Memory::gb(16), gpus: 0 },
            limit: None,
            ending: Ending::Done,
            took: Duration::from_secs(610),
            samples: Some(samples),
        }
    }

    #[test]
    fn who_used_little_is_told_what_to_ask_for() {
        let samples = steady(1.5, 700 * MB);
        let advice = advise(&observed(&samples));
        assert_eq!(
            advice,
            [
                Advice::LessMemory {
                    asked: Memory::gb(16),
                    used: Memory::from_bytes(700 * MB),
                    ask: Memory::from_bytes(900 * MB)
                },
                Advice::FewerCores { asked: Cores::whole(8), average: 1.5, peak: 1.5, ask: Cores::whole(2) },
            ]
        );
        assert_eq!(
            serde_json::to_value(advice[0]).unwrap(),
            serde_json::json!({ "code": "less_memory", "asked": 16, "used": 0.7, "ask": 0.9 })
        );
    }

    #[test]
    fn who_used_most_of_it_is_told_nothing() {
        assert!(advise(&observed(&steady(6.5, 11_000 * MB))).is_empty());
        let small = Resources { cpu: Cores::whole(1), ram: Memory::from_bytes(100 * MB), gpus: 0 };
        assert!(advise(&Observed { asked: small, ..observed(&steady(0.01, MB)) }).is_empty(), "there is no less");
    }

    #[test]
    fn too_few_readings_say_nothing() {
        let samples = steady(0.1, MB);
        let of = |took, samples| {
            advise(&Observed { took: Duration::from_secs(took), samples, ..observed(&steady(0.1, MB)) })
        };
        assert_eq!(of(610, Some(&samples)).len(), 2);
        assert!(of(610, None).is_empty());
        assert!(of(1_300, Some(&samples)).is_empty(), "less than half of it was seen");
        assert!(of(9, Some(&samples)).is_empty(), "it has hardly begun");
        let mut few = Samples::since(Timestamp(0));
        (1..=4).for_each(|n| assert!(few.add(&Reading { at: Timestamp(n * 100_000), cpu: Duration::ZERO, memory: 1 })));
        assert!(of(400, Some(&few)).is_empty());
    }

    #[test]
    fn only_who_came_to_the_end_has_used_what_it_needs() {
        let samples = steady(0.1, MB);
        for ending in [Ending::Failed, Ending::Killed, Ending::NodeFailure, Ending::Rejected(Rejection::Quota)] {
            assert!(advise(&Observed { ending, ..observed(&samples) }).is_empty(), "{ending:?}");
        }
    }

    #[test]
    fn out_of_memory_asks_for_half_as_much_again() {
        let samples = steady(1.0, MB);
        let of = |ram| {
            let asked = Resources { ram, ..observed(&samples).asked };
            advise(&Observed { asked, ending: Ending::OutOfMemory, samples: None, ..observed(&samples) })
        };
        assert_eq!(of(Memory::gb(16)), [Advice::MoreMemory { asked: Memory::gb(16), ask: Memory::gb(24) }]);
        let little = Memory::from_bytes(50 * MB);
        assert_eq!(of(little), [Advice::MoreMemory { asked: little, ask: Memory::from_bytes(100 * MB) }]);
        assert_eq!(of(Memory::MAX), [Advice::MoreMemory { asked: Memory::MAX, ask: Memory::MAX }]);
    }

    #[test]
    fn a_limit_is_to_be_neither_hit_nor_far() {
        let samples = steady(7.0, 12_000 * MB);
        let of = |limit, ending, took| {
            let (limit, took) = (Some(Duration::from_secs(limit)), Duration::from_secs(took));
            advise(&Observed { limit, ending, took, ..observed(&samples) })
        };
        assert!(of(1_200, Ending::Done, 610).is_empty());
        let near = Advice::LongerLimit { limit_secs: 650, took_secs: 610, hit: false, ask_secs: 960 };
        assert_eq!(of(650, Ending::Done, 610), [near]);
        let hit = Advice::LongerLimit { limit_secs: 600, took_secs: 602, hit: true, ask_secs: 1_200 };
        assert_eq!(of(600, Ending::TimeLimit, 602), [hit]);
        let far = Advice::ShorterLimit { limit_secs: 86_400, took_secs: 610, ask_secs: 1_260 };
        assert_eq!(of(86_400, Ending::Done, 610), [far]);
        assert!(of(3_000, Ending::Done, 610).is_empty(), "not far enough for a word");
    }
}
