pub type ErrorCode = self::fixture::streams::flows::ErrorCode;

/// The host's implementation of the world `streams`.
pub trait StreamsImports {
    fn pipe(
        &mut self,
        data: ::airssys_wasm::component::StreamReader<u8>,
    ) -> ::airssys_wasm::component::StreamReader<u8>;
}

impl<H: StreamsImports + ?Sized> StreamsImports for &mut H {
    fn pipe(
        &mut self,
        data: ::airssys_wasm::component::StreamReader<u8>,
    ) -> ::airssys_wasm::component::StreamReader<u8> {
        StreamsImports::pipe(*self, data)
    }
}

/// An instance of the world `streams`.
#[derive(Clone, Debug)]
pub struct Streams {
    handle: ::airssys_wasm::component::Func,
    start: ::airssys_wasm::component::Func,
    fixture_streams_flows: self::exports::fixture::streams::flows::Guest,
}

impl Streams {
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
                (::airssys_wasm::component::StreamReader<String>,),
                (::airssys_wasm::component::StreamReader<String>,),
            >(&mut store, instance, "handle")?,
            start: Self::find::<
                (::airssys_wasm::component::StreamReader<u8>, &[String], &str),
                (
                    ::airssys_wasm::component::FutureReader<
                        ::core::result::Result<u32, ErrorCode>,
                    >,
                ),
            >(&mut store, instance, "start")?,
            fixture_streams_flows: self::exports::fixture::streams::flows::Guest::new(
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
        D: self::fixture::streams::flows::HostWithStore<T>,
        for<'a> D::Data<'a>: self::fixture::streams::flows::Host + StreamsImports,
    {
        self::fixture::streams::flows::add_to_linker::<T, D>(linker, host)?;
        let mut root = linker.root();
        root.func_wrap(
            "pipe",
            move |mut cx, (data,): (::airssys_wasm::component::StreamReader<u8>,)| {
                Ok((StreamsImports::pipe(&mut host(cx.data_mut()), data),))
            },
        )?;
        Ok(())
    }

    /// Handles it.
    pub async fn call_handle(
        &self,
        accessor: impl ::airssys_wasm::component::AsAccessor,
        data: ::airssys_wasm::component::StreamReader<String>,
    ) -> ::core::result::Result<
        ::airssys_wasm::component::StreamReader<String>,
        ::airssys_wasm::Error,
    > {
        let (result,): (::airssys_wasm::component::StreamReader<String>,) = self
            .handle
            .call_typed_concurrent(accessor, (data,))
            .await?;
        Ok(result)
    }

    pub fn call_start(
        &self,
        store: impl ::airssys_wasm::component::AsContextMut,
        data: ::airssys_wasm::component::StreamReader<u8>,
        names: &[String],
        name: &str,
    ) -> ::core::result::Result<
        ::airssys_wasm::component::FutureReader<::core::result::Result<u32, ErrorCode>>,
        ::airssys_wasm::Error,
    > {
        let (
            result,
        ): (
            ::airssys_wasm::component::FutureReader<
                ::core::result::Result<u32, ErrorCode>,
            >,
        ) = self.start.call_typed(store, (data, names, name))?;
        Ok(result)
    }

    /// The functions of `fixture:streams/flows`.
    pub fn fixture_streams_flows(
        &self,
    ) -> &self::exports::fixture::streams::flows::Guest {
        &self.fixture_streams_flows
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
    pub mod streams {
        pub mod flows {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{
                Accessor, ComponentType, FutureReader, HasData, HostResult, Lift, Linker,
                Lower, Resource, ResourceType, StreamReader,
            };

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum ErrorCode {
                #[component(name = "closed")]
                Closed,
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

            #[derive(Debug)]
            pub enum Socket {}

            pub type Bytes = StreamReader<u8>;
            pub type Signal = FutureReader<()>;

            /// A record with a stream is moved.
            #[derive(Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Request {
                #[component(name = "path")]
                pub path: String,
                #[component(name = "body")]
                pub body: Option<Bytes>,
                #[component(name = "trailers")]
                pub trailers: FutureReader<Vec<String>>,
            }

            #[derive(Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum Body {
                #[component(name = "empty")]
                Empty,
                #[component(name = "text")]
                Text(String),
                #[component(name = "flow")]
                Flow(StreamReader<Vec<String>>),
            }

            pub type Parts = (Bytes, String);

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Point {
                #[component(name = "x")]
                pub x: u32,
                #[component(name = "y")]
                pub y: u32,
            }

            /// The host's implementation of the resource `socket` of `fixture:streams/flows`.
            pub trait HostSocket {
                /// Everything that arrives.
                fn receive(
                    &mut self,
                    self_: Resource<Socket>,
                ) -> (StreamReader<u8>, FutureReader<Result<(), ErrorCode>>);

                fn send(
                    &mut self,
                    self_: Resource<Socket>,
                    data: StreamReader<u8>,
                ) -> FutureReader<Result<(), ErrorCode>>;

                fn listen(
                    &mut self,
                    port: u16,
                ) -> Result<StreamReader<Resource<Socket>>, ErrorCode>;

                /// Called when the component drops an owned handle.
                fn drop(&mut self, rep: Resource<Socket>) -> HostResult<()>;
            }

            impl<H: HostSocket + ?Sized> HostSocket for &mut H {
                fn receive(
                    &mut self,
                    self_: Resource<Socket>,
                ) -> (StreamReader<u8>, FutureReader<Result<(), ErrorCode>>) {
                    HostSocket::receive(*self, self_)
                }

                fn send(
                    &mut self,
                    self_: Resource<Socket>,
                    data: StreamReader<u8>,
                ) -> FutureReader<Result<(), ErrorCode>> {
                    HostSocket::send(*self, self_, data)
                }

                fn listen(
                    &mut self,
                    port: u16,
                ) -> Result<StreamReader<Resource<Socket>>, ErrorCode> {
                    HostSocket::listen(*self, port)
                }

                fn drop(&mut self, rep: Resource<Socket>) -> HostResult<()> {
                    HostSocket::drop(*self, rep)
                }
            }

            /// The host's implementation of `fixture:streams/flows`.
            pub trait Host: HostSocket {
                fn read(
                    &mut self,
                ) -> (StreamReader<u8>, FutureReader<Result<(), ErrorCode>>);

                fn write(&mut self, data: Bytes) -> FutureReader<Result<(), ErrorCode>>;

                fn respond(&mut self, request: Request, point: Point) -> Body;

                fn points(&mut self, points: StreamReader<Point>, path: String);

                fn ticks(&mut self) -> StreamReader<()>;

                fn done(
                    &mut self,
                    signal: Signal,
                    other: FutureReader<FutureReader<String>>,
                );

                fn several(
                    &mut self,
                    flows: Vec<StreamReader<u8>>,
                    parts: Parts,
                    maybe: Option<StreamReader<String>>,
                ) -> Vec<Bytes>;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn read(
                    &mut self,
                ) -> (StreamReader<u8>, FutureReader<Result<(), ErrorCode>>) {
                    Host::read(*self)
                }

                fn write(&mut self, data: Bytes) -> FutureReader<Result<(), ErrorCode>> {
                    Host::write(*self, data)
                }

                fn respond(&mut self, request: Request, point: Point) -> Body {
                    Host::respond(*self, request, point)
                }

                fn points(&mut self, points: StreamReader<Point>, path: String) {
                    Host::points(*self, points, path)
                }

                fn ticks(&mut self) -> StreamReader<()> {
                    Host::ticks(*self)
                }

                fn done(
                    &mut self,
                    signal: Signal,
                    other: FutureReader<FutureReader<String>>,
                ) {
                    Host::done(*self, signal, other)
                }

                fn several(
                    &mut self,
                    flows: Vec<StreamReader<u8>>,
                    parts: Parts,
                    maybe: Option<StreamReader<String>>,
                ) -> Vec<Bytes> {
                    Host::several(*self, flows, parts, maybe)
                }
            }

            /// The host's implementation of `fixture:streams/flows`: the functions that get the store.
            pub trait HostWithStore<T: Send + 'static>: HasData {
                fn copy(
                    accessor: &Accessor<T, Self>,
                    data: Bytes,
                    count: u64,
                ) -> impl ::core::future::Future<
                    Output = Result<Bytes, ErrorCode>,
                > + Send;
            }

            /// Defines `fixture:streams/flows` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: fn(&mut T) -> D::Data<'_>,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HostWithStore<T>,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:streams/flows")?;
                interface
                    .resource(
                        "socket",
                        ResourceType::host::<Socket>(),
                        move |mut cx, rep| {
                            HostSocket::drop(
                                &mut host(cx.data_mut()),
                                Resource::new_own(rep),
                            )
                        },
                    )?;
                interface
                    .func_wrap(
                        "read",
                        move |mut cx, (): ()| {
                            Ok((Host::read(&mut host(cx.data_mut())),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "write",
                        move |mut cx, (data,): (Bytes,)| {
                            Ok((Host::write(&mut host(cx.data_mut()), data),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "respond",
                        move |mut cx, (request, point): (Request, Point)| {
                            Ok((
                                Host::respond(&mut host(cx.data_mut()), request, point),
                            ))
                        },
                    )?;
                interface
                    .func_wrap(
                        "points",
                        move |mut cx, (points, path): (StreamReader<Point>, String)| {
                            Host::points(&mut host(cx.data_mut()), points, path);
                            Ok(())
                        },
                    )?;
                interface
                    .func_wrap(
                        "ticks",
                        move |mut cx, (): ()| {
                            Ok((Host::ticks(&mut host(cx.data_mut())),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "done",
                        move |
                            mut cx,
                            (
                                signal,
                                other,
                            ): (Signal, FutureReader<FutureReader<String>>)|
                        {
                            Host::done(&mut host(cx.data_mut()), signal, other);
                            Ok(())
                        },
                    )?;
                interface
                    .func_wrap(
                        "several",
                        move |
                            mut cx,
                            (
                                flows,
                                parts,
                                maybe,
                            ): (
                                Vec<StreamReader<u8>>,
                                Parts,
                                Option<StreamReader<String>>,
                            )|
                        {
                            Ok((
                                Host::several(
                                    &mut host(cx.data_mut()),
                                    flows,
                                    parts,
                                    maybe,
                                ),
                            ))
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "copy",
                        move |accessor, (data, count): (Bytes, u64)| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D>(host);
                                Ok((
                                    <D as HostWithStore<T>>::copy(accessor, data, count).await,
                                ))
                            })
                        },
                    )?;
                interface
                    .func_wrap(
                        "[method]socket.receive",
                        move |mut cx, (self_,): (Resource<Socket>,)| {
                            Ok((HostSocket::receive(&mut host(cx.data_mut()), self_),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "[method]socket.send",
                        move |
                            mut cx,
                            (self_, data): (Resource<Socket>, StreamReader<u8>)|
                        {
                            Ok((
                                HostSocket::send(&mut host(cx.data_mut()), self_, data),
                            ))
                        },
                    )?;
                interface
                    .func_wrap(
                        "[static]socket.listen",
                        move |mut cx, (port,): (u16,)| {
                            Ok((HostSocket::listen(&mut host(cx.data_mut()), port),))
                        },
                    )?;
                Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod fixture {
        pub mod streams {
            pub mod flows {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsAccessor, AsContextMut, ComponentType, Func, FutureReader,
                    Instance, Lift, LiftList, Lower, LowerList, ResourceAny, StreamReader,
                };

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum ErrorCode {
                    #[component(name = "closed")]
                    Closed,
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

                pub type Socket = ResourceAny;
                pub type Bytes = StreamReader<u8>;
                pub type Signal = FutureReader<()>;

                /// A record with a stream is moved.
                #[derive(Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Request {
                    #[component(name = "path")]
                    pub path: String,
                    #[component(name = "body")]
                    pub body: Option<Bytes>,
                    #[component(name = "trailers")]
                    pub trailers: FutureReader<Vec<String>>,
                }

                #[derive(Debug, ComponentType, Lower, Lift)]
                #[component(variant)]
                pub enum Body {
                    #[component(name = "empty")]
                    Empty,
                    #[component(name = "text")]
                    Text(String),
                    #[component(name = "flow")]
                    Flow(StreamReader<Vec<String>>),
                }

                pub type Parts = (Bytes, String);

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Point {
                    #[component(name = "x")]
                    pub x: u32,
                    #[component(name = "y")]
                    pub y: u32,
                }

                /// The functions of `fixture:streams/flows`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    method_socket_receive: Func,
                    method_socket_send: Func,
                    static_socket_listen: Func,
                    read: Func,
                    write: Func,
                    respond: Func,
                    points: Func,
                    ticks: Func,
                    done: Func,
                    several: Func,
                    copy: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            method_socket_receive: Self::find::<
                                (ResourceAny,),
                                ((StreamReader<u8>, FutureReader<Result<(), ErrorCode>>),),
                            >(&mut store, instance, "[method]socket.receive")?,
                            method_socket_send: Self::find::<
                                (ResourceAny, StreamReader<u8>),
                                (FutureReader<Result<(), ErrorCode>>,),
                            >(&mut store, instance, "[method]socket.send")?,
                            static_socket_listen: Self::find::<
                                (u16,),
                                (Result<StreamReader<ResourceAny>, ErrorCode>,),
                            >(&mut store, instance, "[static]socket.listen")?,
                            read: Self::find::<
                                (),
                                ((StreamReader<u8>, FutureReader<Result<(), ErrorCode>>),),
                            >(&mut store, instance, "read")?,
                            write: Self::find::<
                                (Bytes,),
                                (FutureReader<Result<(), ErrorCode>>,),
                            >(&mut store, instance, "write")?,
                            respond: Self::find::<
                                (Request, &Point),
                                (Body,),
                            >(&mut store, instance, "respond")?,
                            points: Self::find::<
                                (StreamReader<Point>, &str),
                                (),
                            >(&mut store, instance, "points")?,
                            ticks: Self::find::<
                                (),
                                (StreamReader<()>,),
                            >(&mut store, instance, "ticks")?,
                            done: Self::find::<
                                (Signal, FutureReader<FutureReader<String>>),
                                (),
                            >(&mut store, instance, "done")?,
                            several: Self::find::<
                                (
                                    Vec<StreamReader<u8>>,
                                    Parts,
                                    Option<StreamReader<String>>,
                                ),
                                (Vec<Bytes>,),
                            >(&mut store, instance, "several")?,
                            copy: Self::find::<
                                (Bytes, u64),
                                (Result<Bytes, ErrorCode>,),
                            >(&mut store, instance, "copy")?,
                        })
                    }

                    pub fn call_read(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<
                        (StreamReader<u8>, FutureReader<Result<(), ErrorCode>>),
                        Error,
                    > {
                        let (
                            result,
                        ): ((StreamReader<u8>, FutureReader<Result<(), ErrorCode>>),) = self
                            .read
                            .call_typed(store, ())?;
                        Ok(result)
                    }

                    pub fn call_write(
                        &self,
                        store: impl AsContextMut,
                        data: Bytes,
                    ) -> Result<FutureReader<Result<(), ErrorCode>>, Error> {
                        let (result,): (FutureReader<Result<(), ErrorCode>>,) = self
                            .write
                            .call_typed(store, (data,))?;
                        Ok(result)
                    }

                    pub fn call_respond(
                        &self,
                        store: impl AsContextMut,
                        request: Request,
                        point: &Point,
                    ) -> Result<Body, Error> {
                        let (result,): (Body,) = self
                            .respond
                            .call_typed(store, (request, point))?;
                        Ok(result)
                    }

                    pub fn call_points(
                        &self,
                        store: impl AsContextMut,
                        points: StreamReader<Point>,
                        path: &str,
                    ) -> Result<(), Error> {
                        self.points.call_typed(store, (points, path))
                    }

                    pub fn call_ticks(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<StreamReader<()>, Error> {
                        let (result,): (StreamReader<()>,) = self
                            .ticks
                            .call_typed(store, ())?;
                        Ok(result)
                    }

                    pub fn call_done(
                        &self,
                        store: impl AsContextMut,
                        signal: Signal,
                        other: FutureReader<FutureReader<String>>,
                    ) -> Result<(), Error> {
                        self.done.call_typed(store, (signal, other))
                    }

                    pub fn call_several(
                        &self,
                        store: impl AsContextMut,
                        flows: Vec<StreamReader<u8>>,
                        parts: Parts,
                        maybe: Option<StreamReader<String>>,
                    ) -> Result<Vec<Bytes>, Error> {
                        let (result,): (Vec<Bytes>,) = self
                            .several
                            .call_typed(store, (flows, parts, maybe))?;
                        Ok(result)
                    }

                    pub async fn call_copy(
                        &self,
                        accessor: impl AsAccessor,
                        data: Bytes,
                        count: u64,
                    ) -> Result<Result<Bytes, ErrorCode>, Error> {
                        let (result,): (Result<Bytes, ErrorCode>,) = self
                            .copy
                            .call_typed_concurrent(accessor, (data, count))
                            .await?;
                        Ok(result)
                    }

                    /// The functions of the resource `socket`.
                    pub fn socket(&self) -> GuestSocket<'_> {
                        GuestSocket { guest: self }
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(store, &["fixture:streams/flows", name])?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }

                /// The functions of the resource `socket`.
                #[derive(Clone, Copy, Debug)]
                pub struct GuestSocket<'a> {
                    guest: &'a Guest,
                }

                impl GuestSocket<'_> {
                    /// Everything that arrives.
                    pub fn call_receive(
                        &self,
                        store: impl AsContextMut,
                        self_: ResourceAny,
                    ) -> Result<
                        (StreamReader<u8>, FutureReader<Result<(), ErrorCode>>),
                        Error,
                    > {
                        let (
                            result,
                        ): ((StreamReader<u8>, FutureReader<Result<(), ErrorCode>>),) = self
                            .guest
                            .method_socket_receive
                            .call_typed(store, (self_,))?;
                        Ok(result)
                    }

                    pub fn call_send(
                        &self,
                        store: impl AsContextMut,
                        self_: ResourceAny,
                        data: StreamReader<u8>,
                    ) -> Result<FutureReader<Result<(), ErrorCode>>, Error> {
                        let (result,): (FutureReader<Result<(), ErrorCode>>,) = self
                            .guest
                            .method_socket_send
                            .call_typed(store, (self_, data))?;
                        Ok(result)
                    }

                    pub fn call_listen(
                        &self,
                        store: impl AsContextMut,
                        port: u16,
                    ) -> Result<Result<StreamReader<ResourceAny>, ErrorCode>, Error> {
                        let (result,): (Result<StreamReader<ResourceAny>, ErrorCode>,) = self
                            .guest
                            .static_socket_listen
                            .call_typed(store, (port,))?;
                        Ok(result)
                    }
                }
            }
        }
    }
}
