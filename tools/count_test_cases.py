"""Counts the test cases of one Bazel run and prints `N passed, N failed`.

Its first argument is the file of --build_event_json_file, which names the test.xml of
every test of this run and of no earlier one. Others hold what was printed by further
runs, which end with such a line of their own and are added.
"""

import json
import re
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree


def count_cases(path: str) -> tuple[int, int]:
    """Returns the numbers of passed and failed cases in one test.xml.

    A case that did not run counts as neither. A file without cases, as Bazel writes it
    for a test that was killed, counts as one failure.
    """
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return 0, 1
    failed = [
        case
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    ]
    ran = [
        case
        for case in cases
        if case.get("status") != "notrun" and case.find("skipped") is None
    ]
    return (len(ran) - len(failed), len(failed)) if cases else (0, 1)


def count_events(lines: list[str]) -> tuple[int, int]:
    """Returns the numbers of passed and failed cases that build events tell of.

    A test target that could not be built or wrote no test.xml is one failed case. So is
    a run that ended badly with no failed case to show for it.
    """
    sound = False
    results: dict[tuple, tuple[int, int]] = {}
    for line in lines:
        event = json.loads(line)
        name = event["id"]
        if "testResult" in event:
            test = name["testResult"]
            # Attempts are left out of the key: the last one is what counts.
            key = (test["label"], test.get("run"), test.get("shard"))
            results[key] = _count_result(event["testResult"])
        elif "targetCompleted" in name and not _succeeded(event):
            results[(name["targetCompleted"]["label"],)] = (0, 1)
        elif "finished" in event:
            sound = event["finished"]["exitCode"]["name"] == "SUCCESS"
    passed = sum(passed for passed, _ in results.values())
    failed = sum(failed for _, failed in results.values())
    return passed, failed if sound else max(failed, 1)


def count_printed(text: str) -> tuple[int, int]:
    """Returns the numbers in the last line of what a run printed.

    Without them the run did not come to its end, which is one failed case.
    """
    last = text.rstrip().rpartition("\n")[2]
    numbers = re.fullmatch(r"(\d+) passed, (\d+) failed", last)
    return (int(numbers[1]), int(numbers[2])) if numbers else (0, 1)


def _succeeded(event: dict) -> bool:
    return event.get("completed", {}).get("success", False)


def _count_result(result: dict) -> tuple[int, int]:
    for output in result.get("testActionOutput", ()):
        if output["name"] == "test.xml":
            path = urllib.parse.urlparse(output["uri"]).path
            passed, failed = count_cases(urllib.request.url2pathname(path))
            break
    else:
        passed, failed = 0, 1
    if result.get("status") not in ("PASSED", "FLAKY"):
        # The process may fail although each of its cases passed.
        failed = max(failed, 1)
    return passed, failed


if __name__ == "__main__":
    with open(sys.argv[1]) as events:
        total_passed, total_failed = count_events(events.readlines())
    for printed in sys.argv[2:]:
        with open(printed, errors="replace") as lines:
            more_passed, more_failed = count_printed(lines.read())
        total_passed, total_failed = (
            total_passed + more_passed,
            total_failed + more_failed,
        )
    print(f"{total_passed} passed, {total_failed} failed")
