// The browser's own range input: it has a name, works from the keyboard, and shows its value as text.
const SEND_MS = 80;

function render({ model, el }) {
  const id = `mc-slider-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  const output = h("output", { for: id });
  const input = h("input", { type: "range", id, min: model.get("min"), max: model.get("max"), step: model.get("step") });
  const hint = model.get("hint") && h("p", { class: "mc-hint" }, model.get("hint"));
  el.append(h("div", { class: "mc-slider" }, h("label", { for: id }, model.get("label")), output, input, hint || null));
  const shown = () => `${Number(input.value).toLocaleString("en")} ${model.get("unit")}`.trim();
  function paint() {
    output.textContent = shown();
    input.setAttribute("aria-valuetext", shown());
    input.style.setProperty("--mc-part", (input.value - input.min) / (input.max - input.min || 1));
  }
  let waiting = 0;
  input.addEventListener("input", () => {
    paint();
    clearTimeout(waiting);
    waiting = setTimeout(() => { model.set("value", Number(input.value)); model.save_changes(); }, SEND_MS);
  });
  const take = () => {
    input.min = model.get("min"); input.max = model.get("max"); input.value = model.get("value");
    paint();
  };
  model.on("change:value change:min change:max", take);
  take();
  return () => clearTimeout(waiting);
}
export default { render };
