// WhatsApp Manager: lists the templates, the newest first, takes new ones and decides of each.
"use strict";

const cards = new Map(); // name and language → [what is drawn, node]
const form = $("new-form");

function take(step) {
  status = step.status;
  const wanted = status.templates.map(drawn);
  for (const [key, [, node]] of cards) if (!wanted.includes(node)) { node.remove(); cards.delete(key); }
  wanted.forEach((node, place) => {
    if ($("cards").children[place] !== node) $("cards").insertBefore(node, $("cards").children[place] || null);
  });
  $("nothing").hidden = wanted.length > 0;
  drawHint();
}

function drawn(template) {
  const key = `${template.name} ${template.language}`;
  const facts = JSON.stringify(template);
  const [before, old] = cards.get(key) || [];
  if (before === facts) return old;
  const node = card(template);
  if (old) {
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(node);
    // The button that was pressed is gone, and with it the place of those who read by keyboard.
    if (hadFocus) (node.querySelector("button") || $("make")).focus();
  }
  cards.set(key, [facts, node]);
  return node;
}

function card(template) {
  const head = element("div", {className: "card-head"}, element("h3", {}, template.name));
  head.append(element("span", {className: `badge is-${template.status.toLowerCase()}`}, words[`status_${template.status}`]));
  const about = `${template.language} · ${words[`category_${template.category}`]}`;
  const node = element("li", {className: "card"}, head, element("p", {className: "soft"}, about));
  node.dataset.template = template.name;
  node.append(element("p", {className: "words", dir: "auto"}, template.body));
  if (template.reason) node.append(element("p", {className: "reason"}, icon("circle-alert"), template.reason));
  if (template.turns.length) node.append(element("div", {className: "turns"}, ...template.turns.map((turn) => button(template, turn))));
  return node;
}

function button(template, turn) {
  const node = element("button", {type: "button"}, words[`turn_${turn}`]);
  const {name, language} = template;
  node.addEventListener("click", () => post(`${home}/review`, {name, language, event: turn}));
  return node;
}

// ---------------------------------------------------------------------------------------------- form

function drawExamples() {
  const numbers = [...form.elements.body.value.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map((one) => one[1]);
  const names = [...new Set(numbers)].sort((one, other) => one - other).map((one) => `{{${one}}}`);
  const kept = new Map([...$("examples-rows").querySelectorAll("input")].map((one) => [one.dataset.of, one.value]));
  if ([...kept.keys()].join() !== names.join()) {
    $("examples-rows").replaceChildren(...names.map((name) => exampleRow(name, kept.get(name) || "")));
  }
  $("examples").hidden = names.length === 0;
}

function exampleRow(name, value) {
  const input = element("input", {value, autocomplete: "off", "aria-describedby": "examples-wrong examples-hint"});
  input.dataset.of = name;
  return element("label", {}, words.example_for.replace("{name}", name), input);
}

function clearWrongs() {
  for (const node of form.querySelectorAll(".wrong")) node.textContent = "";
  for (const node of form.querySelectorAll("[aria-invalid]")) node.removeAttribute("aria-invalid");
}

function explain(result) {
  const field = result.field && form.querySelector(`[data-field="${result.field}"]`);
  if (!field) {
    refuse(result);
    return;
  }
  field.querySelector(".wrong").textContent = words[result.reason];
  const inputs = [...field.querySelectorAll("input, textarea, select")];
  const wrong = inputs.find((one) => result.field !== "examples" || !one.value.trim()) || inputs[0];
  wrong.setAttribute("aria-invalid", "true");
  wrong.focus();
}

$("make").addEventListener("click", () => { clearWrongs(); $("new").showModal(); form.elements.name.focus(); });
form.elements.body.addEventListener("input", drawExamples);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clearWrongs();
  const typed = Object.fromEntries(["name", "language", "category", "body"].map((name) => [name, form.elements[name].value]));
  const examples = [...$("examples-rows").querySelectorAll("input")].map((one) => one.value);
  if (!await post(`${home}/create`, {...typed, examples}, false, explain)) return;
  $("new").close();
  form.reset();
  drawExamples();
  toast(words.sent_for_review);
});

listen();
