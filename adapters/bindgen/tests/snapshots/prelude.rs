/// An instance of the world `prelude`.
#[derive(Clone, Debug)]
pub struct Prelude {
    fixture_prelude_shadows: self::exports::fixture::prelude::shadows::Guest,
}

impl Prelude {
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
            fixture_prelude_shadows: self::exports::fixture::prelude::shadows::Guest::new(
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
        for<'a> D::Data<'a>: self::fixture::prelude::shadows::Host,
    {
        self::fixture::prelude::shadows::add_to_linker::<T, D>(linker, host)?;
        Ok(())
    }

    /// The functions of `fixture:prelude/shadows`.
    pub fn fixture_prelude_shadows(
        &self,
    ) -> &self::exports::fixture::prelude::shadows::Guest {
        &self.fixture_prelude_shadows
    }
}

pub mod fixture {
    pub mod prelude {
        /// Types that are called like what Rust and the generated code have.
        pub mod shadows {
            use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct String {
                #[component(name = "text")]
                pub text: ::std::string::String,
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Vec {
                #[component(name = "items")]
                pub items: ::std::vec::Vec<String>,
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum Option {
                #[component(name = "none")]
                None,
                #[component(name = "some")]
                Some(Vec),
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum Result {
                #[component(name = "ok")]
                Ok(::core::option::Option<String>),
                #[component(name = "err")]
                Err(::core::result::Result<Vec, String>),
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum Ordering {
                #[component(name = "less")]
                Less,
                #[component(name = "more")]
                More,
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Some {
                #[component(name = "a")]
                pub a: ::core::option::Option<u8>,
            }

            ::airssys_wasm::component::flags! {
                pub Ok {
                    #[component(name = "yes")]
                    const YES;
                    #[component(name = "no")]
                    const NO;
                }
            }

            ::airssys_wasm::component::flags! {
                pub Err {
                    #[component(name = "yes")]
                    const YES;
                    #[component(name = "no")]
                    const NO;
                }
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct None {
                #[component(name = "a")]
                pub a: ::core::result::Result<u8, ::std::string::String>,
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Send {
                #[component(name = "a")]
                pub a: u8,
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Sync {
                #[component(name = "a")]
                pub a: u8,
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Sized {
                #[component(name = "a")]
                pub a: u8,
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Copy {
                #[component(name = "a")]
                pub a: u8,
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Fn {
                #[component(name = "a")]
                pub a: u8,
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Clone {
                #[component(name = "a")]
                pub a: u8,
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Debug {
                #[component(name = "a")]
                pub a: u8,
            }

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Error {
                #[component(name = "a")]
                pub a: u8,
            }

            impl ::core::fmt::Display for Error {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for Error {}

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Box {
                #[component(name = "a")]
                pub a: u8,
            }

            /// The host's implementation of `fixture:prelude/shadows`.
            pub trait Host {
                fn mix(
                    &mut self,
                    s: String,
                    v: Vec,
                    o: Option,
                    r: Result,
                    e: Error,
                ) -> ::core::result::Result<::core::option::Option<String>, Error>;

                fn lists(
                    &mut self,
                    a: ::std::vec::Vec<::std::string::String>,
                    b: ::core::option::Option<::std::vec::Vec<String>>,
                    c: (Ok, Err, None, Some),
                ) -> ::std::string::String;

                #[allow(clippy::too_many_arguments)]
                fn rest(
                    &mut self,
                    a: Send,
                    b: Sync,
                    c: Sized,
                    d: Copy,
                    e: Fn,
                    f: Clone,
                    g: Debug,
                    h: Box,
                ) -> Ordering;
            }

            impl<H: Host + ?::core::marker::Sized> Host for &mut H {
                fn mix(
                    &mut self,
                    s: String,
                    v: Vec,
                    o: Option,
                    r: Result,
                    e: Error,
                ) -> ::core::result::Result<::core::option::Option<String>, Error> {
                    Host::mix(*self, s, v, o, r, e)
                }

                fn lists(
                    &mut self,
                    a: ::std::vec::Vec<::std::string::String>,
                    b: ::core::option::Option<::std::vec::Vec<String>>,
                    c: (Ok, Err, None, Some),
                ) -> ::std::string::String {
                    Host::lists(*self, a, b, c)
                }

                fn rest(
                    &mut self,
                    a: Send,
                    b: Sync,
                    c: Sized,
                    d: Copy,
                    e: Fn,
                    f: Clone,
                    g: Debug,
                    h: Box,
                ) -> Ordering {
                    Host::rest(*self, a, b, c, d, e, f, g, h)
                }
            }

            /// Defines `fixture:prelude/shadows` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl ::core::ops::Fn(
                    &mut T,
                ) -> D::Data<
                        '_,
                    > + ::core::marker::Send + ::core::marker::Sync + ::core::marker::Copy + 'static,
            ) -> ::core::result::Result<(), ::airssys_wasm::Error>
            where
                T: ::core::marker::Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:prelude/shadows")?;
                interface
                    .func_wrap(
                        "mix",
                        move |
                            mut cx,
                            (s, v, o, r, e): (String, Vec, Option, Result, Error)|
                        {
                            ::core::result::Result::Ok((
                                Host::mix(&mut host(cx.data_mut()), s, v, o, r, e),
                            ))
                        },
                    )?;
                interface
                    .func_wrap(
                        "lists",
                        move |
                            mut cx,
                            (
                                a,
                                b,
                                c,
                            ): (
                                ::std::vec::Vec<::std::string::String>,
                                ::core::option::Option<::std::vec::Vec<String>>,
                                (Ok, Err, None, Some),
                            )|
                        {
                            ::core::result::Result::Ok((
                                Host::lists(&mut host(cx.data_mut()), a, b, c),
                            ))
                        },
                    )?;
                interface
                    .func_wrap(
                        "rest",
                        move |
                            mut cx,
                            (
                                a,
                                b,
                                c,
                                d,
                                e,
                                f,
                                g,
                                h,
                            ): (Send, Sync, Sized, Copy, Fn, Clone, Debug, Box)|
                        {
                            ::core::result::Result::Ok((
                                Host::rest(
                                    &mut host(cx.data_mut()),
                                    a,
                                    b,
                                    c,
                                    d,
                                    e,
                                    f,
                                    g,
                                    h,
                                ),
                            ))
                        },
                    )?;

                ::core::result::Result::Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod fixture {
        pub mod prelude {
            /// Types that are called like what Rust and the generated code have.
            pub mod shadows {
                use ::airssys_wasm::component::{
                    AsContextMut, ComponentType, Func, Instance, Lift, LiftList, Lower,
                    LowerList,
                };

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct String {
                    #[component(name = "text")]
                    pub text: ::std::string::String,
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Vec {
                    #[component(name = "items")]
                    pub items: ::std::vec::Vec<String>,
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(variant)]
                pub enum Option {
                    #[component(name = "none")]
                    None,
                    #[component(name = "some")]
                    Some(Vec),
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(variant)]
                pub enum Result {
                    #[component(name = "ok")]
                    Ok(::core::option::Option<String>),
                    #[component(name = "err")]
                    Err(::core::result::Result<Vec, String>),
                }

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum Ordering {
                    #[component(name = "less")]
                    Less,
                    #[component(name = "more")]
                    More,
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Some {
                    #[component(name = "a")]
                    pub a: ::core::option::Option<u8>,
                }

                ::airssys_wasm::component::flags! {
                    pub Ok {
                        #[component(name = "yes")]
                        const YES;
                        #[component(name = "no")]
                        const NO;
                    }
                }

                ::airssys_wasm::component::flags! {
                    pub Err {
                        #[component(name = "yes")]
                        const YES;
                        #[component(name = "no")]
                        const NO;
                    }
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct None {
                    #[component(name = "a")]
                    pub a: ::core::result::Result<u8, ::std::string::String>,
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Send {
                    #[component(name = "a")]
                    pub a: u8,
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Sync {
                    #[component(name = "a")]
                    pub a: u8,
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Sized {
                    #[component(name = "a")]
                    pub a: u8,
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Copy {
                    #[component(name = "a")]
                    pub a: u8,
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Fn {
                    #[component(name = "a")]
                    pub a: u8,
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Clone {
                    #[component(name = "a")]
                    pub a: u8,
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Debug {
                    #[component(name = "a")]
                    pub a: u8,
                }

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Error {
                    #[component(name = "a")]
                    pub a: u8,
                }

                impl ::core::fmt::Display for Error {
                    fn fmt(
                        &self,
                        f: &mut ::core::fmt::Formatter<'_>,
                    ) -> ::core::fmt::Result {
                        write!(f, "{self:?}")
                    }
                }

                impl ::core::error::Error for Error {}

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Box {
                    #[component(name = "a")]
                    pub a: u8,
                }

                /// The functions of `fixture:prelude/shadows`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    mix: Func,
                    lists: Func,
                    rest: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> ::core::result::Result<Self, ::airssys_wasm::Error> {
                        ::core::result::Result::Ok(Self {
                            mix: Self::find::<
                                (&String, &Vec, &Option, &Result, &Error),
                                (
                                    ::core::result::Result<
                                        ::core::option::Option<String>,
                                        Error,
                                    >,
                                ),
                            >(&mut store, instance, "mix")?,
                            lists: Self::find::<
                                (
                                    &[::std::string::String],
                                    ::core::option::Option<&[String]>,
                                    (Ok, Err, &None, &Some),
                                ),
                                (::std::string::String,),
                            >(&mut store, instance, "lists")?,
                            rest: Self::find::<
                                (&Send, &Sync, &Sized, &Copy, &Fn, &Clone, &Debug, &Box),
                                (Ordering,),
                            >(&mut store, instance, "rest")?,
                        })
                    }

                    pub fn call_mix(
                        &self,
                        store: impl AsContextMut,
                        s: &String,
                        v: &Vec,
                        o: &Option,
                        r: &Result,
                        e: &Error,
                    ) -> ::core::result::Result<
                        ::core::result::Result<::core::option::Option<String>, Error>,
                        ::airssys_wasm::Error,
                    > {
                        let (
                            result,
                        ): (
                            ::core::result::Result<
                                ::core::option::Option<String>,
                                Error,
                            >,
                        ) = self.mix.call_typed(store, (s, v, o, r, e))?;

                        ::core::result::Result::Ok(result)
                    }

                    pub fn call_lists(
                        &self,
                        store: impl AsContextMut,
                        a: &[::std::string::String],
                        b: ::core::option::Option<&[String]>,
                        c: (Ok, Err, &None, &Some),
                    ) -> ::core::result::Result<
                        ::std::string::String,
                        ::airssys_wasm::Error,
                    > {
                        let (result,): (::std::string::String,) = self
                            .lists
                            .call_typed(store, (a, b, c))?;

                        ::core::result::Result::Ok(result)
                    }

                    #[allow(clippy::too_many_arguments)]
                    pub fn call_rest(
                        &self,
                        store: impl AsContextMut,
                        a: &Send,
                        b: &Sync,
                        c: &Sized,
                        d: &Copy,
                        e: &Fn,
                        f: &Clone,
                        g: &Debug,
                        h: &Box,
                    ) -> ::core::result::Result<Ordering, ::airssys_wasm::Error> {
                        let (result,): (Ordering,) = self
                            .rest
                            .call_typed(store, (a, b, c, d, e, f, g, h))?;

                        ::core::result::Result::Ok(result)
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> ::core::result::Result<Func, ::airssys_wasm::Error> {
                        let func = instance
                            .try_get_func(store, &["fixture:prelude/shadows", name])?;
                        func.typecheck::<P, R>()?;

                        ::core::result::Result::Ok(func)
                    }
                }
            }
        }
    }
}
