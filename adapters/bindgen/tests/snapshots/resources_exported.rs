/// An instance of the world `resources-exported`.
#[derive(Clone, Debug)]
pub struct ResourcesExported {
    fixture_resources_exported_stacks: self::exports::fixture::resources_exported::stacks::Guest,
}

impl ResourcesExported {
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
            fixture_resources_exported_stacks: self::exports::fixture::resources_exported::stacks::Guest::new(
                &mut store,
                instance,
            )?,
        })
    }

    /// The functions of `fixture:resources-exported/stacks`.
    pub fn fixture_resources_exported_stacks(
        &self,
    ) -> &self::exports::fixture::resources_exported::stacks::Guest {
        &self.fixture_resources_exported_stacks
    }
}

pub mod exports {
    pub mod fixture {
        pub mod resources_exported {
            pub mod stacks {
                use ::airssys_wasm::Error;
                use ::airssys_wasm::component::{
                    AsContextMut, ComponentType, Func, Instance, Lift, LiftList, Lower,
                    LowerList, ResourceAny,
                };

                pub type Stack = ResourceAny;
                pub type Token = ResourceAny;

                #[derive(Clone, Debug, ComponentType, Lower, Lift)]
                #[component(record)]
                pub struct Labelled {
                    #[component(name = "label")]
                    pub label: String,
                    #[component(name = "stack")]
                    pub stack: ResourceAny,
                }

                /// The functions of `fixture:resources-exported/stacks`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    constructor_stack: Func,
                    method_stack_push: Func,
                    method_stack_pop: Func,
                    static_stack_of: Func,
                    join: Func,
                    label: Func,
                    relabel: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            constructor_stack: Self::find::<
                                (u32,),
                                (ResourceAny,),
                            >(&mut store, instance, "[constructor]stack")?,
                            method_stack_push: Self::find::<
                                (ResourceAny, &str),
                                (Result<(), String>,),
                            >(&mut store, instance, "[method]stack.push")?,
                            method_stack_pop: Self::find::<
                                (ResourceAny,),
                                (Option<String>,),
                            >(&mut store, instance, "[method]stack.pop")?,
                            static_stack_of: Self::find::<
                                (&[String],),
                                (ResourceAny,),
                            >(&mut store, instance, "[static]stack.of")?,
                            join: Self::find::<
                                (ResourceAny, ResourceAny),
                                (ResourceAny,),
                            >(&mut store, instance, "join")?,
                            label: Self::find::<
                                (ResourceAny, &str),
                                (Labelled,),
                            >(&mut store, instance, "label")?,
                            relabel: Self::find::<
                                (&Labelled, &[ResourceAny]),
                                (Result<Labelled, ResourceAny>,),
                            >(&mut store, instance, "relabel")?,
                        })
                    }

                    pub fn call_join(
                        &self,
                        store: impl AsContextMut,
                        a: ResourceAny,
                        b: ResourceAny,
                    ) -> Result<ResourceAny, Error> {
                        let (result,): (ResourceAny,) = self
                            .join
                            .call_typed(store, (a, b))?;
                        Ok(result)
                    }

                    pub fn call_label(
                        &self,
                        store: impl AsContextMut,
                        stack: ResourceAny,
                        label: &str,
                    ) -> Result<Labelled, Error> {
                        let (result,): (Labelled,) = self
                            .label
                            .call_typed(store, (stack, label))?;
                        Ok(result)
                    }

                    pub fn call_relabel(
                        &self,
                        store: impl AsContextMut,
                        labelled: &Labelled,
                        extras: &[ResourceAny],
                    ) -> Result<Result<Labelled, ResourceAny>, Error> {
                        let (result,): (Result<Labelled, ResourceAny>,) = self
                            .relabel
                            .call_typed(store, (labelled, extras))?;
                        Ok(result)
                    }

                    /// The functions of the resource `stack`.
                    pub fn stack(&self) -> GuestStack<'_> {
                        GuestStack { guest: self }
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(
                                store,
                                &["fixture:resources-exported/stacks", name],
                            )?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }

                /// The functions of the resource `stack`.
                #[derive(Clone, Copy, Debug)]
                pub struct GuestStack<'a> {
                    guest: &'a Guest,
                }

                impl GuestStack<'_> {
                    pub fn call_constructor(
                        &self,
                        store: impl AsContextMut,
                        capacity: u32,
                    ) -> Result<ResourceAny, Error> {
                        let (result,): (ResourceAny,) = self
                            .guest
                            .constructor_stack
                            .call_typed(store, (capacity,))?;
                        Ok(result)
                    }

                    pub fn call_push(
                        &self,
                        store: impl AsContextMut,
                        self_: ResourceAny,
                        value: &str,
                    ) -> Result<Result<(), String>, Error> {
                        let (result,): (Result<(), String>,) = self
                            .guest
                            .method_stack_push
                            .call_typed(store, (self_, value))?;
                        Ok(result)
                    }

                    pub fn call_pop(
                        &self,
                        store: impl AsContextMut,
                        self_: ResourceAny,
                    ) -> Result<Option<String>, Error> {
                        let (result,): (Option<String>,) = self
                            .guest
                            .method_stack_pop
                            .call_typed(store, (self_,))?;
                        Ok(result)
                    }

                    pub fn call_of(
                        &self,
                        store: impl AsContextMut,
                        values: &[String],
                    ) -> Result<ResourceAny, Error> {
                        let (result,): (ResourceAny,) = self
                            .guest
                            .static_stack_of
                            .call_typed(store, (values,))?;
                        Ok(result)
                    }
                }
            }
        }
    }
}
