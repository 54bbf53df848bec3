// The chat's own markup (mrkdwn) and emoji, as DOM nodes.
import { h } from "./dom.js";

const EMOJI = {
  white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️", tada: "🎉", rocket: "🚀", bug: "🐛", beetle: "🪲",
  wrench: "🔧", hammer_and_wrench: "🛠️", eyes: "👀", hourglass: "⌛", hourglass_flowing_sand: "⏳", clock3: "🕒",
  speech_balloon: "💬", email: "✉️", envelope: "✉️", incoming_envelope: "📨", package: "📦", ship: "🚢", bell: "🔔",
  no_entry_sign: "🚫", question: "❓", information_source: "ℹ️", bulb: "💡", link: "🔗", ticket: "🎫", bridge_at_night: "🌉",
  red_circle: "🔴", large_orange_circle: "🟠", large_yellow_circle: "🟡", large_green_circle: "🟢", large_blue_circle: "🔵",
  white_circle: "⚪", rotating_light: "🚨", memo: "📝", pencil2: "✏️", wave: "👋", lock: "🔒", mag: "🔍", leftwards_arrow_with_hook: "↩️",
  rewind: "⏪", arrow_right: "➡️", hand: "✋", raised_hand: "✋", thumbsup: "👍", "+1": "👍", globe_with_meridians: "🌐", fr: "🇫🇷",
  gb: "🇬🇧", us: "🇺🇸", de: "🇩🇪", es: "🇪🇸", sparkles: "✨", zap: "⚡", busts_in_silhouette: "👥", bust_in_silhouette: "👤", calendar: "📅",
};

/** The emoji a shortcode names, or the shortcode as it was typed. */
export function emoji(name) {
  return EMOJI[name] ?? `:${name}:`;
}

/** Undoes the three escapes of message text. */
export function unescapeText(text) {
  return text.replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">" })[name]);
}

/** A link that may be followed: http, https and mail only; anything else is shown as text. */
export function safeLink(url, ...label) {
  return /^(https?:|mailto:)/i.test(url) ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...label) : h("span", {}, ...label);
}

/** A text object of either kind. */
export function textObject(object, names) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text ?? "", names);
  return lines(withEmoji(object.text ?? "", object.emoji !== false));
}

function withEmoji(text, on) {
  return on ? text.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name)) : text;
}

function lines(text) {
  return text.split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line]));
}

/** mrkdwn as nodes. `names` tells users and channels: {users: {id: name}, channels: {id: name}}. */
export function mrkdwn(text, names) {
  return text.split(/(```[\s\S]*?```)/).flatMap((part) =>
    part.startsWith("```") && part.length > 5
      ? [h("pre", {}, unescapeText(part.slice(3, -3).replace(/^\n/, "")))]
      : quotes(part, names));
}

function quotes(text, names) {
  const out = [];
  let quoted = [];
  let plain = [];
  const flush = () => {
    if (quoted.length) out.push(h("blockquote", {}, joined(quoted, names)));
    if (plain.length) out.push(...joined(plain, names));
    quoted = [];
    plain = [];
  };
  for (const line of text.split("\n")) {
    const match = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (match) {
      if (plain.length) flush();
      quoted.push(match[1]);
    } else {
      if (quoted.length) flush();
      plain.push(line);
    }
  }
  flush();
  return out;
}

function joined(rows, names) {
  return rows.flatMap((row, index) => (index ? [h("br"), ...inline(row, names)] : inline(row, names)));
}

const STYLES = { "*": "strong", _: "em", "~": "s" };
const TOKEN = /<([^<>\n]+)>|`([^`\n]+)`|(?<![\p{L}\p{N}])([*_~])(?=\S)(.+?)(?<=\S)\3(?![\p{L}\p{N}])|:([a-z0-9_+-]+):/u;

function inline(text, names) {
  const out = [];
  let rest = text;
  for (;;) {
    const found = TOKEN.exec(rest);
    if (!found) break;
    out.push(unescapeText(rest.slice(0, found.index)));
    const [whole, angle, code, style, styled, name] = found;
    if (angle !== undefined) out.push(reference(angle, names));
    else if (code !== undefined) out.push(h("code", {}, unescapeText(code)));
    else if (style) out.push(h(STYLES[style], {}, inline(styled, names)));
    else out.push(emoji(name));
    rest = rest.slice(found.index + whole.length);
  }
  out.push(unescapeText(rest));
  return out;
}

function reference(inside, names) {
  const [target, label] = [inside.split("|")[0], inside.split("|").slice(1).join("|")];
  if (target.startsWith("@")) return mention(`@${names.users[target.slice(1)] ?? (label || target.slice(1))}`);
  if (target.startsWith("#")) return mention(`#${names.channels[target.slice(1)] ?? (label || target.slice(1))}`);
  if (target.startsWith("!date^")) return h("span", {}, date(target, label, names.locale ?? "en-GB"));
  if (target.startsWith("!subteam^")) return mention(label || "@group");
  if (target.startsWith("!")) return h("span", { class: "mention loud" }, `@${target.slice(1)}`);
  return safeLink(unescapeText(target), unescapeText(label || target));
}

function mention(text) {
  return h("span", { class: "mention" }, text);
}

/** A mention element for a user id. */
export function userMention(id, names) {
  return mention(`@${names.users[id] ?? id}`);
}

function date(target, fallback, locale) {
  const [, seconds, format] = target.split("^");
  const at = new Date(Number(seconds) * 1000);
  if (Number.isNaN(at.getTime())) return fallback;
  const say = (options) => new Intl.DateTimeFormat(locale, options).format(at);
  const forms = {
    date_num: { dateStyle: "short" }, date: { dateStyle: "long" }, date_short: { dateStyle: "medium" }, date_long: { dateStyle: "full" },
    date_pretty: { dateStyle: "long" }, date_short_pretty: { dateStyle: "medium" }, date_long_pretty: { dateStyle: "full" },
    time: { timeStyle: "short" }, time_secs: { timeStyle: "medium" }, day_divider_pretty: { weekday: "long" },
  };
  return (format || "{date}").replace(/\{(\w+)\}/g, (whole, name) => {
    if (name === "ago") return ago(at, locale);
    const near = name.endsWith("_pretty") && nearby(at, locale);
    if (near) return near;
    return forms[name] ? say(forms[name]) : whole;
  });
}

/** "today", "yesterday" or "tomorrow"; "" for any other day. */
function nearby(at, locale) {
  const midnight = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime();
  const days = Math.round((midnight(at) - midnight(new Date())) / 86400000);
  return Math.abs(days) < 2 ? new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(days, "day") : "";
}

function ago(at, locale) {
  const minutes = Math.round((at.getTime() - Date.now()) / 60000);
  const say = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  if (Math.abs(minutes) < 60) return say.format(minutes, "minute");
  return Math.abs(minutes) < 1440 ? say.format(Math.round(minutes / 60), "hour") : say.format(Math.round(minutes / 1440), "day");
}
