#!/usr/bin/env python3
"""Writes a synthetic trace of LLM requests to standard output: synthesize.py > trace.csv

Arrivals are a Poisson process whose rate changes with the phase: long quiet phases and short bursts.
Token counts are log-normal: contexts are long and vary widely, answers are shorter. The seed is fixed,
so every run writes the same file.
"""

import datetime
import random

REQUESTS = 450
START = datetime.datetime(2024, 1, 1, 9, 0, 0)
PHASES = ((3.0, 6.0), (25.0, 1.2))  # (requests a second, mean length in seconds): quiet, burst
CONTEXT = (6.6, 1.0, 14000)  # log-normal mu, sigma, and the largest value
GENERATED = (5.0, 0.8, 1000)


def tokens(rng, mu, sigma, largest):
    return min(largest, max(1, round(rng.lognormvariate(mu, sigma))))


def main():
    rng = random.Random(1)
    seconds, phase, phase_end = 0.0, 0, rng.expovariate(1 / PHASES[0][1])
    print("TIMESTAMP,ContextTokens,GeneratedTokens")
    for _ in range(REQUESTS):
        # A Poisson process has no memory: at a change of phase the wait is drawn anew.
        while (arrival := seconds + rng.expovariate(PHASES[phase][0])) > phase_end:
            seconds, phase = phase_end, 1 - phase
            phase_end += rng.expovariate(1 / PHASES[phase][1])
        seconds = arrival
        stamp = START + datetime.timedelta(seconds=seconds)
        context, generated = tokens(rng, *CONTEXT), tokens(rng, *GENERATED)
        print(f"{stamp:%Y-%m-%d %H:%M:%S.%f}0,{context},{generated}")  # seven decimals


if __name__ == "__main__":
    main()
