// The person's topmost modal, over the chat pane.
import { renderBlocks } from "./blocks.js";
import { focusKey, h, trapTab } from "./dom.js";
import { Form } from "./fields.js";
import { textObject } from "./mrkdwn.js";

const PAUSE = 400; // milliseconds without a key after which the app hears what was typed
const SUMMONS = "input:not([type=checkbox]):not([type=radio]), textarea, select";

export class Modal {
  constructor(app, layer) {
    this.app = app;
    this.layer = layer;
    this.forms = new Map(); // view id → Form
    this.drawn = "";
    this.opener = null;
    layer.addEventListener("keydown", (event) => this.key(event));
  }

  /** Shows a view (or none), keeping what was typed and where the focus was. */
  draw(view, person) {
    const json = JSON.stringify([view, person]);
    if (json === this.drawn) return;
    const before = this.view;
    this.drawn = json;
    this.view = view;
    if (!view) return this.leave();
    if (!before) this.opener = document.activeElement;
    const focused = before?.id === view.id ? document.activeElement?.dataset?.key : null;
    const caret = focused && { start: document.activeElement.selectionStart, end: document.activeElement.selectionEnd };
    const scrolled = this.layer.querySelector(".modal-body")?.scrollTop ?? 0;
    const form = this.forms.get(view.id) ?? new Form();
    this.forms.set(view.id, form);
    form.keepOnly(view.blocks);
    this.layer.replaceChildren(this.box(view, form, person));
    this.layer.hidden = false;
    if (before?.id === view.id) this.layer.querySelector(".modal-body").scrollTop = scrolled;
    this.focus(focused, caret, view);
  }

  leave() {
    const inside = this.layer.contains(document.activeElement);
    this.layer.hidden = true;
    this.layer.replaceChildren();
    if (inside) (this.opener?.isConnected ? this.opener : document.getElementById("composer-text")).focus();
  }

  focus(key, caret, view) {
    const body = this.layer.querySelector(".modal-body");
    const wrong = Object.keys(view.errors ?? {}).find(Boolean);
    if (wrong) return body.querySelector(`[data-block="${CSS.escape(wrong)}"] :is(${SUMMONS})`)?.focus();
    if (key) {
      focusKey(this.layer, key);
      const now = document.activeElement;
      if (now?.dataset?.key === key) {
        if (caret?.start !== null && caret?.start !== undefined && now.setSelectionRange && now.type !== "number" && now.type !== "email") now.setSelectionRange(caret.start, caret.end);
        return undefined;
      }
    }
    const first = [...body.querySelectorAll(SUMMONS)].find((input) => !input.value) ?? this.layer.querySelector(".modal");
    return first.focus({ preventScroll: true });
  }

  box(view, form, person) {
    const { names, people } = this.app.state;
    const act = (action, more) => this.app.act("chat", action, { user: person, view_id: view.id, ...more });
    const ctx = {
      names, people, form, errors: view.errors ?? {}, prefix: view.id,
      press: (used) => act("press_in_view", { ...used, values: form.values() }),
      type: (block, typed) => this.after(() => { if (this.view?.id === view.id) act("type", { block_id: block, typed }); }, PAUSE),
      suggest: (block, action, typed) => act("suggest", { block_id: block, action_id: action, typed }),
    };
    this.close = () => this.after(() => act("close", {}));
    this.submit = async () => {
      this.after();
      const button = this.layer.querySelector("[type=submit]");
      if (!button || button.disabled) return;
      button.disabled = true;
      await act("submit", { values: form.values() });
      button.disabled = false;
    };
    return h("form", { class: "modal", role: "dialog", "aria-modal": "true", "aria-labelledby": "modal-title", tabindex: -1, novalidate: true,
      on: { submit: (event) => { event.preventDefault(); this.submit(); } } },
    h("div", { class: "modal-head" }, h("h3", { id: "modal-title", class: "modal-title" }, textObject(view.title, names)),
      h("button", { type: "button", class: "icon", "aria-label": "Close", on: { click: () => this.close() } }, "×")),
    h("div", { class: "modal-body" }, view.errors?.[""] ? h("p", { class: "error", role: "alert" }, view.errors[""]) : null, renderBlocks(view.blocks, ctx)),
    h("div", { class: "modal-foot" },
      h("button", { type: "button", on: { click: () => this.close() } }, view.close ? textObject(view.close, names) : view.submit ? "Cancel" : "Close"),
      view.submit ? h("button", { type: "submit", class: "primary" }, textObject(view.submit, names)) : null));
  }

  /** Does something in a while, instead of what was about to be done. */
  after(does, pause = 0) {
    clearTimeout(this.timer);
    if (does) this.timer = setTimeout(does, pause);
  }

  key(event) {
    if (!this.view) return;
    if (event.key === "Escape") {
      event.preventDefault();
      this.close();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.submit();
    }
    trapTab(this.layer.querySelector(".modal"), event);
  }
}
