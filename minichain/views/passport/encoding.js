// The one encoding (MessagePack, as minichain writes it) and the shapes of what it may hold.
//
// A value is null, a boolean, a BigInt, a string, a Uint8Array, an Array or a Map. Bytes are accepted only if they are
// exactly the bytes that `pack` writes of what was read. The shapes come from minichain's own types.

class Refused extends Error {
  constructor(words) { super(words.text); this.words = words; }
}
// A text in the reader's language, when it is written on the page (see `words`).
const _ = (text, values = {}) => ({ text, values, toString: () => words({ text, values }) });
const refuse = (text) => { throw new Refused(text); };
const require = (holds, text) => { if (!holds) refuse(text); };

const UTF8 = new TextEncoder(), FROM_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const MAX_DEPTH = 200;

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
}
const order = (a, b) => {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
};
const same = (a, b) => order(a, b) === 0;
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const textOf = (bytes) => UTF8.encode(bytes);

function number(code, size, value) {
  const view = new DataView(new ArrayBuffer(size + 1));
  view.setUint8(0, code);
  for (let i = size; i; i--, value >>= 8n) view.setUint8(i, Number(value & 255n));
  return new Uint8Array(view.buffer);
}

function packedInt(value) {
  if (value >= 0n) {
    if (value < 128n) return number(Number(value), 0, 0n);
    const size = value < 1n << 8n ? 0 : value < 1n << 16n ? 1 : value < 1n << 32n ? 2 : 3;
    return number(0xcc + size, 1 << size, value);
  }
  if (value >= -32n) return number(Number(256n + value), 0, 0n);
  const size = value >= -(1n << 7n) ? 0 : value >= -(1n << 15n) ? 1 : value >= -(1n << 31n) ? 2 : 3;
  return number(0xd0 + size, 1 << size, BigInt.asUintN(64, value));
}

// `short` is the code that holds a size below `below` itself; `long` is the code with one, two or four bytes of size.
function packedSize(size, short, below, long) {
  if (size < below) return Uint8Array.of(short + size);
  const room = size < 1 << 8 && long[0] ? 0 : size < 1 << 16 ? 1 : 2;
  return number(long[room], 1 << room, BigInt(size));
}

function pack(value) {
  if (value === null) return Uint8Array.of(0xc0);
  if (typeof value === "boolean") return Uint8Array.of(value ? 0xc3 : 0xc2);
  if (typeof value === "bigint") return packedInt(value);
  if (typeof value === "string") {
    const text = textOf(value);
    return joined(packedSize(text.length, 0xa0, 32, [0xd9, 0xda, 0xdb]), text);
  }
  if (value instanceof Uint8Array) return joined(packedSize(value.length, 0, 0, [0xc4, 0xc5, 0xc6]), value);
  if (Array.isArray(value)) return joined(packedSize(value.length, 0x90, 16, [0, 0xdc, 0xdd]), ...value.map(pack));
  const pairs = [...value].map(([key, one]) => [textOf(key), key, one]).sort((a, b) => order(a[0], b[0]));
  const parts = pairs.flatMap(([, key, one]) => [pack(key), pack(one)]);
  return joined(packedSize(pairs.length, 0x80, 16, [0, 0xde, 0xdf]), ...parts);
}

function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const cannot = _("What is there is no proof any more: a byte was changed, lost or added.");
  let at = 0;
  function take(size) {
    require(size <= bytes.length - at, cannot);
    at += size;
    return at - size;
  }
  const size = (room) => ({ 1: () => view.getUint8(take(1)), 2: () => view.getUint16(take(2)), 4: () => view.getUint32(take(4)) })[room]();
  const raw = (length) => { const start = take(length); return bytes.slice(start, start + length); };
  function text(length) {
    try { return FROM_UTF8.decode(raw(length)); } catch { return refuse(cannot); }
  }
  function list(length, depth) {
    require(length <= bytes.length - at, cannot);
    return Array.from({ length }, () => one(depth + 1));
  }
  function map(length, depth) {
    const found = new Map();
    for (let i = 0; i < length; i++) {
      const key = one(depth + 1);
      require(typeof key === "string" && !found.has(key), cannot);
      found.set(key, one(depth + 1));
    }
    return found;
  }
  function one(depth) {
    require(depth < MAX_DEPTH, cannot);
    const code = view.getUint8(take(1));
    if (code < 0x80) return BigInt(code);
    if (code < 0x90) return map(code & 15, depth);
    if (code < 0xa0) return list(code & 15, depth);
    if (code < 0xc0) return text(code & 31);
    if (code >= 0xe0) return BigInt(code) - 256n;
    switch (code) {
      case 0xc0: return null;
      case 0xc2: case 0xc3: return code === 0xc3;
      case 0xc4: case 0xc5: case 0xc6: return raw(size(1 << (code - 0xc4)));
      case 0xcc: case 0xcd: case 0xce: return BigInt(size(1 << (code - 0xcc)));
      case 0xcf: return view.getBigUint64(take(8));
      case 0xd0: return BigInt(view.getInt8(take(1)));
      case 0xd1: return BigInt(view.getInt16(take(2)));
      case 0xd2: return BigInt(view.getInt32(take(4)));
      case 0xd3: return view.getBigInt64(take(8));
      case 0xd9: case 0xda: case 0xdb: return text(size(1 << (code - 0xd9)));
      case 0xdc: case 0xdd: return list(size(code === 0xdc ? 2 : 4), depth);
      case 0xde: case 0xdf: return map(size(code === 0xde ? 2 : 4), depth);
      default: return refuse(cannot);
    }
  }
  const value = one(0);
  require(at === bytes.length, cannot);
  require(same(pack(value), bytes), _("Something in it is written otherwise than minichain writes it."));
  return value;
}

// --- shapes ---

const PLAIN = {
  int: (value) => typeof value === "bigint",
  str: (value) => typeof value === "string",
  bytes: (value) => value instanceof Uint8Array,
  bool: (value) => typeof value === "boolean",
  none: (value) => value === null,
  map: (value) => value instanceof Map,
  any: () => true,
};

// Returns the value with the names of its fields, and what it was made from as `raw`; refuses what has another shape.
function shaped(value, shape) {
  const wrong = _("A part of the proof has another form than such a proof has.");
  if (typeof shape === "string") {
    require(PLAIN[shape](value), wrong);
    return value;
  }
  if (shape.either) {
    const fitting = shape.either.find((one) => (typeof one === "string" ? PLAIN[one](value) : isOf(value, one)));
    return fitting ? shaped(value, fitting) : refuse(wrong);
  }
  if (shape.choice) {
    require(shape.choice.includes(value), wrong);
    return value;
  }
  if (shape.fields && !Array.isArray(value)) return keyed(value, shape, wrong);
  require(Array.isArray(value), wrong);
  if (shape.list) return value.map((one) => shaped(one, shape.list));
  if (shape.row) {
    require(value.length === shape.row.length, wrong);
    return value.map((one, i) => shaped(one, shape.row[i]));
  }
  const parts = shape.tag ? value.slice(1) : value;
  require(isOf(value, shape) && !shape.keyed && parts.length === shape.fields.length, wrong);
  const named = shape.fields.map(([name, inner], i) => [name, shaped(parts[i], inner)]);
  return { raw: value, tag: shape.tag, ...Object.fromEntries(named) };
}

function keyed(value, shape, wrong) {
  require(shape.keyed && value instanceof Map && value.size === shape.fields.length, wrong);
  return Object.fromEntries(shape.fields.map(([name, inner]) => [name, value.has(name) ? shaped(value.get(name), inner) : refuse(wrong)]));
}

const isOf = (value, shape) => Array.isArray(value) && (!shape.tag || value[0] === shape.tag);

const read = (bytes, shape) => shaped(unpack(bytes), shape);
