// `TextEncoder` and `TextDecoder` for engines without them: QuickJS has none, and MessagePack's library asks for both.

import { decodeUtf8, encodeUtf8 } from "./utf8.js";

// componentize-js takes 64-bit numbers as BigInt, componentize-qjs as Number; this tells which of the engines it is.
export const u64 = globalThis.TextEncoder === undefined ? Number : BigInt;

globalThis.TextEncoder ??= class {
  encode(text = "") {
    return encodeUtf8(text);
  }

  encodeInto(text, target) {
    const bytes = encodeUtf8(text);
    target.set(bytes);
    return { read: text.length, written: bytes.length };
  }
};

globalThis.TextDecoder ??= class {
  decode(bytes = new Uint8Array()) {
    return decodeUtf8(bytes);
  }
};
