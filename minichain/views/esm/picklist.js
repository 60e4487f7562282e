// A list to choose from: each row is a button with a title, a line below it and a chip; arrow keys move along it.
function render({ model, el }) {
  const paths = model.get("icons");
  const list = h("ol", { class: "mc-picks", "aria-label": model.get("label") });
  const empty = h("p", { class: "mc-p" }, model.get("empty"));
  el.append(list, empty);

  const choose = (key) => { model.set("selected", key); model.save_changes(); };
  // Where a phone stacks list and detail, a choice would else change only what is out of sight.
  function reveal() {
    const split = el.closest(".mc-split"), detail = split?.lastElementChild;
    if (!detail || detail.contains(el) || detail.getBoundingClientRect().top < el.getBoundingClientRect().bottom) return;
    detail.scrollIntoView({ behavior: isCalm() ? "auto" : "smooth" });
  }
  function row(item) {
    const chip = h("span", { class: `mc-chip mc-${item.state}` }, icon(paths[item.state], 14), item.word);
    const button = h("button", { type: "button", class: "mc-pick" },
      h("span", { class: "mc-pick-title" }, item.title), chip, h("span", { class: "mc-pick-line" }, item.line));
    button.addEventListener("click", () => { choose(item.key); reveal(); });
    return h("li", { "data-key": item.key }, button);
  }
  let shown = "";
  function paint() {
    const items = model.get("items"), now = JSON.stringify(items);
    if (now !== shown) {
      const focused = list.contains(document.activeElement) ? document.activeElement.parentElement.dataset.key : null;
      list.replaceChildren(...items.map(row));
      shown = now;
      if (focused !== null) [...list.children].find((item) => item.dataset.key === focused)?.firstChild.focus();
    }
    empty.hidden = items.length > 0;
    for (const item of list.children) item.firstChild.setAttribute("aria-pressed", String(item.dataset.key === model.get("selected")));
  }
  list.addEventListener("keydown", (event) => {
    const all = [...list.querySelectorAll("button")], at = all.indexOf(document.activeElement);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    all[Math.max(0, Math.min(to, all.length - 1))].focus();
  });
  model.on("change:items change:selected", paint);
  paint();
}
export default { render };
