"""Language instructions as fixed-length rows of hashed word ids."""

import re
import zlib

import numpy as np

# IMPALA hashes words into this many buckets (Espeholt et al. 2018, appendix D); id 0 is
# the pad, so that embeddings need NUM_BUCKETS + 1 rows.
NUM_BUCKETS = 1000

_WORD = re.compile(r"[a-z0-9']+")


def encode(text: str, length: int) -> np.ndarray:
    """Hashes the words of an instruction.

    The hash is CRC-32 of the lower-case word: the same on every machine and in every
    process, which Python's own is not, so that a checkpoint keeps its vocabulary.
    IMPALA splits at white space alone; "ball?" and "Ball" are the word "ball" here.

    Args:
      text: the instruction; punctuation and case are ignored.
      length: L. Further words are cut, missing ones are 0.

    Returns:
      int32 [L], each 1..NUM_BUCKETS for a word and 0 for the pad.
    """
    words = _WORD.findall(text.lower())[:length]
    ids = np.zeros((length,), np.int32)
    ids[: len(words)] = [zlib.crc32(word.encode()) % NUM_BUCKETS + 1 for word in words]
    return ids
