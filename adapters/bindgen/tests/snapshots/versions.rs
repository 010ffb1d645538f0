/// An instance of the world `versions`.
#[derive(Clone, Debug)]
pub struct Versions {
    dep_store1_0_0_kv: self::exports::dep::store1_0_0::kv::Guest,
    dep_store2_1_0_rc_1_kv: self::exports::dep::store2_1_0_rc_1::kv::Guest,
    dep_one_thing: self::exports::dep::one::thing::Guest,
}

impl Versions {
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
            dep_store1_0_0_kv: self::exports::dep::store1_0_0::kv::Guest::new(
                &mut store,
                instance,
            )?,
            dep_store2_1_0_rc_1_kv: self::exports::dep::store2_1_0_rc_1::kv::Guest::new(
                &mut store,
                instance,
            )?,
            dep_one_thing: self::exports::dep::one::thing::Guest::new(
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
        >: self::dep::store1_0_0::kv::Host + self::dep::store2_1_0_rc_1::kv::Host,
    {
        self::dep::store1_0_0::kv::add_to_linker::<T, D>(linker, host)?;
        self::dep::store2_1_0_rc_1::kv::add_to_linker::<T, D>(linker, host)?;
        Ok(())
    }

    /// The functions of `dep:store/kv@1.0.0`.
    pub fn dep_store1_0_0_kv(&self) -> &self::exports::dep::store1_0_0::kv::Guest {
        &self.dep_store1_0_0_kv
    }

    /// The functions of `dep:store/kv@2.1.0-rc.1`.
    pub fn dep_store2_1_0_rc_1_kv(
        &self,
    ) -> &self::exports::dep::store2_1_0_rc_1::kv::Guest {
        &self.dep_store2_1_0_rc_1_kv
    }

    /// The functions of `dep:one/thing@0.3.0`.
    pub fn dep_one_thing(&self) -> &self::exports::dep::one::thing::Guest {
        &self.dep_one_thing
    }
}

pub mod dep {
    pub mod store1_0_0 {
        pub mod kv {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{HasData, Linker};

            /// The host's implementation of `dep:store/kv@1.0.0`.
            pub trait Host {
                fn get(&mut self, key: String) -> Option<String>;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn get(&mut self, key: String) -> Option<String> {
                    Host::get(*self, key)
                }
            }

            /// Defines `dep:store/kv@1.0.0` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("dep:store/kv@1.0.0")?;
                interface
                    .func_wrap(
                        "get",
                        move |mut cx, (key,): (String,)| {
                            Ok((Host::get(&mut host(cx.data_mut()), key),))
                        },
                    )?;
                Ok(())
            }
        }
    }

    pub mod store2_1_0_rc_1 {
        pub mod kv {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Entry {
                #[component(name = "key")]
                pub key: String,
                #[component(name = "value")]
                pub value: Vec<u8>,
            }

            /// The host's implementation of `dep:store/kv@2.1.0-rc.1`.
            pub trait Host {
                fn get(&mut self, key: String) -> Option<Entry>;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn get(&mut self, key: String) -> Option<Entry> {
                    Host::get(*self, key)
                }
            }

            /// Defines `dep:store/kv@2.1.0-rc.1` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("dep:store/kv@2.1.0-rc.1")?;
                interface
                    .func_wrap(
                        "get",
                        move |mut cx, (key,): (String,)| {
                            Ok((Host::get(&mut host(cx.data_mut()), key),))
                        },
                    )?;
                Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod dep {
        pub mod store1_0_0 {
            pub mod kv {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, Func, Instance, LiftList, LowerList,
                };

                /// The functions of `dep:store/kv@1.0.0`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    get: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            get: Self::find::<
                                (&str,),
                                (Option<String>,),
                            >(&mut store, instance, "get")?,
                        })
                    }

                    pub fn call_get(
                        &self,
                        store: impl AsContextMut,
                        key: &str,
                    ) -> Result<Option<String>, Error> {
                        let (result,): (Option<String>,) = self
                            .get
                            .call_typed(store, (key,))?;
                        Ok(result)
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(store, &["dep:store/kv@1.0.0", name])?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }
        }

        pub mod store2_1_0_rc_1 {
            pub mod kv {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, ComponentType, Func, Instance, Lift, LiftList, Lower,
                    LowerList,
                };

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Entry {
                    #[component(name = "key")]
                    pub key: String,
                    #[component(name = "value")]
                    pub value: Vec<u8>,
                }

                /// The functions of `dep:store/kv@2.1.0-rc.1`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    get: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            get: Self::find::<
                                (&str,),
                                (Option<Entry>,),
                            >(&mut store, instance, "get")?,
                        })
                    }

                    pub fn call_get(
                        &self,
                        store: impl AsContextMut,
                        key: &str,
                    ) -> Result<Option<Entry>, Error> {
                        let (result,): (Option<Entry>,) = self
                            .get
                            .call_typed(store, (key,))?;
                        Ok(result)
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(store, &["dep:store/kv@2.1.0-rc.1", name])?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }
        }

        pub mod one {
            pub mod thing {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, Func, Instance, LiftList, LowerList,
                };

                pub type Entry = super::super::store2_1_0_rc_1::kv::Entry;

                /// The functions of `dep:one/thing@0.3.0`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    run: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            run: Self::find::<
                                (&Entry,),
                                (),
                            >(&mut store, instance, "run")?,
                        })
                    }

                    pub fn call_run(
                        &self,
                        store: impl AsContextMut,
                        entry: &Entry,
                    ) -> Result<(), Error> {
                        self.run.call_typed(store, (entry,))
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(store, &["dep:one/thing@0.3.0", name])?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }
        }
    }
}
