import { describe, expect, it, vi } from "vitest";

import { ApiError, createApi } from "../../src/api.js";

function answering(status: number, body: unknown) {
  return vi.fn<typeof fetch>(async () => Response.json(body, { status }));
}

describe("createApi", () => {
  it("places an order as JSON", async () => {
    const fetch = answering(202, { id: "1", status: "pending" });
    await expect(createApi(fetch).place("TEA-MINT", 2)).resolves.toEqual({ id: "1", status: "pending" });

    const [url, init] = fetch.mock.calls[0]!;
    expect([url, init?.method]).toEqual(["api/orders", "POST"]);
    expect(JSON.parse(String(init?.body))).toEqual({ sku: "TEA-MINT", quantity: 2 });
  });

  it("lets the api wait for the order to be settled", async () => {
    const fetch = answering(200, {});
    await createApi(fetch).settled("a/b", 20);
    expect(fetch.mock.calls[0]![0]).toBe("api/orders/a%2Fb?wait=20");
  });

  it("passes on the api's own explanation", async () => {
    const api = createApi(answering(503, { detail: "the queue cannot be reached" }));
    await expect(api.orders()).rejects.toThrow(new ApiError("the queue cannot be reached"));
  });

  it("names the field that is wrong", async () => {
    const detail = [{ loc: ["body", "quantity"], msg: "Input should be greater than 0" }];
    const api = createApi(answering(422, { detail }));
    await expect(api.place("TEA-MINT", 0)).rejects.toThrow("quantity: Input should be greater than 0");
  });

  it("names the status of an answer that explains nothing", async () => {
    const fetch = vi.fn<typeof globalThis.fetch>(async () => new Response("<h1>Bad Gateway</h1>", { status: 502 }));
    await expect(createApi(fetch).products()).rejects.toThrow("the api answered 502");
  });
});
