// Buttons, menus and selects outside input blocks, with the confirmation some of them ask for.
import { h, openMenu, trapTab } from "./dom.js";
import { safeLink, textObject } from "./mrkdwn.js";

export function button(item, block, ctx) {
  const style = { primary: "primary", danger: "danger" }[item.style] ?? "";
  const key = `${ctx.prefix}/${block.block_id}/${item.action_id}`;
  const label = textObject(item.text, ctx.names);
  const press = async (event) => {
    const self = event.currentTarget;
    if (item.confirm && !(await confirmed(self, item.confirm, ctx))) return;
    self.disabled = true;
    try {
      await ctx.press({ block_id: block.block_id, action_id: item.action_id, type: "button", value: item.value ?? "" });
    } finally {
      self.disabled = false;
      if (self.isConnected) self.focus();
    }
  };
  if (item.url) {
    const link = safeLink(item.url, label);
    link.classList.add("button", ...(style ? [style] : []));
    link.addEventListener("click", () => ctx.press({ block_id: block.block_id, action_id: item.action_id, type: "button", value: item.value ?? "" }));
    return link;
  }
  return h("button", { type: "button", class: style, "aria-label": item.accessibility_label, dataset: { key, action: item.action_id }, on: { click: press } }, label);
}

export function overflow(item, block, ctx) {
  const options = (item.options ?? []).map((option) => ({
    label: option.text.text,
    detail: option.description?.text,
    run: async () => {
      const opener = document.activeElement;
      if (item.confirm && !(await confirmed(opener, item.confirm, ctx))) return;
      await ctx.press({ block_id: block.block_id, action_id: item.action_id, type: "overflow", value: option.value, option });
    },
  }));
  const key = `${ctx.prefix}/${block.block_id}/${item.action_id}`;
  return h("button", {
    type: "button", class: "icon", "aria-label": "More actions", "aria-haspopup": "menu", dataset: { key, action: item.action_id },
    on: { click: (event) => openMenu(event.currentTarget, options) },
  }, "⋯");
}

/** A select in a message: choosing an option is an action at once. */
export function select(item, block, ctx) {
  const options = item.options ?? (item.option_groups ?? []).flatMap((group) => group.options);
  const key = `${ctx.prefix}/${block.block_id}/${item.action_id}`;
  const choose = async (event) => {
    const self = event.currentTarget;
    const option = options[Number(self.value)];
    if (!option) return;
    if (item.confirm && !(await confirmed(self, item.confirm, ctx))) {
      self.value = "";
      return;
    }
    await ctx.press({ block_id: block.block_id, action_id: item.action_id, type: "static_select", value: option.value, option });
  };
  const chosen = options.findIndex((option) => option.value === item.initial_option?.value);
  const control = h("select", { "aria-label": item.placeholder?.text ?? "Choose", dataset: { key, action: item.action_id }, on: { change: choose } },
    h("option", { value: "" }, item.placeholder?.text ?? "Choose"),
    options.map((option, index) => h("option", { value: String(index) }, option.text.text)));
  control.value = chosen < 0 ? "" : String(chosen);
  return control;
}

/** Asks "are you sure" over the pane; resolves to the answer. */
export function confirmed(opener, confirm, ctx) {
  const pane = opener.closest(".pane") ?? document.body;
  return new Promise((resolve) => {
    const done = (answer) => {
      layer.remove();
      opener.focus();
      resolve(answer);
    };
    const yes = h("button", { type: "button", class: confirm.style === "danger" ? "danger" : "primary", on: { click: () => done(true) } }, textObject(confirm.confirm, ctx.names));
    const no = h("button", { type: "button", on: { click: () => done(false) } }, textObject(confirm.deny, ctx.names));
    const box = h("div", { class: "modal small", role: "alertdialog", "aria-modal": "true", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
      h("h3", { id: "confirm-title", class: "modal-title" }, textObject(confirm.title, ctx.names)),
      h("div", { id: "confirm-text", class: "modal-body" }, textObject(confirm.text, ctx.names)),
      h("div", { class: "modal-foot" }, no, yes));
    const layer = h("div", { class: "modal-layer over" }, box);
    layer.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") done(false);
      trapTab(box, event);
    });
    pane.append(layer);
    yes.focus();
  });
}
