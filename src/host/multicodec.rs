//! `airssys:multicodec-core/multicodec-utilities`: payload prefixes.

use super::HostContext;
use super::bindings::airssys::multicodec_core::multicodec_utilities::{
    CodecInfo, DecodedData, Host, MulticodecError,
};
use crate::codec::{self, Codec, CodecError};

impl Host for HostContext {
    fn encode(&mut self, codec: u64, data: Vec<u8>) -> Vec<u8> {
        codec::encode(codec, &data)
    }

    fn decode(&mut self, encoded: Vec<u8>) -> Result<DecodedData, MulticodecError> {
        match codec::decode(&encoded) {
            Ok(payload) => Ok(DecodedData {
                codec: payload.codec.code(),
                data: payload.data.to_vec(),
            }),
            Err(CodecError::UnknownCodec(code)) => Err(MulticodecError::UnknownCodec(code)),
            Err(CodecError::Empty) => Err(MulticodecError::Empty),
            Err(CodecError::TruncatedPrefix) => Err(MulticodecError::TruncatedPrefix),
            // The only other error of `codec::decode`.
            Err(_) => Err(MulticodecError::OverlongPrefix),
        }
    }

    fn is_codec_supported(&mut self, codec: u64) -> bool {
        Codec::from_code(codec).is_some()
    }

    fn get_codec_info(&mut self, codec: u64) -> Result<CodecInfo, MulticodecError> {
        let known = Codec::from_code(codec).ok_or(MulticodecError::UnknownCodec(codec))?;
        Ok(CodecInfo {
            id: codec,
            name: known.name().to_owned(),
            description: known.description().to_owned(),
            self_describing: known.self_describing(),
        })
    }
}
