//! Row P7b: from a file that is not in the page cache to the first answer.

use crate::guests::Guest;
use crate::lives::Lives;
use crate::measure::typical;
use crate::rows::{Figure, Row};
use airssys_wasm::engine::Backend;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Most rounds, and the longest time of one case. Each round reads from the disk.
const ROUNDS: u32 = 60;
const CASE: Duration = Duration::from_secs(20);

/// Loads a file, and asks its component.
type Answer<'a> = Box<dyn Fn(&Path) -> Result<()> + 'a>;

/// A side: its name, its copy of the file, and what is measured.
struct Side<'a> {
    name: &'static str,
    file: PathBuf,
    answer: Answer<'a>,
}

/// Measures each guest on every side, in turns.
pub(crate) fn measure(lives: &mut Lives, backend: Backend, rounds: u32) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for guest in lives.guests(backend, Guest::ALL)? {
        eprintln!("P7b {guest}, {backend}");
        let deployed = lives.deployed(backend, guest)?;
        let ours = &deployed.ours;
        let mut sides = vec![Side {
            name: crate::ours::NAME,
            file: copy(ours.file(), crate::ours::NAME)?,
            answer: Box::new(|file| ours.uncached(file)),
        }];
        for reference in &deployed.reference {
            sides.push(Side {
                name: reference.name(),
                file: copy(reference.file(), reference.name())?,
                answer: Box::new(|file| reference.uncached(file)),
            });
        }
        if let Some(took) = compare(&sides, rounds.min(ROUNDS))? {
            let case = format!("{guest}, file on the disk to answer");
            figures.push(Figure::new(Row::P7b, case, backend, "ns", &took)?);
        }
    }
    Ok(figures)
}

/// Copies a file: a side holds the component of its own, and mapped files stay in the cache.
fn copy(file: &Path, side: &str) -> Result<PathBuf> {
    let copy = file.with_extension(format!("{}.uncached", side.replace([',', ' '], "-")));
    fs::copy(file, &copy).with_context(|| format!("cannot write {}", copy.display()))?;
    Ok(copy)
}

/// Returns the nanoseconds of each side, or nothing where files cannot leave the page cache.
fn compare(sides: &[Side<'_>], rounds: u32) -> Result<Option<Vec<(&'static str, f64)>>> {
    for side in sides {
        // The first time, ours verifies the signature.
        (side.answer)(&side.file)?;
        if !evict(&side.file)? {
            eprintln!(
                "LEFT OUT: P7b, since {} does not leave the page cache: name a folder on a disk in TMPDIR",
                side.file.display()
            );
            return Ok(None);
        }
    }
    let mut samples = vec![Vec::new(); sides.len()];
    let start = Instant::now();
    for round in 0..rounds {
        if round > 2 && start.elapsed() > CASE {
            break;
        }
        for (side, samples) in sides.iter().zip(&mut samples) {
            evict(&side.file)?;
            let begin = Instant::now();
            (side.answer)(&side.file)?;
            samples.push(begin.elapsed().as_nanos() as f64);
        }
    }
    let typical = samples.into_iter().map(typical);
    Ok(Some(sides.iter().map(|side| side.name).zip(typical).collect()))
}

/// Has the system write a file to the disk and drop its pages; returns whether its first page is gone.
#[cfg(target_os = "linux")]
fn evict(file: &Path) -> Result<bool> {
    use rustix::fs::{Advice, fadvise};
    use rustix::io::{Errno, ReadWriteFlags, preadv2};
    use std::io::IoSliceMut;
    let opened = fs::File::open(file)?;
    opened.sync_all()?;
    fadvise(&opened, 0, None, Advice::DontNeed)?;
    let mut byte = [0];
    let read = preadv2(
        &opened,
        &mut [IoSliceMut::new(&mut byte)],
        0,
        ReadWriteFlags::NOWAIT,
    );
    // Such a read may begin to fill the cache.
    fadvise(&opened, 0, None, Advice::DontNeed)?;
    match read {
        Err(Errno::AGAIN) => Ok(true),
        Ok(_) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

#[cfg(not(target_os = "linux"))]
fn evict(_: &Path) -> Result<bool> {
    Ok(false)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::evict;

    #[test]
    fn files_in_memory_are_not_evicted() {
        let memory = std::path::Path::new("/dev/shm");
        if !memory.is_dir() {
            return;
        }
        let file = memory.join(format!("airssys-wasm-benchmark-evict-{}", std::process::id()));
        std::fs::write(&file, "in memory").expect("it can be written");
        let evicted = evict(&file);
        std::fs::remove_file(&file).expect("it is there");
        // Where such reads are not supported, it is an error.
        assert!(!evicted.is_ok_and(|evicted| evicted));
    }
}
