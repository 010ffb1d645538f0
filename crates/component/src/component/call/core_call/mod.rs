//! Core functions with signatures known only at run time: those of guests, to be called, and those of the host.
//!
//! The engine's typed host functions are several times faster than its untyped ones, and need the signature as a Rust type.
//! The common signatures are compiled in, see [`select`](signatures::select): all of up to two parameters, those of three integers, and
//! longer ones of `i32` with at most one `i64`. The untyped form serves the others.

mod direct;
mod signatures;

use std::fmt;

use airssys_wasm_abi::{CoreSignature, CoreType, CoreValue};
use wasmer::{
    AsStoreMut, Extern, FromToNativeWasmType, FunctionEnv, FunctionEnvMut, FunctionType, RuntimeError,
    StoreMut, Type, Value, WasmTypeList,
};

use self::direct::Direct;
use crate::component::call::trap::{from_runtime, to_runtime};
use crate::engine::{Backend, CoreInstance, floats_cross, interrupt};
use crate::error::Result;

/// A core value type as the engine knows it; converts from and to its bits, zero-extended to 64.
pub(crate) trait CoreScalar: FromToNativeWasmType + Copy + Send + Sync + 'static {
    fn from_bits(bits: u64) -> Self;
    fn to_bits(self) -> u64;
}

macro_rules! slots {
    ($($ty:ty: |$bits:ident| $from:expr, |$value:ident| $to:expr;)*) => {$(
        impl CoreScalar for $ty {
            #[inline]
            fn from_bits($bits: u64) -> $ty {
                $from
            }

            #[inline]
            fn to_bits(self) -> u64 {
                let $value = self;
                $to
            }
        }
    )*};
}

slots! {
    i32: |bits| (bits & u64::from(u32::MAX)) as i32, |value| u64::from(value.cast_unsigned());
    i64: |bits| bits.cast_signed(), |value| value.cast_unsigned();
    f32: |bits| f32::from_bits((bits & u64::from(u32::MAX)) as u32), |value| u64::from(value.to_bits());
    f64: |bits| f64::from_bits(bits), |value| value.to_bits();
}

/// Results of a core function: none, or one value.
pub(crate) trait CoreResult: WasmTypeList + Send + Sync + 'static {
    fn of_bits(bits: u64) -> Self;
}

impl CoreResult for () {
    #[inline]
    fn of_bits(_: u64) {}
}

macro_rules! results {
    ($($ty:ty)*) => {$(
        impl CoreResult for $ty {
            #[inline]
            fn of_bits(bits: u64) -> $ty {
                CoreScalar::from_bits(bits)
            }
        }
    )*};
}

results! { i32 i64 f32 f64 }

/// The parameters of a host function.
pub(crate) trait CoreArgs: Sized + Send + Sync + 'static {
    fn host<R: CoreResult>(store: &mut StoreMut<'_>, env: &FunctionEnv<Body>) -> wasmer::Function;
}

/// The body of a host function: computes the bits of its result, if it has one, from the bits of its arguments.
pub(crate) struct Body(Box<BodyFn>);

type BodyFn = dyn Fn(&mut StoreMut<'_>, &[u64]) -> Result<u64> + Send;

macro_rules! args {
    ($(($($ty:ident $var:ident)*) => $args:ty;)*) => {$(
        #[allow(unused_variables, unused_mut, clippy::unused_unit, reason = "there may be no parameters")]
        impl<$($ty: CoreScalar),*> CoreArgs for $args {
            fn host<R: CoreResult>(store: &mut StoreMut<'_>, env: &FunctionEnv<Body>) -> wasmer::Function {
                let body = |mut env: FunctionEnvMut<'_, Body> $(, $var: $ty)*| -> std::result::Result<R, RuntimeError> {
                    let (body, mut store) = env.data_and_store_mut();
                    let result = (body.0)(&mut store, &[$($var.to_bits()),*]);
                    match result.and_then(unless_interrupted) {
                        Ok(bits) => Ok(R::of_bits(bits)),
                        Err(error) => Err(to_runtime(error)),
                    }
                };
                wasmer::Function::new_typed_with_env(store, env, body)
            }
        }
    )*};
}

args! {
    () => ();
    (A a) => A;
    (A a B b) => (A, B);
    (A a B b C c) => (A, B, C);
    (A a B b C c D d) => (A, B, C, D);
    (A a B b C c D d E e) => (A, B, C, D, E);
    (A a B b C c D d E e F f) => (A, B, C, D, E, F);
    (A a B b C c D d E e F f G g) => (A, B, C, D, E, F, G);
    (A a B b C c D d E e F f G g H h) => (A, B, C, D, E, F, G, H);
    (A a B b C c D d E e F f G g H h I i) => (A, B, C, D, E, F, G, H, I);
    (A a B b C c D d E e F f G g H h I i J j) => (A, B, C, D, E, F, G, H, I, J);
    (A a B b C c D d E e F f G g H h I i J j K k) => (A, B, C, D, E, F, G, H, I, J, K);
    (A a B b C c D d E e F f G g H h I i J j K k L l) => (A, B, C, D, E, F, G, H, I, J, K, L);
    (A a B b C c D d E e F f G g H h I i J j K k L l M m) => (A, B, C, D, E, F, G, H, I, J, K, L, M);
    (A a B b C c D d E e F f G g H h I i J j K k L l M m N n) => (A, B, C, D, E, F, G, H, I, J, K, L, M, N);
    (A a B b C c D d E e F f G g H h I i J j K k L l M m N n O o)
        => (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O);
    (A a B b C c D d E e F f G g H h I i J j K k L l M m N n O o P p)
        => (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P);
    (A a B b C c D d E e F f G g H h I i J j K k L l M m N n O o P p Q q)
        => (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q);
}

/// An operation generic over the Rust types of a signature.
pub(crate) trait Visitor {
    type Output;

    /// Called if the signature is compiled in.
    fn typed<A: CoreArgs + WasmTypeList, R: CoreResult>(self) -> Self::Output;

    /// Called for every other signature.
    fn untyped(self) -> Self::Output;
}

/// A core function that takes its arguments as bits.
pub(crate) struct CoreFunc {
    form: Form,
}

impl fmt::Debug for CoreFunc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CoreFunc")
    }
}

enum Form {
    Direct(Direct),
    /// A function whose stack a library may unwind and rewind, by the engine's own call.
    Unwinding(Box<(wasmer::Function, Vec<CoreType>)>),
}

/// Parameters of most functions: fewer values are set up for them.
const FEW: usize = 4;

/// Parameters that a function of a component may have: 16, and the address of the result.
const MOST: usize = 17;

impl CoreFunc {
    /// Wraps `function` of the store, which has the signature `signature`. `unwinds` if a library's functions, which the guest imports
    /// directly, may unwind its stack.
    ///
    /// # Errors
    /// [`Error::Bug`] if the function is of another store.
    pub(crate) fn new(
        store: &mut impl AsStoreMut,
        function: &wasmer::Function,
        signature: &CoreSignature,
        unwinds: bool,
    ) -> Result<CoreFunc> {
        let form = match is_direct(signature, unwinds) {
            false => Form::Unwinding(Box::new((function.clone(), signature.params.clone()))),
            true => Form::Direct(Direct::new(store, function, signature)?),
        };
        Ok(CoreFunc { form })
    }

    /// As [`CoreFunc::new`], for an export of a core instance; `None` if it exports no such function.
    ///
    /// # Errors
    /// As [`CoreFunc::new`].
    pub(crate) fn of_export(
        store: &mut impl AsStoreMut,
        instance: &CoreInstance,
        name: &str,
        signature: &CoreSignature,
        unwinds: bool,
    ) -> Result<Option<CoreFunc>> {
        if !is_direct(signature, unwinds) {
            return match instance.export(store, name) {
                Some(Extern::Function(function)) => {
                    CoreFunc::new(store, &function, signature, unwinds).map(Some)
                }
                _ => Ok(None),
            };
        }
        let Some(callee) = instance.callee(store, name) else {
            return Ok(None);
        };
        let form = Form::Direct(Direct::of_export(store, callee, signature)?);
        Ok(Some(CoreFunc { form }))
    }

    /// As [`CoreFunc::call`], of a function with any number of results.
    ///
    /// # Errors
    /// As [`CoreFunc::call`].
    pub(crate) fn call_many(
        &self,
        store: &mut StoreMut<'_>,
        args: &[u64],
        results: usize,
    ) -> Result<Vec<u64>> {
        interrupt::check()?;
        match &self.form {
            Form::Direct(direct) => direct.call_many::<MOST>(store, args, results),
            Form::Unwinding(unwinding) => {
                let (function, params) = &**unwinding;
                let args = params.iter().zip(args);
                let args: Vec<Value> = args.map(|(ty, bits)| value(*ty, *bits)).collect();
                let results = function.call(store, &args).map_err(from_runtime)?;
                Ok(results.iter().map(bits).collect())
            }
        }
    }

    /// Calls it with as many arguments as its signature has; returns the bits of its result, or 0.
    ///
    /// # Errors
    /// [`Error::Trap`] if the guest traps, or is to stop; the error of a host function that it called.
    #[inline(always)]
    pub(crate) fn call(&self, store: &mut StoreMut<'_>, args: &[u64]) -> Result<u64> {
        interrupt::check()?;
        match &self.form {
            Form::Direct(direct) if args.len() <= FEW => direct.call::<FEW>(store, args),
            Form::Direct(direct) => direct.call::<MOST>(store, args),
            Form::Unwinding(unwinding) => {
                let (function, params) = &**unwinding;
                let args = params.iter().zip(args);
                let args: Vec<Value> = args.map(|(ty, bits)| value(*ty, *bits)).collect();
                let results = function.call(store, &args).map_err(from_runtime)?;
                Ok(results.first().map_or(0, bits))
            }
        }
    }
}

/// Reports whether a function is called by its trampoline.
fn is_direct(signature: &CoreSignature, unwinds: bool) -> bool {
    !unwinds && signature.params.len() <= MOST && signature.results.len() <= MOST
}

/// Returns the signature that a function with `signature` has where it crosses the border of a module.
pub(crate) fn at_border(backend: Backend, signature: &CoreSignature) -> CoreSignature {
    let cross = |ty: &CoreType| match ty {
        CoreType::F32 if !floats_cross(backend) => CoreType::I32,
        CoreType::F64 if !floats_cross(backend) => CoreType::I64,
        other => *other,
    };
    CoreSignature {
        params: signature.params.iter().map(cross).collect(),
        results: signature.results.iter().map(cross).collect(),
    }
}

/// Creates a host function with a signature in the store.
pub(crate) fn host_function(
    store: &mut StoreMut<'_>,
    signature: &CoreSignature,
    body: impl Fn(&mut StoreMut<'_>, &[u64]) -> Result<u64> + Send + 'static,
) -> wasmer::Function {
    struct Of<'a, 's> {
        store: &'a mut StoreMut<'s>,
        env: FunctionEnv<Body>,
        signature: &'a CoreSignature,
    }

    impl Visitor for Of<'_, '_> {
        type Output = wasmer::Function;

        fn typed<A: CoreArgs + WasmTypeList, R: CoreResult>(self) -> wasmer::Function {
            A::host::<R>(self.store, &self.env)
        }

        fn untyped(self) -> wasmer::Function {
            let result = self.signature.results.first().copied();
            let body = move |mut env: FunctionEnvMut<'_, Body>, args: &[Value]| {
                let args: Vec<u64> = args.iter().map(bits).collect();
                let (body, mut store) = env.data_and_store_mut();
                let bits = (body.0)(&mut store, &args).and_then(unless_interrupted);
                let bits = bits.map_err(to_runtime)?;
                Ok(result.map(|ty| value(ty, bits)).into_iter().collect())
            };
            wasmer::Function::new_with_env(self.store, &self.env, function_type(self.signature), body)
        }
    }

    let env = FunctionEnv::new(store, Body(Box::new(body)));
    signatures::select(
        signature,
        Of {
            store,
            env,
            signature,
        },
    )
}

/// Returns a host function's result, unless the guest is to stop.
#[inline]
fn unless_interrupted(bits: u64) -> Result<u64> {
    interrupt::check().map(|()| bits)
}

/// Converts a core signature to the engine's type.
fn function_type(signature: &CoreSignature) -> FunctionType {
    let types = |types: &[CoreType]| types.iter().copied().map(engine_type).collect::<Vec<_>>();
    FunctionType::new(types(&signature.params), types(&signature.results))
}

fn engine_type(ty: CoreType) -> Type {
    match ty {
        CoreType::I32 => Type::I32,
        CoreType::I64 => Type::I64,
        CoreType::F32 => Type::F32,
        CoreType::F64 => Type::F64,
    }
}

fn value(ty: CoreType, bits: u64) -> Value {
    match CoreValue::from_bits(ty, bits) {
        CoreValue::I32(value) => Value::I32(value),
        CoreValue::I64(value) => Value::I64(value),
        CoreValue::F32(bits) => Value::F32(f32::from_bits(bits)),
        CoreValue::F64(bits) => Value::F64(f64::from_bits(bits)),
    }
}

/// Returns the bits of a value. No signature here has values of other types.
fn bits(value: &Value) -> u64 {
    match value {
        Value::I32(value) => value.to_bits(),
        Value::I64(value) => value.to_bits(),
        Value::F32(value) => CoreScalar::to_bits(*value),
        Value::F64(value) => CoreScalar::to_bits(*value),
        _ => 0,
    }
}
