"use strict";
// Tables of the report. Texts become text nodes, never HTML: the page's policy would refuse anything else.
(() => {
const SIZES = [50, 200, 1000];
const SEVERITIES = ["error", "warning", "note", "none"];
const LABELS = {
  stream: "stream", capture: "capture", ts: "time (UTC)", client: "client", server: "server", server_name: "name (SNI)",
  version: "version", cipher: "cipher suite", mutual: "client cert", outcome: "outcome",
  subject: "subject", issuer: "issuer", not_before: "valid from", not_after: "valid until", key: "key",
  signature: "signature", by_server: "sent by servers", by_client: "sent by clients",
};
const NUMBERS = new Set(["stream", "by_server", "by_client"]);
const WIDE = new Set(["stream", "ts", "cipher", "mutual", "version", "capture", "key", "signature", "not_before", "by_server", "by_client"]);
const KEEP = new Set(["client", "server", "not_before", "not_after"]);
const data = JSON.parse(document.getElementById("data").textContent);
const strings = data.strings;
const lower = strings.map((text) => text.toLowerCase());
const collator = new Intl.Collator("en", {numeric: true});
let ranks = null; // place of each string in order: sorting rows then compares numbers

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function breakable(text) { // long words may be broken behind these, and only there
  const parts = text.split(text.length > 28 ? /(?<=[_/,.=@])/ : /(?<=[_/])/);
  return parts.flatMap((part, at) => (at ? [make("wbr"), part] : [part]));
}

function rankOf(index) {
  if (!ranks) {
    ranks = new Int32Array(strings.length);
    const order = Array.from(strings.keys()).sort((a, b) => collator.compare(strings[a], strings[b]));
    order.forEach((string, place) => { ranks[string] = place; });
  }
  return ranks[index];
}

function later(work) {
  let waiting = 0;
  return () => { clearTimeout(waiting); waiting = setTimeout(work, 120); };
}

class Table {
  // rows: arrays of numbers. heads: [{name, at, number}], what stands in columns. details: shown when a row is opened.
  constructor(host, options) {
    Object.assign(this, options);
    this.host = host;
    this.open = new Set();
    this.sort = {head: null, down: false};
    this.page = 0;
    this.size = SIZES[0];
    this.picked = new Map();
    this.heads = this.heads.filter((head) => head.name !== "capture" || this.values(head).length > 1);
    this.build();
    this.refresh();
  }

  values(head) {
    const seen = new Set();
    for (const row of this.rows) if (row[head.at] !== null) seen.add(row[head.at]);
    return [...seen].sort((a, b) => rankOf(a) - rankOf(b));
  }

  build() {
    this.search = make("input", {type: "search", autocomplete: "off", spellcheck: "false", id: this.id + "-search"});
    this.search.addEventListener("input", later(() => { this.page = 0; this.refresh(); }));
    const controls = make("div", {class: "controls"}, make("label", {}, "Search", this.search));
    for (const facet of this.facets) controls.append(this.facet(facet));
    controls.append(make("button", {type: "button", onclick: () => this.clear()}, "Clear"));
    this.status = make("p", {role: "status", class: "dim"});
    this.body = make("tbody");
    const line = make("tr", {}, make("th", {scope: "col", class: "more"}, make("span", {class: "hush"}, "open")));
    this.headCells = this.heads.map((head) => {
      const button = make("button", {type: "button", onclick: () => this.sortBy(head)}, LABELS[head.name] || head.name);
      const cell = make("th", {scope: "col", class: this.kind(head)}, button);
      line.append(cell);
      return cell;
    });
    const table = make("table", {}, make("caption", {}, this.caption), make("thead", {}, line), this.body);
    this.frame = make("div", {class: "frame", role: "region", tabindex: "0", "aria-label": this.caption}, table);
    this.host.append(controls, this.status, this.frame, this.pager());
  }

  kind(head) {
    return [head.number ? "number" : "", WIDE.has(head.name) ? "wide" : "", KEEP.has(head.name) ? "keep" : ""].join(" ").trim();
  }

  facet(facet) {
    const select = make("select", {id: this.id + "-" + facet.name}, make("option", {value: ""}, "all"));
    for (const [value, text] of facet.choices(this)) select.append(make("option", {value: String(value)}, text));
    select.addEventListener("change", () => {
      if (select.value === "") this.picked.delete(facet); else this.picked.set(facet, Number(select.value));
      this.page = 0;
      this.refresh();
    });
    facet.select = select;
    const label = make("label", {}, facet.label, select);
    if (select.options.length < 3 && !facet.always) label.hidden = true;
    return label;
  }

  pager() {
    const button = (text, move) => make("button", {type: "button", onclick: () => { this.page = move(); this.show(); }}, text);
    this.first = button("First", () => 0);
    this.before = button("Previous", () => this.page - 1);
    this.after = button("Next", () => this.page + 1);
    this.last = button("Last", () => this.pages - 1);
    this.where = make("span", {});
    const size = make("select", {id: this.id + "-size"}, ...SIZES.map((count) => make("option", {value: String(count)}, String(count))));
    size.addEventListener("change", () => { this.size = Number(size.value); this.page = 0; this.show(); });
    const label = make("label", {}, "Rows a page ", size);
    return make("nav", {class: "pages", "aria-label": "Pages: " + this.caption}, this.first, this.before, this.where, this.after, this.last, label);
  }

  clear() {
    this.search.value = "";
    this.picked.clear();
    for (const facet of this.facets) facet.select.value = "";
    this.group = null;
    this.page = 0;
    this.refresh();
  }

  pick(name, value) {
    this.clear();
    const facet = this.facets.find((one) => one.name === name);
    facet.select.value = String(value);
    this.picked.set(facet, value);
    this.refresh();
    this.host.scrollIntoView();
    this.frame.focus({preventScroll: true});
  }

  showGroup(group) {
    this.clear();
    this.group = group;
    this.refresh();
    this.host.scrollIntoView();
    this.frame.focus({preventScroll: true});
  }

  refresh() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const sets = words.map((word) => Uint8Array.from(lower, (text) => (text.includes(word) ? 1 : 0)));
    const picked = [...this.picked];
    this.found = [];
    this.rows.forEach((row, index) => {
      if (this.group !== null && this.group !== undefined && row[0] !== this.group) return;
      if (!picked.every(([facet, value]) => facet.holds(row, value))) return;
      if (sets.every((set) => this.texts(row).some((text) => set[text]))) this.found.push(index);
    });
    this.order();
    this.show();
  }

  order() {
    const {head, down} = this.sort;
    if (!head) return;
    const key = new Float64Array(this.rows.length);
    for (const index of this.found) {
      const value = this.rows[index][head.at];
      key[index] = value === null ? -1 : head.number ? value : rankOf(value);
    }
    this.found.sort((a, b) => (down ? key[b] - key[a] : key[a] - key[b]) || a - b);
  }

  sortBy(head) {
    this.sort = {head, down: this.sort.head === head && !this.sort.down};
    this.page = 0;
    this.order();
    this.show();
  }

  show() {
    this.pages = Math.max(1, Math.ceil(this.found.length / this.size));
    this.page = Math.min(Math.max(this.page, 0), this.pages - 1);
    const shown = this.found.slice(this.page * this.size, (this.page + 1) * this.size);
    this.body.replaceChildren(...shown.flatMap((index) => this.row(index)));
    this.headCells.forEach((cell, at) => {
      if (this.heads[at] === this.sort.head) cell.setAttribute("aria-sort", this.sort.down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    const count = (number) => number.toLocaleString("en");
    const narrowed = this.found.length === this.rows.length ? "" : " of " + count(this.rows.length);
    const from = this.page * this.size;
    const part = shown.length < this.found.length ? ", " + count(from + 1) + " to " + count(from + shown.length) + " shown" : "";
    this.status.textContent = count(this.found.length) + narrowed + (this.rows.length === 1 ? " row" : " rows") + part;
    this.where.textContent = "page " + count(this.page + 1) + " of " + count(this.pages);
    this.first.disabled = this.before.disabled = this.page === 0;
    this.last.disabled = this.after.disabled = this.page === this.pages - 1;
  }

  row(index) {
    const row = this.rows[index];
    const opened = this.open.has(index);
    const id = this.id + "-details-" + index;
    const button = make("button", {
      type: "button", "aria-expanded": String(opened), "aria-controls": id, "aria-label": "Details of " + this.naming(row),
      onclick: () => this.toggle(index, line, button),
    }, opened ? "−" : "+");
    const line = make("tr", {class: "row"}, make("td", {class: "more"}, button));
    for (const head of this.heads) line.append(make("td", {class: this.kind(head)}, ...this.cell(row, head)));
    return opened ? [line, this.details(index)] : [line];
  }

  cell(row, head) {
    const value = row[head.at];
    const text = value === null ? "" : head.number ? value.toLocaleString("en", {useGrouping: head.name !== "stream"}) : strings[value];
    if (head.name !== "outcome" || row[1] > 2) return KEEP.has(head.name) ? [text] : breakable(text);
    return [text + " ", make("span", {class: "badge " + SEVERITIES[row[1]]}, SEVERITIES[row[1]])];
  }

  toggle(index, line, button) {
    const opened = !this.open.has(index);
    if (opened) {
      this.open.add(index);
      line.after(this.details(index));
    } else {
      this.open.delete(index);
      line.nextElementSibling.remove();
    }
    button.setAttribute("aria-expanded", String(opened));
    button.textContent = opened ? "−" : "+";
  }

  details(index) {
    const row = this.rows[index];
    const cell = make("td", {colspan: String(this.heads.length + 1)});
    if (this.before_facts) cell.append(...this.before_facts(row));
    const facts = make("dl", {class: "facts"});
    const hidden = this.heads.filter((one) => WIDE.has(one.name)); // columns that a narrow window does not show
    for (const head of [...hidden, ...this.details_of]) {
      const value = row[head.at];
      if (value === null) continue;
      const text = head.number ? String(value) : strings[value];
      const where = hidden.includes(head) ? "narrow" : null;
      const name = LABELS[head.name] || head.name.replaceAll("_", " ");
      facts.append(make("div", {class: where}, make("dt", {title: head.meaning || null}, name), make("dd", {}, text)));
    }
    cell.append(facts);
    return make("tr", {class: "opened", id: this.id + "-details-" + index}, cell);
  }
}

const FIRST = 3; // before the heads: group, severity, findings
const heads = data.heads.map((name, at) => ({name, at: FIRST + at, number: NUMBERS.has(name)}));
const details = data.details.map(([name, meaning, number], at) => ({name, meaning, number, at: FIRST + data.heads.length + at}));
const headAt = (name) => heads.find((head) => head.name === name);

function connectionTexts(row) {
  const texts = [];
  for (let at = FIRST; at < row.length; at++) {
    if (row[at] !== null && !isNumber[at]) texts.push(row[at]);
  }
  for (const [number] of row[2]) texts.push(data.findings[number][1], data.findings[number][3]);
  return texts;
}
const isNumber = [];
for (const head of [...heads, ...details]) isNumber[head.at] = head.number;

function findings(row) {
  const parts = row[2].map(([number, frames]) => {
    const [severity, rule, confidence, summary, advice] = data.findings[number];
    const where = strings[frames] ? " · frames " + strings[frames] : "";
    const item = make("li", {class: "finding " + SEVERITIES[severity]}, make("p", {},
      make("span", {class: "badge " + SEVERITIES[severity]}, SEVERITIES[severity]), " ", make("strong", {}, strings[rule]), " ",
      make("span", {class: "dim"}, strings[confidence] + " confidence" + where)), make("p", {}, strings[summary]));
    if (strings[advice]) item.append(make("p", {class: "advice"}, make("b", {}, "What to do: "), strings[advice]));
    return item;
  });
  const shown = parts.length ? [make("ul", {class: "findings"}, ...parts)] : [];
  if (row[0] >= 0) shown.unshift(make("p", {}, make("a", {href: "#trouble-" + row[0]}, "Its ladder and certificates, or those of the first like it")));
  return shown;
}

function column(name, label) {
  const head = headAt(name);
  return {
    name, label,
    choices: (table) => table.values(head).map((value) => [value, strings[value]]),
    holds: (row, value) => row[head.at] === value,
  };
}

const connections = new Table(document.querySelector('[data-table="connections"]'), {
  id: "connections", caption: "Connections, one a row", rows: data.rows, heads, details_of: details, before_facts: findings,
  texts: connectionTexts,
  naming: (row) => "stream " + row[headAt("stream").at] + ", " + strings[row[headAt("client").at]] + " to " + strings[row[headAt("server").at]],
  facets: [
    column("outcome", "Outcome"),
    {
      name: "severity", label: "Severity",
      choices: (table) => SEVERITIES.map((word, rank) => [rank, word]).filter(([rank]) => table.rows.some((row) => row[1] === rank)),
      holds: (row, value) => row[1] === value,
    },
    {
      name: "rule", label: "Finding", always: true,
      choices: () => [...new Set(data.findings.map((finding) => finding[1]))].sort((a, b) => rankOf(a) - rankOf(b)).map((rule) => [rule, strings[rule]]),
      holds: (row, value) => row[2].some(([number]) => data.findings[number][1] === value),
    },
    column("version", "Version"),
    column("capture", "Capture"),
  ],
});

const certificateHeads = data.certificateHeads.map((name, at) => ({name, at, number: NUMBERS.has(name)}));
const certificateDetails = data.certificateDetails.map((name, at) => ({name, at: at + certificateHeads.length, number: false}));
const certificateTexts = [...certificateHeads, ...certificateDetails].filter((head) => !head.number).map((head) => head.at);
new Table(document.querySelector('[data-table="certificates"]'), {
  id: "certificates", caption: "Certificates, each once", rows: data.certificates, heads: certificateHeads, details_of: certificateDetails,
  texts: (row) => certificateTexts.map((at) => row[at]).filter((value) => value !== null),
  naming: (row) => strings[row[0]],
  facets: [],
  cell(row, head) {
    const value = row[head.at];
    return value === null ? [] : breakable(head.number ? value.toLocaleString("en") : strings[value]);
  },
});

// ---- the rest of the page ----

for (const node of document.querySelectorAll("[data-script]")) node.hidden = false;
for (const node of document.querySelectorAll("[data-rule]")) {
  const rule = strings.indexOf(node.dataset.rule);
  if (rule < 0) continue;
  node.replaceChildren(make("button", {type: "button", class: "link", onclick: () => connections.pick("rule", rule)}, node.dataset.rule));
}
for (const node of document.querySelectorAll("[data-group]")) {
  node.addEventListener("click", () => connections.showGroup(Number(node.dataset.group)));
}
const theme = document.getElementById("theme");
theme.addEventListener("change", () => {
  if (theme.value) document.documentElement.dataset.theme = theme.value; else delete document.documentElement.dataset.theme;
});
document.getElementById("print").addEventListener("click", () => print());

const troubles = [...document.querySelectorAll("details.trouble")];
if (troubles.length) {
  const search = document.getElementById("trouble-search");
  const texts = [];
  search.addEventListener("input", later(() => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    troubles.forEach((block, at) => {
      texts[at] = texts[at] || block.textContent.toLowerCase();
      block.hidden = !words.every((word) => texts[at].includes(word));
      shown += !block.hidden;
    });
    document.getElementById("trouble-count").textContent = shown + " of " + troubles.length;
  }));
  const all = (open) => () => { for (const block of troubles) block.open = open; };
  document.getElementById("open-all").addEventListener("click", all(true));
  document.getElementById("close-all").addEventListener("click", all(false));
}

function follow() { // a link to a closed block opens it
  const block = /^#trouble-\d+$/.test(location.hash) ? document.querySelector(location.hash) : null;
  if (block) { block.hidden = false; block.open = true; block.scrollIntoView(); }
}
addEventListener("hashchange", follow);
follow();

let closed = []; // on paper everything is open
addEventListener("beforeprint", () => { closed = troubles.filter((block) => !block.open); for (const block of closed) block.open = true; });
addEventListener("afterprint", () => { for (const block of closed) block.open = false; });
})();
