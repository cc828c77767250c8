import { describe, expect, it } from "vitest";

import type { Order, Product } from "../../src/api.js";
import { renderOrders, renderProducts } from "../../src/render.js";

const now = new Date("2024-05-01T12:00:00Z");

function product(changes: Partial<Product> = {}): Product {
  return { sku: "TEA-MINT", name: "Mint, 50 g", price_cents: 450, stock: 25, ...changes };
}

function order(changes: Partial<Order> = {}): Order {
  return {
    id: "0d1f3b1e-5c0e-4f7e-9d8c-2f6a1f0a7c11",
    sku: "TEA-MINT",
    quantity: 2,
    status: "done",
    total_cents: 900,
    reason: null,
    created_at: "2024-05-01T11:57:00Z",
    ...changes,
  };
}

describe("renderOrders", () => {
  it("shows a settled order with its product's name and its total", () => {
    expect(renderOrders([order()], [product()], now)).toBe(
      "<tr><td>3 minutes ago</td><td>Mint, 50 g</td><td>2</td><td>€9.00</td>" +
        '<td class="status-done">done</td></tr>',
    );
  });

  it("shows no total while an order is pending", () => {
    const rows = renderOrders([order({ status: "pending", total_cents: null })], [product()], now);
    expect(rows).toContain('<td>–</td><td class="status-pending">pending</td>');
  });

  it("says why an order was rejected", () => {
    const rejected = order({ status: "rejected", total_cents: null, reason: "only 1 in stock" });
    expect(renderOrders([rejected], [product()], now)).toContain("rejected: only 1 in stock");
  });

  it("falls back to the SKU of a product that is gone", () => {
    expect(renderOrders([order()], [], now)).toContain("<td>TEA-MINT</td>");
  });

  it("keeps the order it was given", () => {
    const rows = renderOrders([order({ quantity: 7 }), order({ quantity: 3 })], [product()], now);
    expect(rows.indexOf("<td>7</td>")).toBeLessThan(rows.indexOf("<td>3</td>"));
  });

  it("says so when there is nothing to show", () => {
    expect(renderOrders([], [], now)).toContain("No orders yet.");
  });

  it("shows a name with markup in it as text", () => {
    const rows = renderOrders([order()], [product({ name: "<img src=x onerror=alert(1)>" })], now);
    expect(rows).toContain("&lt;img src=x onerror=alert(1)&gt;");
    expect(rows).not.toContain("<img");
  });
});

describe("renderProducts", () => {
  it("offers each product with its price", () => {
    expect(renderProducts([product()])).toBe('<option value="TEA-MINT">Mint, 50 g, €4.50</option>');
  });

  it("shows what is out of stock without offering it", () => {
    expect(renderProducts([product({ stock: 0 })])).toBe(
      '<option value="TEA-MINT" disabled>Mint, 50 g, €4.50 (out of stock)</option>',
    );
  });
});
