"""PURE: what the engine answers, as the SDK hands it on, decoded into typed values."""
