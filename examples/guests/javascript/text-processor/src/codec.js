// The two codecs of this guest. The host handles the multicodec prefix.

import { u64 } from "./text-coding.js";
import { decode as decodeMsgpack, encode as encodeMsgpack } from "@msgpack/msgpack";
import { decode, encode } from "airssys:multicodec-core/multicodec-utilities@1.0.0";
import { invalidInput, unsupportedCodec } from "./errors.js";
import { decodeUtf8, encodeUtf8 } from "./utf8.js";

// The library replaces invalid UTF-8 in strings, so they are kept as bytes and decoded here.
const rawStrings = {
  rawStrings: true,
  mapKeyConverter: (key) => (key instanceof Uint8Array ? decodeUtf8(key) : String(key)),
};

/** A string in MessagePack. */
const textOf = (value) => (value instanceof Uint8Array ? decodeUtf8(value) : undefined);

export const codecs = [
  {
    id: u64(0x0200),
    name: "json",
    read: (data) => {
      if (isTooDeep(data)) throw new RangeError("a document that is too deep");
      return JSON.parse(decodeUtf8(data));
    },
    text: (value) => (typeof value === "string" && isWellFormed(value) ? value : undefined),
    write: (answer) => encodeUtf8(JSON.stringify(answer)),
  },
  {
    id: u64(0x0201),
    name: "msgpack",
    read: (data) => decodeMsgpack(data, rawStrings),
    text: textOf,
    write: (answer) => encodeMsgpack(answer),
  },
];

// One of the engines parses JSON recursively, and a component's stack is small.
const DEEPEST = 500;

/** Returns true if lists and objects nest deeper than that. Invalid data is left to the parser. */
function isTooDeep(data) {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < data.length; at++) {
    const byte = data[at];
    if (isText) {
      if (byte === 0x5c) at++; // backslash
      else if (byte === 0x22) isText = false;
    } else if (byte === 0x22) {
      isText = true;
    } else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > DEEPEST) return true;
    } else if (byte === 0x5d || byte === 0x7d) {
      depth--;
    }
  }
  return false;
}

/** Returns true if a string has no lone surrogate, which UTF-8 cannot represent. */
function isWellFormed(text) {
  if (text.isWellFormed) return text.isWellFormed();
  for (const char of text) {
    const point = char.codePointAt(0);
    if (point >= 0xd800 && point < 0xe000) return false;
  }
  return true;
}

const reasons = {
  empty: "the payload is empty",
  "truncated-prefix": "the payload ends within its multicodec prefix",
  "overlong-prefix": "the payload's multicodec prefix is overlong",
};

/** Splits a payload into its codec and its data. */
export function split(payload) {
  let decoded;
  try {
    decoded = decode(payload);
  } catch (thrown) {
    // The engine wraps an error result of the host in an error of its own.
    const error = thrown?.payload ?? thrown;
    if (error?.tag === "unknown-codec") throw unsupportedCodec(error.val);
    throw invalidInput(reasons[error?.tag] ?? String(error));
  }
  const codec = codecs.find(({ id }) => id === u64(decoded.codec));
  if (codec === undefined) throw unsupportedCodec(decoded.codec);
  return { codec, data: decoded.data };
}

/** Decodes data; any exception of the decoder is the caller's mistake. */
export function read(codec, data) {
  try {
    return codec.read(data);
  } catch (error) {
    throw invalidInput(`${codec.name}: ${error.message}`);
  }
}

/** Returns the text of `value` under `key`. */
export function textIn(codec, value, key) {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  let text;
  try {
    text = isMap && Object.hasOwn(value, key) ? codec.text(value[key]) : undefined;
  } catch (error) {
    throw invalidInput(`${codec.name}: ${error.message}`);
  }
  if (text === undefined) throw invalidInput(`${codec.name}: \`${key}\` must be a string`);
  return text;
}

export function write(codec, answer) {
  return encode(codec.id, codec.write(answer));
}
