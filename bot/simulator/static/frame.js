// What every page of the simulator has: it hears by server-sent events, asks by small JSON, and has a menu and faults.
"use strict";

const $ = (id) => document.getElementById(id);
const page = document.body.dataset;
const words = JSON.parse(page.words);
const home = `${page.base}/people/${page.person}`;
const language = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, {hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
const calendar = new Intl.DateTimeFormat(language, {day: "numeric", month: "long"});
const phone = $("phone");
let status = {};

function icon(name) {
  return document.querySelector(`template[data-icon="${name}"]`).content.cloneNode(true);
}

// ------------------------------------------------------------------------------------------- talking

// `explain` says why it was refused; without one a toast does.
async function post(path, body, raw = false, explain = refuse) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      body: raw ? body : JSON.stringify(body),
      headers: {"Content-Type": raw ? "application/octet-stream" : "application/json"},
    });
    const result = await answer.json().catch(() => ({}));
    if (answer.ok) return result;
    explain(result);
  } catch {
    toast(words.offline);
  }
  return null;
}

function refuse(result) {
  toast((words[result.reason] || words.failed).replace("{count}", result.count));
}

function listen() {
  const events = new EventSource(`${home}/events`);
  events.onopen = () => { phone.classList.remove("offline"); drawHint(); };
  events.onmessage = (event) => take(JSON.parse(event.data));
  events.onerror = async () => {
    phone.classList.add("offline");
    drawHint();
    if (events.readyState !== EventSource.CLOSED) return;
    // The server answered, but not with a stream: after a restart without a store we are nobody.
    events.close();
    const answer = await fetch(home).catch(() => null);
    if (answer && answer.status === 404) location.reload();
    else setTimeout(listen, 2000);
  };
}

// -------------------------------------------------------------------------------------------- saying

function drawHint() {
  const name = phone.classList.contains("offline") ? "offline" : status.hint;
  const text = name ? words[name] : "";
  if ($("hint").textContent !== text) $("hint").textContent = text;
  $("hint").hidden = !name;
}

let toastTimer = 0;
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 4000);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  if (event.target.localName === "dialog" && !event.target.id.startsWith("alert")) event.target.close();
  if (!event.target.closest("#menu, #menu-button")) openMenu(false);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !$("menu").hidden) { openMenu(false); $("menu-button").focus(); }
});

// ---------------------------------------------------------------------------------------------- menu

function openMenu(open) {
  $("menu").hidden = !open;
  $("menu-button").setAttribute("aria-expanded", String(open));
}

async function andReload(path, body) {
  if (await post(path, body)) location.assign(location.pathname);
}

$("menu-button").addEventListener("click", () => {
  openMenu($("menu").hidden);
  if (!$("menu").hidden) $("menu").querySelector("button").focus();
});
function onEach(name, act) {
  for (const button of document.querySelectorAll(`[data-${name}]`)) {
    button.addEventListener("click", () => act(button.dataset[name]));
  }
}

onEach("choose", (person) => andReload(`${page.base}/people/${person}/choice`, {}));
onEach("language", (wanted) => andReload(`${page.base}/settings`, {language: wanted}));
$("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  post(`${page.base}/settings`, {theme: root.dataset.theme});
});
// -------------------------------------------------------------------------------------------- faults

const faults = $("faults-form");
$("faults-button").addEventListener("click", () => {
  openMenu(false);
  for (const [name, value] of Object.entries(status.faults)) {
    if (typeof value === "boolean") faults.elements[name].checked = value;
    else faults.elements[name].value = value;
  }
  $("faults").showModal();
});
async function setFaults(wanted) {
  if (await post(`${page.base}/faults`, {...wanted, messenger: page.messenger})) $("faults").close();
}
$("all-off").addEventListener("click", () => setFaults({}));
faults.addEventListener("submit", (event) => {
  event.preventDefault();
  const value = ({type, checked, value}) => (type === "checkbox" ? checked : Number(value) || 0);
  setFaults(Object.fromEntries(Object.keys(status.faults).map((name) => [name, value(faults.elements[name])])));
});
