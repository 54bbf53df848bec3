// A select whose options the bot gives while one types: a combobox with its list.
import { h } from "./dom.js";

const PAUSE = 150; // milliseconds without typing before the bot is asked

export class Search {
  /** `suggest(typed)` answers {options} or {option_groups}; `cell.selected_option` is what was chosen; `root` is shown. */
  constructor(item, cell, common, changed, suggest) {
    Object.assign(this, { cell, changed, suggest, least: item.min_query_length ?? 3, asked: 0, at: -1, options: [] });
    this.listId = `${common.id ?? common.dataset.key}-list`;
    this.list = h("div", { class: "suggestions", role: "listbox", id: this.listId, hidden: true });
    this.clear = h("button", { type: "button", class: "icon", "aria-label": "Clear", hidden: !cell.selected_option,
      on: { click: () => { this.choose(null); this.input.focus(); } } }, "×");
    this.input = h("input", { ...common, type: "text", role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-controls": this.listId, "aria-expanded": "false",
      value: cell.selected_option?.text.text ?? "",
      on: { input: () => this.typed(), focus: () => this.entered(), keydown: (event) => this.key(event), blur: () => this.left() } });
    this.root = h("div", { class: "combobox" }, this.input, this.clear, this.list);
  }

  typed() {
    this.cell.selected_option = null;
    this.clear.hidden = true;
    this.ask();
  }

  entered() {
    if (this.least === 0 && !this.cell.selected_option) this.ask();
  }

  left() {
    this.shut();
    this.input.value = this.cell.selected_option?.text.text ?? "";
  }

  ask() {
    clearTimeout(this.timer);
    if (this.input.value.length < this.least) {
      this.shut();
      return;
    }
    const number = ++this.asked;
    this.timer = setTimeout(async () => {
      const answer = await this.suggest(this.input.value);
      if (number === this.asked && document.activeElement === this.input) this.show(answer ?? {});
    }, PAUSE);
  }

  show(answer) {
    const groups = answer.option_groups ?? [{ options: answer.options ?? [] }];
    this.options = groups.flatMap((group) => group.options);
    this.list.replaceChildren(...groups.flatMap((group) => [
      ...(group.label ? [h("div", { class: "soft" }, group.label.text)] : []), ...group.options.map((option) => this.entry(option)),
    ]));
    if (!this.options.length) this.list.append(h("div", { class: "soft" }, "Nothing found"));
    this.list.hidden = false;
    this.list.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-expanded", "true");
  }

  entry(option) {
    const pick = (event) => {
      event.preventDefault();
      this.choose(option);
    };
    return h("div", { role: "option", id: `${this.listId}-${this.options.indexOf(option)}`, "aria-selected": "false", on: { pointerdown: pick } },
      option.text.text, option.description ? h("small", {}, option.description.text) : null);
  }

  choose(option) {
    this.cell.selected_option = option;
    this.input.value = option?.text.text ?? "";
    this.clear.hidden = !option;
    this.shut();
    this.changed();
  }

  shut() {
    this.list.hidden = true;
    this.at = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.list.hidden) this.ask();
    else if (step && this.options.length) this.move(step);
    else if (event.key === "Enter" && !this.list.hidden && this.at >= 0) this.choose(this.options[this.at]);
    else if (event.key === "Escape" && !this.list.hidden) this.shut();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(step) {
    const entries = [...this.list.querySelectorAll("[role=option]")];
    this.at = (this.at + step + entries.length) % entries.length;
    entries.forEach((entry, index) => entry.setAttribute("aria-selected", String(index === this.at)));
    entries[this.at].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", entries[this.at].id);
  }
}
