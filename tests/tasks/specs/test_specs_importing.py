"""Catalogues to specs: Shopify exports, Merchant Center feeds, and the two real ones where they are at hand."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tasks.kinds.copy.job import CopyJob
from tasks.kinds.image.job import ImageJob
from tasks.specs import SpecError, check, import_catalogue, read
from tasks.specs.catalogue import describe
from tasks.specs.google_merchant import import_google_merchant
from tasks.specs.shopify import import_shopify

CATALOGUES = Path(__file__).parents[4] / "shared" / "data" / "catalogues"


def export(path: Path, *rows: dict[str, str], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, names, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def product(**columns: str) -> dict[str, str]:
    return {"Handle": "mug", "Title": "Harbor Mug", "Body (HTML)": "", "Published": "true", **columns}


def jobs(path: Path, form: str, **options: Any) -> list[Any]:
    out = path.with_name("out.parquet")
    import_catalogue(path, form, out, **options)
    assert list(check([str(out)], path.parent)) == []
    return list(read([str(out)], scratch=path.parent))


def test_a_product_becomes_copy_and_image_jobs(tmp_path: Path) -> None:
    first = product(
        **{
            "Body (HTML)": "<p>Hand-glazed &amp; sturdy. Keeps coffee warm.</p><ul><li>Material: stoneware</li></ul>",
            "Vendor": "Tidewell",
            "Type": "Mugs",
            "Tags": "Kitchen, women",
            "Option1 Name": "Size",
            "Option1 Value": "Regular",
            "Option2 Name": "Color",
            "Option2 Value": "Blue",
            "Variant Price": "9.99",
        }
    )
    second = {"Handle": "mug", "Option1 Value": "Large", "Option2 Value": "Blue", "Variant Price": "15.99"}
    path = export(tmp_path / "c.csv", first, second, encoding="utf-8-sig")
    page, social, picture = jobs(path, "shopify", channels=("product_page", "social"), variants=2)
    assert isinstance(page, CopyJob)
    assert (page.job_id, social.job_id, picture.job_id) == ("mug-product_page", "mug-social", "mug-image")
    assert (page.product_name, page.brand_name, page.category) == ("Harbor Mug", "Tidewell", "Mugs")
    assert page.features == ["Hand-glazed & sturdy", "Keeps coffee warm"]
    assert page.facts == {
        "material": "stoneware",
        "size": "Regular, Large",
        "color": "Blue",
        "price": "$9.99–$15.99",
    }
    assert (page.audience, page.variants, page.meta) == ("women", 2, {"product": "mug", "tags": "Kitchen, women"})
    assert isinstance(picture, ImageJob)
    assert (picture.facts, picture.variants) == ({"material": "stoneware", "color": "Blue"}, 1)


@pytest.mark.parametrize(
    ("prices", "shown"),
    [(["50"], "€50"), (["50.00", "50"], "€50"), (["9.5"], "€9.50"), (["1200"], "€1,200"), (["0"], None), ([""], None)],
)
def test_prices(tmp_path: Path, prices: list[str], shown: str | None) -> None:
    path = export(tmp_path / "c.csv", *(product(**{"Variant Price": price}) for price in prices))
    (found,) = import_shopify(path, "€").products
    assert found.facts.get("price") == shown


def test_products_without_variants_have_no_title_option(tmp_path: Path) -> None:
    path = export(tmp_path / "c.csv", product(**{"Option1 Name": "Title", "Option1 Value": "Default Title"}))
    assert import_shopify(path).products[0].facts == {}


def test_only_unpublished_products_are_left_out(tmp_path: Path) -> None:
    rows = [product(Handle=str(i), Published=p) for i, p in enumerate(["true", "false", "FALSE", "", "TRUE"])]
    found = import_shopify(export(tmp_path / "c.csv", *rows))
    assert [p.key for p in found.products] == ["0", "3", "4"]
    assert found.notes == ["2 products were left out because they are not published"]
    assert "2 products were left out" in import_catalogue(tmp_path / "c.csv", "shopify", tmp_path / "o.parquet")


def test_metafields_and_gender(tmp_path: Path) -> None:
    columns = {"Color (product.metafields.shopify.color-pattern)": "red; blue", "Google Shopping / Gender": "male"}
    (found,) = import_shopify(export(tmp_path / "c.csv", product(**columns))).products
    assert (found.facts, found.audience) == ({"color": "red, blue"}, "men")


def test_odd_handles_make_safe_and_unique_ids(tmp_path: Path) -> None:
    handles = ["../x", "x", "été", "ete", "日本", "本日", "." * 9, "a" * 300, "a" * 299, "a b", "a-b", "x\ty"]
    path = export(tmp_path / "c.csv", *(product(Handle=handle) for handle in handles))
    ids = [job.job_id for job in jobs(path, "shopify")]
    assert len(set(ids)) == len(ids) == 3 * len(handles)


@pytest.mark.parametrize(
    ("body", "features", "facts"),
    [
        ("", [], {}),
        ("Soft. Warm! Light?", ["Soft", "Warm!", "Light?"], {}),
        ("Dark denim top with pockets, long sleeves with cuffs, and a ripped hem.",
         ["Dark denim top with pockets", "Long sleeves with cuffs", "Ripped hem"], {}),
        ("Jacket in thin, polyester fabric", ["Jacket in thin, polyester fabric"], {}),
        ("Worn over the shoulder, or in the hand", ["Worn over the shoulder, or in the hand"], {}),
        ("<h3>Care</h3><p>Wash at 30 °C<br>Color: red</p>", ["Care", "Wash at 30 °C"], {"color": "red"}),
        ("<table><tr><td>Weight:</td><td>2.5 kg</td></tr></table>", [], {"weight": "2.5 kg"}),
        ("<style>p {color: red}</style><script>alert('x')</script><p>Kind</p>", ["Kind"], {}),
        ("Fish &amp; chips &lt;3 &nbsp;", ["Fish & chips <3"], {}),
        ("<p>broken <b>tags", ["Broken tags"], {}),
        ("• Soft\n• Soft\n- Warm", ["Soft", "Warm"], {}),
        ("Size 2.5 m by 3.5 m. Made in Porto", ["Size 2.5 m by 3.5 m", "Made in Porto"], {}),
        ("<p>\n Two\n lines </p>", ["Two lines"], {}),
        ("!!! … ---", [], {}),
    ],
)  # fmt: skip
def test_descriptions(body: str, features: list[str], facts: dict[str, str]) -> None:
    assert describe(body) == (features, facts)


def test_long_texts_fit_the_columns(tmp_path: Path) -> None:
    body = "<ul>" + "".join(f"<li>point {i} {'word ' * 300}</li>" for i in range(99)) + "</ul>"
    columns = {"Title": "Mug " * 200, "Vendor": "v" * 500, "Body (HTML)": body, "Option1 Name": "Size"}
    columns["Option1 Value"] = "x" * 5_000
    page, *_ = jobs(export(tmp_path / "c.csv", product(**columns)), "shopify")
    assert len(page.features) == 12
    assert page.product_name.endswith("Mug…")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, "no such file"),
        ("c.csv", b"Name,Body\nMug,x\n", "no column Handle or Title"),
        ("c.csv", b"", "no column Handle"),
        ("c.csv", b"Handle,Title\n", "no product"),
        ("c.csv", b"Handle,Title\n,Mug\n", "row 1: has no Handle"),
        ("c.csv", b"Handle,Title\nmug,\n", "no product"),
        ("c.csv", b"Handle,Title\nmug,a,b\n", "3 cells"),
        ("c.csv", "Handle,Title\nmug,Müg\n".encode("latin-1"), "UTF-8"),
        ("c.csv", b"Handle,Title,Variant Price\nmug,Mug,cheap\n", "product mug: has a price"),
        ("c.xml", b"<rss/>", "XML feeds"),
    ],
)
def test_what_is_wrong_with_an_export(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SpecError, match=words):
        import_catalogue(tmp_path / name, "shopify", tmp_path / "o.parquet")


def test_a_body_with_a_picture_inside(tmp_path: Path) -> None:
    body = f'<img src="data:image/png;base64,{"A" * 300_000}"><p>Sturdy.</p>'
    (found,) = import_shopify(export(tmp_path / "c.csv", product(**{"Body (HTML)": body}))).products
    assert found.features == ["Sturdy"]


def test_wrong_options(tmp_path: Path) -> None:
    path, out = export(tmp_path / "c.csv", product()), tmp_path / "o.parquet"
    with pytest.raises(SpecError, match="shopify or google-merchant"):
        import_catalogue(path, "woo", out)
    with pytest.raises(SpecError, match="Did you mean social"):
        import_catalogue(path, "shopify", out, channels=("socail",))
    with pytest.raises(SpecError, match="Use 1 to 1,000"):
        import_catalogue(path, "shopify", out, variants=0)
    with pytest.raises(SpecError, match="cannot be written"):
        import_catalogue(path, "shopify", tmp_path / "none" / "o.parquet")


def test_google_merchant(tmp_path: Path) -> None:
    common = {"title": "Harbor Mug", "brand": "Tidewell", "product type": "Home > Kitchen > Mugs", "gender": "female"}
    rows = [
        {"id": "1", "item_group_id": "mug", "color": "Blue/White", "price": "18.00 USD", **common},
        {"id": "2", "item_group_id": "mug", "color": "Red", "price": "18.00 USD", "sale price": "15.00 USD", **common},
        {"id": "3", "title": "Lamp", "description": "Bright. Small.", "price": "20.00 SEK", "size": "40 cm"},
    ]
    path = export(tmp_path / "feed.tsv", *rows, delimiter="\t", encoding="utf-16")
    mug, _, _, lamp, _, _ = jobs(path, "google-merchant")
    assert (mug.job_id, mug.category, mug.audience) == ("mug-product_page", "Mugs", "women")
    assert mug.facts == {"color": "Blue, White, Red", "price": "$18.00, $15.00"}
    assert (lamp.features, lamp.facts) == (["Bright", "Small"], {"size": "40 cm", "price": "20.00 SEK"})
    with pytest.raises(SpecError, match="no column id"):
        import_google_merchant(export(tmp_path / "c.csv", product()))


@pytest.mark.parametrize(("name", "products"), [("apparel", 20), ("home-and-garden", 20)])
def test_real_catalogues(tmp_path: Path, name: str, products: int) -> None:
    source = CATALOGUES / f"{name}.csv"
    if not source.exists():
        pytest.skip("the real catalogues are not at hand")
    out = tmp_path / "o.parquet"
    import_catalogue(source, "shopify", out)
    assert list(check([str(out)], tmp_path)) == []
    found = list(read([str(out)], scratch=tmp_path))
    assert len(found) == 3 * products
    for job in found:
        assert job.features
        assert not any("<" in text or "&" in text for text in job.features)
        if isinstance(job, CopyJob):
            assert job.facts["price"].startswith("$")
