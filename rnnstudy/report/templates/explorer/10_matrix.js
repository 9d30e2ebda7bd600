// Matrix of distances on a canvas: one pixel for each pair of networks.
const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779",
  "#6ece58", "#b5de2b", "#fde725"];

const BAND_PIXELS = 2 ** 20;

// Distance of two networks; NaN if it is not known.
function distanceAt(matrix, a, b) {
  if (a === b) return 0;
  const { data, low, step, missing } = matrix.upper;
  const code = data[pairPosition(matrix.items.data.length, Math.min(a, b), Math.max(a, b))];
  return code === missing ? NaN : low + step * code;
}

// Position of a pair above the diagonal, row by row.
function pairPosition(size, first, second) {
  return first * size - (first * (first + 1)) / 2 + second - first - 1;
}

// Colour of each code of the matrix: little-endian red, green, blue, opaque. No number is blank.
function codeColours(missing) {
  const stops = VIRIDIS.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const colours = new Uint32Array(missing + 1);
  for (let code = 0; code < missing; code++) {
    const at = (code / Math.max(missing - 1, 1)) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2), share = at - low;
    const [r, g, b] = stops[low].map((part, k) => part + share * (stops[low + 1][k] - part));
    colours[code] = (255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r);
  }
  return colours;
}

function paintMatrix(canvas, matrix, order) {
  const size = order.length, total = matrix.items.data.length;
  canvas.width = canvas.height = Math.max(size, 1);
  const context = canvas.getContext("2d");
  const colours = codeColours(matrix.upper.missing), codes = matrix.upper.data;
  // Bands of rows: an image of all pairs of 3,000 networks would take 36 MB more.
  const height = Math.max(1, Math.floor(BAND_PIXELS / Math.max(size, 1)));
  for (let top = 0; top < size; top += height) {
    const rows = Math.min(height, size - top);
    const image = context.createImageData(size, rows);
    const pixels = new Uint32Array(image.data.buffer);
    for (let row = 0, pixel = 0; row < rows; row++) {
      const a = order[top + row];
      for (let column = 0; column < size; column++, pixel++) {
        const b = order[column];
        // A network has no distance to itself: the scale begins at the smallest one between two.
        if (a === b) continue;
        const at = a < b ? pairPosition(total, a, b) : pairPosition(total, b, a);
        pixels[pixel] = colours[codes[at]];
      }
    }
    context.putImageData(image, 0, top);
  }
}

// Colours and their distances, from the smallest one to the largest.
function scaleOf({ low, step, missing }) {
  if (!step) return [`All distances: ${shown(low, 3)}.`];
  const ramp = element("span", { class: "ramp", "aria-hidden": "true",
    style: `background:linear-gradient(to right,${VIRIDIS.join(",")})` });
  return [shown(low, 3), ramp, `${shown(low + step * (missing - 1), 3)}.`];
}

function paintStrip(canvas, items, order, name) {
  const column = columnOf(name);
  canvas.width = 1;
  canvas.height = Math.max(order.length, 1);
  if (!column) return;
  const context = canvas.getContext("2d");
  order.forEach((item, row) => {
    context.fillStyle = onPage(column.marks[column.codes[items[item]]][0]);
    context.fillRect(0, row, 1, 1);
  });
}

function matrixView(options) {
  const canvas = element("canvas", { class: "matrix", tabindex: "0", role: "img",
    "aria-label": "Matrix of distances" });
  const strip = element("canvas", { class: "strip", "aria-hidden": "true" });
  const status = element("p", { class: "remark", "aria-live": "polite" });
  const scale = element("p", { class: "scale" });
  const state = { matrix: null, order: [], by: "clustered", cursor: [0, 0], request: 0 };

  function ordered() {
    const { matrix } = state, items = matrix.items.data;
    let order = [...items.keys()];
    if (state.by === "clustered") order = [...matrix.clustered.data];
    const column = columnOf(state.by);
    if (column?.codes) {
      const rank = new Uint32Array(items.length);
      matrix.clustered.data.forEach((item, at) => { rank[item] = at; });
      order.sort((a, b) => column.codes[items[a]] - column.codes[items[b]] || rank[a] - rank[b]);
    }
    return isWhole() ? order : order.filter((item) => selection.mask[items[item]]);
  }

  function update() {
    if (!state.matrix) return;
    const { matrix } = state;
    state.order = ordered();
    paintMatrix(canvas, matrix, state.order);
    paintStrip(strip, matrix.items.data, state.order, options.colour);
    canvas.classList.toggle("coarse", state.order.length < 700);
    canvas.setAttribute("aria-label",
      `${inWords(matrix.title)} between ${state.order.length} networks. Arrow keys move, Enter `
      + "opens the pair.");
    scale.replaceChildren(...scaleOf(matrix.upper), " Blank: a network and itself, or no distance.");
    status.textContent = state.order.length ? "Click a cell to compare two networks."
      : "No selected network has these distances.";
  }

  function at(event) {
    const box = canvas.getBoundingClientRect(), size = state.order.length;
    const place = [event.clientY - box.top, event.clientX - box.left]
      .map((offset, k) => Math.floor((offset / (k ? box.width : box.height)) * size));
    return place.map((value) => Math.min(Math.max(value, 0), size - 1));
  }

  function tell([row, column]) {
    if (!state.order.length) return;
    state.cursor = [row, column];
    const items = state.matrix.items.data;
    const [a, b] = [state.order[row], state.order[column]];
    status.textContent = `${description(items[a]).join(", ")} × ${description(items[b]).join(", ")}: `
      + `distance ${shown(distanceAt(state.matrix, a, b), 3) || "not known"}`;
  }

  function open([row, column]) {
    if (!state.order.length) return;
    const items = state.matrix.items.data;
    const [a, b] = [row, column].map((place) => index.networks[items[state.order[place]]]);
    location.hash = a === b ? networkHash(a) : compareHash(a, b);
  }

  canvas.addEventListener("mousemove", (event) => state.order.length && tell(at(event)));
  canvas.addEventListener("click", (event) => state.order.length && open(at(event)));
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key === "Enter") return open(state.cursor);
    if (!(event.key in moves)) return undefined;
    event.preventDefault();
    const last = state.order.length - 1;
    return tell(state.cursor.map((value, k) => Math.min(Math.max(value + moves[event.key][k], 0), last)));
  });

  // A file that comes after another was asked for is not shown.
  async function show(file) {
    const request = ++state.request;
    status.textContent = "Loading …";
    const matrix = await load(file).catch((error) => error);
    if (request !== state.request) return;
    if (matrix instanceof Error) {
      status.textContent = matrix.message;
      return;
    }
    state.matrix = matrix;
    update();
  }

  function orderBy(name) {
    state.by = name;
    update();
  }

  const node = element("div", { class: "matrix-view" },
    element("div", { class: "matrix-frame" }, strip, canvas), scale, status);
  return { node, show, update, orderBy };
}
