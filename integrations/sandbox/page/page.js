// The page: asks for the state, hands it to the panes, sends what a person does.
import { arrows, Chat } from "./chat.js";
import { drawGuide } from "./guide.js";
import { Helpdesk } from "./helpdesk.js";
import { Tracker } from "./tracker.js";

const $ = (id) => document.getElementById(id);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

class App {
  constructor() {
    this.state = null;
    this.chat = new Chat(this);
    this.tracker = new Tracker(this);
    this.helpdesk = new Helpdesk(this);
    for (const tab of document.querySelectorAll(".pane-tabs button")) tab.addEventListener("click", () => this.show(tab.dataset.pane));
    arrows(document.querySelector(".pane-tabs"));
    document.addEventListener("click", (event) => this.follows(event));
  }

  /** A link to the tracker or the helpdesk opens in its pane. */
  follows(event) {
    const link = event.target.closest?.("a[href]");
    const { trackers, helpdesk } = this.state ?? {};
    if (!link || !trackers) return;
    const service = [...trackers, helpdesk].find((one) => link.href.startsWith(`${one.url}/`));
    if (!service) return;
    event.preventDefault();
    const path = link.href.slice(service.url.length);
    const number = Number(/\/(?:issues|tickets)\/(\d+)/.exec(path)?.[1] ?? 0);
    this.show(service === helpdesk ? "helpdesk" : "tracker");
    if (service !== helpdesk && (number || /\/(releases|environments|deployments)\b/.test(path))) this.tracker.go(service.key, number);
    else if (number) this.helpdesk.open(number);
    else this.toast(`On the real service this opens ${path}`);
  }

  /** On a narrow screen, brings a pane to the front. */
  show(pane) {
    $("panes").dataset.pane = pane;
    for (const tab of document.querySelectorAll(".pane-tabs button")) {
      tab.setAttribute("aria-selected", String(tab.dataset.pane === pane));
      tab.tabIndex = tab.dataset.pane === pane ? 0 : -1;
    }
  }

  /** Does something in a pane; the answer, or undefined after having told the person why not. */
  async act(pane, action, more) {
    try {
      const response = await fetch("act", { method: "POST", headers: { "Content-Type": "application/json", "X-Passerelle-Demo": "1" }, body: JSON.stringify({ pane, action, ...more }) });
      const answer = await response.json();
      if (!answer.ok) this.toast(answer.error);
      return answer;
    } catch {
      this.toast("The demo did not answer. Is it still running in the terminal?");
      return undefined;
    }
  }

  toast(text) {
    const box = $("toast");
    box.textContent = text;
    box.hidden = false;
    clearTimeout(this.fading);
    this.fading = setTimeout(() => { box.hidden = true; }, 6000);
  }

  /** Follows the state for as long as the page is open. */
  async keepUp() {
    let version = "";
    for (;;) {
      const state = await this.ask(version);
      if (!state) continue;
      this.take(state);
      version = state.version;
    }
  }

  /** The state when it is no longer `version`; null when nothing changed, or after a moment when nobody answered. */
  async ask(version) {
    const told = $("link-state");
    try {
      const response = await fetch(`state?since=${encodeURIComponent(version)}`);
      told.textContent = "";
      if (response.status === 204) return null;
      if (response.ok) return await response.json();
    } catch {
      told.textContent = "Not connected";
    }
    await pause(1000);
    return null;
  }

  take(state) {
    const before = this.state;
    this.state = state;
    this.chat.draw();
    this.tracker.draw();
    this.helpdesk.draw();
    drawGuide(this);
    $("dashboard").hidden = !state.dashboard;
    $("dashboard").href = state.dashboard;
    if (before) $("live").textContent = news(before, state, this.chat);
  }
}

/** One sentence for a screen reader about what arrived. */
function news(before, after, chat) {
  const said = [];
  for (const one of chat.conversations()) {
    const count = (state) => (state.chat.messages[one.id] ?? []).length;
    if (count(after) > count(before)) said.push(`New message in ${one.label.replace("# ", "")}.`);
  }
  after.trackers.forEach((tracker, at) => {
    const grew = (field) => (tracker[field] ?? []).length > (before.trackers[at][field] ?? []).length;
    if (grew("issues")) said.push(`New issue in ${tracker.name}.`);
    if (grew("releases")) said.push("A release was published.");
    if (grew("deployments")) said.push(`${tracker.environment} was deployed.`);
  });
  const turns = (state) => state.helpdesk.tickets.reduce((sum, one) => sum + one.messages.length, 0);
  if (turns(after) > turns(before)) said.push("New message in the helpdesk.");
  return said.join(" ");
}

new App().keepUp();
