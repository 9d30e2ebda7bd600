// Addresses: #network=NAME, #compare=A,B and #explore. All others are places of the report.
const report = document.getElementById("content");
const contents = document.querySelector("nav");
const explorer = document.getElementById("explorer");
const reportTitle = document.title;
let leave = null;
let reportScroll = 0;
let reportFocus = null;
let visit = 0;

function routeOf(hash) {
  const [, name, rest] = /^#(network|compare|explore)(?:=(.*))?$/s.exec(hash) ?? [];
  if (name === "network") return (box) => networkView(box, decode(rest ?? ""));
  if (name === "compare") {
    return (box) => compareView(box, (rest ?? "").split(",").map(decode));
  }
  if (name === "explore") return (box) => overviewView(box, rest ?? "");
  return null;
}

async function go() {
  const view = routeOf(location.hash);
  const number = ++visit;
  leave?.();
  leave = null;
  purge(explorer);
  explorer.replaceChildren();
  if (!view) return showReport();
  if (explorer.hidden) {
    reportScroll = window.scrollY;
    reportFocus = document.activeElement;
  }
  report.hidden = true;
  if (contents) contents.hidden = true;
  explorer.hidden = false;
  window.scrollTo(0, 0);
  const box = element("div", { class: "explorer-view" });
  explorer.append(box);
  try {
    const ended = await view(box);
    if (number !== visit) ended?.();
    else leave = ended ?? null;
  } catch (error) {
    if (number === visit) {
      begin(box, element("h1", { tabindex: "-1", text: "This view cannot be shown" }),
        element("p", { class: "failure", role: "alert", text: error.message }));
    }
  }
  return undefined;
}

function showReport() {
  if (explorer.hidden) return;
  explorer.hidden = true;
  report.hidden = false;
  if (contents) contents.hidden = false;
  document.title = reportTitle;
  releaseScenes();
  markReport();
  const target = location.hash.length > 1 && document.getElementById(
    decode(location.hash.slice(1)));
  if (target) target.scrollIntoView();
  else window.scrollTo(0, reportScroll);
  // The reader goes on from the link that led away.
  if (!target) reportFocus?.focus({ preventScroll: true });
}

// Rows of the report that stand for a network follow the selection.
function markReport() {
  if (!index) return;
  for (const row of report.querySelectorAll("tr[data-network]")) {
    const position = networkPosition.get(row.dataset.network);
    row.hidden = position !== undefined && !selection.mask[position];
  }
  const notice = document.getElementById("selection-notice");
  notice?.remove();
  if (isWhole()) return;
  report.prepend(element("p", { id: "selection-notice", class: "notice", role: "status" },
    `Tables show ${selection.count.toLocaleString("en")} of ${count(index.networks.length, "network")}. `,
    element("button", { type: "button", text: "Show all", onclick: () => {
      clearSelection();
      markReport();
    } })));
}

// A click on anything of the report that stands for a network opens it.
document.addEventListener("click", (event) => {
  const node = event.target.closest?.("[data-network]");
  if (!node || event.target.closest("a, button, input, select, label")) return;
  if (window.getSelection()?.toString()) return;
  location.hash = networkHash(node.dataset.network);
});
// Plots of the report tell which network was clicked.
document.addEventListener("rnnstudy:network", (event) => {
  readIndex().then(() => {
    const [first, second = first] = event.detail;
    if (!networkPosition.has(first) || !networkPosition.has(second)) return;
    location.hash = second === first ? networkHash(first) : compareHash(first, second);
  }, () => {});
});
window.addEventListener("hashchange", go);
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (!explorer.hidden) go();
});
document.addEventListener("rnnstudy:rows", markReport);
go();
