// Elements are made here and nowhere else. Text goes in as text: no string ever becomes markup.
const SVG = "http://www.w3.org/2000/svg";
const fill = (node, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
};
const h = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
const s = (name, attributes = {}, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
const icon = (path, size = 16) =>
  s("svg", { class: "mc-icon", viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true" }, s("path", { d: path }));
const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
