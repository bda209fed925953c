//! The folder `compose/`: what its files say, what the official image makes of them, and what `kafka.sh` does.

mod files;
mod image;
mod nodes;
mod script;
mod transaction;
