// Plots by plotly.
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
    legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom" },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("soft"), activecolor: ink("link") },
    ...changes,
    xaxis: { ...axis, ...changes.xaxis }, yaxis: { ...axis, ...changes.yaxis },
  };
}

// A narrow scene is seen from farther away, so that the words at its axes are not cut.
const NARROW = 500;

function cameraOf(box) {
  const far = box.clientWidth < NARROW ? 1.7 : 1;
  return { eye: { x: 1.2 * far, y: -1.6 * far, z: 0.9 * far }, center: { x: 0, y: 0, z: -0.1 } };
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
  // A scene of another view may have had another width.
  if (box.clientWidth && Math.abs(box._fullLayout.width - box.clientWidth) > 1) {
    await library.Plots.resize(box);
  }
  return box;
}

// Wait until what was changed is on the screen.
function nextFrame() {
  return new Promise((done) => {
    if (document.hidden) setTimeout(done);
    else requestAnimationFrame(() => setTimeout(done));
  });
}

// Scenes in space that no view shows. A scene is costly: shaders, letters as triangles, and one of
// the few contexts of WebGL that a browser has. The next network is drawn into it.
const MOST_SPARE_SCENES = 2;
const spareScenes = [];

function sceneBox(height, label) {
  const box = spareScenes.pop();
  if (!box) return plotBox(height, label);
  box.removeAllListeners("plotly_click");
  delete box.dataset.listens;
  box.style.height = `${height}px`;
  box.setAttribute("aria-label", label);
  return box;
}

function purge(container) {
  for (const box of container.querySelectorAll(".explorer-plot")) {
    if (!window.Plotly || !box.data) continue;
    if (box._fullLayout?.scene && spareScenes.length < MOST_SPARE_SCENES) {
      box.remove();
      spareScenes.push(box);
    } else {
      release(box);
    }
  }
  // The pixels of a matrix are given back at once.
  for (const canvas of container.querySelectorAll("canvas.matrix")) canvas.width = canvas.height = 0;
}

// Plotly leaves the contexts of WebGL to the garbage collector, which may be late.
function release(box) {
  const canvases = [...box.querySelectorAll("canvas")];
  window.Plotly.purge(box);
  for (const canvas of canvases) {
    canvas.getContext("webgl")?.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

// Paper has no scenes: each is printed as a picture. A plot is drawn for the window, so it is shrunk.
const PAPER_WIDTH = 680;

window.addEventListener("beforeprint", () => {
  for (const box of explorer.querySelectorAll(".explorer-plot")) {
    const width = box.clientWidth;
    box.style.setProperty("--drawn", `${width}px`);
    box.style.setProperty("--shrink", String(Math.min(1, PAPER_WIDTH / (width || 1))));
    const scene = box._fullLayout?.scene?._scene;
    if (scene) {
      box.append(element("img", { class: "printed", alt: "", src: scene.toImage("png") }));
    }
  }
});
window.addEventListener("afterprint", () => {
  for (const picture of explorer.querySelectorAll("img.printed")) picture.remove();
});

function releaseScenes() {
  for (const box of spareScenes.splice(0)) release(box);
}

function axisOf(number) {
  return number === 0 ? "" : String(number + 1);
}
