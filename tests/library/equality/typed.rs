//! One type's typed path, with the type erased.

use std::any::Any;

use airssys_wasm::Result;
use airssys_wasm::component::{Func, Lift, LinkerInstance, Lower, Store};

use super::guest::{Cx, Host};

/// A typed value.
pub(crate) type Value = Box<dyn Any>;

pub(crate) struct Case {
    /// Defines a host function that returns its argument.
    pub(crate) define_echo: fn(&mut LinkerInstance<'_, Host>, &str) -> Result<()>,
    /// Calls a function from the type to itself.
    pub(crate) echo: fn(&mut Store<Host>, &Func, &dyn Any) -> Result<Value>,
    /// Calls a function without parameters that returns the type.
    pub(crate) make: fn(&mut Store<Host>, &Func) -> Result<Value>,
}

impl Case {
    pub(crate) fn of<T: Lower + Lift + Any>() -> Case {
        Case {
            define_echo: |host, name| host.func_wrap(name, |_: Cx<'_>, (value,): (T,)| Ok((value,))),
            echo: |store, func, value| {
                let value: &T = value.downcast_ref().expect("a value of the case's own");
                let (back,) = func.typed::<(&T,), (T,)>(&*store)?.call(store, (value,))?;
                Ok(Box::new(back))
            },
            make: |store, func| {
                let (value,) = func.typed::<(), (T,)>(&*store)?.call(store, ())?;
                Ok(Box::new(value))
            },
        }
    }
}
