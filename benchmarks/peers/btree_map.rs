// SPDX-License-Identifier: Apache-2.0
//
// The mapping table of virtio-iommu on Rust's std::collections::BTreeMap, searched by range queries and never scanned.
//
//     btree_map KEYS
//
// Reads, takes and answers what interval_tree.c does, in whose head that is described.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::Instant;

const MAGIC: u64 = 0x3173_7965_3476_6f76;
const READ_WRITE: u32 = 3;
/// So many operations between two readings of the clock.
const CHUNK: usize = 1024;
const MOST_REFUSALS: usize = 1000;
const HEAD: usize = 4;
const MAP: u64 = 0;
const UNMAP: u64 = 1;

/// A mapping to make.
#[derive(Clone, Copy)]
struct Key {
    first: u64,
    last: u64,
    physical: u64,
}

impl Key {
    fn of(words: &[u64]) -> Key {
        Key { first: words[0], last: words[1], physical: words[2] }
    }
}

/// One request, or one translation of the address first.
struct Step {
    kind: u64,
    of: Key,
}

struct Mapping {
    last: u64,
    physical: u64,
    flags: u32,
}

#[derive(Default)]
struct Table {
    mappings: BTreeMap<u64, Mapping>,
}

impl Table {
    /// A MAP: refused if anything overlaps.
    fn insert(&mut self, key: &Key) -> bool {
        if let Some((_, below)) = self.mappings.range(..=key.last).next_back() {
            if below.last >= key.first {
                return false;
            }
        }
        let mapping = Mapping { last: key.last, physical: key.physical, flags: READ_WRITE };
        self.mappings.insert(key.first, mapping);
        true
    }

    /// An UNMAP: all that lies inside goes, one by one, unless a mapping would be split. One that is the whole range,
    /// which is what Linux removes, needs no second search.
    fn take_away(&mut self, first: u64, last: u64) -> usize {
        let (&at, end) = match self.mappings.range(..=last).next_back() {
            Some((at, highest)) => (at, highest.last),
            None => return 0,
        };
        if at == first && end == last {
            self.mappings.remove(&at);
            return 1;
        }
        if at < first || end > last || self.reaches(first) {
            return 0;
        }
        let mut removed = 0;
        while let Some((&at, _)) = self.mappings.range(first..=last).next() {
            self.mappings.remove(&at);
            removed += 1;
        }
        removed
    }

    /// Whether a mapping begins below an address and ends at it or above.
    fn reaches(&self, address: u64) -> bool {
        self.mappings.range(..address).next_back().is_some_and(|(_, below)| below.last >= address)
    }

    fn translate(&self, address: u64) -> u64 {
        match self.mappings.range(..=address).next_back() {
            Some((first, found)) if found.last >= address && found.flags & READ_WRITE == READ_WRITE => {
                found.physical + (address - first)
            }
            _ => 0,
        }
    }

    fn walk(&self) -> u64 {
        self.mappings.values().fold(0, |sum, mapping| sum.wrapping_add(mapping.last ^ mapping.physical))
    }

    fn step(&mut self, step: &Step) -> u64 {
        match step.kind {
            MAP => self.insert(&step.of) as u64,
            UNMAP => self.take_away(step.of.first, step.of.last) as u64,
            _ => self.translate(step.of.first),
        }
    }
}

/// The table, what is in the file, and how far each kind of work has come.
struct Bench {
    table: Table,
    keys: Vec<Key>,
    addresses: Vec<u64>,
    steps: Vec<Step>,
    next_address: usize,
    next_key: usize,
}

/// Kinds of work; each gives the number of operations.
impl Bench {
    fn fill(&mut self) {
        for key in &self.keys {
            assert!(self.table.insert(key), "the table refused a mapping");
        }
    }

    /// Each look-up waits for the one before: the top bit of what that found, which is never set, is in its address.
    fn look_up(&mut self) -> usize {
        let mut found = 0;
        for i in self.next_address..self.next_address + CHUNK {
            found = self.table.translate(self.addresses[i + (found >> 63) as usize]);
        }
        black_box(found);
        // One address more than there are stands at the end.
        self.next_address += CHUNK;
        if self.next_address + 1 == self.addresses.len() {
            self.next_address = 0;
        }
        CHUNK
    }

    fn pair(&mut self) -> usize {
        for _ in 0..CHUNK {
            let key = &self.keys[self.next_key];
            let done = self.table.take_away(key.first, key.last) == 1 && self.table.insert(key);
            assert!(done, "the table refused to remove or to insert");
            self.next_key = if self.next_key + 1 == self.keys.len() { 0 } else { self.next_key + 1 };
        }
        CHUNK
    }

    fn walk(&mut self) -> usize {
        black_box(self.table.walk());
        self.keys.len()
    }

    /// All steps, from an empty table to an empty table; gives the sum of their results.
    fn run_steps(&mut self) -> u64 {
        let table = &mut self.table;
        let sum = self.steps.iter().fold(0u64, |sum, step| sum.wrapping_add(table.step(step)));
        table.take_away(0, u64::MAX);
        sum
    }

    fn replay(&mut self) -> usize {
        black_box(self.run_steps());
        self.steps.len()
    }

    fn timed(&mut self, work: fn(&mut Bench) -> usize, seconds: f64) -> f64 {
        // A quarter first, so that what others have driven out of the caches is back.
        let warming = Instant::now();
        while warming.elapsed().as_secs_f64() < seconds / 4.0 {
            work(self);
        }
        let mut operations = 0;
        let started = Instant::now();
        loop {
            operations += work(self);
            let took = started.elapsed().as_secs_f64();
            if took >= seconds {
                return took * 1e9 / operations as f64;
            }
        }
    }

    /// Takes everything away and, untimed, makes it again.
    fn timed_unmap_all(&mut self, seconds: f64) -> f64 {
        let begun = Instant::now();
        let mut took = 0.0;
        let mut operations = 0;
        loop {
            let started = Instant::now();
            let removed = self.table.take_away(0, u64::MAX);
            took += started.elapsed().as_secs_f64();
            assert!(removed == self.keys.len(), "the table did not remove everything");
            operations += removed;
            self.fill();
            if begun.elapsed().as_secs_f64() >= seconds {
                return took * 1e9 / operations as f64;
            }
        }
    }

    /// What must be so before times mean anything.
    fn check(&mut self) -> u64 {
        let table = &mut self.table;
        for key in self.keys.iter().take(MOST_REFUSALS) {
            let accepted = table.insert(key)
                || table.take_away(key.first, key.last - 1) != 0
                || table.take_away(key.first + 1, key.last) != 0;
            assert!(!accepted, "the table accepted what a device must refuse");
        }
        let mut sum = table.walk();
        for address in &self.addresses[..self.addresses.len() - 1] {
            sum = sum.wrapping_add(table.translate(*address));
        }
        if self.steps.is_empty() { sum } else { sum.wrapping_add(self.run_steps()) }
    }

    fn answer(&mut self, command: &str, seconds: f64) -> String {
        match command {
            "check" => self.check().to_string(),
            "lookup" => format!("{:.3}", self.timed(Bench::look_up, seconds)),
            "pair" => format!("{:.3}", self.timed(Bench::pair, seconds)),
            "walk" => format!("{:.3}", self.timed(Bench::walk, seconds)),
            "replay" => format!("{:.3}", self.timed(Bench::replay, seconds)),
            "unmapAll" => format!("{:.3}", self.timed_unmap_all(seconds)),
            _ => panic!("an unknown command"),
        }
    }
}

fn read_keys(name: &str) -> Bench {
    let bytes = std::fs::read(name).expect("the file of keys cannot be read");
    let words: Vec<u64> =
        bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("8 bytes"))).collect();
    assert!(words.len() >= HEAD && words[0] == MAGIC, "this is no file of keys");
    let (keys, rest) = words[HEAD..].split_at(3 * words[1] as usize);
    let (addresses, steps) = rest.split_at(words[2] as usize);
    assert!(steps.len() == 4 * words[3] as usize, "the file of keys is too short or too long");
    assert!(addresses.len() % CHUNK == 0, "the look-ups come in no whole chunks");
    Bench {
        table: Table::default(),
        keys: keys.chunks_exact(3).map(Key::of).collect(),
        // One more than there are, for the look-up that never comes.
        addresses: addresses.iter().copied().chain([0]).collect(),
        steps: steps.chunks_exact(4).map(|words| Step { kind: words[0], of: Key::of(&words[1..]) }).collect(),
        next_address: 0,
        next_key: 0,
    }
}

fn say(line: &str) {
    println!("{line}");
    std::io::stdout().flush().expect("nobody listens");
}

fn main() {
    let name = std::env::args().nth(1).expect("expected a file of keys");
    let mut bench = read_keys(&name);
    bench.fill();
    say("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a command cannot be read");
        let (command, seconds) = line.split_once(' ').expect("a command is a word and a number");
        say(&bench.answer(command, seconds.parse().expect("a number of seconds")));
    }
}
