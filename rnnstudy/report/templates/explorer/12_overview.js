// View of all networks: search, filters, maps, matrices, table.
const PREFERRED = ["task", "cell", "activation", "protocol", "units", "solved", "class", "status"];
const PAUSE = 150;
const MOST_CHIPS = 30;
let overviewColour = null;

async function overviewView(container, filters) {
  await readIndex();
  document.title = `All networks · ${index.study}`;
  if (filters && `#explore=${filters}` !== selectionHash()) selectFromHash(filters);
  const colours = orderedFactors();
  if (!colours.some((column) => column.name === overviewColour)) {
    overviewColour = (colours.find((column) => column.name === "cell") ?? colours[0])?.name ?? null;
  }
  const options = { colour: overviewColour };
  const summary = element("p", { class: "remark", role: "status" });
  const search = element("input", { type: "search", id: "explorer-search", value: selection.text,
    placeholder: "part of a name, a cell, a class …", oninput: () => select({ text: search.value }),
    onkeydown: (event) => {
      const only = selection.mask.indexOf(1);
      if (event.key === "Enter" && only >= 0) location.hash = networkHash(index.networks[only]);
    } });
  begin(container,
    element("p", { class: "crumbs" }, element("a", { href: "#", text: "Report" })),
    element("h1", { tabindex: "-1", text: "All networks" }),
    element("p", { class: "search" }, element("label", { for: "explorer-search", text: "Search " }),
      search, " ", element("button", { type: "button", class: "clear", text: "Show all",
        onclick: () => { search.value = ""; clearSelection(); } })),
    summary);
  if (isSingleFile()) {
    container.append(element("p", { class: "remark",
      text: document.documentElement.dataset.singleFile }));
  }
  const filterPart = filterBoxes(colours);
  container.append(filterPart.node);
  const controls = element("div", { class: "controls" });
  container.append(controls);
  const mapPart = mapGrid(options), matrixPart = matrixSection(options, colours);
  const legend = element("div", {}, legendOf(options.colour));
  if (colours.length) {
    controls.append(choice("Colour by", colours.map((column) => [column.name, column.name]),
      options.colour, (name) => {
        overviewColour = options.colour = name;
        legend.replaceChildren(legendOf(name));
        mapPart.recolour();
        matrixPart.update();
      }));
  }
  const table = networkTable();
  container.append(legend, mapPart.node, matrixPart.node,
    element("section", { class: "view" }, element("h2", { text: "Table" }), table.node));

  let later = 0;

  // Words and rows follow at once. Maps and matrices of thousands of networks wait for a pause.
  function update() {
    if (!container.isConnected || container.hidden) return;
    summary.textContent = isWhole() ? count(selection.count, "network")
      : `${selection.count.toLocaleString("en")} of ${count(index.networks.length, "network")} selected`;
    filterPart.update();
    table.update();
    clearTimeout(later);
    later = setTimeout(drawSelection, index.networks.length > WEBGL_POINTS ? PAUSE : 0);
    const hash = selectionHash();
    if (location.hash.startsWith("#explore") && location.hash !== hash) {
      history.replaceState(null, "", hash);
    }
  }

  function drawSelection() {
    if (!container.isConnected || container.hidden) return;
    mapPart.update();
    matrixPart.update();
  }

  update();
  listeners.add(update);
  await nextFrame();
  await mapPart.show();
  await matrixPart.show();
  searchText(0); // so that the first letter of a search need not wait for the texts
  return () => listeners.delete(update);
}

function orderedFactors() {
  const rank = (column) => {
    const at = PREFERRED.indexOf(column.name);
    return at < 0 ? PREFERRED.length : at;
  };
  return [...factors()].sort((a, b) => rank(a) - rank(b));
}

function filterBoxes(columns) {
  const boxes = [];
  const sets = columns.map((column) => {
    const sizes = new Map();
    for (const code of column.codes) sizes.set(code, (sizes.get(code) ?? 0) + 1);
    const all = column.names.map((_, code) => code).filter((code) => sizes.has(code));
    const codes = all.length <= MOST_CHIPS ? all
      : all.sort((a, b) => sizes.get(b) - sizes.get(a)).slice(0, MOST_CHIPS);
    const rest = all.length - codes.length;
    return element("fieldset", {}, element("legend", { text: column.name }),
      ...codes.map((code) => {
        const box = element("input", { type: "checkbox",
          onchange: () => toggleFilter(column.name, code, box.checked) });
        boxes.push({ box, name: column.name, code });
        return element("label", { class: "chip" }, box, ` ${column.names[code] || "none"} `,
          element("span", { class: "size", text: String(sizes.get(code)) }));
      }), rest ? element("span", { class: "chip size", text: `${rest} more, by the search` }) : null);
  });
  function update() {
    for (const { box, name, code } of boxes) {
      box.checked = selection.filters.get(name)?.has(code) ?? false;
    }
  }
  const node = element("details", { class: "filters", open: window.innerWidth > 900 },
    element("summary", { text: "Filters" }), element("div", { class: "filter-sets" }, ...sets));
  return { node, update };
}

function mapGrid(options) {
  const node = element("section", { class: "view" }, element("h2", { text: "Maps" }));
  if (!index.maps.length) {
    node.append(element("p", { class: "empty",
      text: "No map: the study has no distances between networks." }));
    return { node, show: async () => {}, update() {}, recolour() {} };
  }
  const grid = element("div", { class: "pair" });
  const several = index.tasks.length > 1;
  const title = ({ title: name, task }) => (several ? `${inWords(name)}, ${task}` : inWords(name));
  let parts = [];
  const chosen = new Set(index.maps.slice(0, 2));
  const boxes = index.maps.length > 1 ? element("fieldset", { class: "map-choice" },
    element("legend", { text: `Maps to show, at most ${MOST_MAPS}` }),
    ...index.maps.map((content) => {
      const box = element("input", { type: "checkbox", onchange: () => {
        if (box.checked && chosen.size >= MOST_MAPS) box.checked = false;
        else if (box.checked) chosen.add(content);
        else chosen.delete(content);
        show();
      } });
      box.checked = chosen.has(content);
      return element("label", { class: "chip" }, box, ` ${title(content)}`);
    })) : null;
  node.append(...[boxes, grid].filter(Boolean));

  async function show() {
    purge(grid);
    parts = [...chosen].map((content) => mapOf({ ...content, title: title(content) }, options));
    grid.replaceChildren(...parts.map((part) => part.node));
    for (const part of parts) await part.show();
  }

  return { node, show, update: () => parts.forEach((part) => part.update()),
    recolour: () => parts.forEach((part) => part.show()) };
}

function matrixSection(options, columns) {
  const node = element("section", { class: "view" }, element("h2", { text: "Distances" }));
  if (!index.matrices.length) {
    node.append(element("p", { class: "empty", text: "The study has no distances." }));
    return { node, show: async () => {}, update() {} };
  }
  const view = matrixView(options);
  const several = index.tasks.length > 1;
  const files = index.matrices.map((about) =>
    [about.file, several ? `${inWords(about.title)}, ${about.task}` : inWords(about.title)]);
  node.append(element("div", { class: "controls" },
    choice("Distances", files, files[0][0], (file) => view.show(file)),
    choice("Order", [["clustered", "clustering"], ["", "as in the study"],
      ...columns.map((column) => [column.name, `by ${column.name}`])], "clustered",
    (name) => view.orderBy(name))), view.node);
  return { node, show: () => view.show(files[0][0]), update: view.update };
}
