/** The api as the browser sees it: everything under /api. Money is whole cents. */

export interface Product {
  sku: string;
  name: string;
  price_cents: number;
  stock: number;
}

export interface Order {
  id: string;
  sku: string;
  quantity: number;
  status: "pending" | "done" | "rejected";
  total_cents: number | null;
  reason: string | null;
  created_at: string;
}

export interface Api {
  products(): Promise<Product[]>;
  orders(): Promise<Order[]>;
  place(sku: string, quantity: number): Promise<Order>;
  /** The order once it is settled, or as it stands after `seconds`. */
  settled(id: string, seconds: number): Promise<Order>;
}

/** What the api answered when it was not what we asked for; the message is for people. */
export class ApiError extends Error {}

export function createApi(fetch: typeof globalThis.fetch, base = "api"): Api {
  async function call<T>(path: string, init?: RequestInit): Promise<T> {
    const response = await fetch(`${base}/${path}`, init);
    if (!response.ok) {
      throw new ApiError(await explain(response));
    }
    return (await response.json()) as T;
  }

  return {
    products: () => call("products"),
    orders: () => call("orders"),
    place: (sku, quantity) =>
      call("orders", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ sku, quantity }),
      }),
    settled: (id, seconds) => call(`orders/${encodeURIComponent(id)}?wait=${seconds}`),
  };
}

/** FastAPI explains itself in `detail`: a sentence, or a list of what is wrong with which field. */
async function explain(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => null);
  const detail = (body as { detail?: unknown } | null)?.detail;
  if (typeof detail === "string") {
    return detail;
  }
  if (Array.isArray(detail)) {
    return detail.map(({ loc, msg }) => `${loc.at(-1)}: ${msg}`).join("; ");
  }
  return `the api answered ${response.status}`;
}
