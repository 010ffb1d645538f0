//! The rows: measured operations, and their goals.

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
    /// From a precompiled file to the first answer, small guest
    P6,
    /// The whole process of a program, from its start to its printed answer
    P6b,
    /// From a precompiled file to the first answer, large guests
    P7,
    /// The first verification of a precompiled file
    P7a,
    /// From a precompiled file that is not in the page cache to the first answer
    P7b,
    /// From a snapshot to the first answer, beside the artifact that it is made from
    P7s,
    /// One more instance
    P8,
    /// A guest's computations
    P9,
    /// Compiling a large guest
    P10,
    /// Resident memory of one more idle instance
    P11,
    /// A message from component to component
    P12,
    /// A check of a capability, with its audit
    P13,
    /// Resident memory and start of one more idle actor
    P14,
    /// Requests to an actor that is replaced, or beside others that are flooded
    P16,
    /// A call of an asynchronous function that does not wait
    P17,
    /// A chunk of 64 KiB of a stream, from the host to a guest
    P18,
    /// A task that gives way: its stack is suspended and resumed
    P19,
}

/// Rows that share a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Calls across the boundary.
    Calls,
    /// Compiling, loading, instantiating, computing.
    Lives,
    /// Checks of capabilities.
    Checks,
    /// Components as actors.
    Actors,
}

impl Row {
    pub(crate) const ALL: &[Row] = &[
        Row::P1,
        Row::P2,
        Row::P3,
        Row::P4,
        Row::P5,
        Row::P6,
        Row::P6b,
        Row::P7,
        Row::P7a,
        Row::P7b,
        Row::P7s,
        Row::P8,
        Row::P9,
        Row::P10,
        Row::P11,
        Row::P12,
        Row::P13,
        Row::P14,
        Row::P16,
        Row::P17,
        Row::P18,
        Row::P19,
    ];

    pub(crate) fn group(self) -> Group {
        match self {
            Row::P1 | Row::P2 | Row::P3 | Row::P4 | Row::P5 | Row::P17 | Row::P18 | Row::P19 => Group::Calls,
            Row::P12 | Row::P14 | Row::P16 => Group::Actors,
            Row::P13 => Group::Checks,
            _ => Group::Lives,
        }
    }

    /// Returns the backends among `available` that are measured by default.
    pub(crate) fn backends(self, available: &[Backend]) -> Vec<Backend> {
        let wanted = |backend: &&Backend| match self {
            Row::P9 | Row::P10 | Row::P12 => true,
            // The start of a program and its reading of a file hardly depend on the compiler.
            Row::P6b | Row::P7b => **backend == Backend::Cranelift,
            _ => **backend != Backend::Singlepass,
        };
        available.iter().filter(wanted).copied().collect()
    }

    /// Returns the goal: the largest accepted fraction of wasmtime's time or memory.
    pub(crate) fn goal(self, backend: Backend) -> Option<f64> {
        match (self, backend) {
            (Row::P1 | Row::P2, _) => Some(0.5),
            (Row::P3, _) => Some(0.7),
            (Row::P4, _) => Some(0.02),
            (Row::P5, _) => Some(0.6),
            (Row::P6b, _) => Some(0.8),
            (Row::P17, _) => Some(0.5),
            (Row::P18, _) => Some(0.67),
            (Row::P6 | Row::P7 | Row::P8 | Row::P11, _) => Some(1.0),
            (Row::P9, Backend::Llvm) => Some(0.75),
            (Row::P10, Backend::Cranelift) => Some(1.0),
            (Row::P10, Backend::Singlepass) => Some(0.15),
            (Row::P12, _) => Some(crate::messages::GOAL),
            (
                Row::P7a
                | Row::P7b
                | Row::P7s
                | Row::P9
                | Row::P10
                | Row::P13
                | Row::P14
                | Row::P16
                | Row::P19,
                _,
            ) => None,
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The results of one case.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) row: Row,
    pub(crate) case: String,
    pub(crate) backend: &'static str,
    pub(crate) ours: f64,
    /// `None` for a case without a counterpart on wasmtime.
    pub(crate) wasmtime: Option<f64>,
    /// Our figure divided by wasmtime's.
    pub(crate) ratio: Option<f64>,
    /// `None` for cases without a goal, which explain others.
    pub(crate) goal: Option<f64>,
    /// wasmtime without its support for concurrency.
    pub(crate) wasmtime_sync: Option<f64>,
    /// Our figure divided by that.
    pub(crate) ratio_sync: Option<f64>,
    /// wasmtime with its pooling allocator.
    pub(crate) wasmtime_pooling: Option<f64>,
    /// Our figure divided by that.
    pub(crate) ratio_pooling: Option<f64>,
    /// The same code compiled for this machine by `rustc`.
    pub(crate) native: Option<f64>,
    /// Our figure divided by that.
    pub(crate) ratio_native: Option<f64>,
    /// `ns` or `bytes`.
    pub(crate) unit: &'static str,
    /// The same with hand-written calls of the core module, with the same backend and no component model.
    pub(crate) wasmer: Option<f64>,
    /// Only its core calls, without copies in or out: a lower bound for any host.
    pub(crate) guest: Option<f64>,
    /// Set if airssys-wasm was built to interrupt guests.
    pub(crate) interrupt: bool,
    /// A counterpart that is ours, too: `ratio` is by it.
    pub(crate) beside: Option<f64>,
    /// Goal for the difference from that.
    pub(crate) goal_above: Option<f64>,
    /// The largest accepted figure, in its unit.
    pub(crate) most: Option<f64>,
}

impl Figure {
    /// Builds a figure from each side's result, by its name.
    pub(crate) fn new(
        row: Row,
        case: impl Into<String>,
        backend: Backend,
        unit: &'static str,
        figures: &[(&'static str, f64)],
    ) -> Result<Figure> {
        let find = |name: &str| {
            figures
                .iter()
                .find(|(side, _)| *side == name)
                .map(|(_, took)| *took)
        };
        let ours = find(crate::ours::NAME).context("ours was not measured")?;
        let ratio = |theirs: Option<f64>| theirs.map(|theirs| ours / theirs);
        let wasmtime = find(crate::reference::NAME);
        let sync = find(crate::reference::SYNC);
        let pooling = find(crate::reference::POOLING);
        let native = find(crate::kernels::NATIVE);
        Ok(Figure {
            row,
            case: case.into(),
            backend: backend.name(),
            ours,
            wasmtime,
            ratio: ratio(wasmtime),
            goal: row.goal(backend).filter(|_| wasmtime.is_some()),
            wasmtime_sync: sync,
            ratio_sync: ratio(sync),
            wasmtime_pooling: pooling,
            ratio_pooling: ratio(pooling),
            native,
            ratio_native: ratio(native),
            unit,
            wasmer: find(crate::bare::NAME),
            guest: find(crate::bare::GUEST),
            interrupt: cfg!(feature = "interrupt"),
            beside: None,
            goal_above: None,
            most: None,
        })
    }

    /// Builds a figure of two sides that are both ours. `goal` is the largest accepted fraction, `above` the largest
    /// difference.
    pub(crate) fn beside(
        row: Row,
        case: impl Into<String>,
        backend: Backend,
        figures: &[(&'static str, f64)],
        (ours, beside): (&'static str, &'static str),
        unit: &'static str,
        (goal, above): (Option<f64>, Option<f64>),
    ) -> Result<Figure> {
        let find = |name: &str| {
            let found = figures.iter().find(|(side, _)| *side == name);
            found
                .map(|(_, took)| *took)
                .with_context(|| format!("{name} was not measured"))
        };
        let (ours, beside) = (find(ours)?, find(beside)?);
        let figure = Figure::new(row, case, backend, unit, &[(crate::ours::NAME, ours)])?;
        Ok(Figure {
            ratio: Some(ours / beside),
            goal,
            beside: Some(beside),
            goal_above: above,
            ..figure
        })
    }

    /// Reports whether the goals are met; `None` without a goal.
    pub(crate) fn is_met(&self) -> Option<bool> {
        if let Some(most) = self.most {
            return Some(self.ours <= most);
        }
        let met = self.ratio? <= self.goal?;
        let above = |goal: f64| self.beside.is_some_and(|beside| self.ours - beside <= goal);
        Some(met && self.goal_above.is_none_or(above))
    }

    /// Returns the same figure with a goal of its own, in its unit.
    pub(crate) fn at_most(self, most: f64) -> Figure {
        Figure {
            most: Some(most),
            ..self
        }
    }

    /// Returns the same figure without a goal.
    pub(crate) fn without_goal(self) -> Figure {
        Figure { goal: None, ..self }
    }
}
