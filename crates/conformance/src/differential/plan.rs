//! Plan of a batch, derived from its seed.

use std::fmt::Write;

use airssys_wasm_component::engine::Backend;

use super::compare::{Exchange, Finding, Side};
use super::draw::Draw;
use super::generate::{self, ANY};
use super::guest::Encoding;
use super::ours::{Compiled, Ours};
use super::random::Random;
use super::reference::Reference;
use super::typed::{self, TypedOurs};
use super::types::Batch;

/// Functions of a single component, and of a composed one.
const FUNCTIONS: usize = 24;
const COMPOSED_FUNCTIONS: usize = 12;
/// Functions of a component whose types have Rust types.
const TYPED_FUNCTIONS: usize = 16;

/// A batch: a component's types, and its structure.
#[derive(Debug)]
pub struct Plan {
    pub seed: u64,
    pub batch: Batch,
    /// One encoding for each inner component, the one next to the host first.
    pub encodings: Vec<Encoding>,
    /// The functions' positions in the catalogue of Rust types.
    pub typed: Option<Vec<usize>>,
}

impl Plan {
    pub fn new(seed: u64) -> Plan {
        let mut random = Random::new(seed);
        let parts = match random.below(12) {
            0..3 => 2,
            3 => 3,
            _ => 1,
        };
        let encodings = (0..parts).map(|_| random.pick(Encoding::ALL)).collect();
        let typed: Option<Vec<usize>> = random.once_in(4).then(|| {
            let first = random.below(typed::TYPES);
            (first..first + TYPED_FUNCTIONS)
                .map(|index| index % typed::TYPES)
                .collect()
        });
        let batch = match &typed {
            Some(types) => typed::catalogue().select(types),
            None if parts == 1 => generate::batch(&mut random, ANY, FUNCTIONS),
            None => generate::batch(&mut random, ANY, COMPOSED_FUNCTIONS),
        };
        Plan {
            seed,
            batch,
            encodings,
            typed,
        }
    }

    /// Instantiates the component on every engine. Engines that refuse it are reported to `refused` and left out.
    pub fn sides(
        &self,
        component: &[u8],
        backends: &[Backend],
        mut refused: impl FnMut(Finding),
    ) -> Vec<Box<dyn Side>> {
        let functions = self.batch.functions.len();
        let mut sides: Vec<Box<dyn Side>> = Vec::new();
        let mut add = |name: &str, side: anyhow::Result<Box<dyn Side>>| match side {
            Ok(side) => sides.push(side),
            Err(error) => refused(Finding {
                side: name.to_owned(),
                what: format!("the component is refused: {error:#}"),
            }),
        };
        add(
            "wasmtime",
            Reference::new(component, functions).map(|side| Box::new(side) as _),
        );
        for backend in backends {
            let compiled = match Compiled::new(*backend, component, functions) {
                Ok(compiled) => compiled,
                Err(error) => {
                    add(backend.name(), Err(error));
                    continue;
                }
            };
            add(
                backend.name(),
                Ours::new(&compiled).map(|side| Box::new(side) as _),
            );
            if let Some(types) = &self.typed {
                add(
                    &format!("{backend}, typed"),
                    TypedOurs::new(&compiled, types).map(|side| Box::new(side) as _),
                );
            }
        }
        sides
    }

    /// Draws a value for a function. The host replies to some with another one.
    pub fn exchange(&self, random: &mut Random, function: usize) -> Exchange {
        let mut draw = Draw::new(random);
        let params = self.batch.functions[function].iter();
        let params = params.map(|ty| draw.value(ty)).collect();
        let other = random.once_in(4);
        let reply = other.then(|| Draw::new(random).value(&self.batch.result(function)));
        Exchange { params, reply }
    }

    /// Returns a function in WIT, with the types that it uses.
    pub fn describe(&self, function: usize) -> String {
        let result = self.batch.result(function);
        let mut text = self.batch.declarations(&result);
        text += "func(";
        for (index, ty) in self.batch.functions[function].iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let _ = write!(text, "{comma}p{index}: {ty}");
        }
        let _ = write!(text, ") -> {result}");
        text
    }

    /// Returns the encodings as text.
    pub fn encodings(&self) -> String {
        let names: Vec<String> = self.encodings.iter().map(Encoding::to_string).collect();
        names.join(", ")
    }
}
