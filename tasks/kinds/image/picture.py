"""Pictures as files: encoding with the mark of generated media, perceptual hash, thumbnail."""

from __future__ import annotations

import io
from pathlib import Path
from xml.sax.saxutils import quoteattr

import imagehash
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

# https://cv.iptc.org/newscodes/digitalsourcetype/: media made by a model alone
DIGITAL_SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_OURS = "urn:pressrun:picture:1"
_QUALITY = 92


def encode(pixels: bytes, width: int, height: int, format: str, metadata: dict[str, str]) -> bytes:
    """`pixels` (height × width × 3 bytes, RGB) as a PNG, lossless WebP or JPEG file; same input, same bytes.

    The file carries an XMP packet that says, in IPTC's words, that a model made the picture, with `metadata` beside it.
    Raises ValueError for another format.
    """
    picture = _picture(pixels, width, height)
    xmp = _xmp(metadata)
    out = io.BytesIO()
    if format == "png":
        chunks = PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", xmp.decode())
        picture.save(out, "PNG", pnginfo=chunks)
    elif format == "webp":
        picture.save(out, "WEBP", lossless=True, method=4, xmp=xmp)
    elif format == "jpeg":
        picture.save(out, "JPEG", quality=_QUALITY, subsampling=0, xmp=xmp)
    else:
        raise ValueError(f"{format!r} is no picture format; choose png, webp or jpeg")
    return out.getvalue()


def phash(pixels: bytes, width: int, height: int) -> str:
    """Perceptual hash, 64 bits as 16 hex digits: close pictures differ in few bits."""
    return str(imagehash.phash(_picture(pixels, width, height), hash_size=8))


def phash_distance(one: str, other: str) -> int:
    """Bits in which two hashes differ, 0 to 64."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def thumbnail(data: bytes, side: int = 256) -> bytes:
    """An encoded picture as a WebP no larger than `side` pixels, for reports; it keeps the mark, not the metadata."""
    with Image.open(io.BytesIO(data)) as picture:
        small = picture.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=80, method=4, xmp=_xmp({}))
    return out.getvalue()


def check_readable(path: Path) -> None:
    """Raises ValueError unless the file is a picture that can be decoded, of a size that does no harm."""
    try:
        with Image.open(path) as picture:
            picture.load()
    except Image.DecompressionBombError as error:
        raise ValueError(f"{path.name} is too large a picture to decode safely") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(f"{path.name} is no picture that can be read; save it again as PNG, JPEG or WebP") from error


def _picture(pixels: bytes, width: int, height: int) -> Image.Image:
    if len(pixels) != width * height * 3:
        raise ValueError(f"{len(pixels)} bytes are no {width} × {height} RGB picture")
    return Image.fromarray(np.frombuffer(pixels, np.uint8).reshape(height, width, 3))


def _xmp(metadata: dict[str, str]) -> bytes:
    own = "".join(f"\n   pressrun:{name}={quoteattr(value)}" for name, value in sorted(metadata.items()))
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about=""\n'
        '   xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"\n'
        f'   xmlns:pressrun="{_OURS}"\n'
        f'   Iptc4xmpExt:DigitalSourceType="{DIGITAL_SOURCE}"{own}/>\n'
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    ).encode()
