"""Populations: one cell with weights stacked along the member axis.

`population.Population` holds the networks and simulates them. `initialise.initial_population` draws
untrained networks. `unroll.unroll` is the time loop of training and simulation.
"""
