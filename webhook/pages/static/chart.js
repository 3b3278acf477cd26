// The history of a product: its price and list price in steps, the threshold, times without stock, checks that failed.
"use strict";

class PriceChart extends HTMLElement {
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
    const { times, prices, list_prices, failed, unavailable, threshold, currency } = this.drawn;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const text = getComputedStyle(this).color;
    const grid = { stroke: colour("--pico-muted-border-color"), width: 1 };
    const amount = (plot, value) => (value == null ? "–" : `${value.toFixed(2)} ${currency}`);
    const steps = uPlot.paths.stepped({ align: 1 });
    const known = [...prices, ...list_prices, threshold].filter((value) => value != null);
    const lowest = known.length ? Math.min(...known) : 0;
    const series = [
      { label: "When" },
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
    this.plot = new uPlot({
      width: this.clientWidth || 320,
      height: 260,
      series,
      axes: [{ stroke: text, grid, ticks: grid }, { stroke: text, grid, ticks: grid, size: 60 }],
      cursor: { y: false },
      hooks: { drawClear: [(plot) => this.shade(plot, unavailable, times, colour("--quiet"))] },
    }, data, this);
    this.dataset.ready = "yes";
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

customElements.define("price-chart", PriceChart);
