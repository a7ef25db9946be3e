"""A seeded company with known truth, for tests, benchmarks and dry runs."""
