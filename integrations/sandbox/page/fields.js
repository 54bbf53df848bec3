// Input elements of modals. What was typed lives in a Form, so that an update of the view keeps it.
import { h } from "./dom.js";
import { Search } from "./search.js";

/**
 * What stands in a view's inputs, by block_id and action_id. As on the real platform, an input whose two ids stay the
 * same across an update keeps what it held, and a new `initial_…` of it is not looked at.
 */
export class Form {
  constructor() {
    this.cells = new Map();
  }

  key(block, item) {
    return `${block.block_id}/${item.action_id}`;
  }

  /** The element's state in the wire's own form; made from its `initial_…` when it is new. */
  cell(block, item) {
    const key = this.key(block, item);
    if (!this.cells.has(key)) this.cells.set(key, initial(item));
    return this.cells.get(key);
  }

  /** Forgets inputs that an update took away. */
  keepOnly(blocks) {
    const alive = new Set();
    for (const block of blocks) {
      for (const item of [block.element, block.accessory, ...(block.elements ?? [])]) {
        if (item?.action_id) alive.add(this.key(block, item));
      }
    }
    for (const key of this.cells.keys()) if (!alive.has(key)) this.cells.delete(key);
  }

  /** What a person's hands put in: by block_id a text, an option's value, or a list of them. */
  values() {
    const out = {};
    for (const [key, cell] of this.cells) {
      out[key.slice(0, key.lastIndexOf("/"))] =
        cell.selected_options?.map((option) => option.value) ?? cell.selected_option?.value ?? cell.selected_user ?? cell.value ?? cell.selected_date ?? cell.selected_time ?? null;
    }
    return out;
  }
}

const TEXT = { plain_text_input: "text", url_text_input: "url", email_text_input: "email", number_input: "number", datepicker: "date", timepicker: "time" };

function initial(item) {
  if (item.type === "checkboxes" || item.type.startsWith("multi_")) return { type: item.type, selected_options: item.initial_options ?? [] };
  if (item.type === "users_select") return { type: item.type, selected_user: item.initial_user ?? null };
  if (item.type === "datepicker") return { type: item.type, selected_date: item.initial_date ?? null };
  if (item.type === "timepicker") return { type: item.type, selected_time: item.initial_time ?? null };
  if (item.type in TEXT) return { type: item.type, value: item.initial_value ?? null };
  return { type: item.type, selected_option: item.initial_option ?? null };
}

/** One input element, bound to the form. `extra` = {id, about, invalid, required} when it stands in an input block. */
export function field(item, block, ctx, extra = {}) {
  if (!ctx.form) return h("span", { class: "soft" }, item.placeholder?.text ?? item.type);
  const cell = ctx.form.cell(block, item);
  const common = {
    id: extra.id, "aria-describedby": extra.about, "aria-invalid": extra.invalid ? "true" : null, "aria-required": extra.required ? "true" : null,
    "aria-label": extra.id ? null : item.placeholder?.text ?? item.action_id,
    placeholder: item.placeholder?.text, dataset: { key: `${ctx.prefix}/${block.block_id}/${item.action_id}`, action: item.action_id },
  };
  const changed = () => {
    const told = block.type !== "input" || (block.dispatch_action && !(item.type in TEXT));
    if (told) ctx.press({ block_id: block.block_id, action_id: item.action_id, type: item.type, value: cell.selected_option?.value ?? cell.selected_user ?? cell.value ?? "", option: cell.selected_option });
  };
  const heard = block.dispatch_action && item.dispatch_action_config?.trigger_actions_on?.includes("on_character_entered");
  if (item.type in TEXT) return textField(item, cell, common, heard && ctx.type ? () => ctx.type(block.block_id, cell.value ?? "") : null);
  if (item.type === "static_select") return selectField(item, cell, common, changed);
  if (item.type === "users_select") return peopleField(item, cell, common, changed, ctx.people ?? []);
  if (item.type === "external_select") return new Search(item, cell, common, changed, (typed) => ctx.suggest(block.block_id, item.action_id, typed)).root;
  return choices(item, cell, common, changed);
}

function textField(item, cell, common, typed) {
  const slot = { datepicker: "selected_date", timepicker: "selected_time" }[item.type] ?? "value";
  const props = { ...common, value: cell[slot] ?? "", maxlength: item.max_length, autocomplete: "off",
    on: { input: (event) => { cell[slot] = event.currentTarget.value || null; typed?.(); } } };
  if (item.multiline) return h("textarea", { ...props, rows: 5 });
  if (item.type === "number_input") Object.assign(props, { min: item.min_value, max: item.max_value, step: item.is_decimal_allowed ? "any" : 1 });
  return h("input", { ...props, type: TEXT[item.type] });
}

function selectField(item, cell, common, changed) {
  const groups = item.option_groups ?? [{ options: item.options ?? [] }];
  const options = groups.flatMap((group) => group.options);
  let index = 0;
  const entry = (option) => h("option", { value: String(index++) }, option.text.text);
  const control = h("select", { ...common, placeholder: null, on: { change: (event) => {
    cell.selected_option = options[Number(event.currentTarget.value)] ?? null;
    changed();
  } } },
  h("option", { value: "-1" }, item.placeholder?.text ?? "Choose"),
  groups.map((group) => (group.label ? h("optgroup", { label: group.label.text }, group.options.map(entry)) : group.options.map(entry))));
  control.value = String(options.findIndex((option) => option.value === cell.selected_option?.value));
  return control;
}

/** Everybody of the workspace by name; the first entry is nobody. */
function peopleField(item, cell, common, changed, people) {
  const control = h("select", { ...common, placeholder: null, on: { change: (event) => {
    cell.selected_user = event.currentTarget.value || null;
    changed();
  } } },
  h("option", { value: "" }, item.placeholder?.text ?? "Choose"), people.map((one) => h("option", { value: one.id }, one.name)));
  control.value = cell.selected_user ?? "";
  return control;
}

function choices(item, cell, common, changed) {
  const single = item.type === "radio_buttons";
  const has = (option) => (single ? cell.selected_option?.value === option.value : cell.selected_options?.some((one) => one.value === option.value));
  const name = common.id ?? common.dataset.key;
  const pick = (option) => (event) => {
    if (single) cell.selected_option = option;
    else cell.selected_options = [...(cell.selected_options ?? []).filter((one) => one.value !== option.value), ...(event.currentTarget.checked ? [option] : [])];
    changed();
  };
  return h("div", { class: "choices", id: common.id, "aria-describedby": common["aria-describedby"] }, (item.options ?? []).map((option) =>
    h("label", {},
      h("input", { type: single ? "radio" : "checkbox", name, checked: Boolean(has(option)), dataset: { key: `${common.dataset.key}/${option.value}` }, on: { change: pick(option) } }),
      h("span", {}, option.text.text, option.description ? h("small", {}, option.description.text) : null))));
}
