//! A history from a seed. Nothing here knows the broker's answers: only what the clients of the history intend.

use std::collections::VecDeque;

use super::step::{
    At,
    Credentials::{self, Member, Nobody, Stale},
    GROUPS, How,
    Incarnation::{self, Current, Former},
    KINDS, Kind, MEMBERS, STATIC_MEMBER, Step, TOPICS, TRANSACTIONAL_IDS,
};

/// The history of this seed; the same on every machine and with every version of every crate.
pub(crate) fn history(seed: u64) -> Vec<Step> {
    let mut generator = Generator { random: Random(seed), planned: VecDeque::new(), producers: Default::default() };
    let length = 50 + generator.random.below(151);
    let mut steps: Vec<_> = (0..TOPICS)
        .map(|topic| Step::CreateTopic { topic, partitions: 1 + generator.random.below(3) as i32 })
        .collect();
    while steps.len() < length {
        let step = match generator.planned.pop_front() {
            Some(step) if generator.random.chance(60) => step,
            planned => {
                planned.into_iter().for_each(|step| generator.planned.push_front(step));
                generator.next()
            }
        };
        steps.push(step);
    }
    steps
}

/// SplitMix64 (Steele, Lea, Flood 2014): a seed must mean the same history for ever.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// What a producer takes itself to be doing.
#[derive(Default)]
struct Intent {
    initialised: bool,
    /// Another has taken its transactional id since; it learns that from errors only.
    fenced: bool,
    transaction: Vec<At>,
    in_transaction: bool,
}

struct Generator {
    random: Random,
    /// Steps that belong together; others come between them.
    planned: VecDeque<Step>,
    producers: [Intent; KINDS.len()],
}

impl Generator {
    fn next(&mut self) -> Step {
        match self.random.below(1000) {
            0..=579 => self.producer(),
            580..=799 => self.group(),
            800..=849 => self.topic(),
            // Each costs seconds.
            850..=852 => Step::TimeOut { producer: self.random.pick(&[2, 3, 4]), to: self.at() },
            _ => self.reading(),
        }
    }

    fn at(&mut self) -> At {
        // The last partition of three often does not exist.
        (self.random.below(TOPICS), self.random.pick(&[0, 0, 0, 0, 0, 1, 1, 2]))
    }

    fn producer(&mut self) -> Step {
        let producer = self.random.pick(&[0, 1, 1, 2, 2, 2, 3, 3, 4, 4]);
        let records = 1 + self.random.below(3);
        if KINDS[producer] == Kind::Plain {
            let how = self.how(&[How::Next, How::Next, How::Repeat(0), How::TwoBatches, How::Large, How::WrongBit]);
            return Step::Produce { producer, to: self.at(), records, how };
        }
        if !self.producers[producer].initialised && self.random.chance(90) {
            return self.init(producer);
        }
        if self.random.chance(if self.producers[producer].fenced { 25 } else { 3 }) {
            return self.init(producer);
        }
        if self.random.chance(2) {
            return Step::Bump { producer };
        }
        if self.random.chance(2) {
            self.planned.push_back(Step::Init { producer });
            return Step::Kill { producer };
        }
        if KINDS[producer] == Kind::Idempotent {
            return Step::Produce { producer, to: self.at(), records, how: self.any_how() };
        }
        if self.producers[producer].in_transaction { self.within(producer) } else { self.without(producer) }
    }

    fn init(&mut self, producer: usize) -> Step {
        if let Kind::Transactional { id: taken, .. } = KINDS[producer] {
            for (intent, kind) in self.producers.iter_mut().zip(KINDS) {
                intent.fenced |= matches!(kind, Kind::Transactional { id, .. } if id == taken);
            }
        }
        self.producers[producer] = Intent { initialised: true, ..Intent::default() };
        Step::Init { producer }
    }

    /// No transaction is open, as far as the producer knows.
    fn without(&mut self, producer: usize) -> Step {
        match self.random.below(100) {
            0..=74 => self.add_partitions(producer),
            75..=84 => self.add_offsets(producer),
            85..=92 => self.end(producer),
            _ => self.produce_anywhere(producer),
        }
    }

    fn within(&mut self, producer: usize) -> Step {
        match self.random.below(100) {
            0..=39 if !self.producers[producer].transaction.is_empty() => {
                let to = self.random.pick(&self.producers[producer].transaction);
                Step::Produce { producer, to, records: 1 + self.random.below(3), how: self.any_how() }
            }
            0..=46 => self.produce_anywhere(producer),
            47..=57 => self.add_partitions(producer),
            58..=69 => self.add_offsets(producer),
            _ => self.end(producer),
        }
    }

    fn produce_anywhere(&mut self, producer: usize) -> Step {
        Step::Produce { producer, to: self.at(), records: 1, how: self.any_how() }
    }

    fn add_partitions(&mut self, producer: usize) -> Step {
        let (to, and) = (self.at(), self.random.chance(30).then(|| self.at()));
        let and = and.filter(|and| *and != to);
        let by = self.incarnation();
        let intent = &mut self.producers[producer];
        intent.in_transaction = true;
        intent.transaction.push(to);
        intent.transaction.extend(and);
        Step::AddPartitions { producer, to, and, by }
    }

    fn add_offsets(&mut self, producer: usize) -> Step {
        let group = self.random.below(GROUPS);
        let (at, offset) = (self.at(), self.random.below(50) as i64);
        let commit = Step::TxnOffsetCommit { producer, group, at, offset, of: self.credentials() };
        self.producers[producer].in_transaction = true;
        if self.random.chance(10) {
            return commit;
        }
        self.planned.push_back(commit);
        Step::AddOffsets { producer, group }
    }

    fn end(&mut self, producer: usize) -> Step {
        let end = Step::EndTxn { producer, commit: self.random.chance(65), by: self.incarnation() };
        if self.random.chance(25) {
            self.planned.push_back(end);
        }
        let intent = &mut self.producers[producer];
        intent.in_transaction = false;
        intent.transaction.clear();
        end
    }

    fn incarnation(&mut self) -> Incarnation {
        if self.random.chance(4) { Former } else { Current }
    }

    fn how(&mut self, from: &[How]) -> How {
        match self.random.pick(from) {
            How::Repeat(_) => How::Repeat(self.random.pick(&[0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6])),
            how => how,
        }
    }

    fn any_how(&mut self) -> How {
        if self.random.chance(70) {
            return How::Next;
        }
        let repeat = How::Repeat(0);
        self.how(&[
            repeat,
            repeat,
            repeat,
            How::Skip,
            How::Skip,
            How::StaleEpoch,
            How::FutureEpoch,
            How::WrongBit,
            How::TwoBatches,
            How::Large,
            How::Large,
            How::Wrap,
        ])
    }

    fn credentials(&mut self) -> Credentials {
        let member = self.random.below(MEMBERS);
        self.random.pick(&[Nobody, Nobody, Member(member), Member(member), Member(member), Stale(member)])
    }

    fn group(&mut self) -> Step {
        let group = self.random.below(GROUPS);
        let member = self.random.below(MEMBERS);
        let stale = self.random.chance(10);
        match self.random.below(100) {
            0..=24 => self.rebalance(group),
            25..=32 => Step::Join { group, member },
            33..=42 => Step::Sync { group, member, stale },
            43..=52 => Step::Heartbeat { group, member, stale },
            53..=60 => Step::Leave { group, member },
            61..=64 => Step::Forget { group },
            65..=79 => {
                let (at, offset) = (self.at(), self.random.below(50) as i64);
                Step::OffsetCommit { group, at, offset, of: self.credentials() }
            }
            80..=87 => Step::OffsetFetch { group, stable: self.random.chance(50) },
            88..=91 => Step::OffsetDelete { group, at: self.at() },
            92..=94 => Step::DeleteGroup { group },
            _ => Step::DescribeGroup { group },
        }
    }

    /// Everybody rejoins and synchronises, in some order.
    fn rebalance(&mut self, group: usize) -> Step {
        let first = self.random.below(MEMBERS);
        let members: Vec<_> = (0..MEMBERS).map(|index| (first + index) % MEMBERS).collect();
        let members = &members[..1 + self.random.below(MEMBERS)];
        for round in 0..2 {
            for &member in members.iter().skip(1 - round) {
                self.planned.push_back(Step::Join { group, member });
            }
        }
        for &member in members.iter().rev() {
            self.planned.push_back(Step::Sync { group, member, stale: false });
        }
        if members.contains(&STATIC_MEMBER) && self.random.chance(20) {
            self.planned.push_back(Step::Forget { group });
            self.planned.push_back(Step::Join { group, member: STATIC_MEMBER });
        }
        Step::Join { group, member: first }
    }

    fn topic(&mut self) -> Step {
        let topic = self.random.below(TOPICS);
        match self.random.below(100) {
            0..=14 => {
                let create = Step::CreateTopic { topic, partitions: 1 + self.random.below(3) as i32 };
                self.planned.push_back(create);
                Step::DeleteTopic { topic }
            }
            15..=24 => Step::CreateTopic { topic, partitions: 1 + self.random.below(3) as i32 },
            25..=44 => Step::CreatePartitions { topic, count: 1 + self.random.below(3) as i32 },
            45..=69 => Step::SetMaxMessageBytes { topic, bytes: self.random.pick(&[100, 1000, 1_000_000]) },
            _ => {
                let before = self.random.pick(&[-1, 0, 1, 2, 3, 5, 8, 13, 21]);
                Step::DeleteRecords { at: self.at(), before }
            }
        }
    }

    fn reading(&mut self) -> Step {
        let at = self.at();
        let committed = self.random.chance(50);
        match self.random.below(100) {
            0..=39 => Step::Fetch { at, offset: self.random.pick(&[0, 0, 0, 1, 2, 3, 5, 8, 13, 21]), committed },
            40..=64 => {
                let timestamp = self.random.pick(&[-2, -1, -1, 0, 10, 20, 40, 80]);
                Step::ListOffsets { at, timestamp, committed }
            }
            65..=84 => Step::DescribeProducers { at },
            _ => Step::DescribeTransaction { id: self.random.below(TRANSACTIONAL_IDS) },
        }
    }
}
