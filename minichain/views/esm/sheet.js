// A document on the page, in a frame in which no script runs, and the button that prints it.
function render({ model, el }) {
  const sheet = h("iframe", { class: "mc-sheet", sandbox: "allow-same-origin allow-modals", title: model.get("label") });
  const print = h("button", { class: "jupyter-button mc-button mc-primary", type: "button" }, model.get("words"));
  print.addEventListener("click", () => sheet.contentWindow.print());
  el.append(h("div", { class: "mc-sheet-home" }, print, sheet));
  const paint = () => { sheet.srcdoc = model.get("document"); };
  model.on("change:document", paint);
  paint();
}
export default { render };
