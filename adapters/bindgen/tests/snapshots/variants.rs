/// An instance of the world `variants`.
#[derive(Clone, Debug)]
pub struct Variants {
    fixture_variants_choices: self::exports::fixture::variants::choices::Guest,
}

impl Variants {
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
            fixture_variants_choices: self::exports::fixture::variants::choices::Guest::new(
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
        for<'a> D::Data<'a>: self::fixture::variants::choices::Host,
    {
        self::fixture::variants::choices::add_to_linker::<T, D>(linker, host)?;
        Ok(())
    }

    /// The functions of `fixture:variants/choices`.
    pub fn fixture_variants_choices(
        &self,
    ) -> &self::exports::fixture::variants::choices::Guest {
        &self.fixture_variants_choices
    }
}

pub mod fixture {
    pub mod variants {
        pub mod choices {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum Filter {
                #[component(name = "none")]
                None,
                #[component(name = "all")]
                All,
                #[component(name = "some")]
                Some(Vec<String>),
                #[component(name = "nested")]
                Nested(Option<Result<u32, String>>),
            }

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum Colour {
                #[component(name = "red")]
                Red,
                #[component(name = "green")]
                Green,
                #[component(name = "blue")]
                Blue,
            }

            impl ::core::fmt::Display for Colour {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for Colour {}

            /// Why it failed.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum Failure {
                #[component(name = "denied")]
                Denied(String),
                #[component(name = "timeout")]
                Timeout,
            }

            impl ::core::fmt::Display for Failure {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    write!(f, "{self:?}")
                }
            }

            impl ::core::error::Error for Failure {}

            /// The host's implementation of `fixture:variants/choices`.
            pub trait Host {
                fn choose(&mut self, filter: Filter, colour: Colour) -> Filter;

                fn paint(&mut self, colour: Option<Colour>) -> Result<Colour, Failure>;

                fn try_it(
                    &mut self,
                    value: Result<Filter, Colour>,
                ) -> Result<(), Failure>;

                fn plain(&mut self) -> Result<(), ()>;

                fn ok_only(&mut self, value: Result<String, ()>) -> Result<String, ()>;

                fn err_only(&mut self, value: Result<(), String>) -> Result<(), String>;

                fn colour_error(&mut self) -> Result<u8, Colour>;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn choose(&mut self, filter: Filter, colour: Colour) -> Filter {
                    Host::choose(*self, filter, colour)
                }

                fn paint(&mut self, colour: Option<Colour>) -> Result<Colour, Failure> {
                    Host::paint(*self, colour)
                }

                fn try_it(
                    &mut self,
                    value: Result<Filter, Colour>,
                ) -> Result<(), Failure> {
                    Host::try_it(*self, value)
                }

                fn plain(&mut self) -> Result<(), ()> {
                    Host::plain(*self)
                }

                fn ok_only(&mut self, value: Result<String, ()>) -> Result<String, ()> {
                    Host::ok_only(*self, value)
                }

                fn err_only(&mut self, value: Result<(), String>) -> Result<(), String> {
                    Host::err_only(*self, value)
                }

                fn colour_error(&mut self) -> Result<u8, Colour> {
                    Host::colour_error(*self)
                }
            }

            /// Defines `fixture:variants/choices` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:variants/choices")?;
                interface
                    .func_wrap(
                        "choose",
                        move |mut cx, (filter, colour): (Filter, Colour)| {
                            Ok((Host::choose(&mut host(cx.data_mut()), filter, colour),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "paint",
                        move |mut cx, (colour,): (Option<Colour>,)| {
                            Ok((Host::paint(&mut host(cx.data_mut()), colour),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "try-it",
                        move |mut cx, (value,): (Result<Filter, Colour>,)| {
                            Ok((Host::try_it(&mut host(cx.data_mut()), value),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "plain",
                        move |mut cx, (): ()| {
                            Ok((Host::plain(&mut host(cx.data_mut())),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "ok-only",
                        move |mut cx, (value,): (Result<String, ()>,)| {
                            Ok((Host::ok_only(&mut host(cx.data_mut()), value),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "err-only",
                        move |mut cx, (value,): (Result<(), String>,)| {
                            Ok((Host::err_only(&mut host(cx.data_mut()), value),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "colour-error",
                        move |mut cx, (): ()| {
                            Ok((Host::colour_error(&mut host(cx.data_mut())),))
                        },
                    )?;
                Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod fixture {
        pub mod variants {
            pub mod choices {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, ComponentType, Func, Instance, Lift, LiftList, Lower,
                    LowerList,
                };

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(variant)]
                pub enum Filter {
                    #[component(name = "none")]
                    None,
                    #[component(name = "all")]
                    All,
                    #[component(name = "some")]
                    Some(Vec<String>),
                    #[component(name = "nested")]
                    Nested(Option<Result<u32, String>>),
                }

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(enum)]
                pub enum Colour {
                    #[component(name = "red")]
                    Red,
                    #[component(name = "green")]
                    Green,
                    #[component(name = "blue")]
                    Blue,
                }

                impl ::core::fmt::Display for Colour {
                    fn fmt(
                        &self,
                        f: &mut ::core::fmt::Formatter<'_>,
                    ) -> ::core::fmt::Result {
                        write!(f, "{self:?}")
                    }
                }

                impl ::core::error::Error for Colour {}

                /// Why it failed.
                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(variant)]
                pub enum Failure {
                    #[component(name = "denied")]
                    Denied(String),
                    #[component(name = "timeout")]
                    Timeout,
                }

                impl ::core::fmt::Display for Failure {
                    fn fmt(
                        &self,
                        f: &mut ::core::fmt::Formatter<'_>,
                    ) -> ::core::fmt::Result {
                        write!(f, "{self:?}")
                    }
                }

                impl ::core::error::Error for Failure {}

                /// The functions of `fixture:variants/choices`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    choose: Func,
                    paint: Func,
                    try_it: Func,
                    plain: Func,
                    ok_only: Func,
                    err_only: Func,
                    colour_error: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            choose: Self::find::<
                                (&Filter, Colour),
                                (Filter,),
                            >(&mut store, instance, "choose")?,
                            paint: Self::find::<
                                (Option<Colour>,),
                                (Result<Colour, Failure>,),
                            >(&mut store, instance, "paint")?,
                            try_it: Self::find::<
                                (Result<&Filter, Colour>,),
                                (Result<(), Failure>,),
                            >(&mut store, instance, "try-it")?,
                            plain: Self::find::<
                                (),
                                (Result<(), ()>,),
                            >(&mut store, instance, "plain")?,
                            ok_only: Self::find::<
                                (Result<&str, ()>,),
                                (Result<String, ()>,),
                            >(&mut store, instance, "ok-only")?,
                            err_only: Self::find::<
                                (Result<(), &str>,),
                                (Result<(), String>,),
                            >(&mut store, instance, "err-only")?,
                            colour_error: Self::find::<
                                (),
                                (Result<u8, Colour>,),
                            >(&mut store, instance, "colour-error")?,
                        })
                    }

                    pub fn call_choose(
                        &self,
                        store: impl AsContextMut,
                        filter: &Filter,
                        colour: Colour,
                    ) -> Result<Filter, Error> {
                        let (result,): (Filter,) = self
                            .choose
                            .call_typed(store, (filter, colour))?;
                        Ok(result)
                    }

                    pub fn call_paint(
                        &self,
                        store: impl AsContextMut,
                        colour: Option<Colour>,
                    ) -> Result<Result<Colour, Failure>, Error> {
                        let (result,): (Result<Colour, Failure>,) = self
                            .paint
                            .call_typed(store, (colour,))?;
                        Ok(result)
                    }

                    pub fn call_try_it(
                        &self,
                        store: impl AsContextMut,
                        value: Result<&Filter, Colour>,
                    ) -> Result<Result<(), Failure>, Error> {
                        let (result,): (Result<(), Failure>,) = self
                            .try_it
                            .call_typed(store, (value,))?;
                        Ok(result)
                    }

                    pub fn call_plain(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<Result<(), ()>, Error> {
                        let (result,): (Result<(), ()>,) = self
                            .plain
                            .call_typed(store, ())?;
                        Ok(result)
                    }

                    pub fn call_ok_only(
                        &self,
                        store: impl AsContextMut,
                        value: Result<&str, ()>,
                    ) -> Result<Result<String, ()>, Error> {
                        let (result,): (Result<String, ()>,) = self
                            .ok_only
                            .call_typed(store, (value,))?;
                        Ok(result)
                    }

                    pub fn call_err_only(
                        &self,
                        store: impl AsContextMut,
                        value: Result<(), &str>,
                    ) -> Result<Result<(), String>, Error> {
                        let (result,): (Result<(), String>,) = self
                            .err_only
                            .call_typed(store, (value,))?;
                        Ok(result)
                    }

                    pub fn call_colour_error(
                        &self,
                        store: impl AsContextMut,
                    ) -> Result<Result<u8, Colour>, Error> {
                        let (result,): (Result<u8, Colour>,) = self
                            .colour_error
                            .call_typed(store, ())?;
                        Ok(result)
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(store, &["fixture:variants/choices", name])?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }
        }
    }
}
