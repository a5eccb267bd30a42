"""Time and memory of a scan beside those of rg, on a generated repository. Run with `python -m benchmarks`."""
