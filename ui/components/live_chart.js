// Draws a Plotly figure and updates it in place, so that zoom, hidden traces and hover survive.
//
// Streamlit calls the default export at the first draw and again whenever the data or the theme
// changes. Everything that lives longer than one call is kept per chart node in `charts`.

const charts = new WeakMap();

// To the figure's own ranges. Plotly's own reset goes to those of the first figure drawn.
function reset(node, chart) {
  const { layout } = JSON.parse(chart.data.figure);
  const change = {};
  for (const axis of ["xaxis", "yaxis"]) {
    const range = layout[axis]?.range;
    change[range ? `${axis}.range` : `${axis}.autorange`] = range ?? true;
  }
  chart.Plotly.relayout(node, change);
}

const config = (node, chart, layout) => ({
  displaylogo: false,
  doubleClick: false, // see `reset`
  modeBarButtons: [
    [
      layout.scene
        ? "resetCameraDefault3d"
        : {
            name: "reset",
            title: chart.data.reset,
            icon: chart.Plotly.Icons.home,
            click: () => reset(node, chart),
          },
      "toImage",
    ],
  ],
  toImageButtonOptions: { scale: 2 },
});

// One <script> for the whole page, however many charts it holds. The address is relative to the
// page's, as Streamlit's own files are, so it also holds under server.baseUrlPath or a proxy.
function loadPlotly(address) {
  const loading = (window.__liveChartPlotly ??= {});
  return (loading[address] ??= run(new URL(address, document.baseURI)));
}

// The browser's copy is taken however old it is: the address names the version, and the server
// says nothing of how long it holds. Only a kept refusal is asked for again.
async function run(url) {
  let answer = await fetch(url, { cache: "force-cache" });
  if (!answer.ok) answer = await fetch(url, { cache: "reload" });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const script = document.createElement("script");
  script.src = URL.createObjectURL(await answer.blob());
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
  URL.revokeObjectURL(script.src);
  return window.Plotly;
}

// A scene without perspective is sized for a wide chart; it shrinks to fit a narrow one.
function fit(ratio, width, height) {
  const share = Math.min(1, width / (2.1 * height));
  for (const axis in ratio) ratio[axis] *= share;
}

const colours = (node) => {
  const style = getComputedStyle(node);
  const css = (name) => style.getPropertyValue(`--st-${name}`).trim();
  return {
    grid: css("border-color"),
    text: css("text-color"),
    family: css("font"),
    page: css("background-color"),
    box: css("secondary-background-color"),
  };
};

// What the figure itself leaves open comes from Streamlit's theme.
function themed(layout, { grid, text, family, page, box }) {
  const font = { color: text, family, size: 13 };
  const axis = {
    gridcolor: grid,
    linecolor: grid,
    zerolinecolor: grid,
    automargin: true,
    ticklabelstandoff: 5,
    title: { font: { size: 13 }, standoff: 10 },
  };
  layout.paper_bgcolor = page; // not transparent: a saved PNG needs it
  layout.template = {
    layout: {
      font,
      xaxis: axis,
      yaxis: axis,
      hoverlabel: { bgcolor: box, bordercolor: grid, font },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: text, activecolor: text },
    },
  };
  return layout;
}

async function draw(node, chart) {
  chart.frame = 0;
  if (!chart.Plotly || !node.isConnected) return;
  if (node._dragging) return schedule(node, chart); // a redraw would end the drag
  const { figure, height } = chart.data;
  const theme = colours(node);
  chart.width = node.clientWidth;
  // Streamlit calls again whenever it renders, which on a live page is for every look.
  const wanted = [figure, height, chart.width, ...Object.values(theme)].join();
  if (chart.wanted === wanted) return;
  chart.wanted = wanted;
  const { data, layout } = JSON.parse(figure);
  Object.assign(themed(layout, theme), { height, width: chart.width || undefined });
  if (layout.scene?.aspectratio) fit(layout.scene.aspectratio, chart.width || Infinity, height);
  chart.config ??= config(node, chart, layout);
  await chart.Plotly.react(node, data, layout, chart.config);
  if (!chart.listens) {
    node.on("plotly_doubleclick", () => reset(node, chart));
    chart.listens = true;
  }
  if (chart.drawn !== figure) {
    chart.drawn = figure;
    node.dataset.updates = Number(node.dataset.updates) + 1;
  }
}

function schedule(node, chart) {
  chart.frame ||= requestAnimationFrame(() => draw(node, chart));
}

function create(node, data) {
  const chart = { data };
  charts.set(node, chart);
  chart.observer = new ResizeObserver(() => {
    if (node.clientWidth !== chart.width) schedule(node, chart);
  });
  loadPlotly(data.plotly).then(
    (Plotly) => {
      chart.Plotly = Plotly;
      chart.observer.observe(node);
      schedule(node, chart);
    },
    () => {
      node.textContent = chart.data.unavailable;
      node.setAttribute("role", "status");
    },
  );
  return chart;
}

// The browser's click, for Plotly's own goes missing while a figure is being drawn.
function place(node, event) {
  const area = event.target.closest(".nsewdrag")?.getBoundingClientRect();
  const { xaxis, yaxis } = node._fullLayout ?? {};
  return area && [xaxis.p2d(event.clientX - area.left), yaxis.p2d(event.clientY - area.top)];
}

function destroy(node, chart) {
  cancelAnimationFrame(chart.frame);
  chart.observer.disconnect();
  chart.Plotly?.purge(node);
  charts.delete(node);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const node = parentElement.querySelector(".live-chart");
  if (!data.figure) {
    node?.remove(); // nothing to show: `load_ahead`
    (window.requestIdleCallback ?? setTimeout)(() => loadPlotly(data.plotly).catch(() => {}));
    return;
  }
  node.dataset.key = data.key;
  node.style.height = `${data.height}px`;
  node.dataset.clickable = data.clickable;
  node.onclick = (event) => {
    const at = data.clickable && place(node, event);
    if (at) setTriggerValue("clicked", at);
  };
  node.setAttribute("aria-label", data.label);

  const chart = charts.get(node) ?? create(node, data);
  chart.data = data;
  schedule(node, chart);

  // Streamlit also runs the cleanup of a call that a newer one overtook: only a node that has
  // left the page is really done with.
  return () => {
    if (!node.isConnected && charts.has(node)) destroy(node, chart);
  };
}
