//! What a scenario does to the nodes of a cluster.

use proxy::Happening;

use super::Stage;
use crate::error::Error;
use crate::kafka::Isolation;
use crate::nodes::{Nodes, Order};
use crate::outcome::{Deed, Instance};
use crate::reader::watermarks;
use crate::topics::Topics;

impl Stage<'_> {
    /// Waits until every node is there and all replicas are in sync.
    ///
    /// # Errors
    /// When that does not come.
    pub fn whole(&mut self) -> Result<(), Error> {
        let prefix = self.names.prefix().to_owned();
        self.nodes()?.whole(&prefix)
    }

    /// The node to which the frame was on its way on which this fault acted, or from which it came.
    ///
    /// # Errors
    /// [`Error::NotReached`] when it has not acted.
    pub fn node_at(&self, fault: &str) -> Result<i32, Error> {
        let acted = self.proxy.trace().into_iter().rev().find_map(|event| match event.happening {
            Happening::Fault { name, .. } if name == fault => Some(event.node),
            _ => None,
        });
        acted.filter(|node| *node >= 0).ok_or_else(|| Error::NotReached { moment: fault.to_owned() })
    }

    /// The other nodes.
    ///
    /// # Errors
    /// When no node answers.
    pub fn other_nodes(&mut self, node: i32) -> Result<Vec<i32>, Error> {
        Ok(self.nodes()?.others(node))
    }

    /// Kills a node (kill -9), stops it in order, freezes it, thaws it, or starts it again; returns when that has
    /// happened.
    ///
    /// # Errors
    /// When it does not.
    pub fn order(&mut self, order: Order, node: i32) -> Result<(), Error> {
        let deed = match order {
            Order::Kill => Deed::Kill,
            Order::Stop => Deed::Stop,
            Order::Freeze => Deed::Freeze,
            Order::Thaw => Deed::Thaw,
            Order::Start => Deed::Start,
        };
        self.nodes()?.order(order, node)?;
        self.node_deeds.entry(node).or_default().push((self.clock.now(), deed));
        Ok(())
    }

    /// Changes a setting of the topic that the program writes.
    ///
    /// # Errors
    /// When the broker refuses it.
    pub fn set_topic(&self, setting: &str, value: &str) -> Result<(), Error> {
        Topics::set(&self.kafka, &self.written(), setting, value)
    }

    /// Waits until the partition (the first that the program writes) has another leader than this node.
    ///
    /// # Errors
    /// When it gets none.
    pub fn led_by_another(&mut self, node: i32) -> Result<(), Error> {
        let topic = self.written();
        self.nodes()?.seen("another leader", &topic, node, |it| it.leader() >= 0 && it.leader() != node)
    }

    /// Waits until all replicas in sync have so many messages of what the program writes to its first partition, and
    /// nothing else was written: until the high watermark is there.
    ///
    /// # Errors
    /// When it does not get there.
    pub fn replicated(&mut self, messages: usize) -> Result<(), Error> {
        let topic = self.written();
        let consumer = self.kafka.consumer(&self.names.of("reader"), Isolation::ReadUncommitted)?;
        let end = i64::try_from(messages).unwrap_or(i64::MAX);
        self.nodes()?.until("replicated", || watermarks(&consumer, &topic, 0).is_ok_and(|(_, high)| high >= end))
    }

    /// Waits until the replica on this node is no longer one of those in sync.
    ///
    /// # Errors
    /// When it stays one.
    pub fn out_of_sync(&mut self, node: i32) -> Result<(), Error> {
        let topic = self.written();
        self.nodes()?.seen("a replica less in sync", &topic, node, |it| !it.isr().contains(&node))
    }

    /// What was done to nodes, as if they were instances.
    pub(super) fn nodes_instances(&self) -> Vec<Instance> {
        let instance = |(node, deeds): (&i32, &Vec<(u64, Deed)>)| Instance {
            name: format!("node {node}"),
            given_id: None,
            lines: Vec::new(),
            deeds: deeds.clone(),
            ended: None,
            said: None,
        };
        self.node_deeds.iter().map(instance).collect()
    }

    /// Every node is as it was.
    pub(super) fn restore_nodes(&mut self) -> Result<(), Error> {
        let prefix = self.names.prefix().to_owned();
        self.nodes.as_mut().map_or(Ok(()), |nodes| nodes.restore(&prefix))
    }

    fn nodes(&mut self) -> Result<&mut Nodes, Error> {
        let nodes = match self.nodes.take() {
            Some(nodes) => nodes,
            None => Nodes::new(&self.kafka, &self.house.node_control)?,
        };
        Ok(self.nodes.insert(nodes))
    }
}
