// Plotly, which is loaded when a reader is about to ask for a plot: a file beside the page, or
// compressed in a page in one file.
let plotly = null;

function loadPlotly() {
  plotly ??= readPlotly().catch((error) => {
    plotly = null;
    throw error;
  });
  return plotly;
}

async function readPlotly() {
  const script = document.createElement("script"), inside = embedded("plotly");
  if (inside) {
    script.textContent = new TextDecoder().decode(await inflate(inside.textContent));
    document.head.append(script);
  } else {
    script.src = "plotly.min.js";
    await new Promise((resolve, reject) => {
      script.onload = resolve;
      script.onerror = () => reject(new Error("The file plotly.min.js cannot be read."));
      document.head.append(script);
    });
  }
  script.remove();
  return window.Plotly;
}

// A pointer or the focus on a way to a plot comes some tenths of a second before the click.
const WAYS = 'button.explore, a[href^="#explore"], a[href^="#network"], a[href^="#compare"]';
for (const kind of ["pointerover", "focusin", "touchstart"]) {
  document.addEventListener(kind, ({ target }) => {
    if (target.closest?.(WAYS)) loadPlotly().catch(() => {});
  }, { passive: true });
}
