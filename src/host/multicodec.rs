//! `airssys:multicodec-core/multicodec-utilities`: payload prefixes.

use super::convert::{record, variant};
use super::{HostState, versioned};
use crate::codec::{self, Codec, CodecError};
use crate::component::{Linker, StoreContextMut};
use crate::error::Result;

pub(super) const INTERFACE: &str = "airssys:multicodec-core/multicodec-utilities";

/// Defines the interface.
pub(super) fn add_to_linker<T: HostState>(linker: &mut Linker<T>) -> Result<()> {
    let mut interface = linker.instance(&versioned(INTERFACE))?;
    interface.func_wrap(
        "encode",
        |_: StoreContextMut<'_, T>, (codec, data): (u64, Vec<u8>)| Ok((codec::encode(codec, &data),)),
    )?;
    interface.func_wrap("decode", |_: StoreContextMut<'_, T>, (encoded,): (Vec<u8>,)| {
        Ok((decode(&encoded),))
    })?;
    interface.func_wrap(
        "is-codec-supported",
        |_: StoreContextMut<'_, T>, (codec,): (u64,)| Ok((Codec::from_code(codec).is_some(),)),
    )?;
    interface.func_wrap("get-codec-info", |_: StoreContextMut<'_, T>, (codec,): (u64,)| {
        Ok((info(codec),))
    })
}

record! {
    /// A payload, taken apart.
    DecodedData {
        codec: u64 = "codec",
        data: Vec<u8> = "data",
    }
}

record! {
    /// What the host knows about one codec.
    CodecInfo {
        id: u64 = "id",
        name: String = "name",
        description: String = "description",
        self_describing: bool = "self-describing",
    }
}

variant! {
    /// Why a payload's prefix could not be read, or a codec is not known.
    MulticodecError {
        Empty = "empty",
        TruncatedPrefix = "truncated-prefix",
        OverlongPrefix = "overlong-prefix",
        UnknownCodec(codec: u64) = "unknown-codec",
    }
}

fn decode(encoded: &[u8]) -> std::result::Result<DecodedData, MulticodecError> {
    match codec::decode(encoded) {
        Ok(payload) => Ok(DecodedData {
            codec: payload.codec.code(),
            data: payload.data.to_vec(),
        }),
        Err(CodecError::UnknownCodec(code)) => Err(MulticodecError::UnknownCodec(code)),
        Err(CodecError::Empty) => Err(MulticodecError::Empty),
        Err(CodecError::TruncatedPrefix) => Err(MulticodecError::TruncatedPrefix),
        // Of the errors that `codec::decode` gives, this is the one that is left.
        Err(_) => Err(MulticodecError::OverlongPrefix),
    }
}

fn info(code: u64) -> std::result::Result<CodecInfo, MulticodecError> {
    let codec = Codec::from_code(code).ok_or(MulticodecError::UnknownCodec(code))?;
    Ok(CodecInfo {
        id: code,
        name: codec.name().to_owned(),
        description: codec.description().to_owned(),
        self_describing: codec.self_describing(),
    })
}
