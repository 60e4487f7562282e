// A run that was recorded: who sends what to whom, on a ring and on lanes, at one moment that plays, steps and is drawn
// by hand. Nothing is computed here but places. Lanes are drawn on a canvas, so that a thousand lines stay smooth.
const SIZE = 340, RADIUS = 132, NODE = 19, ROW = 40, EDGE = 14, SYNC_MS = 250, FRAME_MS = 33;
const FROM = 0, TO = 1, KIND = 2, VERSION = 3, NO = 4, TALK = 5, SENT = 6, DUE = 7, SEEN = 8;

function render({ model, el }) {
  const words = model.get("words"), paths = model.get("icons");
  const chords = s("g"), dots = s("g"), flying = s("g");
  const ring = s("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "mc-svg mc-stage-ring", "aria-hidden": "true" },
    s("circle", { cx: SIZE / 2, cy: SIZE / 2, r: RADIUS, class: "mc-ring-orbit" }), chords, dots, flying);
  const labels = h("ol", { class: "mc-stage-labels", "aria-label": words.offices });
  const canvas = h("canvas", { class: "mc-stage-canvas", role: "img", "aria-label": words.lanes });
  const paper = canvas.getContext("2d");
  const control = (path, text) => h("button", { type: "button", class: "mc-stage-button" }, icon(paths[path], 18), h("span", {}, text));
  const play = control("play", words.play), back = control("back", words.back), next = control("next", words.next);
  const range = h("input", { type: "range", min: 0, max: 0, step: 10, value: 0, class: "mc-stage-range", "aria-label": words.moment });
  const time = h("output", { class: "mc-stage-time" });
  const speed = h("select", { "aria-label": words.speed }, ...[0.1, 0.25, 0.5, 1, 2, 4].map((v) => h("option", { value: v, selected: v === 0.5 }, `× ${v}`)));
  const talk = h("input", { type: "checkbox" });
  const legend = h("ul", { class: "mc-stage-legend", "aria-label": words.legend });
  el.append(h("div", { class: "mc-stage" },
    h("div", { class: "mc-stage-controls" }, play, back, next, range, time, h("label", { class: "mc-stage-speed" }, words.speed, speed)),
    h("div", { class: "mc-stage-views" }, ring, h("div", { class: "mc-stage-lanes" }, labels, canvas)),
    h("div", { class: "mc-stage-foot" }, legend, h("label", { class: "mc-stage-talk" }, talk, words.talk))));

  let run = model.get("run"), at = 0, isPlaying = false, synced = 0, drawn = 0, before = 0, moments = [], rows = [], marks = [], lines = [], spots = [];
  const centre = (i, radius = RADIUS) => {
    const turn = (2 * Math.PI * i) / run.offices.length - Math.PI / 2;
    return [SIZE / 2 + radius * Math.cos(turn), SIZE / 2 + radius * Math.sin(turn)];
  };
  const near = () => (matchMedia("(pointer: coarse)").matches ? 18 : 10); // pixels, for a finger or for a mouse
  const choose = (trait, value) => { model.set(trait, model.get(trait) === value ? (trait === "office" ? "" : -1) : value); model.save_changes(); };
  function chooseNearest(found) { // a message that was clicked is read in peace
    const [gap, i] = found.sort((a, b) => a[0] - b[0])[0] ?? [Infinity];
    if (gap > near()) return;
    stop();
    choose("message", i);
  }
  const isShown = (m) => talk.checked || !m[TALK];
  const isOff = (i) => run.off.some(([who, from, to]) => who === i && from <= at && at < to);

  // --- what stands still ---
  function office(i) {
    const { letter, name, key } = run.offices[i], isLiar = run.liars.includes(i), [x, y] = centre(i);
    const shape = isLiar ? s("rect", { x: x - NODE, y: y - NODE, width: 2 * NODE, height: 2 * NODE, rx: 5 }) : s("circle", { cx: x, cy: y, r: NODE });
    const [bx, by] = centre(i, RADIUS + 31), badge = s("text", { x: bx, y: by + 5, class: "mc-stage-height", "text-anchor": "middle" });
    const dot = s("g", { class: "mc-stage-node" }, shape, s("text", { x, y: y + 6, "text-anchor": "middle" }, letter), badge);
    const state = h("span", { class: "mc-stage-state" });
    const row = h("button", { type: "button", class: "mc-stage-label" }, h("b", {}, letter), h("span", { class: "mc-stage-name" }, name), state);
    for (const node of [dot, row]) node.addEventListener("click", () => choose("office", key));
    dots.append(dot); labels.append(h("li", {}, row)); rows.push({ row, state }); marks.push({ dot, badge });
  }
  function build() {
    run = model.get("run"); rows = []; marks = [];
    dots.replaceChildren(); labels.replaceChildren(); chords.replaceChildren(); flying.replaceChildren();
    run.offices.forEach((_, i) => office(i));
    moments = [...new Set(run.messages.filter((m) => !m[TALK]).flatMap((m) => (m[DUE] < 0 ? [m[SENT]] : [m[SENT], m[DUE]])))].sort((a, b) => a - b);
    legend.replaceChildren(...run.kinds.filter((kind) => kind.mark).map((kind) => h("li", {}, mark(kind, 0, 9, 8, h), kind.name)));
    range.max = run.end;
    const isEmpty = !run.end;
    for (const part of [play, back, next, range]) part.disabled = isEmpty;
    el.firstChild.classList.toggle("mc-rest", isEmpty);
    go(model.get("position"), false);
    if (!run.end || model.get("position") > 0) { stop(); return; }
    el.closest(".mc-scene")?.scrollIntoView({ behavior: isCalm() ? "auto" : "smooth" });
    play.focus({ preventScroll: true });
    start();
  }

  // --- marks: a shape for each kind, a dash for the second of two blocks, a bar through a no ---
  function mark(kind, isOther, x, y, make = s) {
    const class_ = `mc-mark${isOther ? " mc-other" : ""}`;
    const shape = { square: () => s("rect", { x: x - 6, y: y - 6, width: 12, height: 12 }), ring: () => s("circle", { cx: x, cy: y, r: 5.5, class: "mc-hollow" }),
      disc: () => s("circle", { cx: x, cy: y, r: 6 }), diamond: () => s("path", { d: `M${x} ${y - 7}l7 7-7 7-7-7z` }), triangle: () => s("path", { d: `M${x} ${y - 7}l7 12h-14z` }), dot: () => s("circle", { cx: x, cy: y, r: 2.5 }) }[kind.mark || "dot"]();
    const group = s("g", { class: class_ }, shape);
    return make === h ? s("svg", { viewBox: "0 0 18 16", width: 18, height: 16, "aria-hidden": "true" }, group) : group;
  }

  // --- one moment ---
  const along = (m) => (m[DUE] < 0 ? Math.min(0.5, (at - m[SENT]) / run.usual / 2) : Math.min(1, (at - m[SENT]) / Math.max(1, m[DUE] - m[SENT])));
  function fly(m, i) {
    const share = along(m), isLost = m[DUE] < 0;
    if (!isShown(m) || m[SENT] > at || share >= 1 || (isLost && at > m[SENT] + 2 * run.usual)) return [];
    const [x1, y1] = centre(m[FROM], RADIUS - NODE), [x2, y2] = centre(m[TO], RADIUS - NODE);
    const x = x1 + (x2 - x1) * share, y = y1 + (y2 - y1) * share, isDim = isOther(m, i);
    const node = isLost && share >= 0.5 ? s("path", { d: `M${x - 6} ${y - 6}l12 12m0-12l-12 12`, class: "mc-mark-lost" }) : mark(run.kinds[m[KIND]], m[VERSION], x, y);
    if (m[NO]) node.append(s("path", { d: `M${x - 7} ${y + 7}l14-14`, class: "mc-mark-no" }));
    node.classList.toggle("mc-dim", isDim);
    spots.push([i, x, y]);
    return [s("line", { x1, y1, x2: x, y2: y, class: `mc-trail${m[VERSION] ? " mc-other" : ""}${isDim ? " mc-dim" : ""}` }), node];
  }
  function isOther(m, i) {
    const office = model.get("office"), message = model.get("message");
    if (message >= 0) return i !== message;
    return office !== "" && run.offices[m[FROM]].key !== office && run.offices[m[TO]].key !== office;
  }
  function paintRing() {
    spots = [];
    flying.replaceChildren(...run.messages.flatMap(fly));
    const chosen = model.get("office");
    run.offices.forEach(({ key }, i) => {
      const off = isOff(i), last = run.finals.filter((f) => f[0] === i && f[1] <= at && !(f[4] >= 0 && f[4] <= at)).at(-1), isLiar = run.liars.includes(i);
      const label = last ? last[2] : "", word = off ? words.off : isLiar ? words.liar : last ? words.block.replace("{block}", last[2]) : words.none;
      marks[i].dot.setAttribute("class", `mc-stage-node${off ? " mc-off" : ""}${isLiar ? " mc-liar" : ""}${key === chosen ? " mc-chosen" : ""}${last?.[3] ? " mc-other" : ""}`);
      if (marks[i].badge.textContent !== label) marks[i].badge.textContent = label;
      if (rows[i].state.textContent !== word) rows[i].state.textContent = word;
      rows[i].row.setAttribute("aria-pressed", String(key === chosen));
    });
  }

  // --- the lanes ---
  const colour = (name) => getComputedStyle(el).getPropertyValue(`--mc-${name}`).trim();
  let ink = null;
  function paintLanes() {
    if (!ink?.ink) ink = Object.fromEntries(["ink", "soft", "line", "edge", "accent", "bad", "warn", "sheet", "info"].map((name) => [name, colour(name)]));
    const width = canvas.clientWidth, height = ROW * run.offices.length + 24, ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio); canvas.style.height = `${height}px`;
    }
    paper.setTransform(ratio, 0, 0, ratio, 0, 0);
    paper.clearRect(0, 0, width, height);
    const room = (width - 2 * EDGE) / run.pace, first = Math.max(0, at - room * 0.93), x = (ms) => EDGE + (ms - first) * run.pace, y = (i) => ROW * (i + 0.5);
    stroke("line", 1, [], () => run.offices.forEach((_, i) => { paper.moveTo(EDGE, y(i)); paper.lineTo(width - EDGE, y(i)); }));
    for (const [i, from, to] of run.off) if (from <= at) stroke("bad", 2, [2, 6], () => { paper.moveTo(Math.max(EDGE, x(from)), y(i)); paper.lineTo(x(Math.min(to, at)), y(i)); });
    for (let ms = Math.ceil(first / run.tick) * run.tick; x(ms) < width - EDGE; ms += run.tick) {
      stroke("line", 1, [1, 4], () => { paper.moveTo(x(ms), 0); paper.lineTo(x(ms), height - 20); });
      text(`${ms / 1000}`, x(ms), height - 6, "soft", 12);
    }
    if (run.end) stroke("info", 1.5, [], () => { paper.moveTo(x(at), 0); paper.lineTo(x(at), height - 20); });
    lines = [];
    run.messages.forEach((m, i) => line(m, i, first, x, y));
    paper.globalAlpha = 1;
    for (const [i, ms, label, isOther, undone] of run.finals) if (ms <= at && ms >= first - 200) flag(x(ms), y(i), label, isOther, undone >= 0 && undone <= at);
  }
  function stroke(name, thick, dash, trace) {
    paper.beginPath(); paper.strokeStyle = ink[name]; paper.lineWidth = thick; paper.setLineDash(dash); trace(); paper.stroke();
  }
  function text(words, x, y, name, size) {
    paper.fillStyle = ink[name]; paper.font = `600 ${size}px ${getComputedStyle(el).fontFamily}`; paper.textAlign = "center"; paper.fillText(words, x, y);
  }
  function line(m, i, first, x, y) {
    const isLost = m[DUE] < 0, end = isLost ? m[SENT] + run.usual : m[DUE];
    if (!isShown(m) || m[SENT] > at || end < first) return;
    const share = along(m), x1 = x(m[SENT]), y1 = y(m[FROM]), x2 = x1 + (x(end) - x1) * share, y2 = y1 + (y(m[TO]) - y1) * share;
    const kind = run.kinds[m[KIND]], isChosen = i === model.get("message"), name = m[VERSION] ? "warn" : isLost ? "bad" : m[TALK] ? "edge" : "accent";
    paper.globalAlpha = isOther(m, i) ? 0.1 : m[TALK] ? 0.5 : 0.75;
    if (isChosen) { paper.globalAlpha = 0.3; stroke("info", 9, [], () => { paper.moveTo(x1, y1); paper.lineTo(x2, y2); }); paper.globalAlpha = 1; }
    stroke(name, kind.mark === "square" ? 2.4 : kind.mark === "disc" ? 1.8 : 1.1, isLost ? [3, 4] : m[VERSION] ? [7, 4] : [], () => { paper.moveTo(x1, y1); paper.lineTo(x2, y2); });
    if (isLost ? share >= 0.5 : share >= 1 && m[SEEN] < 0) stroke("bad", 2.2, [], () => { paper.moveTo(x2 - 4, y2 - 4); paper.lineTo(x2 + 4, y2 + 4); paper.moveTo(x2 + 4, y2 - 4); paper.lineTo(x2 - 4, y2 + 4); });
    else if (!m[TALK]) end_(kind, x2, y2, name);
    lines.push([i, x1, y1, x2, y2]);
  }
  function end_(kind, x, y, name) {
    paper.beginPath(); paper.setLineDash([]); paper.fillStyle = ink[kind.mark === "ring" ? "sheet" : name]; paper.strokeStyle = ink[name]; paper.lineWidth = 1.2;
    if (kind.mark === "square") paper.rect(x - 4, y - 4, 8, 8); else if (kind.mark === "diamond") { paper.moveTo(x, y - 4); paper.lineTo(x + 4, y); paper.lineTo(x, y + 4); paper.lineTo(x - 4, y); paper.closePath(); } else if (kind.mark === "triangle") { paper.moveTo(x, y - 4); paper.lineTo(x + 4, y + 3); paper.lineTo(x - 4, y + 3); paper.closePath(); } else paper.arc(x, y, 3, 0, 7);
    paper.fill(); paper.stroke();
  }
  function flag(x, y, label, isOther, isUndone) {
    const name = isUndone ? "bad" : isOther ? "warn" : "ink", wide = 12 + 8 * label.length;
    paper.beginPath(); paper.fillStyle = isOther || isUndone ? ink.sheet : ink[name]; paper.strokeStyle = ink[name]; paper.lineWidth = 1.6; paper.setLineDash(isOther ? [4, 2] : []);
    paper.roundRect(x - wide / 2, y - 10, wide, 20, 5); paper.fill(); paper.stroke();
    text(label, x, y + 5, isOther || isUndone ? name : "sheet", 13);
    if (isUndone) stroke("bad", 2, [], () => { paper.moveTo(x - wide / 2 - 3, y); paper.lineTo(x + wide / 2 + 3, y); });
  }
  canvas.addEventListener("click", (event) => {
    const gap = ([, x1, y1, x2, y2]) => {
      const dx = x2 - x1, dy = y2 - y1, t = Math.max(0, Math.min(1, ((event.offsetX - x1) * dx + (event.offsetY - y1) * dy) / (dx * dx + dy * dy || 1)));
      return Math.hypot(event.offsetX - x1 - t * dx, event.offsetY - y1 - t * dy);
    };
    chooseNearest(lines.map((found) => [gap(found), found[0]]));
  });
  ring.addEventListener("pointerdown", (event) => { // not click: while it plays, what was pressed is drawn anew before it is let go
    if (event.target.closest(".mc-stage-node")) return;
    const box = ring.getBoundingClientRect(), scale = box.width / SIZE;
    chooseNearest(spots.map(([i, x, y]) => [Math.hypot(event.clientX - box.left - x * scale, event.clientY - box.top - y * scale), i]));
  });

  // --- time ---
  function tell() {
    synced = performance.now();
    model.set("position", Math.round(at)); model.set("playing", isPlaying); model.save_changes();
  }
  function paint() {
    paintRing(); paintLanes();
    range.value = at;
    time.textContent = !run.end ? "" : words.time.replace("{now}", (at / 1000).toFixed(1)).replace("{end}", (run.end / 1000).toFixed(0));
    range.setAttribute("aria-valuetext", time.textContent);
  }
  function go(ms, isTold = true) { at = Math.max(0, Math.min(run.end, ms)); paint(); if (isTold) tell(); }
  function show() { play.replaceChildren(icon(paths[isPlaying ? "pause" : "play"], 18), h("span", {}, isPlaying ? words.pause : words.play)); }
  function start() { if (at >= run.end) at = 0; isPlaying = true; before = performance.now(); show(); tell(); requestAnimationFrame(frame); }
  function stop() { const was = isPlaying; isPlaying = false; show(); if (was) tell(); }
  function frame(now) {
    if (!isPlaying || !el.isConnected) return;
    if (now - drawn >= FRAME_MS) {
      at = Math.min(run.end, at + Math.max(0, now - before) * Number(speed.value));
      before = drawn = now;
      paint();
      if (at >= run.end) { stop(); return; }
      if (now - synced > SYNC_MS) tell();
    }
    requestAnimationFrame(frame);
  }
  play.addEventListener("click", () => (isPlaying ? stop() : start()));
  back.addEventListener("click", () => { stop(); go(moments.filter((ms) => ms < Math.round(at)).at(-1) ?? 0); });
  next.addEventListener("click", () => { stop(); go(moments.find((ms) => ms > Math.round(at)) ?? run.end); });
  let late = 0;
  range.addEventListener("input", () => { stop(); go(Number(range.value), false); clearTimeout(late); late = setTimeout(tell, 120); });
  talk.addEventListener("change", paint);
  model.on("change:run", build);
  model.on("change:office change:message", paint);
  model.on("change:position", () => { if (!isPlaying && Math.round(at) !== model.get("position")) go(model.get("position"), false); });
  const watch = new ResizeObserver(() => requestAnimationFrame(paint));
  build();
  watch.observe(canvas);
  return () => { isPlaying = false; watch.disconnect(); };
}
export default { render };
