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
    const colour = columnOf(options.colour), activation = columnOf("activation");
    const shape = activation && options.colour !== "activation" ? activation : colour;
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

function legendOf(name) {
  const column = columnOf(name);
  if (!column) return element("p", {});
  const used = new Set(column.codes);
  return element("ul", { class: "legend", "aria-label": `Colours: ${name}` },
    ...column.names.map((text, code) => ({ text, code })).filter(({ code }) => used.has(code))
      .slice(0, 30).map(({ text, code }) => element("li", {},
        element("span", { class: "swatch", "aria-hidden": "true",
          style: `background:${onPage(column.marks[code][0])}` }), text || "none")));
}
