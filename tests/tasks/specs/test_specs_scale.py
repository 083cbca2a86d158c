"""A large spec file streams: memory stays flat however many rows it has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 200_000

PROGRAM = """
import sys
from pathlib import Path
from tasks.specs import read

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

count = most = start = 0
for job in read([sys.argv[1]], scratch=Path(".")):
    count += 1
    if count % 5_000 == 0:
        start = start or resident()
        most = max(most, resident())
print(count, (most - start) // 2**20)
"""


def test_memory_stays_flat(tmp_path: Path) -> None:
    numbers = range(ROWS)
    table = pa.table(
        {
            "job_id": [f"job-{i}" for i in numbers],
            "kind": pa.array(["copy"] * ROWS).dictionary_encode(),
            "channel": ["social"] * ROWS,
            "product_name": [f"Product {i}" for i in numbers],
            "features": [[f"made of material {i}", "soft to the touch"] for i in numbers],
            "facts": pa.array([[("price", f"${i}")] for i in numbers], pa.map_(pa.string(), pa.string())),
        }
    )
    # One row group, as pandas writes it: it must not be held at once.
    pq.write_table(table, tmp_path / "s.parquet", row_group_size=ROWS)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "s.parquet")],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    count, growth = map(int, done.stdout.split())
    assert count == ROWS
    assert growth < 30, f"resident memory grew by {growth} MiB"
