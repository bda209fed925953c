//! A delayed EndTxn.
