//! FindCoordinator.

use std::net::ToSocketAddrs;

use kafka_protocol::messages::{FindCoordinatorRequest, FindCoordinatorResponse};

use super::support::{code, connect};
use crate::support::{
    broker::{bootstrap, unique},
    wire::text,
};

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

fn find(key: &str, key_type: i8, version: i16) -> FindCoordinatorResponse {
    connect().call(&FindCoordinatorRequest::default().with_key(text(key)).with_key_type(key_type), version)
}

fn find_all(keys: &[&str], key_type: i8, version: i16) -> FindCoordinatorResponse {
    let keys = keys.iter().map(|key| text(key)).collect();
    connect().call(&FindCoordinatorRequest::default().with_coordinator_keys(keys).with_key_type(key_type), version)
}

/// Whether this address leads to the broker under test, whose name may have been given in another way.
fn is_reached(host: &str, port: i32) -> bool {
    let addresses = |address: &str| address.to_socket_addrs().unwrap().collect::<Vec<_>>();
    let here = addresses(bootstrap());
    addresses(&format!("{host}:{port}")).iter().any(|address| here.contains(address))
}

#[test]
fn the_coordinator_of_a_group_is_found_at_each_version_of_one_key() {
    for version in 0..=3 {
        let found = find(&unique("group"), GROUP, version);
        assert_eq!(found.error_code, code::NONE, "v{version}");
        assert!(is_reached(&found.host, found.port), "v{version}: {}:{}", &*found.host, found.port);
        assert!(found.node_id.0 >= 0, "v{version}");
    }
}

#[test]
fn the_coordinator_of_a_transactional_id_is_found_since_version_1() {
    for version in 1..=3 {
        let found = find(&unique("txn"), TRANSACTION, version);
        assert_eq!(found.error_code, code::NONE, "v{version}");
        assert!(is_reached(&found.host, found.port), "v{version}: {}:{}", &*found.host, found.port);
    }
}

#[test]
fn several_keys_are_answered_each_in_the_order_of_the_request() {
    for version in 4..=6 {
        let names = [unique("b"), unique("a"), unique("c")];
        let keys: Vec<_> = names.iter().map(String::as_str).collect();
        for key_type in [GROUP, TRANSACTION] {
            let found = find_all(&keys, key_type, version);
            let answered: Vec<_> = found.coordinators.iter().map(|found| found.key.to_string()).collect();
            assert_eq!(answered, names, "v{version}");
            for found in found.coordinators {
                assert_eq!(found.error_code, code::NONE, "v{version}");
                assert!(is_reached(&found.host, found.port), "v{version}: {}:{}", &*found.host, found.port);
            }
        }
    }
}

#[test]
fn no_key_gets_an_empty_answer() {
    let found = find_all(&[], GROUP, 4);
    assert_eq!(found.coordinators.len(), 0);
}

#[test]
fn a_key_type_that_does_not_exist_is_an_invalid_request() {
    assert_eq!(find("key", 9, 1).error_code, code::INVALID_REQUEST);
    assert_eq!(find("key", 9, 3).error_code, code::INVALID_REQUEST);
    let found = find_all(&["key", "other"], 9, 4);
    let codes: Vec<_> = found.coordinators.iter().map(|found| found.error_code).collect();
    assert_eq!(codes, [code::INVALID_REQUEST, code::INVALID_REQUEST]);
}

#[test]
fn an_empty_key_has_a_coordinator_too() {
    for key_type in [GROUP, TRANSACTION] {
        assert_eq!(find("", key_type, 2).error_code, code::NONE);
        assert_eq!(find_all(&[""], key_type, 4).coordinators[0].error_code, code::NONE);
    }
}
