#[derive(Debug)]
pub enum Session {}

#[derive(
    Debug,
    ::airssys_wasm::component::ComponentType,
    ::airssys_wasm::component::Lower,
    ::airssys_wasm::component::Lift
)]
#[component(record)]
pub struct Login {
    #[component(name = "session")]
    pub session: ::airssys_wasm::component::Resource<Session>,
    #[component(name = "at")]
    pub at: u64,
}

/// The host's implementation of the resource `session` of the world `resources-world`.
pub trait HostSession {
    fn new(&mut self, user: String) -> ::airssys_wasm::component::Resource<Session>;

    fn user(&mut self, self_: ::airssys_wasm::component::Resource<Session>) -> String;

    fn open(&mut self) -> ::airssys_wasm::component::Resource<Session>;

    /// Called when the component drops an owned handle.
    fn drop(
        &mut self,
        rep: ::airssys_wasm::component::Resource<Session>,
    ) -> ::airssys_wasm::component::HostResult<()>;
}

impl<H: HostSession + ?Sized> HostSession for &mut H {
    fn new(&mut self, user: String) -> ::airssys_wasm::component::Resource<Session> {
        HostSession::new(*self, user)
    }

    fn user(&mut self, self_: ::airssys_wasm::component::Resource<Session>) -> String {
        HostSession::user(*self, self_)
    }

    fn open(&mut self) -> ::airssys_wasm::component::Resource<Session> {
        HostSession::open(*self)
    }

    fn drop(
        &mut self,
        rep: ::airssys_wasm::component::Resource<Session>,
    ) -> ::airssys_wasm::component::HostResult<()> {
        HostSession::drop(*self, rep)
    }
}

/// The host's implementation of the world `resources-world`.
pub trait ResourcesWorldImports: HostSession {
    fn current(&mut self) -> Login;
}

impl<H: ResourcesWorldImports + ?Sized> ResourcesWorldImports for &mut H {
    fn current(&mut self) -> Login {
        ResourcesWorldImports::current(*self)
    }
}

/// A resource that the world itself imports.
#[derive(Clone, Debug)]
pub struct ResourcesWorld {
    visit: ::airssys_wasm::component::Func,
    take: ::airssys_wasm::component::Func,
}

impl ResourcesWorld {
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
            visit: Self::find::<
                (::airssys_wasm::component::Resource<Session>,),
                (String,),
            >(&mut store, instance, "visit")?,
            take: Self::find::<(&Login,), ()>(&mut store, instance, "take")?,
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
        for<'a> D::Data<'a>: ResourcesWorldImports,
    {
        let mut root = linker.root();
        root.resource(
            "session",
            ::airssys_wasm::component::ResourceType::host::<Session>(),
            move |mut cx, rep| {
                HostSession::drop(
                    &mut host(cx.data_mut()),
                    ::airssys_wasm::component::Resource::new_own(rep),
                )
            },
        )?;
        root.func_wrap(
            "current",
            move |mut cx, (): ()| {
                Ok((ResourcesWorldImports::current(&mut host(cx.data_mut())),))
            },
        )?;
        root.func_wrap(
            "[constructor]session",
            move |mut cx, (user,): (String,)| {
                Ok((HostSession::new(&mut host(cx.data_mut()), user),))
            },
        )?;
        root.func_wrap(
            "[method]session.user",
            move |mut cx, (self_,): (::airssys_wasm::component::Resource<Session>,)| {
                Ok((HostSession::user(&mut host(cx.data_mut()), self_),))
            },
        )?;
        root.func_wrap(
            "[static]session.open",
            move |mut cx, (): ()| { Ok((HostSession::open(&mut host(cx.data_mut())),)) },
        )?;
        Ok(())
    }

    pub fn call_visit(
        &self,
        store: impl ::airssys_wasm::component::AsContextMut,
        session: ::airssys_wasm::component::Resource<Session>,
    ) -> ::core::result::Result<String, ::airssys_wasm::Error> {
        let (result,): (String,) = self.visit.call_typed(store, (session,))?;
        Ok(result)
    }

    pub fn call_take(
        &self,
        store: impl ::airssys_wasm::component::AsContextMut,
        login: &Login,
    ) -> ::core::result::Result<(), ::airssys_wasm::Error> {
        self.take.call_typed(store, (login,))
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
