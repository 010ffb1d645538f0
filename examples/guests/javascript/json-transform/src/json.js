// Lossless JSON. `JSON.parse` converts every number to a double, keeps the last of two equal keys, and sorts numeric keys
// to the front; here a number keeps its digits, an object is a Map, and a duplicate key is an error.

/** A number, by its text. */
export class Numeral {
  constructor(text) {
    this.text = text;
  }
}

// A component's stack is small.
const DEEPEST = 200;

const token = /[ \t\n\r]*(?:([[\]{}:,])|(")|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)|(true|false|null))/y;
const end = /[ \t\n\r]*$/y;

/** Parses a JSON text. Throws a SyntaxError with the position of the error. */
export function parse(text) {
  let at = 0;

  const fail = (reason) => {
    throw new SyntaxError(`${reason} at character ${at}`);
  };

  const next = () => {
    token.lastIndex = at;
    const found = token.exec(text);
    if (found === null) fail("no JSON");
    at = token.lastIndex;
    return found;
  };

  /** Parses a string after its opening quote. */
  const string = () => {
    const start = at - 1;
    for (; text[at] !== '"'; at++) {
      if (at >= text.length) fail("a string without an end");
      if (text[at] === "\\") at++;
    }
    at++;
    try {
      return JSON.parse(text.slice(start, at));
    } catch {
      at = start;
      return fail("a string that is none in JSON");
    }
  };

  const peeks = (mark) => {
    const before = at;
    const found = next();
    if (found[1] === mark) return true;
    at = before;
    return false;
  };

  const expect = (mark) => {
    if (next()[1] !== mark) fail(`no \`${mark}\``);
  };

  const list = (depth) => {
    const items = [];
    if (peeks("]")) return items;
    do items.push(value(next(), depth)); while (peeks(","));
    expect("]");
    return items;
  };

  const object = (depth) => {
    const entries = new Map();
    if (peeks("}")) return entries;
    do {
      if (next()[2] === undefined) fail("no string for a key");
      const key = string();
      if (entries.has(key)) fail(`the key ${JSON.stringify(key)} for the second time`);
      expect(":");
      entries.set(key, value(next(), depth));
    } while (peeks(","));
    expect("}");
    return entries;
  };

  const value = (found, depth) => {
    const [, mark, quoted, number, word] = found;
    if (quoted !== undefined) return string();
    if (number !== undefined) return new Numeral(number);
    if (word !== undefined) return JSON.parse(word);
    if (depth === DEEPEST) fail(`more than ${DEEPEST} lists and objects in each other`);
    if (mark === "[") return list(depth + 1);
    if (mark === "{") return object(depth + 1);
    return fail(`\`${mark}\` for a value`);
  };

  const whole = value(next(), 0);
  end.lastIndex = at;
  if (!end.test(text)) fail("something behind the value");
  return whole;
}

/** Writes a value as JSON: numbers with their original digits, keys in their order. */
export function stringify(value) {
  if (value instanceof Numeral) return value.text;
  if (Array.isArray(value)) return `[${value.map(stringify).join(",")}]`;
  if (value instanceof Map) {
    return `{${[...value].map(([key, member]) => `${JSON.stringify(key)}:${stringify(member)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}
