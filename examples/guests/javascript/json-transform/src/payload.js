// JSON payloads: a multicodec prefix, which the host knows how to read, then UTF-8 text.

import multicodec from "airssys:multicodec-core/multicodec-utilities@1.0.0";
import { invalidInput, unsupportedCodec } from "./errors.js";

export const JSON_CODEC = 0x0200;

const reasons = {
  empty: "the payload is empty",
  "truncated-prefix": "the payload ends within its multicodec prefix",
  "overlong-prefix": "the payload's multicodec prefix is overlong",
};

function decode(payload) {
  try {
    return multicodec.decode(payload);
  } catch (error) {
    if (error?.tag === "unknown-codec") throw unsupportedCodec(error.val);
    throw invalidInput(reasons[error?.tag] ?? String(error));
  }
}

export function read(payload) {
  const { codec, data } = decode(payload);
  if (Number(codec) !== JSON_CODEC) throw unsupportedCodec(codec);
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch (error) {
    throw invalidInput(`json: ${error.message}`);
  }
}

export function write(value) {
  return multicodec.encode(JSON_CODEC, new TextEncoder().encode(JSON.stringify(value)));
}
