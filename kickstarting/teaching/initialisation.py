"""Lets a student begin with its teacher's weights instead of random ones."""

from typing import Any

import jax

from kickstarting.agent.agent import Agent
from kickstarting.agent.trajectory import VALUE_HEAD
from kickstarting.config import run as config_lib
from kickstarting.teaching import files as teacher_files


def initial_params(config: config_lib.Config, agent: Agent) -> dict[str, Any]:
    """Returns the parameters that the run's teacher lends its student to begin with.

    They are all of the teacher's, rounded to float16 as its file has them, but for the
    value head: the teacher's values are not normalised, or nobody knows by which
    statistics, so as the student's normalised ones they would mean nothing.

    Args:
      config: of the run.
      agent: the student.

    Returns:
      float32 parameters by the names of the network's parts; empty where the run does
      not begin so.

    Raises:
      teacher_files.TeacherError: the teacher has no weights, is not sound, or has
        another network than the student.
    """
    if not config.teacher_use.initialises:
        return {}
    name = config.kickstarting.teachers[0][1]
    if ":" in name:
        raise teacher_files.TeacherError(
            f"teacher {name!r} has no weights that a student could begin with: name a "
            "folder with a card"
        )
    params, card = teacher_files.load_teacher(name)
    torso = Agent(agent.spec, card.network).torso
    theirs = f"--torso={torso} --core_size={card.network.core_size}"
    ours = f"--torso={agent.torso} --core_size={config.network.core_size}"
    if theirs != ours:
        raise teacher_files.TeacherError(
            f"a student with {ours} cannot begin with the weights of teacher {name!r}: "
            f"pass {theirs}"
        )
    expected = jax.eval_shape(agent.init_params, jax.random.key(0))
    lent = {part: params[part] for part in params if part != VALUE_HEAD}
    wanted = {part: expected[part] for part in expected if part != VALUE_HEAD}
    teacher_files.check_shapes(name, lent, wanted)
    return lent
