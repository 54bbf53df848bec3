// The tracker pane: two trackers, their issues, one issue, and what the Support Dev does with it.
import { arrows } from "./chat.js";
import { h, sync, when } from "./dom.js";
import { markdown } from "./markdown.js";
import { Shipping } from "./shipping.js";

const $ = (id) => document.getElementById(id);

export class Tracker {
  constructor(app) {
    this.app = app;
    this.key = "github"; // the tracker that is shown
    this.at = 0; // the issue of it that is open; 0 is the list
    this.left = new Map(); // tracker → the issue that was open when it was left
    this.seen = new Map(); // tracker → how much of it was seen
    this.shipping = new Shipping(this);
    $("comment-form").addEventListener("submit", (event) => this.comment(event));
    $("comment-text").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.comment(event);
    });
    arrows($("trackers"));
  }

  act(action, more = {}) {
    return this.app.act(this.key, action, { number: this.at, ...more });
  }

  tracker() {
    return this.app.state.trackers.find((one) => one.key === this.key);
  }

  /** Shows a tracker, with the issue that was open there. */
  turn(key) {
    if (key === this.key) return;
    this.left.set(this.key, this.at);
    this.key = key;
    this.at = this.left.get(key) ?? 0;
    this.draw();
    $("tracker-body").scrollTop = 0;
  }

  /** Opens an issue of a tracker; 0 is the list. */
  go(key, number) {
    this.turn(key);
    this.open(number);
  }

  open(number) {
    if (number && !this.tracker().issues.some((one) => one.number === number)) return this.app.toast(`${number} is a pull request; this page shows issues`);
    this.at = number;
    this.draw();
    $("tracker-body").scrollTop = 0;
    $("tracker-body").focus({ preventScroll: true });
    return undefined;
  }

  issue() {
    return this.tracker().issues.find((one) => one.number === this.at);
  }

  draw() {
    const tracker = this.tracker();
    if (this.at && !this.issue()) this.at = 0;
    this.drawTrackers();
    $("tracker-note").textContent = `${tracker.repository} · you are ${tracker.person}`;
    $("tracker-body").setAttribute("aria-label", this.at ? `Issue ${this.at}` : "Issues");
    const one = this.issue();
    const told = one && one.comments.length + one.events.length;
    const news = one && this.drawn?.key === this.key && this.drawn.number === one.number && this.drawn.told < told;
    this.drawn = one && { key: this.key, number: one.number, told };
    sync($("tracker-body"), this.at ? this.issueRows() : this.listRows(), (row) => row.key, (row) => row.draw(row.data));
    if (news) $("tracker-body").scrollTop = $("tracker-body").scrollHeight;
    $("comment-form").hidden = !this.at;
    if (this.at) this.drawActions();
    this.shipping.draw(tracker);
  }

  drawTrackers() {
    const { trackers } = this.app.state;
    for (const one of trackers) if (one.key === this.key || !this.seen.has(one.key)) this.seen.set(one.key, amount(one));
    const rows = trackers.map((one) => ({ key: one.key, name: one.name, on: one.key === this.key, news: amount(one) !== this.seen.get(one.key) }));
    sync($("trackers"), rows, (row) => row.key, (row) => h("button", {
      type: "button", role: "tab", "aria-selected": String(row.on), "aria-controls": "tracker-body", tabindex: row.on ? 0 : -1,
      dataset: { key: `tracker/${row.key}` }, on: { click: () => this.turn(row.key) },
    }, row.name, row.news ? h("span", { class: "dot" }, h("span", { class: "hidden-text" }, " has news")) : null));
  }

  listRows() {
    const { issues } = this.tracker();
    const rows = [...issues].reverse().map((one) => ({ key: `${this.key}/${one.number}`, data: { ...one, comments: one.comments.length }, draw: (data) => this.entry(data) }));
    if (!rows.length) rows.push({ key: "none", data: null, draw: () => h("p", { class: "empty" }, "No issues yet. They are filed from the chat.") });
    return [...rows, this.shipping.row(this.tracker())];
  }

  entry(one) {
    return h("button", { type: "button", class: "entry", dataset: { key: `issue/${one.number}` }, on: { click: () => this.open(one.number) } },
      h("span", { class: "entry-top" }, badge(one), confidential(one), h("span", { class: "soft" }, `#${one.number}`), h("span", { class: "grow" }),
        one.comments ? h("span", { class: "soft" }, `${one.comments} ${one.comments === 1 ? "comment" : "comments"}`) : null),
      h("span", { class: "entry-title" }, one.title),
      h("span", { class: "entry-tags" }, one.labels.map((label) => h("span", { class: "tag" }, label)), one.assignees.length ? h("span", { class: "soft" }, one.assignees.map((login) => `@${login}`).join(" ")) : null));
  }

  issueRows() {
    const one = this.issue();
    const open = (number) => this.open(number);
    const head = { key: `${this.key}/head${one.number}`, data: { ...one, comments: null, events: null }, draw: (data) => h("div", { class: "issue-head" },
      h("button", { type: "button", class: "as-link", dataset: { key: "issues/back" }, on: { click: () => this.open(0) } }, "‹ All issues"),
      h("h3", {}, data.title, h("span", { class: "soft" }, ` #${data.number}`)),
      h("div", { class: "entry-tags" }, badge(data), confidential(data), data.labels.map((label) => h("span", { class: "tag" }, label)), data.assignees.map((login) => h("span", { class: "soft" }, `assigned to @${login}`)))) };
    const told = [{ id: "body", author: one.author, at: one.created_at, text: one.body }, ...one.comments, ...(one.events ?? [])]
      .sort((a, b) => new Date(a.at) - new Date(b.at));
    const { bot } = this.tracker();
    const rows = told.map((entry) => ({ key: `${this.key}/c${one.number}/${entry.id}`, data: entry, draw: (data) => (data.event ? happening(data, open) : comment(data, bot, open)) }));
    return [head, ...rows];
  }

  drawActions() {
    const one = this.issue();
    const tracker = this.tracker();
    const command = this.key === "gitlab" ? `@${tracker.bot} decline` : "/decline";
    $("comment-text").placeholder = `Comment as ${tracker.person}, or “${command}” and the reason`;
    const does = (action, text, kind) => h("button", { type: "button", class: kind, dataset: { key: `issue/${action}` }, on: { click: () => this.act(action) } }, text);
    const row = { key: this.key, number: one.number, open: one.open };
    sync($("issue-actions"), [row], (item) => `${item.key}/${item.number}`, (item) => h("div", { class: "row" },
      h("button", { type: "submit", dataset: { key: "issue/comment" } }, "Comment"),
      item.open ? [
        does("fix", "Open and merge a fix", "primary"),
        item.key === "gitlab" ? does("close", "Close") : null,
        does("not_planned", "Close as not planned"),
      ] : does("reopen", "Reopen")));
  }

  async comment(event) {
    event.preventDefault();
    const box = $("comment-text");
    const text = box.value.trim();
    if (!text) return box.focus();
    const answer = await this.act("comment", { text });
    if (answer?.ok) box.value = "";
    return undefined;
  }
}

/** How much stands in a tracker: grows with each issue, comment and event. */
function amount(tracker) {
  return tracker.issues.reduce((sum, one) => sum + 1 + one.comments.length + one.events.length, 0);
}

function confidential(one) {
  return one.confidential ? h("span", { class: "badge declined" }, "Confidential") : null;
}

function badge(one) {
  if (one.open) return h("span", { class: "badge open" }, "Open");
  return one.reason === "not_planned" || one.reason === "duplicate"
    ? h("span", { class: "badge declined" }, one.reason === "duplicate" ? "Duplicate" : "Not planned")
    : h("span", { class: "badge done" }, one.reason === "closed" ? "Closed" : "Completed");
}

function comment(entry, bot, open) {
  return h("article", { class: entry.author === bot ? "issue-comment ours" : "issue-comment" },
    h("div", { class: "comment-head" }, h("strong", {}, entry.author), entry.author === bot ? h("span", { class: "app-tag" }, "BOT") : null,
      entry.internal ? h("span", { class: "turn-kind" }, "internal note") : null, when(entry.at)),
    h("div", { class: "prose" }, entry.text?.trim() ? markdown(entry.text, open) : h("p", { class: "soft" }, "No description.")));
}

function happening(entry, open) {
  return h("p", { class: "happening" }, h("strong", {}, entry.author), " ", h("span", { class: "prose" }, markdown(entry.event, open)), when(entry.at));
}
