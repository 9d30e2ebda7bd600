// Table of all networks. Only the rows in sight are in the page.
const ROW_HEIGHT = 34;
const EXTRA_ROWS = 8;
const PRINTED_ROWS = 1000;

function networkTable() {
  const columns = index.columns.filter((column) => column.name !== "left_out"
    && (column.kind === "name" || column.values.some((value) => !Number.isNaN(value))));
  const state = { by: null, isDown: false, order: [], picked: [] };
  const body = element("tbody");
  const heads = new Map();
  const scroller = element("div", { class: "scroll long networks", role: "group", tabindex: "0",
    "aria-label": "Table of networks" });
  const compare = element("p", { class: "remark", "aria-live": "polite" });
  const head = element("tr", {}, element("th", { scope: "col", class: "plain", text: "compare" }),
    ...["network", ...columns.map((column) => column.name)].map((name) => {
      const cell = element("th", { scope: "col" },
        element("button", { type: "button", text: name, onclick: () => sortBy(name) }));
      heads.set(name, cell);
      return cell;
    }));
  scroller.append(element("table", { "aria-rowcount": String(index.networks.length + 1) },
    element("thead", {}, head), body));
  scroller.addEventListener("scroll", () => requestAnimationFrame(rows));

  function sortBy(name) {
    state.isDown = state.by === name && !state.isDown;
    state.by = name;
    for (const [each, cell] of heads) {
      if (each === name) cell.setAttribute("aria-sort", state.isDown ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    update();
  }

  function update() {
    const order = [];
    for (let i = 0; i < selection.mask.length; i++) if (selection.mask[i]) order.push(i);
    if (state.by) order.sort(comparison(state.by));
    if (state.isDown) order.reverse();
    state.order = order;
    scroller.scrollTop = 0;
    rows();
  }

  function comparison(name) {
    const column = columnOf(name);
    if (!column) {
      const names = index.networks;
      return (a, b) => (names[a] < names[b] ? -1 : names[a] > names[b] ? 1 : 0);
    }
    const values = column.kind === "name" ? column.codes : column.values;
    return (a, b) => {
      const x = values[a], y = values[b];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a - b;
      return x - y || a - b;
    };
  }

  function rows() {
    const { order } = state;
    const height = scroller.clientHeight || 480;
    const first = Math.max(0, Math.floor(scroller.scrollTop / ROW_HEIGHT) - EXTRA_ROWS);
    const last = Math.min(order.length, first + Math.ceil(height / ROW_HEIGHT) + 2 * EXTRA_ROWS);
    const blank = (number) => element("tr", { class: "blank", "aria-hidden": "true",
      style: `height:${number * ROW_HEIGHT}px` });
    body.replaceChildren(blank(first), ...order.slice(first, last).map(row), blank(order.length - last));
  }

  function printRows() {
    if (scroller.isConnected) body.replaceChildren(...state.order.slice(0, PRINTED_ROWS).map(row));
    else stopPrinting();
  }

  function stopPrinting() {
    window.removeEventListener("beforeprint", printRows);
    window.removeEventListener("afterprint", rows);
  }

  window.addEventListener("beforeprint", printRows);
  window.addEventListener("afterprint", rows);

  function row(position, offset) {
    const name = index.networks[position];
    const box = element("input", { type: "checkbox", "aria-label": `compare ${name}`,
      onchange: () => pick(position, box.checked) });
    box.checked = state.picked.includes(position);
    return element("tr", { "data-network": name, style: `height:${ROW_HEIGHT}px` },
      element("td", {}, box), element("td", {}, networkLink(position)),
      ...columns.map((column) => element("td", { class: column.kind === "number" ? "number" : null,
        text: shown(valueOf(column, position)) })));
  }

  function pick(position, isOn) {
    state.picked = state.picked.filter((each) => each !== position);
    if (isOn) state.picked = [...state.picked, position].slice(-2);
    rows();
    const names = state.picked.map((each) => index.networks[each]);
    compare.replaceChildren(names.length === 2
      ? element("a", { href: compareHash(...names), text: `Compare ${names.join(" and ")}` })
      : names.length ? `${names[0]} is chosen. Choose a second network to compare.` : "");
  }

  const node = element("div", {}, compare, scroller);
  return { node, update };
}
