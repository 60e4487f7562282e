// Shows what was checked. Whatever stands in the proof is put on the page as text and never as markup.

const held = document.getElementById("proof").textContent;
const wanted = new URLSearchParams(location.search).get("lang") || navigator.language || "en";
const state = { language: wanted.startsWith("zh") ? "zh" : "en", changed: null, genesis: "" };

const CHECK = "M5 12.5l4.5 4.5L19 7.5", CROSS = "M6.5 6.5l11 11M17.5 6.5l-11 11", ARROW = "M4 12h15M13 6l6 6-6 6";
const SEAL = "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z";
// Controls that reorder text, with which a name can pose as another name.
const clean = (text) => text.replace(/[\0-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");

function words({ text, values }) {
  const chosen = state.language === "zh" ? CHINESE[text] || text : text;
  return chosen.replace(/\{(\w+)\}/g, (_all, name) => clean(String(values[name])));
}

function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== false) element.setAttribute(key, value);
  element.append(...children.flat().filter((child) => child !== null).map((child) => (child instanceof Node ? child : clean(String(child)))));
  return element;
}

function icon(path, size) {
  const make = (name) => document.createElementNS("http://www.w3.org/2000/svg", name);
  const svg = make("svg"), line = make("path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true" })) svg.setAttribute(key, value);
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

const sheet = (title, ...children) => h("section", { class: "sheet" }, h("h2", {}, title), ...children);
const mono = (text) => h("span", { class: "mono" }, text);
const pairs = (rows) => h("dl", {}, rows.filter(Boolean).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));

// --- values as people read them ---

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

function didOf(key) {
  let rest = BigInt(`0xed01${hex(key)}`), text = "";
  for (; rest; rest /= 58n) text = BASE58[Number(rest % 58n)] + text;
  return `did:key:z${text}`;
}

function time(ms) {
  return ms < 253402300800000n && ms >= 0n ? `${new Date(Number(ms)).toISOString().slice(0, 19).replace("T", " ")} UTC` : `${ms} ms`;
}

function shown(value) {
  if (value === null) return "–";
  if (value === true) return _("yes");
  if (value === false) return _("no");
  if (value instanceof Uint8Array) return mono(hex(value) || "–");
  if (value instanceof Map) return value.size ? pairs([...value].map(([name, one]) => [name, shown(one)])) : "–";
  if (Array.isArray(value)) return value.length ? h("ul", {}, value.map((one) => h("li", {}, shown(one)))) : "–";
  const text = String(value);
  return /^did:/.test(text) ? mono(text) : text || "–";
}

function readable(bytes) {
  try { return unpack(bytes); } catch { return bytes; }
}

function keyName(bytes) {
  const parts = readable(bytes);
  const plain = (one) => (one instanceof Uint8Array ? hex(one) : Array.isArray(one) ? one.map(plain).join(", ") : String(one));
  return Array.isArray(parts) ? parts.filter((one, i) => !(i === 0 && one === "data") && one !== "=").map(plain).join(" · ") : hex(bytes);
}

// --- the parts of the page ---

function claimOf({ kind, proof, facts }) {
  if (kind === "transaction") {
    return _("On {time}, the chain “{chain}” made a signed transaction final in its block {height}.", { time: time(proof.header.time_ms), chain: proof.spec.chain_id, height: proof.header.height });
  }
  if (kind === "value") {
    const values = { chain: proof.spec.chain_id, height: proof.header.height, time: time(proof.header.time_ms) };
    return proof.value === null
      ? _("After block {height}, of {time}, the chain “{chain}” had nothing at this place of its state.", values)
      : _("After block {height}, of {time}, the chain “{chain}” had this value at this place of its state.", values);
  }
  const values = { one: proof.sent.spec.chain_id, other: proof.decided.spec.chain_id, number: proof.number };
  return facts.answer && facts.answer.outcome === "done"
    ? _("Message {number} of the chain “{one}” crossed to the chain “{other}”, and was carried out there.", values)
    : _("Message {number} of the chain “{one}” crossed to the chain “{other}”, and was decided there.", values);
}

const OUTCOMES = () => ({ ok: _("done"), done: _("done"), reverted: _("refused by the contract"), failed: _("failed"), refused: _("refused"), out_of_gas: _("stopped: it used too much"), fault: _("failed: the contract broke"), crashed: _("failed: the contract broke") });
const outcome = (word, reason) => [OUTCOMES()[word] || word, reason ? `: ${reason}` : ""].join("");

function aboutTransaction({ proof, facts: { transaction, receipt } }) {
  if (!transaction || !receipt) return [];
  const { body } = transaction;
  return [
    pairs([
      [_("Signed by"), mono(didOf(body.sender))],
      [_("Outcome"), outcome(receipt.outcome, receipt.error)],
      [_("Transaction id"), mono(hex(receipt.tx_id))],
    ]),
    ...body.calls.map((call) => asked(_("What was asked: {contract} · {action}", call), call.args)),
    ...receipt.events.map((event) => asked(_("What was announced: {contract} · {name}", event), event.data)),
  ];
}

const asked = (title, values) => h("div", { class: "asked" }, h("h3", {}, title), shown(values));

function aboutValue({ proof }) {
  const value = proof.value === null ? _("nothing") : shown(readable(proof.value));
  return [pairs([[_("Place"), keyName(proof.key)], [_("Value"), value]])];
}

function aboutCrossing({ proof, facts: { sent, answer } }) {
  const stop = (title, block) => h("div", { class: "stop" }, h("h3", {}, title), h("p", {}, block.spec.chain_id), h("p", { class: "soft" }, _("block {height}, {time}", { height: block.header.height, time: time(block.header.time_ms) })));
  const way = h("div", { class: "way" }, stop(_("Sent"), proof.sent), icon(ARROW, 30), stop(_("Decided"), proof.decided));
  if (!sent || !answer) return [way];
  const { message } = sent, isUnits = message.kind === "units";
  return [way, pairs([
    [_("From"), shown(message.sender)],
    [_("To"), shown(message.to)],
    isUnits ? [_("Units"), String(message.amount)] : [_("Asked for"), message.action],
    isUnits ? null : [_("With"), shown(message.arguments)],
    [_("Decision"), outcome(answer.outcome, answer.reason)],
    answer.result.length ? [_("Result"), shown(answer.result[0])] : null,
  ])];
}

const ABOUT = { transaction: aboutTransaction, value: aboutValue, crossing: aboutCrossing };

function verdict(seen, failed) {
  const isSound = !failed.length;
  const title = isSound ? _("This proof holds") : _("This proof does not hold");
  const told = isSound
    ? [h("p", {}, claimOf(seen)), h("p", { class: "soft" }, _("Whether it is the chain you mean, only you can say: compare its fingerprint below."))]
    : [h("p", {}, _("Do not rely on it. Something in it was changed, or it was never right. What fails first:")),
      h("div", { class: "failed" }, h("p", {}, h("strong", {}, failed[0].claim)), h("p", {}, failed[0].problem))];
  if (state.changed) told.push(changedByHand());
  return h("section", { class: "verdict", "data-state": isSound ? "ok" : "bad", role: "status" }, icon(isSound ? `${SEAL}M8 12.3l2.8 2.8L16 9.6` : `${SEAL}M9 9l6 6M15 9l-6 6`, 62), h("div", {}, h("h1", {}, title), ...told));
}

function detail({ found }) {
  if (!found || (!found.signers && !found.depth)) return "";
  if (found.depth) return _("{count} blocks confirm it, which took about {work} tries.", { count: found.depth.confirmations, work: found.depth.work });
  const signed = _("{count} of {all} signed: {names}.", { count: found.signers.length, all: found.committee.members.length, names: found.signers.map((one) => one.name).join(state.language === "zh" ? "、" : ", ") });
  const changed = _("The validators changed {count} times since the first block, and each time the earlier ones signed for it.", { count: found.handovers });
  return found.handovers ? `${signed} ${changed}` : signed;
}

function checkList(checks) {
  return h("ol", { class: "checks" }, checks.map((check) => {
    const { claim, where, problem } = check, more = problem ? "" : detail(check);
    const mark = h("span", { class: "mark", role: "img", "aria-label": problem ? _("fails") : _("holds") }, icon(problem ? CROSS : CHECK, 18));
    return h("li", { "data-state": problem ? "bad" : "ok" }, mark, h("div", {},
      h("p", {}, where ? [h("span", { class: "where" }, where), " "] : null, claim),
      problem ? h("p", { class: "why" }, problem) : null,
      more ? h("p", { class: "soft" }, more) : null));
  }));
}

function chainSheet(chains) {
  if (!chains.length) return null;
  const groups = (hash) => hex(hash).match(/.{8}/g).map((part) => h("span", {}, part));
  const told = h("p", { class: "told", role: "status" });
  const input = h("input", { id: "known", spellcheck: "false", autocomplete: "off", value: state.genesis });
  const compare = () => {
    state.genesis = input.value;
    const text = input.value.replace(/\s/g, "").toLowerCase(), isKnown = chains.some((chain) => hex(chain.hash) === text);
    told.replaceChildren(...(text ? [icon(isKnown ? CHECK : CROSS, 20), isKnown ? _("Yes, it is the same: the proof is about that chain.") : _("No, this is another chain. Do not rely on this proof.")] : []));
    told.dataset.state = isKnown ? "ok" : "bad";
  };
  input.addEventListener("input", compare);
  compare();
  return sheet(_("Is it the chain you mean?"),
    h("p", { class: "soft" }, _("Anybody can found a chain of the same name. Its genesis fingerprint cannot be imitated: compare it with one from a source you trust, such as the office that runs the chain.")),
    ...chains.map((chain) => h("div", {}, h("p", {}, h("strong", {}, chain.spec.chain_id)), h("p", { class: "print" }, groups(chain.hash)))),
    h("div", { class: "no-print" }, h("label", { for: "known" }, _("Paste the fingerprint you know, and it is compared")), input, told));
}

// --- changing a byte on purpose ---

function button(name, text, act) {
  const made = h("button", { type: "button", id: name }, text);
  made.addEventListener("click", act);
  return made;
}

function change() {
  state.changed = { at: Math.floor(Math.random() * original.length), by: 1 << Math.floor(Math.random() * 8) };
  paint("change");
  scrollTo({ top: 0 });
}

function restore() {
  state.changed = null;
  paint("change");
}

const changedByHand = () => h("div", { class: "no-print" },
  h("p", {}, _("You have changed byte {at} of {size}, on this page only.", { at: state.changed.at + 1, size: original.length })),
  h("div", { class: "row" }, button("restore", _("Put it back"), restore), button("change", _("Change another byte"), change)));

function tryIt() {
  const section = sheet(_("See for yourself"), h("p", { class: "soft" }, _("Change one byte of the proof, anywhere in it. Only the copy on this page is changed.")),
    h("div", { class: "row" }, button("change", _("Change one byte"), change)));
  section.classList.add("no-print");
  return section;
}

function limits({ kind, proof, chains }) {
  const depth = kind === "value" && chains.length && proof.spec.engine === "pow";
  const isRaft = chains.some((chain) => chain.spec.engine === "raft"), isWork = chains.some((chain) => chain.spec.engine === "pow");
  const section = sheet(_("What this page cannot tell"), h("ul", {}, [
    _("Whether what was signed is true: a chain proves who signed what, and when."),
    _("Whether the page itself is honest: somebody could imitate all of it. Where much depends on it, check the file with minichain verify, which reads this page too."),
    isRaft ? _("Validators of a chain of the kind raft are trusted not to lie: their signatures prove that the record is not lost.") : null,
    isWork ? _("Whether a chain with more work exists: the headers here show only the work that was done for them.") : null,
    depth ? _("Whether this block stays: the newest blocks of a chain of work may still be replaced.") : null,
  ].filter(Boolean).map((text) => h("li", {}, text))));
  section.classList.add("warn");
  return section;
}

function languages() {
  const nav = document.getElementById("languages");
  nav.setAttribute("aria-label", "Language · 语言");
  nav.replaceChildren(...Object.entries({ en: "English", zh: "中文" }).map(([code, name]) => {
    const button = h("button", { type: "button", id: `lang-${code}`, lang: code === "zh" ? "zh-Hans" : "en", "aria-pressed": String(state.language === code) }, name);
    button.addEventListener("click", () => { state.language = code; paint(`lang-${code}`); });
    return button;
  }));
}

// --- all of it ---

function bytesOf(base64) {
  try {
    const text = atob(base64);
    return btoa(text) === base64 ? Uint8Array.from(text, (char) => char.charCodeAt(0)) : new Uint8Array();
  } catch { return new Uint8Array(); }
}

const original = bytesOf(held);

function paint(focus) {
  const bytes = original.slice();
  if (state.changed) bytes[state.changed.at] ^= state.changed.by;
  const seen = examine(bytes), failed = seen.checks.filter((check) => check.problem);
  document.documentElement.lang = state.language === "zh" ? "zh-Hans" : "en";
  document.title = _("Proof passport");
  languages();
  const about = seen.kind && !failed.length ? [sheet(_("What is proved"), ...ABOUT[seen.kind](seen))] : [];
  const list = sheet(failed.length ? _("Which checks fail: {count} of {all}", { count: failed.length, all: seen.checks.length }) : _("What was checked, here and now: all {all} checks hold", { all: seen.checks.length }),
    h("p", { class: "soft" }, _("This browser has made each check by itself. It asked nobody.")), checkList(seen.checks));
  const parts = [verdict(seen, failed), ...about, list, chainSheet(seen.chains), original.length && !state.changed ? tryIt() : null, limits(seen)];
  document.getElementById("main").replaceChildren(...parts.filter(Boolean));
  if (focus) document.getElementById(focus)?.focus();
  document.body.dataset.verdict = failed.length ? "bad" : "ok";
}

window.passport = { bytesOf, examine, isSound, isSigned, sha256, sha512, pack, unpack, hex, original };
paint();
