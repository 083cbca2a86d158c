"""Makes the example specs in this folder: a small campaign, and a table of invented customers to imitate.

Run `python examples/make.py [FOLDER]`; the same seed gives the same rows.
"""

from __future__ import annotations

import datetime as dt
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


def make(folder: Path) -> None:
    """Write all three files into `folder`."""
    for name, table in {"campaign": campaign(), "customers": customers(), "records": records()}.items():
        pq.write_table(table, folder / f"{name}.parquet")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
