/** Puts the page together: reads from the api, writes into the document. */

import { ApiError, createApi } from "./api.js";
import { renderOrders, renderProducts } from "./render.js";

const SETTLED_WITHIN_SECONDS = 20;

const api = createApi(window.fetch.bind(window));
const form = find<HTMLFormElement>("#new-order");
const select = find<HTMLSelectElement>("#new-order select");
const table = find("#orders");
const notice = find("#notice");

function find<T extends HTMLElement>(selector: string): T {
  const element = document.querySelector<T>(selector);
  if (element === null) {
    throw new Error(`the page has no ${selector}`);
  }
  return element;
}

async function refresh(): Promise<void> {
  const [products, orders] = await Promise.all([api.products(), api.orders()]);
  const chosen = select.value;
  select.innerHTML = renderProducts(products);
  if (chosen !== "") {
    select.value = chosen;
  }
  table.innerHTML = renderOrders(orders, products, new Date());
}

/** Runs `work`; what goes wrong is shown on the page. */
async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
    notice.textContent = "";
  } catch (error) {
    notice.textContent = error instanceof ApiError ? error.message : "The api cannot be reached.";
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const values = new FormData(form);
  void attempt(async () => {
    const order = await api.place(String(values.get("sku")), Number(values.get("quantity")));
    await refresh();
    await api.settled(order.id, SETTLED_WITHIN_SECONDS);
    await refresh();
  });
});

void attempt(refresh);
