"use strict";
// Tables: search, filters, sorting, rows drawn as they scroll into view, details, copies as CSV.
class PageTable {
  static rowHeight = 33;
  static texts = ["text", "state", "tags"];

  constructor(place, data) {
    this.place = place;
    this.data = data;
    this.values = {};
    for (const column of data.columns) {
      const stored = data.values[column.key];
      this.values[column.key] = Array.isArray(stored)
        ? stored : stored.numbers.map((number) => stored.distinct[number]);
    }
    this.shown = data.columns.filter((column) => !column.details_only);
    this.names = this.values[data.columns[0].key];
    this.rowOf = new Map(this.names.map((name, row) => [name, row]));
    const texts = data.columns.filter((column) => PageTable.texts.includes(column.kind));
    this.search = this.names.map((_, row) => texts.map((column) => this.values[column.key][row] ?? "").join("\n").toLowerCase());
    this.sort = { key: null, down: false };
    this.build();
    addEventListener("hashchange", () => this.follow());
    addEventListener("beforeprint", () => this.draw(1000));
    addEventListener("afterprint", () => this.draw());
    this.follow();
  }

  build() {
    const make = PAGE.element;
    this.query = make("input", { type: "search", autocomplete: "off" });
    this.count = make("output", { "aria-live": "polite" });
    this.filters = this.data.columns.filter((column) => column.filter).map((column) => this.filterOf(column));
    const copy = make("button", { type: "button" }, "Copy as CSV");
    copy.addEventListener("click", () => this.copy(copy));
    const tools = make("div", { class: "tools" }, make("label", {}, "Search", this.query));
    for (const { column, select } of this.filters) tools.append(make("label", { class: "short" }, column.label, select));
    tools.append(copy, this.count);
    this.query.addEventListener("input", () => this.filtered());
    this.detail = make("section", { class: "detail", hidden: true, tabindex: "-1" });
    this.body = make("tbody");
    this.head = make("tr", {}, ...this.shown.map((column) => this.headOf(column)));
    const table = make("table", { "aria-rowcount": this.names.length + 1 }, make("thead", {}, this.head), this.body);
    this.scroll = make("div", { class: "rows", tabindex: "0", role: "region", "aria-label": `Table: ${this.data.name}` }, table);
    this.scroll.addEventListener("scroll", () => requestAnimationFrame(() => this.draw()));
    this.body.addEventListener("keydown", (event) => this.moved(event));
    addEventListener("resize", () => this.draw());
    this.place.replaceChildren(tools, this.detail, this.scroll);
  }

  filterOf(column) {
    const counts = new Map();
    for (const value of this.values[column.key]) {
      for (const part of PageTable.partsOf(column, value)) counts.set(part, (counts.get(part) || 0) + 1);
    }
    const options = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 500);
    const select = PAGE.element("select", {}, PAGE.element("option", { value: "" }, "all"));
    for (const [value, count] of options) {
      if (value !== null && value !== "") select.append(PAGE.element("option", { value }, `${value} (${count.toLocaleString("en-US")})`));
    }
    select.addEventListener("change", () => this.filtered());
    return { column, select };
  }

  // What a filter offers of a value: each of several tags.
  static partsOf(column, value) {
    return column.kind === "tags" ? value.split(" ") : [value];
  }

  headOf(column) {
    const button = PAGE.element("button", { type: "button" }, column.label);
    const kinds = [column.secondary && "secondary", !PageTable.texts.includes(column.kind) && "n"];
    const head = PAGE.element("th", { scope: "col", class: kinds.filter(Boolean).join(" ") }, button);
    head.dataset.key = column.key;
    button.addEventListener("click", () => {
      this.sort = { key: column.key, down: this.sort.key === column.key && !this.sort.down };
      this.filtered();
    });
    return head;
  }

  // Take filters and the chosen row from the address.
  follow() {
    const fragment = PAGE.fragment();
    this.query.value = fragment.get("search") || "";
    for (const { column, select } of this.filters) select.value = fragment.get(column.key) || "";
    const sort = fragment.get("sort") || "";
    const key = sort.replace(/^-/, "");
    if (this.data.columns.some((column) => column.key === key)) this.sort = { key, down: sort.startsWith("-") };
    this.chosen = this.rowOf.get(fragment.get(this.data.name));
    this.apply();
    if (this.data.columns.some((column) => fragment.has(column.key) && column.filter)) this.place.scrollIntoView();
    this.showDetail(fragment.get(this.data.name));
  }

  fragment(name) {
    const values = [["search", this.query.value.trim()]];
    for (const { column, select } of this.filters) values.push([column.key, select.value]);
    values.push(["sort", this.sort.key ? (this.sort.down ? "-" : "") + this.sort.key : ""], [this.data.name, name || ""]);
    return PAGE.address(values);
  }

  filtered() {
    history.replaceState(null, "", this.fragment(this.chosen === undefined ? "" : this.names[this.chosen]));
    this.scroll.scrollTop = 0;
    this.apply();
  }

  apply() {
    const words = this.query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = this.filters.filter(({ select }) => select.value).map(({ column, select }) => [column, select.value]);
    this.rows = [];
    for (let row = 0; row < this.names.length; row++) {
      if (words.every((word) => this.search[row].includes(word)) && wanted.every(([column, value]) => PageTable.partsOf(column, this.values[column.key][row]).includes(value))) this.rows.push(row);
    }
    this.sortRows();
    this.count.textContent = `${this.rows.length.toLocaleString("en-US")} of ${this.names.length.toLocaleString("en-US")}`;
    for (const head of this.head.children) {
      const sorted = head.dataset.key === this.sort.key;
      if (sorted) head.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    this.draw();
  }

  sortRows() {
    const values = this.values[this.sort.key];
    if (!values) return;
    const sign = this.sort.down ? -1 : 1;
    this.rows.sort((a, b) => {
      const left = values[a], right = values[b];
      if (left === right) return a - b;
      if (left === null) return 1;
      if (right === null) return -1;
      return left < right ? -sign : sign;
    });
  }

  // Draw the rows in view; for print so many from the first on.
  draw(printed) {
    const height = PageTable.rowHeight, view = Math.ceil(Math.max(this.scroll.clientHeight, 600) / height);
    const first = printed ? 0 : Math.max(0, Math.min(Math.floor(this.scroll.scrollTop / height) - 8, this.rows.length - view));
    const last = Math.min(this.rows.length, printed || first + view + 16);
    const drawn = this.rows.slice(first, last).map((row, number) => this.rowElement(row, first + number + 2));
    if (!drawn.length) drawn.push(PAGE.element("tr", {}, PAGE.element("td", {}, "No row fits.")));
    const focused = this.body.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    this.body.replaceChildren(this.space(first * height), ...drawn, this.space(printed ? 0 : (this.rows.length - last) * height));
    if (focused) this.body.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  space(height) {
    const cell = PAGE.element("td");
    const row = PAGE.element("tr", { class: "space", "aria-hidden": "true", hidden: height <= 0 }, cell);
    cell.style.height = `${height}px`;
    return row;
  }

  rowElement(row, number) {
    const cells = this.shown.map((column, position) => {
      const value = this.values[column.key][row], text = PAGE.show[column.kind](value);
      const kinds = [column.secondary && "secondary", typeof value === "number" && "n"].filter(Boolean).join(" ");
      const inside = PAGE.element("bdi", column.kind === "state" ? { class: `state ${value}` } : {}, text);
      const shown = position ? inside : PAGE.element("a", { href: this.fragment(value) }, inside);
      return PAGE.element("td", { class: kinds || undefined, title: text.length > 24 && text }, shown);
    });
    return PAGE.element("tr", { "aria-rowindex": number, class: row === this.chosen && "chosen" }, ...cells);
  }

  // The arrow keys go from row to row.
  moved(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = step && event.target.closest("tr");
    const next = row && (step > 0 ? row.nextElementSibling : row.previousElementSibling);
    const link = next && next.querySelector("a");
    if (!link) return;
    event.preventDefault();
    link.focus();
  }

  showDetail(name) {
    if (name === null) return void (this.detail.hidden = true);
    const make = PAGE.element, row = this.chosen;
    const close = make("a", { href: this.fragment("") || "#" }, "Close");
    const title = make("h3", {}, make("bdi", {}, name));
    this.detail.hidden = false;
    if (row === undefined) {
      this.detail.replaceChildren(title, make("p", {}, `This page has no such ${this.data.name}.`), close);
    } else {
      const facts = make("dl");
      for (const column of this.data.columns.slice(1)) {
        const value = this.values[column.key][row];
        if (value === null || value === "") continue;
        facts.append(make("dt", {}, column.label), make("dd", {}, make("bdi", {}, PAGE.show[column.kind](value))));
      }
      const files = this.filesOf(row).flatMap(([label, href]) => [make("a", { href }, label), " "]);
      this.detail.replaceChildren(title, facts, make("p", {}, ...files, close), ...this.logOf(row));
    }
    this.detail.scrollIntoView({ block: "nearest" });
    this.detail.focus({ preventScroll: true });
  }

  logOf(row) {
    const make = PAGE.element, text = this.data.logs[row];
    if (text === undefined) return [];
    const summary = make("summary", {}, "Last lines of the log");
    return [make("details", { class: "log", open: true }, summary, make("pre", { tabindex: "0" }, text))];
  }

  filesOf(row) {
    const has = (runs) => runs.some((first, at) => at % 2 === 0 && first <= row && row <= runs[at + 1]);
    return this.data.files.filter((file) => has(file.rows))
      .map((file) => [file.label, file.path.replace("{}", encodeURIComponent(this.names[row]))]);
  }

  async copy(button) {
    const line = (cells) => cells.map(PageTable.csvCell).join(",");
    const lines = [line(this.data.columns.map((column) => column.label))];
    for (const row of this.rows) lines.push(line(this.data.columns.map((column) => this.values[column.key][row])));
    const text = lines.join("\r\n") + "\r\n";
    let copied = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = PAGE.element("textarea", { "aria-label": "CSV" });
      area.value = text;
      document.body.append(area);
      area.select();
      copied = document.execCommand("copy");
      area.remove();
    }
    button.textContent = copied ? "Copied" : "The browser does not allow it";
    setTimeout(() => { button.textContent = "Copy as CSV"; }, 2000);
  }

  // A text that a spreadsheet would take for a formula gets an apostrophe in front.
  static csvCell(value) {
    if (value === null) return "";
    if (typeof value === "number") return String(value);
    const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }
}

for (const place of document.querySelectorAll("[data-table]")) {
  new PageTable(place, PAGE.data.tables[place.dataset.table]);
}
