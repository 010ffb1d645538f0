//! The signatures that are compiled in.

use airssys_wasm_abi::CoreSignature;
use airssys_wasm_abi::CoreType::{self, I32, I64};

use super::Visitor;

/// Expands an expression with the Rust type of a core type.
macro_rules! by_type {
    ($ty:expr, $name:ident => $then:expr) => {
        match $ty {
            CoreType::I32 => {
                type $name = i32;
                $then
            }
            CoreType::I64 => {
                type $name = i64;
                $then
            }
            CoreType::F32 => {
                type $name = f32;
                $then
            }
            CoreType::F64 => {
                type $name = f64;
                $then
            }
        }
    };
}

/// Calls the visitor with parameters of these Rust types.
macro_rules! with_params {
    ($visitor:ident, $result:ident, $params:ty) => {
        match $result {
            None => $visitor.typed::<$params, ()>(),
            Some(CoreType::I32) => $visitor.typed::<$params, i32>(),
            Some(CoreType::I64) => $visitor.typed::<$params, i64>(),
            Some(CoreType::F32) => $visitor.typed::<$params, f32>(),
            Some(CoreType::F64) => $visitor.typed::<$params, f64>(),
        }
    };
}

/// Tries longer lists of parameters, for functions whose result is an `i32` or none.
macro_rules! longer {
    ($visitor:ident, $result:ident, $list:expr, $($($ty:ident)*;)*) => {
        match $list {
            $([$($ty),*] => match $result {
                None => $visitor.typed::<($(rust!($ty)),*), ()>(),
                Some(CoreType::I32) => $visitor.typed::<($(rust!($ty)),*), i32>(),
                Some(_) => $visitor.untyped(),
            },)*
            _ => $visitor.untyped(),
        }
    };
}

macro_rules! rust {
    (I32) => {
        i32
    };
    (I64) => {
        i64
    };
}

/// Calls `visitor` with the Rust types of a signature, if it is compiled in.
pub(super) fn select<V: Visitor>(signature: &CoreSignature, visitor: V) -> V::Output {
    let result = match signature.results.as_slice() {
        [] => None,
        [ty] => Some(*ty),
        _ => return visitor.untyped(),
    };
    match signature.params.as_slice() {
        [] => with_params!(visitor, result, ()),
        [a] => by_type!(a, A => with_params!(visitor, result, A)),
        [a, b] => by_type!(a, A => by_type!(b, B => with_params!(visitor, result, (A, B)))),
        longer => select_longer(longer, result, visitor),
    }
}

fn select_longer<V: Visitor>(params: &[CoreType], result: Option<CoreType>, visitor: V) -> V::Output {
    longer! {
        visitor, result, params,
        I32 I32 I32;
        I32 I32 I64;
        I32 I64 I32;
        I32 I64 I64;
        I64 I32 I32;
        I64 I32 I64;
        I64 I64 I32;
        I64 I64 I64;
        I32 I32 I32 I32;
        I64 I32 I32 I32;
        I32 I64 I32 I32;
        I32 I32 I64 I32;
        I32 I32 I32 I64;
        I32 I32 I32 I32 I32;
        I64 I32 I32 I32 I32;
        I32 I64 I32 I32 I32;
        I32 I32 I64 I32 I32;
        I32 I32 I32 I64 I32;
        I32 I32 I32 I32 I64;
        I32 I32 I32 I32 I32 I32;
        I64 I32 I32 I32 I32 I32;
        I32 I64 I32 I32 I32 I32;
        I32 I32 I64 I32 I32 I32;
        I32 I32 I32 I64 I32 I32;
        I32 I32 I32 I32 I64 I32;
        I32 I32 I32 I32 I32 I64;
        I32 I32 I32 I32 I32 I32 I32;
        I64 I32 I32 I32 I32 I32 I32;
        I32 I64 I32 I32 I32 I32 I32;
        I32 I32 I64 I32 I32 I32 I32;
        I32 I32 I32 I64 I32 I32 I32;
        I32 I32 I32 I32 I64 I32 I32;
        I32 I32 I32 I32 I32 I64 I32;
        I32 I32 I32 I32 I32 I32 I64;
        I32 I32 I32 I32 I32 I32 I32 I32;
        I64 I32 I32 I32 I32 I32 I32 I32;
        I32 I64 I32 I32 I32 I32 I32 I32;
        I32 I32 I64 I32 I32 I32 I32 I32;
        I32 I32 I32 I64 I32 I32 I32 I32;
        I32 I32 I32 I32 I64 I32 I32 I32;
        I32 I32 I32 I32 I32 I64 I32 I32;
        I32 I32 I32 I32 I32 I32 I64 I32;
        I32 I32 I32 I32 I32 I32 I32 I64;
        I32 I32 I32 I32 I32 I32 I32 I32 I32;
        I32 I32 I32 I32 I32 I32 I32 I32 I32 I32;
        I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32;
        I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32;
        I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32;
        I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32;
        I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32;
        I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32;
        I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32 I32;
    }
}
