"""The orders api: takes orders over HTTP, keeps them in Postgres and queues them for the worker."""
