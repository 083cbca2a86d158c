"""A request's text is its own: neighbours, slot and order do not touch it, and one that fails fails alone."""

import json
import random
import shutil
import threading

import pytest
import torch
from transformers import AutoModelForCausalLM

from models.engine import EngineSpec, TextRequest, open_engine
from models.text import engine as text_engine

WORDS = ["mug", "lamp", "warm", "Fern", "garden"]


def request(number, **changes):
    rng = random.Random(number)
    content = " ".join(rng.choices(WORDS, k=rng.randint(1, 30)))
    settings = {
        "id": f"r{number}", "messages": [{"role": "user", "content": content}], "seed": number, "max_tokens": 12,
        "temperature": (0.0, 0.7, 1.5)[number % 3], "top_p": (1.0, 0.9)[number % 2],
    }  # fmt: skip
    return TextRequest(**settings | changes)


def texts(engine, requests):
    engine.submit(requests)
    return {result.id: result for result in engine.results()}


@pytest.mark.parametrize("architecture", ["llama", "qwen3", "gemma", "mistral-sliding"])
def test_a_text_is_the_same_alone_and_in_any_company(make_model, architecture):
    engine = text_engine.open(str(make_model(architecture)), "cpu", "float32", batch_size=8)
    requests = [request(n, max_tokens=8 + n % 9) for n in range(24)]
    together = texts(engine, requests)
    assert len(together) == 24
    assert not any(result.error for result in together.values())
    assert len({result.text for result in together.values()}) > 12
    shuffled = requests[:]
    random.Random(3).shuffle(shuffled)
    assert texts(engine, shuffled) == together
    assert texts(engine, requests[5:6]) == {"r5": together["r5"]}
    assert texts(engine, requests[4:7]) == {f"r{n}": together[f"r{n}"] for n in (4, 5, 6)}


def test_scores_are_bit_equal_in_every_slot_and_company(make_model):
    engine = text_engine.open(str(make_model()), "cpu", "float32", batch_size=8)
    target = request(1, max_tokens=6, temperature=0.9, messages=[{"role": "user", "content": "Fern mug"}])
    neighbours = [request(n, messages=[{"role": "user", "content": "warm lamp " * (n % 3)}]) for n in range(20, 27)]
    seen = {}
    for slot in (0, 3, 7):
        scores = []
        hook = engine._model.register_forward_hook(
            lambda _m, _a, out, slot=slot, scores=scores: scores.append(out.logits[slot, -1].clone())
        )
        texts(engine, [*neighbours[:slot], target, *neighbours[slot:]])
        hook.remove()
        seen[slot] = torch.stack(scores[:6])
    assert torch.equal(seen[0], seen[3])
    assert torch.equal(seen[0], seen[7])


def test_greedy_text_is_that_of_an_unpadded_forward_pass(make_model, tokenizer):
    folder = make_model()
    asked = request(0, temperature=0.0, max_tokens=10)
    got = texts(text_engine.open(str(folder), "cpu", "float32", batch_size=4), [asked, request(1)])["r0"]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prompt = tokenizer.apply_chat_template(asked.messages, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    assert got.prompt_tokens == len(ids)
    plain = ids[:]
    with torch.inference_mode():
        while len(plain) < len(ids) + 10:
            token = int(model(torch.tensor([plain])).logits[0, -1].argmax())
            if token == tokenizer.eos_token_id:
                break
            plain.append(token)
    assert got.text == tokenizer.decode(plain[len(ids) :], skip_special_tokens=True)
    assert got.tokens == len(plain) - len(ids)


def test_the_seed_decides_the_text(make_model):
    engine = text_engine.open(str(make_model()), "cpu", "float32", batch_size=8)
    base = {"messages": [{"role": "user", "content": "mug"}], "temperature": 1.0, "top_p": 1.0}
    got = texts(engine, [request(n, seed=n // 2, **base) for n in range(8)])
    assert got["r0"].text == got["r1"].text
    assert len({result.text for result in got.values()}) == 4


def test_max_tokens_cuts_and_says_so(make_model):
    engine = text_engine.open(str(make_model()), "cpu", "float32", batch_size=4)
    got = texts(engine, [request(1, max_tokens=3, temperature=1.5), request(4, max_tokens=150, temperature=1.5)])
    assert got["r1"].finish == "length"
    assert got["r1"].tokens == 3
    assert {r.finish for r in got.values()} <= {"stop", "length"}


def test_requests_submitted_while_results_run_are_answered(make_model):
    engine = text_engine.open(str(make_model()), "cpu", "float32", batch_size=2)
    engine.submit([request(n) for n in range(4)])
    seen = []
    for result in engine.results():
        seen.append(result.id)
        if len(seen) == 1:
            thread = threading.Thread(target=engine.submit, args=([request(n) for n in range(10, 13)],))
            thread.start()
            thread.join()
    assert sorted(seen) == sorted(["r0", "r1", "r2", "r3", "r10", "r11", "r12"])
    assert list(engine.results()) == []


def test_a_prompt_that_is_too_long_fails_alone(make_model):
    engine = text_engine.open(str(make_model()), "cpu", "float32", batch_size=4)
    long = request(1, messages=[{"role": "user", "content": "mug " * 400}])
    got = texts(engine, [request(0), long, request(2)])
    assert "exceed the model's context of 256" in got["r1"].error
    assert not got["r0"].error
    assert not got["r2"].error


def test_a_chat_that_the_template_refuses_fails_alone(make_model):
    engine = text_engine.open(str(make_model()), "cpu", "float32", batch_size=4)
    got = texts(engine, [request(0), request(1, messages=[{"role": "user"}] * 2 + ["no message"])])
    assert got["r1"].error
    assert got["r0"].text == texts(engine, [request(0)])["r0"].text


def test_a_template_without_a_system_role_gets_it_with_the_users(make_model):
    engine = text_engine.open(str(make_model()), "cpu", "float32", batch_size=4)
    system, user = {"role": "system", "content": "warm"}, {"role": "user", "content": "mug"}
    merged = texts(engine, [request(0, messages=[{"role": "user", "content": "warm\n\nmug"}])])
    engine._tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        + engine._tokenizer.chat_template
    )
    assert texts(engine, [request(0, messages=[system, user])]) == merged


def test_a_row_that_breaks_the_model_is_found_and_the_others_keep_their_text(make_model, tokenizer):
    engine = text_engine.open(str(make_model()), "cpu", "float32", batch_size=8)
    requests = [request(n, messages=[{"role": "user", "content": "mug " * (n + 1)}]) for n in range(8)]
    whole = texts(engine, requests)
    poison = tokenizer("garden", add_special_tokens=False)["input_ids"][0]
    requests[3] = request(3, messages=[{"role": "user", "content": "garden"}])

    def explode(_module, args):
        if (args[0] == poison).any() and args[0].shape[1] > 1:
            raise RuntimeError("this token breaks me")

    engine._model.get_input_embeddings().register_forward_pre_hook(explode)
    got = texts(engine, requests)
    assert "this token breaks me" in got["r3"].error
    assert {k: v for k, v in got.items() if k != "r3"} == {k: v for k, v in whole.items() if k != "r3"}


def test_running_out_of_memory_is_nobodys_fault_and_goes_up(make_model):
    engine = text_engine.open(str(make_model()), "cpu", "float32", batch_size=2)

    def full(_module, _args):
        raise torch.OutOfMemoryError("no room")

    engine._model.register_forward_pre_hook(full)
    engine.submit([request(0)])
    with pytest.raises(torch.OutOfMemoryError):
        list(engine.results())


def test_scores_that_are_not_finite_are_an_error_of_that_row(make_model):
    engine = text_engine.open(str(make_model()), "cpu", "float32", batch_size=4)

    def spoil(_module, _args, out):
        out.logits[1] = float("nan")
        return out

    same = {"messages": [{"role": "user", "content": "mug"}]}
    good = texts(engine, [request(n, **same) for n in range(3)])
    engine._model.register_forward_hook(spoil)
    got = texts(engine, [request(n, **same) for n in range(3)])
    assert "not finite" in got["r1"].error
    assert (got["r0"], got["r2"]) == (good["r0"], good["r2"])


def broken(folder, tmp_path, change):
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    change(copy)
    return str(copy)


def without_template(folder):
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def pickled_only(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def truncated(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_template, "no chat template"),
        (pickled_only, "no weights in safetensors"),
        (truncated, "cannot be loaded"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "nonesuch"}'), "cannot be loaded"),
        (lambda folder: (folder / "config.json").unlink(), "no model folder"),
    ],
)
def test_folders_that_are_no_chat_model_are_refused(make_model, tmp_path, change, reason):
    with pytest.raises(ValueError, match=reason):
        text_engine.open(broken(make_model(), tmp_path, change), "cpu", "float32")


def test_it_opens_through_the_seam(make_model):
    spec = EngineSpec(factory="models.text.engine:open", ref=str(make_model()), options={"batch_size": 2})
    engine = open_engine(spec)
    assert set(texts(engine, [request(0)])) == {"r0"}
    engine.close()
    with pytest.raises(ValueError, match="dtype 'int3'"):
        text_engine.open(str(make_model()), "cpu", "int3")
