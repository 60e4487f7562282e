// The checks of a proof, in the order in which trust is built: they are those of minichain's own `crosschain.proofs`,
// rule by rule, so that this page refuses what minichain refuses.

const CERTIFICATES = { bft: "quorum", raft: "log", pow: "work" };
const PRECOMMIT = 1n;
const LONGEST_PATH = 64;

const tagged = (purpose, bytes) => joined(textOf(`minichain:${purpose}\0`), bytes);
const digest = (purpose, bytes) => sha256(tagged(purpose, bytes));
const letters = (text) => [...text].length;
const sum = (numbers) => numbers.reduce((total, one) => total + one, 0n);
const isDistinct = (names) => new Set(names).size === names.length;
// Python's `str.isprintable`.
const isPrintable = (text) => !/[\p{C}\p{Z}]/u.test(text.replaceAll(" ", ""));

// --- chains and committees ---

function committeeOf(members) {
  const cannot = _("The validators it names cannot be a committee.");
  require(members.length >= 1 && members.length <= RULES.members, cannot);
  require(isDistinct(members.map((one) => hex(one.public))) && isDistinct(members.map((one) => one.name)), cannot);
  for (const { name, public: key, weight, owner } of members) {
    require(letters(name) >= 1 && letters(name) <= RULES.name && isPrintable(name) && !/[/\\]/.test(name), cannot);
    require(letters(owner) <= RULES.name && isPrintable(owner), cannot);
    require(weight >= 1n && weight <= BigInt(RULES.weight) && key.length === 32, cannot);
  }
  const hash = digest("committee", pack(members.map((one) => one.raw)));
  return { members, hash, total: sum(members.map((one) => one.weight)) };
}

function requireUnits(units, cannot) {
  require(isDistinct(units.map(([key]) => hex(key))), cannot);
  require(units.every(([key, amount]) => key.length === 32 && amount > 0n), cannot);
  require(sum(units.map(([, amount]) => amount)) <= BigInt(RULES.supply), cannot);
}

function* numbersOf(record, prefix) {
  for (const [name, value] of Object.entries(record)) {
    if (typeof value === "bigint") yield [prefix + name, value];
    else if (value && value.raw) yield* numbersOf(value, `${prefix}${name}.`);
  }
}

function chainOf(spec) {
  const cannot = _("The chain it describes cannot be: one of its settings is impossible.");
  const { engine, clock, membership, limits } = spec;
  require(/^[a-z0-9][a-z0-9.-]{0,39}$/.test(spec.chain_id) && letters(spec.profile) <= RULES.name, cannot);
  require(RULES.clocks.includes(clock) && RULES.engines.includes(engine), cannot);
  require(RULES.readers.includes(spec.access.reads) && RULES.readers.includes(spec.access.writes), cannot);
  require(engine !== "pow" || (clock === "wall" && !membership), cannot);
  require(engine !== "raft" || !membership || !["stake", "delegation"].includes(membership.tag), cannot);
  require(spec.work.difficulty <= BigInt(RULES.difficulty), cannot);
  require(limits.transaction_gas <= limits.block_gas && limits.transaction_bytes <= limits.block_bytes, cannot);
  require(limits.block_bytes <= BigInt(RULES.block), cannot);
  for (const [path, value] of numbersOf(spec, "")) {
    require(value > 0n || (value === 0n && RULES.mayBeZero.includes(path)), cannot);
    require(value <= BigInt(RULES.setting), cannot);
  }
  requireUnits(spec.balances, cannot);
  if (membership && membership.holders) requireUnits(membership.holders, cannot);
  return { spec, committee: committeeOf(spec.members), hash: digest("genesis", pack(spec.raw)) };
}

// --- what stands behind a block ---

const idOf = (header) => digest("block", pack(header.raw));

function requireHeader(certificate, header, committee) {
  require(certificate.height === header.height && same(certificate.block_id, idOf(header)), _("The signatures are for another block than the one shown."));
  require(same(header.committee, committee.hash), _("The block names other validators than those who may sign it."));
}

// Returns the members whose signatures are on a block; `trust` is the committee that decides after the height `after`.
function requireSigned(chain, trust, header, certificate) {
  require(same(header.genesis, chain.hash), _("The block belongs to another chain."));
  require(header.height > trust.after, _("These validators signed when their time had not begun, or was over."));
  require(certificate.tag === CERTIFICATES[chain.spec.engine], _("The block is sealed in a way that counts for nothing on this chain."));
  requireHeader(certificate, header, trust.committee);
  const isVote = certificate.tag === "quorum", { members, total } = trust.committee;
  const { height, block_id } = certificate, genesis = header.genesis;
  const statement = pack(isVote ? [genesis, PRECOMMIT, height, certificate.round, block_id] : [genesis, certificate.term, height, block_id]);
  const places = certificate.signatures.map(([place]) => place);
  const isInOrder = places.every((place, i) => place >= 0n && place < BigInt(members.length) && (i === 0 || place > places[i - 1]));
  require(isInOrder, _("The signers are not different validators in their order."));
  const signers = places.map((place) => members[Number(place)]);
  certificate.signatures.forEach(([, signature], i) => {
    const isRight = isSigned(signers[i].public, tagged(isVote ? "vote" : "log", statement), signature);
    require(isRight, _("The signature of {name} is wrong.", { name: signers[i].name }));
  });
  const weight = sum(signers.map((one) => one.weight));
  const isEnough = isVote ? 3n * weight > 2n * total : 2n * weight > total;
  require(isEnough, _("Too few signed: {weight} of {total} votes.", { weight, total }));
  return signers;
}

function trustAfter(chain, handovers) {
  let trust = { committee: chain.committee, after: 0n };
  for (const { header, certificate, members } of handovers) {
    requireSigned(chain, trust, header, certificate);
    const committee = committeeOf(members);
    const isNext = !same(committee.hash, trust.committee.hash) && same(header.next_committee, committee.hash);
    require(isNext, _("The validators given after block {height} are not those it hands over to.", { height: header.height }));
    trust = { committee, after: header.height };
  }
  return trust;
}

// --- chains of work (Nakamoto 2008; the rules are those of minichain's `consensus.pow.tree`) ---

function difficultyAfter(entries, work) {
  const parent = entries.at(-1), height = BigInt(entries.length - 1);
  if (height <= work.window || (height - 1n) % work.window) return parent.difficulty;
  const took = parent.time - entries[Number(height - work.window)].time, old = parent.difficulty;
  const wanted = (old * work.window * work.block_ms) / (took > 1n ? took : 1n);
  const least = (old + work.most_change - 1n) / work.most_change, most = old * work.most_change;
  const within = wanted < least ? least : wanted > most ? most : wanted;
  return within < BigInt(RULES.difficulty) ? within : BigInt(RULES.difficulty);
}

function medianTime(entries) {
  const times = entries.slice(-11).map((one) => one.time).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return times[Math.floor(times.length / 2)];
}

function isSealed(certificate) {
  const { nonce, difficulty, block_id } = certificate;
  if (difficulty < 1n || nonce < 0n || nonce >= 1n << 63n) return false;
  const seal = digest("work", joined(block_id, number(0, 8, nonce).slice(1)));
  return BigInt(`0x${hex(seal)}`) * difficulty < 1n << 256n;
}

// Returns how many blocks confirm a block, its own included, and the tries they took on average.
function depthOf(chain, block) {
  const { spec } = chain, broken = (height) => _("Block {height} does not continue the chain of headers as its rules ask.", { height });
  const entries = [{ id: chain.hash, time: spec.genesis_time_ms, difficulty: spec.work.difficulty }];
  for (const { header, certificate } of block.links) {
    const height = BigInt(entries.length);
    const follows = same(header.genesis, chain.hash) && header.height === height && same(header.parent, entries.at(-1).id);
    require(follows && header.time_ms > medianTime(entries), broken(height));
    const wanted = difficultyAfter(entries, spec.work);
    requireHeader(certificate, header, chain.committee);
    require(certificate.difficulty === wanted && isSealed(certificate), broken(height));
    entries.push({ id: idOf(header), time: header.time_ms, difficulty: wanted, certificate });
  }
  const height = block.header.height, missing = _("The block is not in the chain of headers given with it.");
  require(height >= 1n && height < BigInt(entries.length), missing);
  const mine = entries[Number(height)];
  require(same(mine.id, idOf(block.header)) && same(pack(mine.certificate.raw), pack(block.certificate.raw)), missing);
  const confirming = entries.slice(Number(height));
  return { confirmations: BigInt(confirming.length), work: sum(confirming.map((one) => one.difficulty)) };
}

// Returns {signers, committee, handovers} or {depth}; `isStateOnly` asks for no blocks on top.
function standingOf(chain, block, isStateOnly) {
  const isWork = chain.spec.engine === "pow";
  require(!(isWork ? block.handovers : block.links).length, _("It carries what a chain of this kind has no use for."));
  if (!isWork) {
    const trust = trustAfter(chain, block.handovers);
    return { signers: requireSigned(chain, trust, block.header, block.certificate), committee: trust.committee, handovers: block.handovers.length };
  }
  require(same(block.header.genesis, chain.hash), _("The block belongs to another chain."));
  const depth = depthOf(chain, block), needed = chain.spec.work.confirmations;
  require(isStateOnly || depth.confirmations >= needed, _("Only {count} blocks confirm it, and this chain asks for {needed}.", { count: depth.confirmations, needed }));
  return { depth, needed };
}

// --- paths to a root ---

const parentOf = (left, right) => sha256(joined(Uint8Array.of(1), left, right));
const bits = (n) => (n ? n.toString(2) : "");

// RFC 9162, section 2.1.3.2.
function isIncluded(entry, index, size, path, root) {
  if (index < 0n || index >= size || bits(size).length > LONGEST_PATH) return false;
  const inner = bits(index ^ (size - 1n)).length;
  const length = inner + bits(index >> BigInt(inner)).replaceAll("0", "").length;
  if (path.length !== length || path.some((node) => node.length !== 32)) return false;
  let position = index, last = size - 1n, result = sha256(joined(Uint8Array.of(0), entry));
  for (const node of path) {
    if (position & 1n || position === last) {
      result = parentOf(node, result);
      while (!(position & 1n) && position) { position >>= 1n; last >>= 1n; }
    } else result = parentOf(result, node);
    position >>= 1n;
    last >>= 1n;
  }
  return same(result, root);
}

const nibble = (path, level) => (level & 1 ? path[level >> 1] & 15 : path[level >> 1] >> 4);
const stateLeaf = (path, valueHash) => sha256(joined(Uint8Array.of(4), path, valueHash));
const ones = (map) => bits(map).replaceAll("0", "").length;

function endOfPath(path, value, other, depth) {
  if (value !== null) return other ? null : stateLeaf(path, sha256(joined(Uint8Array.of(3), value)));
  if (!other) return new Uint8Array();
  const [otherPath, valueHash] = other;
  if (otherPath.length !== 32 || valueHash.length !== 32 || same(otherPath, path)) return null;
  for (let level = 0; level < depth; level++) if (nibble(otherPath, level) !== nibble(path, level)) return null;
  return stateLeaf(otherPath, valueHash);
}

// Tells whether under a root of the state `key` has `value`; or, for null, that it has none.
function isInState(key, value, proof, root) {
  const path = sha256(joined(Uint8Array.of(2), key)), { levels, other } = proof;
  if (levels.length > LONGEST_PATH) return false;
  let result = endOfPath(path, value, other, levels.length);
  if (!result) return false;
  for (let level = levels.length - 1; level >= 0; level--) {
    let [present, hashes] = levels[level];
    const slot = nibble(path, level);
    if (present < 0n || present >= 1n << 16n || hashes.length !== ones(present)) return false;
    if ((present >> BigInt(slot)) & 1n || hashes.some((node) => node.length !== 32)) return false;
    const row = [...hashes];
    if (result.length) {
      row.splice(ones(present & ((1n << BigInt(slot)) - 1n)), 0, result);
      present |= 1n << BigInt(slot);
    }
    result = sha256(joined(Uint8Array.of(5, Number(present >> 8n), Number(present & 255n)), ...row));
  }
  return same(result.length ? result : new Uint8Array(32), root);
}

// --- what is proved ---

function requireIncluded(header, root, entry, index, count, path) {
  require(count === header.tx_count, _("The block holds another number of entries."));
  require(isIncluded(entry, index, count, path, root), _("Its fingerprint leads to another root than the block names."));
}

function receiptAt(bytes, header, index) {
  const receipt = read(bytes, SHAPES.receipt);
  require(receipt.height === header.height && receipt.index === index, _("The receipt belongs to another transaction."));
  return receipt;
}

function depthOfValue(value) {
  const inner = value instanceof Map ? [...value.values()] : Array.isArray(value) ? value : null;
  return inner ? 1 + Math.max(0, ...inner.map(depthOfValue)) : 0;
}

function transactionOf(bytes, chain) {
  const cannot = _("The transaction breaks a rule that every transaction keeps.");
  require(BigInt(bytes.length) <= chain.spec.limits.transaction_bytes, cannot);
  const signed = read(bytes, SHAPES.transaction), { body, signature } = signed;
  require(signature.length === 64 && body.sender.length === 32 && body.genesis.length === 32, cannot);
  require(!body.key.length || (body.key.length === 32 && !same(body.key, body.sender)), cannot);
  require(body.calls.length >= 1 && body.calls.length <= RULES.calls, cannot);
  require(body.nonce >= 0n && body.gas_limit >= 0n && body.expires >= 0n, cannot);
  for (const call of body.calls) {
    require(letters(call.contract) <= RULES.name && letters(call.action) <= RULES.name, cannot);
    require([...call.args.values()].every((value) => depthOfValue(value) <= RULES.depth), cannot);
  }
  return signed;
}

function signedTransaction(bytes, chain) {
  const signed = transactionOf(bytes, chain), { body, signature } = signed;
  const isHere = body.chain_id === chain.spec.chain_id && same(body.genesis, chain.hash);
  require(isHere, _("The transaction was signed for another chain."));
  const key = body.key.length ? body.key : body.sender;
  require(isSigned(key, tagged("transaction", pack(body.raw)), signature), _("The signature is not the sender's."));
  return signed;
}

function announced(receipt, name, number, other) {
  const found = receipt.events.find(({ contract, name: event, data }) => {
    const to = data.get("to");
    return contract === RULES.bridge && event === name && data.get("number") === number
      && data.get("chain") === other.spec.chain_id && to instanceof Uint8Array && same(to, other.hash);
  });
  require(found, _("The receipt says nothing about this message."));
  return shaped(found.data, name === "Sent" ? SHAPES.sent : SHAPES.received);
}

// Makes every check of a packed proof. Returns {kind, facts, chains, checks}; a check without a problem has passed.
function examine(bytes) {
  const checks = [], chains = [], facts = {};
  const odd = _("It does not hold together: nothing sensible can be read there.");
  const attempt = (claim, make, where = "") => {
    const check = { claim, where, problem: null, found: null };
    checks.push(check);
    try { check.found = make() ?? null; } catch (error) {
      check.problem = error instanceof Refused ? error.words : odd;
    }
    return check.found;
  };
  const proof = attempt(_("The proof is complete and in its one exact form"), () => {
    const [version, inner] = read(bytes, SHAPES.proof);
    require(version === BigInt(RULES.version), _("It is of another version: take the proof from the network anew."));
    return inner;
  });
  if (!proof) return { kind: null, facts, chains, checks };

  function ground(block, where, isStateOnly) {
    const chain = attempt(_("The chain is described whole: this gives its genesis fingerprint"), () => chainOf(block.spec), where);
    if (!chain) return null;
    chains.push(chain);
    const standing = attempt(chain.spec.engine === "pow" ? _("Enough work lies on the block") : _("Enough validators signed the block"), () => standingOf(chain, block, isStateOnly), where);
    return { chain, standing };
  }

  const { header } = proof;
  if (proof.tag === "transaction") {
    const { chain } = ground(proof, "") || {};
    attempt(_("The transaction is in the block"), () => requireIncluded(header, header.tx_root, proof.tx, proof.index, proof.count, proof.tx_path));
    attempt(_("The receipt is in the block"), () => requireIncluded(header, header.receipt_root, proof.receipt, proof.index, proof.count, proof.receipt_path));
    facts.receipt = attempt(_("The receipt is that of this transaction"), () => {
      const receipt = receiptAt(proof.receipt, header, proof.index);
      require(same(receipt.tx_id, digest("transaction", proof.tx)), _("The receipt belongs to another transaction."));
      return receipt;
    });
    if (chain) facts.transaction = attempt(_("The sender signed it, for this chain"), () => signedTransaction(proof.tx, chain));
  } else if (proof.tag === "value") {
    ground(proof, "", true);
    const claim = proof.value === null ? _("The state of this block has nothing at this place") : _("The state of this block has this value at this place");
    attempt(claim, () => require(isInState(proof.key, proof.value, proof.path, header.state_root), _("Its path leads to another root than the block names.")));
  } else {
    const place = (block) => {
      const where = block.spec.chain_id, grounded = ground(block, where);
      attempt(_("The receipt is in the block"), () => requireIncluded(block.header, block.header.receipt_root, block.receipt, block.index, block.count, block.path), where);
      return grounded && grounded.chain;
    };
    const here = place(proof.sent), there = place(proof.decided);
    const told = (claim, block, name, other) => attempt(claim, () => announced(receiptAt(block.receipt, block.header, block.index), name, proof.number, other), block.spec.chain_id);
    if (here && there) {
      facts.sent = told(_("This receipt sent the message to that chain"), proof.sent, "Sent", there);
      facts.answer = told(_("This receipt decided that very message"), proof.decided, "Received", here);
    }
  }
  return { kind: proof.tag, proof, facts, chains, checks };
}

const isSound = (bytes) => examine(bytes).checks.every((check) => !check.problem);
