//! One thread reads and commits, another one processes: what is between the two when the program dies is never done.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use common::grammar::{Line, Position};
use common::{Error, group, out, stop};
use rdkafka::Message;
use rdkafka::consumer::{CommitMode, Consumer};

use crate::{Args, MOMENT};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let consumer = args.consumer(&[])?;
    let (queue, work) = mpsc::channel();
    let worker = thread::spawn(move || {
        for (place, value) in work {
            // The work that each message is.
            thread::sleep(Duration::from_millis(30));
            let value: Vec<u8> = value;
            out::print(&Line::Read(place, value.into()))?;
        }
        Ok::<(), Error>(())
    });
    while !stop::requested() {
        let Some(message) = group::poll(&consumer, MOMENT)? else { continue };
        let place =
            Position { topic: args.topic.clone().into(), partition: message.partition(), offset: message.offset() };
        let _ = queue.send((place, message.payload().unwrap_or_default().to_vec()));
        // The mistake: queued is not processed.
        consumer.commit_message(&message, CommitMode::Sync)?;
    }
    drop(queue);
    worker.join().unwrap_or(Ok(()))
}
