// SHA-256 and SHA-512 (FIPS 180-4). Their constants are computed as the standard defines them: the first bits of the
// fractional parts of square and cube roots of primes.

function primes(count) {
  const found = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime)) found.push(n);
  return found.map(BigInt);
}

function fraction(prime, root, bits) {
  const wanted = prime << (root * bits);
  let low = 0n, high = 1n << (bits + 10n);
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle ** root <= wanted) low = middle; else high = middle;
  }
  return low & ((1n << bits) - 1n);
}

const ROUNDS_256 = primes(64).map((prime) => Number(fraction(prime, 3n, 32n)));
const START_256 = primes(8).map((prime) => Number(fraction(prime, 2n, 32n)));
const ROUNDS_512 = primes(80).map((prime) => fraction(prime, 3n, 64n));
const START_512 = primes(8).map((prime) => fraction(prime, 2n, 64n));

function padded(bytes, block) {
  const tail = block / 8;
  const whole = new Uint8Array(Math.ceil((bytes.length + 1 + tail) / block) * block);
  whole.set(bytes);
  whole[bytes.length] = 0x80;
  new DataView(whole.buffer).setBigUint64(whole.length - 8, BigInt(bytes.length) * 8n);
  return new DataView(whole.buffer);
}

function sha256(bytes) {
  const data = padded(bytes, 64), state = [...START_256], w = new Uint32Array(64);
  const turn = (x, n) => (x >>> n) | (x << (32 - n));
  for (let at = 0; at < data.byteLength; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = data.getUint32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      w[i] = w[i - 16] + w[i - 7] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS_256[i] + w[i]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [a, b, c, d, e, f, g, h] = [(one + two) | 0, a, b, c, (d + one) | 0, e, f, g];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => { state[i] = (state[i] + value) | 0; });
  }
  const result = new DataView(new ArrayBuffer(32));
  state.forEach((value, i) => result.setInt32(4 * i, value));
  return new Uint8Array(result.buffer);
}

function sha512(bytes) {
  const data = padded(bytes, 128), state = [...START_512], w = new Array(80);
  const cut = (x) => BigInt.asUintN(64, x), turn = (x, n) => cut((x >> n) | (x << (64n - n)));
  for (let at = 0; at < data.byteLength; at += 128) {
    for (let i = 0; i < 16; i++) w[i] = data.getBigUint64(at + 8 * i);
    for (let i = 16; i < 80; i++) {
      const x = w[i - 15], y = w[i - 2];
      w[i] = cut(w[i - 16] + w[i - 7] + (turn(x, 1n) ^ turn(x, 8n) ^ (x >> 7n)) + (turn(y, 19n) ^ turn(y, 61n) ^ (y >> 6n)));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 80; i++) {
      const one = h + (turn(e, 14n) ^ turn(e, 18n) ^ turn(e, 41n)) + ((e & f) ^ (cut(~e) & g)) + ROUNDS_512[i] + w[i];
      const two = (turn(a, 28n) ^ turn(a, 34n) ^ turn(a, 39n)) + ((a & b) ^ (a & c) ^ (b & c));
      [a, b, c, d, e, f, g, h] = [cut(one + two), a, b, c, cut(d + one), e, f, g];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => { state[i] = cut(state[i] + value); });
  }
  const result = new DataView(new ArrayBuffer(64));
  state.forEach((value, i) => result.setBigUint64(8 * i, value));
  return new Uint8Array(result.buffer);
}
