// The chat: draws what the simulator tells by server-sent events and sends back what the person does.
"use strict";

const $ = (id) => document.getElementById(id);
const page = document.body.dataset;
const words = JSON.parse(page.words);
// What this messenger has beside the rest, if it has something.
const more = typeof extras === "undefined" ? null : extras;
const home = `${page.base}/people/${page.person}`;
const language = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, {hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
const calendar = new Intl.DateTimeFormat(language, {day: "numeric", month: "long"});

const shown = new Map(); // message id → {message, node}
const days = new Map(); // day → chip
let ids = [];
let status = {};
let payload = page.payload;
let drawnOnce = false;
let wantsFocus = false;

// ------------------------------------------------------------------------------------------- talking

async function post(path, body, raw = false) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      body: raw ? body : JSON.stringify(body),
      headers: {"Content-Type": raw ? "application/octet-stream" : "application/json"},
    });
    const result = await answer.json().catch(() => ({}));
    if (answer.ok) return result;
    toast((words[result.reason] || words.failed).replace("{count}", result.count));
  } catch {
    toast(words.offline);
  }
  return null;
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

// ------------------------------------------------------------------------------------------- drawing

function take(step) {
  const mine = step.messages.some((message) => message.out);
  const wasLow = isLow();
  ids = step.ids;
  status = step.status;
  for (const message of step.messages) shown.set(message.id, {message, node: bubble(message)});
  for (const id of shown.keys()) if (!ids.includes(id)) shown.delete(id);
  arrange();
  drawStatus();
  if (!drawnOnce || wasLow || mine) goDown();
  drawnOnce = true;
  drawDown();
  step.answers.forEach(hear);
}

function arrange() {
  const wanted = [];
  let lastDay = "";
  ids.forEach((id, place) => {
    const {message, node} = shown.get(id);
    const day = new Date(message.at * 1000).toDateString();
    if (day !== lastDay) wanted.push(dayChip(day));
    lastDay = day;
    const next = shown.get(ids[place + 1]);
    node.classList.toggle("last", !next || next.message.out !== message.out);
    wanted.push(node);
  });
  const chat = $("chat");
  wanted.forEach((node, place) => {
    if (chat.children[place] !== node) chat.insertBefore(node, chat.children[place] || null);
  });
  while (chat.children.length > wanted.length) chat.lastChild.remove();
}

function dayChip(day) {
  if (!days.has(day)) days.set(day, element("p", {className: "day"}));
  const chip = days.get(day);
  const now = new Date();
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  const name = day === now.toDateString() ? words.today
    : day === yesterday.toDateString() ? words.yesterday : calendar.format(new Date(day));
  if (chip.textContent !== name) chip.textContent = name;
  return chip;
}

function bubble(message) {
  const body = element("div", {className: "bubble"});
  if (message.quote) {
    body.append(element("div", {className: "quote"}, element("b", {}, message.quote.name), message.quote.text));
  }
  if (message.photo) body.append(photo(message.photo));
  if (message.contact) body.append(contact(message.contact));
  if (more) more.above(message, body);
  if (message.text) {
    const text = element("div", {className: "text", dir: "auto"});
    fill(text, message.text, message.entities);
    body.append(text);
    text.append(meta(message));
  } else {
    body.append(meta(message));
  }
  if (more) more.below(message, body);
  const node = element("div", {className: message.out ? "msg out" : "msg in"}, body);
  node.classList.toggle("read", Boolean(message.read));
  node.classList.toggle("has-photo", Boolean(message.photo));
  node.classList.toggle("has-buttons", message.buttons.length > 0);
  node.classList.toggle("bare", Boolean(message.photo) && !message.text);
  node.dataset.id = message.id;
  if (message.buttons.length) node.append(inlineKeyboard(message));
  if (more) more.around(message, body, node);
  return node;
}

function meta(message) {
  const at = new Date(message.at * 1000);
  const node = element("span", {className: "meta"});
  if (message.edited) node.append(`${words.edited} `);
  node.append(element("time", {dateTime: at.toISOString()}, clock.format(at)));
  if (message.out) node.append(element("span", {className: "ticks", role: "img"}));
  return node;
}

function photo(found) {
  const source = `${page.base}/photos/${found.file}`;
  const image = element("img", {src: source, alt: words.photo, width: found.width, height: found.height});
  const button = element("button", {className: "photo", type: "button"}, image);
  button.addEventListener("click", () => { $("picture-image").src = source; $("picture").showModal(); });
  return button;
}

function contact(card) {
  const face = element("span", {className: "face"}, icon("user-round"));
  const lines = element("span", {}, element("b", {}, card.name), element("span", {className: "num"}, card.phone));
  return element("div", {className: "contact", role: "group", ariaLabel: words.contact}, face, lines);
}

function inlineKeyboard(message) {
  const board = element("div", {className: "inline", role: "group", ariaLabel: words.bot_keyboard});
  for (const row of message.buttons) {
    board.append(element("div", {className: "row"}, ...row.map((button) => inlineButton(message, button))));
  }
  return board;
}

function inlineButton(message, button) {
  if (button.url) {
    const safe = LINKS.test(button.url) ? button.url : "#";
    return element("a", {href: safe, target: "_blank", rel: "noopener noreferrer"}, button.text, icon("external-link"));
  }
  const node = element("button", {type: "button"}, button.text);
  if (button.callback_data === undefined) {
    node.addEventListener("click", () => toast(words.unsupported));
    return node;
  }
  node.dataset.data = button.callback_data;
  node.addEventListener("click", () => {
    if (node.getAttribute("aria-busy") === "true") return;
    node.setAttribute("aria-busy", "true");
    post(`${home}/taps`, {message_id: message.id, data: button.callback_data});
  });
  return node;
}

function icon(name) {
  return document.querySelector(`template[data-icon="${name}"]`).content.cloneNode(true);
}

// -------------------------------------------------------------------------------------------- status

function drawStatus() {
  document.querySelector("#state .quiet").hidden = status.typing;
  document.querySelector("#state .dots").hidden = !status.typing;
  for (const node of document.querySelectorAll(".msg.out")) drawTicks(node);
  for (const node of document.querySelectorAll(".inline button[data-data]")) {
    const {id} = node.closest(".msg").dataset;
    const busy = status.presses.some(([message, data]) => String(message) === id && data === node.dataset.data);
    node.setAttribute("aria-busy", String(busy));
  }
  const needsStart = page.messenger === "telegram" && (ids.length === 0 || Boolean(payload));
  $("empty").hidden = ids.length > 0;
  $("composer").hidden = status.blocked || needsStart;
  $("gate").hidden = !status.blocked && !needsStart;
  // The field takes the focus once it is there, be the chat or the answer to Start the first to come.
  if (wantsFocus && !$("composer").hidden) {
    wantsFocus = false;
    $("text").focus();
  }
  $("gate-text").hidden = !status.blocked;
  $("gate-button").textContent = status.blocked ? words.unblock : words.start;
  $("block").lastElementChild.textContent = status.blocked ? words.unblock : words.block;
  $("text").placeholder = status.placeholder || words.message;
  drawKeyboard(status.blocked || needsStart ? null : status.keyboard);
  if (more) more.status(status);
  drawHint();
}

function drawTicks(node) {
  const ticks = node.querySelector(".ticks");
  const waits = status.waiting.some((id) => String(id) === node.dataset.id);
  const name = waits ? "waiting" : node.classList.contains("read") ? "read" : "taken";
  if (ticks.dataset.name === name) return;
  ticks.dataset.name = name;
  ticks.ariaLabel = words[name];
  ticks.classList.toggle("seen", name === "read");
  ticks.replaceChildren(icon(waits ? "check" : "check-check"));
}

function drawKeyboard(rows) {
  const board = $("keyboard");
  const drawn = JSON.stringify(rows);
  if (board.dataset.drawn === drawn) return;
  board.dataset.drawn = drawn;
  board.hidden = !rows;
  board.replaceChildren(...(rows || []).map((row) => element("div", {className: "row"}, ...row.map(keyboardButton))));
}

function keyboardButton(button) {
  const node = element("button", {type: "button"}, button.text);
  if (button.request_contact) node.prepend(icon("phone"));
  node.addEventListener("click", () => {
    if (button.request_contact) $("ask").showModal();
    else if (button.request_location || button.request_poll || button.web_app) toast(words.unsupported);
    else post(`${home}/messages`, {text: button.text});
  });
  return node;
}

function drawHint() {
  const name = phone.classList.contains("offline") ? "offline" : status.hint;
  const text = name ? words[name] : "";
  if ($("hint").textContent !== text) $("hint").textContent = text;
  $("hint").hidden = !name;
}

function hear(answer) {
  if (!answer.text) return;
  if (!answer.alert) return toast(answer.text);
  $("alert-text").textContent = answer.text;
  if (!$("alert").open) $("alert").showModal();
}

let toastTimer = 0;
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 4000);
}

// ----------------------------------------------------------------------------------------- scrolling

function isLow() {
  const box = $("scroll");
  return box.scrollHeight - box.scrollTop - box.clientHeight < 80;
}

function goDown() {
  $("scroll").scrollTop = $("scroll").scrollHeight;
}

function drawDown() {
  $("down").hidden = isLow();
}

const phone = $("phone");
let low = true;
$("scroll").addEventListener("scroll", () => { low = isLow(); drawDown(); }, {passive: true});
$("down").addEventListener("click", goDown);
// A keyboard that opens or a picture that arrives must not hide the last message.
const keepLow = new ResizeObserver(() => { if (low) goDown(); });
keepLow.observe($("scroll"));
keepLow.observe($("chat"));

// ------------------------------------------------------------------------------------------- writing

async function send() {
  const field = $("text");
  const text = field.value.trim();
  if (!text) return;
  if (text.length > 4096) return toast(words.too_long.replace("{count}", text.length));
  field.value = "";
  // What could not be sent comes back, unless something new was written meanwhile.
  if (!await post(`${home}/messages`, {text}) && !field.value) field.value = text;
}

$("composer").addEventListener("submit", (event) => { event.preventDefault(); send(); });
$("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
$("attach").addEventListener("click", () => (more ? more.attach() : $("file").click()));
$("file").addEventListener("change", async () => {
  const [file] = $("file").files;
  $("file").value = "";
  if (!file) return;
  if (file.size > 10 * 1024 * 1024) return toast(words.bad_photo);
  const caption = $("text").value.trim();
  if (await post(`${home}/photos?caption=${encodeURIComponent(caption)}`, file, true)) $("text").value = "";
});
$("share").addEventListener("click", () => { $("ask").close(); post(`${home}/contact`, {}); });
$("gate-button").addEventListener("click", async () => {
  if (status.blocked) return post(`${home}/block`, {blocked: false});
  const given = payload;
  payload = "";
  history.replaceState(null, "", location.pathname);
  // On a phone the keyboard would cover the greeting.
  wantsFocus = matchMedia("(pointer: fine)").matches;
  if (!await post(`${home}/start`, {payload: given})) payload = given;
  drawStatus();
});

document.addEventListener("click", (event) => {
  const spoiler = event.target.closest(".spoiler");
  if (spoiler) spoiler.classList.add("seen");
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  if (event.target.localName === "dialog" && !event.target.id.startsWith("alert")) event.target.close();
  if (!event.target.closest("#menu, #menu-button")) openMenu(false);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !$("menu").hidden) { openMenu(false); $("menu-button").focus(); }
  if ((event.key === "Enter" || event.key === " ") && event.target.classList.contains("spoiler")) {
    event.preventDefault();
    event.target.click();
  }
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

onEach("new", (kind) => andReload(`${page.base}/people`, {language, kind}));
onEach("twin", (messenger) => andReload(`${home}/twin`, {messenger, language}));
onEach("choose", (person) => andReload(`${page.base}/people/${person}/choice`, {}));
onEach("language", (wanted) => andReload(`${page.base}/settings`, {language: wanted}));
$("block").addEventListener("click", () => { openMenu(false); post(`${home}/block`, {blocked: !status.blocked}); });
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

// A link has written the first message already; it takes a press to send it.
if (payload && page.messenger !== "telegram") $("text").value = `/start ${payload}`;

listen();
