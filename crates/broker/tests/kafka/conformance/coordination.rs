//! Producer ids, transactions, groups and their offsets.
