// The operations: each converts its params to a result. Objects are Maps.

import { invalidInput } from "./errors.js";

const isObject = (value) => value instanceof Map;
const member = (params, name) => (isObject(params) ? params.get(name) : undefined);

function object(params, name) {
  const value = member(params, name);
  if (!isObject(value)) throw invalidInput(`params: \`${name}\` must be an object`);
  return value;
}

/** Creates an object from entries; duplicate names are the caller's mistake. */
function objectOf(entries) {
  const made = new Map();
  for (const [key, value] of entries) {
    if (made.has(key)) throw invalidInput(`params: the answer would have the key ${JSON.stringify(key)} twice`);
    made.set(key, value);
  }
  return made;
}

/** Returns the members of `value` listed in `keys`, in that order. */
function pick(params) {
  const value = object(params, "value");
  const keys = member(params, "keys");
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string")) {
    throw invalidInput("params: `keys` must be a list of strings");
  }
  return new Map(keys.filter((key) => value.has(key)).map((key) => [key, value.get(key)]));
}

/** Renames the keys of `value` by `names`; other keys are unchanged. */
function rename(params) {
  const value = object(params, "value");
  const names = object(params, "names");
  if (![...names.values()].every((name) => typeof name === "string")) {
    throw invalidInput("params: `names` must map strings to strings");
  }
  return objectOf([...value].map(([key, item]) => [names.get(key) ?? key, item]));
}

/** Sorts the keys of every object in `value` by UTF-16 code units. */
function sortKeys(params) {
  const sorted = (value) => {
    if (Array.isArray(value)) return value.map(sorted);
    if (!isObject(value)) return value;
    return new Map([...value.keys()].sort().map((key) => [key, sorted(value.get(key))]));
  };
  const value = member(params, "value");
  if (value === undefined) throw invalidInput("params: `value` is missing");
  return sorted(value);
}

/** Flattens an object: `{"a": {"b": [1]}}` becomes `{"a.b.0": 1}`. Empty objects and lists are unchanged. */
function flatten(params) {
  const separator = member(params, "separator") ?? ".";
  if (typeof separator !== "string") throw invalidInput("params: `separator` must be a string");
  const flat = [];
  const walk = (value, path) => {
    const entries = Array.isArray(value) || isObject(value) ? [...value.entries()] : [];
    if (entries.length === 0) {
      flat.push([path.join(separator), value]);
    } else {
      for (const [key, item] of entries) walk(item, [...path, key]);
    }
  };
  for (const [key, item] of object(params, "value")) walk(item, [key]);
  return objectOf(flat);
}

export const operations = { pick, rename, "sort-keys": sortKeys, flatten };
