// The operations.

import { encodeUtf8 } from "./utf8.js";

// Unicode's property White_Space. `\s` differs: it includes U+FEFF and lacks U+0085.
const WORD = /[^\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

const wordsOf = (text) => text.match(WORD) ?? [];

/** Returns the number of characters; those beyond the basic plane are two code units each. */
function charsIn(text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function wordCount(text) {
  const words = wordsOf(text);
  return { count: words.length, unique: new Set(words).size };
}

/** Reverses by Unicode scalar value, so a combining mark ends up before its letter. */
function reverse(text) {
  return { text: Array.from(text).reverse().join("") };
}

function statistics(text) {
  const words = wordsOf(text);
  let letters = 0;
  let longest = { word: "", length: 0 };
  for (const word of words) {
    const length = charsIn(word);
    letters += length;
    if (length > longest.length) longest = { word, length };
  }
  const breaks = text.split("\n");
  return {
    chars: charsIn(text),
    words: words.length,
    lines: breaks.length - (breaks.at(-1) === "" ? 1 : 0),
    bytes: encodeUtf8(text).length,
    "average-word-length": words.length === 0 ? 0 : letters / words.length,
    "longest-word": longest.word,
  };
}

export const operations = { "word-count": wordCount, reverse, statistics };
