//! Bitwise comparison of values.

use airssys_wasm_component::component::Val;

/// Reports whether two values are the same to the last bit, unlike `==`, which treats all NaNs as equal. Lists of bytes and
/// lists of fixed length equal the lists that they represent.
pub fn same_bits(a: &Val, b: &Val) -> bool {
    match (a, b) {
        (Val::Float32(a), Val::Float32(b)) => a.to_bits() == b.to_bits(),
        (Val::Float64(a), Val::Float64(b)) => a.to_bits() == b.to_bits(),
        (Val::List(a) | Val::FixedLengthList(a), Val::List(b) | Val::FixedLengthList(b))
        | (Val::Tuple(a), Val::Tuple(b)) => all(a, b, same_bits),
        (Val::Record(a), Val::Record(b)) => all(a, b, |(a, x), (b, y)| a == b && same_bits(x, y)),
        (Val::Variant(a, x), Val::Variant(b, y)) => a == b && same_payload(x, y),
        (Val::Option(a), Val::Option(b))
        | (Val::Result(Ok(a)), Val::Result(Ok(b)))
        | (Val::Result(Err(a)), Val::Result(Err(b))) => same_payload(a, b),
        (Val::Bytes(a), Val::FixedLengthList(b)) | (Val::FixedLengthList(b), Val::Bytes(a)) => {
            all(a, b, |a, b| matches!(b, Val::U8(b) if a == b))
        }
        // No floats inside: bytes, text, integers, names.
        (a, b) => a == b,
    }
}

fn all<A, B>(a: &[A], b: &[B], same: impl Fn(&A, &B) -> bool) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

type Payload = Option<Box<Val>>;

fn same_payload(a: &Payload, b: &Payload) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same_bits(a, b),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nans_differ_by_their_bits() {
        let (a, b) = (f32::from_bits(0x7fc0_0000), f32::from_bits(0xffc0_0000));
        let within = |f| Val::Option(Some(Box::new(Val::List(vec![Val::Float32(f)]))));
        assert_eq!(within(a), within(b));
        assert!(!same_bits(&within(a), &within(b)));
        assert!(same_bits(&within(a), &within(a)));
    }

    #[test]
    fn forms_of_lists_are_one() {
        let list = || vec![Val::U8(1), Val::U8(2)];
        assert!(same_bits(&Val::Bytes(vec![1, 2]), &Val::List(list())));
        assert!(same_bits(&Val::Bytes(vec![1, 2]), &Val::FixedLengthList(list())));
        assert!(same_bits(&Val::List(list()), &Val::FixedLengthList(list())));
        assert!(!same_bits(&Val::Bytes(vec![1, 3]), &Val::FixedLengthList(list())));
        assert!(!same_bits(&Val::Tuple(list()), &Val::List(list())));
    }
}
