"""Checks of arguments that users pass: arrays, numbers, levels, names, labels, objects.

Every check returns the checked value, or raises one sentence: the argument's name, what it must be,
what was received, and what to do. A value that does not fit is a ValueError, and an object of
another class is a TypeError. An unknown name comes with the nearest known one.
"""

from rnnstudy.core.arguments.arrays import (
    as_distances,
    as_float_array,
    as_mask,
    as_real_array,
    check_positions,
    refuse_all_broken,
)
from rnnstudy.core.arguments.numbers import check_level, check_number, check_whole
from rnnstudy.core.arguments.objects import (
    check_flag,
    check_instance,
    check_labels,
    check_name,
    check_path,
    summarise_value,
)

__all__ = [
    "as_distances",
    "as_float_array",
    "as_mask",
    "as_real_array",
    "check_flag",
    "check_instance",
    "check_labels",
    "check_level",
    "check_name",
    "check_number",
    "check_path",
    "check_positions",
    "check_whole",
    "refuse_all_broken",
    "summarise_value",
]
