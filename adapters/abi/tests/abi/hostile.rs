//! Attacks that a guest may try.

use airssys_wasm_abi::{
    AbiError, CoreValue, FuncPlan, Guest, LiftGuest, LowerGuest, MAX_LIST_BYTE_LENGTH, Never, StringEncoding,
    TransmitType, Type,
};

use crate::guest::TestGuest;
use crate::random::{Random, random_type, random_val};
use crate::shorthand::{Val, fixed, func, i32, i64, lift, list, lower, option, string, tuple, variant};

use Type::{Char, U8, U16, U32, U64};

fn lift_list(element: Type, memory: &[u8], ptr: u32, length: u32) -> Result<Val, AbiError> {
    lift(
        &mut TestGuest::with_memory(memory),
        &list(element),
        &[i32(ptr), i32(length)],
    )
}

#[test]
fn lists_out_of_bounds() {
    let memory = [0; 64];
    for (element, size) in [(U8, 1), (U32, 4), (U64, 8), (tuple(&[U16, U8]), 4)] {
        let out = |ptr, len| Err(AbiError::PointerOutOfBounds { ptr, len, memory: 64 });
        let lift = |ptr, length| lift_list(element.clone(), &memory, ptr, length);
        assert!(lift(0, 64 / size).is_ok());
        assert!(lift(64, 0).is_ok());
        assert_eq!(lift(0, 64 / size + 1), out(0, u64::from(64 + size)));
        assert_eq!(lift(64, 1), out(64, u64::from(size)));
        assert_eq!(lift(72, 0), out(72, 0));
        let last = !7;
        assert_eq!(lift(last, 1), out(last, u64::from(size)));
        assert_eq!(lift(last, 64), out(last, u64::from(64 * size)));
    }
}

#[test]
fn pointers_at_the_very_end() {
    assert_eq!(
        lift_list(U8, &[0; 8], u32::MAX, 1),
        Err(AbiError::PointerOutOfBounds {
            ptr: u32::MAX,
            len: 1,
            memory: 8
        })
    );
    assert_eq!(
        lift_list(U8, &[0; 8], u32::MAX, 0),
        Err(AbiError::PointerOutOfBounds {
            ptr: u32::MAX,
            len: 0,
            memory: 8
        })
    );
    assert_eq!(
        lift_list(U32, &[0; 8], u32::MAX, 1),
        Err(AbiError::Misaligned {
            ptr: u32::MAX,
            align: 4
        })
    );
}

/// The length is checked before pointer and memory: the product must not wrap around to something small.
#[test]
fn length_overflow() {
    let max = MAX_LIST_BYTE_LENGTH;
    let table = [
        (U8, 1, max + 1),
        (U8, 1, u32::MAX),
        (U32, 4, 1 << 30),
        (U64, 8, 1 << 29),
        (U64, 8, u32::MAX),
    ];
    for (element, element_size, count) in table {
        let error = AbiError::LengthOverflow {
            count,
            element_size,
            max,
        };
        assert_eq!(lift_list(element, &[0; 8], 1, count), Err(error));
    }
    let big = fixed(U64, 1 << 20);
    let error = AbiError::LengthOverflow {
        count: u32::MAX,
        element_size: 1 << 23,
        max,
    };
    assert_eq!(lift_list(big, &[0; 8], 0, u32::MAX), Err(error));
}

#[test]
fn misaligned_lists_even_empty_ones() {
    for length in [0, 1] {
        for (element, align) in [(U16, 2), (U32, 4), (U64, 8), (fixed(U32, 2), 4), (option(U64), 8)] {
            let error = AbiError::Misaligned { ptr: 1, align };
            assert_eq!(lift_list(element, &[0; 64], 1, length), Err(error));
        }
    }
    assert_eq!(
        lift_list(list(U16), &[9, 0, 0, 0, 2, 0, 0, 0, 0, 5, 0, 6, 0], 0, 1),
        Err(AbiError::Misaligned { ptr: 9, align: 2 })
    );
}

#[test]
fn bad_values_deep_in_memory() {
    assert_eq!(
        lift_list(Char, &[0, 0xd8, 0, 0], 0, 1),
        Err(AbiError::InvalidChar(0xd800))
    );
    assert_eq!(
        lift_list(Char, &[0, 0, 0x11, 0], 0, 1),
        Err(AbiError::InvalidChar(0x11_0000))
    );
    assert_eq!(
        lift_list(option(U8), &[2, 0], 0, 1),
        Err(AbiError::InvalidDiscriminant { got: 2, cases: 2 })
    );
    let ty = variant(&[("a", None), ("b", Some(U8)), ("c", None)]);
    assert_eq!(
        lift_list(ty, &[0, 9, 1, 9, 3, 9], 0, 3),
        Err(AbiError::InvalidDiscriminant { got: 3, cases: 3 })
    );
    let error = AbiError::PointerOutOfBounds {
        ptr: 8,
        len: 1,
        memory: 8,
    };
    assert_eq!(
        lift_list(Type::String, &[8, 0, 0, 0, 1, 0, 0, 0], 0, 1),
        Err(error)
    );
}

#[test]
fn bad_realloc_results() {
    let table = [
        (
            list(U32),
            Val::List(vec![Val::U32(1)]),
            4,
            4,
            vec![1, 2, 3, 64, 68, 0xffff_fffc, u32::MAX],
        ),
        (list(U8), Val::Bytes(vec![1]), 1, 1, vec![64, 65, u32::MAX]),
        (list(U8), Val::Bytes(vec![]), 0, 1, vec![65, u32::MAX]),
        (
            Type::String,
            string("abc"),
            3,
            1,
            vec![62, 64, u32::MAX - 2, u32::MAX],
        ),
        (
            fixed(U64, 17),
            Val::FixedLengthList(vec![Val::U64(1); 17]),
            136,
            8,
            vec![1, 4, 0, 64, 0xffff_fff8],
        ),
    ];
    for (ty, val, size, align, pointers) in table {
        for ptr in pointers {
            let mut guest = TestGuest::with_memory(&[0; 64]);
            guest.bad_realloc = Some(ptr);
            let error = AbiError::InvalidReallocResult {
                ptr,
                size,
                align,
                memory: 64,
            };
            assert!(error.is_guest_fault());
            assert_eq!(lower(&mut guest, &ty, &val), Err(error), "{ty}");
            assert_eq!(guest.memory, [0; 64], "nothing is written");
        }
    }
    for encoding in [StringEncoding::Utf16, StringEncoding::CompactUtf16] {
        let mut guest = TestGuest::with_memory(&[0; 64]).encoding(encoding);
        guest.bad_realloc = Some(1);
        let result = lower(&mut guest, &Type::String, &string(""));
        assert_eq!(
            result,
            Err(AbiError::InvalidReallocResult {
                ptr: 1,
                size: 0,
                align: 2,
                memory: 64
            })
        );
    }
}

#[test]
fn bad_pointers_to_parameters_and_results() {
    let many = FuncPlan::new(&func(&[const { U32 }; 17], None)).unwrap();
    let pair = FuncPlan::new(&func(&[], Some(tuple(&[U64, U8])))).unwrap();
    let val = Val::Tuple(vec![Val::U64(1), Val::U8(2)]);
    let out = |ptr, len| AbiError::PointerOutOfBounds { ptr, len, memory: 80 };
    for ptr in [16, 80, !7] {
        let mut guest = TestGuest::with_memory(&[0; 80]);
        assert_eq!(many.lift_params(&mut guest, &[i32(ptr)]), Err(out(ptr, 68)));
    }
    for ptr in [72, 80, !7] {
        let mut guest = TestGuest::with_memory(&[0; 80]);
        assert_eq!(pair.lift_result(&mut guest, &[i32(ptr)]), Err(out(ptr, 16)));
        assert_eq!(
            pair.lower_result(&mut guest, Some(&val), &[i32(ptr)]),
            Err(out(ptr, 16))
        );
    }
    for ptr in [1, 4, u32::MAX] {
        let mut guest = TestGuest::with_memory(&[0; 80]);
        let error = AbiError::Misaligned { ptr, align: 8 };
        assert_eq!(pair.lift_result(&mut guest, &[i32(ptr)]), Err(error.clone()));
        assert_eq!(pair.lower_result(&mut guest, Some(&val), &[i32(ptr)]), Err(error));
        assert_eq!(guest.memory, [0; 80]);
    }
}

/// Random core values over random memory: any result is right, except a panic. Every error is the guest's fault.
#[test]
fn rubbish_never_panics() {
    for seed in 0..4000 {
        let mut random = Random::new(seed);
        let params: Vec<Type> = (0..random.below(4))
            .map(|_| random_type(&mut random, 4))
            .collect();
        let plan = FuncPlan::new(&func(&params, Some(random_type(&mut random, 4)))).unwrap();
        let memory: Vec<u8> = (0..512).map(|_| random.small_byte()).collect();
        let mut guest = TestGuest::with_memory(&memory).encoding(random.encoding());
        guest.budget = 1 << 20;
        guest.handles = vec![None; 3];
        for _ in 0..8 {
            let mut rubbish = |types: &[airssys_wasm_abi::CoreType]| -> Vec<CoreValue> {
                types.iter().map(|ty| random.core_value(*ty)).collect()
            };
            let args = rubbish(&plan.import_signature().params);
            let results = rubbish(&plan.export_signature().results);
            for error in [
                plan.lift_params(&mut guest, &args).err(),
                plan.lift_result(&mut guest, &results).err(),
            ] {
                assert!(
                    error.as_ref().is_none_or(AbiError::is_guest_fault),
                    "seed {seed}: {error:?}"
                );
            }
            // Everything that can be lifted can be lowered.
            if let Ok(vals) = plan.lift_params(&mut guest, &args) {
                plan.lower_params(&mut TestGuest::new(), &vals, &mut Vec::new())
                    .unwrap();
            }
        }
    }
}

/// Good values with some of their bytes overwritten: lifted, or refused as the guest's fault.
#[test]
fn corrupted_values_never_panic() {
    for seed in 0..3000 {
        let mut random = Random::new(seed);
        let ty = random_type(&mut random, 4);
        let val = random_val(&mut random, &ty);
        let plan = FuncPlan::new(&func(&[list(ty)], None)).unwrap();
        let mut guest = TestGuest::new().encoding(random.encoding());
        let mut flat = Vec::new();
        let args = [Val::List(vec![val.clone(), val])];
        plan.lower_params(&mut guest, &args, &mut flat).unwrap();
        for _ in 0..16 {
            let mut corrupted = guest.clone();
            corrupted.budget = 1 << 24;
            for _ in 0..=random.below(3) {
                let at = random.below(corrupted.memory.len() as u64) as usize;
                corrupted.memory[at] = random.next() as u8;
            }
            let error = plan.lift_params(&mut corrupted, &flat).err();
            assert!(
                error.as_ref().is_none_or(AbiError::is_guest_fault),
                "seed {seed}: {error:?}"
            );
        }
    }
}

/// A guest without a memory: the result is that guest's own error.
#[test]
fn a_guest_without_memory() {
    struct NoMemory;
    #[derive(Debug, PartialEq)]
    enum Error {
        NoMemory,
        Abi(AbiError),
    }
    impl From<AbiError> for Error {
        fn from(error: AbiError) -> Error {
            Error::Abi(error)
        }
    }
    impl Guest for NoMemory {
        type Resource = ();
        type Stream = Never;
        type Future = Never;
        type Error = Error;
        fn string_encoding(&self) -> StringEncoding {
            StringEncoding::Utf8
        }
        fn memory(&self) -> Result<&[u8], Error> {
            Err(Error::NoMemory)
        }
    }

    impl LiftGuest for NoMemory {
        fn lift_own(&mut self, _: airssys_wasm_abi::ResourceType, _: u32) -> Result<(), Error> {
            Ok(())
        }
        fn lift_borrow(&mut self, _: airssys_wasm_abi::ResourceType, _: u32) -> Result<(), Error> {
            Ok(())
        }
        fn lift_stream(&mut self, _: &TransmitType, _: u32) -> Result<Never, Error> {
            Err(Error::NoMemory)
        }
        fn lift_future(&mut self, _: &TransmitType, _: u32) -> Result<Never, Error> {
            Err(Error::NoMemory)
        }
        fn consume_lift_budget(&mut self, _: u64) -> Result<(), Error> {
            Ok(())
        }
    }

    impl LowerGuest for NoMemory {
        fn memory_mut(&mut self) -> Result<&mut [u8], Error> {
            Err(Error::NoMemory)
        }
        fn realloc(&mut self, _: u32, _: u32, _: u32, _: u32) -> Result<u32, Error> {
            Err(Error::NoMemory)
        }
        fn lower_own(&mut self, _: airssys_wasm_abi::ResourceType, _: &()) -> Result<u32, Error> {
            Ok(0)
        }
        fn lower_borrow(&mut self, _: airssys_wasm_abi::ResourceType, _: &()) -> Result<u32, Error> {
            Ok(0)
        }
        fn lower_stream(&mut self, _: &TransmitType, stream: &Never) -> Result<u32, Error> {
            match *stream {}
        }
        fn lower_future(&mut self, _: &TransmitType, future: &Never) -> Result<u32, Error> {
            match *future {}
        }
    }
    let plan = FuncPlan::new(&func(&[U64, option(U8)], Some(Type::String))).unwrap();
    assert_eq!(plan.lift_result(&mut NoMemory, &[i32(0)]), Err(Error::NoMemory));
    let answer = airssys_wasm_abi::Val::String(String::new());
    let args = [i64(1), i32(0), i32(0), i32(8)];
    assert_eq!(
        plan.lower_result(&mut NoMemory, Some(&answer), &args),
        Err(Error::NoMemory)
    );
    let lifted = plan.lift_params(&mut NoMemory, &args).unwrap();
    assert_eq!(
        lifted,
        [airssys_wasm_abi::Val::U64(1), airssys_wasm_abi::Val::Option(None)]
    );
    assert_eq!(
        plan.lift_params(&mut NoMemory, &[i64(1), i32(7), i32(0), i32(8)]),
        Err(Error::Abi(AbiError::InvalidDiscriminant { got: 7, cases: 2 }))
    );
}
