//! Sentences of moments.
