// Ed25519 (RFC 8032), with the rules by which libsodium refuses: S below the order, canonical points, none of small order
// as key or R, and the equation holds as it is, not only times 8. Only public data are here: no secrets, so nothing needs
// to take the same time always.

const PRIME = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (x, m = PRIME) => ((x % m) + m) % m;

function power(base, exponent) {
  let result = 1n;
  for (base = mod(base); exponent; exponent >>= 1n, base = (base * base) % PRIME) {
    if (exponent & 1n) result = (result * base) % PRIME;
  }
  return result;
}

const CURVE_D = mod(-121665n * power(121666n, PRIME - 2n));
const ROOT_OF_MINUS_ONE = power(2n, (PRIME - 1n) / 4n);

const little = (bytes) => bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);

// A point is [X, Y, Z, T] with x = X/Z, y = Y/Z, xy = T/Z (RFC 8032, section 5.1.4).
const ZERO = [0n, 1n, 1n, 0n];

function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = ((y1 - x1) * (y2 - x2)) % PRIME, b = ((y1 + x1) * (y2 + x2)) % PRIME;
  const c = (((2n * CURVE_D * t1) % PRIME) * t2) % PRIME, d = (2n * z1 * z2) % PRIME;
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
}

const negative = ([x, y, z, t]) => [mod(-x), y, z, mod(-t)];

const isZero = ([x, y, z]) => x === 0n && y === z;

function isOfSmallOrder(point) {
  for (let i = 0; i < 3; i++) point = add(point, point);
  return isZero(point);
}

// Returns the point that 32 bytes stand for (section 5.1.3); null if there is none.
function pointOf(bytes) {
  const number = little(bytes), sign = number >> 255n, y = number & (2n ** 255n - 1n);
  if (y >= PRIME) return null;
  const u = mod(y * y - 1n), v = mod(CURVE_D * y * y + 1n);
  let x = mod(u * v ** 3n * power(u * v ** 7n, (PRIME - 5n) / 8n));
  if (mod(v * x * x) === mod(-u)) x = mod(x * ROOT_OF_MINUS_ONE);
  if (mod(v * x * x) !== u || (x === 0n && sign)) return null;
  if ((x & 1n) !== sign) x = mod(-x);
  return [x, y, 1n, mod(x * y)];
}

const BASE = pointOf(Uint8Array.from([0x58, ...new Array(31).fill(0x66)]));

function isSigned(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64) return false;
  const s = little(signature.slice(32));
  const a = pointOf(key), r = pointOf(signature.slice(0, 32));
  if (s >= ORDER || !a || !r || isOfSmallOrder(a) || isOfSmallOrder(r)) return false;
  const h = little(sha512(joined(signature.slice(0, 32), key, message))) % ORDER;
  const minus = negative(a), both = add(BASE, minus);
  let sum = ZERO;
  for (let bit = 252n; bit >= 0n; bit--) {
    sum = add(sum, sum);
    const one = (s >> bit) & 1n, two = (h >> bit) & 1n;
    if (one || two) sum = add(sum, one && two ? both : one ? BASE : minus);
  }
  return isZero(add(sum, negative(r)));
}
