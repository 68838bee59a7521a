// The chat: draws what the simulator tells by server-sent events and sends back what the person does.
"use strict";

// What this messenger has beside the rest, if it has something.
const more = typeof extras === "undefined" ? null : extras;

const shown = new Map(); // message id → {message, node}
const days = new Map(); // day → chip
let ids = [];
let payload = page.payload;
let drawnOnce = false;
let wantsFocus = false;

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
  if (message.document) body.append(documentCard(message.document));
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

function documentCard(file) {
  const size = new Intl.NumberFormat(language, {style: "unit", unit: "kilobyte"}).format(Math.ceil(file.size / 1024));
  const lines = element("span", {}, element("b", {}, file.name), element("span", {className: "num"}, size));
  const face = element("span", {className: "face"}, icon("file-text"));
  return element("a", {className: "contact", href: `${page.base}/photos/${file.file}`, download: file.name}, face, lines);
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

function hear(answer) {
  if (!answer.text) return;
  if (!answer.alert) return toast(answer.text);
  $("alert-text").textContent = answer.text;
  if (!$("alert").open) $("alert").showModal();
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
});
document.addEventListener("keydown", (event) => {
  if ((event.key === "Enter" || event.key === " ") && event.target.classList.contains("spoiler")) {
    event.preventDefault();
    event.target.click();
  }
});

// ---------------------------------------------------------------------------------------------- menu

onEach("new", (kind) => andReload(`${page.base}/people`, {language, kind}));
onEach("twin", (messenger) => andReload(`${home}/twin`, {messenger, language}));
$("block").addEventListener("click", () => { openMenu(false); post(`${home}/block`, {blocked: !status.blocked}); });

// A link has written the first message already; it takes a press to send it.
if (payload && page.messenger !== "telegram") $("text").value = `/start ${payload}`;

listen();
