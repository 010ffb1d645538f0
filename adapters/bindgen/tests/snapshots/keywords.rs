/// The host's implementation of the world `use`.
pub trait UseImports {
    fn fn_(&mut self, in_: u8) -> u8;
}

impl<H: UseImports + ?Sized> UseImports for &mut H {
    fn fn_(&mut self, in_: u8) -> u8 {
        UseImports::fn_(*self, in_)
    }
}

/// An instance of the world `use`.
#[derive(Clone, Debug)]
pub struct Use {
    impl_: ::airssys_wasm::component::Func,
    fixture_type_as: self::exports::fixture::type_::as_::Guest,
}

impl Use {
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
            impl_: Self::find::<(u8,), (u8,)>(&mut store, instance, "impl")?,
            fixture_type_as: self::exports::fixture::type_::as_::Guest::new(
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
        for<'a> D::Data<'a>: self::fixture::type_::as_::Host + UseImports,
    {
        self::fixture::type_::as_::add_to_linker::<T, D>(linker, host)?;
        let mut root = linker.root();
        root.func_wrap(
            "fn",
            move |mut cx, (in_,): (u8,)| {
                Ok((UseImports::fn_(&mut host(cx.data_mut()), in_),))
            },
        )?;
        Ok(())
    }

    pub fn call_impl_(
        &self,
        store: impl ::airssys_wasm::component::AsContextMut,
        let_: u8,
    ) -> ::core::result::Result<u8, ::airssys_wasm::Error> {
        let (result,): (u8,) = self.impl_.call_typed(store, (let_,))?;
        Ok(result)
    }

    /// The functions of `fixture:type/as`.
    pub fn fixture_type_as(&self) -> &self::exports::fixture::type_::as_::Guest {
        &self.fixture_type_as
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
    pub mod type_ {
        pub mod as_ {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{
                ComponentType, HasData, HostResult, Lift, Linker, Lower, Resource,
                ResourceType,
            };

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Match {
                #[component(name = "type")]
                pub type_: u8,
                #[component(name = "self")]
                pub self_: String,
                #[component(name = "fn")]
                pub fn_: bool,
                #[component(name = "async")]
                pub async_: u8,
                #[component(name = "try")]
                pub try_: u8,
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum Enum {
                #[component(name = "self")]
                Self_(u8),
                #[component(name = "super")]
                Super,
                #[component(name = "crate")]
                Crate,
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum Static {
                #[component(name = "as")]
                As,
                #[component(name = "box")]
                Box,
                #[component(name = "dyn")]
                Dyn,
                #[component(name = "use")]
                Use,
            }

            ::airssys_wasm::component::flags! {
                pub Flags {
                    #[component(name = "self")]
                    const SELF;
                    #[component(name = "type")]
                    const TYPE;
                    #[component(name = "mod")]
                    const MOD;
                }
            }

            #[derive(Debug)]
            pub enum Struct {}

            /// The host's implementation of the resource `struct` of `fixture:type/as`.
            pub trait HostStruct {
                fn new(&mut self, type_: u8) -> Resource<Struct>;

                fn loop_(&mut self, self_: Resource<Struct>, where_: u8) -> u8;

                fn self_(&mut self) -> Resource<Struct>;

                /// Called when the component drops an owned handle.
                fn drop(&mut self, rep: Resource<Struct>) -> HostResult<()>;
            }

            impl<H: HostStruct + ?Sized> HostStruct for &mut H {
                fn new(&mut self, type_: u8) -> Resource<Struct> {
                    HostStruct::new(*self, type_)
                }

                fn loop_(&mut self, self_: Resource<Struct>, where_: u8) -> u8 {
                    HostStruct::loop_(*self, self_, where_)
                }

                fn self_(&mut self) -> Resource<Struct> {
                    HostStruct::self_(*self)
                }

                fn drop(&mut self, rep: Resource<Struct>) -> HostResult<()> {
                    HostStruct::drop(*self, rep)
                }
            }

            /// The host's implementation of `fixture:type/as`.
            pub trait Host: HostStruct {
                fn continue_(
                    &mut self,
                    match_: Match,
                    self_: Enum,
                    yield_: Static,
                ) -> Flags;

                fn type_(&mut self, ref_: Flags, mut_: Resource<Struct>);

                fn move_(&mut self, abstract_: u8, final_: u8, gen_: u8);
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn continue_(
                    &mut self,
                    match_: Match,
                    self_: Enum,
                    yield_: Static,
                ) -> Flags {
                    Host::continue_(*self, match_, self_, yield_)
                }

                fn type_(&mut self, ref_: Flags, mut_: Resource<Struct>) {
                    Host::type_(*self, ref_, mut_)
                }

                fn move_(&mut self, abstract_: u8, final_: u8, gen_: u8) {
                    Host::move_(*self, abstract_, final_, gen_)
                }
            }

            /// Defines `fixture:type/as` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:type/as")?;
                interface
                    .resource(
                        "struct",
                        ResourceType::host::<Struct>(),
                        move |mut cx, rep| {
                            HostStruct::drop(
                                &mut host(cx.data_mut()),
                                Resource::new_own(rep),
                            )
                        },
                    )?;
                interface
                    .func_wrap(
                        "continue",
                        move |mut cx, (match_, self_, yield_): (Match, Enum, Static)| {
                            Ok((
                                Host::continue_(
                                    &mut host(cx.data_mut()),
                                    match_,
                                    self_,
                                    yield_,
                                ),
                            ))
                        },
                    )?;
                interface
                    .func_wrap(
                        "type",
                        move |mut cx, (ref_, mut_): (Flags, Resource<Struct>)| {
                            Host::type_(&mut host(cx.data_mut()), ref_, mut_);
                            Ok(())
                        },
                    )?;
                interface
                    .func_wrap(
                        "move",
                        move |mut cx, (abstract_, final_, gen_): (u8, u8, u8)| {
                            Host::move_(
                                &mut host(cx.data_mut()),
                                abstract_,
                                final_,
                                gen_,
                            );
                            Ok(())
                        },
                    )?;
                interface
                    .func_wrap(
                        "[constructor]struct",
                        move |mut cx, (type_,): (u8,)| {
                            Ok((HostStruct::new(&mut host(cx.data_mut()), type_),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "[method]struct.loop",
                        move |mut cx, (self_, where_): (Resource<Struct>, u8)| {
                            Ok((
                                HostStruct::loop_(&mut host(cx.data_mut()), self_, where_),
                            ))
                        },
                    )?;
                interface
                    .func_wrap(
                        "[static]struct.self",
                        move |mut cx, (): ()| {
                            Ok((HostStruct::self_(&mut host(cx.data_mut())),))
                        },
                    )?;
                Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod fixture {
        pub mod type_ {
            pub mod as_ {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, ComponentType, Func, Instance, Lift, LiftList, Lower,
                    LowerList, ResourceAny,
                };

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Match {
                    #[component(name = "type")]
                    pub type_: u8,
                    #[component(name = "self")]
                    pub self_: String,
                    #[component(name = "fn")]
                    pub fn_: bool,
                    #[component(name = "async")]
                    pub async_: u8,
                    #[component(name = "try")]
                    pub try_: u8,
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(variant)]
                pub enum Enum {
                    #[component(name = "self")]
                    Self_(u8),
                    #[component(name = "super")]
                    Super,
                    #[component(name = "crate")]
                    Crate,
                }

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum Static {
                    #[component(name = "as")]
                    As,
                    #[component(name = "box")]
                    Box,
                    #[component(name = "dyn")]
                    Dyn,
                    #[component(name = "use")]
                    Use,
                }

                ::airssys_wasm::component::flags! {
                    pub Flags {
                        #[component(name = "self")]
                        const SELF;
                        #[component(name = "type")]
                        const TYPE;
                        #[component(name = "mod")]
                        const MOD;
                    }
                }

                pub type Struct = ResourceAny;

                /// The functions of `fixture:type/as`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    constructor_struct: Func,
                    method_struct_loop: Func,
                    static_struct_self: Func,
                    continue_: Func,
                    type_: Func,
                    move_: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            constructor_struct: Self::find::<
                                (u8,),
                                (ResourceAny,),
                            >(&mut store, instance, "[constructor]struct")?,
                            method_struct_loop: Self::find::<
                                (ResourceAny, u8),
                                (u8,),
                            >(&mut store, instance, "[method]struct.loop")?,
                            static_struct_self: Self::find::<
                                (),
                                (ResourceAny,),
                            >(&mut store, instance, "[static]struct.self")?,
                            continue_: Self::find::<
                                (&Match, &Enum, Static),
                                (Flags,),
                            >(&mut store, instance, "continue")?,
                            type_: Self::find::<
                                (Flags, ResourceAny),
                                (),
                            >(&mut store, instance, "type")?,
                            move_: Self::find::<
                                (u8, u8, u8),
                                (),
                            >(&mut store, instance, "move")?,
                        })
                    }

                    pub fn call_continue_(
                        &self,
                        store: impl AsContextMut,
                        match_: &Match,
                        self_: &Enum,
                        yield_: Static,
                    ) -> Result<Flags, Error> {
                        let (result,): (Flags,) = self
                            .continue_
                            .call_typed(store, (match_, self_, yield_))?;
                        Ok(result)
                    }

                    pub fn call_type_(
                        &self,
                        store: impl AsContextMut,
                        ref_: Flags,
                        mut_: ResourceAny,
                    ) -> Result<(), Error> {
                        self.type_.call_typed(store, (ref_, mut_))
                    }

                    pub fn call_move_(
                        &self,
                        store: impl AsContextMut,
                        abstract_: u8,
                        final_: u8,
                        gen_: u8,
                    ) -> Result<(), Error> {
                        self.move_.call_typed(store, (abstract_, final_, gen_))
                    }

                    /// The functions of the resource `struct`.
                    pub fn struct_(&self) -> GuestStruct<'_> {
                        GuestStruct { guest: self }
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(store, &["fixture:type/as", name])?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }

                /// The functions of the resource `struct`.
                #[derive(Clone, Copy, Debug)]
                pub struct GuestStruct<'a> {
                    guest: &'a Guest,
                }

                impl GuestStruct<'_> {
                    pub fn call_constructor(
                        &self,
                        store: impl AsContextMut,
                        type_: u8,
                    ) -> Result<ResourceAny, Error> {
                        let (result,): (ResourceAny,) = self
                            .guest
                            .constructor_struct
                            .call_typed(store, (type_,))?;
                        Ok(result)
                    }

                    pub fn call_loop_(
                        &self,
                        store: impl AsContextMut,
                        self_: ResourceAny,
                        where_: u8,
                    ) -> Result<u8, Error> {
                        let (result,): (u8,) = self
                            .guest
                            .method_struct_loop
                            .call_typed(store, (self_, where_))?;
                        Ok(result)
                    }

                    pub fn call_self_(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<ResourceAny, Error> {
                        let (result,): (ResourceAny,) = self
                            .guest
                            .static_struct_self
                            .call_typed(store, ())?;
                        Ok(result)
                    }
                }
            }
        }
    }
}
