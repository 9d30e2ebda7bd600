"""Networks of every origin as one interface: state maps, Jacobians, simulation."""
