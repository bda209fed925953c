//! Produce, Fetch, offsets of a log, topics and their configuration.
