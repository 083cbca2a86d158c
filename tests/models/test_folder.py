"""Model references and folders: what is found, what is refused, and what a digest covers."""

import json
import os
import pickle
from pathlib import Path

import pytest

from models import folder as module
from models.folder import ModelError, check, digest, is_model_folder, resolve


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The files of a small transformers model; nothing here opens the weights."""
    path = tmp_path / "model"
    path.mkdir()
    (path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (path / "model.safetensors").write_bytes(bytes(range(256)))
    (path / "tokenizer.json").write_text("{}")
    (path / "README.md").write_text("A model.")
    return path


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """The files of a small diffusers pipeline."""
    path = tmp_path / "pipeline"
    for part in ("unet", "vae"):
        (path / part).mkdir(parents=True)
        (path / part / "config.json").write_text("{}")
        (path / part / "diffusion_pytorch_model.safetensors").write_bytes(b"x")
    index = {
        "_class_name": "SomePipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "feature_extractor": [None, None],
        "requires_safety_checker": True,
    }
    (path / "model_index.json").write_text(json.dumps(index))
    return path


def test_good_folders_pass(model, pipeline, tmp_path):
    table = tmp_path / "table"
    table.mkdir()
    (table / "model.json").write_text("{}")
    for path in (model, pipeline, table):
        assert is_model_folder(path)
        check(path)


def test_what_is_no_model(tmp_path, model):
    (tmp_path / "empty").mkdir()
    for path, reason in [
        (tmp_path / "nowhere", "no such model folder"),
        (tmp_path / "empty", "not a model: it has none of config.json, model_index.json, model.json"),
        (model / "config.json", "a model is a folder"),
    ]:
        assert not is_model_folder(path)
        with pytest.raises(ModelError, match=reason):
            check(path)


def test_a_model_without_weights(model):
    (model / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no \.safetensors file"):
        check(model)


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "old/weights.PT", "a.pth", "b.ckpt", "c.pkl", "pytorch_model.bin.index.json"]
)
def test_pickles_are_refused_by_name_even_beside_safetensors(model, name):
    (model / name).parent.mkdir(exist_ok=True)
    (model / name).write_bytes(pickle.dumps({"weights": [1]}))
    with pytest.raises(ModelError, match=rf"{name} may run code(.|\n)*safe_serialization"):
        check(model)


@pytest.mark.parametrize("name", ["modeling_mine.py", "unet/pipeline.py", "native.so"])
def test_code_is_refused(pipeline, name):
    (pipeline / name).write_text("print('hello')")
    with pytest.raises(ModelError, match=rf"{name} is code"):
        check(pipeline)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "generation_config.json"])
def test_configurations_that_ask_for_code_are_refused(model, name):
    (model / name).write_text(json.dumps({"auto_map": {"AutoModel": "owner/other--modeling.Model"}}))
    with pytest.raises(ModelError, match=rf"{name} asks for code of its own \(auto_map\)"):
        check(model)


@pytest.mark.parametrize("library", ["os", "os.path", "pickle", "tests.support.engines", "../x"])
def test_pipelines_name_no_other_libraries(pipeline, library):
    index = json.loads((pipeline / "model_index.json").read_text())
    (pipeline / "model_index.json").write_text(json.dumps(index | {"unet": [library, "system"]}))
    with pytest.raises(ModelError, match="takes its unet from"):
        check(pipeline)


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 100_000, "\xff"])
def test_configurations_that_cannot_be_read(model, text):
    (model / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(ModelError, match=r"config\.json (cannot be read as|is no) JSON"):
        check(model)


def test_starters_folders_and_what_is_neither(model, pipeline, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    starters = {"starter-copy": model}
    assert resolve("starter-copy", starters=starters) == model
    assert resolve(str(pipeline), starters=starters) == pipeline
    assert resolve("pipeline", starters=starters) == pipeline
    assert resolve("./pipeline", starters=starters) == pipeline
    for ref, reason in [
        ("starter-cpoy", "Give one of starter-copy, a folder, or a hub id"),
        ("./nowhere", "no such model folder"),
        ("a/b/c", "no such model folder"),
        ("../x@main", "no such model folder"),
        ("owner/name@", "no such model"),
        ("owner/name@; rm", "no such model"),
        ("s3://bucket/model", "no such model folder"),
        (" ", "the model is empty"),
    ]:
        with pytest.raises(ModelError, match=reason):
            resolve(ref, starters=starters)


def test_the_hub_out_of_reach(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for ref in ("owner/name", "owner/name@v1.0"):
        with pytest.raises(ModelError, match=rf"{ref}: no folder of this name, .*hub cannot be reached"):
            resolve(ref, starters={}, cache=tmp_path)


def test_a_cached_hub_model_is_used_without_the_hub(model, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    commit = "0123456789abcdef0123456789abcdef01234567"
    home = tmp_path / "cache" / "models--owner--name"
    (home / "snapshots").mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit)
    model.rename(home / "snapshots" / commit)
    for ref in ("owner/name", "owner/name@main", f"owner/name@{commit}"):
        assert resolve(ref, starters={}, cache=tmp_path / "cache") == home / "snapshots" / commit


def test_only_what_matters_is_downloaded():
    from huggingface_hub.utils import filter_repo_objects

    def fetched(files: list[str]) -> set[str]:
        wanted = module._wanted(pipeline="model_index.json" in files)
        return set(filter_repo_objects(files, allow_patterns=wanted, ignore_patterns=module._COPIES))

    text = {"config.json", "model-00001-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.model"}
    text |= {"tokenizer.json", "merges.txt", "chat_template.jinja"}
    assert fetched([*text, "pytorch_model.bin", "modeling_x.py", "consolidated.safetensors", "onnx/model.onnx"]) == text

    image = {"model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "tokenizer/merges.txt"}
    copies = ["whole.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors", "vae/model.bin", "unet/x.ckpt"]
    copies += ["text_encoder/model.fp16-00001-of-00002.safetensors", "unet/diffusion_pytorch_model.non_ema.safetensors"]
    assert fetched([*image, *copies]) == image


def test_a_digest_covers_names_and_contents(model):
    seen = {digest(model)}

    def change(name: str, data: bytes) -> str:
        (model / name).parent.mkdir(exist_ok=True)
        (model / name).write_bytes(data)
        return digest(model)

    assert change("README.md", b"other words") in seen
    assert change(".cache/x", b"hidden") in seen
    assert digest(model) in seen
    for name, data in [
        ("config.json", b"{}"),
        ("sub/a", b"1"),
        ("sub/b", b""),
        ("sub/a", b"2"),
        ("tokenizer.json", b"[]"),
    ]:
        seen_before = len(seen)
        seen.add(change(name, data))
        assert len(seen) == seen_before + 1
    (model / "sub" / "a").rename(model / "sub" / "c")
    assert digest(model) not in seen


def test_a_digest_depends_on_nothing_else(model, tmp_path):
    first = digest(model)
    os.utime(model / "config.json", (1, 1))
    assert digest(model) == first
    model.rename(tmp_path / "elsewhere")
    assert digest(tmp_path / "elsewhere") == first


def test_a_digest_is_remembered_until_a_file_changes(model, monkeypatch):
    first = digest(model)
    reads: list[Path] = []
    open_ = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a, **k: (reads.append(self), open_(self, *a, **k))[1])
    assert digest(model) == first
    assert reads == []
    (model / "model.safetensors").write_bytes(bytes(255))
    assert digest(model) != first
    assert reads


def test_nothing_has_no_digest(tmp_path):
    with pytest.raises(ModelError, match="empty"):
        digest(tmp_path / "nowhere")
