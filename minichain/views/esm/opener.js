// A button that opens a file. What is in it goes to the kernel, and nowhere else.
function render({ model, el }) {
  const input = h("input", { type: "file", accept: model.get("accept") });
  el.append(h("label", { class: "mc-opener" }, input, model.get("words")));
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (file) model.send({ open: true }, undefined, [await file.slice(0, model.get("limit") + 1).arrayBuffer()]);
    input.value = ""; // the same file may be opened again
  });
}
export default { render };
