// The tracker pane: issues, one issue, and what the Support Dev does with them.
import { h, sync, when } from "./dom.js";
import { markdown } from "./markdown.js";

const $ = (id) => document.getElementById(id);

export class Tracker {
  constructor(app) {
    this.app = app;
    this.at = 0; // the issue that is open; 0 is the list
    this.proposed = "";
    $("comment-form").addEventListener("submit", (event) => this.comment(event));
    $("comment-text").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.comment(event);
    });
    $("release-form").addEventListener("submit", (event) => this.publish(event));
  }

  act(action, more = {}) {
    return this.app.act("tracker", action, { number: this.at, ...more });
  }

  open(number) {
    if (number && !this.app.state.tracker.issues.some((one) => one.number === number)) return this.app.toast(`${number} is a pull request; this page shows issues`);
    this.at = number;
    this.draw();
    $("tracker-body").scrollTop = 0;
    $("tracker-body").focus({ preventScroll: true });
    return undefined;
  }

  issue() {
    return this.app.state.tracker.issues.find((one) => one.number === this.at);
  }

  draw() {
    const { tracker } = this.app.state;
    if (this.at && !this.issue()) this.at = 0;
    $("tracker-note").textContent = `${tracker.repository} · you are ${tracker.person}`;
    $("tracker-body").setAttribute("aria-label", this.at ? `Issue ${this.at}` : "Issues");
    const one = this.issue();
    const told = one && one.comments.length + one.events.length;
    const news = one && this.drawn?.number === one.number && this.drawn.told < told;
    this.drawn = one && { number: one.number, told };
    sync($("tracker-body"), this.at ? this.issueRows() : this.listRows(), (row) => row.key, (row) => row.draw(row.data));
    if (news) $("tracker-body").scrollTop = $("tracker-body").scrollHeight;
    $("comment-form").hidden = !this.at;
    if (this.at) this.drawActions();
    this.drawRelease();
  }

  listRows() {
    const { issues, releases } = this.app.state.tracker;
    const rows = [...issues].reverse().map((one) => ({ key: `i${one.number}`, data: { ...one, comments: one.comments.length }, draw: (data) => this.entry(data) }));
    if (!rows.length) rows.push({ key: "none", data: null, draw: () => h("p", { class: "empty" }, "No issues yet. They are filed from the chat.") });
    const shown = { key: "releases", data: releases.slice(0, 6), draw: releaseList };
    return [...rows, shown];
  }

  entry(one) {
    return h("button", { type: "button", class: "entry", dataset: { key: `issue/${one.number}` }, on: { click: () => this.open(one.number) } },
      h("span", { class: "entry-top" }, badge(one), h("span", { class: "soft" }, `#${one.number}`), h("span", { class: "grow" }),
        one.comments ? h("span", { class: "soft" }, `${one.comments} ${one.comments === 1 ? "comment" : "comments"}`) : null),
      h("span", { class: "entry-title" }, one.title),
      h("span", { class: "entry-tags" }, one.labels.map((label) => h("span", { class: "tag" }, label)), one.assignees.length ? h("span", { class: "soft" }, one.assignees.map((login) => `@${login}`).join(" ")) : null));
  }

  issueRows() {
    const one = this.issue();
    const open = (number) => this.open(number);
    const head = { key: `head${one.number}`, data: { ...one, comments: null, events: null }, draw: (data) => h("div", { class: "issue-head" },
      h("button", { type: "button", class: "as-link", dataset: { key: "issues/back" }, on: { click: () => this.open(0) } }, "‹ All issues"),
      h("h3", {}, data.title, h("span", { class: "soft" }, ` #${data.number}`)),
      h("div", { class: "entry-tags" }, badge(data), data.labels.map((label) => h("span", { class: "tag" }, label)), data.assignees.map((login) => h("span", { class: "soft" }, `assigned to @${login}`)))) };
    const told = [{ id: "body", author: one.author, at: one.created_at, text: one.body }, ...one.comments, ...(one.events ?? [])]
      .sort((a, b) => new Date(a.at) - new Date(b.at));
    const { bot } = this.app.state.tracker;
    const rows = told.map((entry) => ({ key: `c${one.number}/${entry.id}`, data: entry, draw: (data) => (data.event ? happening(data, open) : comment(data, bot, open)) }));
    return [head, ...rows];
  }

  drawActions() {
    const one = this.issue();
    const row = { number: one.number, open: one.open };
    sync($("issue-actions"), [row], (item) => item.number, (item) => h("div", { class: "row" },
      h("button", { type: "submit", dataset: { key: "issue/comment" } }, "Comment"),
      item.open ? [
        h("button", { type: "button", class: "primary", dataset: { key: "issue/fix" }, on: { click: () => this.act("fix") } }, "Open and merge a fix"),
        h("button", { type: "button", dataset: { key: "issue/decline" }, on: { click: () => this.act("not_planned") } }, "Close as not planned"),
      ] : h("button", { type: "button", dataset: { key: "issue/reopen" }, on: { click: () => this.act("reopen") } }, "Reopen")));
  }

  drawRelease() {
    const { tracker } = this.app.state;
    const box = $("release-tag");
    if (!box.value || box.value === this.proposed) box.value = tracker.next;
    this.proposed = tracker.next;
    const waiting = tracker.waiting;
    $("release-form").querySelector("button").classList.toggle("primary", waiting > 0);
    $("release-label").textContent = waiting ? `${waiting} merged ${waiting === 1 ? "fix" : "fixes"} not yet released` : "Next release";
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

  async publish(event) {
    event.preventDefault();
    const answer = await this.act("release", { tag: $("release-tag").value.trim() });
    if (answer?.ok) $("release-tag").value = "";
    this.drawRelease();
  }
}

function badge(one) {
  if (one.open) return h("span", { class: "badge open" }, "Open");
  return one.reason === "not_planned" || one.reason === "duplicate"
    ? h("span", { class: "badge declined" }, one.reason === "duplicate" ? "Duplicate" : "Not planned")
    : h("span", { class: "badge done" }, "Completed");
}

function comment(entry, bot, open) {
  return h("article", { class: entry.author === bot ? "issue-comment ours" : "issue-comment" },
    h("div", { class: "comment-head" }, h("strong", {}, entry.author), entry.author === bot ? h("span", { class: "app-tag" }, "BOT") : null, when(entry.at)),
    h("div", { class: "prose" }, entry.text?.trim() ? markdown(entry.text, open) : h("p", { class: "soft" }, "No description.")));
}

function happening(entry, open) {
  return h("p", { class: "happening" }, h("strong", {}, entry.author), " ", h("span", { class: "prose" }, markdown(entry.event, open)), when(entry.at));
}

function releaseList(releases) {
  return h("section", { class: "releases", "aria-label": "Releases" }, h("h3", {}, "Releases"),
    releases.length ? h("ul", {}, releases.map((one) => h("li", {}, h("strong", {}, one.tag), one.name && one.name !== one.tag ? ` ${one.name}` : "", " ", when(one.at))))
      : h("p", { class: "soft" }, "None published yet."));
}
