//! The rows: what is measured, against which goal.

use crate::bare::Bare;
use crate::host::Input;
use crate::measure::{Plan, Side, compare};
use crate::ours::Ours;
use crate::reference::Reference;
use airssys_wasm::engine::Backend;
use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::Serialize;
use std::fmt;

/// A row of the goals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(crate) enum Row {
    /// A typed call of two numbers
    P1,
    /// A typed call with 16 bytes and a record
    P2,
    /// A typed call with 64 KiB and 1 MiB
    P3,
    /// A call with dynamic values, 64 KiB
    P4,
    /// A call from the guest to the host
    P5,
}

impl Row {
    pub(crate) const ALL: &[Row] = &[Row::P1, Row::P2, Row::P3, Row::P4, Row::P5];

    /// What part of wasmtime's time we want to take at most.
    fn goal(self) -> f64 {
        match self {
            Row::P1 | Row::P2 => 0.5,
            Row::P3 => 0.7,
            Row::P4 => 0.02,
            Row::P5 => 0.6,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// What one case took.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) row: Row,
    pub(crate) case: &'static str,
    pub(crate) backend: &'static str,
    pub(crate) ours: f64,
    pub(crate) wasmtime: f64,
    /// Ours by wasmtime's.
    pub(crate) ratio: f64,
    pub(crate) goal: f64,
    /// wasmtime without its support for concurrency.
    pub(crate) wasmtime_sync: Option<f64>,
    /// Ours by that.
    pub(crate) ratio_sync: Option<f64>,
    pub(crate) unit: &'static str,
    /// The same by hand on the core module, with the same backend and no component model.
    pub(crate) wasmer: Option<f64>,
    /// The core calls of that alone, without copies in or out: what no host can save.
    pub(crate) guest: Option<f64>,
    /// Whether ours was built to interrupt guests.
    pub(crate) interrupt: bool,
}

/// Everyone who takes part, with one backend for those on wasmer.
#[derive(Debug)]
pub(crate) struct Sides {
    backend: Backend,
    ours: Ours,
    reference: Reference,
    /// The reference without support for concurrency, where it has that.
    sync: Option<Reference>,
    bare: Bare,
}

impl Sides {
    pub(crate) fn new(backend: Backend, guest: &[u8]) -> Result<Sides> {
        Ok(Sides {
            backend,
            ours: Ours::new(backend, guest)?,
            reference: Reference::new(guest)?,
            sync: Reference::sync(guest)?,
            bare: Bare::new(backend, guest)?,
        })
    }
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
    // A side of the second reference, if there is one.
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
        figure(row, name, sides.backend, compare(sides_of_case, plan)?)
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
    }
}

fn figure(
    row: Row,
    case: &'static str,
    backend: Backend,
    figures: Vec<(&'static str, f64)>,
) -> Result<Figure> {
    let find = |name: &str| figures.iter().find(|(side, _)| *side == name).map(|(_, ns)| *ns);
    let ours = find(crate::ours::NAME).context("ours was not measured")?;
    let wasmtime = find(crate::reference::NAME).context("wasmtime was not measured")?;
    let sync = find(crate::reference::SYNC);
    Ok(Figure {
        wasmtime_sync: sync,
        ratio_sync: sync.map(|sync| ours / sync),
        row,
        case,
        backend: backend.name(),
        ours,
        wasmtime,
        ratio: ours / wasmtime,
        goal: row.goal(),
        unit: "ns",
        wasmer: find(crate::bare::NAME),
        guest: find(crate::bare::GUEST),
        interrupt: cfg!(feature = "interrupt"),
    })
}
