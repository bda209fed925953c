//! Frames as librdkafka 2.12.1 (in a transactional producer, a pipeline and a consumer) and the Java client 4.3.1
//! exchanged them with Apache Kafka 4.3.1, and what they say.

use crate::Side::{self, Request, Response};

/// A frame, and its facts as JSON.
pub(super) struct Recorded {
    pub(super) client: &'static str,
    pub(super) side: Side,
    pub(super) api: i16,
    pub(super) version: i16,
    /// In hexadecimal digits.
    pub(super) frame: &'static str,
    pub(super) facts: &'static str,
}

const fn recorded(
    client: &'static str,
    side: Side,
    (api, version): (i16, i16),
    frame: &'static str,
    facts: &'static str,
) -> Recorded {
    Recorded { client, side, api, version, frame, facts }
}

pub(super) const RECORDED: &[Recorded] = &[
    recorded(
        "librdkafka",
        Request,
        (0, 10),
        "0000000a00000008000772646b61666b61001a74786e2d70726f64756365722d65786163746c792d6f6e6365ffff000075300206\
         696e70757402000000006e0000000000000000000000610000000002009728c3001000000002000001a2023e17e5000001a2023e\
         17e50000000000000000000000000000000000031e0000000112656f732d6d73672d30001e0000020112656f732d6d73672d3100\
         1e0000040112656f732d6d73672d3200000000",
        r##"{"transactional_id":"txn-producer-exactly-once","acks":-1,"partitions":[{"topic":"input","partition":0,"batches":[{"base_offset":0,"last_offset":2,"records":3,"producer_id":0,"producer_epoch":0,"base_sequence":0,"transactional":true,"first":"eos-msg-0","last":"eos-msg-2"}]}]}"##,
    ),
    recorded(
        "librdkafka",
        Response,
        (0, 10),
        "0000000b0002076f7574707574020000000000000000000000000000ffffffffffffffff00000000000000000100000000000000\
         00",
        r##"{"partitions":[{"topic":"output","partition":0,"error":0,"offset":0}]}"##,
    ),
    recorded(
        "librdkafka",
        Request,
        (1, 16),
        "0001001000000006000772646b61666b6100000001f400000001032000000100000000ffffffff02b8759ab3335049369e542082\
         44fbcfe60200000000000000000000000000000000ffffffffffffffffffffffff001000000000010100",
        r##"{"read_committed":true,"partitions":[{"topic":"uHWaszNQSTaeVCCCRPvP5g","partition":0,"offset":0}]}"##,
    ),
    recorded(
        "librdkafka",
        Response,
        (1, 16),
        "00000006000000000000000000000002b8759ab3335049369e54208244fbcfe60200000000000000000000000000040000000000\
         000004000000000000000001ffffffffbc010000000000000000000000610000000002009728c3001000000002000001a2023e17\
         e5000001a2023e17e50000000000000000000000000000000000031e0000000112656f732d6d73672d30001e0000020112656f73\
         2d6d73672d31001e0000040112656f732d6d73672d32000000000000000003000000420000000002e1e014020030000000000000\
         01a2023e18c2000001a2023e18c200000000000000000000ffffffff000000012000000008000000010c00000000000000000000",
        r##"{"error":0,"partitions":[{"topic":"uHWaszNQSTaeVCCCRPvP5g","partition":0,"error":0,"high_watermark":4,"last_stable":4,"batches":[{"base_offset":0,"last_offset":2,"records":3,"producer_id":0,"producer_epoch":0,"base_sequence":0,"transactional":true,"first":"eos-msg-0","last":"eos-msg-2"},{"base_offset":3,"last_offset":3,"records":1,"producer_id":0,"producer_epoch":0,"base_sequence":-1,"transactional":true,"marker":"commit"}]}]}"##,
    ),
    recorded(
        "librdkafka",
        Request,
        (2, 7),
        "0002000700000005000772646b61666b6100ffffffff0102076f7574707574020000000000000000fffffffffffffffe000000",
        r##"{"partitions":[{"topic":"output","partition":0}]}"##,
    ),
    recorded(
        "librdkafka",
        Response,
        (2, 7),
        "00000005000000000002076f757470757402000000000000ffffffffffffffff000000000000000000000000000000",
        r##"{"partitions":[{"topic":"output","partition":0,"error":0,"offset":0}]}"##,
    ),
    recorded(
        "librdkafka",
        Request,
        (3, 13),
        "0003000d00000002000772646b61666b61000200000000000000000000000000000000076f757470757400010000",
        r##"{"partitions":[{"topic":"output","partition":-1}]}"##,
    ),
    recorded(
        "librdkafka",
        Response,
        (3, 13),
        "00000006000000000002000000010a3132372e302e302e31000052da0000177a6239734f6c5f446652417a6f794f365448633032\
         7700000001020000076f7574707574d7e7fd6d57fe4c48b9421646e74be0c8000200000000000000000001000000000200000001\
         020000000101008000000000000000",
        r##"{"error":0,"partitions":[{"topic":"output","partition":-1,"error":0}]}"##,
    ),
    recorded(
        "librdkafka",
        Request,
        (8, 9),
        "0008000900000008000772646b61666b61001174702d61742d6c656173742d6f6e6365000000012d72646b61666b612d31313938\
         383637342d666562632d346364322d396562362d3931613764663133336562310002076f75747075740200000000000000000000\
         0001ffffffff01000000",
        r##"{"group":"tp-at-least-once","member":"rdkafka-11988674-febc-4cd2-9eb6-91a7df133eb1","generation":1,"partitions":[{"topic":"output","partition":0,"offset":1}]}"##,
    ),
    recorded(
        "librdkafka",
        Response,
        (8, 9),
        "00000008000000000002076f757470757402000000000000000000",
        r##"{"partitions":[{"topic":"output","partition":0,"error":0}]}"##,
    ),
    recorded(
        "librdkafka",
        Request,
        (9, 9),
        "0009000900000007000772646b61666b6100021174702d61742d6c656173742d6f6e636500ffffffff02076f7574707574020000\
         000000000100",
        r##"{"group":"tp-at-least-once","partitions":[{"topic":"output","partition":0}]}"##,
    ),
    recorded(
        "librdkafka",
        Response,
        (9, 9),
        "000000070000000000021174702d61742d6c656173742d6f6e636502076f75747075740200000000ffffffffffffffffffffffff\
         010000000000000000",
        r##"{"group":"tp-at-least-once","error":0,"partitions":[{"topic":"output","partition":0,"error":0}]}"##,
    ),
    recorded(
        "librdkafka",
        Request,
        (10, 2),
        "000a000200000005000772646b61666b61001974786e2d70726f64756365722d65786163746c792d6f6e636501",
        r##"{"transactional_id":"txn-producer-exactly-once"}"##,
    ),
    recorded(
        "librdkafka",
        Response,
        (10, 2),
        "0000000400000000000000044e4f4e450000000100093132372e302e302e31000052da",
        r##"{"error":0}"##,
    ),
    recorded(
        "librdkafka",
        Request,
        (11, 5),
        "000b000500000003000772646b61666b61001074702d61742d6c656173742d6f6e63650000afc8000493e0002c72646b61666b61\
         2d31313938383637342d666562632d346364322d396562362d393161376466313333656231ffff0008636f6e73756d6572000000\
         02000572616e67650000001c00030000000100066f75747075740000000000000000ffffffff0000000a726f756e64726f62696e\
         0000001c00030000000100066f75747075740000000000000000ffffffff0000",
        r##"{"group":"tp-at-least-once","member":"rdkafka-11988674-febc-4cd2-9eb6-91a7df133eb1"}"##,
    ),
    recorded(
        "librdkafka",
        Response,
        (11, 5),
        "0000000300000000000000000001000572616e6765002c72646b61666b612d31313938383637342d666562632d346364322d3965\
         62362d393161376466313333656231002c72646b61666b612d31313938383637342d666562632d346364322d396562362d393161\
         37646631333365623100000001002c72646b61666b612d31313938383637342d666562632d346364322d396562362d3931613764\
         66313333656231ffff0000001c00030000000100066f75747075740000000000000000ffffffff0000",
        r##"{"member":"rdkafka-11988674-febc-4cd2-9eb6-91a7df133eb1","generation":1,"error":0}"##,
    ),
    recorded(
        "librdkafka",
        Request,
        (12, 3),
        "000c000300000006000772646b61666b61001074702d61742d6c656173742d6f6e636500000001002c72646b61666b612d313139\
         38383637342d666562632d346364322d396562362d393161376466313333656231ffff",
        r##"{"group":"tp-at-least-once","member":"rdkafka-11988674-febc-4cd2-9eb6-91a7df133eb1","generation":1}"##,
    ),
    recorded("librdkafka", Response, (12, 3), "00000007000000000000", r##"{"error":0}"##),
    recorded(
        "librdkafka",
        Request,
        (13, 1),
        "000d00010000000e000772646b61666b61001074702d61742d6c656173742d6f6e6365002c72646b61666b612d31313938383637\
         342d666562632d346364322d396562362d393161376466313333656231",
        r##"{"group":"tp-at-least-once","member":"rdkafka-11988674-febc-4cd2-9eb6-91a7df133eb1"}"##,
    ),
    recorded("librdkafka", Response, (13, 1), "0000000d000000000000", r##"{"error":0}"##),
    recorded(
        "librdkafka",
        Request,
        (14, 3),
        "000e000300000005000772646b61666b61001074702d61742d6c656173742d6f6e636500000001002c72646b61666b612d313139\
         38383637342d666562632d346364322d396562362d393161376466313333656231ffff00000001002c72646b61666b612d313139\
         38383637342d666562632d346364322d396562362d3931613764663133336562310000001a00000000000100066f757470757400\
         0000010000000000000000",
        r##"{"group":"tp-at-least-once","member":"rdkafka-11988674-febc-4cd2-9eb6-91a7df133eb1","generation":1}"##,
    ),
    recorded(
        "librdkafka",
        Response,
        (14, 3),
        "000000050000000000000000001a00000000000100066f7574707574000000010000000000000000",
        r##"{"error":0}"##,
    ),
    recorded(
        "librdkafka",
        Request,
        (22, 4),
        "0016000400000002000772646b61666b61001a74786e2d70726f64756365722d65786163746c792d6f6e63650000ea60ffffffff\
         ffffffffffff00",
        r##"{"transactional_id":"txn-producer-exactly-once"}"##,
    ),
    recorded(
        "librdkafka",
        Response,
        (22, 4),
        "00000002000000000000000000000000000001000000",
        r##"{"producer_id":1,"producer_epoch":0,"error":0}"##,
    ),
    recorded(
        "librdkafka",
        Request,
        (24, 0),
        "0018000000000004000772646b61666b61001974786e2d70726f64756365722d65786163746c792d6f6e63650000000000000000\
         0000000000010005696e7075740000000100000000",
        r##"{"transactional_id":"txn-producer-exactly-once","producer_id":0,"producer_epoch":0,"partitions":[{"topic":"input","partition":0}]}"##,
    ),
    recorded(
        "librdkafka",
        Response,
        (24, 0),
        "00000004000000000000000100066f757470757400000001000000000000",
        r##"{"partitions":[{"topic":"output","partition":0,"error":0}]}"##,
    ),
    recorded(
        "librdkafka",
        Request,
        (25, 0),
        "0019000000000003000772646b61666b61000c656f732d706970656c696e6500000000000000010000000e672d656f732d706970\
         656c696e65",
        r##"{"transactional_id":"eos-pipeline","producer_id":1,"producer_epoch":0,"group":"g-eos-pipeline"}"##,
    ),
    recorded("librdkafka", Response, (25, 0), "00000003000000000000", r##"{"error":0}"##),
    recorded(
        "librdkafka",
        Request,
        (26, 1),
        "001a000100000005000772646b61666b61001974786e2d70726f64756365722d65786163746c792d6f6e63650000000000000000\
         000001",
        r##"{"transactional_id":"txn-producer-exactly-once","producer_id":0,"producer_epoch":0,"commits":true}"##,
    ),
    recorded("librdkafka", Response, (26, 1), "00000005000000000000", r##"{"error":0}"##),
    recorded(
        "librdkafka",
        Request,
        (28, 3),
        "001c00030000000a000772646b61666b61000d656f732d706970656c696e650f672d656f732d706970656c696e65000000000000\
         00010000000000012d72646b61666b612d38313932653031392d623962392d343930392d396339352d6165386135613839316536\
         33000206696e70757402000000000000000000000003ffffffff01000000",
        r##"{"transactional_id":"eos-pipeline","producer_id":1,"producer_epoch":0,"group":"g-eos-pipeline","member":"rdkafka-8192e019-b9b9-4909-9c95-ae8a5a891e63","generation":1,"partitions":[{"topic":"input","partition":0,"offset":3}]}"##,
    ),
    recorded(
        "librdkafka",
        Response,
        (28, 3),
        "0000000a00000000000206696e70757402000000000000000000",
        r##"{"partitions":[{"topic":"input","partition":0,"error":0}]}"##,
    ),
    recorded(
        "java",
        Request,
        (0, 13),
        "0000000d0000000a0014706572662d70726f64756365722d636c69656e7400036a74ffff000075300289c502a55db942f182bb3a\
         aa21ffa7e602000000008f01000000000000000000000082ffffffff026d8e0aaf001000000002000001a2023f0647000001a202\
         3f06470000000000000002000100000000000000033400000001284e4944535057485a4d4b564a415844425a46434f0034000002\
         012858594b59524a4f47594b444553534a4d4f49494f0034000004012857564b59554156574a4c58534550504645494c56000000\
         00",
        r##"{"transactional_id":"jt","acks":-1,"partitions":[{"topic":"icUCpV25QvGCuzqqIf-n5g","partition":0,"batches":[{"base_offset":0,"last_offset":2,"records":3,"producer_id":2,"producer_epoch":1,"base_sequence":0,"transactional":true,"first":"NIDSPWHZMKVJAXDBZFCO","last":"WVKYUAVWJLXSEPPFEILV"}]}]}"##,
    ),
    recorded(
        "java",
        Response,
        (0, 13),
        "00000008000289c502a55db942f182bb3aaa21ffa7e6020000000000000000000000000000ffffffffffffffff00000000000000\
         00010000000000000000",
        r##"{"partitions":[{"topic":"icUCpV25QvGCuzqqIf-n5g","partition":0,"error":0,"offset":0}]}"##,
    ),
    recorded(
        "java",
        Request,
        (1, 18),
        "000100120000000b0010636f6e736f6c652d636f6e73756d657200000001f4000000010320000000000000000000000002b8759a\
         b3335049369e54208244fbcfe60200000000000000000000000000000000ffffffffffffffffffffffff001000000000010100",
        r##"{"read_committed":false,"partitions":[{"topic":"uHWaszNQSTaeVCCCRPvP5g","partition":0,"offset":0}]}"##,
    ),
    recorded(
        "java",
        Response,
        (1, 18),
        "0000000b00000000000000067bc1af02b8759ab3335049369e54208244fbcfe60200000000000000000000000000040000000000\
         000004000000000000000000ffffffffbc010000000000000000000000610000000002009728c3001000000002000001a2023e17\
         e5000001a2023e17e50000000000000000000000000000000000031e0000000112656f732d6d73672d30001e0000020112656f73\
         2d6d73672d31001e0000040112656f732d6d73672d32000000000000000003000000420000000002e1e014020030000000000000\
         01a2023e18c2000001a2023e18c200000000000000000000ffffffff000000012000000008000000010c00000000000000000000",
        r##"{"error":0,"partitions":[{"topic":"uHWaszNQSTaeVCCCRPvP5g","partition":0,"error":0,"high_watermark":4,"last_stable":4,"batches":[{"base_offset":0,"last_offset":2,"records":3,"producer_id":0,"producer_epoch":0,"base_sequence":0,"transactional":true,"first":"eos-msg-0","last":"eos-msg-2"},{"base_offset":3,"last_offset":3,"records":1,"producer_id":0,"producer_epoch":0,"base_sequence":-1,"transactional":true,"marker":"commit"}]}]}"##,
    ),
    recorded(
        "java",
        Request,
        (3, 13),
        "0003000d000000060014706572662d70726f64756365722d636c69656e74000200000000000000000000000000000000076a696e\
         70757400010000",
        r##"{"partitions":[{"topic":"jinput","partition":-1}]}"##,
    ),
    recorded(
        "java",
        Response,
        (3, 13),
        "00000007000000000002000000010a3132372e302e302e31000052da0000177a6239734f6c5f446652417a6f794f365448633032\
         7700000001020000076a696e70757489c502a55db942f182bb3aaa21ffa7e6000200000000000000000001000000000200000001\
         020000000101008000000000000000",
        r##"{"error":0,"partitions":[{"topic":"jinput","partition":-1,"error":0}]}"##,
    ),
    recorded(
        "java",
        Request,
        (8, 9),
        "000800090000000d0010636f6e736f6c652d636f6e73756d657200036a670000000136636f6e736f6c652d636f6e73756d65722d\
         33363265313166612d643334372d346333312d383966632d653766653430363835623437000206696e7075740200000000000000\
         00000000040000000001000000",
        r##"{"group":"jg","member":"console-consumer-362e11fa-d347-4c31-89fc-e7fe40685b47","generation":1,"partitions":[{"topic":"input","partition":0,"offset":4}]}"##,
    ),
    recorded(
        "java",
        Response,
        (8, 9),
        "0000000d00000000000206696e70757402000000000000000000",
        r##"{"partitions":[{"topic":"input","partition":0,"error":0}]}"##,
    ),
    recorded(
        "java",
        Request,
        (9, 9),
        "00090009000000080010636f6e736f6c652d636f6e73756d65720002036a6700ffffffff0206696e707574020000000000000100",
        r##"{"group":"jg","partitions":[{"topic":"input","partition":0}]}"##,
    ),
    recorded(
        "java",
        Response,
        (9, 9),
        "00000008000000000002036a670206696e7075740200000000ffffffffffffffffffffffff010000000000000000",
        r##"{"group":"jg","error":0,"partitions":[{"topic":"input","partition":0,"error":0}]}"##,
    ),
    recorded(
        "java",
        Request,
        (10, 6),
        "000a0006000000020014706572662d70726f64756365722d636c69656e74000102036a7400",
        r##"{"transactional_id":"jt"}"##,
    ),
    recorded(
        "java",
        Response,
        (10, 6),
        "0000000c000000000002046a6732000000010a3132372e302e302e31000052da0000010000",
        r##"{"error":0}"##,
    ),
    recorded(
        "java",
        Request,
        (11, 9),
        "000b0009000000060010636f6e736f6c652d636f6e73756d657200036a670000afc8000493e036636f6e736f6c652d636f6e7375\
         6d65722d33363265313166612d643334372d346333312d383966632d6537666534303638356234370009636f6e73756d65720306\
         72616e67651c0003000000010005696e707574ffffffff00000000ffffffffffff0013636f6f70657261746976652d737469636b\
         79200003000000010005696e70757400000004ffffffff00000000ffffffffffff00606e65656420746f2072652d6a6f696e2077\
         6974682074686520676976656e206d656d6265722d69643a20636f6e736f6c652d636f6e73756d65722d33363265313166612d64\
         3334372d346333312d383966632d65376665343036383562343700",
        r##"{"group":"jg","member":"console-consumer-362e11fa-d347-4c31-89fc-e7fe40685b47"}"##,
    ),
    recorded(
        "java",
        Response,
        (11, 9),
        "00000006000000000000000000000109636f6e73756d65720672616e676536636f6e736f6c652d636f6e73756d65722d33363265\
         313166612d643334372d346333312d383966632d6537666534303638356234370036636f6e736f6c652d636f6e73756d65722d33\
         363265313166612d643334372d346333312d383966632d6537666534303638356234370236636f6e736f6c652d636f6e73756d65\
         722d33363265313166612d643334372d346333312d383966632d653766653430363835623437001c0003000000010005696e7075\
         74ffffffff00000000ffffffffffff0000",
        r##"{"member":"console-consumer-362e11fa-d347-4c31-89fc-e7fe40685b47","generation":1,"error":0}"##,
    ),
    recorded(
        "java",
        Request,
        (13, 5),
        "000d00050000000e0010636f6e736f6c652d636f6e73756d657200036a670236636f6e736f6c652d636f6e73756d65722d333632\
         65313166612d643334372d346333312d383966632d653766653430363835623437001d74686520636f6e73756d65722069732062\
         65696e6720636c6f7365640000",
        r##"{"group":"jg","member":"console-consumer-362e11fa-d347-4c31-89fc-e7fe40685b47"}"##,
    ),
    recorded(
        "java",
        Response,
        (13, 5),
        "0000000e000000000000000236636f6e736f6c652d636f6e73756d65722d33363265313166612d643334372d346333312d383966\
         632d6537666534303638356234370000000000",
        r##"{"error":0}"##,
    ),
    recorded(
        "java",
        Request,
        (14, 5),
        "000e0005000000070010636f6e736f6c652d636f6e73756d657200036a670000000136636f6e736f6c652d636f6e73756d65722d\
         33363265313166612d643334372d346333312d383966632d6537666534303638356234370009636f6e73756d65720672616e6765\
         0236636f6e736f6c652d636f6e73756d65722d33363265313166612d643334372d346333312d383966632d653766653430363835\
         6234371a0003000000010005696e7075740000000100000000ffffffff0000",
        r##"{"group":"jg","member":"console-consumer-362e11fa-d347-4c31-89fc-e7fe40685b47","generation":1}"##,
    ),
    recorded(
        "java",
        Response,
        (14, 5),
        "000000070000000000000009636f6e73756d65720672616e67651a0003000000010005696e7075740000000100000000ffffffff\
         00",
        r##"{"error":0}"##,
    ),
    recorded(
        "java",
        Request,
        (22, 5),
        "00160005000000050014706572662d70726f64756365722d636c69656e7400036a740000ea60ffffffffffffffffffff00",
        r##"{"transactional_id":"jt"}"##,
    ),
    recorded(
        "java",
        Response,
        (22, 5),
        "00000005000000000000000000000000000002000000",
        r##"{"producer_id":2,"producer_epoch":0,"error":0}"##,
    ),
    recorded(
        "java",
        Request,
        (26, 5),
        "001a0005000000090014706572662d70726f64756365722d636c69656e7400036a74000000000000000200000100",
        r##"{"transactional_id":"jt","producer_id":2,"producer_epoch":0,"commits":true}"##,
    ),
    recorded(
        "java",
        Response,
        (26, 5),
        "00000009000000000000000000000000000002000100",
        r##"{"producer_id":2,"producer_epoch":1,"error":0}"##,
    ),
];
