//! Sentences of stories.
