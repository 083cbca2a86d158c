"""What a report says, that it says no more than it should, and that it stays small for runs that are not."""

from __future__ import annotations

import html
import re
import tracemalloc
from pathlib import Path
from typing import Any

import orjson
import pytest
from report_runs import GOODS, Press, picture_row, quality, refused, showcase, text_row

from tasks import report
from tasks.commit import Commit, Object, Short, commit
from tasks.report.gather import gather
from tasks.report.tally import MAX_GIVEN_UP, count
from tasks.specs import Quarantined
from tasks.store import NotFound, Store, open_store


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def page_of(store: Store, run: str, scratch: Path) -> str:
    """The report's text as a reader sees it, in one line."""
    uri = report.write(store, run, scratch)
    assert uri == store.join(f"{run}/report/index.html")
    source = store.get(f"{run}/report/index.html").decode()
    bare = re.sub(r"<(style|script)>.*?</\1>", " ", source, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", bare)))


def test_tells_the_run_on_disk_and_on_s3(store: Store, tmp_path: Path) -> None:
    plan = showcase(store)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    shown = page_of(store, plan.run_id, scratch)
    for said in (
        "Fell short 42 of 43 items accepted; 1 given up; 2 spec rows set aside.",
        f"pressrun verify {store.join(plan.run_id)}",
        "headline_2 has 34 characters; 30 are allowed",
        "Harbor Mug by Tidewell",
        "autumn.parquet 17 chair copy max_chars is too small",
        "customers variant 0 4,000 rows",
        "Variant 1 was given up near duplicate 0.97 like variant 0; at most 0.85",
        "one colour image",
        "starter-copy",
        "float32",
        "2 min 35 s",
    ):
        assert said in shown
    assert list(scratch.iterdir()) == []


def test_counts_agree_with_the_manifest(local: Store, tmp_path: Path) -> None:
    plan = showcase(local)
    page = gather(local, plan.run_id, tmp_path)
    items = page.manifest["items"]
    assert (page.total.accepted, page.total.reused, page.total.given_up) == (
        items["accepted"], items["reused"], items["shortfall"],
    )  # fmt: skip
    assert page.total.refused == page.manifest["candidates"]["rejected"]
    assert page.total.tokens == page.manifest["tokens"]
    assert {tally.kind: tally.accepted for tally in page.kinds} == {
        kind: counts["accepted"] for kind, counts in items["kinds"].items()
    }
    assert page.batches == ["autumn"]


def test_unfinished_run_says_so_and_shows_what_stands(local: Store, tmp_path: Path) -> None:
    plan = showcase(local, finished=False)
    shown = page_of(local, plan.run_id, tmp_path)
    assert "Unfinished 27 of 43 items accepted; 1 given up; 15 still to make; 2 spec rows set aside." in shown
    assert "2 of 4 shards are committed" in shown
    assert "Harbor Mug by Tidewell" in shown


def test_run_without_any_commit_has_a_report(local: Store, tmp_path: Path) -> None:
    press = Press(local, "fresh")
    press.shard("copy", [{"job_id": "a", "kind": "copy", "product_name": "Mug", "channel": "sms"}], [], done=False)
    plan = press.freeze()
    assert "0 of 1 item accepted; 1 still to make" in page_of(local, plan.run_id, tmp_path)


def test_no_run_is_refused_with_advice(local: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="pressrun runs"):
        report.write(local, "nothing", tmp_path)


def test_can_be_written_again_and_leaves_the_run_alone(local: Store, tmp_path: Path) -> None:
    plan = showcase(local)
    before = {entry.key: entry.size for entry in local.list(f"{plan.run_id}/")}
    report.write(local, plan.run_id, tmp_path)
    report.write(local, plan.run_id, tmp_path)
    after = {entry.key: entry.size for entry in local.list(f"{plan.run_id}/")}
    assert set(after) - set(before) == {f"{plan.run_id}/report/index.html"}
    assert {key: after[key] for key in before} == before


def test_marks_what_was_made_before(local: Store, tmp_path: Path) -> None:
    page = gather(local, showcase(local).run_id, tmp_path)
    marked = {(job.job_id, v.number) for job in page.texts for v in job.variants if v.reused}
    assert marked == {("harbor-mug-000", 0), ("harbor-mug-000", 1)}


def test_lengths_are_graphemes_against_the_channel_and_the_job(local: Store, tmp_path: Path) -> None:
    press = Press(local, "lengths")
    jobs = [
        {"job_id": "ad", "kind": "copy", "channel": "search_ad", "product_name": "Mug"},
        {"job_id": "short", "kind": "copy", "channel": "social", "product_name": "Mug", "max_chars": 100},
        {"job_id": "free", "kind": "copy", "prompt": "Say something."},
    ]
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    rows = [
        text_row("ad", 0, "search_ad", {"headline_1": family * 31, "description_1": "e\u0301" * 5}),
        text_row("free", 0, None, {"text": "abc"}),
        text_row("short", 0, "social", {"text": "x" * 50}),
    ]
    press.shard("copy", jobs, rows)
    texts = {job.job_id: job for job in gather(local, press.freeze().run_id, tmp_path).texts}
    lengths = {name: [(f.length, f.limit) for f in job.variants[0].fields] for name, job in texts.items()}
    assert lengths == {"ad": [(31, 30), (5, 90)], "free": [(3, None)], "short": [(50, 100)]}
    assert texts["free"].title == "Say something."


def test_shows_a_bounded_spread_and_says_where_the_rest_stands(local: Store, tmp_path: Path) -> None:
    press = Press(local, "large")
    for shard in range(4):
        jobs = [{"job_id": f"job-{shard}-{i:03d}", "kind": "copy", "channel": "sms"} for i in range(150)]
        rows = [text_row(job["job_id"], 0, "sms", {"text": "hello there"}) for job in jobs]
        bad = [refused("copy", job["job_id"], "length", f"{job['job_id']} is long", output="x" * 5000) for job in jobs]
        press.shard("copy", jobs, rows, bad)
    press.set_aside([Quarantined("s.csv", i, f"q{i}", "copy", "channel", "no") for i in range(250)])
    page = gather(local, press.freeze().run_id, tmp_path)
    assert len(page.texts) == 200
    assert {job.job_id[:5] for job in page.texts} == {"job-0", "job-1", "job-2", "job-3"}
    assert len(page.refusals.rows) == len(page.set_aside) == 100
    assert [(rule.rule, rule.count, len(rule.examples)) for rule in page.refusals.rules] == [("length", 600, 3)]
    assert page.set_aside_columns == [("channel", 250)]
    shown = page_of(local, "large", tmp_path)
    assert "200 of 600 texts are shown, spread over the run. All of them stand in copy/part-*.parquet" in shown
    assert "100 of 600 refusals are shown" in shown
    assert "100 of 250 rows are shown" in shown
    assert len(local.get("large/report/index.html")) < 2_000_000


def test_pictures_that_are_missing_or_broken_do_not_stop_it(local: Store, tmp_path: Path) -> None:
    press = Press(local, "broken")
    jobs = [{"job_id": f"p{i}", "kind": "image", "prompt": "a mug"} for i in range(3)]
    rows, files = [], []
    for i, job in enumerate(jobs):
        row, made = picture_row(press, job["job_id"], 0, "a mug", i)
        rows.append(row)
        files.append(made)
    press.shard("image", jobs, rows, files=files)
    plan = press.freeze()
    local.delete([f"broken/{files[0].key}"])
    local.put(f"broken/{files[1].key}", b"\x89PNG\r\n\x1a\nand then nothing")
    page = gather(local, plan.run_id, tmp_path)
    assert [picture.image is None for picture in page.pictures] == [True, True, False]
    assert "cannot be shown" in page_of(local, plan.run_id, tmp_path)


def test_quality_of_another_shape_is_borne(local: Store, tmp_path: Path) -> None:
    plan = showcase(local)
    for figures in ({}, {"columns": [{}]}, {"shape": 0.5}, {"columns": [{"source": [20], "synthetic": [1]}]}):
        told = {"figures": figures, "parent": {"job": "players"}}
        local.put(f"{plan.run_id}/quality/customers-0.json", orjson.dumps(told))
        assert "customers" in page_of(local, plan.run_id, tmp_path)
    local.put(f"{plan.run_id}/quality/customers-0.json", b"{ no json")
    assert "customers" in page_of(local, plan.run_id, tmp_path)


def test_business_rules_stand_beside_how_far_the_source_keeps_them(local: Store, tmp_path: Path) -> None:
    plan = showcase(local)
    page = page_of(local, plan.run_id, tmp_path)
    assert "94.1 % of the drawn rows kept them at once" in page
    assert "0 orphans, 0 out of order" in page
    assert "5.37 for each on average, 5.41 in the source" in page
    assert "age ≤ retired" in page
    assert "3.1 %" in page
    local.put(f"{plan.run_id}/quality/customers-0.json", orjson.dumps({"constraints": [{"rule": "a < b"}]}))
    assert "a < b" in page_of(local, plan.run_id, tmp_path)


def test_what_betrays_a_set_and_what_it_teaches_is_shown_where_it_was_measured(local: Store, tmp_path: Path) -> None:
    plan = showcase(local)
    page = page_of(local, plan.run_id, tmp_path)
    assert "What betrays the table" in page
    assert "What the table is good for" in page
    for words in ("C2ST", "TSTR", "Nulls together", "AUC", "R²", "0.088", "0.905"):
        assert words in page, words
    figures = {"shape": 0.5, "c2st": None, "tstr": None, "betrayal": [{"name": "age"}], "utility": "none"}
    local.put(f"{plan.run_id}/quality/customers-0.json", orjson.dumps({"figures": figures}))
    (shown,) = gather(local, plan.run_id, tmp_path).data_sets
    assert [figure.name for figure in shown.figures] == ["shape"]
    assert shown.betrayal == shown.utility == []
    assert "What betrays the table" not in page_of(local, plan.run_id, tmp_path)


def test_attacks_are_told_where_there_were_any(local: Store, tmp_path: Path) -> None:
    plan = showcase(local)
    assert "Attacks with" not in page_of(local, plan.run_id, tmp_path)
    for leaks, words in (
        ({}, "did no better than chance"),
        ({"table.nearness.share": "rows are <closer>"}, "found something: rows are &lt;closer&gt;."),
    ):
        figures = {"copy_rate": 0.1, "membership": 0.61, "attacks": {"members": 9, "leaks": leaks},
                   "ceiling": {"copy_rate": 0.2, "membership": 0.5}}  # fmt: skip
        local.put(f"{plan.run_id}/quality/customers-0.json", orjson.dumps({"figures": figures}))
        report.write(local, plan.run_id, tmp_path)
        source = local.get(f"{plan.run_id}/report/index.html").decode()
        assert words in source
        assert "Membership" in source
        assert "<span>nothing leaks 0.500</span>" in source
        assert "<span>real data 0.200</span>" in source
    for odd in ("much", {"leaks": ["a"]}, None):
        told = {"figures": {"attacks": odd}}
        local.put(f"{plan.run_id}/quality/customers-0.json", orjson.dumps(told))
        assert "Attacks with" not in page_of(local, plan.run_id, tmp_path)


def test_rare_values_of_the_source_are_not_told(local: Store, tmp_path: Path) -> None:
    plan = showcase(local)
    told: dict[str, Any] = quality("customers")
    told["figures"]["columns"][1]["labels"][4] = "Only-Jane-Works-Here"
    local.put(f"{plan.run_id}/quality/customers-0.json", orjson.dumps(told))
    report.write(local, plan.run_id, tmp_path)
    source = local.get(f"{plan.run_id}/report/index.html")
    assert b"State-gov" in source
    assert b"Only-Jane-Works-Here" not in source


def test_fits_that_fail_are_told(local: Store, tmp_path: Path) -> None:
    press = Press(local, "unfit")
    job = {"job_id": "customers", "kind": "records", "source": "t.parquet"}
    why = {"job_id": None, "variant": None, "kind": "records", "stage": "fit", "rule": "engine", "attempt": None}
    lost = Short(job_id="customers", variant=0, content_key="k", attempts=0)
    press.shard("records", [job], [], [why | {"reason": "out of memory", "output": None}], shortfall=[lost])
    shown = page_of(local, press.freeze().run_id, tmp_path)
    assert "out of memory" in shown
    assert "0 of 1 item accepted; 1 given up" in shown


def test_memory_does_not_grow_with_the_run(local: Store) -> None:
    def peak(run: str, shards: int) -> int:
        press = Press(local, run)
        for i in range(shards):
            press.shard("copy", [{"job_id": f"{i}", "kind": "copy"}], [], done=False)
        plan = press.freeze()
        objects = [Object(key=f"files/job-{i}/0-00000000.png", sha256="0" * 64, size=1) for i in range(256)]
        lost = [Short(job_id=f"job-{i}", variant=0, content_key="0" * 64, attempts=4) for i in range(64)]
        for shard in plan.shards:
            commit(local, Commit(run_id=run, shard=shard.id, kind="copy", objects=objects, shortfall=lost))
        tracemalloc.start()
        try:
            sheet = count(local, plan, finished=True)
            assert sheet.total.given_up == 64 * shards
            assert len(sheet.given_up) == MAX_GIVEN_UP
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # Up to 64 commits are read ahead, more or fewer at a time by chance; all of them would be four times as much.
    assert peak("longer", 300) < 2 * peak("short", 75)


def test_everything_shown_is_escaped(local: Store, tmp_path: Path) -> None:
    tag = """<script>'"&</script>"""
    plan = showcase(local, goods=[name + tag for name in GOODS], tag=tag)
    report.write(local, plan.run_id, tmp_path)
    source = local.get(f"{plan.run_id}/report/index.html").decode()
    assert source.count("<script>") == source.count("</script>") == 1
    assert source.count("&lt;script&gt;") > 100
    assert "'\"&" not in source
