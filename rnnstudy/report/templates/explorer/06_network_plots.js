// Plots of one network: trials, states, eigenvalues, graph of fixed points, training.
const MOST_PANELS = 6;
const MOST_ARROWS = 120;

function drawTrial(box, network, task, trial) {
  const { inputs, targets, step, seconds_per_step: seconds } = task.trials;
  const outputs = network.trials.outputs;
  const [, length, width] = outputs.shape;
  const time = Array.from({ length }, (_, i) => i * step * (seconds ?? 1));
  const panels = width <= MOST_PANELS ? width : 1;
  const values = { inputs: numbers(inputs), targets: numbers(targets), outputs: numbers(outputs) };
  const data = [], layout = baseLayout({ showlegend: true });
  const domains = panelDomains(panels + 1);
  const axes = { gridcolor: ink("line"), zerolinecolor: ink("line"), nticks: 3 };
  for (let channel = 0; channel < inputs.shape[2]; channel++) {
    data.push(lineTrace(time, slice(values.inputs, inputs.shape, trial, channel), {
      name: "input", color: onPage(CHANNELS[channel % CHANNELS.length]), axis: 0, legend: false }));
  }
  layout.yaxis = { ...axes, domain: domains[0], title: { text: "input" } };
  for (let channel = 0; channel < width; channel++) {
    const panel = width <= MOST_PANELS ? channel + 1 : 1;
    const first = channel === 0;
    data.push(lineTrace(time, slice(values.targets, targets.shape, trial, channel), {
      name: "target", color: ink("ink"), dash: "dash", axis: panel, legend: first }));
    data.push(lineTrace(time, slice(values.outputs, outputs.shape, trial, channel), {
      name: "output", color: onPage(CHANNELS[channel % CHANNELS.length]), axis: panel, legend: first }));
    layout[`yaxis${axisOf(panel)}`] = { ...axes, domain: domains[panel],
      title: { text: width > 1 && panels > 1 ? `out ${channel + 1}` : "output" } };
  }
  layout.xaxis = { ...axes, automargin: true, nticks: 10, anchor: `y${axisOf(panels)}`,
    title: { text: seconds ? "time (s)" : "time step" } };
  return draw(box, data, layout);
}

function panelDomains(panels) {
  const gap = 0.07, height = (1 - gap * (panels - 1)) / panels;
  return Array.from({ length: panels }, (_, i) => {
    const top = 1 - i * (height + gap);
    return [Math.max(0, top - height), top];
  });
}

function lineTrace(x, y, { name, color, dash, axis, legend }) {
  return { type: "scatter", mode: "lines", x, y, name, showlegend: legend, legendgroup: name,
    line: { color, dash, width: 1.4 }, yaxis: `y${axisOf(axis)}`,
    hovertemplate: `${name} %{y:.3g}<extra></extra>` };
}

function unstableMark(number) {
  const [colour, symbol] = index.unstable[Math.min(number, index.unstable.length - 1)];
  return { color: onPage(colour), symbol };
}

const SOLID_SYMBOLS = { circle: "circle", "triangle-up": "cross", square: "square",
  diamond: "diamond", "triangle-down": "x", cross: "circle-open" };

// Coordinates [row, 3] of an array, turned by a matrix if there is one.
function coordinates(array, turn) {
  const values = numbers(array), rows = values.length / 3;
  const axes = [new Array(rows), new Array(rows), new Array(rows)];
  for (let row = 0; row < rows; row++) {
    for (let axis = 0; axis < 3; axis++) {
      let value = values[3 * row + axis];
      if (turn) {
        value = 0;
        for (let k = 0; k < 3; k++) value += turn[axis][k] * values[3 * row + k];
      }
      axes[axis][row] = value;
    }
  }
  return axes;
}

function drawSpace(box, network, { trial, input, turn, range, chosen }) {
  const { space } = network;
  const data = [];
  const [, length] = space.lines.shape;
  const axes = coordinates(space.lines, turn);
  const others = axes.map((values) => withGaps(values, length));
  data.push(spaceLine(others, "trajectories", isDark() ? "#5d6673" : "#b4bac3", 1.5));
  const own = axes.map((values) => values.slice(trial * length, (trial + 1) * length));
  data.push(spaceLine(own, "chosen trial", ink("link"), 4));
  if (space.points) data.push(...pointTraces(space.points, input, turn, chosen));
  const titles = space.explained.map((share, i) => turn ? `axis ${i + 1}`
    : `PC ${i + 1} (${Math.round(100 * share)} %)`);
  // Plotly makes triangles of each number at an axis: few numbers, and the plot is there sooner.
  const scene = Object.fromEntries(["xaxis", "yaxis", "zaxis"].map((axis, i) => [axis, {
    title: { text: titles[i] }, nticks: 4, range: range?.[i], gridcolor: ink("line"), color: ink("soft"),
    backgroundcolor: "rgba(0,0,0,0)" }]));
  const layout = baseLayout({ margin: { l: 0, r: 0, t: 0, b: 0 }, legend: { orientation: "h", y: 0 },
    uirevision: network.name,
    scene: { ...scene, aspectmode: range ? "cube" : "data", camera: cameraOf(box) } });
  return draw(box, data, layout);
}

function withGaps(values, length) {
  const parts = [];
  for (let i = 0; i < values.length; i += length) parts.push(...values.slice(i, i + length), null);
  return parts;
}

function spaceLine([x, y, z], name, color, width) {
  return { type: "scatter3d", mode: "lines", x, y, z, name, line: { color, width },
    hoverinfo: "skip", connectgaps: false };
}

function pointTraces(points, input, turn, chosen) {
  const traces = [];
  const isShown = (at) => input === null || at === input;
  const [x, y, z] = coordinates(points.position, turn);
  const unstable = [...points.n_unstable.data], inputs = [...points.input.data];
  const lines = coordinates(points.direction, turn);
  const owners = [...points.direction_point.data];
  const drawn = owners.map((_, i) => i).filter((i) => isShown(inputs[owners[i]]));
  if (drawn.length) {
    const ends = lines.map((axis) => drawn.flatMap((i) => [axis[2 * i], axis[2 * i + 1], null]));
    traces.push(spaceLine(ends, "unstable directions", "#D55E00", 4));
  }
  for (const number of [...new Set(unstable)].sort((a, b) => a - b)) {
    const at = unstable.map((_, i) => i)
      .filter((i) => unstable[i] === number && isShown(inputs[i]));
    if (!at.length) continue;
    const mark = unstableMark(number);
    traces.push({
      type: "scatter3d", mode: "markers", x: at.map((i) => x[i]), y: at.map((i) => y[i]),
      z: at.map((i) => z[i]), name: number ? `${number} unstable` : "stable", customdata: at,
      text: at.map((i) => `point ${i}, ${points.kind[i]}, index ${points.index.data[i]}`),
      hoverinfo: "text",
      marker: { color: mark.color, symbol: SOLID_SYMBOLS[mark.symbol] ?? "circle",
        size: at.map((i) => (i === chosen ? 14 : 8)), line: { width: 1, color: ink("ground") } },
    });
  }
  for (const [name, places, owner, color] of [
    ["continuum", points.continuum, points.continuum_input, "#44AA99"],
    ["slow points", points.slow, points.slow_input, "#999933"]]) {
    const kept = [...owner.data].map((at, i) => [at, i]).filter(([at]) => isShown(at));
    if (!kept.length) continue;
    const axes = coordinates(places, turn).map((axis) => kept.map(([, i]) => axis[i]));
    traces.push({ type: "scatter3d", mode: "markers", x: axes[0], y: axes[1], z: axes[2], name,
      hoverinfo: "name", marker: { color, size: 3 } });
  }
  return traces;
}

function drawSpectrum(box, points, { input, chosen }) {
  const values = points.eigenvalues.data, [count_, modes] = points.eigenvalues.shape;
  const groups = new Map();
  for (let point = 0; point < count_; point++) {
    if (input !== null && points.input.data[point] !== input) continue;
    if (chosen !== null && chosen !== point) continue;
    const number = points.n_unstable.data[point];
    if (!groups.has(number)) groups.set(number, { x: [], y: [], text: [] });
    const group = groups.get(number);
    for (let mode = 0; mode < modes; mode++) {
      const at = 2 * (point * modes + mode), re = values[at], im = values[at + 1];
      if (!Number.isFinite(re)) continue;
      group.x.push(re);
      group.y.push(im);
      group.text.push(`point ${point}<br>${shown(re)} ${im < 0 ? "−" : "+"} ${shown(Math.abs(im))}i`
        + `<br>${points.is_flow ? "real part" : "modulus"} `
        + shown(points.is_flow ? re : Math.hypot(re, im)));
    }
  }
  const size = [...groups.values()].reduce((sum, group) => sum + group.x.length, 0);
  const type = size > WEBGL_POINTS ? "scattergl" : "scatter";
  const data = [...groups].sort((a, b) => a[0] - b[0]).map(([number, group]) => {
    const mark = unstableMark(number);
    return { type, mode: "markers", x: group.x, y: group.y, text: group.text,
      hoverinfo: "text", name: number ? `${number} unstable` : "stable",
      marker: { color: mark.color, symbol: mark.symbol, size: 6, opacity: 0.75 } };
  });
  const border = points.is_flow
    ? { type: "line", x0: 0, x1: 0, yref: "paper", y0: 0, y1: 1 }
    : { type: "circle", x0: -1, x1: 1, y0: -1, y1: 1 };
  const layout = baseLayout({
    xaxis: { title: { text: "real part" } },
    yaxis: { title: { text: "imaginary part" }, scaleanchor: "x" },
    shapes: [{ ...border, line: { color: ink("soft"), width: 1, dash: "dot" } }],
  });
  return draw(box, data, layout);
}

// Edges between two points. A direction that leads back is none.
function edgesOf(graph) {
  return [...graph.source.data].map((source, i) => ({
    source, target: graph.target.data[i], share: graph.share.data[i] }))
    .filter((edge) => edge.source !== edge.target);
}

function drawGraph(box, graph) {
  const unstable = [...graph.n_unstable.data];
  const places = graph.position ? pairsOf(graph.position) : layers(unstable);
  const edges = edgesOf(graph);
  const arrows = edges.length <= MOST_ARROWS;
  const annotations = arrows ? edges.map((edge) => ({
    x: places[edge.target][0], y: places[edge.target][1], ax: places[edge.source][0],
    ay: places[edge.source][1], xref: "x", yref: "y", axref: "x", ayref: "y", text: "",
    showarrow: true, arrowhead: 2, arrowsize: 0.9, arrowwidth: 0.7 + 1.6 * edge.share,
    arrowcolor: unstableMark(unstable[edge.source]).color, opacity: 0.6, standoff: 6,
    startstandoff: 5 })) : [];
  const data = arrows ? [] : [{
    type: "scatter", mode: "lines", hoverinfo: "skip", showlegend: false,
    line: { color: ink("line"), width: 1 },
    x: edges.flatMap((edge) => [places[edge.source][0], places[edge.target][0], null]),
    y: edges.flatMap((edge) => [places[edge.source][1], places[edge.target][1], null]) }];
  for (const number of [...new Set(unstable)].sort((a, b) => a - b)) {
    const at = unstable.map((_, i) => i).filter((i) => unstable[i] === number);
    const mark = unstableMark(number);
    data.push({
      type: "scatter", x: at.map((i) => places[i][0]), y: at.map((i) => places[i][1]),
      mode: number === 0 && graph.word && at.length <= 40 ? "markers+text" : "markers",
      text: at.map((i) => graph.word?.[i] ?? ""), textposition: "top center",
      hovertext: at.map((i) => `point ${i}${graph.word ? `, word ${graph.word[i]}` : ""}`
        + edgeText(edges, i)),
      hoverinfo: "text", name: number ? `${number} unstable` : "stable",
      marker: { ...mark, size: 10, line: { width: 1, color: ink("ground") } } });
  }
  const blank = { visible: false };
  return draw(box, data, baseLayout({ annotations, xaxis: blank,
    yaxis: graph.position ? { ...blank, scaleanchor: "x" } : blank }));
}

function edgeText(edges, point) {
  const leaving = edges.filter((edge) => edge.source === point);
  return leaving.map((edge) => `<br>to point ${edge.target}: ${Math.round(100 * edge.share)} %`)
    .slice(0, 8).join("");
}

function pairsOf(array) {
  return Array.from({ length: array.shape[0] }, (_, i) => [array.data[2 * i], array.data[2 * i + 1]]);
}

// Rows by number of unstable directions, the stable points below.
function layers(unstable) {
  const sizes = new Map();
  const places = unstable.map((number) => {
    const position = sizes.get(number) ?? 0;
    sizes.set(number, position + 1);
    return [position, number];
  });
  return places.map(([position, number]) => [(position + 0.5) / sizes.get(number), number]);
}

function drawTraining(box, curves) {
  const data = [];
  for (const { name, training, color } of curves) {
    data.push({ type: "scatter", mode: "lines", x: [...training.step.data], name,
      y: [...training.loss.data], line: { color, width: 1.5 },
      hovertemplate: "step %{x}<br>loss %{y:.3g}<extra></extra>" });
  }
  return draw(box, data, baseLayout({ xaxis: { title: { text: "training step" } },
    yaxis: { title: { text: "loss" }, type: "log" }, showlegend: curves.length > 1 }));
}
