// A number to be chosen by sliding: the browser's own control, so that keyboard and screen reader know it.
function render({ model, el }) {
  const input = h("input", { type: "range", step: model.get("step"), "aria-label": model.get("words") });
  const value = h("span", { class: "mc-slide-value", "aria-hidden": "true" }); // the input itself tells its value
  el.append(h("label", { class: "mc-slide" }, h("span", { class: "mc-slide-name" }, model.get("words")), value, input));
  function paint() {
    const [least, most, now] = ["least", "most", "value"].map((name) => model.get(name));
    input.min = least; input.max = most; input.value = now;
    value.textContent = now;
    input.style.setProperty("--mc-part", `${(100 * (now - least)) / Math.max(1, most - least)}%`);
  }
  input.addEventListener("input", () => { model.set("value", Number(input.value)); model.save_changes(); });
  model.on("change", paint);
  paint();
}
export default { render };
