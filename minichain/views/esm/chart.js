// A Plotly chart. The page has no chart program until the first chart asks the kernel for it; all charts share it.
function program(model) {
  window.mcCharts ??= new Promise((done) => {
    model.on("msg:custom", (_content, buffers) => {
      const url = URL.createObjectURL(new Blob([buffers[0]], { type: "text/javascript" }));
      const script = h("script", { src: url });
      script.addEventListener("load", () => { URL.revokeObjectURL(url); done(window.Plotly); });
      document.head.append(script);
    });
    model.send({ ask: "program" });
  });
  return window.mcCharts;
}
async function render({ model, el }) {
  const sheet = h("div", { class: "mc-chart-sheet", role: "img", "aria-label": model.get("label") });
  const caption = h("figcaption", { class: "mc-caption" });
  el.append(h("figure", { class: "mc-figure mc-chart" }, caption, sheet));
  const plotly = await program(model);
  function paint() {
    const { data, layout } = JSON.parse(model.get("plot"));
    caption.textContent = model.get("has_caption") ? model.get("label") : "";
    caption.hidden = !model.get("has_caption");
    sheet.setAttribute("aria-label", model.get("label"));
    plotly.react(sheet, data, layout, { responsive: true, displayModeBar: false, scrollZoom: false });
  }
  model.on("change", paint);
  new ResizeObserver(() => sheet.clientWidth && plotly.Plots.resize(sheet)).observe(sheet); // a tab was opened
  paint();
}
export default { render };
