//! Limits of the budget: the host allocates no more than it allows.

use airssys_wasm_abi::{AbiError, StringEncoding, Type, UTF16_TAG};

use crate::guest::TestGuest;
use crate::shorthand::{Val, fixed, flags, i32, lift, list, option};

const BASE: u64 = 1 << 30;
/// One parameter.
const ARG: u64 = size_of::<Val>() as u64;

fn cost(mut guest: TestGuest, ty: &Type, ptr: u32, length: u32) -> u64 {
    lift(&mut guest, ty, &[i32(ptr), i32(length)]).unwrap();
    BASE - guest.budget - ARG
}

#[test]
fn strings_cost_what_they_take_on_the_host() {
    let latin1 = TestGuest::with_memory(&[b'a', 0xe9, b'b', 0xff]).encoding(StringEncoding::CompactUtf16);
    assert_eq!(cost(latin1, &Type::String, 0, 4), 6);
    // U+20AC and U+0061.
    let utf16 = TestGuest::with_memory(&[0xac, 0x20, 0x61, 0]);
    assert_eq!(
        cost(utf16.clone().encoding(StringEncoding::Utf16), &Type::String, 0, 2),
        4
    );
    assert_eq!(
        cost(
            utf16.encoding(StringEncoding::CompactUtf16),
            &Type::String,
            0,
            2 | UTF16_TAG
        ),
        4
    );
    assert_eq!(cost(TestGuest::with_memory(b"abc"), &Type::String, 0, 3), 3);
}

#[test]
fn lists_cost_their_elements() {
    assert_eq!(
        cost(TestGuest::with_memory(&[0; 100]), &list(Type::U8), 0, 100),
        100
    );
    assert_eq!(
        cost(TestGuest::with_memory(&[0; 100]), &list(Type::Bool), 0, 100),
        100 * ARG
    );
    assert_eq!(
        cost(
            TestGuest::with_memory(&[1; 100]),
            &list(option(Type::Bool)),
            0,
            50
        ),
        100 * ARG
    );
    assert_eq!(
        cost(TestGuest::with_memory(&[0; 100]), &list(flags(3)), 0, 10),
        10 * (ARG + 48)
    );
    assert_eq!(
        cost(
            TestGuest::with_memory(&[0; 100]),
            &list(fixed(Type::U8, 20)),
            0,
            2
        ),
        2 * ARG + 40 * ARG
    );
}

/// A million strings that share one mebibyte: small in the guest, a tebibyte on the host.
#[test]
fn one_string_many_times() {
    const TIMES: u32 = 1 << 20;
    let mut memory = vec![b'x'; 1 << 20];
    let pairs = u32::try_from(memory.len()).unwrap();
    for _ in 0..TIMES {
        memory.extend([0u32.to_le_bytes(), pairs.to_le_bytes()].concat());
    }
    let mut guest = TestGuest::with_memory(&memory);
    guest.budget = 100 << 20;
    let error = lift(&mut guest, &list(Type::String), &[i32(pairs), i32(TIMES)]).unwrap_err();
    assert_eq!(error, AbiError::HostAllocation { bytes: 1 << 20 });
}

/// The largest list there may be is charged before it is allocated.
#[test]
fn one_list_of_many_small_elements() {
    let mut guest = TestGuest::with_memory(&vec![0; 1 << 24]);
    guest.budget = 1 << 20;
    let error = lift(&mut guest, &list(Type::Bool), &[i32(0), i32(1 << 24)]).unwrap_err();
    assert_eq!(error, AbiError::HostAllocation { bytes: ARG << 24 });
}

/// Found by fuzzing, as "bytes allocated" above "granted": four labels were allocated where one was charged.
#[test]
fn flags_have_room_for_the_labels_that_are_paid_for() {
    for labels in [1, 2, 3, 5, 9, 32] {
        let mut guest = TestGuest::with_memory(&[]);
        let Val::Flags(set) = lift(&mut guest, &flags(labels), &[i32(u32::MAX)]).unwrap() else {
            panic!("flags are lifted as flags");
        };
        assert_eq!(set.len(), labels);
        assert!(set.capacity() <= labels, "{} for {labels}", set.capacity());
    }
}
