// The page asks the kernel once a second. So the kernel learns that somebody looks, and the page learns
// within three seconds that nobody answers any more, whatever died: kernel, server or the line between. The dot beats with
// each answer; nothing on a page moves by itself for ever, for that alone would keep a third of a processor busy.
const ASK_MS = 1000, LOST_MS = 2500;

function render({ model, el }) {
  const words = model.get("words");
  const word = h("span", { class: "mc-pulse-word", role: "status" });
  const badge = h("div", { class: "mc-pulse" }, h("span", { class: "mc-pulse-dot", "aria-hidden": "true" }), word);
  const reload = h("button", { class: "mc-reload", type: "button" }, words.reload);
  const sentence = h("span");
  const notice = h("div", { class: "mc-notice", role: "alert", hidden: true }, sentence, reload);
  const slot = document.getElementById("mc-status"), bar = document.getElementById("mc-notice");
  (slot ?? el).replaceChildren(badge);
  (bar ?? el).append(notice);
  reload.addEventListener("click", () => location.reload());

  let heard = performance.now(), asked = performance.now(), isGone = false;
  function paint() {
    const state = isGone ? "gone" : model.get("state");
    badge.dataset.state = state;
    word.textContent = words[state] ?? "";
    badge.hidden = !word.textContent;
    sentence.textContent = isGone ? words.goneNotice : model.get("notice");
    reload.hidden = !isGone;
    notice.hidden = !sentence.textContent;
    document.body.classList.toggle("mc-stale", !notice.hidden);
  }
  function ask() {
    const now = performance.now();
    if (now - asked > 2 * ASK_MS) heard = now; // the page slept (hidden tab, closed lid): ask before judging
    asked = now;
    if (now - heard > LOST_MS !== isGone) { isGone = !isGone; paint(); }
    model.send({ ask: true });
  }
  const hear = () => { heard = performance.now(); badge.classList.toggle("mc-beat"); if (isGone) { isGone = false; paint(); } };
  model.on("msg:custom", hear);
  model.on("change:state change:notice", paint);
  const timer = setInterval(ask, ASK_MS);
  paint();
  ask();
  return () => { clearInterval(timer); badge.remove(); notice.remove(); };
}
export default { render };
