// The browser's history: one entry for each page that is opened, which begins at its top; Back is where it was left.
//
// `st.switch_page` pushes the query of the next page onto the page that is left, and then the next page. Of the two only
// the second is an entry.
"use strict";
(() => {
  const mark = /([?&])opening=(\w+)(&|$)/;
  const seen = new Set();
  const bare = (url) => String(url).replace(mark, (_, before, token, after) => (after ? before : ""));
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  const main = () => document.querySelector("[data-testid=stMain]");
  // Until `done` says true, the reader takes over, or five seconds are over: a page grows while it is drawn.
  const until = (done) => {
    const end = Date.now() + 5000;
    const timer = setInterval(() => {
      if (done() || Date.now() > end) stop();
    }, 50);
    const stop = () => clearInterval(timer);
    addEventListener("wheel", stop, { once: true });
    addEventListener("keydown", stop, { once: true });
  };
  const scrolled = (to) =>
    until(() => {
      const box = main();
      if (box && box.scrollHeight - box.clientHeight >= to) box.scrollTop = to;
      return box && Math.abs(box.scrollTop - to) < 2;
    });
  // Jobs puts its list below what was clicked, which may be at the foot of the screen: the list's first rows come into
  // sight, and no more, so that what was clicked stays there too.
  const listed = (params) => ["list", "state", "reason", "error", "during"].map((name) => params.get(name)).join("|");
  const reveal = (params) => {
    const below = params.get("list") || ((params.get("error") || params.get("reason")) && "errors");
    if (!/^[a-z]+$/.test(below || "")) return;
    until(() => {
      const rows = document.querySelector(`.st-key-below_${below} [data-testid=stDataFrame]`);
      const place = rows && rows.getBoundingClientRect();
      if (!place || !place.height) return false;
      const hidden = place.top + Math.min(place.height, 180) + 16 - innerHeight;
      if (hidden > 0) main().scrollTop += hidden;
      return true;
    });
  };
  // On a phone the menu lies over the page that it has opened.
  const fold = () => {
    const menu = innerWidth <= 768 && document.querySelector("[data-testid=stSidebar][data-collapsed=false]");
    const button = menu && menu.querySelector("[data-testid=stSidebarCollapseButton] button");
    if (button) button.click();
  };
  history.pushState = (state, title, url) => {
    const next = new URL(url, location.href);
    const opens = next.pathname !== location.pathname;
    const token = (mark.exec(next.search) || [])[2];
    if (token && !opens && !seen.has(token)) {
      seen.add(token);
      return;
    }
    seen.add(token);
    const lists = !opens && listed(next.searchParams) !== listed(new URLSearchParams(location.search));
    if (opens) {
      replace({ ...history.state, scrolled: main() ? main().scrollTop : 0 }, "");
    }
    push(state, title, bare(url));
    if (opens && main()) main().scrollTop = 0;
    if (opens) fold();
    if (lists) reveal(next.searchParams);
  };
  // Links of ui/components/markup.py: real ones, but the click stays in this visit. Streamlit opens what is in the
  // address when it is told that the history moved.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[data-bandup-link]");
    const elsewhere = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || elsewhere || event.defaultPrevented) return;
    event.preventDefault();
    replace({ ...history.state, scrolled: main() ? main().scrollTop : 0 }, "");
    push({}, "", link.href);
    dispatchEvent(new PopStateEvent("popstate", { state: {} }));
    if (main()) main().scrollTop = 0;
    fold();
  });
  history.replaceState = (state, title, url) => replace(state, title, url && bare(url));
  addEventListener("popstate", (event) => {
    if (event.state && event.state.scrolled) scrolled(event.state.scrolled);
  });
})();
