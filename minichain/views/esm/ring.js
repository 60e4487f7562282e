// Validators on a circle, numbered; the list beside it says the same in words and is what the keyboard reaches.
const SIZE = 340, RADIUS = 122, NODE = 23;

function render({ model, el }) {
  const paths = model.get("icons");
  const mesh = s("g", { class: "mc-ring-mesh" }), dots = s("g");
  const value = s("text", { x: SIZE / 2, y: SIZE / 2 + 2, class: "mc-ring-value", "text-anchor": "middle" });
  const label = s("text", { x: SIZE / 2, y: SIZE / 2 + 26, class: "mc-ring-label", "text-anchor": "middle" });
  const svg = s("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "mc-svg mc-ring-svg", "aria-hidden": "true" },
    s("circle", { cx: SIZE / 2, cy: SIZE / 2, r: RADIUS, class: "mc-ring-orbit" }), mesh, dots, value, label);
  const list = h("ol", { class: "mc-ring-list", "aria-label": model.get("label") });
  el.append(h("div", { class: "mc-ring" }, svg, list));

  const place = (i, n) => {
    const turn = (2 * Math.PI * i) / n - Math.PI / 2;
    return [SIZE / 2 + RADIUS * Math.cos(turn), SIZE / 2 + RADIUS * Math.sin(turn)];
  };
  const choose = (i) => { model.set("selected", model.get("selected") === i ? -1 : i); model.save_changes(); };

  let seen = [], marks = [], rows = [];
  function build(n) {
    mesh.replaceChildren(); dots.replaceChildren(); list.replaceChildren(); seen = []; marks = []; rows = [];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < i; j++) {
        const [x1, y1] = place(i, n), [x2, y2] = place(j, n);
        mesh.append(s("line", { x1, y1, x2, y2, "data-a": i, "data-b": j }));
      }
      const [x, y] = place(i, n);
      const badge = s("g", { class: "mc-ring-badge", transform: `translate(${x + 10} ${y - 28})` });
      const dot = s("g", { class: "mc-ring-node" }, s("circle", { cx: x, cy: y, r: NODE }),
        s("text", { x, y: y + 6, "text-anchor": "middle" }, String(i + 1)), badge);
      dot.addEventListener("click", () => choose(i));
      dots.append(dot);
      const name = h("span", { class: "mc-ring-name" }), height = h("span", { class: "mc-ring-height" }), chip = h("span");
      const row = h("button", { type: "button", class: "mc-ring-row" }, h("span", { class: "mc-ring-number" }, String(i + 1)), name, height, chip);
      row.addEventListener("click", () => choose(i));
      list.append(h("li", {}, row));
      marks.push({ dot, badge }); rows.push({ row, name, height, chip });
    }
  }
  function paint() {
    const nodes = model.get("nodes"), chosen = model.get("selected");
    if (nodes.length !== rows.length) build(nodes.length);
    nodes.forEach((node, i) => {
      const { dot, badge } = marks[i], { row, name, height, chip } = rows[i];
      dot.dataset.state = node.state;
      dot.classList.toggle("mc-chosen", i === chosen);
      row.setAttribute("aria-pressed", String(i === chosen));
      name.textContent = node.name;
      height.textContent = node.height;
      if (seen[i]?.state !== node.state || seen[i]?.word !== node.word) {
        chip.className = `mc-chip mc-${node.state}`;
        chip.replaceChildren(icon(paths[node.state], 14), node.word);
        badge.replaceChildren(s("circle", { cx: 9, cy: 9, r: 10 }), s("path", { d: paths[node.state], transform: "scale(.75)" }));
      }
      if (seen[i] && seen[i].height !== node.height && !isCalm()) {
        dot.firstChild.animate([{ r: `${NODE}px` }, { r: `${NODE + 4}px` }, { r: `${NODE}px` }], 450);
      }
    });
    for (const line of mesh.children) {
      line.classList.toggle("mc-cut", [line.dataset.a, line.dataset.b].some((i) => nodes[i].state === "bad"));
    }
    seen = nodes;
    value.textContent = model.get("centre").value ?? "";
    label.textContent = model.get("centre").label ?? "";
  }
  model.on("change:nodes change:centre change:selected", paint);
  paint();
}
export default { render };
