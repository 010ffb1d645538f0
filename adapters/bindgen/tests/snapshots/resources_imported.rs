pub type BorrowIt = self::fixture::resources_imported::counters::Counter;

/// An instance of the world `resources-imported`.
#[derive(Clone, Debug)]
pub struct ResourcesImported {
    run: ::airssys_wasm::component::Func,
}

impl ResourcesImported {
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
            run: Self::find::<
                (::airssys_wasm::component::Resource<BorrowIt>,),
                (u32,),
            >(&mut store, instance, "run")?,
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
        for<'a> D::Data<'a>: self::fixture::resources_imported::counters::Host,
    {
        self::fixture::resources_imported::counters::add_to_linker::<
            T,
            D,
        >(linker, host)?;
        Ok(())
    }

    pub fn call_run(
        &self,
        store: impl ::airssys_wasm::component::AsContextMut,
        counter: ::airssys_wasm::component::Resource<BorrowIt>,
    ) -> ::core::result::Result<u32, ::airssys_wasm::Error> {
        let (result,): (u32,) = self.run.call_typed(store, (counter,))?;
        Ok(result)
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
    pub mod resources_imported {
        pub mod counters {
            use ::airssys_wasm::Error;
            use ::airssys_wasm::component::{
                ComponentType, HasData, HostResult, Lift, Linker, Lower, Resource,
                ResourceType,
            };

            /// Counts.
            #[derive(Debug)]
            pub enum Counter {}

            #[derive(Debug)]
            pub enum Plain {}

            #[derive(Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Named {
                #[component(name = "name")]
                pub name: String,
                #[component(name = "counter")]
                pub counter: Resource<Counter>,
            }

            #[derive(Debug, ComponentType, Lower, Lift)]
            #[component(record)]
            pub struct Lent {
                #[component(name = "counter")]
                pub counter: Resource<Counter>,
            }

            #[derive(Debug, ComponentType, Lower, Lift)]
            #[component(variant)]
            pub enum Holder {
                #[component(name = "nobody")]
                Nobody,
                #[component(name = "one")]
                One(Resource<Counter>),
                #[component(name = "many")]
                Many(Vec<Resource<Counter>>),
            }

            /// The host's implementation of the resource `counter` of `fixture:resources-imported/counters`.
            pub trait HostCounter {
                /// Starts at `start`.
                fn new(&mut self, start: u32) -> Resource<Counter>;

                /// Adds one.
                fn increment(&mut self, self_: Resource<Counter>) -> u32;

                fn add(&mut self, self_: Resource<Counter>, other: Resource<Counter>);

                fn merge(
                    &mut self,
                    a: Resource<Counter>,
                    b: Resource<Counter>,
                ) -> Resource<Counter>;

                /// Called when the component drops an owned handle.
                fn drop(&mut self, rep: Resource<Counter>) -> HostResult<()>;
            }

            impl<H: HostCounter + ?Sized> HostCounter for &mut H {
                fn new(&mut self, start: u32) -> Resource<Counter> {
                    HostCounter::new(*self, start)
                }

                fn increment(&mut self, self_: Resource<Counter>) -> u32 {
                    HostCounter::increment(*self, self_)
                }

                fn add(&mut self, self_: Resource<Counter>, other: Resource<Counter>) {
                    HostCounter::add(*self, self_, other)
                }

                fn merge(
                    &mut self,
                    a: Resource<Counter>,
                    b: Resource<Counter>,
                ) -> Resource<Counter> {
                    HostCounter::merge(*self, a, b)
                }

                fn drop(&mut self, rep: Resource<Counter>) -> HostResult<()> {
                    HostCounter::drop(*self, rep)
                }
            }

            /// The host's implementation of the resource `plain` of `fixture:resources-imported/counters`.
            pub trait HostPlain {
                /// Called when the component drops an owned handle.
                fn drop(&mut self, rep: Resource<Plain>) -> HostResult<()>;
            }

            impl<H: HostPlain + ?Sized> HostPlain for &mut H {
                fn drop(&mut self, rep: Resource<Plain>) -> HostResult<()> {
                    HostPlain::drop(*self, rep)
                }
            }

            /// The host's implementation of `fixture:resources-imported/counters`.
            pub trait Host: HostCounter + HostPlain {
                fn largest(&mut self, counters: Vec<Resource<Counter>>) -> Option<u32>;

                fn give(&mut self, named: Named) -> Result<Resource<Counter>, String>;

                fn show(&mut self, lent: Lent) -> Holder;

                fn swap(
                    &mut self,
                    a: Option<Resource<Counter>>,
                    b: Resource<Plain>,
                ) -> (Resource<Plain>, Option<Resource<Counter>>);
            }

            impl<H: Host + ?Sized> Host for &mut H {
                fn largest(&mut self, counters: Vec<Resource<Counter>>) -> Option<u32> {
                    Host::largest(*self, counters)
                }

                fn give(&mut self, named: Named) -> Result<Resource<Counter>, String> {
                    Host::give(*self, named)
                }

                fn show(&mut self, lent: Lent) -> Holder {
                    Host::show(*self, lent)
                }

                fn swap(
                    &mut self,
                    a: Option<Resource<Counter>>,
                    b: Resource<Plain>,
                ) -> (Resource<Plain>, Option<Resource<Counter>>) {
                    Host::swap(*self, a, b)
                }
            }

            /// Defines `fixture:resources-imported/counters` in `linker`. `host` finds the host's part in a store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut Linker<T>,
                host: impl Fn(&mut T) -> D::Data<'_> + Send + Sync + Copy + 'static,
            ) -> Result<(), Error>
            where
                T: Send + 'static,
                D: HasData,
                for<'a> D::Data<'a>: Host,
            {
                let mut interface = linker
                    .instance("fixture:resources-imported/counters")?;
                interface
                    .resource(
                        "counter",
                        ResourceType::host::<Counter>(),
                        move |mut cx, rep| {
                            HostCounter::drop(
                                &mut host(cx.data_mut()),
                                Resource::new_own(rep),
                            )
                        },
                    )?;
                interface
                    .resource(
                        "plain",
                        ResourceType::host::<Plain>(),
                        move |mut cx, rep| {
                            HostPlain::drop(
                                &mut host(cx.data_mut()),
                                Resource::new_own(rep),
                            )
                        },
                    )?;
                interface
                    .func_wrap(
                        "largest",
                        move |mut cx, (counters,): (Vec<Resource<Counter>>,)| {
                            Ok((Host::largest(&mut host(cx.data_mut()), counters),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "give",
                        move |mut cx, (named,): (Named,)| {
                            Ok((Host::give(&mut host(cx.data_mut()), named),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "show",
                        move |mut cx, (lent,): (Lent,)| {
                            Ok((Host::show(&mut host(cx.data_mut()), lent),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "swap",
                        move |
                            mut cx,
                            (a, b): (Option<Resource<Counter>>, Resource<Plain>)|
                        { Ok((Host::swap(&mut host(cx.data_mut()), a, b),)) },
                    )?;
                interface
                    .func_wrap(
                        "[constructor]counter",
                        move |mut cx, (start,): (u32,)| {
                            Ok((HostCounter::new(&mut host(cx.data_mut()), start),))
                        },
                    )?;
                interface
                    .func_wrap(
                        "[method]counter.increment",
                        move |mut cx, (self_,): (Resource<Counter>,)| {
                            Ok((
                                HostCounter::increment(&mut host(cx.data_mut()), self_),
                            ))
                        },
                    )?;
                interface
                    .func_wrap(
                        "[method]counter.add",
                        move |
                            mut cx,
                            (self_, other): (Resource<Counter>, Resource<Counter>)|
                        {
                            HostCounter::add(&mut host(cx.data_mut()), self_, other);
                            Ok(())
                        },
                    )?;
                interface
                    .func_wrap(
                        "[static]counter.merge",
                        move |mut cx, (a, b): (Resource<Counter>, Resource<Counter>)| {
                            Ok((HostCounter::merge(&mut host(cx.data_mut()), a, b),))
                        },
                    )?;
                Ok(())
            }
        }
    }
}
