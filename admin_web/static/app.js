// Behaviour of the panel. Everything is delegated on the document, so that it survives every htmx swap.
// The pages work without it: forms post, links lead somewhere. No eval, no inline handlers.
(() => {
  "use strict";

  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, selector, act) =>
    document.addEventListener(type, (event) => {
      const target = event.target.closest?.(selector);
      if (target) act(event, target);
    });

  // --- Dialogs: [data-open="#id"] opens, [data-close] and a click on the backdrop close.
  on("click", "[data-open]", (event, button) => {
    event.preventDefault();
    one(button.dataset.open).showModal();
  });
  on("click", "[data-close]", (event, button) => button.closest("dialog").close());
  on("click", "dialog", (event, dialog) => {
    if (event.target === dialog) dialog.close();
  });
  // A dialog may be part of an answer: the server marks it to be shown at once.
  const showMarked = () =>
    all("dialog[data-show]:not([open])").forEach((dialog) => {
      // Once: what was closed stays closed when another part of the page is new.
      dialog.removeAttribute("data-show");
      dialog.showModal();
    });

  // --- [data-confirm-word]: the button wakes up when the word is typed.
  on("input", "[data-confirm-word]", (event, input) => {
    const same = input.value.trim().toLowerCase() === input.dataset.confirmWord.toLowerCase();
    one("[data-confirmed]", input.form).disabled = !same;
  });

  // --- Theme: the cookie tells the server, so that the next page does not flash.
  on("click", "[data-theme-toggle]", () => {
    const root = document.documentElement;
    const scheme = getComputedStyle(root).colorScheme;
    const dark = scheme === "dark" || (scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = dark ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax`;
  });

  // --- Popovers open under their button, inside the window.
  document.addEventListener(
    "toggle",
    (event) => {
      const pop = event.target;
      if (!pop.matches?.(".pop") || event.newState !== "open") return;
      const box = one(`[popovertarget="${pop.id}"]`).getBoundingClientRect();
      const below = box.bottom + 6 + pop.offsetHeight <= innerHeight || box.top < pop.offsetHeight;
      const top = below ? box.bottom + 6 : box.top - 6 - pop.offsetHeight;
      const left = Math.max(8, Math.min(box.right - pop.offsetWidth, innerWidth - pop.offsetWidth - 8));
      pop.style.setProperty("top", `${top + scrollY}px`);
      pop.style.setProperty("left", `${left + scrollX}px`);
    },
    true,
  );

  // --- [data-submit]: a control that sends its form when changed.
  on("change", "[data-submit]", (event, control) => control.form.requestSubmit());

  // --- [data-print]: what stands on the page, on paper.
  on("click", "[data-print]", () => print());

  // --- [data-copy="#id"]: copies a field; without the clipboard the field is selected for Ctrl+C.
  on("click", "[data-copy]", async (event, button) => {
    const field = one(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      showToast({ text: button.dataset.done });
    } catch {
      field.focus();
    }
  });

  // --- Selected rows and the bar of what can be done with them.
  let everything = false;
  const countSelected = () => {
    const bar = one("#bulk");
    if (!bar) return;
    const boxes = all("[data-row]");
    const checked = boxes.filter((box) => box.checked).length;
    const head = one("[data-all]");
    if (head) {
      head.checked = checked > 0 && checked === boxes.length;
      head.indeterminate = checked > 0 && checked < boxes.length;
    }
    if (checked < boxes.length) everything = false;
    bar.hidden = checked === 0;
    one("[data-count]", bar).textContent = everything ? bar.dataset.total : checked;
    const more = one("[data-select-all]", bar);
    if (more) more.hidden = everything;
    const scope = one("[data-scope]", bar);
    if (scope) scope.value = everything ? "all" : "";
  };
  const check = (boxes, value) => {
    boxes.forEach((box) => (box.checked = value));
    countSelected();
  };
  on("change", "[data-row]", countSelected);
  on("change", "[data-all]", (event, head) => check(all("[data-row]"), head.checked));
  on("click", "[data-clear]", () => check(all("[data-row]"), false));
  // Everybody who is found, on other pages too, until somebody is unticked.
  on("click", "[data-select-all]", () => {
    check(all("[data-row]"), true);
    everything = true;
    countSelected();
  });
  let lastBox = null;
  on("click", "[data-row]", (event, box) => {
    const boxes = all("[data-row]");
    if (event.shiftKey && boxes.includes(lastBox)) {
      const [first, last] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((a, b) => a - b);
      check(boxes.slice(first, last + 1), box.checked);
    }
    lastBox = box;
  });

  const isLive = (element) => Boolean(element?.matches?.("[data-live]"));

  // --- Toasts: from HX-Trigger {"toast": {"text", "undo", "kind", "link"}}, or left in the page by the server.
  const showToast = ({ text, undo, kind, link }) => {
    const place = one("#toasts");
    const toast = document.createElement("div");
    toast.className = kind ? `toast ${kind}` : "toast";
    toast.append(text);
    if (undo) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = place.dataset.undo;
      button.addEventListener("click", () => {
        toast.remove();
        htmx.ajax("POST", undo, { swap: "none" });
      });
      toast.append(button);
    }
    if (link) {
      const way = document.createElement("a");
      way.href = link.href;
      way.textContent = link.text;
      toast.append(way);
    }
    place.append(toast);
    setTimeout(() => toast.remove(), undo || kind || link ? 8000 : 4000);
  };
  document.addEventListener("toast", (event) => {
    if (!isLive(event.target)) showToast(event.detail);
  });
  const showLeftToasts = () =>
    all("[data-toast]").forEach((left) => {
      showToast({ text: left.dataset.toast, undo: left.dataset.undoUrl });
      left.remove();
    });

  // --- htmx: a form that comes back with 422 is shown, other refusals come as toasts.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 422) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  document.addEventListener("htmx:sendError", (event) => {
    // What asks by itself again and again is silent when it fails.
    if (isLive(event.target) || event.target.matches?.("[hx-trigger^=every]")) return;
    showToast({ text: one("#toasts").dataset.offline, kind: "bad" });
  });

  // --- Keyboard: "/" search, j k move, x select, Enter open, arrows in tabs. Esc closes by itself.
  const TAB_KEYS = { ArrowLeft: -1, ArrowRight: 1, Home: "first", End: "last" };
  const moveTab = (event, tab) => {
    const tabs = all("[role=tab]", tab.closest("[role=tablist]"));
    const step = TAB_KEYS[event.key];
    const index = step === "first" ? 0 : step === "last" ? tabs.length - 1 : tabs.indexOf(tab) + step;
    const next = tabs.at(index % tabs.length);
    event.preventDefault();
    next.focus();
    next.click();
  };
  const currentRow = () => one("#rows > :is(tr, li)[data-current]");
  const moveRow = (step) => {
    const rows = all("#rows > :is(tr, li:has(a.who))");
    const current = currentRow();
    const index = current ? rows.indexOf(current) + step : 0;
    const next = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (!next) return;
    current?.removeAttribute("data-current");
    next.setAttribute("data-current", "");
    next.scrollIntoView({ block: "nearest" });
  };
  const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";
  const KEYS = {
    "/": () => {
      one("#q")?.focus();
      one("#q")?.select();
    },
    j: () => moveRow(1),
    k: () => moveRow(-1),
    x: () => currentRow()?.querySelector("[data-row]")?.click(),
    Enter: () => currentRow()?.querySelector("a.who")?.click(),
  };
  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest?.("[role=tab]");
    if (tab && event.key in TAB_KEYS) return moveTab(event, tab);
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.(TYPING)) return;
    if (!(event.key in KEYS) || one("dialog[open]")) return;
    if (event.key === "Enter" && event.target !== document.body) return;
    if (event.key === "/") event.preventDefault();
    KEYS[event.key]();
  });
  on("click", "[role=tab]", (event, tab) => {
    all("[role=tab]", tab.closest("[role=tablist]")).forEach((other) => {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    });
    document.getElementById(tab.getAttribute("aria-controls"))?.setAttribute("aria-labelledby", tab.id);
  });

  const settle = () => {
    countSelected();
    showMarked();
    showLeftToasts();
    one("[role=tab][aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("DOMContentLoaded", settle);
})();
