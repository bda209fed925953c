mod recorded;

use std::io::Write;

use bytes::{BufMut, BytesMut};
use kafka_protocol::records::{Compression, Record as Written, RecordBatchEncoder, RecordEncodeOptions, TimestampType};
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

use super::*;

const BASE: i64 = 1_700_000_000_000;

/// A record before it is written; its number is its offset delta, unless it has another.
#[derive(Clone, Default)]
struct Draft {
    timestamp_delta: i64,
    offset_delta: Option<i32>,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// What is added to the size that the record gives.
    lie: i64,
}

fn put_varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn put_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    put_varint(out, bytes.map_or(-1, |bytes| bytes.len() as i64));
    out.extend(bytes.unwrap_or_default());
}

fn payload(drafts: &[Draft]) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, draft) in drafts.iter().enumerate() {
        let mut body = vec![0];
        put_varint(&mut body, draft.timestamp_delta);
        put_varint(&mut body, draft.offset_delta.unwrap_or(number as i32).into());
        put_bytes(&mut body, draft.key.as_deref());
        put_bytes(&mut body, draft.value.as_deref());
        put_varint(&mut body, draft.headers.len() as i64);
        for (key, value) in &draft.headers {
            put_bytes(&mut body, Some(key));
            put_bytes(&mut body, value.as_deref());
        }
        put_varint(&mut out, body.len() as i64 + draft.lie);
        out.extend(body);
    }
    out
}

fn pack(codec: i16, payload: &[u8]) -> Vec<u8> {
    match codec {
        0 => payload.to_vec(),
        1 => {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            gzip.write_all(payload).unwrap();
            gzip.finish().unwrap()
        }
        2 => {
            let mut framed = [SNAPPY_FRAME, &[0, 0, 0, 1, 0, 0, 0, 1]].concat();
            for chunk in payload.chunks(100) {
                let block = snap::raw::Encoder::new().compress_vec(chunk).unwrap();
                framed.extend((block.len() as i32).to_be_bytes());
                framed.extend(block);
            }
            framed
        }
        RAW_SNAPPY => snap::raw::Encoder::new().compress_vec(payload).unwrap(),
        3 => {
            let info = lz4_flex::frame::FrameInfo::new().block_size(lz4_flex::frame::BlockSize::Max64KB);
            let mut lz4 = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
            lz4.write_all(payload).unwrap();
            lz4.finish().unwrap()
        }
        4 => ruzstd::encoding::compress_to_vec(payload, ruzstd::encoding::CompressionLevel::Fastest),
        _ => panic!("no such codec"),
    }
}

const SNAPPY_FRAME: &[u8] = b"\x82SNAPPY\0";
/// Snappy as librdkafka writes it, without frame.
const RAW_SNAPPY: i16 = 2 + 8 * 16;
const CODECS: [i16; 6] = [0, 1, 2, RAW_SNAPPY, 3, 4];

fn build(codec: i16, base_offset: i64, count: usize, records: &[u8], max_timestamp: i64) -> Vec<u8> {
    let mut batch = BytesMut::new();
    batch.put_i64(base_offset);
    batch.put_i32(49 + records.len() as i32);
    batch.put_i32(-1);
    batch.put_i8(2);
    batch.put_u32(0);
    batch.put_i16(codec & 7);
    batch.put_i32(count as i32 - 1);
    batch.put_i64(BASE);
    batch.put_i64(max_timestamp);
    batch.put_i64(-1);
    batch.put_i16(-1);
    batch.put_i32(-1);
    batch.put_i32(count as i32);
    batch.put_slice(records);
    batch.to_vec()
}

fn batch_of(codec: i16, base_offset: i64, drafts: &[Draft]) -> Vec<u8> {
    let max_timestamp = BASE + drafts.iter().map(|draft| draft.timestamp_delta).max().unwrap_or(0);
    build(codec, base_offset, drafts.len(), &pack(codec, &payload(drafts)), max_timestamp)
}

/// A few records, the third the latest.
fn drafts() -> Vec<Draft> {
    let delta = |timestamp_delta| Draft { timestamp_delta, ..Draft::default() };
    vec![
        Draft { key: Some(b"k".to_vec()), value: Some(vec![b'v'; 300]), ..delta(5) },
        Draft { value: Some(Vec::new()), ..delta(-3) },
        Draft { headers: vec![(b"h".to_vec(), None), (Vec::new(), Some(vec![7; 70]))], ..delta(1000) },
        Draft { key: Some(Vec::new()), ..delta(7) },
    ]
}

fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<_> = hexadecimal.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

#[test]
fn a_sound_batch_is_valid_in_every_codec() {
    for codec in CODECS {
        let batch = batch_of(codec, 0, &drafts());
        assert_eq!(validate(&batch), Ok(BASE + 1000), "codec {codec}");
        let mut seen = Vec::new();
        validate_each(&batch, &mut MOST_UNPACKED.clone(), |record| seen.push(*record)).unwrap();
        let offsets: Vec<_> =
            seen.iter().map(|record| (record.offset, record.timestamp - BASE, record.has_key)).collect();
        assert_eq!(offsets, [(0, 5, true), (1, -3, false), (2, 1000, false), (3, 7, true)], "codec {codec}");
    }
}

#[test]
fn keys_and_values_are_shown_up_to_a_size() {
    let drafts = drafts();
    for codec in CODECS {
        for most in [0, 1, 299, 300, 301] {
            let mut seen = Vec::new();
            let shown = contents(&batch_of(codec, 0, &drafts), most, &mut MOST_UNPACKED.clone(), |key, value| {
                seen.push((key.map(<[u8]>::to_vec), value.map(<[u8]>::to_vec)));
                ControlFlow::<()>::Continue(())
            });
            assert_eq!(shown, Ok(None), "codec {codec}");
            let cut = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| bytes[..bytes.len().min(most)].to_vec());
            let expected: Vec<_> = drafts.iter().map(|draft| (cut(&draft.key), cut(&draft.value))).collect();
            assert_eq!(seen, expected, "codec {codec}, {most}");
        }
        let second = contents(&batch_of(codec, 0, &drafts), 9, &mut MOST_UNPACKED.clone(), |key, value| {
            if key.is_none() { ControlFlow::Break(value.map(<[u8]>::len)) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(second, Ok(Some(Some(0))), "codec {codec}");
        let mut seen = 0;
        let too_large = contents(&batch_of(codec, 0, &drafts), 9, &mut 10, |_, _| {
            seen += 1;
            ControlFlow::<()>::Continue(())
        });
        assert_eq!(too_large.is_ok(), codec == 0, "codec {codec}");
    }
}

#[test]
fn batches_of_client_libraries_are_valid() {
    for (by, batch) in recorded::RECORDED {
        let batch = bytes_of(batch);
        let mut records = Vec::new();
        let validated = validate_each(&batch, &mut MOST_UNPACKED.clone(), |record| records.push(*record));
        let validated = validated.unwrap_or_else(|invalid| panic!("{by}: {invalid}"));
        assert_eq!(validated, header(&batch).unwrap().max_timestamp(), "{by}");
        assert_eq!(records.iter().map(|record| record.offset).collect::<Vec<_>>(), [0, 1, 2], "{by}");
        assert!(records.iter().all(|record| record.has_key), "{by}");
        if by.starts_with("librdkafka") {
            assert_eq!(find_timestamp(&batch, BASE + 1, 0, &mut MOST_UNPACKED.clone()), Some((1, BASE + 10)), "{by}");
        }
    }
}

#[test]
fn batches_of_the_codec_library_are_valid() {
    let record = |offset: i64| Written {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id: 1,
        producer_epoch: 0,
        timestamp_type: TimestampType::Creation,
        offset,
        sequence: offset as i32,
        timestamp: BASE + 10 * offset,
        key: None,
        value: Some(vec![b'x'; 20].into()),
        headers: Default::default(),
    };
    let mut batch = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut batch, &(0..100).map(record).collect::<Vec<_>>(), &options).unwrap();
    assert_eq!(validate(&batch), Ok(BASE + 990));
    assert_eq!(find_timestamp(&batch, BASE + 981, 0, &mut MOST_UNPACKED.clone()), Some((99, BASE + 990)));
}

#[test]
fn the_count_must_be_that_of_records_and_offsets() {
    for codec in CODECS {
        let records = pack(codec, &payload(&drafts()));
        for count in [3, 5] {
            let batch = build(codec, 0, count, &records, BASE);
            assert!(matches!(validate(&batch), Err(Invalid::Structure(_))), "codec {codec}, count {count}");
        }
        let empty = build(codec, 0, 0, &pack(codec, &[]), BASE);
        assert!(matches!(validate(&empty), Err(Invalid::Structure(_))), "codec {codec}");
        let mut other_delta = build(codec, 0, 4, &records, BASE);
        other_delta[26] = 4;
        assert!(matches!(validate(&other_delta), Err(Invalid::Structure(_))), "codec {codec}");
    }
}

#[test]
fn offset_deltas_are_looked_at_in_compressed_batches_only() {
    let mut gap = drafts();
    gap[2].offset_delta = Some(7);
    for codec in CODECS {
        let expected = if codec == 0 { Ok(BASE + 1000) } else { Err(Invalid::Numbering) };
        assert_eq!(validate(&batch_of(codec, 0, &gap)), expected, "codec {codec}");
    }
}

#[test]
fn the_size_of_a_record_is_checked_where_it_is_not_compressed() {
    for lie in [-1, 1] {
        let mut lying = drafts();
        lying[1].lie = lie;
        for codec in CODECS {
            assert_eq!(validate(&batch_of(codec, 0, &lying)).is_err(), codec == 0, "codec {codec}, {lie}");
        }
    }
}

#[test]
fn a_timestamp_is_found_from_an_offset_on() {
    for codec in CODECS {
        let batch = batch_of(codec, 100, &drafts());
        let find = |delta, from| {
            find_timestamp(&batch, BASE + delta, from, &mut MOST_UNPACKED.clone())
                .map(|(offset, at)| (offset, at - BASE))
        };
        assert_eq!(find(-9, 0), Some((100, 5)), "codec {codec}");
        assert_eq!(find(6, 0), Some((102, 1000)), "codec {codec}");
        assert_eq!(find(6, 103), Some((103, 7)), "codec {codec}");
        assert_eq!(find(1001, 0), None, "codec {codec}");
        assert_eq!(find(0, 104), None, "codec {codec}");
        assert_eq!(max_timestamp_offset(&batch, &mut MOST_UNPACKED.clone()), Some((102, BASE + 1000)), "codec {codec}");
    }
}

#[test]
fn where_the_broker_stamps_all_records_have_the_time_of_the_batch() {
    let mut batch = batch_of(0, 0, &drafts());
    batch[22] |= 8;
    assert_eq!(validate(&batch).unwrap(), BASE + 1000);
    assert_eq!(find_timestamp(&batch, BASE + 900, 0, &mut MOST_UNPACKED.clone()), Some((0, BASE + 1000)));
    assert_eq!(max_timestamp_offset(&batch, &mut MOST_UNPACKED.clone()), Some((0, BASE + 1000)));
}

#[test]
fn what_is_read_stops_when_the_answer_is_known() {
    // Not zstd: its decoder keeps a window back until the frame ends.
    for codec in [1, 2, 3] {
        let many: Vec<_> = (0..20_000).map(|delta| Draft { timestamp_delta: delta, ..Draft::default() }).collect();
        let mut batch = batch_of(codec, 0, &many);
        // The end is beyond repair, and nobody sees it.
        let end = batch.len();
        batch[end - 20..].fill(0xff);
        assert!(validate(&batch).is_err(), "codec {codec}");
        assert_eq!(
            find_timestamp(&batch, BASE + 3, 0, &mut MOST_UNPACKED.clone()),
            Some((3, BASE + 3)),
            "codec {codec}"
        );
    }
}

#[test]
fn a_codec_that_does_not_exist_and_garbage_are_refused() {
    for codec in 1..=7 {
        let batch = build(codec, 0, 1, b"no compressed bytes at all", BASE);
        assert!(validate(&batch).is_err(), "codec {codec}");
    }
}

#[test]
fn a_decompression_bomb_ends_at_the_limit() {
    // One record whose value is all zeros, of a size that is within no limit.
    let size = MOST_UNPACKED + (1 << 20);
    let mut head = vec![0, 0, 0, 1];
    put_varint(&mut head, size as i64);
    let mut record = Vec::new();
    put_varint(&mut record, (head.len() + size + 1) as i64);
    record.extend(head);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&record).unwrap();
    for _ in 0..size >> 20 {
        gzip.write_all(&[0; 1 << 20]).unwrap();
    }
    gzip.write_all(&[0]).unwrap();
    let packed = gzip.finish().unwrap();
    assert!(packed.len() < 1 << 20, "{} bytes", packed.len());
    assert_eq!(validate(&build(1, 0, 1, &packed, BASE)), Err(Invalid::TooLarge));
    // A block of snappy that claims to be as large as the limit, and is not.
    let claim = [0x80, 0x80, 0x80, 0x40, 0, 0, 0];
    assert_eq!(validate(&build(2, 0, 1, &claim, BASE)), Err(Invalid::Compression));
}

#[test]
fn members_of_gzip_follow_each_other_and_what_is_none_is_nothing() {
    let payload = payload(&drafts());
    let (first, second) = payload.split_at(50);
    let packed = [pack(1, first), pack(1, second), b"anything".to_vec()].concat();
    assert!(validate(&build(1, 0, 4, &packed, BASE)).is_ok());
}

#[test]
fn frames_of_zstd_follow_each_other() {
    let payload = payload(&drafts());
    let (first, second) = payload.split_at(50);
    // A frame to be skipped (RFC 8878, 3.1.2) stands between them.
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"any"].concat();
    let packed = [pack(4, first), skipped, pack(4, second)].concat();
    assert!(validate(&build(4, 0, 4, &packed, BASE)).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Nothing panics, and what is valid has as many records as it says.
    #[test]
    fn damaged_batches(seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        let codec = CODECS[random.random_range(0..CODECS.len())];
        let mut batch = batch_of(codec, 0, &drafts());
        for _ in 0..random.random_range(1..5) {
            let place = random.random_range(0..batch.len());
            match random.random_range(0..4) {
                0 => batch[place] ^= 1 << random.random_range(0..8),
                1 => batch[place] = random.next_u32() as u8,
                2 => batch.truncate(place.max(1)),
                _ => drop(batch.splice(place..place, [0xff; 5])),
            }
        }
        let mut records = 0;
        if validate_each(&batch, &mut MOST_UNPACKED.clone(), |_| records += 1).is_ok() {
            prop_assert_eq!(records, header(&batch).unwrap().count());
        }
        let _ = contents(&batch, 100, &mut MOST_UNPACKED.clone(), |_, _| ControlFlow::<()>::Continue(()));
        find_timestamp(&batch, i64::MAX, 0, &mut MOST_UNPACKED.clone());
        max_timestamp_offset(&batch, &mut MOST_UNPACKED.clone());
    }

    #[test]
    fn noise(codec in 0i16..8, count in 1usize..5, records: Vec<u8>) {
        let _ = validate(&build(codec, 0, count, &records, BASE));
    }
}

#[test]
fn batches_that_come_together_share_what_may_be_unpacked() {
    let batch = batch_of(1, 0, &drafts());
    let mut unpack = MOST_UNPACKED;
    validate_each(&batch, &mut unpack, |_| {}).unwrap();
    let one = MOST_UNPACKED - unpack;
    assert!(one > 0);
    let mut unpack = 2 * one;
    for expected in [Ok(()), Ok(()), Err(Invalid::TooLarge), Err(Invalid::TooLarge)] {
        assert_eq!(validate_each(&batch, &mut unpack, |_| {}).map(drop), expected);
    }
}
