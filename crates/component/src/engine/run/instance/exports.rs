//! The exports of a module: their names in one text, in order.

use borsh::{BorshDeserialize, BorshSerialize};
use wasmer_types::{ExportIndex, FunctionIndex, GlobalIndex, MemoryIndex, ModuleInfo, TableIndex};

/// The exports of a module, by name.
#[derive(Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(in crate::engine) struct Exports {
    names: Box<str>,
    /// Sorted by name.
    entries: Box<[Entry]>,
    /// Number of the exported memory named `memory`, or else of the one that the module exports first.
    memory: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
struct Entry {
    /// End of the name in the text.
    end: u32,
    item: Item,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
enum Item {
    Function(u32),
    Table(u32),
    Memory(u32),
    Global(u32),
}

impl Exports {
    /// The exports of a module, with functions that have these numbers. Tags are left out: no component has them.
    ///
    /// `None` if a function has no number, or the names have more than 4 GiB.
    pub(super) fn of(
        info: &ModuleInfo,
        number: impl Fn(FunctionIndex) -> Option<FunctionIndex>,
    ) -> Option<Exports> {
        let item = |export: &ExportIndex| {
            Some(Some(match export {
                ExportIndex::Function(function) => Item::Function(number(*function)?.as_u32()),
                ExportIndex::Table(table) => Item::Table(table.as_u32()),
                ExportIndex::Memory(memory) => Item::Memory(memory.as_u32()),
                ExportIndex::Global(global) => Item::Global(global.as_u32()),
                ExportIndex::Tag(_) => return Some(None),
            }))
        };
        let mut sorted = Vec::with_capacity(info.exports.len());
        for (name, export) in &info.exports {
            sorted.extend(item(export)?.map(|item| (name.as_str(), item)));
        }
        let memories = || sorted.iter().filter(|(_, item)| matches!(item, Item::Memory(_)));
        let memory = memories()
            .find(|(name, _)| *name == "memory")
            .or_else(|| memories().next());
        let memory = memory.map(|(name, _)| *name);
        sorted.sort_unstable_by_key(|(name, _)| *name);
        let memory = memory.and_then(|memory| sorted.iter().position(|(name, _)| *name == memory));
        let (mut names, mut entries) = (String::new(), Vec::with_capacity(sorted.len()));
        for (name, item) in sorted {
            names.push_str(name);
            let end = u32::try_from(names.len()).ok()?;
            entries.push(Entry { end, item });
        }
        Some(Exports {
            names: names.into(),
            entries: entries.into(),
            memory: memory.and_then(|memory| u32::try_from(memory).ok()),
        })
    }

    /// Returns the name of the exported memory named `memory`, or else of the one that the module exports first.
    pub(super) fn memory(&self) -> Option<&str> {
        let (name, export) = self.at(usize::try_from(self.memory?).ok()?)?;
        matches!(export, ExportIndex::Memory(_)).then_some(name)
    }

    /// Reports whether the names are in order, and all that is exported is in the module.
    pub(super) fn are_of(&self, info: &ModuleInfo) -> bool {
        let mut start = 0;
        let are_names = self.entries.iter().all(|entry| {
            let end = entry.end as usize;
            let is_name = start <= end && self.names.is_char_boundary(end);
            start = end;
            is_name
        });
        let is_there = |item: &Item| match *item {
            Item::Function(at) => (at as usize) < info.functions.len(),
            Item::Table(at) => (at as usize) < info.tables.len(),
            Item::Memory(at) => (at as usize) < info.memories.len(),
            Item::Global(at) => (at as usize) < info.globals.len(),
        };
        // Before any of them is made an index, which has numbers that it refuses.
        if !self.entries.iter().all(|entry| is_there(&entry.item)) {
            return false;
        }
        let has_memory = self
            .iter()
            .any(|(_, export)| matches!(export, ExportIndex::Memory(_)));
        are_names
            && has_memory == self.memory().is_some()
            && has_memory == self.memory.is_some()
            && start == self.names.len()
            && self.iter().is_sorted_by(|(one, _), (next, _)| one < next)
    }

    /// Returns the number of an export among all, and what it is.
    pub(super) fn get(&self, name: &str) -> Option<(u32, ExportIndex)> {
        let (mut low, mut high) = (0, self.entries.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let (found, export) = self.at(middle)?;
            match found.cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some((u32::try_from(middle).ok()?, export)),
            }
        }
        None
    }

    /// Returns the exports in the order of their names.
    pub(in crate::engine) fn iter(&self) -> impl Iterator<Item = (&str, ExportIndex)> {
        (0..self.entries.len()).filter_map(|at| self.at(at))
    }

    fn at(&self, at: usize) -> Option<(&str, ExportIndex)> {
        let entry = self.entries.get(at)?;
        let start = match at.checked_sub(1) {
            Some(before) => self.entries.get(before)?.end as usize,
            None => 0,
        };
        let name = self.names.get(start..entry.end as usize)?;
        let export = match entry.item {
            Item::Function(at) => ExportIndex::Function(FunctionIndex::from_u32(at)),
            Item::Table(at) => ExportIndex::Table(TableIndex::from_u32(at)),
            Item::Memory(at) => ExportIndex::Memory(MemoryIndex::from_u32(at)),
            Item::Global(at) => ExportIndex::Global(GlobalIndex::from_u32(at)),
        };
        Some((name, export))
    }
}

#[cfg(test)]
mod tests {
    use wasmer::Type;
    use wasmer_types::{GlobalType, MemoryType, Mutability, SignatureIndex, TableType};

    use super::*;

    /// A module that exports three functions, and one of everything else.
    fn module() -> ModuleInfo {
        let mut info = ModuleInfo::default();
        for _ in 0..3 {
            info.functions.push(SignatureIndex::from_u32(0));
        }
        info.tables.push(TableType::new(Type::FuncRef, 1, None));
        info.memories.push(MemoryType::new(1, None, false));
        info.globals.push(GlobalType::new(Type::I32, Mutability::Const));
        let function = |at| ExportIndex::Function(FunctionIndex::from_u32(at));
        let exports = [
            ("run", function(2)),
            ("memory", ExportIndex::Memory(MemoryIndex::from_u32(0))),
            ("", function(0)),
            ("r", function(1)),
            ("table", ExportIndex::Table(TableIndex::from_u32(0))),
            ("función", function(2)),
            ("global", ExportIndex::Global(GlobalIndex::from_u32(0))),
        ];
        info.exports = exports
            .map(|(name, export)| (name.to_owned(), export))
            .into_iter()
            .collect();
        info
    }

    #[test]
    fn each_export_is_found_by_its_name_and_no_other() {
        let info = module();
        let exports = Exports::of(&info, Some).expect("each function has a number");
        assert!(exports.are_of(&info));
        let names: Vec<&str> = exports.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["", "función", "global", "memory", "r", "run", "table"]);
        for (number, name) in (0..).zip(names) {
            assert_eq!(exports.get(name), Some((number, info.exports[name])), "{name}");
        }
        for name in ["ru", "runs", "m", "zz", "fun"] {
            assert_eq!(exports.get(name), None, "{name}");
        }
        assert_eq!(exports.memory(), Some("memory"));
        assert_eq!(
            (Exports::default().get(""), Exports::default().memory()),
            (None, None)
        );
        let without = Exports::of(&info, |function| (function.as_u32() != 1).then_some(function));
        assert_eq!(without, None);
    }

    #[test]
    fn the_memory_is_the_one_of_that_name_or_the_first() {
        let memory = |names: &[&str]| {
            let mut info = module();
            info.exports.clear();
            for (name, index) in names.iter().zip([1, 0, 1]) {
                let memory = ExportIndex::Memory(MemoryIndex::from_u32(index));
                info.exports.insert((*name).to_owned(), memory);
            }
            let exports = Exports::of(&info, Some).expect("there are no functions");
            exports.memory().map(str::to_owned)
        };
        assert_eq!(memory(&["x", "memory", "a"]).as_deref(), Some("memory"));
        assert_eq!(memory(&["x", "y", "a"]).as_deref(), Some("x"));
        assert_eq!(memory(&[]), None);
    }

    #[test]
    fn exports_of_another_module_are_found_out() {
        let mut info = module();
        let exports = Exports::of(&info, Some).expect("each function has a number");
        let bytes = borsh::to_vec(&exports).expect("they are written");
        assert_eq!(
            borsh::from_slice::<Exports>(&bytes).expect("they are read"),
            exports
        );
        let changed = |change: &dyn Fn(&mut Exports)| {
            let mut exports = borsh::from_slice::<Exports>(&bytes).expect("they are read");
            change(&mut exports);
            for (name, _) in exports.iter() {
                exports.get(name);
            }
            exports.are_of(&info)
        };
        assert!(changed(&|_| ()));
        assert!(!changed(&|exports| exports.entries.swap(0, 1)));
        assert!(!changed(&|exports| exports.entries[1].end -= 1));
        assert!(!changed(&|exports| exports.entries[1].end = u32::MAX));
        assert!(!changed(&|exports| exports.entries[6].end -= 1));
        assert!(!changed(
            &|exports| exports.names = "xfuncióngmemoryrruntable".into()
        ));
        assert!(!changed(&|exports| exports.entries[0].item = Item::Function(3)));
        assert!(!changed(&|exports| exports.entries[0].item = Item::Memory(1)));
        assert!(!changed(&|exports| exports.memory = None));
        assert!(!changed(&|exports| exports.memory = Some(0)));
        assert!(!changed(&|exports| exports.memory = Some(7)));
        // Within a character.
        let end = exports.names.find('ó').expect("it is there") as u32 + 1;
        assert!(!changed(&|exports| exports.entries[1].end = end));
        info.functions = Default::default();
        assert!(!exports.are_of(&info));
    }
}
