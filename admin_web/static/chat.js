// Conversations: news as they happen, what is being written, ready answers. The pages work without it.
(() => {
  "use strict";

  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, selector, act) =>
    document.addEventListener(type, (event) => {
      const target = event.target.closest?.(selector);
      if (target) act(event, target);
    });

  // --- News: the server names the accounts whose conversations have changed, and the parts that show them ask for
  // themselves. While nobody looks the line is closed: browsers hold only a few open to one server. Without a line
  // the parts ask every ten seconds.
  let line = null;
  const tellParts = (accounts) =>
    all("[data-news]").forEach((part) => {
      const shown = part.dataset.news.split(",");
      if (shown.includes("*") || accounts.includes("*") || shown.some((account) => accounts.includes(account)))
        htmx.trigger(part, "news");
    });
  const listen = () => {
    if (document.hidden || !one("[data-news]")) {
      line?.close();
      line = null;
    } else if (!line || line.readyState === EventSource.CLOSED) {
      const isFirst = line === null;
      line = new EventSource("/conversations/events");
      line.addEventListener("message", (event) => tellParts(event.data.split(",")));
      // What happened while the line was closed.
      if (isFirst) line.addEventListener("open", () => tellParts(["*"]), { once: true });
    }
  };
  document.addEventListener("visibilitychange", listen);
  document.addEventListener("DOMContentLoaded", listen);
  addEventListener("pagehide", () => line?.close());
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.matches?.("[data-news]")) event.preventDefault();
  });

  // --- A chat in place: of an answer only the parts whose data-version has changed are put in place, and new lines
  // at the end: nothing flickers or jumps, and what is read or written stays. The box to answer in is changed when
  // it has to be another one and nothing stands in it, or when it comes fresh.
  const written = (box) => all("textarea, [data-fills], [type=file]", box).some((field) => field.value !== field.defaultValue);
  const putLine = (chat, part) => {
    const lines = one("ol", chat);
    const number = (item) => Number(item.id.split("-").pop());
    const later = all(":scope > li", lines).find((item) => number(item) > number(part));
    later ? later.before(part) : lines.append(part);
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const chat = event.detail.target;
    if (!chat.matches?.("#chat[data-live]") || !event.detail.shouldSwap) return;
    const fresh = one("#chat", new DOMParser().parseFromString(event.detail.serverResponse, "text/html"));
    if (!fresh) return;
    event.detail.shouldSwap = false;
    chat.dataset.since = fresh.dataset.since;
    all("[data-version]", fresh).forEach((part) => {
      const known = document.getElementById(part.id);
      if (known?.dataset.version === part.dataset.version) return;
      if (known) known.replaceWith(part);
      else putLine(chat, part);
      htmx.process(part);
    });
    const box = one("#answer-box", chat);
    const other = one("#answer-box", fresh);
    const isFresh = "fresh" in other.dataset;
    if (isFresh || (other.dataset.mode !== box.dataset.mode && !written(box))) {
      box.replaceWith(other);
      htmx.process(other);
      if (isFresh) {
        const area = one("textarea", other);
        area?.focus();
        area?.setSelectionRange(area.value.length, area.value.length);
        one(".chat-lines", chat)?.scrollTo({ top: 0 });
      }
    }
  });

  // --- What was written moves along when another account or template is chosen.
  let draft = "";
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id === "answer-box") draft = one("#reply")?.value ?? "";
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const area = one("#reply");
    if (event.detail.target.id !== "answer-box" || !area) return;
    area.value = draft;
  });

  // --- What asks again says what it has. The list: as many rows as are shown are asked for; the current row and the open chat stay marked.
  let currentRow = null;
  document.addEventListener("htmx:configRequest", (event) => {
    const { target: part, detail } = event;
    if (part.matches?.("[data-since]")) detail.parameters.since = part.dataset.since;
    if (part.id === "inbox-rows") detail.parameters.rows = all("#rows > li:has(a.who)").length;
    // A search leaves the open chat where it is.
    if (part.id === "q") detail.path = location.pathname;
  });
  document.addEventListener("htmx:beforeSwap", () => {
    currentRow = one("#rows > li[data-current]")?.id ?? null;
  });
  const markRows = () => {
    if (currentRow) document.getElementById(currentRow)?.setAttribute("data-current", "");
    all("#rows a.who").forEach((link) => {
      const isOpen = link.pathname === location.pathname && !new URL(link.href).searchParams.has("at");
      if (isOpen) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  document.addEventListener("htmx:afterSettle", () => {
    markRows();
    listen();
  });
  document.addEventListener("htmx:pushedIntoHistory", markRows);

  // --- Ctrl+Enter sends what is being written.
  on("keydown", "[data-send]", (event, area) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) area.form.requestSubmit();
  });

  // --- A file: its name on the button, and whether it is too large, before it travels.
  const MB = 2 ** 20;
  on("change", ".answer-file input", (event, input) => {
    const file = input.files[0];
    const tooLarge = file && file.size > (file.type.startsWith("image/") ? 5 : 10) * MB;
    one("[data-too-large]", input.form).hidden = !tooLarge;
    if (tooLarge) input.value = "";
    const label = one("[data-file-name]", input.parentElement);
    label.textContent = file && !tooLarge ? file.name : label.dataset.none;
  });

  // --- A template's preview follows what is typed.
  on("input", "[data-fills]", (event, input) => {
    all(`[data-slot="${input.dataset.fills}"]`).forEach((slot) => (slot.textContent = input.value || "…"));
  });

  // --- Ready answers: "/" at the beginning, or the button. Arrows choose, Enter takes, Esc closes.
  const menu = () => one("#canned");
  const options = () => all("[role=option]:not([hidden])", menu());
  const choose = (option) => {
    all("[role=option]", menu()).forEach((other) => other.setAttribute("aria-selected", String(other === option)));
    one("#reply").setAttribute("aria-activedescendant", option ? option.id : "");
    option?.scrollIntoView({ block: "nearest" });
  };
  const closeMenu = () => {
    if (!menu()) return;
    menu().hidden = true;
    one("#reply").removeAttribute("aria-activedescendant");
  };
  const openMenu = (words) => {
    all("[role=option]", menu()).forEach((option) => {
      option.hidden = !option.textContent.toLowerCase().includes(words.toLowerCase());
    });
    const found = options();
    menu().hidden = found.length === 0;
    if (found.length) choose(found[0]);
    else closeMenu();
  };
  const take = (option) => {
    const area = one("#reply");
    const text = option.dataset.text;
    if (area.value.startsWith("/")) area.value = text;
    else area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    closeMenu();
    area.focus();
  };
  on("input", "#reply", (event, area) => {
    if (!menu()) return;
    if (area.value.startsWith("/") && !area.value.includes("\n")) openMenu(area.value.slice(1).trim());
    else closeMenu();
  });
  on("keydown", "#reply", (event) => {
    if (!menu() || menu().hidden || event.ctrlKey || event.metaKey) return;
    const found = options();
    const index = found.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp")
      choose(found[(index + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length]);
    else if (event.key === "Enter" && index >= 0) take(found[index]);
    else if (event.key === "Escape") closeMenu();
    else return;
    event.preventDefault();
  });
  on("click", "#canned [role=option]", (event, option) => take(option));
  on("click", "[data-canned]", () => {
    if (!menu().hidden) return closeMenu();
    openMenu("");
    one("#reply").focus();
  });
})();
