"""How representations differ: arrays in, numbers out; knows no network."""
