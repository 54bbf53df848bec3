// Block Kit blocks as DOM nodes: the very blocks that the bot sends, in messages and in modals.
//
// `ctx` = {names, press(action), form, errors, suggest, prefix}: `press` reports an element that was used,
// `form` (modals only) holds what was typed, `errors` are sentences by block_id, `prefix` keeps ids unique.
import { h } from "./dom.js";
import { field } from "./fields.js";
import { emoji, mrkdwn, safeLink, textObject, userMention } from "./mrkdwn.js";
import { chart } from "./chart.js";
import { button, overflow, select } from "./elements.js";
import { markdown } from "./markdown.js";

/** All blocks of a message or a view. */
export function renderBlocks(blocks, ctx) {
  return (blocks ?? []).map((block, index) => {
    const id = block.block_id ?? `b${index}`;
    const draw = DRAW[block.type] ?? unknown;
    const element = draw({ ...block, block_id: id }, ctx);
    element.classList.add("block");
    element.dataset.block = id;
    return element;
  });
}

const DRAW = {
  section, header, context, actions, divider, image, rich_text: richText, input, table,
  markdown: (block) => h("div", { class: "b-markdown prose" }, markdown(block.text ?? "")),
  video: (block) => h("p", {}, safeLink(block.title_url ?? "", textOf(block.title))),
  file: (block) => h("p", {}, `File ${block.external_id ?? ""}`),
  card, container, alert, data_visualization: chart,
};

function textOf(object) {
  return object?.text ?? "";
}

function unknown(block) {
  return h("p", { class: "b-unknown" }, `A block of type “${block.type}”`);
}

function section(block, ctx) {
  const fields = (block.fields ?? []).map((object) => h("div", { class: "b-field" }, textObject(object, ctx.names)));
  const body = h("div", { class: "b-text" },
    block.text ? h("div", {}, textObject(block.text, ctx.names)) : null,
    fields.length ? h("div", { class: "b-fields" }, fields) : null);
  const accessory = block.accessory && element(block.accessory, block, ctx);
  return h("div", { class: "b-section" }, body, accessory ? h("div", { class: "b-accessory" }, accessory) : null);
}

function header(block, ctx) {
  return h("h4", { class: "b-header" }, textObject(block.text, ctx.names));
}

function context(block, ctx) {
  return h("div", { class: "b-context" }, (block.elements ?? []).map((item) =>
    item.type === "image" ? picture(item, "b-thumb") : h("span", {}, textObject(item, ctx.names))));
}

function actions(block, ctx) {
  return h("div", { class: "b-actions" }, (block.elements ?? []).map((item) => element(item, block, ctx)));
}

function divider() {
  return h("hr");
}

function image(block, ctx) {
  return h("figure", { class: "b-image" },
    block.title ? h("figcaption", {}, textObject(block.title, ctx.names)) : null, picture(block, "b-picture"));
}

// The page loads nothing from outside: a picture is shown by its description, with its address to follow.
function picture(item, kind) {
  const url = item.image_url ?? "";
  return h("span", { class: kind }, "🖼 ", url ? safeLink(url, item.alt_text || "picture") : item.alt_text || "picture");
}

/** One interactive element outside an input block. */
function element(item, block, ctx) {
  if (item.type === "button") return button(item, block, ctx);
  if (item.type === "overflow") return overflow(item, block, ctx);
  if (item.type === "image") return picture(item, "b-thumb");
  if (item.type === "static_select" && !ctx.form) return select(item, block, ctx);
  return field(item, block, ctx);
}

function input(block, ctx) {
  const id = `${ctx.prefix}-${block.block_id}`;
  const problem = ctx.errors?.[block.block_id];
  const group = ["radio_buttons", "checkboxes"].includes(block.element.type);
  const about = [block.hint && `${id}-hint`, problem && `${id}-error`].filter(Boolean).join(" ") || null;
  const label = [textObject(block.label, ctx.names), block.optional ? h("span", { class: "optional" }, ctx.names.locale === "fr" ? " (facultatif)" : " (optional)") : null];
  const control = field(block.element, block, ctx, { id, about, invalid: Boolean(problem), required: !block.optional });
  return h(group ? "fieldset" : "div", { class: problem ? "b-input wrong" : "b-input" },
    group ? h("legend", {}, label) : h("label", { for: id }, label),
    control,
    block.hint ? h("p", { class: "hint", id: `${id}-hint` }, textObject(block.hint, ctx.names)) : null,
    problem ? h("p", { class: "error", id: `${id}-error` }, problem) : null);
}

function table(block, ctx) {
  const cell = (tag, item) => h(tag, {}, item?.type === "rich_text" ? richParts(item, ctx) : textOf(item));
  const [head, ...rows] = block.rows ?? [];
  return h("div", { class: "b-table" }, h("table", {},
    head ? h("thead", {}, h("tr", {}, head.map((item) => cell("th", item)))) : null,
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((item) => cell("td", item)))))));
}

function card(block, ctx) {
  return h("div", { class: "b-card" },
    block.title ? h("strong", {}, textObject(block.title, ctx.names)) : null,
    block.subtitle ? h("div", { class: "soft" }, textObject(block.subtitle, ctx.names)) : null,
    block.body ? h("div", {}, textObject(block.body, ctx.names)) : null,
    block.actions?.length ? actions({ ...block, elements: block.actions }, ctx) : null);
}

function container(block, ctx) {
  return h("div", { class: "b-card" },
    block.title ? h("strong", {}, textObject(block.title, ctx.names)) : null,
    renderBlocks(block.child_blocks ?? block.blocks ?? [], ctx));
}

function alert(block, ctx) {
  return h("div", { class: `b-alert ${/^[a-z]+$/.test(block.level ?? "") ? block.level : "info"}`, role: "note" }, textObject(block.text, ctx.names));
}

// --- rich text ---

function richText(block, ctx) {
  return h("div", { class: "b-rich" }, richParts(block, ctx));
}

function richParts(block, ctx) {
  const out = [];
  const lists = []; // the open lists, by indent
  for (const part of block.elements ?? []) {
    if (part.type !== "rich_text_list") lists.length = 0;
    if (part.type === "rich_text_section") out.push(h("div", {}, richInline(part, ctx)));
    else if (part.type === "rich_text_quote") out.push(h("blockquote", {}, richInline(part, ctx)));
    else if (part.type === "rich_text_preformatted") out.push(h("pre", {}, richInline(part, ctx)));
    else if (part.type === "rich_text_list") richList(part, ctx, lists, out);
  }
  return out;
}

function richList(part, ctx, lists, out) {
  const indent = part.indent ?? 0;
  const list = h(part.style === "ordered" ? "ol" : "ul", part.offset ? { start: part.offset + 1 } : {},
    (part.elements ?? []).map((item) => h("li", {}, richInline(item, ctx))));
  const parent = lists.slice(0, indent).filter(Boolean).at(-1);
  if (parent?.lastElementChild) parent.lastElementChild.append(list);
  else out.push(list);
  lists.length = indent;
  lists[indent] = list;
}

function richInline(part, ctx) {
  return (part.elements ?? []).flatMap((item) => styled(item, richLeaf(item, ctx)));
}

function richLeaf(item, ctx) {
  switch (item.type) {
    case "text": return item.text.split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line]));
    case "link": return [safeLink(item.url, item.text || item.url)];
    case "user": return [userMention(item.user_id, ctx.names)];
    case "channel": return mrkdwn(`<#${item.channel_id}>`, ctx.names);
    case "usergroup": return [h("span", { class: "mention" }, "@group")];
    case "broadcast": return [h("span", { class: "mention loud" }, `@${item.range}`)];
    case "emoji": return [emoji(item.name)];
    case "date": return mrkdwn(`<!date^${item.timestamp}^${item.format}|${item.fallback ?? ""}>`, ctx.names);
    case "color": return [h("code", {}, item.value)];
    default: return [];
  }
}

function styled(item, nodes) {
  const tags = { bold: "strong", italic: "em", strike: "s", code: "code" };
  return Object.entries(tags).reduce((inner, [name, tag]) => (item.style?.[name] ? [h(tag, {}, inner)] : inner), nodes);
}
