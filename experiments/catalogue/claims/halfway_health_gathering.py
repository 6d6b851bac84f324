"""The paper's first claim on doom:health_gathering."""

from experiments.catalogue.common import halfway

EXPERIMENT = halfway.one_teacher(
    "health_gathering",
    100_000,
    """\
Yes, all of it, with five seeds. The student whose advice fades is at its teacher's
return after 41,000 frames in the median, from scratch after 83,000: **half of them**.
It ends **far above its teacher**: 2100, 1710, 2006, 1869 and 1964 in the 30 episodes
that each plays at the end (mean 1930, interval 1805 to 2035), where the teacher has
1316 ± 75 and 2100 is the most that an episode can give. It ends above from scratch at
equal frames (1690; the difference of the means is 240, interval 3 to 509, so just so),
above a constant λ (1591; 338, 180 to 487) and above distillation alone (1443; 487, 286
to 671; intervals of differences by a bootstrap over seeds in a script of the moment).
After the end of the advice, at 40,000 frames, the mean goes on to 66, back to
46 at 60,000, and up again. That of a constant λ does so too, from 75 to 48, so that the
end of the advice may not be what does it; over the whole fifth of the budget after it
each seed has 1.5 to 3.2 times the score of the fifth before.

One run more speaks against certainty: seed 1 as a demo of 100,000 frames at 81409ac
ended at 1298 with a teacher and at 1981 without
([measurements.md](measurements.md)).""",
)
