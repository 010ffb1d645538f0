// The operations themselves: each takes its params and gives the answer's value. Objects are Maps.

import { invalidInput } from "./errors.js";

const isObject = (value) => value instanceof Map;
const member = (params, name) => (isObject(params) ? params.get(name) : undefined);

function object(params, name) {
  const value = member(params, name);
  if (!isObject(value)) throw invalidInput(`params: \`${name}\` must be an object`);
  return value;
}

/** An object of entries; two of the same name are the caller's mistake. */
function objectOf(entries) {
  const made = new Map();
  for (const [key, value] of entries) {
    if (made.has(key)) throw invalidInput(`params: the answer would have the key ${JSON.stringify(key)} twice`);
    made.set(key, value);
  }
  return made;
}

/** The members of `value` that `keys` names, in that order. */
function pick(params) {
  const value = object(params, "value");
  const keys = member(params, "keys");
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string")) {
    throw invalidInput("params: `keys` must be a list of strings");
  }
  return new Map(keys.filter((key) => value.has(key)).map((key) => [key, value.get(key)]));
}

/** `value` with its keys renamed as `names` says; other keys stay. */
function rename(params) {
  const value = object(params, "value");
  const names = object(params, "names");
  if (![...names.values()].every((name) => typeof name === "string")) {
    throw invalidInput("params: `names` must map strings to strings");
  }
  return objectOf([...value].map(([key, item]) => [names.get(key) ?? key, item]));
}

/** `value` with the keys of every object in it in order of their UTF-16 units. */
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

/** One flat object: `{"a": {"b": [1]}}` becomes `{"a.b.0": 1}`. Empty objects and lists stay as they are. */
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
