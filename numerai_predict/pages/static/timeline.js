"use strict";
// The timeline of workers: every bar, with zoom, names on hover, and the row of a bar on a click.
class PageTimeline {
  static axis = 24;

  constructor(place, data) {
    this.place = place;
    this.data = data;
    this.failed = new Set(data.failed);
    this.names = PAGE.data.tables && new PageNames(PAGE.data.tables[data.table]);
    this.whole();
    this.build();
    this.draw();
  }

  build() {
    const make = PAGE.element;
    this.canvas = make("canvas", { role: "img", "aria-label": this.place.querySelector("svg title").textContent });
    const buttons = [
      ["Zoom in", () => this.zoom(0.5, 0.5)], ["Zoom out", () => this.zoom(2, 0.5)],
      ["Earlier", () => this.move(-0.5)], ["Later", () => this.move(0.5)], ["Whole", () => { this.whole(); this.draw(); }],
    ].map(([label, act]) => {
      const button = make("button", { type: "button" }, label);
      button.addEventListener("click", act);
      return button;
    });
    this.place.replaceChildren(make("div", { class: "tools zoom" }, ...buttons), this.canvas);
    new ResizeObserver(() => this.draw()).observe(this.canvas.parentElement);
    PAGE.onColours(() => this.draw());
    this.canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.share(event));
    }, { passive: false });
    this.canvas.addEventListener("pointerdown", (event) => { this.from = this.share(event); });
    this.canvas.addEventListener("pointerup", (event) => this.released(event));
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => PAGE.hint(""));
  }

  whole() {
    this.first = 0;
    this.span = this.data.seconds;
  }

  zoom(factor, at) {
    const span = Math.min(this.data.seconds, Math.max(this.data.seconds / 5000, this.span * factor));
    this.first += (this.span - span) * at;
    this.span = span;
    this.move(0);
  }

  move(share) {
    this.first = Math.max(0, Math.min(this.data.seconds - this.span, this.first + share * this.span));
    this.draw();
  }

  // Where an event is between the ends of the axis, from 0 to 1.
  share(event) {
    const box = this.canvas.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left - this.left) / (box.width - this.left - 8)));
  }

  // A drag zooms on the part between its ends, a click opens the row of a bar.
  released(event) {
    const to = this.share(event), from = this.from;
    if (from === undefined) return;
    this.from = undefined;
    if (Math.abs(to - from) < 0.01) {
      const bar = this.barAt(event);
      if (bar !== undefined && this.names) location.hash = PAGE.address([[this.data.table, this.names.of(this.data.row[bar])]]);
      return;
    }
    this.first += Math.min(from, to) * this.span;
    this.span = Math.max(this.data.seconds / 5000, Math.abs(to - from) * this.span);
    this.move(0);
  }

  barAt(event) {
    const lane = Math.floor((event.clientY - this.canvas.getBoundingClientRect().top - PageTimeline.axis) / this.lane);
    const time = this.first + this.share(event) * this.span, slack = this.span / 500;
    const { start, length } = this.data;
    for (let bar = 0; bar < start.length; bar++) {
      if (this.data.lane[bar] === lane && start[bar] - slack <= time && time <= start[bar] + length[bar] + slack) return bar;
    }
    return undefined;
  }

  hover(event) {
    const bar = this.barAt(event);
    this.canvas.classList.toggle("link", bar !== undefined);
    if (bar === undefined) return PAGE.hint("");
    const name = this.names ? this.names.of(this.data.row[bar]) : "";
    PAGE.hint(`${name}: ${this.failed.has(bar) ? "failed after" : "took"} ${PAGE.show.seconds(this.data.length[bar])}`, event);
  }

  draw() {
    const width = this.canvas.parentElement.clientWidth, { labels, lane, start, length } = this.data;
    this.lane = Math.min(20, Math.max(3, 480 / labels.length));
    this.left = width > 640 ? 230 : 0;
    const height = PageTimeline.axis + this.lane * labels.length + 4, sharp = devicePixelRatio || 1;
    this.canvas.width = width * sharp;
    this.canvas.height = height * sharp;
    this.canvas.style.height = `${height}px`;
    const pen = this.canvas.getContext("2d"), scale = (width - this.left - 8) / this.span;
    pen.scale(sharp, sharp);
    pen.font = "11px system-ui, sans-serif";
    this.drawAxis(pen, scale, height, width);
    this.drawLabels(pen, labels);
    pen.save();
    pen.beginPath();
    pen.rect(this.left, 0, width - this.left, height);
    pen.clip();
    for (const [colour, failed, least] of [["good", false, 0.3], ["bad", true, 2]]) {
      pen.fillStyle = PAGE.colour(colour);
      for (let bar = 0; bar < start.length; bar++) {
        if (this.failed.has(bar) !== failed) continue;
        const x = this.left + (start[bar] - this.first) * scale, size = Math.max(least, length[bar] * scale - 0.4);
        if (x < width && x + size > this.left) pen.fillRect(x, PageTimeline.axis + lane[bar] * this.lane, size, Math.max(2, this.lane - 4));
      }
    }
    pen.restore();
  }

  drawAxis(pen, scale, height, width) {
    const steps = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000, 36000, 86400].map((step) => [0.01 * step, step]).flat().sort((a, b) => a - b);
    const step = steps.find((each) => each * scale >= 90) || steps.at(-1);
    pen.strokeStyle = PAGE.colour("line");
    pen.fillStyle = PAGE.colour("muted");
    for (let time = Math.ceil(this.first / step) * step; time <= this.first + this.span; time += step) {
      const x = this.left + (time - this.first) * scale;
      pen.beginPath();
      pen.moveTo(x, 18);
      pen.lineTo(x, height);
      pen.stroke();
      const text = step < 1 ? `${time.toFixed(2)} s` : PAGE.show.clock(time);
      if (x + pen.measureText(text).width < width) pen.fillText(text, x, 12);
    }
  }

  drawLabels(pen, labels) {
    pen.fillStyle = PAGE.colour("ink");
    let free = 0;
    labels.forEach((label, lane) => {
      const y = PageTimeline.axis + lane * this.lane;
      if (!label || !this.left || y < free) return;
      const most = Math.floor((this.left - 8) / 6.2);
      pen.fillText(label.length <= most ? label : `${label.slice(0, most - 1)}…`, 0, y + 11);
      free = y + 12;
    });
  }
}

// The names of a table's rows.
class PageNames {
  constructor(table) {
    const stored = table.values[table.columns[0].key];
    this.of = (row) => (Array.isArray(stored) ? stored[row] : stored.distinct[stored.numbers[row]]);
  }
}

for (const place of document.querySelectorAll("[data-timeline]")) {
  new PageTimeline(place, PAGE.data.timeline);
}
