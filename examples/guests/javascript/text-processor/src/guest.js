// An example guest: counts words, reverses text and measures it, over JSON or MessagePack.

import { log } from "airssys:host-core/host-services@1.0.0";
import { codecs, read, split, textIn, write } from "./codec.js";
import { failed, unsupportedOperation } from "./errors.js";
import { u64 } from "./text-coding.js";
import { operations } from "./text.js";

let state = "created";

export const componentLifecycle = {
  init(config) {
    if (state === "ready") throw { tag: "already-initialized" };
    if (state === "stopped") throw { tag: "shut-down" };
    if (config.configData?.length > 0) {
      throw { tag: "invalid-config", val: "text-processor takes no configuration data" };
    }
    state = "ready";
    log("info", "text-processor is ready", undefined);
  },

  execute(payload, context) {
    if (state !== "ready") throw failed("text-processor is not initialised");
    const { codec, data } = split(payload);
    const request = read(codec, data);
    const operation = textIn(codec, request, "operation");
    if (!Object.hasOwn(operations, operation)) throw unsupportedOperation(operation);
    log("debug", "executing", [
      ["operation", operation],
      ["codec", codec.name],
      ["request-id", context.requestId],
    ]);
    return write(codec, operations[operation](textIn(codec, request.params, "text")));
  },

  metadata() {
    return {
      name: "text-processor",
      version: "1.0.0",
      description: "Counts words, reverses text and measures it",
      author: "The airssys-wasm authors",
      license: "MIT OR Apache-2.0",
      requiredCapabilities: [],
      supportedOperations: Object.keys(operations),
      supportedCodecs: codecs.map(({ id }) => id),
      language: "javascript",
      memoryRequirements: {
        minMemoryBytes: u64(16 << 20),
        maxMemoryBytes: u64(512 << 20),
        preferredMemoryBytes: u64(32 << 20),
      },
      timeoutMs: u64(30_000),
      stateful: false,
      apiVersion: "1.0.0",
      homepage: undefined,
      repository: "https://github.com/airssys/airssys-wasm",
      tags: ["text", "example"],
      customMetadata: [
        ["text:word-separator", "Unicode white space"],
        ["text:reverse-unit", "Unicode scalar value"],
      ],
    };
  },

  health() {
    switch (state) {
      case "ready": return { state: "healthy", message: undefined };
      case "created": return { state: "degraded", message: "not initialised" };
      default: return { state: "unhealthy", message: "shut down" };
    }
  },

  supportedCodecs() {
    return codecs.map(({ id }) => id);
  },

  shutdown() {
    if (state === "created") throw { tag: "not-initialized" };
    if (state === "stopped") throw { tag: "shut-down" };
    state = "stopped";
    log("info", "text-processor is done", undefined);
  },
};
