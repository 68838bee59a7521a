// The till's keypad. The field stays a real one: a keyboard or a scanner types into it, Enter sends the form.
(() => {
  "use strict";

  const one = (selector, root = document) => root.querySelector(selector);
  const field = () => one("#padval");

  // A sum is grouped while it is typed: 1 840,50. A number is left as it comes.
  const grouped = (text, decimals) => {
    const [whole, ...rest] = text.replace(/[.]/g, ",").replace(/[^0-9,]/g, "").split(",");
    const digits = whole.replace(/^0+(?=\d)/, "").slice(0, 9).replace(/\B(?=(\d{3})+$)/g, "\u202f");
    if (!rest.length || !decimals) return digits;
    return `${digits || "0"},${rest.join("").slice(0, decimals)}`;
  };
  const put = (input, text) => {
    input.value = input.dataset.kind === "sum" ? grouped(text, Number(input.dataset.decimals)) : text.slice(0, 20);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };

  document.addEventListener("click", (event) => {
    const key = event.target.closest?.("[data-key]");
    const input = field();
    if (!key || !input) return;
    const pressed = key.dataset.key;
    if (pressed === "clear") put(input, "");
    else if (pressed === "back") put(input, input.value.replace(/[\u202f\s]*.$/u, ""));
    else put(input, input.value + pressed);
    navigator.vibrate?.(8);
  });
  document.addEventListener("input", (event) => {
    const input = event.target;
    if (event.isTrusted && input.dataset.kind === "sum" && input.id === "padval") {
      input.value = grouped(input.value, Number(input.dataset.decimals));
    }
  });
  // A scanner types wherever the cursor is: digits pressed elsewhere go into the field.
  document.addEventListener("keydown", (event) => {
    const input = field();
    if (!input || event.target === input || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9+]$/.test(event.key) && !event.target.matches("input:not([type=radio]), textarea")) input.focus();
  });

  // --- A lost connection is said until the server answers again. The key in each form makes pressing again safe.
  const lost = one("#lost");
  const PROBE_MS = 3000;
  let probe = 0;
  const answers = () =>
    fetch("/health/ready", { cache: "no-store" }).then((answer) => answer.ok, () => false);
  const connected = () => {
    clearTimeout(probe);
    probe = 0;
    lost.hidden = true;
  };
  const disconnected = () => {
    lost.hidden = false;
    probe ||= setTimeout(async () => {
      probe = 0;
      if (await answers()) connected();
      else disconnected();
    }, PROBE_MS);
  };
  window.addEventListener("offline", disconnected);
  window.addEventListener("online", async () => { if (await answers()) connected(); });
  document.addEventListener("htmx:sendError", disconnected);
  document.addEventListener("htmx:timeout", disconnected);
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status >= 500) disconnected();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!lost.hidden && event.detail.successful) connected();
  });
  // Without a connection a page would give way to the browser's own complaint, and what was typed be gone. Browsers
  // err about being offline, so the server is asked before anything is held back.
  const goOn = async (go) => {
    if (await answers()) {
      connected();
      go();
    } else disconnected();
  };
  let isLetThrough = false;
  document.addEventListener("submit", (event) => {
    if (navigator.onLine || isLetThrough) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    goOn(() => {
      isLetThrough = true;
      event.target.requestSubmit(event.submitter);
      isLetThrough = false;
    });
  }, true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || navigator.onLine) return;
    event.preventDefault();
    goOn(() => location.assign(link.href));
  });

  // --- The time left to take a sale back.
  const counting = one("[data-countdown]");
  if (counting) {
    const until = performance.now() + Number(counting.dataset.countdown) * 1000;
    const tick = () => {
      const left = Math.max(0, Math.round((until - performance.now()) / 1000));
      one("[data-left]", counting).textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      if (left) setTimeout(tick, 500);
      else counting.remove();
    };
    tick();
  }
})();
