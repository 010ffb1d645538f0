// The errors of `execute`, as the contract's variant: a thrown value becomes the caller's result.

export const unsupportedOperation = (name) => ({ tag: "unsupported-operation", val: name });
export const invalidInput = (reason) => ({ tag: "invalid-input", val: reason });
export const failed = (reason) => ({ tag: "failed", val: reason });

// The engine has only doubles, so a codec's number beyond 2^53 arrives changed and cannot be reported.
export const unsupportedCodec = (id) =>
  Number.isSafeInteger(Number(id))
    ? { tag: "unsupported-codec", val: id }
    : invalidInput("the codec's number is beyond 2^53 and not known");
