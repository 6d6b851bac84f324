"""One teacher of a level that needs little aim."""

from experiments.catalogue.common import doom

EXPERIMENT = doom.kickstarting(
    "defend_the_line",
    """\
Every kickstarted student reached its teacher's return (16.27), after 141,000 to
202,000 frames; none from scratch did in 400,000. Of those with a linear λ two of
three end above their teacher, within the noise of 30 episodes (0.8 to 1.1), and one
below. Advice that stays was worth more than advice that fades (17.69 ± 0.47 over
seeds), and more than advice alone (16.79).""",
)
