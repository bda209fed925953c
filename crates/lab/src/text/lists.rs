//! Sentences of lists.
