/// An instance of the world `many-flags`.
#[derive(Clone, Debug)]
pub struct ManyFlags {
    fixture_many_flags_sets: self::exports::fixture::many_flags::sets::Guest,
}

impl ManyFlags {
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
            fixture_many_flags_sets: self::exports::fixture::many_flags::sets::Guest::new(
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
        for<'a> D::Data<'a>: self::fixture::many_flags::sets::Host,
    {
        self::fixture::many_flags::sets::add_to_linker::<T, D>(linker, host)?;
        Ok(())
    }

    /// The functions of `fixture:many-flags/sets`.
    pub fn fixture_many_flags_sets(
        &self,
    ) -> &self::exports::fixture::many_flags::sets::Guest {
        &self.fixture_many_flags_sets
    }
}

pub mod fixture {
    pub mod many_flags {
        /// Flags that need one, two and four bytes.
        pub mod sets {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{HasData, Linker};

            ::airssys_wasm::component::flags! {
                pub Set1 {
                    #[component(name = "label0")]
                    const LABEL0;
                }
            }

            ::airssys_wasm::component::flags! {
                pub Set8 {
                    #[component(name = "label0")]
                    const LABEL0;
                    #[component(name = "label1")]
                    const LABEL1;
                    #[component(name = "label2")]
                    const LABEL2;
                    #[component(name = "label3")]
                    const LABEL3;
                    #[component(name = "label4")]
                    const LABEL4;
                    #[component(name = "label5")]
                    const LABEL5;
                    #[component(name = "label6")]
                    const LABEL6;
                    #[component(name = "label7")]
                    const LABEL7;
                }
            }

            ::airssys_wasm::component::flags! {
                pub Set9 {
                    #[component(name = "label0")]
                    const LABEL0;
                    #[component(name = "label1")]
                    const LABEL1;
                    #[component(name = "label2")]
                    const LABEL2;
                    #[component(name = "label3")]
                    const LABEL3;
                    #[component(name = "label4")]
                    const LABEL4;
                    #[component(name = "label5")]
                    const LABEL5;
                    #[component(name = "label6")]
                    const LABEL6;
                    #[component(name = "label7")]
                    const LABEL7;
                    #[component(name = "label8")]
                    const LABEL8;
                }
            }

            ::airssys_wasm::component::flags! {
                pub Set16 {
                    #[component(name = "label0")]
                    const LABEL0;
                    #[component(name = "label1")]
                    const LABEL1;
                    #[component(name = "label2")]
                    const LABEL2;
                    #[component(name = "label3")]
                    const LABEL3;
                    #[component(name = "label4")]
                    const LABEL4;
                    #[component(name = "label5")]
                    const LABEL5;
                    #[component(name = "label6")]
                    const LABEL6;
                    #[component(name = "label7")]
                    const LABEL7;
                    #[component(name = "label8")]
                    const LABEL8;
                    #[component(name = "label9")]
                    const LABEL9;
                    #[component(name = "label10")]
                    const LABEL10;
                    #[component(name = "label11")]
                    const LABEL11;
                    #[component(name = "label12")]
                    const LABEL12;
                    #[component(name = "label13")]
                    const LABEL13;
                    #[component(name = "label14")]
                    const LABEL14;
                    #[component(name = "label15")]
                    const LABEL15;
                }
            }

            ::airssys_wasm::component::flags! {
                pub Set17 {
                    #[component(name = "label0")]
                    const LABEL0;
                    #[component(name = "label1")]
                    const LABEL1;
                    #[component(name = "label2")]
                    const LABEL2;
                    #[component(name = "label3")]
                    const LABEL3;
                    #[component(name = "label4")]
                    const LABEL4;
                    #[component(name = "label5")]
                    const LABEL5;
                    #[component(name = "label6")]
                    const LABEL6;
                    #[component(name = "label7")]
                    const LABEL7;
                    #[component(name = "label8")]
                    const LABEL8;
                    #[component(name = "label9")]
                    const LABEL9;
                    #[component(name = "label10")]
                    const LABEL10;
                    #[component(name = "label11")]
                    const LABEL11;
                    #[component(name = "label12")]
                    const LABEL12;
                    #[component(name = "label13")]
                    const LABEL13;
                    #[component(name = "label14")]
                    const LABEL14;
                    #[component(name = "label15")]
                    const LABEL15;
                    #[component(name = "label16")]
                    const LABEL16;
                }
            }

            ::airssys_wasm::component::flags! {
                pub Set32 {
                    #[component(name = "label0")]
                    const LABEL0;
                    #[component(name = "label1")]
                    const LABEL1;
                    #[component(name = "label2")]
                    const LABEL2;
                    #[component(name = "label3")]
                    const LABEL3;
                    #[component(name = "label4")]
                    const LABEL4;
                    #[component(name = "label5")]
                    const LABEL5;
                    #[component(name = "label6")]
                    const LABEL6;
                    #[component(name = "label7")]
                    const LABEL7;
                    #[component(name = "label8")]
                    const LABEL8;
                    #[component(name = "label9")]
                    const LABEL9;
                    #[component(name = "label10")]
                    const LABEL10;
                    #[component(name = "label11")]
                    const LABEL11;
                    #[component(name = "label12")]
                    const LABEL12;
                    #[component(name = "label13")]
                    const LABEL13;
                    #[component(name = "label14")]
                    const LABEL14;
                    #[component(name = "label15")]
                    const LABEL15;
                    #[component(name = "label16")]
                    const LABEL16;
                    #[component(name = "label17")]
                    const LABEL17;
                    #[component(name = "label18")]
                    const LABEL18;
                    #[component(name = "label19")]
                    const LABEL19;
                    #[component(name = "label20")]
                    const LABEL20;
                    #[component(name = "label21")]
                    const LABEL21;
                    #[component(name = "label22")]
                    const LABEL22;
                    #[component(name = "label23")]
                    const LABEL23;
                    #[component(name = "label24")]
                    const LABEL24;
                    #[component(name = "label25")]
                    const LABEL25;
                    #[component(name = "label26")]
                    const LABEL26;
                    #[component(name = "label27")]
                    const LABEL27;
                    #[component(name = "label28")]
                    const LABEL28;
                    #[component(name = "label29")]
                    const LABEL29;
                    #[component(name = "label30")]
                    const LABEL30;
                    #[component(name = "label31")]
                    const LABEL31;
                }
            }

            ::airssys_wasm::component::flags! {
                /// What a file may be used for.
                pub Permissions {
                    /// Look.
                    #[component(name = "read")]
                    const READ;
                    /// Change.
                    #[component(name = "write")]
                    const WRITE;
                    #[component(name = "execute-it")]
                    const EXECUTE_IT;
                }
            }

            /// The host's implementation of `fixture:many-flags/sets`.
            pub trait Host {
                fn echo1(&mut self, value: Set1) -> Set1;

                fn echo8(&mut self, value: Set8) -> Set8;

                fn echo9(&mut self, value: Set9) -> Set9;

                fn echo16(&mut self, value: Set16) -> Set16;

                fn echo17(&mut self, value: Set17) -> Set17;

                fn echo32(&mut self, value: Set32) -> Set32;

                fn allow(
                    &mut self,
                    all: Vec<Permissions>,
                    one: Option<Permissions>,
                ) -> Permissions;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn echo1(&mut self, value: Set1) -> Set1 {
                    Host::echo1(*self, value)
                }

                fn echo8(&mut self, value: Set8) -> Set8 {
                    Host::echo8(*self, value)
                }

                fn echo9(&mut self, value: Set9) -> Set9 {
                    Host::echo9(*self, value)
                }

                fn echo16(&mut self, value: Set16) -> Set16 {
                    Host::echo16(*self, value)
                }

                fn echo17(&mut self, value: Set17) -> Set17 {
                    Host::echo17(*self, value)
                }

                fn echo32(&mut self, value: Set32) -> Set32 {
                    Host::echo32(*self, value)
                }

                fn allow(
                    &mut self,
                    all: Vec<Permissions>,
                    one: Option<Permissions>,
                ) -> Permissions {
                    Host::allow(*self, all, one)
                }
            }

            /// Defines `fixture:many-flags/sets` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:many-flags/sets")?;
                interface
                    .func_wrap(
                        "echo1",
                        move |mut cx, (value,): (Set1,)| {
                            Ok((Host::echo1(&mut host(cx.data_mut()), value),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "echo8",
                        move |mut cx, (value,): (Set8,)| {
                            Ok((Host::echo8(&mut host(cx.data_mut()), value),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "echo9",
                        move |mut cx, (value,): (Set9,)| {
                            Ok((Host::echo9(&mut host(cx.data_mut()), value),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "echo16",
                        move |mut cx, (value,): (Set16,)| {
                            Ok((Host::echo16(&mut host(cx.data_mut()), value),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "echo17",
                        move |mut cx, (value,): (Set17,)| {
                            Ok((Host::echo17(&mut host(cx.data_mut()), value),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "echo32",
                        move |mut cx, (value,): (Set32,)| {
                            Ok((Host::echo32(&mut host(cx.data_mut()), value),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "allow",
                        move |
                            mut cx,
                            (all, one): (Vec<Permissions>, Option<Permissions>)|
                        { Ok((Host::allow(&mut host(cx.data_mut()), all, one),)) },
                    )?;
                Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod fixture {
        pub mod many_flags {
            /// Flags that need one, two and four bytes.
            pub mod sets {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, Func, Instance, LiftList, LowerList,
                };

                ::airssys_wasm::component::flags! {
                    pub Set1 {
                        #[component(name = "label0")]
                        const LABEL0;
                    }
                }

                ::airssys_wasm::component::flags! {
                    pub Set8 {
                        #[component(name = "label0")]
                        const LABEL0;
                        #[component(name = "label1")]
                        const LABEL1;
                        #[component(name = "label2")]
                        const LABEL2;
                        #[component(name = "label3")]
                        const LABEL3;
                        #[component(name = "label4")]
                        const LABEL4;
                        #[component(name = "label5")]
                        const LABEL5;
                        #[component(name = "label6")]
                        const LABEL6;
                        #[component(name = "label7")]
                        const LABEL7;
                    }
                }

                ::airssys_wasm::component::flags! {
                    pub Set9 {
                        #[component(name = "label0")]
                        const LABEL0;
                        #[component(name = "label1")]
                        const LABEL1;
                        #[component(name = "label2")]
                        const LABEL2;
                        #[component(name = "label3")]
                        const LABEL3;
                        #[component(name = "label4")]
                        const LABEL4;
                        #[component(name = "label5")]
                        const LABEL5;
                        #[component(name = "label6")]
                        const LABEL6;
                        #[component(name = "label7")]
                        const LABEL7;
                        #[component(name = "label8")]
                        const LABEL8;
                    }
                }

                ::airssys_wasm::component::flags! {
                    pub Set16 {
                        #[component(name = "label0")]
                        const LABEL0;
                        #[component(name = "label1")]
                        const LABEL1;
                        #[component(name = "label2")]
                        const LABEL2;
                        #[component(name = "label3")]
                        const LABEL3;
                        #[component(name = "label4")]
                        const LABEL4;
                        #[component(name = "label5")]
                        const LABEL5;
                        #[component(name = "label6")]
                        const LABEL6;
                        #[component(name = "label7")]
                        const LABEL7;
                        #[component(name = "label8")]
                        const LABEL8;
                        #[component(name = "label9")]
                        const LABEL9;
                        #[component(name = "label10")]
                        const LABEL10;
                        #[component(name = "label11")]
                        const LABEL11;
                        #[component(name = "label12")]
                        const LABEL12;
                        #[component(name = "label13")]
                        const LABEL13;
                        #[component(name = "label14")]
                        const LABEL14;
                        #[component(name = "label15")]
                        const LABEL15;
                    }
                }

                ::airssys_wasm::component::flags! {
                    pub Set17 {
                        #[component(name = "label0")]
                        const LABEL0;
                        #[component(name = "label1")]
                        const LABEL1;
                        #[component(name = "label2")]
                        const LABEL2;
                        #[component(name = "label3")]
                        const LABEL3;
                        #[component(name = "label4")]
                        const LABEL4;
                        #[component(name = "label5")]
                        const LABEL5;
                        #[component(name = "label6")]
                        const LABEL6;
                        #[component(name = "label7")]
                        const LABEL7;
                        #[component(name = "label8")]
                        const LABEL8;
                        #[component(name = "label9")]
                        const LABEL9;
                        #[component(name = "label10")]
                        const LABEL10;
                        #[component(name = "label11")]
                        const LABEL11;
                        #[component(name = "label12")]
                        const LABEL12;
                        #[component(name = "label13")]
                        const LABEL13;
                        #[component(name = "label14")]
                        const LABEL14;
                        #[component(name = "label15")]
                        const LABEL15;
                        #[component(name = "label16")]
                        const LABEL16;
                    }
                }

                ::airssys_wasm::component::flags! {
                    pub Set32 {
                        #[component(name = "label0")]
                        const LABEL0;
                        #[component(name = "label1")]
                        const LABEL1;
                        #[component(name = "label2")]
                        const LABEL2;
                        #[component(name = "label3")]
                        const LABEL3;
                        #[component(name = "label4")]
                        const LABEL4;
                        #[component(name = "label5")]
                        const LABEL5;
                        #[component(name = "label6")]
                        const LABEL6;
                        #[component(name = "label7")]
                        const LABEL7;
                        #[component(name = "label8")]
                        const LABEL8;
                        #[component(name = "label9")]
                        const LABEL9;
                        #[component(name = "label10")]
                        const LABEL10;
                        #[component(name = "label11")]
                        const LABEL11;
                        #[component(name = "label12")]
                        const LABEL12;
                        #[component(name = "label13")]
                        const LABEL13;
                        #[component(name = "label14")]
                        const LABEL14;
                        #[component(name = "label15")]
                        const LABEL15;
                        #[component(name = "label16")]
                        const LABEL16;
                        #[component(name = "label17")]
                        const LABEL17;
                        #[component(name = "label18")]
                        const LABEL18;
                        #[component(name = "label19")]
                        const LABEL19;
                        #[component(name = "label20")]
                        const LABEL20;
                        #[component(name = "label21")]
                        const LABEL21;
                        #[component(name = "label22")]
                        const LABEL22;
                        #[component(name = "label23")]
                        const LABEL23;
                        #[component(name = "label24")]
                        const LABEL24;
                        #[component(name = "label25")]
                        const LABEL25;
                        #[component(name = "label26")]
                        const LABEL26;
                        #[component(name = "label27")]
                        const LABEL27;
                        #[component(name = "label28")]
                        const LABEL28;
                        #[component(name = "label29")]
                        const LABEL29;
                        #[component(name = "label30")]
                        const LABEL30;
                        #[component(name = "label31")]
                        const LABEL31;
                    }
                }

                ::airssys_wasm::component::flags! {
                    /// What a file may be used for.
                    pub Permissions {
                        /// Look.
                        #[component(name = "read")]
                        const READ;
                        /// Change.
                        #[component(name = "write")]
                        const WRITE;
                        #[component(name = "execute-it")]
                        const EXECUTE_IT;
                    }
                }

                /// The functions of `fixture:many-flags/sets`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    echo1: Func,
                    echo8: Func,
                    echo9: Func,
                    echo16: Func,
                    echo17: Func,
                    echo32: Func,
                    allow: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            echo1: Self::find::<
                                (Set1,),
                                (Set1,),
                            >(&mut store, instance, "echo1")?,
                            echo8: Self::find::<
                                (Set8,),
                                (Set8,),
                            >(&mut store, instance, "echo8")?,
                            echo9: Self::find::<
                                (Set9,),
                                (Set9,),
                            >(&mut store, instance, "echo9")?,
                            echo16: Self::find::<
                                (Set16,),
                                (Set16,),
                            >(&mut store, instance, "echo16")?,
                            echo17: Self::find::<
                                (Set17,),
                                (Set17,),
                            >(&mut store, instance, "echo17")?,
                            echo32: Self::find::<
                                (Set32,),
                                (Set32,),
                            >(&mut store, instance, "echo32")?,
                            allow: Self::find::<
                                (&[Permissions], Option<Permissions>),
                                (Permissions,),
                            >(&mut store, instance, "allow")?,
                        })
                    }

                    pub fn call_echo1(
                        &self,
                        store: impl AsContextMut,
                        value: Set1,
                    ) -> Result<Set1, Error> {
                        let (result,): (Set1,) = self.echo1.call_typed(store, (value,))?;
                        Ok(result)
                    }

                    pub fn call_echo8(
                        &self,
                        store: impl AsContextMut,
                        value: Set8,
                    ) -> Result<Set8, Error> {
                        let (result,): (Set8,) = self.echo8.call_typed(store, (value,))?;
                        Ok(result)
                    }

                    pub fn call_echo9(
                        &self,
                        store: impl AsContextMut,
                        value: Set9,
                    ) -> Result<Set9, Error> {
                        let (result,): (Set9,) = self.echo9.call_typed(store, (value,))?;
                        Ok(result)
                    }

                    pub fn call_echo16(
                        &self,
                        store: impl AsContextMut,
                        value: Set16,
                    ) -> Result<Set16, Error> {
                        let (result,): (Set16,) = self
                            .echo16
                            .call_typed(store, (value,))?;
                        Ok(result)
                    }

                    pub fn call_echo17(
                        &self,
                        store: impl AsContextMut,
                        value: Set17,
                    ) -> Result<Set17, Error> {
                        let (result,): (Set17,) = self
                            .echo17
                            .call_typed(store, (value,))?;
                        Ok(result)
                    }

                    pub fn call_echo32(
                        &self,
                        store: impl AsContextMut,
                        value: Set32,
                    ) -> Result<Set32, Error> {
                        let (result,): (Set32,) = self
                            .echo32
                            .call_typed(store, (value,))?;
                        Ok(result)
                    }

                    pub fn call_allow(
                        &self,
                        store: impl AsContextMut,
                        all: &[Permissions],
                        one: Option<Permissions>,
                    ) -> Result<Permissions, Error> {
                        let (result,): (Permissions,) = self
                            .allow
                            .call_typed(store, (all, one))?;
                        Ok(result)
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(store, &["fixture:many-flags/sets", name])?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }
        }
    }
}
