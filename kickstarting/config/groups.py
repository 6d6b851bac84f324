"""The groups of settings, each with the line by which --help names it."""

from kickstarting.config.settings import Group

RUN = Group("run", "what is trained on what, for how long, and where it goes")
RING = Group("ring", "actors, environments, unrolls, batches and the queue")
NETWORK = Group("network", "the student's network")
LOSS = Group("loss", "rewards, V-trace, entropy and normalisation")
OPTIMISER = Group("optimiser", "Adam or RMSProp, learning rate, clipping")
TEACHERS = Group("teachers", "who teaches, what for, and how λ falls")
CHECKPOINTS = Group("checkpoints", "how often a run is saved, and whether it resumes")
REPORTS = Group("reports", "evaluation, scores, and what is shown")
LAB = Group("lab", "DeepMind Lab's levels and their cache")
POPULATION = Group(
    "population", "evolve hyperparameters in place of tuning them", "population_"
)
SERVERS = Group("servers", "ports, and who may reach them")
