"""Makes the example specs in this folder: a small campaign, a table of invented customers to imitate, and three tables
that are declared by a schema alone.

Run `python examples/make.py [FOLDER]`; the same seed gives the same rows.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 2026
CUSTOMERS = 3_000

# id, name, brand, category, features, facts, audience, tone
PRODUCTS: list[tuple[str, str, str, str, list[str], dict[str, str], str, str]] = [
    (
        "harbor-mug", "Harbor Mug", "Tidewell", "mug",
        ["hand-glazed finish", "keeps coffee warm", "dishwasher safe"],
        {"material": "stoneware", "color": "blue", "capacity": "350 ml", "price": "$18"},
        "people who work from home", "warm",
    ),
    (
        "lumen-lamp", "Lumen Desk Lamp", "Norrsken", "lamp",
        ["dimmable light", "folding arm", "no tools needed"],
        {"material": "metal", "color": "yellow", "height": "42 cm", "price": "$64"},
        "students", "clear",
    ),
    (
        "alder-chair", "Alder Chair", "Fjord & Finch", "chair",
        ["curved back", "stacks in a corner", "oiled by hand"],
        {"material": "wood", "color": "brown", "seat height": "45 cm", "price": "$149"},
        "small kitchens", "calm",
    ),
    (
        "strider-shoe", "Strider Shoe", "Velo", "shoe",
        ["light sole", "breathable upper", "washable"],
        {"material": "fabric", "color": "red", "sizes": "36 to 47", "price": "$79"},
        "city walkers", "energetic",
    ),
    (
        "market-bag", "Market Bag", "Tidewell", "bag",
        ["wide straps", "inside pocket", "folds flat"],
        {"material": "fabric", "color": "green", "capacity": "20 l", "price": "$24"},
        "weekly shoppers", "friendly",
    ),
    (
        "summit-bottle", "Summit Bottle", "Velo", "bottle",
        ["leakproof lid", "fits most cup holders", "free of plastic taste"],
        {"material": "metal", "color": "teal", "capacity": "600 ml", "price": "$29"},
        "hikers", "energetic",
    ),
    (
        "dune-vase", "Dune Vase", "Norrsken", "vase",
        ["matte surface", "narrow neck", "every piece is different"],
        {"material": "ceramic", "color": "beige", "height": "24 cm", "price": "$38"},
        "people who love flowers", "calm",
    ),
    (
        "ember-candle", "Ember Candle", "Fjord & Finch", "candle",
        ["cotton wick", "glass to keep", "cedar scent"],
        {"burning time": "40 hours", "color": "orange", "weight": "220 g", "price": "$21"},
        "quiet evenings", "warm",
    ),
]  # fmt: skip

# Each product on the channels where a shop would run it.
CHANNELS: dict[str, list[str]] = {
    "harbor-mug": ["product_page", "social", "search_ad"],
    "lumen-lamp": ["product_page", "seo"],
    "alder-chair": ["product_page", "email"],
    "strider-shoe": ["social", "sms", "push"],
    "market-bag": ["product_page", "social"],
    "summit-bottle": ["search_ad", "push"],
    "dune-vase": ["product_page", "seo"],
    "ember-candle": ["email", "sms"],
}

PICTURES = {
    "harbor-mug": "on a wooden table",
    "lumen-lamp": "on a dark background",
    "alder-chair": "on a white background",
    "strider-shoe": "on a concrete floor",
    "market-bag": "in front of a brick wall",
    "dune-vase": "on a pastel blue background",
}

CAMPAIGN = pa.schema(
    [
        ("job_id", pa.string()),
        ("kind", pa.string()),
        ("variants", pa.int64()),
        ("channel", pa.string()),
        ("product_name", pa.string()),
        ("brand_name", pa.string()),
        ("category", pa.string()),
        ("features", pa.list_(pa.string())),
        ("facts", pa.map_(pa.string(), pa.string())),
        ("audience", pa.string()),
        ("tone", pa.string()),
        ("must_avoid", pa.list_(pa.string())),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("meta_campaign", pa.string()),
    ]
)


def campaign() -> pa.Table:
    """Copy jobs on all channels, and pictures of 256 × 256 pixels, for invented products."""
    rows: list[dict[str, Any]] = []
    for key, name, brand, category, features, facts, audience, tone in PRODUCTS:
        common = {"product_name": name, "brand_name": brand, "category": category, "meta_campaign": "autumn"}
        for channel in CHANNELS[key]:
            rows.append(
                {
                    "job_id": f"{key}-{channel}",
                    "kind": "copy",
                    "variants": 2,
                    "channel": channel,
                    "features": features,
                    "facts": list(facts.items()),
                    "audience": audience,
                    "tone": tone,
                    "must_avoid": ["cheap", "best in the world"],
                    **common,
                }
            )
        if key in PICTURES:
            visible = [*((word, facts[word]) for word in ("color", "material")), ("setting", PICTURES[key])]
            size = {"width": 256, "height": 256}
            rows.append({"job_id": f"{key}-image", "kind": "image", "variants": 1, "facts": visible, **size, **common})
    return pa.Table.from_pylist(rows, schema=CAMPAIGN)


def customers() -> pa.Table:
    """Invented customers of a shop, with the relations a real table has: plan, age, orders and spending go together."""
    rng = np.random.default_rng(SEED)
    n = CUSTOMERS
    country = rng.choice(["DE", "FR", "NL", "SE", "PT"], n, p=[0.38, 0.27, 0.17, 0.11, 0.07])
    age = np.clip(rng.gamma(9, 4.6, n), 18, 88).round().astype(int)
    business = rng.random(n) < np.where(age > 30, 0.22, 0.08)
    plan = np.where(business, "business", np.where(rng.random(n) < 0.35, "plus", "basic"))
    days = (rng.beta(1.2, 1.8, n) * 1_800).astype(int)
    signup = [dt.date(2025, 12, 31) - dt.timedelta(days=int(d)) for d in days]
    rate = np.select([plan == "business", plan == "plus"], [9.0, 4.5], 1.8)
    orders = rng.poisson(rate * (0.3 + days / 900))
    basket = np.exp(rng.normal(3.4, 0.35, n) + 0.6 * business)
    spend = [round(float(o * b), 2) if o else None for o, b in zip(orders, basket, strict=True)]
    last = [
        s + dt.timedelta(days=int(d * rng.beta(3, 1.4))) if o else None
        for s, d, o in zip(signup, days, orders, strict=True)
    ]
    newsletter = rng.random(n) < np.where(plan == "basic", 0.25, 0.6)
    asked = rng.random(n) < np.where(orders > 0, 0.45, 0.05)
    happy = np.clip(np.round(7.2 + 0.9 * (plan == "plus") - 0.02 * (age - 40) + rng.normal(0, 1.4, n)), 0, 10)
    return pa.table(
        {
            "customer_id": pa.array(np.arange(1, n + 1), pa.int64()),
            "signup": pa.array(signup, pa.date32()),
            "country": pa.array(country, pa.string()),
            "age": pa.array([int(a) if rng.random() > 0.04 else None for a in age], pa.int64()),
            "plan": pa.array(plan, pa.string()),
            "newsletter": pa.array(newsletter, pa.bool_()),
            "orders": pa.array(orders, pa.int64()),
            "spend": pa.array(spend, pa.float64()),
            "last_order": pa.array(last, pa.date32()),
            "rating": pa.array([int(h) if a else None for h, a in zip(happy, asked, strict=True)], pa.int64()),
        }
    )


def records() -> pa.Table:
    """One job that imitates the customers, who stand in the file beside it."""
    job = {"job_id": "customers", "kind": "records", "source": "customers.parquet", "rows": 1_000}
    return pa.Table.from_pylist([{**job, "primary_key": "customer_id"}])


def declared(job_id: str, rows: int, schema: dict[str, Any], **job: Any) -> pa.Table:
    """One job whose table is declared by a schema; no source is needed."""
    text = json.dumps(schema, ensure_ascii=False)
    return pa.Table.from_pylist([{"job_id": job_id, "kind": "records", "schema": text, "rows": rows, **job}])


def patients() -> pa.Table:
    """Stays in a hospital: wards by age, longer stays of older patients, discharge after admission."""
    wards = [
        {"below": 16, "then": {"paediatrics": 1}},
        {"below": 60, "then": {"surgery": 0.5, "medicine": 0.35, "orthopaedics": 0.15}},
        {"then": {"medicine": 0.5, "surgery": 0.25, "geriatrics": 0.25}},
    ]
    return declared(
        "patients",
        2_000,
        {
            "columns": [
                {"name": "patient_id", "type": "integer", "distribution": {"kind": "sequence", "start": 1_001}},
                {"name": "record", "type": "text", "template": "P-{patient_id:06}"},
                {"name": "name", "type": "text", "template": "{first_name} {last_name}"},
                {"name": "sex", "type": "category", "values": {"f": 0.51, "m": 0.49}},
                {"name": "age", "type": "integer",
                 "distribution": {"kind": "normal", "mean": 52, "sd": 21, "min": 0, "max": 99}},
                {"name": "ward", "type": "category", "given": {"column": "age", "bands": wards}},
                {"name": "stay_days", "type": "integer",
                 "distribution": {"kind": "lognormal", "median": 4, "sigma": 0.8, "min": 1, "max": 120}},
                {"name": "admitted", "type": "date",
                 "distribution": {"kind": "uniform", "min": "2025-01-01", "max": "2025-12-31"}},
                {"name": "discharged", "type": "date", "formula": "admitted + stay_days"},
                {"name": "height_cm", "type": "integer", "nulls": 0.05,
                 "distribution": {"kind": "normal", "mean": 170, "sd": 7, "min": 50, "max": 210},
                 "given": {"column": "sex", "values": {"f": {"mean": 165}, "m": {"mean": 178}}}},
                {"name": "emergency", "type": "boolean", "values": {"true": 0.3, "false": 0.7}},
            ],
            "correlations": [{"columns": ["age", "stay_days"], "value": 0.4}],
        },
        primary_key="patient_id",
    )  # fmt: skip


def invoices() -> pa.Table:
    """Invoices whose amounts add up and that are paid after they were sent, if at all."""
    return declared(
        "invoices",
        2_000,
        {
            "columns": [
                {"name": "invoice_id", "type": "integer", "distribution": {"kind": "sequence"}},
                {"name": "number", "type": "text", "template": "{issued:%Y}-{invoice_id:06}"},
                {"name": "customer", "type": "text", "template": "{company}"},
                {"name": "email", "type": "text",
                 "template": "{first_name|ascii|lower}.{last_name|slug}@{pick:example.com,example.org,example.net}"},
                {"name": "issued", "type": "date",
                 "distribution": {"kind": "uniform", "min": "2025-01-01", "max": "2025-12-31"}},
                {"name": "plan", "type": "category", "values": {"basic": 0.6, "plus": 0.3, "business": 0.1}},
                {"name": "quantity", "type": "integer", "distribution": {"kind": "poisson", "mean": 3, "min": 1}},
                {"name": "price", "type": "decimal",
                 "distribution": {"kind": "lognormal", "median": 20, "sigma": 0.5, "min": 1, "max": 5_000},
                 "given": {"column": "plan", "values": {"plus": {"median": 45}, "business": {"median": 160}}}},
                {"name": "vat_rate", "type": "decimal",
                 "distribution": {"kind": "choice", "values": [0.25, 0.12, 0.06], "weights": [8, 1, 1]}},
                {"name": "net", "type": "decimal", "formula": "price * quantity"},
                {"name": "vat", "type": "decimal", "formula": "round(net * vat_rate, 2)"},
                {"name": "total", "type": "decimal", "formula": "net + vat"},
                {"name": "days_to_pay", "type": "integer", "nulls": 0.08,
                 "distribution": {"kind": "exponential", "mean": 18, "max": 120}},
                {"name": "paid", "type": "date", "formula": "issued + days_to_pay"},
            ],
        },
        primary_key="invoice_id",
        constraints=json.dumps(
            [{"sum": ["net", "vat"], "equals": "total"}, {"column": "total", "min": 5}], ensure_ascii=False
        ),
    )  # fmt: skip


def quizzes() -> pa.Table:
    """Sums to work out, with their answers and how pupils did: harder ones take longer and go wrong more often."""
    right = {"easy": {"true": 0.93, "false": 0.07}, "hard": {"true": 0.71, "false": 0.29}}
    largest = {"easy": {"max": 20}, "hard": {"max": 99}}
    number = {"kind": "uniform", "min": 2, "max": 99}
    return declared(
        "quizzes",
        1_000,
        {
            "columns": [
                {"name": "question_id", "type": "integer", "distribution": {"kind": "sequence"}},
                {"name": "level", "type": "category", "values": {"easy": 0.6, "hard": 0.4}},
                {"name": "a", "type": "integer", "distribution": number,
                 "given": {"column": "level", "values": largest}},
                {"name": "b", "type": "integer", "distribution": number,
                 "given": {"column": "level", "values": largest}},
                {"name": "question", "type": "text", "template": "{pick:What is,How much is} {a} × {b}?"},
                {"name": "answer", "type": "integer", "formula": "a * b"},
                {"name": "pupil", "type": "text", "template": "{first_name} {last_name|initial}."},
                {"name": "correct", "type": "boolean", "given": {"column": "level", "values": right}},
                {"name": "seconds", "type": "decimal", "scale": 1,
                 "distribution": {"kind": "lognormal", "median": 8, "sigma": 0.5, "min": 1, "max": 300},
                 "given": {"column": "level", "values": {"hard": {"median": 21}}}},
                {"name": "points", "type": "integer",
                 "formula": "0 if not correct else (1 if level == 'easy' else 3)"},
            ],
        },
        primary_key="question_id",
    )  # fmt: skip


def make(folder: Path) -> None:
    """Write all files into `folder`."""
    made = (campaign, customers, records, patients, invoices, quizzes)
    for one in made:
        pq.write_table(one(), folder / f"{one.__name__}.parquet")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
