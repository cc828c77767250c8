import { describe, expect, it } from "vitest";

import { escapeHtml, formatAge, formatPrice } from "../../src/format.js";

describe("formatPrice", () => {
  it.each([
    [0, "€0.00"],
    [5, "€0.05"],
    [790, "€7.90"],
    [123_456_789, "€1,234,567.89"],
  ])("shows %i cents as euros", (cents, shown) => {
    expect(formatPrice(cents)).toBe(shown);
  });

  it("shows a dash while there is no price", () => {
    expect(formatPrice(null)).toBe("–");
  });
});

describe("formatAge", () => {
  const now = new Date("2024-05-01T12:00:00Z");

  it.each([
    ["2024-05-01T11:59:01Z", "just now"],
    ["2024-05-01T11:59:00Z", "1 minute ago"],
    ["2024-05-01T11:01:00Z", "59 minutes ago"],
    ["2024-05-01T11:00:00Z", "1 hour ago"],
    ["2024-04-29T12:00:00Z", "2 days ago"],
  ])("names the largest unit since %s", (instant, shown) => {
    expect(formatAge(new Date(instant), now)).toBe(shown);
  });

  it("takes a clock that is ahead for now", () => {
    expect(formatAge(new Date("2024-05-01T12:00:30Z"), now)).toBe("just now");
  });
});

describe("escapeHtml", () => {
  it("leaves nothing that could open a tag or end an attribute", () => {
    expect(escapeHtml(`<b class="x">'&'</b>`)).toBe("&lt;b class=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/b&gt;");
  });
});
