"""Invariant circles: closed curves on which motion is quasi-periodic.

`find_circles` in `find` is the public function, `CircleSearch` in `search` has its settings, and
`Circles` in `record` is its record. `rotation` estimates rotation numbers, and `fourier` fits a
curve by weighted Birkhoff averages.
"""
