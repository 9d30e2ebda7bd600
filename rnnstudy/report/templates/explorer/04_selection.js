// Selected networks: those that pass the filters, the search and the lasso. All views show them.
const selection = { filters: new Map(), text: "", lasso: null, mask: new Uint8Array(0), count: 0 };
const listeners = new Set();
let isScheduled = false;

function startSelection() {
  select({});
}

function select(change) {
  Object.assign(selection, change);
  const size = index.networks.length;
  const mask = new Uint8Array(size).fill(1);
  for (const [name, codes] of selection.filters) {
    const column = columnOf(name);
    if (!codes.size || !column) continue;
    for (let i = 0; i < size; i++) if (!codes.has(column.codes[i])) mask[i] = 0;
  }
  const words = selection.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length) {
    for (let i = 0; i < size; i++) {
      if (mask[i] && !words.every((word) => searchText(i).includes(word))) mask[i] = 0;
    }
  }
  if (selection.lasso) {
    for (let i = 0; i < size; i++) if (!selection.lasso.has(i)) mask[i] = 0;
  }
  selection.mask = mask;
  selection.count = mask.reduce((sum, bit) => sum + bit, 0);
  if (isScheduled) return;
  isScheduled = true;
  requestAnimationFrame(() => {
    isScheduled = false;
    for (const listener of listeners) listener();
  });
}

let searchTexts = null;

// Name and all texts of a network in small letters.
function searchText(position) {
  searchTexts ??= index.networks.map((name, i) => [name, ...index.columns
    .filter((column) => column.kind === "name").map((column) => valueOf(column, i))]
    .join(" ").toLowerCase());
  return searchTexts[position];
}

function isWhole() {
  return selection.count === index.networks.length;
}

function toggleFilter(name, code, isOn) {
  const codes = new Set(selection.filters.get(name));
  if (isOn) codes.add(code);
  else codes.delete(code);
  const filters = new Map(selection.filters);
  if (codes.size) filters.set(name, codes);
  else filters.delete(name);
  select({ filters });
}

function clearSelection() {
  select({ filters: new Map(), text: "", lasso: null });
}

// Filters in the address, so that a selection can be shared: explore=cell:gru|lstm;solved:yes
function selectionHash() {
  const parts = [...selection.filters].map(([name, codes]) => {
    const names = [...codes].map((code) => encodeURIComponent(columnOf(name).names[code]));
    return `${encodeURIComponent(name)}:${names.join("|")}`;
  });
  if (selection.text) parts.push(`search:${encodeURIComponent(selection.text)}`);
  return parts.length ? `#explore=${parts.join(";")}` : "#explore";
}

function selectFromHash(text) {
  const filters = new Map();
  let words = "";
  for (const part of text.split(";").filter(Boolean)) {
    const [name, values = ""] = part.split(":").map((piece) => piece);
    const column = columnOf(decode(name));
    if (name === "search") words = decode(values);
    else if (column?.isFactor) {
      const codes = values.split("|").map((each) => column.names.indexOf(decode(each)));
      filters.set(column.name, new Set(codes.filter((code) => code >= 0)));
    }
  }
  select({ filters, text: words, lasso: null });
}
