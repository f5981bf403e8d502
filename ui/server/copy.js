// The button beside an ID or a record, made by ui/components/markup.py, copies it.
"use strict";
(() => {
  const write = async (box, text) => {
    // Browsers have a clipboard only where the address is safe: HTTPS or this computer.
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    getSelection().selectAllChildren(box);
    if (!document.execCommand("copy")) throw new Error("the browser copies nothing by itself");
  };
  // A button's new words are not read out: its label says what it copies. This is.
  const status = document.createElement("div");
  status.setAttribute("role", "status");
  status.style.cssText = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)";
  document.addEventListener("DOMContentLoaded", () => document.body.append(status));
  const tell = (button, words) => {
    button.textContent = status.textContent = words;
  };
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("button[data-bandup-copy]");
    if (!button || button.dataset.bandupDone) return;
    const box = button.previousElementSibling;
    const before = button.textContent;
    status.textContent = "";
    try {
      await write(box, button.dataset.bandupCopy || box.textContent);
      tell(button, "Copied");
    } catch {
      getSelection().selectAllChildren(box);
      tell(button, "Selected");
    }
    button.dataset.bandupDone = "1";
    setTimeout(() => {
      button.textContent = before;
      delete button.dataset.bandupDone;
    }, 2000);
  });
})();
