// What a chat in WhatsApp has beside texts, pictures and contacts; chat.js draws the rest.
"use strict";

const EMOJI = ["👍", "❤️", "😂", "😮", "🙏"];

const extras = {
  // Inside the bubble, above its text.
  above(message, body) {
    if (message.header) body.append(element("b", {className: "header"}, message.header));
    if (message.location) body.append(locationCard(message.location));
  },

  // Inside the bubble, below its text.
  below(message, body) {
    if (message.description) body.append(element("p", {className: "soft"}, message.description));
    if (message.footer) body.append(element("p", {className: "soft"}, message.footer));
    if (message.template) {
      body.append(element("p", {className: "template"}, `${words.template}: ${message.template}`));
    }
  },

  // Beside the bubble.
  around(message, body, node) {
    if (message.reaction) {
      body.append(element("span", {className: "reaction"}, message.reaction));
      node.classList.add("has-reaction");
    }
    if (!message.out) body.append(reactButton(message));
    if (message.replies.length) {
      const buttons = message.replies.map((reply) => replyButton(message, reply));
      node.append(element("div", {className: "replies", role: "group", ariaLabel: words.bot_keyboard}, ...buttons));
      node.classList.add("has-buttons");
    }
    if (message.list) {
      const button = element("button", {type: "button"}, icon("list"), message.list.button);
      button.addEventListener("click", () => openList(message));
      node.append(element("div", {className: "replies"}, button));
      node.classList.add("has-buttons");
    }
  },

  // The menu follows what the person wants.
  status(state) {
    $("offers").lastElementChild.textContent = state.offers ? words.stop_offers : words.resume_offers;
    $("day").disabled = !state.window;
  },

  attach() { $("attachments").showModal(); },
};

function locationCard(place) {
  const spot = `${place.latitude}, ${place.longitude}`;
  const lines = element("span", {}, element("b", {}, place.name || words.location), place.address || "");
  lines.append(element("span", {className: "num"}, spot));
  return element("div", {className: "contact"}, element("span", {className: "face"}, icon("map-pin")), lines);
}

function replyButton(message, reply) {
  const node = element("button", {type: "button"}, icon("reply"), reply.title);
  node.addEventListener("click", () => post(`${home}/taps`, {message_id: message.id, data: reply.id}));
  return node;
}

function reactButton(message) {
  const node = element("button", {className: "round react", type: "button", ariaLabel: words.react}, icon("heart"));
  node.addEventListener("click", () => {
    $("emoji").replaceChildren(...EMOJI.map((emoji) => emojiButton(message, emoji)));
    $("reactions").showModal();
  });
  return node;
}

function emojiButton(message, emoji) {
  const isMine = message.reaction === emoji;
  const node = element("button", {type: "button", ariaPressed: String(isMine)}, emoji);
  node.addEventListener("click", () => {
    $("reactions").close();
    post(`${home}/reactions`, {message_id: message.id, emoji: isMine ? "" : emoji});
  });
  return node;
}

function openList(message) {
  $("list-title").textContent = message.list.button;
  $("list-rows").replaceChildren(...message.list.rows.map((row) => listRow(message, row)));
  $("list").showModal();
}

function listRow(message, row) {
  const lines = element("span", {}, element("b", {}, row.title));
  if (row.description) lines.append(element("span", {className: "soft"}, row.description));
  const node = element("button", {type: "button"}, lines, element("span", {className: "radio"}));
  node.addEventListener("click", () => {
    $("list").close();
    post(`${home}/taps`, {message_id: message.id, data: row.id, kind: "list"});
  });
  return node;
}

document.addEventListener("DOMContentLoaded", () => {
  const attachments = {
    photo: () => $("file").click(),
    document: () => $("document-file").click(),
    location: () => post(`${home}/location`, {}),
    contact: () => $("ask").showModal(),
  };
  for (const button of document.querySelectorAll("[data-attach]")) {
    button.addEventListener("click", () => { $("attachments").close(); attachments[button.dataset.attach](); });
  }
  $("document-file").addEventListener("change", () => {
    const [file] = $("document-file").files;
    if (!file) return;
    if (file.size > 10 * 1024 * 1024) toast(words.bad_file);
    else {
      const query = new URLSearchParams({name: file.name, mime: file.type});
      post(`${home}/documents?${query}`, file, true);
    }
    $("document-file").value = "";
  });
  $("day").addEventListener("click", () => { openMenu(false); post(`${home}/day`, {}); });
  $("offers").addEventListener("click", () => { openMenu(false); post(`${home}/offers`, {offers: !status.offers}); });
});
