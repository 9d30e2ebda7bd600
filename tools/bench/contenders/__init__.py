"""Who trains: each contender in a file of its own, imported only in its own process."""

CONTENDERS: dict[str, str] = {
    "ours": "contenders.ours:Ours",
    "keras": "contenders.keras_fit:KerasFit",
    "jax": "contenders.jax_vmap:JaxVmap",
    "torch": "contenders.torch_loop:TorchLoop",
}

MACHINE = "contenders.machine:Machine"
"""Not a contender, but measured beside them."""
