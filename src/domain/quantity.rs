//! What a job asks of a machine: cores, memory, graphics cards.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Processor cores, in thousandths; shown and sent as a number of cores (`2`, `0.5`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Cores(u32);

/// Memory in bytes; shown and sent as a number of GB of 10^9 bytes (`4`, `0.5`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Memory(u64);

impl Cores {
    pub const MIN: Cores = Cores(100);
    pub const MAX: Cores = Cores(4_096_000);

    pub const fn whole(cores: u32) -> Self {
        Cores(cores * 1000)
    }

    pub const fn from_millis(millis: u32) -> Self {
        Cores(millis)
    }

    pub fn millis(self) -> u32 {
        self.0
    }

    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// A number of cores from outside, between [`Cores::MIN`] and [`Cores::MAX`].
    pub fn from_number(cores: f64) -> Option<Self> {
        let millis = (cores * 1000.0).round();
        (millis >= f64::from(Self::MIN.0) && millis <= f64::from(Self::MAX.0)).then_some(Cores(millis as u32))
    }
}

impl Memory {
    pub const GB: u64 = 1_000_000_000;
    /// What an engine needs to start anything at all.
    pub const MIN: Memory = Memory(10_000_000);
    pub const MAX: Memory = Memory(1_000_000 * Self::GB);

    pub const fn gb(gb: u64) -> Self {
        Memory(gb * Self::GB)
    }

    pub const fn from_bytes(bytes: u64) -> Self {
        Memory(bytes)
    }

    pub fn bytes(self) -> u64 {
        self.0
    }

    pub fn as_gb(self) -> f64 {
        self.0 as f64 / Self::GB as f64
    }

    /// A number of GB from outside, between [`Memory::MIN`] and [`Memory::MAX`].
    pub fn from_number(gb: f64) -> Option<Self> {
        let bytes = (gb * Self::GB as f64).round();
        (bytes >= Self::MIN.0 as f64 && bytes <= Self::MAX.0 as f64).then_some(Memory(bytes as u64))
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_f64())
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_gb())
    }
}

/// Serializes as an integer where it is whole: old clients print what they get.
fn number<S: serde::Serializer>(value: f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.fract() == 0.0 { serializer.serialize_u64(value as u64) } else { serializer.serialize_f64(value) }
}

impl Serialize for Cores {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        number(self.as_f64(), serializer)
    }
}

impl Serialize for Memory {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        number(self.as_gb(), serializer)
    }
}

impl<'de> Deserialize<'de> for Cores {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let cores = f64::deserialize(deserializer)?;
        Ok(Cores((cores * 1000.0).round() as u32))
    }
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let gb = f64::deserialize(deserializer)?;
        Ok(Memory((gb * Memory::GB as f64).round() as u64))
    }
}

/// What one job holds while it runs, what a node has, or what is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Resources {
    pub cpu: Cores,
    pub ram: Memory,
    pub gpus: u32,
}

impl Resources {
    pub fn fits_in(&self, room: &Resources) -> bool {
        self.cpu <= room.cpu && self.ram <= room.ram && self.gpus <= room.gpus
    }

    pub fn plus(self, other: Resources) -> Resources {
        Resources {
            cpu: Cores(self.cpu.0.saturating_add(other.cpu.0)),
            ram: Memory(self.ram.0.saturating_add(other.ram.0)),
            gpus: self.gpus.saturating_add(other.gpus),
        }
    }

    /// What is left after `other` is taken; never below nothing.
    pub fn minus(self, other: Resources) -> Resources {
        Resources {
            cpu: Cores(self.cpu.0.saturating_sub(other.cpu.0)),
            ram: Memory(self.ram.0.saturating_sub(other.ram.0)),
            gpus: self.gpus.saturating_sub(other.gpus),
        }
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cpu, {} GB", self.cpu, self.ram)?;
        if self.gpus > 0 { write!(f, ", {} gpu", self.gpus) } else { Ok(()) }
    }
}

/// A number of bytes for people, in thousands: `3.4 GB`.
pub fn readable_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1e3;
    let mut unit = 0;
    // What would be shown as 1000.0 is one of the next.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1e3;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_thousands() {
        let table = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (999_960, "1.0 MB"),
            (3_400_000_000, "3.4 GB"),
            (u64::MAX, "18446.7 PB"),
        ];
        for (bytes, text) in table {
            assert_eq!(readable_bytes(bytes), text);
        }
    }
}
