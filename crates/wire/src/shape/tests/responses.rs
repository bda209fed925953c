use kafka_protocol::protocol::Message;

use super::*;
use crate::shape::responses::APIS;

fn decode<R: Encodable + Decodable>(body: &[u8], version: i16) -> Option<Decoded> {
    let mut body = Bytes::copy_from_slice(body);
    let response = R::decode(&mut body, version).ok()?;
    let mut again = BytesMut::new();
    let written = response.encode(&mut again, version);
    Some((body.len(), written.ok().map(|()| again.to_vec())))
}

fn codec<R: Message + Encodable + Decodable + Default + HeaderVersion>(key: ApiKey) -> Codec {
    let default = |version| {
        let mut body = BytesMut::new();
        R::default().encode(&mut body, version).unwrap();
        body.to_vec()
    };
    Codec { key: key as i16, decode: decode::<R>, default, header_version: R::header_version }
}

fn codecs() -> Vec<Codec> {
    vec![
        codec::<ProduceResponse>(ApiKey::Produce),
        codec::<FetchResponse>(ApiKey::Fetch),
        codec::<ListOffsetsResponse>(ApiKey::ListOffsets),
        codec::<MetadataResponse>(ApiKey::Metadata),
        codec::<OffsetCommitResponse>(ApiKey::OffsetCommit),
        codec::<OffsetFetchResponse>(ApiKey::OffsetFetch),
        codec::<FindCoordinatorResponse>(ApiKey::FindCoordinator),
        codec::<JoinGroupResponse>(ApiKey::JoinGroup),
        codec::<HeartbeatResponse>(ApiKey::Heartbeat),
        codec::<LeaveGroupResponse>(ApiKey::LeaveGroup),
        codec::<SyncGroupResponse>(ApiKey::SyncGroup),
        codec::<InitProducerIdResponse>(ApiKey::InitProducerId),
        codec::<AddPartitionsToTxnResponse>(ApiKey::AddPartitionsToTxn),
        codec::<AddOffsetsToTxnResponse>(ApiKey::AddOffsetsToTxn),
        codec::<EndTxnResponse>(ApiKey::EndTxn),
        codec::<TxnOffsetCommitResponse>(ApiKey::TxnOffsetCommit),
        codec::<DescribeClusterResponse>(ApiKey::DescribeCluster),
        codec::<ShareFetchResponse>(ApiKey::ShareFetch),
        codec::<ShareAcknowledgeResponse>(ApiKey::ShareAcknowledge),
    ]
}

fn codec_of(key: i16) -> Codec {
    codecs().into_iter().find(|codec| codec.key == key).unwrap()
}

fn pairs() -> impl Iterator<Item = (&'static Api, i16)> {
    APIS.iter().flat_map(|api| (api.first..=api.last).map(move |version| (api, version)))
}

#[test]
fn each_response_is_described_once_and_has_a_codec() {
    assert!(APIS.iter().map(|api| api.key).eq(codecs().iter().map(|codec| codec.key)));
}

#[test]
fn their_flexible_versions_are_those_of_the_codec() {
    for (api, version) in pairs() {
        let flexible = (codec_of(api.key).header_version)(version) == 1;
        assert_eq!(version >= api.flexible, flexible, "{} {version}", api.name);
    }
}

#[test]
fn empty_ones_are_accepted() {
    for (api, version) in pairs() {
        let body = (codec_of(api.key).default)(version);
        assert_eq!(check_response(api.key, version, &body), Ok(()), "{} {version}", api.name);
    }
}

#[test]
fn their_description_is_that_of_the_codec() {
    let mut random = StdRng::seed_from_u64(4);
    for (api, version) in pairs() {
        for _ in 0..50 {
            let body = filled(api, version, &mut random);
            assert_eq!(check_response(api.key, version, &body), Ok(()), "{} {version}", api.name);
            let (left, again) = (codec_of(api.key).decode)(&body, version)
                .unwrap_or_else(|| panic!("{} {version}: the codec refuses {body:02x?}", api.name));
            assert_eq!(left, 0, "{} {version}", api.name);
            assert_eq!(again, Some(body), "{} {version}", api.name);
        }
    }
}

#[test]
fn every_prefix_of_them_is_refused() {
    let mut random = StdRng::seed_from_u64(5);
    for (api, version) in pairs() {
        let body = filled(api, version, &mut random);
        for length in 0..body.len() {
            assert!(check_response(api.key, version, &body[..length]).is_err(), "{} {version} {length}", api.name);
        }
    }
}

#[test]
fn headers_of_responses() {
    let frame = [0, 0, 0, 7, 1, 5, 1, 0xaa, 0x55];
    assert_eq!(check_response_header(0, &frame), Ok(4));
    assert_eq!(check_response_header(1, &frame), Ok(8));
    for length in 0..8 {
        assert!(check_response_header(1, &frame[..length]).is_err());
    }
    assert!(check_response_header(1, &[0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// As for requests: the codec may be let loose on what was accepted.
    #[test]
    fn damaged_responses(seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        let pairs: Vec<_> = pairs().collect();
        let (api, version) = pairs[random.random_range(0..pairs.len())];
        let mut body = filled(api, version, &mut random);
        damage(&mut body, &mut random);
        if check_response(api.key, version, &body).is_ok() {
            prop_assert!((codec_of(api.key).decode)(&body, version).is_some(), "{} {version} {body:02x?}", api.name);
        }
    }

    #[test]
    fn noise_instead_of_responses(index in 0..APIS.len(), version in 0i16..19, body: Vec<u8>) {
        let key = APIS[index].key;
        if check_response(key, version, &body).is_ok() {
            prop_assert!((codec_of(key).decode)(&body, version).is_some());
        }
        let _ = check_response_header(version % 2, &body);
    }
}
