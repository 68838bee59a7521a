// The client base: pinned columns stay in sight, columns are put in order by hand or by the keyboard.
(() => {
  "use strict";

  // Where a pinned column stays depends on how wide those before it are.
  const pin = () => {
    const table = document.querySelector(".base-tbl");
    if (!table) return;
    let left = 0;
    [...table.tHead.rows[0].cells].forEach((head, index) => {
      if (!head.matches("[data-pinned], .stick, .ck")) return;
      [...table.rows].forEach((row) => row.cells[index]?.style.setProperty("left", `${left}px`));
      left += head.offsetWidth;
    });
  };
  document.addEventListener("DOMContentLoaded", pin);
  document.addEventListener("htmx:afterSettle", pin);
  addEventListener("resize", pin);

  // On a phone a column is chosen out of a list: its own direction comes with it, before the form is sent.
  document.addEventListener(
    "change",
    (event) => {
      if (event.target.id !== "phone-sort") return;
      event.target.form.elements.dir.value = event.target.selectedOptions[0].dataset.dir;
    },
    true,
  );

  // The view that is saved is the one that the address shows now.
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-save-view]")) return;
    document.querySelector("[data-view-query]").value = location.search.slice(1);
    document.querySelector("#views").hidePopover();
  });

  // A menu closes when something in it was chosen.
  document.addEventListener("click", (event) => event.target.closest?.(".pop.menu a[hx-get]")?.closest(".pop").hidePopover());

  // Columns: the arrows move a line, and so does dragging it.
  const move = (line, step) => {
    const other = step < 0 ? line.previousElementSibling : line.nextElementSibling;
    // The first line is the name's, and stays.
    if (!other || !other.draggable) return;
    if (step < 0) other.before(line);
    else other.after(line);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-move]");
    if (!button) return;
    move(button.closest("li"), Number(button.dataset.move));
    button.focus();
    button.scrollIntoView({ block: "nearest" });
  });
  let dragged = null;
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".cols li[draggable]") ?? null;
    dragged?.classList.add("dragged");
  });
  document.addEventListener("dragover", (event) => {
    const line = dragged && event.target.closest?.(".cols li[draggable]");
    if (!line) return;
    event.preventDefault();
    if (line === dragged) return;
    const box = line.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) line.before(dragged);
    else line.after(dragged);
  });
  document.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    dragged = null;
  });
})();
