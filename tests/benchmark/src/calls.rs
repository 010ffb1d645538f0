//! Rows P1 to P5 and P17 to P19: calls across the boundary.

use crate::asynchronous;
use crate::bare::Bare;
use crate::host::Input;
use crate::measure::{Plan, Side, compare};
use crate::ours::Ours;
use crate::reference::{Reference, Variant};
use crate::rows::{Figure, Row};
use airssys_wasm::engine::Backend;
use anyhow::{Result, bail};

/// All sides of a comparison, with one backend for those on wasmer.
#[derive(Debug)]
pub(crate) struct Sides {
    backend: Backend,
    ours: Ours,
    reference: Reference,
    /// The reference without support for concurrency, if wasmtime was built with it.
    sync: Option<Reference>,
    bare: Bare,
}

impl Sides {
    pub(crate) fn new(backend: Backend, guest: &[u8]) -> Result<Sides> {
        Ok(Sides {
            backend,
            ours: Ours::new(backend, guest)?,
            reference: Reference::new(Variant::Default, guest)?,
            sync: sync(guest)?,
            bare: Bare::new(backend, guest)?,
        })
    }
}

fn sync(guest: &[u8]) -> Result<Option<Reference>> {
    let there = Variant::ALL.contains(&Variant::Sync);
    there.then(|| Reference::new(Variant::Sync, guest)).transpose()
}

/// Measures the cases of a row.
pub(crate) fn measure(row: Row, sides: &Sides, plan: Plan) -> Result<Vec<Figure>> {
    let Sides {
        ours,
        reference,
        sync,
        bare,
        ..
    } = sides;
    // Adds a side for the second reference, if there is one.
    macro_rules! sides {
        ($call:ident($($argument:expr)?), $($side:expr),*) => {{
            let mut sides = vec![ours.$call($($argument)?)?, reference.$call($($argument)?)?, $($side),*];
            if let Some(sync) = sync {
                sides.push(sync.$call($($argument)?)?);
            }
            sides
        }};
    }
    let case = |name: &'static str, sides_of_case: Vec<Side<'_>>| -> Result<Figure> {
        eprintln!("{row} {name}, {}", sides.backend);
        Figure::new(row, name, sides.backend, "ns", &compare(sides_of_case, plan)?)
    };
    let execute = |name: &'static str, length: usize| -> Result<Figure> {
        let input = Input::new(length);
        case(
            name,
            sides!(
                execute(&input),
                bare.execute(&input)?,
                bare.guest_of_execute(&input)?
            ),
        )
    };
    match row {
        Row::P1 => Ok(vec![case("add(u32, u32)", sides!(add(), bare.add()?))?]),
        Row::P2 => Ok(vec![execute("execute, 16 B", 16)?]),
        Row::P3 => Ok(vec![
            execute("execute, 64 KiB", 64 << 10)?,
            execute("execute, 1 MiB", 1 << 20)?,
        ]),
        Row::P4 => {
            let input = Input::new(64 << 10);
            Ok(vec![case(
                "dynamic execute, 64 KiB",
                sides!(execute_dynamic(&input),),
            )?])
        }
        Row::P5 => Ok(vec![
            case("tick(u32) -> u32", sides!(call_host(), bare.call_host()?))?,
            case("log(string)", sides!(call_host_text(), bare.call_host_text()?))?,
        ]),
        Row::P17 | Row::P18 | Row::P19 => asynchronous::measure(row, sides.backend, plan),
        _ => bail!("{row} is no row of calls"),
    }
}
