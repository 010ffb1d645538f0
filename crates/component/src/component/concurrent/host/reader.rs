//! Readable ends of streams and futures as the host passes them.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use airssys_wasm_abi::steps::Scalar;
use airssys_wasm_abi::{LiftGuest, LowerGuest, Plan, PlanKind, Type};

use super::future::{FutureConsumer, FutureProducer, OneItem, OneValue};
use super::held::{HostEnd, RustType};
use super::stream::{Consumer, Producer, StreamConsumer, StreamProducer};
use crate::component::call::typed::{
    ComponentType, FlatReader, FlatValues, GuestPtr, Layout, Lift, LiftContext, Lower, LowerContext,
    TypeCheck, TypeContext, differ,
};
use crate::component::store::AsContextMut;
use crate::error::{Error, Result};

macro_rules! any {
    ($(#[$doc:meta])* $any:ident) => {
        $(#[$doc])*
        ///
        /// The last clone that is dropped closes the end, unless it was given away: passed to a guest, piped, or converted.
        #[derive(Clone, Debug)]
        pub struct $any(pub(in crate::component) Arc<HostEnd>);

        impl $any {
            /// Closes the end. The writer learns that it is dropped.
            ///
            /// # Errors
            /// [`ResourceError::Stale`](crate::error::ResourceError::Stale) if it was given away before; [`Error::WrongStore`].
            pub fn close(&self, mut store: impl AsContextMut) -> Result<()> {
                self.0.close(store.as_context_mut().core)
            }
        }

        /// Clones of one end are equal.
        impl PartialEq for $any {
            fn eq(&self, other: &$any) -> bool {
                Arc::ptr_eq(&self.0, &other.0)
            }
        }
    };
}

any! {
    /// The readable end of a stream with elements of any type: that of [`Val::Stream`](crate::component::Val).
    StreamAny
}
any! {
    /// The readable end of a future with a value of any type: that of [`Val::Future`](crate::component::Val).
    FutureAny
}

macro_rules! reader {
    ($(#[$doc:meta])* $reader:ident, $any:ident, $case:ident, $lift:ident, $lower:ident, $into:ident, $from:ident) => {
        $(#[$doc])*
        ///
        /// Dropping it closes the end, unless it was given away before: the writer learns of it when the store runs next.
        pub struct $reader<T> {
            end: Arc<HostEnd>,
            marker: PhantomData<fn() -> T>,
        }

        impl<T> fmt::Debug for $reader<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($reader)).field(&self.end).finish()
            }
        }

        impl<T> $reader<T> {
            fn of(end: Arc<HostEnd>) -> $reader<T> {
                $reader {
                    end,
                    marker: PhantomData,
                }
            }

            /// Closes the end. The writer learns that it is dropped.
            ///
            /// # Errors
            /// [`ResourceError::Stale`](crate::error::ResourceError::Stale) if it was given away before; [`Error::WrongStore`].
            pub fn close(&mut self, mut store: impl AsContextMut) -> Result<()> {
                self.end.close(store.as_context_mut().core)
            }

            /// Gives up the Rust type.
            #[must_use]
            pub fn $into(self) -> $any {
                $any(self.end)
            }
        }

        impl<T: ComponentType + 'static> $reader<T> {
            /// Gives an end a Rust type.
            ///
            /// # Errors
            /// [`Error::TypeMismatch`] if the type does not represent the elements.
            pub fn $from(any: $any) -> Result<$reader<T>> {
                let checked = any.0.check(RustType::of::<T>());
                checked.map_err(|message| Error::TypeMismatch {
                    function: stringify!($reader).into(),
                    place: "of the elements".into(),
                    message,
                })?;
                Ok($reader::of(any.0))
            }
        }

        impl<T: ComponentType> ComponentType for $reader<T> {
            const LAYOUT: Layout = Layout::HANDLE;

            fn typecheck(ty: &Type, cx: &TypeContext<'_>) -> TypeCheck {
                match ty {
                    Type::$case(ty) => T::typecheck_payload(ty.payload.as_ref(), cx),
                    other => differ::<$reader<T>>(other),
                }
            }
        }

        impl<T: ComponentType> Lower for $reader<T> {
            fn lower_flat(&self, cx: &mut LowerContext<'_>, plan: &Plan, flat: &mut FlatValues<'_>) -> Result<()> {
                flat.push($lower(&self.end, cx, plan)?.lower());
                Ok(())
            }

            fn store(&self, cx: &mut LowerContext<'_>, plan: &Plan, at: GuestPtr) -> Result<()> {
                let handle = $lower(&self.end, cx, plan)?;
                cx.store_u32(at, handle)
            }
        }

        impl<T: ComponentType + 'static> Lift for $reader<T> {
            fn lift_flat(cx: &mut LiftContext<'_>, plan: &Plan, flat: &mut FlatReader<'_>) -> Result<$reader<T>> {
                $lift(flat.next_u32(), cx, plan).map($reader::of)
            }

            fn load(cx: &mut LiftContext<'_>, plan: &Plan, at: GuestPtr) -> Result<$reader<T>> {
                $lift(cx.load_u32(at)?, cx, plan).map($reader::of)
            }
        }

        fn $lower(end: &Arc<HostEnd>, cx: &mut LowerContext<'_>, plan: &Plan) -> Result<u32> {
            match plan.kind() {
                PlanKind::$case(ty) => cx.$lower(ty, &$any(Arc::clone(end))),
                _ => Err(Error::bug("an end where the component's type has none")),
            }
        }

        fn $lift(handle: u32, cx: &mut LiftContext<'_>, plan: &Plan) -> Result<Arc<HostEnd>> {
            match plan.kind() {
                PlanKind::$case(ty) => Ok(cx.$lift(ty, handle)?.0),
                _ => Err(Error::bug("an end where the component's type has none")),
            }
        }
    };
}

reader! {
    /// The readable end of a stream with elements of the Rust type `T`; `()` for a stream without.
    StreamReader, StreamAny, Stream, lift_stream, lower_stream, into_stream_any, try_from_stream_any
}
reader! {
    /// The readable end of a future with a value of the Rust type `T`; `()` for a future without.
    FutureReader, FutureAny, Future, lift_future, lower_future, into_future_any, try_from_future_any
}

impl StreamAny {
    /// Gives it a Rust type.
    ///
    /// # Errors
    /// As [`StreamReader::try_from_stream_any`].
    pub fn try_into_stream_reader<T: ComponentType + 'static>(self) -> Result<StreamReader<T>> {
        StreamReader::try_from_stream_any(self)
    }
}

impl FutureAny {
    /// Gives it a Rust type.
    ///
    /// # Errors
    /// As [`FutureReader::try_from_future_any`].
    pub fn try_into_future_reader<T: ComponentType + 'static>(self) -> Result<FutureReader<T>> {
        FutureReader::try_from_future_any(self)
    }
}

impl<T: Send + 'static> StreamReader<T> {
    /// Creates a stream whose items `producer` makes.
    pub fn new<S, P>(mut store: S, producer: P) -> StreamReader<T>
    where
        S: AsContextMut,
        P: StreamProducer<S::Data, Item = T>,
        T: Lower,
    {
        let cx = store.as_context_mut();
        let producer = Box::new(Producer::new(producer, cx.env.clone()));
        let end = HostEnd::new(cx.core, true, RustType::of::<T>(), producer);
        StreamReader::of(Arc::new(end))
    }

    /// Has `consumer` read the stream from now on. It is polled while the store runs.
    ///
    /// # Errors
    /// [`ResourceError::Stale`](crate::error::ResourceError::Stale) if the end was given away before; [`Error::WrongStore`].
    pub fn pipe<S, C>(self, mut store: S, consumer: C) -> Result<()>
    where
        S: AsContextMut,
        C: StreamConsumer<S::Data, Item = T>,
        T: Lift,
    {
        let cx = store.as_context_mut();
        let consumer = Box::new(Consumer::new(consumer, cx.env.clone()));
        self.end.pipe(cx.core, consumer)
    }
}

impl<T: Send + 'static> FutureReader<T> {
    /// Creates a future whose value `producer` makes: a Rust future of a [`HostResult`](crate::component::HostResult), for example.
    pub fn new<S, P>(mut store: S, producer: P) -> FutureReader<T>
    where
        S: AsContextMut,
        P: FutureProducer<S::Data, Item = T>,
        T: Lower,
    {
        let cx = store.as_context_mut();
        let producer = OneItem(Box::pin(producer));
        let producer = Box::new(Producer::new(producer, cx.env.clone()));
        let end = HostEnd::new(cx.core, false, RustType::of::<T>(), producer);
        FutureReader::of(Arc::new(end))
    }

    /// Has `consumer` read the value. It is polled while the store runs.
    ///
    /// # Errors
    /// As [`StreamReader::pipe`].
    pub fn pipe<S, C>(self, mut store: S, consumer: C) -> Result<()>
    where
        S: AsContextMut,
        C: FutureConsumer<S::Data, Item = T>,
        T: Lift,
    {
        let cx = store.as_context_mut();
        let consumer = OneValue(Box::pin(consumer));
        let consumer = Box::new(Consumer::new(consumer, cx.env.clone()));
        self.end.pipe(cx.core, consumer)
    }
}
