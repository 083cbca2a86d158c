"""The text engine: any causal language model with a chat template, in batches of fixed shape.

Knows prompts and tokens; knows nothing of marketing, rules or storage. A request's text depends on the request, the
model and the batch shape alone: not on its neighbours, its slot or the order of submission.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from models.engine import TextRequest, TextResult, named
from models.text import lexicon
from models.text.decode import Row, can_go_back, run_batch
from models.text.drafting import Critic, Drafting
from models.text.proof import Proof, Reader, allowance, decoder
from models.text.quoting import Quotes, quotes, vocabulary
from models.text.sampling import uniforms

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_BUCKETS = (32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
_COARSE = 1024
# A small model begins its sentences in few ways. Drawn hotter, the first token of each makes texts more varied, and all
# that follows stays as sure as it was.
_OPENING = 1.75
# Within a sentence, an unlikely token leads from the middle of one phrase to the middle of another.
_MIN_P = 0.1
# … and where a sentence was taken back, it would begin it the same way again.
_AGAIN = 3.0
_MISSPELT = 0.9  # what a draft with a word that the model cannot spell is worth
_OPENS = re.compile(r'[.!?…]["”]?$|": ?"$')


# Make the reader of a request's text, and the critic of its drafts, out of its brief.
ReaderOf = Callable[[dict[str, Any]], Reader]
CriticOf = Callable[[dict[str, Any]], Critic]


def open(
    ref: str, device: str, dtype: str, *, batch_size: int = 32, reader: str = "", critic: str = "", drafts: int = 1
) -> TextEngine:
    """Load the causal language model in the folder `ref`.

    `reader` names, as `module:function`, what makes readers of texts out of requests' briefs: see `models.text.proof`.
    `critic` names what makes critics, who choose among `drafts` at most: see `models.text.drafting`.

    Raises:
        ValueError: the folder is no such model, has no chat template or no safetensors, or `dtype` is unknown.
    """
    folder = Path(ref)
    if dtype not in DTYPES:
        raise ValueError(f"dtype {dtype!r} is not one of {', '.join(DTYPES)}")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be 1 or more")
    if drafts < 1:
        raise ValueError(f"drafts is {drafts}; it must be 1 or more")
    if not (folder / "config.json").is_file():
        raise ValueError(f"{ref} is no model folder: it has no config.json")
    if not any(folder.glob("*.safetensors")):
        raise ValueError(f"{ref} has no weights in safetensors format; other formats can run code and are not loaded")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=DTYPES[dtype]
        )
    except (OSError, KeyError, RuntimeError, ValueError, SafetensorError) as error:
        raise ValueError(f"{ref} cannot be loaded as a causal language model: {error}") from error
    if not tokenizer.chat_template:
        raise ValueError(f"{ref} has no chat template; take an instruction-tuned model, or add chat_template.jinja")
    if torch.device(device).type == "cpu":
        # Several threads share a matrix product by rows, and a row's last bits would then depend on its slot.
        torch.set_num_threads(1)
    model.to(torch.device(device))  # type: ignore[arg-type]
    return TextEngine(
        model.eval(),
        tokenizer,
        batch_size,
        named(reader) if reader else None,
        lexicon.read(folder),
        named(critic) if critic else None,
        drafts,
    )


class TextEngine:
    """A loaded language model. `submit` is safe while another thread iterates over `results`."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        batch_size: int,
        reader_of: ReaderOf | None = None,
        known: frozenset[str] | None = None,
        critic_of: CriticOf | None = None,
        drafts: int = 1,
    ) -> None:
        self._model: Any = model
        self._tokenizer = tokenizer
        self._slots = batch_size
        self._reader_of = reader_of if can_go_back(model) else None
        self._known = known
        self._critic_of = critic_of
        self._drafts = drafts
        self._decode = decoder(tokenizer)
        spelt = [tokenizer.decode([i]) for i in range(len(tokenizer))] if known is not None else []
        self._vocabulary = vocabulary(spelt) if known is not None else None
        self._openers = frozenset(number for number, token in enumerate(spelt) if _OPENS.search(token))
        self._lock = threading.Lock()
        self._order = count()
        self._waiting: dict[int, deque[Drafting]] = {}
        self._refused: deque[TextResult] = deque()
        self._longest = int(getattr(model.config.get_text_config(), "max_position_embeddings", 0) or 1_000_000)
        generation = getattr(model.generation_config, "eos_token_id", None)
        self._ends = frozenset([*_ids(generation), *_ids(tokenizer.eos_token_id)])
        self._pad = next((i for i in (tokenizer.pad_token_id, tokenizer.eos_token_id) if i is not None), 0)

    def submit(self, requests: Sequence[TextRequest]) -> None:
        """Queue requests; a request that the model cannot take becomes a result with `error` set."""
        for request in requests:
            try:
                row = self._row(request)
            except Exception as error:  # a template of other people's may raise anything
                refusal = TextResult(id=request.id, error=f"the prompt cannot be prepared: {error}")
                with self._lock:
                    self._refused.append(refusal)
                continue
            critic = self._critic(request)
            with self._lock:
                job = Drafting(next(self._order), request, row, critic, self._drafts if critic else 1)
                self._waiting.setdefault(_bucket(len(row.ids)), deque()).append(job)

    def results(self) -> Iterator[TextResult]:
        """Yield results batch by batch until nothing waits; full batches go first, part-filled ones last."""
        while True:
            with self._lock:
                refused = list(self._refused)
                self._refused.clear()
                bucket, batch = self._take()
            yield from refused
            if batch:
                yield from self._run(bucket, batch)
            elif not refused:
                return

    def close(self) -> None:
        """Drop the model and free its memory."""
        self._model = None
        self._waiting.clear()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _row(self, request: TextRequest) -> Row:
        if request.max_tokens < 1:
            raise ValueError(f"max_tokens is {request.max_tokens}; it must be 1 or more")
        ids = self._tokenizer(self._render(request.messages), add_special_tokens=False)["input_ids"]
        if not ids:
            raise ValueError("it is empty")
        if len(ids) + request.max_tokens > self._longest:
            raise ValueError(
                f"{len(ids)} tokens and max_tokens {request.max_tokens} exceed the model's context of {self._longest}"
            )
        reader = self._reader(request)
        spare = allowance(request.max_tokens) if reader else 0
        return Row(
            ids=ids,
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            top_p=request.top_p,
            draws=uniforms(request.seed, request.max_tokens + spare),
            proof=partial(Proof, self._decode, reader, spare) if reader else None,
            quotes=self._quotes(request),
            openers=self._openers,
            opening=_OPENING if reader and self._openers else 1.0,
            min_p=_MIN_P if reader and self._openers else 0.0,
            again=_AGAIN if self._openers else 0.0,
        )

    def _quotes(self, request: TextRequest) -> Callable[[], Quotes] | None:
        """Phrases to quote: for a model that is proof-read and has a lexicon, as one that misspells misquotes, too."""
        if self._vocabulary is None or self._reader_of is None:
            return None
        return quotes(self._encode, request.names, request.points, request.due, self._vocabulary)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _critic(self, request: TextRequest) -> Critic | None:
        if self._critic_of is None or not _can_vary(request):
            return None
        merit, spelt = self._critic_of(request.brief), self._speller(request)
        return lambda text: merit(text) * (1.0 if spelt(text) else _MISSPELT)

    def _reader(self, request: TextRequest) -> Reader | None:
        if self._reader_of is None or not _can_vary(request):
            return None
        approves, spelt = self._reader_of(request.brief), self._speller(request)
        return lambda text, ended: spelt(text) and approves(text, ended)

    def _speller(self, request: TextRequest) -> Callable[[str], bool]:
        """Says whether the model can spell a text; one without a lexicon can spell any."""
        if self._known is None:
            return lambda _text: True
        known = self._known.union(*(lexicon.words(message["content"]) for message in request.messages))
        return lambda text: lexicon.words(text) <= known

    def _render(self, chat: list[dict[str, str]]) -> str:
        """The chat as the model's template writes it; a template that knows no system role gets it with the user's."""
        settings = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": False}
        try:
            return str(self._tokenizer.apply_chat_template(chat, **settings))
        except Exception:
            if len(chat) < 2 or chat[0]["role"] != "system":
                raise
            merged = {"role": chat[1]["role"], "content": f"{chat[0]['content']}\n\n{chat[1]['content']}"}
            return str(self._tokenizer.apply_chat_template([merged, *chat[2:]], **settings))

    def _take(self) -> tuple[int, list[Drafting]]:
        """The next batch: a full one if there is any, the one that waited longest among equals."""
        queues = [(len(q) < self._slots, q[0].order, bucket) for bucket, q in self._waiting.items() if q]
        if not queues:
            return 0, []
        bucket = min(queues)[2]
        queue = self._waiting[bucket]
        return bucket, [queue.popleft() for _ in range(min(self._slots, len(queue)))]

    def _run(self, bucket: int, batch: list[Drafting]) -> Iterator[TextResult]:
        """Write a draft of each, and in slots that are left over another; those that want more wait again, in front."""
        drafts = [(job, job.begin()) for job in batch]
        while len(drafts) < self._slots and (eager := [job for job in batch if job.more]):
            drafts += [(job, job.begin()) for job in eager[: self._slots - len(drafts)]]
        try:
            rows = [row for _, row in drafts]
            written = run_batch(self._model, rows, slots=self._slots, length=bucket, pad=self._pad, ends=self._ends)
        except (MemoryError, torch.OutOfMemoryError):
            raise  # no single request is at fault, and the same shape would fail again
        except Exception as error:
            if len(batch) == 1:
                yield TextResult(id=batch[0].request.id, error=f"the model failed on it: {error}")
                return
            half = len(batch) // 2
            for job in batch:
                job.begun = job.done
            yield from self._run(bucket, batch[:half])
            yield from self._run(bucket, batch[half:])
            return
        for (job, _), done in zip(drafts, written, strict=True):
            job.end(done, self._tokenizer.decode(done.ids, skip_special_tokens=True))
        with self._lock:
            self._waiting[bucket].extendleft(job for job in reversed(batch) if not job.settled)
        yield from (self._result(job) for job in batch if job.settled)

    def _result(self, job: Drafting) -> TextResult:
        request, done = job.request, job.best
        if done is None or not done.sound:
            return TextResult(id=request.id, error="the model gave scores that are not finite")
        return TextResult(
            id=request.id,
            text=self._tokenizer.decode(done.ids, skip_special_tokens=True),
            prompt_tokens=len(job.row.ids),
            tokens=len(done.ids),
            finish="stop" if done.stopped else "length",
        )


def _can_vary(request: TextRequest) -> bool:
    """Whether there is something to judge by, and another text to be had: the likeliest would only come again."""
    return bool(request.brief) and request.temperature > 0


def _bucket(tokens: int) -> int:
    """The padded length of a prompt: always above its own, see run_batch."""
    for size in _BUCKETS:
        if tokens < size:
            return size
    return (tokens // _COARSE + 1) * _COARSE


def _ids(value: int | Sequence[int] | None) -> list[int]:
    return [] if value is None else [value] if isinstance(value, int) else list(value)
