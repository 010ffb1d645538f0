/// What went by.
#[derive(
    Clone,
    Debug,
    ::airssys_wasm::component::ComponentType,
    ::airssys_wasm::component::Lower,
    ::airssys_wasm::component::Lift
)]
#[component(record)]
pub struct Event {
    #[component(name = "name")]
    pub name: String,
    #[component(name = "at")]
    pub at: u64,
}

#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    ::airssys_wasm::component::ComponentType,
    ::airssys_wasm::component::Lower,
    ::airssys_wasm::component::Lift
)]
#[component(enum)]
pub enum Level {
    #[component(name = "low")]
    Low,
    #[component(name = "high")]
    High,
}

#[derive(
    Clone,
    Debug,
    ::airssys_wasm::component::ComponentType,
    ::airssys_wasm::component::Lower,
    ::airssys_wasm::component::Lift
)]
#[component(variant)]
pub enum Problem {
    #[component(name = "lost")]
    Lost(String),
    #[component(name = "late")]
    Late,
}

impl ::core::fmt::Display for Problem {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl ::core::error::Error for Problem {}

pub type Names = Vec<String>;

/// The host's implementation of the world `world-functions`.
pub trait WorldFunctionsImports {
    /// Tells the host.
    fn notify(
        &mut self,
        event: Event,
        level: Level,
    ) -> ::core::result::Result<u32, Problem>;

    fn quiet(&mut self);
}

impl<H: WorldFunctionsImports + ?Sized> WorldFunctionsImports for &mut H {
    fn notify(
        &mut self,
        event: Event,
        level: Level,
    ) -> ::core::result::Result<u32, Problem> {
        WorldFunctionsImports::notify(*self, event, level)
    }

    fn quiet(&mut self) {
        WorldFunctionsImports::quiet(*self)
    }
}

/// Functions and types of the world's own.
#[derive(Clone, Debug)]
pub struct WorldFunctions {
    handle: ::airssys_wasm::component::Func,
    store: ::airssys_wasm::component::Func,
    new: ::airssys_wasm::component::Func,
}

impl WorldFunctions {
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
            handle: Self::find::<
                (&Event, &[String], Option<Level>),
                (::core::result::Result<Names, Problem>,),
            >(&mut store, instance, "handle")?,
            store: Self::find::<(&str, u8), (String,)>(&mut store, instance, "store")?,
            new: Self::find::<(), ()>(&mut store, instance, "new")?,
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
        for<'a> D::Data<'a>: WorldFunctionsImports,
    {
        let mut root = linker.root();
        root.func_wrap(
            "notify",
            move |mut cx, (event, level): (Event, Level)| {
                Ok((
                    WorldFunctionsImports::notify(
                        &mut host(cx.data_mut()),
                        event,
                        level,
                    ),
                ))
            },
        )?;
        root.func_wrap(
            "quiet",
            move |mut cx, (): ()| {
                WorldFunctionsImports::quiet(&mut host(cx.data_mut()));
                Ok(())
            },
        )?;
        Ok(())
    }

    /// Answers.
    pub fn call_handle(
        &self,
        store: impl ::airssys_wasm::component::AsContextMut,
        event: &Event,
        names: &[String],
        level: Option<Level>,
    ) -> ::core::result::Result<
        ::core::result::Result<Names, Problem>,
        ::airssys_wasm::Error,
    > {
        let (result,): (::core::result::Result<Names, Problem>,) = self
            .handle
            .call_typed(store, (event, names, level))?;
        Ok(result)
    }

    pub fn call_store(
        &self,
        store: impl ::airssys_wasm::component::AsContextMut,
        store_: &str,
        find: u8,
    ) -> ::core::result::Result<String, ::airssys_wasm::Error> {
        let (result,): (String,) = self.store.call_typed(store, (store_, find))?;
        Ok(result)
    }

    pub fn call_new(
        &self,
        store: impl ::airssys_wasm::component::AsContextMut,
    ) -> ::core::result::Result<(), ::airssys_wasm::Error> {
        self.new.call_typed(store, ())
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
