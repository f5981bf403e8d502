// The search at the side by keyboard: Enter opens the only student who matches; of several, it goes to the first.
//
// The arrow keys go through the results. What matches is drawn a moment after the last letter, so Enter waits for it.
"use strict";
(() => {
  const wait = 5000;
  let pending = 0;
  const results = () => document.querySelector(".st-key-search_results [data-bandup-matches]");
  const links = () => [...document.querySelectorAll(".st-key-search_results a")];
  const enter = (input, end, mine) => {
    const list = results();
    const fits = list && list.dataset.bandupSought === input.value.trim();
    if (mine !== pending || document.activeElement !== input || Date.now() > end) return;
    if (!fits) setTimeout(() => enter(input, end, mine), 50);
    else if (list.dataset.bandupMatches === "1") links()[0].click();
    else if (links()[0]) links()[0].focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || !(event.target instanceof Element)) return;
    const input = event.target.closest(".st-key-_search input");
    const all = links();
    const at = all.indexOf(event.target);
    pending += 1;
    if (input && event.key === "Enter" && input.value.trim()) enter(input, Date.now() + wait, pending);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || (!input && at < 0)) return;
    const next = at + step < 0 ? document.querySelector(".st-key-_search input") : all[at + step];
    if (input && step < 0) return;
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });
})();
