// The gallery: all that the bot can show, as samples of the bot's own making. Nothing here does anything.
import { renderBlocks } from "./blocks.js";
import { h } from "./dom.js";
import { Form } from "./fields.js";
import { mrkdwn, textObject } from "./mrkdwn.js";

const form = document.getElementById("choices");
const names = { users: { U0ANA: "Ana Moreau", U0BEN: "Ben Okafor", U0LEO: "Léo Martin", U0MAYA: "Maya Lindgren" }, channels: {} };
const asked = new URLSearchParams(location.search);
let samples = [];
let language = "";

async function load() {
  const wanted = form.language.value;
  if (wanted === language) return;
  language = wanted;
  const response = await fetch(`samples?language=${encodeURIComponent(wanted)}`);
  if (wanted !== language) return;
  samples = await response.json();
  const room = form.section.value || asked.get("section") || "";
  const sections = [...new Set(samples.map((one) => one.section))];
  form.section.replaceChildren(new Option("All", ""), ...sections.map((name) => new Option(name, name)));
  form.section.value = sections.includes(room) ? room : "";
}

function draw() {
  const shown = samples.filter((one) => one.contents === form.contents.value && (!form.section.value || one.section === form.section.value));
  const rooms = Map.groupBy(shown, (one) => one.section);
  names.locale = language;
  document.getElementById("samples").replaceChildren(...[...rooms].map(([room, all]) =>
    h("section", { class: "room", "aria-label": room }, h("h2", {}, room), h("div", { class: "wall" }, all.map(frame)))));
  document.getElementById("count").textContent = `${shown.length} of ${samples.length}`;
  const query = new URLSearchParams(new FormData(form));
  history.replaceState(null, "", `?${query}`);
  document.body.dataset.ready = query.toString();
}

function frame(sample, index) {
  const kind = { message: message, modal: modal, home: home }[sample.kind];
  return h("figure", { class: "sample", dataset: { view: sample.view, title: sample.title } },
    h("figcaption", {}, h("strong", {}, sample.title), " ", h("code", {}, sample.view)),
    form.text.checked && sample.kind === "message"
      ? h("div", { class: "plain card", lang: sample.language }, mrkdwn(sample.text, names))
      : h("div", { class: "card", lang: sample.language }, kind(sample, `s${index}`)));
}

function context(prefix, more = {}) {
  const nothing = async () => undefined;
  return { names, prefix, press: nothing, suggest: nothing, errors: {}, ...more };
}

function message(sample, prefix) {
  return h("div", { class: "message" }, h("div", { class: "message-main" },
    h("div", { class: "message-head" }, h("strong", {}, "Passerelle"), h("span", { class: "app-tag" }, "APP")),
    renderBlocks(sample.blocks, context(prefix))));
}

function home(sample, prefix) {
  return h("div", { class: "home-body" }, renderBlocks(sample.blocks, context(prefix, { form: new Form() })));
}

function modal(sample, prefix) {
  const { title, close, submit } = sample.frame;
  return h("div", { class: "modal" },
    h("div", { class: "modal-head" }, h("h3", { class: "modal-title" }, textObject(title, names)), h("span", { class: "icon", "aria-hidden": "true" }, "×")),
    h("div", { class: "modal-body" }, renderBlocks(sample.blocks, context(prefix, { form: new Form() }))),
    h("div", { class: "modal-foot" }, h("button", { type: "button" }, textObject(close, names)),
      submit ? h("button", { type: "button", class: "primary" }, textObject(submit, names)) : null));
}

for (const name of ["language", "contents"]) if (asked.get(name)) form[name].value = asked.get(name);
form.text.checked = asked.has("text");
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", async () => { await load(); draw(); });
await load();
draw();
