//! Row P9: computations of guests, and their speed with each compiler.

use crate::guests;
use crate::measure::{Plan, Side, compare};
use crate::ours;
use crate::reference;
use crate::rows::{Figure, Row};
use airssys_wasm::engine::Backend;
use anyhow::{Result, ensure};
use std::hint::black_box;

/// The guest's computations, compiled into this program to know the results and the speed of native code.
#[path = "../../guests/kernels/src/kernels.rs"]
mod native;

/// The side of the same code, compiled for this machine.
pub(crate) const NATIVE: &str = "native";

/// The interface that the guest exports.
pub(crate) const COMPUTE: &str = "fixtures:kernels/compute";

/// One of the guest's functions, with its argument.
#[derive(Debug)]
pub(crate) struct Kernel {
    pub(crate) name: &'static str,
    pub(crate) size: u32,
    native: fn(u32) -> u64,
}

impl Kernel {
    pub(crate) fn answer(&self) -> u64 {
        (self.native)(self.size)
    }

    /// Measures the code that is compiled into this program, with the optimization of its profile.
    fn side(&self) -> Side<'static> {
        let Kernel { size, native, .. } = *self;
        Side::new(NATIVE, move |times| {
            for _ in 0..times {
                black_box(black_box(native)(black_box(size)));
            }
            Ok(())
        })
    }
}

const fn kernel(name: &'static str, native: fn(u32) -> u64, size: u32) -> Kernel {
    Kernel { name, size, native }
}

/// Arguments with which each takes some milliseconds.
const KERNELS: &[Kernel] = &[
    kernel("fib", native::fib, 35),
    kernel("matrix", native::matrix, 200),
    kernel("sha256", native::sha256, 512),
    kernel("quicksort", native::quicksort, 100_000),
    kernel("sieve", native::sieve, 2_000_000),
    kernel("base64", native::base64, 1024),
    kernel("mandelbrot", native::mandelbrot, 200),
    kernel("memory", native::memory, 2000),
    kernel("hash-table", native::hash_table, 300_000),
    kernel("tree", native::tree, 20_000),
    kernel("text", native::text, 1024),
    kernel("bodies", native::bodies, 30_000),
];

/// Measures each computation, and the geometric mean of all.
pub(crate) fn measure(backend: Backend, plan: Plan) -> Result<Vec<Figure>> {
    let guest = guests::fixture("kernels")?;
    let mut ours = ours::Compute::new(backend, &guest)?;
    let mut reference = reference::Compute::new(&guest)?;
    let mut figures = Vec::new();
    let mut all = Vec::new();
    for kernel in KERNELS {
        let case = format!("{}({})", kernel.name, kernel.size);
        eprintln!("P9 {case}, {backend}");
        let sides = vec![ours.kernel(kernel)?, reference.kernel(kernel)?, kernel.side()];
        let took = compare(sides, plan)?;
        figures.push(Figure::new(Row::P9, case, backend, "ns", &took)?.without_goal());
        all.push(took);
    }
    figures.push(Figure::new(
        Row::P9,
        "geometric mean",
        backend,
        "ns",
        &geometric_mean(&all)?,
    )?);
    Ok(figures)
}

/// Returns each side's mean. The mean of the ratios is the ratio of the means.
fn geometric_mean(all: &[Vec<(&'static str, f64)>]) -> Result<Vec<(&'static str, f64)>> {
    let mut logarithms: Vec<(&'static str, f64)> = Vec::new();
    for took in all {
        for (side, took) in took {
            match logarithms.iter_mut().find(|(name, _)| name == side) {
                Some((_, sum)) => *sum += took.ln(),
                None => logarithms.push((side, took.ln())),
            }
        }
    }
    ensure!(!all.is_empty(), "a mean of nothing");
    let count = all.len() as f64;
    Ok(logarithms
        .into_iter()
        .map(|(side, sum)| (side, (sum / count).exp()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::geometric_mean;

    #[test]
    fn the_ratio_of_the_means_is_the_mean_of_the_ratios() {
        let all = [vec![("a", 2.0), ("b", 1.0)], vec![("a", 4.0), ("b", 8.0)]];
        let means = geometric_mean(&all).expect("there are two");
        let [("a", a), ("b", b)] = means[..] else {
            panic!("{means:?}")
        };
        assert!((a - 8f64.sqrt()).abs() < 1e-12 && (b - 8f64.sqrt()).abs() < 1e-12);
    }
}
