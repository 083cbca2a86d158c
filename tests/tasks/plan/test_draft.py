"""Drawing up a plan: order leaves no trace, what cannot be honoured is set aside, the intent says what is wanted."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tasks.desk import LocalDesk
from tasks.kinds.base import Refused
from tasks.plan import draft as drafts
from tasks.plan.draft import Draft, draw_up
from tasks.settings import Settings
from tasks.specs import SpecError

ECHO = {"copy": "tests.support.engines:echo", "image": "tests.support.engines:paint"}
Draw = Callable[..., Draft]


def copy(job_id: str, **more: Any) -> dict[str, Any]:
    return {"job_id": job_id, "kind": "copy", "channel": "social", "product_name": f"Mug {job_id}", **more}


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """Draws up the plan of spec files given as lists of rows."""
    count = 0

    def drawn(*files: Sequence[dict[str, Any]], **options: Any) -> Draft:
        nonlocal count
        count += 1
        folder = tmp_path / str(count)
        folder.mkdir()
        names = []
        for number, rows in enumerate(files):
            names.append(folder / f"{number}.jsonl")
            names[-1].write_text("".join(json.dumps(row) + "\n" for row in rows))
        settings = Settings(**{"engines": ECHO, **options.pop("settings", {})})
        return draw_up([str(name) for name in names], LocalDesk(settings, folder), folder / "draft", **options)

    return drawn


def drawn_jobs(draft: Draft) -> list[tuple[Any, ...]]:
    return [(e.job_id, e.kind, e.variants, e.inputs) for n in range(draft.partitions) for e in draft.entries(n)]


def test_order_of_rows_and_files_leaves_no_trace(draw: Draw) -> None:
    rows = [copy(f"job-{n}", variants=1 + n % 3, meta_sku=n) for n in range(60)] + [copy("x", max_chars=1)]
    first = draw(rows)
    random.Random(3).shuffle(rows)
    second = draw(rows[:20], rows[20:])
    assert second.intent == first.intent
    assert drawn_jobs(second) == drawn_jobs(first)
    assert len(drawn_jobs(first)) == 60
    assert (first.rows, first.valid, first.quarantined) == (61, 60, 1)
    assert first.items == {"copy": 120}


def test_all_rows_that_share_an_id_are_set_aside_whatever_their_files(draw: Draw) -> None:
    one, other = [copy("a"), copy("b")], [copy("a", variants=2), copy("c")]
    drafts = [draw(one, other), draw(other, one)]
    for draft in drafts:
        assert [job[0] for job in sorted(drawn_jobs(draft))] == ["b", "c"]
        assert sorted(row.job_id or "" for row in draft.quarantine()) == ["a", "a"]
        assert (draft.rows, draft.valid, draft.quarantined) == (4, 2, 2)
    assert drafts[0].intent == drafts[1].intent


def test_the_intent_changes_with_what_is_wanted(draw: Draw) -> None:
    plain = [copy("a"), copy("b", meta_sku=1)]
    same = [
        draw(plain),
        draw(plain, settings={"workers": 9, "shard_items": 3}),
        draw([copy("a", temperature=0.8), copy("b", meta_sku=1, variants=1)]),  # the defaults, written out
    ]
    assert len({draft.intent for draft in same}) == 1
    others = [
        draw([copy("a")]),
        draw([copy("a", variants=2), copy("b", meta_sku=1)]),
        draw([copy("a", tone="warm"), copy("b", meta_sku=1)]),
        draw([copy("a", seed=1), copy("b", meta_sku=1)]),
        draw([copy("a"), copy("b", meta_sku=2)]),
        draw([copy("a"), copy("b")]),
        draw([copy("a2"), copy("b", meta_sku=1)]),
        draw([*plain, copy("c", max_chars=1)]),
        draw(plain, settings={"seed": 1}),
        draw(plain, settings={"max_attempts": 2}),
    ]
    assert len({same[0].intent, *(draft.intent for draft in others)}) == 1 + len(others)


def test_types_of_meta_columns_hold_every_value_of_every_file(draw: Draw) -> None:
    draft = draw(
        [copy("a", meta_int=1, meta_mixed=1, meta_number=1, meta_flag=True, meta_void=None)],
        [copy("b", meta_int=2, meta_mixed="x", meta_number=0.5, meta_flag=False, meta_other=True)],
        [copy("c", meta_int=None, meta_other=3)],
    )
    assert draft.meta == {
        "meta_flag": "bool", "meta_int": "int64", "meta_mixed": "string", "meta_number": "double",
        "meta_other": "string",
    }  # fmt: skip


def test_partitions_follow_the_number_of_items(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "ITEMS_PER_PARTITION", 10)
    assert draw([copy("a")]).partitions == 1
    assert draw([copy(f"job-{n}") for n in range(21)]).partitions == 4
    many = draw([copy("a", variants=1000), copy("b", variants=1000)])
    assert many.partitions == 256
    covered = [bucket for n in range(many.partitions) for bucket in many.buckets(n)]
    assert covered == list(range(256))
    assert len(drawn_jobs(many)) == 2


def test_a_source_that_is_missing_sets_its_row_aside_with_place_and_column(draw: Draw, tmp_path: Path) -> None:
    table = tmp_path / "one.csv"
    table.write_text("only\n1\n")
    draft = draw([copy("a"), {"job_id": "r", "kind": "records", "source": str(table)}])
    (row,) = draft.quarantine()
    assert (row.job_id, row.row, row.column) == ("r", 2, "source")
    assert draft.aside == [str(row)]


def test_strict_stops_at_what_only_planning_finds(draw: Draw, tmp_path: Path) -> None:
    table = tmp_path / "one.csv"
    table.write_text("only\n1\n")
    with pytest.raises(SpecError, match="source"):
        draw([{"job_id": "r", "kind": "records", "source": str(table)}], strict=True)
    with pytest.raises(SpecError, match="unique"):
        draw([copy("a"), copy("a")], strict=True)


def test_a_rows_own_model_sets_it_aside_and_the_settings_model_stops_the_run(draw: Draw, tmp_path: Path) -> None:
    rows = [{"job_id": "i", "kind": "image", "prompt": "a mug", "model": str(tmp_path / "none")}, copy("a")]
    draft = draw(rows, settings={"engines": {"copy": ECHO["copy"]}})
    assert [row.column for row in draft.quarantine()] == ["model"]
    assert draft.valid == 1
    del rows[0]["model"]
    with pytest.raises(Refused, match="no such model folder"):
        draw(rows, settings={"engines": {"copy": ECHO["copy"]}, "image_model": str(tmp_path / "none")})


def test_jobs_on_one_table_share_a_fit(draw: Draw, tmp_path: Path) -> None:
    for name in ("one", "same", "other"):
        (tmp_path / f"{name}.csv").write_text("a,b\n1,2\n3,4\n" + ("5,6\n" if name == "other" else ""))
    rows = [
        {"job_id": f"{name}-{n}", "kind": "records", "source": str(tmp_path / f"{name}.csv"), "rows": 5 + n}
        for name in ("one", "same", "other")
        for n in range(2)
    ]
    draft = draw(rows)
    assert draft.valid == 6
    assert len(draft.fits) == 2
    assert len(draft.groups) == 2


def test_limit(draw: Draw) -> None:
    assert draw([copy(f"job-{n}") for n in range(9)], limit=4).valid == 4
