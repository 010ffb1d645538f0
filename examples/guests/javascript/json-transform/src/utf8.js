// UTF-8, since the component's engine has no TextDecoder.

/** Decodes UTF-8; throws a RangeError for invalid bytes. */
export function decodeUtf8(bytes) {
  const chunks = [];
  let units = [];
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at];
    const length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    let point = length === 1 ? lead : lead & (0x7f >> length);
    for (let next = at + 1; next < at + length; next++) {
      if ((bytes[next] & 0xc0) !== 0x80) throw new RangeError(`byte ${at} begins no UTF-8 character`);
      point = (point << 6) | (bytes[next] & 0x3f);
    }
    const least = [Infinity, 0, 0x80, 0x800, 0x10000][length];
    if (!(point >= least) || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      throw new RangeError(`byte ${at} begins no UTF-8 character`);
    }
    units.push(point);
    at += length;
    if (units.length === 4096) {
      chunks.push(String.fromCodePoint(...units));
      units = [];
    }
  }
  chunks.push(String.fromCodePoint(...units));
  return chunks.join("");
}

/** Encodes well-formed text as UTF-8. */
export function encodeUtf8(text) {
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (const char of text) {
    const point = char.codePointAt(0);
    if (point < 0x80) {
      bytes[length++] = point;
      continue;
    }
    const more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    bytes[length++] = ((0xff00 >> (more + 1)) & 0xff) | (point >> (6 * more));
    for (let rest = more - 1; rest >= 0; rest--) bytes[length++] = 0x80 | ((point >> (6 * rest)) & 0x3f);
  }
  return bytes.slice(0, length);
}
