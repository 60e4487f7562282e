// One drawer for every figure of a page: whatever has data-figure opens it. The browser's own dialog keeps the keyboard
// inside while it is open; what was pressed has the focus again afterwards, even if the page has drawn it anew.
function render({ model, el }) {
  const words = model.get("words"), page = el.closest(".mc-page") ?? document;
  let name = "";
  const title = h("h2", { class: "mc-h2", id: "mc-proofs-title" });
  const close = h("button", { class: "jupyter-button mc-button", type: "button" }, words.close);
  const check = h("button", { class: "jupyter-button mc-button mc-primary", type: "button" }, words.check);
  const top = h("div"), answer = h("div", { role: "status" }), settings = h("dl", { class: "mc-facts" });
  const all = h("a", { class: "mc-link", href: "#mc-proof" }, words.all);
  const dialog = h("dialog", { class: "mc-proofs", "aria-labelledby": title.id },
    h("header", {}, title, close), top, h("div", { class: "mc-proofs-act" }, check, all), answer,
    h("h3", {}, words.settings), settings);
  el.append(dialog);

  const pair = (label, ...value) => [h("dt", {}, label), h("dd", {}, ...value)];
  const block = ({ text, href }) => h("li", {}, href ? h("a", { class: "mc-link", href, target: "_blank" }, text) : text);
  function result(shown) {
    if (shown.state === "busy") return [h("p", {}, words.busy)];
    if (shown.state === "failed") return [h("p", { class: "mc-said" }, shown.trouble)];
    if (!shown.outcome) return [];
    const chip = h("span", { class: `mc-chip mc-${shown.outcome}` }, icon(model.get("icons")[shown.outcome], 14), shown.word);
    const blocks = shown.blocks.length ? pair(words.blocks, h("ul", { class: "mc-proofs-blocks" }, ...shown.blocks.map(block))) : [];
    return [h("dl", { class: "mc-facts" }, ...pair(words.anew, shown.again, " ", chip), ...pair(words.source, shown.source), ...blocks)];
  }
  function paint() {
    const shown = model.get("shown");
    if (shown.name !== name) return;
    title.textContent = shown.name;
    check.disabled = shown.state === "busy";
    top.replaceChildren(h("p", { class: "mc-proofs-value" }, shown.value), h("p", {}, shown.how));
    answer.replaceChildren(...result(shown));
    settings.replaceChildren(...shown.tried.flatMap(([label, value]) => pair(label, value)));
  }
  function open(event) {
    const mark = event.target.closest("[data-figure]");
    if (!mark) return;
    event.preventDefault();
    name = title.textContent = mark.dataset.figure;
    top.replaceChildren(h("p", {}, words.busy)); answer.replaceChildren();
    model.send({ figure: name });
    paint();
    dialog.showModal();
  }
  check.addEventListener("click", () => model.send({ check: true }));
  close.addEventListener("click", () => dialog.close());
  all.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }); // beside the drawer
  dialog.addEventListener("close", () => {
    const marks = [...page.querySelectorAll(`[data-figure="${CSS.escape(name)}"]`)];
    const isLost = document.activeElement === document.body || dialog.contains(document.activeElement);
    if (isLost) marks.find((mark) => mark.checkVisibility())?.focus();
    model.send({ figure: "" });
  });
  const press = (event) => { if (event.key === " ") open(event); };
  page.addEventListener("click", open);
  page.addEventListener("keydown", press);
  model.on("change:shown", paint);
  return () => { page.removeEventListener("click", open); page.removeEventListener("keydown", press); };
}
export default { render };
