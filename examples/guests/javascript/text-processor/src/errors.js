// The errors of `execute`, as the contract's variant: a thrown value becomes the caller's result.

export const unsupportedOperation = (name) => ({ tag: "unsupported-operation", val: name });
export const invalidInput = (reason) => ({ tag: "invalid-input", val: reason });
export const failed = (reason) => ({ tag: "failed", val: reason });

// In an engine with only doubles, a codec's number beyond 2^53 arrives changed and cannot be reported.
export const unsupportedCodec = (id) =>
  typeof id === "bigint" || Number.isSafeInteger(id)
    ? { tag: "unsupported-codec", val: id }
    : invalidInput("the codec's number is beyond 2^53 and not known");
