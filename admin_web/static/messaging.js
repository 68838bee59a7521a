// Words of messages: a variable goes to where one writes.
(() => {
  "use strict";

  let last = null;
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("[data-words]")) last = event.target;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-insert]");
    if (!button) return;
    const field = last?.isConnected ? last : document.querySelector("[data-words]");
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
