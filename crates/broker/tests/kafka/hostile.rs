//! Frames that no client would send.
