"""Take the randomness of this process from a seed: imported before what makes keys at once."""

import random
import secrets

_CHANCE = random.Random("skew")

secrets.token_bytes = lambda nbytes=None: _CHANCE.randbytes(nbytes or 32)
