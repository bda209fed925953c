//! InitProducerId.
//!
//! Source: KIP-98, KIP-360; `KafkaApis.handleInitProducerIdRequest`.

use kafka_protocol::{
    ResponseError,
    messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId},
};

use crate::{
    engine::{Engine, dispatch::Call},
    error::code,
    transactions::ProducerIdAndEpoch,
};

/// Before this version clients do not know `PRODUCER_FENCED`.
const KNOWS_FENCED: i16 = 4;

impl Engine {
    pub(crate) fn init_producer_id(&mut self, call: Call<InitProducerIdRequest>) -> InitProducerIdResponse {
        let Call { request, version, .. } = call;
        let result = match (request.producer_id.0, request.producer_epoch) {
            (-1, -1) => self.init_producer(&request, None),
            (-1, _) | (_, -1) => Err(ResponseError::InvalidRequest),
            (id, epoch) => self.init_producer(&request, Some(ProducerIdAndEpoch { id, epoch })),
        };
        let result = result.map_err(|error| match error {
            ResponseError::ProducerFenced if version < KNOWS_FENCED => ResponseError::InvalidProducerEpoch,
            other => other,
        });
        let producer = result.unwrap_or(ProducerIdAndEpoch::NONE);
        InitProducerIdResponse::default()
            .with_error_code(code(&result))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
    }

    fn init_producer(
        &mut self,
        request: &InitProducerIdRequest,
        expected: Option<ProducerIdAndEpoch>,
    ) -> Result<ProducerIdAndEpoch, ResponseError> {
        let Some(id) = &request.transactional_id else {
            // An idempotent producer: a new id, whatever it had.
            return Ok(ProducerIdAndEpoch { id: self.transactions.new_producer_id(), epoch: 0 });
        };
        let (result, decision) =
            self.transactions.init_producer(id, request.transaction_timeout_ms, expected, self.now);
        if let Some(decision) = decision {
            self.carry_out(decision);
        }
        result
    }
}
