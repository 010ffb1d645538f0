//! Texts of errors.

use super::*;

#[test]
fn a_deep_call_stack_is_shown_by_its_ends() {
    let kind = || TrapKind::Core(CoreTrap::StackOverflow);
    let trap = |depth: usize| Trap::new(kind(), &(0..depth).collect::<Vec<_>>(), |n| format!("f{n}"));
    for depth in [0, 1, 24, 25, 32] {
        let trap = trap(depth);
        assert_eq!((trap.frames().len(), trap.frames_left_out()), (depth, 0));
        assert_eq!(trap.to_string().lines().count(), depth + 1);
    }
    let deep = trap(1712);
    assert_eq!((deep.frames().len(), deep.frames_left_out()), (32, 1680));
    let text = deep.to_string();
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    assert_eq!(lines.len(), 34);
    assert_eq!(lines[1], "0: f0");
    assert_eq!(lines[24], "23: f23");
    assert_eq!(lines[25], "… 1680 frames are left out …");
    assert_eq!(lines[26], "1704: f1704");
    assert_eq!(lines[33], "1711: f1711");
    let another = deep.because(TrapKind::CannotLeave);
    assert_eq!(another.frames(), deep.frames());
}

#[test]
fn a_function_that_cannot_be_planned_is_no_trap() {
    let error = Error::from(AbiError::Unsupported {
        place: "the result".to_owned(),
        ty: "error-context".to_owned(),
    });
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "unsupported component: the result has the type error-context: error contexts cannot yet cross between the host and a component"
    );
}
