//! Rows P6 to P8, P10 and P11: compiling, loading, instantiating, idling.

use crate::guests::{self, Guest};
use crate::idle::{self, Kind, Side as IdleSide};
use crate::load;
use crate::measure::{Plan, Side, compare};
use crate::ours;
use crate::reference::{self, Variant};
use crate::rows::{Figure, Row};
use airssys_wasm::artifact::PublicKey;
use airssys_wasm::engine::Backend;
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Idle actors for each idle instance of other rows.
const ACTORS: u32 = 50;
/// Goals for actors: the largest part of the memory of an instance, and nanoseconds of a start.
const ACTOR_MEMORY: f64 = 1.2;
const ACTOR_START: f64 = 30_000.0;

/// Goal for a snapshot: the largest part of the time of the artifact with `init`.
const SNAPSHOT: f64 = 0.25;

/// A folder for precompiled guests, accessible to this user only; removed on drop.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder> {
        let path = std::env::temp_dir().join(format!("airssys-wasm-benchmark-files-{}", std::process::id()));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} is left: {error}", self.0.display());
        }
    }
}

/// Settings of the measurement.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) plan: Plan,
    /// The folder with the large guests.
    pub(crate) guests: PathBuf,
    /// Lets LLVM compile the large guests, too.
    pub(crate) slow: bool,
    /// Number of idle instances.
    pub(crate) instances: u32,
}

/// Guests, precompiled once each for any number of rows.
#[derive(Debug)]
pub(crate) struct Lives {
    settings: Settings,
    folder: Folder,
    ours: HashMap<(Backend, Guest), (PathBuf, PublicKey)>,
    reference: HashMap<(&'static str, Guest), PathBuf>,
}

/// One guest on every side.
pub(crate) struct Deployed {
    pub(crate) ours: ours::Deployed,
    pub(crate) reference: Vec<reference::Deployed>,
}

impl Lives {
    pub(crate) fn new(settings: Settings) -> Result<Lives> {
        Ok(Lives {
            settings,
            folder: Folder::new()?,
            ours: HashMap::new(),
            reference: HashMap::new(),
        })
    }

    /// Returns the guests among `wanted` that can be measured with a backend.
    pub(crate) fn guests(&self, backend: Backend, wanted: &[Guest]) -> Result<Vec<Guest>> {
        let mut there = Vec::new();
        for guest in wanted {
            if guest.is_large() && backend == Backend::Llvm && !self.settings.slow {
                eprintln!("LEFT OUT: {guest} with {backend}, which takes minutes to compile it (--slow)");
            } else if guests::is_there(*guest, &self.settings.guests)? {
                there.push(*guest);
            }
        }
        Ok(there)
    }

    /// Writes the component to a file, for programs.
    pub(crate) fn written(&self, guest: Guest) -> Result<PathBuf> {
        let file = self.folder.0.join(format!("{}.wasm", guest.file()));
        fs::write(&file, self.component(guest)?)?;
        Ok(file)
    }

    fn component(&self, guest: Guest) -> Result<Vec<u8>> {
        guests::read(guest, &self.settings.guests)
    }

    pub(crate) fn our_file(&mut self, backend: Backend, guest: Guest) -> Result<(PathBuf, PublicKey)> {
        if let Some(known) = self.ours.get(&(backend, guest)) {
            return Ok(known.clone());
        }
        eprintln!("precompiling {guest}, {backend}");
        let file = self.folder.0.join(format!("{}.{backend}.cwasm", guest.file()));
        let signer = ours::precompile(backend, &self.component(guest)?, &file)?;
        self.ours.insert((backend, guest), (file.clone(), signer));
        Ok((file, signer))
    }

    fn reference_file(&mut self, variant: Variant, guest: Guest) -> Result<PathBuf> {
        let variant = variant.compiles_as();
        let key = (variant.name(), guest);
        if let Some(known) = self.reference.get(&key) {
            return Ok(known.clone());
        }
        eprintln!("precompiling {guest}, {}", variant.name());
        let file = format!("{}.{}.cwasm", guest.file(), variant.name().replace(' ', "-"));
        let file = self.folder.0.join(file);
        reference::precompile(variant, &self.component(guest)?, &file)?;
        self.reference.insert(key, file.clone());
        Ok(file)
    }

    fn our_side(&mut self, backend: Backend, guest: Guest) -> Result<ours::Deployed> {
        let (file, signer) = self.our_file(backend, guest)?;
        ours::Deployed::new(backend, &file, signer)
    }

    pub(crate) fn deployed(&mut self, backend: Backend, guest: Guest) -> Result<Deployed> {
        let ours = self.our_side(backend, guest)?;
        let mut reference = Vec::new();
        for variant in Variant::ALL {
            let file = self.reference_file(*variant, guest)?;
            reference.push(reference::Deployed::new(*variant, &file)?);
        }
        Ok(Deployed { ours, reference })
    }

    /// Measures the cases of a row.
    pub(crate) fn measure(&mut self, row: Row, backend: Backend) -> Result<Vec<Figure>> {
        match row {
            Row::P6 => self.cold(row, backend, &[Guest::Small]),
            Row::P7 => self.cold(row, backend, &[Guest::JavaScript, Guest::Python]),
            Row::P7a => self.verify(backend),
            Row::P7s => self.snapshots(backend),
            Row::P8 => self.again(backend),
            Row::P10 => self.compile(backend),
            Row::P11 => self.idle(backend),
            _ => bail!("{row} is measured elsewhere"),
        }
    }

    fn timed(&self, row: Row, case: &str, backend: Backend, sides: Vec<Side<'_>>) -> Result<Figure> {
        eprintln!("{row} {case}, {backend}");
        Figure::new(row, case, backend, "ns", &compare(sides, self.settings.plan)?)
    }

    fn cold(&mut self, row: Row, backend: Backend, wanted: &[Guest]) -> Result<Vec<Figure>> {
        let mut figures = Vec::new();
        for guest in self.guests(backend, wanted)? {
            let Deployed { ours, reference } = self.deployed(backend, guest)?;
            let mut sides = vec![ours.cold()?];
            for reference in &reference {
                sides.push(reference.cold()?);
            }
            figures.push(self.timed(row, &format!("{guest}, file to answer"), backend, sides)?);
        }
        Ok(figures)
    }

    fn verify(&mut self, backend: Backend) -> Result<Vec<Figure>> {
        let mut figures = Vec::new();
        for guest in self.guests(backend, Guest::ALL)? {
            let ours = self.our_side(backend, guest)?;
            let case = format!("{guest}, verification");
            figures.push(self.timed(Row::P7a, &case, backend, vec![ours.verify()?])?);
        }
        Ok(figures)
    }

    fn snapshots(&mut self, backend: Backend) -> Result<Vec<Figure>> {
        let mut figures = Vec::new();
        for guest in self.guests(backend, &[Guest::Processor, Guest::PythonProcessor])? {
            let (file, signer) = self.our_file(backend, guest)?;
            let both = ours::Snapshot::new(backend, &file, signer)?;
            eprintln!("{} {guest}, {backend}", Row::P7s);
            let took = compare(both.sides(), self.settings.plan)?;
            let figure = |name, goal| {
                let case = format!("{guest}, {name} to answer");
                let beside = (name, ours::ARTIFACT);
                Figure::beside(Row::P7s, case, backend, &took, beside, "ns", (goal, None))
            };
            figures.push(figure(ours::ARTIFACT, None)?);
            let goal = (guest == Guest::PythonProcessor).then_some(SNAPSHOT);
            figures.push(figure(ours::SNAPSHOT, goal)?);
        }
        Ok(figures)
    }

    fn again(&mut self, backend: Backend) -> Result<Vec<Figure>> {
        let mut figures = Vec::new();
        for guest in self.guests(backend, Guest::ALL)? {
            let Deployed { ours, reference } = self.deployed(backend, guest)?;
            for call in [false, true] {
                let mut sides = vec![ours.pooled(call)?, ours.again(call)?];
                for reference in &reference {
                    sides.push(reference.again(call)?);
                }
                let answer = if call { " and answer" } else { "" };
                let case = format!("{guest}, instance{answer}");
                let figure = self.timed(Row::P8, &case, backend, sides)?;
                figures.push(if call { figure.without_goal() } else { figure });
            }
        }
        Ok(figures)
    }

    fn compile(&self, backend: Backend) -> Result<Vec<Figure>> {
        let mut figures = Vec::new();
        for guest in self.guests(backend, &[Guest::JavaScript])? {
            let component = self.component(guest)?;
            let sides = vec![
                ours::compile(backend, &component)?,
                reference::compile(&component)?,
            ];
            figures.push(self.timed(Row::P10, &format!("{guest}, compile"), backend, sides)?);
        }
        Ok(figures)
    }

    fn idle(&mut self, backend: Backend) -> Result<Vec<Figure>> {
        if !idle::is_possible() {
            eprintln!("LEFT OUT: P11, since this system does not say what of a process is resident");
            return Ok(Vec::new());
        }
        let mut figures = Vec::new();
        for guest in self.guests(backend, &[Guest::Small, Guest::JavaScript])? {
            eprintln!("P11 {guest}, {backend}");
            let (file, signer) = self.our_file(backend, guest)?;
            let mut sides = vec![(ours::NAME, self.grow(IdleSide::Ours { backend, signer }, &file)?)];
            // Concurrency support makes too little difference here to justify a process of its own.
            for variant in Variant::ALL.iter().filter(|variant| **variant != Variant::Sync) {
                let file = self.reference_file(*variant, guest)?;
                let growth = self.grow(IdleSide::Reference { variant: *variant }, &file)?;
                sides.push((variant.name(), growth));
            }
            for (measure, pick) in idle::MEASURES {
                let case = format!("{guest}, one idle instance, {measure}");
                let growths: Vec<_> = sides.iter().map(|(side, growth)| (*side, pick(growth))).collect();
                let figure = Figure::new(Row::P11, case, backend, "bytes", &growths)?;
                // The goal is set for resident memory; the others show its composition.
                let goal = measure == idle::MEASURES[0].0;
                figures.push(if goal { figure } else { figure.without_goal() });
            }
        }
        Ok(figures)
    }

    /// Measures idle actors beside instances of the same component.
    pub(crate) fn idle_actors(&mut self, backend: Backend) -> Result<Vec<Figure>> {
        const KINDS: [(&str, Kind); 3] = [
            ("instance", Kind::Instance),
            ("component", Kind::Component),
            ("actor", Kind::Actor),
        ];
        let count = self.settings.instances * ACTORS;
        let (file, signer) = self.our_file(backend, Guest::Relay)?;
        let mut growths = Vec::new();
        for (name, kind) in KINDS {
            eprintln!("P14 {count} times one {name}, {backend}");
            let side = IdleSide::Relay {
                backend,
                signer,
                kind,
            };
            growths.push((name, idle::in_a_process(&side, &file, count)?));
        }
        let figure = |case: &str, pick: idle::Pick, unit, side, goal| {
            let figures: Vec<_> = growths
                .iter()
                .map(|(side, growth)| (*side, pick(growth)))
                .collect();
            let sides = (side, "instance");
            Figure::beside(Row::P14, case, backend, &figures, sides, unit, (goal, None))
        };
        let rss = idle::MEASURES[0].1;
        let start: idle::Pick = |growth| growth.start;
        Ok(vec![
            figure("one idle actor, RSS", rss, "bytes", "actor", Some(ACTOR_MEMORY))?,
            figure("one component of a runtime, RSS", rss, "bytes", "component", None)?,
            figure("start of one actor", start, "ns", "actor", None)?.at_most(ACTOR_START),
            figure(
                "load of one component of a runtime",
                start,
                "ns",
                "component",
                None,
            )?,
        ])
    }

    /// Measures actors under load.
    pub(crate) fn under_load(&mut self, backend: Backend) -> Result<Vec<Figure>> {
        let (file, signer) = self.our_file(backend, Guest::Relay)?;
        load::measure(backend, &file, signer, &self.component(Guest::Relay)?)
    }

    fn grow(&self, side: IdleSide, file: &Path) -> Result<idle::Resident> {
        idle::in_a_process(&side, file, self.settings.instances)
    }
}
