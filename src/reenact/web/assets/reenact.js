// Niceties only: every page works without this file.

"use strict";

// Compare: j and k (and the two buttons) go to the next and the previous difference.
const differences = [...document.querySelectorAll("[data-difference]")];

function jump(step) {
  const tops = differences.map((pair) => Math.round(pair.getBoundingClientRect().top));
  const focused = differences.indexOf(document.activeElement.closest("[data-difference]"));
  const below = tops.findIndex((top) => top > 20);
  const here = focused >= 0 ? focused : (below < 0 ? differences.length : below) - (step > 0 ? 1 : 0);
  const target = differences[Math.min(Math.max(here + step, 0), differences.length - 1)];
  target.scrollIntoView({ block: "start" });
  target.focus({ preventScroll: true });
}

if (differences.length) {
  for (const bar of document.querySelectorAll(".jump")) bar.hidden = false;
  for (const button of document.querySelectorAll("[data-jump]")) {
    button.addEventListener("click", () => jump(Number(button.dataset.jump)));
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    if (event.key === "j") jump(1);
    if (event.key === "k") jump(-1);
  });
}

// A link to a folded pair unfolds it.
function unfold() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  const folded = target && target.querySelector("details");
  if (folded) folded.open = true;
}
window.addEventListener("hashchange", unfold);
unfold();

// Sessions: comparing needs two.
for (const button of document.querySelectorAll("[data-needs]")) {
  const ticks = [...button.form.querySelectorAll('input[type="checkbox"]')];
  const count = () => {
    button.disabled = ticks.filter((tick) => tick.checked).length !== Number(button.dataset.needs);
  };
  button.form.addEventListener("change", count);
  window.addEventListener("pageshow", count);
  count();
}
