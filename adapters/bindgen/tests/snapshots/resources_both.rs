/// The component wraps what the host provides.
#[derive(Clone, Debug)]
pub struct ResourcesBoth {
    fixture_resources_both_handles: self::exports::fixture::resources_both::handles::Guest,
    fixture_resources_both_users: self::exports::fixture::resources_both::users::Guest,
}

impl ResourcesBoth {
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
            fixture_resources_both_handles: self::exports::fixture::resources_both::handles::Guest::new(
                &mut store,
                instance,
            )?,
            fixture_resources_both_users: self::exports::fixture::resources_both::users::Guest::new(
                &mut store,
                instance,
            )?,
        })
    }

    /// Defines everything that the world imports in `linker`. `host` finds the host's part in a store's
    /// data: `|data| data` with `HasSelf<_>` for `D` if that is the host.
    pub fn add_to_linker<T, D>(
        linker: &mut ::airssys_wasm::component::Linker<T>,
        host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
    ) -> ::core::result::Result<(), ::airssys_wasm::Error>
    where
        T: Send + 'static,
        D: ::airssys_wasm::component::HasData,
        for<'a> D::Data<
            'a,
        >: self::fixture::resources_both::handles::Host
            + self::fixture::resources_both::users::Host,
    {
        self::fixture::resources_both::handles::add_to_linker::<T, D>(linker, host)?;
        self::fixture::resources_both::users::add_to_linker::<T, D>(linker, host)?;
        Ok(())
    }

    /// The functions of `fixture:resources-both/handles`.
    pub fn fixture_resources_both_handles(
        &self,
    ) -> &self::exports::fixture::resources_both::handles::Guest {
        &self.fixture_resources_both_handles
    }

    /// The functions of `fixture:resources-both/users`.
    pub fn fixture_resources_both_users(
        &self,
    ) -> &self::exports::fixture::resources_both::users::Guest {
        &self.fixture_resources_both_users
    }
}

pub mod fixture {
    pub mod resources_both {
        pub mod handles {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{
                ComponentType, HasData, HostResult, Lift, Linker, Lower, Resource,
                ResourceType,
            };

            #[derive(Debug)]
            pub enum Handle {}

            #[derive(Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Box {
                #[component(name = "inside")]
                pub inside: Resource<Handle>,
            }

            /// The host's implementation of the resource `handle` of `fixture:resources-both/handles`.
            pub trait HostHandle {
                fn new(&mut self) -> Resource<Handle>;

                fn id(&mut self, self_: Resource<Handle>) -> u32;

                /// Called when the component drops an owned handle.
                fn drop(&mut self, rep: Resource<Handle>) -> HostResult<()>;
            }

            impl<H: HostHandle + ?Sized> HostHandle for &mut H {
                fn new(&mut self) -> Resource<Handle> {
                    HostHandle::new(*self)
                }

                fn id(&mut self, self_: Resource<Handle>) -> u32 {
                    HostHandle::id(*self, self_)
                }

                fn drop(&mut self, rep: Resource<Handle>) -> HostResult<()> {
                    HostHandle::drop(*self, rep)
                }
            }

            /// The host's implementation of `fixture:resources-both/handles`.
            pub trait Host: HostHandle {
                fn wrap(&mut self, handle: Resource<Handle>) -> Box;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn wrap(&mut self, handle: Resource<Handle>) -> Box {
                    Host::wrap(*self, handle)
                }
            }

            /// Defines `fixture:resources-both/handles` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:resources-both/handles")?;
                interface
                    .resource(
                        "handle",
                        ResourceType::host::<Handle>(),
                        move |mut cx, rep| {
                            HostHandle::drop(
                                &mut host(cx.data_mut()),
                                Resource::new_own(rep),
                            )
                        },
                    )?;
                interface
                    .func_wrap(
                        "wrap",
                        move |mut cx, (handle,): (Resource<Handle>,)| {
                            Ok((Host::wrap(&mut host(cx.data_mut()), handle),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "[constructor]handle",
                        move |mut cx, (): ()| {
                            Ok((HostHandle::new(&mut host(cx.data_mut())),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "[method]handle.id",
                        move |mut cx, (self_,): (Resource<Handle>,)| {
                            Ok((HostHandle::id(&mut host(cx.data_mut()), self_),))
                        },
                    )?;
                Ok(())
            }
        }

        pub mod users {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{HasData, Linker, Resource};

            pub type Handle = super::handles::Handle;
            pub type Box = super::handles::Box;

            /// The host's implementation of `fixture:resources-both/users`.
            pub trait Host {
                fn take(&mut self, handle: Resource<Handle>, box_: Box) -> u32;

                fn look(&mut self, handle: Resource<Handle>) -> u32;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn take(&mut self, handle: Resource<Handle>, box_: Box) -> u32 {
                    Host::take(*self, handle, box_)
                }

                fn look(&mut self, handle: Resource<Handle>) -> u32 {
                    Host::look(*self, handle)
                }
            }

            /// Defines `fixture:resources-both/users` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:resources-both/users")?;
                interface
                    .func_wrap(
                        "take",
                        move |mut cx, (handle, box_): (Resource<Handle>, Box)| {
                            Ok((Host::take(&mut host(cx.data_mut()), handle, box_),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "look",
                        move |mut cx, (handle,): (Resource<Handle>,)| {
                            Ok((Host::look(&mut host(cx.data_mut()), handle),))
                        },
                    )?;
                Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod fixture {
        pub mod resources_both {
            pub mod handles {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, ComponentType, Func, Instance, Lift, LiftList, Lower,
                    LowerList, ResourceAny,
                };

                pub type Handle = ResourceAny;

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Box {
                    #[component(name = "inside")]
                    pub inside: ResourceAny,
                }

                /// The functions of `fixture:resources-both/handles`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    constructor_handle: Func,
                    method_handle_id: Func,
                    wrap: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            constructor_handle: Self::find::<
                                (),
                                (ResourceAny,),
                            >(&mut store, instance, "[constructor]handle")?,
                            method_handle_id: Self::find::<
                                (ResourceAny,),
                                (u32,),
                            >(&mut store, instance, "[method]handle.id")?,
                            wrap: Self::find::<
                                (ResourceAny,),
                                (Box,),
                            >(&mut store, instance, "wrap")?,
                        })
                    }

                    pub fn call_wrap(
                        &self,
                        store: impl AsContextMut,
                        handle: ResourceAny,
                    ) -> Result<Box, Error> {
                        let (result,): (Box,) = self.wrap.call_typed(store, (handle,))?;
                        Ok(result)
                    }

                    /// The functions of the resource `handle`.
                    pub fn handle(&self) -> GuestHandle<'_> {
                        GuestHandle { guest: self }
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(
                                store,
                                &["fixture:resources-both/handles", name],
                            )?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }

                /// The functions of the resource `handle`.
                #[derive(Clone, Copy, Debug)]
                pub struct GuestHandle<'a> {
                    guest: &'a Guest,
                }

                impl GuestHandle<'_> {
                    pub fn call_constructor(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<ResourceAny, Error> {
                        let (result,): (ResourceAny,) = self
                            .guest
                            .constructor_handle
                            .call_typed(store, ())?;
                        Ok(result)
                    }

                    pub fn call_id(
                        &self,
                        store: impl AsContextMut,
                        self_: ResourceAny,
                    ) -> Result<u32, Error> {
                        let (result,): (u32,) = self
                            .guest
                            .method_handle_id
                            .call_typed(store, (self_,))?;
                        Ok(result)
                    }
                }
            }

            pub mod users {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, Func, Instance, LiftList, LowerList, ResourceAny,
                };

                pub type Handle = super::handles::Handle;
                pub type Box = super::handles::Box;

                /// The functions of `fixture:resources-both/users`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    take: Func,
                    look: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            take: Self::find::<
                                (ResourceAny, &Box),
                                (u32,),
                            >(&mut store, instance, "take")?,
                            look: Self::find::<
                                (ResourceAny,),
                                (u32,),
                            >(&mut store, instance, "look")?,
                        })
                    }

                    pub fn call_take(
                        &self,
                        store: impl AsContextMut,
                        handle: ResourceAny,
                        box_: &Box,
                    ) -> Result<u32, Error> {
                        let (result,): (u32,) = self
                            .take
                            .call_typed(store, (handle, box_))?;
                        Ok(result)
                    }

                    pub fn call_look(
                        &self,
                        store: impl AsContextMut,
                        handle: ResourceAny,
                    ) -> Result<u32, Error> {
                        let (result,): (u32,) = self.look.call_typed(store, (handle,))?;
                        Ok(result)
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(
                                store,
                                &["fixture:resources-both/users", name],
                            )?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }
        }
    }
}
