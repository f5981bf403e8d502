// The button beside an ID or a record, made by ui/components/markup.py, copies it.
"use strict";
(() => {
  const write = async (box, text) => {
    // Browsers have a clipboard only where the address is safe: HTTPS or this computer.
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    getSelection().selectAllChildren(box);
    if (!document.execCommand("copy")) throw new Error("the browser copies nothing by itself");
  };
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("button[data-bandup-copy]");
    if (!button || button.dataset.bandupDone) return;
    const box = button.previousElementSibling;
    const before = button.textContent;
    try {
      await write(box, button.dataset.bandupCopy || box.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(box);
      button.textContent = "Selected";
    }
    button.dataset.bandupDone = "1";
    setTimeout(() => {
      button.textContent = before;
      delete button.dataset.bandupDone;
    }, 2000);
  });
})();
