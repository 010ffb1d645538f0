#[allow(dead_code)]
type WithFixtureUseChainsFirstEntry = my::Entry;

/// Exports what the others use, too.
#[derive(Clone, Debug)]
pub struct AllExported {
    fixture_use_chains_second: self::exports::fixture::use_chains::second::Guest,
    fixture_use_chains_third: self::exports::fixture::use_chains::third::Guest,
}

impl AllExported {
    /// Instantiates `component`, and finds its exports.
    pub fn instantiate<T: Send + 'static>(
        mut store: impl crate::host::component::AsContextMut<Data = T>,
        component: &crate::host::component::Component,
        linker: &crate::host::component::Linker<T>,
    ) -> ::core::result::Result<Self, crate::host::Error> {
        let instance = linker.instantiate(&mut store, component)?;
        Self::new(&mut store, &instance)
    }

    /// Finds the exports of `instance`, and checks their types.
    pub fn new(
        mut store: impl crate::host::component::AsContextMut,
        instance: &crate::host::component::Instance,
    ) -> ::core::result::Result<Self, crate::host::Error> {
        Ok(Self {
            fixture_use_chains_second: self::exports::fixture::use_chains::second::Guest::new(
                &mut store,
                instance,
            )?,
            fixture_use_chains_third: self::exports::fixture::use_chains::third::Guest::new(
                &mut store,
                instance,
            )?,
        })
    }

    /// The functions of `fixture:use-chains/second`.
    pub fn fixture_use_chains_second(
        &self,
    ) -> &self::exports::fixture::use_chains::second::Guest {
        &self.fixture_use_chains_second
    }

    /// The functions of `fixture:use-chains/third`.
    pub fn fixture_use_chains_third(
        &self,
    ) -> &self::exports::fixture::use_chains::third::Guest {
        &self.fixture_use_chains_third
    }
}

pub mod exports {
    pub mod fixture {
        pub mod use_chains {
            pub mod first {
                use crate::host::component::{ComponentType, Lift, Lower};

                pub type Entry = super::super::super::super::WithFixtureUseChainsFirstEntry;

                #[derive(Clone, Copy, Debug, PartialEq, Eq, ComponentType, Lower, Lift)]
                #[component(crate = crate::host)]
                #[component(enum)]
                pub enum Mode {
                    #[component(name = "once")]
                    Once,
                    #[component(name = "always")]
                    Always,
                }

                pub type Entries = Vec<Entry>;
            }

            pub mod second {
                use crate::host::Error;
                use crate::host::component::{
                    AsContextMut, Func, Instance, LiftList, LowerList,
                };

                pub type Entry = super::first::Entry;
                pub type Entries = super::first::Entries;
                pub type How = super::first::Mode;
                pub type EntryOrKey = Result<Entry, String>;

                /// The functions of `fixture:use-chains/second`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    look: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            look: Self::find::<
                                (How,),
                                (EntryOrKey,),
                            >(&mut store, instance, "look")?,
                        })
                    }

                    pub fn call_look(
                        &self,
                        store: impl AsContextMut,
                        how: How,
                    ) -> Result<EntryOrKey, Error> {
                        let (result,): (EntryOrKey,) = self
                            .look
                            .call_typed(store, (how,))?;
                        Ok(result)
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(store, &["fixture:use-chains/second", name])?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }

            pub mod third {
                use crate::host::Error;
                use crate::host::component::{
                    AsContextMut, Func, Instance, LiftList, LowerList,
                };

                pub type Item = super::second::Entry;
                pub type EntryOrKey = super::second::EntryOrKey;
                pub type Mode = super::second::How;
                pub type Items = Vec<Item>;

                /// The functions of `fixture:use-chains/third`, found in one instance.
                #[derive(Clone, Debug)]
                pub struct Guest {
                    all: Func,
                    entries: Func,
                }

                impl Guest {
                    /// Finds the functions in `instance`, and checks their types.
                    pub fn new(
                        mut store: impl AsContextMut,
                        instance: &Instance,
                    ) -> Result<Self, Error> {
                        Ok(Self {
                            all: Self::find::<
                                (&[Item], Mode),
                                (Option<EntryOrKey>,),
                            >(&mut store, instance, "all")?,
                            entries: Self::find::<
                                (Mode,),
                                (Items,),
                            >(&mut store, instance, "entries")?,
                        })
                    }

                    pub fn call_all(
                        &self,
                        store: impl AsContextMut,
                        items: &[Item],
                        mode: Mode,
                    ) -> Result<Option<EntryOrKey>, Error> {
                        let (result,): (Option<EntryOrKey>,) = self
                            .all
                            .call_typed(store, (items, mode))?;
                        Ok(result)
                    }

                    pub fn call_entries(
                        &self,
                        store: impl AsContextMut,
                        how: Mode,
                    ) -> Result<Items, Error> {
                        let (result,): (Items,) = self
                            .entries
                            .call_typed(store, (how,))?;
                        Ok(result)
                    }

                    fn find<P: LowerList, R: LiftList>(
                        store: impl AsContextMut,
                        instance: &Instance,
                        name: &str,
                    ) -> Result<Func, Error> {
                        let func = instance
                            .try_get_func(store, &["fixture:use-chains/third", name])?;
                        func.typecheck::<P, R>()?;
                        Ok(func)
                    }
                }
            }
        }
    }
}
