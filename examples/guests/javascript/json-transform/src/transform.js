// The operations themselves: each takes its params and gives the answer's value.

import { invalidInput } from "./errors.js";

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function object(params, name) {
  if (!isObject(params?.[name])) throw invalidInput(`params: \`${name}\` must be an object`);
  return params[name];
}

/** The members of `value` that `keys` names, in that order. */
function pick(params) {
  const value = object(params, "value");
  if (!Array.isArray(params.keys) || !params.keys.every((key) => typeof key === "string")) {
    throw invalidInput("params: `keys` must be a list of strings");
  }
  return Object.fromEntries(
    params.keys.filter((key) => Object.hasOwn(value, key)).map((key) => [key, value[key]]),
  );
}

/** `value` with its keys renamed as `names` says; other keys stay. */
function rename(params) {
  const value = object(params, "value");
  const names = object(params, "names");
  if (!Object.values(names).every((name) => typeof name === "string")) {
    throw invalidInput("params: `names` must map strings to strings");
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [Object.hasOwn(names, key) ? names[key] : key, member]),
  );
}

/** `value` with the keys of every object in it in order of their UTF-16 units. */
function sortKeys(params) {
  const sorted = (value) => {
    if (Array.isArray(value)) return value.map(sorted);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
  };
  if (params?.value === undefined) throw invalidInput("params: `value` is missing");
  return sorted(params.value);
}

/** One flat object: `{"a": {"b": [1]}}` becomes `{"a.b.0": 1}`. Empty objects and lists stay as they are. */
function flatten(params) {
  const separator = params?.separator ?? ".";
  if (typeof separator !== "string") throw invalidInput("params: `separator` must be a string");
  const flat = {};
  const walk = (value, path) => {
    const entries = Array.isArray(value) || isObject(value) ? Object.entries(value) : [];
    if (entries.length === 0) {
      flat[path.join(separator)] = value;
    } else {
      for (const [key, member] of entries) walk(member, [...path, key]);
    }
  };
  for (const [key, member] of Object.entries(object(params, "value"))) walk(member, [key]);
  return flat;
}

export const operations = { pick, rename, "sort-keys": sortKeys, flatten };
