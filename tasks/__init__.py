"""The steps of the pipeline as plain Python: specs, plan, shards, commits, reports. Nothing here knows Prefect."""

import os

import pyarrow as pa

# Arrow's own allocator keeps what it once had, thread by thread. A run streams small tables for hours, so the system's
# allocator serves it as fast in half the memory. Whoever sets Arrow's variable keeps the choice.
if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
    pa.set_memory_pool(pa.system_memory_pool())
