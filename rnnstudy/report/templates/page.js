"use strict";
// Text of a part of an address. One that is cut in the middle of a letter stays as it is.
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
// Folded parts open for a link to what is in them, and for print.
function unfold(target) {
  for (let fold = target?.closest("details"); fold; fold = fold.parentElement?.closest("details")) {
    fold.open = true;
  }
}
function unfoldTarget() {
  const target = document.getElementById(decode(location.hash.slice(1)));
  if (!target?.closest("details:not([open])")) return;
  unfold(target);
  target.scrollIntoView();
}
addEventListener("hashchange", unfoldTarget);
unfoldTarget();
const opened = [];
addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details:not([open])")) {
    // Of details of one name, only one can be open.
    opened.push([fold, fold.getAttribute("name")]);
    fold.removeAttribute("name");
    fold.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const [fold, name] of opened.splice(0)) {
    fold.open = false;
    if (name !== null) fold.setAttribute("name", name);
  }
});
// A figure that is wider than a narrow window scrolls, also by keys.
function reachScrolled() {
  for (const paper of document.querySelectorAll("figure .paper")) {
    if (paper.scrollWidth > paper.clientWidth) paper.tabIndex = 0;
    else paper.removeAttribute("tabindex");
  }
}
addEventListener("load", reachScrolled);
addEventListener("resize", reachScrolled);
// A figure is read when its fold is open. These events do not bubble.
for (const kind of ["load", "toggle"]) document.addEventListener(kind, reachScrolled, true);
// A long table has its first rows in the page. The others are made when a reader scrolls, sorts or
// prints the table, or searches the page.
function showRows(table) {
  const others = table.parentElement.querySelector("script.rows");
  if (!others) return;
  table.tBodies[0].insertAdjacentHTML("beforeend", others.textContent);
  others.remove();
  table.dispatchEvent(new CustomEvent("rnnstudy:rows", { bubbles: true }));
}
function showAllRows() {
  for (const others of document.querySelectorAll("script.rows")) showRows(others.parentElement.querySelector("table"));
}
for (const others of document.querySelectorAll("script.rows")) {
  const box = others.parentElement;
  box.addEventListener("scroll", () => showRows(box.querySelector("table")), { once: true });
}
addEventListener("beforeprint", showAllRows);
addEventListener("keydown", (event) => {
  if (event.key === "F3" || ((event.ctrlKey || event.metaKey) && event.key === "f")) showAllRows();
});
// Tables: a click on a heading sorts by it, a second one the other way round.
function compareCells(a, b) {
  const x = a.dataset.sort, y = b.dataset.sort;
  if (x !== undefined && y !== undefined) {
    const p = Number(x.replace("inf", "Infinity")), q = Number(y.replace("inf", "Infinity"));
    if (Number.isNaN(p) || Number.isNaN(q)) return Number.isNaN(p) - Number.isNaN(q);
    return p < q ? -1 : p > q ? 1 : 0;
  }
  return a.textContent.localeCompare(b.textContent, "en", { numeric: true });
}
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const heading = button.closest("th"), table = button.closest("table");
    showRows(table);
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const place = heading.cellIndex, body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => compareCells(a.cells[place], b.cells[place]));
    body.append(...(down ? rows.reverse() : rows));
  });
}
// Figures: the picture for print is shown first; on demand a plot to hover, zoom and turn.
// Nothing of the study may leave the page: Plotly's button that uploads a plot is taken away.
const options = {
  responsive: true, displaylogo: false, plotlyServerURL: "", showSendToCloud: false,
};
// A point of a map is a network, a cell of a matrix a pair of them.
function tellNetworks(plot, layout, point) {
  const rows = layout.meta?.networks;
  const networks = rows ? point.pointNumber.map((row) => rows[row]) : [point.customdata];
  plot.dispatchEvent(new CustomEvent("rnnstudy:network", { bubbles: true, detail: networks }));
}
for (const button of document.querySelectorAll("button.explore")) {
  button.addEventListener("click", () => {
    const figure = button.closest("figure");
    const image = figure.querySelector("img"), plot = figure.querySelector(".plot");
    const open = plot.hidden;
    plot.hidden = !open;
    image.hidden = open;
    button.setAttribute("aria-pressed", String(open));
    button.textContent = open ? "Show the figure" : "Explore";
    const title = figure.querySelector("h4, h5").textContent;
    button.setAttribute("aria-label", `${button.textContent}: ${title}`);
    if (!open) {
      window.Plotly?.purge(plot);
      return;
    }
    Promise.all([read(plot.dataset.plot), loadPlotly()]).then(([content, library]) => {
      if (plot.hidden) return undefined;
      return library.newPlot(plot, content.data, content.layout, options).then(() => {
        plot.on("plotly_click", ({ points: [point] }) => tellNetworks(plot, content.layout, point));
      });
    }).catch((error) => { plot.textContent = error.message; });
  });
}
