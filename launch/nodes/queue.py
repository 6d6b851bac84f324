"""The queue node: Reverb's server with the one table of a ring."""

import launchpad as lp
import reverb
from launchpad import address as lp_address

from kickstarting.config import run as config_lib
from kickstarting.environments import suites
from kickstarting.queue import example as trajectory_example
from kickstarting.queue import reverb_queue


class QueueNode(lp.ReverbNode):
    """Reverb's node, but its server is stopped with the program.

    A reader that is blocked at that moment stays so: it must be a daemon thread.
    """

    def __init__(self, config: config_lib.Config) -> None:
        """Is in no program yet.

        Args:
          config: of the run, or of a population's member.
        """
        super().__init__(self._tables)
        self._config = config

    def run(self) -> None:
        """Serves until the program stops."""
        server = reverb.Server(
            tables=self._tables(),
            port=lp_address.get_port_from_address(self._address.resolve()),
        )
        lp.wait_for_stop()
        server.stop()

    def _tables(self) -> list[reverb.Table]:
        config = self._config
        spec = suites.environment_spec(
            config.tasks[0], config.action_repeat, config.lab.action_set
        )
        example = trajectory_example.example(config, spec)
        return [reverb_queue.table(example, config.resolved_queue_size)]
