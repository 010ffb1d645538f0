// The errors of `execute`, as the contract's variant: what is thrown is what the caller gets.

export const unsupportedOperation = (name) => ({ tag: "unsupported-operation", val: name });
export const invalidInput = (reason) => ({ tag: "invalid-input", val: reason });
export const failed = (reason) => ({ tag: "failed", val: reason });

// An engine that has doubles alone gets a codec's number beyond 2^53 changed: it cannot be named.
export const unsupportedCodec = (id) =>
  typeof id === "bigint" || Number.isSafeInteger(id)
    ? { tag: "unsupported-codec", val: id }
    : invalidInput("the codec's number is beyond 2^53 and not known");
