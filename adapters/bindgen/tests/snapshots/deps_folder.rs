/// An instance of the world `deps-folder`.
#[derive(Clone, Debug)]
pub struct DepsFolder {
    fixture_deps_folder_painting: self::exports::fixture::deps_folder::painting::Guest,
}

impl DepsFolder {
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
            fixture_deps_folder_painting: self::exports::fixture::deps_folder::painting::Guest::new(
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
        >: self::dep::colours::palette::Host + self::dep::single::only::Host,
    {
        self::dep::colours::palette::add_to_linker::<T, D>(linker, host)?;
        self::dep::single::only::add_to_linker::<T, D>(linker, host)?;
        Ok(())
    }

    /// The functions of `fixture:deps-folder/painting`.
    pub fn fixture_deps_folder_painting(
        &self,
    ) -> &self::exports::fixture::deps_folder::painting::Guest {
        &self.fixture_deps_folder_painting
    }
}

pub mod dep {
    pub mod colours {
        pub mod shades {
            use ::airssys_wasm::component::{ComponentType, Lift, Lower};

            #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
            #[component(enum)]
            pub enum Shade {
                #[component(name = "light")]
                Light,
                #[component(name = "dark")]
                Dark,
            }
        }

        pub mod palette {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

            pub type Shade = super::shades::Shade;

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Colour {
                #[component(name = "name")]
                pub name: String,
                #[component(name = "shade")]
                pub shade: Shade,
            }

            /// The host's implementation of `dep:colours/palette@2.0.0`.
            pub trait Host {
                fn pick(&mut self, name: String) -> Option<Colour>;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn pick(&mut self, name: String) -> Option<Colour> {
                    Host::pick(*self, name)
                }
            }

            /// Defines `dep:colours/palette@2.0.0` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("dep:colours/palette@2.0.0")?;
                interface
                    .func_wrap(
                        "pick",
                        move |mut cx, (name,): (String,)| {
                            Ok((Host::pick(&mut host(cx.data_mut()), name),))
                        },
                    )?;
                Ok(())
            }
        }
    }

    pub mod single {
        pub mod only {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{HasData, Linker};

            /// The host's implementation of `dep:single/only`.
            pub trait Host {
                fn run(&mut self);
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn run(&mut self) {
                    Host::run(*self)
                }
            }

            /// Defines `dep:single/only` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("dep:single/only")?;
                interface
                    .func_wrap(
                        "run",
                        move |mut cx, (): ()| {
                            Host::run(&mut host(cx.data_mut()));
                            Ok(())
                        },
                    )?;
                Ok(())
            }
        }
    }
}

pub mod exports {
    pub mod fixture {
        pub mod deps_folder {
            pub mod painting {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, Func, Instance, LiftList, LowerList,
                };

                pub type Colour = super::super::super::super::dep::colours::palette::Colour;

                /// The functions of `fixture:deps-folder/painting`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    paint: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            paint: Self::find::<
                                (&Colour,),
                                (Result<u8, String>,),
                            >(&mut store, instance, "paint")?,
                        })
                    }

                    pub fn call_paint(
                        &self,
                        store: impl AsContextMut,
                        with: &Colour,
                    ) -> Result<Result<u8, String>, Error> {
                        let (result,): (Result<u8, String>,) = self
                            .paint
                            .call_typed(store, (with,))?;
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
                                &["fixture:deps-folder/painting", name],
                            )?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }
        }
    }
}
