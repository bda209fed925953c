//! What Kafka's bytes look like, before they mean anything.
//!
//! | part | what it is |
//! |---|---|
//! | [`frames`] | from a stream of bytes to frames |
//! | [`shape`] | requests are looked over before they are decoded |
//! | [`batch`] | the header of a record batch |
//! | [`records`] | the records inside a batch |

pub mod batch;
pub mod frames;
pub mod records;
pub mod shape;
