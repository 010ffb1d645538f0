/// Interfaces that are defined where they are used.
#[derive(Clone, Debug)]
pub struct InlineInterfaces {
    shop: self::exports::shop::Guest,
    exports: self::exports::exports::Guest,
}

impl InlineInterfaces {
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
            shop: self::exports::shop::Guest::new(&mut store, instance)?,
            exports: self::exports::exports::Guest::new(&mut store, instance)?,
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
        for<'a> D::Data<'a>: self::console::Host + self::exports::Host,
    {
        self::console::add_to_linker::<T, D>(linker, host)?;
        self::exports::add_to_linker::<T, D>(linker, host)?;
        Ok(())
    }

    /// The functions of `shop`.
    pub fn shop(&self) -> &self::exports::shop::Guest {
        &self.shop
    }

    /// The functions of `exports`.
    pub fn exports(&self) -> &self::exports::exports::Guest {
        &self.exports
    }
}

pub mod console {
    use ::airssys_wasm::Error;
    use ::airssys_wasm::component::{ComponentType, HasData, Lift, Linker, Lower};

    #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
    #[component(enum)]
    pub enum Stream {
        #[component(name = "out")]
        Out,
        #[component(name = "err")]
        Err,
    }

    /// The host's implementation of `console`.
    pub trait Host {
        fn print(&mut self, text: String, to: Stream);
    }

    impl<H: Host + ?Sized> Host for &mut H {
        fn print(&mut self, text: String, to: Stream) {
            Host::print(*self, text, to)
        }
    }

    /// Defines `console` in `linker`. `host` finds the host's part in a store's data.
    pub fn add_to_linker<T, D>(
        linker: &mut Linker<T>,
        host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
    ) -> Result<(), Error>
    where
        T: Send + 'static,
        D: HasData,
        for<'a> D::Data<'a>: Host,
    {
        let mut interface = linker.instance("console")?;
        interface
            .func_wrap(
                "print",
                move |mut cx, (text, to): (String, Stream)| {
                    Host::print(&mut host(cx.data_mut()), text, to);
                    Ok(())
                },
            )?;
        Ok(())
    }
}

/// Also called like the module of exports.
pub mod exports {
    use ::airssys_wasm::Error;
    use ::airssys_wasm::component::{HasData, Linker};

    /// The host's implementation of `exports`.
    pub trait Host {
        fn ping(&mut self) -> u8;
    }

    impl<H: Host + ?Sized> Host for &mut H {
        fn ping(&mut self) -> u8 {
            Host::ping(*self)
        }
    }

    /// Defines `exports` in `linker`. `host` finds the host's part in a store's data.
    pub fn add_to_linker<T, D>(
        linker: &mut Linker<T>,
        host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
    ) -> Result<(), Error>
    where
        T: Send + 'static,
        D: HasData,
        for<'a> D::Data<'a>: Host,
    {
        let mut interface = linker.instance("exports")?;
        interface
            .func_wrap(
                "ping",
                move |mut cx, (): ()| { Ok((Host::ping(&mut host(cx.data_mut())),)) },
            )?;
        Ok(())
    }

    pub mod shop {
        use ::airssys_wasm::Error;
        use ::airssys_wasm::component::{
            AsContextMut, Func, Instance, LiftList, LowerList,
        };

        pub type Item = super::super::fixture::inline_interfaces::types::Item;

        /// The functions of `shop`, found in one instance.
        #[derive(Clone, Debug)]
        pub struct Guest {
            buy: Func,
        }

        impl Guest {
            /// Finds the functions in `instance`, and checks their types.
            pub fn new(
                mut store: impl AsContextMut,
                instance: &Instance,
            ) -> Result<Self, Error> {
                Ok(Self {
                    buy: Self::find::<
                        (&Item,),
                        (Result<Item, String>,),
                    >(&mut store, instance, "buy")?,
                })
            }

            pub fn call_buy(
                &self,
                store: impl AsContextMut,
                item: &Item,
            ) -> Result<Result<Item, String>, Error> {
                let (result,): (Result<Item, String>,) = self
                    .buy
                    .call_typed(store, (item,))?;
                Ok(result)
            }

            fn find<P: LowerList, R: LiftList>(
                store: impl AsContextMut,
                instance: &Instance,
                name: &str,
            ) -> Result<Func, Error> {
                let func = instance.try_get_func(store, &["shop", name])?;
                func.typecheck::<P, R>()?;
                Ok(func)
            }
        }
    }

    pub mod exports {
        use ::airssys_wasm::Error;
        use ::airssys_wasm::component::{
            AsContextMut, Func, Instance, LiftList, LowerList,
        };

        /// The functions of `exports`, found in one instance.
        #[derive(Clone, Debug)]
        pub struct Guest {
            pong: Func,
        }

        impl Guest {
            /// Finds the functions in `instance`, and checks their types.
            pub fn new(
                mut store: impl AsContextMut,
                instance: &Instance,
            ) -> Result<Self, Error> {
                Ok(Self {
                    pong: Self::find::<(), (u8,)>(&mut store, instance, "pong")?,
                })
            }

            pub fn call_pong(&self, store: impl AsContextMut) -> Result<u8, Error> {
                let (result,): (u8,) = self.pong.call_typed(store, ())?;
                Ok(result)
            }

            fn find<P: LowerList, R: LiftList>(
                store: impl AsContextMut,
                instance: &Instance,
                name: &str,
            ) -> Result<Func, Error> {
                let func = instance.try_get_func(store, &["exports", name])?;
                func.typecheck::<P, R>()?;
                Ok(func)
            }
        }
    }
}

pub mod fixture {
    pub mod inline_interfaces {
        pub mod types {
            use ::airssys_wasm::component::{ComponentType, Lift, Lower};

            #[derive(Clone, Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Item {
                #[component(name = "id")]
                pub id: u32,
            }
        }
    }
}
