mod addresses;
mod batches;
mod errors;
mod headers;
mod noise;
mod requests;
mod responses;
mod support;
