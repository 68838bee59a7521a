// An inbox: lists whom something came for, the newest first, and draws what came for the one that was chosen.
"use strict";

const isMail = page.messenger === "email";
const isEntrance = page.person === page.messenger;
const nodes = new Map(); // message id → node
const addresses = /https?:\/\/[^\s<>]+/g;
let drawnOnce = false;

function take(step) {
  status = step.status;
  const chat = $("chat");
  for (const message of step.messages) {
    const node = isMail ? letter(message) : short(message);
    nodes.set(message.id, node);
  }
  for (const [id, node] of nodes) if (!step.ids.includes(id)) { node.remove(); nodes.delete(id); }
  step.ids.forEach((id, place) => {
    const node = nodes.get(id);
    if (chat.children[place] !== node) chat.insertBefore(node, chat.children[place] || null);
  });
  while (chat.children.length > step.ids.length) chat.lastChild.remove();
  if (!drawnOnce || step.messages.length) $("scroll").scrollTop = $("scroll").scrollHeight;
  drawnOnce = true;
  drawList();
  drawHint();
}

function drawList() {
  const {conversations} = status;
  $("list").replaceChildren(...conversations.map(line));
  $("nothing").hidden = conversations.length > 0;
  $("choose").hidden = !isEntrance || conversations.length === 0;
  if (!isEntrance) $("reach").lastElementChild.textContent = status.unreachable ? words.unreachable_on : words.unreachable_off;
}

function line(one) {
  const link = element("a", {href: `${page.base}?with=${one.id}`}, element("b", {className: "num"}, one.address));
  if (one.at) link.append(moment(one.at));
  link.append(element("span", {className: "preview"}, one.preview));
  if (one.id === page.person) link.setAttribute("aria-current", "page");
  return element("li", {}, link);
}

function moment(seconds) {
  const at = new Date(seconds * 1000);
  const isToday = at.toDateString() === new Date().toDateString();
  const text = isToday ? clock.format(at) : calendar.format(at);
  return element("time", {dateTime: at.toISOString(), className: "num"}, text);
}

function paragraph(text) {
  const node = element("div", {className: "text", dir: "auto"});
  const found = [...text.matchAll(addresses)];
  fill(node, text, found.map((one) => ({type: "url", offset: one.index, length: one[0].length})));
  return node;
}

function bubble(id, body) {
  const node = element("div", {className: "msg in last"}, body);
  node.dataset.id = id;
  return node;
}

function short(message) {
  const facts = element("div", {className: "facts num"});
  if (message.from) facts.append(element("span", {}, message.from));
  facts.append(moment(message.at), element("span", {className: "parts"}, words.parts.replace("{count}", message.parts)));
  if (message.failed) facts.append(element("span", {className: "failed"}, icon("circle-alert"), words.not_arrived));
  return bubble(message.id, element("div", {className: "bubble"}, paragraph(message.text), facts));
}

function letter(message) {
  const from = element("p", {className: "from"}, `${message.from} · `, moment(message.at));
  if (message.copies > 1) from.append(` · ${words.copies.replace("{count}", message.copies)}`);
  const subject = element("h2", {className: "subject"}, message.subject || words.no_subject);
  const body = element("div", {className: "bubble"}, subject, from, paragraph(message.text));
  body.append(...message.files.map(attachment));
  if (message.stopped) body.append(element("p", {className: "stopped"}, icon("check"), words.stopped));
  else if (message.can_stop) body.append(stopButton(message));
  return bubble(message.id, body);
}

function attachment(file) {
  const size = new Intl.NumberFormat(language, {style: "unit", unit: "kilobyte"}).format(Math.ceil(file.size / 1024));
  const link = {className: "file", href: `${page.base}/photos/${file.file}`, download: file.name};
  return element("a", link, icon("paperclip"), element("b", {}, file.name), element("span", {className: "soft num"}, size));
}

function stopButton(message) {
  const node = element("button", {className: "stop", type: "button"}, icon("bell-off"), words.unsubscribe);
  node.addEventListener("click", async () => {
    node.disabled = true;
    await post(`${home}/unsubscribe`, {message: message.id});
    node.disabled = false;
  });
  return node;
}

if (!isEntrance) {
  $("reach").addEventListener("click", () => {
    openMenu(false);
    post(`${home}/reach`, {unreachable: !status.unreachable});
  });
}

listen();
