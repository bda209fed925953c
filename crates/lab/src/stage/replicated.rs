//! What the leader has acknowledged alone (acks=0, acks=1) is not to be read before the others have it: readers are given
//! what lies below the high watermark, and take that for the end of the partition.

use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::Stage;
use crate::catalogue::Role;
use crate::error::Error;
use crate::kafka::{Observer, flush};
use crate::reader::Contents;

/// The lab's own last record of a partition: acknowledged by all replicas in sync, as is everything before it then.
const LAST: &str = "lab: every replica has what stands before this";

impl Stage<'_> {
    /// Reads the topic, up to what its leaders hold now, and not up to what its followers have fetched so far.
    ///
    /// # Errors
    /// When the brokers do not take or give the records.
    pub(super) fn read_replicated(&self) -> Result<Contents, Error> {
        let topic = self.topic();
        if self.may_be_ahead() && self.reader()?.replicas(&topic)? > 1 {
            let producer: BaseProducer<Observer> = self.kafka.writer()?;
            let refused = |why: String| Error::Input { topic: topic.clone(), why };
            for partition in 0..self.case.partitions {
                let record = BaseRecord::<(), str>::to(&topic).partition(partition).payload(LAST);
                producer.send(record).map_err(|(error, _)| refused(error.to_string()))?;
            }
            flush(&producer).map_err(|error| refused(error.to_string()))?;
            if let Some(why) = producer.context().last_error() {
                return Err(refused(why));
            }
        }
        let mut contents = self.reader()?.read(&topic, self.case.partitions)?;
        for records in [&mut contents.visible, &mut contents.all] {
            records.retain(|record| record.value.bytes() != Some(LAST.as_bytes()));
        }
        Ok(contents)
    }

    /// A transaction ends only when all replicas in sync have it.
    fn may_be_ahead(&self) -> bool {
        matches!(self.program.role, Role::Producer(producer) if !producer.transactional)
    }
}
