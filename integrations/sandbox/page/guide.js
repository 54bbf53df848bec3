// The strip at the top: where the story stands and what comes next. It never blocks; any order works.
import { h, sync } from "./dom.js";

const issues = (state) => state.trackers.flatMap((tracker) => tracker.issues.map((one) => ({ ...one, tracker: tracker.key })));
const merged = (state) => state.trackers.some((one) => one.merged > 0);
const shipped = (state) => state.trackers.some((one) => one.merged > one.waiting);
const waits = (state) => state.trackers.find((one) => one.waiting > 0) ?? state.trackers[0];
const declined = (state) => issues(state).length > 0 && !issues(state).some((one) => one.open) && !merged(state);

const STEPS = [
  {
    text: (state) => `As ${state.story.agent}, type /bug ${state.story.ticket} in #support`,
    done: (state) => issues(state).length > 0 || Object.values(state.chat.views).some((views) => views.length),
    go: (app) => { app.show("chat"); app.chat.go(app.state.people[0].id, app.state.channels[0].id); app.chat.propose(`/bug ${app.state.story.ticket}`); },
  },
  {
    text: () => "Say in a title what goes wrong, and file it",
    done: (state) => issues(state).length > 0,
    go: (app) => { app.show("chat"); app.chat.go(app.state.people[0].id, app.state.channels[0].id); },
  },
  {
    text: (state) => declined(state)
      ? `Closed without a fix: ${state.story.agent} hears why, and owes an answer all the same. Flag another ticket to go on`
      : `The issue stands in the tracker. As ${state.story.developer}, open it, and open and merge a fix`,
    done: merged,
    go: (app) => {
      const open = issues(app.state).findLast((one) => one.open);
      app.show("tracker");
      app.tracker.go(open?.tracker ?? app.tracker.key, open?.number ?? 0);
    },
  },
  {
    text: (state) => `Fixed, not shipped yet. ${waits(state).environment ? `Deploy to ${waits(state).environment}` : `Publish release ${waits(state).next}`}`,
    done: shipped,
    go: (app) => {
      app.show("tracker");
      app.tracker.turn(waits(app.state).key);
      document.querySelector(".release-box:not([hidden]) [type=submit]").focus();
    },
  },
  {
    text: (state) => `It shipped. ${state.story.agent} has a direct message from Passerelle: write back to the customer`,
    done: (state) => shipped(state) && state.helpdesk.tickets.some((one) => one.answered),
    go: (app) => { app.show("chat"); app.chat.go(app.state.people[0].id, "dm"); },
  },
];
const END = "The customer has heard. Go on as you like: answer as the customer, and say as the agent whether it works; hand a customer over to a colleague; another ticket for the same issue, one for “Shop app”, whose issues live on GitLab, or “Close as not planned”";

/** Shows the step after the last one that is done. */
export function drawGuide(app) {
  const { state } = app;
  const last = STEPS.findLastIndex((step) => step.done(state));
  const next = STEPS[last + 1];
  const row = { at: last + 1, text: next ? next.text(state) : END };
  sync(document.getElementById("guide"), [row], () => "step", (item) => h("div", { class: "step" },
    h("span", { class: "step-dots", "aria-hidden": "true" }, STEPS.map((_, index) => h("i", { class: index < item.at ? "done" : index === item.at ? "now" : "" }))),
    h("p", {}, next ? h("strong", {}, `${item.at + 1} · `) : null, item.text),
    next ? h("button", { type: "button", dataset: { key: "guide/go" }, on: { click: () => STEPS[item.at].go(app) } }, "Take me there") : null));
}
