"use strict";
// Charts over eras with uPlot: values on hover, series that are switched off, zoom by dragging.
class PageChart {
  constructor(place, data, eras) {
    this.place = place.querySelector(".drawing");
    this.title = place.querySelector("h3").textContent;
    this.data = data;
    this.eras = eras;
    this.values = [eras.map((_, at) => at)];
    for (const series of data.series) this.values.push(series.values, ...(series.band || []));
    this.place.replaceChildren();
    this.draw();
    new ResizeObserver(() => this.resize()).observe(this.place);
    PAGE.onColours(() => this.draw());
  }

  size() {
    const width = Math.max(240, this.place.clientWidth);
    return { width, height: Math.round(Math.min(340, Math.max(200, width * 0.5))) };
  }

  resize() {
    const { width } = this.size();
    if (this.plot && width !== this.plot.width) this.plot.setSize(this.size());
  }

  draw() {
    if (this.plot) this.plot.destroy();
    const [line, muted] = [PAGE.colour("line"), PAGE.colour("muted")];
    const axis = { stroke: muted, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const era = (value) => this.eras[Math.round(value)] ?? "";
    this.plot = new uPlot({
      ...this.size(),
      cursor: { sync: { key: "eras" }, y: false, drag: { x: true, y: false } },
      scales: { x: { time: false, range: (plot, low, high) => [low - 0.5, high + 0.5] } },
      axes: [
        { ...axis, space: 64, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500], values: (plot, marks) => marks.map(era) },
        { ...axis, size: 60 },
      ],
      series: [{ label: "era", value: (plot, value) => (value === null ? "–" : era(value)) }, ...this.series()],
      bands: this.bands(),
      hooks: { drawClear: [(plot) => this.drawMarks(plot)], draw: [(plot) => this.drawZero(plot)] },
    }, this.values, this.place);
    this.describe();
  }

  series() {
    const made = [], number = (plot, value) => (value === null || value === undefined ? "–" : value.toFixed(4));
    const dashes = { c1: [], c2: [6, 3], c3: [2, 2], c4: [6, 2, 2, 2], c5: [10, 3], c6: [1, 3] };
    for (const series of this.data.series) {
      const colour = PAGE.colour(series.colour);
      const bars = this.data.bars && { paths: uPlot.paths.bars({ size: [0.85, 40] }), fill: colour, points: { show: false } };
      made.push({ label: series.label, stroke: colour, width: this.data.bars ? 0 : 2, dash: dashes[series.colour], value: number, ...bars });
      for (const edge of series.band ? ["low", "high"] : []) {
        made.push({ label: `${series.label}, ${edge}`, class: "edge", stroke: colour, width: 0.5, points: { show: false }, value: number });
      }
    }
    return made;
  }

  bands() {
    const made = [];
    let at = 1;
    for (const series of this.data.series) {
      if (series.band) made.push({ series: [at + 2, at + 1], fill: PAGE.colour(series.colour) + "22" });
      at += series.band ? 3 : 1;
    }
    return made;
  }

  drawMarks(plot) {
    plot.ctx.fillStyle = PAGE.colour("mark");
    for (const [first, last] of this.data.marked) {
      const left = plot.valToPos(first - 0.5, "x", true), right = plot.valToPos(last - 0.5, "x", true);
      const { left: edge, top, width, height } = plot.bbox, from = Math.max(left, edge);
      if (right > from) plot.ctx.fillRect(from, top, Math.min(right, edge + width) - from, height);
    }
  }

  drawZero(plot) {
    const { left, top, width, height } = plot.bbox, y = plot.valToPos(0, "y", true);
    if (y < top || y > top + height) return;
    plot.ctx.strokeStyle = PAGE.colour("muted");
    plot.ctx.setLineDash([]);  // that of the last series is still set
    plot.ctx.beginPath();
    plot.ctx.moveTo(left, y);
    plot.ctx.lineTo(left + width, y);
    plot.ctx.stroke();
  }

  // The canvas has a name, and the keyboard switches series off and shows all eras again.
  describe() {
    const canvas = this.place.querySelector("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", this.title);
    for (const label of this.place.querySelectorAll(".u-legend .u-series:not(:first-child) th")) {
      label.setAttribute("tabindex", "0");
      label.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        label.click();
      });
    }
    const whole = PAGE.element("button", { type: "button", class: "whole" }, "All eras");
    whole.addEventListener("click", () => this.plot.setScale("x", { min: 0, max: this.eras.length - 1 }));
    this.plot.root.append(whole);
  }
}

for (const place of document.querySelectorAll("[data-chart]")) {
  new PageChart(place, PAGE.data.charts[place.dataset.chart], PAGE.data.eras);
}
