"""Language instructions as fixed-length rows of hashed word ids."""

import unicodedata
import zlib

import numpy as np

from kickstarting.environments import notices

# IMPALA hashes words into this many buckets (Espeholt et al. 2018, appendix D); id 0 is
# the pad, so that embeddings need NUM_BUCKETS + 1 rows.
NUM_BUCKETS = 1000


def encode(text: str, length: int, task: str = "") -> np.ndarray:
    """Hashes the words of an instruction.

    The hash is CRC-32 of the word's UTF-8, case folded and in the composed form NFC:
    the same on every machine and in every process, which Python's own is not, so that
    a checkpoint keeps its vocabulary. IMPALA splits at white space alone; "ball?" and
    "Ball" are the word "ball" here. Letters, digits and marks of every script make
    words; a script without spaces between them gives one word a sentence.

    Args:
      text: the instruction; punctuation and case are ignored.
      length: L. Further words are cut, missing ones are 0.
      task: that it is of; that words of it were cut is told once.

    Returns:
      int32 [L], each 1..NUM_BUCKETS for a word and 0 for the pad.
    """
    words = _words(text)
    if len(words) > length and task:
        notices.tell(
            f"{task} gives instructions of more than {length} words: only their first "
            f"{length} are read"
        )
    ids = np.zeros((length,), np.int32)
    hashes = [zlib.crc32(word.encode()) % NUM_BUCKETS + 1 for word in words[:length]]
    ids[: len(hashes)] = hashes
    return ids


def _words(text: str) -> list[str]:
    # Folding may take a letter apart again.
    folded = _composed(_composed(text).casefold())
    separated = "".join(
        letter if _is_letter(letter) or _is_mark(letter) else " " for letter in folded
    )
    # A mark alone, such as an emoji's, is none.
    return [word for word in separated.split() if any(map(_is_letter, word))]


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _is_letter(character: str) -> bool:
    return character.isalnum() or character == "'"


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")
