# ruff: noqa: E501 (texts and tables of cases, one to a line)
"""Marketing copy that is right: 160 texts from hand-made plans over 24 products of our own, and 40 written one by one.

It knows nothing of the rules or of the training corpus, so that it can judge both. `good_copy()` yields the same 200
(job, fields) pairs each time.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from support.handwritten_copy import HANDWRITTEN

from tasks.kinds.copy.job import CopyJob

Fields = dict[str, str]


@dataclass(frozen=True)
class Product:
    """A product and what a writer would say of it; `says` are whole sentences whose numbers stand in `facts`."""

    name: str
    brand: str
    category: str
    features: list[str]
    facts: dict[str, str]
    says: list[str]
    short: list[str]
    audience: str = "everyone"
    avoid: list[str] = field(default_factory=lambda: ["cheap"])
    must: list[str] = field(default_factory=list)


PRODUCTS = [
    Product("Ocean Blue Shirt", "Harrow & Finch", "shirt", ["soft collar", "button front", "machine washable"],
            {"material": "100% cotton", "price": "$50"},
            ["Cut from 100 % cotton, it stays cool all day.", "A soft collar keeps it comfortable.", "It is yours for $50.00."],
            ["Pure cotton, easy fit", "Soft collar, button front", "Yours for $50"]),
    Product("Classic Varsity Top", "partners-demo", "top", ["womens casual varsity top", "ribbed cuffs"],
            {"price": "60", "sizes": "Small, Medium, Large"},
            ["Ribbed cuffs give it a sporty edge.", "Choose Small, Medium or Large.", "Wear it from class to weekend."],
            ["Sporty ribbed cuffs", "Casual varsity style", "Small, Medium, Large"]),
    Product("Glacier 750 Bottle", "Norrvik", "water bottle", ["double wall", "leakproof lid", "fits cup holders"],
            {"capacity": "750 ml", "weight": "320 g", "material": "stainless steel"},
            ["Its double wall keeps drinks cold on long hikes.", "It holds 0.75 l and weighs only 320 grams.",
             "The leakproof lid lets you throw it in any bag."],
            ["Cold drinks, long hikes", "Leakproof lid, double wall", "Stainless steel, 750 ml"], must=["leakproof"]),
    Product("Lumen Desk Lamp", "Brightwell", "desk lamp", ["dimmable", "touch control", "USB-C charging port"],
            {"power": "12 W", "lifetime": "25,000 hours", "price": "€39.90"},
            ["Touch the base to dim the light.", "The LED lasts 25000 hours.", "At 12 watts it sips power."],
            ["Dim it with a touch", "A calm light for work", "Only 12 W"], avoid=["cheap", "budget"]),
    Product("iPhone 15 Leather Case", "Casella", "phone case", ["full-grain leather", "raised camera edge"],
            {"thickness": "1.8 mm", "colours": "3"},
            ["Full-grain leather ages with you.", "A raised edge guards the camera.", "It adds just 1.8 mm to your iPhone 15."],
            ["Real leather, slim fit", "Guards your camera", "In three colours"]),
    Product("Vanilla candle", "Home Sweet Home", "candle", ["vanilla scent", "hand poured", "reusable jar"],
            {"price": "15.99", "burn time": "40 h"},
            ["Each one is poured by hand into a reusable jar.", "It burns for 40 hours.", "Light it and the room feels like home."],
            ["Poured by hand", "A warm vanilla scent", "40 hours of calm"]),
    Product("Trailhead 2-Person Tent", "Cairn Supply", "tent", ["quick pitch", "two vestibules", "taped seams"],
            {"weight": "2.1 kg", "capacity": "2 people", "season": "3-season"},
            ["Two vestibules keep boots and packs dry.", "At 2.1 kg it hardly slows you down.", "Taped seams shut out the rain."],
            ["Pitch fast, sleep dry", "Light at 2.1 kg", "Room for two"]),
    Product("Ember Cast Iron Skillet", "Fjord Kitchen", "skillet", ["pre-seasoned", "oven safe", "helper handle"],
            {"diameter": "26 cm", "oven safe to": "260 °C"},
            ["It goes from hob to oven without fuss.", "The 26 cm pan fits a family breakfast.", "It shrugs off heat up to 260 °C."],
            ["From hob to oven", "Pre-seasoned iron", "26 cm of sear"]),
    Product("Cloud Nine Pillow", "Slumberly", "pillow", ["memory foam", "washable cover", "cooling gel"],
            {"size": "50 x 70 cm", "warranty": "5 years"},
            ["Cooling gel takes the heat out of summer nights.", "The cover comes off and goes in the wash.", "We back it for five years."],
            ["Sleep cool tonight", "Memory foam that fits", "Washable cover"], avoid=["miracle"]),
    Product("7-in-1 Multi Cooker", "Potluck", "kitchen appliance", ["slow cook", "steam", "keep warm"],
            {"capacity": "5.7 l", "price": "£79.99", "programs": "7"},
            ["Slow cook, steam or keep warm in one pot.", "With 5.7 litres there is enough for the whole table.", "It is £79.99 with free delivery."],
            ["One pot, seven jobs", "Dinner without fuss", "Steam, slow cook, relax"]),
    Product("Aria Wireless Earbuds", "Sonora", "earbuds", ["noise cancelling", "sweat resistant", "quick charge"],
            {"battery": "8 h", "with case": "32 h", "rating": "IPX4"},
            ["Noise cancelling hushes the train.", "You get 8 hours on one charge and 32 hours with the case.", "IPX4 means a sweaty run is no trouble."],
            ["Hush the noise", "8 h on a charge", "Made for your run"]),
    Product("Oak & Iron Bookshelf", "Timberline", "bookshelf", ["solid oak", "iron frame", "five shelves"],
            {"height": "180 cm", "load per shelf": "25 kg", "shelves": "5"},
            ["Solid oak boards rest on an iron frame.", "It stands 1.8 m tall.", "Each of the five shelves takes 25 kg."],
            ["Solid oak, iron frame", "Room for every book", "Built to stay"], avoid=["plastic", "cheap"]),
    Product("Bare Minerals Face Cream", "Lune", "skin care", ["fragrance free", "vegan", "for dry skin"],
            {"volume": "50 ml", "spf": "SPF 30"},
            ["A light cream for dry skin, without perfume.", "It carries SPF 30 for your walk to work.", "One jar holds 50 ml."],
            ["Vegan, fragrance free", "Care for dry skin", "With SPF 30"], avoid=["anti-aging", "cure"]),
    Product("Merino Hiking Socks 3-Pack", "Cairn Supply", "socks", ["merino wool", "cushioned heel", "odour resistant"],
            {"material": "70% merino, 28% nylon, 2% elastane", "price": "29 USD"},
            ["Made with 70% merino wool, they keep feet dry.", "The cushioned heel softens every step.", "The 3-pack is $29."],
            ["Dry feet all day", "A 3-pack for $29", "Cushioned heel"]),
    Product("Little Explorer Backpack", "Puddle", "kids backpack", ["chest strap", "reflective trim", "name tag"],
            {"capacity": "8 litres", "age": "3-6 years"},
            ["Sized for children from 3 to 6 years.", "Reflective trim shines on dark mornings.", "With 8 l of space, teddy comes along."],
            ["Big plans, small backs", "Reflective and light", "For ages 3-6"]),
    Product("Bosque Dark Roast", "Alta Vista Coffee", "coffee", ["notes of cocoa", "organic", "whole bean"],
            {"weight": "1 kg", "origin": "Peru", "roast": "dark"},
            ["Whole beans from Peru, roasted dark.", "Expect cocoa and a long finish.", "A 1,000 g bag keeps mornings easy."],
            ["Dark, slow, organic", "Notes of cocoa", "Whole beans from Peru"]),
    Product("Sprint X2 Running Shoes", "Velo", "shoes", ["breathable mesh", "recycled upper", "firm heel"],
            {"drop": "8 mm", "weight": "245 g", "price": "$1,129.50"},
            ["Breathable mesh lets your feet stay cool.", "With an 8 mm drop they feel quick.", "A pair costs $1129.50 and weighs little at 245 g a shoe."],
            ["Feel quick again", "Breathable mesh upper", "8 mm drop"]),
    Product("Yellow watering can", "Rustic LTD", "garden", ["vintage look", "long spout", "rust proof"],
            {"price": "40.99", "capacity": "1 gallon"},
            ["The long spout reaches the back row.", "A rust proof coat keeps its bright colour.", "It carries one gallon of water."],
            ["Vintage and bright", "A long, steady spout", "Rust proof colour"]),
    Product("Nimbus Rain Jacket", "Harrow & Finch", "jacket", ["waterproof", "packs into its pocket", "two-way zip"],
            {"water column": "10,000 mm", "weight": "0.4 kg"},
            ["A 10,000 mm water column keeps storms outside.", "It weighs 400 g and packs into its own pocket.", "Open the two-way zip when the sun returns."],
            ["Storms stay outside", "Packs into its pocket", "Waterproof, light"]),
    Product("Studio Yoga Mat", "Asana House", "yoga mat", ["natural rubber", "non-slip", "carry strap"],
            {"thickness": "5 mm", "size": "183 × 61 cm"},
            ["Natural rubber grips even in hot classes.", "At 5 mm it is kind to knees.", "Roll out 183 x 61 cm of calm."],
            ["Grip that holds", "Kind to your knees", "Natural rubber"]),
    Product("No. 5 Chef Knife", "Fjord Kitchen", "kitchen knife", ["forged steel", "walnut handle", "full tang"],
            {"blade": "8 inch", "hardness": "58 HRC"},
            ["Forged steel at 58 HRC holds its edge.", "The 8-inch blade handles herbs and squash alike.", "A walnut handle sits well in the hand."],
            ["Forged to stay sharp", "Walnut in your hand", "The 8\" blade you need"]),
    Product("Cheap Monday Jeans", "Cheap Monday", "jeans", ["slim leg", "stretch denim", "mid rise"],
            {"material": "98% cotton, 2% elastane", "price": "45 EUR"},
            ["Stretch denim moves when you do.", "The cloth is 98 % cotton with 2 % elastane.", "Take a pair home for €45."],
            ["Slim leg, mid rise", "Denim that moves", "A pair for €45"], avoid=["cheap", "discount"]),
    Product("Harbour Picnic Blanket", "Gull", "outdoor", ["wool blend", "waterproof back", "leather straps"],
            {"size": "150 by 200 cm", "wool": "80 percent"},
            ["The wool blend is warm on cool grass.", "It is 80% wool and feels like it.", "Spread out 150 x 200 cm and stay a while."],
            ["Sit down, stay a while", "Warm wool blend", "Dry on wet grass"]),
    Product("PowerCell 20K Power Bank", "Voltline", "power bank", ["two USB-C ports", "flight safe", "LED gauge"],
            {"capacity": "20,000 mAh", "output": "65 W", "charge time": "90 minutes"},
            ["20,000 mAh keeps a laptop alive on a long flight.", "Two USB-C ports share 65 W.", "It is full again in 1.5 hours."],
            ["65 W in your bag", "Charge two at once", "Full in 90 minutes"]),
]  # fmt: skip

OPENERS = [
    "Meet the {name} from {brand}.", "The {name} is here.", "Say hello to the {name}, made by {brand}.",
    "Looking for a {category} you will keep? Try the {name}.", "{brand} built the {name} around real days.",
    "There is something quietly good about the {name}.",
]  # fmt: skip
CLOSERS = [
    "Order yours today.", "See it in our shop.", "Find it online now.", "Treat yourself this week.",
    "We think you'll like it!", "Ready when you are?",
]  # fmt: skip


def _fit(options: list[str], limit: int) -> str:
    return next(text for text in options if len(text) <= limit)


def _product_page(p: Product, rng: random.Random) -> Fields:
    a, b, c = rng.sample(p.says, 3)
    listed = f"It comes with {p.features[0]} and {p.features[1]}."
    body = " ".join([rng.choice(OPENERS), a, b, rng.choice([c, listed]), rng.choice(CLOSERS)])
    return {"title": rng.choice(["{name}", "{name} by {brand}", "{name} – " + p.features[0]]), "body": body}


def _email(p: Product, rng: random.Random) -> Fields:
    a, b = rng.sample(p.says, 2)
    return {
        "subject": _fit([rng.choice(["New: {name}", "Your next favourite: {name}"]), "{name}"], 60 - len(p.name) + 6),
        "preheader": rng.choice(p.short) + rng.choice([".", "", " – see why"]),
        "body": f"Hello,\n\n{rng.choice(OPENERS)} {a} {b}\n\n{rng.choice(CLOSERS)}\n\nWarm regards,\n{{brand}}",
    }


def _social(p: Product, rng: random.Random) -> Fields:
    tag = "#" + "".join(w.capitalize() for w in p.category.split())
    ending = rng.choice([tag, "✨", tag + " #NewIn", ""])
    return {"text": f"{rng.choice(OPENERS)} {rng.choice(p.says)} {rng.choice(CLOSERS)} {ending}".strip()}


def _search_ad(p: Product, rng: random.Random) -> Fields:
    heads = rng.sample(p.short, 3)
    if len(p.name) <= 30:
        heads[0] = "{name}"
    lines = [s for s in p.says if len(s) <= 90]
    return {
        "headline_1": heads[0], "headline_2": heads[1], "headline_3": heads[2],
        "description_1": _fit(["The {name} by {brand}. " + rng.choice(CLOSERS), "Discover the {name} today."], 105),
        "description_2": rng.choice(lines).rstrip("." if rng.random() < 0.3 else ""),
    }  # fmt: skip


def _sms(p: Product, rng: random.Random) -> Fields:
    return {"text": f"{{brand}}: the {{name}} is back. {rng.choice(p.short)}. {rng.choice(CLOSERS)}"}


def _seo(p: Product, rng: random.Random) -> Fields:
    return {
        "title": rng.choice(["{name} | {brand}", "{name} – {category}"]),
        "description": f"{rng.choice(['Discover', 'Shop', 'Explore'])} the {{name}}. {rng.choice(p.says)} {p.short[0]}.",
    }


def _push(p: Product, rng: random.Random) -> Fields:
    return {"title": rng.choice(p.short), "body": f"The {{name}} is here. {rng.choice(CLOSERS)}"}


PLANS = {
    "product_page": _product_page, "email": _email, "social": _social, "search_ad": _search_ad,
    "sms": _sms, "seo": _seo, "push": _push,
}  # fmt: skip


def _job(p: Product, channel: str, number: int) -> CopyJob:
    short = channel in ("search_ad", "sms", "push")
    return CopyJob(
        job_id=f"good-{number:03d}", kind="copy", channel=channel, product_name=p.name, brand_name=p.brand,
        category=p.category, features=p.features, facts=p.facts, audience=p.audience, must_avoid=p.avoid,
        must_include=[] if short else p.must,
    )  # fmt: skip


def _made(number: int, rng: random.Random) -> tuple[CopyJob, Fields]:
    p = PRODUCTS[number % len(PRODUCTS)]
    channel = list(PLANS)[(number + number // len(PRODUCTS)) % len(PLANS)]
    fields = PLANS[channel](p, rng)
    filled = {k: v.format(name=p.name, brand=p.brand, category=p.category) for k, v in fields.items()}
    missing = [term for term in p.must if channel in ("product_page", "email", "social", "seo")]
    for term in missing:
        last = list(filled)[-1]
        if not any(term in text.lower() for text in filled.values()):
            filled[last] += f" It is {term}."
    return _job(p, channel, number), filled


def good_copy() -> list[tuple[CopyJob, Fields]]:
    """200 jobs, each with the fields of a text that nobody should refuse."""
    rng = random.Random(7)
    made = [_made(number, rng) for number in range(200 - len(HANDWRITTEN))]
    return made + [
        (CopyJob(job_id=f"hand-{number:03d}", kind="copy", **job), fields)
        for number, (job, fields) in enumerate(HANDWRITTEN)
    ]
