// JSON payloads: a multicodec prefix, which the host decodes, then UTF-8 text. Numbers are counts, which fit doubles.

import multicodec from "airssys:multicodec-core/multicodec-utilities@1.0.0";

export const JSON_CODEC = 0x0200;

export const invalidInput = (reason) => ({ tag: "invalid-input", val: reason });

// The component's engine has no TextDecoder; a URI has UTF-8 as percent signs and digits.
const decodeUtf8 = (bytes) =>
  decodeURIComponent(Array.from(bytes, (byte) => "%" + byte.toString(16).padStart(2, "0")).join(""));

function encodeUtf8(text) {
  const escaped = encodeURIComponent(text);
  const bytes = [];
  for (let at = 0; at < escaped.length; at++) {
    if (escaped[at] === "%") {
      bytes.push(parseInt(escaped.slice(at + 1, at + 3), 16));
      at += 2;
    } else {
      bytes.push(escaped.charCodeAt(at));
    }
  }
  return Uint8Array.from(bytes);
}

export function read(payload) {
  let decoded;
  try {
    decoded = multicodec.decode(payload);
  } catch (thrown) {
    // The engine wraps an error result of the host in an error of its own.
    throw invalidInput(`the payload has no codec of the contract: ${(thrown?.payload ?? thrown)?.tag}`);
  }
  if (Number(decoded.codec) !== JSON_CODEC) throw { tag: "unsupported-codec", val: decoded.codec };
  try {
    return JSON.parse(decodeUtf8(decoded.data));
  } catch (error) {
    throw invalidInput(`json: ${error.message}`);
  }
}

export const write = (value) => multicodec.encode(JSON_CODEC, encodeUtf8(JSON.stringify(value)));
