// Texts of messages: plain text and entities become elements. Nothing is ever read as HTML.
"use strict";

const TAGS = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};
const LINKS = /^(https?|tg|mailto):/i;

// An element with properties and children; children that are strings become text.
function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// Offsets count UTF-16 units, as JavaScript's strings do. Outer entities come before inner ones.
function fill(parent, text, entities, from = 0, to = text.length) {
  let at = from;
  for (let i = 0; i < entities.length; i++) {
    const entity = entities[i];
    const end = Math.min(entity.offset + entity.length, to);
    // What lies inside an earlier one was drawn with it; what begins behind this stretch is not ours.
    if (entity.offset < at || entity.offset >= to || end <= at) continue;
    parent.append(text.slice(at, entity.offset));
    const node = wrapper(entity, text.slice(entity.offset, end));
    fill(node, text, entities.slice(i + 1), entity.offset, end);
    parent.append(node);
    at = end;
  }
  parent.append(text.slice(at, to));
}

function wrapper(entity, words) {
  if (entity.type === "text_link" || entity.type === "url") {
    const address = entity.url || words;
    if (LINKS.test(address)) return element("a", {href: address, target: "_blank", rel: "noopener noreferrer"});
  }
  if (entity.type === "spoiler") return element("span", {className: "spoiler", role: "button", tabIndex: 0});
  if (entity.type === "bot_command") return element("span", {className: "command"});
  return element(TAGS[entity.type] || "span");
}
