"""What a scene can be made of, and the words people use for it. Captions and the built prompts share these words."""

from __future__ import annotations

import hashlib

Rgb = tuple[float, float, float]

# Each colour family with its shades by name. The family is what a judge checks; the shade is what the caption says.
COLOURS: dict[str, dict[str, Rgb]] = {
    "red": {"red": (0.80, 0.09, 0.09), "crimson": (0.66, 0.05, 0.14), "scarlet": (0.88, 0.14, 0.06)},
    "orange": {"orange": (0.95, 0.47, 0.07), "terracotta": (0.80, 0.40, 0.24), "copper": (0.78, 0.44, 0.22)},
    "yellow": {"yellow": (0.97, 0.80, 0.12), "mustard": (0.85, 0.65, 0.12), "gold": (0.88, 0.68, 0.22)},
    "green": {"green": (0.16, 0.56, 0.20), "olive": (0.44, 0.48, 0.18), "emerald": (0.06, 0.52, 0.30)},
    "teal": {"teal": (0.06, 0.52, 0.54), "turquoise": (0.16, 0.68, 0.68)},
    "blue": {"blue": (0.12, 0.29, 0.80), "navy": (0.09, 0.14, 0.42), "sky blue": (0.36, 0.62, 0.92)},
    "purple": {"purple": (0.45, 0.17, 0.64), "violet": (0.52, 0.26, 0.76), "lavender": (0.66, 0.54, 0.84)},
    "pink": {"pink": (0.95, 0.50, 0.67), "rose": (0.88, 0.38, 0.52), "blush": (0.94, 0.70, 0.72)},
    "brown": {"brown": (0.42, 0.25, 0.13), "chocolate": (0.32, 0.18, 0.10), "tan": (0.66, 0.46, 0.28)},
    "beige": {"beige": (0.86, 0.78, 0.64), "cream": (0.94, 0.89, 0.76), "ivory": (0.94, 0.91, 0.82)},
    "black": {"black": (0.07, 0.07, 0.08), "charcoal": (0.16, 0.16, 0.18)},
    "white": {"white": (0.95, 0.95, 0.95)},
    "grey": {"grey": (0.52, 0.53, 0.55), "gray": (0.52, 0.53, 0.55), "silver": (0.70, 0.71, 0.74)},
}

# material → the words for it, the first being the plain one
MATERIALS: dict[str, tuple[str, ...]] = {
    "ceramic": ("ceramic", "porcelain", "stoneware", "clay"),
    "glass": ("glass",),
    "metal": ("metal", "steel", "aluminium"),
    "wood": ("wooden", "oak", "wood"),
    "leather": ("leather",),
    "fabric": ("fabric", "cotton", "linen", "canvas"),
    "wool": ("wool", "knitted"),
    "plastic": ("plastic",),
}

# product → the words for it, the first being the plain one
PRODUCTS: dict[str, tuple[str, ...]] = {
    "mug": ("mug", "cup", "coffee mug", "coffee cup"),
    "bottle": ("bottle", "water bottle", "flask"),
    "vase": ("vase", "flower vase"),
    "plant pot": ("plant pot", "planter", "flower pot", "pot"),
    "candle": ("candle", "scented candle"),
    "lamp": ("lamp", "table lamp", "desk lamp", "light"),
    "clock": ("clock", "alarm clock", "table clock"),
    "chair": ("chair", "dining chair"),
    "sofa": ("sofa", "couch", "loveseat"),
    "cushion": ("cushion", "pillow", "throw pillow"),
    "bag": ("bag", "handbag", "tote bag"),
    "shoe": ("shoe", "sneaker", "trainer"),
    "hat": ("hat", "sun hat"),
    "shirt": ("shirt", "t-shirt", "tee", "top"),
    "jacket": ("jacket", "coat"),
    "book": ("book", "notebook", "journal"),
    "headphones": ("headphones", "headset"),
    "watch": ("watch", "wristwatch"),
}

# Wide enough that the product does not tell the material.
PRODUCT_MATERIALS: dict[str, tuple[str, ...]] = {
    "mug": ("ceramic", "metal", "glass", "wood", "plastic"),
    "bottle": ("glass", "metal", "plastic", "ceramic", "wood"),
    "vase": ("ceramic", "glass", "metal", "wood", "plastic"),
    "plant pot": ("ceramic", "metal", "wood", "plastic", "fabric"),
    "candle": ("glass", "ceramic", "metal", "wood"),
    "lamp": ("ceramic", "metal", "wood", "glass", "plastic"),
    "clock": ("wood", "metal", "plastic", "ceramic", "leather"),
    "chair": ("wood", "metal", "plastic", "leather", "fabric"),
    "sofa": ("fabric", "leather", "wool"),
    "cushion": ("fabric", "wool", "leather"),
    "bag": ("leather", "fabric", "wool", "plastic"),
    "shoe": ("leather", "fabric", "wool", "plastic"),
    "hat": ("fabric", "wool", "leather"),
    "shirt": ("fabric", "wool"),
    "jacket": ("leather", "fabric", "wool", "plastic"),
    "book": ("leather", "fabric", "wood", "plastic"),
    "headphones": ("plastic", "metal", "leather", "wood"),
    "watch": ("leather", "metal", "plastic", "wood", "fabric", "ceramic"),
}
# Materials that hold their shape; the others are sewn and padded.
HARD = ("ceramic", "glass", "metal", "wood", "plastic")

# setting → the words for it; those of FURNITURE stand on floors, the others on tables too
SETTINGS: dict[str, tuple[str, ...]] = {
    "studio": ("on a white background", "in a studio", "on a plain background", "on a light grey background"),
    "pastel": ("on a pastel {tint} background", "on a {tint} backdrop"),
    "table": ("on a wooden table", "on a wood table", "on an oak table"),
    "marble": ("on a marble counter", "on a marble table", "on a marble surface"),
    "room": ("in a living room", "in a bright room", "in a cosy room"),
    "garden": ("in a garden", "on the grass", "on a lawn"),
    "beach": ("on a beach", "on the sand by the sea", "on a sandy beach"),
    "brick": ("in front of a brick wall", "against a brick wall"),
    "concrete": ("on a concrete floor", "on concrete", "in front of a concrete wall"),
    "autumn": ("among autumn leaves", "in an autumn park", "on fallen leaves"),
    "night": ("on a dark background", "at night with lights behind", "on a black background with bokeh lights"),
}
TINTS: dict[str, Rgb] = {
    "pink": (0.96, 0.80, 0.83),
    "blue": (0.74, 0.85, 0.95),
    "yellow": (0.97, 0.91, 0.70),
    "green": (0.77, 0.90, 0.79),
}
FURNITURE = ("chair", "sofa")

# light → the words for it
LIGHTS: dict[str, tuple[str, ...]] = {
    "soft": ("soft light", "diffuse light", "soft studio light"),
    "warm": ("warm light", "golden hour", "warm evening light"),
    "bright": ("bright daylight", "bright light", "in daylight"),
    "dramatic": ("dramatic light", "dramatic side light", "low key"),
}

# where the camera is → the words for it
VIEWS: dict[str, tuple[str, ...]] = {
    "front": ("front view", "seen from the front", "at eye level"),
    "three-quarter": ("three-quarter view", "seen at an angle"),
    "above": ("from above", "high angle", "seen from above"),
    "close-up": ("close-up", "close-up shot", "macro"),
}

OPENINGS = ("a photo of", "product photo of", "a picture of", "an image of", "studio shot of", "")
# Words that say nothing about the picture: met in training, so that they do no harm in a prompt.
FILLERS = ("modern", "classic", "handmade", "elegant", "minimal", "vintage", "stylish", "premium", "cosy", "simple")
SYLLABLES = ("al", "ber", "cor", "dan", "el", "fen", "gar", "hol", "is", "jun", "kel", "lum", "mar", "nor", "os", "per")


def settings_of(product: str) -> list[str]:
    """Where a product can stand: nobody puts a sofa on a table."""
    unlikely = ("table", "marble") if product in FURNITURE else ("room",)
    return [name for name in SETTINGS if name not in unlikely]


def held_out(product: str, colour: str, material: str) -> bool:
    """Whether the recipe never shows this combination (one in ten): the benchmark asks for exactly these."""
    digest = hashlib.sha256(f"{product}|{colour}|{material}".encode()).digest()
    return digest[0] * 256 + digest[1] < 6554
