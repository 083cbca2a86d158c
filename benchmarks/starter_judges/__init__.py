"""The parts of `benchmarks.starters`: held-out jobs, judges and measures for the models that ship."""
