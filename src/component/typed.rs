//! Rust types for component values.
//!
//! A Rust type is checked against the component's once, when a function is looked up or linked; values then
//! cross by way of [`Val`], so that the typed and the untyped path are one.

use std::marker::PhantomData;
use std::sync::Arc;

use airssys_wasm_abi::{ResourceType as TableType, Type};

use super::Val;
use super::func::Func;
use super::resource::{Resource, ResourceAny, ResourceType};
use super::store::AsContextMut;
use super::text::bounded;
use crate::error::{Error, Result};

/// What a type check needs to know beyond the types: which resource type stands behind a handle type.
pub struct TypeContext<'a> {
    pub(crate) look_up: &'a dyn Fn(TableType) -> Option<ResourceType>,
}

impl std::fmt::Debug for TypeContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TypeContext")
    }
}

type Check = std::result::Result<(), String>;

/// A Rust type that stands for a component type.
pub trait ComponentType: Sized {
    /// Whether it stands for `ty`.
    ///
    /// # Errors
    /// A sentence that says what was expected and what was found.
    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> Check;

    #[doc(hidden)]
    fn typecheck_payload(ty: Option<&Type>, cx: &TypeContext<'_>) -> Check {
        match ty {
            Some(ty) => Self::typecheck(ty, cx),
            None => Err("expected a payload, found none".into()),
        }
    }
}

/// A Rust type whose values can be given to a component.
pub trait Lower: ComponentType {
    /// The value as a [`Val`].
    fn into_val(self) -> Val;

    #[doc(hidden)]
    fn into_payload(self) -> Option<Box<Val>> {
        Some(Box::new(self.into_val()))
    }

    #[doc(hidden)]
    fn list_into_val(list: Vec<Self>) -> Val {
        Val::List(list.into_iter().map(Self::into_val).collect())
    }
}

/// A Rust type whose values can be got from a component.
pub trait Lift: ComponentType {
    /// The value of a [`Val`] of the type that was checked.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] for a value of another type.
    fn from_val(val: Val) -> Result<Self>;

    #[doc(hidden)]
    fn from_payload(val: Option<Box<Val>>) -> Result<Self> {
        match val {
            Some(val) => Self::from_val(*val),
            None => Err(mismatch("a payload", "none")),
        }
    }

    #[doc(hidden)]
    fn list_from_val(val: Val) -> Result<Vec<Self>> {
        match val {
            Val::List(list) => list.into_iter().map(Self::from_val).collect(),
            other => Err(unexpected::<Vec<Self>>(&other)),
        }
    }
}

fn mismatch(expected: &str, got: &str) -> Error {
    Error::TypeMismatch {
        place: "of a value".into(),
        message: format!("expected {expected}, got {got}"),
    }
}

fn unexpected<T>(got: &Val) -> Error {
    mismatch(std::any::type_name::<T>(), got.kind_name())
}

fn differ<T>(ty: &Type) -> Check {
    Err(format!(
        "the host has `{}`, the component has `{}`",
        std::any::type_name::<T>(),
        bounded(ty, 200)
    ))
}

macro_rules! scalars {
    ($($rust:ty => $case:ident,)*) => {$(
        impl ComponentType for $rust {
            fn typecheck(ty: &Type, _: &TypeContext<'_>) -> Check {
                if matches!(ty, Type::$case) { Ok(()) } else { differ::<$rust>(ty) }
            }
        }

        impl Lower for $rust {
            fn into_val(self) -> Val {
                Val::$case(self)
            }
        }

        impl Lift for $rust {
            fn from_val(val: Val) -> Result<$rust> {
                match val {
                    Val::$case(value) => Ok(value),
                    other => Err(unexpected::<$rust>(&other)),
                }
            }
        }
    )*};
}

scalars! {
    bool => Bool,
    i8 => S8,
    i16 => S16,
    u16 => U16,
    i32 => S32,
    u32 => U32,
    i64 => S64,
    u64 => U64,
    f32 => Float32,
    f64 => Float64,
    char => Char,
    String => String,
}

impl ComponentType for u8 {
    fn typecheck(ty: &Type, _: &TypeContext<'_>) -> Check {
        if matches!(ty, Type::U8) {
            Ok(())
        } else {
            differ::<u8>(ty)
        }
    }
}

impl Lower for u8 {
    fn into_val(self) -> Val {
        Val::U8(self)
    }

    fn list_into_val(list: Vec<u8>) -> Val {
        Val::Bytes(list)
    }
}

impl Lift for u8 {
    fn from_val(val: Val) -> Result<u8> {
        match val {
            Val::U8(value) => Ok(value),
            other => Err(unexpected::<u8>(&other)),
        }
    }

    fn list_from_val(val: Val) -> Result<Vec<u8>> {
        match val {
            Val::Bytes(bytes) => Ok(bytes),
            Val::List(list) => list.into_iter().map(u8::from_val).collect(),
            other => Err(unexpected::<Vec<u8>>(&other)),
        }
    }
}

impl ComponentType for &str {
    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> Check {
        String::typecheck(ty, cx)
    }
}

impl Lower for &str {
    fn into_val(self) -> Val {
        Val::String(self.to_owned())
    }
}

impl ComponentType for Arc<str> {
    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> Check {
        String::typecheck(ty, cx)
    }
}

impl Lower for Arc<str> {
    fn into_val(self) -> Val {
        Val::String(self.to_string())
    }
}

impl<T: ComponentType> ComponentType for Vec<T> {
    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> Check {
        match ty {
            Type::List(element) => T::typecheck(element, cx),
            other => differ::<Vec<T>>(other),
        }
    }
}

impl<T: Lower> Lower for Vec<T> {
    fn into_val(self) -> Val {
        T::list_into_val(self)
    }
}

impl<T: Lift> Lift for Vec<T> {
    fn from_val(val: Val) -> Result<Vec<T>> {
        T::list_from_val(val)
    }
}

impl<T: ComponentType> ComponentType for &[T] {
    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> Check {
        Vec::<T>::typecheck(ty, cx)
    }
}

impl<T: Lower + Clone> Lower for &[T] {
    fn into_val(self) -> Val {
        T::list_into_val(self.to_vec())
    }
}

impl<T: ComponentType> ComponentType for Option<T> {
    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> Check {
        match ty {
            Type::Option(some) => T::typecheck(some, cx),
            other => differ::<Option<T>>(other),
        }
    }
}

impl<T: Lower> Lower for Option<T> {
    fn into_val(self) -> Val {
        Val::Option(self.map(|value| Box::new(value.into_val())))
    }
}

impl<T: Lift> Lift for Option<T> {
    fn from_val(val: Val) -> Result<Option<T>> {
        match val {
            Val::Option(value) => value.map(|value| T::from_val(*value)).transpose(),
            other => Err(unexpected::<Option<T>>(&other)),
        }
    }
}

/// Nothing, where a `result` has no payload.
impl ComponentType for () {
    fn typecheck(ty: &Type, _: &TypeContext<'_>) -> Check {
        differ::<()>(ty)
    }

    fn typecheck_payload(ty: Option<&Type>, _: &TypeContext<'_>) -> Check {
        ty.map_or(Ok(()), differ::<()>)
    }
}

impl Lower for () {
    fn into_val(self) -> Val {
        Val::Tuple(Vec::new())
    }

    fn into_payload(self) -> Option<Box<Val>> {
        None
    }
}

impl Lift for () {
    fn from_val(val: Val) -> Result<()> {
        Err(unexpected::<()>(&val))
    }

    fn from_payload(val: Option<Box<Val>>) -> Result<()> {
        val.map_or(Ok(()), |val| Err(unexpected::<()>(&val)))
    }
}

impl<T: ComponentType, E: ComponentType> ComponentType for std::result::Result<T, E> {
    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> Check {
        match ty {
            Type::Result(result) => {
                T::typecheck_payload(result.ok.as_ref(), cx)?;
                E::typecheck_payload(result.err.as_ref(), cx)
            }
            other => differ::<std::result::Result<T, E>>(other),
        }
    }
}

impl<T: Lower, E: Lower> Lower for std::result::Result<T, E> {
    fn into_val(self) -> Val {
        Val::Result(match self {
            Ok(value) => Ok(value.into_payload()),
            Err(error) => Err(error.into_payload()),
        })
    }
}

impl<T: Lift, E: Lift> Lift for std::result::Result<T, E> {
    fn from_val(val: Val) -> Result<std::result::Result<T, E>> {
        match val {
            Val::Result(Ok(value)) => Ok(Ok(T::from_payload(value)?)),
            Val::Result(Err(error)) => Ok(Err(E::from_payload(error)?)),
            other => Err(unexpected::<std::result::Result<T, E>>(&other)),
        }
    }
}

impl<T: 'static> ComponentType for Resource<T> {
    fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> Check {
        match ty {
            Type::Own(table) | Type::Borrow(table)
                if (cx.look_up)(*table) == Some(ResourceType::host::<T>()) =>
            {
                Ok(())
            }
            Type::Own(_) | Type::Borrow(_) => Err(format!(
                "the resource is not the host's `{}`",
                std::any::type_name::<T>()
            )),
            other => differ::<Resource<T>>(other),
        }
    }
}

impl<T: 'static> Lower for Resource<T> {
    fn into_val(self) -> Val {
        Val::Resource(self.to_any())
    }
}

impl<T: 'static> Lift for Resource<T> {
    fn from_val(val: Val) -> Result<Resource<T>> {
        match val {
            Val::Resource(any) => Resource::from_any(any),
            other => Err(unexpected::<Resource<T>>(&other)),
        }
    }
}

impl ComponentType for ResourceAny {
    fn typecheck(ty: &Type, _: &TypeContext<'_>) -> Check {
        if matches!(ty, Type::Own(_) | Type::Borrow(_)) {
            Ok(())
        } else {
            differ::<ResourceAny>(ty)
        }
    }
}

impl Lower for ResourceAny {
    fn into_val(self) -> Val {
        Val::Resource(self)
    }
}

impl Lift for ResourceAny {
    fn from_val(val: Val) -> Result<ResourceAny> {
        match val {
            Val::Resource(any) => Ok(any),
            other => Err(unexpected::<ResourceAny>(&other)),
        }
    }
}

/// Any type at all; the value is checked when it is lowered.
impl ComponentType for Val {
    fn typecheck(_: &Type, _: &TypeContext<'_>) -> Check {
        Ok(())
    }
}

impl Lower for Val {
    fn into_val(self) -> Val {
        self
    }
}

impl Lift for Val {
    fn from_val(val: Val) -> Result<Val> {
        Ok(val)
    }
}

/// A tuple of types: parameters, or results (of which there is none or one).
pub trait ComponentNamedList: Sized {
    /// Whether the tuple stands for `types`.
    ///
    /// # Errors
    /// A sentence that says what was expected and what was found.
    fn typecheck_list(types: &[&Type], cx: &TypeContext<'_>) -> Check;
}

/// A tuple that can be given to a component.
pub trait LowerList: ComponentNamedList {
    /// Its values.
    fn into_vals(self) -> Vec<Val>;
}

/// A tuple that can be got from a component.
pub trait LiftList: ComponentNamedList {
    /// From values of the types that were checked.
    ///
    /// # Errors
    /// [`Error::TypeMismatch`] for values of other types.
    fn from_vals(vals: Vec<Val>) -> Result<Self>;
}

macro_rules! tuples {
    ($($(($ty:ident $var:ident))*;)*) => {$(
        impl<$($ty: ComponentType),*> ComponentNamedList for ($($ty,)*) {
            #[allow(unused_variables, reason = "the empty tuple has no types to check")]
            fn typecheck_list(types: &[&Type], cx: &TypeContext<'_>) -> Check {
                let [$($var),*] = types else {
                    let host = <[&str]>::len(&[$(stringify!($ty)),*]);
                    return Err(format!("the host has {host}, the component has {}", types.len()));
                };
                $($ty::typecheck($var, cx)?;)*
                Ok(())
            }
        }

        impl<$($ty: Lower),*> LowerList for ($($ty,)*) {
            fn into_vals(self) -> Vec<Val> {
                let ($($var,)*) = self;
                vec![$($var.into_val()),*]
            }
        }

        impl<$($ty: Lift),*> LiftList for ($($ty,)*) {
            fn from_vals(vals: Vec<Val>) -> Result<($($ty,)*)> {
                let vals: [Val; <[&str]>::len(&[$(stringify!($ty)),*])] =
                    vals.try_into().map_err(|_| mismatch("a list of another length", "this one"))?;
                let [$($var),*] = vals;
                Ok(($($ty::from_val($var)?,)*))
            }
        }
    )*};
}

tuples! {
    ;
    (A a);
    (A a) (B b);
    (A a) (B b) (C c);
    (A a) (B b) (C c) (D d);
    (A a) (B b) (C c) (D d) (E e);
    (A a) (B b) (C c) (D d) (E e) (F f);
    (A a) (B b) (C c) (D d) (E e) (F f) (G g);
    (A a) (B b) (C c) (D d) (E e) (F f) (G g) (H h);
    (A a) (B b) (C c) (D d) (E e) (F f) (G g) (H h) (I i);
    (A a) (B b) (C c) (D d) (E e) (F f) (G g) (H h) (I i) (J j);
    (A a) (B b) (C c) (D d) (E e) (F f) (G g) (H h) (I i) (J j) (K k);
    (A a) (B b) (C c) (D d) (E e) (F f) (G g) (H h) (I i) (J j) (K k) (L l);
}

macro_rules! tuple_types {
    ($($(($ty:ident $var:ident))+;)*) => {$(
        impl<$($ty: ComponentType),+> ComponentType for ($($ty,)+) {
            fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> Check {
                match ty {
                    Type::Tuple(types) => {
                        Self::typecheck_list(&types.iter().collect::<Vec<_>>(), cx)
                    }
                    other => differ::<Self>(other),
                }
            }
        }

        impl<$($ty: Lower),+> Lower for ($($ty,)+) {
            fn into_val(self) -> Val {
                Val::Tuple(self.into_vals())
            }
        }

        impl<$($ty: Lift),+> Lift for ($($ty,)+) {
            fn from_val(val: Val) -> Result<($($ty,)+)> {
                match val {
                    Val::Tuple(vals) => Self::from_vals(vals),
                    other => Err(unexpected::<Self>(&other)),
                }
            }
        }
    )*};
}

tuple_types! {
    (A a);
    (A a) (B b);
    (A a) (B b) (C c);
    (A a) (B b) (C c) (D d);
    (A a) (B b) (C c) (D d) (E e);
    (A a) (B b) (C c) (D d) (E e) (F f);
    (A a) (B b) (C c) (D d) (E e) (F f) (G g);
    (A a) (B b) (C c) (D d) (E e) (F f) (G g) (H h);
}

/// An exported function with Rust types: a tuple of parameters, a tuple of results (none or one).
#[derive(Debug)]
pub struct TypedFunc<P, R> {
    func: Func,
    marker: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> TypedFunc<P, R> {
        TypedFunc {
            func: self.func.clone(),
            marker: PhantomData,
        }
    }
}

impl<P: ComponentNamedList, R: ComponentNamedList> TypedFunc<P, R> {
    pub(crate) fn new(func: Func) -> Result<TypedFunc<P, R>> {
        let look_up = |table: TableType| func.resource_type(table);
        let cx = TypeContext { look_up: &look_up };
        let ty = func.ty();
        let params = ty.params.iter().map(|(_, ty)| ty).collect::<Vec<_>>();
        let results = ty.result.iter().collect::<Vec<_>>();
        P::typecheck_list(&params, &cx).map_err(|message| Error::TypeMismatch {
            place: "in the parameters".into(),
            message,
        })?;
        R::typecheck_list(&results, &cx).map_err(|message| Error::TypeMismatch {
            place: "in the results".into(),
            message,
        })?;
        Ok(TypedFunc {
            func,
            marker: PhantomData,
        })
    }

    /// The function without its Rust types.
    pub fn func(&self) -> &Func {
        &self.func
    }
}

impl<P: LowerList, R: LiftList> TypedFunc<P, R> {
    /// Calls the function and waits for its end, its post-return included.
    ///
    /// # Errors
    /// As [`Func::call`].
    pub fn call(&self, store: impl AsContextMut, params: P) -> Result<R> {
        let result = self.func.call_dynamic(store, &params.into_vals())?;
        R::from_vals(result.into_iter().collect())
    }
}
