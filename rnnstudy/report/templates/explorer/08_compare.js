// Two networks side by side.
async function compareView(container, names) {
  await readIndex();
  const positions = names.map((name) => networkPosition.get(name));
  const unknown = positions.indexOf(undefined);
  if (unknown >= 0) return missingNetwork(container, names[unknown]);
  if (names.length !== 2) {
    return notice(container, "No comparison",
      `A comparison has 2 networks, but the address has ${names.length}. Choose two in the table of all networks.`);
  }
  const entries = await Promise.all(positions.map(async (position) => ({
    position, network: await load(`networks/${position}`),
    task: await load(`tasks/${index.tasks.indexOf(taskOf(position))}`) })));
  document.title = `${names.join(" and ")} · ${index.study}`;
  begin(container,
    element("p", { class: "crumbs" }, element("a", { href: "#explore", text: "All networks" }),
      " · ", element("a", { href: compareHash(names[1], names[0]), text: "Exchange the two" })),
    element("h1", { tabindex: "-1", text: "Two networks" }),
    fieldTable(positions));
  const distances = element("p", { class: "remark" });
  container.append(distances);
  const turn = commonAxes(entries);
  const panel = networkPanel(entries, { turn });
  container.append(panel.node);
  await panel.draw();
  await showDistances(distances, positions);
  return undefined;
}

function fieldTable(positions) {
  const rows = index.columns.map((column) => {
    const values = positions.map((position) => shown(valueOf(column, position), 6));
    return { name: column.name, values, differs: values[0] !== values[1] };
  }).filter((row) => row.values.some((text) => text !== ""));
  const [first, second] = positions.map((position) => networkLink(position));
  return element("div", { class: "scroll", role: "group", tabindex: "0",
    "aria-label": "Fields of both networks" },
  element("table", {}, element("thead", {}, element("tr", {},
    element("th", { scope: "col", class: "plain", text: "field" }),
    element("th", { scope: "col", class: "plain" }, first),
    element("th", { scope: "col", class: "plain" }, second))),
  element("tbody", {}, ...rows.map((row) => element("tr", { class: row.differs ? "differs" : null },
    element("th", { scope: "row", class: "plain", text: row.name }),
    ...row.values.map((text) => element("td", { text })))))));
}

async function showDistances(node, positions) {
  const texts = [];
  for (const about of index.matrices) {
    if (about.task !== taskOf(positions[0])) continue;
    const matrix = await load(about.file).catch(() => null);
    if (!matrix) continue;
    const items = [...matrix.items.data];
    const [a, b] = positions.map((position) => items.indexOf(position));
    if (a < 0 || b < 0 || a === b) continue;
    texts.push(`${inWords(about.title)} ${shown(distanceAt(matrix, a, b), 3) || "not known"}`);
  }
  if (texts.length) node.textContent = `Distance: ${texts.join(", ")}.`;
}

// Axes of the first network for both: the states of the second are turned onto those of the first
// on the same trials, by the orthogonal matrix of least squares (Procrustes).
function commonAxes(entries) {
  const [first, second] = entries;
  if (first.task !== second.task || !first.network.space || !second.network.space) return null;
  const [a, b] = entries.map((entry) => numbers(entry.network.space.lines));
  if (a.length !== b.length) return null;
  const product = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];
  for (let row = 0; row < a.length; row += 3) {
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        const value = a[row + i] * b[row + j];
        if (Number.isFinite(value)) product[i][j] += value;
      }
    }
  }
  const matrix = nearestOrthogonal(product);
  const turned = coordinates({ data: b }, matrix);
  const range = [0, 1, 2].map((axis) => {
    let low = Infinity, high = -Infinity;
    for (let row = 0; row < a.length / 3; row++) {
      for (const value of [a[3 * row + axis], turned[axis][row]]) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    const margin = 0.08 * (high - low || 1);
    return [low - margin, high + margin];
  });
  return { matrix, range,
    text: "turns the second network onto the first, by the states on the shown trials" };
}

// Orthogonal factor of a matrix [3, 3], by Newton's iteration (Higham 1986). A small part of the
// identity keeps matrices of lower rank invertible.
function nearestOrthogonal(matrix) {
  const size = Math.max(...matrix.flat().map(Math.abs)) || 1;
  let x = matrix.map((row, i) => row.map((value, j) => value / size + (i === j ? 1e-9 : 0)));
  for (let step = 0; step < 100; step++) {
    const inverse = inverseTransposed(x);
    if (!inverse) break;
    const next = x.map((row, i) => row.map((value, j) => (value + inverse[i][j]) / 2));
    const change = Math.max(...next.flat().map((value, k) => Math.abs(value - x.flat()[k])));
    x = next;
    if (change < 1e-12) break;
  }
  return x;
}

function inverseTransposed([[a, b, c], [d, e, f], [g, h, i]]) {
  const cofactors = [
    [e * i - f * h, f * g - d * i, d * h - e * g],
    [c * h - b * i, a * i - c * g, b * g - a * h],
    [b * f - c * e, c * d - a * f, a * e - b * d]];
  const determinant = a * cofactors[0][0] + b * cofactors[0][1] + c * cofactors[0][2];
  if (!determinant) return null;
  return cofactors.map((row) => row.map((value) => value / determinant));
}
