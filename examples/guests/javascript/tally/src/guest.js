// An example guest: the last stage of a pipeline, which counts the words of lines.

import { log } from "airssys:host-core/host-services@1.0.0";
import { JSON_CODEC, invalidInput, read, write } from "./payload.js";

let state = "created";
let lines = 0;
const counts = new Map();

/** Adds the words of a line. */
function add(params) {
  const line = params?.line;
  if (typeof line !== "string") throw invalidInput("params: `line` must be a string");
  lines += 1;
  for (const word of line.toLowerCase().split(/[^\p{L}\p{N}]+/u)) {
    if (word !== "") counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  log("debug", "added a line", [["lines", String(lines)]]);
  return totals();
}

/** Returns the numbers of lines and of each word, in the order of first use. */
const totals = () => ({ lines, words: Object.fromEntries(counts) });

const operations = { add, totals };

export const componentLifecycle = {
  init(config) {
    if (state === "ready") throw { tag: "already-initialized" };
    if (state === "stopped") throw { tag: "shut-down" };
    state = "ready";
    log("info", "tally is ready", null);
  },

  execute(payload, context) {
    if (state !== "ready") throw { tag: "failed", val: "tally is not initialised" };
    const envelope = read(payload);
    const operation = envelope?.operation;
    if (typeof operation !== "string") throw invalidInput("`operation` must be a string");
    if (!Object.hasOwn(operations, operation)) throw { tag: "unsupported-operation", val: operation };
    return write(operations[operation](envelope.params));
  },

  metadata() {
    return {
      name: "tally",
      version: "1.0.0",
      description: "Counts the words of lines",
      author: "The airssys-wasm authors",
      license: "MIT OR Apache-2.0",
      requiredCapabilities: [],
      supportedOperations: Object.keys(operations),
      supportedCodecs: [JSON_CODEC],
      language: "javascript",
      memoryRequirements: {
        minMemoryBytes: 4 << 20,
        maxMemoryBytes: 256 << 20,
        preferredMemoryBytes: 16 << 20,
      },
      timeoutMs: 5000,
      stateful: true,
      apiVersion: "1.0.0",
      homepage: null,
      repository: "https://github.com/airssys/airssys-wasm",
      tags: ["messages", "pipeline", "example"],
      customMetadata: null,
    };
  },

  health() {
    switch (state) {
      case "ready": return { state: "healthy", message: null };
      case "created": return { state: "degraded", message: "not initialised" };
      default: return { state: "unhealthy", message: "shut down" };
    }
  },

  supportedCodecs() {
    return [JSON_CODEC];
  },

  shutdown() {
    if (state === "created") throw { tag: "not-initialized" };
    if (state === "stopped") throw { tag: "shut-down" };
    state = "stopped";
    log("info", "tally is done", null);
  },
};
