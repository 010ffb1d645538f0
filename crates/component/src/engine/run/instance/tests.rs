//! Tests of the numbers of functions and of the tables that are made here, on descriptions of modules.

use wasmer::Type;
use wasmer_types::entity::EntityRef;
use wasmer_types::entity::packed_option::ReservedValue;
use wasmer_types::{
    ElemIndex, ExportIndex, FunctionIndex, FunctionType, GlobalIndex, GlobalInit, InitExpr, InitExprOp,
    LocalFunctionIndex, ModuleInfo, SignatureIndex, TableIndex, TableInitializer, TableType,
};

use super::functions::Numbers;
use super::plan::Places;
use super::tables::{CalledTables, Element};

fn function(number: usize) -> FunctionIndex {
    FunctionIndex::new(number)
}

fn null() -> FunctionIndex {
    FunctionIndex::reserved_value()
}

/// A module with two imported functions, ten of its own, and tables of these sizes, without exports.
fn module(tables: &[(u32, Option<u32>)]) -> ModuleInfo {
    let mut info = ModuleInfo {
        num_imported_functions: 2,
        ..ModuleInfo::default()
    };
    for _ in 0..12 {
        info.functions.push(SignatureIndex::new(0));
    }
    for (minimum, maximum) in tables {
        info.tables
            .push(TableType::new(Type::FuncRef, *minimum, *maximum));
    }
    info
}

/// Ten functions, 16 bytes each.
fn places() -> Places {
    Places {
        functions: (0..10).map(|function| 16 * function).collect(),
        ..Places::default()
    }
}

fn segment(
    table: usize,
    offset: impl Into<Box<[InitExprOp]>>,
    elements: &[FunctionIndex],
) -> TableInitializer {
    TableInitializer {
        table_index: TableIndex::new(table),
        offset_expr: InitExpr::new(offset),
        elements: elements.into(),
    }
}

fn at(table: usize, offset: i32, elements: &[FunctionIndex]) -> TableInitializer {
    segment(table, [InitExprOp::I32Const(offset)], elements)
}

#[test]
fn functions_that_are_named_keep_their_order() {
    let mut info = module(&[(4, Some(4)), (4, Some(4))]);
    let exports = [("a", 1), ("b", 11), ("c", 4), ("d", 4)];
    for (name, exported) in exports {
        info.exports
            .insert(name.into(), ExportIndex::Function(function(exported)));
    }
    info.exports
        .insert("memory".into(), ExportIndex::Table(TableIndex::new(0)));
    info.global_initializers.push(GlobalInit::RefFunc(function(9)));
    info.global_initializers.push(GlobalInit::RefNullConst);
    info.table_initializers = vec![
        at(0, 0, &[function(0), null(), function(3)]),
        at(1, 0, &[function(7)]),
    ];
    let passive = [null(), function(6)];
    info.passive_elements.insert(ElemIndex::new(5), passive.into());
    info.start_function = Some(function(5));

    let numbers = Numbers::of_named(&info, |table| table.index() == 1);
    let kept = [3, 4, 5, 6, 9, 11].map(|number: usize| LocalFunctionIndex::new(number - 2));
    assert_eq!(numbers.kept(), Some(&kept[..]));
    let of = |number| numbers.of(function(number)).map(EntityRef::index);
    assert_eq!((of(0), of(1)), (Some(0), Some(1)));
    assert_eq!([3, 4, 5, 6, 9, 11].map(of), [2, 3, 4, 5, 6, 7].map(Some));
    assert_eq!([2, 7, 8, 10, 12, 1_000_000].map(of), [None; 6]);
    assert_eq!(numbers.of(null()), Some(null()));

    let all = Numbers::of_named(&info, |_| false);
    assert_eq!(all.of(function(7)).map(EntityRef::index), Some(6));
    let unmarked = Numbers::of_all(&info);
    assert_eq!(
        (unmarked.kept(), unmarked.of(function(8))),
        (None, Some(function(8)))
    );
}

#[test]
fn tables_that_depend_on_nothing_are_made_here() {
    let own = |segments: Vec<TableInitializer>, size: u32| {
        let mut info = module(&[(size, Some(size))]);
        info.table_initializers = segments;
        CalledTables::of(&info, &places()).has(TableIndex::new(0))
    };
    let f = function(3);
    assert!(own(vec![], 0));
    assert!(own(
        vec![at(0, 0, &[f, null()]), at(0, 1, &[f, f]), at(0, 3, &[])],
        3
    ));
    // Out of bounds: the engine finds it, and traps.
    assert!(!own(vec![at(0, 2, &[f, f])], 3));
    assert!(!own(vec![at(0, 4, &[])], 3));
    assert!(!own(vec![at(0, -1, &[])], 3));
    assert!(!own(vec![at(0, i32::MIN, &[f])], 3));
    // The offset depends on the instance, or is a sum.
    assert!(!own(
        vec![segment(0, [InitExprOp::GlobalGetI32(GlobalIndex::new(0))], &[f])],
        3
    ));
    let sum = [
        InitExprOp::I32Const(1),
        InitExprOp::I32Const(0),
        InitExprOp::I32Add,
    ];
    assert!(!own(vec![segment(0, sum, &[f])], 3));
    // Mostly empty.
    assert!(own(vec![at(0, 0, &[f; 600])], 2224));
    assert!(!own(vec![at(0, 0, &[f; 600])], 2225));
    assert!(!own(vec![], 1 << 20));
}

#[test]
fn shared_growing_and_imported_tables_are_left_to_the_engine() {
    let mut info = module(&[
        (2, Some(2)),
        (3, Some(3)),
        (2, Some(3)),
        (2, None),
        (1, Some(1)),
        (2, Some(2)),
    ]);
    info.num_imported_tables = 1;
    let externref = TableIndex::new(5);
    info.tables[externref] = TableType::new(Type::ExternRef, 2, Some(2));
    info.exports
        .insert("t".into(), ExportIndex::Table(TableIndex::new(4)));
    info.table_initializers = vec![at(0, 0, &[function(2)])];
    let tables = CalledTables::of(&info, &places());
    let made = (0..6).map(|table| tables.has(TableIndex::new(table)));
    assert_eq!(
        made.collect::<Vec<_>>(),
        [false, true, false, false, false, false]
    );
    assert_eq!(*tables.sizes, [Some(3), None, None, None, None]);
    assert!(!tables.is_empty() && CalledTables::default().is_empty());
}

#[test]
fn elements_are_functions_by_their_places() {
    let mut info = module(&[(4, Some(4))]);
    info.signatures.push(FunctionType::new([], []));
    info.table_initializers = vec![
        at(0, 0, &[function(1), null(), function(2)]),
        at(0, 2, &[function(11)]),
    ];
    let tables = CalledTables::of(&info, &places());
    let own = |code| Element::Own { code, signature: 0 };
    let elements: Box<[Element]> = [Element::Imported(1), Element::Null, own(144), Element::Null].into();
    assert_eq!(tables.to_saved(), [(0, elements.clone())]);
    // A function that the module lacks.
    info.table_initializers = vec![at(0, 0, &[function(12)])];
    assert!(CalledTables::of(&info, &places()).is_empty());

    let read = |table: u32, elements: &[Element]| CalledTables::saved(&info, vec![(table, elements.into())]);
    assert_eq!(
        read(0, &elements).expect("they fit").to_saved(),
        [(0, elements.clone())]
    );
    let unfit = [
        (1, &elements[..]),
        (u32::MAX - 1, &elements[..]),
        (0, &elements[..3]),
        (0, &[Element::Imported(2); 4]),
        (
            0,
            &[Element::Own {
                code: 0,
                signature: 1,
            }; 4],
        ),
    ];
    for (table, elements) in unfit {
        assert!(read(table, elements).is_err(), "{table} {elements:?}");
    }
    let twice = vec![(0, elements.clone()), (0, elements.clone())];
    assert!(CalledTables::saved(&info, twice).is_err());
    info.tables[TableIndex::new(0)] = TableType::new(Type::FuncRef, 4, None);
    assert!(
        CalledTables::saved(&info, vec![(0, elements)]).is_err(),
        "a table that grows"
    );
}
