// Building DOM nodes. Nothing on this page ever turns text into markup.

/** An element: `props` are attributes, except `on` (listeners), `value`/`checked` (properties) and `dataset`. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "value" || name === "checked") element[name] = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const drawn = new WeakMap();

/** Makes `container` show `items`, drawing again only those whose JSON changed: focus, menus and drafts elsewhere stay. */
export function sync(container, items, keyOf, draw) {
  const before = drawn.get(container) ?? new Map();
  const after = new Map();
  const active = document.activeElement?.dataset?.key;
  let refocus = false;
  for (const item of items) {
    const key = String(keyOf(item));
    const json = JSON.stringify(item);
    let entry = before.get(key);
    if (!entry || entry.json !== json) {
      if (entry?.element.contains(document.activeElement)) refocus = true;
      entry = { json, element: draw(item) };
    }
    after.set(key, entry);
  }
  const wanted = [...after.values()].map((entry) => entry.element);
  for (const child of [...container.childNodes]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((element, index) => {
    if (container.childNodes[index] !== element) container.insertBefore(element, container.childNodes[index] ?? null);
  });
  drawn.set(container, after);
  if (refocus && active) focusKey(container, active);
}

/** Focuses the element whose data-key is `key`, if it is there. */
export function focusKey(root, key) {
  root.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
}

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** "14:03" today, "3 Nov, 14:03" on other days. */
export function clock(date) {
  const at = date instanceof Date ? date : new Date(date);
  if (Number.isNaN(at.getTime())) return "";
  const today = at.toDateString() === new Date().toDateString();
  return today ? time.format(at) : `${day.format(at)}, ${time.format(at)}`;
}

/** A <time> for a Date or an ISO text. */
export function when(date) {
  const at = date instanceof Date ? date : new Date(date);
  if (Number.isNaN(at.getTime())) return h("span");
  return h("time", { datetime: at.toISOString(), title: at.toLocaleString("en-GB") }, clock(at));
}

const FOCUSABLE = "a[href], button:not([disabled]), input:not([disabled]), select:not([disabled]), textarea:not([disabled])";

/** Keeps Tab inside `root`: to be called on its keydown events. */
export function trapTab(root, event) {
  if (event.key !== "Tab") return;
  const stops = [...root.querySelectorAll(FOCUSABLE)].filter((element) => element.offsetParent !== null);
  if (!stops.length) return;
  const first = stops[0];
  const last = stops[stops.length - 1];
  const outside = !root.contains(document.activeElement);
  if (event.shiftKey && (outside || document.activeElement === first)) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && (outside || document.activeElement === last)) {
    event.preventDefault();
    first.focus();
  }
}

/** Opens a menu of `[{label, detail?, run}]` beside `button`; arrows move, Esc closes and gives the focus back. */
export function openMenu(button, items) {
  const close = (focus) => {
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    if (focus) button.focus();
  };
  const outside = (event) => {
    if (!menu.contains(event.target)) close(false);
  };
  const choose = (item) => () => {
    close(true);
    item.run();
  };
  const entries = items.map((item) =>
    h("button", { type: "button", role: "menuitem", on: { click: choose(item) } },
      item.label, item.detail ? h("small", {}, item.detail) : null));
  const menu = h("div", { class: "menu", role: "menu" }, entries);
  menu.addEventListener("keydown", (event) => {
    const at = entries.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) entries[(at + step + entries.length) % entries.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") close(true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.body.append(menu);
  place(menu, button.getBoundingClientRect());
  button.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  entries[0]?.focus();
}

function place(menu, anchor) {
  const { width, height } = menu.getBoundingClientRect();
  const below = anchor.bottom + 4 + height <= innerHeight;
  menu.style.top = `${Math.max(4, below ? anchor.bottom + 4 : anchor.top - 4 - height)}px`;
  menu.style.left = `${Math.max(4, Math.min(anchor.left, innerWidth - width - 8))}px`;
}
