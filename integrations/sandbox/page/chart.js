// A chart as Slack draws it, plainly: bars side by side for each category, or a row for each slice of a pie.
import { h } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 360;
const HEIGHT = 120;

function s(tag, props, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, String(value));
  element.append(...children.flat());
  return element;
}

/** The block `data_visualization`. Lines and areas are drawn as bars: the numbers are the same. */
export function chart(block) {
  const { type, series = [], segments = [], axis_config: axes = {} } = block.chart ?? {};
  const shown = type === "pie"
    ? [{ name: block.title, data: segments }]
    : series;
  const categories = type === "pie" ? segments.map((one) => one.label) : axes.categories ?? [];
  const said = shown.map((one) => `${one.name}: ${one.data.map((point) => `${point.label} ${point.value}`).join(", ")}`);
  return h("figure", { class: "b-chart" },
    h("figcaption", {}, block.title),
    bars(categories, shown, `${block.title}. ${said.join(". ")}`),
    h("div", { class: "b-legend" }, shown.map((one, index) => h("span", {}, h("i", { class: `series-${index}` }), one.name))));
}

function bars(categories, series, label) {
  const most = Math.max(1, ...series.flatMap((one) => one.data.map((point) => point.value)));
  const slot = WIDTH / Math.max(1, categories.length);
  const wide = (slot * 0.7) / Math.max(1, series.length);
  const drawn = categories.flatMap((name, at) => [
    ...series.flatMap((one, index) => bar(one.data[at]?.value ?? 0, most, at * slot + slot * 0.15 + index * wide, wide, index)),
    s("text", { x: at * slot + slot / 2, y: HEIGHT + 28, "text-anchor": "middle" }, name),
  ]);
  return s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + 34}`, role: "img", "aria-label": label }, drawn);
}

function bar(value, most, x, width, index) {
  const height = (value / most) * HEIGHT;
  return [
    s("rect", { x, y: HEIGHT - height + 14, width: width - 1, height, class: `series-${index}` }),
    s("text", { x: x + width / 2, y: HEIGHT - height + 10, "text-anchor": "middle" }, String(value)),
  ];
}
