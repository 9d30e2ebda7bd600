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


def one_hot(classes, count):
    """[trial][time] -> [trial, time, class]."""
    return np.array([[[float(c == k) for k in range(count)] for c in row] for row in classes])


def go_no_go_targets(inputs):
    """Noise-free [trial, time, (fixation, go, no-go)] -> to go once fixation ends after a go."""
    classes = []
    for trial in inputs:
        was_go = any(step[1] == 1.0 for step in trial)
        classes.append([int(was_go and step[0] == 0.0) for step in trial])
    return one_hot(classes, 2)


def delayed_match_targets(inputs):
    """Noise-free [trial, time, (fixation, stimuli)] -> 1 if all stimuli are the same, else 2."""
    classes = []
    for trial in inputs:
        shown = [list(step[1:]).index(1.0) for step in trial if max(step[1:]) == 1.0]
        choice = 1 if shown[0] == shown[-1] else 2
        classes.append([choice if step[0] == 0.0 else 0 for step in trial])
    return one_hot(classes, 3)


def parametric_memory_targets(inputs):
    """Noise-free [trial, time, (fixation, frequency)] -> 2 if the last one is higher, else 1."""
    classes = []
    for trial in inputs:
        shown = [step[1] for step in trial if step[1] != 0.0]
        choice = 2 if shown[-1] > shown[0] else 1
        classes.append([choice if step[0] == 0.0 else 0 for step in trial])
    return one_hot(classes, 3)


def ring_memory_targets(inputs):
    """Noise-free [trial, time, (fixation, cos, sin)] -> the last point that was shown."""
    targets = np.zeros((*inputs.shape[:2], 2))
    for i, trial in enumerate(inputs):
        shown = [step[1:] for step in trial if any(step[1:] != 0.0)]
        for t, step in enumerate(trial):
            if step[0] == 0.0:
                targets[i, t] = shown[-1]
    return targets


def peaks(ring, reach=7):
    """Activity of a ring -> direction and size of its bumps, the largest first."""
    ring, found = np.array(ring, float), []
    count = len(ring)
    while ring.max() > 0.1:
        top = int(ring.argmax())
        units = [(top + k) % count for k in range(-reach, reach + 1)]
        angles = [2.0 * math.pi * unit / count for unit in units]
        x, y = (sum(ring[u] * f(a) for u, a in zip(units, angles, strict=True))
                for f in (math.cos, math.sin))  # fmt: skip
        found.append((math.atan2(y, x), sum(ring[unit] for unit in units)))
        ring[[(top + k) % count for k in range(-reach - 1, reach + 2)]] = 0.0
    return sorted(found, key=lambda peak: -peak[1])


def multi_task_response(rule, trial, ring):
    """One noise-free trial [time, input] under a rule -> direction of the response, or None."""
    modality = [step[1 : 1 + ring] for step in trial]
    shown = [peaks(step) for step in modality if max(step) > 0.1]
    first, last = shown[0], shown[-1]
    if rule == "anti":
        return first[0][0] + math.pi
    if rule == "match":
        turn = (last[0][0] - first[0][0] + math.pi) % (2.0 * math.pi) - math.pi
        return last[0][0] if abs(turn) < 0.2 else None
    return first[0][0]
