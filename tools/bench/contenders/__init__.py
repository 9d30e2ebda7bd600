"""Who trains: each contender in a file of its own, imported only in its own process."""

CONTENDERS: dict[str, str] = {
    "ours": "contenders.ours:Ours",
    "keras": "contenders.keras_fit:KerasFit",
    "jax": "contenders.jax_vmap:JaxVmap",
    "torch": "contenders.torch_loop:TorchLoop",
    "together": "contenders.ours:Together",
}

OURS = ("ours", "together")
"""What spreads over cores by itself; the second only where it is asked for."""

BESIDE = {
    "machine": "contenders.machine:Machine",
    "dynamics": "contenders.dynamics:Dynamics",
}
"""Not contenders, but measured beside them."""
