// Plots by plotly, which is loaded when the first one is drawn.
let plotly = null;

function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    const script = document.createElement("script");
    const inside = embedded("plotly");
    if (inside) {
      inflate(inside.textContent).then((buffer) => {
        script.textContent = new TextDecoder().decode(buffer);
        document.head.append(script);
        resolve(window.Plotly);
      }, reject);
      return undefined;
    }
    script.src = "plotly.min.js";
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("The file plotly.min.js cannot be read."));
    document.head.append(script);
    return undefined;
  });
  return plotly;
}

const PLOT_OPTIONS = {
  responsive: true, displaylogo: false, plotlyServerURL: "", showSendToCloud: false,
};

function baseLayout(changes = {}) {
  const grid = ink("line");
  const axis = { gridcolor: grid, zerolinecolor: grid, linecolor: grid, automargin: true };
  return {
    margin: { l: 55, r: 15, t: 10, b: 45 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12, color: ink("ink") },
    hoverlabel: { align: "left" }, hovermode: "closest",
    legend: { orientation: "h", y: -0.18 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("soft"), activecolor: ink("link") },
    ...changes,
    xaxis: { ...axis, ...changes.xaxis }, yaxis: { ...axis, ...changes.yaxis },
  };
}

function plotBox(height, label) {
  return element("div", {
    class: "explorer-plot", style: `height:${height}px`, role: "figure", "aria-label": label,
  });
}

async function draw(box, data, layout) {
  const library = await loadPlotly();
  if (!box.isConnected) return box;
  await library.react(box, data, layout, PLOT_OPTIONS);
  return box;
}

function purge(container) {
  for (const box of container.querySelectorAll(".explorer-plot")) {
    if (window.Plotly && box.data) window.Plotly.purge(box);
  }
}

function axisOf(number) {
  return number === 0 ? "" : String(number + 1);
}
