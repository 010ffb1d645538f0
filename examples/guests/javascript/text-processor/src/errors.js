// The errors of `execute`, as the contract's variant: what is thrown is what the caller gets.

export const unsupportedOperation = (name) => ({ tag: "unsupported-operation", val: name });
export const unsupportedCodec = (id) => ({ tag: "unsupported-codec", val: id });
export const invalidInput = (reason) => ({ tag: "invalid-input", val: reason });
export const failed = (reason) => ({ tag: "failed", val: reason });
