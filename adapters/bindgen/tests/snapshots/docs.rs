/// About the world.
#[derive(Clone, Debug)]
pub struct Docs {
    go: ::airssys_wasm::component::Func,
}

impl Docs {
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
            go: Self::find::<(), ()>(&mut store, instance, "go")?,
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
        for<'a> D::Data<'a>: self::fixture::docs::documented::Host,
    {
        self::fixture::docs::documented::add_to_linker::<T, D>(linker, host)?;
        Ok(())
    }

    /// About the world's function.
    pub fn call_go(
        &self,
        store: impl ::airssys_wasm::component::AsContextMut,
    ) -> ::core::result::Result<(), ::airssys_wasm::Error> {
        self.go.call_typed(store, ())
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
    pub mod docs {
        /// About the interface.
        ///
        /// With a second paragraph, `code`, and a block:
        ///
        /// ```text
        /// let this = "not a test";
        /// ```
        ///
        /// ```wit
        /// record other {}
        /// ```
        pub mod documented {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

            /// About the record: "quotes", \backslashes\ and {braces}.
            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Thing {
                /// About the field.
                #[component(name = "field")]
                pub field: u8,
            }

            /// The host's implementation of `fixture:docs/documented@0.1.0`.
            pub trait Host {
                /// About the function, in a block.
                ///   - indented
                fn act(&mut self, thing: Thing) -> Thing;
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn act(&mut self, thing: Thing) -> Thing {
                    Host::act(*self, thing)
                }
            }

            /// Defines `fixture:docs/documented@0.1.0` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker.instance("fixture:docs/documented@0.1.0")?;
                interface
                    .func_wrap(
                        "act",
                        move |mut cx, (thing,): (Thing,)| {
                            Ok((Host::act(&mut host(cx.data_mut()), thing),))
                        },
                    )?;
                Ok(())
            }
        }
    }
}
