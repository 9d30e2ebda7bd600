// View of one network.
const SECTIONS = [
  ["trials", "Trials"], ["space", "States and fixed points"], ["spectrum", "Eigenvalues"],
  ["graph", "Graph of fixed points"], ["training", "Training"],
];

async function networkView(container, name) {
  await readIndex();
  const position = networkPosition.get(name);
  if (position === undefined) return missingNetwork(container, name);
  const [network, task] = await Promise.all(
    [load(`networks/${position}`), load(`tasks/${index.tasks.indexOf(taskOf(position))}`)]);
  document.title = `${name} · ${index.study}`;
  begin(container,
    element("p", { class: "crumbs" },
      element("a", { href: "#explore", text: "All networks" }), " · ",
      element("a", { href: "#", text: "Report" })),
    element("h1", { tabindex: "-1", text: name }),
    neighbourButtons(position),
    factList(position, network),
  );
  const panel = networkPanel([{ position, network, task }]);
  container.append(panel.node, neighbourTables(position, network), pythonLines(network));
  await panel.draw();
  return undefined;
}

function missingNetwork(container, name) {
  return notice(container, "No such network",
    `The study has no network ${name}. Search for it among all networks.`);
}

function notice(container, title, text) {
  begin(container,
    element("p", { class: "crumbs" }, element("a", { href: "#explore", text: "All networks" })),
    element("h1", { tabindex: "-1", text: title }), element("p", { text }));
}

// The networks before and after this one among the selected ones.
function neighbourButtons(position) {
  const selected = [];
  for (let i = 0; i < selection.mask.length; i++) {
    if (selection.mask[i] || i === position) selected.push(i);
  }
  const at = selected.indexOf(position);
  const link = (target, text) => target === undefined
    ? element("span", { class: "off", text })
    : element("a", { href: networkHash(index.networks[target]), text });
  return element("p", { class: "steps" }, link(selected[at - 1], "← previous"), " ",
    element("span", { text: `${at + 1} of ${selected.length}` }), " ",
    link(selected[at + 1], "next →"));
}

function factList(position, network) {
  const rows = index.columns.map((column) => [column.name, shown(valueOf(column, position), 6)])
    .filter(([, text]) => text !== "");
  if (network.model) {
    const file = network.model.split("/").at(-1);
    rows.push(["Keras model", isSingleFile() ? `models/${file}`
      : element("a", { href: network.model, text: file })]);
  }
  return element("dl", { class: "network-facts" }, ...rows.map(([name, value]) =>
    element("div", {}, element("dt", { text: name }), element("dd", {}, value))));
}

// Plots of one network, or of several side by side. They share trial and input if their task is the
// same: others have other trials and inputs.
function networkPanel(entries, options = {}) {
  const state = { trial: 0, input: null, chosen: entries.map(() => null), isTurned: false };
  const node = element("div", { class: entries.length > 1 ? "panel" : "panel alone" });
  const { task } = entries[0], haveOneTask = entries.every((entry) => entry.task === task);
  const trials = haveOneTask && task.trials ? [...task.trials.trial.data] : [];
  const controls = element("div", { class: "controls" });
  if (trials.length > 1) {
    controls.append(choice("Trial", trials.map((trial, i) => [String(i), String(trial + 1)]), "0",
      (value) => { state.trial = Number(value); drawAll(["trials", "space"]); }));
  }
  const inputs = (haveOneTask && task.inputs) || [];
  if (inputs.length > 1 && entries.some((entry) => entry.network.space?.points)) {
    controls.append(choice("Constant input",
      [["", "all"], ...inputs.map((label, i) => [String(i), label])], "",
      (value) => {
        state.input = value === "" ? null : Number(value);
        drawAll(["space", "spectrum"]);
      }));
  }
  if (!haveOneTask) {
    controls.append(element("span", { class: "remark",
      text: "The tasks differ: each network is shown on the first trial of its own, at all inputs." }));
  }
  if (options.turn) {
    controls.append(element("label", { class: "choice" }, element("input", { type: "checkbox",
      onchange: (event) => { state.isTurned = event.target.checked; drawAll(["space"]); } }),
    " Same axes"), element("span", { class: "remark", text: options.turn.text }));
  }
  node.append(controls);
  const boxes = {}, captions = {};
  for (const [key, title] of SECTIONS) {
    const cells = entries.map((entry) => sectionCell(key, title, entry, entries.length > 1));
    boxes[key] = cells.map((cell) => cell.box);
    captions[key] = cells.map((cell) => cell.caption);
    const isWide = entries.length > 1;
    node.append(element("section", { class: `view ${key}` }, element("h2", { text: title }),
      element("div", { class: isWide ? "pair" : "single" }, ...cells.map((cell) => cell.node))));
  }
  const tables = entries.map(({ network, task: own }, i) => network.space?.points
    ? pointTable(network.space.points, own, (point) => choose(i, point)) : null);
  if (tables.some(Boolean)) {
    node.append(element("section", { class: "view" }, element("h2", { text: "Fixed points" }),
      element("p", { class: "caption", text: "Choose a point to see its eigenvalues alone." }),
      element("div", { class: entries.length > 1 ? "pair" : "single" },
        ...tables.map((table) => table?.node ?? element("div", {})))));
  }

  // Choose a point in the table or in the plot; a second time, none.
  function choose(i, point) {
    state.chosen[i] = state.chosen[i] === point ? null : point;
    tables[i].press(state.chosen[i]);
    drawAll(["space", "spectrum"]);
  }

  function drawOne(key, i) {
    const box = boxes[key][i], { network, task } = entries[i];
    if (!box) return null;
    const chosen = state.chosen[i], { trial, input } = state;
    if (key === "trials") return drawTrial(box, network, task, trial);
    if (key === "space") {
      const turn = state.isTurned && i > 0 ? options.turn.matrix : null;
      captions.space[i].textContent = spaceCaption(network.space, turn);
      return drawSpace(box, network, { trial, input, turn, chosen,
        range: state.isTurned ? options.turn.range : null });
    }
    if (key === "spectrum") return drawSpectrum(box, network.space.points, { input, chosen });
    if (key === "graph") return drawGraph(box, network.graph);
    return drawTraining(box, [{ name: "loss", training: network.training, color: onPage(CHANNELS[0]) }]);
  }

  // Plots in sight come first, and each is on the screen before the next one is begun.
  async function drawAll(keys = SECTIONS.map(([key]) => key)) {
    const plots = keys.flatMap((key) => boxes[key].map((box, i) => ({ key, box, i })))
      .filter(({ box }) => box)
      .map((plot) => ({ ...plot, isInSight: plot.box.getBoundingClientRect().top < innerHeight }));
    plots.sort((a, b) => b.isInSight - a.isInSight);
    for (const { key, box, i } of plots) {
      if (!box.on) await nextFrame();
      if (!box.isConnected) return;
      await drawOne(key, i);
      if (key === "space") listenToPoints(box, i);
    }
  }

  function listenToPoints(box, i) {
    if (!box?.on || box.dataset.listens) return;
    box.dataset.listens = "yes";
    box.on("plotly_click", (event) => {
      const point = event.points[0]?.customdata;
      if (point !== undefined) choose(i, point);
    });
  }

  return { node, draw: drawAll, state };
}

const CAPTIONS = {
  trials: "Targets dashed, outputs solid, on probe trials without state noise.",
  training: "Loss on training batches, without state noise.",
};

function sectionCell(key, title, { network, position }, isOneOfSeveral) {
  const has = {
    trials: network.trials, space: network.space, spectrum: network.space?.points,
    graph: network.graph, training: network.training,
  }[key];
  const name = index.networks[position];
  if (!has) {
    const part = { spectrum: "points", space: "trials" }[key] ?? key;
    const reason = network.reasons[part];
    const text = reason ? `Not available: ${reason}` : "The study has no such analysis.";
    return { box: null, caption: null, node: element("p", { class: "empty", text }) };
  }
  const height = { trials: 380, space: 460, spectrum: 360, graph: 360, training: 260 }[key];
  const makeBox = key === "space" ? sceneBox : plotBox;
  const box = makeBox(height, `${title} of ${name}`);
  const caption = element("p", { class: "caption", text: captionOf(key, network) });
  return { box, caption, node: element("div", { class: "cell" }, isOneOfSeveral
    ? element("h3", { class: "whose", text: name }) : null, box, caption) };
}

function captionOf(key, network) {
  if (key === "space") return spaceCaption(network.space, null);
  if (key === "spectrum") return spectrumCaption(network.space.points);
  return key === "graph" ? graphCaption(network.graph) : CAPTIONS[key];
}

function spaceCaption({ points }, turn) {
  const axes = turn ? "Three principal components of the states, turned onto those of the first network."
    : "Principal components of the states on all probe trials.";
  return points?.direction_point.data.length ? `${axes} Short lines are unstable directions.` : axes;
}

function graphCaption(graph) {
  const number = edgesOf(graph).length;
  if (!number) return "No unstable direction leads from one point to another.";
  return number <= MOST_ARROWS
    ? "Arrows lead along unstable directions to stable points. Width: share of the directions."
    : "Lines join each point with the stable points to which its unstable directions lead. Arrows and "
      + `shares are drawn for at most ${MOST_ARROWS} lines, and here are ${number}.`;
}

function spectrumCaption(points) {
  const shownModes = points.eigenvalues.shape[1];
  const more = shownModes < points.modes ? ` The leading ${shownModes} of ${points.modes}.` : "";
  const border = points.is_flow ? "Left of the dotted line" : "Inside the dotted circle";
  return `Eigenvalues of the Jacobians at the fixed points. ${border} a mode decays.${more}`;
}

function pointTable(points, task, choose) {
  const inputs = task.inputs ?? [];
  const heads = ["point", "kind", "unstable", "index", ...(inputs.length > 1 ? ["input"] : []),
    "largest modulus", "speed", "starts"];
  const modes = points.eigenvalues.shape[1];
  const buttons = [];
  const rows = points.kind.map((kind, i) => {
    const re = points.eigenvalues.data[2 * i * modes], im = points.eigenvalues.data[2 * i * modes + 1];
    const button = element("button", { type: "button", class: "point", "aria-pressed": "false",
      text: String(i), onclick: () => choose(i) });
    buttons.push(button);
    return [button, kind, points.n_unstable.data[i], points.index.data[i],
      ...(inputs.length > 1 ? [inputs[points.input.data[i]]] : []),
      Math.hypot(re, im), points.speed.data[i], points.n_starts.data[i]];
  });
  const verdicts = [...new Set(points.certificate.map((row) => row.verdict))].join(", ");
  const more = points.count > rows.length ? `, the first ${rows.length} shown` : "";
  const node = element("div", { class: "cell" },
    element("p", { class: "remark",
      text: `${count(points.count, "fixed point")}${more}. Certificate: ${verdicts}.` }),
    rows.length ? tableOf("Fixed points", heads, rows) : null);
  const press = (chosen) => buttons.forEach((button, i) =>
    button.setAttribute("aria-pressed", String(i === chosen)));
  return { node, press };
}

function neighbourTables(position, network) {
  const name = index.networks[position];
  if (!network.neighbours.length) return element("div", {});
  return element("section", { class: "view" }, element("h2", { text: "Nearest networks" }),
    element("div", { class: "pair" }, ...network.neighbours.map((near) => {
      const distances = numbers(near.distance);
      const rows = [...near.network.data].map((other, i) => [
        networkLink(other), distances[i], shown(valueOf(columnOf("loss"), other), 3),
        element("a", { href: compareHash(name, index.networks[other]), text: "compare",
          "aria-label": `compare with ${index.networks[other]}` })]);
      return element("div", { class: "cell" }, element("h3", { text: inWords(near.title) }),
        tableOf(`Nearest networks by ${inWords(near.title)}, of ${near.of}`,
          ["network", "distance", "loss", "compare"], rows));
    })));
}

function pythonLines(network) {
  const text = network.python.join("\n");
  const button = element("button", { type: "button", class: "copy", text: "Copy", onclick: () => {
    navigator.clipboard?.writeText(text).then(() => { button.textContent = "Copied"; });
  } });
  return element("section", { class: "view" }, element("h2", { text: "In Python" }),
    element("pre", { tabindex: "0", "aria-label": "Python lines that load this network" },
      element("code", { text })), button);
}
