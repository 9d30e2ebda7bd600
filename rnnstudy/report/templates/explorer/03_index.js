// All networks: names, columns, and how a network is described.
let index = null;
let networkPosition = new Map();

let reading = null;

// The index is prepared once, also if several views ask for it at the same time.
function readIndex() {
  reading ??= prepareIndex().catch((error) => {
    reading = null;
    throw error;
  });
  return reading;
}

async function prepareIndex() {
  const content = await load("index");
  index = content;
  networkPosition = new Map(content.networks.map((name, i) => [name, i]));
  for (const column of content.columns) prepareColumn(column);
  startSelection();
  return index;
}

// A column of few numbers is a factor, too: it gets names and codes like a column of texts. Numbers
// that are not whole, such as losses, are levels of a factor only if the spec has chosen them.
const MOST_VALUES = 16;
const MOST_NAMES = 40;

// Levels with the same colour have other markers.
const LEVEL_SYMBOLS = ["circle", "square", "diamond"];

function prepareColumn(column) {
  prepareLevels(column);
  if (!column.isFactor) return;
  const colours = [...new Set(column.codes)].map((code) => column.marks[code][0]);
  column.repeatsColours = new Set(colours).size < colours.length;
}

function prepareLevels(column) {
  if (column.kind === "name") {
    column.codes = column.codes.data;
    // Nearly as many texts as networks, such as reasons, are no levels of a factor.
    const most = Math.max(MOST_NAMES, index.networks.length / 4);
    column.isFactor = column.names.length > 1 && column.names.length <= most;
    return;
  }
  column.values = column.values.data;
  const distinct = [...new Set(column.values)].filter((value) => !Number.isNaN(value));
  column.isFactor = distinct.length > 1 && distinct.length <= MOST_VALUES
    && (column.is_field || distinct.every(Number.isInteger));
  if (!column.isFactor) return;
  distinct.sort((a, b) => a - b);
  column.names = [...distinct.map(levelName), ""];
  const code = new Map(distinct.map((value, i) => [value, i]));
  column.codes = Uint8Array.from(column.values, (value) => code.get(value) ?? distinct.length);
  column.marks = column.names.map((_, i) =>
    [CHANNELS[i % CHANNELS.length], LEVEL_SYMBOLS[Math.floor(i / CHANNELS.length)]]);
}

// The column whose markers the points have: the activation, unless it is the same for all, or colours
// alone do not tell the levels of the chosen column.
function markerColumn(column) {
  const activation = columnOf("activation");
  return activation?.isFactor && !column?.repeatsColours ? activation : column;
}

// Numbers come with the seven digits of their four bytes.
function levelName(value) {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(7)));
}

// Title of an analysis in words.
function inWords(title) {
  return index.words[title] ?? title;
}

function columnOf(name) {
  return index.columns.find((column) => column.name === name);
}

function valueOf(column, position) {
  return column.kind === "name" ? column.names[column.codes[position]] : column.values[position];
}

function factors() {
  return index.columns.filter((column) => column.isFactor);
}

function networkLink(position, text) {
  const name = index.networks[position];
  return element("a", { href: networkHash(name), title: described(position), text: text ?? name });
}

function networkHash(name) {
  return `#network=${encodeURIComponent(name)}`;
}

function compareHash(first, second) {
  return `#compare=${encodeURIComponent(first)},${encodeURIComponent(second)}`;
}

// Lines that a reader sees on hovering: name, loss, solved, class.
function description(position) {
  const lines = ["status", "loss", "solved", "class"].map(columnOf).filter(Boolean)
    .map((column) => [column.name, shown(valueOf(column, position))])
    .filter(([name, text]) => text && !(name === "status" && text === "trained"))
    .map(([name, text]) => `${name}: ${text}`);
  return [index.networks[position], ...lines];
}

function described(position) {
  return description(position).join("\n");
}

function taskOf(position) {
  const column = columnOf("task");
  return column ? valueOf(column, position) : index.tasks[0];
}
