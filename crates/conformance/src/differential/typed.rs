//! Our backends, with Rust types: those of a WIT file that is generated from a seed.

use std::any::Any;
use std::fmt::Write;

use airssys_wasm_component::component::{Func, Lift, LinkerInstance, Lower, Store, StoreContextMut};
use anyhow::{Context as _, Result};

use super::compare::{Exchange, Place, Side};
use super::generate::{self, RUST};
use super::ours::{CallForm, Compiled, Host, Linked, val};
use super::random::Random;
use super::types::Batch;
use super::values::Value;

/// The types in Rust.
mod rust {
    airssys_wasm_component::component::bindgen!("values-only" in "wit/differential");
}

/// Number of types.
pub const TYPES: usize = 64;

const SEED: u64 = 64;

/// Returns the types of the WIT file, `t0` to the last.
pub fn catalogue() -> Batch {
    generate::batch(&mut Random::new(SEED), RUST, TYPES)
}

/// Returns the text of the WIT file.
pub fn wit() -> String {
    let batch = catalogue();
    let all: Vec<usize> = (0..TYPES).collect();
    let mut types = String::new();
    for declared in &batch.select(&all).declared {
        let _ = writeln!(types, "    {declared}");
    }
    for (index, params) in batch.functions.iter().enumerate() {
        for ty in params {
            let _ = writeln!(types, "    type t{index} = {ty};");
        }
    }
    format!(
        "// Generated from a seed by tests/differential.rs; run it with BLESS=1 to regenerate this file.\n\
         package differential:types;\n\ninterface values {{\n{types}}}\n\nworld values-only {{\n    import values;\n}}\n"
    )
}

type Typed = Box<dyn Any + Send>;

/// A type's typed path, with the type erased.
#[derive(Clone, Copy)]
struct Case {
    /// Defines a host function that keeps its argument and returns it.
    define: fn(&mut LinkerInstance<'_, Host>, &str) -> airssys_wasm_component::Result<()>,
    /// Calls a function with a typed value, and returns the result.
    call: fn(&mut Store<Host>, &Func, &Typed) -> Result<Typed>,
}

fn case<T: Lower + Lift + Clone + Send + 'static>() -> Case {
    Case {
        define: |host, name| {
            host.func_wrap(name, |mut cx: StoreContextMut<'_, Host>, (value,): (T,)| {
                cx.data_mut().typed = Some(Box::new(value.clone()));
                Ok((value,))
            })
        },
        call: |store, func, value| {
            let value: &T = value.downcast_ref().context("a value of another type")?;
            let (back,) = func.typed::<(&T,), (T,)>(&store)?.call(store, (value,))?;
            Ok(Box::new(back))
        },
    }
}

macro_rules! cases {
    ($($name:ident)*) => {
        [$(case::<rust::differential::types::values::$name>()),*]
    };
}

fn cases() -> [Case; TYPES] {
    cases! {
        T0 T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14 T15
        T16 T17 T18 T19 T20 T21 T22 T23 T24 T25 T26 T27 T28 T29 T30 T31
        T32 T33 T34 T35 T36 T37 T38 T39 T40 T41 T42 T43 T44 T45 T46 T47
        T48 T49 T50 T51 T52 T53 T54 T55 T56 T57 T58 T59 T60 T61 T62 T63
    }
}

/// A component with functions of some of the types, on both kinds of host functions.
pub struct TypedOurs {
    name: String,
    cases: Vec<Case>,
    dynamic: Linked,
    typed: Linked,
}

impl std::fmt::Debug for TypedOurs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TypedOurs")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl TypedOurs {
    /// Links the component; `types` are the positions of the functions' types in the catalogue.
    ///
    /// # Errors
    /// If the component does not link.
    pub fn new(compiled: &Compiled, types: &[usize]) -> Result<TypedOurs> {
        let all = cases();
        let cases = types
            .iter()
            .map(|index| all.get(*index).copied().context("a type"));
        let cases: Vec<Case> = cases.collect::<Result<_>>()?;
        Ok(TypedOurs {
            name: format!("{}, typed", compiled.backend()),
            dynamic: Linked::dynamic(compiled)?,
            typed: Linked::new(compiled, |host, index, name| match cases.get(index) {
                Some(case) => (case.define)(host, name),
                None => Ok(()),
            })?,
            cases,
        })
    }
}

impl Side for TypedOurs {
    fn name(&self) -> &str {
        &self.name
    }

    /// Runs all four pairings of callers and hosts with dynamic values and Rust types.
    fn call(&mut self, function: usize, exchange: &Exchange) -> Result<Vec<(Place, Value)>> {
        let case = *self.cases.get(function).context("a function")?;
        let call = |linked: &mut Linked, value: &Typed| {
            linked.run(function, |store, func| (case.call)(store, func, value))
        };
        let params: Vec<_> = exchange
            .params
            .iter()
            .map(|value| val(value, CallForm::Lifted))
            .collect();
        let through_typed = self.typed.call(function, &params, None)?;
        let lifted = self.typed.seen_typed()?;

        let back = call(&mut self.dynamic, &lifted)?;
        let of_typed = self.dynamic.seen()?;

        let twice = call(&mut self.typed, &back)?;

        call(&mut self.dynamic, &back)?;
        let of_result = self.dynamic.seen()?;
        call(&mut self.dynamic, &twice)?;
        let of_both = self.dynamic.seen()?;
        Ok(vec![
            (Place::TypedHost, through_typed),
            (Place::HostOfTyped, of_typed),
            (Place::HostOfTypedResult, of_result),
            (Place::HostOfTypedBoth, of_both),
        ])
    }
}
