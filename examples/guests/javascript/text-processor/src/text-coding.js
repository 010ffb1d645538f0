// `TextEncoder` and `TextDecoder` for engines without them, such as QuickJS: the MessagePack library needs both.

import { decodeUtf8, encodeUtf8 } from "./utf8.js";

// componentize-js passes 64-bit integers as BigInt, componentize-qjs as Number; this detects the engine.
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
