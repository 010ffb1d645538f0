/// An instance of the world `fixed-lists`.
#[derive(Clone, Debug)]
pub struct FixedLists {
    fixture_fixed_lists_arrays: self::exports::fixture::fixed_lists::arrays::Guest,
}

impl FixedLists {
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
            fixture_fixed_lists_arrays: self::exports::fixture::fixed_lists::arrays::Guest::new(
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
        for<'a> D::Data<'a>: self::fixture::fixed_lists::arrays::Host,
    {
        self::fixture::fixed_lists::arrays::add_to_linker::<T, D>(linker, host)?;
        Ok(())
    }

    /// The functions of `fixture:fixed-lists/arrays`.
    pub fn fixture_fixed_lists_arrays(
        &self,
    ) -> &self::exports::fixture::fixed_lists::arrays::Guest {
        &self.fixture_fixed_lists_arrays
    }
}

pub mod fixture {
    pub mod fixed_lists {
        pub mod arrays {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

            pub type Key = [u8; 32];

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Block {
                #[component(name = "id")]
                pub id: [u32; 4],
                #[component(name = "keys")]
                pub keys: [Key; 2],
            }

            /// The host's implementation of `fixture:fixed-lists/arrays`.
            pub trait Host {
                fn swap(&mut self, pair: [u32; 2]) -> [u32; 2];

                fn names(&mut self, names: [String; 3], key: Key) -> [Block; 2];
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn swap(&mut self, pair: [u32; 2]) -> [u32; 2] {
                    Host::swap(*self, pair)
                }

                fn names(&mut self, names: [String; 3], key: Key) -> [Block; 2] {
                    Host::names(*self, names, key)
                }
            }

            /// Defines `fixture:fixed-lists/arrays` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:fixed-lists/arrays")?;
                interface
                    .func_wrap(
                        "swap",
                        move |mut cx, (pair,): ([u32; 2],)| {
                            Ok((Host::swap(&mut host(cx.data_mut()), pair),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "names",
                        move |mut cx, (names, key): ([String; 3], Key)| {
                            Ok((Host::names(&mut host(cx.data_mut()), names, key),))
                        },
                    )?;
                Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod fixture {
        pub mod fixed_lists {
            pub mod arrays {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, ComponentType, Func, Instance, Lift, LiftList, Lower,
                    LowerList,
                };

                pub type Key = [u8; 32];

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Block {
                    #[component(name = "id")]
                    pub id: [u32; 4],
                    #[component(name = "keys")]
                    pub keys: [Key; 2],
                }

                /// The functions of `fixture:fixed-lists/arrays`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    swap: Func,
                    names: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            swap: Self::find::<
                                (&[u32; 2],),
                                ([u32; 2],),
                            >(&mut store, instance, "swap")?,
                            names: Self::find::<
                                (&[String; 3], &Key),
                                ([Block; 2],),
                            >(&mut store, instance, "names")?,
                        })
                    }

                    pub fn call_swap(
                        &self,
                        store: impl AsContextMut,
                        pair: &[u32; 2],
                    ) -> Result<[u32; 2], Error> {
                        let (result,): ([u32; 2],) = self
                            .swap
                            .call_typed(store, (pair,))?;
                        Ok(result)
                    }

                    pub fn call_names(
                        &self,
                        store: impl AsContextMut,
                        names: &[String; 3],
                        key: &Key,
                    ) -> Result<[Block; 2], Error> {
                        let (result,): ([Block; 2],) = self
                            .names
                            .call_typed(store, (names, key))?;
                        Ok(result)
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(store, &["fixture:fixed-lists/arrays", name])?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }
        }
    }
}
