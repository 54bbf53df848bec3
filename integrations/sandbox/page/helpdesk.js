// The helpdesk pane: tickets, one ticket, what the customer and the agents write.
import { h, sync, when } from "./dom.js";

const $ = (id) => document.getElementById(id);
const LANGUAGES = { fr: "Français", en: "English" };

export class Helpdesk {
  constructor(app) {
    this.app = app;
    this.at = "";
    $("ticket-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.write(event.submitter?.value ?? "customer");
    });
    $("ticket-text").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.write("customer");
    });
  }

  open(number) {
    this.at = String(number);
    this.draw();
    $("helpdesk-body").scrollTop = 0;
    $("helpdesk-body").focus({ preventScroll: true });
  }

  ticket() {
    return this.app.state.helpdesk.tickets.find((one) => one.number === this.at);
  }

  /** The agent one writes as: who one is in the chat when that is an agent, else the first. */
  agent() {
    const { people } = this.app.state;
    const agents = people.filter((one) => one.role === "agent");
    return agents.find((one) => one.id === this.app.chat.me) ?? agents[0];
  }

  draw() {
    const { tickets } = this.app.state.helpdesk;
    const one = this.ticket();
    if (!one) this.at = "";
    $("helpdesk-note").textContent = one ? `Ticket ${one.number}` : `${tickets.length} tickets`;
    $("helpdesk-body").setAttribute("aria-label", one ? `Ticket ${one.number}` : "Tickets");
    const box = $("helpdesk-body");
    const news = one && this.drawn?.number === one.number && this.drawn.messages.length < one.messages.length;
    this.drawn = one;
    sync(box, one ? this.ticketRows(one) : this.listRows(tickets), (row) => row.key, (row) => row.draw(row.data));
    if (news) box.scrollTop = box.scrollHeight;
    $("ticket-form").hidden = !one;
    if (one) this.drawActions(one);
  }

  listRows(tickets) {
    if (!tickets.length) return [{ key: "none", data: null, draw: () => h("p", { class: "empty" }, "No tickets.") }];
    return tickets.map((one) => ({ key: one.number, data: { ...one, messages: one.messages.length, replied: one.messages.some((message) => message.role !== "customer" && message.public) }, draw: (data) => this.entry(data) }));
  }

  entry(one) {
    return h("button", { type: "button", class: "entry", dataset: { key: `ticket/${one.number}` }, on: { click: () => this.open(one.number) } },
      h("span", { class: "entry-top" }, h("strong", {}, one.number), h("span", { class: "soft" }, one.customer.name), h("span", { class: "grow" }), language(one.language)),
      h("span", { class: "entry-title", lang: one.language || null, dir: "auto" }, one.subject),
      h("span", { class: "entry-tags" }, one.replied ? h("span", { class: "badge done" }, "Answered") : null, one.tags.map((tag) => h("span", { class: "tag" }, tag))));
  }

  ticketRows(one) {
    const about = [one.customer.email, one.customer.organisation, one.customer.plan].filter(Boolean).join(" · ");
    const head = { key: `head${one.number}`, data: { ...one, messages: null }, draw: (data) => h("div", { class: "issue-head" },
      h("button", { type: "button", class: "as-link", dataset: { key: "tickets/back" }, on: { click: () => this.open("") } }, "‹ All tickets"),
      h("h3", { lang: data.language || null, dir: "auto" }, data.subject),
      h("p", {}, h("strong", {}, data.customer.name), about ? h("span", { class: "soft" }, ` ${about}`) : null),
      h("div", { class: "entry-tags" }, language(data.language), ["solved", "closed"].includes(data.status) ? h("span", { class: "badge done" }, data.status) : null, data.tags.map((tag) => h("span", { class: "tag" }, tag)))) };
    return [head, ...one.messages.map((message) => ({ key: `${one.number}/${message.id}`, data: { ...message, language: one.language }, draw: turn }))];
  }

  drawActions(one) {
    const agent = this.agent();
    const name = one.customer.name.split(" ")[0] || "the customer";
    $("ticket-text").placeholder = `${name} writes… or ${agent.short} replies`;
    sync($("ticket-actions"), [{ number: one.number, name, agent: agent.short }], () => "actions", (item) => h("div", { class: "row" },
      h("button", { type: "submit", value: "customer", dataset: { key: "ticket/customer" } }, `${item.name} writes`),
      h("button", { type: "submit", class: "primary", value: "agent", dataset: { key: "ticket/agent" } }, `Reply as ${item.agent}`)));
  }

  async write(action) {
    const box = $("ticket-text");
    const text = box.value.trim();
    if (!text) return box.focus();
    const answer = await this.app.act("helpdesk", action, { number: this.at, text, agent: this.agent().id });
    if (answer?.ok) box.value = "";
    return undefined;
  }
}

function language(code) {
  return code ? h("span", { class: "tag" }, LANGUAGES[code.split("-")[0]] ?? code) : null;
}

function turn(message) {
  const kind = message.public ? (message.role === "customer" ? "from-customer" : "from-agent") : "internal";
  const label = { "from-customer": "customer", "from-agent": "public reply", internal: "internal note" }[kind];
  return h("article", { class: `turn ${kind}` },
    h("div", { class: "comment-head" }, h("strong", {}, message.author), h("span", { class: "turn-kind" }, label), when(message.at)),
    h("div", { class: "turn-text", lang: kind === "from-customer" ? message.language || null : null, dir: "auto" }, linked(message.text)),
    message.attachments?.length ? h("p", { class: "soft" }, "📎 ", message.attachments.join(", ")) : null);
}

function linked(text) {
  return text.split(/(https?:\/\/[^\s<>()]+[^\s<>().,;:!?'"])/).map((part, index) => (index % 2 ? h("a", { href: part, target: "_blank", rel: "noopener noreferrer" }, part) : part));
}
