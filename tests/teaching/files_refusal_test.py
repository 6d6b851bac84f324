"""What teaching/files.py refuses to load: one line for each fault."""

import dataclasses
import json
import os

import numpy as np
import safetensors.numpy
from absl.testing import absltest, parameterized

from kickstarting.teaching import files as teacher_files
from tests import teacher_folder


class RefusalTest(teacher_folder.TeacherFolderTest):
    @parameterized.parameters("", "null\0byte", "x" * 5000)
    def test_folders_that_cannot_be(self, name):
        self.folder = self.folder / name
        self.assert_refused("teacher")

    @parameterized.parameters(teacher_files.CARD, teacher_files.WEIGHTS)
    def test_missing_files(self, name):
        self.save()
        (self.folder / name).unlink()
        self.assert_refused(f"has no {name}")

    def test_a_changed_bit(self):
        self.save()
        path = self.folder / teacher_files.WEIGHTS
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        self.assert_refused("checksum")

    @parameterized.parameters(
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "format_version None"),
        (b'{"format_version": true}', "format_version True"),
        (b'{"format_version": 1}', "format_version 1"),
        (b" " * (2**20 + 1), "too large"),
    )
    def test_malformed_cards(self, content, message):
        self.save()
        (self.folder / teacher_files.CARD).write_bytes(content)
        self.assert_refused(message)

    @parameterized.parameters(
        ({"action_names": []}, "action_names"),
        ({"action_names": ["a", "a"]}, "action_names"),
        ({"action_names": ["a", 1]}, "action_names"),
        ({"action_names": "ab"}, "action_names"),
        ({"frame_shape": [72, 96]}, "frame_shape"),
        ({"frame_shape": [72, 96, -3]}, "frame_shape"),
        ({"frame_shape": [72, 96, 3.0]}, "frame_shape"),
        ({"instruction_length": -1}, "instruction_length"),
        ({"action_repeat": 0}, "action_repeat"),
        ({"action_repeat": True}, "action_repeat"),
        ({"network": "shallow"}, "network"),
        ({"network": {"torso": "shallow"}}, "its network lacks"),
        (
            {"network": {"torso": "shallow", "core_size": 256, "num_values": 1}},
            "language",
        ),
        ({"network": {**teacher_folder.NETWORK, "torso": "huge"}}, "torso"),
        ({"network": {**teacher_folder.NETWORK, "core_size": "256"}}, "network"),
        ({"network": {**teacher_folder.NETWORK, "language": 1}}, "network"),
        ({"environment_frames": 2**70}, "environment_frames"),
        ({"scores": {}}, "got `object` - at `..scores`"),
        ({"scores": []}, "scores must be of distinct"),
        ({"scores": [3]}, "got `int` - at `..scores.0.`"),
        ({"scores": [{"task": "doom:basic"}]}, "missing .* `mean_return`"),
        ({"weights_sha256": None}, "weights_sha256"),
        ({"value": 0.99}, "got `float` - at `..value`"),
        ({"value": {"discount": 0.99}}, "missing .* `reward_clipping`"),
        ({"value": {"discount": 1.5, "reward_clipping": "none"}}, "discount"),
        ({"value": {"discount": "1", "reward_clipping": "none"}}, "discount"),
        ({"value": {"discount": 0.9, "reward_clipping": "auto"}}, "reward_clipping"),
        ({"value": {"discount": 0.9, "reward_clipping": []}}, "reward_clipping"),
        (
            {
                "value": {
                    "discount": 0.9,
                    "reward_clipping": "none",
                    "reward_scales": [["doom:basic", 0]],
                }
            },
            "reward_scales",
        ),
        (
            {
                "value": {"discount": 0.9, "reward_clipping": "none"},
                "network": dataclasses.asdict(teacher_folder.CARD.network)
                | {"num_values": 2},
            },
            "2 values do not fit 1 tasks",
        ),
        (
            {"network": {**teacher_folder.NETWORK, "surprise": 1}},
            "its network has the unknown field",
        ),
        (
            {"value": {"discount": 0.9, "reward_clipping": "none", "surprise": 1}},
            "its value has the unknown field",
        ),
        ({"surprise\n": 1}, "it has the unknown field"),
    )
    def test_wrong_fields(self, change, message):
        self.save()
        self.change_card(change)
        self.assert_refused(message)

    @parameterized.parameters(
        ({"task": "no suite"}, "task must be"),
        ({"task": 3}, "got `int` - at `..scores.0..task`"),
        ({"mean_return": float("nan")}, "mean_return"),
        ({"mean_return": 10**400}, "mean_return"),
        ({"mean_return": None}, "mean_return"),
        ({"standard_error": -1.0}, "standard_error"),
        ({"episodes": 0}, "episodes"),
        ({"normalised_score": "100"}, "normalised_score"),
        ({"surprise": 1}, "a score has the unknown field"),
    )
    def test_wrong_scores(self, change, message):
        self.save()
        score = dataclasses.asdict(teacher_folder.CARD.scores[0])
        self.change_card({"scores": [score | change]})
        self.assert_refused(message)

    def test_two_scores_of_one_task(self):
        self.save()
        score = dataclasses.asdict(teacher_folder.CARD.scores[0])
        self.change_card({"scores": [score, score]})
        self.assert_refused("distinct tasks")

    def test_an_older_card_says_nothing_of_values(self):
        self.save()
        path = self.folder / teacher_files.CARD
        content = json.loads(path.read_text())
        del content["value"]
        path.write_text(json.dumps(content))
        self.assertIsNone(teacher_files.read_card(self.folder).value)

    @parameterized.parameters(
        field.name
        for field in dataclasses.fields(teacher_folder.CARD)
        if field.name != "value"
    )
    def test_missing_fields(self, name):
        self.save()
        path = self.folder / teacher_files.CARD
        content = json.loads(path.read_text())
        del content[name]
        path.write_text(json.dumps(content))
        self.assert_refused(f"missing required field `{name}`")

    @parameterized.named_parameters(
        ("empty", b"", "no sound safetensors"),
        ("no_safetensors", b"hello", "no safetensors file"),
        ("no_json", teacher_folder.safetensors_bytes(b"{"), "no sound"),
        ("deep", teacher_folder.safetensors_bytes(b'{"a":' * 100_000), "no sound"),
        ("no_arrays", teacher_folder.safetensors_bytes({}), "holds 0 arrays"),
        (
            "header_of_2_gigabytes",
            (2**31).to_bytes(8, "little") + b"{}",
            "too large",
        ),
        (
            "many_arrays",
            teacher_folder.safetensors_bytes(
                {f"{i}": teacher_folder.entry([0], 0, 0) for i in range(10_001)}
            ),
            "holds 10001 arrays",
        ),
        (
            "huge_header",
            teacher_folder.safetensors_bytes(
                {f"{i}": teacher_folder.entry([0], 0, 0) for i in range(30_000)}
            ),
            "too large",
        ),
        (
            "many_parameters",
            teacher_folder.safetensors_bytes(
                {"a": teacher_folder.entry([2**24 + 1], 0, 2**25 + 2)},
                bytes(2**25 + 2),
            ),
            "more than 16777216 parameters",
        ),
        (
            "float32",
            safetensors.numpy.save({"a": np.ones(3, np.float32)}),
            "dtype float32",
        ),
        (
            "unknown_dtype",
            teacher_folder.safetensors_bytes(
                {"a": teacher_folder.entry([2], 0, 1, "F4")}, b"1"
            ),
            "no sound",
        ),
        (
            "nan",
            safetensors.numpy.save({"a": np.full(3, np.nan, np.float16)}),
            "not finite",
        ),
        (
            "overflowing_shape",
            teacher_folder.safetensors_bytes(
                {"a": teacher_folder.entry([2**40, 2**40], 0, 4)}, b"1234"
            ),
            "no sound",
        ),
        (
            "negative",
            teacher_folder.safetensors_bytes(
                {"a": teacher_folder.entry([-1, 3], 0, 4)}, b"1234"
            ),
            "no sound",
        ),
        (
            "short",
            teacher_folder.safetensors_bytes(
                {"a": teacher_folder.entry([1000], 0, 2000)}, b"1234"
            ),
            "no sound",
        ),
        (
            "long",
            teacher_folder.safetensors_bytes(
                {"a": teacher_folder.entry([1], 0, 2)}, b"123"
            ),
            "no sound",
        ),
        (
            "overlapping",
            teacher_folder.safetensors_bytes(
                {
                    "a": teacher_folder.entry([2], 0, 4),
                    "b": teacher_folder.entry([2], 0, 4),
                },
                b"1234",
            ),
            "no sound",
        ),
        (
            "many_axes",
            teacher_folder.safetensors_bytes(
                {"a": teacher_folder.entry([1] * 100, 0, 2)}, b"12"
            ),
            "no sound",
        ),
        (
            "nested_in_an_array",
            safetensors.numpy.save(
                {name: np.ones(1, np.float16) for name in ("a", "a/b")}
            ),
            "within another",
        ),
        (
            "climbing_path",
            safetensors.numpy.save({"../../x//y": np.ones(1, np.float16)}),
            "cannot name",
        ),
        (
            "long_name",
            safetensors.numpy.save({"a/" * 5000 + "b": np.ones(1, np.float16)}),
            "cannot name",
        ),
    )
    def test_wrong_weights(self, content, message):
        self.save()
        self.set_weights(content)
        self.assert_refused(message)

    @parameterized.named_parameters(
        ("no_arrays", {}, "holds 0 arrays"),
        (
            "float32",
            {"a.npy": teacher_folder.array_bytes(np.ones(3, np.float32))},
            "dtype float32",
        ),
        (
            "pickle",
            {"a.npy": teacher_folder.array_bytes(np.array([print], object))},
            "dtype object",
        ),
        (
            "nan",
            {"a.npy": teacher_folder.array_bytes(np.full(3, np.nan, np.float16))},
            "not finite",
        ),
        ("huge", {"a.npy": teacher_folder.header_bytes((2**40, 2**40))}, "too large"),
        ("negative", {"a.npy": teacher_folder.header_bytes((-1, 3))}, "too large"),
        (
            "short",
            {"a.npy": teacher_folder.header_bytes((1000,))},
            "length of its shape",
        ),
        (
            "long",
            {"a.npy": teacher_folder.header_bytes((1,)) + b"123"},
            "length of its shape",
        ),
        (
            "many_axes",
            {"a.npy": teacher_folder.header_bytes((1,) * 100) + b"12"},
            "no sound",
        ),
        ("no_array", {"a.npy": b"hello"}, "no sound"),
        (
            "fortran",
            {
                "a.npy": teacher_folder.array_bytes(
                    np.ones((2, 3), np.float16, order="F")
                )
            },
            "C order",
        ),
        (
            "nested_in_an_array",
            {
                name: teacher_folder.array_bytes(np.ones(1, np.float16))
                for name in ("a", "a/b")
            },
            "within another",
        ),
        (
            "climbing_path",
            {"../../x//y": teacher_folder.array_bytes(np.ones(1, np.float16))},
            "cannot name",
        ),
        (
            "long_name",
            {"a/" * 5000 + "b": teacher_folder.array_bytes(np.ones(1, np.float16))},
            "cannot name",
        ),
    )
    def test_wrong_weights_of_before(self, members, message):
        self.save()
        self.set_npz(members)
        self.assert_refused(message)

    def test_names_are_never_paths(self):
        self.save()
        outside = self.folder.parent / "outside"
        name = f"../{str(outside).lstrip('/')}"
        array = np.ones(1, np.float16)
        self.set_weights(safetensors.numpy.save({name: array}))
        params, _ = teacher_files.load_teacher(self.folder)
        self.assertEqual(list(params), [".."])
        self.set_npz({name: teacher_folder.array_bytes(array)})
        params, _ = teacher_files.load_teacher(self.folder)
        self.assertEqual(list(params), [".."])
        self.assertEqual(os.listdir(self.folder.parent), ["teacher"])

    def test_what_is_no_archive(self):
        self.save()
        self.set_npz_bytes(b"hello")
        self.assert_refused("no sound .npz")

    @parameterized.parameters(teacher_files.WEIGHTS, teacher_folder.NPZ)
    def test_a_file_too_large_is_not_even_hashed(self, name):
        self.save()
        (self.folder / teacher_files.WEIGHTS).rename(self.folder / name)
        os.truncate(self.folder / name, 2**40)
        self.assert_refused("too large")


if __name__ == "__main__":
    absltest.main()
