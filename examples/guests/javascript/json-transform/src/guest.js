// An example guest: picks, renames, sorts and flattens JSON.

import { log } from "airssys:host-core/host-services@1.0.0";
import { failed, invalidInput, unsupportedOperation } from "./errors.js";
import { JSON_CODEC, read, write } from "./payload.js";
import { operations } from "./transform.js";

let state = "created";

export const componentLifecycle = {
  init(config) {
    if (state === "ready") throw { tag: "already-initialized" };
    if (state === "stopped") throw { tag: "shut-down" };
    state = "ready";
    log("info", "json-transform is ready", null);
  },

  execute(payload, context) {
    if (state !== "ready") throw failed("json-transform is not initialised");
    const envelope = read(payload);
    if (!(envelope instanceof Map)) throw invalidInput("the payload must be an object");
    const operation = envelope.get("operation");
    if (typeof operation !== "string") throw invalidInput("`operation` must be a string");
    if (!Object.hasOwn(operations, operation)) throw unsupportedOperation(operation);
    log("debug", "executing", [["operation", operation], ["request-id", context.requestId]]);
    return write(operations[operation](envelope.get("params")));
  },

  metadata() {
    return {
      name: "json-transform",
      version: "1.0.0",
      description: "Picks, renames, sorts and flattens JSON",
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
      stateful: false,
      apiVersion: "1.0.0",
      homepage: null,
      repository: "https://github.com/airssys/airssys-wasm",
      tags: ["json", "example"],
      customMetadata: [["json:numbers", "kept as they are written"]],
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
    log("info", "json-transform is done", null);
  },
};
