// Charts of a CI: one time axis for all, drawn from what the server says, kept current while they are seen.
import * as echarts from "../vendor/echarts.js";

const EVERY_MS = 15_000;
const holders = [...document.querySelectorAll("[data-chart]")];
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const scaled = (value, unit) => {
  if (value === null || value === undefined) return "–";
  if (unit === "share") return `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %`;
  if (unit !== "bit/s") return `${Number(value.toPrecision(4))} ${unit}`.trim();
  const prefixes = ["", "k", "M", "G", "T"];
  let at = 0;
  let rest = value;
  while (Math.abs(rest) >= 1000 && at < prefixes.length - 1) {
    rest /= 1000;
    at += 1;
  }
  return `${Number(rest.toPrecision(3))} ${prefixes[at]}bit/s`;
};

const options = (holder, data) => {
  const unit = holder.dataset.unit;
  const soft = style("--wk-soft");
  const line = style("--wk-line");
  return {
    animation: false,
    aria: { enabled: true },
    color: [1, 2, 3, 4, 5, 6].map((n) => style(`--wk-chart-${n}`)),
    grid: { left: 74, right: 16, top: 34, bottom: 28 },
    legend: { top: 0, type: "scroll", textStyle: { color: soft } },
    tooltip: {
      trigger: "axis",
      valueFormatter: (value) => scaled(value, unit),
      backgroundColor: style("--wk-raised"),
      borderColor: line,
      textStyle: { color: style("--wk-text") },
    },
    xAxis: {
      type: "time",
      min: data.from,
      max: data.to,
      axisLabel: { color: soft, hideOverlap: true },
      axisLine: { lineStyle: { color: line } },
    },
    yAxis: {
      type: "value",
      min: unit === "share" || unit === "bit/s" ? 0 : null,
      axisLabel: { color: soft, formatter: (value) => scaled(value, unit) },
      splitLine: { lineStyle: { color: line } },
    },
    dataZoom: [{ type: "inside", filterMode: "none" }],
    series: data.lines.map((each) => ({
      name: each.title,
      type: "line",
      // A line of one point is no line: the first sample of a new device shows as a dot.
      showSymbol: each.points.length < 2,
      connectNulls: false,
      sampling: "lttb",
      areaStyle: holder.dataset.filled === "yes" ? { opacity: 0.12 } : undefined,
      lineStyle: { width: 1.6 },
      data: each.points,
    })),
  };
};

const charts = new Map();
const draw = async (holder) => {
  const answer = await fetch(holder.dataset.chart, { headers: { "WK-Background": "true" } });
  if (!answer.ok) return;
  const data = await answer.json();
  const empty = data.lines.every((each) => each.points.length === 0);
  holder.parentElement.querySelector("[data-empty]").hidden = !empty;
  let chart = charts.get(holder);
  if (!chart) {
    chart = echarts.init(holder);
    chart.group = "ci";
    charts.set(holder, chart);
  }
  chart.setOption(options(holder, data), { replaceMerge: ["series"] });
};

const drawAll = () => {
  if (!document.hidden) for (const holder of holders) draw(holder).catch(() => {});
};
if (holders.length) {
  drawAll();
  echarts.connect?.("ci");
  setInterval(drawAll, EVERY_MS);
  window.addEventListener("resize", () => {
    for (const chart of charts.values()) chart.resize();
  });
  document.addEventListener("wk:theme", drawAll);
}
