"""Who is left out of a comparison, so that nobody can be told from the difference."""

import numpy as np
import numpy.typing as npt

from pipeline.evaluate.disclosure.bounds import SMALLEST_CELL


def leave_out_enough(
    members: npt.NDArray[np.bool_], observed: npt.NDArray[np.float64], *, seed: int
) -> npt.NDArray[np.bool_]:
    """`members` less a few more at random, so that those left out are nobody or at least SMALLEST_CELL of each class.

    Otherwise what is said of members and of all would tell of the few between. Who was not observed (NaN) is in none.
    """
    chosen = members.copy()
    if members[~np.isnan(observed)].all():
        return chosen
    order = np.random.default_rng(seed).permutation(len(members))
    for value in (0.0, 1.0):
        own = observed == value
        short = SMALLEST_CELL - int((own & ~chosen).sum())
        if short > 0:
            chosen[[i for i in order if own[i] and chosen[i]][:short]] = False
    return chosen
