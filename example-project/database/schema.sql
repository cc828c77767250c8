-- The tables that api and worker share. The database runs this once, when its storage is empty.

CREATE TABLE products (
    sku         text PRIMARY KEY,
    name        text NOT NULL,
    price_cents integer NOT NULL CHECK (price_cents >= 0),
    stock       integer NOT NULL CHECK (stock >= 0)
);

CREATE TABLE orders (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sku         text NOT NULL, -- no reference: an order for something we do not sell is kept, and rejected
    quantity    integer NOT NULL CHECK (quantity > 0),
    status      text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'done', 'rejected')),
    total_cents integer,
    reason      text,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at  timestamptz,
    CHECK ((status = 'done') = (total_cents IS NOT NULL)),
    CHECK ((status = 'rejected') = (reason IS NOT NULL)),
    CHECK ((status = 'pending') = (settled_at IS NULL))
);

CREATE INDEX orders_by_age ON orders (created_at DESC);
