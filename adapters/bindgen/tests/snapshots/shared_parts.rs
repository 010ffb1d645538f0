/// An instance of the world `shared-parts`.
#[derive(Clone, Debug)]
pub struct SharedParts {
    fixture_shared_parts_shapes: self::exports::fixture::shared_parts::shapes::Guest,
}

impl SharedParts {
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
            fixture_shared_parts_shapes: self::exports::fixture::shared_parts::shapes::Guest::new(
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
        for<'a> D::Data<'a>: self::fixture::shared_parts::shapes::Host,
    {
        self::fixture::shared_parts::shapes::add_to_linker::<T, D>(linker, host)?;
        Ok(())
    }

    /// The functions of `fixture:shared-parts/shapes`.
    pub fn fixture_shared_parts_shapes(
        &self,
    ) -> &self::exports::fixture::shared_parts::shapes::Guest {
        &self.fixture_shared_parts_shapes
    }
}

pub mod fixture {
    pub mod shared_parts {
        /// Types that are far larger than their text, since each has its former one twice.
        pub mod shapes {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{HasData, Linker};

            pub type Byte0 = u8;
            pub type Byte1 = (Byte0, Byte0);
            pub type Byte2 = (Byte1, Byte1);
            pub type Byte3 = (Byte2, Byte2);
            pub type Byte4 = (Byte3, Byte3);
            pub type Byte5 = (Byte4, Byte4);
            pub type Byte6 = (Byte5, Byte5);
            pub type Byte7 = (Byte6, Byte6);
            pub type Byte8 = (Byte7, Byte7);
            pub type Text0 = String;
            pub type Text1 = (Text0, Text0);
            pub type Text2 = (Text1, Option<Text1>);
            pub type Text3 = (Text2, Result<Text2, Text2>);
            pub type Text4 = (Text3, Vec<Text3>);
            pub type Text5 = (Text4, Text4);
            pub type Text6 = (Text5, Text5);
            pub type Text7 = Option<(Text6, Text6)>;
            pub type Text8 = Result<Text7, Text7>;

            /// The host's implementation of `fixture:shared-parts/shapes`.
            pub trait Host {
                fn bytes(&mut self, a: Byte1, b: Byte8, c: Vec<Byte8>) -> Byte8;

                fn texts(
                    &mut self,
                    a: Text1,
                    b: Text2,
                    c: Text8,
                    d: Option<Text8>,
                    e: (Text8, Text1),
                ) -> Text8;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn bytes(&mut self, a: Byte1, b: Byte8, c: Vec<Byte8>) -> Byte8 {
                    Host::bytes(*self, a, b, c)
                }

                fn texts(
                    &mut self,
                    a: Text1,
                    b: Text2,
                    c: Text8,
                    d: Option<Text8>,
                    e: (Text8, Text1),
                ) -> Text8 {
                    Host::texts(*self, a, b, c, d, e)
                }
            }

            /// Defines `fixture:shared-parts/shapes` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:shared-parts/shapes")?;
                interface
                    .func_wrap(
                        "bytes",
                        move |mut cx, (a, b, c): (Byte1, Byte8, Vec<Byte8>)| {
                            Ok((Host::bytes(&mut host(cx.data_mut()), a, b, c),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "texts",
                        move |
                            mut cx,
                            (
                                a,
                                b,
                                c,
                                d,
                                e,
                            ): (Text1, Text2, Text8, Option<Text8>, (Text8, Text1))|
                        { Ok((Host::texts(&mut host(cx.data_mut()), a, b, c, d, e),)) },
                    )?;
                Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod fixture {
        pub mod shared_parts {
            /// Types that are far larger than their text, since each has its former one twice.
            pub mod shapes {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, Func, Instance, LiftList, LowerList,
                };

                pub type Byte0 = u8;
                pub type Byte1 = (Byte0, Byte0);
                pub type Byte2 = (Byte1, Byte1);
                pub type Byte3 = (Byte2, Byte2);
                pub type Byte4 = (Byte3, Byte3);
                pub type Byte5 = (Byte4, Byte4);
                pub type Byte6 = (Byte5, Byte5);
                pub type Byte7 = (Byte6, Byte6);
                pub type Byte8 = (Byte7, Byte7);
                pub type Text0 = String;
                pub type Text1 = (Text0, Text0);
                pub type Text2 = (Text1, Option<Text1>);
                pub type Text3 = (Text2, Result<Text2, Text2>);
                pub type Text4 = (Text3, Vec<Text3>);
                pub type Text5 = (Text4, Text4);
                pub type Text6 = (Text5, Text5);
                pub type Text7 = Option<(Text6, Text6)>;
                pub type Text8 = Result<Text7, Text7>;

                /// The functions of `fixture:shared-parts/shapes`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    bytes: Func,
                    texts: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            bytes: Self::find::<
                                (Byte1, Byte8, &[Byte8]),
                                (Byte8,),
                            >(&mut store, instance, "bytes")?,
                            texts: Self::find::<
                                (
                                    (&str, &str),
                                    ((&str, &str), Option<(&str, &str)>),
                                    Result<Option<(&Text6, &Text6)>, Option<(&Text6, &Text6)>>,
                                    Option<
                                        Result<Option<(&Text6, &Text6)>, Option<(&Text6, &Text6)>>,
                                    >,
                                    (
                                        Result<Option<(&Text6, &Text6)>, Option<(&Text6, &Text6)>>,
                                        (&str, &str),
                                    ),
                                ),
                                (Text8,),
                            >(&mut store, instance, "texts")?,
                        })
                    }

                    pub fn call_bytes(
                        &self,
                        store: impl AsContextMut,
                        a: Byte1,
                        b: Byte8,
                        c: &[Byte8],
                    ) -> Result<Byte8, Error> {
                        let (result,): (Byte8,) = self
                            .bytes
                            .call_typed(store, (a, b, c))?;
                        Ok(result)
                    }

                    pub fn call_texts(
                        &self,
                        store: impl AsContextMut,
                        a: (&str, &str),
                        b: ((&str, &str), Option<(&str, &str)>),
                        c: Result<Option<(&Text6, &Text6)>, Option<(&Text6, &Text6)>>,
                        d: Option<
                            Result<Option<(&Text6, &Text6)>, Option<(&Text6, &Text6)>>,
                        >,
                        e: (
                            Result<Option<(&Text6, &Text6)>, Option<(&Text6, &Text6)>>,
                            (&str, &str),
                        ),
                    ) -> Result<Text8, Error> {
                        let (result,): (Text8,) = self
                            .texts
                            .call_typed(store, (a, b, c, d, e))?;
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
                                &["fixture:shared-parts/shapes", name],
                            )?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }
        }
    }
}
