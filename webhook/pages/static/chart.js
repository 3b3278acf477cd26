// Charts that are drawn from the attribute data-drawn of their element; the table beside each has the same figures.
"use strict";

class DrawnChart extends HTMLElement {
  connectedCallback() {
    this.drawn = JSON.parse(this.dataset.drawn);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.draw = this.draw.bind(this);
    this.dark.addEventListener("change", this.draw);
    this.sized = new ResizeObserver(() => {
      if (this.plot && this.clientWidth && this.plot.width !== this.clientWidth) {
        this.plot.setSize({ width: this.clientWidth, height: this.plot.height });
      }
    });
    this.draw();
    this.sized.observe(this);
  }

  disconnectedCallback() {
    this.dark.removeEventListener("change", this.draw);
    this.sized.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  draw() {
    this.plot?.destroy();
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: getComputedStyle(this).color };
    axis.grid = axis.ticks = { stroke: colour("--pico-muted-border-color"), width: 1 };
    const { data, series, scale, ...more } = this.options(colour);
    this.plot = new uPlot({
      width: this.clientWidth || 320,
      height: 260,
      series: [{ label: "When" }, ...series],
      axes: [axis, { ...axis, size: 60, ...scale }],
      cursor: { y: false },
      ...more,
    }, data, this);
    this.dataset.ready = "yes";
  }
}

// The history of a product: its price and list price in steps, the threshold, times without stock, checks that failed.
class PriceChart extends DrawnChart {
  options(colour) {
    const { times, prices, list_prices, failed, unavailable, threshold, currency } = this.drawn;
    const amount = (plot, value) => (value == null ? "–" : `${value.toFixed(2)} ${currency}`);
    const steps = uPlot.paths.stepped({ align: 1 });
    const known = [...prices, ...list_prices, threshold].filter((value) => value != null);
    const lowest = known.length ? Math.min(...known) : 0;
    const series = [
      { label: "Price", stroke: colour("--line"), width: 2, paths: steps, spanGaps: true, value: amount,
        points: { show: times.length < 60, size: 5 } },
      { label: "List price", stroke: colour("--list-price"), width: 1, dash: [6, 4], paths: steps, spanGaps: true,
        value: amount, points: { show: false } },
    ];
    const data = [times, prices, list_prices];
    if (threshold != null) {
      series.push({ label: "Threshold", stroke: colour("--good"), width: 1, dash: [2, 4], value: amount,
        points: { show: false } });
      data.push(times.map(() => threshold));
    }
    series.push({ label: "Failed check", stroke: colour("--bad"), paths: () => null,
      value: (plot, value) => (value == null ? "–" : "failed"),
      points: { show: true, size: 8, width: 2, fill: colour("--bad") } });
    data.push(failed.map((each) => (each ? lowest : null)));
    const hooks = { drawClear: [(plot) => this.shade(plot, unavailable, times, colour("--quiet"))] };
    return { data, series, hooks };
  }

  // Fill the background between a check that found the product out of stock and the next one.
  shade(plot, unavailable, times, colour) {
    const { ctx } = plot;
    const { top, height, left, width } = plot.bbox;
    ctx.save();
    ctx.globalAlpha = 0.18;
    ctx.fillStyle = colour;
    unavailable.forEach((is_so, index) => {
      if (!is_so) return;
      const from = Math.max(plot.valToPos(times[index], "x", true), left);
      const to = index + 1 < times.length ? plot.valToPos(times[index + 1], "x", true) : left + width;
      ctx.fillRect(from, top, Math.max(to - from, 2), height);
    });
    ctx.restore();
  }
}

// Figures over time: a line for each curve, with a gap where nothing is known; single points where no line may be drawn.
class DataChart extends DrawnChart {
  options(colour) {
    const { zone, unit, times, curves } = this.drawn;
    const colours = ["--line", "--list-price", "--good", "--bad", "--quiet"].map(colour);
    // Each curve of a chart has a dash of its own: no colour is needed to tell it from the others.
    const dashes = [[], [8, 4], [2, 4], [12, 4, 2, 4], [16, 8], [5, 5], [12, 4, 2, 4, 2, 4], [1, 8]];
    const said = (value) => (unit === "bytes" ? this.size(value) : value.toLocaleString(undefined, { maximumFractionDigits: 4 }));
    const series = curves.map(({ name, points }, index) => ({
      label: name.replaceAll("_", " "),
      stroke: colours[index % colours.length],
      width: 2,
      dash: dashes[index % dashes.length],
      value: (plot, value) => (value == null ? "–" : said(value)),
      ...(points
        ? { paths: () => null, points: { show: true, size: 9, width: 2 } }
        : { points: { show: times.length < 60, size: 5 } }),
    }));
    return {
      data: [times, ...curves.map((curve) => curve.values)],
      series,
      scale: { values: (plot, ticks) => ticks.map(said), size: 70 },
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
    };
  }

  size(count) {
    const units = ["B", "kB", "MB", "GB", "TB", "PB"];
    let place = 0;
    for (; count >= 1000 && place < units.length - 1; place++) count /= 1000;
    return `${count.toLocaleString(undefined, { maximumFractionDigits: 1 })} ${units[place]}`;
  }
}

customElements.define("price-chart", PriceChart);
customElements.define("data-chart", DataChart);
