"""Periodic orbits by multiple shooting, with Floquet multipliers.

`find_cycles` in `find` is the public function, `OrbitSearch` in `search` has its settings, and
`Cycles` in `record` is its record. `shooting` moves all states of an orbit at once by
Levenberg-Marquardt. `floquet` has the multipliers and the certificate of an orbit.
"""
