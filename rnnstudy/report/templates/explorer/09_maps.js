// Maps: each point is a network. A lasso or a box in one selects networks everywhere.
const MOST_MAPS = 4;
const WEBGL_POINTS = 1000;

function mapOf(content, options) {
  const items = [...content.items.data];
  const box = plotBox(360, `Map of ${items.length} networks: ${content.title}`);
  const points = content.points.data;
  const rowOf = new Map(items.map((item, row) => [item, row]));
  let isReady = false;

  function marks() {
    const colour = columnOf(options.colour), shape = markerColumn(colour);
    return {
      color: items.map((i) => (colour ? onPage(colour.marks[colour.codes[i]][0]) : ink("link"))),
      symbol: items.map((i) => (shape ? shape.marks[shape.codes[i]][1] : "circle")),
    };
  }

  async function show() {
    const { mask } = selection;
    const trace = {
      type: items.length > WEBGL_POINTS ? "scattergl" : "scatter", mode: "markers",
      x: items.map((_, row) => points[2 * row]), y: items.map((_, row) => points[2 * row + 1]),
      customdata: items, text: items.map((i) => description(i).map(escaped).join("<br>")),
      hoverinfo: "text", showlegend: false, selectedpoints: chosenRows(),
      marker: { ...marks(), size: items.length > WEBGL_POINTS ? 6 : 9, opacity: 0.85,
        line: { width: items.length > WEBGL_POINTS ? 0 : 0.7, color: ink("ground") } },
      unselected: { marker: { opacity: 0.07 } },
    };
    await draw(box, [trace], baseLayout({ dragmode: "lasso", uirevision: "kept",
      margin: { l: 45, r: 10, t: 10, b: 35 },
      xaxis: { title: { text: "MDS 1" } }, yaxis: { title: { text: "MDS 2" }, scaleanchor: "x" } }));
    if (isReady || !box.on) return;
    isReady = true;
    box.on("plotly_selected", (event) => {
      if (!event?.points?.length) return;
      select({ lasso: new Set(event.points.map((point) => point.customdata)) });
    });
    box.on("plotly_deselect", () => select({ lasso: null }));
    box.on("plotly_click", (event) => {
      location.hash = networkHash(index.networks[event.points[0].customdata]);
    });
    // The selection may have changed while the map was drawn.
    if (mask !== selection.mask) update();
  }

  function chosenRows() {
    return isWhole() ? null : items.map((item, row) => (selection.mask[item] ? row : -1))
      .filter((row) => row >= 0);
  }

  function update() {
    if (isReady && box.isConnected) window.Plotly.restyle(box, { selectedpoints: [chosenRows()] });
  }

  const stress = content.stress === null ? "" : `Stress ${shown(content.stress, 2)}; 0 is exact. `;
  const others = content.others ? `${count(content.others, "control")} of the map not shown. ` : "";
  const node = element("section", { class: "view map" }, element("h3", { text: content.title }),
    box, element("p", { class: "caption",
      text: `${stress}${others}Drag to select, click to open.` }));
  return { node, show, update, has: (position) => rowOf.has(position) };
}

// Colours of a column, and markers if they are of another column.
function legendOf(name) {
  const column = columnOf(name), markers = markerColumn(column);
  if (!column) return element("p", {});
  if (markers === column) {
    return legendList(`Colours and markers: ${name}`, column, ([colour, symbol]) => [colour, symbol]);
  }
  return element("div", {},
    legendList(`Colours: ${name}`, column, ([colour]) => [colour, "circle"]),
    legendList(`Markers: ${markers.name}`, markers, ([, symbol]) => ["#000000", symbol]));
}

function legendList(label, column, look) {
  const used = new Set(column.codes);
  return element("ul", { class: "legend", "aria-label": label },
    ...column.names.map((text, code) => ({ text, code })).filter(({ code }) => used.has(code))
      .slice(0, 30).map(({ text, code }) => element("li", {},
        swatch(...look(column.marks[code])), text || "none")));
}

const SVG = "http://www.w3.org/2000/svg";

// A marker of Plotly as a small picture.
function swatch(colour, symbol) {
  const picture = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
  const isOpen = symbol.endsWith("-open"), ownInk = onPage(colour);
  const attributes = { d: outlineOf(symbol.replace("-open", "")), fill: isOpen ? "none" : ownInk,
    stroke: ownInk, transform: symbol.startsWith("x") ? "rotate(45)" : "" };
  for (const [name, value] of Object.entries(attributes)) path.setAttribute(name, value);
  picture.setAttribute("class", "swatch");
  picture.setAttribute("viewBox", "-7 -7 14 14");
  picture.setAttribute("aria-hidden", "true");
  picture.append(path);
  return picture;
}

// Corners of markers: their number, and the angle of the first one from the top, in degrees.
const CORNERS = {
  square: [4, 45], diamond: [4, 0], "triangle-up": [3, 0], "triangle-right": [3, 90],
  "triangle-down": [3, 180], "triangle-left": [3, 270], pentagon: [5, 0], hexagon: [6, 0],
  star: [10, 0],
};
const ROUND = [60, 0];
const PLUS = "M-2,-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z";

function outlineOf(symbol) {
  if (symbol === "cross" || symbol === "x") return PLUS;
  const [count, first] = CORNERS[symbol] ?? ROUND;
  const corners = Array.from({ length: count }, (_, i) => {
    const angle = ((first + (360 * i) / count) * Math.PI) / 180;
    const radius = symbol === "star" && i % 2 ? 2.5 : 6;
    return `${(radius * Math.sin(angle)).toFixed(2)},${(-radius * Math.cos(angle)).toFixed(2)}`;
  });
  return `M${corners.join("L")}Z`;
}
