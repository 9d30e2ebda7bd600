// Elements of the page, numbers as text, colours.
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// The first parts of a view. Its heading takes the focus, which was on a link of the former view.
function begin(container, ...parts) {
  container.append(...parts);
  container.querySelector("h1").focus({ preventScroll: true });
}

function choice(label, options, value, change) {
  const select = element("select", { onchange: () => change(select.value) },
    ...options.map(([key, text]) => element("option", { value: key, text })));
  select.value = value;
  return element("label", { class: "choice" }, `${label} `, select);
}

function figureOf(title, caption, ...content) {
  return element("section", { class: "view" },
    element("h3", { text: title }), ...content,
    caption ? element("p", { class: "caption", text: caption }) : null);
}

function tableOf(caption, heads, rows) {
  const cell = (value) => element("td",
    { class: typeof value === "number" ? "number" : null },
    value instanceof Node ? value : shown(value));
  return element("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": caption },
    element("table", {},
      element("thead", {}, element("tr", {},
        ...heads.map((head) => element("th", { scope: "col", class: "plain", text: head })))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map(cell))))));
}

function shown(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e6) return String(Number(value.toPrecision(digits)));
  return value.toExponential(2);
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function escaped(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function isDark() {
  return window.matchMedia("(prefers-color-scheme: dark)").matches;
}

// Colours of the figures are for paper. On a dark page the dark ones are lighter, of the same hue.
const LIGHTER = { "#0072B2": "#4AA3DF", "#332288": "#9A8CE8", "#882255": "#D16A9C",
  "#3B0F70": "#A78BEA", "#8C2981": "#D873C8", "#DE4968": "#F2728F" };

// Black marks take the colour of the text.
function onPage(colour) {
  const name = colour.toUpperCase();
  if (name === "#000000") return ink("ink");
  return (isDark() && LIGHTER[name]) || colour;
}

const CHANNELS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999933",
  "#882255"];
