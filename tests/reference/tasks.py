"""Targets of the tasks from their inputs, in plain loops."""

import math

import numpy as np


def flip_flop_targets(pulses):
    """[trial, time, channel] -> the last pulse so far of each channel."""
    targets = np.zeros_like(pulses)
    trials, length, bits = pulses.shape
    for trial in range(trials):
        for bit in range(bits):
            last = 0.0
            for time in range(length):
                if pulses[trial, time, bit] != 0.0:
                    last = pulses[trial, time, bit]
                targets[trial, time, bit] = last
    return targets


def sine_targets(inputs, lowest, highest):
    """[trial, time, 1] -> sine waves; the cue is read anew at every time step."""
    targets = np.zeros(inputs.shape)
    for trial in range(inputs.shape[0]):
        for time in range(inputs.shape[1]):
            frequency = lowest + (highest - lowest) * float(inputs[trial, time, 0])
            targets[trial, time, 0] = math.sin(2.0 * math.pi * frequency * time)
    return targets


def integration_targets(inputs, streams, gain):
    """[trial, time, stream and context] -> running sum of the stream whose context is on."""
    trials, length, _ = inputs.shape
    targets = np.zeros((trials, length, 1))
    for trial in range(trials):
        total = 0.0
        for time in range(length):
            for stream in range(streams):
                if inputs[trial, time, streams + stream] == 1.0:
                    total += float(inputs[trial, time, stream])
            targets[trial, time, 0] = gain * total
    return targets
