/// An instance of the world `store-names`.
#[derive(Clone, Debug)]
pub struct StoreNames {
    fixture_store_names_names: self::exports::fixture::store_names::names::Guest,
}

impl StoreNames {
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
            fixture_store_names_names: self::exports::fixture::store_names::names::Guest::new(
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
        D: self::fixture::store_names::names::HostWithStore_<T>,
        for<'a> D::Data<'a>: self::fixture::store_names::names::Host,
    {
        self::fixture::store_names::names::add_to_linker::<T, D>(linker, host)?;
        Ok(())
    }

    /// The functions of `fixture:store-names/names`.
    pub fn fixture_store_names_names(
        &self,
    ) -> &self::exports::fixture::store_names::names::Guest {
        &self.fixture_store_names_names
    }
}

pub mod fixture {
    pub mod store_names {
        /// Names that the generated items for asynchronous functions have too.
        pub mod names {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{
                ComponentType, HasData, HostResult, Lift, Linker, Lower, Resource,
                ResourceType,
            };

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum HostWithStore__ {
                #[component(name = "a")]
                A,
                #[component(name = "b")]
                B,
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum Accessor {
                #[component(name = "a")]
                A,
                #[component(name = "b")]
                B,
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum Access {
                #[component(name = "a")]
                A,
                #[component(name = "b")]
                B,
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum StreamReader {
                #[component(name = "a")]
                A,
                #[component(name = "b")]
                B,
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum FutureReader {
                #[component(name = "a")]
                A,
                #[component(name = "b")]
                B,
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum T {
                #[component(name = "a")]
                A,
                #[component(name = "b")]
                B,
            }

            impl ::core::fmt::Display for T {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for T {}

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum D {
                #[component(name = "a")]
                A,
                #[component(name = "b")]
                B,
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum Future {
                #[component(name = "a")]
                A,
                #[component(name = "b")]
                B,
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum Send {
                #[component(name = "a")]
                A,
                #[component(name = "b")]
                B,
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum AsAccessor {
                #[component(name = "a")]
                A,
                #[component(name = "b")]
                B,
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum Box {
                #[component(name = "a")]
                A,
                #[component(name = "b")]
                B,
            }

            #[derive(Debug)]
            pub enum X {}

            #[derive(Debug)]
            pub enum XWithStore {}

            #[derive(Debug)]
            pub enum WithStore {}

            /// The host's implementation of the resource `x` of `fixture:store-names/names`.
            pub trait HostX {
                /// Called when the component drops an owned handle.
                fn drop(&mut self, rep: Resource<X>) -> HostResult<()>;
            }

            impl<H: HostX + ?Sized> HostX for &mut H {
                fn drop(&mut self, rep: Resource<X>) -> HostResult<()> {
                    HostX::drop(*self, rep)
                }
            }

            /// The host's implementation of the resource `x-with-store` of `fixture:store-names/names`.
            pub trait HostXWithStore {
                /// Called when the component drops an owned handle.
                fn drop(&mut self, rep: Resource<XWithStore>) -> HostResult<()>;
            }

            impl<H: HostXWithStore + ?Sized> HostXWithStore for &mut H {
                fn drop(&mut self, rep: Resource<XWithStore>) -> HostResult<()> {
                    HostXWithStore::drop(*self, rep)
                }
            }

            /// The host's implementation of the resource `with-store` of `fixture:store-names/names`.
            pub trait HostWithStore {
                /// Called when the component drops an owned handle.
                fn drop(&mut self, rep: Resource<WithStore>) -> HostResult<()>;
            }

            impl<H: HostWithStore + ?Sized> HostWithStore for &mut H {
                fn drop(&mut self, rep: Resource<WithStore>) -> HostResult<()> {
                    HostWithStore::drop(*self, rep)
                }
            }

            /// The host's implementation of `fixture:store-names/names`.
            pub trait Host: HostX + HostXWithStore + HostWithStore {}

            impl<H: Host + ?Sized> Host for &mut H {}

            /// The host's implementation of the resource `x` of `fixture:store-names/names`: the functions that get the store.
            pub trait HostXWithStore_<T_: ::core::marker::Send + 'static>: HasData {
                fn f(
                    accessor: &::airssys_wasm::component::Accessor<T_, Self>,
                    self_: Resource<X>,
                    a: Accessor,
                ) -> impl ::core::future::Future<Output = Access> + ::core::marker::Send;
            }

            /// The host's implementation of the resource `x-with-store` of `fixture:store-names/names`: the functions that get the store.
            pub trait HostXWithStoreWithStore<
                T_: ::core::marker::Send + 'static,
            >: HasData {
                fn f(
                    accessor: &::airssys_wasm::component::Accessor<T_, Self>,
                    self_: Resource<XWithStore>,
                    d: D,
                    t: T,
                ) -> impl ::core::future::Future<
                    Output = HostWithStore__,
                > + ::core::marker::Send;
            }

            /// The host's implementation of the resource `with-store` of `fixture:store-names/names`: the functions that get the store.
            pub trait HostWithStoreWithStore<
                T_: ::core::marker::Send + 'static,
            >: HasData {
                fn drop_(
                    accessor: &::airssys_wasm::component::Accessor<T_, Self>,
                    self_: Resource<WithStore>,
                ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;

                fn new(
                    accessor: &::airssys_wasm::component::Accessor<T_, Self>,
                ) -> impl ::core::future::Future<
                    Output = Resource<WithStore>,
                > + ::core::marker::Send;
            }

            /// The host's implementation of `fixture:store-names/names`: the functions that get the store.
            pub trait HostWithStore_<
                T_: ::core::marker::Send + 'static,
            >: HasData + HostXWithStore_<
                    T_,
                > + HostXWithStoreWithStore<T_> + HostWithStoreWithStore<T_> {
                fn f(
                    accessor: &::airssys_wasm::component::Accessor<T_, Self>,
                    s: ::airssys_wasm::component::StreamReader<StreamReader>,
                    f: ::airssys_wasm::component::FutureReader<FutureReader>,
                    h: Send,
                ) -> impl ::core::future::Future<Output = ()> + ::core::marker::Send;

                fn g(
                    accessor: &::airssys_wasm::component::Accessor<T_, Self>,
                    a: AsAccessor,
                    b: Box,
                ) -> impl ::core::future::Future<
                    Output = Result<Box, T>,
                > + ::core::marker::Send;
            }

            /// Defines `fixture:store-names/names` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T_, D_>(
                linker: &mut Linker<T_>,
                host: fn(&mut T_) -> D_::Data<'_>,
            ) -> Result<(), Error>
            where
                T_: ::core::marker::Send + 'static,
                D_: HostWithStore_<T_>,
                for<'a> D_::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:store-names/names")?;
                interface
                    .resource(
                        "x",
                        ResourceType::host::<X>(),
                        move |mut cx, rep| {
                            HostX::drop(&mut host(cx.data_mut()), Resource::new_own(rep))
                        },
                    )?;
                interface
                    .resource(
                        "x-with-store",
                        ResourceType::host::<XWithStore>(),
                        move |mut cx, rep| {
                            HostXWithStore::drop(
                                &mut host(cx.data_mut()),
                                Resource::new_own(rep),
                            )
                        },
                    )?;
                interface
                    .resource(
                        "with-store",
                        ResourceType::host::<WithStore>(),
                        move |mut cx, rep| {
                            HostWithStore::drop(
                                &mut host(cx.data_mut()),
                                Resource::new_own(rep),
                            )
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "f",
                        move |
                            accessor,
                            (
                                s,
                                f,
                                h,
                            ): (
                                ::airssys_wasm::component::StreamReader<StreamReader>,
                                ::airssys_wasm::component::FutureReader<FutureReader>,
                                Send,
                            )|
                        {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D_>(host);
                                <D_ as HostWithStore_<T_>>::f(accessor, s, f, h).await;
                                Ok(())
                            })
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "g",
                        move |accessor, (a, b): (AsAccessor, Box)| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D_>(host);
                                Ok((<D_ as HostWithStore_<T_>>::g(accessor, a, b).await,))
                            })
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "[method]x.f",
                        move |accessor, (self_, a): (Resource<X>, Accessor)| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D_>(host);
                                Ok((
                                    <D_ as HostXWithStore_<T_>>::f(accessor, self_, a).await,
                                ))
                            })
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "[method]x-with-store.f",
                        move |accessor, (self_, d, t): (Resource<XWithStore>, D, T)| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D_>(host);
                                Ok((
                                    <D_ as HostXWithStoreWithStore<
                                        T_,
                                    >>::f(accessor, self_, d, t)
                                        .await,
                                ))
                            })
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "[method]with-store.drop",
                        move |accessor, (self_,): (Resource<WithStore>,)| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D_>(host);
                                <D_ as HostWithStoreWithStore<T_>>::drop_(accessor, self_)
                                    .await;
                                Ok(())
                            })
                        },
                    )?;
                interface
                    .func_wrap_concurrent(
                        "[static]with-store.new",
                        move |accessor, (): ()| {
                            ::std::boxed::Box::pin(async move {
                                let accessor = &accessor.with_getter::<D_>(host);
                                Ok((
                                    <D_ as HostWithStoreWithStore<T_>>::new(accessor).await,
                                ))
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
        pub mod store_names {
            /// Names that the generated items for asynchronous functions have too.
            pub mod names {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, ComponentType, Func, Instance, Lift, LiftList, Lower,
                    LowerList, ResourceAny,
                };

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum HostWithStore {
                    #[component(name = "a")]
                    A,
                    #[component(name = "b")]
                    B,
                }

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum Accessor {
                    #[component(name = "a")]
                    A,
                    #[component(name = "b")]
                    B,
                }

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum Access {
                    #[component(name = "a")]
                    A,
                    #[component(name = "b")]
                    B,
                }

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum StreamReader {
                    #[component(name = "a")]
                    A,
                    #[component(name = "b")]
                    B,
                }

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum FutureReader {
                    #[component(name = "a")]
                    A,
                    #[component(name = "b")]
                    B,
                }

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum T {
                    #[component(name = "a")]
                    A,
                    #[component(name = "b")]
                    B,
                }

                impl ::core::fmt::Display for T {
                    fn fmt(
                        &self,
                        f: &mut ::core::fmt::Formatter<'_>,
                    ) -> ::core::fmt::Result {
                        write!(f, "{self:?}")
                    }
                }

                impl ::core::error::Error for T {}

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum D {
                    #[component(name = "a")]
                    A,
                    #[component(name = "b")]
                    B,
                }

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum Future {
                    #[component(name = "a")]
                    A,
                    #[component(name = "b")]
                    B,
                }

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum Send {
                    #[component(name = "a")]
                    A,
                    #[component(name = "b")]
                    B,
                }

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum AsAccessor {
                    #[component(name = "a")]
                    A,
                    #[component(name = "b")]
                    B,
                }

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum Box {
                    #[component(name = "a")]
                    A,
                    #[component(name = "b")]
                    B,
                }

                pub type X = ResourceAny;
                pub type XWithStore = ResourceAny;
                pub type WithStore = ResourceAny;

                /// The functions of `fixture:store-names/names`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    method_x_f: Func,
                    method_x_with_store_f: Func,
                    method_with_store_drop: Func,
                    static_with_store_new: Func,
                    f: Func,
                    g: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            method_x_f: Self::find::<
                                (ResourceAny, Accessor),
                                (Access,),
                            >(&mut store, instance, "[method]x.f")?,
                            method_x_with_store_f: Self::find::<
                                (ResourceAny, D, T),
                                (HostWithStore,),
                            >(&mut store, instance, "[method]x-with-store.f")?,
                            method_with_store_drop: Self::find::<
                                (ResourceAny,),
                                (),
                            >(&mut store, instance, "[method]with-store.drop")?,
                            static_with_store_new: Self::find::<
                                (),
                                (ResourceAny,),
                            >(&mut store, instance, "[static]with-store.new")?,
                            f: Self::find::<
                                (
                                    ::airssys_wasm::component::StreamReader<StreamReader>,
                                    ::airssys_wasm::component::FutureReader<FutureReader>,
                                    Send,
                                ),
                                (),
                            >(&mut store, instance, "f")?,
                            g: Self::find::<
                                (AsAccessor, Box),
                                (Result<Box, T>,),
                            >(&mut store, instance, "g")?,
                        })
                    }

                    pub async fn call_f(
                        &self,
                        accessor: impl ::airssys_wasm::component::AsAccessor,
                        s: ::airssys_wasm::component::StreamReader<StreamReader>,
                        f: ::airssys_wasm::component::FutureReader<FutureReader>,
                        h: Send,
                    ) -> Result<(), Error> {
                        self.f.call_typed_concurrent(accessor, (s, f, h)).await
                    }

                    pub async fn call_g(
                        &self,
                        accessor: impl ::airssys_wasm::component::AsAccessor,
                        a: AsAccessor,
                        b: Box,
                    ) -> Result<Result<Box, T>, Error> {
                        let (result,): (Result<Box, T>,) = self
                            .g
                            .call_typed_concurrent(accessor, (a, b))
                            .await?;
                        Ok(result)
                    }

                    /// The functions of the resource `x`.
                    pub fn x(&self) -> GuestX<'_> {
                        GuestX { guest: self }
                    }

                    /// The functions of the resource `x-with-store`.
                    pub fn x_with_store(&self) -> GuestXWithStore<'_> {
                        GuestXWithStore { guest: self }
                    }

                    /// The functions of the resource `with-store`.
                    pub fn with_store(&self) -> GuestWithStore<'_> {
                        GuestWithStore { guest: self }
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(store, &["fixture:store-names/names", name])?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }

                /// The functions of the resource `x`.
                #[derive(Clone, Copy, Debug)]
                pub struct GuestX<'a> {
                    guest: &'a Guest,
                }

                impl GuestX<'_> {
                    pub async fn call_f(
                        &self,
                        accessor: impl ::airssys_wasm::component::AsAccessor,
                        self_: ResourceAny,
                        a: Accessor,
                    ) -> Result<Access, Error> {
                        let (result,): (Access,) = self
                            .guest
                            .method_x_f
                            .call_typed_concurrent(accessor, (self_, a))
                            .await?;
                        Ok(result)
                    }
                }

                /// The functions of the resource `x-with-store`.
                #[derive(Clone, Copy, Debug)]
                pub struct GuestXWithStore<'a> {
                    guest: &'a Guest,
                }

                impl GuestXWithStore<'_> {
                    pub async fn call_f(
                        &self,
                        accessor: impl ::airssys_wasm::component::AsAccessor,
                        self_: ResourceAny,
                        d: D,
                        t: T,
                    ) -> Result<HostWithStore, Error> {
                        let (result,): (HostWithStore,) = self
                            .guest
                            .method_x_with_store_f
                            .call_typed_concurrent(accessor, (self_, d, t))
                            .await?;
                        Ok(result)
                    }
                }

                /// The functions of the resource `with-store`.
                #[derive(Clone, Copy, Debug)]
                pub struct GuestWithStore<'a> {
                    guest: &'a Guest,
                }

                impl GuestWithStore<'_> {
                    pub async fn call_drop(
                        &self,
                        accessor: impl ::airssys_wasm::component::AsAccessor,
                        self_: ResourceAny,
                    ) -> Result<(), Error> {
                        self.guest
                            .method_with_store_drop
                            .call_typed_concurrent(accessor, (self_,))
                            .await
                    }

                    pub async fn call_new(
                        &self,
                        accessor: impl ::airssys_wasm::component::AsAccessor,
                    ) -> Result<ResourceAny, Error> {
                        let (result,): (ResourceAny,) = self
                            .guest
                            .static_with_store_new
                            .call_typed_concurrent(accessor, ())
                            .await?;
                        Ok(result)
                    }
                }
            }
        }
    }
}
