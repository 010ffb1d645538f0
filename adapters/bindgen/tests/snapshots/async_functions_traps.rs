/// The host's implementation of the world `async-functions`.
pub trait AsyncFunctionsImports {}

impl<H: AsyncFunctionsImports + ?Sized> AsyncFunctionsImports for &mut H {}

/// The host's implementation of the world `async-functions`: the functions that get the store.
pub trait AsyncFunctionsImportsWithStore<
    T: Send + 'static,
>: ::airssys_wasm::component::HasData {
    /// Sends it.
    fn send(
        accessor: &::airssys_wasm::component::Accessor<T, Self>,
        text: String,
    ) -> impl ::core::future::Future<
        Output = ::airssys_wasm::component::HostResult<bool>,
    > + Send;

    fn log(
        store: ::airssys_wasm::component::Access<'_, T, Self>,
        text: String,
    ) -> ::airssys_wasm::component::HostResult<()>;
}

/// The world's own functions, on both sides.
#[derive(Clone, Debug)]
pub struct AsyncFunctions {
    handle: ::airssys_wasm::component::Func,
    run: ::airssys_wasm::component::Func,
    count: ::airssys_wasm::component::Func,
    fixture_async_functions_clock: self::exports::fixture::async_functions::clock::Guest,
}

impl AsyncFunctions {
    /// Instantiates `component`, and finds its exports.
    pub fn instantiate<T: Send + 'static>(
        mut store: impl ::airssys_wasm::component::AsContextMut<Data = T>,
        component: &::airssys_wasm::component::Component,
        linker: &::airssys_wasm::component::Linker<T>,
    ) -> ::core::result::Result<Self, ::airssys_wasm::Error> {
        let instance = linker.instantiate(&mut store, component)?;
        Self::new(&mut store, &instance)
    }

    /// Finds the exports of `instance`, and checks their types.
    pub fn new(
        mut store: impl ::airssys_wasm::component::AsContextMut,
        instance: &::airssys_wasm::component::Instance,
    ) -> ::core::result::Result<Self, ::airssys_wasm::Error> {
        Ok(Self {
            handle: Self::find::<
                (String, Vec<u8>),
                (::core::result::Result<String, String>,),
            >(&mut store, instance, "handle")?,
            run: Self::find::<(), ()>(&mut store, instance, "run")?,
            count: Self::find::<(&[String],), (u32,)>(&mut store, instance, "count")?,
            fixture_async_functions_clock: self::exports::fixture::async_functions::clock::Guest::new(
                &mut store,
                instance,
            )?,
        })
    }

    /// Defines everything that the world imports in `linker`. `host` finds the host's part in a store's
    /// data: `|data| data` with `HasSelf<_>` for `D` if that is the host.
    pub fn add_to_linker<T, D>(
        linker: &mut ::airssys_wasm::component::Linker<T>,
        host: fn(&mut T) -> D::Data<'_>,
    ) -> ::core::result::Result<(), ::airssys_wasm::Error>
    where
        T: Send + 'static,
        D: self::fixture::async_functions::clock::HostWithStore<T>
            + self::fixture::async_functions::waits::HostWithStore<T>
            + self::fixture::async_functions::gates::HostWithStore<T>
            + AsyncFunctionsImportsWithStore<T>,
        for<'a> D::Data<
            'a,
        >: self::fixture::async_functions::clock::Host
            + self::fixture::async_functions::waits::Host
            + self::fixture::async_functions::gates::Host + AsyncFunctionsImports,
    {
        self::fixture::async_functions::clock::add_to_linker::<T, D>(linker, host)?;
        self::fixture::async_functions::waits::add_to_linker::<T, D>(linker, host)?;
        self::fixture::async_functions::gates::add_to_linker::<T, D>(linker, host)?;
        let mut root = linker.root();
        root.func_wrap_concurrent(
            "send",
            move |accessor, (text,): (String,)| {
                ::std::boxed::Box::pin(async move {
                    let accessor = &accessor.with_getter::<D>(host);
                    Ok((
                        <D as AsyncFunctionsImportsWithStore<T>>::send(accessor, text)
                            .await?,
                    ))
                })
            },
        )?;
        root.func_wrap(
            "log",
            move |cx, (text,): (String,)| {
                <D as AsyncFunctionsImportsWithStore<
                    T,
                >>::log(::airssys_wasm::component::Access::new(cx, host), text)
            },
        )?;
        Ok(())
    }

    /// Handles it.
    pub async fn call_handle(
        &self,
        accessor: impl ::airssys_wasm::component::AsAccessor,
        text: String,
        codes: Vec<u8>,
    ) -> ::core::result::Result<
        ::core::result::Result<String, String>,
        ::airssys_wasm::Error,
    > {
        let (result,): (::core::result::Result<String, String>,) = self
            .handle
            .call_typed_concurrent(accessor, (text, codes))
            .await?;
        Ok(result)
    }

    pub async fn call_run(
        &self,
        accessor: impl ::airssys_wasm::component::AsAccessor,
    ) -> ::core::result::Result<(), ::airssys_wasm::Error> {
        self.run.call_typed_concurrent(accessor, ()).await
    }

    pub fn call_count(
        &self,
        store: impl ::airssys_wasm::component::AsContextMut,
        texts: &[String],
    ) -> ::core::result::Result<u32, ::airssys_wasm::Error> {
        let (result,): (u32,) = self.count.call_typed(store, (texts,))?;
        Ok(result)
    }

    /// The functions of `fixture:async-functions/clock`.
    pub fn fixture_async_functions_clock(
        &self,
    ) -> &self::exports::fixture::async_functions::clock::Guest {
        &self.fixture_async_functions_clock
    }

    fn find<
        P: ::airssys_wasm::component::LowerList,
        R: ::airssys_wasm::component::LiftList,
    >(
        store: impl ::airssys_wasm::component::AsContextMut,
        instance: &::airssys_wasm::component::Instance,
        name: &str,
    ) -> ::core::result::Result<::airssys_wasm::component::Func, ::airssys_wasm::Error> {
        let func = instance.try_get_func(store, &[name])?;
        func.typecheck::<P, R>()?;
        Ok(func)
    }
}

pub mod fixture {
    pub mod async_functions {
        pub mod clock {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{
                Access, Accessor, AsContextMut, ComponentType, HasData, HostResult, Lift,
                Linker, Lower, Resource, ResourceType,
            };

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum ErrorCode {
                #[component(name = "access")]
                Access,
                #[component(name = "io")]
                Io,
            }

            impl ::core::fmt::Display for ErrorCode {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for ErrorCode {}

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Entry {
                #[component(name = "name")]
                pub name: String,
                #[component(name = "size")]
                pub size: u64,
            }

            #[derive(Debug)]
            pub enum Alarm {}

            /// The host's implementation of the resource `alarm` of `fixture:async-functions/clock`.
            pub trait HostAlarm {
                fn new(&mut self, at: u64) -> HostResult<Resource<Alarm>>;

                fn at(&mut self, self_: Resource<Alarm>) -> HostResult<u64>;

                /// Called when the component drops an owned handle.
                fn drop(&mut self, rep: Resource<Alarm>) -> HostResult<()>;
            }

            impl<H: HostAlarm + ?Sized> HostAlarm for &mut H {
                fn new(&mut self, at: u64) -> HostResult<Resource<Alarm>> {
                    HostAlarm::new(*self, at)
                }

                fn at(&mut self, self_: Resource<Alarm>) -> HostResult<u64> {
                    HostAlarm::at(*self, self_)
                }

                fn drop(&mut self, rep: Resource<Alarm>) -> HostResult<()> {
                    HostAlarm::drop(*self, rep)
                }
            }

            /// The host's implementation of `fixture:async-functions/clock`.
            pub trait Host: HostAlarm {
                fn now(&mut self) -> HostResult<u64>;

                /// Converts an error of the host to the component's; an `Err` is a trap.
                fn convert_error_code(
                    &mut self,
                    error: crate::ClockError,
                ) -> HostResult<ErrorCode>;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn now(&mut self) -> HostResult<u64> {
                    Host::now(*self)
                }

                fn convert_error_code(
                    &mut self,
                    error: crate::ClockError,
                ) -> HostResult<ErrorCode> {
                    Host::convert_error_code(*self, error)
                }
            }

            /// The host's implementation of the resource `alarm` of `fixture:async-functions/clock`: the functions that get the store.
            pub trait HostAlarmWithStore<T: Send + 'static>: HasData {
                /// Waits until it rings.
                fn ring(
                    accessor: &Accessor<T, Self>,
                    self_: Resource<Alarm>,
                ) -> impl ::core::future::Future<Output = HostResult<u64>> + Send;

                fn move_(
                    accessor: &Accessor<T, Self>,
                    self_: Resource<Alarm>,
                    accessor_: u64,
                    host: u64,
                ) -> impl ::core::future::Future<
                    Output = Result<(), crate::ClockError>,
                > + Send;

                fn first(
                    accessor: &Accessor<T, Self>,
                    alarms: Vec<Resource<Alarm>>,
                ) -> impl ::core::future::Future<
                    Output = HostResult<Option<Resource<Alarm>>>,
                > + Send;

                fn merge(
                    store: Access<'_, T, Self>,
                    a: Resource<Alarm>,
                    b: Resource<Alarm>,
                ) -> HostResult<Resource<Alarm>>;
            }

            /// The host's implementation of `fixture:async-functions/clock`: the functions that get the store.
            pub trait HostWithStore<T: Send + 'static>: HasData + HostAlarmWithStore<T> {
                /// Waits for `ms` milliseconds.
                fn wait(
                    accessor: &Accessor<T, Self>,
                    ms: u64,
                ) -> impl ::core::future::Future<Output = HostResult<()>> + Send;

                fn look_up(
                    accessor: &Accessor<T, Self>,
                    names: Vec<String>,
                    entry: Entry,
                ) -> impl ::core::future::Future<
                    Output = Result<Entry, crate::ClockError>,
                > + Send;

                #[allow(clippy::too_many_arguments)]
                fn many(
                    accessor: &Accessor<T, Self>,
                    a: u8,
                    b: u8,
                    c: u8,
                    d: u8,
                    e: u8,
                    f: u8,
                    cx: String,
                    accessor_: String,
                ) -> impl ::core::future::Future<Output = HostResult<String>> + Send;

                fn async_(
                    accessor: &Accessor<T, Self>,
                ) -> impl ::core::future::Future<Output = HostResult<()>> + Send;

                fn set(
                    store: Access<'_, T, Self>,
                    store_: String,
                ) -> Result<(), crate::ClockError>;
            }

            /// Defines `fixture:async-functions/clock` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: fn(&mut T) -> D::Data<'_>,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HostWithStore<T>,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:async-functions/clock")?;
                interface
                    .resource(
                        "alarm",
                        ResourceType::host::<Alarm>(),
                        move |mut cx, rep| {
                            HostAlarm::drop(
                                &mut host(cx.data_mut()),
                                Resource::new_own(rep),
                            )
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "wait",
                        move |accessor, (ms,): (u64,)| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D>(host);
                                <D as HostWithStore<T>>::wait(accessor, ms).await
                            })
                        },
                    )?;
                interface
                    .func_wrap(
                        "now",
                        move |mut cx, (): ()| {
                            Ok((Host::now(&mut host(cx.data_mut()))?,))
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "look-up",
                        move |accessor, (names, entry): (Vec<String>, Entry)| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D>(host);
                                let result = match <D as HostWithStore<
                                    T,
                                >>::look_up(accessor, names, entry)
                                    .await
                                {
                                    Ok(value) => Ok(value),
                                    Err(error) => {
                                        Err(
                                            accessor
                                                .with(|mut access| Host::convert_error_code(
                                                    &mut access.get(),
                                                    error,
                                                ))?,
                                        )
                                    }
                                };
                                Ok((result,))
                            })
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "many",
                        move |
                            accessor,
                            (
                                a,
                                b,
                                c,
                                d,
                                e,
                                f,
                                cx_,
                                accessor_,
                            ): (u8, u8, u8, u8, u8, u8, String, String)|
                        {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D>(host);
                                Ok((
                                    <D as HostWithStore<
                                        T,
                                    >>::many(accessor, a, b, c, d, e, f, cx_, accessor_)
                                        .await?,
                                ))
                            })
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "async",
                        move |accessor, (): ()| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D>(host);
                                <D as HostWithStore<T>>::async_(accessor).await
                            })
                        },
                    )?;
                interface
                    .func_wrap(
                        "set",
                        move |mut cx, (store,): (String,)| {
                            let result = match <D as HostWithStore<
                                T,
                            >>::set(
                                Access::new(AsContextMut::as_context_mut(&mut cx), host),
                                store,
                            ) {
                                Ok(value) => Ok(value),
                                Err(error) => {
                                    Err(
                                        Host::convert_error_code(&mut host(cx.data_mut()), error)?,
                                    )
                                }
                            };
                            Ok((result,))
                        },
                    )?;
                interface
                    .func_wrap(
                        "[constructor]alarm",
                        move |mut cx, (at,): (u64,)| {
                            Ok((HostAlarm::new(&mut host(cx.data_mut()), at)?,))
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "[method]alarm.ring",
                        move |accessor, (self_,): (Resource<Alarm>,)| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D>(host);
                                Ok((
                                    <D as HostAlarmWithStore<T>>::ring(accessor, self_).await?,
                                ))
                            })
                        },
                    )?;
                interface
                    .func_wrap(
                        "[method]alarm.at",
                        move |mut cx, (self_,): (Resource<Alarm>,)| {
                            Ok((HostAlarm::at(&mut host(cx.data_mut()), self_)?,))
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "[method]alarm.move",
                        move |
                            accessor,
                            (self_, accessor_, host_): (Resource<Alarm>, u64, u64)|
                        {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D>(host);
                                let result = match <D as HostAlarmWithStore<
                                    T,
                                >>::move_(accessor, self_, accessor_, host_)
                                    .await
                                {
                                    Ok(value) => Ok(value),
                                    Err(error) => {
                                        Err(
                                            accessor
                                                .with(|mut access| Host::convert_error_code(
                                                    &mut access.get(),
                                                    error,
                                                ))?,
                                        )
                                    }
                                };
                                Ok((result,))
                            })
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "[static]alarm.first",
                        move |accessor, (alarms,): (Vec<Resource<Alarm>>,)| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D>(host);
                                Ok((
                                    <D as HostAlarmWithStore<T>>::first(accessor, alarms)
                                        .await?,
                                ))
                            })
                        },
                    )?;
                interface
                    .func_wrap(
                        "[static]alarm.merge",
                        move |cx, (a, b): (Resource<Alarm>, Resource<Alarm>)| {
                            Ok((
                                <D as HostAlarmWithStore<
                                    T,
                                >>::merge(Access::new(cx, host), a, b)?,
                            ))
                        },
                    )?;
                Ok(())
            }
        }

        /// All of it waits.
        pub mod waits {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{Accessor, HasData, Linker};

            pub type ErrorCode = super::clock::ErrorCode;

            /// The host's implementation of `fixture:async-functions/waits`.
            pub trait Host: super::clock::Host {}

            impl<H: Host + ?Sized> Host for &mut H {}

            /// The host's implementation of `fixture:async-functions/waits`: the functions that get the store.
            pub trait HostWithStore<T: Send + 'static>: HasData {
                fn yields(
                    accessor: &Accessor<T, Self>,
                ) -> impl ::core::future::Future<
                    Output = Result<u8, crate::ClockError>,
                > + Send;
            }

            /// Defines `fixture:async-functions/waits` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: fn(&mut T) -> D::Data<'_>,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HostWithStore<T>,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:async-functions/waits")?;
                interface
                    .func_wrap_concurrent(
                        "yields",
                        move |accessor, (): ()| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D>(host);
                                let result = match <D as HostWithStore<T>>::yields(accessor)
                                    .await
                                {
                                    Ok(value) => Ok(value),
                                    Err(error) => {
                                        Err(
                                            accessor
                                                .with(|mut access| super::clock::Host::convert_error_code(
                                                    &mut access.get(),
                                                    error,
                                                ))?,
                                        )
                                    }
                                };
                                Ok((result,))
                            })
                        },
                    )?;
                Ok(())
            }
        }

        /// Only its resource waits.
        pub mod gates {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{
                Accessor, HasData, HostResult, Linker, Resource, ResourceType,
            };

            #[derive(Debug)]
            pub enum Gate {}

            /// The host's implementation of the resource `gate` of `fixture:async-functions/gates`.
            pub trait HostGate {
                /// Called when the component drops an owned handle.
                fn drop(&mut self, rep: Resource<Gate>) -> HostResult<()>;
            }

            impl<H: HostGate + ?Sized> HostGate for &mut H {
                fn drop(&mut self, rep: Resource<Gate>) -> HostResult<()> {
                    HostGate::drop(*self, rep)
                }
            }

            /// The host's implementation of `fixture:async-functions/gates`.
            pub trait Host: HostGate {}

            impl<H: Host + ?Sized> Host for &mut H {}

            /// The host's implementation of the resource `gate` of `fixture:async-functions/gates`: the functions that get the store.
            pub trait HostGateWithStore<T: Send + 'static>: HasData {
                fn pass(
                    accessor: &Accessor<T, Self>,
                    self_: Resource<Gate>,
                    name: String,
                ) -> impl ::core::future::Future<Output = HostResult<()>> + Send;
            }

            /// The host's implementation of `fixture:async-functions/gates`: the functions that get the store.
            pub trait HostWithStore<T: Send + 'static>: HasData + HostGateWithStore<T> {}

            impl<
                T: Send + 'static,
                H: HasData + HostGateWithStore<T> + ?Sized,
            > HostWithStore<T> for H {}

            /// Defines `fixture:async-functions/gates` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: fn(&mut T) -> D::Data<'_>,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HostWithStore<T>,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:async-functions/gates")?;
                interface
                    .resource(
                        "gate",
                        ResourceType::host::<Gate>(),
                        move |mut cx, rep| {
                            HostGate::drop(
                                &mut host(cx.data_mut()),
                                Resource::new_own(rep),
                            )
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "[method]gate.pass",
                        move |accessor, (self_, name): (Resource<Gate>, String)| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D>(host);
                                <D as HostGateWithStore<T>>::pass(accessor, self_, name)
                                    .await
                            })
                        },
                    )?;
                Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod fixture {
        pub mod async_functions {
            pub mod clock {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsAccessor, AsContextMut, ComponentType, Func, Instance, Lift,
                    LiftList, Lower, LowerList, ResourceAny,
                };

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum ErrorCode {
                    #[component(name = "access")]
                    Access,
                    #[component(name = "io")]
                    Io,
                }

                impl ::core::fmt::Display for ErrorCode {
                    fn fmt(
                        &self,
                        f: &mut ::core::fmt::Formatter<'_>,
                    ) -> ::core::fmt::Result {
                        write!(f, "{self:?}")
                    }
                }

                impl ::core::error::Error for ErrorCode {}

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Entry {
                    #[component(name = "name")]
                    pub name: String,
                    #[component(name = "size")]
                    pub size: u64,
                }

                pub type Alarm = ResourceAny;

                /// The functions of `fixture:async-functions/clock`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    constructor_alarm: Func,
                    method_alarm_ring: Func,
                    method_alarm_at: Func,
                    method_alarm_move: Func,
                    static_alarm_first: Func,
                    static_alarm_merge: Func,
                    wait: Func,
                    now: Func,
                    look_up: Func,
                    many: Func,
                    async_: Func,
                    set: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            constructor_alarm: Self::find::<
                                (u64,),
                                (ResourceAny,),
                            >(&mut store, instance, "[constructor]alarm")?,
                            method_alarm_ring: Self::find::<
                                (ResourceAny,),
                                (u64,),
                            >(&mut store, instance, "[method]alarm.ring")?,
                            method_alarm_at: Self::find::<
                                (ResourceAny,),
                                (u64,),
                            >(&mut store, instance, "[method]alarm.at")?,
                            method_alarm_move: Self::find::<
                                (ResourceAny, u64, u64),
                                (Result<(), ErrorCode>,),
                            >(&mut store, instance, "[method]alarm.move")?,
                            static_alarm_first: Self::find::<
                                (Vec<ResourceAny>,),
                                (Option<ResourceAny>,),
                            >(&mut store, instance, "[static]alarm.first")?,
                            static_alarm_merge: Self::find::<
                                (ResourceAny, ResourceAny),
                                (ResourceAny,),
                            >(&mut store, instance, "[static]alarm.merge")?,
                            wait: Self::find::<
                                (u64,),
                                (),
                            >(&mut store, instance, "wait")?,
                            now: Self::find::<(), (u64,)>(&mut store, instance, "now")?,
                            look_up: Self::find::<
                                (Vec<String>, Entry),
                                (Result<Entry, ErrorCode>,),
                            >(&mut store, instance, "look-up")?,
                            many: Self::find::<
                                (u8, u8, u8, u8, u8, u8, String, String),
                                (String,),
                            >(&mut store, instance, "many")?,
                            async_: Self::find::<(), ()>(&mut store, instance, "async")?,
                            set: Self::find::<
                                (&str,),
                                (Result<(), ErrorCode>,),
                            >(&mut store, instance, "set")?,
                        })
                    }

                    /// Waits for `ms` milliseconds.
                    pub async fn call_wait(
                        &self,
                        accessor: impl AsAccessor,
                        ms: u64,
                    ) -> Result<(), Error> {
                        self.wait.call_typed_concurrent(accessor, (ms,)).await
                    }

                    pub fn call_now(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<u64, Error> {
                        let (result,): (u64,) = self.now.call_typed(store, ())?;
                        Ok(result)
                    }

                    pub async fn call_look_up(
                        &self,
                        accessor: impl AsAccessor,
                        names: Vec<String>,
                        entry: Entry,
                    ) -> Result<Result<Entry, ErrorCode>, Error> {
                        let (result,): (Result<Entry, ErrorCode>,) = self
                            .look_up
                            .call_typed_concurrent(accessor, (names, entry))
                            .await?;
                        Ok(result)
                    }

                    #[allow(clippy::too_many_arguments)]
                    pub async fn call_many(
                        &self,
                        accessor: impl AsAccessor,
                        a: u8,
                        b: u8,
                        c: u8,
                        d: u8,
                        e: u8,
                        f: u8,
                        cx: String,
                        accessor_: String,
                    ) -> Result<String, Error> {
                        let (result,): (String,) = self
                            .many
                            .call_typed_concurrent(
                                accessor,
                                (a, b, c, d, e, f, cx, accessor_),
                            )
                            .await?;
                        Ok(result)
                    }

                    pub async fn call_async_(
                        &self,
                        accessor: impl AsAccessor,
                    ) -> Result<(), Error> {
                        self.async_.call_typed_concurrent(accessor, ()).await
                    }

                    pub fn call_set(
                        &self,
                        store: impl AsContextMut,
                        store_: &str,
                    ) -> Result<Result<(), ErrorCode>, Error> {
                        let (result,): (Result<(), ErrorCode>,) = self
                            .set
                            .call_typed(store, (store_,))?;
                        Ok(result)
                    }

                    /// The functions of the resource `alarm`.
                    pub fn alarm(&self) -> GuestAlarm<'_> {
                        GuestAlarm { guest: self }
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(
                                store,
                                &["fixture:async-functions/clock", name],
                            )?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }

                /// The functions of the resource `alarm`.
                #[derive(Clone, Copy, Debug)]
                pub struct GuestAlarm<'a> {
                    guest: &'a Guest,
                }

                impl GuestAlarm<'_> {
                    pub fn call_constructor(
                        &self,
                        store: impl AsContextMut,
                        at: u64,
                    ) -> Result<ResourceAny, Error> {
                        let (result,): (ResourceAny,) = self
                            .guest
                            .constructor_alarm
                            .call_typed(store, (at,))?;
                        Ok(result)
                    }

                    /// Waits until it rings.
                    pub async fn call_ring(
                        &self,
                        accessor: impl AsAccessor,
                        self_: ResourceAny,
                    ) -> Result<u64, Error> {
                        let (result,): (u64,) = self
                            .guest
                            .method_alarm_ring
                            .call_typed_concurrent(accessor, (self_,))
                            .await?;
                        Ok(result)
                    }

                    pub fn call_at(
                        &self,
                        store: impl AsContextMut,
                        self_: ResourceAny,
                    ) -> Result<u64, Error> {
                        let (result,): (u64,) = self
                            .guest
                            .method_alarm_at
                            .call_typed(store, (self_,))?;
                        Ok(result)
                    }

                    pub async fn call_move_(
                        &self,
                        accessor: impl AsAccessor,
                        self_: ResourceAny,
                        accessor_: u64,
                        host: u64,
                    ) -> Result<Result<(), ErrorCode>, Error> {
                        let (result,): (Result<(), ErrorCode>,) = self
                            .guest
                            .method_alarm_move
                            .call_typed_concurrent(accessor, (self_, accessor_, host))
                            .await?;
                        Ok(result)
                    }

                    pub async fn call_first(
                        &self,
                        accessor: impl AsAccessor,
                        alarms: Vec<ResourceAny>,
                    ) -> Result<Option<ResourceAny>, Error> {
                        let (result,): (Option<ResourceAny>,) = self
                            .guest
                            .static_alarm_first
                            .call_typed_concurrent(accessor, (alarms,))
                            .await?;
                        Ok(result)
                    }

                    pub fn call_merge(
                        &self,
                        store: impl AsContextMut,
                        a: ResourceAny,
                        b: ResourceAny,
                    ) -> Result<ResourceAny, Error> {
                        let (result,): (ResourceAny,) = self
                            .guest
                            .static_alarm_merge
                            .call_typed(store, (a, b))?;
                        Ok(result)
                    }
                }
            }
        }
    }
}
