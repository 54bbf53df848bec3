// The tracker's Markdown, a safe subset, as DOM nodes. HTML comments are hidden; other HTML is shown as text.
import { h } from "./dom.js";
import { safeLink } from "./mrkdwn.js";

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", commat: "@", num: "#", sol: "/" };

function entities(text) {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi, (whole, decimal, hex, name) => {
    const code = decimal ? Number(decimal) : hex ? parseInt(hex, 16) : 0;
    return code ? (code <= 0x10ffff ? String.fromCodePoint(code) : whole) : ENTITIES[name] ?? whole;
  });
}

/** The nodes of a Markdown text. `openIssue(number)`, when given, is what a `#12` does. */
export function markdown(text, openIssue) {
  const visible = text.replace(/\r\n?/g, "\n").replace(/<!--[\s\S]*?(-->|$)/g, "");
  return blocks(visible.split("\n"), openIssue);
}

const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const FENCE = /^\s{0,3}(`{3,}|~{3,})(.*)$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
const DIVIDER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function blocks(rows, openIssue) {
  const out = [];
  let at = 0;
  while (at < rows.length) {
    const [node, next] = block(rows, at, openIssue);
    if (node) out.push(node);
    at = next;
  }
  return out;
}

function block(rows, at, open) {
  const row = rows[at];
  if (!row.trim()) return [null, at + 1];
  const fence = FENCE.exec(row);
  if (fence) return fenced(rows, at, fence[1]);
  const heading = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(row);
  if (heading) return [h(`h${Math.min(6, heading[1].length + 2)}`, {}, inline(heading[2], open)), at + 1];
  if (RULE.test(row)) return [h("hr"), at + 1];
  if (/^\s{0,3}>/.test(row)) return quote(rows, at, open);
  if (row.includes("|") && DIVIDER.test(rows[at + 1] ?? "") && (rows[at + 1] ?? "").includes("-")) return table(rows, at, open);
  const summary = /^\s*<details[^>]*>/i.test(row);
  if (summary) return details(rows, at, open);
  if (ITEM.test(row)) return list(rows, at, open);
  return paragraph(rows, at, open);
}

function fenced(rows, at, mark) {
  let end = at + 1;
  while (end < rows.length && !rows[end].trim().startsWith(mark)) end += 1;
  return [h("pre", {}, h("code", {}, rows.slice(at + 1, end).join("\n"))), end + 1];
}

function quote(rows, at, open) {
  let end = at;
  while (end < rows.length && /^\s{0,3}>/.test(rows[end])) end += 1;
  return [h("blockquote", {}, blocks(rows.slice(at, end).map((row) => row.replace(/^\s{0,3}> ?/, "")), open)), end];
}

function cells(row) {
  return row.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim().replace(/\\\|/g, "|"));
}

function table(rows, at, open) {
  let end = at + 2;
  while (end < rows.length && rows[end].includes("|") && rows[end].trim()) end += 1;
  const line = (tag, row) => h("tr", {}, cells(row).map((cell) => h(tag, {}, inline(cell, open))));
  const titled = cells(rows[at]).some(Boolean);
  return [h("div", { class: "b-table" }, h("table", {}, titled ? h("thead", {}, line("th", rows[at])) : null,
    h("tbody", {}, rows.slice(at + 2, end).map((row) => line("td", row))))), end];
}

function details(rows, at, open) {
  let end = at;
  while (end < rows.length && !/<\/details>/i.test(rows[end])) end += 1;
  const inner = rows.slice(at, end + 1).join("\n").replace(/<\/?details[^>]*>/gi, "");
  const title = /<summary>([\s\S]*?)<\/summary>/i.exec(inner);
  const rest = inner.replace(/<summary>[\s\S]*?<\/summary>/i, "");
  return [h("details", {}, h("summary", {}, title ? inline(title[1].replace(/<\/?[a-z]+>/gi, ""), open) : "Details"), blocks(rest.split("\n"), open)), end + 1];
}

function list(rows, at, open) {
  const [, indent, mark] = ITEM.exec(rows[at]);
  const items = [];
  let end = at;
  while (end < rows.length) {
    const found = ITEM.exec(rows[end]);
    if (found && found[1].length <= indent.length + 1) items.push([found[3]]);
    else if (items.length && (/^\s{2,}\S/.test(rows[end]) || (!rows[end].trim() && /^\s{2,}\S/.test(rows[end + 1] ?? "")))) items.at(-1).push(rows[end].replace(/^\s{2,4}/, ""));
    else break;
    end += 1;
  }
  const ordered = /\d/.test(mark);
  return [h(ordered ? "ol" : "ul", ordered && parseInt(mark, 10) !== 1 ? { start: parseInt(mark, 10) } : {}, items.map((item) => listItem(item, open))), end];
}

function listItem([first, ...rest], open) {
  const task = /^\[([ xX])\]\s+(.*)$/.exec(first);
  const head = task ? [h("input", { type: "checkbox", disabled: true, checked: task[1] !== " ", "aria-label": "task" }), " ", inline(task[2], open)] : inline(first, open);
  return h("li", task ? { class: "task" } : {}, head, rest.length ? blocks(rest, open) : null);
}

function paragraph(rows, at, open) {
  let end = at;
  while (end < rows.length && rows[end].trim() && (end === at || !/^\s{0,3}(#{1,6}\s|>|```|~~~)/.test(rows[end])) && (end === at || !ITEM.test(rows[end]))) end += 1;
  const lines = rows.slice(at, end);
  return [h("p", {}, lines.flatMap((row, index) => [...inline(row.replace(/ {2,}$|\\$/, ""), open), index < lines.length - 1 ? h("br") : ""])), end];
}

const TOKEN = new RegExp([
  /\\(?<escaped>[!-/:-@[-`{-~])/, /(?<ticks>`+)(?<code>.+?)\k<ticks>(?!`)/, /!\[(?<alt>[^\]]*)\]\((?<image>[^()\s]+)[^)]*\)/,
  /\[(?<label>(?:[^[\]]|\[[^\]]*\])+)\]\(<?(?<link>[^()\s>]+)>?[^)]*\)/, /<(?<angle>(?:https?:|mailto:)[^>\s]+)>/,
  /(?<bare>https?:\/\/[^\s<>()]*[^\s<>().,;:!?'"*_])/, /(?<stars>\*\*|__)(?=\S)(?<bold>.+?)(?<=\S)\k<stars>/, /~~(?=\S)(?<struck>.+?)(?<=\S)~~/,
  /(?<![\w*])(?<star>[*_])(?=\S)(?<italic>.+?)(?<=\S)\k<star>(?![\w*])/, /(?<![\w/&])#(?<issue>\d{1,9})\b/,
  /(?<![\w/])@(?<login>[a-z0-9][a-z0-9-]{0,38})/, /<br\s*\/?>/,
  /<(?<tag>sub|sup|kbd|strong|b|em|i|del|ins)>(?<inside>.+?)<\/\k<tag>>/,
].map((part) => part.source).join("|"), "iu");

function inline(text, open) {
  const out = [];
  let rest = text;
  for (;;) {
    const found = TOKEN.exec(rest);
    if (!found) break;
    out.push(entities(rest.slice(0, found.index)));
    out.push(token(found, open));
    rest = rest.slice(found.index + found[0].length);
  }
  out.push(entities(rest));
  return out;
}

function token(found, open) {
  const part = found.groups;
  if (part.escaped) return part.escaped;
  if (part.code) return h("code", {}, part.code.trim() || part.code);
  if (part.image) return h("span", {}, "🖼 ", safeLink(part.image, part.alt || "picture"));
  if (part.link) return safeLink(part.link, ...inline(part.label, open));
  if (part.angle || part.bare) return safeLink(part.angle ?? part.bare, part.angle ?? part.bare);
  if (part.bold) return h("strong", {}, inline(part.bold, open));
  if (part.struck) return h("s", {}, inline(part.struck, open));
  if (part.italic) return h("em", {}, inline(part.italic, open));
  if (part.issue && open) return h("button", { type: "button", class: "as-link", on: { click: () => open(Number(part.issue)) } }, found[0]);
  if (part.tag) return h(part.tag.toLowerCase(), {}, inline(part.inside, open));
  if (part.login) return h("span", { class: "mention" }, found[0]);
  return part.issue ? found[0] : h("br");
}
