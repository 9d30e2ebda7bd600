"""Branches of fixed points along a path of inputs, and their bifurcations.

`continue_fixed_points` in `follow` is the public function, `ContinuationSettings` in `settings` has
its settings, and `Branches` in `record` is its record.

A branch is traced by predictor and corrector. The predictor moves one step along the tangent. The
corrector is Newton's method in the plane across that tangent. The unknown contains the arclength s
on the path of inputs, so a branch passes folds, at which it turns back in s (pseudo-arclength). The
step halves where the corrector fails or the tangent turns too far, and grows where the branch is
straight. `pseudo_arclength` has both parts.

All branches advance together. Each is a coroutine that yields the state and the input at which it
needs a linearisation. One compiled call per round serves all of them, since many small calls would
be slower than one large call.

`bifurcations` locates bifurcations between two points of a branch by the root of a test function.
`branch_switching` continues on the other branch of a branch point. `problem` has the equation of a
branch, and `input_path` the path.
"""
