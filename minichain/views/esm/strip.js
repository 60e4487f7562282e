// The last blocks from left to right, each holding on to the one before by its hash. New ones slide in at the right.
function render({ model, el }) {
  const words = model.get("words"), paths = model.get("icons");
  const list = h("ol", { class: "mc-strip", "aria-label": model.get("label") });
  const empty = h("p", { class: "mc-p" }, words.empty);
  el.append(h("div", { class: "mc-strip-frame" }, list), empty);

  const cards = new Map(); // height -> {item, id}
  const buttons = () => [...list.querySelectorAll("button")];
  const choose = (height) => { model.set("selected", model.get("selected") === height ? -1 : height); model.save_changes(); };

  function card(block) {
    const bars = Math.min(block.txs, 24);
    const grains = h("span", { class: "mc-block-grains", "aria-hidden": "true" }, ...Array.from({ length: bars }, () => h("i")));
    const button = h("button", { type: "button", class: "mc-block", "data-state": block.state },
      h("span", { class: "mc-block-height" }, block.title),
      h("span", { class: "mc-block-time" }, block.time),
      grains,
      h("span", { class: "mc-block-txs" }, block.txsText),
      h("span", { class: "mc-block-by" }, block.by),
      h("span", { class: `mc-block-seal mc-${block.state}` }, icon(paths[block.state], 14), block.seal),
      h("span", { class: "mc-block-hash" }, block.id));
    button.addEventListener("click", () => choose(block.height));
    const link = h("span", { class: "mc-block-link", "aria-hidden": "true" }, icon(paths.chain, 18));
    return { id: block.id + block.seal, item: h("li", {}, link, button) };
  }
  function paint() {
    const blocks = model.get("blocks"), chosen = model.get("selected"), wasEmpty = !cards.size;
    const isAtEnd = wasEmpty || list.scrollWidth - list.scrollLeft - list.clientWidth < 60;
    const kept = new Set(blocks.map((block) => block.height));
    for (const [height, { item }] of cards) if (!kept.has(height)) { item.remove(); cards.delete(height); }
    blocks.forEach((block, i) => {
      const old = cards.get(block.height);
      if (!old) {
        const made = card(block);
        cards.set(block.height, made);
        list.insertBefore(made.item, list.children[i] ?? null);
        if (!wasEmpty && !isCalm()) made.item.animate([{ transform: "translateX(48px)", opacity: 0 }, { transform: "none", opacity: 1 }], { duration: 420, easing: "cubic-bezier(.2,.8,.2,1)" });
      } else if (old.id !== block.id + block.seal) {
        const made = card(block);
        old.item.replaceWith(made.item);
        cards.set(block.height, made);
      }
    });
    empty.hidden = blocks.length > 0;
    const last = blocks.at(-1)?.height;
    for (const [height, { item }] of cards) {
      const button = item.querySelector("button");
      button.setAttribute("aria-pressed", String(height === chosen));
      button.tabIndex = (chosen >= 0 && kept.has(chosen) ? height === chosen : height === last) ? 0 : -1;
    }
    if (isAtEnd) list.scrollTo({ left: list.scrollWidth, behavior: wasEmpty || isCalm() ? "auto" : "smooth" });
  }
  list.addEventListener("keydown", (event) => {
    const all = buttons(), at = all.indexOf(document.activeElement);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    all[Math.max(0, Math.min(to, all.length - 1))].focus();
  });
  model.on("change:blocks change:selected", paint);
  requestAnimationFrame(paint);
}
export default { render };
