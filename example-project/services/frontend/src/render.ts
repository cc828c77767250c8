/** What the page shows, as HTML: plain functions of what the api gave. */

import type { Order, Product } from "./api.js";
import { escapeHtml, formatAge, formatPrice } from "./format.js";

/** The rows of the orders table, in the order given. */
export function renderOrders(orders: readonly Order[], products: readonly Product[], now: Date): string {
  if (orders.length === 0) {
    return '<tr><td colspan="5">No orders yet.</td></tr>';
  }
  const names = new Map(products.map(({ sku, name }) => [sku, name]));
  return orders.map((order) => renderOrder(order, names.get(order.sku) ?? order.sku, now)).join("");
}

function renderOrder(order: Order, name: string, now: Date): string {
  const status = order.reason === null ? order.status : `${order.status}: ${order.reason}`;
  return (
    `<tr><td>${formatAge(new Date(order.created_at), now)}</td>` +
    `<td>${escapeHtml(name)}</td>` +
    `<td>${order.quantity}</td>` +
    `<td>${formatPrice(order.total_cents)}</td>` +
    `<td class="status-${order.status}">${escapeHtml(status)}</td></tr>`
  );
}

/** The choices of the order form; what is out of stock can be seen, not chosen. */
export function renderProducts(products: readonly Product[]): string {
  return products
    .map(({ sku, name, price_cents, stock }) => {
      const label = `${name}, ${formatPrice(price_cents)}${stock === 0 ? " (out of stock)" : ""}`;
      return `<option value="${escapeHtml(sku)}"${stock === 0 ? " disabled" : ""}>${escapeHtml(label)}</option>`;
    })
    .join("");
}
