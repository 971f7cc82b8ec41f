"""How near texts are in meaning to a task, by a small sentence model (extra `embed`).

The model (all-MiniLM-L6-v2 or another BERT-like one) is computed here: six layers are some matrix
products, for which numpy is enough and torch would be fifty times the weight. A text longer than
what the model was taught on is read in windows and counts by its best one.
"""

from __future__ import annotations

from hashlib import blake2b

from tokenbudget.compression.embedding_weights import UnfitModel, read_json, shape_of, weights_of
from tokenbudget.compression.ranking_words import LexicalRanker
from tokenbudget.compression.wordpiece import WordPieces, vocabulary_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from tokenbudget.compression.embedding_weights import Layer, Shape, Weights

    Floats = npt.NDArray[np.float32]

CONFIG, VOCABULARY, WEIGHTS = "config.json", "vocab.txt", "model.safetensors"
POOLING, CASING = "1_Pooling/config.json", "tokenizer_config.json"
REQUIRED, OPTIONAL = (CONFIG, VOCABULARY, WEIGHTS), (POOLING, CASING)
"""The files of a model; without the optional ones it takes the mean and knows no capitals."""

WINDOW_PIECES = 126
"""With two special pieces the 128 that all-MiniLM-L6-v2 was taught on."""
MOST_WINDOWS = 4
"""Of one text: what comes after 500 pieces of a function is seldom what tells it from others."""
BATCH_PIECES = 1024
"""At a time: their inner layer (6 MB) stays in the processor's cache."""
MOST_READ = 1000
"""Texts for one question, a minute or two of work; of more those whose words fit best."""
MOST_KNOWN = 20_000
"""Vectors kept, about 30 MB: a catalogue of tools is asked about again and again."""


class SentenceModel:
    """Turns texts into vectors of length 1; near ones mean something alike."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """A model out of the content of its files, by the names above.

        Raises:
            ImportError: numpy is not installed.
            UnfitModel: the files are damaged, or of a kind that is not understood.
        """
        self.shape: Shape = shape_of(read_json(files[CONFIG], CONFIG))
        self._takes_mean = _takes_mean(files.get(POOLING))
        casing = read_json(files.get(CASING, b"{}"), CASING)
        words = vocabulary_of(files[VOCABULARY].decode("utf-8", "replace"))
        if max(words.values()) >= self.shape.vocabulary:
            raise UnfitModel(f"{VOCABULARY} has more pieces than the model")
        try:
            self._pieces = WordPieces(words, is_lower=casing.get("do_lower_case") is not False)
        except KeyError as exc:
            raise UnfitModel(f"{VOCABULARY} has no {exc.args[0]}") from exc
        self._weights: Weights = weights_of(files[WEIGHTS], self.shape)
        self._window = min(WINDOW_PIECES, self.shape.positions - 2)
        if self._window < 1 or not _is_sound(self.vectors(["a text to try it on"])):
            raise UnfitModel(f"{WEIGHTS} holds numbers that lead to none")

    def windows(self, text: str, most: int = MOST_WINDOWS) -> list[list[int]]:
        """A text as the model reads it: at least one window, at most so many."""
        pieces = self._pieces.pieces(text, most * self._window)
        starts = range(0, max(1, len(pieces)), self._window)
        return [self._pieces.framed(pieces[at : at + self._window]) for at in starts]

    def vectors(self, texts: Sequence[str]) -> Floats:
        """A vector for each text: that of its beginning."""
        return self.of_windows([self.windows(text, 1)[0] for text in texts])

    def of_windows(self, windows: Sequence[Sequence[int]]) -> Floats:
        """A vector for each window."""
        import numpy as np
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        found = np.zeros((len(windows), self.shape.width), np.float32)
        # One thread: on a busy machine those of the matrix products wait for each other, in turns
        # (60 windows took 2.4 s of one core, and minutes of two), and sums depend on their number.
        with threadpool_limits(1, "blas"), np.errstate(all="ignore"):
            for batch in _batches(windows):
                found[batch] = self._run(*_padded([windows[at] for at in batch]))
        return found

    def _run(self, ids: npt.NDArray[np.intp], is_held: Floats) -> Floats:
        import numpy as np

        weights, epsilon = self._weights, self.shape.epsilon
        state = weights.words[ids] + weights.places[: ids.shape[1]]
        state = _normed(state, weights.scale, weights.shift, epsilon)
        hidden = (is_held - 1)[:, None, None, :] * np.float32(1e9)
        for layer in weights.layers:
            state = _layer(state, layer, hidden, self.shape.heads, epsilon)
        if self._takes_mean:
            one = (state * is_held[:, :, None]).sum(axis=1)
        else:
            one = state[:, 0]
        length = np.sqrt((one * one).sum(axis=1, keepdims=True))
        made: Floats = one / np.maximum(length, np.float32(1e-12))
        return made


class EmbeddingRanker:
    """Ranks texts by meaning (a `Ranker`); what it has read once it knows."""

    name = "embeddings"

    def __init__(self, model: SentenceModel) -> None:
        """By this model."""
        self._model = model
        self._known: dict[bytes, Floats] = {}

    def relevance(self, task: str, pieces: Sequence[str]) -> Sequence[float]:
        """The cosine of each piece's nearest window to the task's beginning; 0 where below.

        Also 0 for those that are not read, where there are more than `MOST_READ`.
        """
        import numpy as np

        if not pieces:
            return []
        self._read(_likeliest(task, pieces))
        wanted = self._model.vectors([task])[0]
        vectors = (self._known.get(_key(piece)) for piece in pieces)
        scores = (0.0 if some is None else float((some @ wanted).max()) for some in vectors)
        return [score if score > 0 and np.isfinite(score) else 0.0 for score in scores]

    def _read(self, pieces: Sequence[str]) -> None:
        """Make the vectors that are not known yet."""
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        new = {key: one for one in pieces if (key := _key(one)) not in self._known}
        windows = {key: self._model.windows(one) for key, one in new.items()}
        made = self._model.of_windows([one for some in windows.values() for one in some])
        at = 0
        for key, some in windows.items():
            self._known[key] = made[at : at + len(some)].copy()
            at += len(some)


def _likeliest(task: str, pieces: Sequence[str]) -> Sequence[str]:
    if len(pieces) <= MOST_READ:
        return pieces
    by_words = LexicalRanker().relevance(task, pieces)
    order = sorted(range(len(pieces)), key=lambda at: -by_words[at])
    return [pieces[at] for at in order[:MOST_READ]]


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _takes_mean(pooling: bytes | None) -> bool:
    """Whether a text's vector is the mean of its pieces'; else that of its first."""
    if pooling is None:
        return True
    said = read_json(pooling, POOLING)
    ways = [key for key, value in said.items() if key.startswith("pooling_mode_") and value is True]
    if ways not in (["pooling_mode_mean_tokens"], ["pooling_mode_cls_token"]):
        raise UnfitModel(f"{POOLING} wants neither the mean nor the first piece")
    return ways == ["pooling_mode_mean_tokens"]


def _is_sound(vectors: Floats) -> bool:
    import numpy as np

    return bool(np.isfinite(vectors).all())


def _batches(windows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Windows of like length together, so that little is padded; each batch of bounded size."""
    batch: list[int] = []
    for at in sorted(range(len(windows)), key=lambda at: len(windows[at])):
        if batch and (len(batch) + 1) * len(windows[at]) > BATCH_PIECES:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch


def _padded(windows: Sequence[Sequence[int]]) -> tuple[npt.NDArray[np.intp], Floats]:
    """Windows as one table, and 1 where it holds a piece of them."""
    import numpy as np

    longest = max(map(len, windows))
    ids = np.zeros((len(windows), longest), np.intp)
    is_held = np.zeros((len(windows), longest), np.float32)
    for row, window in enumerate(windows):
        ids[row, : len(window)] = window
        is_held[row, : len(window)] = 1
    return ids, is_held


def _layer(state: Floats, layer: Layer, hidden: Floats, heads: int, epsilon: float) -> Floats:
    """One layer: every piece looks at the others, then at itself."""
    count, length, width = state.shape
    mixed = state @ layer.attend + layer.attend_bias
    query, key, value = mixed.reshape(count, length, 3, heads, width // heads).transpose(
        2, 0, 3, 1, 4
    )
    looks = query @ key.transpose(0, 1, 3, 2)
    looks *= (width // heads) ** -0.5
    looks += hidden
    seen = _softmax(looks) @ value
    joined = seen.transpose(0, 2, 1, 3).reshape(count, length, width) @ layer.joined
    joined += layer.joined_bias + state
    state = _normed(joined, layer.joined_scale, layer.joined_shift, epsilon)
    inner = state @ layer.inner
    inner += layer.inner_bias
    outer = _gelu(inner) @ layer.outer
    outer += layer.outer_bias + state
    return _normed(outer, layer.outer_scale, layer.outer_shift, epsilon)


def _softmax(values: Floats) -> Floats:
    import numpy as np

    values -= values.max(axis=-1, keepdims=True)
    np.exp(values, out=values)
    values /= values.sum(axis=-1, keepdims=True)
    return values


def _normed(values: Floats, scale: Floats, shift: Floats, epsilon: float) -> Floats:
    import numpy as np

    values = values - values.mean(axis=-1, keepdims=True)
    spread = np.square(values).mean(axis=-1, keepdims=True)
    values /= np.sqrt(spread + np.float32(epsilon))
    values *= scale
    values += shift
    return values


def _gelu(values: Floats) -> Floats:
    """The value times the normal distribution at it, whose integral is taken by its tanh formula.

    (Hendrycks and Gimpel 2016; off by 0.0005 at most, and by one thousandth in a cosine.)
    """
    import numpy as np

    inner = values * values
    inner *= np.float32(0.044715 * 0.7978845608)
    inner += np.float32(0.7978845608)
    inner *= values
    np.tanh(inner, out=inner)
    inner += 1
    inner *= values
    inner *= np.float32(0.5)
    return inner
