// JSON payloads: a multicodec prefix, which the host decodes, then UTF-8 text.

import multicodec from "airssys:multicodec-core/multicodec-utilities@1.0.0";
import { invalidInput, unsupportedCodec } from "./errors.js";
import { parse, stringify } from "./json.js";
import { decodeUtf8, encodeUtf8 } from "./utf8.js";

export const JSON_CODEC = 0x0200;

const reasons = {
  empty: "the payload is empty",
  "truncated-prefix": "the payload ends within its multicodec prefix",
  "overlong-prefix": "the payload's multicodec prefix is overlong",
};

function decode(payload) {
  try {
    return multicodec.decode(payload);
  } catch (thrown) {
    // The engine wraps an error result of the host in an error of its own.
    const error = thrown?.payload ?? thrown;
    if (error?.tag === "unknown-codec") throw unsupportedCodec(error.val);
    throw invalidInput(reasons[error?.tag] ?? String(error));
  }
}

export function read(payload) {
  const { codec, data } = decode(payload);
  if (Number(codec) !== JSON_CODEC) throw unsupportedCodec(codec);
  try {
    return parse(decodeUtf8(data));
  } catch (error) {
    throw invalidInput(`json: ${error.message}`);
  }
}

export function write(value) {
  return multicodec.encode(JSON_CODEC, encodeUtf8(stringify(value)));
}
