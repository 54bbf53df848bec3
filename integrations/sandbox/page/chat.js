// The chat pane: who one is, the conversations, their messages, and what one can do with them.
import { renderBlocks } from "./blocks.js";
import { h, openMenu, sync, when } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";
import { Modal } from "./modal.js";

const $ = (id) => document.getElementById(id);

export class Chat {
  constructor(app) {
    this.app = app;
    this.me = "";
    this.at = ""; // the conversation that is open
    this.seen = new Map(); // person/conversation → newest ts they have seen
    this.drafts = new Map();
    this.replying = ""; // ts of the message under which a reply is being written
    this.modal = new Modal(app, $("modal-layer"));
    $("composer").addEventListener("submit", (event) => this.send(event));
    $("composer-text").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.send(event);
    });
    $("shortcuts").addEventListener("click", () => openMenu($("shortcuts"), [
      { label: "Flag a ticket", detail: "Passerelle", run: () => this.act("shortcut", { callback_id: "flag" }) },
    ]));
    arrows($("people"));
    arrows($("channels"));
  }

  act(action, more = {}) {
    return this.app.act("chat", action, { user: this.me, ...more });
  }

  /** Becomes a person, and opens a conversation of theirs. */
  go(person, conversation) {
    this.keepDraft();
    this.me = person;
    this.at = conversation === "dm" ? this.app.state.people.find((one) => one.id === person).dm : conversation ?? this.at;
    if (!this.conversations().some((one) => one.id === this.at)) this.at = this.conversations()[0].id;
    this.replying = "";
    $("composer-text").value = this.drafts.get(`${this.me}/${this.at}`) ?? "";
    this.draw();
    const box = $("messages");
    box.scrollTop = box.scrollHeight;
  }

  keepDraft() {
    this.drafts.set(`${this.me}/${this.at}`, $("composer-text").value);
  }

  /** Puts a text into the composer without sending it. */
  propose(text) {
    $("composer-text").value = text;
    $("composer-text").focus();
  }

  conversations(person = this.me) {
    const one = this.app.state.people.find((each) => each.id === person);
    return [...this.app.state.channels.map((channel) => ({ ...channel, label: `# ${channel.name}` })), { id: one.dm, name: "passerelle", label: "Passerelle" }];
  }

  /** The messages a person sees in a conversation, with those only they can see, oldest first. */
  messages(person, conversation) {
    const { messages, ephemerals } = this.app.state.chat;
    const own = (ephemerals[person] ?? []).filter((one) => one.channel === conversation).map((one) => ({ ...one, ephemeral: true }));
    return [...(messages[conversation] ?? []), ...own].sort((a, b) => Number(a.ts) - Number(b.ts));
  }

  newest(person, conversation) {
    return this.messages(person, conversation).filter((one) => one.user !== person).at(-1)?.ts ?? "0";
  }

  unread(person, conversation) {
    return Number(this.newest(person, conversation)) > Number(this.seen.get(`${person}/${conversation}`) ?? 0);
  }

  draw() {
    const { state } = this.app;
    if (!this.me) {
      for (const person of state.people) for (const one of this.conversations(person.id)) this.seen.set(`${person.id}/${one.id}`, this.newest(person.id, one.id));
      this.me = state.people[0].id;
      this.at = state.channels[0].id;
    }
    this.seen.set(`${this.me}/${this.at}`, this.newest(this.me, this.at));
    this.drawPeople();
    this.drawChannels();
    this.drawMessages();
    this.modal.draw((state.chat.views[this.me] ?? []).at(-1), this.me);
    const dm = this.conversations().at(-1).id;
    $("composer-text").placeholder = this.at === dm ? "Message Passerelle" : `Message ${this.conversations().find((one) => one.id === this.at).label.replace(" ", "")}, or /bug 4211`;
  }

  drawPeople() {
    const rows = this.app.state.people.map((person) => ({
      ...person, on: person.id === this.me,
      unread: person.id !== this.me && this.conversations(person.id).at(-1).id === person.dm && this.unread(person.id, person.dm),
    }));
    sync($("people"), rows, (row) => row.id, (row) => h("button", {
      type: "button", role: "radio", "aria-checked": String(row.on), tabindex: row.on ? 0 : -1, title: `${row.name}, ${row.title}`,
      dataset: { key: `person/${row.id}` }, on: { click: () => this.go(row.id, this.app.state.people.some((one) => one.dm === this.at) ? "dm" : this.at) },
    }, row.short, row.unread ? h("span", { class: "dot" }, h("span", { class: "hidden-text" }, " has news")) : null));
  }

  drawChannels() {
    const rows = this.conversations().map((one) => ({ ...one, on: one.id === this.at, unread: this.unread(this.me, one.id) }));
    sync($("channels"), rows, (row) => row.label, (row) => h("button", {
      type: "button", role: "tab", "aria-selected": String(row.on), "aria-controls": "messages", tabindex: row.on ? 0 : -1,
      dataset: { key: `channel/${row.label}` }, on: { click: () => this.go(this.me, row.id) },
    }, row.label, row.unread ? h("span", { class: "dot" }, h("span", { class: "hidden-text" }, " unread")) : null));
  }

  drawMessages() {
    const box = $("messages");
    const stuck = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    const all = this.messages(this.me, this.at);
    const tops = all.filter((one) => !one.thread_ts || one.thread_ts === one.ts || one.ephemeral);
    const rows = tops.map((one) => ({
      ...one, me: this.me, at: this.at, writing: this.replying === one.ts,
      replies: all.filter((reply) => reply.thread_ts === one.ts && reply.ts !== one.ts && !reply.ephemeral),
    }));
    if (!rows.length) rows.push({ ts: "0", empty: true, dm: this.at.startsWith("D") });
    sync(box, rows, (row) => `${this.me}/${this.at}/${row.ts}`, (row) => (row.empty ? empty(row.dm) : this.message(row)));
    if (stuck) box.scrollTop = box.scrollHeight;
  }

  message(row) {
    const { names, bot } = this.app.state;
    const author = row.user ? names.users[row.user] ?? row.user : row.username ?? bot.name;
    const ours = row.user === bot.id || Boolean(row.bot_id);
    const prefix = `${row.at}/${row.ts}`;
    const ctx = {
      names, prefix,
      press: (used) => this.act("press", { channel: row.at, ts: row.ts, ephemeral: Boolean(row.ephemeral), ...used }),
    };
    const body = row.blocks?.length ? renderBlocks(row.blocks, ctx) : h("div", { class: "plain" }, mrkdwn(row.text ?? "", names));
    return h("article", { class: row.ephemeral ? "message ephemeral" : "message", dataset: { ts: row.ts } },
      avatar(author, ours),
      h("div", { class: "message-main" },
        h("div", { class: "message-head" }, h("strong", {}, author), ours ? h("span", { class: "app-tag" }, "APP") : null, when(new Date(Number(row.ts) * 1000)),
          row.edited ? h("span", { class: "soft" }, "(edited)") : null,
          row.ephemeral ? h("span", { class: "only-you" }, "Only visible to you") : this.more(row)),
        body,
        row.replies?.length || row.writing ? this.thread(row) : null));
  }

  more(row) {
    const items = [
      { label: "Flag this as a bug", detail: "Passerelle", run: () => this.act("message_shortcut", { channel: row.at, ts: row.ts, callback_id: "flag_message" }) },
      { label: "Reply in thread", run: () => { this.replying = row.ts; this.drawMessages(); document.querySelector(".thread textarea")?.focus(); } },
    ];
    return h("button", { type: "button", class: "icon more", "aria-haspopup": "menu", "aria-label": "More actions for this message", dataset: { key: `more/${row.ts}` },
      on: { click: (event) => openMenu(event.currentTarget, row.thread_ts && row.thread_ts !== row.ts ? items.slice(0, 1) : items) } }, "⋯ More");
  }

  thread(row) {
    const write = () => {
      const text = h("textarea", { rows: 1, "aria-label": "Reply in thread", placeholder: "Reply…" });
      const send = async (event) => {
        event.preventDefault();
        if (!text.value.trim()) return;
        const said = text.value;
        this.replying = "";
        await this.act("say", { channel: row.at, text: said, thread_ts: row.ts });
        this.drawMessages();
      };
      text.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
        if (event.key === "Escape") { this.replying = ""; this.drawMessages(); }
      });
      return h("form", { class: "thread-reply", on: { submit: send } }, text, h("button", {}, "Reply"));
    };
    const older = row.replies.length > 4 ? row.replies.slice(0, -3) : [];
    const draw = (reply) => this.message({ ...reply, at: row.at, replies: null });
    return h("div", { class: "thread" },
      older.length ? h("details", {}, h("summary", {}, `${older.length} earlier replies`), older.map(draw)) : null,
      row.replies.slice(older.length).map(draw), row.writing ? write() : null);
  }

  async send(event) {
    event.preventDefault();
    const box = $("composer-text");
    const text = box.value.trim();
    if (!text) return;
    box.value = "";
    this.drafts.delete(`${this.me}/${this.at}`);
    const answer = await this.act("say", { channel: this.at, text });
    if (answer && !answer.ok && !box.value) box.value = text;
  }
}

function avatar(name, ours) {
  if (!ours) return h("span", { class: `avatar a${[...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 4}`, "aria-hidden": "true" }, name.slice(0, 1));
  const mark = document.querySelector(".brand .mark").cloneNode(true);
  return h("span", { class: "avatar ours", "aria-hidden": "true" }, mark);
}

function empty(dm) {
  return h("p", { class: "empty" }, dm ? "Nothing from Passerelle yet. News about your tickets arrives here." : "Nothing here yet. Say something, or type /bug 4211.");
}

/** Left and right move along a row of tabs or radio buttons. */
export function arrows(row) {
  row.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...row.querySelectorAll("button")];
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    next.click();
    row.querySelector('[aria-selected="true"], [aria-checked="true"]')?.focus();
  });
}
