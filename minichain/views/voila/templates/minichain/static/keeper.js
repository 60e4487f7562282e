// What is drawn anew keeps the keyboard's focus and the press of a finger. Widgets replace whole panels, so whatever had
// the one or the other is found again by its kind and its name; without this the next key would go nowhere.
(() => {
  const CONTROLS = "button, a[href], input, select, textarea, summary, [role=tab], [role=slider]";
  const PATIENCE_MS = 2000; // until the panel that replaces another has been drawn
  const at = (target) => (target instanceof Element ? target.closest(CONTROLS) : null);
  const nameOf = (e) => e.dataset.figure ?? e.getAttribute("aria-label") ?? (e.labels?.[0] ?? e).textContent.trim();
  const kindOf = (e) => [e.tagName, e.type, e.getAttribute("role"), nameOf(e)].join();
  const alike = (kind) => [...document.querySelectorAll(CONTROLS)].filter((e) => kindOf(e) === kind && e.checkVisibility());
  const noted = (e) => {
    if (!e) return null;
    const kind = kindOf(e), namesakes = alike(kind);
    return { element: e, kind, place: namesakes.indexOf(e), count: namesakes.length, lost: 0 };
  };
  let held = null, pressed = null;

  document.addEventListener("focusin", (event) => { held = noted(at(event.target)); });
  document.addEventListener("pointerdown", (event) => {
    pressed = noted(at(event.target));
    if (!pressed) held = null; // who presses beside everything wants nothing to have the focus
  }, true);
  document.addEventListener("pointerup", (event) => {
    const under = at(event.target);
    if (pressed && under && !pressed.element.isConnected && kindOf(under) === pressed.kind) under.click();
    pressed = null;
  }, true);
  new MutationObserver(() => {
    if (!held || held.element.isConnected) return;
    held.lost ||= performance.now();
    if (document.activeElement !== document.body || performance.now() - held.lost > PATIENCE_MS) { held = null; return; }
    const found = alike(held.kind);
    if (found.length >= held.count) found[held.place]?.focus({ preventScroll: true }); // else one is still to be drawn, or gone
  }).observe(document, { childList: true, subtree: true });
})();
